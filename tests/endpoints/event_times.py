"""Event times for tests, written as words: day, arm, then + for censored and - for a competing event."""

from __future__ import annotations

import re
from datetime import date

from mrecist.endpoints.times import EventTime

STATUS = {"": "event", "+": "censored", "-": "competing"}


def times(words: str) -> list[EventTime]:
    """``12A`` is an event on day 12 in arm A, ``12A+`` a censored time, ``12A-`` a competing event."""
    return [_time(*found) for found in re.findall(r"(\d+)([A-Z])([+-]?)", words)]


def _time(days: str, arm: str, sign: str) -> EventTime:
    return EventTime(
        **dict.fromkeys(("subject", "endpoint", "reason", "source", "event", "reader", "criterion", "paramcd"), ""),
        arm=arm,
        start=date(2020, 1, 1),
        date=date(2020, 1, 1),
        days=int(days),
        cnsr=0 if not sign else 1,
        status=STATUS[sign],
    )
