"""Which read of a subject counts, in each track of the review: ``accepted.csv`` held against the reads that there are (docs/files.md)."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
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


@dataclass(frozen=True, slots=True)
class Accepted:
    """The rows of ``accepted.csv``; empty where there is none. A criterion that no row of a track names is not decided by it."""

    rows: tuple[AcceptedRead, ...] = ()
    _readers: Mapping[tuple[str, str, ReviewTrack], str] = field(init=False, repr=False, compare=False)
    _decided: frozenset[tuple[str, ReviewTrack]] = field(init=False, repr=False, compare=False)
    _investigators: frozenset[str] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        readers = {(row.subject, row.criterion, row.track): row.reader for row in self.rows}
        object.__setattr__(self, "_readers", readers)
        object.__setattr__(self, "_decided", frozenset((row.criterion, row.track) for row in self.rows))
        object.__setattr__(self, "_investigators", self.readers(ReviewTrack.INVESTIGATOR))

    def decides(self, criterion: str, track: ReviewTrack) -> bool:
        """Whether the reads by a criterion count by these rows."""
        return (criterion, track) in self._decided

    def reader(self, subject: str, criterion: str, track: ReviewTrack) -> str:
        """Whose read counts; "" where none does."""
        return self._readers.get((subject, criterion, track), "")

    def track(self, reader: str) -> ReviewTrack:
        """The track that a reader reads in: who has no accepted read as an investigator reads centrally."""
        return ReviewTrack.INVESTIGATOR if reader in self._investigators else ReviewTrack.CENTRAL

    def readers(self, track: ReviewTrack) -> frozenset[str]:
        """Everybody who has an accepted read in a track."""
        return frozenset(row.reader for row in self.rows if row.track is track)


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

    Parameters
    ----------
    derived : the responses that there are.
    failed : subject and reader of the reads that have none for a problem; reader "" is all of that subject.
    """
    if not accepted.rows:
        return {}
    found: dict[tuple[str, str, ReviewTrack], Problem] = {}
    there: dict[str, dict[str, None]] = {}
    for subject, reader, _ in derived:
        there.setdefault(subject, {})[reader] = None
    for row in accepted.rows:
        if (row.subject, row.reader, row.criterion) not in derived:
            why = _not_there(row, sorted(there.get(row.subject, ())), failed)
            found[row.subject, row.criterion, row.track] = Problem(subject=row.subject, reader=row.reader, message=why)
    for (subject, criterion, track), readers in _read_by(accepted, derived).items():
        if not accepted.reader(subject, criterion, track):
            message = (
                f"subject {subject}, {criterion}: is open, no {track} read of it is accepted (read by "
                f"{', '.join(sorted(readers))}); adjudicate it and add its row to {FILE}"
            )
            found[subject, criterion, track] = Problem(subject=subject, reader="", message=message)
    return dict(sorted(found.items()))


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
    central = [row for row in accepted.rows if row.track is ReviewTrack.CENTRAL] if reader else []
    for criterion in sorted({row.criterion for row in central}):
        whose = [row.reader for row in central if row.criterion == criterion]
        others = sum(one != reader for one in whose)
        if others:
            yield (
                f"{FILE}: by {criterion} {others} of {len(whose)} subjects have an accepted read that is not of "
                f"{reader}, whom [readers] accepted names; {FILE} is followed"
            )
