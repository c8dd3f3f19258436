"""What must hold for any mask: symmetries, order, ends inside, the slice's own plane."""

from __future__ import annotations

import math

import measure_brute as brute
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from mrecist.imaging.geometry import Geometry
from mrecist.measure.lesion import Convention, measure_lesion

BOUNDED = settings(max_examples=25, deadline=None, derandomize=True)
CONVENTIONS = st.sampled_from(list(Convention))
SPACINGS = st.tuples(st.sampled_from([0.5, 0.8, 1.0, 1.3]), st.sampled_from([0.5, 0.8, 1.0, 1.3]))


@st.composite
def masks(draw, largest=9):
    shape = draw(st.tuples(st.integers(1, largest), st.integers(1, largest)))
    mask = draw(arrays(bool, shape, fill=st.nothing(), elements=st.sampled_from([True, True, False])))
    if not mask.any():
        mask[0, 0] = True
    return mask


def measure(mask, spacing=(1.0, 1.0), whole=None, **options):
    whole = mask if whole is None else whole
    return measure_lesion(whole[None], brute.geometry_of((1, *mask.shape), spacing), mask[None], **options)


def lengths(found):
    return [found.longest.mm, found.viable.mm, *(focus.mm for focus in found.foci)]


def close(mask, radius=1e-6):
    """A function: is this (row, column) within ``radius`` pixels of the closed union of pixels?"""
    cells = np.argwhere(mask)

    def holds(point):
        gap = np.maximum(np.abs(cells - np.array(point)) - 0.5, 0)
        return bool((np.abs(gap).max(axis=1) <= radius).any())

    return holds


@BOUNDED
@given(masks(), SPACINGS, CONVENTIONS)
def test_flips_turns_and_transposes_change_no_length(mask, spacing, convention):
    found = measure(mask, spacing, convention=convention)
    swapped = (spacing[1], spacing[0])
    versions = [(mask[::-1], spacing), (mask[:, ::-1], spacing), (mask.T, swapped), (np.rot90(mask), swapped)]
    for version, its_spacing in versions:
        other = measure(np.ascontiguousarray(version), its_spacing, convention=convention)
        assert lengths(other) == pytest.approx(lengths(found), abs=1e-9)
        assert other.short.mm == pytest.approx(found.short.mm, abs=1e-6)


@BOUNDED
@given(masks(), CONVENTIONS, st.tuples(st.integers(0, 3), st.integers(0, 3)))
def test_translation_moves_the_ends_and_nothing_else(mask, convention, shift):
    found = measure(mask, convention=convention)
    moved = measure(np.pad(mask, ((shift[0], 2), (shift[1], 1))), convention=convention)
    assert lengths(moved) == pytest.approx(lengths(found), abs=1e-12)
    assert np.array(moved.viable.ends_index) - shift == pytest.approx(np.array(found.viable.ends_index), abs=1e-9)


@BOUNDED
@given(masks(), SPACINGS, CONVENTIONS, st.sampled_from([0.25, 3.0]))
def test_scaling_scales(mask, spacing, convention, factor):
    found = measure(mask, spacing, convention=convention)
    scaled = measure(mask, (spacing[0] * factor, spacing[1] * factor), convention=convention)
    assert lengths(scaled) == pytest.approx([factor * mm for mm in lengths(found)], rel=1e-9)


@BOUNDED
@given(masks(), SPACINGS, CONVENTIONS, st.integers(0, 2**32 - 1))
def test_a_larger_lesion_never_measures_shorter(mask, spacing, convention, seed):
    smaller = mask & (np.random.default_rng(seed).random(mask.shape) < 0.7)
    if smaller.any():
        assert measure(smaller, spacing, convention=convention).longest.mm <= (
            measure(mask, spacing, convention=convention).longest.mm + 1e-12
        )


@BOUNDED
@given(masks(), SPACINGS, st.integers(0, 2**32 - 1))
def test_a_larger_viable_part_never_measures_shorter_with_extent(mask, spacing, seed):
    smaller = mask & (np.random.default_rng(seed).random(mask.shape) < 0.7)
    if smaller.any():
        assert measure(smaller, spacing, whole=mask, convention="extent").viable.mm <= (
            measure(mask, spacing, convention="extent").viable.mm + 1e-12
        )


@BOUNDED
@given(masks(), SPACINGS, CONVENTIONS, st.integers(0, 2**32 - 1))
def test_inside_is_never_longer_than_whole_and_short_never_than_long(mask, spacing, convention, seed):
    viable = mask & (np.random.default_rng(seed).random(mask.shape) < 0.8)
    if not viable.any():
        return
    found = measure(viable, spacing, whole=mask, convention=convention)
    assert found.viable.mm <= found.longest.mm + 1e-9
    assert found.viable_short.mm <= found.viable.mm + 1e-6
    assert found.foci[0] == found.viable
    sizes = [focus.mm for focus in found.foci]
    assert sizes == pytest.approx(sorted(sizes, reverse=True), abs=1e-9)


