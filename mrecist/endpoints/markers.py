"""Negative conversion of a tumour marker: above the limit at baseline, at or below it later."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from mrecist.endpoints.clock import NotDerivableError, cutoff_of, start_of
from mrecist.endpoints.happenings import Case
from mrecist.protocol import Endpoint, MarkerRule, Protocol
from mrecist.trial import Marker

# Units of the same quantity -> factor to the first of them. CEA and AFP: 1 ug/L = 1 ng/mL; CA 19-9: 1 U/mL = 1 kU/L.
_SAME = (
    {"ug/l": Decimal(1), "µg/l": Decimal(1), "ng/ml": Decimal(1), "mg/l": Decimal(1000)},
    {"u/ml": Decimal(1), "ku/l": Decimal(1), "iu/ml": Decimal(1)},
    {"mau/ml": Decimal(1), "au/l": Decimal(1)},
)


@dataclass(frozen=True, slots=True)
class Conversion:
    """Whether a marker turned negative; ``success`` None: the subject is not in the denominator."""

    success: bool | None
    value: str
    date: date | None
    reason: str


def converted(rule: MarkerRule, case: Case, protocol: Protocol, endpoint: Endpoint) -> Conversion:
    """The conversion of one subject: the last value up to the start of the clock is its baseline."""
    try:
        start = start_of(endpoint, case, protocol)
    except NotDerivableError as error:
        return Conversion(None, "", None, str(error))
    assert start is not None
    until = cutoff_of(protocol)
    rows = [row for row in case.own(case.trial.markers, "markers", rule.test) if row.test == rule.test.upper()]
    rows = sorted((row for row in rows if until is None or row.date <= until), key=lambda row: row.date)
    before = [row for row in rows if row.date <= start]
    if rule.elevated_at_baseline:
        if not before:
            return Conversion(None, "", None, f"no {rule.test} up to {start}")
        if not above(before[-1], rule):
            return Conversion(None, _told(before[-1]), None, f"{rule.test} was not above {_limit(rule)} at baseline")
    after = [row for row in rows if row.date > start]
    for place, row in enumerate(after):
        if not above(row, rule) and _stays(after[place:], rule):
            return Conversion(
                True, _told(row), row.date, f"{rule.test} {_told(row)} on {row.date}, at most {_limit(rule)}"
            )
    if not after:
        return Conversion(False, "", None, f"no {rule.test} after {start}")
    lowest = min(after, key=lambda row: amount(row, rule))
    return Conversion(False, _told(lowest), None, f"lowest {rule.test} {_told(lowest)}, above {_limit(rule)}")


def _stays(rows: list[Marker], rule: MarkerRule) -> bool:
    """Whether the first of the rows is confirmed by a later one, where the rule asks for it."""
    if rule.confirm_days == 0:
        return True
    for row in rows[1:]:
        if above(row, rule):
            return False
        if (row.date - rows[0].date).days >= rule.confirm_days:
            return True
    return False


def above(row: Marker, rule: MarkerRule) -> bool:
    """Whether a value is above the limit. Raises :class:`NotDerivableError` where a limit of the assay leaves that open."""
    value = amount(row, rule)
    if row.below and value > rule.limit:
        raise NotDerivableError(
            f"{row.test} {_told(row)} on {row.date} does not say whether it is above {_limit(rule)}"
        )
    if row.above and value < rule.limit:
        raise NotDerivableError(
            f"{row.test} {_told(row)} on {row.date} does not say whether it is above {_limit(rule)}"
        )
    return value > rule.limit or (row.above and value >= rule.limit)


def amount(row: Marker, rule: MarkerRule) -> Decimal:
    """The value in the unit of the rule. Raises :class:`NotDerivableError` for units that are not of one quantity."""
    one, other = row.unit.casefold().replace(" ", ""), rule.unit.casefold().replace(" ", "")
    if one == other:
        return row.value
    for factors in _SAME:
        if one in factors and other in factors:
            return row.value * factors[one] / factors[other]
    raise NotDerivableError(
        f"{row.test} on {row.date} is in {row.unit} and the limit in {rule.unit}; give both in one unit"
    )


def _told(row: Marker) -> str:
    return f"{'<' if row.below else '>' if row.above else ''}{row.value} {row.unit}"


def _limit(rule: MarkerRule) -> str:
    return f"{rule.limit} {rule.unit}"
