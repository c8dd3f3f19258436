"""Diameters of one slice: the largest distance between points, and the largest chord across a given line.

Points and segments are (row, column); spacing is (mm between rows, mm between columns).
"""

from __future__ import annotations

import numpy as np

from mrecist.measure._lattice import BoolArray, FloatArray, IntArray
from mrecist.measure.viable import TIE, Spacing, corner_points

_NEAR = 1e-9  # mm and cells; for lines that pass through a corner


def feret(points: IntArray, units: Spacing) -> tuple[float, IntArray]:
    """The largest distance between two of the points and all pairs at that distance.

    Parameters
    ----------
    points : (N, 2) int.
    units : mm per unit of row and of column.

    Returns
    -------
    mm, and (K, 2, 2) int: pair, end, (row, column). One point alone is at distance 0 of itself.
    """
    corners = convex_hull(points)
    if len(corners) == 1:
        return 0.0, np.stack([corners, corners], axis=1)
    rise = (corners[:, None, 0] - corners[:, 0]) * units[0]
    run = (corners[:, None, 1] - corners[:, 1]) * units[1]
    length = np.hypot(rise, run)
    longest = float(length.max())
    i, j = np.nonzero(length >= longest * (1 - TIE))
    later = j > i
    return longest, np.stack([corners[i[later]], corners[j[later]]], axis=1)


def convex_hull(points: IntArray) -> IntArray:
    """Corners of the convex hull of integer points (N, 2), collinear ones left out (Andrew's monotone chain)."""
    rows, columns = points[:, 0], points[:, 1]
    order = np.lexsort((columns, rows))
    rows, columns = rows[order], columns[order]
    first = np.flatnonzero(np.r_[True, rows[1:] != rows[:-1]])
    last = np.r_[first[1:], len(rows)] - 1  # only the outermost points of a row can be corners
    index = np.unique(np.r_[first, last])
    chain = list(zip(rows[index].tolist(), columns[index].tolist(), strict=True))
    if len(chain) < 3:
        return np.array(chain, np.int64)
    lower, upper = _half_hull(chain), _half_hull(chain[::-1])
    return np.array(lower[:-1] + upper[:-1], np.int64)


def _half_hull(chain: list[tuple[int, int]]) -> list[tuple[int, int]]:
    hull: list[tuple[int, int]] = []
    for point in chain:
        while len(hull) > 1 and _turn(hull[-2], hull[-1], point) <= 0:
            hull.pop()
        hull.append(point)
    return hull


def _turn(a: tuple[int, int], b: tuple[int, int], c: tuple[int, int]) -> int:
    return (b[0] - a[0]) * (c[1] - a[1]) - (b[1] - a[1]) * (c[0] - a[0])


def directions(segment: FloatArray, spacing: Spacing) -> tuple[FloatArray, FloatArray]:
    """Unit vectors (row, column), in mm, along a segment and across it; a point counts as lying along the longer side."""
    step = (segment[1] - segment[0]) * spacing
    size = float(np.hypot(step[0], step[1]))
    along = step / size if size > 0 else np.array([1.0, 0.0] if spacing[0] > spacing[1] else [0.0, 1.0])
    return along, np.array([-along[1], along[0]])


def longest_chord_across(
    mask: BoolArray, spacing: Spacing, segment: FloatArray, *, inside: bool, draw_in: float = 0.0
) -> FloatArray:
    """The longest chord of the union of closed pixels that is perpendicular to a segment.

    On a line perpendicular to ``segment`` (in mm), the chord runs

    * ``inside=False``: from the first to the last point of the region on that line; it may leave the region between them;
    * ``inside=True``: as far as the region goes, unbroken, from the point where the line crosses the segment; only lines
      that cross it count.

    The length is convex between two neighbouring corners of the outline, so lines through the corners (and through the
    ends of the segment) are enough. Of equally long chords the one nearest to the middle of the segment is taken.

    ``draw_in`` : mm by which each end is moved inwards before the chords are compared; further when it would not lie in
    the region there, and to the middle of a chord that is too short.

    Returns
    -------
    (2, 2): end, (row, column), pixel centres at integers.
    """
    ends = (segment + 0.5) * spacing  # mm, pixel corners at multiples of the spacing
    along, across = directions(segment, spacing)
    stations, low, high = _corner_lines(corner_points(mask) / 2 * spacing, along, across)
    if inside:
        start, stop = sorted((ends @ along).tolist())
        within = (stations >= start - _NEAR) & (stations <= stop + _NEAR)
        stations = np.r_[stations[within], start, stop]
        low = high = np.full(len(stations), float(ends[0] @ across))
    chords = _Chords(mask, spacing, along, across, stations)
    first, last = chords.unbroken(low, draw_in) if inside else chords.widest(low, high, draw_in)
    lengths = last - first
    longest = np.flatnonzero(lengths >= lengths.max() * (1 - TIE) - _NEAR)
    middle = float(ends.mean(axis=0) @ along)
    best = longest[np.lexsort((stations[longest], np.round(np.abs(stations[longest] - middle), 6)))[0]]
    points = stations[best] * along + np.outer([first[best], last[best]], across)
    return np.asarray(points / spacing - 0.5)


