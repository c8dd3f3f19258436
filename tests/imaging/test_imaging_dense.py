"""Dense material in lesions: drawn HU with known parts, and the very dense part of a real tumour."""

from __future__ import annotations

import io
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest

from mrecist.imaging.dense import DENSE_HU, Dense, DenseVerdict, find_dense
from mrecist.imaging.geometry import Geometry
from mrecist.measure.lesion import measure_lesion

BoolArray = npt.NDArray[np.bool_]
Hu = npt.NDArray[np.float32]
SPACING = (0.8, 0.8)
SHAPE = (5, 60, 60)


def ball(row: float, column: float, radius_mm: float) -> BoolArray:
    z, y, x = np.ogrid[: SHAPE[0], : SHAPE[1], : SHAPE[2]]
    distance = ((z - 2) * 2.5) ** 2 + ((y - row) * 0.8) ** 2 + ((x - column) * 0.8) ** 2
    return np.asarray(distance <= radius_mm**2)


WHOLE = ball(30, 30, 18)
VIABLE = WHOLE & ~ball(30, 20, 8)
OIL = ball(30, 40, 6)


def painted(*parts: tuple[BoolArray, float], noise: float = 8, seed: int = 0) -> Hu:
    """Liver of 90 HU, dead tumour of 30 HU, enhancing tumour of 130 HU, then what is painted over; Gaussian noise."""
    hu = np.full(SHAPE, 90.0)
    hu[WHOLE] = 30
    hu[VIABLE] = 130
    for where, value in parts:
        hu[where] = value
    return (hu + np.random.default_rng(seed).normal(0, noise, SHAPE)).astype(np.float32)


def same(found: BoolArray, true: BoolArray) -> float:
    """Dice coefficient."""
    return 2 * float((found & true).sum() / (found.sum() + true.sum()))


def test_enhancement_alone_is_not_dense() -> None:
    found = find_dense(painted(), WHOLE, VIABLE, SPACING)
    assert (found.verdict, found.fraction, found.reason) == (DenseVerdict.NONE, 0, "")
    assert not found.dense.any()
    assert found.viable is VIABLE


def test_oil_is_told_from_enhancement_by_its_density() -> None:
    found = find_dense(painted((OIL, 400)), WHOLE, VIABLE, SPACING)
    assert found.verdict is DenseVerdict.SEPARATED
    assert np.array_equal(found.dense, OIL)
    assert found.fraction == OIL.sum() / WHOLE.sum()
    assert found.viable is not None
    assert np.array_equal(found.viable, VIABLE & ~OIL)
    assert "200 HU or more" in found.reason


def test_the_edge_of_oil_is_no_doubt() -> None:
    """A blurred edge passes through all values between oil and tumour."""
    edge = ball(30, 40, 7) & ~OIL
    assert find_dense(painted((edge, 175), (OIL, 400)), WHOLE, VIABLE, SPACING).verdict is DenseVerdict.SEPARATED


def test_values_between_make_it_not_separable() -> None:
    """Tumour or faint oil of 186 HU apart from the dense part."""
    faint = ball(44, 30, 4)
    found = find_dense(painted((OIL, 400), (faint, 186)), WHOLE, VIABLE, SPACING)
    assert found.verdict is DenseVerdict.NOT_SEPARABLE
    assert "175 to 200 HU" in found.reason
    assert "native phase" in found.reason
    assert found.viable is VIABLE
    assert same(found.dense, OIL) == 1


def test_when_all_that_is_viable_is_dense_nothing_can_be_told() -> None:
    found = find_dense(painted((VIABLE, 500)), WHOLE, VIABLE, SPACING)
    assert found.verdict is DenseVerdict.NOT_SEPARABLE
    assert "whole viable part is dense" in found.reason
    assert found.viable is VIABLE


@pytest.mark.parametrize(("radius", "found"), [(2.0, False), (3.5, True)])
def test_specks_and_thin_vessels_are_no_dense_part(radius: float, found: bool) -> None:
    """A part counts from a disc of 5 mm on: 20 mm2 on some slice."""
    one = find_dense(painted((ball(30, 40, radius), 400)), WHOLE, VIABLE, SPACING)
    assert (one.verdict is not DenseVerdict.NONE) is found


def test_the_threshold_is_inclusive_and_can_be_chosen() -> None:
    exact = painted((OIL, 200.0), noise=0)
    assert find_dense(exact, WHOLE, VIABLE, SPACING).dense.sum() == OIL.sum()
    assert find_dense(exact, WHOLE, VIABLE, SPACING, dense_hu=200.1).verdict is DenseVerdict.NONE
    assert DENSE_HU == 200


def test_padding_is_never_dense() -> None:
    hu = painted()
    hu[OIL] = np.nan
    assert find_dense(hu, WHOLE, VIABLE, SPACING).verdict is DenseVerdict.NONE


def test_no_viable_mask_stays_none() -> None:
    found = find_dense(painted((OIL, 400)), WHOLE, None, SPACING)
    assert found.viable is None
    assert found.verdict is DenseVerdict.SEPARATED


def test_arrays_of_other_shapes_are_refused() -> None:
    with pytest.raises(ValueError, match="one shape"):
        find_dense(painted()[:3], WHOLE, VIABLE, SPACING)


# --- with a native phase ---------------------------------------------------------------------------------------------


