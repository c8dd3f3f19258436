"""Subjects as the figures with a mark for each of them show them, out of courses and tables."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from datetime import date

from mrecist.endpoints.changes import counted_visits
from mrecist.endpoints.clock import Clock, NotDerivableError, cutoff_of, start_of
from mrecist.endpoints.course import Course, Courses
from mrecist.endpoints.figures.patients import Patient
from mrecist.endpoints.happenings import Case, first, trials_of_subjects
from mrecist.model import Response
from mrecist.protocol import Endpoint, Protocol
from mrecist.trial import Trial


def patients_of(protocol: Protocol, courses: Courses, trial: Trial, criterion: str, reader: str) -> Iterator[Patient]:
    """Subjects with a course, in months from the protocol's day 1."""
    clockwork = Endpoint(id="", kind="time")
    for name, own in trials_of_subjects(trial).items():
        course = courses.of(name, reader, criterion)
        if course is None:
            continue
        case = Case(subject=own.subjects[name], course=course, trial=own)
        try:
            start = start_of(clockwork, case, protocol)
        except NotDerivableError:
            continue
        if start is not None:
            yield patient_of(Clock(case=case, protocol=protocol, start=start, until=cutoff_of(protocol)), course)


def patient_of(clock: Clock, course: Course) -> Patient:
    """A subject as the figures show it: nothing after progression or a new therapy is a change or a response."""
    month = float(clock.protocol.design.days_per_month)

    def at(day: date) -> float:
        return max((day - clock.start).days, 0) / month

    therapy, death = (first(clock.case, word, clock.start, clock.until) for word in ("new_anticancer_therapy", "death"))
    alive = clock.last_alive()
    last = death.date if death is not None else alive[0] if alive is not None else clock.start
    seen = counted_visits(clock, course)
    edges = [visit.date for visit in seen[1:]] + [max(last, seen[-1].date)] if seen else []
    marks = [(course.first_response, "response"), (course.progression, "progression")]
    marks += [(one.date, word) for one, word in ((therapy, "new therapy"), (death, "death")) if one is not None]
    best = course.best_confirmed if clock.protocol.response.confirm_required else course.best_unconfirmed
    return Patient(
        subject=course.subject,
        arm=clock.case.subject.arm,
        best=best,
        changes=tuple((at(visit.date), float(visit.percent)) for visit in seen if visit.percent is not None),
        end=at(last),
        marks=tuple(
            (at(day), word) for day, word in marks if day is not None and (clock.until is None or day <= clock.until)
        ),
        phases=tuple(
            (at(visit.date), at(edge), visit.overall)
            for visit, edge in zip(seen, edges, strict=True)
            if visit.evaluated and visit.overall is not Response.PD
        ),
        ongoing=course.progression is None and death is None and therapy is None,
    )


def responses_by_visit(courses: Courses, criterion: str, reader: str) -> dict[str, list[Response]]:
    """Responses at each time point, by its number; nothing where responses were reported by date only."""
    found: dict[int, list[Response]] = defaultdict(list)
    for (subject, by, name), course in sorted(courses.by_key.items()):
        if by == courses.who(subject, reader, criterion) and name == criterion:
            for visit in course.visits:
                if visit.timepoint is not None:
                    found[visit.timepoint].append(visit.overall)
    return {str(timepoint): found[timepoint] for timepoint in sorted(found)}
