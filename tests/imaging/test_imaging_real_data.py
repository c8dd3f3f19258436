"""Real and difficult DICOM: the geometry that its provenance page states, or a refusal that names the reason.

Expected numbers are those of the PROVENANCE.md beside each data set, or are read by SimpleITK from the NRRD next to it.
"""

from __future__ import annotations

import zipfile
from pathlib import Path

import numpy as np
import pydicom
import pytest
import SimpleITK as sitk  # noqa: N813 - the name its documentation uses

from mrecist.errors import InputError, MaskError
from mrecist.imaging.masks import read_segmentation, read_segments
from mrecist.imaging.pixels import decode_frame, open_pixels
from mrecist.imaging.scan import Scan, scan_folder, scan_to_json
from mrecist.imaging.series import Verdict
from mrecist.imaging.volume import load_slice, load_volume

# folder: (slices, verdict, code, row spacing, step) of each stack, in any order
FOLDERS: dict[str, list[tuple[int, str, str, float | None, float | None]]] = {
    "cptac_pda_C3L00189_ct_venous": [(35, "ok", "", 0.859375, 5.0)],
    "tcga_lihc_A10W_ct": [(60, "ok", "", 0.6953125, 8.0)],
    "tcga_lihc_4073_mr_haste_coronal": [(30, "ok", "", 1.5625, 8.75)],
    "totalseg_ct_j2k_noext": [(20, "ok", "", 0.9765625, 2.0)],
    "dcmqi_liver_seg_sr/ct-3slice": [(3, "ok", "", 0.810547, 1.0)],
    "dcmqi_liver_seg_sr/24x38x3/image": [(3, "ok", "", 0.7, 2.5)],
    "dcmqi_liver_seg_sr/24x38x3/multiframe": [(3, "ok", "", 0.7, 2.5)],
    "torture_dicom/dicom2nifti/failing/gantrytilting": [(4, "in-plane", "TILT", 0.41796875, None)],
    "torture_dicom/dicom2nifti/failing/sliceincrement": [(4, "refused", "MISSING_SLICES", 0.429688, None)],
    "torture_dicom/dicom2nifti/failing/sliceorientation": [(2, "ok", "", 0.32, 3.3), (2, "ok", "", 0.555556, 4.4)],
    "torture_dicom/dicom2nifti/philips_enhanced": [(8, "ok", "", 1.0, 1.2)],
    "torture_dicom/dicom2nifti/ge/fmri": [(4, "ok", "", 3.0, 3.6), (4, "ok", "", 3.0, 3.6)],
    "torture_dicom/dicom2nifti/generic/compressed_rle": [(4, "ok", "", 1.0, 1.0)],
    "torture_dicom/dbdicom": [(20, "ok", "", 1.5625, 7.0)],
    "torture_dicom/dcm_qa_ct_philips_mixed": [
        (10, "in-plane", "TILT", 0.482421875, None),
        (1, "refused", "LOCALIZER", None, None),
        (1, "refused", "SECONDARY_CAPTURE", None, None),
    ],
    "torture_dicom/two_dates_two_vendors_A046441": [
        (1, "in-plane", "SINGLE_SLICE", spacing, None)
        for spacing in (0.693359, 0.618, 1.126709, 0.618, 1.126709, 0.618)
    ],
    "hcc_tace_seg/single_slices/HCC_017": [(1, "in-plane", "SINGLE_SLICE", 0.703125, None)],
}


@pytest.mark.parametrize("folder", FOLDERS)
def test_verdicts(folder: str, shared_data: Path) -> None:
    scan = scan_folder(shared_data / folder)
    found = [
        (
            len(s.slices),
            s.verdict.value,
            s.verdict_code,
            round(s.geometry.row_spacing_mm, 6) if s.geometry else None,
            round(s.geometry.slice_step_mm, 3) if s.geometry and s.geometry.slice_step_mm else None,
        )
        for s in scan.series
    ]
    expected = [(n, v, c, None if sp is None else round(sp, 6), st) for n, v, c, sp, st in FOLDERS[folder]]
    assert sorted(found, key=str) == sorted(expected, key=str)
    assert scan.problems == ()


