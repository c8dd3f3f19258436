"""Segmentations as other programs write them: the same voxels in physical space, or a refusal that says why.

The masks are drawn here; highdicom or dcmqi writes them, pydicom edits what those writers never do. Where a mask must be the
same in space, the expected array is the drawn one, or SimpleITK's nearest-neighbour resampling of the label file onto the CT.
"""

from __future__ import annotations

import json
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
import SimpleITK as sitk  # noqa: N813 - the name its documentation uses
from build_seg import ANATOMY, ENHANCING, LIVER, MORPHOLOGY, NEOPLASM, TISSUE, Part, change_seg, write_seg
from build_series import COLUMNS, ROWS, SPACING, axial, enhanced, write
from pydicom.datadict import tag_for_keyword
from pydicom.dataset import Dataset
from pydicom.encaps import encapsulate
from pydicom.pixels import get_encoder
from pydicom.uid import RLELossless

from mrecist.errors import MaskError
from mrecist.imaging.masks import LesionMask, SegmentationMasks, read_segmentation, read_segments
from mrecist.imaging.scan import scan_folder
from mrecist.imaging.series import Series
from mrecist.pieces import series_of

Bools = npt.NDArray[np.bool_]
SHAPE = (5, ROWS, COLUMNS)
POSITION = (-50.0, -60.0)


def drawn() -> Bools:
    """A lesion without any symmetry, on slices 1 to 3: a flip, a transposition or a shift shows."""
    mask = np.zeros(SHAPE, dtype=bool)
    mask[1:4, 2:5, 3:7] = True
    mask[1, 2, 3] = mask[2, 4, 6] = mask[3, 2, 6] = False
    return mask


MASK = drawn()


@pytest.fixture
def images(tmp_path: Path) -> list[Path]:
    return write(tmp_path / "ct", axial(5))


def series_in(folder: Path) -> tuple[Series, ...]:
    return scan_folder(folder / "ct").series


def only(found: SegmentationMasks) -> LesionMask:
    (mask,) = found.masks
    return mask


def frames_of(ds: Dataset) -> Bools:
    """Pixel data of a BINARY SEG, unpacked."""
    count = int(ds.NumberOfFrames) * ds.Rows * ds.Columns
    bits = np.unpackbits(np.frombuffer(ds.PixelData, np.uint8), bitorder="little", count=count)
    return bits.reshape(int(ds.NumberOfFrames), ds.Rows, ds.Columns).astype(bool)


def put_frames(ds: Dataset, frames: Bools) -> None:
    ds.NumberOfFrames, ds.Rows, ds.Columns = frames.shape
    packed = np.packbits(frames.ravel(), bitorder="little").tobytes()
    ds.PixelData = packed + b"\0" * (len(packed) % 2)


def move(ds: Dataset, row: float, column: float) -> None:
    """Let every frame start at that (row, column) of its image, along the axes of the images."""
    for group in ds.PerFrameFunctionalGroupsSequence:
        position = group.PlanePositionSequence[0].ImagePositionPatient
        group.PlanePositionSequence[0].ImagePositionPatient = [
            float(position[0]) + column * SPACING[1],
            float(position[1]) + row * SPACING[0],
            float(position[2]),
        ]


def orient(ds: Dataset, cosines: list[float], spacing: tuple[float, float] = SPACING) -> None:
    shared = ds.SharedFunctionalGroupsSequence[0]
    shared.PlaneOrientationSequence[0].ImageOrientationPatient = cosines
    shared.PixelMeasuresSequence[0].PixelSpacing = list(spacing)


# --- frames on the grid of the images, but not pixel by pixel --------------------------------------------------------


def crop(ds: Dataset) -> None:
    put_frames(ds, frames_of(ds)[:, 2:5, 3:7])
    move(ds, 2, 3)


def mirror_rows(ds: Dataset) -> None:
    put_frames(ds, frames_of(ds)[:, ::-1])
    move(ds, ROWS - 1, 0)
    orient(ds, [1, 0, 0, 0, -1, 0])


