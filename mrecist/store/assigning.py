"""Cases to readers by a randomisation that anyone can repeat.

Everything is ordered by ``SHA-256(seed "\\n" purpose "\\n" name)``: cases, the readers of a case among those with the fewest
cases so far, each reader's reading order. The seed stands in every assignment, so the list can be made again by hand.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from itertools import pairwise

from mrecist.errors import StoreError
from mrecist.store.people import holders, needed, require
from mrecist.store.store import Reading, Store, Writing
from mrecist.store.trail import Row, sha256

ADJUDICATOR, INVESTIGATOR, WITHDRAWN = "adjudicator", "investigator", "withdrawn"
"""Parts in a case beside "reader 1", "reader 2". ``WITHDRAWN``: the case went to somebody else."""


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
    places: Mapping[str, int] | None = None,
) -> tuple[Assigned, ...]:
    """Readers for each subject: the numbers of cases differ by one at most; the reading order is each reader's own.

    ``loads`` are the numbers of cases that readers have already, ``places`` the last places in their lists; new cases come behind.
    Raises :class:`StoreError` with too few readers.
    """
    if len(set(readers)) < readers_per_case:
        raise StoreError(f"{readers_per_case} readers a case are asked for and there are {len(set(readers))}")
    load, last = Counter(loads or {}), Counter(places or {})
    parts: dict[str, list[tuple[str, str]]] = {reader: [] for reader in readers}
    for subject in sorted(set(subjects), key=lambda name: drawn(seed, "case", name)):
        by_load = sorted(parts, key=lambda name: (load[name], drawn(seed, "reader", f"{subject}\n{name}")))
        chosen = sorted(by_load[:readers_per_case], key=lambda name: drawn(seed, "part", f"{subject}\n{name}"))
        for number, reader in enumerate(chosen, 1):
            load[reader] += 1
            parts[reader].append((subject, f"reader {number}"))
    return tuple(one for reader, cases in parts.items() for one in in_order(reader, cases, seed, last[reader]))


def in_order(reader: str, cases: Iterable[tuple[str, str]], seed: str, last: int) -> Iterator[Assigned]:
    """Cases (subject, part) in a reader's own order, behind the place ``last`` of the list."""
    shuffled = sorted(cases, key=lambda case: drawn(seed, "order", f"{reader}\n{case[0]}"))
    for place, (subject, part) in enumerate(shuffled, last + 1):
        yield Assigned(subject=subject, reader=reader, part=part, place=place)


def assign(
    store: Store,
    visits: Mapping[str, Mapping[int, date]],
    seed: str,
    by: str,
    *,
    pseudonyms: bool = False,
    per_case: int = 2,
    investigators: Mapping[str, str] | None = None,
) -> tuple[Row, ...]:
    """Write the visits of subjects, readers for the subjects that have none, and investigators (subject -> person) as they are named.

    Returns the assignments that were made. Raises :class:`StoreError` where a visit has another date than the store says, a subject has
    no baseline, an investigator has another part in the case, or a new case would have no pseudonym and the others have one.
    """
    with store.writing(by) as write:
        require(write, by, "manager")
        for subject, days in sorted(visits.items()):
            _add_visits(write, subject, days)
        known = assignments(write)
        keys = {row["subject"]: row["subject_key"] for row in write.rows("assignment")}
        without = [subject for subject in visits if subject not in keys]
        if without and not pseudonyms and any(key != subject for subject, key in keys.items()):
            raise StoreError(
                f"the cases of this store have pseudonyms, and {without[0]} would be shown to its readers by name; give --pseudonyms again"
            )
        for number, subject in enumerate(sorted(without, key=lambda name: drawn(seed, "key", name)), len(keys) + 1):
            keys[subject] = f"CASE-{number:04d}" if pseudonyms else subject
        read = {row["subject"] for row in known if is_central(row["part"])}
        new = [subject for subject in visits if subject not in read]
        loads = Counter(row["reader"] for row in known if is_central(row["part"]))
        made = randomise(new, holders(write, "reader"), seed, per_case, loads, last_places(write)) if new else ()
        rows = [add_assignment(write, one, keys[one.subject], seed, "case assigned") for one in made]
        return (*rows, *_investigators(write, investigators or {}, keys))


