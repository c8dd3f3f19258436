"""The searches against independent brute force in rational arithmetic, on random small masks."""

from __future__ import annotations

import itertools
import math

import measure_brute as brute
import numpy as np
import pytest

from mrecist.measure.conventions import Convention, lengthening, longest_anywhere, longest_inside

TOLERANCE = 1e-9


@pytest.mark.parametrize("seed", range(8))
def test_extent_inside_equals_rational_brute_force(seed):
    rng = np.random.default_rng([1, seed])
    for largest in [5] * 28 + [6] * 7:
        mask, spacing = brute.random_mask(rng, largest), brute.random_spacing(rng)
        length, segments = longest_inside(mask, spacing, Convention.EXTENT)
        assert length == pytest.approx(brute.longest_inside_extent(mask, spacing), abs=TOLERANCE), mask.astype(int)
        for segment in segments:
            assert np.hypot(*((segment[1] - segment[0]) * spacing)) == pytest.approx(length, abs=TOLERANCE)


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
