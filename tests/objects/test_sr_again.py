"""Reports made again: the same bytes, corrections, and studies with something missing."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import pydicom
import pytest
from nifti_study import nifti_study
from sr_content import (
    LONG,
    SHORT,
    VIABLE,
    VIABLE_SHORT,
    VOLUME,
    codes_of,
    lines_of,
    numbers_of,
    of_lesion,
    report,
    response,
    tracking_uid,
)
from test_export_seg import dciodvfy_errors

from mrecist.cli import main


def test_two_exports_are_the_same_bytes(
    sample: Path, scored: Path, binary: Path, reports: Path, tmp_path: Path
) -> None:
    arguments = ["export", "sr", str(scored), "--images", str(sample), "--seg", str(binary), "--out", str(tmp_path)]
    for _ in range(2):  # into an empty folder, and over itself
        assert main(arguments) == 0
        found = {p.relative_to(tmp_path): p.read_bytes() for p in tmp_path.rglob("*.dcm")}
        assert found == {p.relative_to(reports): p.read_bytes() for p in reports.rglob("*.dcm")}
    dataset = report(reports, "SAMPLE-01/1")
    assert {str(e.value)[:8] for e in dataset.iterall() if e.VR in ("DA", "DT") and e.value} == {"20240306"}


@pytest.fixture
def corrected(scored: Path, tmp_path: Path) -> Path:
    """The results with another word at SAMPLE-01, visit 2."""
    results = tmp_path / "results"
    shutil.copytree(scored, results, ignore=shutil.ignore_patterns(".checkpoints"))
    lines = (results / "measurements.csv").read_text(encoding="utf-8").splitlines()
    changed = [
        line.replace("tumour thrombus in a portal vein branch", "corrected")
        if line.startswith("SAMPLE-01,2,")
        else line
        for line in lines
    ]
    assert changed != lines
    for table in (results / "measurements.csv", results / "derivation" / "measurements.csv"):
        table.write_text("\n".join(changed) + "\n", encoding="utf-8")
    return results


def predecessor(dataset: Any) -> str | None:
    for study in dataset.get("PredecessorDocumentsSequence", []):
        return str(study.ReferencedSeriesSequence[0].ReferencedSOPSequence[0].ReferencedSOPInstanceUID)
    return None


@pytest.mark.parametrize("option", [False, True])
def test_a_corrected_report_names_the_one_it_replaces(
    option: bool, sample: Path, corrected: Path, binary: Path, reports: Path, tmp_path: Path
) -> None:
    """In the folder that holds the earlier reports, or beside it with --previous."""
    out = tmp_path / "out"
    if not option:
        shutil.copytree(reports, out)
    arguments = ["export", "sr", str(corrected), "--images", str(sample), "--seg", str(binary), "--out", str(out)]
    arguments += ["--previous", str(reports)] if option else []
    for _ in range(1 if option else 2):  # a second run changes nothing
        assert main(arguments) == 0
        new = pydicom.dcmread(out / "SAMPLE-01" / "sr_R1_2_v2.dcm")
        old = report(reports, "SAMPLE-01/2")
        assert predecessor(new) == old.SOPInstanceUID != new.SOPInstanceUID
        assert new.SeriesInstanceUID == old.SeriesInstanceUID
        assert dciodvfy_errors(out / "SAMPLE-01" / "sr_R1_2_v2.dcm") == []
        assert sorted(p.name for p in out.rglob("*_v*.dcm")) == ["sr_R1_2_v2.dcm"]
        # The others are as they were.
        assert (out / "SAMPLE-02" / "sr_R1_1.dcm").read_bytes() == (reports / "SAMPLE-02" / "sr_R1_1.dcm").read_bytes()
    if not option:
        assert (out / "SAMPLE-01" / "sr_R1_2.dcm").read_bytes() == (reports / "SAMPLE-01" / "sr_R1_2.dcm").read_bytes()


def test_numbers_that_contradict_their_lines_are_refused(
    scored: Path, sample: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    results = tmp_path / "results"
    shutil.copytree(scored, results)
    drawn = json.loads((results / "measurements.json").read_text(encoding="utf-8"))
    drawn[0]["longest"]["mm"] += 1
    (results / "measurements.json").write_text(json.dumps(drawn), encoding="utf-8")
    assert main(["export", "sr", str(results), "--images", str(sample), "--out", str(tmp_path / "out")]) == 1
    said = capsys.readouterr().err
    assert "subject SAMPLE-01, reader R1, time point 0, lesion T01: longest_mm is" in said
    assert len(list((tmp_path / "out").rglob("*.dcm"))) == 16


def test_without_a_segmentation_the_volume_stands_with_the_diameters(
    scored: Path, sample: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "out"
    assert main(["export", "sr", str(scored), "--images", str(sample / "images"), "--out", str(out)]) == 0
    assert "its volume is written without a segment" in capsys.readouterr().err
    first, second, *others = of_lesion(report(out, "SAMPLE-01/0"), "T01")
    assert {LONG, SHORT, VOLUME} <= numbers_of(first).keys()
    assert {VIABLE, VIABLE_SHORT, VOLUME} == numbers_of(second).keys()
    assert others == []
    assert dciodvfy_errors(out / "SAMPLE-01" / "sr_R1_0.dcm") == []


def test_nifti_masks_have_their_lines_on_the_series_of_masks_csv(sample: Path, tmp_path: Path) -> None:
    study = nifti_study(tmp_path / "study", sample, "y")
    assert main(["score", str(study.root), "--out", str(tmp_path / "scored")]) == 0
    assert main(["export", "seg", str(study.root), "--out", str(tmp_path / "seg")]) == 0
    out = tmp_path / "sr"
    arguments = ["--images", str(study.root), "--seg", str(tmp_path / "seg"), "--out", str(out)]
    assert main(["export", "sr", str(tmp_path / "scored"), *arguments]) == 0
    uids = {str(one.sop_instance_uid) for s in study.series for one in s.slices if s.uid == study.masks[1].series_uid}
    found = [line for line in lines_of(out) if line[0] == "SAMPLE-01/1"]
    assert len(found) == 4
    assert {
        i.ReferencedSOPSequence[0].ReferencedSOPInstanceUID for line in found for i in line[4].ContentSequence
    } <= uids
    tracked = pydicom.dcmread(tmp_path / "seg" / "SAMPLE-01" / "seg_R1_1.dcm").SegmentSequence[0].TrackingUID
    assert {tracking_uid(g) for t in (0, 1, 2) for g in of_lesion(report(out, f"SAMPLE-01/{t}"), "1")} == {tracked}


def test_a_visit_without_images_is_reported_in_a_study_of_its_own(one_subject: Path, tmp_path: Path) -> None:
    """The reader states the last visit in words only; its images and mask are not there."""
    shutil.rmtree(one_subject / "images" / "SAMPLE-01" / "2")
    (one_subject / "masks" / "SAMPLE-01_2.dcm").unlink()
    with (one_subject / "reads" / "R1.csv").open("a", encoding="utf-8") as file:
        file.write("SAMPLE-01,2,2024-05-01,R1,T01,target,liver,not-evaluable,,,no scan\n")
    assert main(["score", str(one_subject), "--out", str(tmp_path / "scored")]) == 0
    out = tmp_path / "sr"
    assert main(["export", "sr", str(tmp_path / "scored"), "--images", str(one_subject), "--out", str(out)]) == 0
    last, first = report(out, "SAMPLE-01/2"), report(out, "SAMPLE-01/0")
    assert last.StudyInstanceUID != first.StudyInstanceUID
    assert (last.PatientID, last.StudyDate, last.ContentDate) == ("SAMPLE-01", "20240501", "20240501")
    assert last.ClinicalTrialTimePointID == "2"
    assert "CurrentRequestedProcedureEvidenceSequence" not in last
    assert codes_of(response(last, "recist11"))["TARGET-RESP", "99MRECIST"] == {("NE", "99MRECIST")}
    assert dciodvfy_errors(out / "SAMPLE-01" / "sr_R1_2.dcm") == []


def test_images_that_are_not_there(
    scored: Path, sample: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    some = tmp_path / "images"
    shutil.copytree(sample / "images" / "SAMPLE-01" / "0", some / "0")
    assert main(["export", "sr", str(scored), "--images", str(some), "--out", str(tmp_path / "out")]) == 1
    said = capsys.readouterr().err
    assert "is not among the images given" in said
    assert said.count(f"subject SAMPLE-02: no image is in {some}") == 1  # of three visits
    assert [p.name for p in (tmp_path / "out").rglob("*.dcm")] == ["sr_R1_0.dcm"]


def test_a_table_that_was_changed_after_the_responses_is_refused(
    scored: Path, sample: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    results = tmp_path / "results"
    shutil.copytree(scored, results)
    table = results / "measurements.csv"
    table.write_text(table.read_text(encoding="utf-8").replace(",target,", ",non-target,", 1), encoding="utf-8")
    assert main(["export", "sr", str(results), "--images", str(sample), "--out", str(tmp_path / "out")]) == 2
    assert "was changed since the responses were derived from it" in capsys.readouterr().err
    assert not (tmp_path / "out").exists()


def test_wrong_use(scored: Path, sample: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = ["--out", str(tmp_path / "out")]
    assert main(["export", "sr", str(tmp_path), "--images", str(sample), *out]) == 2
    assert "give the folder that assess or score wrote" in capsys.readouterr().err
    assert main(["export", "sr", str(scored), "--images", str(tmp_path / "no"), *out]) == 2
    assert main(["export", "sr", str(scored), "--images", str(sample), "--previous", str(tmp_path / "no"), *out]) == 2
    assert "give the folder with the earlier reports" in capsys.readouterr().err
    (tmp_path / "none").mkdir()
    for folder, option, said in (
        (sample / "reads", [], "holds no DICOM images; give the study folder that was scored"),
        (sample, ["--seg", str(tmp_path / "none")], "holds no segmentation; give the folder that 'export seg' wrote"),
        (sample, ["--seg", str(tmp_path / "no")], "is not a folder; give the one that 'export seg' wrote"),
    ):
        capsys.readouterr()
        assert main(["export", "sr", str(scored), "--images", str(folder), *option, *out]) == 2
        (line,) = capsys.readouterr().err.splitlines()
        assert said in line
    assert not (tmp_path / "out").exists()
