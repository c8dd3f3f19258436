"""Dates: the only home of date arithmetic. ISO 8601 in, ISO 8601 out."""

from __future__ import annotations

import calendar
import re
from datetime import date
from enum import StrEnum
from functools import lru_cache

_FULL = re.compile(r"\d{4}-\d{2}-\d{2}")
_MONTH = re.compile(r"(\d{4})-(\d{2})")
_YEAR = re.compile(r"\d{4}")


class PartialDate(StrEnum):
    """What to do with a date that lacks its day (``2014-02``)."""

    REFUSE = "refuse"
    FIRST_OF_MONTH = "first_of_month"
    MIDDLE_OF_MONTH = "middle_of_month"
    LAST_OF_MONTH = "last_of_month"


@lru_cache(maxsize=100_000)
def parse_date(text: str, partial: PartialDate = PartialDate.REFUSE) -> date:
    """The date written in ``text`` (ISO 8601); raises ``ValueError`` with the reason."""
    text = text.strip()
    if _FULL.fullmatch(text):
        try:
            return date.fromisoformat(text)
        except ValueError:
            raise ValueError(f"'{text}' is not a day of the calendar") from None
    month = _MONTH.fullmatch(text)
    if month and 1 <= int(month[2]) <= 12:
        return _complete(int(month[1]), int(month[2]), text, partial)
    if _YEAR.fullmatch(text):
        raise ValueError(f"'{text}' is only a year; a day is needed")
    raise ValueError(f"'{text}' is not an ISO 8601 date (YYYY-MM-DD)")


def _complete(year: int, month: int, text: str, partial: PartialDate) -> date:
    last = calendar.monthrange(year, month)[1] if year >= 1 else 28
    days = {PartialDate.FIRST_OF_MONTH: 1, PartialDate.MIDDLE_OF_MONTH: 15, PartialDate.LAST_OF_MONTH: last}
    if partial not in days:
        raise ValueError(f"'{text}' lacks its day; give it, or set schedule.partial_date in the protocol")
    return date(year, month, days[partial])


YEARS = range(1900, 2101)
"""A year outside is a slip of the pen (0202, 2202, 9999 for "not yet")."""


class ImputedDate(date):
    """A day that was not recorded: ``text`` is what was (``2014-02``), ``moved`` that the day gave way to a known one of that month.

    It compares and counts as any other date. A day computed from it (so many days later) has no ``text``.
    """

    text: str = ""
    moved: bool = False

    @classmethod
    def of(cls, day: date, text: str, *, moved: bool = False) -> ImputedDate:
        """The day that stands for ``text``."""
        made = cls(day.year, day.month, day.day)
        made.text, made.moved = text, moved
        return made


def given_text(day: date) -> str:
    """What was recorded of a day that was imputed; "" of a day that was recorded whole."""
    return day.text if isinstance(day, ImputedDate) else ""


def parse_clinical_date(text: str, partial: PartialDate = PartialDate.REFUSE) -> date:
    """The date of something that happened to a person, an :class:`ImputedDate` where its day was not recorded.

    Raises ``ValueError`` as :func:`parse_date`, and for a year of no trial.
    """
    day = parse_date(text, partial)
    if day.year not in YEARS:
        raise ValueError(f"'{text.strip()}' is no day of a trial; correct the year")
    return ImputedDate.of(day, text.strip()) if _MONTH.fullmatch(text.strip()) else day


def days_between(earlier: date, later: date) -> int:
    """Whole days from ``earlier`` to ``later``; no day is added."""
    return (later - earlier).days


def day_words(first: int, last: int) -> str:
    """The days of a visit, counted from another day: ``56``, or ``56 to 58`` where they are several."""
    return str(first) if first == last else f"{first} to {last}"
