"""How many subjects: disposition, reasons of events and censoring, best responses, flags, eligibility. The rows of counts.csv."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Any

from mrecist import __version__
from mrecist.endpoints.changes import Change
from mrecist.endpoints.clock import cutoff_of
from mrecist.endpoints.course import Courses
from mrecist.endpoints.derive import Derived
from mrecist.endpoints.eligibility import Eligibility
from mrecist.endpoints.happenings import Case, first, trials_of_subjects
from mrecist.endpoints.printing import percent
from mrecist.endpoints.proportions import Outcome
from mrecist.endpoints.times import COMPETING, EVENT, EventTime
from mrecist.model import Response
from mrecist.protocol import Protocol
from mrecist.tables import csv_text
from mrecist.trial import Subject, Trial

COUNT_COLUMNS = (
    *("table", "endpoint", "reader", "criterion", "months", "status", "reason", "cnsr", "arm", "subjects", "n"),
    *("percent", "protocol_sha256", "version"),
)
DISPOSITION, EVENTS, OUTCOMES, CHANGES, FLAGS, SCREENED = (
    *("disposition", "events", "outcomes", "changes", "flags", "eligibility"),
)
_RESPONSES = {str(one) for one in Response}


@dataclass(frozen=True, slots=True, kw_only=True)
class Count:
    """One row of counts.csv. ``n`` None: the subjects are no share of anything (not counted by the endpoint, a flag)."""

    table: str
    status: str
    arm: str
    subjects: int
    n: int | None = None
    reason: str = ""
    cnsr: int | None = None
    endpoint: str = ""
    reader: str = ""
    criterion: str = ""
    months: Decimal | None = None


def counts_csv(rows: Iterable[Count], protocol_sha256: str) -> str:
    """``counts.csv`` as text."""
    made = {"protocol_sha256": protocol_sha256, "version": __version__}
    return csv_text(COUNT_COLUMNS, ({**_cells(row), **made} for row in rows))


def _cells(row: Count) -> dict[str, Any]:
    cells = {name: getattr(row, name, None) for name in COUNT_COLUMNS}
    return {**cells, "percent": percent(str(Decimal(row.subjects) / row.n)) if row.n else None}


def counts(
    protocol: Protocol, trial: Trial, courses: Courses, derived: Derived, screened: Sequence[Eligibility]
) -> Iterator[Count]:
    """All rows, in the order of a report."""
    yield from _disposition(protocol, trial, courses)
    for endpoint in protocol.endpoints:
        yield from _of_times([row for row in derived.times if row.endpoint == endpoint.id], protocol)
        yield from _of_outcomes([row for row in derived.outcomes if row.endpoint == endpoint.id], protocol)
        yield from _of_changes([row for row in derived.changes if row.endpoint == endpoint.id], protocol)
    # Without what stands after a colon, as the text of an imputed date.
    named = [(row, {flag.partition(":")[0] for flag in row.flags}) for row in derived.times]
    for flag in sorted({flag for _, names in named for flag in names}):
        flagged = [row for row, names in named if flag in names]
        for count in _grouped(flagged, protocol, FLAGS, lambda _, flag=flag: (flag, "", None)):  # type: ignore[misc]
            yield _without_share(count)
    words = {True: "eligible", False: "not eligible", None: "not known"}
    for reader in dict.fromkeys(row.reader for row in screened):
        own = [row for row in screened if row.reader == reader]
        yield from _by_arm(own, protocol, SCREENED, lambda row: (words[row.eligible], "", None), {"reader": reader})


def arms_shown(there: Iterable[str], protocol: Protocol) -> tuple[str, ...]:
    """All arms together (empty), then each one in the protocol's order; a study of one arm has that one only."""
    found = set(there)
    arms = tuple(arm for arm in dict.fromkeys((*protocol.design.arms, *sorted(found))) if arm in found)
    return arms if len(arms) == 1 else ("", *(arm for arm in arms if arm))


# --- disposition -----------------------------------------------------------------------------------------------------


def _disposition(protocol: Protocol, trial: Trial, courses: Courses) -> Iterator[Count]:
    """Milestones that somebody reached; one that nobody has a date for may not have been recorded, and has no row."""
    people = trial.subjects
    reached = {"in subjects.csv": set(people), **_dated(protocol, trial), **_seen(courses, people)}
    gone = set().union(*(reached.get(name, set()) for name in ("dead", "withdrawn", "lost to follow-up")))
    reached["ongoing"] = set(people) - gone
    order = (
        *("in subjects.csv", "enrolled", "randomised", "treated", "assessed", "evaluated", "new anticancer therapy"),
        *("withdrawn", "lost to follow-up", "dead", "ongoing"),
    )
    for arm in arms_shown((one.arm for one in people.values()), protocol):
        own = {name for name, one in people.items() if arm in ("", one.arm)}
        for name in order:
            if reached.get(name) or name == "ongoing":
                yield Count(table=DISPOSITION, status=name, arm=arm, subjects=len(own & reached[name]), n=len(own))


