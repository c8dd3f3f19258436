"""Masks lie on the slices they were drawn on, in stack order, whatever order the SEG has; contradictions are refused."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
import SimpleITK as sitk  # noqa: N813 - the name its documentation uses
from build_seg import ANATOMY, ENHANCING, LIVER, NECROSIS, NODE, TISSUE, Part, change_seg, write_seg
from build_series import axial, write
from pydicom.dataset import Dataset

from mrecist.errors import MaskError
from mrecist.imaging.masks import LesionMask, SegmentationMasks, read_label_masks, read_segmentation, read_segments
from mrecist.imaging.scan import scan_folder
from mrecist.imaging.series import Series

SHAPE = (5, 6, 8)


def box(z: slice, y: slice = slice(1, 5), x: slice = slice(2, 7)) -> npt.NDArray[np.bool_]:
    mask = np.zeros(SHAPE, dtype=bool)
    mask[z, y, x] = True
    mask[z.start, y.start, x.start] = False  # no symmetry: a flip shows
    return mask


WHOLE = box(slice(1, 4))
VIABLE = box(slice(1, 3), slice(2, 4), slice(3, 6))
DEAD = WHOLE & ~VIABLE


class Study:
    """Five CT slices on disk, given to the SEG writer from the top down, so that its frames run against the stack."""

    def __init__(self, folder: Path, **tags: Any) -> None:
        self.folder = folder
        self.images = write(folder / "ct", axial(5, **tags))

    def seg(self, parts: list[Part], kind: str = "BINARY", **options: Any) -> Path:
        turned = [replace(p, mask=p.mask[::-1]) for p in parts]
        return write_seg(self.folder / "seg.dcm", self.images[::-1], turned, kind, **options)

    def series(self) -> tuple[Series, ...]:
        return scan_folder(self.folder / "ct").series

    def read(self, parts: list[Part], kind: str = "BINARY", **options: Any) -> SegmentationMasks:
        return read_segmentation(self.seg(parts, kind, **options), self.series())


@pytest.fixture
def study(tmp_path: Path) -> Study:
    return Study(tmp_path)


def only(masks: SegmentationMasks) -> LesionMask:
    (mask,) = masks.masks
    return mask


def test_lesions_that_overlap_keep_all_their_voxels(study: Study) -> None:
    other = box(slice(2, 5), slice(0, 4), slice(4, 8))
    assert (other & WHOLE).any()
    found = study.read([Part(WHOLE), Part(other, label="T02", tracking="T02", uid="1.2.3.2")])
    for mask, drawn in zip(found.masks, (WHOLE, other), strict=True):
        assert np.array_equal(mask.whole, drawn)
        assert mask.viable is None


def test_whole_and_viable_are_one_lesion(study: Study) -> None:
    found = study.read([Part(WHOLE), Part(VIABLE, kind=ENHANCING)])
    mask = only(found)
    assert np.array_equal(mask.whole, WHOLE)
    assert mask.viable is not None
    assert np.array_equal(mask.viable, VIABLE)
    assert (mask.lesion, mask.tracking_uid, mask.organ, mask.kind, mask.reader) == (
        "T01",
        "1.2.3.1",
        "liver",
        "lesion",
        "READER^A",
    )
    (series,) = study.series()
    assert mask.slice_uids == tuple(s.sop_instance_uid for s in series.slices)
    assert (mask.series_uid, mask.geometry) == (series.uid, series.geometry)
    assert (found.skipped, found.notes) == ((), ())
    assert mask.whole.dtype == bool


@pytest.mark.parametrize("kind", ["BINARY", "FRACTIONAL", "LABELMAP"])
def test_viable_and_necrotic_make_the_whole(kind: str, study: Study) -> None:
    mask = only(study.read([Part(VIABLE, kind=ENHANCING), Part(DEAD, kind=NECROSIS)], kind))
    assert np.array_equal(mask.whole, WHOLE)
    assert mask.viable is not None
    assert np.array_equal(mask.viable, VIABLE)


def test_never_drawn_and_drawn_empty_are_different(study: Study) -> None:
    assert only(study.read([Part(WHOLE)])).viable is None
    empty = only(study.read([Part(WHOLE), Part(np.zeros(SHAPE, dtype=bool), kind=ENHANCING)]))
    assert empty.viable is not None
    assert not empty.viable.any()
    dead = only(study.read([Part(WHOLE), Part(WHOLE, kind=NECROSIS)]))
    assert dead.viable is not None
    assert not dead.viable.any()


def test_only_a_viable_part_is_noted(study: Study) -> None:
    found = study.read([Part(VIABLE, kind=ENHANCING)])
    assert np.array_equal(only(found).whole, VIABLE)
    assert found.notes == ("lesion T01: only its viable part was drawn; the whole lesion is taken to be the same",)


def test_fractional_is_inside_from_one_half(study: Study) -> None:
    values = np.zeros(SHAPE, dtype=np.float32)
    values[2, 2, 2:6] = [0.2, 0.49, 0.51, 1.0]
    mask = only(study.read([Part(values)], "FRACTIONAL", max_fractional_value=100))
    assert np.argwhere(mask.whole).tolist() == [[2, 2, 4], [2, 2, 5]]


def test_names_and_parts_from_labels_without_tracking(study: Study) -> None:
    plain = {"tracking": None, "uid": "", "region": None}
    parts = [Part(WHOLE, label="T02 whole", **plain), Part(VIABLE, label="T02 viable", **plain)]
    mask = only(study.read(parts))
    assert (mask.lesion, mask.tracking_uid, mask.organ) == ("T02", None, None)
    assert mask.viable is not None
    assert np.array_equal(mask.viable, VIABLE)


def test_two_lesions_and_a_node(study: Study) -> None:
    other = box(slice(3, 5), slice(0, 1), slice(0, 3))
    parts = [
        Part(other, "N01", "N01", "1.2.3.2", NODE, ANATOMY, None),
        Part(WHOLE),
        Part(other, "T03", "T03", "1.2.3.3", TISSUE, TISSUE),
    ]
    masks = study.read(parts).masks
    assert [(m.lesion, m.kind, m.organ, int(m.whole.sum())) for m in masks] == [
        ("N01", "node", "lymph node", 5),
        ("T01", "lesion", "liver", int(WHOLE.sum())),
        ("T03", "lesion", "liver", 5),
    ]


def test_organs_are_skipped_aloud(study: Study) -> None:
    found = study.read([Part(box(slice(0, 5)), "Liver", None, "", LIVER, ANATOMY), Part(WHOLE)])
    assert [m.lesion for m in found.masks] == ["T01"]
    assert found.skipped == (
        "segment 1 'Liver': coded as Anatomical Structure / Liver, so no lesion; "
        "to measure it, code it as a lesion (e.g. SCT 52988006 Lesion)",
    )
    segments = read_segments(study.folder / "seg.dcm", study.series())
    assert np.array_equal(segments[1], box(slice(0, 5)))


def test_viable_outside_the_lesion_is_refused_with_the_place(study: Study) -> None:
    stray = VIABLE.copy()
    stray[0, 5, 7] = True
    with pytest.raises(
        MaskError, match=r"lesion T01: viable outside the whole lesion: 1 voxel, .* slice 0 at row 5, column 7"
    ):
        study.read([Part(WHOLE), Part(stray, kind=ENHANCING)])
    with pytest.raises(MaskError, match=r"both viable and necrotic: \d+ voxels"):
        study.read([Part(WHOLE), Part(VIABLE, kind=ENHANCING), Part(WHOLE, kind=NECROSIS)])


def drop_derivation(ds: Dataset) -> None:
    for group in ds.PerFrameFunctionalGroupsSequence:
        if "DerivationImageSequence" in group:
            del group.DerivationImageSequence


def test_without_source_images_frames_are_placed_by_position(study: Study) -> None:
    path = change_seg(study.seg([Part(WHOLE)]), drop_derivation)
    assert np.array_equal(only(read_segmentation(path, study.series())).whole, WHOLE)


def test_without_any_reference_the_frame_of_reference_finds_the_series(study: Study) -> None:
    def drop(ds: Dataset) -> None:
        drop_derivation(ds)
        del ds.ReferencedSeriesSequence

    path = change_seg(study.seg([Part(WHOLE)]), drop)
    assert np.array_equal(only(read_segmentation(path, study.series())).whole, WHOLE)
    with pytest.raises(MaskError, match="no series has its FrameOfReferenceUID"):
        read_segmentation(path, ())


def test_a_frame_between_two_slices_is_refused(study: Study) -> None:
    def move(ds: Dataset) -> None:
        ds.PerFrameFunctionalGroupsSequence[0].PlanePositionSequence[0].ImagePositionPatient = [-50, -60, 104.5]

    path = change_seg(study.seg([Part(WHOLE)]), move)
    with pytest.raises(MaskError, match=r"frame 1 lies at -50\\-60\\104.5 mm, image .* 4.50 mm apart"):
        read_segmentation(path, study.series())


@pytest.mark.parametrize(
    ("keyword", "value", "text"),
    [
        ("PixelSpacing", [0.9, 0.7], r"pixel spacing is 0.9\\0.7 mm, that of series .* 0.8\\0.7 mm"),
        ("ImageOrientationPatient", [1, 0, 0, 0, 0.8, 0.6], "its orientation is"),
    ],
)
def test_another_grid_is_refused_with_both_values(keyword: str, value: list[float], text: str, study: Study) -> None:
    def change(ds: Dataset) -> None:
        groups = ds.SharedFunctionalGroupsSequence[0]
        name = "PixelMeasuresSequence" if keyword == "PixelSpacing" else "PlaneOrientationSequence"
        setattr(groups[name].value[0], keyword, value)

    path = change_seg(study.seg([Part(WHOLE)]), change)
    with pytest.raises(MaskError, match=text.replace("\\\\", r"\\")):
        read_segmentation(path, study.series())


def test_absent_images_are_named(study: Study) -> None:
    path = study.seg([Part(WHOLE)])
    with pytest.raises(
        MaskError, match=r"refers to series 1\.2\.826.*, which is not among the images given; add the images"
    ):
        read_segmentation(path, ())


def test_a_refused_series_carries_its_verdict(study: Study) -> None:
    path = study.seg([Part(WHOLE)])
    study.images[2].unlink()
    with pytest.raises(MaskError, match="is refused: MISSING_SLICES: 1 slice missing"):
        read_segmentation(path, study.series())


def test_of_two_phases_the_one_that_was_drawn_on_is_taken(tmp_path: Path) -> None:
    images = write(tmp_path / "ct", axial(5) + axial(5, phase=1, AcquisitionNumber=2))
    path = write_seg(tmp_path / "seg.dcm", images[5:], [Part(WHOLE)])
    series = scan_folder(tmp_path / "ct").series
    assert len(series) == 2
    mask = only(read_segmentation(path, series))
    assert mask.slice_uids == tuple(s.sop_instance_uid for s in series[1].slices)
    with pytest.raises(MaskError, match=r"its frames fit .* and do not say which"):
        read_segmentation(change_seg(path, drop_derivation), series)


def test_a_tilted_stack_keeps_its_masks_without_a_volume(tmp_path: Path) -> None:
    study = Study(tmp_path, ImageOrientationPatient=[1, 0, 0, 0, 0.9659258, -0.2588190])
    mask = only(study.read([Part(WHOLE)]))
    assert np.array_equal(mask.whole, WHOLE)
    assert mask.geometry.voxel_volume_mm3 is None


def test_damaged_segmentations(study: Study) -> None:
    path = study.seg([Part(WHOLE)])
    path.write_bytes(path.read_bytes()[:-10])
    with pytest.raises(MaskError, match=r"truncated: \d+ bytes of pixel data where \d+ are needed"):
        read_segmentation(path, study.series())
    assert [p.reason[:9] for p in scan_folder(study.folder).problems] == ["truncated"]
    with pytest.raises(MaskError, match="not a segmentation"):
        read_segmentation(study.images[0], study.series())


def test_scan_finds_the_segmentation(study: Study) -> None:
    study.seg([Part(WHOLE)])
    (found,) = scan_folder(study.folder).segmentations
    (series,) = study.series()
    assert (found.referenced_series_uid, found.subject, found.content_creator) == (series.uid, "P1", "READER^A")
    assert found.referenced_sop_instance_uids >= {s.sop_instance_uid for s in series.slices[1:4]}


# NIfTI ------------------------------------------------------------------------------------------------------------------


def nifti(path: Path, array: npt.NDArray[Any], spacing: tuple[float, float, float] = (0.7, 0.8, 3.0)) -> Path:
    image = sitk.GetImageFromArray(array)
    image.SetSpacing(spacing)
    image.SetOrigin((-50.0, -60.0, 100.0))
    sitk.WriteImage(image, str(path))
    return path


LABELS = WHOLE.astype(np.uint8) * 3
LABELS[4, 0, 0] = 1


@pytest.mark.parametrize("dtype", [np.uint8, np.int16, np.int32, np.float32, np.float64])
def test_labels(dtype: type, tmp_path: Path) -> None:
    masks = read_label_masks(
        nifti(tmp_path / "l.nii.gz", LABELS.astype(dtype)), nifti(tmp_path / "v.nii.gz", VIABLE.astype(dtype) * 2)
    )
    assert [m.lesion for m in masks] == ["1", "3"]
    one, three = masks
    assert np.array_equal(three.whole, WHOLE)
    assert three.viable is not None
    assert np.array_equal(three.viable, VIABLE)
    assert one.viable is not None
    assert not one.viable.any()
    geometry = three.geometry
    assert geometry.shape == SHAPE
    assert (geometry.slice_step_mm, geometry.row_spacing_mm, geometry.column_spacing_mm) == pytest.approx(
        (3.0, 0.8, 0.7)
    )
    assert geometry.to_lps(2, 1, 3) == pytest.approx((-50 + 3 * 0.7, -60 + 0.8, 106.0), abs=1e-5)


def test_viable_that_was_not_drawn_is_none(tmp_path: Path) -> None:
    assert [m.viable for m in read_label_masks(nifti(tmp_path / "l.nii", LABELS), None)] == [None, None]


def test_no_lesion_is_an_empty_tuple(tmp_path: Path) -> None:
    assert read_label_masks(nifti(tmp_path / "l.nii", LABELS * 0), None) == ()


def test_label_files_that_are_refused(tmp_path: Path) -> None:
    good = nifti(tmp_path / "l.nii", LABELS)
    half = LABELS.astype(np.float32)
    half[0, 0, 0] = 0.5
    cases = [
        (nifti(tmp_path / "h.nii", half), None, "holds the value 0.5"),
        (nifti(tmp_path / "n.nii", -LABELS.astype(np.int16)), None, "holds the value -3"),
        (
            good,
            nifti(tmp_path / "s.nii", VIABLE.astype(np.uint8), (0.7, 0.8, 2.5)),
            r"spacing \(mm\) of .* 3, 0.8, 0.7",
        ),
        (good, nifti(tmp_path / "z.nii", VIABLE[:4].astype(np.uint8)), r"shape \(z, y, x\) of .* 5, 6, 8"),
        (good, nifti(tmp_path / "o.nii", box(slice(0, 1)).astype(np.uint8)), r"19 viable voxels lie in no lesion"),
        (tmp_path / "none.nii", None, "no such file"),
    ]
    for lesions, viable, text in cases:
        with pytest.raises(MaskError, match=text):
            read_label_masks(lesions, viable)
    (tmp_path / "bad.nii").write_bytes(b"no image")
    with pytest.raises(MaskError, match="cannot be read as an image"):
        read_label_masks(tmp_path / "bad.nii", None)


def test_frames_and_values_without_a_segment_are_refused(study: Study) -> None:
    def rename(ds: Dataset) -> None:
        ds.SegmentSequence[0].SegmentNumber = 9

    path = change_seg(study.seg([Part(WHOLE)]), rename)
    with pytest.raises(MaskError, match="frames of segment 1, which is not described"):
        read_segmentation(path, study.series())

    def drop(ds: Dataset) -> None:
        del ds.SegmentSequence[-1]

    path = change_seg(study.seg([Part(VIABLE, kind=ENHANCING), Part(DEAD, kind=NECROSIS)], "LABELMAP"), drop)
    with pytest.raises(MaskError, match="holds the value 2, which is no segment"):
        read_segmentation(path, study.series())
