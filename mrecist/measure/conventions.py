"""What a pixel counts for at the two ends of a diameter, and the searches of each convention.

``extent``, ``edge`` and ``centre`` are what other programs use; ``calibrated``, the default, is the one whose error
against the true size is smallest (docs/measuring.md has the table, benchmarks/conventions.py makes it).
"""

from __future__ import annotations

from enum import StrEnum

import numpy as np

from mrecist.measure._lattice import BoolArray, FloatArray, IntArray, Spacing, lattice
from mrecist.measure.diameters import Side, feret
from mrecist.measure.joining import longest_between_points
from mrecist.measure.viable import (
    border_pixels,
    free_of_dead_cores,
    longest_in_extent,
)

_GAIN = 1.0  # pixels, times (length in pixels) ** (-1/3): fitted to discs and ellipses of 10 to 100 mm
_MOST = 0.6  # pixels; the most that a segment is lengthened by
_CHORD = 0.2  # pixels at each end of a short axis
_WITHIN_PIXEL = 0.5  # an end never leaves its pixel


class Convention(StrEnum):
    """Where the ends of a diameter lie."""

    CALIBRATED = "calibrated"
    """Pixel centres, the segment lengthened by the expected loss of digitisation, about a third of a pixel."""
    EXTENT = "extent"
    """Anywhere in the closed pixel rectangles."""
    EDGE = "edge"
    """Midway between the centres of a pixel of the region and of a neighbour outside (contour at 0.5)."""
    CENTRE = "centre"
    """Pixel centres."""


DEFAULT_CONVENTION = Convention.CALIBRATED


def longest_anywhere(mask: BoolArray, spacing: Spacing, convention: Convention) -> tuple[float, FloatArray]:
    """The longest diameter of a mask, which may leave it (Feret).

    Parameters
    ----------
    mask : (Y, X) bool, not empty.
    spacing : mm between rows and between columns.

    Returns
    -------
    mm, and all segments of that length (K, 2, 2): segment, end, (row, column), pixel centres at integers.
    """
    rows = np.flatnonzero(mask.any(axis=1))
    first, last = np.argmax(mask[rows], axis=1), mask.shape[1] - 1 - np.argmax(mask[rows, ::-1], axis=1)
    return longest_of_sides((rows, first), (rows, last), spacing, convention)


def longest_of_sides(left: Side, right: Side, spacing: Spacing, convention: Convention) -> tuple[float, FloatArray]:
    """As :func:`longest_anywhere`, of a mask that is given by the outermost pixels of its rows.

    Rows may be missing, but not the first and the last, if their pixels are no corners of the hull of the pixel centres.
    """
    length, pairs = feret(
        _outermost(left, convention, -1), _outermost(right, convention, 1), (spacing[0] / 2, spacing[1] / 2)
    )
    return _finished(length, pairs / 2 - 0.5, spacing, convention)


def _outermost(side: Side, convention: Convention, outwards: int) -> Side:
    """The points that may be ends, half pixels, from the outermost pixels of rows; ``outwards`` : -1 = low columns."""
    row, column = 2 * side[0] + 1, 2 * side[1] + 1
    if convention in (Convention.CALIBRATED, Convention.CENTRE):
        return row, column
    if convention is Convention.EXTENT:  # the corners of those pixels
        row, column = np.concatenate([row - 1, row + 1]), np.tile(column + outwards, 2)
    else:  # the middles of their sides
        row, column = np.concatenate([row - 1, row, row + 1]), np.concatenate([column, column + outwards, column])
    order = np.argsort(row, kind="stable")
    row, column = row[order], column[order]
    begin = np.flatnonzero(np.append(True, row[1:] != row[:-1]))
    furthest = np.minimum if outwards < 0 else np.maximum
    return row[begin], furthest.reduceat(column, begin)


def at_most(centres_mm: float, spacing: Spacing, convention: Convention) -> float:
    """The most that the longest diameter of pixels is whose centres are at most ``centres_mm`` apart, mm."""
    if convention is Convention.CALIBRATED:
        return centres_mm + lengthening(centres_mm, spacing)
    return centres_mm + (0.0 if convention is Convention.CENTRE else float(np.hypot(*spacing)))


