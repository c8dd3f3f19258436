"""Time to event: the first event, or the day on which the clock stops without one.

days = date - start + 1 (CDISC ADaM BDS-TTE 1.0, 3.1). docs/endpoints.md has each rule with an example.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import date, timedelta
from typing import Any

from mrecist.dates import ImputedDate, days_between, given_text
from mrecist.endpoints.censoring import Stop, place_of, stopped, without_event
from mrecist.endpoints.clock import (
    OF_RESPONSE,
    Clock,
    NotDerivableError,
    cutoff_of,
    horizon_of,
    scheduled_from,
    start_of,
)
from mrecist.endpoints.happenings import Case, first, without_outcome
from mrecist.protocol import Endpoint, Protocol

EVENT, CENSORED, COMPETING = "event", "censored", "competing"
FIRST_COMPETING = 101
"""``cnsr`` of the first competing event of an endpoint, the next one's is one more: never a code of a censoring rule."""


@dataclass(frozen=True, slots=True, kw_only=True)
class EventTime:
    """One row of events.csv. ``status`` is event, competing or censored; ``cnsr`` is 0 for an event."""

    subject: str
    endpoint: str
    arm: str
    start: date
    date: date
    days: int
    cnsr: int
    reason: str
    source: str
    status: str
    event: str
    reader: str
    criterion: str
    paramcd: str
    region: str = ""
    read_by: str = ""
    flags: tuple[str, ...] = ()


def time_of(endpoint: Endpoint, case: Case, protocol: Protocol, reader: str) -> EventTime | None:
    """The time of a subject; None where the endpoint is not about the subject (no response, so no duration of one).

    Raises :class:`NotDerivableError` when the clock has no start, or a progression or death lies before it.
    """
    start = start_of(endpoint, case, protocol)
    if start is None:
        return None
    scheduled = scheduled_from(endpoint, case, protocol)
    clock = Clock(case=case, protocol=protocol, start=start, until=cutoff_of(protocol), scheduled=scheduled)
    if scheduled is None and any(rule.when == "missed_visits" for rule in endpoint.censor):
        # Also without an event: else only subjects with one would be left out.
        raise NotDerivableError("there is no day 1 of the study to count the visits of the schedule from")
    return _within_horizon(endpoint, clock, _ended(endpoint, clock, reader, _doubts(endpoint, clock)))


def _doubts(endpoint: Endpoint, clock: Clock) -> tuple[str, ...]:
    """Flags where a response that a time is counted from came after a new therapy had begun, and where all assessments came before
    a day 1 of the endpoint's own.
    """
    if endpoint.origin in OF_RESPONSE:
        therapy = first(clock.case, "new_anticancer_therapy", clock.scheduled, clock.start - timedelta(days=1))
        return () if therapy is None else ("RESPONSE_AFTER_NEW_THERAPY",)
    visits = clock.case.course.visits if clock.case.course is not None else ()
    early = bool(visits) and all(visit.date < clock.start for visit in visits)
    flags = ("ASSESSED_BEFORE_START_ONLY",) if early else ()
    word = "new_anticancer_therapy"
    named = word in (*endpoint.events, *endpoint.competing, *(rule.when for rule in endpoint.censor))
    before = first(clock.case, word, until=clock.start - timedelta(days=1)) if named else None
    return flags if before is None else (*flags, f"NEW_THERAPY_BEFORE_START:{before.date}")


def _within_horizon(endpoint: Endpoint, clock: Clock, found: EventTime) -> EventTime:
    """The time as it is, or censored at the horizon where it would end later."""
    horizon = horizon_of(endpoint, clock.start, clock.protocol)
    flags = _undecided(endpoint, clock, found)
    if horizon is None or found.date <= horizon:
        return replace(found, flags=_once(*found.flags, *flags, *imputed(clock.start, found.date)))
    (rule,) = [one for one in endpoint.censor if one.when == "horizon"]
    why = f"month {endpoint.until_months}, {horizon}, without an event"
    place = place_of(clock, Stop(rule, horizon, why, "protocol until_months"))
    return replace(
        found,
        date=place.date,
        days=days_between(clock.start, place.date) + 1,
        cnsr=rule.cnsr,
        reason=f"{why}; censored at {rule.at.replace('_', ' ')}",
        source=place.source,
        status=CENSORED,
        event=rule.when,
        flags=_once(*place.flags, *_doubts(endpoint, clock), *flags, *imputed(clock.start, place.date)),
    )


def imputed(*days: date) -> Iterator[str]:
    """A flag for each day that was not recorded, with what was (``IMPUTED_DATE:2020-03``), and one where it gave way to a known day."""
    for day in days:
        if text := given_text(day):
            yield f"IMPUTED_DATE:{text}"
            if isinstance(day, ImputedDate) and day.moved:
                yield f"IMPUTED_DATE_MOVED:{text}"


def _once(*flags: str) -> tuple[str, ...]:
    return tuple(dict.fromkeys(flags))


def _undecided(endpoint: Endpoint, clock: Clock, found: EventTime) -> tuple[str, ...]:
    """A flag where a procedure may have ended the time before: its outcome is not recorded."""
    until = clock.until if found.status == CENSORED else found.date
    horizon = horizon_of(endpoint, clock.start, clock.protocol)
    ends = min((day for day in (until, horizon) if day is not None), default=date.max)
    for event in (*endpoint.events, *endpoint.competing, *(rule.when for rule in endpoint.censor)):
        if any(clock.start <= one.date <= ends for one in without_outcome(clock.case, event)):
            return ("OUTCOME_NOT_RECORDED",)
    return ()


def _ended(endpoint: Endpoint, clock: Clock, reader: str, doubts: tuple[str, ...]) -> EventTime:
    """The first of event, competing event and censoring rule."""
    case, start = clock.case, clock.start
    if clock.until is not None and start > clock.until:
        raise NotDerivableError(f"the clock starts on {start}, after the data cut-off of {clock.until}")
    ended, rival = clock.first_of(endpoint.events), clock.first_of(endpoint.competing)
    stop = stopped(clock, endpoint.censor, ended)
    if (
        rival is not None
        and (ended is None or rival.date < ended.date)
        and (stop is None or rival.date <= stop.trigger)
    ):
        cnsr, status, found = FIRST_COMPETING + endpoint.competing.index(rival.event), COMPETING, rival
    elif stop is None and ended is not None:
        cnsr, status, found = 0, EVENT, ended
    else:
        stop = stop or without_event(clock, endpoint.censor)
        place = place_of(clock, stop)
        return EventTime(
            **_common(endpoint, case, reader, start, place.date),
            cnsr=stop.rule.cnsr,
            reason=f"{stop.why}; censored at {stop.rule.at.replace('_', ' ')}",
            source=place.source,
            status=CENSORED,
            event=stop.rule.when,
            flags=(*place.flags, *doubts, *imputed(stop.trigger)),
        )
    return EventTime(
        **_common(endpoint, case, reader, start, found.date),
        cnsr=cnsr,
        reason=f"{found.event} on {found.date}",
        source=found.source,
        status=status,
        event=found.event,
        flags=doubts,
    )


def _common(endpoint: Endpoint, case: Case, reader: str, start: date, day: date) -> dict[str, Any]:
    return {
        "subject": case.subject.subject,
        "endpoint": endpoint.id,
        "arm": case.subject.arm,
        "start": start,
        "date": day,
        "days": days_between(start, day) + 1,
        "reader": reader,
        "criterion": endpoint.criterion,
        "region": endpoint.region,
        "paramcd": endpoint.paramcd,
    }
