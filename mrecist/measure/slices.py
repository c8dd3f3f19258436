"""The longest diameters of every label, from the outermost pixels of its rows.

The width of each slice in a few directions bounds its longest diameter from both sides, so that only the few slices that
can hold the longest one are searched.
"""

from __future__ import annotations

import itertools

import numpy as np

from mrecist.imaging.geometry import Geometry
from mrecist.measure._lattice import TIE, FloatArray, IntArray, Spacing
from mrecist.measure.conventions import Convention, at_most, longest_of_sides
from mrecist.measure.diameters import Side, thinned
from mrecist.measure.runs import LabelRows

_DIRECTIONS = 16
_SLACK = 1 / float(np.cos(np.pi / (2 * _DIRECTIONS)))  # a diameter between two directions is at most this much longer


def longest_of_labels(
    rows: LabelRows, geometry: Geometry, convention: Convention
) -> list[list[tuple[int, FloatArray]]]:
    """For each label all (slice, segment (2, 2)) of its greatest length; segments in (row, column) of the stack."""
    if not rows.labels:
        return []
    height = geometry.shape[1]
    spacing = (geometry.row_spacing_mm, geometry.column_spacing_mm)
    index = rows.place // height
    fresh = np.ones(len(index), bool)
    fresh[1:] = index[1:] != index[:-1]
    fresh[rows.starts[:-1]] = True
    begin = np.flatnonzero(fresh)
    row = rows.place - index * height
    left, right = _Sides((row, rows.first), begin, 1), _Sides((row, rows.last), begin, -1)
    widths = _widths(left, right, spacing).tolist()
    index, of_label = index[begin].tolist(), np.searchsorted(begin, rows.starts).tolist()
    found = []
    for start, stop in itertools.pairwise(of_label):
        best = 0.0
        longest: list[tuple[int, FloatArray]] = []
        for number in sorted(range(start, stop), key=lambda k: -widths[k]):
            if at_most(widths[number] * _SLACK, spacing, convention) < best * (1 - TIE):
                break
            length, segments = longest_of_sides(left.of(number), right.of(number), spacing, convention)
            if length > best * (1 + TIE):
                longest = []
            if length >= best * (1 - TIE):
                best = max(best, length)
                longest += [(index[number], segment) for segment in segments]
        found.append(longest)
    return found


class _Sides:
    """One side of all slices of all labels, less the pixels that are no corners of a hull; ``sign`` as in ``thinned``."""

    def __init__(self, side: Side, begin: IntArray, sign: int) -> None:
        (self.row, self.column), self.begin = thinned(side, begin, sign)
        self.end = np.append(self.begin[1:], len(self.row))

    def of(self, number: int) -> Side:
        """The side of one slice."""
        here = slice(self.begin[number], self.end[number])
        return self.row[here], self.column[here]


def _widths(left: _Sides, right: _Sides, spacing: Spacing) -> FloatArray:
    """The greatest width of each slice over the directions, mm between pixel centres."""
    widest = np.zeros(len(left.begin))
    places = [(side.row * spacing[0], side.column * spacing[1], side.begin) for side in (left, right)]
    for k in range(_DIRECTIONS):
        angle = np.pi * k / _DIRECTIONS
        sine, cosine = np.sin(angle), np.cos(angle)
        low, high = places if cosine >= 0 else places[::-1]
        top = np.maximum.reduceat(high[0] * sine + high[1] * cosine, high[2])
        bottom = np.minimum.reduceat(low[0] * sine + low[1] * cosine, low[2])
        np.maximum(widest, top - bottom, out=widest)
    return widest
