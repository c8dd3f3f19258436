"""Results in original and standard form, units, and what was not done."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal

from mrecist.sdtm import terms
from mrecist.sdtm.checks.datasets import Study, Table
from mrecist.sdtm.checks.rule import Rule, Said, error, warning
from mrecist.sdtm.datasets import Record
from mrecist.sdtm.read import reader_in
from mrecist.units import difference, parse_number, product, show

_IG = "SDTMIG 3.4, 4.5.1"
_EXACT = "SDTMIG 3.4, 4.5.1: --STRESN is the number of --STRESC"
RULES: tuple[Rule, ...] = (
    error("original_missing", "--STRESC without --ORRES", _IG, "Give the result as it was collected.", stops=True),
    error("standard_missing", "--ORRES without --STRESC", _IG, "Give the result in standard form.", stops=True),
    error(
        "result_missing",
        "a record with neither a result nor --STAT NOT DONE",
        "SDTMIG 3.4, 4.5.1.2",
        "Give the result, or NOT DONE and the reason.",
        stops=True,
    ),
    error(
        "not_done_with_result",
        "--STAT NOT DONE with a result",
        "SDTMIG 3.4, 4.5.1.2",
        "Remove the result or NOT DONE.",
        stops=True,
    ),
    warning(
        "not_done_without_reason",
        "--STAT NOT DONE without --REASND",
        "SDTMIG 3.4, 6.3.12, --REASND",
        "Say why it was not done.",
    ),
    warning(
        "reason_without_not_done",
        "--REASND without --STAT NOT DONE",
        "SDTMIG 3.4, 6.3.12, --REASND",
        "Write NOT DONE, or remove the reason.",
    ),
    error("numbers_differ", "TRSTRESC and TRSTRESN that are not the same number", _EXACT, "Correct one.", stops=True),
    error("number_missing", "a number in TRSTRESC and nothing in TRSTRESN", _EXACT, "Fill TRSTRESN.", stops=True),
    error(
        "conversion_differs",
        "TRORRES in its unit that is not TRSTRESN in its unit",
        _IG,
        "Correct the number or the unit: most often cm for mm.",
        stops=True,
    ),
    error(
        "unit_missing",
        "a size without its unit",
        "SDTMIG 3.4, 6.3.12, --ORRESU, --STRESU",
        "Give the unit.",
        stops=True,
    ),
    error(
        "unit_not_of_test",
        "a unit in which the test cannot be",
        "definition of the test",
        "Correct the unit or the test.",
        stops=True,
    ),
    warning(
        "unit_not_standard",
        "one test in several standard units; diameters and their sums in another one than mm",
        "SDTMIG 3.4, 4.5.1.1",
        "Convert the standard results to one unit.",
    ),
    error("size_negative", "a size below 0", "definition of a size", "Correct the number.", stops=True),
)
# Changes in percent, and in millimetres.
PERCENT, MILLIMETRES = "%", "mm"


def look(study: Study) -> Iterator[Said]:
    """Everything that is found in TU, TR and RS."""
    for table in study.tumour():
        for record in table.records:
            yield from _words(table, record)
    if "TR" in study.tables:
        yield from _units(study.tables["TR"])
        for record in study.records("TR"):
            yield from _numbers(record)


def _said(rule: str, domain: str, record: Record, variable: str, message: str) -> Said:
    reader = reader_in(record, domain)
    return Said(rule=rule, domain=domain, record=record, variable=variable, message=message, reader=reader)


def _words(table: Table, record: Record) -> Iterator[Said]:
    domain = table.domain
    original, standard, status, reason = (f"{domain}{name}" for name in ("ORRES", "STRESC", "STAT", "REASND"))
    done = record.term(status) != terms.NOT_DONE
    if not done:
        held = next((name for name in (original, standard, f"{domain}STRESN") if record[name]), "")
        if held:
            yield _said(
                "not_done_with_result", domain, record, held, f"{status} is NOT DONE and {held} is '{record[held]}'"
            )
        if not record[reason]:
            yield _said(
                "not_done_without_reason", domain, record, reason, f"{status} is NOT DONE and {reason} is empty"
            )
        return
    if record[reason] and table.has(status):
        yield _said(
            "reason_without_not_done", domain, record, reason, f"{reason} is '{record[reason]}' and {status} is empty"
        )
    if record[standard] and not record[original] and table.has(original):
        yield _said(
            "original_missing", domain, record, original, f"{standard} is '{record[standard]}' and {original} is empty"
        )
    if record[original] and not record[standard] and table.has(standard):
        yield _said(
            "standard_missing", domain, record, standard, f"{original} is '{record[original]}' and {standard} is empty"
        )
    if not record[original] and not record[standard] and table.has(original):
        test = record[f"{domain}TESTCD"]
        yield _said("result_missing", domain, record, original, f"{test} has neither a result nor {status} NOT DONE")


def number_in(text: str) -> Decimal | None:
    """The number that a cell holds; None when it holds none."""
    try:
        return parse_number(text) if text else None
    except ValueError:
        return None


def _numbers(record: Record) -> Iterator[Said]:
    test = record.term("TRTESTCD")
    original, standard, number = (number_in(record[name]) for name in ("TRORRES", "TRSTRESC", "TRSTRESN"))
    if standard is not None and number is not None and not _same(standard, number):
        message = f"TRSTRESC is {record['TRSTRESC']} and TRSTRESN is {record['TRSTRESN']}"
        yield _said("numbers_differ", "TR", record, "TRSTRESN", message)
        return
    unit = unit_of(test)
    if not unit or record.term("TRSTAT") == terms.NOT_DONE:
        return
    if standard is not None and number is None:
        yield _said(
            "number_missing", "TR", record, "TRSTRESN", f"TRSTRESC is {record['TRSTRESC']} and TRSTRESN is empty"
        )
    smallest = min((value for value in (original, standard, number) if value is not None), default=Decimal(0))
    if smallest < 0 and unit not in ("HU", PERCENT) and test in terms.UNIT_OF:
        yield _said("size_negative", "TR", record, "TRSTRESN", f"{test} is {show(smallest)}")
    yield from _in_units(record, test, unit, original, number if number is not None else standard)


def unit_of(test: str) -> str:
    """mm, mm3, HU or % for the tests that have a unit; empty for others."""
    if test.startswith(("PCBS", "PCNS")):
        return PERCENT
    return MILLIMETRES if test in ("ACNSD", "SUMNLNLD", "SUMLPERP") else terms.UNIT_OF.get(test, "")


def _in_units(
    record: Record, test: str, unit: str, original: Decimal | None, standard: Decimal | None
) -> Iterator[Said]:
    factors = terms.UNITS.get(unit, {PERCENT: Decimal(1)})
    values = []
    for name, value in (("TRORRESU", original), ("TRSTRESU", standard)):
        written = record[name]
        if value is None:
            continue
        if not written:
            yield _said("unit_missing", "TR", record, name, f"{test} is {show(value)} and {name} is empty")
        elif written.casefold() not in factors:
            message = f"{test} is in '{written}', not in {' or '.join(factors)}"
            yield _said("unit_not_of_test", "TR", record, name, message)
        else:
            values.append(product(value, factors[written.casefold()]))
    if len(values) == 2 and not _same(*values) and not _rounded(record["TRSTRESC"], values):
        message = (
            f"TRORRES is {record['TRORRES']} {record['TRORRESU']} and the standard result is "
            f"{show(standard)} {record['TRSTRESU']}"
        )
        yield _said("conversion_differs", "TR", record, "TRSTRESN", message)


def _same(one: Decimal, other: Decimal) -> bool:
    """The same number; a binary double stands for 15 digits."""
    return one == other or Decimal(f"{one:.15g}") == Decimal(f"{other:.15g}")


def _rounded(standard: str, values: list[Decimal]) -> bool:
    """Whether the standard result is the original one rounded to the digits that were written."""
    exponent = Decimal(standard).as_tuple().exponent if number_in(standard) is not None else 0
    half = product(Decimal("0.5"), Decimal(1).scaleb(int(exponent)))
    return abs(difference(values[0], values[1])) <= half


def _units(table: Table) -> Iterator[Said]:
    """The standard unit of each test: mm for diameters, else the one that most of its records have."""
    counts: dict[str, dict[str, int]] = {}
    for record in table.records:
        if record["TRSTRESU"]:
            of_test = counts.setdefault(record.term("TRTESTCD"), {})
            of_test[record["TRSTRESU"]] = of_test.get(record["TRSTRESU"], 0) + 1
    usual = {test: max(found, key=lambda unit: found[unit]) for test, found in counts.items()}
    usual |= {test: MILLIMETRES for test in counts if unit_of(test) == MILLIMETRES}
    for record in table.records:
        unit, test = record["TRSTRESU"], record.term("TRTESTCD")
        if unit and unit != usual[test]:
            message = f"{test} is in '{unit}' here and in '{usual[test]}' elsewhere"
            yield _said("unit_not_standard", "TR", record, "TRSTRESU", message)
