"""The searches against independent brute force in rational arithmetic, on random small masks."""

from __future__ import annotations

import itertools
import math

import measure_brute as brute
import numpy as np
import pytest

from mrecist.measure._lattice import lattice, reach
from mrecist.measure.conventions import Convention, lengthening, longest_anywhere, longest_inside
from mrecist.measure.viable import border_pixels, corner_points, free_of_dead_cores

TOLERANCE = 1e-9


@pytest.mark.parametrize("seed", range(8))
def test_extent_inside_equals_rational_brute_force(seed):
    rng = np.random.default_rng([1, seed])
    for largest in [5] * 100 + [6] * 50 + [7] * 25:
        mask, spacing = brute.random_mask(rng, largest), brute.random_spacing(rng)
        length, segments = longest_inside(mask, spacing, Convention.EXTENT)
        assert length == pytest.approx(brute.longest_inside_extent(mask, spacing), abs=TOLERANCE), mask.astype(int)
        for segment in segments:
            assert np.hypot(*((segment[1] - segment[0]) * spacing)) == pytest.approx(length, abs=TOLERANCE)


def test_extent_inside_of_every_mask_of_nine_pixels():
    """All 511 masks of 3 x 3 pixels, with square and with oblong pixels in turn."""
    for number in range(1, 512):
        mask = (number >> np.arange(9) & 1).astype(bool).reshape(3, 3)
        spacing = (1.0, 1.0) if number % 2 else (0.7, 1.3)
        found, _ = longest_inside(mask, spacing, Convention.EXTENT)
        assert found == pytest.approx(brute.longest_inside_extent(mask, spacing), abs=TOLERANCE), mask.astype(int)


def test_extent_inside_of_two_thousand_small_masks():
    rng = np.random.default_rng(6)
    for _ in range(2000):
        mask = rng.random((4, 4)) < rng.uniform(0.2, 0.9)
        mask[rng.integers(4), rng.integers(4)] = True
        spacing = brute.random_spacing(rng)
        found, _ = longest_inside(mask, spacing, Convention.EXTENT)
        assert found == pytest.approx(brute.longest_inside_extent(mask, spacing), abs=TOLERANCE), mask.astype(int)


def large_masks(seed, number):
    """Rims, crescents, islands and noise of 25 to 60 pixels, beyond one block of the search."""
    rng = np.random.default_rng(seed)
    for _ in range(number):
        size = int(rng.integers(25, 60))
        y, x = np.mgrid[:size, :size] - size / 2
        far, angle = np.hypot(y, x), np.arctan2(y, x)
        ragged = size / 2 * (0.9 + 0.08 * np.cos(int(rng.integers(2, 7)) * angle + rng.uniform(0, 6)))
        dead = np.hypot(y - rng.uniform(-9, 9), x - rng.uniform(-9, 9)) < size * rng.uniform(0.1, 0.4)
        mask = (far < ragged) & ~dead & (rng.random((size, size)) > rng.choice([0.0, 0.01, 0.04]))
        if rng.random() < 0.3:
            mask[:, int(rng.integers(size))] = False
        yield mask, brute.random_spacing(rng)


def all_pairs(points):
    i, j = np.triu_indices(len(points), 1)
    return points[i], points[j] - points[i]


@pytest.mark.parametrize("seed", range(4))
def test_large_masks_equal_the_search_without_any_bound(seed):
    """Every pair is walked here, by the walker that the tests above hold to rational arithmetic."""
    for mask, spacing in large_masks([7, seed], 5):
        grid, corners = lattice(mask), corner_points(mask)
        start, step = all_pairs(corners)
        ahead, behind = reach(grid, start, step), reach(grid, start, -step)
        lengths = (ahead + behind) * np.hypot(step[:, 0] * spacing[0] / 2, step[:, 1] * spacing[1] / 2)
        expected = float(lengths[ahead >= 1].max())
        assert longest_inside(mask, spacing, Convention.EXTENT)[0] == pytest.approx(expected, abs=TOLERANCE)
        start, step = all_pairs(border_pixels(mask) * 6 + 3)
        seen = reach(lattice(free_of_dead_cores(mask)), start, step) >= 1
        expected = float(np.hypot(step[seen, 0] * spacing[0] / 6, step[seen, 1] * spacing[1] / 6).max())
        expected += lengthening(expected, spacing)
        assert longest_inside(mask, spacing, Convention.CALIBRATED)[0] == pytest.approx(expected, abs=TOLERANCE)


