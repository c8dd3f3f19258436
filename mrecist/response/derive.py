"""All reads of a table by all criteria of a protocol: time-point responses and best responses. One bad read stops no other."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import date

from mrecist.errors import ReadError
from mrecist.model import BestResponse, Measurement, Problem, Response, SubjectDates, VisitResponse
from mrecist.protocol import CriterionSetting, Protocol, ResponseRules
from mrecist.response.best import Assessment, best_response
from mrecist.response.options import responses_of
from mrecist.response.read import Read, build_read
from mrecist.tables import ReportedResponses


@dataclass(frozen=True, slots=True, kw_only=True)
class Derived:
    """What was derived, and the reads that could not be."""

    responses: tuple[VisitResponse, ...]
    best: tuple[BestResponse, ...]
    problems: tuple[Problem, ...]


def derive(
    reads: Mapping[tuple[str, str], Iterable[Measurement]],
    protocol: Protocol,
    criteria: tuple[CriterionSetting, ...],
    dates: SubjectDates | None = None,
    part: Callable[[Read], Read] | None = None,
) -> Derived:
    """Assess every read by every criterion.

    ``part`` takes a part of each read (the lesions of a region) once its rows have been found free of contradictions; raises
    :class:`ReadError` where it cannot.
    """
    part = part or _whole
    dates = dates or SubjectDates()
    responses: list[VisitResponse] = []
    best: list[BestResponse] = []
    problems: list[Problem] = []
    for (subject, reader), rows in reads.items():
        try:
            read = build_read(rows)
            visits = [responses_of(part(read), setting, protocol.response) for setting in criteria]
        except ReadError as error:
            problems.append(Problem(subject=subject, reader=reader, message=str(error)))
            continue
        until, _ = last_day(subject, protocol.response, dates, visits[0][0].date) if visits else (None, ())
        known = visits if until is None else _as_known(read, until, visits, criteria, protocol.response, part)
        for of_criterion, then in zip(visits, known, strict=True):
            responses += _shown(of_criterion, protocol.response)
            best.append(best_of_visits(then, protocol.response, dates, cut=len(then) < len(of_criterion)))
    return Derived(responses=tuple(responses), best=tuple(best), problems=tuple(problems))


def _as_known(
    read: Read,
    until: date,
    visits: list[tuple[VisitResponse, ...]],
    criteria: tuple[CriterionSetting, ...],
    rules: ResponseRules,
    part: Callable[[Read], Read],
) -> list[tuple[VisitResponse, ...]]:
    """The responses as they were known on the last day that counts: a later scan proves no new lesion before it."""
    kept = [visit for visit in read.visits if visit.timepoint == 0 or visit.dates[0] <= until]
    if len(kept) == len(read.visits):
        return visits
    before = build_read(row for visit in kept for row in visit.rows.values())
    return [responses_of(part(before), setting, rules) for setting in criteria]


def _whole(read: Read) -> Read:
    return read


def _shown(visits: tuple[VisitResponse, ...], rules: ResponseRules) -> Iterable[VisitResponse]:
    """Visits after progression are shown unless the protocol stops there; they are never in the best response (A32)."""
    for visit in visits:
        yield visit
        if rules.after_pd == "stop" and visit.overall in (Response.PD, Response.ICPD):
            return


def best_of_visits(
    visits: tuple[VisitResponse, ...], rules: ResponseRules, dates: SubjectDates | None = None, *, cut: bool = False
) -> BestResponse:
    """Best response from the time-point responses of one subject, reader and criterion, baseline first.

    ``cut``: later visits are left out already, because they lie after the last day that counts.
    """
    dates = dates or SubjectDates()
    baseline, *follow_ups = visits
    start = baseline.date
    flags: tuple[str, ...] = ()
    if dates.origins is not None:
        start = dates.origins.get(baseline.subject, baseline.date)
        flags = () if baseline.subject in dates.origins else ("ORIGIN_MISSING",)
    until, unknown = last_day(baseline.subject, rules, dates, baseline.date)
    assessments = [
        Assessment(
            date=v.date,
            overall=v.overall,
            timepoint=v.timepoint,
            disease_seen=any(flag.startswith("CR_THEN_WORSE:") for flag in v.flags),
            disregarded=any(flag.startswith("CONFIRMATION_EARLY:") for flag in v.flags),
        )
        for v in follow_ups
        if v.overall is not None
    ]
    return best_response(
        assessments,
        start=start,
        rules=rules,
        subject=baseline.subject,
        reader=baseline.reader,
        criterion=baseline.criterion,
        until=until,
        flags=(*flags, *unknown),
        cut=cut,
    )


def best_of_reported(
    case: ReportedResponses, criterion: str, rules: ResponseRules, dates: SubjectDates
) -> BestResponse:
    """Best response from the responses that were reported of one subject by one reader."""
    until, flags = last_day(case.subject, rules, dates, case.baseline_date)
    return best_response(
        [Assessment(date=day, overall=overall) for day, overall in case.responses],
        start=case.baseline_date,
        rules=rules,
        subject=case.subject,
        reader=case.reader,
        criterion=criterion,
        until=until,
        flags=flags,
    )


def last_day(
    subject: str, rules: ResponseRules, dates: SubjectDates, baseline: date
) -> tuple[date | None, tuple[str, ...]]:
    """The last day that counts (a new anticancer therapy, the data cut-off, or None), and flags where one is not known or not used.

    A therapy that began before day 1 of the study (the origin, without one the baseline) is none that a subject turned to: FDA 2018,
    appendix 3, has those after randomisation. It cuts nothing and is flagged.
    """
    ends: list[date] = []
    flags: tuple[str, ...] = ()
    if "new_anticancer_therapy" in rules.cut:
        if dates.new_therapy is None:
            flags = ("NEW_THERAPY_UNKNOWN",)
        elif subject in dates.new_therapy:
            therapy, day_1 = dates.new_therapy[subject], (dates.origins or {}).get(subject, baseline)
            if therapy < day_1:
                flags = (f"NEW_THERAPY_BEFORE_START:{therapy}",)
            else:
                ends.append(therapy)
    if "data_cutoff" in rules.cut:
        if rules.data_cutoff is None:
            flags = (*flags, "CUTOFF_UNKNOWN")
        else:
            ends.append(rules.data_cutoff)
    return min(ends, default=None), flags
