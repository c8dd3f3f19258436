"""The RECIST 1.1 example of pharmaversesdtm (Apache-2.0): 8 subjects, 3 readers, categories written down by its authors.

tu_onco_recist, tr_onco_recist, rs_onco_recist as tu.csv, tr.csv, rs.csv. Every category follows from the sizes by RECIST 1.1 but one: a
radiologist of 01-701-1133 goes from CR at week 6 to PR at week 9 (4.95 mm), which Table 3 of Eisenhauer 2009 takes as progression.
"""

from __future__ import annotations

import csv
from pathlib import Path

import pytest

from mrecist.cli import main

PROTOCOL = 'format = "mrecist-protocol/1"\n[schedule]\npartial_date = "last_of_month"\n'


def test_reported_responses_follow_but_one(shared_data: Path, tmp_path: Path) -> None:
    folder = shared_data / "pharmaverse_onco_recist"
    if not (folder / "rs.csv").is_file():
        pytest.skip("pharmaverse_onco_recist (tu.csv, tr.csv, rs.csv) is not in the shared data folder on this machine")
    protocol = tmp_path / "p.toml"
    protocol.write_text(PROTOCOL)
    options = ["--criterion", "recist11", "--protocol", str(protocol), "--out", str(tmp_path)]
    assert main(["assess", str(folder), "--compare", str(folder), *options]) == 0
    with (tmp_path / "comparison.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    assert [row["test"] for row in rows] == ["OVRLRESP"] * 66
    differ = [
        (r["subject"], r["reader"], r["visit"], r["reported"], r["derived"]) for r in rows if r["agrees"] != "yes"
    ]
    assert differ == [("01-701-1133", "RADIOLOGIST 2", "WEEK 9", "PR", "PD")]