@BOUNDED
@given(masks(), SPACINGS, CONVENTIONS)
def test_ends_lie_in_the_region_and_the_short_axis_is_perpendicular(mask, spacing, convention):
    found = measure(mask, spacing, convention=convention)
    holds = close(mask)
    for diameter in (found.longest, found.short, found.viable, found.viable_short, *found.foci):
        assert all(holds(end) for end in diameter.ends_index)
        a, b = (np.array(end) * spacing for end in diameter.ends_index)
        assert np.hypot(*(b - a)) == pytest.approx(diameter.mm, abs=1e-9)
    for long, short in ((found.longest, found.short), (found.viable, found.viable_short)):
        first, second = (np.subtract(*d.ends_index) * spacing for d in (long, short))
        assert abs(first @ second) <= 1e-6


@BOUNDED
@given(masks(), SPACINGS)
def test_inside_segments_stay_inside(mask, spacing):
    found = measure(mask, spacing, convention="extent")
    holds = close(mask)
    for diameter in (found.viable, found.viable_short, *found.foci):
        a, b = np.array(diameter.ends_index)
        assert all(holds(a + t * (b - a)) for t in np.linspace(0, 1, 101))


@BOUNDED
@given(masks(), SPACINGS, st.integers(0, 2**32 - 1))
def test_no_sampled_chord_across_is_longer_than_the_short_axis(mask, spacing, seed):
    """Lines across the diameters at random places, sampled every 1/50 pixel."""
    found = measure(mask, spacing, convention="extent")
    rng, holds = np.random.default_rng(seed), close(mask, 0.0)
    for long, short, inside in ((found.longest, found.short, False), (found.viable, found.viable_short, True)):
        a, b = (np.array(end) * spacing for end in long.ends_index)
        along = (b - a) / np.hypot(*(b - a))
        across = np.array([-along[1], along[0]])
        for place in rng.random(3):
            middle = a + place * (b - a)
            steps = np.arange(-700, 701) / 50 * min(spacing)
            free = np.array([holds((middle + s * across) / spacing) for s in steps])
            if inside:
                if not free[700]:
                    continue
                last = 700 + int(np.argmin(np.r_[free[700:], False])) - 1
                first = 700 - int(np.argmin(np.r_[free[700::-1], False])) + 1
            else:
                hit = np.flatnonzero(free)
                if not len(hit):
                    continue
                first, last = int(hit[0]), int(hit[-1])
            assert steps[last] - steps[first] <= short.mm + 1e-9


@BOUNDED
@given(masks(12), SPACINGS, CONVENTIONS, st.integers(0, 2**32 - 1))
def test_the_viable_diameter_grows_with_the_gap(mask, spacing, convention, seed):
    viable = mask & (np.random.default_rng(seed).random(mask.shape) < 0.75)
    if not viable.any():
        return
    found = [
        measure(viable, spacing, whole=mask, convention=convention, max_gap_mm=gap) for gap in (0, 1.0, 1.7, 2.2, 4)
    ]
    values = [f.viable.mm for f in found]
    assert values == sorted(values)
    assert {f.viable_raw.mm for f in found} == {values[0]}
    for one in found:
        assert one.foci[0].mm == pytest.approx(one.viable.mm)
        assert one.viable.mm <= one.longest.mm + 1e-9


def test_ends_in_lps_on_an_oblique_stack():
    """DICOM PS3.3 C.7.6.2.1.1: the distance of the ends in LPS is the length, and they lie in the slice's plane."""
    turn = np.linalg.qr(np.random.default_rng(6).normal(size=(3, 3)))[0]
    row, column = turn[:, 0], turn[:, 1]
    normal = np.cross(row, column)
    origins = tuple(tuple(np.array([10.0, -20.0, 30.0]) + 2.5 * k * normal) for k in range(3))
    geometry = Geometry(
        shape=(3, 12, 15),
        origins_lps=origins,
        row_direction=tuple(row),
        column_direction=tuple(column),
        row_spacing_mm=0.7,
        column_spacing_mm=1.1,
        slice_step_mm=2.5,
    )
    whole = np.random.default_rng(7).random((3, 12, 15)) < 0.7
    for convention in Convention:
        found = measure_lesion(whole, geometry, whole, convention=convention)
        for diameter in (found.longest, found.short, found.viable, found.viable_short, *found.foci):
            first, second = np.array(diameter.ends_lps)
            assert math.dist(first, second) == pytest.approx(diameter.mm, abs=1e-9)
            for end in (first, second):
                assert (end - origins[diameter.slice_index]) @ normal == pytest.approx(0, abs=1e-9)