def mirror_both(ds: Dataset) -> None:
    put_frames(ds, frames_of(ds)[:, ::-1, ::-1])
    move(ds, ROWS - 1, COLUMNS - 1)
    orient(ds, [-1, 0, 0, 0, -1, 0])


def transpose(ds: Dataset) -> None:
    put_frames(ds, frames_of(ds).transpose(0, 2, 1))
    orient(ds, [0, 1, 0, 1, 0, 0], (SPACING[1], SPACING[0]))


def quarter_turn_of_a_crop(ds: Dataset) -> None:
    put_frames(ds, np.rot90(frames_of(ds)[:, 1:6, 2:8], axes=(1, 2)))
    move(ds, 1, 7)  # the first pixel of a frame turned to the left is the upper right one
    orient(ds, [0, 1, 0, -1, 0, 0], (SPACING[1], SPACING[0]))


def enlarge(ds: Dataset) -> None:
    put_frames(ds, np.pad(frames_of(ds), ((0, 0), (4, 1), (2, 3))))
    move(ds, -4, -2)


@pytest.mark.parametrize("change", [crop, mirror_rows, mirror_both, transpose, quarter_turn_of_a_crop, enlarge])
def test_frames_are_placed_by_position(change: Callable[[Dataset], None], images: list[Path], tmp_path: Path) -> None:
    path = change_seg(write_seg(tmp_path / "seg.dcm", images, [Part(MASK)]), change)
    found = read_segmentation(path, series_in(tmp_path))
    assert np.array_equal(only(found).whole, MASK)
    (note,) = found.notes
    assert "placed by position: the first frame starts at row" in note


def test_a_mask_that_reaches_beyond_the_image_is_refused(images: list[Path], tmp_path: Path) -> None:
    def change(ds: Dataset) -> None:
        frames = np.pad(frames_of(ds), ((0, 0), (1, 0), (0, 0)))
        frames[0, 0, 0] = True
        put_frames(ds, frames)
        move(ds, -1, 0)

    path = change_seg(write_seg(tmp_path / "seg.dcm", images, [Part(MASK)]), change)
    with pytest.raises(MaskError, match=r"frame 1: 1 pixels of its mask lie outside the image of 6 x 8"):
        read_segmentation(path, series_in(tmp_path))


@pytest.mark.parametrize(("row", "column", "apart"), [(0.5, 0, "0.40"), (0, 2.3, "0.21"), (0.4, 0.4, "0.43")])
def test_a_shift_by_part_of_a_pixel_is_refused(
    row: float, column: float, apart: str, images: list[Path], tmp_path: Path
) -> None:
    path = change_seg(write_seg(tmp_path / "seg.dcm", images, [Part(MASK)]), lambda ds: move(ds, row, column))
    with pytest.raises(MaskError, match=rf"frame 1 lies at .* {apart} mm apart; it was drawn on another grid"):
        read_segmentation(path, series_in(tmp_path))


def test_a_spacing_that_drifts_over_the_frame_is_refused(tmp_path: Path) -> None:
    """0.09 % of 0.7 mm is nothing in a pixel, and a third of a millimetre over 512 of them."""
    images = write(tmp_path / "ct", axial(5, Rows=512, Columns=512))
    mask = np.zeros((5, 512, 512), dtype=bool)
    mask[2, 400:420, 400:430] = True
    path = write_seg(tmp_path / "seg.dcm", images, [Part(mask)])
    (series,) = series_in(tmp_path)
    assert np.array_equal(only(read_segmentation(path, (series,))).whole, mask)
    spacing = (SPACING[0] * 1.0009, SPACING[1] * 1.0009)
    change_seg(path, lambda ds: orient(ds, [1, 0, 0, 0, 1, 0], spacing))
    with pytest.raises(MaskError, match=r"move its last pixel 0\.37 mm off series"):
        read_segmentation(path, (series,))


