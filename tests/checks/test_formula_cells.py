"""Cells that a spreadsheet would run are written as text, and every text comes back as it was."""

from __future__ import annotations

import csv
from pathlib import Path

import pytest

from mrecist.tables.files import csv_text, read_column, read_rows


@pytest.mark.parametrize(
    ("text", "written"),
    [
        ("=cmd|' /C calc'!A0", "'=cmd|' /C calc'!A0"),  # the dynamic data exchange example of OWASP's "CSV Injection"
        ("@SUM(A1:A9)", "'@SUM(A1:A9)"),
        ("+A1", "'+A1"),
        ("-2+3", "'-2+3"),
        ("'=1", "''=1"),
        ("-30.1", "-30.1"),
        ("+5", "+5"),
        ("-", "-"),
        ("'quoted'", "'quoted'"),
        ("S-01", "S-01"),
        ('a,"b"\nc', 'a,"b"\nc'),
    ],
)
def test_formulas_are_text_and_come_back(text: str, written: str, tmp_path: Path) -> None:
    path = tmp_path / "t.csv"
    path.write_text(csv_text(["subject", "n"], [{"subject": text, "n": 1}]), encoding="utf-8")
    with path.open(encoding="utf-8", newline="") as file:
        assert list(csv.reader(file))[1] == [written, "1"]
    assert read_rows(path, ("subject",))[1][0][1] == {"subject": text, "n": "1"}
    assert read_column(path, "subject") == [text]
