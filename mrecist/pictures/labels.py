"""Where the sizes stand on a picture: beside the end of their diameter, outside the lesion, on nothing else."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from math import cos, hypot, pi, sin

import numpy as np
import numpy.typing as npt

from mrecist.results import Point

# Left, top, right, bottom.
Box = tuple[float, float, float, float]

# How far the direction from an end may turn away from the diameter, and in which order that is tried.
_TURNS = tuple(sign * step * pi / 12 for step in range(12) for sign in (1, -1))
_RINGS = 24


def box_around(at: Point, extent: Point) -> Box:
    """The box of that width and height with its centre at ``at``."""
    return at[0] - extent[0] / 2, at[1] - extent[1] / 2, at[0] + extent[0] / 2, at[1] + extent[1] / 2


class Places:
    """The free places of a picture. All in mm from its upper left corner.

    size_mm : width and height of the picture.
    outlines : of the lesion, each closed; holes count as lesion.
    segments : the diameters.
    taken : boxes of what is there already.
    """

    def __init__(
        self,
        size_mm: Point,
        outlines: Sequence[Sequence[Point]],
        segments: Sequence[tuple[Point, Point]],
        taken: Sequence[Box],
    ) -> None:
        self._size = size_mm
        self._outlines = [np.array(outline, dtype=np.float64) for outline in outlines if len(outline) > 2]
        self._segments = [_points_on(segment) for segment in segments]
        self._taken = list(taken)

    def take(self, segment: tuple[Point, Point], extent: Point) -> Point:
        """The centre of the place for a label of that width and height, which is then no longer free.

        Where nothing is free beside the diameter (the lesion fills the picture), it may stand on the lesion, and at last anywhere.
        """
        tried = list(self._beside(segment, extent))
        free = (one for one in tried if self.is_free(box_around(one, extent)))
        empty = (one for one in tried if self._is_empty(box_around(one, extent)))
        at = next(free, None) or next(empty, tried[0])
        self._taken.append(box_around(at, extent))
        return at

    def is_free(self, box: Box) -> bool:
        """Inside the picture, off the lesion, its diameters and whatever was placed before."""
        left, top, right, bottom = box
        if not self._is_empty(box):
            return False
        if any(_any_inside(points, box) for points in (*self._segments, *self._outlines)):
            return False
        corners = ((left, top), (right, top), (left, bottom), (right, bottom))
        return not any(_holds(outline, corner) for outline in self._outlines for corner in corners)

    def _is_empty(self, box: Box) -> bool:
        """Inside the picture, and off whatever was placed before."""
        left, top, right, bottom = box
        if left < 0 or top < 0 or right > self._size[0] or bottom > self._size[1]:
            return False
        return not any(left < r and right > l and top < b and bottom > t for l, t, r, b in self._taken)  # noqa: E741

    def _beside(self, segment: tuple[Point, Point], extent: Point) -> Iterator[Point]:
        """Centres from near to far, first straight on, then turned away."""
        (x1, y1), (x2, y2) = segment
        angle = float(np.arctan2(y2 - y1, x2 - x1))
        for ring in range(_RINGS):
            for turn in _TURNS:
                for (x, y), towards in (((x2, y2), angle), ((x1, y1), angle + pi)):
                    along = cos(towards + turn), sin(towards + turn)
                    # From the end to the centre of a box that just does not reach it.
                    own = abs(along[0]) * extent[0] / 2 + abs(along[1]) * extent[1] / 2
                    far = own + (ring + 1) * extent[1] / 2
                    yield x + along[0] * far, y + along[1] * far


def _points_on(segment: tuple[Point, Point]) -> npt.NDArray[np.float64]:
    """Points of a segment, less than a millimetre apart."""
    (x1, y1), (x2, y2) = segment
    return np.linspace((x1, y1), (x2, y2), int(hypot(x2 - x1, y2 - y1)) + 2)


def _any_inside(points: npt.NDArray[np.float64], box: Box) -> bool:
    x, y = points[:, 0], points[:, 1]
    return bool(((x >= box[0]) & (x <= box[2]) & (y >= box[1]) & (y <= box[3])).any())


def _holds(outline: npt.NDArray[np.float64], point: Point) -> bool:
    """Whether a point lies in a closed outline: a ray to the right crosses it an odd number of times."""
    x, y = outline[:, 0], outline[:, 1]
    next_x, next_y = np.roll(x, -1), np.roll(y, -1)
    spans = (y > point[1]) != (next_y > point[1])
    with np.errstate(divide="ignore", invalid="ignore"):
        at = x + (point[1] - y) / (next_y - y) * (next_x - x)
    return bool(np.count_nonzero(spans & (at > point[0])) % 2)
