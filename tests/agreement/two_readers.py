"""Small tables of measurements by two readers, A and B, for the tests of this folder."""

from __future__ import annotations

import csv
from collections.abc import Iterable
from pathlib import Path

from mrecist.cli import main

COLUMNS = (
    *(
        "subject",
        "timepoint",
        "date",
        "reader",
        "lesion",
        "role",
        "organ",
        "state",
        "longest_mm",
        "viable_mm",
        "comment",
    ),
)
BASELINE, FIRST, SECOND = "2010-01-01", "2010-03-01", "2010-05-01"
DATES = (BASELINE, FIRST, SECOND)
Line = tuple[object, ...]


def line(
    reader: str,
    timepoint: int,
    longest: object = "",
    *,
    lesion: str = "T01",
    role: str = "target",
    organ: str = "liver",
    state: str = "measured",
    viable: object = "",
    date: str = "",
    subject: str = "S1",
) -> Line:
    return (subject, timepoint, date or DATES[timepoint], reader, lesion, role, organ, state, longest, viable, "")


def write(path: Path, lines: Iterable[Line]) -> Path:
    with path.open("w", encoding="utf-8", newline="") as file:
        csv.writer(file).writerows([COLUMNS, *lines])
    return path


def read(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def agree(folder: Path, lines: Iterable[Line], *options: str, code: int = 0) -> Path:
    """The folder that ``mrecist agree`` wrote."""
    table = write(folder / "measurements.csv", lines)
    assert main(["agree", str(table), "--resamples", "0", "--out", str(folder / "out"), *options]) == code
    return folder / "out"