def longest_inside(
    mask: BoolArray, spacing: Spacing, convention: Convention, at_least: float = 0.0
) -> tuple[float, FloatArray]:
    """The longest segment that stays inside a mask; as :func:`longest_anywhere`, with K = 0 if below ``at_least`` mm."""
    if convention is Convention.EXTENT:
        return longest_in_extent(mask, spacing, at_least)
    if convention is not Convention.CALIBRATED:
        units = (spacing[0] / 2, spacing[1] / 2)
        length, found = longest_between_points(lattice(mask), _end_points(mask, convention), units, at_least)
        return length, found / 2 - 0.5
    points = border_pixels(mask) * 6 + 3
    units = (spacing[0] / 6, spacing[1] / 6)
    bar = max(0.0, at_least * (1 - 1e-9) - _MOST * _pixel(spacing))  # no segment is lengthened by more
    length, found = longest_between_points(lattice(free_of_dead_cores(mask)), points, units, bar, pixel=3)
    length, segments = _finished(length, found / 6 - 0.5, spacing, convention)
    return (length, segments) if length >= at_least * (1 - 1e-9) else (0.0, segments[:0])


def lengthening(length_mm: float, spacing: Spacing) -> float:
    """mm by which ``calibrated`` lengthens a segment between pixel centres, half of it at each end.

    The tip of a smooth outline lies beyond the outermost pixel centre by a gap whose area holds about one pixel; the gap
    of a tip with radius R pixels is about R to the power -1/3. So n ** (-1/3) pixels for n pixels of length, at
    most 0.6. Never more than takes an end out of its pixel.
    """
    pixel = _pixel(spacing)
    pixels = length_mm / pixel
    share = min(_MOST, _GAIN * pixels ** (-1 / 3)) if pixels > 0 else _MOST
    return min(share * pixel, 2 * _WITHIN_PIXEL * min(spacing))


def drawn_in(across: tuple[float, float], spacing: Spacing, convention: Convention) -> float:
    """mm by which each end of a chord of the pixel rectangles is drawn in to follow the convention.

    ``across`` is the unit direction of the chord, (row, column) components in mm. A chord on a given line overshoots by
    0.4 to 0.5 pixels in the median, less than the longest diameter, whose direction is chosen for its length; so
    ``calibrated`` draws each end in by a fifth of a pixel.
    """
    height, width = abs(across[0]) * spacing[0], abs(across[1]) * spacing[1]
    half = (height + width) / 2
    if convention is Convention.EXTENT:
        return 0.0
    if convention is Convention.EDGE:
        return half - max(height, width) / 2
    if convention is Convention.CENTRE:
        return half
    return min(_CHORD * _pixel(spacing), half)


def _pixel(spacing: Spacing) -> float:
    """Side of a square of a pixel's area, mm."""
    return float(np.sqrt(spacing[0] * spacing[1]))


def _finished(
    length: float, segments: FloatArray, spacing: Spacing, convention: Convention
) -> tuple[float, FloatArray]:
    """Lengthen what the calibrated convention found between pixel centres; leave the others alone."""
    if convention is not Convention.CALIBRATED or not len(segments):
        return length, segments
    more = lengthening(length, spacing)
    step = (segments[:, 1] - segments[:, 0]) * spacing
    # a single pixel is lengthened along its longer side
    longer_side = np.array([1.0, 0.0] if spacing[0] > spacing[1] else [0.0, 1.0])
    direction = step / length if length > 0 else np.tile(longer_side, (len(segments), 1))
    shift = direction * (more / 2) / spacing
    return length + more, np.stack([segments[:, 0] - shift, segments[:, 1] + shift], axis=1)


def _end_points(mask: BoolArray, convention: Convention) -> IntArray:
    """The points that may be ends of an inside segment, (N, 2) int in half pixels: centres, or middles of sides."""
    border = border_pixels(mask)
    if convention is not Convention.EDGE:
        return border * 2 + 1
    padded = np.pad(mask, 1)
    found = []
    for row, column in ((-1, 0), (1, 0), (0, -1), (0, 1)):
        outside = ~padded[border[:, 0] + 1 + row, border[:, 1] + 1 + column]
        found.append(border[outside] * 2 + 1 + (row, column))
    return np.unique(np.concatenate(found), axis=0)
