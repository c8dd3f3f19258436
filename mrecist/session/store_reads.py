"""The reading room on a core lab's store: a reader's own worklist, one visit after the other, signed visits into the store.

::

    reads = StoreReads(study, "postgresql://Adams@host/trial", "Adams", Path("files"))
    reads.works(); room = reads.enter("CASE-0001")

The case of a room holds the visits that are locked and the one to be read, and no later one. What is signed stays in the session
until the store has it: :meth:`StoreVisits.write` goes on where the last attempt stopped.
"""

from __future__ import annotations

import hashlib
import json
import tomllib
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

from mrecist.errors import MrecistError, ReadError
from mrecist.model import Measurement
from mrecist.plain import to_plain
from mrecist.protocol import Protocol, parse_protocol
from mrecist.session.blinding import BASELINE, Blinding, Unsaid, years_of
from mrecist.session.case import open_case
from mrecist.session.journal import Journal
from mrecist.session.kept_masks import KeptMasks
from mrecist.session.room import Room
from mrecist.session.rows import Rows
from mrecist.session.session import Session
from mrecist.session.signed import StudyFiles, visit_files
from mrecist.session.worklist import Work, is_open
from mrecist.store.assigning import own_case
from mrecist.store.locking import lock
from mrecist.store.showing import worklist
from mrecist.store.signing import sign, signatures
from mrecist.store.store import Reading, Store, open_store
from mrecist.store.submitting import Submission, amend, measurements_of, read_of, submit
from mrecist.store.visits import Span, spans_of
from mrecist.study import Study
from mrecist.tables import measurement_cells, safe_name, write_whole

if TYPE_CHECKING:
    from mrecist.store.showing import Due
    from mrecist.store.trail import Row

_KEPT = "reads/.store"
_SENT = "sent.json"
_AGAIN = "read again in the reading room"


@dataclass(frozen=True, slots=True, kw_only=True)
class StoreCase:
    """What the store says of a case. ``visits`` are all of it, which a reader is not told.

    ``reads`` are the newest versions by time point, ``locks`` the newest words on locks, ``open`` the first visit without a lock.
    """

    key: str
    subject: str
    visits: Mapping[int, Span]
    reads: Mapping[int, Row]
    locks: Mapping[int, Row]

    @property
    def open(self) -> int | None:
        """The visit to be read; None when all are locked."""
        return next((t for t in self.visits if not self.is_locked(t)), None)

    @property
    def visible(self) -> tuple[int, ...]:
        """The visits before the one to be read, and it."""
        last = self.open
        return tuple(t for t in self.visits if last is None or t <= last)

    def is_locked(self, timepoint: int) -> bool:
        """Whether a lock holds."""
        return timepoint in self.locks and self.locks[timepoint]["state"] == "locked"


def case_of(read: Reading, name: str, reader: str) -> StoreCase:
    """The case of a reader by the name on the worklist; raises :class:`StoreError` for one that is not the reader's own."""
    assigned = own_case(read, name, reader)
    subject = assigned["subject"]
    visits = spans_of(read, subject)
    newest = {t: read_of(read, subject, reader, t) for t in visits}
    locks = {t: read.current("lock", subject=subject, reader=reader, timepoint=t) for t in visits}
    return StoreCase(
        key=assigned["subject_key"],
        subject=subject,
        visits=visits,
        reads={t: row for t, row in newest.items() if row is not None},
        locks={t: rows[0] for t, rows in locks.items() if rows},
    )