@pytest.fixture(scope="module")
def everything(shared_data: Path) -> Scan:
    return scan_folder(shared_data)


def test_the_whole_folder_scans_and_every_usable_series_loads_or_says_why(everything: Scan) -> None:
    """A refusal must be an InputError that says what the scan said; JPEG lossless and JPEG 2000 are among what loads."""
    refused = []
    for series in everything.series:
        try:
            values = load_slice(series, len(series.slices) // 2)
        except InputError:
            refused.append(series)
            continue
        assert series.geometry is not None
        assert values.shape == series.geometry.shape[1:]
        assert np.isfinite(values).any()
    assert everything.problems == ()
    assert {kind for _, kind in everything.others} == {"SR", "RWVM", "DICOMDIR"}
    assert len(everything.segmentations) == 9
    assert {s.verdict for s in refused} <= {Verdict.REFUSED}
    assert scan_to_json(everything)["ignored"] == everything.ignored


def test_tilt_angles(everything: Scan) -> None:
    texts = [s.verdict_text for s in everything.series if s.verdict_code == "TILT"]
    assert sorted(t.split()[5] for t in texts) == ["14.0", "18.5"]


def test_dates_of_one_patient_on_two_days(shared_data: Path) -> None:
    scan = scan_folder(shared_data / "torture_dicom" / "two_dates_two_vendors_A046441")
    assert {(s.subject, s.date) for s in scan.series} == {("A046441", "1900-11-11"), ("A046441", "1901-01-01")}
    assert scan.ignored >= 1  # the pictures beside


def test_volumes_are_in_hu(shared_data: Path) -> None:
    """Air is near -1000 HU and no body value is beyond the 12-bit range of these scanners."""
    for name in ("cptac_pda_C3L00189_ct_venous", "totalseg_ct_j2k_noext"):
        voxels = load_volume(scan_folder(shared_data / name).series[0]).voxels
        assert -1050 < np.nanpercentile(voxels, 1) < -950
        assert np.nanmax(voxels) <= 3071


def test_ircad_volume_and_hu_of_the_liver(shared_data: Path, tmp_path: Path) -> None:
    """Provenance page: 119 x 512 x 512 at 0.743 x 0.743 x 1.6 mm; liver 1860.6 ml, mean 99 HU."""
    source = shared_data / "ircad01_case17"
    with zipfile.ZipFile(source / "PATIENT_DICOM.zip") as packed:
        packed.extractall(tmp_path / "ct")
    with zipfile.ZipFile(source / "MASKS_DICOM.zip") as packed:
        packed.extractall(tmp_path / "liver", [n for n in packed.namelist() if n.startswith("MASKS_DICOM/liver/")])
    (ct,), (mask,) = scan_folder(tmp_path / "ct").series, scan_folder(tmp_path / "liver").series
    assert ct.verdict is Verdict.OK
    assert ct.geometry is not None
    assert ct.geometry.shape == (119, 512, 512)
    assert ct.geometry.voxel_volume_mm3 == pytest.approx(0.743 * 0.743 * 1.6, rel=1e-6)
    inside = load_volume(mask).voxels > 0
    assert np.count_nonzero(inside) * ct.geometry.voxel_volume_mm3 / 1000 == pytest.approx(1860.6, abs=0.05)
    assert load_volume(ct).voxels[inside].mean() == pytest.approx(99, abs=0.5)


# Segmentations ----------------------------------------------------------------------------------------------------------


def test_seg_equals_its_nrrd_voxel_by_voxel_in_space(shared_data: Path) -> None:
    folder = shared_data / "dcmqi_liver_seg_sr" / "24x38x3"
    series = scan_folder(folder / "image").series
    found = read_segments(folder / "seg" / "label.seg", series)[1]
    image = sitk.ReadImage(str(folder / "nrrd" / "label.nrrd"))
    geometry = series[0].geometry
    assert geometry is not None
    inside = 0
    for z, y, x in np.ndindex(geometry.shape):
        index = image.TransformPhysicalPointToIndex(geometry.to_lps(z, y, x))
        assert bool(image.GetPixel(index)) == bool(found[z, y, x])
        inside += int(found[z, y, x])
    assert inside == int(np.count_nonzero(sitk.GetArrayFromImage(image))) == 315


@pytest.mark.parametrize("name", ["dcmqi_liver_seg_sr/liver.dcm", "torture_dicom/pydicom-data/liver_rle.dcm"])
def test_liver_frames_lie_at_their_own_positions(name: str, shared_data: Path) -> None:
    """The frames of liver.dcm run from -128.69 mm up; its bits, unpacked here, must lie on the slices of those positions."""
    path = shared_data / "dcmqi_liver_seg_sr" / "liver.dcm"
    ds = pydicom.dcmread(path)
    frames = np.unpackbits(np.frombuffer(ds.PixelData, np.uint8), bitorder="little").reshape(3, 512, 512)
    heights = [float(g.PlanePositionSequence[0].ImagePositionPatient[2]) for g in ds.PerFrameFunctionalGroupsSequence]
    series = scan_folder(shared_data / "dcmqi_liver_seg_sr" / "ct-3slice").series
    found = read_segments(shared_data / name, series)[1]
    for frame, height in zip(frames, heights, strict=True):
        (index,) = [i for i, s in enumerate(series[0].slices) if abs(s.position_lps[2] - height) < 0.01]
        assert np.array_equal(found[index], frame.astype(bool))


def test_overlapping_segments_stay_apart(shared_data: Path) -> None:
    folder = shared_data / "dcmqi_liver_seg_sr"
    series = scan_folder(folder / "ct-3slice").series
    segments = read_segments(folder / "partial_overlaps.dcm", series)
    assert len(segments) == 5
    assert (segments[1] & segments[2]).any() or (segments[2] & segments[3]).any()
    found = read_segmentation(folder / "partial_overlaps.dcm", series)
    assert [m.lesion for m in found.masks] == ["LIGHT_BLUE"]  # the only morphologically altered structure
    assert len(found.skipped) == 4


@pytest.mark.parametrize("name", ["sparse-labelmap-noppv.dcm", "sparse-labelmap-ppv5.dcm"])
def test_sparse_label_maps(name: str, shared_data: Path) -> None:
    """Two frames at the ends of three slices; the slice between them is empty, and 315 voxels are liver on each."""
    folder = shared_data / "dcmqi_liver_seg_sr"
    series = scan_folder(folder / "24x38x3" / "image").series
    segments = read_segments(folder / name, series)
    assert segments[1].sum(axis=(1, 2)).tolist() == [315, 0, 315]
    found = read_segmentation(folder / name, series)
    assert found.masks == ()
    assert found.skipped[0] == "segment 0 'Background': background"


def test_segmentations_that_do_not_fit(shared_data: Path) -> None:
    series = scan_folder(shared_data / "dcmqi_liver_seg_sr" / "ct-3slice").series
    with pytest.raises(MaskError, match="which is not among the images given; add the images"):
        read_segmentation(shared_data / "dcmqi_liver_seg_sr" / "sr-example" / "seg.dcm", series)


def test_frames_that_do_not_end_on_a_byte(shared_data: Path) -> None:
    """510 x 510 bits a frame, packed without padding between frames: the bit stream unpacked here is the truth."""
    path = shared_data / "torture_dicom" / "pydicom-data" / "liver_nonbyte_aligned.dcm"
    bits = np.unpackbits(np.frombuffer(pydicom.dcmread(path).PixelData, np.uint8), bitorder="little")
    file = open_pixels(path)
    for frame, expected in enumerate(bits[: 3 * 510 * 510].reshape(3, 510, 510)):
        assert np.array_equal(decode_frame(file, frame), expected)


@pytest.mark.parametrize("name", ["emri_small_RLE", "emri_small_jpeg_ls_lossless", "emri_small_big_endian"])
def test_one_image_in_four_transfer_syntaxes(name: str, shared_data: Path) -> None:
    folder = shared_data / "torture_dicom" / "pydicom-data"
    plain, other = folder / "emri_small.dcm", folder / f"{name}.dcm"
    truth = np.frombuffer(pydicom.dcmread(plain).PixelData, "<u2").reshape(10, 64, 64)
    file = open_pixels(other)
    for frame in range(10):
        assert np.array_equal(decode_frame(file, frame), truth[frame])
