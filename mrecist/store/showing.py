"""What people may see of a store: a reader's own worklist, blinded; the state of every read; the rows for a derivation."""

from __future__ import annotations

from dataclasses import dataclass

from mrecist.errors import NotSigned
from mrecist.model import Measurement
from mrecist.store.assigning import visits_of
from mrecist.store.signing import Signed, require_signed, signatures
from mrecist.store.store import Reading, Store
from mrecist.store.submitting import lock_of, measurements_of, read_of


@dataclass(frozen=True, slots=True, kw_only=True)
class Due:
    """A case on a reader's worklist. Nothing of arms, dates, other readers or visits to come stands in it.

    Parameters
    ----------
    case : the subject, or its key where the cases were assigned with pseudonyms.
    place : the place in the reader's list, from 1.
    locked : time points that the reader has locked.
    next, next_day : the one time point that may be read now, and its day after the baseline; None when none is left.
    submitted : something was submitted for ``next``, which is not locked yet.
    signed : whether every visit is under a signature that holds.
    """

    case: str
    place: int
    locked: tuple[int, ...]
    next: int | None
    next_day: int | None
    submitted: bool
    signed: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class VisitStatus:
    """How far one reader's read of one visit is; ``state`` is "open", "submitted" or "locked"."""

    timepoint: int
    state: str
    version: int


@dataclass(frozen=True, slots=True, kw_only=True)
class ReadStatus:
    """How far one reader's read of one case is, with its signatures."""

    subject: str
    subject_key: str
    reader: str
    part: str
    visits: tuple[VisitStatus, ...]
    signatures: tuple[Signed, ...]


def worklist(store: Store, reader: str) -> tuple[Due, ...]:
    """The cases of a reader in the reader's order."""
    with store.reading() as read:
        cases = sorted(read.current("assignment", reader=reader), key=lambda row: int(row["place"]))
        return tuple(_due(store, read, row["subject"], row["subject_key"], reader, row["place"]) for row in cases)


def _due(store: Store, read: Reading, subject: str, key: str, reader: str, place: int) -> Due:
    visits = visits_of(read, subject)
    held = {t for t in visits if lock_of(read, subject, reader, t) is not None}
    following = next((t for t in visits if t not in held), None)
    return Due(
        case=key,
        place=place,
        # A visit that was unlocked hides what was locked behind it too.
        locked=tuple(t for t in visits if t in held and (following is None or t < following)),
        next=following,
        next_day=None if following is None else (visits[following] - visits[0]).days,
        submitted=following is not None and read_of(read, subject, reader, following) is not None,
        signed=_is_signed(store, read, subject, reader),
    )


def _is_signed(store: Store, read: Reading, subject: str, reader: str) -> bool:
    try:
        require_signed(store, read, subject, reader)
    except NotSigned:
        return False
    return True


def status(store: Store) -> tuple[ReadStatus, ...]:
    """Every read of every reader: for the people who run the study, not for readers."""
    with store.reading() as read:
        found = []
        for row in sorted(read.current("assignment"), key=lambda one: (one["subject"], one["part"])):
            subject, reader = row["subject"], row["reader"]
            visits = []
            for timepoint in visits_of(read, subject):
                newest = read_of(read, subject, reader, timepoint)
                held = lock_of(read, subject, reader, timepoint)
                state = "locked" if held else "submitted" if newest else "open"
                visits.append(VisitStatus(timepoint=timepoint, state=state, version=newest["version"] if newest else 0))
            found.append(
                ReadStatus(
                    subject=subject,
                    subject_key=row["subject_key"],
                    reader=reader,
                    part=row["part"],
                    visits=tuple(visits),
                    signatures=signatures(store, read, subject, reader),
                )
            )
        return tuple(found)


def rows_to_derive(
    store: Store, reader: str | None = None, *, unsigned: bool = False
) -> tuple[list[Measurement], list[NotSigned]]:
    """Rows of measurements.csv of the reads that are signed, of one reader or all, and why others are not among them.

    ``unsigned`` takes every visit that is locked.
    """
    rows: list[Measurement] = []
    left: list[NotSigned] = []
    with store.reading() as read:
        asked = read.current("assignment") if reader is None else read.current("assignment", reader=reader)
        for case in sorted(asked, key=lambda one: (one["subject"], one["reader"])):
            subject, whose = case["subject"], case["reader"]
            try:
                if not unsigned:
                    require_signed(store, read, subject, whose)
            except NotSigned as error:
                left.append(error)
                continue
            for timepoint in visits_of(read, subject):
                newest = read_of(read, subject, whose, timepoint)
                if newest is not None and lock_of(read, subject, whose, timepoint) is not None:
                    rows += measurements_of(read, newest)
    return rows, left
