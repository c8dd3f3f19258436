"""Lesions followed between two made volumes whose motion is known: where they must be found follows from that motion."""

from __future__ import annotations

from functools import cache

import numpy as np
import pytest

from mrecist.errors import MaskError
from mrecist.imaging.geometry import Geometry
from mrecist.segment.follow import BELIEVED, Followed, follow
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


def test_how_a_place_was_found_is_always_told() -> None:
    kept = [one for number, one in enumerate(followed()) if number != GONE]
    assert all(one.by == "rigid and local" and one.peak >= BELIEVED for one in kept)
    assert followed()[GONE].peak < min(one.peak for one in kept)
    for one in followed():
        assert f"{one.peak:.2f}" in one.note
        assert (one.by == "rigid") == (one.peak < BELIEVED)


def test_uneven_slices_are_refused_in_one_line() -> None:
    prior = np.zeros(SHAPE, np.float32)
    with pytest.raises(MaskError, match="uneven steps") as told:
        follow(prior, geometry(None), prior, geometry(), lines())
    assert "\n" not in str(told.value)
    assert follow(prior, geometry(), prior, geometry(), []) == ()