def test_a_real_crop(shared_data: Path) -> None:
    """pydicom's data hold one liver twice: 512 x 512, and its first 510 rows and columns."""
    series = scan_folder(shared_data / "dcmqi_liver_seg_sr" / "ct-3slice").series
    folder = shared_data / "torture_dicom" / "pydicom-data"
    whole = read_segments(folder / "liver.dcm", series)[1]
    assert int(whole.sum()) == 107098
    assert np.array_equal(read_segments(folder / "liver_nonbyte_aligned.dcm", series)[1], whole)
    assert np.array_equal(read_segments(folder / "liver_rle.dcm", series)[1], whole)


# --- what writers leave out or add -----------------------------------------------------------------------------------


def test_frames_in_any_order_without_dimensions(images: list[Path], tmp_path: Path) -> None:
    def shuffle(ds: Dataset) -> None:
        order = [2, 0, 1]
        put_frames(ds, frames_of(ds)[order])
        groups = ds.PerFrameFunctionalGroupsSequence
        ds.PerFrameFunctionalGroupsSequence = [groups[i] for i in order]
        for group in ds.PerFrameFunctionalGroupsSequence:
            del group.FrameContentSequence
        del ds.DimensionIndexSequence, ds.DimensionOrganizationSequence

    path = change_seg(write_seg(tmp_path / "seg.dcm", images, [Part(MASK)]), shuffle)
    found = read_segmentation(path, series_in(tmp_path))
    assert np.array_equal(only(found).whole, MASK)
    assert found.notes == ()


def test_sources_that_all_frames_share(images: list[Path], tmp_path: Path) -> None:
    def share(ds: Dataset) -> None:
        sources = [g.DerivationImageSequence[0].SourceImageSequence[0] for g in ds.PerFrameFunctionalGroupsSequence]
        shared = ds.PerFrameFunctionalGroupsSequence[0].DerivationImageSequence[0]
        for group in ds.PerFrameFunctionalGroupsSequence:
            del group.DerivationImageSequence
        shared.SourceImageSequence = sources
        ds.SharedFunctionalGroupsSequence[0].DerivationImageSequence = [shared]
        del ds.ReferencedSeriesSequence

    path = change_seg(write_seg(tmp_path / "seg.dcm", images, [Part(MASK)]), share)
    found = read_segmentation(path, series_in(tmp_path))
    assert np.array_equal(only(found).whole, MASK)
    assert found.notes == ()  # the images are named, so nothing was inferred


def test_frames_that_are_not_described_are_refused(images: list[Path], tmp_path: Path) -> None:
    def drop(ds: Dataset) -> None:
        del ds.PerFrameFunctionalGroupsSequence[-1]

    path = change_seg(write_seg(tmp_path / "seg.dcm", images, [Part(MASK)]), drop)
    with pytest.raises(MaskError, match="NumberOfFrames is 3 and 2 frames are described"):
        read_segmentation(path, series_in(tmp_path))


@pytest.mark.parametrize(
    ("kind", "said"), [("PROBABILITY", "a probability"), ("OCCUPANCY", "a share of the voxel"), (None, "unknown kind")]
)
def test_the_threshold_of_fractions_is_said(kind: str | None, said: str, images: list[Path], tmp_path: Path) -> None:
    values = MASK.astype(np.float32)
    values[2, 3, 3:5] = 127 / 255, 128 / 255

    def change(ds: Dataset) -> None:
        if kind is None:
            del ds.SegmentationFractionalType
        else:
            ds.SegmentationFractionalType = kind

    path = change_seg(write_seg(tmp_path / "seg.dcm", images, [Part(values)], "FRACTIONAL"), change)
    found = read_segmentation(path, series_in(tmp_path))
    expected = MASK.copy()
    expected[2, 3, 3] = False
    assert np.array_equal(only(found).whole, expected)
    (note,) = found.notes
    assert said in note
    assert note.endswith("inside is one half or more: 128 to 255 of 255")


