"""Where the labels of a volume lie: its runs of equal voxels, found in one pass over eight bytes at a time.

The pass leaves out the blocks that hold nothing, most of a volume; in the others each word is compared with the next.

A diameter of a whole lesion needs the first and the last voxel of each row only, and a volume the number of voxels. Both
come from the runs, so that no mask of a single lesion is ever made and no voxel is looked at twice.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from mrecist.measure._lattice import IntArray

_BLOCK = 512  # words; a block of zeros is looked at once, its largest word being 0
_TOGETHER = 256  # blocks whose words are compared together, 1 MiB


@dataclass(frozen=True, slots=True, kw_only=True)
class LabelRows:
    """The rows that hold each label; labels ascend, and the rows of a label ascend by slice, then row.

    labels : the L labels, as Python integers.
    counts : (L,) voxels of each label.
    starts : (L + 1,) where the rows of each label begin in the next three.
    place : (R,) slice * Y + row.
    first, last : (R,) the outermost columns of the label in that row.
    """

    labels: tuple[int, ...]
    counts: IntArray
    starts: IntArray
    place: IntArray
    first: IntArray
    last: IntArray


def label_rows(volume: npt.NDArray[Any]) -> LabelRows:
    """The rows of every label of a (Z, Y, X) volume of integers or booleans; 0 is background."""
    width = volume.shape[2]
    values, start, stop = _split_at_rows(*_runs(volume), width)
    labels, number = _numbered(values)
    order = np.argsort(number, kind="stable")
    number, start, stop = number[order], start[order], stop[order]
    counts = np.bincount(number, stop - start, len(labels)).astype(np.int64)
    place = start // width
    fresh = np.ones(len(number), bool)
    fresh[1:] = (place[1:] != place[:-1]) | (number[1:] != number[:-1])
    begin = np.flatnonzero(fresh)
    end = np.append(begin[1:], len(number))[: len(begin)] - 1
    place, number = place[begin], number[begin]
    return LabelRows(
        labels=tuple(int(label) for label in labels),
        counts=counts,
        starts=np.searchsorted(number, np.arange(len(labels) + 1)),
        place=place,
        first=start[begin] - place * width,
        last=stop[end] - 1 - place * width,
    )


def _numbered(values: npt.NDArray[Any]) -> tuple[npt.NDArray[Any], npt.NDArray[np.integer[Any]]]:
    """The distinct values, ascending, and the number of each value among them; in few bytes, which sort faster."""
    if values.dtype == np.uint8:
        held = np.bincount(values, minlength=256) > 0
        return np.flatnonzero(held), (np.cumsum(held) - 1).astype(np.uint8)[values]
    labels, number = np.unique(values, return_inverse=True)
    return labels, number.astype(np.uint16) if len(labels) < 1 << 16 else number


def _runs(volume: npt.NDArray[Any]) -> tuple[npt.NDArray[Any], IntArray, IntArray]:
    """Value, first voxel and the voxel after the last of runs of equal voxels that are not 0, in flat order.

    A run may come in several parts: it is cut where a block ends.
    """
    flat = np.ascontiguousarray(volume).reshape(-1)
    flat = flat.view(np.uint8) if flat.dtype == np.bool_ else flat.astype(flat.dtype.newbyteorder("="), copy=False)
    per = 8 // flat.dtype.itemsize
    whole = len(flat) - len(flat) % (per * _BLOCK)
    blocks = flat[:whole].view(np.uint64).reshape(-1, _BLOCK)
    busy = np.flatnonzero(blocks.max(axis=1))
    room = np.empty((min(len(busy), _TOGETHER), _BLOCK), np.uint64)
    parts = []
    for at in range(0, len(busy), _TOGETHER):
        which = busy[at : at + _TOGETHER]
        words = np.take(blocks, which, axis=0, out=room[: len(which)], mode="clip")
        parts.append(_runs_of_blocks(words.reshape(-1), which, flat.dtype))
    tail = whole + np.flatnonzero(flat[whole:])  # less than a block, voxel by voxel
    parts.append((flat[tail], tail, tail + 1))
    values, starts, stops = zip(*parts, strict=True)
    return np.concatenate(values), np.concatenate(starts), np.concatenate(stops)


def _runs_of_blocks(
    words: npt.NDArray[np.uint64], which: IntArray, dtype: np.dtype[Any]
) -> tuple[npt.NDArray[Any], IntArray, IntArray]:
    """The runs of some blocks, each block by itself; ``words`` : the blocks end to end, ``which`` : their places."""
    changed = np.ones(len(words), bool)
    np.not_equal(words[1:], words[:-1], out=changed[1:])
    changed[::_BLOCK] = True
    index = np.flatnonzero(changed)
    word = words[index]
    bits, per = 8 * dtype.itemsize, 8 // dtype.itemsize
    if bits < 64:
        mixed = ((word >> np.uint64(bits)) | (word << np.uint64(64 - bits))) != word
        repeats = np.append(index[1:], len(words)) - index
        if np.any(mixed & (repeats > 1)):  # equal words in a row, but not of equal voxels
            repeats[~mixed] = 1
            within = np.arange(int(repeats.sum())) - np.repeat(np.cumsum(repeats) - repeats, repeats)
            index, word = np.repeat(index, repeats) + within, np.repeat(word, repeats)
    value = word.view(dtype)
    fresh = np.ones(len(value), bool)
    np.not_equal(value[1:], value[:-1], out=fresh[1:])
    fresh[np.searchsorted(index, np.arange(0, len(words), _BLOCK)) * per] = True
    begin = np.flatnonzero(fresh)
    start = index[begin >> (per.bit_length() - 1)] * per + (begin & (per - 1))  # per is a power of two
    stop = np.append(start[1:], len(words) * per)
    solid = np.flatnonzero(value[begin])
    start, stop, value = start[solid], stop[solid], value[begin[solid]]
    within = start // (_BLOCK * per)
    moved = (which[within] - within) * (_BLOCK * per)  # from the place among these blocks to that in the volume
    return value, start + moved, stop + moved


def _split_at_rows(
    value: npt.NDArray[Any], start: IntArray, stop: IntArray, width: int
) -> tuple[npt.NDArray[Any], IntArray, IntArray]:
    """Runs that go on from the end of one row into the next, cut there."""
    parts = (stop - 1) // width - start // width + 1
    if not np.any(parts > 1):
        return value, start, stop
    which = np.repeat(np.arange(len(parts)), parts)
    part = np.arange(len(which)) - np.repeat(np.cumsum(parts) - parts, parts)
    row = start[which] // width + part
    return value[which], np.maximum(start[which], row * width), np.minimum(stop[which], (row + 1) * width)
