"""``responses.csv``, ``best_responses.csv`` and ``problems.csv`` (docs/files.md)."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from mrecist import __version__
from mrecist.model import (
    BestResponse,
    Problem,
    VisitResponse,
)
from mrecist.tables.files import csv_text
from mrecist.units import difference, percent_change

RESPONSE_COLUMNS = (
    *("subject", "reader", "criterion", "timepoint", "date", "sum", "unit", "baseline_sum", "nadir_sum"),
    *("nadir_timepoint", "pct_from_baseline", "pct_from_nadir", "abs_from_nadir", "target", "non_target"),
    *("new_lesion", "overall", "flags", "reason", "protocol_sha256", "version"),
)
BEST_COLUMNS = (
    *("subject", "reader", "criterion", "best_unconfirmed", "best_confirmed", "first_response_date"),
    *("confirmed_response_date", "progression_date", "last_assessment_date", "flags", "reason"),
    *("protocol_sha256", "version"),
)
PROBLEM_COLUMNS = ("subject", "reader", "message")


def responses_csv(rows: Iterable[VisitResponse], protocol_sha256: str) -> str:
    """``responses.csv`` as text."""
    return csv_text(RESPONSE_COLUMNS, (_response_cells(row, protocol_sha256) for row in rows))


def _response_cells(row: VisitResponse, protocol_sha256: str) -> dict[str, Any]:
    cells: dict[str, Any] = {name: getattr(row, name, None) for name in RESPONSE_COLUMNS}
    cells |= {"protocol_sha256": protocol_sha256, "version": __version__}
    if row.nadir is not None:
        cells |= {"nadir_sum": row.nadir.sum, "nadir_timepoint": row.nadir.timepoint}
    if row.sum is not None and row.timepoint > 0:
        if row.baseline_sum is not None:
            cells["pct_from_baseline"] = percent_change(row.sum, row.baseline_sum)
        if row.nadir is not None:
            cells["pct_from_nadir"] = percent_change(row.sum, row.nadir.sum)
            cells["abs_from_nadir"] = difference(row.sum, row.nadir.sum)
    return cells


def best_responses_csv(rows: Iterable[BestResponse], protocol_sha256: str) -> str:
    """``best_responses.csv`` as text."""
    extra = {"protocol_sha256": protocol_sha256, "version": __version__}
    return csv_text(BEST_COLUMNS, ({**{n: getattr(row, n, None) for n in BEST_COLUMNS}, **extra} for row in rows))


def problems_csv(problems: Iterable[Problem]) -> str:
    """``problems.csv`` as text."""
    return csv_text(PROBLEM_COLUMNS, ({n: getattr(problem, n) for n in PROBLEM_COLUMNS} for problem in problems))
