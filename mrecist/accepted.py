"""Which read of a subject counts, in each track of the review: ``accepted.csv`` held against the reads that there are (docs/files.md)."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from mrecist.errors import InputError
from mrecist.model import Problem
from mrecist.tables.accepted import AcceptedRead, ReviewTrack, read_accepted

FILE = "accepted.csv"
"""Its name in a folder of results."""
TRACK_OF = {"accepted": ReviewTrack.CENTRAL, "investigator": ReviewTrack.INVESTIGATOR}
"""What an endpoint calls the read of a subject that counts in a track."""
NAME_OF = {track: name for name, track in TRACK_OF.items()}

Key = tuple[str, str, str]
"""Subject, reader and criterion of responses."""
_FIRST = 5
"""So many readers are named in a message."""
_INVESTIGATOR_WORDS = ("INVESTIGATOR", "INV")
"""Readers of these names are investigators, also where no row names them (docs/sdtm.md)."""


@dataclass(frozen=True, slots=True)
class Accepted:
    """The rows of ``accepted.csv``; empty where there is none. A criterion that no row of a track names is not decided by it.

    A row that says that a subject is open decides, and names no reader.
    """

    rows: tuple[AcceptedRead, ...] = ()
    _readers: Mapping[tuple[str, str, ReviewTrack], str] = field(init=False, repr=False, compare=False)
    _decided: frozenset[tuple[str, ReviewTrack]] = field(init=False, repr=False, compare=False)
    _investigators: frozenset[str] = field(init=False, repr=False, compare=False)
    _central: frozenset[str] = field(init=False, repr=False, compare=False)
    _open: Mapping[tuple[str, str], AcceptedRead] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        readers = {(row.subject, row.criterion, row.track): row.reader for row in self.rows}
        object.__setattr__(self, "_readers", readers)
        object.__setattr__(self, "_decided", frozenset((row.criterion, row.track) for row in self.rows))
        object.__setattr__(self, "_investigators", self.readers(ReviewTrack.INVESTIGATOR))
        object.__setattr__(self, "_central", self.readers(ReviewTrack.CENTRAL))
        # Of two tracks the first one is named.
        open_rows = [row for row in self.rows[::-1] if row.is_open]
        object.__setattr__(self, "_open", {(row.subject, row.criterion): row for row in open_rows})

    def decides(self, criterion: str, track: ReviewTrack) -> bool:
        """Whether the reads by a criterion count by these rows."""
        return (criterion, track) in self._decided

    def reader(self, subject: str, criterion: str, track: ReviewTrack) -> str:
        """Whose read counts; "" where none does."""
        return self._readers.get((subject, criterion, track), "")

    def track(self, reader: str) -> ReviewTrack:
        """The track that a reader reads in: who is not called investigator and has no accepted read as one, reads centrally."""
        if reader in self._investigators:
            return ReviewTrack.INVESTIGATOR
        called = " ".join(reader.upper().split()) in _INVESTIGATOR_WORDS
        return ReviewTrack.INVESTIGATOR if called and reader not in self._central else ReviewTrack.CENTRAL

    def readers(self, track: ReviewTrack) -> frozenset[str]:
        """Everybody who has an accepted read in a track."""
        return frozenset(row.reader for row in self.rows if row.track is track and not row.is_open)

    def has(self, track: ReviewTrack) -> bool:
        """Whether any row is of a track."""
        return any(row.track is track for row in self.rows)

    def open(self, subject: str, criterion: str) -> AcceptedRead | None:
        """The row that says that no read of a subject counts yet by a criterion, in one track at least."""
        return self._open.get((subject, criterion))


def accepted_in(path: Path, criteria: Collection[str]) -> Accepted:
    """Read a table of accepted reads of responses by ``criteria``.

    Raises :class:`InputError` when it is no such table or has no row, names another criterion, or has one reader in both tracks.
    """
    rows = read_accepted(path)
    if not rows:
        raise InputError(
            f"{path}: has no row, so nobody's read counts; add the accepted reads, or go without the table"
        )
    for row in rows:
        if row.criterion not in criteria:
            raise InputError(
                f"{path}: subject {row.subject}: no response is by criterion {row.criterion}; there are "
                f"{', '.join(sorted(criteria))}: mend the row, or derive that criterion too"
            )
    found = Accepted(rows)
    for reader in sorted(found.readers(ReviewTrack.CENTRAL) & found.readers(ReviewTrack.INVESTIGATOR)):
        where = " and ".join(
            next(f"{track} (subject {row.subject})" for row in rows if (row.reader, row.track) == (reader, track))
            for track in ReviewTrack
        )
        raise InputError(f"{path}: reader {reader} has accepted reads in both tracks: {where}; keep one track")
    return found


def accepted_of_results(folder: Path, criteria: Collection[str]) -> Accepted:
    """That of a folder of results; empty where there is none. Raises :class:`InputError` as :func:`accepted_in` does."""
    path = folder / FILE
    return accepted_in(path, criteria) if path.is_file() else Accepted()


def faults_of(
    accepted: Accepted, derived: Collection[Key], failed: Collection[tuple[str, str]]
) -> dict[tuple[str, str, ReviewTrack], Problem]:
    """(subject, criterion, track) -> why no read of it counts: the accepted one is not there, or none was accepted (it is open).

    Raises :class:`InputError` where the table speaks of other readers than the responses throughout.

    Parameters
    ----------
    derived : the responses that there are.
    failed : subject and reader of the reads that have none for a problem; reader "" is all of that subject.
    """
    if not accepted.rows:
        return {}
    known = {reader for _, reader, _ in derived} | {reader for _, reader in failed}
    # A problem of no reader hides who read; without any response there is nothing to hold the table against.
    if derived and "" not in known:
        check_readers(accepted.rows, known)
    found: dict[tuple[str, str, ReviewTrack], Problem] = {}
    there: dict[str, dict[str, None]] = {}
    for subject, reader, _ in derived:
        there.setdefault(subject, {})[reader] = None
    for row in accepted.rows:
        if row.is_open:
            why = (
                f"subject {row.subject}, {row.criterion}: is open, no {row.track} read of it is accepted: {row.reason}"
            )
            found[row.subject, row.criterion, row.track] = Problem(subject=row.subject, reader="", message=why)
        elif (row.subject, row.reader, row.criterion) not in derived:
            why = _not_there(row, sorted(there.get(row.subject, ())), failed)
            found[row.subject, row.criterion, row.track] = Problem(subject=row.subject, reader=row.reader, message=why)
    for (subject, criterion, track), readers in _read_by(accepted, derived).items():
        if not accepted.reader(subject, criterion, track) and (subject, criterion, track) not in found:
            message = (
                f"subject {subject}, {criterion}: is open, no {track} read of it is accepted (read by "
                f"{', '.join(sorted(readers))}); adjudicate it and add its row to {FILE}"
            )
            found[subject, criterion, track] = Problem(subject=subject, reader="", message=message)
    return dict(sorted(found.items()))


def check_readers(rows: Iterable[AcceptedRead], there: Collection[str]) -> None:
    """Raise :class:`InputError` where the rows accept reads and none of them is of a reader who is ``there``."""
    named = {row.reader for row in rows if not row.is_open}
    if named and named.isdisjoint(there):
        raise InputError(
            f"{FILE}: accepts reads of {_some(named)}, and the responses are of {_some(there)}; give the table of the same reads "
            "(of a store: both with mrecist reads --as-parts, or both without)"
        )


def _some(names: Collection[str]) -> str:
    first = sorted(names)[:_FIRST]
    return ", ".join(first) + (f" and {len(names) - len(first)} more" if len(names) > len(first) else "")


def _read_by(accepted: Accepted, derived: Collection[Key]) -> dict[tuple[str, str, ReviewTrack], list[str]]:
    """(subject, criterion, track) -> who read it, of the criteria that are decided."""
    found: dict[tuple[str, str, ReviewTrack], list[str]] = {}
    for subject, reader, criterion in derived:
        track = accepted.track(reader)
        if accepted.decides(criterion, track):
            found.setdefault((subject, criterion, track), []).append(reader)
    return found


def _not_there(row: AcceptedRead, readers: list[str], failed: Collection[tuple[str, str]]) -> str:
    where = f"subject {row.subject}, {row.criterion}: the {row.track} read of {row.reader} is accepted and"
    if (row.subject, row.reader) in failed or (row.subject, "") in failed:
        return f"{where} has no response for a problem that is told; mend the read or accept another one"
    if not readers:
        return f"{where} nobody's read of that subject is here; mend the row of {FILE}, or add the read"
    return f"{where} has no response; that subject was read by {', '.join(readers)}: mend the row of {FILE}"


def differing(accepted: Accepted, reader: str) -> Iterator[str]:
    """A note for each criterion on the subjects whose accepted central read is not that of ``reader``, whom the protocol names."""
    counts = [row for row in accepted.rows if row.track is ReviewTrack.CENTRAL and not row.is_open]
    central = counts if reader else []
    for criterion in sorted({row.criterion for row in central}):
        whose = [row.reader for row in central if row.criterion == criterion]
        others = sum(one != reader for one in whose)
        if others:
            yield (
                f"{FILE}: by {criterion} {others} of {len(whose)} subjects have an accepted read that is not of "
                f"{reader}, whom [readers] accepted names; {FILE} is followed"
            )