@pytest.mark.parametrize("bits", [8, 16])
@pytest.mark.parametrize("padding", [None, 0, 99])
@pytest.mark.parametrize("rle", [False, True])
def test_label_maps(bits: int, padding: int | None, rle: bool, images: list[Path], tmp_path: Path) -> None:
    """As OHIF stores them (RLE), with 16 bits and numbers beyond 255, and a background that is PixelPaddingValue."""
    number = 7 if bits == 8 else 700
    viable = MASK.copy()
    viable[:, 4] = False
    parts = [Part(MASK & ~viable, kind=("6574001", "SCT", "Necrosis")), Part(viable, kind=ENHANCING)]

    def change(ds: Dataset) -> None:
        kind = np.dtype(f"u{bits // 8}")
        values = np.frombuffer(ds.PixelData, np.uint8)[: int(ds.NumberOfFrames) * ds.Rows * ds.Columns]
        values = np.where(values == 2, kind.type(number), values.astype(kind))
        for item in ds.SegmentSequence:
            item.SegmentNumber = number if item.SegmentNumber == 2 else item.SegmentNumber
        ds.BitsAllocated, ds.BitsStored, ds.HighBit = bits, bits, bits - 1
        if padding is not None:
            values = np.where(values == 0, padding, values).astype(kind)
            ds.PixelPaddingValue = padding
            ds.SegmentSequence = [item for item in ds.SegmentSequence if item.SegmentNumber]
        frames = values.reshape(int(ds.NumberOfFrames), ds.Rows, ds.Columns)
        ds.PixelData = frames.tobytes()
        if rle:
            options = {
                "rows": ds.Rows, "columns": ds.Columns, "samples_per_pixel": 1, "number_of_frames": 1,
                "bits_allocated": bits, "bits_stored": bits, "pixel_representation": 0,
                "photometric_interpretation": "MONOCHROME2",
            }  # fmt: skip
            encoder = get_encoder(RLELossless)
            coded = [encoder.encode(f.tobytes(), index=0, encoding_plugin="pydicom", **options) for f in frames]
            ds.PixelData = encapsulate(coded)
            ds["PixelData"].is_undefined_length = True
            ds.file_meta.TransferSyntaxUID = RLELossless

    path = change_seg(write_seg(tmp_path / "seg.dcm", images, parts, "LABELMAP"), change)
    mask = only(read_segmentation(path, series_in(tmp_path)))
    assert np.array_equal(mask.whole, MASK)
    assert mask.viable is not None
    assert np.array_equal(mask.viable, viable)


def test_a_palette_colour_label_map(images: list[Path], tmp_path: Path) -> None:
    def change(ds: Dataset) -> None:
        ds.PhotometricInterpretation = "PALETTE COLOR"
        for colour in ("Red", "Green", "Blue"):
            ds.add_new(tag_for_keyword(f"{colour}PaletteColorLookupTableDescriptor"), "US", [2, 0, 16])
            ds.add_new(tag_for_keyword(f"{colour}PaletteColorLookupTableData"), "OW", b"\0\0\xff\xff")

    path = change_seg(write_seg(tmp_path / "seg.dcm", images, [Part(MASK)], "LABELMAP"), change)
    assert np.array_equal(only(read_segmentation(path, series_in(tmp_path))).whole, MASK)


# --- names and codes of editors --------------------------------------------------------------------------------------

OLD_TISSUE = ("T-D0050", "SRT", "Tissue")


@pytest.mark.parametrize("tissue", [TISSUE, OLD_TISSUE])
@pytest.mark.parametrize("label", ["Segment_1", "Segment 1", "Label 1", "T01", "NT2", "NEW1", "liver tumour", "HCC 2"])
def test_a_segment_of_unchosen_type_is_a_lesion_by_its_name(
    label: str, tissue: tuple[str, str, str], images: list[Path], tmp_path: Path
) -> None:
    """3D Slicer and MITK write Tissue / Tissue until somebody chooses a type; neither writes a TrackingID."""
    part = Part(MASK, label, None, "", kind=tissue, category=tissue, region=None)
    found = read_segmentation(write_seg(tmp_path / "seg.dcm", images, [part]), series_in(tmp_path))
    assert only(found).lesion == label
    assert found.notes == (f"segment 1 '{label}': its type says only 'Tissue'; taken as a lesion by its name",)


