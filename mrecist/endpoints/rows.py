"""events.csv and outcomes.csv (docs/files.md)."""

from __future__ import annotations

from collections.abc import Iterable

from mrecist import __version__
from mrecist.endpoints.proportions import Outcome
from mrecist.endpoints.times import EventTime
from mrecist.tables import csv_text

EVENT_COLUMNS = (
    *("subject", "endpoint", "arm", "start", "date", "days", "cnsr", "reason", "source"),
    *("status", "event", "reader", "criterion", "paramcd", "flags", "protocol_sha256", "version"),
)
OUTCOME_COLUMNS = (
    *("subject", "endpoint", "arm", "months", "success", "value", "date", "reason"),
    *("reader", "criterion", "paramcd", "protocol_sha256", "version"),
)
_WORD = {True: "yes", False: "no", None: ""}


def events_csv(rows: Iterable[EventTime], protocol_sha256: str) -> str:
    """``events.csv`` as text."""
    made = {"protocol_sha256": protocol_sha256, "version": __version__}
    return csv_text(EVENT_COLUMNS, ({**{n: getattr(row, n, None) for n in EVENT_COLUMNS}, **made} for row in rows))


def outcomes_csv(rows: Iterable[Outcome], protocol_sha256: str) -> str:
    """``outcomes.csv`` as text; ``success`` is empty for a subject outside the denominator."""
    made = {"protocol_sha256": protocol_sha256, "version": __version__}
    return csv_text(
        OUTCOME_COLUMNS,
        (
            {**{n: getattr(row, n, None) for n in OUTCOME_COLUMNS}, **made, "success": _WORD[row.success]}
            for row in rows
        ),
    )
