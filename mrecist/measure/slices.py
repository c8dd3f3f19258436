"""The longest diameters of every label, from the outermost pixels of its rows.

The width of each slice in a few directions bounds its longest diameter from both sides, so that only the few slices that
can hold the longest one are searched.
"""

from __future__ import annotations

import numpy as np

from mrecist.imaging.geometry import Geometry
from mrecist.measure._lattice import TIE, FloatArray, IntArray, Spacing
from mrecist.measure.conventions import Convention, at_most, longest_of_rows
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
    end = np.append(begin[1:], len(index))
    row = rows.place - index * height
    widths = _widths(row, rows.first, rows.last, begin, spacing)
    of_label = np.searchsorted(begin, rows.starts)
    found = []
    for start, stop in zip(of_label[:-1].tolist(), of_label[1:].tolist(), strict=True):
        slices = [
            (float(widths[k]), int(index[begin[k]]), slice(int(begin[k]), int(end[k]))) for k in range(start, stop)
        ]
        found.append(_longest_of_slices(slices, (row, rows.first, rows.last), spacing, convention))
    return found


def _longest_of_slices(
    slices: list[tuple[float, int, slice]],
    columns: tuple[IntArray, IntArray, IntArray],
    spacing: Spacing,
    convention: Convention,
) -> list[tuple[int, FloatArray]]:
    """The longest diameters of one label; ``slices`` : (width, slice, where its rows are)."""
    best = 0.0
    found: list[tuple[int, FloatArray]] = []
    for width, index, rows in sorted(slices, key=lambda entry: -entry[0]):
        if at_most(width * _SLACK, spacing, convention) < best * (1 - TIE):
            break
        row, first, last = (column[rows] for column in columns)
        length, segments = longest_of_rows(row, first, last, spacing, convention)
        if length > best * (1 + TIE):
            found = []
        if length >= best * (1 - TIE):
            best = max(best, length)
            found += [(index, segment) for segment in segments]
    return found


def _widths(row: IntArray, first: IntArray, last: IntArray, begin: IntArray, spacing: Spacing) -> FloatArray:
    """The greatest width of each slice over the directions, mm between pixel centres; slices start at ``begin``."""
    widest = np.zeros(len(begin))
    down, left, right = row * spacing[0], first * spacing[1], last * spacing[1]
    for k in range(_DIRECTIONS):
        angle = np.pi * k / _DIRECTIONS
        level, over = down * np.sin(angle), np.cos(angle)
        low, high = (left, right) if over >= 0 else (right, left)
        top, bottom = np.maximum.reduceat(high * over + level, begin), np.minimum.reduceat(low * over + level, begin)
        np.maximum(widest, top - bottom, out=widest)
    return widest
