"""Diameters of one slice: the largest distance between points, and the largest chord across a given line.

Points and segments are (row, column); spacing is (mm between rows, mm between columns).
"""

from __future__ import annotations

import numpy as np

from mrecist.measure._lattice import TIE, BoolArray, FloatArray, IntArray, Spacing, is_free, lattice
from mrecist.measure.viable import corner_points

_NEAR = 1e-9  # mm and cells; for lines that pass through a corner
_ROUNDS, _FEW = 5, 12  # of thinning; points that are not worth another round
_LINES = 24  # lines cut together at first
_EDGE = 1e-7  # mm; a chord along an edge of the hull is seen from just beside it
_STRIDE = 2.0  # pixels between the looks that bound how far a line is free


def feret_of_rows(rows: IntArray, low: IntArray, high: IntArray, units: Spacing) -> tuple[float, IntArray]:
    """The largest distance between two points that are the outermost two of their rows, and all pairs at that distance.

    Parameters
    ----------
    rows, low, high : (R,) int; the rows, ascending, and the smallest and largest column in each.
    units : mm per unit of row and of column.

    Returns
    -------
    mm, and (K, 2, 2) int: pair, end, (row, column). One point alone is at distance 0 of itself.
    """
    corners = convex_hull(rows, low, high)
    if len(corners) == 1:
        return 0.0, np.stack([corners, corners], axis=1)
    rise = (corners[:, None, 0] - corners[:, 0]) * units[0]
    run = (corners[:, None, 1] - corners[:, 1]) * units[1]
    length = np.hypot(rise, run)
    longest = float(length.max())
    i, j = np.nonzero(length >= longest * (1 - TIE))
    later = j > i
    return longest, np.stack([corners[i[later]], corners[j[later]]], axis=1)


def convex_hull(rows: IntArray, low: IntArray, high: IntArray) -> IntArray:
    """Corners (N, 2) of the convex hull of the outermost two points of each row, collinear ones left out.

    Andrew's monotone chain, after a few rounds that drop all points behind the line of their neighbours at once.
    """
    chain = sorted({*_thinned(rows, low, 1), *_thinned(rows, high, -1)})
    if len(chain) < 3:
        return np.array(chain, np.int64)
    lower, upper = _half_hull(chain), _half_hull(chain[::-1])
    return np.array(lower[:-1] + upper[:-1], np.int64)


def _thinned(rows: IntArray, columns: IntArray, side: int) -> list[tuple[int, int]]:
    """One side of an outline without most of the points that are no corners of its hull; ``side`` 1 = low columns."""
    for _ in range(_ROUNDS):
        if len(rows) < _FEW:
            break
        keep = np.ones(len(rows), bool)
        down, over = rows[1:] - rows[:-1], columns[1:] - columns[:-1]
        keep[1:-1] = side * (down[:-1] * over[1:] - over[:-1] * down[1:]) > 0
        rows, columns = rows[keep], columns[keep]
    return list(zip(rows.tolist(), columns.tolist(), strict=True))


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
    corners = corner_points(mask) / 2 * spacing
    stations, low, high = _corner_lines(corners, along, across)
    if inside:
        start, stop = sorted((ends @ along).tolist())
        within = (stations >= start - _NEAR) & (stations <= stop + _NEAR)
        stations = np.r_[stations[within], start, stop]
        low = high = np.full(len(stations), float(ends[0] @ across))
        bound = _free_bound(mask, spacing, stations[:, None] * along + low[:, None] * across, across)
    else:
        bound = _hull_bound(mask, spacing, along, across, stations)
    bound = np.maximum(bound - 2 * draw_in, 0) + _NEAR
    order = np.argsort(-bound, kind="stable")
    tried, best, size = 0, 0.0, _LINES
    first, last = np.zeros(len(stations)), np.full(len(stations), -1.0)
    while tried < len(order) and bound[order[tried]] >= best * (1 - TIE) - _NEAR:
        some = order[tried : tried + size]
        chords = _Chords(mask, spacing, along, across, stations[some])
        ends_of = chords.unbroken(low[some], draw_in) if inside else chords.widest(low[some], high[some], draw_in)
        first[some], last[some] = ends_of
        best = max(best, float((last[some] - first[some]).max()))
        tried, size = tried + size, 2 * size
    lengths = last - first
    longest = np.flatnonzero(lengths >= best * (1 - TIE) - _NEAR)
    middle = float(ends.mean(axis=0) @ along)
    best_line = longest[np.lexsort((stations[longest], np.round(np.abs(stations[longest] - middle), 6)))[0]]
    points = stations[best_line] * along + np.outer([first[best_line], last[best_line]], across)
    return np.asarray(points / spacing - 0.5)


def _hull_bound(
    mask: BoolArray, spacing: Spacing, along: FloatArray, across: FloatArray, stations: FloatArray
) -> FloatArray:
    """Length of the chord of the convex hull of the pixels at each station, mm: no chord of the region is longer."""
    rows = np.flatnonzero(mask.any(axis=1))
    first, last = np.argmax(mask[rows], axis=1), mask.shape[1] - np.argmax(mask[rows, ::-1], axis=1)
    hull = (
        convex_hull(np.repeat(rows, 2) + np.tile([0, 1], len(rows)), np.repeat(first, 2), np.repeat(last, 2)) * spacing
    )
    at, level = hull @ along, hull @ across
    hull_ends = (int(np.argmin(at)), int(np.argmax(at)))
    sides = []
    for begin, end in (hull_ends, hull_ends[::-1]):
        index = np.arange(begin, end + 1 if end >= begin else end + 1 + len(hull)) % len(hull)
        index = index[np.argsort(at[index], kind="stable")]
        sides.append([np.interp(stations + shift, at[index], level[index]) for shift in (-_EDGE, _EDGE)])
    return np.asarray(np.abs(np.array(sides[0]) - np.array(sides[1])).max(axis=0) + 1e3 * _EDGE)


def _free_bound(mask: BoolArray, spacing: Spacing, points: FloatArray, across: FloatArray) -> FloatArray:
    """How long an unbroken chord through each point (N, 2), mm, may be: looks along it, until one is not free."""
    grid = lattice(mask)
    step = _STRIDE * min(spacing)
    bound = np.zeros(len(points))
    for direction in (across, -across):
        alive, looks = np.arange(len(points)), 0
        while len(alive):
            looks += 1
            alive = alive[is_free(grid, (points[alive] + looks * step * direction) / spacing)]
            bound[alive] += step
        bound += step
    return bound


def _corner_lines(
    points: FloatArray, along: FloatArray, across: FloatArray
) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Distinct positions of the corners along the segment, with the lowest and highest corner at each, mm."""
    stations, levels = points @ along, points @ across
    order = np.argsort(stations, kind="stable")
    stations, levels = stations[order], levels[order]
    first = np.flatnonzero(np.r_[True, stations[1:] - stations[:-1] > _NEAR])
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
        cut = np.where(upper > lower, positions[:, :-1] + share * (positions[:, 1:] - positions[:, :-1]), cut)
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
