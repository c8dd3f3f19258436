"""How two lesions in one frame of reference lie to each other: shared volume, distance, size."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from mrecist.matching.lesions import BoolArray, Lesion, Points, radius_mm

# So many voxels tell a share to about 1 %.
_MOST_VOXELS = 20_000


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
    """What is asked of a lesion, once."""
    points, volumes = lesion.voxels()
    total = float(volumes.sum())
    middle = np.asarray((points * volumes[:, None]).sum(axis=0) / total)
    reach = float(np.linalg.norm(points - middle, axis=1).max())
    # Where steps are uneven, voxels are not alike; each is drawn as often as its share of the volume says.
    if points.shape[0] > _MOST_VOXELS or not np.allclose(volumes, volumes[0]):
        at = (np.arange(_MOST_VOXELS) + 0.5) / _MOST_VOXELS * total
        points = points[np.searchsorted(np.cumsum(volumes), at)]
    return Body(lesion, points, middle, reach, total)


def fit(one: Body, other: Body) -> Fit:
    """How two lesions lie to each other; masks on other grids are resampled by the nearest voxel, in both directions."""
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
