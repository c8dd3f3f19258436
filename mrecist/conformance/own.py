"""This package's own engine on the cases."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Iterator
from dataclasses import replace

from mrecist import tables
from mrecist.conformance.cases import Case, CaseSet
from mrecist.conformance.compare import Answers, Difference, compare
from mrecist.conformance.judge import Answered
from mrecist.model import BestResponse, SubjectDates
from mrecist.protocol import Protocol
from mrecist.response.derive import best_of_reported, derive


def answers_of(cases: list[Case], protocol: Protocol, dates: SubjectDates) -> Answers:
    """The engine's answers to cases of one protocol, through the text of its tables."""
    reads = {(case.case, "R1"): case.measurements for case in cases if case.measurements}
    derived = derive(reads, protocol, protocol.criteria, dates)
    best = [*derived.best, *(row for case in cases for row in _best_of_reported(case, protocol, dates))]
    return Answers(
        responses=_rows(tables.responses_csv(derived.responses, protocol.sha256)),
        best=_rows(tables.best_responses_csv(best, protocol.sha256)),
        refused={problem.subject: f"refused: {problem.message}" for problem in derived.problems},
    )


def run_own(cases: CaseSet) -> list[Answered]:
    """Ask the engine about every case of the set."""
    return [
        (group, answers_of(group, protocol, tables.read_subject_dates(cases.subjects, protocol)))
        for _, protocol, group in cases.groups()
        if group
    ]


def differences(
    cases: CaseSet, change: Callable[[Protocol], Protocol] | None = None, criterion: str | None = None
) -> Iterator[Difference]:
    """Run the engine on every case and compare, one protocol after the other.

    ``change`` alters each protocol first (to test the cases); ``criterion`` keeps to the settings that follow this standard.
    """
    for _, protocol, group in cases.groups():
        if criterion is not None:
            protocol, group = _only(criterion, protocol, group)
        if group:
            altered = change(protocol) if change else protocol
            dates = tables.read_subject_dates(cases.subjects, altered)
            yield from compare(group, answers_of(group, altered, dates))


def _only(criterion: str, protocol: Protocol, cases: list[Case]) -> tuple[Protocol, list[Case]]:
    settings = tuple(s for s in protocol.criteria if s.criterion.name == criterion)
    names = {s.name for s in settings}
    kept = [replace(case, expected=tuple(e for e in case.expected if e.criterion in names)) for case in cases]
    return replace(protocol, criteria=settings), [case for case in kept if case.expected]


def _best_of_reported(case: Case, protocol: Protocol, dates: SubjectDates) -> list[BestResponse]:
    if case.reported is None:
        return []
    return [best_of_reported(case.reported, criterion, protocol.response, dates) for criterion in case.criteria]


def _rows(text: str) -> tuple[dict[str, str], ...]:
    return tuple(csv.DictReader(io.StringIO(text, newline="")))
