"""Exact straight-line walks over a lattice of free and blocked cells, in integers.

A lattice is a boolean array of cells. Coordinates of points are integers in **half cells**: cell (i, j) covers
``[2i, 2i+2] x [2j, 2j+2]``, so even numbers are cell borders and odd numbers are cell centres. The free region is the
union of the *closed* free cells: a segment may run along a border when one of the two cells beside it is free, and may
pass the corner that two diagonal free cells share. Everything outside the array is blocked.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

BoolArray = npt.NDArray[np.bool_]
IntArray = npt.NDArray[np.int64]
FloatArray = npt.NDArray[np.float64]
Spacing = tuple[float, float]

TIE = 1e-9  # relative difference below which two lengths count as equal
_TOLERANCE = 1e-6  # cells; only widens the quick look-ups, never the exact walk
_STRIPS, _CELLS = 6, 30_000  # strips that rays walk at a time: so many at least, and about so many cells


@dataclass(frozen=True, slots=True)
class Lattice:
    """Cells prepared for walking; build one with :func:`lattice`.

    ``flat`` holds three arrays of equal shape end to end: the padded cells; the cells merged over each row border and
    over each column border (for segments that run on a border).
    """

    shape: tuple[int, int]
    flat: BoolArray


def lattice(free: BoolArray) -> Lattice:
    """Prepare ``free`` : (H, W) bool, True where a segment may pass."""
    cells = np.pad(np.asarray(free, bool), 1)
    over_rows = cells.copy()
    over_rows[1:] |= cells[:-1]
    over_columns = cells.copy()
    over_columns[:, 1:] |= cells[:, :-1]
    flat = np.concatenate([cells.ravel(), over_rows.ravel(), over_columns.ravel()])
    return Lattice(shape=(cells.shape[0], cells.shape[1]), flat=flat)


def probe(grid: Lattice, starts: IntArray, targets: IntArray, fractions: tuple[float, ...]) -> IntArray:
    """Indices of the segments of which no probed point is blocked: a cheap necessary condition."""
    left: IntArray = np.arange(len(starts))
    for fraction in fractions:
        points = (starts[left] * (1 - fraction) + targets[left] * fraction) / 2
        left = left[is_free(grid, points)]
    return left


def is_free(grid: Lattice, points: FloatArray) -> BoolArray:
    """Whether each point (N, 2), in cells, touches a free closed cell; true as well within 1e-6 cells of one."""
    rows, columns = points[:, 0] + 1, points[:, 1] + 1
    height, width = grid.shape
    low_rows = np.clip(np.floor(rows - _TOLERANCE), 0, height - 1).astype(np.int64) * width
    low_columns = np.clip(np.floor(columns - _TOLERANCE), 0, width - 1).astype(np.int64)
    result: BoolArray = grid.flat[low_rows + low_columns]
    rest = np.flatnonzero(~result)
    if not len(rest):
        return result
    high_rows = np.clip(np.floor(rows[rest] + _TOLERANCE), 0, height - 1).astype(np.int64) * width
    high_columns = np.clip(np.floor(columns[rest] + _TOLERANCE), 0, width - 1).astype(np.int64)
    result[rest] = (
        grid.flat[high_rows + high_columns]
        | grid.flat[high_rows + low_columns[rest]]
        | grid.flat[low_rows[rest] + high_columns]
    )
    return result


def reach(grid: Lattice, starts: IntArray, steps: IntArray) -> FloatArray:
    """How far each ray stays in the free region.

    Parameters
    ----------
    starts, steps : (N, 2) int, half cells; no step may be (0, 0).

    Returns
    -------
    (N,) the largest t for which the closed segment from ``start`` to ``start + t * step`` is free. The quotient of two
    integers, so ``t >= 1`` is exact. 0 also for a start that is not in the free region.
    """
    result = np.zeros(len(starts))
    rays = _Rays(grid, np.asarray(starts, np.int64), np.asarray(steps, np.int64))
    left: IntArray = np.arange(len(starts))
    strip = 0
    while len(left):
        number = max(_STRIPS, _CELLS // len(left))
        stopped, times = rays.blocked(strip, number)
        result[left[stopped]] = times
        going = np.ones(len(left), bool)
        going[stopped] = False
        left, rays = left[going], rays.at(going)
        strip += number
    return result


@dataclass(frozen=True, slots=True)
class Mirrored:
    """Segments mirrored and transposed so that the major coordinate grows and the minor one does not shrink.

    ``minor_at``, ``major_at`` : where they begin, half cells; ``minor``, ``major`` : how far they go, both >= 0; ``base`` +
    row * ``across`` + column * ``along`` : place of a cell in ``flat``, in rows and columns of the mirrored segment.
    """

    minor_at: IntArray
    major_at: IntArray
    minor: IntArray
    major: IntArray
    base: IntArray
    across: IntArray
    along: IntArray


def mirrored(grid: Lattice, starts: IntArray, steps: IntArray) -> Mirrored:
    """Mirror segments; ``starts``, ``steps`` : (N, 2) int, half cells."""
    height, width = grid.shape
    swapped = np.abs(steps[:, 0]) > np.abs(steps[:, 1])
    minor_at, major_at = np.where(swapped, starts[:, ::-1].T, starts.T) + 2  # the padding is one cell
    minor, major = np.where(swapped, steps[:, ::-1].T, steps.T)
    across, along = np.where(swapped, 1, width), np.where(swapped, width, 1)
    rows, columns = np.where(swapped, width, height), np.where(swapped, height, width)
    up, back = minor < 0, major < 0
    on_border = (minor == 0) & (minor_at % 2 == 0)  # then one of the two cells beside it is enough
    base = np.where(on_border, np.where(swapped, 2, 1), 0) * (height * width)
    base += np.where(up, across * (rows - 1), 0) + np.where(back, along * (columns - 1), 0)
    return Mirrored(
        minor_at=np.where(up, 2 * rows - minor_at, minor_at),
        major_at=np.where(back, 2 * columns - major_at, major_at),
        minor=np.abs(minor),
        major=np.abs(major),
        base=base,
        across=np.where(up, -across, across),
        along=np.where(back, -along, along),
    )


class _Rays:
    """A bundle of rays, cut into strips of one cell along their own major axis; the first strip may be half as long.

    Each ray is :class:`Mirrored`; the strides ``along`` and ``across`` undo that when a cell is looked up. ``first`` is the
    length of the first strip and ``rest`` how far the ray has risen within its first cell, in units of half a cell /
    ``major``, so that a whole cell is ``2 * major``.
    """

    fields = ("minor", "major", "across", "along", "cell", "rest", "first")

    def __init__(self, grid: Lattice, starts: IntArray, steps: IntArray) -> None:
        seen = mirrored(grid, starts, steps)
        self.flat = grid.flat
        self.minor, self.major = seen.minor, seen.major
        self.across, self.along = seen.across, seen.along
        self.cell = seen.base + (seen.minor_at // 2) * seen.across + (seen.major_at // 2) * seen.along
        self.rest = (seen.minor_at % 2) * seen.major
        self.first = 2 - seen.major_at % 2

    def at(self, which: BoolArray) -> _Rays:
        """These rays only."""
        some = object.__new__(_Rays)
        some.flat = self.flat
        for field in self.fields:
            setattr(some, field, getattr(self, field)[which])
        return some

    def blocked(self, strip: int, number: int) -> tuple[IntArray, FloatArray]:
        """Rays that cannot cross one of ``number`` strips from ``strip`` on, and the t at which each is stopped."""
        strips = np.arange(strip, strip + number)[:, None]
        passed = np.where(strips > 0, self.first + 2 * (strips - 1), 0)  # half cells, where each strip starts
        whole = 2 * self.major
        risen = self.rest + self.minor * passed
        row = risen // whole
        risen -= row * whole
        cell = self.cell + row * self.across + strips * self.along  # beyond the padding of no meaning, but never first
        straight = risen + self.minor * np.where(strips > 0, 2, self.first) <= whole
        first = self.flat.take(cell, mode="clip")
        fine = first & (straight | self.flat.take(cell + self.across, mode="clip"))
        at = np.argmin(fine, axis=0)
        ray = np.flatnonzero(~fine[at, np.arange(len(at))])
        at = at[ray]
        passed, major, minor = passed[at, ray], self.major[ray], self.minor[ray]
        inside = first[at, ray]  # stopped where it would rise into the next cell, else at the start of the strip
        above = np.where(inside, passed * minor + whole[ray] - risen[at, ray], passed)
        return ray, above / np.where(inside, major * minor, major)
