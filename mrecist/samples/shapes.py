"""Lesions as analytic shapes: ellipsoids with a necrotic core or a viable nodule, and their true diameters in closed form.

Coordinates are LPS mm. Every lesion has its largest cross-section exactly on a slice plane, and its core is as high as the
lesion, so that no other slice gives a longer diameter. In-plane directions are exact pairs (4/5, 3/5), because a cosine may
differ in the last bit between machines and the sample is rebuilt byte for byte.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import sqrt

import numpy as np
import numpy.typing as npt

FloatArray = npt.NDArray[np.float64]
AnyFloat = npt.NDArray[np.floating]
BoolArray = npt.NDArray[np.bool_]
Point = tuple[float, float, float]
Direction = tuple[float, float]

ALONG_X: Direction = (1.0, 0.0)
STEEP: Direction = (0.6, 0.8)
FLAT: Direction = (0.8, -0.6)


@dataclass(frozen=True, slots=True, kw_only=True)
class Grid:
    """Voxel centres: columns along +x, rows along +y, slices along +z; ``origin`` is the first centre."""

    shape: tuple[int, int, int]
    origin: Point
    row_spacing_mm: float
    column_spacing_mm: float
    slice_step_mm: float

    def axes(self) -> tuple[AnyFloat, AnyFloat, AnyFloat]:
        """z (Z, 1, 1), y (1, Y, 1) and x (1, 1, X) in mm."""
        z = self.origin[2] + np.arange(self.shape[0]) * self.slice_step_mm
        y = self.origin[1] + np.arange(self.shape[1]) * self.row_spacing_mm
        x = self.origin[0] + np.arange(self.shape[2]) * self.column_spacing_mm
        return z[:, None, None], y[None, :, None], x[None, None, :]


@dataclass(frozen=True, slots=True, kw_only=True)
class Ellipsoid:
    """Diameters (longest and short in the axial plane, height along z) in mm; ``along`` is the direction of the longest."""

    centre: Point
    longest_mm: float
    short_mm: float
    height_mm: float
    along: Direction = ALONG_X

    def inside(self, grid: Grid) -> BoolArray:
        """(Z, Y, X): voxels whose centre lies in the closed ellipsoid."""
        z, y, x = grid.axes()
        dx, dy, dz = x - self.centre[0], y - self.centre[1], z - self.centre[2]
        u = dx * self.along[0] + dy * self.along[1]
        v = dy * self.along[0] - dx * self.along[1]
        half = (self.longest_mm / 2, self.short_mm / 2, self.height_mm / 2)
        return np.asarray((u / half[0]) ** 2 + (v / half[1]) ** 2 + (dz / half[2]) ** 2 <= 1.0)


@dataclass(frozen=True, slots=True, kw_only=True)
class Lesion:
    """A lesion and what of it enhances.

    Parameters
    ----------
    outline : the whole lesion.
    core : size of a necrotic core of the same shape, as a fraction of the lesion in the plane; 0 = none, 1 = all necrotic.
    core_offset_mm : shift of the core along the longest diameter; only for a round lesion.
    nodule : when given, only this part enhances.
    """

    outline: Ellipsoid
    core: float = 0.0
    core_offset_mm: float = 0.0
    nodule: Ellipsoid | None = None

    def whole(self, grid: Grid) -> BoolArray:
        """The lesion with its necrosis."""
        return self.outline.inside(grid)

    def viable(self, grid: Grid) -> BoolArray:
        """The enhancing part."""
        if self.nodule is not None:
            return self.nodule.inside(grid)
        if self.core == 0:
            return self.whole(grid)
        if self.core >= 1:
            return np.zeros(grid.shape, dtype=bool)
        return self.whole(grid) & ~self._core_shape().inside(grid)

    def _core_shape(self) -> Ellipsoid:
        o = self.outline
        centre = (
            o.centre[0] + self.core_offset_mm * o.along[0],
            o.centre[1] + self.core_offset_mm * o.along[1],
            o.centre[2],
        )
        return Ellipsoid(
            centre=centre,
            longest_mm=o.longest_mm * self.core,
            short_mm=o.short_mm * self.core,
            height_mm=o.height_mm,
            along=o.along,
        )

    def true_longest_mm(self) -> float:
        """The longest axial diameter: the longest axis of the ellipse."""
        return self.outline.longest_mm

    def true_short_mm(self) -> float:
        """The largest extent across it: the short axis of the ellipse."""
        return self.outline.short_mm

    def true_viable_mm(self) -> float:
        """The longest segment inside the enhancing part.

        Around a concentric core of the same shape (fraction k): a chord that touches the core. In the plane where the ellipse
        is a circle it is 2 sqrt(1 - k^2); the longest lies along the long axis, so it is longest * sqrt(1 - k^2). Around a
        core of radius r shifted by d < r in a disc of radius R: the nearest chord to the centre that misses the core lies at
        r - d, so it is 2 sqrt(R^2 - (r - d)^2).
        """
        if self.nodule is not None:
            return self.nodule.longest_mm
        if self.core >= 1:
            return 0.0
        radius = self.outline.longest_mm / 2
        nearest = max(0.0, radius * self.core - abs(self.core_offset_mm))
        return 2 * sqrt(radius * radius - nearest * nearest)