class StoreVisits(StudyFiles):
    """Where the signed visits of a blinded room go: the store."""

    behind = "not in the store"
    again = "Send to the store again"
    reopening = "Amend {visit}"

    def __init__(self, reads: StoreReads, case: StoreCase, blinding: Blinding, folder: Path) -> None:
        super().__init__(reads.study.root, reads.reader, case.key)
        self.folder = folder
        self.case = case
        self.until = case.visible[-1]
        self._reads = reads
        self._blinding = blinding
        kept = folder / _SENT
        self.sent: dict[str, dict[str, Any]] = json.loads(kept.read_text(encoding="utf-8")) if kept.exists() else {}

    # --- what there is ---------------------------------------------------------------------------------------------

    def is_written(self, session: Session) -> bool:
        """Whether every visit that is signed is locked and signed in the store."""
        return not self._unsent(session)

    def why_closed(self, timepoint: int) -> str:
        """A locked visit is opened again in the global review alone, which comes after all visits."""
        if not self.case.is_locked(timepoint) or self.case.open is None:
            return ""
        return f"time point {timepoint} is locked; it can be amended once all visits are locked (global review)"

    def words(self, text: str) -> str:
        """A message without dates, names, paths and UIDs."""
        return self._blinding.words(text)

    def waits(self, trouble: str) -> str:
        """What is signed and not in the store yet."""
        return f"NOT IN THE STORE  {trouble}; it is kept here (F8 sends it again)" if trouble else ""

    def anchor(self, timepoint: int) -> str:
        """The anchor of the audit trail behind the signature of a visit; empty when it is not known."""
        return str(self.sent.get(str(timepoint), {}).get("anchor", ""))

    @property
    def has_more(self) -> bool:
        """The visit that was read last is locked, and another one is to be read."""
        return self.case.visible[-1] != self.until

    def _unsent(self, session: Session) -> list[int]:
        signed = [timepoint for timepoint, visit in sorted(session.state.visits.items()) if visit.signature]
        return [one for one in signed if self.sent.get(str(one), {}).get("signature") != _signature(session, one)]

    # --- sending ---------------------------------------------------------------------------------------------------

    def write(self, session: Session, rows: Rows) -> tuple[Path, ...]:
        """Every signed visit that the store does not have: its rows and files, then the lock, then the signature.

        Raises :class:`StoreError` where the store cannot be reached or refuses; what it has by then is not sent twice.
        """
        for timepoint in self._unsent(session):
            with self._reads.opened() as store:
                self._send(store, session, rows, timepoint)
        return ()

    def _send(self, store: Store, session: Session, rows: Rows, timepoint: int) -> None:
        reader, key = session.reader, self.case.key
        signature = session.state.visit(timepoint).signature
        assert signature is not None
        with TemporaryDirectory(dir=self.folder) as folder:
            files = visit_files(session, rows, timepoint)
            for name, data in files.items():
                (Path(folder) / name).write_bytes(data)
            given = Submission(
                subject=key,
                reader=reader,
                timepoint=timepoint,
                rows=self.rows_of(session, rows, timepoint),
                files=[Path(folder) / name for name in files],
                source=f"reading room, signed by {signature.name} at {signature.at}: {signature.meaning}",
                comment=session.state.visit(timepoint).comment,
            )
            with store.reading() as read:
                now = case_of(read, key, reader)
                there = timepoint in now.reads and is_same(read, now.reads[timepoint], given, files)
                held = _signature_that_holds(store, read, now.subject, reader, timepoint, signature.name)
            reason = _reason(session, timepoint)
            if not there and now.is_locked(timepoint):
                if not reason:
                    raise _another_read(key, timepoint)
                amend(store, given, reason)
            elif not there:
                submit(store, given, (reason or _AGAIN) if timepoint in now.reads else "")
        if not now.is_locked(timepoint):
            lock(store, key, reader, timepoint)
        anchor = ""  # of a signature that was made before, and whose answer was lost
        if not (there and held):
            anchor = str(sign(store, key, reader, signature.name, signature.meaning, timepoint).anchor)
        with store.reading() as read:
            self.case = case_of(read, key, reader)
        row = self.case.reads[timepoint]
        self.sent[str(timepoint)] = {"signature": _signature(session, timepoint), "read": row["id"], "anchor": anchor}
        write_whole(self.folder / _SENT, json.dumps(self.sent, indent=1))

    def rows_of(self, session: Session, rows: Rows, timepoint: int) -> list[Measurement]:
        """The rows of a visit as ``mrecist score`` gives them, with their dates."""
        found = rows.of(session.state, session.case)
        return [self._blinding.dated(row) for row in found if row.timepoint == timepoint]

    # --- what happened in the store meanwhile ------------------------------------------------------------------------

    def check(self, session: Session) -> None:
        """Raise :class:`ReadError` where a locked visit of the store is not the one that is kept here."""
        for timepoint in self.case.visible:
            if not self.case.is_locked(timepoint) or timepoint in self._unsent(session):
                continue
            if self.sent.get(str(timepoint), {}).get("read") != self.case.reads[timepoint]["id"]:
                raise _another_read(self.case.key, timepoint)


