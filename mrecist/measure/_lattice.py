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
_COMPRESS = 0.4  # share of stopped rays at which the arrays are packed


@dataclass(frozen=True, slots=True)
class Lattice:
    """Cells prepared for walking; build one with :func:`lattice`.

    ``flat`` holds four arrays of equal shape end to end: the padded cells; the cells merged over each row border and
    over each column border (for segments that run on a border); and one final cell that is always free, where stopped
    rays wait.
    """

    shape: tuple[int, int]
    flat: BoolArray

    @property
    def waiting(self) -> int:
        """Index of the cell in which stopped rays wait."""
        return len(self.flat) - 1


def lattice(free: BoolArray) -> Lattice:
    """Prepare ``free`` : (H, W) bool, True where a segment may pass."""
    cells = np.pad(np.asarray(free, bool), 1)
    over_rows = cells.copy()
    over_rows[1:] |= cells[:-1]
    over_columns = cells.copy()
    over_columns[:, 1:] |= cells[:, :-1]
    flat = np.concatenate([cells.ravel(), over_rows.ravel(), over_columns.ravel(), np.ones(1, bool)])
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
    if not len(starts):
        return result
    rays = _Rays(grid, np.asarray(starts, np.int64), np.asarray(steps, np.int64))
    while len(rays.name):
        failed, times = rays.blocked()
        result[rays.name[failed]] = times
        rays.stop(failed)
        rays.advance()
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
    """A bundle of rays that walk together, one strip of cells along their own major axis at a time.

    Each ray is :class:`Mirrored`; the strides ``along`` and ``across`` undo that when a cell is looked up. ``rest`` is how
    far the ray has risen within its cell, in units of half a cell / ``major``, so that a whole cell is ``2 * major``.
    """

    def __init__(self, grid: Lattice, starts: IntArray, steps: IntArray) -> None:
        seen = mirrored(grid, starts, steps)
        self.flat, self.waiting = grid.flat, grid.waiting
        self.name: IntArray = np.arange(len(starts))
        self.minor, self.major = seen.minor, seen.major
        self.across, self.along = seen.across, seen.along
        self.cell = seen.base + (seen.minor_at // 2) * seen.across + (seen.major_at // 2) * seen.along
        self.rest = (seen.minor_at % 2) * self.major
        self.passed = np.zeros_like(self.major)
        self.strip = 2 - seen.major_at % 2  # length of the first strip, half cells; 2 afterwards
        self.stopped = np.zeros(len(starts), bool)

    def blocked(self) -> tuple[IntArray, FloatArray]:
        """Rays that cannot cross this strip, and the t at which each is stopped."""
        whole = 2 * self.major
        self.rise = self.rest + self.minor * self.strip
        first = self.flat[self.cell]
        fine = first & ((self.rise <= whole) | self.flat[self.cell + self.across])
        failed = np.flatnonzero(~fine)
        passed, major, minor = self.passed[failed], self.major[failed], self.minor[failed]
        inside = first[failed]  # stopped where it would rise into the next cell, else at the start of the strip
        above = np.where(inside, passed * minor + whole[failed] - self.rest[failed], passed)
        below = np.where(inside, major * minor, major)
        return failed, above / below

    def stop(self, which: IntArray) -> None:
        """Park these rays; the arrays are packed when many are parked."""
        self.stopped[which] = True
        self.cell[which] = self.waiting
        self.rest[which] = self.rise[which] = self.minor[which] = self.across[which] = self.along[which] = 0

    def advance(self) -> None:
        """Go to the next strip."""
        whole = 2 * self.major
        risen = self.rise >= whole
        self.rest = self.rise - np.where(risen, whole, 0)
        self.cell = self.cell + self.along + np.where(risen, self.across, 0)
        self.passed = self.passed + self.strip
        self.strip = np.full_like(self.strip, 2)
        if np.count_nonzero(self.stopped) >= _COMPRESS * len(self.stopped):
            keep = ~self.stopped
            for field in ("name", "minor", "major", "across", "along", "cell", "rest", "passed", "strip", "stopped"):
                setattr(self, field, getattr(self, field)[keep])
