"""What ``mrecist score`` does with damaged and contradictory studies: one clear line, the rest still done."""

from __future__ import annotations

import csv
import json
import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pydicom
import pytest
import SimpleITK as sitk  # noqa: N813 - the name its users know

from mrecist.cli import main
from mrecist.imaging.masks import read_label_masks
from mrecist.measure.lesion import measure_lesion

MakeStudy = Callable[..., Path]


def table(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def score(study: Path) -> tuple[int, list[dict[str, str]], set[str]]:
    """Exit code, problems, and the subjects that have responses."""
    out = study.parent / "out"
    code = main(["score", str(study), "--out", str(out)])
    return code, table(out / "problems.csv"), {row["subject"] for row in table(out / "responses.csv")}


def add_read(study: Path, line: str) -> None:
    """A line of reads/: subject, timepoint, date, reader, lesion, role, organ, state, viable_mm, pattern, comment."""
    path = study / "reads" / "R1.csv"
    path.write_text(path.read_text(encoding="utf-8") + line + "\n", encoding="utf-8")


def test_a_segmentation_without_its_series(make_study: MakeStudy) -> None:
    study = make_study("SAMPLE-01", "SAMPLE-05")
    shutil.rmtree(study / "images" / "SAMPLE-01" / "1" / "arterial")
    code, problems, done = score(study)
    assert code == 1
    assert done == {"SAMPLE-05"}
    assert len(problems) == 1
    assert problems[0]["subject"] == "SAMPLE-01"
    assert "is not" in problems[0]["message"]


def test_a_truncated_slice(make_study: MakeStudy) -> None:
    study = make_study("SAMPLE-01", "SAMPLE-05")
    path = study / "images" / "SAMPLE-01" / "0" / "arterial" / "0006.dcm"
    path.write_bytes(path.read_bytes()[:900])
    code, problems, done = score(study)
    assert code == 1
    assert done == {"SAMPLE-05"}
    assert any("0006.dcm" in p["message"] for p in problems)
    assert all("Traceback" not in p["message"] and "\n" not in p["message"] for p in problems)


def test_a_missing_slice(make_study: MakeStudy) -> None:
    study = make_study("SAMPLE-01", "SAMPLE-05")
    (study / "images" / "SAMPLE-01" / "0" / "arterial" / "0004.dcm").unlink()
    code, problems, done = score(study)
    assert code == 1
    assert done == {"SAMPLE-05"}
    assert any("missing" in p["message"] for p in problems)


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("SAMPLE-01,1,2024-03-06,R1,T01,target,liver,absent,,,", "reads/ says 'absent' but a mask was drawn"),
        ("SAMPLE-01,1,2024-03-06,R1,T01,target,liver,measured,0,,", "viable_mm is 0 in reads/"),
        ("SAMPLE-01,1,2024-03-06,R1,T02,non-target,liver,present,,,", "role 'non-target' and was 'target'"),
        ("SAMPLE-01,1,2024-03-06,R1,NT02,non-target,liver,present,,,", "no baseline row"),
        ("SAMPLE-01,1,2024-03-06,R1,NT01,non-target,liver,present,,,", "two rows"),
        ("SAMPLE-01,1,2024-03-06,R1,NT01,non-target,liver,shrunk,,,", "state is 'shrunk'"),
    ],
)
def test_a_read_that_contradicts_the_masks(make_study: MakeStudy, line: str, words: str) -> None:
    study = make_study("SAMPLE-01", "SAMPLE-05")
    add_read(study, line)
    code, problems, done = score(study)
    assert code == 1
    assert done == {"SAMPLE-05"}
    assert [p["subject"] for p in problems] == ["SAMPLE-01"]
    assert words in problems[0]["message"]


def test_a_new_lesion_must_be_stated(make_study: MakeStudy) -> None:
    study = make_study("SAMPLE-01", "SAMPLE-05")
    path = study / "reads" / "R1.csv"
    kept = [line for line in path.read_text(encoding="utf-8").splitlines() if ",NEW01," not in line]
    path.write_text("\n".join(kept) + "\n", encoding="utf-8")
    code, problems, done = score(study)
    assert (code, done) == (1, {"SAMPLE-01"})
    assert "state 'unequivocal' or 'equivocal'" in problems[0]["message"]