def _corner_lines(
    points: FloatArray, along: FloatArray, across: FloatArray
) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Distinct positions of the corners along the segment, with the lowest and highest corner at each, mm."""
    stations, levels = points @ along, points @ across
    order = np.argsort(stations, kind="stable")
    stations, levels = stations[order], levels[order]
    first = np.flatnonzero(np.r_[True, np.diff(stations) > _NEAR])
    return stations[first], np.minimum.reduceat(levels, first), np.maximum.reduceat(levels, first)


def _cut(cells: BoolArray, heights: FloatArray, positions: FloatArray, slope: float) -> tuple[FloatArray, BoolArray]:
    """Cut each strip of pixels where the line rises from one pixel into the next."""
    low, high = heights[:, :-1], heights[:, 1:]
    lower = np.floor(low + _NEAR)
    upper = np.maximum(lower, np.ceil(high - _NEAR) - 1)
    top = cells.shape[0] - 1
    strip = np.arange(1, cells.shape[1] - 1)
    first = cells[np.clip(lower + 1, 0, top).astype(np.int64), strip]
    second = cells[np.clip(upper + 1, 0, top).astype(np.int64), strip]
    cut = positions[:, 1:].copy()
    if slope > 0:
        share = np.clip((lower + 1 - low) / slope, 0, 1)
        cut = np.where(upper > lower, positions[:, :-1] + share * np.diff(positions, axis=1), cut)
    else:  # on a border between two pixels either of them will do
        on_border = np.abs(low - np.round(low)) < _NEAR
        below = cells[np.clip(np.round(low), 0, top).astype(np.int64), strip]
        above = cells[np.clip(np.round(low) + 1, 0, top).astype(np.int64), strip]
        first = second = np.where(on_border, below | above, first)
    lines, strips = low.shape
    free = np.stack([first, second], axis=2).reshape(lines, 2 * strips)
    parts = np.stack([positions[:, :-1], cut], axis=2).reshape(lines, 2 * strips)
    return np.concatenate([parts, positions[:, -1:]], axis=1), free


class _Chords:
    """Parallel lines cut into pieces, each within one pixel.

    ``breaks`` : (L, P + 1) positions on each line, mm, growing; ``free`` : (L, P) whether the piece lies in the mask.
    """

    def __init__(
        self, mask: BoolArray, spacing: Spacing, along: FloatArray, across: FloatArray, stations: FloatArray
    ) -> None:
        step = across / spacing  # pixels per mm
        swapped = abs(step[0]) > abs(step[1])
        cells, axes = (mask.T, (1, 0)) if swapped else (mask, (0, 1))
        base = stations[:, None] * along / spacing
        minor, major = base[:, axes[0]], base[:, axes[1]]
        slope = step[axes[0]] / step[axes[1]]
        mirrored = slope < 0
        if mirrored:
            cells, minor, slope = cells[::-1], cells.shape[0] - minor, -slope
        if slope < _NEAR:
            slope = 0.0
        columns = np.arange(cells.shape[1] + 1)
        heights = minor[:, None] + (columns - major[:, None]) * slope
        positions = (columns - major[:, None]) / step[axes[1]]
        breaks, free = _cut(np.pad(cells, 1), heights, positions, slope)
        back = -1 if step[axes[1]] < 0 else 1
        self.breaks, self.free = breaks[:, ::back], free[:, ::back]

    def unbroken(self, level: FloatArray, draw_in: float) -> tuple[FloatArray, FloatArray]:
        """Ends of the free part around ``level`` on each line, drawn in."""
        start, stop = self.breaks[:, :-1], self.breaks[:, 1:]
        solid = ~self.free & (stop - start > _NEAR)
        after = np.where(solid & (stop > level[:, None] + _NEAR), start, np.inf).min(axis=1, initial=np.inf)
        before = np.where(solid & (start < level[:, None] - _NEAR), stop, -np.inf).max(axis=1, initial=-np.inf)
        last = np.maximum(level, np.minimum(after, self.breaks[:, -1]))
        first = np.minimum(level, np.maximum(before, self.breaks[:, 0]))
        by = np.minimum(draw_in, (last - first) / 2)
        return first + by, last - by

    def widest(self, low: FloatArray, high: FloatArray, draw_in: float) -> tuple[FloatArray, FloatArray]:
        """First and last free position on each line, corners at ``low`` and ``high`` included, drawn in."""
        start, stop = self.breaks[:, :-1], self.breaks[:, 1:]
        thick = self.free & (stop - start > _NEAR)
        first = np.minimum(low, np.where(thick, start, np.inf).min(axis=1, initial=np.inf))
        last = np.maximum(high, np.where(thick, stop, -np.inf).max(axis=1, initial=-np.inf))
        if draw_in <= 0:
            return first, last
        from_first, from_last = (first + draw_in)[:, None], (last - draw_in)[:, None]
        inner_first = np.where(thick & (stop >= from_first), np.maximum(start, from_first), np.inf).min(axis=1)
        inner_last = np.where(thick & (start <= from_last), np.minimum(stop, from_last), -np.inf).max(axis=1)
        crossed = ~(inner_first <= inner_last)  # too short to be drawn in so far: the corner itself, or the free middle
        middle = np.where(thick.any(axis=1), _middle_of(thick, start, stop), low)
        return np.where(crossed, middle, inner_first), np.where(crossed, middle, inner_last)


def _middle_of(thick: BoolArray, start: FloatArray, stop: FloatArray) -> FloatArray:
    """The middle of the longest free piece of each line."""
    piece = np.argmax(np.where(thick, stop - start, -1.0), axis=1)
    lines = np.arange(len(piece))
    return np.asarray((start[lines, piece] + stop[lines, piece]) / 2)
