"""``export seg``: what other programs (dciodvfy, dcmqi) and our own reader find in the segmentations.

The expected masks are those of the sample study's segmentations, which another writer's code path made (mrecist.samples) and whose
truth is analytic; their codes are those of PS3.16 CID 7159.
"""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pydicom
import pytest
import SimpleITK as sitk  # noqa: N813 - the name its documentation uses
from build_series import axial as axial_images
from build_series import dataset_of, enhanced, write
from nifti_study import label_file, nifti_study

from mrecist.cli import main
from mrecist.errors import InputError, MaskError
from mrecist.imaging.masks import LesionMask, read_segmentation, read_segments
from mrecist.imaging.scan import scan_folder
from mrecist.imaging.series import Series
from mrecist.objects.segmentation import DrawnLesion, write_segmentation

VISITS = ("SAMPLE-01/0", "SAMPLE-01/1", "SAMPLE-02/1", "SAMPLE-04/2", "SAMPLE-05/0", "SAMPLE-06/1")


def program(name: str) -> str:
    """A program of the test extra: beside the Python that runs this, or on the path."""
    beside = Path(sys.executable).with_name(name)
    found = str(beside) if beside.exists() else shutil.which(name)
    assert found, f"{name} is not installed; it comes with the extra `test`"
    return found


def dciodvfy_errors(path: Path) -> list[str]:
    done = subprocess.run([program("dciodvfy"), str(path)], capture_output=True, text=True, check=False)
    assert done.stderr or done.stdout
    return [line for line in (done.stderr + done.stdout).splitlines() if line.startswith("Error")]


def exported(folder: Path, visit: str) -> Path:
    subject, timepoint = visit.split("/")
    return folder / subject / f"seg_R1_{timepoint}.dcm"


def original(sample: Path, visit: str) -> Path:
    subject, timepoint = visit.split("/")
    return sample / "masks" / f"{subject}_{timepoint}.dcm"


def segments_of(path: Path) -> list[tuple[str, str, str]]:
    """(TrackingID, code of the property type, region) of each segment but the background."""
    dataset = pydicom.dcmread(path)
    return [
        (
            item.TrackingID,
            item.SegmentedPropertyTypeCodeSequence[0].CodeValue,
            item.AnatomicRegionSequence[0].CodeValue,
        )
        for item in dataset.SegmentSequence
        if "TrackingID" in item
    ]


# --- by others -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", ["binary", "labelmap"])
def test_dciodvfy_finds_no_error(kind: str, request: pytest.FixtureRequest) -> None:
    files = sorted(request.getfixturevalue(kind).rglob("*.dcm"))
    assert len(files) == 17
    assert {path.name: dciodvfy_errors(path) for path in files if dciodvfy_errors(path)} == {}


def lps_points(mask: npt.NDArray[np.bool_], series: Series) -> set[tuple[float, ...]]:
    geometry = series.geometry
    assert geometry is not None
    return {tuple(round(v, 2) + 0.0 for v in geometry.to_lps(*map(int, at))) for at in np.argwhere(mask)}


def points_of_image(image: Any, value: int) -> set[tuple[float, ...]]:
    at = np.argwhere(sitk.GetArrayFromImage(image) == value)
    points = (image.TransformIndexToPhysicalPoint([int(v) for v in index[::-1]]) for index in at)
    return {tuple(round(v, 2) + 0.0 for v in point) for point in points}


