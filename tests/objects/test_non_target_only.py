"""A subject without any target: the report is valid, and says so in words and codes and never with a sum."""

from __future__ import annotations

import shutil
from pathlib import Path

import pydicom
from command_line import run
from sr_content import codes_of, numbers_of, of_lesion, response, rows
from test_export_seg import dciodvfy_errors

TABLE = """subject,timepoint,date,reader,lesion,role,organ,state
SAMPLE-01,0,2024-01-09,R1,NT01,non-target,liver,present
SAMPLE-01,1,2024-03-06,R1,NT01,non-target,liver,present
SAMPLE-01,2,2024-05-01,R1,NT01,non-target,liver,absent
"""


def test_a_report_without_targets(sample: Path, tmp_path: Path) -> None:
    """Non-CR/non-PD and then CR (Eisenhauer 2009, Table 2: non-target disease only)."""
    shutil.copytree(sample / "images" / "SAMPLE-01", tmp_path / "images")
    table, out = tmp_path / "m.csv", tmp_path / "sr"
    table.write_text(TABLE, encoding="utf-8")
    assert run("assess", table, "--criterion", "recist11", "--out", tmp_path / "results") == 0
    assert run("export", "sr", tmp_path / "results", "--images", tmp_path / "images", "--out", out) == 0
    overall = [row["overall"] for row in rows(tmp_path / "results" / "responses.csv")][1:]
    assert overall == ["NON-CR/NON-PD", "CR"]
    for visit, non_target in ((1, "112046"), (2, "112045")):
        path = out / "SAMPLE-01" / f"sr_R1_{visit}.dcm"
        assert dciodvfy_errors(path) == []
        group = response(pydicom.dcmread(path), "recist11")
        assert ("112051", "DCM") not in numbers_of(group)
        assert (non_target, "DCM") in codes_of(group)["112048", "DCM"]
        assert all(numbers_of(g) == {} for g in of_lesion(pydicom.dcmread(path), "NT01"))
    assert run("import", "sr", out, "--out", tmp_path / "back.csv") == 0
    assert run("assess", tmp_path / "back.csv", "--criterion", "recist11", "--out", tmp_path / "again") == 0
    assert [row["overall"] for row in rows(tmp_path / "again" / "responses.csv")][1:] == overall
