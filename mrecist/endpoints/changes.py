"""How far the sum of a subject fell or rose: the best change (depth of response), the first one, or the one at a month.

The change is that of a complete sum from the baseline sum; a visit without a complete sum has none and is never taken as no change.
Early tumour shrinkage: Piessevaux 2013, Annals of Oncology 24:1262; depth of response: Heinemann 2015, European Journal of Cancer
51:1927.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal

from mrecist.endpoints.clock import Clock, NotDerivableError, cutoff_of, start_of
from mrecist.endpoints.course import Course, Visit
from mrecist.endpoints.happenings import Case, first
from mrecist.errors import InputError
from mrecist.protocol import Endpoint, Protocol
from mrecist.units import fell_by


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """One row of changes.csv. ``percent`` is below 0 for shrinkage and None where there is no sum to take it from; ``success`` is
    whether it reaches the endpoint's ``percent``, None outside the denominator or where no share was asked for.
    """

    subject: str
    endpoint: str
    arm: str
    months: Decimal | None
    percent: Decimal | None
    date: date | None
    timepoint: int | None
    success: bool | None
    reason: str
    reader: str
    criterion: str
    paramcd: str
    region: str = ""
    read_by: str = ""


def changes_of(endpoint: Endpoint, case: Case, protocol: Protocol, reader: str) -> list[Change]:
    """One row of a subject, or one for each month asked for.

    Raises :class:`NotDerivableError` when day 1 is not known, :class:`InputError` for responses that were reported without sums.
    """
    course = case.course
    if course is not None and not course.has_sums:
        raise InputError(
            f"endpoint {endpoint.id}: a change is that of a sum, and {course.source} has none; give the folder that assess wrote"
        )
    start = start_of(endpoint, case, protocol)
    if start is None:
        raise NotDerivableError("there is no day to start the clock from")
    clock = Clock(case=case, protocol=protocol, start=start, until=cutoff_of(protocol))
    counted = counted_visits(clock, course) if course is not None else ()
    if not endpoint.at_months:
        return [_row(endpoint, clock, reader, *_chosen(endpoint, counted))]
    return [
        _row(endpoint, clock, reader, *_at(endpoint, clock, counted, months), months) for months in endpoint.at_months
    ]


def counted_visits(clock: Clock, course: Course) -> tuple[Visit, ...]:
    """Visits from day 1 to the first of progression, a new therapy and the cut-off, each day included."""
    therapy = first(clock.case, "new_anticancer_therapy", clock.start, clock.until)
    ends = [day for day in (course.progression, therapy.date if therapy else None, clock.until) if day is not None]
    stop = min(ends, default=date.max)
    return tuple(visit for visit in course.visits if clock.start <= visit.date <= stop)


def best_of(visits: tuple[Visit, ...]) -> Visit | None:
    """The visit with the lowest change, of several the earliest; None where no visit has a complete sum."""
    known = [(visit.sums[0], visit.date, visit) for visit in visits if visit.sums is not None]
    return min(known, key=lambda one: one[:2], default=(None, None, None))[2]


def _chosen(endpoint: Endpoint, counted: tuple[Visit, ...]) -> tuple[Visit | None, str]:
    if not counted:
        return None, "no assessment after day 1 up to progression, a new therapy or the cut-off"
    if endpoint.at == "first":
        return counted[0], "the first assessment"
    best = best_of(counted)
    if best is None:
        return None, "no assessment has a complete sum"
    return best, f"best of {sum(visit.percent is not None for visit in counted)} complete sums"


def _at(endpoint: Endpoint, clock: Clock, counted: tuple[Visit, ...], months: Decimal) -> tuple[Visit | None, str]:
    """The complete sum nearest to a month, within the window; of two as near the earlier one."""
    due = clock.start + timedelta(days=round(months * clock.protocol.design.days_per_month))
    near = [visit for visit in counted if abs((visit.date - due).days) <= endpoint.window_days]
    if not near:
        return None, f"no assessment within {endpoint.window_days} days of {due}"
    one = min(near, key=lambda visit: (visit.percent is None, abs((visit.date - due).days), visit.date))
    return one, f"nearest to {due}"


def _row(
    endpoint: Endpoint, clock: Clock, reader: str, visit: Visit | None, why: str, months: Decimal | None = None
) -> Change:
    subject = clock.case.subject
    percent = visit.percent if visit is not None else None
    if visit is not None and percent is None:
        why += ": its sum is not complete, or the baseline sum is missing or 0"
    return Change(
        subject=subject.subject,
        endpoint=endpoint.id,
        arm=subject.arm,
        months=months,
        percent=percent,
        date=visit.date if visit is not None else None,
        timepoint=visit.timepoint if visit is not None else None,
        success=_success(endpoint, clock.case, visit),
        reason=why,
        reader=reader,
        criterion=endpoint.criterion,
        region=endpoint.region,
        paramcd=endpoint.paramcd,
    )


def _success(endpoint: Endpoint, case: Case, visit: Visit | None) -> bool | None:
    """Whether the sum fell by ``percent`` or more; without a change no success, or not counted, as ``denominator`` says."""
    if endpoint.percent is None:
        return None
    if visit is not None and visit.sums is not None:
        return fell_by(*visit.sums, endpoint.percent)
    if case.course is not None and not case.course.diseased:
        return None
    seen = case.course is not None and bool(case.course.visits)
    return False if {"population": True, "assessed": seen, "evaluated": False}[endpoint.denominator] else None