def native(*parts: tuple[BoolArray, float], seed: int = 1) -> Hu:
    """Before contrast: 55 HU everywhere, then what is painted over."""
    hu = np.full(SHAPE, 55.0)
    for where, value in parts:
        hu[where] = value
    return (hu + np.random.default_rng(seed).normal(0, 8, SHAPE)).astype(np.float32)


def test_faint_oil_is_told_by_the_native_phase() -> None:
    """Of 150 HU before and after: no threshold on one phase tells it from enhancement."""
    arterial = painted((OIL, 150))
    assert find_dense(arterial, WHOLE, VIABLE, SPACING).verdict is DenseVerdict.NONE
    found = find_dense(arterial, WHOLE, VIABLE, SPACING, native=native((OIL, 150)))
    assert (found.verdict, found.with_native) == (DenseVerdict.SEPARATED, True)
    assert same(found.dense, OIL) > 0.99
    assert "before contrast" in found.reason


def test_dense_and_enhancing_is_not_separable() -> None:
    """160 HU before and 220 after: enhancing tissue that holds oil."""
    found = find_dense(painted((OIL, 220)), WHOLE, VIABLE, SPACING, native=native((OIL, 160)))
    assert found.verdict is DenseVerdict.NOT_SEPARABLE
    assert "gained 60 HU" in found.reason
    assert found.viable is VIABLE


def test_what_was_not_dense_before_is_no_oil() -> None:
    """A shift of the patient between the phases, or a vessel: nothing is taken off."""
    found = find_dense(painted((OIL, 400)), WHOLE, VIABLE, SPACING, native=native((ball(30, 16, 6), 400)))
    assert found.verdict is DenseVerdict.NOT_SEPARABLE
    assert "100.0 % of what has 200 HU or more was not dense before contrast" in found.reason
    found = find_dense(painted((OIL, 400)), WHOLE, VIABLE, SPACING, native=native())
    assert found.verdict is DenseVerdict.NOT_SEPARABLE
    assert same(found.dense, OIL) == 1


# --- a real tumour ---------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def tumours(shared_data: Path) -> dict[str, tuple[Hu, BoolArray, Geometry]]:
    """3D-IRCADb-01 case 17: HU, mask and geometry of both tumours; CT in the portal venous phase, no native phase."""
    folder = shared_data / "ircad01_case17"
    if not folder.is_dir():
        pytest.skip("ircad01_case17 is not in the shared data folder on this machine")
    images = _slices(folder / "PATIENT_DICOM.zip", "PATIENT_DICOM")
    names = sorted(images, key=lambda name: float(images[name].ImagePositionPatient[2]))
    first = images[names[0]]
    slope, intercept = float(first.RescaleSlope), float(first.RescaleIntercept)
    found = {}
    for tumour in ("livertumor1", "livertumor2"):
        masks = _slices(folder / "MASKS_DICOM.zip", tumour)
        whole = np.stack([masks[name].pixel_array > 0 for name in names])
        held = np.flatnonzero(whole.any(axis=(1, 2)))
        span = slice(int(held[0]), int(held[-1]) + 1)
        hu = np.stack([images[name].pixel_array * slope + intercept for name in names[span]]).astype(np.float32)
        geometry = Geometry(
            shape=hu.shape,
            origins_lps=tuple(tuple(map(float, images[name].ImagePositionPatient)) for name in names[span]),
            row_direction=(1.0, 0.0, 0.0),
            column_direction=(0.0, 1.0, 0.0),
            row_spacing_mm=float(first.PixelSpacing[0]),
            column_spacing_mm=float(first.PixelSpacing[1]),
            slice_step_mm=1.6,
        )
        found[tumour] = hu, whole[span], geometry
    return found


def _slices(archive: Path, folder: str) -> dict[str, Any]:
    import pydicom

    with zipfile.ZipFile(archive) as opened:
        return {
            name.rsplit("/", 1)[-1]: pydicom.dcmread(io.BytesIO(opened.read(name)), force=True)
            for name in opened.namelist()
            if not name.endswith("/") and f"{folder}/" in name
        }


def in_tumour(
    tumours: dict[str, tuple[Hu, BoolArray, Geometry]], name: str, bright: float
) -> tuple[Dense, float, float]:
    """What is dense in a tumour, and the viable diameter before and after, of what a plain threshold would call viable."""
    hu, whole, geometry = tumours[name]
    viable = whole & (hu >= bright)
    found = find_dense(hu, whole, viable, (geometry.row_spacing_mm, geometry.column_spacing_mm))
    before, after = measure_lesion(whole, geometry, viable), measure_lesion(whole, geometry, found.viable)
    assert before.viable is not None
    assert after.viable is not None
    return found, before.viable.mm, after.viable.mm


def test_the_dense_part_of_a_real_tumour_is_found_and_not_called_viable(
    tumours: dict[str, tuple[Hu, BoolArray, Geometry]],
) -> None:
    """6 % above 200 HU by its provenance page, up to 1023 HU; the other tumour has none (95th percentile 115 HU)."""
    found, before, after = in_tumour(tumours, "livertumor1", 120)
    assert found.verdict is DenseVerdict.SEPARATED
    assert 100 * found.fraction == pytest.approx(6, abs=0.5)
    hu, whole, _ = tumours["livertumor1"]
    assert hu[found.dense].max() == 1023
    assert (hu[whole & ~found.dense] >= 200).sum() < 0.05 * found.dense.sum()
    assert before - after > 10
    found, before, after = in_tumour(tumours, "livertumor2", 120)
    assert (found.verdict, before) == (DenseVerdict.NONE, after)
