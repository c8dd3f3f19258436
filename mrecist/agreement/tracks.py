"""The two tracks of a review as two readers: the reads that count as central, and those that count as the investigator's."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import replace
from pathlib import Path

from mrecist.accepted import check_readers
from mrecist.agreement.reads import Reads, Track
from mrecist.errors import InputError
from mrecist.model import Problem
from mrecist.tables.accepted import AcceptedRead, ReviewTrack, read_accepted

CENTRAL, INVESTIGATOR = str(ReviewTrack.CENTRAL), str(ReviewTrack.INVESTIGATOR)
FILE = "accepted.csv"


def by_accepted(reads: Reads, path: Path) -> Reads:
    """Readers ``central`` and ``investigator``, by subject and criterion as ``accepted.csv`` says.

    A read that is accepted and not there, and one that is accepted in both tracks, become problems of the subject. Raises
    :class:`InputError` when the file cannot be read, has no read of one of the tracks, or none of its reads is there.
    """
    accepted = [row for row in read_accepted(path) if row.criterion in reads.settings and not row.is_open]
    for track in ReviewTrack:
        if not any(row.track is track for row in accepted):
            known = ", ".join(reads.settings)
            raise InputError(f"{path}: has no read of track {track} by {known}; two tracks are compared")
    check_readers(accepted, reads.readers)
    twice = _in_both(accepted)
    tracks = {}
    for row in accepted:
        found = reads.tracks.get((row.subject, row.reader, row.criterion))
        if found is not None and (row.subject, row.reader, row.criterion) not in twice:
            tracks[row.subject, str(row.track), row.criterion] = _named(found, str(row.track), row.reader)
    problems = [
        *_told(path, twice, "is accepted in both tracks"),
        *_told(path, _not_there(reads, accepted), "is not there"),
    ]
    left = sorted(set(reads.subjects) - {row.subject for row in accepted})
    named = ", ".join(left[:5]) + (f" and {len(left) - 5} more" if len(left) > 5 else "")
    of = f"{len(left)} of {len(reads.subjects)} subjects"
    told = [f"{path.name}: accepts no read of {of}, not compared: {named}"] if left else []
    return replace(
        reads,
        tracks=dict(sorted(tracks.items())),
        problems=(*reads.problems, *problems),
        notes=(*reads.notes, *told),
    )


def by_names(reads: Reads, central: str, investigator: str) -> Reads:
    """Readers ``central`` and ``investigator`` from two readers by name.

    Raises :class:`InputError` for a reader who has no read, and for one who is both.
    """
    if central == investigator:
        raise InputError(f"agree: reader '{central}' is named as --central and as --investigator; they are two readers")
    names = {central: CENTRAL, investigator: INVESTIGATOR}
    for name in names:
        if name not in reads.readers:
            raise InputError(f"agree: there is no read of reader '{name}'; readers are: {', '.join(reads.readers)}")
    tracks = {
        (subject, names[reader], criterion): _named(track, names[reader], reader)
        for (subject, reader, criterion), track in reads.tracks.items()
        if reader in names
    }
    return replace(reads, tracks=dict(sorted(tracks.items())))


def has_both(path: Path) -> bool:
    """Whether a file of accepted reads has both tracks; False without the file."""
    return path.is_file() and {row.track for row in read_accepted(path) if not row.is_open} == set(ReviewTrack)


_Keys = list[tuple[str, str, str]]
"""Subject, reader, criterion."""


def _in_both(accepted: Iterable[AcceptedRead]) -> _Keys:
    counts = Counter((row.subject, row.reader, row.criterion) for row in accepted)
    return [key for key, count in counts.items() if count > 1]


def _not_there(reads: Reads, accepted: Iterable[AcceptedRead]) -> _Keys:
    """Accepted reads that there are none of, without those whose problem is told already."""
    known = {(problem.subject, problem.reader) for problem in reads.problems}
    keys = [(row.subject, row.reader, row.criterion) for row in accepted]
    return [key for key in dict.fromkeys(keys) if key not in reads.tracks and key[:2] not in known]


def _told(path: Path, keys: _Keys, what: str) -> Iterator[Problem]:
    """One problem a read, with its criteria."""
    criteria: dict[tuple[str, str], list[str]] = {}
    for subject, reader, criterion in keys:
        criteria.setdefault((subject, reader), []).append(criterion)
    for (subject, reader), names in criteria.items():
        message = f"{path.name}: the read by {', '.join(names)} {what}; it is not compared"
        yield Problem(subject=subject, reader=reader, message=message)


def _named(track: Track, name: str, read_by: str) -> Track:
    """The read under the name of its track; who read it is kept."""
    return replace(
        track,
        visits={timepoint: replace(visit, reader=name) for timepoint, visit in track.visits.items()},
        best=None if track.best is None else replace(track.best, reader=name),
        rows=tuple(replace(row, reader=name) for row in track.rows),
        read_by=read_by,
    )
