"""Checks of dates: against the protocol's schedule, and the baseline against the protocol's origin."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, timedelta

from mrecist.checks.finding import Found, ReadCase, ReadCheck
from mrecist.dates import days_between
from mrecist.protocol import Schedule


def due_days(schedule: Schedule, until: int) -> list[int]:
    """Days after the origin on which visits are due, up to the first one beyond ``until``."""
    days: list[int] = []
    week = 0
    for stretch in schedule.visits:
        while stretch.until_week is None or week + stretch.every_weeks <= stretch.until_week:
            week += stretch.every_weeks
            days.append(7 * week)
            if days[-1] > until:
                return days
    return days


def _visits(case: ReadCase) -> list[tuple[int, date, int, int]]:
    """(time point, date, day after the origin, the due day that is nearest) of every follow-up, by its last scan."""
    start = case.origin or case.read.baseline.dates[-1]
    dates = [(visit.timepoint, visit.dates[-1]) for visit in case.read.visits[1:]]
    due = due_days(case.schedule, max((days_between(start, day) for _, day in dates), default=0))
    if not due:
        return []
    found = []
    for timepoint, day in dates:
        after = days_between(start, day)
        found.append((timepoint, day, after, min(due, key=lambda one: abs(one - after))))
    return found


def _start(case: ReadCase) -> str:
    return f"{case.origin_event} of {case.origin}" if case.origin else f"baseline of {case.read.baseline.dates[-1]}"


def outside_window(case: ReadCase) -> Iterator[Found]:
    """A follow-up more than window_days from the nearest due day, or after the last due day of a schedule that ends."""
    for timepoint, day, after, nearest in _visits(case):
        off = after - nearest
        if abs(off) > case.schedule.window_days:
            what = (
                f"time point {timepoint} of {day} is day {after} after the {_start(case)}, {abs(off)} days "
                f"{'after' if off > 0 else 'before'} day {nearest} (week {nearest // 7}); the window is "
                f"{case.schedule.window_days} days"
            )
            yield Found(what=what, timepoint=timepoint)


def missed_visit(case: ReadCase) -> Iterator[Found]:
    """A due day before the last visit to which no follow-up belongs."""
    visits = _visits(case)
    attended = {nearest for *_, nearest in visits}
    for due in due_days(case.schedule, max(attended, default=0)):
        if due < max(attended, default=0) and due not in attended:
            yield Found(what=f"no assessment for week {due // 7}, day {due} after the {_start(case)}")


def dates_far_apart(case: ReadCase) -> Iterator[Found]:
    """The scans of one time point lie more than same_visit_days apart."""
    for visit in case.read.visits:
        first, last = visit.dates[0], visit.dates[-1]
        if last - first > timedelta(days=case.limits.same_visit_days):
            what = (
                f"time point {visit.timepoint} has scans from {first} to {last}, {days_between(first, last)} days apart"
            )
            yield Found(what=what, timepoint=visit.timepoint)


def origin_missing(case: ReadCase) -> Iterator[Found]:
    """The protocol names an origin event, and the subject has no date of it."""
    if case.origin_event and case.origin is None:
        yield Found(what=f"no date of {case.origin_event}; visits are counted from the baseline")


def baseline_too_early(case: ReadCase) -> Iterator[Found]:
    """The earliest baseline scan lies more than baseline_window_days before the origin."""
    first = case.read.baseline.dates[0]
    if case.origin is not None and days_between(first, case.origin) > case.schedule.baseline_window_days:
        days = days_between(first, case.origin)
        most = case.schedule.baseline_window_days
        what = f"baseline of {first} is {days} days before the {_start(case)}, more than {most}"
        yield Found(what=what, timepoint=0)


def baseline_after_origin(case: ReadCase) -> Iterator[Found]:
    """The latest baseline scan lies after the origin."""
    last = case.read.baseline.dates[-1]
    if case.origin is not None and last > case.origin:
        days = days_between(case.origin, last)
        yield Found(what=f"baseline of {last} is {days} days after the {_start(case)}", timepoint=0)


SCHEDULE_CHECKS: dict[str, ReadCheck] = {
    check.__name__: check
    for check in (
        *(outside_window, missed_visit, dates_far_apart, origin_missing, baseline_too_early, baseline_after_origin),
    )
}
