"""Dates that de-identification shifted by whole days: the same categories and intervals."""

from __future__ import annotations

import csv
from collections.abc import Callable
from datetime import date, timedelta
from pathlib import Path

import pydicom

from mrecist.cli import main

DAYS = 37  # over the ends of months and the leap day of 2024


def table(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def days_between(row: dict[str, str], other: dict[str, str], column: str) -> int | None:
    if not row[column] and not other[column]:
        return None
    return (date.fromisoformat(other[column]) - date.fromisoformat(row[column])).days


def test_shifted_dates_give_the_same_categories_and_intervals(make_study: Callable[..., Path], tmp_path: Path) -> None:
    """A partial response, and a new lesion after a visit that is missing."""
    study = make_study("SAMPLE-01", "SAMPLE-05")
    assert main(["score", str(study), "--out", str(tmp_path / "before")]) == 0
    for path in study.rglob("*.dcm"):
        header = pydicom.dcmread(path)
        for element in header.iterall():
            if element.VR == "DA" and element.value:
                day = pydicom.valuerep.DA(element.value)
                element.value = (day + timedelta(DAYS)).strftime("%Y%m%d")
        header.save_as(path)
    reads = study / "reads" / "R1.csv"
    lines = [line.split(",") for line in reads.read_text(encoding="utf-8").splitlines()]
    at = lines[0].index("date")
    for cells in lines[1:]:
        cells[at] = (date.fromisoformat(cells[at]) + timedelta(DAYS)).isoformat() if cells[at] else ""
    reads.write_text("".join(",".join(cells) + "\n" for cells in lines), encoding="utf-8")
    assert main(["score", str(study), "--out", str(tmp_path / "after")]) == 0
    for name in ("measurements.csv", "responses.csv", "best_responses.csv"):
        before, after = table(tmp_path / "before" / name), table(tmp_path / "after" / name)
        assert len(before) == len(after) > 3
        dated = [column for column in before[0] if column == "date" or column.endswith("_date")]
        for one, other in zip(before, after, strict=True):
            assert {days_between(one, other, column) for column in dated} <= {DAYS, None}
            assert [one[c] for c in one if c not in (*dated, "reason")] == [
                other[c] for c in other if c not in (*dated, "reason")
            ]
    assert "PD" in {row["overall"] for row in table(tmp_path / "after" / "responses.csv")}
