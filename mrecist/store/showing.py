"""What people may see of a store: a reader's own worklist, blinded; the state of every read; the rows for a derivation."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from mrecist.errors import NotSigned
from mrecist.model import Measurement
from mrecist.store.adjudicating import Picked, picks
from mrecist.store.assigning import ADJUDICATOR, assignments, visits_of
from mrecist.store.signing import Signed, require_signed, signatures
from mrecist.store.store import Reading, Store
from mrecist.store.submitting import lock_of, measurements_of, read_of
from mrecist.store.trail import Row


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
    adjudicates : the case is on the list to be adjudicated; reading it anew is one way to.
    picked : criterion -> the read that the adjudicator picked by it, where the pick still holds.
    """

    case: str
    place: int
    locked: tuple[int, ...]
    next: int | None
    next_day: int | None
    submitted: bool
    signed: bool
    adjudicates: bool = False
    picked: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class VisitStatus:
    """How far one reader's read of one visit is; ``state`` is "open", "submitted" or "locked"."""

    timepoint: int
    state: str
    version: int


@dataclass(frozen=True, slots=True, kw_only=True)
class ReadStatus:
    """How far one reader's read of one case is, with its signatures; ``picks`` are those of an adjudicator's case."""

    subject: str
    subject_key: str
    reader: str
    part: str
    visits: tuple[VisitStatus, ...]
    signatures: tuple[Signed, ...]
    picks: tuple[Picked, ...] = ()


def worklist(store: Store, reader: str) -> tuple[Due, ...]:
    """The cases of a reader in the reader's order."""
    with store.reading() as read:
        cases = sorted(assignments(read, reader=reader), key=lambda row: int(row["place"]))
        return tuple(_due(store, read, row) for row in cases)


def _due(store: Store, read: Reading, case: Row) -> Due:
    subject, reader = case["subject"], case["reader"]
    adjudicates = case["part"] == ADJUDICATOR
    visits = visits_of(read, subject)
    held = {t for t in visits if lock_of(read, subject, reader, t) is not None}
    following = next((t for t in visits if t not in held), None)
    return Due(
        case=case["subject_key"],
        place=case["place"],
        # A visit that was unlocked hides what was locked behind it too.
        locked=tuple(t for t in visits if t in held and (following is None or t < following)),
        next=following,
        next_day=None if following is None else (visits[following] - visits[0]).days,
        submitted=following is not None and read_of(read, subject, reader, following) is not None,
        signed=_is_signed(store, read, subject, reader),
        adjudicates=adjudicates,
        picked={one.criterion: one.read for one in picks(read, subject) if not one.stale} if adjudicates else {},
    )


def _is_signed(store: Store, read: Reading, subject: str, reader: str) -> bool:
    try:
        require_signed(store, read, subject, reader)
    except NotSigned:
        return False
    return True


def status(store: Store) -> tuple[ReadStatus, ...]:
    """Every read of every reader: for the people who run the study, not for readers."""
    with store.loaded() as read:
        found = []
        for row in sorted(assignments(read), key=lambda one: (one["subject"], one["part"])):
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
                    picks=picks(read, subject) if row["part"] == ADJUDICATOR else (),
                )
            )
        return tuple(found)


def rows_to_derive(
    store: Store, reader: str | None = None, *, unsigned: bool = False, as_parts: bool = False
) -> tuple[list[Measurement], list[NotSigned]]:
    """Rows of measurements.csv of the reads that are signed, of one reader or all, and why others are not among them.

    ``unsigned`` takes every visit that is locked. An adjudicator who did not begin to read a case anew owes no read of it.
    ``as_parts``: ``reader`` of the rows is the part in the case ("reader 1", "adjudicator", ...) of who has it now; nobody who had it
    before has rows.
    """
    whose = {} if reader is None else {"reader": reader}
    with store.loaded() as read:
        rows, left = signed_rows(store, read, whose, unsigned=unsigned)
        if as_parts:
            parts = {(row["subject"], row["reader"]): row["part"] for row in assignments(read, **whose)}
            rows = [replace(row, reader=parts[row.subject, row.reader]) for row in rows]
        return rows, [*left.values()]


def signed_rows(
    store: Store, read: Reading, whose: Mapping[str, str], *, unsigned: bool = False
) -> tuple[list[Measurement], dict[tuple[str, str], NotSigned]]:
    """As :func:`rows_to_derive`, of the assignments whose columns are ``whose``; what is left out by subject and reader."""
    rows: list[Measurement] = []
    left: dict[tuple[str, str], NotSigned] = {}
    for case in sorted(assignments(read, **whose), key=lambda one: (one["subject"], one["reader"])):
        subject, reader = case["subject"], case["reader"]
        if case["part"] == ADJUDICATOR and not read.rows("read", subject=subject, reader=reader):
            continue
        try:
            if not unsigned:
                require_signed(store, read, subject, reader)
        except NotSigned as error:
            left[subject, reader] = error
            continue
        for timepoint in visits_of(read, subject):
            newest = read_of(read, subject, reader, timepoint)
            if newest is not None and lock_of(read, subject, reader, timepoint) is not None:
                rows += measurements_of(read, newest)
    return rows, left
