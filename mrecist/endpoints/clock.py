"""One subject from the start of a clock to the data cut-off: what happened, what was assessed, when it was last known alive."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import date, timedelta

from mrecist.dates import YEARS
from mrecist.endpoints.happenings import Case, Happening, first
from mrecist.protocol import Endpoint, Protocol


class NotDerivableError(Exception):
    """A subject has no time for an endpoint; the sentence says why."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Clock:
    """Time of one subject; ``until`` is the data cut-off, None where the protocol has none.

    ``scheduled`` is the day that the visits of the schedule are counted from: day 1, but for the duration of a response day 1 of the
    study. None where that is not known.
    """

    case: Case
    protocol: Protocol
    start: date
    until: date | None
    scheduled: date | None = None

    def first_of(self, events: tuple[str, ...]) -> Happening | None:
        """The earliest of some events; of several on one day the one that is named first."""
        found = [one for event in events if (one := self.first(event)) is not None]
        return min(found, key=lambda one: one.date, default=None)

    def first(self, event: str) -> Happening | None:
        """The first time an event happened from the start on.

        Raises :class:`NotDerivableError` for a progression or a death before the start.
        """
        early = first(self.case, event)
        if early is not None and early.date < self.start and event in ("pd", "death"):
            raise NotDerivableError(f"{event} of {early.date} lies before the start of the clock on {self.start}")
        return first(self.case, event, self.start, self.until)

    def evaluated(self, until: date | None = None) -> list[date]:
        """Days of the assessments that said something, from the start to ``until`` and the cut-off, both included."""
        course = self.case.course
        ends = [day for day in (until, self.until) if day is not None]
        return [] if course is None else [v.date for v in course.evaluated(self.start, min(ends, default=None))]

    def due(self, until: date) -> Iterator[date]:
        """The days on which assessments were due, up to a day; none where it is not known what they are counted from."""
        if self.scheduled is None:
            return
        week = 0
        for stretch in self.protocol.schedule.visits:
            while stretch.until_week is None or week + stretch.every_weeks <= stretch.until_week:
                week += stretch.every_weeks
                day = self.scheduled + timedelta(weeks=week)
                if day > until:
                    return
                yield day

    def last_alive(self, until: date | None = None) -> tuple[date, str] | None:
        """The last day on which the subject is known to be alive, and where that stands; None where no table says it.

        Somebody seen after the limit was alive on it.
        """
        ends = [day for day in (until, self.until) if day is not None]
        limit = min(ends, default=None)
        known = [(day if limit is None else min(day, limit), source) for day, source in known_alive(self.case)]
        return max((one for one in known if one[0] > self.start), key=lambda one: one[0], default=None)


def cutoff_of(protocol: Protocol) -> date | None:
    """The day after which nothing counts."""
    return protocol.response.data_cutoff if "data_cutoff" in protocol.response.cut else None


def check_years(case: Case) -> None:
    """Raises :class:`NotDerivableError` for an assessment in a year of no trial; the tables were checked when they were read."""
    for day, source in known_alive(case):
        if day.year not in YEARS:
            raise NotDerivableError(f"{source} is {day}, which is no day of a trial; correct it")


def check_start(endpoint: Endpoint, case: Case, protocol: Protocol) -> None:
    """Raises :class:`NotDerivableError` for a day 1 after the subject's death, or after all of its assessments.

    An endpoint with a day 1 of its own (a later treatment) may begin after the last assessment.
    """
    try:
        start = start_of(endpoint, case, protocol)
    except NotDerivableError:
        return
    death = case.subject.dates.get("death")
    if start is None or endpoint.origin in OF_RESPONSE:
        return
    if death is not None and death < start:
        raise NotDerivableError(f"death of {death} lies before the start of the clock on {start}; correct one")
    if endpoint.origin:
        return
    last = max((visit.date for visit in case.course.visits), default=start) if case.course is not None else start
    if last < start:
        raise NotDerivableError(f"the clock starts on {start}, after the last assessment of {last}; correct one")


