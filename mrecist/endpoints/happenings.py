"""When an event happened to a subject: the words of ``events``, ``competing``, ``censor`` and ``success`` of a protocol."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, fields
from datetime import date
from typing import Any, Protocol, TypeVar

from mrecist.endpoints.course import Course
from mrecist.errors import InputError
from mrecist.model import Response
from mrecist.trial import OUTCOMES, PROCEDURES, LiverFunction, Procedure, Subject, Trial, child_pugh_of


class OfSubject(Protocol):
    """A row that belongs to a subject."""

    @property
    def subject(self) -> str:
        """Whose row it is."""


Row = TypeVar("Row", bound=OfSubject)


@dataclass(frozen=True, slots=True, order=True)
class Happening:
    """An event with its day, and where that stands."""

    date: date
    event: str
    source: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """One subject of a study with its course (None: never assessed) and the tables it may have rows in."""

    subject: Subject
    course: Course | None
    trial: Trial

    def own(self, rows: Sequence[Row] | None, table: str, asked: str) -> Iterator[Row]:
        """The subject's rows of a table; raises :class:`InputError` when the table was not given at all."""
        if rows is None:
            raise InputError(
                f"the protocol asks for '{asked}', which stands in {table}.csv; give it with --{option(table)}"
            )
        return (row for row in rows if row.subject == self.subject.subject)


def trials_of_subjects(trial: Trial) -> dict[str, Trial]:
    """Each subject with its own rows of every table, in one pass over each."""
    tables = {one.name: getattr(trial, one.name) for one in fields(Trial) if one.name != "subjects"}
    given = {table: rows for table, rows in tables.items() if rows is not None}
    own: dict[str, dict[str, list[Any]]] = {name: {table: [] for table in given} for name in trial.subjects}
    for table, rows in given.items():
        for row in rows:
            if row.subject in own:
                own[row.subject][table].append(row)
    return {
        name: Trial(subjects={name: subject}, **{table: tuple(rows) for table, rows in own[name].items()})
        for name, subject in trial.subjects.items()
    }


def option(table: str) -> str:
    """The option of the command line that names a table."""
    return table.replace("_", "-")


def first(case: Case, event: str, after: date | None = None, until: date | None = None) -> Happening | None:
    """The first time that an event happened to a subject, from ``after`` to ``until``, both days included; None: it did not."""
    found = sorted(all_of(case, event))
    return next(
        (one for one in found if (after is None or one.date >= after) and (until is None or one.date <= until)), None
    )


def all_of(case: Case, event: str) -> Iterator[Happening]:
    """Every day on which an event happened."""
    tag, _, name = event.partition(":")
    if name:
        yield from _TAGGED[tag](case, name, event)
    else:
        yield from _FINDERS.get(event, _documented)(case, event)


def _progression(case: Case, event: str) -> Iterator[Happening]:
    course = case.course
    if course is not None and course.progression is not None:
        yield Happening(
            course.progression, event, f"{course.source} {course.criterion or 'overall'}{_taken_as_pd(course)}"
        )


def _taken_as_pd(course: Course) -> str:
    """What was reported on the day of the progression, where it is one only by ``cr_then_worse`` (A7)."""
    reported = {visit.overall for visit in course.visits if visit.date == course.progression}
    worse = reported & {Response.PR, Response.SD, Response.NON_CR_NON_PD}
    return f": {min(worse)} after CR (cr_then_worse)" if worse and not course.has_sums else ""


def _new_lesion(case: Case, event: str) -> Iterator[Happening]:
    for visit in case.course.visits if case.course is not None else ():
        if visit.new_lesion:
            yield Happening(visit.date, event, f"responses.csv time point {visit.timepoint}")


def _date(case: Case, name: str, event: str) -> Iterator[Happening]:
    if name in case.subject.dates:
        yield Happening(case.subject.dates[name], event, f"subjects.csv {name}")


def _own_date(case: Case, event: str) -> Iterator[Happening]:
    yield from _date(case, event, event)


def _new_therapy(case: Case, event: str) -> Iterator[Happening]:
    """Either table: therapies.csv has one row each, subjects.csv the first only."""
    yield from _own_date(case, event)
    for row in case.trial.therapies or ():
        if row.subject == case.subject.subject:
            yield Happening(row.date, event, f"therapies.csv {row.therapy}".rstrip())


def without_outcome(case: Case, event: str) -> Iterator[Happening]:
    """Procedures that may have been the event: the outcome that it asks for is not recorded."""
    if (asked := _asked(event)) is not None and asked[1]:
        known = [word for words in OUTCOMES.values() for word in words]
        for row in _done(case, asked[0], event):
            if row.outcome not in known:
                yield Happening(row.date, event, f"procedures.csv {row.procedure}")


def _asked(event: str) -> tuple[tuple[str, ...], str] | None:
    """The procedures that an event is about and the outcome that it asks for ("": any); None for what is no procedure."""
    tag, _, rest = event.partition(":")
    if tag in PROCEDURES:
        return PROCEDURES[tag], rest
    name, _, outcome = rest.partition(":")
    return ((name.strip().upper(),), outcome) if tag == "procedure" else None


def _done(case: Case, names: Sequence[str], event: str) -> Iterator[Procedure]:
    return (row for row in case.own(case.trial.procedures, "procedures", event) if row.procedure in names)


def _procedure(case: Case, event: str) -> Iterator[Happening]:
    names, outcome = _asked(event) or ((), "")
    for row in _done(case, names, event):
        if outcome in ("", row.outcome):
            yield Happening(row.date, event, f"procedures.csv {row.procedure} {outcome}".rstrip())


def _named(case: Case, name: str, event: str) -> Iterator[Happening]:
    for row in case.own(case.trial.occurrences, "occurrences", event):
        if row.event == name.casefold():
            yield Happening(row.date, event, f"occurrences.csv {row.event}")


def _documented(case: Case, event: str) -> Iterator[Happening]:
    yield from _named(case, event, event)


def _child_pugh_c_after_tace(case: Case, event: str) -> Iterator[Happening]:
    """Deterioration to Child-Pugh C after a TACE (TACTICS: Kudo 2020), on a day after the first one; not where it was C before."""
    first_tace = first(case, "procedure:TACE")
    if first_tace is None:
        return
    before = ""
    for row in sorted(case.own(case.trial.liver, "liver", event), key=lambda row: row.date):
        grade = child_pugh(row)
        if grade == "C" and before != "C" and row.date > first_tace.date:
            yield Happening(row.date, event, "liver.csv Child-Pugh C")
        before = grade or before


def child_pugh(row: LiverFunction) -> str:
    """The class, from the points where only they are given."""
    if row.child_pugh or row.points is None:
        return row.child_pugh
    return child_pugh_of(row.points)


_FINDERS: dict[str, Callable[[Case, str], Iterator[Happening]]] = {
    "pd": _progression,
    "new_lesion": _new_lesion,
    "death": _own_date,
    "withdrawal": _own_date,
    "lost_to_follow_up": _own_date,
    "new_anticancer_therapy": _new_therapy,
    "resection": _procedure,
    "ablation": _procedure,
    "transplant": _procedure,
    "child_pugh_c_after_tace": _child_pugh_c_after_tace,
}
_TAGGED: dict[str, Callable[[Case, str, str], Iterator[Happening]]] = {
    "procedure": lambda case, _, event: _procedure(case, event),
    "resection": lambda case, _, event: _procedure(case, event),
    "ablation": lambda case, _, event: _procedure(case, event),
    "event": _named,
    "date": _date,
}
