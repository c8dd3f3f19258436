"""The scorecard on a terminal: a table per criterion and group, then what failed and why."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from rich.console import Console
from rich.table import Table

from mrecist.conformance.judge import Outcome, Result

# So many answers with one and the same reason are a fault of the whole run, told once.
MANY = 6


def _one_reason(result: Result) -> str:
    """What was found in place of every expected value, when it is the same words everywhere; a category is none."""
    found = {difference.found for difference in result.differences}
    words = found.pop() if len(found) == 1 else ""
    return words if " " in words else ""


def print_scorecard(results: Sequence[Result], version: str) -> None:
    """Print the results to standard output."""
    # Width of a page where the output is no terminal, so that nothing is cut there.
    console = Console(highlight=False, width=None if Console().is_terminal else 120)
    console.print(_counts(results, version))
    failed = [result for result in results if result.outcome is Outcome.FAILED]
    shared = Counter(_one_reason(result) for result in failed)
    for reason, times in shared.items():
        if reason and times >= MANY:
            console.print(f"{times} answers failed in the same way: {reason}\n", markup=False, soft_wrap=True)
    for result in failed:
        if shared[_one_reason(result)] < MANY or not _one_reason(result):
            _print_failed(console, result)
    count = Counter(result.outcome for result in results)
    words = ", ".join(f"{count[outcome]} {outcome}" for outcome in Outcome)
    console.print(f"{len(results)} answers to cases {version}: {words}", markup=False)


def _counts(results: Sequence[Result], version: str) -> Table:
    table = Table(title=f"Conformance cases {version}")
    for name in ("criterion", "group"):
        table.add_column(name, no_wrap=True)
    for outcome in Outcome:
        table.add_column(outcome, justify="right")
    criteria = list(dict.fromkeys(result.criterion for result in results))
    for criterion in criteria:
        mine = [result for result in results if result.criterion == criterion]
        for group in dict.fromkeys(result.case.group for result in mine):
            _add_row(table, criterion, group, [r for r in mine if r.case.group == group])
        _add_row(table, criterion, "all", mine)
        table.add_section()
    return table


def _add_row(table: Table, criterion: str, group: str, results: Sequence[Result]) -> None:
    count = Counter(result.outcome for result in results)
    style = "bold" if group == "all" else ""
    cells = [str(count[outcome]) if count[outcome] else "" for outcome in Outcome]
    table.add_row(criterion, group, *cells, style="red" if count[Outcome.FAILED] else style)


def _print_failed(console: Console, result: Result) -> None:
    lines = [f"{result.case.case} {result.criterion}: {result.case.title}"]
    lines += [f"  {difference.in_words()}" for difference in result.differences]
    lines += [f"  source: {result.case.source}", f"  why: {result.case.why}"]
    console.print("\n".join(lines) + "\n", markup=False, soft_wrap=True)
