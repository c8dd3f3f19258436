"""Which lines may hold a long segment of a region: a table over angle and offset, filled from pairs of border blocks.

The ends of a longest segment lie in pixels of the border. Pairs of blocks of such pixels that are far enough apart, with a
free cell at every probed place of the band between them, are corridors; a line that holds a segment of the length asked for
meets both blocks of one of them. The table marks the angles and offsets of all lines that do.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from mrecist.measure._lattice import BoolArray, FloatArray, IntArray

_ANGLES = 512  # bins over half a turn
_MANY = 40_000  # corridors; with more of them the table is all but full


@dataclass(frozen=True, slots=True)
class Corridors:
    """``table`` : (angles, offsets) bool; offsets in cells from ``origin``, bin 0 at ``-reach``."""

    table: BoolArray
    origin: FloatArray
    reach: int

    def hold(self, points: IntArray, steps: IntArray) -> BoolArray:
        """Whether a line through a point (N, 2) along a step (N, 2), half cells, may hold a long segment."""
        down, over = steps[:, 0], steps[:, 1]
        # The normal (-over, down), turned so that its angle lies from -90 to 90 degrees.
        sign = np.where((over > 0) | ((over == 0) & (down < 0)), -1.0, 1.0)
        place = points / 2 - self.origin
        offset = sign * (down * place[:, 1] - over * place[:, 0]) / np.sqrt(down * down + over * over)
        angle = np.arctan2(sign * down, -sign * over) * (_ANGLES / np.pi) + _ANGLES / 2
        bins = np.minimum(angle.astype(np.int64), _ANGLES - 1)
        return np.asarray(self.table[bins, (offset + self.reach).astype(np.int64)])


def corridors(first: FloatArray, second: FloatArray, half: float, shape: tuple[int, int]) -> Corridors | None:
    """The table of pairs of blocks with these centres, (N, 2) cells, each ``half`` cells to its sides; None if too many."""
    if len(first) > _MANY:
        return None
    origin = np.array(shape) / 2
    reach = int(np.hypot(*shape)) + 4
    width = np.pi / _ANGLES
    step, middle = second - first, (first + second) / 2 - origin
    apart = np.hypot(step[:, 0], step[:, 1])
    spread = np.arcsin(np.minimum(1.0, 2 * np.sqrt(2) * half / np.maximum(apart, 1e-9)))
    angle = np.arctan2(step[:, 0], -step[:, 1])  # of the normal
    centre = np.floor((angle / np.pi + 0.5) * _ANGLES).astype(np.int64)
    bins = np.minimum(np.ceil(spread / width).astype(np.int64) + 1, _ANGLES // 2)
    # A line that meets both blocks passes their middle within half a block's diagonal; its normal lies within half a bin.
    slack = np.sqrt(2) * half + np.hypot(middle[:, 0], middle[:, 1]) * width / 2 + 1e-6
    columns = 2 * reach + 2
    begins, ends = [], []
    for shift in range(-int(bins.max(initial=0)), int(bins.max(initial=0)) + 1):
        some = np.flatnonzero(bins >= abs(shift))
        bin_ = (centre[some] + shift) % _ANGLES
        middle_angle = ((bin_ + 0.5) / _ANGLES - 0.5) * np.pi
        offset = middle[some, 0] * np.cos(middle_angle) + middle[some, 1] * np.sin(middle_angle) + reach
        low = np.floor(offset - slack[some]).astype(np.int64)
        high = np.floor(offset + slack[some]).astype(np.int64) + 1
        begins.append(bin_ * columns + np.clip(low, 0, columns - 1))
        ends.append(bin_ * columns + np.clip(high, 0, columns - 1))
    size = _ANGLES * columns
    marks = np.bincount(np.concatenate(begins), minlength=size) - np.bincount(np.concatenate(ends), minlength=size)
    return Corridors(table=np.cumsum(marks.reshape(_ANGLES, columns), axis=1) > 0, origin=origin, reach=reach)