def test_a_lesion_with_two_masks(make_study: MakeStudy) -> None:
    study = make_study("SAMPLE-05")
    dataset = pydicom.dcmread(study / "masks" / "SAMPLE-05_0.dcm")
    dataset.SOPInstanceUID = dataset.file_meta.MediaStorageSOPInstanceUID = "2.25.1"
    dataset.save_as(study / "masks" / "again.dcm")
    code, problems, done = score(study)
    assert (code, done) == (2, set())
    assert "has two masks" in problems[0]["message"]


def test_images_without_any_read(make_study: MakeStudy) -> None:
    study = make_study("SAMPLE-02")
    for path in (study / "masks").glob("*.dcm"):
        path.unlink()
    shutil.rmtree(study / "reads")
    code, problems, _ = score(study)
    assert code == 2
    assert "nothing to score" in problems[0]["message"]


def test_the_manifest_overrides_the_phase(make_study: MakeStudy) -> None:
    """SAMPLE-06 has no arterial phase at time point 1, so mRECIST is NE there; a reader who says otherwise is believed."""
    study = make_study("SAMPLE-06")
    path = next((study / "images" / "SAMPLE-06" / "1" / "portal").glob("*.dcm"))
    uid = pydicom.dcmread(path, stop_before_pixels=True).SeriesInstanceUID
    (study / "series.csv").write_text(f"series_uid,phase,by\n{uid},arterial,reader R1\n", encoding="utf-8")
    code, _, _ = score(study)
    assert code == 0
    rows = {(r["criterion"], r["timepoint"]): r for r in table(study.parent / "out" / "responses.csv")}
    assert rows["mrecist", "1"]["overall"] == "SD"
    measured = [r for r in table(study.parent / "out" / "measurements.csv") if r["timepoint"] == "1"]
    assert {r["phase"] for r in measured} == {"ARTERIAL"}


def test_without_an_arterial_phase_the_viable_part_is_not_scored(make_study: MakeStudy) -> None:
    study = make_study("SAMPLE-06")
    score(study)
    rows = {(r["criterion"], r["timepoint"]): r for r in table(study.parent / "out" / "responses.csv")}
    assert rows["recist11", "1"]["overall"] == "SD"
    assert rows["mrecist", "1"]["overall"] == "NE"
    assert "VIABLE_NOT_ARTERIAL:T01" in rows["mrecist", "1"]["flags"]


def test_without_time_points_in_the_headers_the_order_of_dates_is_used_and_said(
    make_study: MakeStudy, capsys: pytest.CaptureFixture[str]
) -> None:
    study = make_study("SAMPLE-02")
    shutil.rmtree(study / "reads")
    for path in study.rglob("*.dcm"):
        dataset = pydicom.dcmread(path)
        del dataset.ClinicalTrialTimePointID
        dataset.save_as(path)
    code, _, done = score(study)
    assert (code, done) == (0, {"SAMPLE-02"})
    assert "time points taken from the order of dates (2024-01-23 = 0, 2024-03-20 = 1" in capsys.readouterr().err


