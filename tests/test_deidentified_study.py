"""A study without dates, descriptions and times, as PS3.15's basic profile leaves it, asks; told, it gives what it gave before."""

from __future__ import annotations

import shutil
from pathlib import Path

import pydicom
import pytest

from mrecist.cli import main
from mrecist.study import open_study

SAMPLE = Path(__file__).parents[1] / "sample_data" / "study"
# PS3.15 table E.1-1: removed or emptied, of what the sample holds
GONE = (
    *("SeriesDescription", "ProtocolName", "StudyDescription", "ContrastBolusStartTime", "AcquisitionTime"),
    *("AcquisitionDate", "SeriesDate", "SeriesTime", "StudyDate", "StudyTime", "ContentDate", "ContentTime"),
    *("ContrastBolusAgent", "ClinicalTrialTimePointID", "ClinicalTrialTimePointDescription"),
)


@pytest.fixture
def study(tmp_path: Path) -> Path:
    root = tmp_path / "study"
    for part in ("images/SAMPLE-01", "masks", "reads"):
        (root / part).mkdir(parents=True)
    shutil.copytree(SAMPLE / "images" / "SAMPLE-01", root / "images" / "SAMPLE-01", dirs_exist_ok=True)
    for path in (SAMPLE / "masks").glob("SAMPLE-01_*.dcm"):
        shutil.copy(path, root / "masks")
    reads = (SAMPLE / "reads" / "R1.csv").read_text(encoding="utf-8").splitlines()
    kept = [line for line in reads if line.startswith(("subject,", "SAMPLE-01,"))]
    (root / "reads" / "R1.csv").write_text("\n".join(kept) + "\n", encoding="utf-8")
    return root


def test_it_asks_and_then_gives_the_same(study: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["score", str(study), "--out", str(tmp_path / "before")]) == 0
    (subject,) = open_study(study).subjects
    said = [(s.uid, subject.timepoints[s.uid], s.date, s.phase.name) for s in subject.series]
    for path in study.rglob("*.dcm"):
        ds = pydicom.dcmread(path)
        for keyword in GONE:
            ds.pop(keyword, None)
        ds.save_as(path)
    capsys.readouterr()
    assert main(["score", str(study), "--out", str(tmp_path / "asked")]) != 0
    asked = capsys.readouterr().err
    assert "has no time point; state it in series.csv" in asked
    assert "the contrast phase of 6 series is unknown" in asked

    lines = [f"{uid},{timepoint},{phase}" for uid, timepoint, _, phase in said]
    (study / "series.csv").write_text("\n".join(["series_uid,timepoint,phase", *lines]) + "\n", encoding="utf-8")
    assert main(["score", str(study), "--out", str(tmp_path / "half")]) != 0
    assert "has no date, and a response needs one; state it in series.csv" in capsys.readouterr().err

    lines = [f"{uid},{timepoint},{day},{phase}" for uid, timepoint, day, phase in said]
    (study / "series.csv").write_text("\n".join(["series_uid,timepoint,date,phase", *lines]) + "\n", encoding="utf-8")
    assert main(["score", str(study), "--out", str(tmp_path / "told")]) == 0
    for table in ("measurements.csv", "responses.csv", "best_responses.csv"):
        assert (tmp_path / "told" / table).read_bytes() == (tmp_path / "before" / table).read_bytes(), table
