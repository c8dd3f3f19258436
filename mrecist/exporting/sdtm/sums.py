"""TR: the sums of a time point and their changes, where the assessor supplies them (``derived = "assessor"``)."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal

from mrecist.criteria._rule import Criterion
from mrecist.exporting.results import Cells
from mrecist.exporting.sdtm.findings import MILLILITRES, MILLIMETRES, Result
from mrecist.exporting.sdtm.qualifiers import Record
from mrecist.exporting.sdtm.reads import Read
from mrecist.model import Kind, Role
from mrecist.units import product, show

INCOMPLETE = "NOT ALL TARGETS EVALUATED"


@dataclass(frozen=True, slots=True)
class Family:
    """The tests of one kind of sum: the sum, its change from baseline and from the nadir in percent, and from the nadir."""

    total: str
    from_baseline: str
    from_nadir: str
    absolute: str
    unit: str = MILLIMETRES


_DIAMETERS = Family("SUMDIAM", "PCBSD", "PCNSD", "ACNSD")
_LONGEST = Family("SUMLDIAM", "PCBSLD", "PCNSLD", "ACNSLD")
# By what is measured and the unit of the sum.
_FAMILIES = {
    ("viable", "mm"): Family("SUMVDIAM", "PCBSVD", "PCNSVD", "ACNSVD"),
    ("viable", "mm2"): Family("SUMVPPD", "PCBSVPPD", "PCNSVPPD", "ACNSVPPD", "mm2"),
    ("viable", "mm3"): Family("SUMVVOL", "PCBSVV", "PCNSVV", "ACNSVV", MILLILITRES),
    ("volume", "mm3"): Family("SUMVOL", "PCBSV", "PCNSV", "ACNSV", MILLILITRES),
}


def family_of(read: Read, criterion: str) -> Family:
    """The sums of a criterion; one of longest diameters has another name where nodes count in it."""
    nodes = any(row.role is Role.TARGET and row.kind is Kind.NODE for row in read.first.values())
    without, *with_nodes = families_of(read.results.settings[criterion].criterion)
    return with_nodes[0] if nodes and with_nodes else without


def families_of(criterion: Criterion) -> tuple[Family, ...]:
    """The sums that a criterion may have: without nodes among the targets, and with them where that is another name."""
    family = _FAMILIES.get((criterion.measure, criterion.unit))
    return (_LONGEST, _DIAMETERS) if family is None else (family,)


def sums(read: Read, timepoint: int, notes: list[str]) -> Iterator[Record]:
    """The sums of a time point. Criteria that add the same sizes have one sum; where theirs differ the first one is written."""
    written: dict[str, Result] = {}
    for cells in read.responses.get(timepoint, []):
        for result in _results(read, cells):
            before = written.get(result.test)
            if before is None:
                written[result.test] = result
                yield _record(read, timepoint, result)
            elif before != result:
                notes.append(
                    f"{read.subject}, reader {read.evaluator.reader}, time point {timepoint}: {result.test} of {cells['criterion']} is "
                    f"{result.original or 'not done'} and that of an earlier criterion {before.original or 'not done'}; TR has the latter"
                )


def _record(read: Read, timepoint: int, result: Result) -> Record:
    day = read.day(timepoint)
    first = timepoint == 0 and not result.reason and read.reference.before_exposure(day)
    values = {
        **read.common("TR", day, timepoint),
        "TRGRPID": "TARGET",
        "TRLNKGRP": read.group(timepoint),
        "TRLOBXFL": "Y" if first else "",
        "TRACPTFL": "Y" if timepoint in read.accepted.lesions else "",
        **result.values(),
    }
    return Record(values=values, qualifiers={})


def _results(read: Read, cells: Cells) -> Iterator[Result]:
    family = family_of(read, cells["criterion"])
    if not cells["sum"]:
        if _has_targets(read, cells["criterion"]):
            yield Result(test=family.total, reason=INCOMPLETE)
        return
    yield _number(family.total, cells["sum"], family.unit)
    for test, column, unit in (
        (family.from_baseline, "pct_from_baseline", "%"),
        (family.from_nadir, "pct_from_nadir", "%"),
        (family.absolute, "abs_from_nadir", family.unit),
    ):
        if cells[column]:
            yield _number(test, cells[column], unit)


def _number(test: str, text: str, unit: str) -> Result:
    value = Decimal(text)
    value = product(value, Decimal("0.001")) if unit == MILLILITRES else value
    return Result(test=test, original=show(value), number=value, unit=unit)


def _has_targets(read: Read, criterion: str) -> bool:
    """Whether a criterion has a sum at all: some follow-up has a response of targets."""
    every = (cells for visit in read.responses.values() for cells in visit if cells["criterion"] == criterion)
    return any(cells["target"] not in ("", "NA") for cells in every)
