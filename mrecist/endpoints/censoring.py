"""When the clock stops without an event: the ``censor`` rules of an endpoint.

A rule with a trigger (a new therapy, a death that is no event, missed visits) holds when its trigger came before the event; on one
day the event counts. Missed visits happened when the window of the last one that is needed closed. Of several triggers the earliest
holds, on one day the rule that is named first. Without event and trigger ``no_event`` holds, or ``no_postbaseline`` where nothing
was assessed. Source: FDA 2018, appendix 3, tables A to C.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, timedelta

from mrecist.endpoints.clock import Clock, NotDerivableError, known_alive
from mrecist.endpoints.happenings import Happening
from mrecist.protocol import Censoring

_IMAGED = ("pd", "death", "new_lesion")
"""Events that missed visits cast doubt on: an earlier progression may have been missed."""


@dataclass(frozen=True, slots=True)
class Stop:
    """A rule that holds, the day of its trigger, the words for it, and where that stands."""

    rule: Censoring
    trigger: date
    why: str
    source: str = ""


@dataclass(frozen=True, slots=True)
class Place:
    """The day on which a clock stops, where that stands, and flags."""

    date: date
    source: str
    flags: tuple[str, ...] = ()


def stopped(clock: Clock, rules: tuple[Censoring, ...], ended: Happening | None) -> Stop | None:
    """The rule whose trigger came first, before the event; None where there is none."""
    found = [stop for rule in rules if (stop := _triggered(clock, rule, ended)) is not None]
    before = [stop for stop in found if ended is None or stop.trigger < ended.date]
    return min(before, key=lambda stop: stop.trigger, default=None)


def _triggered(clock: Clock, rule: Censoring, ended: Happening | None) -> Stop | None:
    if rule.when in ("no_event", "no_postbaseline", "data_cutoff", "horizon"):
        return None
    if rule.when == "missed_visits":
        return _missed(clock, rule, ended)
    found = clock.first(rule.when)
    return None if found is None else Stop(rule, found.date, f"{rule.when} on {found.date}", found.source)


def _missed(clock: Clock, rule: Censoring, ended: Happening | None) -> Stop | None:
    """So many visits in a row without an assessment, between the last one and the event."""
    if ended is None or ended.event not in _IMAGED:
        return None
    last = _last_without(clock, ended)
    window = timedelta(days=clock.protocol.schedule.window_days)
    missed = [day for day in clock.due(ended.date) if day - window > last and day + window < ended.date]
    if len(missed) < rule.count:
        return None
    why = f"{len(missed)} visits missed between {last} and {ended.event} on {ended.date}"
    return Stop(rule, missed[rule.count - 1] + window, why, "the schedule")


def _last_without(clock: Clock, ended: Happening) -> date:
    """The last assessment without the event, else the start. One on the day of a death says that no progression was seen."""
    seen_well = ended.event == "death" and clock.case.course is not None and clock.case.course.progression != ended.date
    until = ended.date if seen_well else ended.date - timedelta(days=1)
    return max(clock.evaluated(until), default=clock.start)


def without_event(clock: Clock, rules: tuple[Censoring, ...]) -> Stop:
    """The rule for a subject to whom nothing happened."""
    by_name = {rule.when: rule for rule in rules}
    end = clock.until or date.max
    # A response that a duration is counted from is itself an assessment after day 1 of the study.
    day_1 = clock.scheduled or clock.start
    if "no_postbaseline" in by_name and not any(day > day_1 for day in clock.evaluated()):
        return Stop(by_name["no_postbaseline"], end, "no assessment after the start")
    if (
        "data_cutoff" in by_name
        and clock.until is not None
        and any(day > clock.until for day, _ in known_alive(clock.case))
    ):
        return Stop(by_name["data_cutoff"], clock.until, f"data cut-off on {clock.until}", "protocol data_cutoff")
    return Stop(by_name["no_event"], end, "no event")


def place_of(clock: Clock, stop: Stop) -> Place:
    """The day on which a rule stops the clock. Raises :class:`NotDerivableError`."""
    return _PLACES[stop.rule.at](clock, stop)


def _last_assessment(clock: Clock, until: date | None) -> Place:
    days = clock.evaluated(until)
    if not days:
        return Place(clock.start, "start of the clock", ("NO_ASSESSMENT",))
    source = clock.case.course.source if clock.case.course is not None else ""
    return Place(days[-1], f"{source} last assessment".lstrip())


def _last_alive(clock: Clock, until: date | None) -> Place:
    """What subjects.csv states, or a later day on which another table has the subject (flag LAST_ALIVE_DERIVED)."""
    found = clock.last_alive(until)
    if found is None:
        return Place(clock.start, "start of the clock", ("LAST_ALIVE_UNKNOWN",))
    day, source = found
    stated = ("subjects.csv last_alive", "subjects.csv death")
    return Place(day, source, () if source in stated else ("LAST_ALIVE_DERIVED",))


def _cutoff(clock: Clock) -> Place:
    if clock.until is None:
        raise NotDerivableError("the clock is to stop at the data cut-off, and [response] has no data_cutoff")
    return Place(clock.until, "protocol data_cutoff")


_PLACES: dict[str, Callable[[Clock, Stop], Place]] = {
    "last_assessment": lambda clock, _: _last_assessment(clock, None),
    "last_assessment_before": lambda clock, stop: _last_assessment(clock, stop.trigger),
    "last_alive": lambda clock, _: _last_alive(clock, None),
    "last_alive_before": lambda clock, stop: _last_alive(clock, stop.trigger),
    "origin": lambda clock, _: Place(clock.start, "start of the clock"),
    "trigger": lambda _, stop: Place(stop.trigger, stop.source),
    "data_cutoff": lambda clock, _: _cutoff(clock),
}
