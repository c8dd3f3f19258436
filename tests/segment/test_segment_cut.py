"""The minimum cut beside every labelling of a tiny grid, and resampling beside a closed form."""

from __future__ import annotations

from itertools import product

import numpy as np
import pytest

from mrecist.errors import MaskError
from mrecist.imaging.geometry import Geometry
from mrecist.segment.cut import minimum_cut
from mrecist.segment.regrid import seen_on

SHAPE = (2, 2, 3)


def energy(
    labels: np.ndarray, lesion: np.ndarray, background: np.ndarray, links: tuple[np.ndarray, np.ndarray, np.ndarray]
) -> float:
    total = float(np.where(labels, lesion, background).sum())
    return total + sum(float((link * (np.diff(labels.astype(int), axis=a) != 0)).sum()) for a, link in enumerate(links))


@pytest.mark.parametrize("seed", range(4))
def test_the_cut_has_the_least_energy_of_all_labellings(seed: int) -> None:
    chance = np.random.default_rng(seed)
    # Multiples of 1/200 are exact in the units of the cut.
    lesion, background = (chance.integers(0, 800, SHAPE) / 200 for _ in range(2))
    links = tuple(chance.integers(0, 400, [n - (a == axis) for a, n in enumerate(SHAPE)]) / 200 for axis in range(3))
    must, must_not = np.zeros(SHAPE, dtype=bool), np.zeros(SHAPE, dtype=bool)
    must[0, 0, 0] = must_not[1, 1, 2] = True
    found = minimum_cut(lesion, background, links, must, must_not)
    assert found[0, 0, 0]
    assert not found[1, 1, 2]
    every = (np.array(one, dtype=bool).reshape(SHAPE) for one in product((0, 1), repeat=int(np.prod(SHAPE))))
    least = min(energy(one, lesion, background, links) for one in every if one[0, 0, 0] and not one[1, 1, 2])
    assert energy(found, lesion, background, links) == pytest.approx(least, abs=1e-9)


def grid(shape: tuple[int, int, int], origin: tuple[float, float, float], pixel: float, step: float) -> Geometry:
    x, y, z = origin
    return Geometry(
        shape=shape,
        origins_lps=tuple((x, y, z + k * step) for k in range(shape[0])),
        row_direction=(1.0, 0.0, 0.0),
        column_direction=(0.0, 1.0, 0.0),
        row_spacing_mm=pixel,
        column_spacing_mm=pixel,
        slice_step_mm=step,
    )


def test_a_linear_field_is_seen_exactly_on_another_grid() -> None:
    # Trilinear interpolation reproduces 3x - 2y + 5z exactly.
    own, other = grid((8, 12, 12), (0, 0, 0), 2.0, 3.0), grid((5, 9, 9), (3.3, 2.1, 4.7), 1.3, 2.2)

    def field(g: Geometry) -> np.ndarray:
        z, y, x = np.meshgrid(*map(np.arange, g.shape), indexing="ij")
        x0, y0, z0 = g.origins_lps[0]
        assert g.slice_step_mm is not None
        return 3 * (x0 + x * g.row_spacing_mm) - 2 * (y0 + y * g.row_spacing_mm) + 5 * (z0 + z * g.slice_step_mm)

    box = (slice(0, 5), slice(0, 9), slice(0, 9))
    seen = seen_on(field(own).astype(np.float32), own, other, box)
    np.testing.assert_allclose(seen, field(other), atol=1e-3)


def test_series_without_a_common_point_are_refused_in_one_line() -> None:
    own, other = grid((3, 4, 4), (0, 0, 0), 1, 1), grid((3, 4, 4), (500, 0, 0), 1, 1)
    with pytest.raises(MaskError, match="share no point") as told:
        seen_on(np.zeros((3, 4, 4), np.float32), own, other, (slice(0, 3), slice(0, 4), slice(0, 4)))
    assert "\n" not in str(told.value)
