"""Viability needs a confirmed arterial phase: what a study folder says of its series, and what it asks for."""

from __future__ import annotations

import csv
import json
import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pydicom
import pytest
from pydicom.uid import EnhancedCTImageStorage

from mrecist.cli import main
from mrecist.errors import InputError
from mrecist.imaging.masks import LesionMask
from mrecist.imaging.scan import scan_folder
from mrecist.pieces import series_of
from mrecist.samples.build import sample_study_path
from mrecist.study import open_study

MakeStudy = Callable[..., Path]
SUBJECT = "SAMPLE-01"


def retag(study: Path, **tags: str | None) -> None:
    """Set or remove tags of every image."""
    for path in (study / "images").rglob("*.dcm"):
        dataset = pydicom.dcmread(path)
        for keyword, value in tags.items():
            if value is not None:
                setattr(dataset, keyword, value)
            elif keyword in dataset:
                delattr(dataset, keyword)
        dataset.save_as(path)


DEIDENTIFIED: dict[str, str | None] = dict.fromkeys(
    (
        "SeriesDescription",
        "ProtocolName",
        "StudyDescription",
        "ContrastBolusStartTime",
        "ContrastBolusAgent",
        "AcquisitionTime",
    )
)


def series_uid(study: Path, visit: int, phase: str) -> str:
    first = next((study / "images" / SUBJECT / str(visit) / phase).glob("*.dcm"))
    return str(pydicom.dcmread(first, stop_before_pixels=True).SeriesInstanceUID)


def scored(study: Path, out: Path) -> tuple[list[dict[str, str]], list[dict[str, str]]]:
    """Measurement rows, and the rows of mRECIST responses."""
    assert main(["score", str(study), "--out", str(out)]) == 0
    tables = []
    for name in ("measurements.csv", "responses.csv"):
        with (out / name).open(encoding="utf-8", newline="") as file:
            tables.append(list(csv.DictReader(file)))
    return tables[0], [row for row in tables[1] if row["criterion"] == "mrecist"]


