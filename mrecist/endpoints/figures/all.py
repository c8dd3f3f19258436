"""Which figures a study gets, and their data."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import date
from typing import TYPE_CHECKING

from mrecist.endpoints.changes import counted_visits
from mrecist.endpoints.clock import Clock, NotDerivableError, cutoff_of, start_of
from mrecist.endpoints.course import Course, Courses
from mrecist.endpoints.derive import Derived, criterion_of, readers_of
from mrecist.endpoints.estimate import Estimate
from mrecist.endpoints.figures.groups import ForestRow, by_visit, forest
from mrecist.endpoints.figures.kaplan_meier import kaplan_meier
from mrecist.endpoints.figures.patients import Patient, spider, swimmer, waterfall
from mrecist.endpoints.happenings import Case, first, trials_of_subjects
from mrecist.endpoints.summary import arms_of
from mrecist.model import Response
from mrecist.protocol import Endpoint, Protocol
from mrecist.trial import Trial

if TYPE_CHECKING:
    from matplotlib.figure import Figure


def figures(
    protocol: Protocol, courses: Courses, trial: Trial, derived: Derived, rows: Sequence[Estimate]
) -> Iterator[tuple[tuple[str, ...], Figure]]:
    """(parts of the file's name, figure), in the order in which a report shows them."""
    for criterion, reader in _reads(protocol, courses):
        patients = list(_patients(protocol, courses, trial, criterion, reader))
        name = (criterion or "overall", reader if len(courses.readers) > 1 else "")
        yield from _of_patients(protocol, patients, criterion, name)
        counts = responses_by_visit(courses, criterion, reader)
        if counts:
            yield ("responses", *name), by_visit(counts, title=f"Responses by visit, {_title(protocol, criterion)}")
    for endpoint in protocol.endpoints:
        if endpoint.kind == "time":
            yield from _of_times(endpoint, protocol, derived, rows)


def _reads(protocol: Protocol, courses: Courses) -> list[tuple[str, str]]:
    """Criteria and readers of the endpoints that need responses of the whole subject."""
    found = []
    for endpoint in protocol.endpoints:
        if endpoint.needs_responses and not endpoint.region and courses.by_key:
            criterion = criterion_of(endpoint, protocol, courses)
            by = replace(endpoint, criterion=criterion)
            found += [(criterion, reader) for reader in readers_of(by, protocol, courses)]
    return list(dict.fromkeys(found))


def _title(protocol: Protocol, criterion: str) -> str:
    return protocol.setting(criterion).title if criterion else "as reported"


def _of_patients(
    protocol: Protocol, patients: list[Patient], criterion: str, name: tuple[str, str]
) -> Iterator[tuple[tuple[str, ...], Figure]]:
    title = _title(protocol, criterion)
    thresholds = protocol.setting(criterion).thresholds
    limits = {"pr_percent": float(thresholds.pr_percent), "pd_percent": float(thresholds.pd_percent)}
    if any(patient.changes for patient in patients):
        yield ("waterfall", *name), waterfall(patients, title=f"Best change, {title}", **limits)
        yield ("spider", *name), spider(patients, title=f"Change over time, {title}", **limits)
    if patients:
        yield ("swimmer", *name), swimmer(patients, title=f"Time on study, {title}")


def _patients(protocol: Protocol, courses: Courses, trial: Trial, criterion: str, reader: str) -> Iterator[Patient]:
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
    """Responses at each time point; nothing where responses were reported by date only."""
    found: dict[int, list[Response]] = defaultdict(list)
    for (_, by, name), course in sorted(courses.by_key.items()):
        if by == reader and name == criterion:
            for visit in course.visits:
                if visit.timepoint is not None:
                    found[visit.timepoint].append(visit.overall)
    return {f"time point {timepoint}": found[timepoint] for timepoint in sorted(found)}


def _of_times(
    endpoint: Endpoint, protocol: Protocol, derived: Derived, rows: Sequence[Estimate]
) -> Iterator[tuple[tuple[str, ...], Figure]]:
    own = [row for row in derived.times if row.endpoint == endpoint.id]
    readers = list(dict.fromkeys(row.reader for row in own))
    for reader in readers:
        of_reader = [row for row in own if row.reader == reader]
        arms = arms_of(of_reader, protocol)
        name = (endpoint.id, reader if len(readers) > 1 else "")
        found = [row for row in rows if row.about.endpoint == endpoint.id and row.about.reader == reader]
        yield (
            ("km", *name),
            kaplan_meier(
                {arm: [row for row in of_reader if row.arm == arm] for arm in arms},
                title=endpoint.title or endpoint.id,
                days_per_month=float(protocol.design.days_per_month),
                scale=endpoint.km_ci,
                words=list(_words(found)),
            ),
        )
        lines = list(_forest_rows(found))
        if len(lines) > 1 and len(arms) == 2:
            yield (
                ("forest", *name),
                forest(lines, title=endpoint.title or endpoint.id, favours=(arms[1], arms[0]), what="hazard ratio"),
            )


def _words(rows: Sequence[Estimate]) -> Iterator[str]:
    """Medians and comparisons of all subjects, as the figure tells them."""
    for row in rows:
        if row.about.group:
            continue
        if row.estimate == "median" and (row.about.arm or not any(other.about.arm for other in rows)):
            told = "not reached" if row.value is None else f"{row.value:.1f} ({_limit(row.low)} to {_limit(row.high)})"
            yield f"median {row.about.arm} {told} months".replace("median  ", "median ").replace(
                "reached months", "reached"
            )
        if row.estimate in ("hazard_ratio", "hazard_ratio_stratified") and row.value is not None:
            yield f"HR {row.about.arm} / {row.against} {row.value:.2f} ({_limit(row.low, 2)} to {_limit(row.high, 2)})"
        if row.estimate.startswith("logrank") and row.p is not None:
            yield f"{row.estimate.replace('_', ', ').replace('logrank', 'log-rank')} p {_p(row.p)}"


def _limit(value: float | None, digits: int = 1) -> str:
    return "–" if value is None else f"{value:.{digits}f}"


def _p(value: float) -> str:
    return "< 0.001" if value < 0.001 else f"= {value:.3f}"


def _forest_rows(rows: Sequence[Estimate]) -> Iterator[ForestRow]:
    for row in rows:
        if row.estimate == "hazard_ratio":
            yield ForestRow(
                label=row.about.group or "all",
                n=row.n or 0,
                events=row.events or 0,
                value=row.value,
                low=row.low,
                high=row.high,
                note=row.note,
            )
