"""The same masks through other implementations, and through a public liver CT."""

from __future__ import annotations

import io
import zipfile
from pathlib import Path

import measure_brute as brute
import numpy as np
import pytest

from mrecist.imaging.geometry import Geometry
from mrecist.measure.conventions import Convention, longest_anywhere
from mrecist.measure.lesion import measure_lesion

DATA = Path(__file__).parents[3] / "shared" / "data" / "ircad01_case17"


def blobs():
    rng = np.random.default_rng(9)
    for _ in range(40):
        mask = brute.random_mask(rng, 30)
        if mask.sum() > 3 and min(np.ptp(np.argwhere(mask), axis=0)) > 0:
            yield mask, brute.random_spacing(rng)


def test_centre_equals_scipy_convex_hull_and_pdist():
    from scipy.spatial import ConvexHull, QhullError
    from scipy.spatial.distance import pdist

    compared = 0
    for mask, spacing in blobs():
        points = np.argwhere(mask) * spacing
        try:
            hull = points[ConvexHull(points).vertices]
        except QhullError:  # all on one line
            continue
        assert longest_anywhere(mask, spacing, Convention.CENTRE)[0] == pytest.approx(pdist(hull).max(), abs=1e-9)
        compared += 1
    assert compared >= 15


def test_edge_equals_skimage_contour_at_a_half():
    from scipy.spatial.distance import pdist
    from skimage.measure import find_contours

    compared = 0
    for mask, spacing in blobs():
        points = np.concatenate(find_contours(np.pad(mask, 1).astype(float), 0.5)) * spacing
        assert longest_anywhere(mask, spacing, Convention.EDGE)[0] == pytest.approx(pdist(points).max(), abs=1e-9)
        compared += 1
    assert compared >= 15


def read_masks(structure):
    """The (Z, Y, X) mask and geometry of one structure of 3D-IRCADb-01 case 17 (one DICOM file per slice, 0/255)."""
    import pydicom

    slices = []
    with zipfile.ZipFile(DATA / "MASKS_DICOM.zip") as archive:
        for name in archive.namelist():
            if f"/{structure}/" in f"/{name}" and not name.endswith("/"):
                slices.append(pydicom.dcmread(io.BytesIO(archive.read(name))))
    slices.sort(key=lambda one: float(one.ImagePositionPatient[2]))
    volume = np.stack([one.pixel_array > 0 for one in slices])
    first = slices[0]
    orientation = (
        [float(v) for v in first.ImageOrientationPatient] if "ImageOrientationPatient" in first else [1, 0, 0, 0, 1, 0]
    )
    geometry = Geometry(
        shape=volume.shape,
        origins_lps=tuple(tuple(float(v) for v in one.ImagePositionPatient) for one in slices),
        row_direction=tuple(orientation[:3]),
        column_direction=tuple(orientation[3:]),
        row_spacing_mm=float(first.PixelSpacing[0]),
        column_spacing_mm=float(first.PixelSpacing[1]),
        slice_step_mm=1.6,
    )
    return volume, geometry


@pytest.mark.parametrize(
    ("structure", "mm", "index", "millilitres"), [("livertumor1", 65.0, 96, 85.6), ("livertumor2", 77.6, 92, 78.6)]
)
def test_longest_axial_diameter_of_a_public_case(structure, mm, index, millilitres):
    """3D-IRCADb-01 case 17; the numbers come from the data's provenance note (boundary-pixel centres)."""
    if not (DATA / "MASKS_DICOM.zip").exists():
        pytest.skip(f"the public case 3D-IRCADb-01/17 is not beside this repository ({DATA.name}): nothing compared")
    volume, geometry = read_masks(structure)
    found = measure_lesion(volume, geometry, convention=Convention.CENTRE)
    assert round(found.longest.mm, 1) == mm
    assert found.longest.slice_index == index
    assert found.volume_mm3 / 1000 == pytest.approx(millilitres, abs=0.06)
    by_convention = [
        measure_lesion(volume, geometry, convention=c).longest.mm for c in ("centre", "calibrated", "edge", "extent")
    ]
    assert by_convention == sorted(by_convention)
    assert by_convention[-1] - by_convention[0] < 1.5 * geometry.row_spacing_mm
