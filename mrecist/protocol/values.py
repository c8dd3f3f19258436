"""How one value of a protocol is read; what it must be is the sentence of the ``ValueError``."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from mrecist.dates import PartialDate
from mrecist.protocol.rules import EveryWeeks
from mrecist.units import MAX_DIGITS

Reader = Callable[[Any], Any]


def number(value: Any) -> Decimal:
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise ValueError("a number")
    if not 0 <= value < 1e6:
        raise ValueError("a number of 0 or more")
    number = Decimal(str(value))
    if number and number.adjusted() < -MAX_DIGITS:
        raise ValueError(f"a number with at most {MAX_DIGITS} decimals")
    return number


def whole(value: Any) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or value < 0:
        raise ValueError("a whole number of 0 or more")
    return value


def days(value: Any) -> tuple[int, ...]:
    """A number of days, or several, rising."""
    given = value if isinstance(value, list) else [value]
    try:
        found = tuple(map(whole, given))
    except ValueError:
        found = ()
    if not found or list(found) != sorted(set(found)):
        raise ValueError("a whole number, or a rising list of them")
    return found


def share(value: Any) -> Decimal:
    try:
        share = number(value)
    except ValueError:
        share = Decimal(-1)
    if not 0 <= share <= 1:
        raise ValueError("a number from 0 to 1")
    return share


def draws(value: Any) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or not 100 <= value <= 1_000_000:
        raise ValueError("a whole number from 100 to 1000000")
    return value


def repeats(value: Any) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or not (value == 0 or 5 <= value <= 1000):
        raise ValueError("0, or a whole number from 5 to 1000")
    return value


def dense_hu(value: Any) -> float:
    try:
        hu = number(value)
    except ValueError:
        hu = Decimal(-1)
    if hu != 0 and not 150 <= hu <= 3000:
        raise ValueError("0, or a number from 150 to 3000")
    return float(hu)


def step(value: Any) -> Decimal:
    if number(value) == 0:
        raise ValueError("a number above 0")
    return number(value)


def yes_no(value: Any) -> bool:
    if not isinstance(value, bool):
        raise ValueError("true or false")
    return value


def text(value: Any) -> str:
    if not isinstance(value, str):
        raise ValueError("a text")
    return value


def some_text(value: Any) -> str:
    if not isinstance(value, str) or not value.strip():
        raise ValueError("a text that is not empty")
    return value.strip()


def confirm_pd(value: Any) -> dict[str, int]:
    """Keys of :class:`Thresholds` that ``{ min_days, max_days }`` stands for."""
    keys = {"min_days": "icpd_min_days", "max_days": "icpd_max_days"}
    known = isinstance(value, dict) and bool(value) and not value.keys() - keys.keys()
    if not known or any(type(days) is not int or days < 0 for days in value.values()):
        raise ValueError("a table of whole numbers of days such as { min_days = 28, max_days = 56 }")
    return {keys[key]: days for key, days in value.items()}


def assessment_date(value: Any) -> dict[str, str]:
    """Fields of :class:`ResponseRules` that ``{ response, progression }`` stands for."""
    known = isinstance(value, dict) and bool(value) and not value.keys() - {"response", "progression"}
    if not known or any(scan not in ("latest_scan", "earliest_scan") for scan in value.values()):
        raise ValueError('a table of response and progression, each "latest_scan" or "earliest_scan"')
    return {f"{key}_date": scan for key, scan in value.items()}


def day(value: Any) -> date:
    if isinstance(value, datetime) or not isinstance(value, date):
        raise ValueError("a date without quotes, such as 2024-01-31")
    return value


def day_text(value: Any) -> str:
    try:
        written = date.fromisoformat(value).isoformat()
    except (TypeError, ValueError):
        written = ""
    if not written or written != value:
        raise ValueError('a date as a text, such as "2022-09-30"')
    return written


def redcap_name(value: Any) -> str:
    if not isinstance(value, str) or not re.fullmatch("[a-z][a-z0-9_]*", value):
        raise ValueError("a text of small letters, digits and _ that begins with a letter, as REDCap names instruments")
    return value


def texts(value: Any) -> tuple[str, ...]:
    if not isinstance(value, list) or not all(isinstance(item, str) for item in value):
        raise ValueError("a list of texts")
    return tuple(value)


def treatments(value: Any) -> tuple[str, ...]:
    tags = ("date:", "procedure:")
    known = isinstance(value, list) and all(
        isinstance(one, str) and any(one.startswith(tag) and one != tag for tag in tags) for one in value
    )
    if not known:
        raise ValueError("a list of date:COLUMN and procedure:NAME")
    return tuple(value)


def one_of(*allowed: str) -> Callable[[Any], str]:
    def read(value: Any) -> str:
        if value not in allowed:
            raise ValueError("one of " + ", ".join(f'"{a}"' for a in allowed))
        return str(value)

    return read


SPELLINGS = {"randomization": "randomisation", "enrollment": "enrolment"}
"""Origins in American spelling."""


def origin_event(value: Any) -> str:
    """Day 1 of the study; American spelling is another word for ours."""
    known = ("randomisation", "enrolment", "consent", "first_dose", "first_procedure", "baseline")
    return one_of(*known)(SPELLINGS.get(value, value) if isinstance(value, str) else value)


def partial_date(value: Any) -> PartialDate:
    """``reject`` is another word for ``refuse``."""
    word = one_of(*PartialDate, "reject")(value)
    return PartialDate.REFUSE if word == "reject" else PartialDate(word)


def list_of(*allowed: str) -> Callable[[Any], tuple[str, ...]]:
    def read(value: Any) -> tuple[str, ...]:
        if not isinstance(value, list) or any(item not in allowed for item in value):
            raise ValueError("a list of " + ", ".join(f'"{a}"' for a in allowed))
        return tuple(value)

    return read


def some_of(*allowed: str) -> Callable[[Any], tuple[str, ...]]:
    def read(value: Any) -> tuple[str, ...]:
        if not isinstance(value, list) or not value or any(value.count(one) > 1 or one not in allowed for one in value):
            raise ValueError("a list of one or more of " + ", ".join(f'"{a}"' for a in allowed) + ", each once")
        return tuple(value)

    return read


def stretches(value: Any) -> tuple[EveryWeeks, ...]:
    wanted = "a list such as [{ every_weeks = 8, until_week = 48 }, { every_weeks = 12 }], weeks rising"
    if not isinstance(value, list):
        raise ValueError(wanted)
    stretches: list[EveryWeeks] = []
    for item in value:
        known = isinstance(item, dict) and "every_weeks" in item and not item.keys() - {"every_weeks", "until_week"}
        if not known or any(type(number) is not int or number < 1 for number in item.values()):
            raise ValueError(wanted)
        last = stretches[-1].until_week if stretches else 0
        stretch = EveryWeeks(every_weeks=item["every_weeks"], until_week=item.get("until_week"))
        if last is None or (stretch.until_week is not None and stretch.until_week <= last):
            raise ValueError(wanted)
        stretches.append(stretch)
    return tuple(stretches)
