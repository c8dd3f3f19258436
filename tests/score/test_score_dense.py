"""A very dense part painted into a lesion of the sample study: noted, flagged, and taken off only when the protocol asks."""

from __future__ import annotations

import csv
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pydicom
import pytest
from pydicom.uid import ExplicitVRLittleEndian, generate_uid

from mrecist.cli import main
from mrecist.imaging.masks import LesionMask, read_segmentation
from mrecist.imaging.scan import scan_folder
from mrecist.imaging.series import Series
from mrecist.measure.lesion import measure_lesion

MakeStudy = Callable[..., Path]
RADIUS_MM = 7.0


def table(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def drawn(study: Path) -> tuple[Series, LesionMask]:
    """T01 of the baseline of SAMPLE-01, and the series that it was drawn on."""
    series = scan_folder(study / "images" / "SAMPLE-01" / "0").series
    masks = read_segmentation(study / "masks" / "SAMPLE-01_0.dcm", series).masks
    mask = next(mask for mask in masks if mask.lesion == "T01")
    return next(one for one in series if one.uid == mask.series_uid), mask


def oil_in(mask: LesionMask) -> npt.NDArray[np.bool_]:
    """A ball about the middle of the viable diameter, as far as it is viable."""
    assert mask.viable is not None
    geometry = mask.geometry
    line = measure_lesion(mask.whole, geometry, mask.viable).viable
    assert line is not None
    row, column = np.mean(line.ends_index, axis=0)
    z, y, x = np.ogrid[tuple(slice(n) for n in geometry.shape)]
    far = ((z - line.slice_index) * 5.0) ** 2
    far = far + ((y - row) * geometry.row_spacing_mm) ** 2 + ((x - column) * geometry.column_spacing_mm) ** 2
    return np.asarray(far <= RADIUS_MM**2) & mask.viable


def paint(series: Series, where: npt.NDArray[np.bool_], hu: int) -> None:
    for index, piece in enumerate(series.slices):
        rewrite(piece.path, piece.path, where[index], hu)


def rewrite(source: Path, target: Path, where: npt.NDArray[np.bool_], hu: int, **changes: Any) -> None:
    """The image with another density in ``where``, uncompressed; ``rest`` sets everything else too. A change to None removes the tag."""
    dataset = pydicom.dcmread(source)
    values = dataset.pixel_array.copy()
    slope, intercept = float(dataset.RescaleSlope), float(dataset.RescaleIntercept)
    rest = changes.pop("rest", None)
    if rest is not None:
        values[:] = round((rest - intercept) / slope)
    values[where] = round((hu - intercept) / slope)
    for name, value in changes.items():
        if value is None:
            delattr(dataset, name)
        else:
            setattr(dataset, name, value)
    dataset.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    dataset.file_meta.MediaStorageSOPInstanceUID = dataset.SOPInstanceUID
    dataset.PixelData = values.tobytes()
    dataset["PixelData"].VR = "OW"
    dataset["PixelData"].is_undefined_length = False
    dataset.save_as(target)


def scored(study: Path, out: Path, text: str = "") -> tuple[dict[str, str], dict[str, Any], list[dict[str, str]]]:
    """The row and the drawing of T01 at baseline, and all responses."""
    (study / "protocol.toml").write_text(f'format = "mrecist-protocol/1"\n{text}', encoding="utf-8")
    assert main(["score", str(study), "--out", str(out)]) == 0
    row = next(r for r in table(out / "measurements.csv") if (r["timepoint"], r["lesion"]) == ("0", "T01"))
    drawings = json.loads((out / "measurements.json").read_text(encoding="utf-8"))
    drawing = next(d for d in drawings if (d["timepoint"], d["lesion"]) == (0, "T01"))
    return row, drawing, table(out / "responses.csv")


def test_without_dense_parts_nothing_is_said(
    make_study: MakeStudy, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    row, drawing, responses = scored(make_study("SAMPLE-01"), tmp_path / "out")
    assert row["dense_percent"] == "0"
    assert drawing["dense"]["verdict"] == "none"
    assert not [r for r in responses if "DENSE_PART" in r["flags"]]
    assert "dense" not in capsys.readouterr().err


def test_a_dense_part_is_noted_and_flagged_and_changes_nothing(
    make_study: MakeStudy, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    study = make_study("SAMPLE-01")
    before, _, plain = scored(study, tmp_path / "before")
    series, mask = drawn(study)
    oil = oil_in(mask)
    paint(series, oil, 600)
    capsys.readouterr()
    row, drawing, responses = scored(study, tmp_path / "after")
    percent = 100 * oil.sum() / mask.whole.sum()
    assert float(row["dense_percent"]) == pytest.approx(percent, abs=0.06)
    changed = {"dense_percent", "mean_hu"}
    assert {k: v for k, v in row.items() if k not in changed} == {k: v for k, v in before.items() if k not in changed}
    assert row["lipiodol"] == ""
    assert drawing["dense"] == {
        "percent": pytest.approx(percent),
        "hu": 200,
        "with_native": False,
        "verdict": "separated",
        "reason": "200 HU or more, and no part of the lesion just below that",
        "taken_off": False,
        "viable_drawn_mm": None,
    }
    said = capsys.readouterr().err
    assert f"SAMPLE-01, reader R1, time point 0: T01: {row['dense_percent']} % of the lesion is very dense" in said
    assert "no size was changed" in said
    flag = f"DENSE_PART:T01={row['dense_percent']}"
    for one, other in zip(plain, responses, strict=True):
        flags = other["flags"].split(";")
        here = (other["timepoint"], other["criterion"]) == ("0", "mrecist")
        assert (flag in flags) is here
        assert {**other, "flags": ";".join(f for f in flags if f != flag)} == one | {
            name: other[name] for name in ("protocol_sha256",)
        }


def test_the_protocol_takes_it_off(make_study: MakeStudy, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    study = make_study("SAMPLE-01")
    series, mask = drawn(study)
    oil = oil_in(mask)
    paint(series, oil, 600)
    before, _, _ = scored(study, tmp_path / "before")
    row, drawing, _ = scored(study, tmp_path / "after", "[measurement]\ndense_hu = 300\n")
    lost = oil.sum() * mask.geometry.voxel_volume_mm3  # type: ignore[operator]
    assert float(before["viable_volume_mm3"]) - float(row["viable_volume_mm3"]) == pytest.approx(lost, abs=0.2)
    assert float(row["viable_mm"]) < float(before["viable_mm"])
    assert (row["longest_mm"], row["volume_mm3"]) == (before["longest_mm"], before["volume_mm3"])
    assert (drawing["dense"]["taken_off"], drawing["dense"]["hu"]) == (True, 300)
    assert drawing["dense"]["viable_drawn_mm"] == pytest.approx(float(before["viable_mm"]), abs=0.051)
    assert "taken off the viable part by dense_hu" in capsys.readouterr().err


def test_what_cannot_be_told_is_not_taken_off(
    make_study: MakeStudy, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    study = make_study("SAMPLE-01")
    series, mask = drawn(study)
    assert mask.viable is not None
    paint(series, mask.viable, 600)
    row, drawing, _ = scored(study, tmp_path / "out", "[measurement]\ndense_hu = 300\n")
    assert (drawing["dense"]["verdict"], drawing["dense"]["taken_off"]) == ("not separable", False)
    assert float(row["viable_mm"]) > 0
    assert "whether anything enhances beneath cannot be seen" in capsys.readouterr().err


@pytest.mark.parametrize("fault", ["", "shifted", "no rescale"])
def test_a_native_phase_on_the_same_lattice_tells_faint_oil(
    make_study: MakeStudy, tmp_path: Path, fault: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """150 HU in both phases. On another lattice (0.5 mm away), or without its rescale, the native phase is not used; the rest is done."""
    study = make_study("SAMPLE-01")
    series, mask = drawn(study)
    oil = oil_in(mask)
    paint(series, oil, 150)
    uid, folder = generate_uid(entropy_srcs=["native"]), study / "images" / "SAMPLE-01" / "0" / "native"
    folder.mkdir()
    for index, piece in enumerate(series.slices):
        x, y, z = piece.position_lps
        changes: dict[str, Any] = {
            "SeriesInstanceUID": uid,
            "SOPInstanceUID": generate_uid(entropy_srcs=["native", str(index)]),
            "SeriesDescription": "LIVER NATIVE 5.0",
            "rest": 55,
        }
        if fault == "no rescale":
            changes["RescaleSlope"] = None
        if fault == "shifted":
            changes["ImagePositionPatient"] = [x + 0.5, y, z]
        rewrite(piece.path, folder / f"{index}.dcm", oil[index], 150, **changes)
    (study / "series.csv").write_text(f"series_uid,phase\n{uid},NATIVE\n", encoding="utf-8")
    row, drawing, _ = scored(study, tmp_path / "out")
    if fault:
        assert (row["dense_percent"], drawing["dense"]["with_native"]) == ("0", False)
        assert ("native phase is not used" in capsys.readouterr().err) is (fault == "no rescale")
    else:
        assert float(row["dense_percent"]) == pytest.approx(100 * oil.sum() / mask.whole.sum(), abs=0.06)
        assert (drawing["dense"]["verdict"], drawing["dense"]["with_native"]) == ("separated", True)


def test_measure_looks_too(make_study: MakeStudy, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    study = make_study("SAMPLE-01")
    series, mask = drawn(study)
    paint(series, oil_in(mask), 600)
    masks = ["--seg", str(study / "masks" / "SAMPLE-01_0.dcm"), "--images", str(study / "images" / "SAMPLE-01" / "0")]
    sizes = []
    for name, options in (("a", []), ("b", ["--dense-hu", "300"])):
        out = tmp_path / f"{name}.csv"
        assert main(["measure", *masks, *options, "--out", str(out)]) == 0
        sizes.append(next(row for row in table(out) if row["lesion"] == "T01"))
    assert sizes[0]["dense_percent"] == sizes[1]["dense_percent"] != "0"
    assert float(sizes[1]["viable_mm"]) < float(sizes[0]["viable_mm"])
    said = capsys.readouterr().err
    assert "no size was changed" in said
    assert "mm as drawn" in said


def test_a_reader_who_says_lipiodol_is_believed(make_study: MakeStudy, tmp_path: Path) -> None:
    study = make_study("SAMPLE-01")
    series, mask = drawn(study)
    paint(series, oil_in(mask), 600)
    _, _, _ = scored(study, tmp_path / "out")
    rows = table(tmp_path / "out" / "measurements.csv")
    for row in rows:
        row["lipiodol"] = "yes" if row["lesion"] == "T01" else ""
    with (tmp_path / "said.csv").open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)
    assert main(["assess", str(tmp_path / "said.csv"), "--out", str(tmp_path / "again")]) == 0
    flags = [r["flags"] for r in table(tmp_path / "again" / "responses.csv") if r["criterion"] == "mrecist"]
    assert all("LIPIODOL:T01" in f for f in flags)
    assert not [f for f in flags if "DENSE_PART" in f]


@pytest.mark.parametrize("value", ["149", "3001", "x"])
def test_a_density_that_is_none(value: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as stop:
        main(["measure", "--lesions", "l.nii", "--out", "o.csv", "--dense-hu", value])
    assert stop.value.code == 2
    assert "is not 0 or a density in HU (150 to 3000)" in capsys.readouterr().err
