"""How two lesions in one frame of reference lie to each other: shared volume, distance, size."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from mrecist.matching.lesions import BoolArray, Lesion, Points, radius_mm

# So many points, spread evenly over the volume, tell a share to about 1 %.
_POINTS = 8_000
# Steps of the additive sequence that fills a cube evenly (Roberts 2018, R3: powers of the real root of x^4 = x + 1).
_STEPS = 1 / 1.2207440846057596 ** np.arange(1, 4)


@dataclass(frozen=True, slots=True, eq=False)
class Body:
    """A lesion with what is asked of it for every other one; ``middle`` is the mean of its voxels (LPS mm)."""

    lesion: Lesion
    points: Points
    middle: Points
    reach_mm: float
    volume_mm3: float

    @property
    def radius_mm(self) -> float:
        """Of the ball of its volume."""
        return radius_mm(self.volume_mm3)


@dataclass(frozen=True, slots=True, kw_only=True)
class Fit:
    """Two lesions beside each other.

    Parameters
    ----------
    shared_mm3 : volume that both hold.
    volumes_mm3 : of the one and of the other.
    apart_mm : from the middle of the one to that of the other.
    off_mm : how far that may be off, because a lesion was carried over.
    """

    shared_mm3: float
    volumes_mm3: tuple[float, float]
    apart_mm: float
    off_mm: float = 0.0

    @property
    def dice(self) -> float:
        """Twice the shared volume by the sum of both (Dice 1945), 0 to 1."""
        return 2 * self.shared_mm3 / sum(self.volumes_mm3)

    @property
    def shares(self) -> tuple[float, float]:
        """How much of the one lies in the other, and of the other in the one, 0 to 1."""
        return self.shared_mm3 / self.volumes_mm3[0], self.shared_mm3 / self.volumes_mm3[1]

    @property
    def contained(self) -> float:
        """How much of the smaller one lies in the larger one, 0 to 1."""
        return min(1.0, self.shared_mm3 / min(self.volumes_mm3))

    @property
    def radii_mm(self) -> tuple[float, float]:
        """Of balls of the volumes."""
        return radius_mm(self.volumes_mm3[0]), radius_mm(self.volumes_mm3[1])


def body_of(lesion: Lesion) -> Body:
    """What is asked of a lesion, once: points spread over its voxels by their volumes, so that masks on one grid are counted whole."""
    at, volumes = lesion.voxels()
    middles = lesion.points(at)
    total = float(volumes.sum())
    middle = np.asarray((middles * volumes[:, None]).sum(axis=0) / total)
    reach = float(np.linalg.norm(middles - middle, axis=1).max())
    if np.allclose(volumes, volumes[0]) and len(at) <= 4 * _POINTS:
        each = np.tile(np.arange(len(at)), max(1, round(_POINTS / len(at))))
    else:
        each = np.searchsorted(np.cumsum(volumes), (np.arange(_POINTS) + 0.5) / _POINTS * total)
    # Anywhere in the voxel but its border, which is another voxel's too: middles alone would favour one way of rounding.
    within = 0.001 + 0.998 * ((np.arange(1, len(each) + 1)[:, None] * _STEPS) % 1)
    return Body(lesion, lesion.points(at[each], within), middle, reach, total)


def fit(one: Body, other: Body) -> Fit:
    """How two lesions lie to each other: the mean of how much of the one lies in the other and of the other in the one."""
    apart = float(np.linalg.norm(one.middle - other.middle))
    shared = 0.0
    # A voxel reaches beyond its middle.
    edge = _voxel_mm(one) + _voxel_mm(other)
    if apart <= one.reach_mm + other.reach_mm + edge:
        there = float(_held(other.lesion, one).mean()) * one.volume_mm3
        back = float(_held(one.lesion, other).mean()) * other.volume_mm3
        shared = min((there + back) / 2, one.volume_mm3, other.volume_mm3)
    return Fit(
        shared_mm3=shared,
        volumes_mm3=(one.volume_mm3, other.volume_mm3),
        apart_mm=apart,
        off_mm=one.lesion.off_mm + other.lesion.off_mm,
    )


def fits(ones: Sequence[Body], others: Sequence[Body]) -> list[list[Fit]]:
    """Every one beside every other."""
    return [[fit(one, other) for other in others] for one in ones]


def _held(lesion: Lesion, body: Body) -> BoolArray:
    return lesion.holds(body.points)


def _voxel_mm(body: Body) -> float:
    grid = body.lesion.geometry
    thick = float((body.lesion.slabs[:, 1] - body.lesion.slabs[:, 0]).max())
    return float(np.linalg.norm([thick, grid.row_spacing_mm, grid.column_spacing_mm])) / 2