@pytest.mark.parametrize("convention", [Convention.CENTRE, Convention.EDGE, Convention.CALIBRATED])
def test_inside_of_point_conventions_equals_rational_brute_force(convention):
    rng = np.random.default_rng(2)
    for _ in range(150):
        mask, spacing = brute.random_mask(rng, 9), brute.random_spacing(rng)
        points = brute.mid_edges(mask) if convention is Convention.EDGE else brute.centres(mask)
        if convention is Convention.CALIBRATED:
            expected = brute.longest_joining(brute.thirds_free(mask), brute.Fraction(1, 3), points, spacing)
            expected += lengthening(expected, spacing)
        else:
            expected = brute.longest_joining(brute.cells_of(mask), 1, points, spacing)
        found, _ = longest_inside(mask, spacing, convention)
        assert found == pytest.approx(expected, abs=TOLERANCE), mask.astype(int)


def test_pruning_by_a_lower_bound_changes_nothing():
    rng = np.random.default_rng(3)
    for _ in range(100):
        mask, spacing = brute.random_mask(rng, 14), brute.random_spacing(rng)
        for convention in Convention:
            length, _ = longest_inside(mask, spacing, convention)
            assert longest_inside(mask, spacing, convention, length)[0] == length
            assert longest_inside(mask, spacing, convention, length * 0.93)[0] == length
            assert longest_inside(mask, spacing, convention, length * 1.001 + 1e-6)[0] == 0


def test_whole_diameter_equals_brute_force_over_all_points():
    rng = np.random.default_rng(4)
    for _ in range(200):
        mask, spacing = brute.random_mask(rng, 9), brute.random_spacing(rng)
        points = {
            Convention.EXTENT: brute.pixel_corners(mask),
            Convention.EDGE: brute.mid_edges(mask),
            Convention.CENTRE: sorted(brute.cells_of(mask)),
            Convention.CALIBRATED: sorted(brute.cells_of(mask)),
        }
        for convention, candidates in points.items():
            expected = max(
                (
                    math.hypot(float(p[0] - q[0]) * spacing[0], float(p[1] - q[1]) * spacing[1])
                    for p, q in itertools.combinations(candidates, 2)
                ),
                default=0.0,
            )
            if convention is Convention.CALIBRATED:
                expected += lengthening(expected, spacing)
            assert longest_anywhere(mask, spacing, convention)[0] == pytest.approx(expected, abs=TOLERANCE)


def test_random_lines_are_never_longer_than_the_extent_segment():
    """Segments through random points, extended in the mask by rational arithmetic."""
    rng = np.random.default_rng(5)
    for _ in range(14):
        mask = brute.random_mask(rng, 12)
        length, _ = longest_inside(mask, (1.0, 1.0), Convention.EXTENT)
        cells = brute.cells_of(mask)
        for _ in range(40):
            start = tuple(brute.Fraction(int(rng.integers(0, 64 * n)), 64) for n in mask.shape)
            step = tuple(brute.Fraction(int(k)) for k in rng.integers(-7, 8, 2))
            if step == (0, 0):
                continue
            for a, b in brute.free_parts(cells, 1, start, step, brute.Fraction(-20), brute.Fraction(20)):
                assert float(b - a) * math.hypot(*step) <= length + TOLERANCE
