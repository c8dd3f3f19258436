"""The subjects of a study as one reader's work: what is begun, signed, next. Asking begins nothing and waits for nobody."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

from mrecist.dates import day_words
from mrecist.errors import MrecistError
from mrecist.session.case import open_case
from mrecist.session.journal import Journal
from mrecist.session.kept_masks import KeptMasks
from mrecist.session.room import Room, enter
from mrecist.session.session import Session
from mrecist.session.signed import is_written, session_folder
from mrecist.study import Study


@dataclass(frozen=True, slots=True, kw_only=True)
class Work:
    """One subject.

    Parameters
    ----------
    visits : time points.
    signed : those that the reader has signed, with the name of who did.
    begun : something is kept of the read.
    elsewhere : the read is open in a window, of this program or another.
    unwritten : the study files (or the store) are not those of the last signature; opening the read writes them.
    problem : why the subject cannot be read; empty when it can.
    day, last_day : the first and last day of the next visit after the baseline, where the list must not show more.
    to_sign : every visit is locked in the store, and not every one is under a signature that holds.
    amending : visits that are opened again in the global review of a store.
    """

    subject: str
    visits: tuple[int, ...] = ()
    signed: Mapping[int, str] = field(default_factory=dict)
    begun: bool = False
    elsewhere: bool = False
    unwritten: bool = False
    problem: str = ""
    day: int | None = None
    last_day: int | None = None
    to_sign: bool = False
    amending: tuple[int, ...] = ()

    @property
    def days(self) -> str:
        """The days of the next visit in words (``56``, ``56 to 58``); empty where the list shows none."""
        return "" if self.day is None else day_words(self.day, self.day if self.last_day is None else self.last_day)

    @property
    def next_visit(self) -> int | None:
        """The first visit that is not signed; None when all are, or the subject cannot be read."""
        return next((t for t in self.visits if t not in self.signed), None)

    @property
    def state(self) -> str:
        """In one word or two: ``not begun``, ``open``, ``signed``, ``cannot be read``; of a store ``to sign``, ``in review``."""
        if self.problem:
            return "cannot be read"
        if self.next_visit is None:
            return "in review" if self.amending else "to sign" if self.to_sign else "signed"
        return "open" if self.begun else "not begun"


def worklist(study: Study, reader: str) -> tuple[Work, ...]:
    """Every subject of a study in the order of their names, with what the reader has done."""
    return tuple(work_of(study, one.subject, reader) for one in study.subjects)


def work_of(study: Study, subject: str, reader: str) -> Work:
    """One of them; what is damaged is its :attr:`Work.problem`."""
    folder = session_folder(study.root, reader, subject)
    try:
        case = open_case(study, subject)
        visits = tuple(visit.timepoint for visit in case.visits)
        if not folder.is_dir():
            return Work(subject=subject, visits=visits)
        kept = Session(case, reader, Journal(folder), KeptMasks(folder / "masks"), release=lambda: None)
        return Work(
            subject=subject,
            visits=visits,
            signed={t: made.name for t in visits if (made := kept.state.visit(t).signature) is not None},
            begun=bool(kept.log),
            elsewhere=is_open(folder),
            unwritten=not is_written(kept),
        )
    except (MrecistError, OSError) as error:
        return Work(subject=subject, problem=str(error))


class StudyReads:
    """The subjects of a study as one reader's work, and their rooms. ``title`` stands above the list, ``who`` above its names."""

    who = "subject"

    def __init__(self, study: Study, reader: str) -> None:
        self.study = study
        self.reader = reader
        self.title = f"{study.root}\nreader {reader}"

    @property
    def several(self) -> bool:
        """Whether there is more than one subject to choose from."""
        return len(self.study.subjects) > 1

    def works(self) -> tuple[Work, ...]:
        """All subjects with what is done."""
        return worklist(self.study, self.reader)

    def enter(self, subject: str) -> Room:
        """A subject, to be read; raises :class:`ReadError`."""
        return enter(self.study, subject, self.reader)

    def name_of(self, subject: str) -> str:
        """The subject as the list calls it."""
        return subject

    def words(self, text: str) -> str:
        """A message as the reader may see it."""
        return text


def next_work(works: Sequence[Work], after: str = "") -> Work | None:
    """The next subject with a visit to sign that nobody has open: those behind ``after`` first, then from the beginning."""
    names = [one.subject for one in works]
    at = names.index(after) + 1 if after in names else 0
    round_about = [*works[at:], *works[:at]]
    return next((o for o in round_about if o.next_visit is not None and not o.elsewhere and o.subject != after), None)


def is_open(folder: Path) -> bool:
    """Whether a window has the session of a folder."""
    from filelock import FileLock, Timeout

    lock = FileLock(folder / "lock", timeout=0)
    with suppress(OSError):  # a study on a read-only disk: nobody can have opened it
        try:
            lock.acquire()
        except Timeout:
            return True
        lock.release()
    return False
