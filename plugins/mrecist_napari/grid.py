"""Where napari puts a series: millimetres along the slice normal, the columns and the rows of the acquisition. No Qt.

The stack is shown in its own plane, as it was acquired and as it is measured, so an oblique or tilted stack is neither bent nor
resampled under the reader's line. Axial series of one patient share these axes with LPS, so two phases or two visits lie on each
other in mm. The letters at the edges of the picture say where the patient's sides are.

Slices with uneven steps are laid out at their median step; their true places are those of :func:`heights`, and everything that goes
from one stack to another (phases, visits, crosshair) goes through LPS mm, never through this layout.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from mrecist.imaging.geometry import FloatArray, Geometry
from mrecist.imaging.series import Series

Point = tuple[float, float, float]

_PLANES = ("sagittal", "coronal", "axial")
# Header cosines of three to four decimals, and what a reader would not see, are no obliquity.
_OBLIQUE_DEG = 1.0
_CODES = {
    "TILT": "gantry tilt",
    "SHIFTED": "slices displaced within their plane",
    "IRREGULAR_STEP": "uneven steps",
    "SPARSE": "gaps between slices",
    "CROWDED": "thickness and step contradict each other",
    "SINGLE_SLICE": "one slice",
}
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


def heights(geometry: Geometry) -> FloatArray:
    """Where each slice lies along the normal, LPS mm, ascending."""
    along: FloatArray = np.array(geometry.origins_lps) @ geometry.normal
    return along


def to_lps(geometry: Geometry, index: Point) -> Point:
    """LPS mm of a voxel index; the slice is rounded, row and column may be fractional."""
    slice_index = int(np.clip(round(index[0]), 0, geometry.shape[0] - 1))
    return geometry.to_lps(slice_index, index[1], index[2])


def nearest_index(geometry: Geometry, point: Point) -> Point:
    """The slice nearest to an LPS point, and its row and column there (fractional, and perhaps outside)."""
    nearest = int(np.argmin(np.abs(heights(geometry) - np.array(point) @ geometry.normal)))
    from_corner = np.array(point) - np.array(geometry.origins_lps[nearest])
    row = float(from_corner @ np.array(geometry.column_direction)) / geometry.row_spacing_mm
    column = float(from_corner @ np.array(geometry.row_direction)) / geometry.column_spacing_mm
    return float(nearest), row, column


def beyond_mm(geometry: Geometry, point: Point) -> float:
    """How far an LPS point lies above the first or below the last slice; 0 within half a step of the stack."""
    places, height = heights(geometry), float(np.array(point) @ geometry.normal)
    outside = max(float(places[0]) - height, height - float(places[-1]), 0.0)
    return outside if outside > grid_of(geometry).scale[0] / 2 else 0.0


def apart_deg(one: Geometry, other: Geometry) -> float:
    """The angle between the planes of two stacks, 0 to 90 degrees."""
    return _angle(one.normal, other.normal)


def same_axes(one: Geometry, other: Geometry) -> bool:
    """Rows and columns of two stacks run the same way, so that pictures of both lie on each other as they are."""
    pairs = ((one.row_direction, other.row_direction), (one.column_direction, other.column_direction))
    return all(float(np.dot(a, b)) > np.cos(np.radians(_OBLIQUE_DEG)) for a, b in pairs)


def plane(normal: FloatArray) -> str:
    """``axial``, ``coronal`` or ``sagittal``, with the angle where it is oblique: ``axial, oblique by 23°``."""
    axis = int(np.argmax(np.abs(normal)))
    off = _angle(normal, np.eye(3)[axis])
    return _PLANES[axis] + (f", oblique by {off:.0f}°" if off >= _OBLIQUE_DEG else "")


def warnings_of(series: Series) -> tuple[str, ...]:
    """What a reader must know of how a series is shown: another plane than axial, and why it has no volume."""
    assert series.geometry is not None
    said = []
    name = plane(series.geometry.normal)
    if name != "axial":
        said.append(name)
    if series.verdict_code:
        said.append(f"{_CODES.get(series.verdict_code, series.verdict_code)}: slices as acquired")
    return tuple(said)


def _angle(one: FloatArray, other: FloatArray) -> float:
    return float(np.degrees(np.arccos(np.clip(abs(float(np.dot(one, other))), 0.0, 1.0))))
