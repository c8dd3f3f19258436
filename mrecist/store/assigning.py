"""Cases to readers by a randomisation that anyone can repeat.

Everything is ordered by ``SHA-256(seed "\\n" purpose "\\n" name)``: cases, the readers of a case among those with the fewest
cases so far, each reader's reading order. The seed stands in every assignment, so the list can be made again by hand.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from itertools import pairwise

from mrecist.errors import StoreError
from mrecist.store.people import holders, require
from mrecist.store.store import Reading, Store, Writing
from mrecist.store.trail import Row, sha256


@dataclass(frozen=True, slots=True, kw_only=True)
class Assigned:
    """A case and its reader: ``part`` is "reader 1" or "reader 2", ``place`` the place in the reader's list from 1."""

    subject: str
    reader: str
    part: str
    place: int


def drawn(seed: str, purpose: str, name: str) -> str:
    """The number, in hexadecimal, by which a name is placed."""
    return sha256(f"{seed}\n{purpose}\n{name}")


def randomise(
    subjects: Iterable[str],
    readers: Sequence[str],
    seed: str,
    readers_per_case: int = 2,
    loads: Mapping[str, int] | None = None,
) -> tuple[Assigned, ...]:
    """Readers for each subject: the numbers of cases differ by one at most; the reading order is each reader's own.

    ``loads`` are the cases that readers have already; new ones come behind them. Raises :class:`StoreError` with too few
    readers.
    """
    if len(set(readers)) < readers_per_case:
        raise StoreError(f"{readers_per_case} readers a case are asked for and there are {len(set(readers))}")
    had = Counter(loads or {})
    load = Counter(had)
    parts: dict[str, list[tuple[str, str]]] = {reader: [] for reader in readers}
    for subject in sorted(set(subjects), key=lambda name: drawn(seed, "case", name)):
        by_load = sorted(parts, key=lambda name: (load[name], drawn(seed, "reader", f"{subject}\n{name}")))
        chosen = sorted(by_load[:readers_per_case], key=lambda name: drawn(seed, "part", f"{subject}\n{name}"))
        for number, reader in enumerate(chosen, 1):
            load[reader] += 1
            parts[reader].append((subject, f"reader {number}"))
    found = []
    for reader, cases in parts.items():
        shuffled = sorted(cases, key=lambda case: drawn(seed, "order", f"{reader}\n{case[0]}"))
        for place, (subject, part) in enumerate(shuffled, had[reader] + 1):
            found.append(Assigned(subject=subject, reader=reader, part=part, place=place))
    return tuple(found)


def assign(
    store: Store,
    visits: Mapping[str, Mapping[int, date]],
    seed: str,
    by: str,
    *,
    pseudonyms: bool = False,
    per_case: int = 2,
) -> tuple[Row, ...]:
    """Write the visits of subjects, and readers for the subjects that have none; the assignments that were made.

    Raises :class:`StoreError` where a visit has another date than the store says, or a subject has no baseline.
    """
    with store.writing(by) as write:
        require(write, by, "manager")
        for subject, days in sorted(visits.items()):
            _add_visits(write, subject, days)
        known = write.current("assignment")
        keys = {row["subject"]: row["subject_key"] for row in known}
        new = [subject for subject in visits if subject not in keys]
        for number, subject in enumerate(sorted(new, key=lambda name: drawn(seed, "key", name)), len(keys) + 1):
            keys[subject] = f"CASE-{number:04d}" if pseudonyms else subject
        loads = Counter(row["reader"] for row in known)
        made = randomise(new, holders(write, "reader"), seed, per_case, loads) if new else ()
        return tuple(
            write.add(
                "assignment",
                "case assigned",
                subject=one.subject,
                subject_key=keys[one.subject],
                reader=one.reader,
                part=one.part,
                place=one.place,
                seed=seed,
            )
            for one in made
        )


def _add_visits(write: Writing, subject: str, days: Mapping[int, date]) -> None:
    known = visits_of(write, subject)
    if 0 not in {**known, **days}:
        raise StoreError(f"{subject} has no visit of time point 0; the baseline comes first")
    ordered = sorted({**known, **days}.items())
    for (earlier, before), (later, after) in pairwise(ordered):
        if after <= before:
            raise StoreError(f"{subject}: time point {later} is of {after} and time point {earlier} of {before}")
    for timepoint, day in sorted(days.items()):
        if timepoint not in known:
            write.add("visit", "visit added", subject=subject, timepoint=timepoint, date=day.isoformat())
        elif known[timepoint] != day:
            raise StoreError(
                f"{subject} time point {timepoint} is of {known[timepoint]} in the store and of {day} here"
            )


def visits_of(read: Reading, subject: str) -> dict[int, date]:
    """Time point -> date of the visits of a subject, in order."""
    rows = read.current("visit", subject=subject)
    return dict(sorted((row["timepoint"], date.fromisoformat(row["date"])) for row in rows))


def own_case(read: Reading, subject: str, reader: str) -> Row:
    """As :func:`assignment_of`, for a reader at work: the role must not have been withdrawn."""
    case = assignment_of(read, subject, reader)
    if reader not in (*holders(read, "reader"), *holders(read, "adjudicator")):
        raise StoreError(f"{reader} is no reader of this store any more; a manager may grant the role again")
    return case


def assignment_of(read: Reading, subject: str, reader: str) -> Row:
    """The assignment of a case, by the subject or its key, to a reader; raises :class:`StoreError` when there is none."""
    for row in read.current("assignment", reader=reader):
        if subject in (row["subject"], row["subject_key"]):
            return row
    raise StoreError(f"{subject} is not assigned to {reader}; a reader reads the cases of the own worklist")
