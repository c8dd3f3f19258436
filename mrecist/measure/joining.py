"""The longest free segment that joins two points of a finite set, by blocks of points first.

Points are gathered in blocks of about eight pixels and these in blocks of about two. All segments between two blocks run
within a band around the line of their centres; where the band holds no free cell, no segment passes, and where the blocks
are too near to each other no segment is long enough. So most pairs of points are never looked at. Pairs of blocks are
opened in the order of the longest segment they may hold, and each segment found raises the bar for the rest.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from mrecist.measure._lattice import TIE, BoolArray, FloatArray, IntArray, Lattice, Spacing, probe
from mrecist.measure._strips import Strips

_FEW = 100  # points, whose pairs are searched without blocks
_LARGE, _SMALL = 8, 2  # pixels along a side of a block
_PROBED, _OPENED, _GROWTH, _MOST = 1_000, 2_000, 3, 400_000  # pairs looked at together: of blocks, of their members
_BANDS = tuple(k / 16 for k in (8, 4, 12, 6, 10, 2, 14, 7, 9, 5, 11, 3, 13, 1, 15))
_POINTS = tuple(k / 32 for k in (16, 8, 24, 12, 20, 4, 28, 14, 18, 10, 22, 6, 26, 2, 30, 1, 31))


@dataclass(frozen=True, slots=True)
class _Blocks:
    """Blocks of one size. ``centre`` : (B, 2) cells; ``begin`` : (B + 1,) where the members of each begin."""

    centre: FloatArray
    begin: IntArray
    size: int


def longest_between_points(
    grid: Lattice, points: IntArray, units: Spacing, at_least: float = 0.0, pixel: int = 1
) -> tuple[float, IntArray]:
    """The longest free segments that join two of the points.

    Parameters
    ----------
    grid : where a segment may pass.
    points : (N, 2) int, half cells, all in the free region, each once.
    units : mm of half a cell from row to row and from column to column.
    at_least : mm; shorter segments are of no interest.
    pixel : cells along the side of a pixel.

    Returns
    -------
    The length in mm and all segments of that length, (K, 2, 2) int, half cells. One point alone gives a segment of
    length 0. K = 0 when nothing reaches ``at_least``.
    """
    search = _Search(grid, points, units, at_least, pixel)
    search.run()
    found = np.concatenate([np.zeros((0, 2, 2), np.int64), *search.found])
    if not len(found) and at_least <= 0:
        found = np.repeat(points[:, None, :], 2, axis=1)
    return (search.best if len(found) else 0.0), _distinct(found)


def far_blocks(
    grid: Lattice, points: IntArray, units: Spacing, at_least: float
) -> tuple[FloatArray, FloatArray, float] | None:
    """Pairs of small blocks of points between which a segment of this length may run.

    The centres of the one and of the other block, (N, 2) cells, and half a block's side; None for a few points.
    """
    search = _Search(grid, points, units, at_least, 1)
    if len(points) <= _FEW:
        return None
    first, second = np.triu_indices(len(search.large.centre))
    for blocks in (search.large, search.small):
        far = np.flatnonzero(search.longest(blocks, first, second) >= at_least * (1 - TIE))
        first, second = first[far], second[far]
        free = search.within_band(blocks, first, second)
        first, second = first[free], second[free]
        if blocks is search.large:
            first, second = _members(blocks, first, second)
    return search.small.centre[first], search.small.centre[second], search.small.size / 2


def _distinct(pairs: IntArray) -> IntArray:
    """Each segment once, the end with the smaller row (then column) first."""
    first, second = pairs[:, 0], pairs[:, 1]
    turn = (first[:, 0] > second[:, 0]) | ((first[:, 0] == second[:, 0]) & (first[:, 1] > second[:, 1]))
    return np.unique(np.where(turn[:, None, None], pairs[:, ::-1], pairs), axis=0)


class _Search:
    """The best length so far, in mm, with all segments of that length."""

    def __init__(self, grid: Lattice, points: IntArray, units: Spacing, at_least: float, pixel: int) -> None:
        self.grid, self.units, self.best = grid, np.array(units), at_least
        self.found: list[IntArray] = []
        self.points = points
        if len(points) <= _FEW:
            return
        large, small = _LARGE * pixel, _SMALL * pixel
        cell = points // 2
        order = np.lexsort(((cell // small)[:, 1], (cell // small)[:, 0], (cell // large)[:, 1], (cell // large)[:, 0]))
        self.points = points[order]
        self.small = _blocks(cell[order] // small, small)
        self.large = _blocks((self.small.centre // large).astype(np.int64), large)
        cells = grid.flat[: grid.shape[0] * grid.shape[1]].reshape(grid.shape)
        self.band = {blocks.size: _widened(cells, blocks.size) for blocks in (self.small, self.large)}

    def run(self) -> None:
        """Search all pairs."""
        if len(self.points) <= _FEW:
            self._point_pairs(*np.triu_indices(len(self.points), 1))
            return
        self._open([self.large, self.small], *np.triu_indices(len(self.large.centre)))

    def _open(self, levels: list[_Blocks], first: IntArray, second: IntArray) -> None:
        """Search pairs of blocks, those that may hold the longest segments first; their members are the next level's."""
        if not levels:
            self._point_pairs(first, second)
            return
        blocks = levels[0]
        bound = self.longest(blocks, first, second)
        order = np.flatnonzero(bound >= self.best * (1 - TIE))
        order = order[np.argsort(-bound[order], kind="stable")]
        first, second, bound = first[order], second[order], bound[order]
        start, size = 0, _PROBED
        while start < len(first) and bound[start] >= self.best * (1 - TIE):
            part = start + self.within_band(blocks, first[start : start + size], second[start : start + size])
            self._open_members(levels, first[part], second[part], bound[part])
            start, size = start + size, min(_GROWTH * size, _MOST)

    def _open_members(self, levels: list[_Blocks], first: IntArray, second: IntArray, bound: FloatArray) -> None:
        blocks = levels[0]
        members = blocks.begin[1:] - blocks.begin[:-1]
        opened = np.cumsum(members[first] * members[second])
        start, size, before = 0, _OPENED, 0
        while start < len(first) and bound[start] >= self.best * (1 - TIE):
            stop = max(start + 1, int(np.searchsorted(opened, before + size)))
            self._open(levels[1:], *_members(blocks, first[start:stop], second[start:stop]))
            start, size, before = stop, min(_GROWTH * size, _MOST), int(opened[stop - 1])

    def longest(self, blocks: _Blocks, first: IntArray, second: IntArray) -> FloatArray:
        """The most that a segment between two blocks may measure, mm."""
        apart = np.abs(blocks.centre[first] - blocks.centre[second]) + blocks.size
        return np.asarray(np.hypot(apart[:, 0] * 2 * self.units[0], apart[:, 1] * 2 * self.units[1]))

    def within_band(self, blocks: _Blocks, first: IntArray, second: IntArray) -> IntArray:
        """Indices of the pairs of blocks of which no probed place of the band between them is without a free cell."""
        band, (height, width) = self.band[blocks.size], self.grid.shape
        one = blocks.centre[first] + 1  # the padding is one cell
        step = blocks.centre[second] + 1 - one
        kept: IntArray = np.arange(len(first))
        for share in _BANDS:
            place = (one[kept] + share * step[kept]).astype(np.int64)
            row, column = np.minimum(place[:, 0], height - 1), np.minimum(place[:, 1], width - 1)
            kept = kept[band.take(row * width + column)]
        return kept

    def _point_pairs(self, first: IntArray, second: IntArray) -> None:
        step = (self.points[second] - self.points[first]) * self.units
        square = (step * step).sum(axis=1)
        kept = np.flatnonzero((square >= (self.best * (1 - TIE)) ** 2) & (square > 0))
        first, second = first[kept], second[kept]
        passed = probe(self.grid, self.points[first], self.points[second], _POINTS)
        first, second, lengths = first[passed], second[passed], np.sqrt(square[kept[passed]])
        order = np.argsort(-lengths, kind="stable")
        first, second, lengths = first[order], second[order], lengths[order]
        start, size = 0, 64
        while start < len(first) and lengths[start] >= self.best * (1 - TIE):
            part = slice(start, start + size)
            strips = Strips(self.grid, self.points[first[part]], self.points[second[part]] - self.points[first[part]])
            seen = start + strips.passing()
            seen = seen[lengths[seen] >= max(self.best, float(lengths[seen].max(initial=0.0))) * (1 - TIE)]
            if len(seen):
                self._keep(
                    np.stack([self.points[first[seen]], self.points[second[seen]]], axis=1), float(lengths[seen[0]])
                )
            start, size = start + size, min(2 * size, 4096)

    def _keep(self, pairs: IntArray, length: float) -> None:
        if length > self.best * (1 + TIE):
            self.found = []
        self.best = max(self.best, length)
        self.found.append(pairs)