def _dated(protocol: Protocol, trial: Trial) -> dict[str, set[str]]:
    """Who has a date of each milestone up to the data cut-off."""
    until = cutoff_of(protocol)

    def has(subject: Subject, *columns: str) -> bool:
        days = [subject.dates[column] for column in columns if column in subject.dates]
        return any(until is None or day <= until for day in days)

    columns = {
        "enrolled": ("enrolment",),
        "randomised": ("randomisation",),
        "treated": ("first_dose", "first_procedure"),
        "withdrawn": ("withdrawal",),
        "lost to follow-up": ("lost_to_follow_up",),
        "dead": ("death",),
    }
    found = {
        name: {one.subject for one in trial.subjects.values() if has(one, *asked)} for name, asked in columns.items()
    }
    found["new anticancer therapy"] = {
        name
        for name, own in trials_of_subjects(trial).items()
        if first(Case(subject=own.subjects[name], course=None, trial=own), "new_anticancer_therapy", until=until)
    }
    return found


def _seen(courses: Courses, people: Mapping[str, Subject]) -> dict[str, set[str]]:
    """Who has an assessment after baseline by anybody, and who one that was evaluated."""
    there = [course for course in courses.by_key.values() if course.subject in people]
    return {
        "assessed": {course.subject for course in there if course.visits},
        "evaluated": {course.subject for course in there if any(visit.evaluated for visit in course.visits)},
    }


# --- rows of endpoints -----------------------------------------------------------------------------------------------

_Key = tuple[str, str, int | None]


def _of_times(rows: Sequence[EventTime], protocol: Protocol) -> Iterator[Count]:
    """Events in front, then what competes, then what censors, by code."""
    places = {EVENT: 0, COMPETING: 1}
    order = sorted(rows, key=lambda row: (places.get(row.status, 2), row.cnsr, row.event))
    yield from _grouped(order, protocol, EVENTS, lambda row: (row.status, row.event, row.cnsr))


def _of_outcomes(rows: Sequence[Outcome], protocol: Protocol) -> Iterator[Count]:
    """By response where the value is one, else by success; who is not counted is no share of those who are."""
    places = {str(one): place for place, one in enumerate(Response)}
    order = sorted(
        rows, key=lambda row: (row.months or 0, row.success is None, not row.success, places.get(row.value, 0))
    )
    words = {True: "success", False: "no success", None: "not counted"}

    def key(row: Outcome) -> _Key:
        told = row.value if row.value in _RESPONSES else ""
        return words[row.success], told or ("no assessment" if row.months is not None else ""), None

    for month in dict.fromkeys(row.months for row in order):
        at = [row for row in order if row.months == month]
        counted = [row for row in at if row.success is not None]
        yield from _grouped(counted, protocol, OUTCOMES, key, month)
        for count in _grouped([row for row in at if row.success is None], protocol, OUTCOMES, key, month):
            yield _without_share(count)


def _of_changes(rows: Sequence[Change], protocol: Protocol) -> Iterator[Count]:
    """Who has a change, at each month."""
    for month in dict.fromkeys(row.months for row in rows):
        at = sorted((row for row in rows if row.months == month), key=lambda row: row.percent is None)
        yield from _grouped(at, protocol, CHANGES, _has_change, month)


def _has_change(row: Change) -> _Key:
    return "with a change" if row.percent is not None else "without a change", "", None


def _without_share(count: Count) -> Count:
    return replace(count, n=None)


def _grouped(
    rows: Sequence[Any], protocol: Protocol, table: str, key: Callable[[Any], _Key], months: Decimal | None = None
) -> Iterator[Count]:
    """For each endpoint, reader and criterion of the rows."""
    for endpoint, reader, criterion in dict.fromkeys((row.endpoint, row.reader, row.criterion) for row in rows):
        of = (endpoint, reader, criterion)
        own = [row for row in rows if (row.endpoint, row.reader, row.criterion) == of]
        about = {"endpoint": endpoint, "reader": reader, "criterion": criterion, "months": months}
        yield from _by_arm(own, protocol, table, key, about)


def _by_arm(
    rows: Sequence[Any], protocol: Protocol, table: str, key: Callable[[Any], _Key], about: Mapping[str, Any]
) -> Iterator[Count]:
    keys = list(dict.fromkeys(key(row) for row in rows))
    for arm in arms_shown((row.arm for row in rows), protocol):
        own = [key(row) for row in rows if arm in ("", row.arm)]
        for status, reason, cnsr in keys:
            found = own.count((status, reason, cnsr))
            made: dict[str, Any] = {"status": status, "reason": reason, "cnsr": cnsr, "arm": arm, **about}
            yield Count(table=table, subjects=found, n=len(own), **made)
