"""Shares of subjects with a success: responses (best, or at a month), procedures and other events, tumour markers.

Every subject of the population is told: success, no success, or not in the denominator and why. A subject that was never assessed
is no success and stays in the denominator (intention to treat) unless the endpoint's ``denominator`` says otherwise.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import date, timedelta
from decimal import Decimal

from mrecist.endpoints.clock import NotDerivableError, cut_short, cutoff_of, last_day, start_of
from mrecist.endpoints.course import NOT_EVALUATED, Course, Visit
from mrecist.endpoints.happenings import Case, first, without_outcome
from mrecist.endpoints.markers import converted
from mrecist.errors import InputError
from mrecist.model import Response
from mrecist.protocol import Endpoint, Protocol
from mrecist.protocol.endpoints import CATEGORIES

IMMUNE = frozenset(one for one in Response if one.startswith("i") or "-i" in one)
"""The words of iRECIST."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """One row of outcomes.csv. ``success`` is None for a subject outside the denominator; ``months`` names a visit window."""

    subject: str
    endpoint: str
    arm: str
    months: Decimal | None
    success: bool | None
    value: str
    date: date | None
    reason: str
    reader: str
    criterion: str
    paramcd: str
    region: str = ""
    read_by: str = ""


def outcomes_of(endpoint: Endpoint, case: Case, protocol: Protocol, reader: str) -> Iterator[Outcome]:
    """One row of a subject, or one for each month asked for. Raises :class:`NotDerivableError` for one who came after the cut-off."""
    _before_cutoff(endpoint, case, protocol)
    if endpoint.marker_rules:
        found = converted(case, protocol, endpoint)
        yield _row(endpoint, case, reader, found.success, found.value, found.date, found.reason)
    elif endpoint.success[0] in CATEGORIES and endpoint.at_months:
        for months in endpoint.at_months:
            yield _at(endpoint, case, protocol, reader, months)
    elif endpoint.success[0] in CATEGORIES:
        yield _best(endpoint, case, protocol, reader)
    else:
        yield _happened(endpoint, case, protocol, reader)


def _before_cutoff(endpoint: Endpoint, case: Case, protocol: Protocol) -> None:
    until = cutoff_of(protocol)
    try:
        start = start_of(endpoint, case, protocol)
    except NotDerivableError:
        return
    if until is not None and start is not None and start > until:
        raise NotDerivableError(f"the clock starts on {start}, after the data cut-off of {until}")


def _best(endpoint: Endpoint, case: Case, protocol: Protocol, reader: str) -> Outcome:
    confirmed = protocol.confirms(endpoint)
    word = "confirmed" if confirmed else "unconfirmed"
    course = case.course
    if course is None or not course.visits:
        missing = Response(protocol.response.no_assessment)
        return _row(endpoint, case, reader, _without(endpoint, seen=False), missing, None, "never assessed")
    if not course.diseased:
        return _row(endpoint, case, reader, None, "", None, f"no {endpoint.region} disease at baseline")
    best = course.best_confirmed if confirmed else course.best_unconfirmed
    _one_vocabulary(endpoint, best)
    if not any(visit.evaluated for visit in course.visits):
        return _row(endpoint, case, reader, _without(endpoint, seen=True), best, None, "no response was evaluated")
    day = course.confirmed_response if confirmed else course.first_response
    success = best in endpoint.success
    return _row(endpoint, case, reader, success, best, day if success else None, f"best {word} response {best}")


def _one_vocabulary(endpoint: Endpoint, response: Response) -> None:
    """Raises :class:`InputError` where a response of iRECIST meets ``success`` in RECIST's words, or the other way round."""
    if response in NOT_EVALUATED:
        return
    immune = [word for word in endpoint.success if word in IMMUNE]
    if (response in IMMUNE) is not bool(immune):
        raise InputError(
            f"endpoint {endpoint.id}: success is {', '.join(endpoint.success)} and there is the response {response}; name "
            "the categories of the criterion that the responses are by"
        )


def _without(endpoint: Endpoint, *, seen: bool) -> bool | None:
    """What a subject without an evaluated response is: a failure, or outside the denominator; ``seen``: it was assessed."""
    counted = {"population": True, "assessed": seen, "evaluated": False}[endpoint.denominator]
    return False if counted else None


