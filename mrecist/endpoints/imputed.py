"""Days that were not recorded give way to known ones of the same month: a death "in March" is not before a scan of 20 March.

A completed day (``[schedule]`` ``partial_date``) that a known day contradicts is moved to that day, as ADaM data sets have it (a
death not before the last day known alive, an event under treatment not before its first day). In any other month it stays a
contradiction.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from datetime import date
from typing import Any

from mrecist.dates import ImputedDate, given_text
from mrecist.endpoints.clock import NotDerivableError, known_alive, start_of
from mrecist.endpoints.course import Course, Courses
from mrecist.endpoints.happenings import Case, trials_of_subjects
from mrecist.protocol import Endpoint, Protocol
from mrecist.trial import Trial

_LATER = ("withdrawal", "lost_to_follow_up", "new_anticancer_therapy", "last_alive")
"""Columns of subjects.csv that do not come before day 1; an own column may."""
_LATER_ROWS = ("therapies", "occurrences")
_ROWS = (*_LATER_ROWS, "procedures", "markers", "liver", "adverse_events")
_DAY = {"adverse_events": "start"}
"""The column with the day of a row, where it is not `date`."""


def with_known_days(trial: Trial, courses: Courses, protocol: Protocol) -> Trial:
    """The tables with the imputed days of every subject beside its known ones."""
    per_subject: dict[str, list[Course]] = {}
    for (name, _, _), course in courses.by_key.items():
        per_subject.setdefault(name, []).append(course)
    found = [
        _of_subject(own, name, per_subject.get(name, []), protocol) for name, own in trials_of_subjects(trial).items()
    ]
    changed = {
        table: tuple(row for one in found for row in getattr(one, table))
        for table in _ROWS
        if getattr(trial, table) is not None
    }
    people = {name: subject for one in found for name, subject in one.subjects.items()}
    return replace(trial, subjects=people, **changed)


def days_1(trial: Trial, courses: Courses, protocol: Protocol) -> dict[str, date]:
    """Day 1 of the study of each subject of whom it is known."""
    own = trials_of_subjects(trial)
    found: dict[str, date] = {}
    for (name, _, _), course in courses.by_key.items():
        if name in own and (day := _day_1(own[name], name, (course,), protocol)) is not None:
            found[name] = day
    return found


def _of_subject(trial: Trial, name: str, courses: Iterable[Course], protocol: Protocol) -> Trial:
    """One subject: first what a known death or day 1 bounds, then a death that was imputed itself."""
    subject = trial.subjects[name]
    days = [getattr(row, _DAY.get(table, "date")) for table in _ROWS for row in getattr(trial, table) or ()]
    if not any(day is not None and given_text(day) for day in (*subject.dates.values(), *days)):
        return trial
    courses = tuple(courses)
    death, day_1 = _known(subject.dates.get("death")), _known(_day_1(trial, name, courses, protocol))
    if "death" in subject.dates and death is None:
        cases = [Case(subject=subject, course=course, trial=trial) for course in (*courses, None)]
        known = [day for case in cases for day, _ in known_alive(case) if not given_text(day)]
        death = _moved(subject.dates["death"], not_before=known)
    after = [] if day_1 is None else [day_1]
    before = [] if death is None else [death]
    dates = {
        column: death
        if column == "death" and death is not None
        else _moved(day, not_before=after if column in _LATER else (), not_after=before)
        for column, day in subject.dates.items()
    }
    moved: dict[str, Any] = {}
    for table in (one for one in _ROWS if getattr(trial, one) is not None):
        bound = after if table in _LATER_ROWS else ()
        moved[table] = tuple(_row(row, _DAY.get(table, "date"), bound, before) for row in getattr(trial, table))
    return replace(trial, subjects={name: replace(subject, dates=dates)}, **moved)


def _row(row: Any, column: str, after: Iterable[date], before: Iterable[date]) -> Any:
    day = getattr(row, column)
    return row if day is None else replace(row, **{column: _moved(day, not_before=after, not_after=before)})


def _day_1(trial: Trial, name: str, courses: tuple[Course, ...], protocol: Protocol) -> date | None:
    """Day 1 of the study, where it is known."""
    case = Case(subject=trial.subjects[name], course=next(iter(courses), None), trial=trial)
    try:
        return start_of(Endpoint(id="", kind="time"), case, protocol)
    except NotDerivableError:
        return None


def _known(day: date | None) -> date | None:
    return None if day is None or given_text(day) else day


def _moved(day: date, *, not_before: Iterable[date] = (), not_after: Iterable[date] = ()) -> date:
    """An imputed day within the known days of its month; any other day as it is."""
    text = given_text(day)
    if not text:
        return day
    month = (day.year, day.month)
    low = max((one for one in not_before if (one.year, one.month) == month), default=day)
    high = min((one for one in not_after if (one.year, one.month) == month), default=max(day, low))
    to = min(max(day, low), high)
    return day if to == day else ImputedDate.of(to, text, moved=True)
