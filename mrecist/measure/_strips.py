"""Whether segments stay in a lattice, strip by strip: a few strips of all segments first, then all strips of the rest.

A strip is one cell wide and runs across the segment's own major axis, so a segment passes one or two cells of it. Places
are quotients of integers whose denominators are far below a million, and are compared with a slack of 1e-9: the tests are
exact. Most blocked segments fall at one of the first strips, which are taken far apart.
"""

from __future__ import annotations

import numpy as np

from mrecist.measure._lattice import BoolArray, IntArray, Lattice, mirrored

_SLACK = 1e-9  # cells


class Strips:
    """Segments in the frame in which each runs along its major axis and does not fall along its minor one.

    ``y``, ``x`` : where they begin, cells; ``stop`` : where they end along the major axis; ``slope`` : 0 to 1;
    ``first`` : the first strip, ``count`` : how many; ``cell`` + row * ``across`` + strip * ``along`` : the cell's place.
    """

    fields = ("y", "x", "stop", "slope", "first", "count", "cell", "across", "along")

    def __init__(self, grid: Lattice, starts: IntArray, steps: IntArray) -> None:
        seen = mirrored(grid, starts, steps)
        self.cell, self.across, self.along = seen.base, seen.across, seen.along
        self.y, self.x = seen.minor_at / 2, seen.major_at / 2
        self.stop = self.x + seen.major / 2
        self.slope = seen.minor / seen.major
        self.first = np.floor(self.x).astype(np.int64)
        self.count = np.ceil(self.stop).astype(np.int64) - self.first
        self.flat = grid.flat

    @property
    def longest(self) -> int:
        """The largest number of strips."""
        return int(self.count.max(initial=0))

    def at(self, which: IntArray | slice) -> Strips:
        """These segments only."""
        some = object.__new__(Strips)
        some.flat = self.flat
        for field in self.fields:
            setattr(some, field, getattr(self, field)[which])
        return some

    def passing(self) -> IntArray:
        """Indices of the segments that pass all of their strips."""
        left: IntArray = np.arange(len(self.y))
        some = self
        for gap in (16, 4, 1):
            strips = np.arange(0, some.longest, gap)[:, None]
            passed = np.flatnonzero(some.free(np.minimum(strips, some.count - 1)).all(axis=0))
            left, some = left[passed], some.at(passed)
        return left

    def free(self, strip: IntArray) -> BoolArray:
        """Whether each segment passes this strip of it; ``strip`` : (..., N), from 0."""
        place = self.first + strip
        low = self.y + (np.maximum(place, self.x) - self.x) * self.slope
        high = self.y + (np.minimum(place + 1, self.stop) - self.x) * self.slope
        row = np.floor(low + _SLACK)
        rises = high > row + (1 + _SLACK)
        cell = self.cell + row.astype(np.int64) * self.across + place * self.along
        return np.asarray(
            self.flat.take(cell, mode="clip") & (~rises | self.flat.take(cell + self.across, mode="clip"))
        )
