"""Two liver tumours of a public CT (3D-IRCADb-01 case 17): mrecist's values against others computed here, slice by slice.

Nothing below shares code with the package: hulls of pixel corners, pixel centres and contour points, intervals of pixels on parallel
lines, and rational arithmetic for the segment inside.
"""

from __future__ import annotations

import io
import zipfile
from pathlib import Path

import measure_brute as brute
import numpy as np
import pytest
from scipy.ndimage import find_objects, label
from scipy.spatial import ConvexHull
from scipy.spatial.distance import pdist
from skimage.measure import find_contours

import mrecist
from mrecist.imaging.geometry import Geometry
from mrecist.measure.conventions import Convention

TUMOURS = ("livertumor1", "livertumor2")
BRIGHT_HU = 120  # stands in for a viable part, which nobody drew


def read_slices(archive, folder):
    import pydicom

    with zipfile.ZipFile(archive) as files:
        names = [n for n in files.namelist() if f"/{folder}/" in f"/{n}" and not n.endswith("/")]
        slices = [pydicom.dcmread(io.BytesIO(files.read(name))) for name in names]
    return sorted(slices, key=lambda one: float(one.ImagePositionPatient[2]))


@pytest.fixture(scope="module")
def case(shared_data: Path):
    """Labels 1 and 2, the bright part, the geometry, the side of the square pixels."""
    folder = shared_data / "ircad01_case17"
    if not (folder / "MASKS_DICOM.zip").exists():
        pytest.skip(f"the public case 3D-IRCADb-01/17 is not beside this repository ({folder.name}): nothing compared")
    images = read_slices(folder / "PATIENT_DICOM.zip", "PATIENT_DICOM")
    hu = np.stack([one.pixel_array * float(one.RescaleSlope) + float(one.RescaleIntercept) for one in images])
    labels = np.zeros(hu.shape, np.uint8)
    for number, tumour in enumerate(TUMOURS, start=1):
        drawn = read_slices(folder / "MASKS_DICOM.zip", tumour)
        assert [d.ImagePositionPatient for d in drawn] == [i.ImagePositionPatient for i in images]
        labels[np.stack([one.pixel_array > 0 for one in drawn])] = number
    pixel = float(images[0].PixelSpacing[0])
    assert images[0].PixelSpacing[1] == images[0].PixelSpacing[0]
    assert [float(part) for part in images[0].ImageOrientationPatient] == [1, 0, 0, 0, 1, 0]
    geometry = Geometry(
        shape=labels.shape,
        origins_lps=tuple(tuple(float(part) for part in one.ImagePositionPatient) for one in images),
        row_direction=(1.0, 0.0, 0.0),
        column_direction=(0.0, 1.0, 0.0),
        row_spacing_mm=pixel,
        column_spacing_mm=pixel,
        slice_step_mm=1.6,
    )
    return labels, (hu >= BRIGHT_HU) & (labels > 0), geometry, pixel


def corner_points(mask):
    rows, columns = np.nonzero(mask)
    return np.unique(np.concatenate([np.stack([rows + a, columns + b], 1) for a in (0, 1) for b in (0, 1)]), axis=0)


POINTS = {
    Convention.EXTENT: corner_points,
    Convention.EDGE: lambda mask: np.concatenate(find_contours(np.pad(mask, 1).astype(float), 0.5)),
    Convention.CENTRE: np.argwhere,
}


def diameter(points):
    return pdist(points[ConvexHull(points).vertices]).max()


def longest(volume, points, pixel):
    """(mm, slice) of the longest diameter over all slices."""
    held = np.flatnonzero(volume.any(axis=(1, 2)))
    return max((diameter(points(volume[k])) * pixel, int(k)) for k in held)


