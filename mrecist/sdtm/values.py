"""One TR result: a size in mm, mm3 or HU with exact decimals, or the word that stands instead of one."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal

from mrecist.sdtm import terms
from mrecist.sdtm.datasets import Record
from mrecist.units import EXACT, difference, parse_number, parse_size, product, show

TOO_SMALL, NOT_EVALUABLE, MERGED, ABSENT = "too small", "not evaluable", "merged", "absent"
_WORDS = {
    **dict.fromkeys(terms.TOO_SMALL, TOO_SMALL),
    **dict.fromkeys(terms.NOT_EVALUABLE, NOT_EVALUABLE),
    **dict.fromkeys(terms.MERGED, MERGED),
    "ABSENT": ABSENT,
}
_RESULTS = (("TRORRES", "TRORRESU"), ("TRSTRESC", "TRSTRESU"), ("TRSTRESN", "TRSTRESU"))


@dataclass(frozen=True, slots=True, kw_only=True)
class Result:
    """``value`` in the unit of its test, or None; ``word`` says what stands instead; ``note`` is worth telling."""

    value: Decimal | None = None
    word: str = ""
    reason: str = ""
    note: str = ""


def not_done(record: Record) -> bool:
    """Whether the record says that nothing was measured; raises ``ValueError`` when it also holds a result."""
    if record.term("TRSTAT") != terms.NOT_DONE:
        return False
    held = record["TRORRES"] or record["TRSTRESC"]
    if held and terms.folded(held) not in terms.NOT_EVALUABLE:
        raise ValueError(f"TRSTAT is NOT DONE and the result is '{held}'; keep one")
    return True


def result_of(record: Record, test: str) -> Result:
    """The result of a record whose test is a size; raises ``ValueError`` when it is not understood."""
    if not_done(record):
        return Result(word=NOT_EVALUABLE, reason=record["TRREASND"])
    for name in ("TRORRES", "TRSTRESC"):
        word = _WORDS.get(record.term(name))
        if word == TOO_SMALL:
            return Result(word=word, value=_number(record, _RESULTS[2], test))
        if word is not None:
            return Result(word=word, reason=record["TRREASND"])
    return _measured(record, test)


def _measured(record: Record, test: str) -> Result:
    if not any(record[name] for name, _ in _RESULTS):
        raise ValueError(f"{test} has neither a result nor TRSTAT NOT DONE; give one")
    found = [(name, record[name], number) for name, unit in _RESULTS if (number := _number(record, (name, unit), test))]
    zeros = [name for name, unit in _RESULTS if _number(record, (name, unit), test) == 0]
    if not found and zeros:
        return Result(value=Decimal(0))
    if not found:
        unit = terms.UNIT_OF[test]
        raise ValueError(
            f"{test} {record['TRORRES'] or record['TRSTRESC'] or record['TRSTRESN']} has no unit; say {unit}"
        )
    first, text, value = found[0]
    note = ""
    if zeros:
        raise ValueError(f"{first} is {text} and {zeros[0]} is 0; correct one")
    for name, other_text, other in found[1:]:
        if other == value:
            continue
        if abs(difference(value, other)) > _half_a_step(other_text):
            unit = terms.UNIT_OF[test]
            raise ValueError(f"{first} is {show(value)} {unit} and {name} is {show(other)} {unit}; correct one")
        note = f"{name} is a rounded {first}; {first} is used"
    return Result(value=value, note=note)


def _recorded(name: str, text: str) -> str:
    """TRSTRESN is a binary number: the decimal that it stands for, so 11.700000000000001 is 11.7."""
    digits = sum(c.isdigit() for c in text)
    return format(Decimal(f"{Decimal(text):.15g}"), "f") if name == "TRSTRESN" and digits > 15 else text


def _half_a_step(text: str) -> Decimal:
    """Half a unit of the last digit that was written."""
    exponent = Decimal(text).as_tuple().exponent
    return product(Decimal("0.5"), Decimal(1).scaleb(int(exponent)))


def _number(record: Record, names: tuple[str, str], test: str) -> Decimal | None:
    """A number with its unit, in the unit of the test; None when the cell, or its unit, is empty."""
    text, unit = record[names[0]], record[names[1]]
    if not text:
        return None
    try:
        value = parse_number(text) if test == terms.DENSITY else parse_size(_recorded(names[0], text))
    except ValueError as error:
        raise ValueError(f"{test}: {names[0]} {error}; a size, TOO SMALL TO MEASURE or NOT EVALUABLE") from None
    if not unit:
        return None
    factors = terms.UNITS[terms.UNIT_OF[test]]
    if unit.casefold() not in factors:
        raise ValueError(f"{test} is in '{unit}', not in {' or '.join(factors)}; convert it")
    return EXACT.multiply(value, factors[unit.casefold()])