def test_nifti_masks_named_in_a_table(make_study: MakeStudy) -> None:
    """A box of 20 x 10 mm, its left half viable; no DICOM at all. By pixel edges: diagonals 22.36 and 14.14 mm."""
    study = make_study()
    (study / "masks").mkdir(parents=True)
    whole = np.zeros((3, 40, 40), np.uint8)
    whole[1, 10:20, 10:30] = 1
    viable = whole.copy()
    viable[:, :, 20:] = 0
    for name, array in (("whole.nii.gz", whole), ("viable.nii.gz", viable)):
        sitk.WriteImage(sitk.GetImageFromArray(array), str(study / "masks" / name))
    (study / "masks" / "masks.csv").write_text(
        "subject,timepoint,series_uid,lesions,viable,date\n"
        "S1,0,,whole.nii.gz,viable.nii.gz,2024-01-01\nS1,1,,whole.nii.gz,,2024-03-01\n",
        encoding="utf-8",
    )
    (study / "reads").mkdir(exist_ok=True)
    (study / "reads" / "R1.csv").write_text(
        "subject,timepoint,date,lesion,role,state\nS1,0,2024-01-01,1,target,measured\n", encoding="utf-8"
    )
    (study / "protocol.toml").write_text(
        'format = "mrecist-protocol/1"\n[measurement]\nconvention = "extent"\n', encoding="utf-8"
    )
    code, problems, done = score(study)
    assert (code, problems, done) == (0, [], {"S1"})
    rows = table(study.parent / "out" / "measurements.csv")
    assert [(r["longest_mm"], r["viable_mm"]) for r in rows] == [("22.4", "14.1"), ("22.4", "")]


def test_all_lesions_of_a_nifti_mask_are_measured_as_each_alone(
    make_study: MakeStudy, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Labels with gaps, three that touch, one without a viable voxel, in one file; each alone by ``measure_lesion``."""
    study = make_study()
    (study / "masks").mkdir(parents=True)
    z, y, x = np.mgrid[:6, :60, :70]
    labels, alive = np.zeros(z.shape, np.uint16), np.zeros(z.shape, np.uint8)
    for number, (row, column, radius) in {1: (15, 15, 11), 2: (38, 20, 13), 900: (20, 40, 14), 7: (50, 60, 8)}.items():
        far = np.hypot(np.hypot(y - row, x - column), 3 * (z - 2 - number % 2))
        labels[(far < radius) & (labels == 0)] = number
        alive[(labels == number) & (far > radius / 2) & (number != 7)] = 1
    for name, array in (("whole.nii.gz", labels), ("viable.nii.gz", alive)):
        image = sitk.GetImageFromArray(array)
        image.SetSpacing((0.75, 1.25, 3.0))
        sitk.WriteImage(image, str(study / "masks" / name))
    (study / "masks" / "masks.csv").write_text(
        "subject,timepoint,series_uid,lesions,viable,date\nS1,0,,whole.nii.gz,viable.nii.gz,2024-01-01\n",
        encoding="utf-8",
    )
    (study / "reads").mkdir(exist_ok=True)
    reads = "".join(f"S1,0,2024-01-01,{number},target,measured\n" for number in (1, 2, 7, 900))
    (study / "reads" / "R1.csv").write_text(f"subject,timepoint,date,lesion,role,state\n{reads}", encoding="utf-8")
    monkeypatch.setattr("mrecist.pieces.measure_mask", None)  # measuring one by one would fail
    assert score(study)[:2] == (0, [])
    drawn = json.loads((study.parent / "out" / "measurements.json").read_text(encoding="utf-8"))
    masks = read_label_masks(study / "masks" / "whole.nii.gz", study / "masks" / "viable.nii.gz")
    assert [one["lesion"] for one in drawn] == ["1", "2", "7", "900"] == sorted(mask.lesion for mask in masks)
    for one in drawn:
        (mask,) = (mask for mask in masks if mask.lesion == one["lesion"])
        alone = measure_lesion(mask.whole, mask.geometry, mask.viable)
        for name in ("longest", "short", "viable", "viable_short"):
            line = getattr(alone, name)
            found = one[name] and (one[name]["mm"], one[name]["slice"], one[name]["ends_lps"])
            assert found == (line and (line.mm, line.slice_index, [list(end) for end in line.ends_lps]))
        assert one["viable_is_empty"] == (one["lesion"] == "7")
        assert (one["volume_mm3"], one["viable_volume_mm3"]) == (alone.volume_mm3, alone.viable_volume_mm3)


def test_what_is_no_study_is_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["score", str(tmp_path / "nothing"), "--out", str(tmp_path / "out")]) == 2
    assert main(["score", str(tmp_path), "--out", str(tmp_path / "out")]) == 2
    lines = capsys.readouterr().err.splitlines()
    assert len(lines) == 2
    assert not (tmp_path / "out").exists()
