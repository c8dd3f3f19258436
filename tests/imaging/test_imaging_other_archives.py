"""Series as archives and exports leave them: copies in another encoding, slices without a place, units that are none of HU.

What each must get is what a radiologist would do with it: use it, or send it back with the file named.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from build_forms import enhanced_of
from build_seg import Part, change_seg, write_seg
from build_series import ROOT, Image, axial, dataset_of, write
from pydicom.dataset import Dataset
from pydicom.uid import ExplicitVRBigEndian, JPEGLSNearLossless, RLELossless

from mrecist.cli import main
from mrecist.errors import SeriesError
from mrecist.imaging.scan import scan_folder
from mrecist.imaging.series import Series
from mrecist.imaging.volume import load_volume

Found = list[tuple[int, str, str]]


def found(series: tuple[Series, ...]) -> Found:
    return [(len(s.slices), s.verdict.value, s.verdict_code) for s in series]


def told(series: tuple[Series, ...]) -> str:
    return "\n".join(text for s in series for text in (s.verdict_text, *s.notes))


def tagged(images: list[Image], numbers: list[int], **tags: Any) -> list[Image]:
    return [replace(im, tags={**im.tags, **tags}) if i in numbers else im for i, im in enumerate(images)]


# Copies -----------------------------------------------------------------------------------------------------------------


def _run_length(ds: Any) -> None:
    ds.compress(RLELossless, generate_instance_uid=False)


def _other_text(ds: Any) -> None:
    ds.RescaleSlope, ds.RescaleIntercept = "1.000", "-1024.000000"


@pytest.mark.parametrize("encode", [_run_length, _other_text], ids=["RLE", "rescale in other words"])
@pytest.mark.parametrize("same_uid", [True, False])
def test_a_series_exported_twice_is_one(encode: Callable[[Any], None], same_uid: bool, tmp_path: Path) -> None:
    """An archive may hand a slice out compressed and not, under one SOPInstanceUID or two."""
    write(tmp_path / "a", axial())
    (tmp_path / "b").mkdir()
    for index, image in enumerate(axial()):
        ds = dataset_of(image if same_uid else replace(image, uid=f"{ROOT}.6.{index + 1}"), index)
        encode(ds)
        ds.save_as(tmp_path / "b" / f"{index}", enforce_file_format=True)
    series = scan_folder(tmp_path).series
    assert found(series) == [(12, "ok", "")]
    assert series[0].notes == ("dropped 12 exact duplicate slices",)
    assert load_volume(series[0]).voxels[:, 0, 0].tolist() == list(range(12))


def test_a_copy_in_the_other_order_of_bytes_is_a_copy(tmp_path: Path) -> None:
    write(tmp_path / "a", axial())
    (tmp_path / "b").mkdir()
    for index, image in enumerate(axial()):
        ds = dataset_of(image, index)
        ds.PixelData = np.frombuffer(ds.PixelData, "<u2").astype(">u2").tobytes()
        plain = Dataset()
        plain.update(ds)
        plain.file_meta = ds.file_meta
        plain.file_meta.TransferSyntaxUID = ExplicitVRBigEndian
        plain["PixelData"].VR = "OW"
        plain.save_as(tmp_path / "b" / f"{index}", enforce_file_format=True, little_endian=False, implicit_vr=False)
    assert found(scan_folder(tmp_path).series) == [(12, "ok", "")]


def test_a_lossy_copy_is_no_copy_and_lossy_slices_are_said(tmp_path: Path) -> None:
    tmp_path.joinpath("a").mkdir()
    ramp = np.arange(48, dtype=np.uint16).reshape(6, 8) * 9
    for index, image in enumerate(axial()):
        ds = dataset_of(image, index)
        ds.PixelData = ramp.tobytes()
        if index % 2:
            ds.compress(JPEGLSNearLossless, jls_error=2, generate_instance_uid=False)
            ds.LossyImageCompression = "01"
        ds.save_as(tmp_path / "a" / f"{index}", enforce_file_format=True)
    series = scan_folder(tmp_path).series
    assert found(series) == [(12, "ok", "")]
    assert "lossy compression in 6 of 12 slices" in told(series)


# Slices without a place -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "tags",
    [
        {"ImagePositionPatient": None},
        {"ImageOrientationPatient": [0.0] * 6},
        {"PixelSpacing": [0, 0]},
    ],
)
@pytest.mark.parametrize("end", [0, 11])
def test_a_slice_without_a_place_is_missing_also_at_an_end(tags: dict[str, Any], end: int, tmp_path: Path) -> None:
    """No gap shows there, yet the file is known: eleven slices with verdict ok would be a volume cut short."""
    write(tmp_path, tagged(axial(), [end], **tags))
    series = scan_folder(tmp_path).series
    assert sorted(found(series)) == [(1, "refused", "NO_GEOMETRY"), (11, "refused", "NO_GEOMETRY")]
    assert f"{end:04d}.dcm" in told(series)


def test_a_slice_of_another_kind_without_a_place_refuses_nothing(tmp_path: Path) -> None:
    stray = replace(axial(1)[0], uid=f"{ROOT}.9", tags={"ImagePositionPatient": None, "Rows": 5})
    write(tmp_path, [*axial(), stray])
    assert sorted(found(scan_folder(tmp_path).series)) == [(1, "refused", "NO_GEOMETRY"), (12, "ok", "")]


@pytest.mark.parametrize("beside", [False, True], ids=["none at all", "one for the whole file"])
def test_a_frame_without_its_own_position_has_none(beside: bool, tmp_path: Path) -> None:
    ds = enhanced_of(axial(), "enhanced CT", 5000)
    del ds.PerFrameFunctionalGroupsSequence[11].PlanePositionSequence
    if beside:
        ds.ImagePositionPatient = [-50.0, -60.0, 100.0]
    ds.save_as(tmp_path / "f", enforce_file_format=True)
    series = scan_folder(tmp_path).series
    assert sorted(found(series)) == [(1, "refused", "NO_GEOMETRY"), (11, "refused", "NO_GEOMETRY")]
    assert "f frame 12" in told(series)


def test_frames_that_are_not_described_refuse_the_file(tmp_path: Path) -> None:
    ds = enhanced_of(axial(), "enhanced CT", 5000)
    ds.NumberOfFrames = 11
    ds.PerFrameFunctionalGroupsSequence = ds.PerFrameFunctionalGroupsSequence[:11]
    ds.save_as(tmp_path / "f", enforce_file_format=True)
    scan = scan_folder(tmp_path)
    assert scan.series == ()
    assert [p.reason for p in scan.problems] == [
        "1152 bytes of pixel data where NumberOfFrames 11 needs 1056; frames are not described"
    ]


def test_a_file_beside_the_slices_that_cannot_be_read_is_said(tmp_path: Path) -> None:
    """Of an empty file nobody knows the series; it may have been the last slice."""
    (*_, last) = write(tmp_path / "a", axial())
    last.write_bytes(b"")
    write(
        tmp_path / "b",
        [
            replace(im, uid=f"{ROOT}.5.{i + 1}", tags={"SeriesInstanceUID": f"{ROOT}.55"})
            for i, im in enumerate(axial())
        ],
    )
    one, other = scan_folder(tmp_path).series
    assert one.notes == ("beside its slices lies what cannot be read (0011.dcm): a slice may be missing at an end",)
    assert other.notes == ()


def test_a_side_of_65535_refuses_a_compressed_series(tmp_path: Path) -> None:
    """As a stack of one slice of its own it would leave eleven with verdict ok."""
    for index, image in enumerate(axial()):
        ds = dataset_of(image, index)
        ds.compress(RLELossless, generate_instance_uid=False)
        ds.Rows = 65535 if index == 11 else ds.Rows
        ds.save_as(tmp_path / f"{index}", enforce_file_format=True)
    assert found(scan_folder(tmp_path).series) == [(11, "refused", "DAMAGED_FILE")]


# Volumes over one another -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("offset", [0.0, 1.5])
def test_reconstructions_with_another_centre_are_two_volumes(offset: float, tmp_path: Path) -> None:
    """Equal numbers, no times: only the corner of the image tells them apart, and it does."""
    other = [
        replace(im, position=(-80.0, -90.0, im.position[2] + offset), number=i + 1)
        for i, im in enumerate(axial(phase=1))
    ]
    write(tmp_path, [*axial(), *other])
    series = scan_folder(tmp_path).series
    assert found(series) == [(12, "ok", "")] * 2
    assert "by the place within the plane" in told(series)
    stamps = [load_volume(s).voxels[:, 0, 0].tolist() for s in series]
    assert sorted(stamps) == [list(range(12)), list(range(1000, 1012))]


def test_a_slice_taken_again_a_breath_away_is_named(tmp_path: Path) -> None:
    again = Image((-50.0, -60.0, 115.3), 500, 99)
    write(tmp_path, [*axial(), again])
    series = scan_folder(tmp_path).series
    assert found(series) == [(13, "refused", "DUPLICATE_POSITIONS")]
    assert "slices at 115.00 and 115.30 mm lie 0.30 mm apart where the usual step is 3.00 mm" in told(series)


def test_frames_of_magnitude_phase_and_real_part_are_three_volumes(tmp_path: Path) -> None:
    parts = ("MAGNITUDE", "PHASE", "REAL")
    images = [im for number in range(3) for im in axial(phase=number)]
    ds = enhanced_of([replace(im, number=1) for im in images], "enhanced MR", 5000)
    for index, group in enumerate(ds.PerFrameFunctionalGroupsSequence):
        item = Dataset()
        item.FrameType, item.ComplexImageComponent = ["ORIGINAL", "PRIMARY", "VOLUME", "NONE"], parts[index // 12]
        group.MRImageFrameTypeSequence = [item]
    ds.save_as(tmp_path / "f", enforce_file_format=True)
    assert found(scan_folder(tmp_path).series) == [(12, "ok", "")] * 3


def test_acquisitions_end_to_end_without_times_are_said(tmp_path: Path) -> None:
    later = axial(phase=1, start=136.0, AcquisitionNumber=2)
    write(tmp_path, [*axial(AcquisitionNumber=1), *later])
    series = scan_folder(tmp_path).series
    assert found(series) == [(24, "ok", "")]
    assert "acquisitions 1, 2 end to end" in told(series)


# Numbers that are none --------------------------------------------------------------------------------------------------


def test_positions_that_are_no_millimetres_make_no_volume(tmp_path: Path) -> None:
    """In centimetres the step is a tenth of what it is, and so would be every volume."""
    write(tmp_path, [replace(im, position=tuple(v / 10 for v in im.position)) for im in axial()])  # type: ignore[arg-type]
    assert found(scan_folder(tmp_path).series) == [(12, "in-plane", "CROWDED")]


@pytest.mark.parametrize("thickness", [0, -3])
def test_no_thickness_is_none(thickness: int, tmp_path: Path) -> None:
    write(tmp_path, axial(SliceThickness=thickness))
    (series,) = scan_folder(tmp_path).series
    assert (series.verdict_code, series.slice_thickness_mm, series.notes) == ("", None, ())


@pytest.mark.parametrize("unit", ["MGML", "Z_EFF", "ED", "HU_MOD"])
def test_values_of_a_material_are_no_hu(unit: str, tmp_path: Path) -> None:
    """PS3.3 C.11.1.1.2: mg/ml of a material, effective atomic number, electron density, modified HU."""
    write(tmp_path, axial(RescaleType=unit))
    series = scan_folder(tmp_path).series
    assert found(series) == [(12, "refused", "DERIVED")]
    assert f"RescaleType {unit}" in told(series)


@pytest.mark.parametrize("unit", ["HU", "US", ""])
def test_hu_and_unspecified_values_of_ct_are_used(unit: str, tmp_path: Path) -> None:
    write(tmp_path, axial(RescaleType=unit))
    assert found(scan_folder(tmp_path).series) == [(12, "ok", "")]


def test_two_ways_to_hu_are_none(tmp_path: Path) -> None:
    table = Dataset()
    table.LUTDescriptor, table.ModalityLUTType, table.LUTData = [4, 0, 16], "HU", b"\0" * 8
    table["LUTDescriptor"].VR, table["LUTData"].VR = "US", "OW"
    write(tmp_path, axial(ModalityLUTSequence=[table]))
    (series,) = scan_folder(tmp_path).series
    with pytest.raises(SeriesError, match="both a rescale and ModalityLUTSequence"):
        load_volume(series)


@pytest.mark.parametrize("word", ["SCOUT", "TOPOGRAM", "SURVIEW"])
def test_a_scout_by_another_name_is_one(word: str, tmp_path: Path) -> None:
    scout = Image((-50.0, -60.0, 150.0), 500, 99, {"ImageType": ["ORIGINAL", "PRIMARY", word]})
    write(tmp_path, [*axial(), scout])
    assert found(scan_folder(tmp_path).series) == [(12, "ok", ""), (1, "refused", "LOCALIZER")]


# Masks ------------------------------------------------------------------------------------------------------------------


def test_a_segment_without_a_voxel_is_one_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    images = write(tmp_path / "i", axial())
    drawn = np.zeros((12, 6, 8), dtype=bool)
    drawn[4:6, 2:4, 2:5] = True
    seg = write_seg(tmp_path / "s.dcm", images, [Part(drawn)])

    def wipe(ds: Any) -> None:
        ds.PixelData = b"\0" * len(ds.PixelData)

    change_seg(seg, wipe)
    out = tmp_path / "m.csv"
    code = main(["measure", "--seg", str(seg), "--images", str(tmp_path / "i"), "--out", str(out)])
    assert code == 2
    assert "lesion T01: its mask has no voxel: nothing to measure" in capsys.readouterr().err
