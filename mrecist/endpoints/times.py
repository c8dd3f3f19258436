"""Time to event: the first event, or the day on which the clock stops without one.

days = date - start + 1 (CDISC ADaM BDS-TTE 1.0, 3.1). docs/endpoints.md has each rule with an example.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Any

from mrecist.dates import days_between
from mrecist.endpoints.censoring import place_of, stopped, without_event
from mrecist.endpoints.clock import Clock, NotDerivableError, cutoff_of, start_of
from mrecist.endpoints.happenings import Case
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
    flags: tuple[str, ...] = ()


def time_of(endpoint: Endpoint, case: Case, protocol: Protocol, reader: str) -> EventTime | None:
    """The time of a subject; None where the endpoint is not about the subject (no response, so no duration of one).

    Raises :class:`NotDerivableError` when the clock has no start, or a progression or death lies before it.
    """
    start = start_of(endpoint, case, protocol)
    if start is None:
        return None
    clock = Clock(case=case, protocol=protocol, start=start, until=cutoff_of(protocol))
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
            flags=place.flags,
        )
    return EventTime(
        **_common(endpoint, case, reader, start, found.date),
        cnsr=cnsr,
        reason=f"{found.event} on {found.date}",
        source=found.source,
        status=status,
        event=found.event,
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
        "paramcd": endpoint.paramcd,
    }
