"""Results folders for the export tests, made by ``mrecist assess`` from rows with texts that break naive writers."""

from __future__ import annotations

import csv
from pathlib import Path

from mrecist.cli import main

HOSTILE = {
    "xml": "<a href=\"x\">&amp; ]]> 'q'",
    "umlaut": "Größe, rechter Lappen: 肝细胞癌 \N{GRINNING FACE}",
    "newline": "line 1\nline 2\tafter a tab\r\nline 3",
    "formula": '=HYPERLINK("http://example.org")',
    "long": "x" * 10_000,
    "quotes": 'say ""it"", with, commas; and | bars',
}
_HEADER = ("subject", "timepoint", "date", "reader", "lesion", "role", "kind", "organ", "state")
_SIZES = ("longest_mm", "short_mm", "viable_mm", "viable_volume_mm3", "comment")


def rows(subjects: tuple[str, ...], readers: tuple[str, ...] = ("R1",), visits: int = 3) -> list[dict[str, str]]:
    """A target, a non-target and, at the last visit, a new lesion for each subject, reader and visit."""
    comments = list(HOSTILE.values())
    found = []
    for subject in subjects:
        for reader in readers:
            for visit in range(visits):
                same = {
                    "subject": subject,
                    "timepoint": str(visit),
                    "date": f"2024-0{1 + 2 * visit}-08",
                    "reader": reader,
                }
                size = {"longest_mm": f"{48 - 9 * visit}.250", "viable_mm": f"{40 - 9 * visit}.1", "short_mm": "20"}
                comment = comments[(visit + 3 * readers.index(reader)) % len(comments)]
                target = {"lesion": "T01", "role": "target", "kind": "lesion", "organ": "liver", "state": "measured"}
                found.append({**same, **target, **size, "viable_volume_mm3": "12345.678901234567", "comment": comment})
                found.append(
                    {
                        **same,
                        "lesion": "NT01",
                        "role": "non-target",
                        "kind": "lesion",
                        "organ": "liver",
                        "state": "present",
                    }
                )
                if visit == 2:
                    found.append(
                        {
                            **same,
                            "lesion": "NEW 1",
                            "role": "new",
                            "kind": "lesion",
                            "organ": "lung",
                            "state": "equivocal",
                        }
                    )
    return found


def write_table(path: Path, table: list[dict[str, str]]) -> Path:
    """A CSV as a person's program would write it: no apostrophes before formulas."""
    columns = [name for name in (*_HEADER, *_SIZES) if any(name in row for row in table)]
    columns += sorted({name for row in table for name in row} - set(columns))
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, columns, restval="")
        writer.writeheader()
        writer.writerows(table)
    return path


def assessed(folder: Path, table: list[dict[str, str]]) -> Path:
    """A results folder of those rows, by RECIST 1.1 and mRECIST."""
    folder.mkdir(parents=True, exist_ok=True)
    source = write_table(folder / "input.csv", table)
    assert main(["assess", str(source), "--out", str(folder / "results")]) == 0
    return folder / "results"


def cells(path: Path) -> list[dict[str, str]]:
    """A table by Python's own csv module; the apostrophe that the project writes before a formula is taken off."""
    with path.open(encoding="utf-8", newline="") as file:
        return [{k: v[1:] if v.startswith("'=") else v for k, v in row.items()} for row in csv.DictReader(file)]
