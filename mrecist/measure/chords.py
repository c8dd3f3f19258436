"""Chords of a slice across a given segment: from the first to the last point of the region, or the unbroken stretch.

Points and segments are (row, column); spacing is (mm between rows, mm between columns). The pixels are taken by their runs
along rows: a line meets the rectangle of a run in one interval, so that all lines and all runs are compared at once.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from mrecist.measure._lattice import TIE, BoolArray, FloatArray, IntArray, Spacing, is_free, lattice

_NEAR = 1e-9  # mm and cells; for lines that pass through a corner
_BOUND = 1e-6  # mm; more than rounding takes from a bound
_LINES, _PAIRS = 24, 4_000  # lines cut together at first: at most, and so that not more lines and runs meet
_FEWEST = 4
_TILT = np.radians([-70, -50, -36, -26, -18, -12, -7, -2.5, 2.5, 7, 12, 18, 26, 36, 50, 70])
_COSINE, _SINE = np.sin(_TILT), np.cos(_TILT)  # directions of the sides of a polygon around a slice, densest across
_STRIDE = 2.0  # pixels between the looks that bound how far a line is free


def directions(segment: FloatArray, spacing: Spacing) -> tuple[FloatArray, FloatArray]:
    """Unit vectors (row, column), in mm, along a segment and across it; a point counts as lying along the longer side."""
    step = (segment[1] - segment[0]) * spacing
    size = float(np.hypot(step[0], step[1]))
    along = step / size if size > 0 else np.array([1.0, 0.0] if spacing[0] > spacing[1] else [0.0, 1.0])
    return along, np.array([-along[1], along[0]])


class CrossLines:
    """The lines at right angles to a segment (in mm) that may hold the longest chord of the union of closed pixels.

    On each line the chord runs

    * ``inside=False``: from the first to the last point of the region on that line; it may leave the region between them;
    * ``inside=True``: as far as the region goes, unbroken, from the point where the line crosses the segment; only lines
      that cross it count.

    The length is convex between two neighbouring corners of the outline, so lines through the corners (and through the
    ends of the segment) are enough.
    """

    def __init__(self, mask: BoolArray, spacing: Spacing, segment: FloatArray, *, inside: bool) -> None:
        self.mask, self.spacing, self.inside = mask, spacing, inside
        ends = (segment + 0.5) * spacing  # mm, pixel corners at multiples of the spacing
        self.along, self.across = directions(segment, spacing)
        self.middle = float(ends.mean(axis=0) @ self.along)
        self.runs = _Boxes(*row_runs(mask))
        self.stations, self.low, self.high = self._corner_lines(*_corners(self.runs, mask.shape[1]))
        if inside:
            begin, end = sorted((ends @ self.along).tolist())
            within = (self.stations >= begin - _NEAR) & (self.stations <= end + _NEAR)
            self.stations = np.r_[self.stations[within], begin, end]
            self.low = self.high = np.full(len(self.stations), float(ends[0] @ self.across))
            points = self.stations[:, None] * self.along + self.low[:, None] * self.across
            self.bound = _free_bound(mask, spacing, points, self.across)
        else:
            self.bound = self._polygon_bound()
        self.order = np.argsort(-self.bound, kind="stable")
        self.cut: list[tuple[FloatArray, FloatArray]] = []  # where the lines tried first meet the runs

    def longest(self, draw_in: float) -> FloatArray:
        """The longest chord; of equally long ones the one nearest to the middle of the segment.

        ``draw_in`` : mm by which each end is moved inwards before the chords are compared; further when it would not lie
        in the region there, and to the middle of a chord that is too short.

        Returns
        -------
        (2, 2): end, (row, column), pixel centres at integers.
        """
        bound = np.maximum(self.bound - 2 * draw_in, 0) + _NEAR
        best, turn = 0.0, 0
        tried, size = 0, max(_FEWEST, min(_LINES, _PAIRS // len(self.runs.row)))
        first, last = np.zeros(len(bound)), np.full(len(bound), -1.0)
        while tried < len(bound) and bound[self.order[tried]] >= best * (1 - TIE) - _NEAR:
            some = self.order[tried : tried + size]
            if turn == len(self.cut):
                self.cut.append(self._met(self.runs, some))
            ends = self._unbroken if self.inside else self._widest
            first[some], last[some] = ends(some, *self.cut[turn], draw_in)
            best = max(best, float((last[some] - first[some]).max()))
            tried, size, turn = tried + size, 2 * size, turn + 1
        longest = np.flatnonzero(last - first >= best * (1 - TIE) - _NEAR)
        away = np.round(np.abs(self.stations[longest] - self.middle), 6)
        line = longest[np.lexsort((self.stations[longest], away))[0]]
        levels = np.array([first[line], last[line]])
        if not self.inside and draw_in > 0 and levels[0] == levels[1]:
            levels[:] = self._middle_of(line, levels[0])
        return np.asarray((self.stations[line] * self.along + levels[:, None] * self.across) / self.spacing - 0.5)

    def _unbroken(
        self, lines: IntArray, enter: FloatArray, leave: FloatArray, draw_in: float
    ) -> tuple[FloatArray, FloatArray]:
        """Ends of the stretch of region around the segment on these lines, drawn in."""
        level = self.low[lines]
        order = np.argsort(enter, axis=1)
        begin, end = np.take_along_axis(enter, order, axis=1), np.take_along_axis(leave, order, axis=1)
        end = np.maximum.accumulate(end, axis=1)
        edge = np.full((len(lines), 1), np.inf)
        begin, end = np.hstack([begin, edge]), np.hstack([-edge, end])  # gaps run from ``end`` to ``begin``
        gap = begin - end > _NEAR
        after = np.where(gap & (begin > level[:, None] + _NEAR), end, np.inf).min(axis=1)
        before = np.where(gap & (end < level[:, None] - _NEAR), begin, -np.inf).max(axis=1)
        first, last = np.minimum(level, before), np.maximum(level, after)
        by = np.minimum(draw_in, (last - first) / 2)
        return first + by, last - by

    def _widest(
        self, lines: IntArray, enter: FloatArray, leave: FloatArray, draw_in: float
    ) -> tuple[FloatArray, FloatArray]:
        """First and last free position on these lines, corners included, drawn in; both the same if they would cross."""
        low, high = self.low[lines], self.high[lines]
        first, last = np.minimum(low, enter.min(axis=1)), np.maximum(high, leave.max(axis=1))
        if draw_in <= 0:
            return first, last
        from_first, from_last = (first + draw_in)[:, None], (last - draw_in)[:, None]
        inner_first = np.where(leave >= from_first, np.maximum(enter, from_first), np.inf).min(axis=1)
        inner_last = np.where(enter <= from_last, np.minimum(leave, from_last), -np.inf).max(axis=1)
        crossed = ~(inner_first <= inner_last)
        return np.where(crossed, low, inner_first), np.where(crossed, low, inner_last)

    def _met(self, boxes: _Boxes, lines: IntArray) -> tuple[FloatArray, FloatArray]:
        """Where each line enters and leaves each rectangle, mm, (lines, rectangles); inf and -inf if it does not."""
        steepest = np.abs(self.across / self.spacing).max()
        sides = []
        for axis, (low, high) in enumerate(((boxes.row, boxes.row + 1), (boxes.start, boxes.stop))):
            size, slope = self.spacing[axis], self.across[axis]
            at = (self.stations[lines] * self.along[axis])[:, None]
            if abs(slope) / size < _NEAR * steepest:  # a line along the pixels; on their border either side will do
                place = at / size
                beside = (place >= low - _NEAR) & (place <= high + _NEAR)
                sides.append((np.where(beside, -np.inf, np.inf), np.where(beside, np.inf, -np.inf)))
            else:
                near, far = (low, high) if slope > 0 else (high, low)
                sides.append((near * (size / slope) - at / slope, far * (size / slope) - at / slope))
        enter = np.maximum(sides[0][0], sides[1][0])
        leave = np.minimum(sides[0][1], sides[1][1])
        thick = leave - enter > _NEAR
        return np.where(thick, enter, np.inf), np.where(thick, leave, -np.inf)

    def _middle_of(self, line: int, level: float) -> float:
        """The middle of the longest part of one line that lies within a pixel, the first of them; or the corner."""
        row, column = np.nonzero(self.mask)
        enter, leave = (met[0] for met in self._met(_Boxes(row, column, column + 1), np.array([line])))
        size = np.round(leave - enter, 9)
        if size.max() <= 0:
            return level
        longest = np.flatnonzero(size == size.max())
        part = longest[np.argmin(enter[longest])]
        return float((enter[part] + leave[part]) / 2)

    def _polygon_bound(self) -> FloatArray:
        """How long a chord at each station may be: that of a polygon around the region, mm."""
        normal = _COSINE * self.along[:, None] + _SINE * self.across[:, None]  # (2, directions)
        down, over = (normal * np.array(self.spacing)[:, None])[:, :, None]
        middle = down * (self.runs.row + 0.5)  # of a run's height
        half = np.abs(down[:, 0]) / 2
        left, right = middle + over * self.runs.start, middle + over * self.runs.stop
        lowest, highest = np.minimum(left, right).min(axis=1) - half, np.maximum(left, right).max(axis=1) + half
        shift = (_COSINE / _SINE)[:, None] * self.stations
        top, bottom = (highest / _SINE)[:, None] - shift, (lowest / _SINE)[:, None] - shift
        return np.asarray(top.min(axis=0) - bottom.max(axis=0) + _BOUND)

    def _corner_lines(self, row: IntArray, column: IntArray) -> tuple[FloatArray, FloatArray, FloatArray]:
        """Distinct positions of the corners along the segment, with the lowest and highest corner at each, mm."""
        down, over = row * self.spacing[0], column * self.spacing[1]
        stations = down * self.along[0] + over * self.along[1]
        order = np.argsort(stations, kind="stable")
        stations = stations[order]
        levels = (down * self.across[0] + over * self.across[1])[order]
        fresh = np.ones(len(stations), bool)
        np.greater(stations[1:] - stations[:-1], _NEAR, out=fresh[1:])
        first = np.flatnonzero(fresh)
        return stations[first], np.minimum.reduceat(levels, first), np.maximum.reduceat(levels, first)


@dataclass(frozen=True, slots=True)
class _Boxes:
    """Runs of pixels along rows: row, first column and the column after the last, (R,) each."""

    row: IntArray
    start: IntArray
    stop: IntArray


def row_runs(mask: BoolArray) -> tuple[IntArray, IntArray, IntArray]:
    """Row, first column and the column after the last of every run of a mask (Y, X), by row, then column."""
    height, width = mask.shape
    framed = np.zeros((height, width + 1), bool)
    framed[:, :width] = mask
    flat = framed.reshape(-1)
    change = np.flatnonzero(flat[1:] != flat[:-1]) + 1
    if flat[0]:
        change = np.append(0, change)
    start, stop = change[::2], change[1::2]
    row = start // (width + 1)
    base = row * (width + 1)
    return row, start - base, stop - base


def _corners(runs: _Boxes, width: int) -> tuple[IntArray, IntArray]:
    """Row and column of the points at which the outline of the runs turns, pixel corners at integers.

    An end of a run turns the outline above and below it, except where a run of the next row has the same end.
    """
    place = runs.row * (width + 1)
    ends = np.concatenate([2 * (place + runs.start), 2 * (place + runs.stop) + 1])
    ends = np.concatenate([ends, ends + 2 * (width + 1)])
    ends.sort()
    twice = np.zeros(len(ends) + 1, bool)
    np.equal(ends[1:], ends[:-1], out=twice[1:-1])
    corner = ends[~(twice[1:] | twice[:-1])] // 2
    row = corner // (width + 1)
    return row, corner - row * (width + 1)


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