def test_deidentified_images_are_asked_about_and_viability_is_not_scored(
    make_study: MakeStudy, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    study = make_study(SUBJECT)
    retag(study, **DEIDENTIFIED)
    rows, responses = scored(study, tmp_path / "out")
    said = capsys.readouterr().err
    assert f"{SUBJECT}: the contrast phase of" in said
    assert series_uid(study, 0, "arterial") in said
    assert "state it in series.csv (columns series_uid, phase" in said
    assert {row["phase"] for row in rows if row["viable_mm"]} == {"UNKNOWN"}
    assert all("VIABLE_NOT_ARTERIAL" in row["flags"] for row in responses if row["target"] == "NE")
    assert "NE" in {row["target"] for row in responses}
    # The reader states it: the same study has the responses of the original.
    lines = ["series_uid,phase,by,on"]
    for visit in sorted(p.name for p in (study / "images" / SUBJECT).iterdir()):
        lines.append(f"{series_uid(study, int(visit), 'arterial')},ARTERIAL,R1,2024-02-03")
    (study / "series.csv").write_text("\n".join(lines) + "\n", encoding="utf-8")
    _, stated = scored(study, tmp_path / "stated")
    original = make_original(tmp_path)
    assert [r["overall"] for r in stated] == [r["overall"] for r in scored(original, tmp_path / "original")[1]]
    (phase,) = {
        s.phase for one in open_study(study).subjects for s in one.series if s.uid == series_uid(study, 0, "arterial")
    }
    assert phase.evidence[0] == "stated by R1 on 2024-02-03"
    assert phase.evidence[1].startswith("headers: UNKNOWN (none): no header names a phase")


def make_original(tmp_path: Path) -> Path:
    sample, study = sample_study_path(), tmp_path / "original_study"
    shutil.copytree(sample / "images" / SUBJECT, study / "images" / SUBJECT)
    (study / "masks").mkdir()
    for path in (sample / "masks").glob(f"{SUBJECT}_*.dcm"):
        shutil.copy(path, study / "masks")
    header, *lines = (sample / "reads" / "R1.csv").read_text(encoding="utf-8").splitlines()
    kept = [line for line in lines if line.split(",")[0] == SUBJECT]
    if kept:
        (study / "reads").mkdir()
        (study / "reads" / "R1.csv").write_text("\n".join([header, *kept]) + "\n", encoding="utf-8")
    return study


def test_a_phase_that_headers_only_suggest_is_not_confirmed(
    make_study: MakeStudy, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """A short form and nothing else: `phase_confidence = "low"` takes it, the default does not."""
    study = make_study(SUBJECT)
    retag(study, **{**DEIDENTIFIED, "SeriesDescription": "ABD ART"})
    rows, _ = scored(study, tmp_path / "default")
    assert {row["phase"] for row in rows if row["viable_mm"]} == {"UNKNOWN"}
    said = capsys.readouterr().err
    assert (
        "whose phase is not confirmed (likely ARTERIAL, low): SeriesDescription 'ABD ART' says 'art': ARTERIAL" in said
    )
    text = 'format = "mrecist-protocol/1"\n[measurement]\nphase_confidence = "low"\n'
    (study / "protocol.toml").write_text(text, encoding="utf-8")
    rows, _ = scored(study, tmp_path / "low")
    assert {row["phase"] for row in rows if row["viable_mm"]} == {"ARTERIAL"}


def under_one_uid(study: Path, visit: int) -> str:
    """Both phases of a visit under the SeriesInstanceUID of the arterial one, as some archives merge them."""
    uid = series_uid(study, visit, "arterial")
    for path in (study / "images" / SUBJECT / str(visit) / "portal").glob("*.dcm"):
        dataset = pydicom.dcmread(path)
        dataset.SeriesInstanceUID = uid
        dataset.save_as(path)
    return uid


def test_one_phase_for_two_stacks_is_refused_and_each_stack_takes_its_own(make_study: MakeStudy) -> None:
    study = make_study(SUBJECT)
    uid = under_one_uid(study, 0)
    (study / "series.csv").write_text(f"series_uid,phase\n{uid},ARTERIAL\n", encoding="utf-8")
    with pytest.raises(InputError, match=f"series {uid} holds 2 usable stacks and one phase is stated for all of them"):
        open_study(study)
    (study / "series.csv").write_text(
        f"series_uid,phase,stack\n{uid},DELAYED,2\n{uid},PORTAL VENOUS,1\n", encoding="utf-8"
    )
    stacks = [s for one in open_study(study).subjects for s in one.series if s.uid == uid]
    assert [(s.stack, s.phase.name.value) for s in stacks] == [(1, "PORTAL VENOUS"), (2, "DELAYED")]
    (study / "series.csv").write_text(f"series_uid,phase,stack\n{uid},DELAYED,0\n", encoding="utf-8")
    with pytest.raises(InputError, match="line 2: stack is '0'; it is a whole number from 1"):
        open_study(study)


def test_scan_asks_too(make_study: MakeStudy, capsys: pytest.CaptureFixture[str]) -> None:
    study = make_study(SUBJECT)
    retag(study, **DEIDENTIFIED)
    assert main(["scan", str(study)]) == 0
    assert f"{SUBJECT}: the contrast phase of" in capsys.readouterr().out
    assert main(["scan", str(study), "--json"]) == 0
    phases = {s["phase"]["name"] for s in json.loads(capsys.readouterr().out)["series"]}
    assert phases == {"UNKNOWN"}


def test_a_mask_on_the_second_stack_of_a_multi_frame_file_has_its_phase(tmp_path: Path) -> None:
    """Both stacks are frames of one SOP instance, so only the stack that the mask was placed on tells them apart."""
    uid = two_phase_file(tmp_path / "images")
    series = scan_folder(tmp_path / "images").series
    assert [s.slices[0].sop_instance_uid for s in series] == [uid, uid]
    for one in series:
        assert one.geometry is not None
        whole = np.ones(one.geometry.shape, dtype=bool)
        mask = LesionMask(
            lesion="T01",
            tracking_uid=None,
            reader=None,
            organ=None,
            kind="lesion",
            geometry=one.geometry,
            whole=whole,
            viable=None,
            slice_uids=tuple(s.sop_instance_uid for s in one.slices),
            series_uid=one.uid,
            source="seg.dcm",
            stack=one.stack,
        )
        assert series_of(mask, series) is one


def two_phase_file(folder: Path) -> str:
    """An enhanced CT with two volumes of four frames at the same positions; returns its SOPInstanceUID."""
    from pydicom.dataset import Dataset

    source = next((sample_study_path() / "images" / SUBJECT / "0" / "arterial").glob("*.dcm"))
    dataset = pydicom.dcmread(source)
    dataset.decompress()
    plane = dataset.PixelData
    dataset.SOPClassUID = dataset.file_meta.MediaStorageSOPClassUID = EnhancedCTImageStorage
    dataset.NumberOfFrames = 8
    dataset.PixelData = plane * 8
    groups = []
    for frame in range(8):
        group, place, content = Dataset(), Dataset(), Dataset()
        place.ImagePositionPatient = [0, 0, 5 * (frame % 4)]
        content.FrameAcquisitionNumber = 1 + frame // 4
        group.PlanePositionSequence, group.FrameContentSequence = [place], [content]
        groups.append(group)
    dataset.PerFrameFunctionalGroupsSequence = groups
    folder.mkdir()
    dataset.save_as(folder / "enhanced.dcm")
    return str(dataset.SOPInstanceUID)
