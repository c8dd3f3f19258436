"""Reformats of a series as geometry: on which lattice, which two cuts, which way up. No Qt.

A regular stack is cut along its own axes, whatever their angle to the patient: its lattice is rectangular, so every cut is true in mm
and nothing is interpolated between the slices but by the graphics card. A tilted, displaced or uneven stack is resampled first
(:mod:`mrecist.imaging.resampling`): on a lattice with planes parallel to the slices. Nothing is measured on either.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from mrecist.errors import SeriesError
from mrecist.imaging.geometry import FloatArray, Geometry
from mrecist.imaging.resampling import RegularGrid, regular_grid
from mrecist.imaging.series import Series
from mrecist_napari.grid import Point, grid_of, plane, side, warnings_of

_RESAMPLED = ("TILT", "SHIFTED", "IRREGULAR_STEP")


@dataclass(frozen=True, slots=True, eq=False)
class Lattice:
    """Voxels (Z, Y, X) on a rectangular lattice; ``resampled`` is None where they are those of the series themselves."""

    geometry: Geometry
    voxels: Any
    resampled: RegularGrid | None
    text: str

    def mask(self, labels: Any) -> Any:
        """A label volume of the series on the lattice: itself, or 1 where it is not 0."""
        return labels if self.resampled is None else self.resampled.mask(labels != 0).astype(np.uint8)

    def index(self, point: Point) -> Point:
        """The voxel (z, y, x), fractional, of an LPS point."""
        from_corner = np.array(point) - np.array(self.geometry.origins_lps[0])
        z, y, x = (float(from_corner @ one) for one in directions(self.geometry))
        step, rows, columns = grid_of(self.geometry).scale
        return z / step, y / rows, x / columns

    def to_lps(self, index: Point) -> Point:
        """LPS mm of a voxel, which may be fractional in all three."""
        moved = np.array(self.geometry.origins_lps[0])
        for at, spacing, direction in zip(index, grid_of(self.geometry).scale, directions(self.geometry), strict=True):
            moved = moved + at * spacing * direction
        return float(moved[0]), float(moved[1]), float(moved[2])


def lattice_of(series: Series, voxels: Any) -> Lattice:
    """The lattice of a series, resampled where it must be, which is long; raises :class:`SeriesError` where it has none."""
    geometry = series.geometry
    if geometry is None or geometry.shape[0] < 2:
        raise SeriesError(f"{series.label}: one slice cannot be reformatted")
    if series.verdict_code not in _RESAMPLED:
        step = grid_of(geometry).scale[0]
        text = ", ".join(w for w in warnings_of(series) if series.verdict_code and "slices as acquired" in w)
        return Lattice(geometry=replace(geometry, slice_step_mm=step), voxels=voxels, resampled=None, text=text)
    try:
        grid = regular_grid(geometry, series.slice_thickness_mm)
    except SeriesError as error:
        raise SeriesError(f"{series.label}: {error}") from None
    resampled = grid.voxels(voxels)
    empty = float(voxels.min())
    for one in resampled:
        one[np.isnan(one)] = empty
    why = warnings_of(series)[-1].split(":")[0]
    return Lattice(geometry=grid.geometry, voxels=resampled, resampled=grid, text=f"resampled for display ({why})")


def directions(geometry: Geometry) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Unit vectors (LPS) of increasing slice, row and column index."""
    return geometry.normal, np.array(geometry.column_direction), np.array(geometry.row_direction)


@dataclass(frozen=True, slots=True)
class Cut:
    """A cut through a lattice: ``order`` of its axes is hidden, down the picture, across it."""

    name: str
    order: tuple[int, int, int]
    orientation: tuple[str, str]
    letters: tuple[str, str, str, str]

    @property
    def hidden(self) -> int:
        """The axis that is scrolled through."""
        return self.order[0]


def cuts_of(geometry: Geometry) -> tuple[Cut, Cut]:
    """The two planes that the slices are not: of an axial stack the coronal and the sagittal one."""
    return _cut(geometry, 1), _cut(geometry, 2)


def _cut(geometry: Geometry, hidden: int) -> Cut:
    """Head up, or front up where the head is not seen; the patient's right, or the front, at the left."""
    axes = directions(geometry)
    one, other = (axis for axis in range(3) if axis != hidden)
    upright = 2 if max(abs(axes[one][2]), abs(axes[other][2])) > 0.5 else 1
    down, across = (one, other) if abs(axes[one][upright]) >= abs(axes[other][upright]) else (other, one)
    vertical, horizontal = axes[down], axes[across]
    # LPS: z grows to the head (up), y to the back (down), x to the left (right of the picture).
    upwards = vertical[2] > 0 if upright == 2 else vertical[1] < 0
    largest = int(np.argmax(np.abs(horizontal)))
    rightwards = horizontal[largest] > 0
    up, right = vertical * (1 if upwards else -1), horizontal * (1 if rightwards else -1)
    return Cut(
        name=plane(axes[hidden]),
        order=(hidden, down, across),
        orientation=("up" if upwards else "down", "right" if rightwards else "left"),
        letters=(_side(-right), _side(right), _side(up), _side(-up)),
    )


def _side(direction: FloatArray) -> str:
    return side((float(direction[0]), float(direction[1]), float(direction[2])))


def crosshair(at: Point, down: int, across: int, low: Point, high: Point, gap: float) -> Any:
    """Four arms (4, 2, 3) of start and direction around a point, in the world's mm, with a gap so that what is pointed at is seen."""
    arms = []
    for axis in (down, across):
        for end, towards in ((low[axis], -1), (high[axis], 1)):
            start = np.array(at, dtype=float)
            start[axis] += towards * gap
            length = (end - start[axis]) * towards
            way = np.zeros(3)
            way[axis] = towards * max(length, 0.0)
            arms.append((start, way))
    return np.array(arms)
