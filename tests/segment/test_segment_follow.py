"""Lesions followed between two made volumes whose motion is known: where they must be found follows from that motion."""

from __future__ import annotations

from dataclasses import replace
from functools import cache

import numpy as np
import pytest

from mrecist.errors import MaskError
from mrecist.imaging.geometry import Geometry
from mrecist.segment.follow import Followed, adapted, check, follow
from mrecist.segment.prompt import Line

SHAPE, STEP, PIXEL = (44, 110, 120), 5.0, 2.5
LESIONS = np.array([[-40, 10, 0], [0, -20, 25], [-60, 20, -30], [10, 15, -10]], dtype=float)  # x, y, z mm
MOVED, ANGLE = np.array([8.0, -5.0, 9.0]), 0.06
GONE = 3


def turn(angle: float) -> np.ndarray:
    return np.array([[np.cos(angle), -np.sin(angle), 0], [np.sin(angle), np.cos(angle), 0], [0, 0, 1]])


def volume(moved: np.ndarray, angle: float, seed: int, gone: tuple[int, ...] = ()) -> np.ndarray:
    """A body with a liver, straight vessels and round lesions, after a rigid motion."""
    from scipy.ndimage import gaussian_filter

    axes = [(np.arange(n) - n // 2) * s for n, s in zip(SHAPE, (STEP, PIXEL, PIXEL), strict=True)]
    z, y, x = np.meshgrid(*axes, indexing="ij")
    own = (np.stack([x, y, z], axis=-1) - moved) @ turn(angle)
    picture = np.full(SHAPE, -150.0)
    picture[(own[..., 0] / 125) ** 2 + (own[..., 1] / 110) ** 2 < 1] = -80
    picture[((own[..., 0] + 20) / 85) ** 2 + (own[..., 1] / 75) ** 2 + (own[..., 2] / 80) ** 2 < 1] = 100
    chance = np.random.default_rng(3)
    for middle in chance.uniform(-60, 50, (14, 3)):
        way = chance.normal(size=3)
        way /= np.linalg.norm(way)
        along = (own - middle) @ way
        picture[(np.linalg.norm(own - middle - along[..., None] * way, axis=-1) < 5) & (abs(along) < 45)] = 160
    for number, middle in enumerate(LESIONS):
        if number not in gone:
            picture[np.linalg.norm(own - middle, axis=-1) < 11] = 45
    noise = np.random.default_rng(seed).normal(size=SHAPE) * 12
    return np.asarray(gaussian_filter(picture, (0.3, 0.5, 0.5)) + noise, dtype=np.float32)


def geometry(step: float | None = STEP) -> Geometry:
    return Geometry(
        shape=SHAPE,
        origins_lps=tuple((-60 * PIXEL, -55 * PIXEL, (k - 22) * STEP) for k in range(SHAPE[0])),
        row_direction=(1.0, 0.0, 0.0),
        column_direction=(0.0, 1.0, 0.0),
        row_spacing_mm=PIXEL,
        column_spacing_mm=PIXEL,
        slice_step_mm=step,
    )


def index(point: np.ndarray) -> np.ndarray:
    x, y, z = point
    return np.array([z / STEP + 22, y / PIXEL + 55, x / PIXEL + 60])


def lines() -> list[Line]:
    found = []
    for z, y, x in map(index, LESIONS):
        found.append(Line(start=(round(z), y, x - 4), end=(round(z), y, x + 4)))
    return found


@cache
def followed() -> tuple[Followed, ...]:
    prior, current = volume(np.zeros(3), 0, 8), volume(MOVED, ANGLE, 9, (GONE,))
    return follow(prior, geometry(), current, geometry(), lines())


def test_every_place_lies_within_4_mm_and_kept_lesions_within_a_cell() -> None:
    for number, (middle, one) in enumerate(zip(LESIONS, followed(), strict=True)):
        true = index(turn(ANGLE) @ middle + MOVED)
        off = float(np.linalg.norm((np.array(one.middle) - true) * (STEP, PIXEL, PIXEL)))
        assert off < (4.0 if number == GONE else 2.5), (number, off)


def test_the_ghosted_line_keeps_its_length_and_lies_on_one_slice() -> None:
    for one in followed():
        assert one.line is not None
        assert one.line.start[0] == one.line.end[0] == round(one.middle[0])
        assert np.linalg.norm(np.subtract(one.line.start, one.line.end)) * PIXEL == pytest.approx(20, abs=0.5)


def test_how_sure_a_place_is_is_always_told_and_a_vanished_lesion_never_stands_out() -> None:
    for number, one in enumerate(followed()):
        assert one.by == "surroundings"
        assert 3 <= one.off_mm <= 10
        assert f"within about {one.off_mm:.0f} mm" in one.note
        assert one.stands_out == (number != GONE)
        assert ("something stands out there as before" in one.note) == one.stands_out
        assert ("place only, look" in one.note) == (not one.stands_out)
        # Lesions of 45 HU in a liver of 100 HU.
        assert one.contrast[0] == pytest.approx(-55, abs=12)


def test_the_place_is_no_further_off_than_told() -> None:
    for middle, one in zip(LESIONS, followed(), strict=True):
        true = index(turn(ANGLE) @ middle + MOVED)
        assert np.linalg.norm((np.array(one.middle) - true) * (STEP, PIXEL, PIXEL)) <= one.off_mm


def on_grid(
    picture: np.ndarray, shape: tuple[int, int, int], spacing: tuple[float, float, float], origin: tuple[float, ...]
) -> tuple[np.ndarray, Geometry]:
    """The volume on another axial grid (z, y, x), with what lies outside as air; sampled by index arithmetic."""
    from scipy.ndimage import map_coordinates

    own = (STEP, PIXEL, PIXEL)
    start = (-22 * STEP, -55 * PIXEL, -60 * PIXEL)
    axes = [
        (o + np.arange(n) * s - first) / step
        for n, s, o, first, step in zip(shape, spacing, origin, start, own, strict=True)
    ]
    at = np.meshgrid(*axes, indexing="ij")
    found = map_coordinates(picture, at, order=1, cval=-150.0)
    return found.astype(np.float32), replace(
        geometry(spacing[0]),
        shape=shape,
        origins_lps=tuple((origin[2], origin[1], origin[0] + k * spacing[0]) for k in range(shape[0])),
        row_spacing_mm=spacing[1],
        column_spacing_mm=spacing[2],
    )


def test_another_spacing_fewer_slices_and_another_frame_of_reference() -> None:
    """The upper half of the body alone, finer slices, another matrix, and positions that are a metre away."""
    far = np.array([250.0, -180.0, 1000.0])
    current, there = on_grid(volume(MOVED, ANGLE, 9), (36, 96, 100), (3.0, 2.9, 2.9), (-15.0, -138.0, -145.0))
    moved = replace(there, origins_lps=tuple(tuple(float(v) for v in np.add(o, far)) for o in there.origins_lps))
    found = follow(volume(np.zeros(3), 0, 8), geometry(), current, moved, lines())
    seen = 0
    for middle, one in zip(LESIONS, found, strict=True):
        point = turn(ANGLE) @ middle + MOVED
        true = np.array([(point[2] + 15) / 3.0, (point[1] + 138) / 2.9, (point[0] + 145) / 2.9])
        off = float(np.linalg.norm((np.array(one.middle) - true) * (3.0, 2.9, 2.9)))
        if one.line is None:
            assert true[0] < 0.5
            assert one.note == "its place lies outside the current series"
        else:
            seen += 1
            assert off < 3, off
    assert seen == 3


def test_values_without_a_unit_are_followed_too() -> None:
    """MR: the same pictures in other units of each visit."""
    prior, current = volume(np.zeros(3), 0, 8) * 3 + 900, volume(MOVED, ANGLE, 9) * 0.5 + 100
    for middle, one in zip(
        LESIONS, follow(prior, geometry(), current, geometry(), lines(), hounsfield=False), strict=True
    ):
        true = index(turn(ANGLE) @ middle + MOVED)
        assert np.linalg.norm((np.array(one.middle) - true) * (STEP, PIXEL, PIXEL)) < 2.5
        assert "HU" not in one.note


def test_two_volumes_that_show_different_things_are_refused_in_one_line() -> None:
    chance = np.random.default_rng(1)
    noise = chance.normal(0, 60, SHAPE).astype(np.float32)
    with pytest.raises(MaskError, match="could not be registered") as told:
        follow(volume(np.zeros(3), 0, 8), geometry(), noise, geometry(), lines())
    assert "\n" not in str(told.value)


def test_a_body_that_is_the_same_all_along_is_not_placed_by_a_small_part_of_it() -> None:
    """One slice repeated: each place along the body is as good as any other, and the first found had 3 of 8 parts in common."""
    one = volume(np.zeros(3), 0, 8)[SHAPE[0] // 2]
    chance = np.random.default_rng(5)
    prior, current = (np.asarray(one + chance.normal(0, 8, SHAPE), dtype=np.float32) for _ in range(2))
    with pytest.raises(
        MaskError, match=r"have 3\d% of the surroundings of the lesions in common, too little to tell"
    ) as told:
        follow(prior, geometry(), current, geometry(), lines())
    assert "\n" not in str(told.value)


def test_where_nothing_can_be_compared_nothing_is_placed() -> None:
    nothing = [replace(one, found=0, compared=0) for one in followed()]
    with pytest.raises(MaskError, match="nothing around the lesions could be compared"):
        check(nothing)
    check([*nothing, followed()[0]])


def test_a_line_is_fitted_to_what_has_shrunk_or_grown_and_nothing_is_found_in_plain_liver() -> None:
    """Made blocks whose longest diameter follows from their masks."""
    from mrecist.measure.lesion import measure_lesion
    from mrecist.samples.liver_blocks import PLANS, make_block

    block = make_block(PLANS[0])
    longest = measure_lesion(block.whole, block.geometry).longest
    z, spacing = float(longest.slice_index), (2.5, 0.78125, 0.78125)
    ends = np.array(longest.ends_index)
    middle = ends.mean(axis=0)
    for factor in (0.7, 1.0, 1.6):
        one, other = (middle + (ends - middle) * factor).tolist()
        fitted = adapted(Line(start=(z, *one), end=(z, *other)), block.arterial, spacing, 3.0)
        mm = np.linalg.norm(np.subtract(fitted.end, fitted.start) * spacing)
        assert mm == pytest.approx(longest.mm, rel=0.15)
    corner = Line(start=(4.0, 10.0, 10.0), end=(4.0, 10.0, 24.0))
    with pytest.raises(MaskError, match="nothing"):
        adapted(corner, block.arterial, spacing, 3.0)


def test_uneven_slices_are_refused_in_one_line() -> None:
    prior = np.zeros(SHAPE, np.float32)
    with pytest.raises(MaskError, match="uneven steps") as told:
        follow(prior, geometry(None), prior, geometry(), lines())
    assert "\n" not in str(told.value)
    assert follow(prior, geometry(), prior, geometry(), []) == ()


def test_too_few_slices_are_refused_in_one_line() -> None:
    flat = replace(geometry(), shape=(2, 110, 120), origins_lps=geometry().origins_lps[:2])
    with pytest.raises(MaskError, match="has 2 slices, too few"):
        follow(np.zeros((2, 110, 120), np.float32), flat, np.zeros(SHAPE, np.float32), geometry(), lines())
