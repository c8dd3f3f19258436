"""The tables that ``mrecist agree`` writes."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from mrecist import __version__
from mrecist.agreement.about import About
from mrecist.agreement.adjudication import Said
from mrecist.agreement.concordance import Concordance
from mrecist.agreement.crosstabs import Cell
from mrecist.agreement.discordances import Discordance
from mrecist.agreement.resampling import Interval, Statistic
from mrecist.agreement.swaps import Swap
from mrecist.agreement.variables import BEST_RESPONSE, FIRST_RESPONSE_DATE, PROGRESSED, PROGRESSION_DATE
from mrecist.model import VisitResponse
from mrecist.tables import csv_text
from mrecist.units import percent_change

_MADE_BY = ("protocol_sha256", "version")
AGREEMENT_COLUMNS = (
    *("statistic", "form", "weights", "criterion", "variable", "group", "readers", "n", "subjects"),
    *("value", "low", "high", "method", *_MADE_BY),
)
DISCORDANCE_COLUMNS = (
    *("subject", "criterion", "variable", "timepoint", "reader_1", "reader_2", "value_1", "value_2"),
    *("cause", "decides", "also", "explained_by", "detail"),
    *(f"{name}_{i}" for name in ("date", "baseline_sum", "sum", "pct_from_baseline") for i in (1, 2)),
    *(f"{name}_{i}" for name in ("target", "non_target", "new_lesion", "flags", "reason") for i in (1, 2)),
    *_MADE_BY,
)
SWAP_COLUMNS = (
    *("subject", "criterion", "variable", "timepoint", "swap", "reader", "other", "recorded", "swapped", "changes"),
    *("other_recorded", "detail", *_MADE_BY),
)
CROSSTAB_COLUMNS = (*("criterion", "variable", "group", "reader_1", "reader_2", "value_1", "value_2", "n", *_MADE_BY),)
_SAID = (BEST_RESPONSE, PROGRESSED, PROGRESSION_DATE, FIRST_RESPONSE_DATE)
ADJUDICATION_COLUMNS = (
    *("subject", "criterion", "reader", "differs", "causes", *_SAID, "visit_responses", "reason", *_MADE_BY),
)
CONCORDANCE_COLUMNS = (
    *("criterion", "group", "variable", "statistic", "track", "central", "investigator", "count", "n"),
    *("value", "low", "high", "p", "method", *_MADE_BY),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """A row of ``agreement.csv`` before its interval."""

    about: About
    statistic: str
    of: Statistic
    form: str = ""
    weights: str = ""
    method: str = ""


def agreement_csv(rows: Iterable[tuple[Row, Interval]], resamples: int, seed: int, protocol_sha256: str) -> str:
    """``agreement.csv`` as text; numbers with six significant digits. A number that is not defined is empty, never 0."""
    return csv_text(
        AGREEMENT_COLUMNS, (_agreement(row, found, resamples, seed) | _made_by(protocol_sha256) for row, found in rows)
    )


def _agreement(row: Row, found: Interval, resamples: int, seed: int) -> dict[str, Any]:
    how = [row.method] if row.method else []
    if found.low is not None:
        how.append(f"percentile bootstrap over subjects, {resamples} resamples, seed {seed}")
    if found.undefined:
        how.append(f"not defined in {found.undefined} of {resamples} resamples")
    if row.of.value is None:
        how.append("not defined: nothing to compare, or no variation")
    return {
        "statistic": row.statistic,
        "form": row.form,
        "weights": row.weights,
        "criterion": row.about.criterion,
        "variable": row.about.variable,
        "group": row.about.group,
        "readers": "|".join(row.about.readers),
        "n": row.of.units,
        "subjects": row.of.subjects,
        "value": _number(row.of.value),
        "low": _number(found.low),
        "high": _number(found.high),
        "method": "; ".join(how),
    }


def discordances_csv(rows: Iterable[Discordance], protocol_sha256: str, *, dated: bool) -> str:
    """``discordances.csv`` as text."""
    return csv_text(DISCORDANCE_COLUMNS, (_discordance(row, dated) | _made_by(protocol_sha256) for row in rows))


def _discordance(row: Discordance, dated: bool) -> dict[str, Any]:
    cells: dict[str, Any] = {
        "subject": row.subject,
        "criterion": row.criterion,
        "variable": row.variable,
        "timepoint": row.timepoint,
        "cause": row.cause.name,
        "decides": _yes_no(row.cause.decides),
        "also": row.cause.also,
        "explained_by": row.cause.explained_by,
        "detail": row.cause.detail,
    }
    for i, (reader, value, visit, reason) in enumerate(
        zip(row.readers, row.values, row.visits, row.reasons, strict=True), start=1
    ):
        cells |= {f"reader_{i}": reader, f"value_{i}": value, f"reason_{i}": reason}
        if visit is not None:
            cells |= {f"{name}_{i}": cell for name, cell in _of_visit(visit, dated).items()}
    return cells


def _of_visit(visit: VisitResponse, dated: bool) -> dict[str, Any]:
    percent = None
    if visit.sum is not None and visit.baseline_sum is not None:
        percent = percent_change(visit.sum, visit.baseline_sum)
    return {
        "date": visit.date if dated else None,
        "baseline_sum": visit.baseline_sum,
        "sum": visit.sum,
        "pct_from_baseline": percent,
        "target": visit.target,
        "non_target": visit.non_target,
        "new_lesion": visit.new_lesion,
        "flags": visit.flags,
    }


def crosstabs_csv(rows: Iterable[Cell], protocol_sha256: str) -> str:
    """``crosstabs.csv`` as text."""
    return csv_text(CROSSTAB_COLUMNS, (_cell(row) | _made_by(protocol_sha256) for row in rows))


def _cell(row: Cell) -> dict[str, Any]:
    cells: dict[str, Any] = {name: getattr(row.about, name) for name in ("criterion", "variable", "group")}
    for i, (reader, value) in enumerate(zip(row.about.readers, row.values, strict=True), start=1):
        cells |= {f"reader_{i}": reader, f"value_{i}": value}
    return {**cells, "n": row.n}


def swaps_csv(rows: Iterable[Swap], protocol_sha256: str) -> str:
    """``swaps.csv`` as text."""
    names = (
        "subject",
        "criterion",
        "variable",
        "timepoint",
        "swap",
        "reader",
        "other",
        "recorded",
        "swapped",
        "other_recorded",
        "detail",
    )
    return csv_text(
        SWAP_COLUMNS,
        (
            {**{n: getattr(row, n) for n in names}, "changes": _yes_no(row.changes), **_made_by(protocol_sha256)}
            for row in rows
        ),
    )


def adjudication_csv(rows: Iterable[Said], protocol_sha256: str) -> str:
    """``adjudication.csv`` as text."""
    return csv_text(ADJUDICATION_COLUMNS, (_adjudication(row) | _made_by(protocol_sha256) for row in rows))


def _adjudication(row: Said) -> dict[str, Any]:
    names = ("subject", "criterion", "reader", "differs", "causes", "reason")
    return {**{n: getattr(row, n) for n in names}, **row.values, "visit_responses": row.visits}


def concordance_csv(rows: Iterable[Concordance], protocol_sha256: str) -> str:
    """``concordance.csv`` as text; numbers with six significant digits."""
    return csv_text(CONCORDANCE_COLUMNS, (_concordance(row) | _made_by(protocol_sha256) for row in rows))


def _concordance(row: Concordance) -> dict[str, Any]:
    names = ("criterion", "group", "variable", "statistic", "track", "central", "investigator", "count", "n", "method")
    numbers = {name: _number(getattr(row, name)) for name in ("value", "low", "high", "p")}
    return {**{name: getattr(row, name) for name in names}, **numbers}


def _made_by(protocol_sha256: str) -> dict[str, Any]:
    return {"protocol_sha256": protocol_sha256, "version": __version__}


def _yes_no(value: bool | None) -> str:
    return "" if value is None else "yes" if value else "no"


def _number(value: float | None) -> Decimal | None:
    """Six significant digits, written without an exponent."""
    return None if value is None else Decimal(f"{value:.6g}")
