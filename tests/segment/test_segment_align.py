"""A phase displaced by a known amount must be brought back; phases of two different lesions must be told apart."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from mrecist import measure_lesion
from mrecist.samples.liver_blocks import PLANS, Block, make_block
from mrecist.segment.align import AGREED, align
from mrecist.segment.prompt import Line
from mrecist.segment.viable import split_viable
from mrecist.segment.whole import dice, segment_line

SPACING = (2.5, 0.78125, 0.78125)
RIM, SOLID, DEAD, CAPSULE = 0, 5, 7, 9


def moved_block(number: int, shift_mm: tuple[float, float, float]) -> Block:
    return make_block(replace(PLANS[number], seed=PLANS[number].seed + 600, portal_shift_mm=shift_mm))


def line_of(one: Block) -> Line:
    longest = measure_lesion(one.whole, one.geometry).longest
    start, end = longest.ends_index
    return Line(start=(longest.slice_index, *start), end=(longest.slice_index, *end))


@pytest.mark.parametrize("shift_mm", [(2.5, 3.0, 3.0), (5.0, -6.0, 6.0), (-7.5, 4.0, -9.0)])
def test_a_displaced_phase_is_brought_back(shift_mm: tuple[float, float, float]) -> None:
    block = moved_block(RIM, shift_mm)
    found = align(block.arterial, block.portal, SPACING)
    # Half a pixel; the displacement itself was made.
    assert np.linalg.norm(np.add(found.moved_mm, shift_mm)) < 0.8
    assert found.agrees
    assert found.gain > 0


def test_phases_that_fit_are_left_as_they_are() -> None:
    block = moved_block(DEAD, (0.0, 0.0, 0.0))
    found = align(block.arterial, block.arterial, SPACING)
    np.testing.assert_array_equal(found.picture, block.arterial)
    assert found.moved_mm == (0.0, 0.0, 0.0)
    assert found.agreement == pytest.approx(1, abs=1e-3)


def test_the_edge_of_the_liver_does_not_hide_a_displacement_along_it() -> None:
    block = moved_block(CAPSULE, (2.5, 3.0, 3.0))
    found = align(block.arterial, block.portal, SPACING)
    # Less than a cell of the search.
    assert np.linalg.norm(np.add(found.moved_mm, (2.5, 3.0, 3.0))) < 2.3


def test_a_phase_of_something_else_does_not_agree() -> None:
    # A lesion in one, nothing but the edge of the liver in the other: no displacement lays one on the other.
    one = make_block(PLANS[SOLID])
    noise = np.random.default_rng(3).normal(size=one.arterial.shape) * 12
    edge = np.where(np.arange(one.arterial.shape[2]) > one.arterial.shape[2] * 0.6, -90, 112) + noise
    assert not align(one.arterial, edge.astype(np.float32), SPACING).agrees


def test_pictures_without_an_edge_do_not_agree() -> None:
    flat = np.full((12, 40, 40), 70.0, dtype=np.float32)
    found = align(flat, flat, SPACING)
    assert found.agreement < AGREED
    np.testing.assert_array_equal(found.picture, flat)


@pytest.mark.parametrize("shift_mm", [(2.5, 3.0, 3.0), (5.0, 6.0, 6.0)])
def test_a_dead_lesion_has_no_viable_part_where_the_phases_were_displaced(
    shift_mm: tuple[float, float, float],
) -> None:
    block = moved_block(DEAD, shift_mm)
    portal = align(block.arterial, block.portal, SPACING)
    assert portal.agrees
    whole = segment_line([block.arterial, portal.picture], SPACING, line_of(block))
    assert dice(whole, block.whole) > 0.94
    assert not split_viable(whole, block.arterial, SPACING).mask.any()


def test_a_thin_border_of_liver_around_a_dead_lesion_is_not_viable_and_is_told() -> None:
    from scipy.ndimage import gaussian_filter

    # Dead at 20 HU, liver at 80 HU: a mask two pixels too wide takes a border of liver in.
    z, y, x = np.mgrid[-15:16, -40:41, -40:41]
    away = np.sqrt((z * 2.5) ** 2 + (y * 0.78) ** 2 + (x * 0.78) ** 2)
    noise = gaussian_filter(np.random.default_rng(5).normal(size=away.shape), 0.5) * 20
    arterial = np.where(away <= 12, 20, 80) + noise
    part = split_viable((away <= 14.5), arterial.astype(np.float32), (2.5, 0.78, 0.78))
    assert not part.mask.any()
    assert "as bright as the liver around" in part.why