def _at(endpoint: Endpoint, case: Case, protocol: Protocol, reader: str, months: Decimal) -> Outcome:
    """The response in force at a month: of the visit in the window that is nearest to it, earlier progression and death staying."""
    try:
        start = start_of(endpoint, case, protocol)
    except NotDerivableError as error:
        return _row(endpoint, case, reader, _without(endpoint, seen=False), "", None, str(error), months)
    assert start is not None
    due = start + timedelta(days=round(months * protocol.design.days_per_month))
    course, until = case.course, cutoff_of(protocol)
    if course is not None and not course.diseased:
        return _row(endpoint, case, reader, None, "", None, f"no {endpoint.region} disease at baseline", months)
    if until is not None and due > until and not _seen_near(course, due, endpoint.window_days, until):
        return _row(
            endpoint, case, reader, None, "", None, f"month {months} is after the data cut-off of {until}", months
        )
    if course is not None and course.progression is not None and course.progression <= due:
        progressed = Response.PD
        success = progressed in endpoint.success
        return _row(
            endpoint,
            case,
            reader,
            success,
            progressed,
            course.progression,
            f"progression on {course.progression}",
            months,
        )
    death = first(case, "death", start, due if until is None else min(due, until))
    if death is not None:
        return _row(endpoint, case, reader, False, "", death.date, f"{death.event} on {death.date}", months)
    visit = nearest(course, due, endpoint.window_days, until)
    if visit is not None:
        _one_vocabulary(endpoint, visit.overall)
    if visit is not None and course is not None and course.progression is not None and visit.date >= course.progression:
        visit = replace(visit, overall=Response.PD)
    if visit is None or not visit.evaluated:
        why = f"no response within {endpoint.window_days} days of {due}"
        outcome = _without(endpoint, seen=visit is not None)
        return _row(endpoint, case, reader, outcome, visit.overall if visit else "", None, why, months)
    return _row(
        endpoint, case, reader, visit.overall in endpoint.success, visit.overall, visit.date, str(visit), months
    )


def _seen_near(course: Course | None, due: date, window: int, until: date) -> bool:
    return nearest(course, due, window, until) is not None


def nearest(course: Course | None, due: date, window: int, until: date | None) -> Visit | None:
    """The visit nearest to a day, at most ``window`` days off; one that was evaluated before one that was not, then the earlier."""
    if course is None:
        return None
    near = [
        visit
        for visit in course.visits
        if abs((visit.date - due).days) <= window and (until is None or visit.date <= until)
    ]
    return min(near, key=lambda v: (not v.evaluated, abs((v.date - due).days), v.date), default=None)


def _happened(endpoint: Endpoint, case: Case, protocol: Protocol, reader: str) -> Outcome:
    """Whether an event happened from the start on, up to the horizon and the cut-off."""
    visits = case.course.visits if case.course is not None else ()
    if not any(visit.evaluated for visit in visits) and _without(endpoint, seen=bool(visits)) is None:
        why = "no response was evaluated" if visits else "never assessed"
        return _row(endpoint, case, reader, None, "", None, why)
    try:
        start = start_of(endpoint, case, protocol)
    except NotDerivableError as error:
        return _row(endpoint, case, reader, _without(endpoint, seen=False), "", None, str(error))
    assert start is not None
    if why := cut_short(endpoint, start, protocol):
        return _row(endpoint, case, reader, None, "", None, why)
    until = last_day(endpoint, start, protocol)
    found = [one for event in endpoint.success if (one := first(case, event, start, until)) is not None]
    if not found:
        within = f" up to {until}" if until is not None else ""
        told = [f"none of {', '.join(endpoint.success)}{within}", *_undecided(endpoint, case, start, until)]
        return _row(endpoint, case, reader, False, "", None, "; ".join(told))
    one = min(found, key=lambda happening: happening.date)
    return _row(endpoint, case, reader, True, one.event, one.date, f"{one.event} on {one.date} ({one.source})")


def _undecided(endpoint: Endpoint, case: Case, start: date, until: date | None) -> Iterator[str]:
    """Procedures whose outcome is not recorded: they are no success, and may have been one."""
    for event in endpoint.success:
        for one in without_outcome(case, event):
            if one.date >= start and (until is None or one.date <= until):
                yield f"the outcome of {one.source} on {one.date} is not recorded, so it is no {event}"


def _row(
    endpoint: Endpoint,
    case: Case,
    reader: str,
    success: bool | None,
    value: str,
    day: date | None,
    reason: str,
    months: Decimal | None = None,
) -> Outcome:
    return Outcome(
        subject=case.subject.subject,
        endpoint=endpoint.id,
        arm=case.subject.arm,
        months=months,
        success=success,
        value=value,
        date=day,
        reason=reason,
        reader=reader,
        criterion=endpoint.criterion,
        region=endpoint.region,
        paramcd=endpoint.paramcd,
    )
