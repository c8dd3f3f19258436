"""A comparison in words, for the screen."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

from mrecist.sdtm.compare import NO, YES, Comparison, Row

FIRST = 10


def summary(comparison: Comparison) -> Iterator[str]:
    """How many were compared and differ, by test, by criterion and by cause, and the first differences in words."""
    rows = comparison.rows
    compared = [row for row in rows if row.agrees in (YES, NO)]
    differ = [row for row in rows if row.agrees == NO]
    yield f"{len(compared)} reported values compared, {len(differ)} differ, {len(rows) - len(compared)} not compared"
    kinds = Counter((row.criterion, row.test) for row in compared)
    wrong = Counter((row.criterion, row.test) for row in differ)
    for kind in sorted(kinds):
        yield f"  {kind[0]:<10}{kind[1]:<10}{kinds[kind]:>7} compared {wrong[kind]:>7} differ"
    causes = Counter(cause for row in differ for cause in (_causes(row) or ["no known cause"]))
    for cause, count in causes.most_common():
        yield f"  {cause}: {count}"
    passed = Counter(_passed(row) for row in rows if row.agrees not in (YES, NO))
    for why, count in passed.most_common():
        yield f"  not compared, {why}: {count}"
    if differ:
        yield f"The first {min(FIRST, len(differ))} differences:" if len(differ) > 1 else "The difference:"
    # What only follows from other differences comes last.
    for row in sorted(differ, key=lambda row: "REPORTED_PARTS" in _causes(row))[:FIRST]:
        yield f"  {_words(row)}"


def _causes(row: Row) -> list[str]:
    return [flag.removeprefix("CAUSE:") for flag in row.flags if flag.startswith("CAUSE:")]


def _passed(row: Row) -> str:
    return {
        "OTHER_CRITERION": f"{row.rscat or row.test}: no criterion that is derived here",
        "NOT_UNDERSTOOD": f"{row.test} '{row.reported}' not understood",
        "NO_READ": "no usable measurements of that reader",
        "BASELINE": "reported at baseline",
        "NOT_REPORTED": "measured but not reported",
    }[next(flag for flag in reversed(row.flags) if ":" not in flag)]


def _words(row: Row) -> str:
    where = row.visit or "no visit"
    if row.timepoint is not None:
        where += f" (time point {row.timepoint})"
    return (
        f"{row.subject}, {row.reader}, {row.criterion}, {where}: {row.test} reported {row.reported or 'nothing'}, "
        f"derived {row.derived or 'nothing'}. {row.why}"
    )
