"""events.csv, outcomes.csv, changes.csv and the tables of adverse events (docs/files.md)."""

from __future__ import annotations

from collections.abc import Iterable
from decimal import ROUND_HALF_UP, Decimal

from mrecist import __version__
from mrecist.endpoints.changes import Change
from mrecist.endpoints.eligibility import Eligibility
from mrecist.endpoints.proportions import Outcome
from mrecist.endpoints.safety import Share, Worst
from mrecist.endpoints.times import EventTime
from mrecist.tables import csv_text

EVENT_COLUMNS = (
    *("subject", "endpoint", "arm", "start", "date", "days", "cnsr", "reason", "source"),
    *("status", "event", "reader", "read_by", "criterion", "region", "paramcd", "flags"),
    *("protocol_sha256", "version"),
)
OUTCOME_COLUMNS = (
    *("subject", "endpoint", "arm", "months", "success", "value", "date", "reason"),
    *("reader", "read_by", "criterion", "region", "paramcd", "protocol_sha256", "version"),
)
CHANGE_COLUMNS = (
    *("subject", "endpoint", "arm", "months", "percent", "date", "timepoint", "success", "reason"),
    *("reader", "read_by", "criterion", "region", "paramcd", "protocol_sha256", "version"),
)
WORST_COLUMNS = (
    *("subject", "arm", "term", "soc", "grade", "related", "undecided", "events", "first"),
    *("protocol_sha256", "version"),
)
SAFETY_COLUMNS = (
    *("table", "level", "soc", "term", "relation", "grade", "arm", "n", "subjects", "unknown"),
    *("percent", "percent_least", "percent_most", "population", "protocol_sha256", "version"),
)
ELIGIBILITY_COLUMNS = (
    *("subject", "arm", "reader", "eligible", "measurable", "prior_response", "prior_group", "reason"),
    *("protocol_sha256", "version"),
)
_WORD = {True: "yes", False: "no", None: ""}


def events_csv(rows: Iterable[EventTime], protocol_sha256: str) -> str:
    """``events.csv`` as text."""
    made = {"protocol_sha256": protocol_sha256, "version": __version__}
    return csv_text(EVENT_COLUMNS, ({**{n: getattr(row, n, None) for n in EVENT_COLUMNS}, **made} for row in rows))


def outcomes_csv(rows: Iterable[Outcome], protocol_sha256: str) -> str:
    """``outcomes.csv`` as text; ``success`` is empty for a subject outside the denominator."""
    return _with_success(OUTCOME_COLUMNS, rows, protocol_sha256)


def changes_csv(rows: Iterable[Change], protocol_sha256: str) -> str:
    """``changes.csv`` as text; ``percent`` is empty where there is no complete sum."""
    return _with_success(CHANGE_COLUMNS, rows, protocol_sha256)


def _with_success(columns: tuple[str, ...], rows: Iterable[Outcome | Change], protocol_sha256: str) -> str:
    made = {"protocol_sha256": protocol_sha256, "version": __version__}
    cells = ({**{n: getattr(row, n, None) for n in columns}, **made, "success": _WORD[row.success]} for row in rows)
    return csv_text(columns, cells)


def eligibility_csv(rows: Iterable[Eligibility], protocol_sha256: str) -> str:
    """``eligibility.csv`` as text; ``eligible`` is empty where it hangs on what is not recorded."""
    made = {"protocol_sha256": protocol_sha256, "version": __version__}
    cells = (
        {**{n: getattr(row, n, None) for n in ELIGIBILITY_COLUMNS}, **made, "eligible": _WORD[row.eligible]}
        for row in rows
    )
    return csv_text(ELIGIBILITY_COLUMNS, cells)


def worst_grades_csv(rows: Iterable[Worst], protocol_sha256: str) -> str:
    """``worst_grades.csv`` as text; a grade of 0 is none, so the cell is empty."""
    made = {"protocol_sha256": protocol_sha256, "version": __version__}
    return csv_text(
        WORST_COLUMNS,
        ({**{n: getattr(row, n, None) or None for n in WORST_COLUMNS}, **made} for row in rows),
    )


def safety_csv(rows: Iterable[Share], protocol_sha256: str) -> str:
    """``safety.csv`` as text; ``percent`` is empty where it hangs on what is not recorded, or nobody is counted."""
    made = {"protocol_sha256": protocol_sha256, "version": __version__}
    return csv_text(SAFETY_COLUMNS, ({**_share(row), **made} for row in rows))


def _share(row: Share) -> dict[str, object]:
    cells: dict[str, object] = {name: getattr(row, name, None) for name in SAFETY_COLUMNS}
    if row.n:
        least, most = (_percent(count, row.n) for count in (row.subjects, row.subjects + row.unknown))
        cells |= {"percent_least": least, "percent_most": most, "percent": least if not row.unknown else None}
    return cells


def _percent(count: int, of: int) -> str:
    """One decimal, a half upwards, as tables of trials round."""
    return str((Decimal(100 * count) / of).quantize(Decimal("0.1"), ROUND_HALF_UP))
