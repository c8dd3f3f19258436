"""Changes that TR reports, from the sums that it reports; and the sum of what is no lymph node, from its parts."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal

from mrecist.criteria import CRITERIA
from mrecist.model import Kind, Measurement, Role
from mrecist.sdtm.checks.datasets import Study
from mrecist.sdtm.checks.results import number_in
from mrecist.sdtm.checks.rule import Rule, Said, error
from mrecist.sdtm.datasets import Record
from mrecist.sdtm.read import SdtmRead, reader_in
from mrecist.units import difference, percent_change, product, show, total

RULES: tuple[Rule, ...] = (
    error(
        "sum_not_parts",
        "SUMDIAM, SUMLDIAM, SUMVDIAM, SUMVOL or SUMNLNLD that is not the sum of what TR measures of the targets",
        "Eisenhauer 2009, 4.3.1; Lencioni & Llovet 2010; CDISC definitions of the tests",
        "Correct the sum or its parts; the message says which slip would explain it.",
    ),
    error(
        "change_not_of_sums",
        "a change (PCBSD, PCNSD, ACNSD and those of SLD and volume) that the sums do not give",
        "Eisenhauer 2009, 4.3.2; CDISC definitions of the tests",
        "Derive the change again: from baseline, or from the smallest sum before.",
    ),
)
NON_NODES = "SUMNLNLD"
_DIAMETERS, _LONGEST = ("SUMDIAM", "SUMLDIAM", "SUMVDIAM"), ("SUMLDIAM", "SUMDIAM")


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """From which sum a change is counted, and whether in percent; ``sums`` in order of preference."""

    sums: tuple[str, ...]
    from_nadir: bool
    percent: bool = True


CHANGES: Mapping[str, Change] = {
    "PCBSD": Change(sums=_DIAMETERS, from_nadir=False),
    "PCNSD": Change(sums=_DIAMETERS, from_nadir=True),
    "ACNSD": Change(sums=_DIAMETERS, from_nadir=True, percent=False),
    "PCBSLD": Change(sums=_LONGEST, from_nadir=False),
    "PCNSLD": Change(sums=_LONGEST, from_nadir=True),
    "PCBSVD": Change(sums=("SUMVDIAM",), from_nadir=False),
    "PCNSVD": Change(sums=("SUMVDIAM",), from_nadir=True),
    "ACNSVD": Change(sums=("SUMVDIAM",), from_nadir=True, percent=False),
    "ACNSLD": Change(sums=_LONGEST, from_nadir=True, percent=False),
    "PCBSV": Change(sums=("SUMVOL",), from_nadir=False),
    "PCNSV": Change(sums=("SUMVOL",), from_nadir=True),
}
_Sums = dict[tuple[str, str, str], dict[int, Decimal]]


def look(study: Study, read: SdtmRead) -> Iterator[Said]:
    """What is found in the reported changes, and in SUMNLNLD."""
    sums: _Sums = {}
    for one in read.sums:
        if one.value is not None:
            sums.setdefault((one.subject, one.reader, one.test), {})[one.timepoint] = one.value
    targets: dict[tuple[str, str, int], list[Measurement]] = {}
    for row in read.measurements.rows:
        if row.role is Role.TARGET and row.kind is Kind.LESION:
            targets.setdefault((row.subject, row.reader, row.timepoint), []).append(row)
    for record in study.records("TR"):
        test = record.term("TRTESTCD")
        if test not in CHANGES and test != NON_NODES:
            continue
        time = read.timelines.get(record["USUBJID"])
        point = _point(time.of(record, "TR") if time is not None else None)
        value = number_in(record["TRSTRESC"] or record["TRSTRESN"] or record["TRORRES"])
        if point is None or value is None:
            continue
        place = (record["USUBJID"], reader_in(record, "TR"))
        if test == NON_NODES:
            yield from _non_nodes(record, value, *(targets.get((*place, n), []) for n in (0, point)))
        elif point:
            yield from _change(record, value, CHANGES[test], place, point, sums)


def _point(point: object) -> int | None:
    number = getattr(point, "number", None)
    return number if isinstance(number, int) else None


def _change(
    record: Record, value: Decimal, change: Change, place: tuple[str, str], point: int, sums: _Sums
) -> Iterator[Said]:
    course = next((sums[*place, name] for name in change.sums if point in sums.get((*place, name), {})), None)
    if course is None or (not change.from_nadir and 0 not in course):
        return
    now, before = course[point], [course[n] for n in course if n < point]
    if not before:
        return
    reference = min(before) if change.from_nadir else course[0]
    # A smallest sum that counts itself: nothing has grown since.
    if change.from_nadir and value == 0 and now <= reference:
        return
    if _follows(record, value, now, reference, percent=change.percent):
        return
    given = difference(now, reference)
    expected = f"{show(percent_change(now, reference))} %" if change.percent else f"{show(given)} mm"
    if change.percent and reference == 0:
        expected = "not defined, from 0"
    name = "the smallest sum before" if change.from_nadir else "the sum at baseline"
    message = f"{record['TRTESTCD']} is {show(value)}; from {name} {show(reference)} to {show(now)} it is {expected}"
    yield _said("change_not_of_sums", record, message)


def _follows(record: Record, value: Decimal, now: Decimal, reference: Decimal, *, percent: bool) -> bool:
    """Whether the change is the one of the sums, as far as its digits go; decided without a division."""
    written = next(text for text in (record["TRSTRESC"], record["TRSTRESN"], record["TRORRES"]) if text)
    half = product(Decimal("0.5"), Decimal(1).scaleb(int(Decimal(written).as_tuple().exponent)))
    given = difference(now, reference)
    if not percent:
        return abs(difference(value, given)) <= half
    off = difference(product(value, reference), product(given, Decimal(100)))
    return reference != 0 and abs(off) <= product(half, reference)


def _non_nodes(record: Record, value: Decimal, baseline: list[Measurement], rows: list[Measurement]) -> Iterator[Said]:
    """Only where every lesion of baseline has a row with a size."""
    criterion = CRITERIA["recist11"]
    first = {row.lesion: row for row in baseline}
    followed = {row.lesion for row in rows} | {row.part_of for row in rows if row.part_of}
    sizes = [criterion.size_of(row, first.get(row.lesion, row), criterion.thresholds).size for row in rows]
    known = [size for size in sizes if size is not None]
    if not rows or len(known) < len(sizes) or not followed.issuperset(first):
        return
    expected = total(known)
    if expected != value:
        parts = " + ".join(show(size) for size in known)
        yield _said("sum_not_parts", record, f"{NON_NODES} is {show(value)} mm; {parts} is {show(expected)} mm")


def _said(rule: str, record: Record, message: str) -> Said:
    return Said(rule=rule, domain="TR", record=record, variable="TRSTRESC", message=message)
