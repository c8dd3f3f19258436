"""Exact decimal arithmetic for sizes.

A size is the decimal that was recorded ("9.8", never the nearest binary float), so a sum that is exactly 30 % below
baseline is exactly that. Binary floats get such boundaries wrong: ``(9.8 - 14) / 14 * 100`` is -29.999999999999993.

All arithmetic goes through :data:`EXACT`, a decimal context that raises instead of rounding. Percentages are for display
only; decisions are taken by cross-multiplication (:func:`fell_by`, :func:`rose_by`).
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from decimal import ROUND_HALF_UP, Context, Decimal, DivisionByZero, Inexact, InvalidOperation, Overflow

# 24 digits in each size leave room for sums of many of them and for a product of two.
MAX_DIGITS = 24
EXACT = Context(prec=120, traps=[Inexact, InvalidOperation, DivisionByZero, Overflow])
# Areas have twice the digits of sizes, and a percentage may be as large as their quotient.
_DISPLAY = Context(prec=120, rounding=ROUND_HALF_UP)
ZERO, _HUNDRED, _FOUR_DECIMALS = Decimal(0), Decimal(100), Decimal("0.0001")


def parse_number(text: str) -> Decimal:
    """The exact decimal written in ``text``; raises ``ValueError`` with the reason when it is none that can be reckoned with."""
    # Python reads 1_2 as 12. In a table it is a slip: 1.2 or 12?
    if "_" in text:
        raise ValueError(f"'{text}' is not a number")
    try:
        value = Decimal(text.strip())
    except InvalidOperation:
        raise ValueError(f"'{text}' is not a number") from None
    if not value.is_finite():
        raise ValueError(f"'{text}' is not a finite number")
    if len(value.as_tuple().digits) > MAX_DIGITS or abs(value.adjusted()) > MAX_DIGITS:
        raise ValueError(f"'{text}' has more than {MAX_DIGITS} digits")
    return value


def parse_size(text: str) -> Decimal:
    """As :func:`parse_number`, of a size: 0 or more."""
    value = parse_number(text)
    if value < 0:
        raise ValueError(f"'{text}' is negative")
    return value


def total(values: Iterable[Decimal]) -> Decimal:
    """Exact sum."""
    result = ZERO
    for value in values:
        result = EXACT.add(result, value)
    return result


def mean(values: Sequence[Decimal]) -> Decimal:
    """Mean of at least one value, to six decimals; exact where it has no more."""
    return _DISPLAY.divide(total(values), Decimal(len(values))).quantize(Decimal("0.000001"), context=_DISPLAY)


def product(one: Decimal, other: Decimal) -> Decimal:
    """``one * other``, exact."""
    return EXACT.multiply(one, other)


def difference(value: Decimal, reference: Decimal) -> Decimal:
    """``value - reference``, exact."""
    return EXACT.subtract(value, reference)


def fell_by(value: Decimal, reference: Decimal, percent: Decimal) -> bool:
    """True when ``value`` is at least ``percent`` % below ``reference`` (inclusive), decided exactly."""
    return EXACT.multiply(value, _HUNDRED) <= EXACT.multiply(reference, EXACT.subtract(_HUNDRED, percent))


def rose_by(value: Decimal, reference: Decimal, percent: Decimal, *, inclusive: bool = True) -> bool:
    """True when ``value`` is above ``reference`` by at least (``inclusive``) or more than ``percent`` %, decided exactly.

    A rise from 0 meets every percentage; no rise meets none, also 0 to 0.
    """
    if value <= reference:
        return False
    now = EXACT.multiply(value, _HUNDRED)
    limit = EXACT.multiply(reference, EXACT.add(_HUNDRED, percent))
    return now > limit or (inclusive and now == limit)


def percent_change(value: Decimal, reference: Decimal) -> Decimal | None:
    """Change in percent for display, four decimals at most; None when the reference is 0."""
    if reference == 0:
        return None
    percent = _DISPLAY.divide(_DISPLAY.multiply(difference(value, reference), _HUNDRED), reference)
    return percent.quantize(_FOUR_DECIMALS, context=_DISPLAY)


def show(value: Decimal | None) -> str:
    """Plain notation without trailing zeros: ``Decimal('9.80')`` is "9.8", None is ""."""
    if value is None:
        return ""
    text = str(value)
    if "E" in text:
        text = format(value, "f")
    if "." in text and text[-1] in "0.":
        text = text.rstrip("0").rstrip(".")
    return "0" if text in ("-0", "") else text


def show_percent(value: Decimal | None) -> str:
    """A signed percentage for a sentence: "+20 %", "-29.9999 %"; "not defined (from 0)" for None."""
    if value is None:
        return "no percentage (from 0)"
    return f"{'+' if value > 0 else ''}{show(value)} %"


def round_size(value: float, step: Decimal) -> Decimal:
    """Round a measured float once, half away from zero, to a multiple of ``step`` (the ``round_mm`` setting).

    The float is taken by its shortest decimal form, so 2.675 means 2.675 and not the binary number just below it.
    """
    multiples = (Decimal(repr(float(value))) / step).quantize(Decimal(1), rounding=ROUND_HALF_UP)
    return EXACT.multiply(multiples, step)