def longest_across(mask, direction):
    """Longest distance, in pixels, between the first and the last point of the region on a line across ``direction``.

    The length of that chord is piecewise linear in the place of the line, with its corners where the line meets a corner of a pixel, so the
    lines just beside each corner are all that is needed.
    """
    direction = direction / np.hypot(*direction)
    across = np.array([-direction[1], direction[0]])
    corners = corner_points(mask)
    pixels = np.argwhere(mask).astype(float)
    best = 0.0
    for place in np.unique(np.round(corners @ direction, 9)):
        for beside in (-1e-7, 1e-7):
            start = (place + beside) * direction
            low, high = np.full(len(pixels), -np.inf), np.full(len(pixels), np.inf)
            for axis in (0, 1):
                first = (pixels[:, axis] - start[axis]) / across[axis]
                second = (pixels[:, axis] + 1 - start[axis]) / across[axis]
                low, high = np.maximum(low, np.minimum(first, second)), np.minimum(high, np.maximum(first, second))
            met = low <= high
            if met.any():
                best = max(best, high[met].max() - low[met].min())
    return best


@pytest.mark.parametrize("convention", list(POINTS))
def test_the_longest_diameters(case, convention):
    labels, _, geometry, pixel = case
    found = mrecist.measure(labels, geometry, convention=convention)
    for number in (1, 2):
        mm, index = longest(labels == number, POINTS[convention], pixel)
        assert found[number].longest.mm == pytest.approx(mm, abs=1e-6)
        assert found[number].longest.slice_index == index


def test_the_calibrated_diameter_is_the_longest_between_centres_and_a_little_more(case):
    """By the words of docs/measuring.md: a segment between border centres, longer by min(0.6, n^(-1/3)) pixels for n pixels.

    That grows with n, so the longest before is the longest after.
    """
    labels, _, geometry, pixel = case
    found = mrecist.measure(labels, geometry)
    for number in (1, 2):
        pixels = longest(labels == number, np.argwhere, pixel)[0] / pixel
        assert found[number].longest.mm == pytest.approx((pixels + min(0.6, pixels ** (-1 / 3))) * pixel, abs=1e-6)


def test_the_short_axes(case):
    labels, _, geometry, pixel = case
    found = mrecist.measure(labels, geometry, convention=Convention.EXTENT)
    for number in (1, 2):
        start, end = np.array(found[number].longest.ends_index)
        mask = labels[found[number].longest.slice_index] == number
        assert found[number].short.mm == pytest.approx(longest_across(mask, end - start) * pixel, abs=1e-4)


def test_the_longest_segment_inside_the_bright_part(case):
    """All islands whose hull could hold a longer one, by rational arithmetic; those of the first tumour are too large for that."""
    labels, bright, geometry, pixel = case
    found = mrecist.measure(labels, geometry, bright, convention=Convention.EXTENT)[2].viable
    searched = []
    for index in np.flatnonzero((labels == 2).any(axis=(1, 2))):
        islands, _ = label(bright[index] & (labels[index] == 2), structure=np.ones((3, 3)))
        for number, box in enumerate(find_objects(islands), start=1):
            island = islands[box] == number
            if diameter(corner_points(island)) * pixel >= found.mm - 1e-6:
                searched.append((brute.longest_inside_extent(island, (pixel, pixel)), int(index)))
    assert len(searched) > 1
    assert (found.mm, found.slice_index) == (pytest.approx(max(searched)[0], abs=1e-9), max(searched)[1])


def test_the_figures_of_the_page(case):
    """The table of docs/measuring.md, and the diameters and volumes of the note that comes with the data."""
    labels, bright, geometry, _ = case
    page = (Path(__file__).parents[2] / "docs" / "measuring.md").read_text(encoding="utf-8")
    for convention in Convention:
        found = mrecist.measure(labels, geometry, bright, convention=convention)
        sizes = [getattr(found[n], name).mm for n in (1, 2) for name in ("longest", "short", "viable")]
        assert f"| `{convention}` | " + " | ".join(f"{mm:.2f}" for mm in sizes) + " |" in page
    found = mrecist.measure(labels, geometry, convention=Convention.CENTRE)
    for number, mm, index, millilitres in ((1, 65.0, 96, 85.6), (2, 77.6, 92, 78.6)):
        assert (round(found[number].longest.mm, 1), found[number].longest.slice_index) == (mm, index)
        assert found[number].volume_mm3 / 1000 == pytest.approx(millilitres, abs=0.06)
