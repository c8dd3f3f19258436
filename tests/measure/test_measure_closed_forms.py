"""Shapes whose diameters are known in closed form; each test names where its number comes from."""

from __future__ import annotations

import math

import numpy as np
import pytest
from measure_brute import geometry_of

from mrecist.errors import MaskError
from mrecist.measure.conventions import longest_inside
from mrecist.measure.lesion import DEFAULT_CONVENTION, Convention, measure_lesion

ROOT2 = math.sqrt(2)


def measure(mask, viable=None, spacing=(1.0, 1.0), **options):
    mask = np.atleast_3d(np.array(mask, bool)) if np.ndim(mask) == 3 else np.array(mask, bool)[None]
    viable = None if viable is None else np.array(viable, bool).reshape(mask.shape)
    return measure_lesion(mask, geometry_of(mask.shape, spacing), viable, **options)


def disc(radius, pixel=1.0, offset=(0.0, 0.0)):
    half = int(radius / pixel) + 3
    axis = np.arange(-half, half + 1) * pixel
    return np.hypot(axis[:, None] - offset[0], axis - offset[1]) <= radius


def test_rectangle_of_pixels_by_pythagoras():
    found = measure(np.ones((3, 4)), np.ones((3, 4)), (0.5, 2.0), convention="extent")
    assert found.longest.mm == pytest.approx(math.hypot(1.5, 8.0))
    assert found.viable.mm == pytest.approx(math.hypot(1.5, 8.0))
    # the chord across the diagonal of a rectangle a x b, at right angles to it, from corner to the long side: a * d / b
    assert found.short.mm == pytest.approx(1.5 * math.hypot(1.5, 8.0) / 8.0)
    assert found.viable_short.mm == pytest.approx(found.short.mm)
    centre = measure(np.ones((3, 4)), np.ones((3, 4)), (0.5, 2.0), convention="centre")
    assert centre.longest.mm == centre.viable.mm == pytest.approx(math.hypot(1.0, 6.0))
    edge = measure(np.ones((3, 4)), spacing=(0.5, 2.0), convention="edge")  # 0.5 contour: (row span 2, column span 4)
    assert edge.longest.mm == pytest.approx(math.hypot(1.0, 8.0))


def test_square_has_equal_diagonals():
    found = measure(np.ones((5, 5)), np.ones((5, 5)), convention="extent")
    for diameter in (found.longest, found.short, found.viable, found.viable_short):
        assert diameter.mm == pytest.approx(5 * ROOT2)


@pytest.mark.parametrize(("convention", "mm"), [("extent", ROOT2), ("edge", 1.0), ("centre", 0.0), ("calibrated", 0.6)])
def test_single_pixel(convention, mm):
    found = measure(np.ones((1, 1)), np.ones((1, 1)), convention=convention)
    assert found.longest.mm == pytest.approx(mm)
    assert found.viable.mm == pytest.approx(mm)
    assert found.short.mm <= mm + 1e-12


def test_line_of_pixels():
    for convention, mm in (
        ("extent", math.hypot(7, 1)),
        ("edge", 7.0),
        ("centre", 6.0),
        ("calibrated", 6 + 6 ** (-1 / 3)),
    ):
        found = measure(np.ones((1, 7)), np.ones((1, 7)), convention=convention)
        assert found.longest.mm == pytest.approx(mm)
        assert found.viable.mm == pytest.approx(mm)


def test_l_shape_inside_is_shorter_than_outside():
    """Legs of 5 and 1 pixels: the outline's diameter joins the leg ends; the inside one is a diagonal of a leg."""
    mask = np.zeros((5, 5), bool)
    mask[:, 0] = mask[4, :] = True
    found = measure(mask, mask, convention="extent")
    assert found.longest.mm == pytest.approx(5 * ROOT2)
    # from the outer tip (0, 0) through the inner corner (4, 1) to the far side (5, 1.25), in pixel corners
    assert found.viable.mm == pytest.approx(math.hypot(5, 1.25), abs=1e-12)


def test_u_shape_goes_outside_only_for_the_whole():
    mask = np.ones((4, 6), bool)
    mask[:3, 1:5] = False
    found = measure(mask, mask, convention="extent")
    assert found.longest.mm == pytest.approx(math.hypot(4, 6))
    # along the base: from the corner (4, 0) through the inner corner (3, 5) to the side (2.8, 6)
    assert found.viable.mm == pytest.approx(math.hypot(6, 1.2))