def _another_read(case: str, timepoint: int) -> ReadError:
    return ReadError(
        f"{case}: time point {timepoint} is locked in the store with a read that is not kept in this study folder; go on "
        "where it was read, or with: mrecist reads"
    )


def is_same(read: Reading, row: Row, given: Submission, files: Mapping[str, bytes]) -> bool:
    """Whether a read of the store has these rows and files."""
    whose = {"subject": row["subject"], "reader": row["reader"]}
    mine = [measurement_cells(replace(one, **whose)) for one in given.rows]
    theirs = [measurement_cells(one) for one in measurements_of(read, row)]
    kept = {one["name"]: one["sha256"] for one in read.rows("mask", read_id=row["id"])}
    return mine == theirs and kept == {name: hashlib.sha256(data).hexdigest() for name, data in files.items()}


def _signature_that_holds(store: Store, read: Reading, subject: str, reader: str, timepoint: int, name: str) -> bool:
    return any(
        one.row.get("timepoint") == timepoint and one.row["name"] == name and not one.changed
        for one in signatures(store, read, subject, reader)
    )


def _signature(session: Session, timepoint: int) -> dict[str, object]:
    """The signature of a visit, and how often the visit was signed: two within one second have the same time."""
    times = sum(one.do == "Sign" and one.given["timepoint"] == timepoint for one in session.log)
    return {"made": to_plain(session.state.visit(timepoint).signature), "times": times}


def _reason(session: Session, timepoint: int) -> str:
    """Why the visit was opened again last."""
    opened = (one.given for one in reversed(session.log) if one.do == "Reopen")
    return next((str(given["reason"]) for given in opened if given["timepoint"] == timepoint), "")