@pytest.mark.parametrize("label", ["Liver", "spleen", "GREEN", "Kidney left", "Thorax"])
def test_a_segment_of_unchosen_type_with_another_name_is_skipped(
    label: str, images: list[Path], tmp_path: Path
) -> None:
    part = Part(MASK, label, None, "", kind=TISSUE, category=TISSUE, region=None)
    found = read_segmentation(write_seg(tmp_path / "seg.dcm", images, [part]), series_in(tmp_path))
    assert found.masks == ()
    assert found.skipped[0].startswith(f"segment 1 '{label}': coded as Tissue / Tissue, so no lesion")


def without_values(ds: Dataset) -> None:
    """Leave CodeMeaning only, as some web viewers write."""
    for item in ds.SegmentSequence:
        for keyword in ("SegmentedPropertyCategoryCodeSequence", "SegmentedPropertyTypeCodeSequence"):
            del item[keyword].value[0].CodeValue


@pytest.mark.parametrize(
    ("category", "kind", "is_lesion"),
    [
        (MORPHOLOGY, ("1", "X", "Odd"), True),
        (ANATOMY, NEOPLASM, True),
        (ANATOMY, LIVER, False),
        (TISSUE, TISSUE, False),
    ],
)
def test_meanings_alone_are_judged_by_their_words(
    category: Any, kind: Any, is_lesion: bool, images: list[Path], tmp_path: Path
) -> None:
    part = Part(MASK, "left lobe", None, "", kind=kind, category=category, region=None)
    path = change_seg(write_seg(tmp_path / "seg.dcm", images, [part]), without_values)
    found = read_segmentation(path, series_in(tmp_path))
    assert (len(found.masks), len(found.skipped)) == ((1, 0) if is_lesion else (0, 1))


def test_two_readers_of_one_visit_keep_their_masks_apart(images: list[Path], tmp_path: Path) -> None:
    other = np.roll(MASK, 1, axis=2)
    one = write_seg(tmp_path / "one.dcm", images, [Part(MASK)])
    two = write_seg(tmp_path / "two.dcm", images, [Part(other)])
    change_seg(two, lambda ds: setattr(ds, "ContentCreatorName", "READER^B"))
    series = series_in(tmp_path)
    masks = [only(read_segmentation(path, series)) for path in (one, two)]
    assert [m.reader for m in masks] == ["READER^A", "READER^B"]
    assert [np.array_equal(m.whole, expected) for m, expected in zip(masks, (MASK, other), strict=True)] == [True] * 2


# --- which images ----------------------------------------------------------------------------------------------------


def forget_images(ds: Dataset) -> None:
    del ds.ReferencedSeriesSequence
    for group in ds.PerFrameFunctionalGroupsSequence:
        if "DerivationImageSequence" in group:
            del group.DerivationImageSequence


def test_without_any_reference_the_one_series_that_fits_is_taken_and_said(images: list[Path], tmp_path: Path) -> None:
    write(tmp_path / "ct" / "thick", axial(3, 5.0, SeriesInstanceUID="1.2.3.50", AcquisitionNumber=9, start=101.0))
    path = change_seg(write_seg(tmp_path / "seg.dcm", images, [Part(MASK)]), forget_images)
    series = series_in(tmp_path)
    assert len(series) == 2
    found = read_segmentation(path, series)
    assert np.array_equal(only(found).whole, MASK)
    (note,) = found.notes
    assert note.startswith(f"names no images; placed on series {only(found).series_uid}, the only one")