def _investigators(write: Writing, named: Mapping[str, str], keys: Mapping[str, str]) -> Iterator[Row]:
    for subject, person in sorted(named.items()):
        require(write, person, INVESTIGATOR)
        if subject not in keys:
            raise StoreError(f"{subject} has no visits in the store; give them with --visits")
        before = [row for row in assignments(write, subject=subject) if row["part"] == INVESTIGATOR]
        if [row["reader"] for row in before] == [person]:
            continue
        if before:
            raise StoreError(
                f"{subject} has the investigator {before[0]['reader']}; change it with: mrecist reads reassign"
            )
        _no_other_part(write, subject, person, INVESTIGATOR)
        one = Assigned(subject=subject, reader=person, part=INVESTIGATOR, place=last_places(write)[person] + 1)
        yield add_assignment(write, one, keys[subject], "", "investigator's case")


def reassign(store: Store, subject: str, reader: str, to: str, *, by: str, reason: str) -> Row:
    """Give a case of one reader, adjudicator or investigator to another one of that role; what was read stays.

    Raises :class:`StoreError` where the other one has, or had, another part in the case.
    """
    with store.writing(by, needed(reason)) as write:
        require(write, by, "manager")
        old = assignment_of(write, subject, reader)
        part = old["part"]
        require(write, to, role_of(part))
        _no_other_part(write, old["subject"], to, part)
        gone = Assigned(subject=old["subject"], reader=reader, part=WITHDRAWN, place=old["place"])
        add_assignment(write, gone, old["subject_key"], old.get("seed", ""), "case withdrawn", replaces=old)
        one = Assigned(subject=old["subject"], reader=to, part=part, place=last_places(write)[to] + 1)
        return add_assignment(write, one, old["subject_key"], "", f"case reassigned from {reader}")


def add_assignment(
    write: Writing, one: Assigned, key: str, seed: str, what: str, *, replaces: Row | None = None
) -> Row:
    """The row of an assignment; an empty ``seed``: it was not drawn."""
    whose: Row = {"subject": one.subject, "reader": one.reader, "part": one.part, "place": one.place}
    return write.add("assignment", what, replaces=replaces, subject_key=key, seed=seed, **whose)


def _no_other_part(read: Reading, subject: str, person: str, part: str) -> None:
    """Who read a case once, even before it went to somebody else, takes no other part in it."""
    for row in read.rows("assignment", subject=subject, reader=person):
        if row["part"] == WITHDRAWN:
            continue
        if row["part"] != part or row in assignments(read, subject=subject):
            raise StoreError(f"{person} has the case {subject} as {row['part']} already; choose somebody else")


def assignments(read: Reading, /, **equal: str) -> list[Row]:
    """Assignments in force, without the cases that went to somebody else."""
    return [row for row in read.current("assignment", **equal) if row["part"] != WITHDRAWN]


def central_readers(read: Reading, subject: str) -> dict[str, str]:
    """Part ("reader 1", "reader 2") -> who reads the case as that, in order."""
    found = {row["part"]: row["reader"] for row in assignments(read, subject=subject) if is_central(row["part"])}
    return dict(sorted(found.items()))


def is_central(part: str) -> bool:
    """Whether a part is that of an independent reader."""
    return part.startswith("reader ")


def role_of(part: str) -> str:
    """The role that a part in a case asks for."""
    return "reader" if is_central(part) else part


def last_places(read: Reading) -> Counter[str]:
    """Reader -> the last place of the list."""
    found: Counter[str] = Counter()
    for row in read.rows("assignment"):
        found[row["reader"]] = max(found[row["reader"]], row["place"])
    return found


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
    role = role_of(case["part"])
    if reader not in holders(read, role):
        raise StoreError(f"{reader} is no {role} of this store any more; a manager may grant the role again")
    return case


def assignment_of(read: Reading, subject: str, reader: str) -> Row:
    """The assignment of a case, by the subject or its key, to a reader; raises :class:`StoreError` when there is none."""
    for row in assignments(read, reader=reader):
        if subject in (row["subject"], row["subject_key"]):
            return row
    raise StoreError(f"{subject} is not assigned to {reader}; a reader reads the cases of the own worklist")