def test_diagonal_contact_counts_as_inside():
    found = measure(np.eye(4), np.eye(4), convention="extent")
    assert found.viable.mm == found.longest.mm == pytest.approx(4 * ROOT2)
    assert len(found.foci) == 1
    assert measure(np.eye(4), np.eye(4), convention="calibrated").viable.mm == pytest.approx(3 * ROOT2 + 0.6)


def test_two_islands_have_a_segment_each():
    mask = np.zeros((3, 12), bool)
    mask[1, :4] = mask[1, 6:] = True
    found = measure(np.ones((3, 12)), mask, convention="extent")
    assert [focus.mm for focus in found.foci] == pytest.approx([math.hypot(6, 1), math.hypot(4, 1)])
    assert found.viable == found.foci[0]


def test_one_pixel_of_necrosis_blocks_in_every_convention():
    viable = np.ones((1, 9), bool)
    viable[0, 3] = False
    for convention in Convention:
        found = measure(np.ones((1, 9)), viable, convention=convention)
        assert found.viable.mm < 6
        assert len(found.foci) == 2


@pytest.mark.parametrize("convention", list(Convention))
@pytest.mark.parametrize("slope", [0.0, 0.3, 0.5, 1.0])
def test_a_thin_line_of_necrosis_is_never_crossed(slope, convention):
    """A line of dead pixels that touch by their sides: the longest segment is that of one of its two sides."""
    y, x = np.mgrid[:21, :21]
    height = y - 10 - slope * (x - 10)
    dead = np.abs(height) <= (1 + slope) / 2
    together, _ = longest_inside(~dead, (1.0, 0.9), convention)
    sides = [longest_inside(~dead & side, (1.0, 0.9), convention)[0] for side in (height > 0, height < 0)]
    assert together == pytest.approx(max(sides), abs=1e-12)


@pytest.mark.parametrize("convention", list(Convention))
@pytest.mark.parametrize("radius", [5.0, 12.3, 31.0])
def test_disc_lies_between_its_bounds(convention, radius):
    """Pixel centres lie within the disc, pixel corners within half a diagonal of it."""
    found = measure(disc(radius, offset=(0.3, 0.1)), convention=convention)
    assert 2 * radius - ROOT2 <= found.longest.mm <= 2 * radius + ROOT2
    assert found.short.mm <= found.longest.mm + 1e-9


