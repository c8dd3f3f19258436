"""Texts of a case without its dates, its subject where it has another name, and who read it."""

from __future__ import annotations

import re
from datetime import date

from mrecist.dates import days_between
from mrecist.review.reviewed import Case

_DAY = re.compile(r"\b\d{4}-\d\d-\d\d\b")


def blinded(case: Case, value: object) -> str:
    """A value as text for an adjudicator: dates as days after the baseline; None is empty.

    Readers are called by their part in :class:`mrecist.review.reviewed.Reviewed` already.
    """
    if value is None:
        return ""
    if isinstance(value, date):
        return f"day {days_between(case.baseline, value)}"
    text = str(value)
    if case.key != case.subject:
        text = re.sub(rf"(?<!\w){re.escape(case.subject)}(?!\w)", lambda _: case.key, text)
    return _DAY.sub(lambda match: _day(case, match[0]), text)


def _day(case: Case, text: str) -> str:
    try:
        return f"day {days_between(case.baseline, date.fromisoformat(text))}"
    except ValueError:
        return "a day"
