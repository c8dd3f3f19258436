"""Shared volumes of balls and boxes against closed forms, on one grid, on two grids, after a turn, with uneven slices."""

from __future__ import annotations

from math import pi

import numpy as np
import pytest

from mrecist.errors import MaskError
from mrecist.imaging.geometry import Geometry
from mrecist.matching.lesions import Lesion, Motion, ball, lesion_of
from mrecist.matching.overlap import body_of, fit


def grid(
    shape: tuple[int, int, int],
    spacing: tuple[float, float, float],
    heights: list[float] | None = None,
    first: float = 0.0,
) -> Geometry:
    """Axial; ``spacing`` z, y, x; ``first`` is x, y and z of the first voxel."""
    return Geometry(
        shape=shape,
        origins_lps=tuple((first, first, h) for h in heights or [first + k * spacing[0] for k in range(shape[0])]),
        row_direction=(1.0, 0.0, 0.0),
        column_direction=(0.0, 1.0, 0.0),
        row_spacing_mm=spacing[1],
        column_spacing_mm=spacing[2],
        slice_step_mm=None if heights else spacing[0],
    )


def box(name: str, low: tuple[int, int, int], high: tuple[int, int, int], geometry: Geometry) -> Lesion:
    mask = np.zeros(geometry.shape, dtype=bool)
    mask[low[0] : high[0], low[1] : high[1], low[2] : high[2]] = True
    return lesion_of(name, mask, geometry)


def lens(radius: float, apart: float) -> float:
    """Volume that two equal balls share (two caps): pi (4 r + d) (2 r - d)^2 / 12."""
    return pi * (4 * radius + apart) * (2 * radius - apart) ** 2 / 12


@pytest.mark.parametrize("apart", [0.0, 2.0, 7.0, 12.0, 19.0])
def test_dice_of_two_equal_balls(apart: float) -> None:
    found = fit(body_of(ball("A", (1, 2, 3), 20)), body_of(ball("B", (1 + apart * 0.6, 2, 3 + apart * 0.8), 20)))
    assert found.dice == pytest.approx(lens(10, apart) / (4 / 3 * pi * 10**3), abs=0.015)
    assert found.apart_mm == pytest.approx(apart, abs=1e-9)


def test_a_ball_within_a_ball() -> None:
    """Of radii 5 and 10: the small one wholly inside, Dice 2 x 125 / (125 + 1000)."""
    found = fit(body_of(ball("A", (0, 0, 0), 10)), body_of(ball("B", (1, 0, 2), 20)))
    assert found.contained == pytest.approx(1, abs=0.01)
    assert found.dice == pytest.approx(250 / 1125, abs=0.005)
    assert list(found.radii_mm) == pytest.approx([5, 10], rel=0.01)


def test_boxes_on_one_grid_are_counted_exactly() -> None:
    """4 x 5 x 6 voxels each, of which 2 x 4 x 3 are shared; a voxel is 2 x 0.5 x 0.8 mm."""
    geometry = grid((10, 20, 20), (2.0, 0.5, 0.8))
    found = fit(body_of(box("A", (1, 2, 3), (5, 7, 9), geometry)), body_of(box("B", (3, 3, 6), (7, 8, 12), geometry)))
    assert found.shared_mm3 == pytest.approx(24 * 0.8)
    assert list(found.volumes_mm3) == pytest.approx([120 * 0.8, 120 * 0.8])
    assert found.dice == pytest.approx(24 / 120)
    assert found.apart_mm == pytest.approx(np.linalg.norm([2 * 2.0, 1 * 0.5, 3 * 0.8]))


def test_boxes_on_two_grids_whose_borders_coincide_are_counted_exactly() -> None:
    """Cells of 1 mm from -0.5 and of 3 mm from -0.5 on: 6 x 6 x 6 mm from 2.5 on in both, shifted by 3 mm along x."""
    fine, coarse = grid((15, 15, 15), (1, 1, 1)), grid((6, 6, 6), (3, 3, 3), first=1.0)
    one, other = box("A", (3, 3, 3), (9, 9, 9), fine), box("B", (1, 1, 2), (3, 3, 4), coarse)
    found = fit(body_of(one), body_of(other))
    assert list(found.volumes_mm3) == pytest.approx([216, 216])
    assert found.shared_mm3 == pytest.approx(108)


def test_slices_at_uneven_steps_reach_half_way_to_their_neighbours() -> None:
    """Slices at 0, 1, 3, 4 mm: the slabs of the middle two are 1.5 mm thick, and the second ends at 2 mm."""
    geometry = grid((4, 4, 4), (1, 1, 1), [0.0, 1.0, 3.0, 4.0])
    lesion = box("A", (1, 0, 0), (2, 2, 2), geometry)
    assert body_of(lesion).volume_mm3 == pytest.approx(4 * 1.5)
    points = np.array([[0.0, 0.0, height] for height in (0.49, 0.51, 1.99, 2.01)])
    assert lesion.holds(points).tolist() == [False, True, True, False]


def test_slices_that_run_the_other_way_are_the_same_lesion() -> None:
    """The same box on a stack whose normal points down (rows and columns exchanged), as (y, x) of a coronal-like order."""
    up = grid((5, 6, 6), (2, 1, 1))
    down = Geometry(
        shape=(5, 6, 6),
        origins_lps=tuple((0.0, 0.0, 2.0 * k) for k in range(5)),
        row_direction=(0.0, 1.0, 0.0),
        column_direction=(1.0, 0.0, 0.0),
        row_spacing_mm=1.0,
        column_spacing_mm=1.0,
        slice_step_mm=2.0,
    )
    for layers in ((1, 4), (2, 3)):
        one = box("A", (layers[0], 1, 2), (layers[1], 3, 5), up)
        other = box("B", (layers[0], 2, 1), (layers[1], 5, 3), down)
        assert fit(body_of(one), body_of(other)).dice == pytest.approx(1)


def test_a_turn_and_a_shift_of_both_change_nothing() -> None:
    angle = 0.7
    turn = np.array([[np.cos(angle), 0, np.sin(angle)], [0, 1, 0], [-np.sin(angle), 0, np.cos(angle)]])
    motion = Motion(turn, np.array([100.0, -50.0, 7.0]))
    one, other = ball("A", (0, 0, 0), 20), ball("B", (3, 4, 0), 16)
    still = fit(body_of(one), body_of(other))
    moved = fit(body_of(one.moved(motion, 2.0)), body_of(other.moved(motion, 3.0)))
    assert moved.dice == pytest.approx(still.dice, abs=0.005)  # middles that lie on a border fall to either side
    assert moved.apart_mm == pytest.approx(5)
    assert moved.off_mm == 5
    assert body_of(one.moved(motion, 0)).middle == pytest.approx(motion.shift)
    away = fit(body_of(one.moved(motion, 0)), body_of(other))
    assert away.shared_mm3 == 0


def test_an_empty_mask_and_one_of_another_shape_are_refused() -> None:
    geometry = grid((3, 3, 3), (1, 1, 1))
    with pytest.raises(MaskError, match="its mask is empty"):
        lesion_of("T01", np.zeros((3, 3, 3), dtype=bool), geometry)
    with pytest.raises(MaskError, match=r"\(2, 3, 3\) and its images are \(3, 3, 3\)"):
        lesion_of("T01", np.ones((2, 3, 3), dtype=bool), geometry)
