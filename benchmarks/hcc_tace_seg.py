"""The sheet of TCIA HCC-TACE-Seg as the table of sums that ``mrecist agree`` reads.

Run ``python benchmarks/hcc_tace_seg.py SHEET SUMS.csv``. SHEET is ``HCC-TACE-Seg_clinical_data-V2.xlsx`` (doi 10.7937/TCIA.5FNA-0924,
not part of this project) or its sheet of patients as CSV. Columns ``{1,2,3}_{mRECIST,RECIST}_{BL,FU}`` are sums in mm, without an
ending the category: 1 CR, 2 PR, 3 SD, 4 PD. A reader's read of a patient is taken by a criterion where both sums and the category
are there.
"""

from __future__ import annotations

import argparse
import csv
import re
import zipfile
from collections.abc import Iterator
from pathlib import Path
from xml.etree import ElementTree

COLUMNS = ("subject", "reader", "criterion", "timepoint", "sum", "category")
CRITERIA = {"recist11": "RECIST", "mrecist": "mRECIST"}
MEANING = {1: "CR", 2: "PR", 3: "SD", 4: "PD"}
# A column of the sheet of patients; the glossary has it in a row.
_OF_PATIENTS = "1_mRECIST_BL"
_NAMESPACE = "{http://schemas.openxmlformats.org/spreadsheetml/2006/main}"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("sheet", type=Path)
    parser.add_argument("out", type=Path)
    options = parser.parse_args()
    rows = list(sums_of(patients(options.sheet)))
    with options.out.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(COLUMNS)
        writer.writerows(rows)
    print(f"{len(rows)} sums of {len({row[0] for row in rows})} patients: {options.out}")


def patients(sheet: Path) -> list[dict[str, str]]:
    """The rows of the sheet by column name."""
    if sheet.suffix.lower() == ".xlsx":
        for header, *rows in _sheets(sheet):
            if _OF_PATIENTS in header.values():
                return [{name.strip(): row.get(column, "") for column, name in header.items()} for row in rows]
        raise SystemExit(f"{sheet}: no sheet has a column {_OF_PATIENTS}; give the clinical data of HCC-TACE-Seg")
    with sheet.open(encoding="utf-8-sig", newline="") as file:
        return list(csv.DictReader(file))


def sums_of(sheet: list[dict[str, str]]) -> Iterator[tuple[str, ...]]:
    """Rows of the table of sums."""
    for patient in sheet:
        for reader in "123":
            for criterion, name in CRITERIA.items():
                baseline, follow_up, code = (patient[f"{reader}_{name}{end}"].strip() for end in ("_BL", "_FU", ""))
                if patient["TCIA_ID"].strip() and baseline and follow_up and code:
                    about = (patient["TCIA_ID"].strip(), f"R{reader}", criterion)
                    yield (*about, "0", baseline, "")
                    yield (*about, "1", follow_up, MEANING[int(float(code))])


def _sheets(path: Path) -> Iterator[list[dict[str, str]]]:
    """The rows of each sheet of a workbook that has any: column letters -> text."""
    with zipfile.ZipFile(path) as book:
        shared: list[str] = []
        if "xl/sharedStrings.xml" in book.namelist():
            strings = ElementTree.fromstring(book.read("xl/sharedStrings.xml"))
            shared = ["".join(t.text or "" for t in item.iter(f"{_NAMESPACE}t")) for item in strings]
        for name in sorted(n for n in book.namelist() if n.startswith("xl/worksheets/sheet")):
            rows = [
                {re.sub(r"\d", "", cell.get("r", "")): _text(cell, shared) for cell in row.iter(f"{_NAMESPACE}c")}
                for row in ElementTree.fromstring(book.read(name)).iter(f"{_NAMESPACE}row")
            ]
            if any(rows):
                yield [row for row in rows if row]


def _text(cell: ElementTree.Element, shared: list[str]) -> str:
    """A workbook writes the binary number 36.4 as 36.399999999999999; what was typed is its shortest form."""
    value = cell.find(f"{_NAMESPACE}v")
    if value is None or not value.text:
        return "".join(t.text or "" for t in cell.iter(f"{_NAMESPACE}t"))
    if cell.get("t") == "s":
        return shared[int(value.text)]
    return repr(float(value.text)) if cell.get("t", "n") == "n" else value.text


if __name__ == "__main__":
    main()
