"""Which lines may hold a long segment of a region: a table over angle and offset, filled from pairs of border blocks.

The ends of a longest segment lie in pixels of the border. Pairs of blocks of such pixels that are far enough apart, with a
free cell at every probed place of the band between them, are corridors; a line that holds a segment of the length asked for
meets both blocks of one of them. The table marks the angles and offsets of all lines that do.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from mrecist.measure._lattice import BoolArray, FloatArray, IntArray

Bits = npt.NDArray[np.uint64]

_ANGLES = 512  # bins over half a turn
_SECTORS = 64  # of the half turn, one bit each
_MANY = 40_000  # corridors; with more of them the table is all but full
_TOGETHER = 4_000  # corridors marked together
_PLACES = 40_000  # places of the table looked up together

RISING = np.uint64(
    sum(1 << k for k in (*range(_SECTORS // 2 + 1), _SECTORS - 1))
)  # rows grow where columns grow, or axes
FALLING = np.uint64(sum(1 << k for k in range(_SECTORS // 2, _SECTORS)))


@dataclass(frozen=True, slots=True)
class Corridors:
    """``table`` : (angles, offsets) bool; offsets in cells from ``origin``, bin 0 at ``-reach``."""

    table: BoolArray
    origin: FloatArray
    reach: int

    def hold(self, points: IntArray, steps: IntArray) -> BoolArray:
        """Whether a line through a point (N, 2) along a step (N, 2), half cells, may hold a long segment."""
        down, over = steps[:, 0], steps[:, 1]
        sign = _sign(down, over)
        place = points / 2 - self.origin
        offset = sign * (down * place[:, 1] - over * place[:, 0]) / np.sqrt(down * down + over * over)
        return np.asarray(self.table[_bins(down, over), (offset + self.reach).astype(np.int64)])

    def sectors(self, points: IntArray) -> Bits:
        """The sectors, bit by bit, in which a line through each point (N, 2), half cells, may hold a long segment."""
        place = points / 2 - self.origin
        columns = self.table.shape[1]
        before = np.zeros((_ANGLES, columns + 1), np.int32)
        np.cumsum(self.table, axis=1, out=before[:, 1:])
        angle = ((np.arange(_ANGLES) + 0.5) / _ANGLES - 0.5) * np.pi
        normal = np.stack([np.cos(angle), np.sin(angle)], axis=1)
        slack = np.hypot(place[:, 0], place[:, 1]) * (np.pi / _ANGLES / 2) + 1e-6  # a line lies within half a bin
        held = np.empty((_SECTORS, len(points)), bool)
        per = _ANGLES // _SECTORS
        size = max(1, min(_SECTORS, _PLACES // (per * len(points))))  # sectors looked at together
        for start in range(0, _SECTORS, size):
            some = slice(start, min(start + size, _SECTORS))
            bins = slice(per * start, per * some.stop)
            offset = normal[bins] @ place.T + self.reach
            row = np.arange(len(offset))[:, None] * (columns + 1)
            low = np.clip((offset - slack).astype(np.int64), 0, columns) + row
            high = np.clip((offset + slack).astype(np.int64) + 1, 0, columns) + row
            counts = before[bins].ravel()
            free = counts.take(high) > counts.take(low)
            held[some] = free.reshape(-1, per, len(points)).any(axis=1)
        bits = np.ascontiguousarray(np.packbits(held, axis=0, bitorder="little").T)
        return bits.view("<u8")[:, 0].astype(np.uint64)


def sector_of_steps(rows: int, columns: int) -> Bits:
    """The sector, as a bit, of every step of at most so many rows and columns: (2 rows + 1, 2 columns + 1)."""
    down, over = np.arange(rows + 1)[:, None], np.arange(-columns, columns + 1)
    bits = np.left_shift(np.uint64(1), (_bins(down, over) // (_ANGLES // _SECTORS)).astype(np.uint64))
    return np.concatenate([bits[:0:-1, ::-1], bits])


def _sign(down: IntArray, over: IntArray) -> FloatArray:
    """Turns the normal (-over, down) of a step, so that its angle lies from -90 to 90 degrees."""
    return np.where((over > 0) | ((over == 0) & (down < 0)), -1.0, 1.0)


def _bins(down: IntArray, over: IntArray) -> IntArray:
    """The bins of the angles of the normals of steps."""
    sign = _sign(down, over)
    angle = np.arctan2(sign * down, -sign * over) * (_ANGLES / np.pi) + _ANGLES / 2
    return np.minimum(angle.astype(np.int64), _ANGLES - 1)


def corridors(first: FloatArray, second: FloatArray, half: float, shape: tuple[int, int]) -> Corridors | None:
    """The table of pairs of blocks with these centres, (N, 2) cells, each ``half`` cells to its sides; None if too many."""
    if len(first) > _MANY:
        return None
    origin = np.array(shape) / 2
    reach = int(np.hypot(*shape)) + 4
    columns = 2 * reach + 2
    marks = np.zeros(_ANGLES * columns, np.int32)
    for start in range(0, len(first), _TOGETHER):
        some = slice(start, start + _TOGETHER)
        begins, ends = _marked(first[some] - origin, second[some] - origin, half, reach, columns)
        np.add.at(marks, begins, 1)
        np.subtract.at(marks, ends, 1)
    table = np.cumsum(marks.reshape(_ANGLES, columns), axis=1, dtype=np.int32) > 0
    return Corridors(table=table, origin=origin, reach=reach)


def _marked(first: FloatArray, second: FloatArray, half: float, reach: int, columns: int) -> tuple[IntArray, IntArray]:
    """Where in the flat table the marks of these corridors begin, and where they end."""
    width = np.pi / _ANGLES
    step, middle = second - first, (first + second) / 2
    apart = np.hypot(step[:, 0], step[:, 1])
    spread = np.arcsin(np.minimum(1.0, 2 * np.sqrt(2) * half / np.maximum(apart, 1e-9)))
    angle = np.arctan2(step[:, 0], -step[:, 1])  # of the normal
    centre = np.floor((angle / np.pi + 0.5) * _ANGLES).astype(np.int64)
    bins = np.minimum(np.ceil(spread / width).astype(np.int64) + 1, _ANGLES // 2)
    # A line that meets both blocks passes their middle within half a block's diagonal; its normal lies within half a bin.
    slack = np.sqrt(2) * half + np.hypot(middle[:, 0], middle[:, 1]) * width / 2 + 1e-6
    number = 2 * bins + 1
    which = np.repeat(np.arange(len(first)), number)
    shift = np.arange(len(which)) - np.repeat(np.cumsum(number) - number, number) - bins[which]
    bin_ = (centre[which] + shift) % _ANGLES
    turn = ((bin_ + 0.5) / _ANGLES - 0.5) * np.pi
    offset = middle[which, 0] * np.cos(turn) + middle[which, 1] * np.sin(turn) + reach
    low = np.floor(offset - slack[which]).astype(np.int64)
    high = np.floor(offset + slack[which]).astype(np.int64) + 1
    return bin_ * columns + np.clip(low, 0, columns - 1), bin_ * columns + np.clip(high, 0, columns - 1)
