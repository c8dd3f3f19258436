"""Where napari puts a series: millimetres along the slice normal, the columns and the rows of the acquisition. No Qt.

The stack is shown in its own plane, as it was acquired and as it is measured, so an oblique or tilted stack is neither bent nor
resampled under the reader's line. Axial series of one patient share these axes with LPS, so two phases or two visits lie on each
other in mm. The letters at the edges of the picture say where the patient's sides are.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from mrecist.imaging.geometry import Geometry

_LETTERS = (("L", "R"), ("P", "A"), ("S", "I"))
# A direction takes a second letter when it leans this far towards another side.
_LEANS = 0.35


@dataclass(frozen=True, slots=True)
class Grid:
    """Scale and translation of a napari layer (z, y, x), in mm."""

    scale: tuple[float, float, float]
    translate: tuple[float, float, float]

    def to_world(self, index: tuple[float, float, float]) -> tuple[float, float, float]:
        """The world point of a voxel index."""
        z, y, x = (i * s + t for i, s, t in zip(index, self.scale, self.translate, strict=True))
        return z, y, x

    def to_index(self, world: tuple[float, float, float]) -> tuple[float, float, float]:
        """The voxel index (fractional) of a world point."""
        z, y, x = ((w - t) / s for w, s, t in zip(world, self.scale, self.translate, strict=True))
        return z, y, x


def grid_of(geometry: Geometry) -> Grid:
    """The grid of a series. Uneven steps are shown at their median; slices keep their own positions in the measurements."""
    origins = np.array(geometry.origins_lps)
    heights = origins @ geometry.normal
    step = geometry.slice_step_mm
    if step is None:
        step = float(np.median(np.diff(heights))) if len(heights) > 1 else 1.0
    down, along = np.array(geometry.column_direction), np.array(geometry.row_direction)
    middle = origins[len(origins) // 2]
    return Grid(
        scale=(float(step), geometry.row_spacing_mm, geometry.column_spacing_mm),
        translate=(float(heights[0]), float(middle @ down), float(middle @ along)),
    )


def side(direction: tuple[float, float, float]) -> str:
    """The patient's side that a direction (LPS) points to: ``L``, ``PL``, ..."""
    order = np.argsort(-np.abs(direction))
    letters = [_LETTERS[axis][0 if direction[axis] > 0 else 1] for axis in order if abs(direction[axis]) >= _LEANS]
    return "".join(letters[:2]) or _LETTERS[order[0]][0 if direction[order[0]] > 0 else 1]


def sides(geometry: Geometry) -> tuple[str, str, str, str]:
    """Letters of the left, right, upper and lower edge of a slice."""
    along, down = geometry.row_direction, geometry.column_direction

    def back(direction: tuple[float, float, float]) -> tuple[float, float, float]:
        x, y, z = direction
        return -x, -y, -z

    return side(back(along)), side(along), side(back(down)), side(down)
