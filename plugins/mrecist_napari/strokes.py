"""Strokes in the plane of a slice, in mm: outlines of masks, dashes, ticks, ellipses. No Qt.

Strokes are (N, 2, 2): where each starts and the way to its end, (row, column).
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import numpy.typing as npt

FloatArray = npt.NDArray[np.float64]
BoolArray = npt.NDArray[np.bool_]
Point = tuple[float, float]
NONE: FloatArray = np.zeros((0, 2, 2))


def outlines(mask: BoolArray, scale: Point, origin: Point) -> Mapping[int, FloatArray]:
    """Slice -> the outline of a mask (Z, Y, X) on it, halfway between the pixels inside and those outside.

    ``scale`` and ``origin`` are (row, column) in mm: the size of a pixel and the centre of the first one.
    """
    from skimage.measure import find_contours

    found: dict[int, FloatArray] = {}
    for z in np.flatnonzero(mask.any(axis=(1, 2))):
        rows, columns = np.flatnonzero(mask[z].any(axis=1)), np.flatnonzero(mask[z].any(axis=0))
        first = np.array([rows[0], columns[0]])
        part = np.pad(mask[z][rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1], 1)
        rings = [(ring + first - 1) * scale + origin for ring in find_contours(part.astype(np.float32), 0.5)]
        found[int(z)] = np.concatenate([path(ring) for ring in rings])
    return found


def path(points: npt.ArrayLike) -> FloatArray:
    """Strokes from point to point."""
    points = np.asarray(points, dtype=float)
    return np.stack([points[:-1], np.diff(points, axis=0)], axis=1)


def dashed(strokes: FloatArray, dash: float) -> FloatArray:
    """Every other stretch of ``dash`` mm. Strokes longer than a dash are cut first."""
    if not len(strokes):
        return strokes
    pieces = np.maximum(np.ceil(np.linalg.norm(strokes[:, 1], axis=1) / (dash / 2)).astype(int), 1)
    which = np.repeat(np.arange(len(strokes)), pieces)
    nth = np.arange(len(which)) - np.repeat(np.cumsum(pieces) - pieces, pieces)
    way = strokes[which, 1] / pieces[which, None]
    cut = np.stack([strokes[which, 0] + way * nth[:, None], way], axis=1)
    along = np.cumsum(np.linalg.norm(way, axis=1)) - np.linalg.norm(way, axis=1) / 2
    return np.asarray(cut[(along // dash).astype(int) % 2 == 0])


def ticks(one: Point, other: Point, length: float) -> FloatArray:
    """A tick of ``length`` mm across each end of a line, as on a caliper."""
    start, end = np.array(one), np.array(other)
    way = end - start
    size = float(np.linalg.norm(way))
    across = np.array([-way[1], way[0]]) / size * length if size else np.array([length, 0.0])
    return np.array([[start - across / 2, across], [end - across / 2, across]])


def ring(middle: Point, radius: float) -> FloatArray:
    """A small circle round the end of a line: it can be taken hold of."""
    (row, column) = middle
    return ellipse((row - radius, column - radius), (row + radius, column + radius), pieces=14)


def ellipse(one: Point, other: Point, pieces: int = 64) -> FloatArray:
    """The ellipse in the box of two corners."""
    angle = np.linspace(0, 2 * np.pi, pieces + 1)
    middle, half = (np.array(one) + other) / 2, np.abs(np.array(other) - one) / 2
    return path(middle + half * np.stack([np.sin(angle), np.cos(angle)], axis=1))
