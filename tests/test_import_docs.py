"""docs/import.md cannot drift from the code: codes, units and sources that it names are those that are read."""

from __future__ import annotations

import re

from doc_pages import page, section, table, words

from mrecist.cli import build_parser
from mrecist.objects import read_aim, read_report
from mrecist.objects.read_finding import UNITS_OF


def test_the_codes_of_each_column() -> None:
    rows = {words(row["column"])[0]: row for row in table(section(page("import.md"), "Which number is what"), "column")}
    read = {
        "longest_mm": {value for value, _ in read_report._LONG | read_report._LENGTH},
        "short_mm": {value for value, _ in read_report._SHORT},
        "volume_mm3": {value for value, _ in read_report._VOLUME},
        "mean_hu": {read_report._DENSITY[0]},
    }
    for column, codes in read.items():
        assert set(re.findall(r"\b(?:\d{6,}|[GM]-[A-F0-9]+)\b", rows[column]["concept"])) == codes, column
    assert read["longest_mm"] >= read_aim._LONG | read_aim._LENGTH
    assert read["short_mm"] == read_aim._SHORT
    for column, row in rows.items():
        assert {unit.strip().lower() for unit in row["units taken"].split(",")} <= set(UNITS_OF[column]), column


def test_every_source_has_its_row() -> None:
    rows = table(page("import.md"), "source")
    parser = build_parser().parse_args(["import", "sr", "x", "--out", "y"])
    assert parser.source == "sr"
    assert [words(row["source"])[0] for row in rows] == ["import sr", "import aim", "import list"]
