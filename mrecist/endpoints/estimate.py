"""One estimate: a number with its interval, what it is of, and the method by name. The rows of estimates.csv."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal
from statistics import NormalDist

from mrecist import __version__
from mrecist.tables import csv_text

LEVEL = 0.95
Z = NormalDist().inv_cdf(0.5 + LEVEL / 2)
"""The quantile of the normal distribution for a two-sided interval of that level."""
NOT_INSTALLED = "not installed"
"""How the note of an estimate begins whose libraries are not there."""
ESTIMATE_COLUMNS = (
    *("endpoint", "estimate", "arm", "against", "covariate", "group", "reader", "criterion", "region"),
    *(
        "months",
        "n",
        "events",
        "value",
        "low",
        "high",
        "level",
        "unit",
        "method",
        "p",
        "note",
        "protocol_sha256",
        "version",
    ),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class About:
    """What an estimate is of: endpoint, arm (empty: all), subgroup (``COLUMN=value``), reader, criterion, region (empty: all lesions)."""

    endpoint: str
    arm: str = ""
    group: str = ""
    reader: str = ""
    criterion: str = ""
    region: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Estimate:
    """A row of estimates.csv. ``value`` None: the data do not reach it, which ``note`` says (median not reached)."""

    about: About
    estimate: str
    value: float | None
    low: float | None = None
    high: float | None = None
    n: int | None = None
    events: int | None = None
    against: str = ""
    covariate: str = ""
    months: Decimal | None = None
    unit: str = ""
    method: str = ""
    p: float | None = None
    note: str = ""


def estimates_csv(rows: Iterable[Estimate], protocol_sha256: str) -> str:
    """``estimates.csv`` as text; numbers with six significant digits."""
    made = {"protocol_sha256": protocol_sha256, "version": __version__}
    return csv_text(ESTIMATE_COLUMNS, ({**_cells(row), **made} for row in rows))


def _cells(row: Estimate) -> dict[str, object]:
    cells: dict[str, object] = {name: getattr(row.about, name) for name in About.__slots__}
    cells |= {
        name: getattr(row, name)
        for name in ("estimate", "against", "covariate", "months", "n", "events", "unit", "method", "note")
    }
    cells |= {name: _number(getattr(row, name)) for name in ("value", "low", "high", "p")}
    has_interval = row.low is not None or row.high is not None
    return {**cells, "level": "0.95" if has_interval else ""}


def _number(value: float | None) -> str:
    return "" if value is None else f"{value:.6g}"