@pytest.mark.parametrize("kind", ["binary", "labelmap"])
def test_dcmqi_finds_the_same_voxels_in_space(
    kind: str, request: pytest.FixtureRequest, series: tuple[Series, ...], tmp_path: Path
) -> None:
    path = exported(request.getfixturevalue(kind), "SAMPLE-01/1")
    done = subprocess.run(
        [program("segimage2itkimage"), "--inputDICOM", str(path), "--outputDirectory", str(tmp_path), "-t", "nii"],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    ours = read_segments(path, series)
    uid = pydicom.dcmread(path).ReferencedSeriesSequence[0].SeriesInstanceUID
    on = next(one for one in series if one.uid == uid)
    theirs: dict[int, set[tuple[float, ...]]] = {}
    for file in tmp_path.glob("*.nii.gz"):
        image = sitk.ReadImage(str(file))
        for value in np.unique(sitk.GetArrayFromImage(image)).tolist():
            if value:
                theirs.setdefault(int(value), set()).update(points_of_image(image, value))
    assert theirs == {number: lps_points(mask, on) for number, mask in ours.items() if number and mask.any()}
    assert len(theirs) >= 2


# --- by ourselves ----------------------------------------------------------------------------------------------------


def by_lesion(path: Path, series: tuple[Series, ...]) -> dict[str, LesionMask]:
    return {mask.lesion: mask for mask in read_segmentation(path, series).masks}


@pytest.mark.parametrize("kind", ["binary", "labelmap"])
@pytest.mark.parametrize("visit", VISITS)
def test_reading_back_gives_the_masks_that_were_drawn(
    kind: str, visit: str, request: pytest.FixtureRequest, sample: Path, series: tuple[Series, ...]
) -> None:
    back = by_lesion(exported(request.getfixturevalue(kind), visit), series)
    drawn = by_lesion(original(sample, visit), series)
    assert back.keys() == drawn.keys()
    for name, mask in drawn.items():
        other = back[name]
        assert np.array_equal(other.whole, mask.whole)
        assert (other.tracking_uid, other.organ, other.kind, other.reader, other.series_uid) == (
            mask.tracking_uid,
            mask.organ,
            mask.kind,
            "R1",
            mask.series_uid,
        )
        if mask.viable is not None:
            assert np.array_equal(other.viable, mask.viable)


def test_parts_are_coded_as_documented(binary: Path, labelmap: Path) -> None:
    liver = "10200004"
    assert segments_of(exported(binary, "SAMPLE-01/1"))[:2] == [("T01", "52988006", liver), ("T01", "C113842", liver)]
    assert segments_of(exported(labelmap, "SAMPLE-01/1"))[:2] == [("T01", "C113842", liver), ("T01", "C81175", liver)]
    dataset = pydicom.dcmread(exported(binary, "SAMPLE-01/1"))
    assert (dataset.SegmentationType, dataset.SegmentsOverlap) == ("BINARY", "YES")
    assert {s.SegmentedPropertyCategoryCodeSequence[0].CodeValue for s in dataset.SegmentSequence} == {"49755003"}


def test_a_lesion_without_enhancement_has_no_viable_segment_and_says_so(
    binary: Path, sample: Path, series: tuple[Series, ...]
) -> None:
    """SAMPLE-02 at visit 1: reads/ says that nothing enhances, the drawn segmentation has no viable segment."""
    path = exported(binary, "SAMPLE-02/1")
    assert [code for _, code, _ in segments_of(path)] == ["52988006", "C81175"]
    dataset = pydicom.dcmread(path)
    framed = {
        f.SegmentIdentificationSequence[0].ReferencedSegmentNumber for f in dataset.PerFrameFunctionalGroupsSequence
    }
    assert framed == {item.SegmentNumber for item in dataset.SegmentSequence}
    assert by_lesion(original(sample, "SAMPLE-02/1"), series)["T01"].viable is None
    viable = by_lesion(path, series)["T01"].viable
    assert viable is not None
    assert not viable.any()


def test_the_tracking_uid_is_that_of_the_input_at_every_visit(binary: Path, sample: Path) -> None:
    def uids(path: Path) -> dict[str, set[str]]:
        found: dict[str, set[str]] = {}
        for item in pydicom.dcmread(path).SegmentSequence:
            found.setdefault(item.TrackingID, set()).add(item.TrackingUID)
        return found

    visits = [uids(exported(binary, f"SAMPLE-01/{timepoint}")) for timepoint in (0, 1, 2)]
    assert visits == [uids(original(sample, f"SAMPLE-01/{timepoint}")) for timepoint in (0, 1, 2)]
    assert len({uid for visit in visits for uid in visit["T01"]}) == 1


def test_other_tracking_uids_of_a_later_visit_become_those_of_the_first(
    one_subject: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    changed = pydicom.dcmread(one_subject / "masks" / "SAMPLE-01_2.dcm")
    first = changed.SegmentSequence[0].TrackingUID
    for item in changed.SegmentSequence:
        if item.TrackingUID == first:
            item.TrackingUID = "2.25.1234"
    changed.save_as(one_subject / "masks" / "SAMPLE-01_2.dcm")
    assert main(["export", "seg", str(one_subject), "--out", str(tmp_path / "out")]) == 0
    written = pydicom.dcmread(tmp_path / "out" / "SAMPLE-01" / "seg_R1_2.dcm")
    assert written.SegmentSequence[0].TrackingUID == first
    assert f"2.25.1234; it is written as {first}" in capsys.readouterr().err


def test_two_exports_are_the_same_bytes_and_hold_no_time_of_today(sample: Path, binary: Path, tmp_path: Path) -> None:
    assert main(["export", "seg", str(sample), "--out", str(tmp_path)]) == 0
    for path in sorted(binary.rglob("*.dcm")):
        assert path.read_bytes() == (tmp_path / path.relative_to(binary)).read_bytes()
    dataset = pydicom.dcmread(exported(binary, "SAMPLE-01/1"))
    days = {str(e.value)[:8] for e in dataset.iterall() if e.VR in ("DA", "DT") and e.value}
    times = {str(e.value) for e in dataset.iterall() if e.VR == "TM" and e.value}
    # The visit of SAMPLE-01 is of 2024-03-06: the study began at 09:55:00, the arterial series was acquired at 10:00:32.
    assert days == {"20240306"}
    assert times == {"095500", "100032"}


def test_uids_below_a_root_of_ones_own(sample: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["export", "seg", str(sample), "--uid-root", "1.2.826.0.1.3680043.10.999", "--out", str(tmp_path)]) == 0
    dataset = pydicom.dcmread(tmp_path / "SAMPLE-01" / "seg_R1_0.dcm")
    for uid in (dataset.SOPInstanceUID, dataset.SeriesInstanceUID):
        assert uid.startswith("1.2.826.0.1.3680043.10.999.")
        assert uid.is_valid
    for wrong in ("1.02", "1.2.", "abc", "1" * 10 + ".2" * 20):
        assert main(["export", "seg", str(sample), "--uid-root", wrong, "--out", str(tmp_path / "no")]) == 2
        assert f"UID root '{wrong}'" in capsys.readouterr().err
    assert not (tmp_path / "no").exists()


# --- NIfTI -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("turn", ["", "y", "z", "xyz"])
def test_nifti_masks_are_placed_by_their_affine(turn: str, sample: Path, tmp_path: Path) -> None:
    study = nifti_study(tmp_path / "study", sample, turn)
    assert main(["export", "seg", str(study.root), "--out", str(tmp_path / "out")]) == 0
    uids = set()
    for timepoint, drawn in study.masks.items():
        (back,) = read_segmentation(tmp_path / "out" / "SAMPLE-01" / f"seg_R1_{timepoint}.dcm", study.series).masks
        assert np.array_equal(back.whole, drawn.whole)
        assert np.array_equal(back.viable, drawn.viable)
        assert (back.lesion, back.organ) == ("1", "liver")
        uids.add(back.tracking_uid)
    assert len(uids) == 1


def test_a_nifti_mask_on_another_grid_is_refused_with_both_values(
    sample: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    study = nifti_study(tmp_path / "study", sample, shift_mm=0.5)
    assert main(["export", "seg", str(study.root), "--out", str(tmp_path / "out")]) == 1
    said = capsys.readouterr().err
    # Both positions of the first voxel: x = -164 mm is that of the sample's series (SAMPLE-01/1: ImagePositionPatient).
    on = next(s for s in study.series if s.uid == study.masks[1].series_uid)
    x = on.slices[0].position_lps[0]
    assert f"is {x + 0.5:g}, " in said
    assert f" {x:g}, " in said
    assert "draw or resample it on that series" in said
    assert not list((tmp_path / "out").rglob("*.dcm"))


def test_a_nifti_mask_of_another_shape_or_without_its_series_is_refused(
    sample: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    study = nifti_study(tmp_path / "study", sample)
    on = next(s for s in study.series if s.uid == study.masks[0].series_uid)
    small = study.masks[0].whole[:, :-1].astype(np.uint8)
    for name in ("l0", "v0"):
        label_file(study.root / "masks" / f"{name}.nii.gz", small, on)
    table = study.root / "masks" / "masks.csv"
    table.write_text(table.read_text().replace(study.masks[1].series_uid or "?", "1.2.3"))
    assert main(["export", "seg", str(study.root), "--out", str(tmp_path / "out")]) == 1
    said = capsys.readouterr().err
    z, y, x = study.masks[0].whole.shape
    assert f"shape (slices, rows, columns) is {z}, {y - 1}, {x}, of series {on.uid} {z}, {y}, {x}" in said
    assert "its series 1.2.3 is not in the images" in said
    assert [p.name for p in (tmp_path / "out").rglob("*.dcm")] == ["seg_R1_2.dcm"]


# --- arrays ----------------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def drawn_on(tmp_path_factory: pytest.TempPathFactory) -> Series:
    folder = tmp_path_factory.mktemp("axial")
    write(folder, axial_images(5))
    return scan_folder(folder).series[0]


def lesion(name: str, whole: npt.NDArray[np.bool_], viable: npt.NDArray[np.bool_] | None = None) -> DrawnLesion:
    return DrawnLesion(lesion=name, tracking_uid="2.25.7", whole=whole, viable=viable, organ="liver")


def box(shape: tuple[int, ...], *ranges: slice) -> npt.NDArray[np.bool_]:
    mask = np.zeros(shape, dtype=bool)
    mask[ranges] = True
    return mask


def test_arrays_that_cannot_be_written_are_refused(drawn_on: Series) -> None:
    assert drawn_on.geometry is not None
    shape = drawn_on.geometry.shape
    one = box(shape, slice(1, 3), slice(0, 3), slice(0, 3))
    other = box(shape, slice(2, 4), slice(2, 5), slice(2, 5))
    with pytest.raises(MaskError, match="no lesion to write"):
        write_segmentation(drawn_on, [], reader="R1")
    with pytest.raises(MaskError, match="lesion A: its mask holds no voxel"):
        write_segmentation(drawn_on, [lesion("A", np.zeros(shape, dtype=bool))], reader="R1")
    with pytest.raises(MaskError, match=r"shape \(2, 2, 2\), the series \(5, 6, 8\)"):
        write_segmentation(drawn_on, [lesion("A", np.ones((2, 2, 2), dtype=bool))], reader="R1")
    # other has 2 x 3 x 3 voxels, of which (2, 2, 2) lies in one too.
    with pytest.raises(MaskError, match="17 viable voxels lie outside"):
        write_segmentation(drawn_on, [lesion("A", one, other)], reader="R1")
    with pytest.raises(MaskError, match="lesions A and B share 1 voxels"):
        write_segmentation(drawn_on, [lesion("A", one), lesion("B", other)], reader="R1", labelmap=True)
    with pytest.raises(InputError, match="cannot be a DICOM name"):
        write_segmentation(drawn_on, [lesion("A", one)], reader="R\\1")
    assert write_segmentation(drawn_on, [lesion("A", one), lesion("B", other)], reader="R1")


@pytest.mark.parametrize("labelmap", [False, True])
def test_a_single_slice_and_one_voxel_come_back(drawn_on: Series, labelmap: bool, tmp_path: Path) -> None:
    assert drawn_on.geometry is not None
    mask = box(drawn_on.geometry.shape, slice(4, 5), slice(5, 6), slice(7, 8))
    path = tmp_path / "s.dcm"
    path.write_bytes(write_segmentation(drawn_on, [lesion("A", mask, mask)], reader="R1", labelmap=labelmap))
    (back,) = read_segmentation(path, [drawn_on]).masks
    assert np.array_equal(back.whole, mask)
    assert np.array_equal(back.viable, mask)


def test_on_an_enhanced_multiframe_series(tmp_path: Path) -> None:
    positions = [(-50.0, -60.0, 100.0 + 3 * i) for i in range(6)]
    enhanced(positions, [1] * 6, list(range(6))).save_as(tmp_path / "e.dcm", enforce_file_format=True)
    (series,) = scan_folder(tmp_path).series
    assert series.geometry is not None
    mask = box(series.geometry.shape, slice(2, 5), slice(1, 4), slice(2, 6))
    path = tmp_path / "s.dcm"
    path.write_bytes(write_segmentation(series, [lesion("A", mask)], reader="R1"))
    (back,) = read_segmentation(path, [series]).masks
    assert np.array_equal(back.whole, mask)


def test_images_without_a_frame_of_reference(tmp_path: Path) -> None:
    images = axial_images(4, FrameOfReferenceUID=None)
    assert "FrameOfReferenceUID" not in dataset_of(images[0], 0)
    write(tmp_path / "i", images)
    (series,) = scan_folder(tmp_path / "i").series
    assert series.geometry is not None
    mask = box(series.geometry.shape, slice(1, 3), slice(1, 4), slice(2, 6))
    path = tmp_path / "s.dcm"
    path.write_bytes(write_segmentation(series, [lesion("A", mask)], reader="R1"))
    (back,) = read_segmentation(path, [series]).masks
    assert np.array_equal(back.whole, mask)
    assert pydicom.dcmread(path).FrameOfReferenceUID.is_valid


# --- the command -----------------------------------------------------------------------------------------------------


def test_a_study_without_masks_is_wrong_use(
    one_subject: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    shutil.rmtree(one_subject / "masks")
    assert main(["export", "seg", str(one_subject), "--out", str(tmp_path / "out")]) == 2
    assert "holds no lesion mask" in capsys.readouterr().err


def test_one_damaged_mask_stops_no_other(one_subject: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = one_subject / "masks" / "SAMPLE-01_1.dcm"
    path.write_bytes(path.read_bytes()[:-3000])
    assert main(["export", "seg", str(one_subject), "--out", str(tmp_path / "out")]) == 1
    assert sorted(p.name for p in (tmp_path / "out").rglob("*.dcm")) == ["seg_R1_0.dcm", "seg_R1_2.dcm"]
    assert "SAMPLE-01_1.dcm" in capsys.readouterr().err
