"""Read back and scored again: our own SEG, and SEG and SR that dcmqi wrote, give the sums and categories of the original."""

from __future__ import annotations

import json
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pydicom
import pytest
from command_line import run
from sr_content import rows
from test_export_seg import program

CRITERIA = ("recist11", "mrecist", "irecist", "easl", "qeasl", "vrecist", "choi")
BY_CRITERION = [word for name in CRITERIA for word in ("--criterion", name)]
ANSWER = (
    "subject",
    "reader",
    "criterion",
    "timepoint",
    "date",
    "sum",
    "baseline_sum",
    "nadir_sum",
    "pct_from_baseline",
)
ANSWER += ("pct_from_nadir", "target", "non_target", "new_lesion", "overall", "flags")
BEST = ("subject", "reader", "criterion", "best_unconfirmed", "best_confirmed", "progression_date", "flags")


@pytest.fixture(scope="module")
def original(sample: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The sample study by all criteria."""
    out = tmp_path_factory.mktemp("all")
    assert run("score", sample, *BY_CRITERION, "--out", out) == 0
    return out


def answers(results: Path, subjects: str = "SAMPLE") -> list[tuple[str, ...]]:
    found = [tuple(row[name] for name in ANSWER) for row in rows(results / "responses.csv")]
    found += [tuple(row[name] for name in BEST) for row in rows(results / "best_responses.csv")]
    return [row for row in found if row[0].startswith(subjects)]


def with_masks(sample: Path, study: Path, masks: Iterator[tuple[str, Path]]) -> Path:
    """The sample study with other segmentations."""
    shutil.copytree(sample, study, ignore=shutil.ignore_patterns("masks"))
    (study / "masks").mkdir()
    for name, path in masks:
        shutil.copy(path, study / "masks" / name)
    assert len(list((study / "masks").iterdir())) == len(list((sample / "masks").iterdir())) == 17
    return study


@pytest.mark.parametrize("kind", ["binary", "labelmap"])
def test_our_own_segmentations(
    kind: str, request: pytest.FixtureRequest, sample: Path, original: Path, tmp_path: Path
) -> None:
    exported: Path = request.getfixturevalue(kind)
    masks = ((f"{path.parent.name}_{path.name}", path) for path in exported.rglob("*.dcm"))
    study = with_masks(sample, tmp_path / "study", masks)
    assert run("score", study, *BY_CRITERION, "--out", tmp_path / "again") == 0
    assert answers(tmp_path / "again") == answers(original)
    assert len({row[0] for row in answers(original)}) == 6


def test_our_own_reports(sample: Path, original: Path, binary: Path, tmp_path: Path) -> None:
    reports, table = tmp_path / "sr", tmp_path / "m.csv"
    assert run("export", "sr", original, "--images", sample, "--seg", binary, "--out", reports) == 0
    assert run("import", "sr", reports, "--out", table) == 0
    rules = ["--protocol", sample / "protocol.toml", "--subjects", sample / "subjects.csv", "--stability"]
    assert run("assess", table, *rules, *BY_CRITERION, "--out", tmp_path / "again") == 0
    assert answers(tmp_path / "again") == answers(original)


def call(*command: object) -> None:
    done = subprocess.run([str(word) for word in command], capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, done.stdout[-2000:] + done.stderr[-2000:]


def images_of(seg: Path, sample: Path) -> Path:
    """The folder with the series that a segmentation refers to."""
    uid = pydicom.dcmread(seg, stop_before_pixels=True).ReferencedSeriesSequence[0].SeriesInstanceUID
    visit = sample / "images" / seg.parent.name / seg.stem.rsplit("_", 1)[1]
    found = (p for p in visit.iterdir() if pydicom.dcmread(next(p.glob("*.dcm"))).SeriesInstanceUID == uid)
    return next(found)


def by_dcmqi(seg: Path, sample: Path, work: Path) -> Path:
    """A segmentation taken apart by segimage2itkimage, and written anew by itkimage2segimage."""
    work.mkdir(parents=True)
    call(program("segimage2itkimage"), "--inputDICOM", seg, "--outputDirectory", work, "-t", "nii")
    parts = sorted(work.glob("*.nii.gz"), key=lambda path: int(path.name.split(".")[0]))
    out = work / "again.dcm"
    command = [program("itkimage2segimage"), "--inputImageList", ",".join(map(str, parts)), "--outputDICOM", out]
    call(*command, "--inputDICOMDirectory", images_of(seg, sample), "--inputMetadata", work / "meta.json")
    assert "dcmqi" in str(pydicom.dcmread(out, stop_before_pixels=True)).lower()
    return out


def test_segmentations_that_dcmqi_wrote(binary: Path, sample: Path, original: Path, tmp_path: Path) -> None:
    written = (
        (f"{path.parent.name}_{path.name}", by_dcmqi(path, sample, tmp_path / path.parent.name / path.stem))
        for path in sorted(binary.rglob("*.dcm"))
    )
    study = with_masks(sample, tmp_path / "study", written)
    assert run("score", study, *BY_CRITERION, "--out", tmp_path / "again") == 0
    assert answers(tmp_path / "again") == answers(original)


def coded(value: str, scheme: str, meaning: str) -> dict[str, str]:
    return {"CodeValue": value, "CodingSchemeDesignator": scheme, "CodeMeaning": meaning}


MM, MM3 = coded("mm", "UCUM", "millimeter"), coded("mm3", "UCUM", "cubic millimeter")
HU = coded("[hnsf'U]", "UCUM", "Hounsfield unit")
LONG_AXIS, SHORT_AXIS = coded("103339001", "SCT", "Long Axis"), coded("103340004", "SCT", "Short Axis")
VOLUME = coded("118565006", "SCT", "Volume")
WHOLE = {
    "longest_mm": (LONG_AXIS, MM),
    "short_mm": (SHORT_AXIS, MM),
    "volume_mm3": (VOLUME, MM3),
    "mean_hu": (coded("112031", "DCM", "Attenuation Coefficient"), HU),
}
VIABLE = {"viable_mm": (LONG_AXIS, MM), "viable_short_mm": (SHORT_AXIS, MM), "viable_volume_mm3": (VOLUME, MM3)}


def group_of(row: dict[str, str], seg: Any, part: dict[str, Any], finding: dict[str, str]) -> dict[str, Any]:
    segment = next(s for s in seg.SegmentSequence if s.TrackingID == row["lesion"])
    return {
        "TrackingIdentifier": row["lesion"],
        "TrackingUniqueIdentifier": str(segment.TrackingUID),
        "ReferencedSegment": segment.SegmentNumber,
        "SourceSeriesForImageSegmentation": str(seg.ReferencedSeriesSequence[0].SeriesInstanceUID),
        "segmentationSOPInstanceUID": str(seg.SOPInstanceUID),
        "Finding": finding,
        "FindingSite": coded("10200004", "SCT", "Liver"),
        "measurementItems": [
            {
                "value": row[column],
                "quantity": quantity,
                "units": unit,
                **({"derivationModifier": coded("373098007", "SCT", "Mean")} if column == "mean_hu" else {}),
            }
            for column, (quantity, unit) in part.items()
            if row[column]
        ],
    }


def report_by_dcmqi(lesions: list[dict[str, str]], seg: Path, sample: Path, work: Path) -> Path:
    """What a reader measured at one visit, written by tid1500writer."""
    work.mkdir(parents=True)
    shutil.copy(seg, work / "seg.dcm")
    images = images_of(seg, sample)
    header = pydicom.dcmread(seg)
    lesion, viable = coded("52988006", "SCT", "Lesion"), coded("C113842", "NCIt", "Enhancing Lesion")
    about = {
        "SeriesDescription": "Measurements", "SeriesNumber": "1001", "InstanceNumber": "1",
        "compositeContext": ["seg.dcm"], "imageLibrary": [p.name for p in sorted(images.iterdir())],
        "observerContext": {"ObserverType": "PERSON", "PersonObserverName": lesions[0]["reader"]},
        "VerificationFlag": "VERIFIED", "CompletionFlag": "COMPLETE", "activitySession": "1",
        "timePoint": lesions[0]["timepoint"],
        "Measurements": [
            group_of(row, header, part, finding) for row in lesions for part, finding in ((WHOLE, lesion), (VIABLE, viable))
        ],
    }  # fmt: skip
    (work / "about.json").write_text(json.dumps(about), encoding="utf-8")
    out = work / "sr.dcm"
    command = [program("tid1500writer"), "--inputImageLibraryDirectory", images, "--inputMetadata", work / "about.json"]
    call(*command, "--inputCompositeContextDirectory", work, "--outputDICOM", out)
    return out


def test_reports_that_dcmqi_wrote(binary: Path, sample: Path, original: Path, tmp_path: Path) -> None:
    """SAMPLE-02, one target at three visits, PR by RECIST 1.1 and CR by mRECIST. dcmqi has no place for words such as present."""
    measured = [row for row in rows(original / "measurements.csv") if row["subject"] == "SAMPLE-02"]
    assert [row["lesion"] for row in measured] == ["T01"] * 3
    reports = [
        report_by_dcmqi([row], binary / "SAMPLE-02" / f"seg_R1_{visit}.dcm", sample, tmp_path / str(visit))
        for visit, row in enumerate(measured)
    ]
    table = tmp_path / "m.csv"
    assert run("import", "sr", *reports, "--images", sample / "images", "--out", table) == 0
    rules = ["--protocol", sample / "protocol.toml", "--subjects", sample / "subjects.csv", "--stability"]
    assert run("assess", table, *rules, *BY_CRITERION, "--out", tmp_path / "again") == 0
    assert answers(tmp_path / "again") == answers(original, "SAMPLE-02")
