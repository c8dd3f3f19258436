"""The largest distance between two points of a slice, from the outermost points of its rows.

A side of a slice is a pair of arrays: rows, ascending, and the outermost column in each. Points are (row, column).
"""

from __future__ import annotations

import numpy as np

from mrecist.measure._lattice import TIE, BoolArray, IntArray, Spacing

_ROUNDS = 8  # of thinning many sides together; nearly all are convex by then
_ABOUT = 1e-7  # relative difference of two squares beyond which the lengths need not be compared

Side = tuple[IntArray, IntArray]


def feret(left: Side, right: Side, units: Spacing) -> tuple[float, IntArray]:
    """The largest distance between two points of the sides of a slice, and all pairs at that distance.

    Parameters
    ----------
    left, right : the smallest and the largest columns; both begin in the same row and end in the same row.
    units : mm per unit of row and of column.

    Returns
    -------
    mm, and (K, 2, 2) int: pair, end, (row, column). One point alone is at distance 0 of itself.
    """
    corners = convex_hull(left, right)
    if len(corners) == 1:
        return 0.0, np.stack([corners, corners], axis=1)
    row, column = corners[:, 0] * units[0], corners[:, 1] * units[1]
    rise, run = row[:, None] - row, column[:, None] - column
    square = rise * rise + run * run
    i, j = np.divmod(np.flatnonzero(square >= square.max() * (1 - _ABOUT)), len(corners))
    i, j = i[j > i], j[j > i]
    step = corners[i] - corners[j]
    length = np.hypot(step[:, 0] * units[0], step[:, 1] * units[1])
    longest = float(length.max())
    kept = length >= longest * (1 - TIE)
    return longest, np.stack([corners[i[kept]], corners[j[kept]]], axis=1)


def thinned(side: Side, begin: IntArray, sign: int) -> tuple[Side, IntArray]:
    """The sides of many slices, end to end, without most of the points that are no corners of their hulls.

    All points that do not lie outside the line of their neighbours go at once, and that a few times.

    Parameters
    ----------
    side : rows and columns of all slices.
    begin : (S,) where each slice begins.
    sign : 1 for the smallest columns, -1 for the largest.

    Returns
    -------
    What is left, and where each slice begins in it; the first and the last row of each slice stay.
    """
    rows, columns = side
    which = np.arange(len(rows))
    stays = np.zeros(len(rows), bool)
    stays[begin] = stays[begin - 1] = True  # and the last of all, for begin[0] is 0
    for _ in range(_ROUNDS):
        kept = np.flatnonzero(_turns(rows, columns, sign) | stays)
        if len(kept) == len(rows):
            break
        rows, columns, stays, which = rows[kept], columns[kept], stays[kept], which[kept]
    return (rows, columns), np.searchsorted(which, begin)


def convex_hull(left: Side, right: Side) -> IntArray:
    """Corners (N, 2) of the convex hull of the two sides of a slice, in order, collinear ones left out."""
    if not _both_turn(left, right):
        none = np.zeros(1, np.int64)
        (left, _), (right, _) = thinned(left, none, 1), thinned(right, none, -1)
        if not _both_turn(left, right):
            return _monotone_chain(left, right)
    # each is one side of the hull; a single point in the first or the last row is on both
    begin, end = int(left[1][0] == right[1][0]), len(right[1]) - int(left[1][-1] == right[1][-1])
    back = slice(begin, max(begin, end))
    return np.stack([np.concatenate([one, other[back][::-1]]) for one, other in zip(left, right, strict=True)], axis=1)


def _both_turn(left: Side, right: Side) -> bool:
    """Whether no point of either side can be left out."""
    return bool(_turns(*left, 1)[1:-1].all() and _turns(*right, -1)[1:-1].all())


def _turns(rows: IntArray, columns: IntArray, sign: int) -> BoolArray:
    """Whether each point but the first and the last lies outside the line of its neighbours."""
    down, over = rows[1:] - rows[:-1], columns[1:] - columns[:-1]
    turns = np.zeros(len(rows), bool)
    if sign > 0:
        np.greater(down[:-1] * over[1:], over[:-1] * down[1:], out=turns[1:-1])
    else:
        np.less(down[:-1] * over[1:], over[:-1] * down[1:], out=turns[1:-1])
    return turns


def _monotone_chain(left: Side, right: Side) -> IntArray:
    """Andrew's algorithm."""
    points = {
        *zip(*(axis.tolist() for axis in left), strict=True),
        *zip(*(axis.tolist() for axis in right), strict=True),
    }
    chain = sorted(points)
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
