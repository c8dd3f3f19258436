"""What an engine's answers amount to, case by case: passed, failed, or not answered."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

from mrecist.conformance.cases import Case, CaseSet
from mrecist.conformance.compare import NO_COLUMN, NOT_ASKED, Answers, Difference, compare
from mrecist.tables import csv_text

RESULT_COLUMNS = ("cases", "case", "criterion", "group", "result", "differences", "title", "source", "why")
Answered = tuple[Sequence[Case], Answers]


class Outcome(StrEnum):
    """Not answered: the engine does not know the criterion, has no such column, or was not asked."""

    PASSED = "passed"
    FAILED = "failed"
    NOT_ANSWERED = "not answered"


@dataclass(frozen=True, slots=True, kw_only=True)
class Result:
    """One case by one criterion."""

    case: Case
    criterion: str
    outcome: Outcome
    differences: tuple[Difference, ...]


def judge(cases: CaseSet, answered: Iterable[Answered]) -> list[Result]:
    """Results of all cases in the order of the set.

    A criterion that is in none of the engine's rows is not known to it: its cases are not answered, unless the run itself failed.
    """
    answered = list(answered)
    standards = _standards(cases)
    known = {standards.get(name, name) for _, answers in answered for name in answers.criteria}
    results: list[Result] = []
    for group, answers in answered:
        found = compare(group, answers)
        for case in group:
            for criterion in case.criteria:
                mine = tuple(d for d in found if d.case == case.case and d.criterion == criterion)
                stranger = not answers.broken and standards.get(criterion, criterion) not in known
                results.append(_result(case, criterion, mine, stranger))
    order = {case.case: index for index, case in enumerate(cases.cases)}
    return sorted(results, key=lambda result: (order[result.case.case], result.criterion))


def _standards(cases: CaseSet) -> Mapping[str, str]:
    return {s.name: s.criterion.name for protocol in cases.protocols.values() for s in protocol.criteria}


def _result(case: Case, criterion: str, differences: tuple[Difference, ...], stranger: bool) -> Result:
    outcome = Outcome.PASSED
    if stranger:
        outcome = Outcome.NOT_ANSWERED
    elif any(d.found not in (NO_COLUMN, NOT_ASKED) for d in differences):
        outcome = Outcome.FAILED
    elif differences:
        outcome = Outcome.NOT_ANSWERED
    return Result(case=case, criterion=criterion, outcome=outcome, differences=differences)


def results_csv(results: Iterable[Result], version: str) -> str:
    """The results as a table, one row per case and criterion."""
    return csv_text(
        RESULT_COLUMNS,
        (
            {
                "cases": version,
                "case": result.case.case,
                "criterion": result.criterion,
                "group": result.case.group,
                "result": result.outcome,
                "differences": "; ".join([d.in_words() for d in result.differences]),
                "title": result.case.title,
                "source": result.case.source,
                "why": result.case.why,
            }
            for result in results
        ),
    )