def test_without_any_reference_several_that_fit_are_asked_for(images: list[Path], tmp_path: Path) -> None:
    again = axial(5, phase=1, SeriesInstanceUID="1.2.3.50", AcquisitionNumber=9)
    write(tmp_path / "ct" / "again", again)
    path = change_seg(write_seg(tmp_path / "seg.dcm", images, [Part(MASK)]), forget_images)
    with pytest.raises(
        MaskError, match=r"its frames fit series .* and series .*; give only the images that were drawn on"
    ):
        read_segmentation(path, series_in(tmp_path))


@pytest.mark.parametrize("phase", [0, 1])
def test_frames_of_an_enhanced_image_with_two_phases(phase: int, tmp_path: Path) -> None:
    """One multi-frame file, two phases: the frame numbers say which, and the mask finds back to that stack."""
    positions = [(*POSITION, 100.0 + 3 * i) for i in range(5)] * 2
    ds = enhanced(positions, [1] * 5 + [2] * 5, list(range(10)))
    (tmp_path / "ct").mkdir()
    ds.save_as(tmp_path / "ct" / "mf.dcm", enforce_file_format=True)
    single = write(tmp_path / "single", axial(5))
    path = write_seg(tmp_path / "seg.dcm", single, [Part(MASK)])

    def refer(seg: Dataset) -> None:
        for group in seg.PerFrameFunctionalGroupsSequence:
            z = float(group.PlanePositionSequence[0].ImagePositionPatient[2])
            source = group.DerivationImageSequence[0].SourceImageSequence[0]
            source.ReferencedSOPClassUID, source.ReferencedSOPInstanceUID = ds.SOPClassUID, ds.SOPInstanceUID
            source.ReferencedFrameNumber = round((z - 100) / 3) + 1 + 5 * phase

    series = series_in(tmp_path)
    assert len(series) == 2
    mask = only(read_segmentation(change_seg(path, refer), series))
    assert np.array_equal(mask.whole, MASK)
    home = series_of(mask, series)
    assert [s.frame for s in home.slices] == [5 * phase + i for i in range(5)]


CORONAL = [1.0, 0.0, 0.0, 0.0, 0.0, -1.0]
OBLIQUE = [0.8, 0.6, 0.0, 0.0, 0.0, -1.0]


@pytest.mark.parametrize("cosines", [CORONAL, OBLIQUE])
def test_slices_that_are_not_axial(cosines: list[float], tmp_path: Path) -> None:
    normal = np.cross(cosines[:3], cosines[3:])
    stack = axial(5)
    for index, image in enumerate(stack):
        image.position = tuple(float(v) for v in np.round(np.array([10.0, 20.0, 30.0]) + 3 * index * normal, 6))
        image.tags["ImageOrientationPatient"] = cosines
    images = write(tmp_path / "ct", stack)
    path = write_seg(tmp_path / "seg.dcm", images, [Part(MASK)])
    mask = only(read_segmentation(path, series_in(tmp_path)))
    assert np.array_equal(mask.whole, MASK)
    z, y, x = (int(v) for v in np.argwhere(mask.whole)[0])
    steps = np.array(cosines[3:]) * SPACING[0] * y + np.array(cosines[:3]) * SPACING[1] * x
    assert mask.geometry.to_lps(z, y, x) == pytest.approx(np.array([10.0, 20.0, 30.0]) + 3 * z * normal + steps)


# --- dcmqi -----------------------------------------------------------------------------------------------------------


def dcmqi(name: str) -> str:
    import sys

    program = shutil.which(name, path=str(Path(sys.executable).parent)) or shutil.which(name)
    if program is None:
        pytest.skip(f"{name} of dcmqi is not installed (pip install 'mrecist[test]')")
    return program


def code(value: str, scheme: str, meaning: str) -> dict[str, str]:
    return {"CodeValue": value, "CodingSchemeDesignator": scheme, "CodeMeaning": meaning}


