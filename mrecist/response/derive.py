"""All reads of a table by all criteria of a protocol: time-point responses and best responses. One bad read stops no other."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date

from mrecist.errors import ReadError
from mrecist.model import BestResponse, Measurement, Problem, VisitResponse
from mrecist.protocol import CriterionSetting, Protocol, ResponseRules
from mrecist.response.assess import assess_subject
from mrecist.response.best import Assessment, best_response


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
    origins: Mapping[str, date] | None = None,
) -> Derived:
    """Assess every read by every criterion.

    ``origins`` (subject -> date of the protocol's origin event) starts the clock of stable disease; None when the protocol
    names no origin, and then the clock starts at the baseline scan.
    """
    responses: list[VisitResponse] = []
    best: list[BestResponse] = []
    problems: list[Problem] = []
    for (subject, reader), rows in reads.items():
        rows = list(rows)
        try:
            visits = [assess_subject(rows, setting, protocol.response) for setting in criteria]
        except ReadError as error:
            problems.append(Problem(subject=subject, reader=reader, message=str(error)))
            continue
        for of_criterion in visits:
            responses += of_criterion
            best.append(best_of_visits(of_criterion, protocol.response, origins))
    return Derived(responses=tuple(responses), best=tuple(best), problems=tuple(problems))


def best_of_visits(
    visits: tuple[VisitResponse, ...], rules: ResponseRules, origins: Mapping[str, date] | None = None
) -> BestResponse:
    """Best response from the time-point responses of one subject, reader and criterion, baseline first."""
    baseline, *follow_ups = visits
    start = baseline.date
    flags: tuple[str, ...] = ()
    if origins is not None:
        start = origins.get(baseline.subject, baseline.date)
        flags = () if baseline.subject in origins else ("ORIGIN_MISSING",)
    assessments = [
        Assessment(date=v.date, overall=v.overall, timepoint=v.timepoint) for v in follow_ups if v.overall is not None
    ]
    return best_response(
        assessments,
        start=start,
        rules=rules,
        subject=baseline.subject,
        reader=baseline.reader,
        criterion=baseline.criterion,
        flags=flags,
    )