class StoreReads:
    """The worklist of one reader of a store, and the rooms of its cases.

    Parameters
    ----------
    study : the opened study with the images, by its absolute path; the protocol is that of the store.
    where : the store: a study folder, an SQLite file, or the URL of a server.
    files : folder of the kept files of a server.

    Raises :class:`StoreError` when the store cannot be opened, or the reader has no case in it.
    """

    who = "case"

    def __init__(self, study: Study, where: str, reader: str, files: Path | None = None) -> None:
        self._where, self._files = where, files
        self.reader = reader
        with self.opened() as store:
            with store.reading() as read:
                self._id = str(read.rows("protocol")[0]["id"])[:8]
                text = read.protocol()["text"]
            names = {
                store.place.name: "the store",
                **({str(store.place.path): "the store"} if store.place.path else {}),
            }
            due = worklist(store, reader)
        if not due:
            raise ReadError(f"no case of the store is assigned to {reader}; name yourself with --reader")
        self.study = replace(study, protocol=_protocol(text))
        self._names = names
        hidden = {**{one.subject: "a case" for one in study.subjects}, **names}
        self.words = Unsaid(study.root, hidden, years=years_of(study)).words
        self.title = f"the store's worklist\nreader {reader}"

    @property
    def several(self) -> bool:
        """Whether there is a list to choose from: always, as cases may be assigned later."""
        return True

    @contextmanager
    def opened(self) -> Iterator[Store]:
        """The store, for a moment."""
        with open_store(self._where, self._files) as store:
            yield store

    def works(self) -> tuple[Work, ...]:
        """The reader's cases in the reader's order; raises :class:`StoreError` when the store cannot be reached."""
        with self.opened() as store:
            found = worklist(store, self.reader)
            with store.reading() as read:
                cases = {due.case: case_of(read, due.case, self.reader) for due in found}
        return tuple(self._work(due, cases[due.case]) for due in found)

    def name_of(self, case: str) -> str:
        """The case as the worklist calls it."""
        with self.opened() as store, store.reading() as read:
            return case_of(read, case, self.reader).key

    def enter(self, case: str) -> Room:
        """A case, to be read: what was signed and not sent goes to the store first.

        Raises :class:`ReadError` or :class:`StoreError` where it cannot be read.
        """
        try:
            room = self._enter(case)
            room.catch_up()
            if room.keeping.has_more:
                room.close()
                room = self._enter(case)
        except (MrecistError, OSError) as error:
            raise ReadError(self.words(str(error))) from None
        return room

    def _enter(self, name: str) -> Room:
        with self.opened() as store, store.reading() as read:
            case = case_of(read, name, self.reader)
        blinding = self._blinding(case)
        keeping = StoreVisits(self, case, blinding, self._folder(case))
        room = Room(blinding.study(case.visible), case.key, self.reader, keeping=keeping)
        try:
            _check_dates(room, case)
            _take_unlocked(room, case, keeping)
            keeping.check(room.session)
        except BaseException:
            room.close()
            raise
        room.look_at(room.first_open)
        return room

    def _blinding(self, case: StoreCase) -> Blinding:
        given = next((one for one in self.study.subjects if one.subject == case.subject), None)
        if given is None:
            raise ReadError(f"{case.key}: the study folder has no images of this case")
        return Blinding(self.study, given, case.key, case.visits[min(case.visits)].first, self._names)

    def _folder(self, case: StoreCase) -> Path:
        return self.study.root / _KEPT / f"{self._id}_{safe_name(self.reader)}_{safe_name(case.key)}"

    def _work(self, due: Due, case: StoreCase) -> Work:
        visible = (*due.locked, *(() if due.next is None else (due.next,)))
        work = Work(
            subject=due.case,
            visits=visible,
            signed=dict.fromkeys(due.locked, self.reader),
            begun=bool(due.locked) or due.submitted,
            day=due.next_day,
            last_day=due.next_last_day,
            to_sign=due.next is None and not due.signed,
        )
        folder = self._folder(case)
        try:
            blinding = self._blinding(case)
            read = open_case(blinding.study(visible), case.key)
            if not folder.is_dir():
                return work
            kept = Session(read, self.reader, Journal(folder), KeptMasks(folder / "masks"), release=lambda: None)
            kept.until = visible[-1]
            keeping = StoreVisits(self, case, blinding, folder)
            amending = tuple(t for t in due.locked if kept.log and kept.state.visit(t).signature is None)
            return replace(
                work,
                begun=work.begun or bool(kept.log),
                elsewhere=is_open(folder),
                unwritten=not keeping.is_written(kept),
                amending=amending,
            )
        except (MrecistError, OSError) as error:
            return replace(work, problem=self.words(str(error)))


def _protocol(text: str) -> Protocol:
    return replace(parse_protocol(tomllib.loads(text), where="the protocol of the store"), text=text)


def _take_unlocked(room: Room, case: StoreCase, keeping: StoreVisits) -> None:
    """A visit that a manager unlocked in the store is opened again here, for the reason that stands there."""
    for timepoint in case.visible:
        row = case.locks.get(timepoint)
        known = keeping.sent.get(str(timepoint), {}).get("read") == case.reads.get(timepoint, {}).get("id")
        signed = room.state.visit(timepoint).signature is not None
        if row is not None and row["state"] == "unlocked" and known and signed:
            room.look_at(timepoint)
            room.reopen(row["who"], f"unlocked: {row['reason']}", write=False)


def _check_dates(room: Room, case: StoreCase) -> None:
    there = {visit.timepoint: visit for visit in room.case.visits}
    baseline = case.visits[min(case.visits)].first
    for timepoint in case.visible:
        if timepoint not in there:
            raise ReadError(f"{case.key}: the study folder has no images of time point {timepoint}")
        visit = case.visits[timepoint]
        first, last = (baseline + (day - BASELINE) for day in (there[timepoint].date, there[timepoint].last_date))
        images = Span(first, last)
        if images.first not in visit or images.last not in visit:
            raise ReadError(
                f"{case.key}: the images of time point {timepoint} are of day {images.days(baseline)} and the visit is of day "
                f"{visit.days(baseline)} in the store; a manager must put one of them right"
            )
