"""ADTR: the size of each target at each visit, and the sums with their changes from baseline and from the nadir."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from decimal import Decimal

from mrecist.datasets.model import Row, Value
from mrecist.dates import parse_date
from mrecist.endpoints.changes import changes_of
from mrecist.endpoints.clock import NotDerivableError
from mrecist.exporting.adam.inputs import Material
from mrecist.exporting.adam.parameters import (
    LESION_TESTS,
    SUMS,
    TARGETS,
    criterion_name,
    lesion_code,
    lesion_name,
    reader_name,
)
from mrecist.exporting.adam.responses import both
from mrecist.exporting.results import Cells
from mrecist.exporting.sdtm.findings import MILLILITRES
from mrecist.exporting.sdtm.reads import Read
from mrecist.exporting.sdtm.sums import family_of
from mrecist.exporting.sdtm.timing import visit_of
from mrecist.model import Response
from mrecist.protocol import Endpoint
from mrecist.units import difference, percent_change, product

_PER_MM3 = Decimal("0.001")
_PROGRESSED = (Response.PD, Response.ICPD)


def lesion_rows(material: Material) -> Iterator[tuple[str, dict[str, Value]]]:
    """Subject -> rows of the targets, from TR; a test that was not done is a row without a value."""
    places = {(row["USUBJID"], row["TULNKID"]): row.get("TULOC") or "" for row in material.records.rows.get("TU", ())}
    reads = {(read.unique_id, read.evaluator.role, read.evaluator.identifier): read for read in material.reads}
    baseline: dict[tuple[Value, ...], Decimal] = {}
    names: dict[tuple[str, str, str], str] = {}
    for row in material.records.rows.get("TR", ()):
        read = reads.get((str(row["USUBJID"]), str(row.get("TREVAL") or ""), str(row.get("TREVALID") or "")))
        link = str(row.get("TRLNKID") or "")
        if read is None or not link or row.get("TRGRPID") != "TARGET" or row["TRTESTCD"] not in LESION_TESTS:
            continue
        letters, what = LESION_TESTS[str(row["TRTESTCD"])]
        name = _name(names, read, link)
        code = lesion_code(letters, name)
        timepoint = _timepoint(read, row)
        value = row.get("TRSTRESN")
        assert value is None or isinstance(value, Decimal)
        key = (row["USUBJID"], link, code)
        if timepoint == 0 and value is not None:
            baseline[key] = value
        day = row.get("TRDTC")
        assert day is None or isinstance(day, date)
        yield (
            read.subject,
            {
                "PARAMCD": code,
                "PARAM": f"Target Lesion {name} {what}",
                "PARCAT1": TARGETS,
                "PARCAT2": reader_name(read.evaluator),
                **_visit(material, read, timepoint, day),
                "AVAL": value,
                "AVALU": row.get("TRSTRESU") or "",
                **_from_baseline(value, baseline.get(key), timepoint),
                "ABLFL": "Y" if timepoint == 0 and value is not None else "",
                "ANL01FL": "Y" if value is not None else "",
                "TRLNKID": link,
                "TULOC": places.get((row["USUBJID"], link), ""),
                "TRSTAT": row.get("TRSTAT") or "",
                "SRCDOM": "TR",
                "SRCVAR": "TRSTRESN",
                "SRCSEQ": row["TRSEQ"],
                "PROTSHA": material.inputs.results.protocol.sha256,
            },
        )


def _name(names: dict[tuple[str, str, str], str], read: Read, link: str) -> str:
    """The number of a lesion, with a zero before it where another one of the read has it (T1 and T01)."""
    name = lesion_name(link)
    while names.setdefault((read.subject, read.evaluator.reader, name), link) != link:
        name = f"0{name}"
    return name


def _timepoint(read: Read, row: Row) -> int:
    return next(n for n in read.rows if visit_of(n, read.names).number == row["VISITNUM"])


def _visit(material: Material, read: Read, timepoint: int, day: date | None) -> dict[str, Value]:
    visit = visit_of(timepoint, read.names)
    return {
        "AVISIT": "BASELINE" if timepoint == 0 else visit.name,
        "AVISITN": timepoint,
        "VISITNUM": visit.number,
        "ADT": day,
        "ADTF": material.flag(read.subject, day),
        "ADY": read.reference.study_day(day),
    }


def _from_baseline(value: Decimal | None, base: Decimal | None, timepoint: int) -> dict[str, Value]:
    if value is None or base is None or timepoint == 0:
        return {"BASE": base}
    return {"BASE": base, "CHG": difference(value, base), "PCHG": percent_change(value, base)}


# --- sums ------------------------------------------------------------------------------------------------------------


def sum_rows(material: Material) -> Iterator[tuple[str, dict[str, Value]]]:
    """Subject -> rows of the sums of each criterion, from responses.csv; the best change is flagged ANL02FL."""
    for read in material.reads:
        for criterion in read.results.settings:
            cells_of = {n: c for n, every in read.responses.items() for c in every if c["criterion"] == criterion}
            if not any(cells["sum"] for cells in cells_of.values()):
                continue
            best = _best_change(material, read, criterion)
            for timepoint, cells in cells_of.items():
                row = _sum(material, read, timepoint, cells, best)
                yield from both(read.subject, row, counts=material.counts(read, criterion))


def _sum(material: Material, read: Read, timepoint: int, cells: Cells, best: int | None) -> dict[str, Value]:
    family = family_of(read, cells["criterion"])
    code, words = SUMS[family.total]
    scale = _PER_MM3 if family.unit == MILLILITRES else Decimal(1)

    def number(column: str) -> Decimal | None:
        return product(Decimal(cells[column]), scale) if cells[column] else None

    value, base, nadir = number("sum"), number("baseline_sum"), number("nadir_sum")
    category = material.named[cells["criterion"]]
    row: dict[str, Value] = {
        "PARAMCD": code,
        "PARAM": words,
        "PARCAT1": TARGETS,
        "PARCAT2": reader_name(read.evaluator),
        "PARCAT3": criterion_name(category),
        **_visit(material, read, timepoint, parse_date(cells["date"])),
        "AVAL": value,
        "AVALU": family.unit,
        "BASE": base if timepoint or value is None else value,
        "ABLFL": "Y" if timepoint == 0 and value is not None else "",
        "ANL01FL": "Y" if value is not None else "",
        "ANL02FL": "Y" if timepoint == best else "",
        "PDFL": "Y" if cells["overall"] in _PROGRESSED else "",
        **material.records.total(read.unique_id, read.group(timepoint), family.total, value),
        "PROTSHA": material.inputs.results.protocol.sha256,
    }
    if timepoint == 0:
        return row
    row["NADIR"] = nadir
    if value is not None:
        row |= {
            "CHG": difference(value, base) if base is not None else None,
            "PCHG": Decimal(cells["pct_from_baseline"]) if cells["pct_from_baseline"] else None,
            "CHGNAD": number("abs_from_nadir"),
            "PCHGNAD": Decimal(cells["pct_from_nadir"]) if cells["pct_from_nadir"] else None,
        }
    return row


def _best_change(material: Material, read: Read, criterion: str) -> int | None:
    """The time point of the best change, as an endpoint of the kind ``change`` would take it."""
    endpoint = Endpoint(id="ANL02FL", kind="change", criterion=criterion)
    try:
        (found,) = changes_of(endpoint, material.case(read, criterion), material.protocol, read.evaluator.reader)
    except NotDerivableError:
        return None
    return found.timepoint if found.percent is not None else None