def _blocks(place: IntArray, size: int) -> _Blocks:
    """Blocks of members that stand together; ``place`` : (N, 2) of each member, in blocks."""
    fresh = np.ones(len(place), bool)
    fresh[1:] = (place[1:] != place[:-1]).any(axis=1)
    begin = np.flatnonzero(fresh)
    return _Blocks(centre=np.asarray((place[begin] + 0.5) * size), begin=np.append(begin, len(place)), size=size)


def _members(blocks: _Blocks, first: IntArray, second: IntArray) -> tuple[IntArray, IntArray]:
    """All pairs of a member of the one and a member of the other block, each once."""
    ones, twos = blocks.begin[first + 1] - blocks.begin[first], blocks.begin[second + 1] - blocks.begin[second]
    number = ones * twos
    which = np.repeat(np.arange(len(first)), number)
    within = np.arange(len(which)) - np.repeat(np.cumsum(number) - number, number)
    some = blocks.begin[first[which]] + within // twos[which]
    other = blocks.begin[second[which]] + within % twos[which]
    once = some <= other  # within one block each pair comes twice
    return some[once], other[once]


def _widened(cells: BoolArray, size: int) -> BoolArray:
    """Where a free cell lies within half a block (and the cell's own width), along rows and columns; flat."""
    from scipy.ndimage import maximum_filter1d

    reach = 2 * (size // 2 + 1) + 1
    wide = cells.view(np.uint8)
    for axis in (0, 1):
        wide = maximum_filter1d(wide, reach, axis=axis, mode="constant")
    return wide.view(np.bool_).ravel()
