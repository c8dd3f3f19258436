"""A lesion as a set of voxels in the space of the patient, which can be carried into another frame of reference."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from math import cbrt, pi

import numpy as np
import numpy.typing as npt

from mrecist.errors import MaskError
from mrecist.imaging.geometry import Geometry

Points = npt.NDArray[np.float64]
BoolArray = npt.NDArray[np.bool_]

# Slabs of a lone slice, whose step nobody knows, are as thick as this; two such slices of one plane overlap all the same.
_LONE_SLICE_MM = 1.0


@dataclass(frozen=True, slots=True)
class Motion:
    """A turn (3, 3) and a shift (mm): a point p (LPS mm) goes to ``turn @ p + shift``. ``turn`` is a rotation."""

    turn: Points
    shift: Points

    def carry(self, points: Points) -> Points:
        """Points (N, 3) where they come to lie."""
        return np.asarray(points @ self.turn.T + self.shift)

    def back(self, points: Points) -> Points:
        """Where points (N, 3) came from."""
        return np.asarray((points - self.shift) @ self.turn)


STILL = Motion(np.eye(3), np.zeros(3))


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Lesion:
    """One drawn lesion.

    Parameters
    ----------
    name : what its reader calls it.
    mask : (Z, Y, X) bool, cropped to the lesion.
    geometry : where the voxels of ``mask`` lie in the frame in which it was drawn.
    normal : unit vector along which slices follow each other; one slice alone would not tell.
    slabs : (Z, 2) mm along the normal, where the slab of each slice begins and ends.
    motion : from that frame into the one in which lesions are compared.
    off_mm : how far its place in that frame may be off.
    """

    name: str
    mask: BoolArray
    geometry: Geometry
    normal: Points
    slabs: Points
    motion: Motion = STILL
    off_mm: float = 0.0

    def voxels(self) -> tuple[npt.NDArray[np.intp], Points]:
        """Its voxels (N, 3: slice, row, column of ``mask``), and their volumes (N) in mm3."""
        at = np.argwhere(self.mask)
        thick = (self.slabs[:, 1] - self.slabs[:, 0])[at[:, 0]]
        return at, thick * self.geometry.row_spacing_mm * self.geometry.column_spacing_mm

    def points(self, at: npt.NDArray[np.intp], within: Points | float = 0.5) -> Points:
        """A point (LPS mm of the frame of comparison) of each voxel (N, 3); ``within`` (N, 3): where in it, 0 to 1."""
        grid, part = self.geometry, np.broadcast_to(within, at.shape)
        low, high = self.slabs[at[:, 0], 0], self.slabs[at[:, 0], 1]
        origins = np.array(grid.origins_lps)[at[:, 0]]
        up = np.outer(low + part[:, 0] * (high - low) - origins @ self.normal, self.normal)
        down = np.outer((at[:, 1] + part[:, 1] - 0.5) * grid.row_spacing_mm, grid.column_direction)
        along = np.outer((at[:, 2] + part[:, 2] - 0.5) * grid.column_spacing_mm, grid.row_direction)
        return self.motion.carry(origins + up + down + along)

    def holds(self, points: Points) -> BoolArray:
        """Which of the points (N, 3; LPS mm of the frame of comparison) lie in one of its voxels."""
        grid = self.geometry
        own = self.motion.back(points)
        height = own @ self.normal
        # Stacks have rising heights, so the slab of a point is the last that begins below it.
        z = np.searchsorted(self.slabs[:, 0], height, side="right") - 1
        found = (z >= 0) & (height < self.slabs[np.clip(z, 0, None), 1])
        z = np.clip(z, 0, len(self.slabs) - 1)
        away = own - np.array(grid.origins_lps)[z]
        y = np.rint(away @ np.array(grid.column_direction) / grid.row_spacing_mm).astype(np.intp)
        x = np.rint(away @ np.array(grid.row_direction) / grid.column_spacing_mm).astype(np.intp)
        _, rows, columns = self.mask.shape
        found &= (y >= 0) & (y < rows) & (x >= 0) & (x < columns)
        found[found] = self.mask[z[found], y[found], x[found]]
        return np.asarray(found)

    def moved(self, motion: Motion, off_mm: float) -> Lesion:
        """The lesion carried on by a motion of the frame in which it lies now, after which its place may be so far off."""
        turn = motion.turn @ self.motion.turn
        return replace(
            self, motion=Motion(turn, motion.turn @ self.motion.shift + motion.shift), off_mm=self.off_mm + off_mm
        )


def lesion_of(name: str, mask: BoolArray, geometry: Geometry) -> Lesion:
    """A lesion out of its mask (Z, Y, X) on a stack of slices; steps may be uneven.

    Raises :class:`MaskError` when the mask is empty or of another shape than the stack.
    """
    if mask.shape != geometry.shape:
        raise MaskError(f"lesion {name}: its mask is {mask.shape} and its images are {geometry.shape}; draw it on them")
    box = []
    for axis in range(3):
        seen = np.flatnonzero(mask.any(axis=tuple(a for a in range(3) if a != axis)))
        if not seen.size:
            raise MaskError(f"lesion {name}: its mask is empty; draw it, or say what it is in reads/")
        box.append(slice(int(seen[0]), int(seen[-1]) + 1))
    z, y, x = box
    start = np.array(geometry.column_direction) * (y.start * geometry.row_spacing_mm)
    start = start + np.array(geometry.row_direction) * (x.start * geometry.column_spacing_mm)
    cropped = mask[z, y, x]
    grid = replace(
        geometry,
        shape=(cropped.shape[0], cropped.shape[1], cropped.shape[2]),
        origins_lps=tuple(_point(np.array(origin) + start) for origin in geometry.origins_lps[z]),
    )
    return Lesion(
        name=name,
        mask=np.ascontiguousarray(cropped),
        geometry=grid,
        normal=geometry.normal,
        slabs=_slabs(geometry)[z],
    )


def ball(name: str, middle: Sequence[float], diameter_mm: float) -> Lesion:
    """A lesion of which only the place (LPS mm) and the diameter are known: a ball of cells of a 24th of the diameter."""
    cells, step = 24, diameter_mm / 24
    at = (np.arange(cells) - (cells - 1) / 2) * step
    z, y, x = np.meshgrid(at, at, at, indexing="ij")
    start = np.array(middle) + at[0]
    grid = Geometry(
        shape=(cells, cells, cells),
        origins_lps=tuple(_point(start + np.array([0, 0, k * step])) for k in range(cells)),
        row_direction=(1.0, 0.0, 0.0),
        column_direction=(0.0, 1.0, 0.0),
        row_spacing_mm=step,
        column_spacing_mm=step,
        slice_step_mm=step,
    )
    return lesion_of(name, np.asarray(z**2 + y**2 + x**2 <= (diameter_mm / 2) ** 2), grid)


def radius_mm(volume_mm3: float) -> float:
    """The radius of a ball of that volume."""
    return cbrt(3 * volume_mm3 / (4 * pi))


def _slabs(geometry: Geometry) -> Points:
    """Where the slab of each slice begins and ends along the normal: half way to its neighbours."""
    heights = np.array(geometry.origins_lps) @ geometry.normal
    if len(heights) == 1:
        half = (geometry.slice_step_mm or _LONE_SLICE_MM) / 2
        return np.array([[heights[0] - half, heights[0] + half]])
    between = (heights[1:] + heights[:-1]) / 2
    first, last = 2 * heights[0] - between[0], 2 * heights[-1] - between[-1]
    return np.stack([np.concatenate([[first], between]), np.concatenate([between, [last]])], axis=1)


def _point(at: Points) -> tuple[float, float, float]:
    return float(at[0]), float(at[1]), float(at[2])