def test_rims_against_the_analytic_chord():
    """2 sqrt(R^2 - r^2): the chord of the outer circle that touches the inner one (R 20, r 12: 32.0 mm).

    Half a pixel for most, never more than 0.8 pixels; the whole lesion always within half a pixel.
    """
    pixel, errors = 0.8, []
    for outer, inner in ((20.0, 12.0), (20.0, 6.0), (35.0, 22.0), (50.0, 25.0)):
        for offset in ((0.0, 0.0), (0.3, 0.12), (0.21, 0.44), (0.4, 0.4)):
            whole, dead = disc(outer, pixel, offset), disc(inner, pixel, offset)
            viable = whole & ~np.pad(dead, (whole.shape[0] - dead.shape[0]) // 2)
            found = measure(whole, viable, (pixel, pixel))
            assert found.convention is DEFAULT_CONVENTION
            assert found.longest.mm == pytest.approx(2 * outer, abs=0.5 * pixel)
            errors.append((found.viable.mm - 2 * math.sqrt(outer**2 - inner**2)) / pixel)
    assert abs(np.median(errors)) < 0.25
    assert np.mean(np.abs(errors) < 0.5) >= 0.75
    assert np.max(np.abs(errors)) < 0.8


@pytest.mark.parametrize("spacing", [(0.7, 0.7), (0.6, 0.9), (1.2, 0.8)])
@pytest.mark.parametrize("angle", [0.2, 0.7, 1.3, 2.2])
def test_ellipse_within_half_a_pixel(spacing, angle):
    """Axes of 44 and 30 mm."""
    y = (np.arange(-60, 61) + 0.2)[:, None] * spacing[0]
    x = (np.arange(-60, 61) - 0.3) * spacing[1]
    mask = ((x * np.cos(angle) + y * np.sin(angle)) / 22) ** 2 + (
        (y * np.cos(angle) - x * np.sin(angle)) / 15
    ) ** 2 <= 1
    found = measure(mask, mask, spacing)
    pixel = math.sqrt(spacing[0] * spacing[1])
    assert found.longest.mm == pytest.approx(44, abs=0.5 * pixel)
    assert found.viable.mm == pytest.approx(44, abs=0.5 * pixel)
    assert found.short.mm == pytest.approx(30, abs=1.0 * pixel)


# --- gaps ------------------------------------------------------------------------------------------------------------


def test_gap_is_bridged_from_its_own_width_on():
    """A septum of one pixel of 1 mm: a disc of diameter 2 mm spans from centre to centre across it."""
    viable = np.ones((9, 20), bool)
    viable[:, 10] = False
    whole = np.ones((9, 20), bool)
    raw = math.hypot(9, 10)
    for gap, expected in ((0.0, raw), (1.9, raw), (2.0, math.hypot(9, 20)), (3.0, math.hypot(9, 20))):
        found = measure(whole, viable, convention="extent", max_gap_mm=gap)
        assert found.viable.mm == pytest.approx(expected)
        assert found.viable_raw.mm == pytest.approx(raw)
        assert found.viable_volume_mm3 == 9 * 19 * 2.0


def test_gap_never_leaves_the_lesion():
    viable = np.ones((3, 9), bool)
    viable[:, 4] = False
    found = measure(viable, viable, convention="extent", max_gap_mm=4)
    assert found.viable.mm == pytest.approx(5.0)  # a block of 3 x 4 pixels
    assert found.viable == found.viable_raw


def test_isolated_dead_pixels_are_restored_by_two_pixels_of_gap():
    """measurement with 5 % dead pixels returns to that of the clean mask (design note: within 0.02 mm)."""
    clean = disc(20.0, 0.75)
    specks = clean & (np.random.default_rng(8).random(clean.shape) < 0.05)
    inner = disc(18.0, 0.75)
    margin = (clean.shape[0] - inner.shape[0]) // 2
    viable = clean & ~(specks & np.pad(inner, margin))
    options = {"spacing": (0.75, 0.75), "convention": "extent"}
    expected = measure(clean, clean, **options).viable.mm
    found = measure(clean, viable, max_gap_mm=1.5, **options)
    assert found.viable_raw.mm < expected
    assert found.viable.mm == pytest.approx(expected, abs=0.02)


# --- lesions ---------------------------------------------------------------------------------------------------------


def test_longest_slice_wins_and_ties_go_to_the_short_axis_then_the_lowest_slice():
    stack = np.zeros((4, 6, 8), bool)
    stack[0, 0, :4] = True
    stack[1, 0, :8] = True
    stack[2, 0, :8] = True
    stack[2, 1, 3] = True
    stack[3] = stack[2]
    found = measure_lesion(stack, geometry_of(stack.shape), convention=Convention.CENTRE)
    assert found.longest.mm == 7.0
    assert found.longest.slice_index == found.short.slice_index == 2
    assert found.short.mm == pytest.approx(1.0)


def test_empty_viable_is_not_missing_viable():
    whole = np.ones((1, 3, 3), bool)
    empty = measure_lesion(whole, geometry_of(whole.shape), np.zeros_like(whole))
    missing = measure_lesion(whole, geometry_of(whole.shape))
    assert (empty.viable, empty.viable_is_empty, empty.viable_volume_mm3) == (None, True, 0.0)
    assert (missing.viable, missing.viable_is_empty, missing.viable_volume_mm3) == (None, False, None)
    assert empty.foci == missing.foci == ()


def test_volume_is_voxels_times_voxel_volume_and_none_on_irregular_stacks():
    whole = np.ones((2, 3, 3), bool)
    assert measure_lesion(whole, geometry_of(whole.shape, (0.5, 0.8), 3.0)).volume_mm3 == pytest.approx(18 * 1.2)
    assert measure_lesion(whole, geometry_of(whole.shape, step=None)).volume_mm3 is None


def test_refusals_say_what_is_wrong():
    whole = np.zeros((2, 4, 4), bool)
    with pytest.raises(MaskError, match="no voxel"):
        measure_lesion(whole, geometry_of(whole.shape))
    whole[0, 1:3, 1:3] = True
    with pytest.raises(MaskError, match=r"\(2, 4, 4\).*\(2, 4, 5\)"):
        measure_lesion(whole, geometry_of((2, 4, 5)))
    viable = np.zeros_like(whole)
    viable[0, 1, :4] = True
    with pytest.raises(MaskError, match="2 of 4 viable voxels lie outside"):
        measure_lesion(whole, geometry_of(whole.shape), viable)
    with pytest.raises(MaskError, match="int64"):
        measure_lesion(whole.astype(int), geometry_of(whole.shape))
    with pytest.raises(ValueError, match="max_gap_mm"):
        measure_lesion(whole, geometry_of(whole.shape), max_gap_mm=-1.0)