def write_by_dcmqi(folder: Path, label: Path, name: str) -> Path:
    """Labels 3 (whole) and 5 (viable part) as two segments of one lesion, by dcmqi's converter."""
    common = {
        "SegmentAlgorithmType": "MANUAL",
        "SegmentedPropertyCategoryCodeSequence": code(*MORPHOLOGY),
        "TrackingIdentifier": "T01",
        "TrackingUniqueIdentifier": "1.2.3.1",
    }
    attributes = [
        {**common, "labelID": 3, "SegmentDescription": "rest", "SegmentedPropertyTypeCodeSequence": code("6574001", "SCT", "Necrosis")},
        {**common, "labelID": 5, "SegmentDescription": "viable", "SegmentedPropertyTypeCodeSequence": code(*ENHANCING)},
    ]  # fmt: skip
    about = {
        "ContentCreatorName": "READER^A", "ClinicalTrialSeriesID": "1", "ClinicalTrialTimePointID": "0",
        "SeriesDescription": "Segmentation", "SeriesNumber": "300", "InstanceNumber": "1",
        "segmentAttributes": [attributes], "ContentLabel": "SEGMENTATION", "ContentDescription": "x",
        "BodyPartExamined": "ABDOMEN",
    }  # fmt: skip
    (folder / f"{name}.json").write_text(json.dumps(about), encoding="utf-8")
    out = folder / f"{name}.dcm"
    command = [
        dcmqi("itkimage2segimage"),
        *("--inputImageList", str(label), "--inputDICOMDirectory", str(folder / "ct")),
        *("--inputMetadata", str(folder / f"{name}.json"), "--outputDICOM", str(out), "--skip", "1"),
    ]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)
    assert out.exists(), done.stdout[-2000:] + done.stderr[-2000:]
    return out


@pytest.mark.parametrize("turn", ["as drawn", "mirrored", "fewer slices"])
def test_masks_written_by_dcmqi(turn: str, images: list[Path], tmp_path: Path) -> None:
    """dcmqi leaves out empty slices and keeps the direction of the label file; expected voxels come from SimpleITK."""
    assert len(images) == 5
    labels = np.zeros(SHAPE, dtype=np.uint8)
    labels[MASK] = 3
    labels[1:3, 3:5, 4:6] = 5
    labels[~MASK] = 0
    image = sitk.GetImageFromArray(labels)
    image.SetSpacing((SPACING[1], SPACING[0], 3.0))
    image.SetOrigin((*POSITION, 100.0))
    plain = image
    if turn == "mirrored":
        image = sitk.Flip(image, (True, True, False))
    elif turn == "fewer slices":
        image = image[:, :, 1:4]
    sitk.WriteImage(image, str(tmp_path / "label.nii.gz"))
    path = write_by_dcmqi(tmp_path, tmp_path / "label.nii.gz", "seg")
    found = read_segmentation(path, series_in(tmp_path))
    on_ct = sitk.GetArrayFromImage(
        sitk.Resample(image, plain, sitk.Transform(), sitk.sitkNearestNeighbor, 0.0, sitk.sitkUInt8)
    )
    mask = only(found)
    assert (mask.lesion, mask.tracking_uid, mask.reader) == ("T01", "1.2.3.1", "READER^A")
    assert np.array_equal(on_ct, labels)
    assert np.array_equal(mask.whole, on_ct > 0)
    assert mask.viable is not None
    assert np.array_equal(mask.viable, on_ct == 5)


def test_parts_of_two_lesions_that_overlap(images: list[Path], tmp_path: Path) -> None:
    second = np.roll(MASK, 1, axis=1)
    parts = [Part(MASK), Part(second, "T02", "T02", "1.2.3.2")]
    found = read_segmentation(write_seg(tmp_path / "seg.dcm", images, parts), series_in(tmp_path))
    assert (MASK & second).any()
    assert [np.array_equal(m.whole, e) for m, e in zip(found.masks, (MASK, second), strict=True)] == [True, True]