def horizon_of(endpoint: Endpoint, start: date, protocol: Protocol) -> date | None:
    """The last day that counts for an endpoint with ``until_months``: so many months, in whole days, after day 1."""
    if endpoint.until_months is None:
        return None
    return start + timedelta(days=round(endpoint.until_months * protocol.design.days_per_month))


def last_day(endpoint: Endpoint, start: date, protocol: Protocol) -> date | None:
    """The last day that counts: of the horizon and the data cut-off the earlier one."""
    ends = [day for day in (horizon_of(endpoint, start, protocol), cutoff_of(protocol)) if day is not None]
    return min(ends, default=None)


def cut_short(endpoint: Endpoint, start: date, protocol: Protocol) -> str:
    """Why a share within so many months cannot be told of a subject: the data cut-off came first; "" where it can."""
    horizon, until = horizon_of(endpoint, start, protocol), cutoff_of(protocol)
    if horizon is None or until is None or horizon <= until:
        return ""
    return f"month {endpoint.until_months} is after the data cut-off of {until}"


OF_RESPONSE = ("first_response", "first_confirmed_response")
"""Origins that are no milestone of the study."""


def scheduled_from(endpoint: Endpoint, case: Case, protocol: Protocol) -> date | None:
    """The day that visits are counted from: the endpoint's day 1, for the duration of a response that of the study."""
    try:
        return start_of(replace(endpoint, origin="") if endpoint.origin in OF_RESPONSE else endpoint, case, protocol)
    except NotDerivableError:
        return None


def start_of(endpoint: Endpoint, case: Case, protocol: Protocol) -> date | None:
    """Day 1 of an endpoint; None for the duration of a response that there was not. Raises :class:`NotDerivableError`."""
    origin = endpoint.origin or protocol.origin.event or "baseline"
    course = case.course
    if origin == "baseline":
        if course is None or course.baseline is None:
            raise NotDerivableError("there is no baseline scan to start the clock from")
        return course.baseline
    if origin == "first_response":
        return course.first_response if course is not None else None
    if origin == "first_confirmed_response":
        return course.confirmed_response if course is not None else None
    if origin == "first_procedure" and protocol.origin.procedure and not endpoint.origin:
        origin = f"procedure:{protocol.origin.procedure}"
    found = first(case, origin if ":" in origin else f"date:{origin}")
    if found is None:
        raise NotDerivableError(f"there is no date of {origin} to start the clock from")
    return found.date


ALIVE = (
    *("last_alive", "death", "randomisation", "enrolment", "consent", "first_dose", "first_procedure"),
    "new_anticancer_therapy",
)
"""Columns of subjects.csv; not withdrawal and lost_to_follow_up, which an office may date on a day nobody saw the subject."""


def known_alive(case: Case) -> Iterator[tuple[date, str]]:
    """Days on which the subject was alive, and where that stands; what subjects.csv states comes first."""
    for column in ALIVE:
        if column in case.subject.dates:
            yield case.subject.dates[column], f"subjects.csv {column}"
    if case.course is not None:
        if case.course.baseline is not None:
            yield case.course.baseline, f"{case.course.source} baseline"
        for visit in case.course.visits:
            yield visit.date, f"{case.course.source} last assessment"
    yield from _in_tables(case)


def _in_tables(case: Case) -> Iterator[tuple[date, str]]:
    name, trial = case.subject.subject, case.trial
    for table, rows in (
        ("procedures.csv", trial.procedures),
        ("therapies.csv", trial.therapies),
        ("markers.csv", trial.markers),
        ("liver.csv", trial.liver),
        ("occurrences.csv", trial.occurrences),
    ):
        for row in rows or ():
            if row.subject == name:
                yield row.date, table
    for event in trial.adverse_events or ():
        if event.subject == name and event.start is not None:
            yield event.start, "adverse_events.csv start"
