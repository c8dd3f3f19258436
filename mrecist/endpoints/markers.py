"""Tumour markers: negative conversion (above the limit at baseline, at or below it later), and a fall by so many %."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from functools import partial

from mrecist.endpoints.clock import NotDerivableError, cut_short, last_day, start_of
from mrecist.endpoints.happenings import Case
from mrecist.protocol import Endpoint, MarkerRule, Protocol
from mrecist.trial import Marker
from mrecist.units import fell_by

# Units of the same quantity -> factor to the first of them. CEA and AFP: 1 ug/L = 1 ng/mL; CA 19-9: 1 U/mL = 1 kU/L.
_SAME = (
    {"ug/l": Decimal(1), "µg/l": Decimal(1), "ng/ml": Decimal(1), "mg/l": Decimal(1000)},
    {"u/ml": Decimal(1), "ku/l": Decimal(1), "iu/ml": Decimal(1)},
    {"mau/ml": Decimal(1), "au/l": Decimal(1)},
)


@dataclass(frozen=True, slots=True)
class Conversion:
    """Whether a marker turned negative, or fell; ``success`` None: the subject is not in the denominator."""

    success: bool | None
    value: str
    date: date | None
    reason: str


def converted(case: Case, protocol: Protocol, endpoint: Endpoint) -> Conversion:
    """The conversion of one subject by the one marker of an endpoint, or by several together.

    Several: ``require = "all"`` counts a subject whom every marker counts, and its success is that of every marker, dated by the
    last of them; ``"any"`` counts whom at least one counts, and its success is that of the first one.
    """
    try:
        start = start_of(endpoint, case, protocol)
    except NotDerivableError as error:
        return Conversion(False if endpoint.denominator == "population" else None, "", None, str(error))
    assert start is not None
    until = last_day(endpoint, start, protocol)
    if ended := cut_short(endpoint, start, protocol):
        return Conversion(None, "", None, ended)
    found = [_of_marker(rule, case, start, until, endpoint.denominator) for rule in endpoint.marker_rules]
    if len(found) == 1:
        return found[0]
    told = {
        "value": "; ".join(one.value for one in found if one.value),
        "reason": "; ".join(one.reason for one in found),
    }
    counted = [one for one in found if one.success is not None]
    if not counted or (endpoint.require == "all" and len(counted) < len(found)):
        return Conversion(None, date=None, **told)
    days = sorted(one.date for one in counted if one.date is not None)
    if endpoint.require == "all":
        return Conversion(len(days) == len(found), date=days[-1] if len(days) == len(found) else None, **told)
    return Conversion(bool(days), date=min(days, default=None), **told)


def _of_marker(rule: MarkerRule, case: Case, start: date, until: date | None, denominator: str) -> Conversion:
    """The last value up to day 1 is the baseline, a value on a later day up to ``until`` may be the success."""
    rows = [row for row in case.own(case.trial.markers, "markers", rule.test) if row.test == rule.test.upper()]
    rows = sorted((row for row in rows if until is None or row.date <= until), key=lambda row: row.date)
    before, after = [row for row in rows if row.date <= start], [row for row in rows if row.date > start]
    # Who has no baseline value, or one that is not above the limit, is a failure where all of the population are counted.
    without = False if denominator == "population" else None
    if not before and (rule.elevated_at_baseline or rule.fall_percent is not None):
        return Conversion(without, "", None, f"no {rule.test} up to {start}")
    baseline = before[-1] if before else None
    if baseline is not None and rule.elevated_at_baseline and not above(baseline, rule):
        return Conversion(without, _told(baseline), None, f"{rule.test} was not above {_limit(rule)} at baseline")
    if not after:
        success = None if denominator == "evaluated" else False
        return Conversion(success, "", None, f"no {rule.test} after {start}" + (f" up to {until}" if until else ""))
    wanted = _wanted(rule, baseline)
    reached = partial(_reached, rule=rule, baseline=baseline)
    for place, row in enumerate(after):
        if reached(row) and _stays(after[place:], reached, rule.confirm_days):
            return Conversion(True, _told(row), row.date, f"{rule.test} {_told(row)} on {row.date}, {wanted}")
    lowest = min(after, key=lambda row: amount(row, rule))
    lost = f", {wanted} without confirmation" if any(reached(row) for row in after) else f", not {wanted}"
    return Conversion(False, _told(lowest), None, f"lowest {rule.test} {_told(lowest)}{lost}")


def _wanted(rule: MarkerRule, baseline: Marker | None) -> str:
    if rule.fall_percent is None or baseline is None:
        return f"at most {_limit(rule)}"
    return f"at least {rule.fall_percent} % below {_told(baseline)} of {baseline.date}"


def _reached(row: Marker, rule: MarkerRule, baseline: Marker | None) -> bool:
    """Whether a value is the success that the rule asks for."""
    return not above(row, rule) if rule.fall_percent is None or baseline is None else _fell(row, rule, baseline)


def _fell(row: Marker, rule: MarkerRule, baseline: Marker) -> bool:
    """Whether a value is so many % below the baseline one; nothing falls from 0.

    Raises :class:`NotDerivableError` where a limit of the assay (``<2``) leaves that open.
    """
    assert rule.fall_percent is not None
    value, reference = amount(row, rule), amount(baseline, rule)
    fell = reference > 0 and fell_by(value, reference, rule.fall_percent)
    # A value below a limit may have fallen further, and so may one of a baseline above a limit.
    may_be_more = (row.below and reference > 0) or baseline.above
    may_be_less = (row.above and value > 0) or baseline.below
    if (fell and may_be_less) or (not fell and may_be_more):
        raise NotDerivableError(
            f"{row.test} {_told(row)} on {row.date} after {_told(baseline)} on {baseline.date} does not say whether it fell by "
            f"{rule.fall_percent} %"
        )
    return fell


def _stays(rows: list[Marker], reached: Callable[[Marker], bool], confirm_days: int) -> bool:
    """Whether the first of the rows is confirmed by a later one, where the rule asks for it."""
    if confirm_days == 0:
        return True
    for row in rows[1:]:
        if not reached(row):
            return False
        if (row.date - rows[0].date).days >= confirm_days:
            return True
    return False


def above(row: Marker, rule: MarkerRule) -> bool:
    """Whether a value is above the limit. Raises :class:`NotDerivableError` where a limit of the assay leaves that open."""
    assert rule.limit is not None
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
