"""The longest straight segment inside a 2-D mask, exactly; and the closing that bridges thin gaps.

:func:`longest_in_extent` is the longest segment in the union of the closed pixel rectangles. Some longest segment passes
through two corners of the outline (sliding a segment parallel to itself changes its length linearly until a corner is
met; turning it about that corner makes each half d / cos, convex, until a second is met), so all lines through two corners
are tried, each extended to its limits. Segments whose ends are both corners come first
(:mod:`mrecist.measure.joining`, also the search of the other conventions); lines that cannot beat them are never walked.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from mrecist.measure._corridors import FALLING, RISING, Corridors, corridors, sector_of_steps
from mrecist.measure._lattice import (
    TIE,
    BoolArray,
    FloatArray,
    IntArray,
    Lattice,
    Spacing,
    is_free,
    lattice,
    probe,
    reach,
)
from mrecist.measure.joining import far_blocks, longest_between_points

_BLOCK = 400_000  # pairs looked at together
_NONE = np.uint64(0)
_WALKED = 20_000  # lines walked together
_BETWEEN = (0.5, 0.25, 0.75)
_SLABS = ((0, 1), (1, 0), (1, 1), (1, -1), (1, 2), (2, 1), (1, -2), (2, -1))
_PROBES = (0.5, 0.25, 0.75, 0.0, 1.0, 0.375, 0.625, 0.125, 0.875, 0.0625, 0.9375)


def longest_in_extent(mask: BoolArray, spacing: Spacing, at_least: float = 0.0) -> tuple[float, FloatArray]:
    """The longest segments inside the union of the closed pixel rectangles of a mask.

    Parameters
    ----------
    mask : (Y, X) bool.
    spacing : mm between rows and between columns.
    at_least : mm; segments shorter than this are of no interest and may be left out.

    Returns
    -------
    The length in mm and all segments of that length that the search met, (K, 2, 2): segment, end, (row, column) with
    pixel centres at integers. K = 0 when nothing reaches ``at_least``.
    """
    grid = lattice(mask)
    corners = corner_points(mask)
    units = (spacing[0] / 2, spacing[1] / 2)
    best, pairs = longest_between_points(grid, corners, units, at_least)
    found = [pairs.astype(np.float64)]
    widest = float(np.hypot(*(np.ptp(corners, axis=0) * units)))
    if best < widest * (1 - TIE):
        best = _extend_lines(grid, mask, corners, units, max(best, at_least), found)
    segments = np.concatenate(found)
    lengths = np.hypot(*((segments[:, 1] - segments[:, 0]) * units).T)
    keep = lengths >= best * (1 - TIE)
    if not keep.any():
        return 0.0, segments[:0]
    return float(lengths.max()), _distinct(segments[keep]) / 2 - 0.5


def _distinct(segments: FloatArray) -> FloatArray:
    """Each segment once, the end with the smaller row (then column) first."""
    rounded = np.round(segments, 7)
    first, second = rounded[:, 0], rounded[:, 1]
    turn = (first[:, 0] > second[:, 0]) | ((first[:, 0] == second[:, 0]) & (first[:, 1] > second[:, 1]))
    segments = np.where(turn[:, None, None], segments[:, ::-1], segments)
    _, index = np.unique(np.round(segments, 7), axis=0, return_index=True)
    return segments[index]


def corner_points(mask: BoolArray) -> IntArray:
    """Points, in half pixels, at which the outline of the union of pixels turns: (N, 2) int, even numbers."""
    padded = np.pad(mask, 1).astype(np.int8)
    upper, lower = padded[:-1], padded[1:]
    total = upper[:, :-1] + upper[:, 1:] + lower[:, :-1] + lower[:, 1:]
    diagonal = (upper[:, :-1] == lower[:, 1:]) & (total == 2)
    return np.argwhere((total == 1) | (total == 3) | diagonal) * 2


def free_of_dead_cores(mask: BoolArray) -> BoolArray:
    """Where a segment of the calibrated convention may pass: (3 Y, 3 X) bool, thirds of pixels.

    A pixel outside the mask blocks with its middle third, and with each other third that touches a neighbour (beside it
    or diagonally) that is outside the mask as well. A line of such pixels, one pixel thin, still blocks; a convex corner
    or an edge of a dead region recedes by a third of a pixel. A larger mask never blocks more.
    """
    dead = np.pad(~mask, 1, constant_values=True)
    height, width = mask.shape
    blocked = np.zeros((height, 3, width, 3), bool)
    for i in range(3):
        for j in range(3):
            blocked[:, i, :, j] = dead[1:-1, 1:-1] & dead[i : i + height, j : j + width]
    return ~blocked.reshape(3 * height, 3 * width)


def border_pixels(mask: BoolArray) -> IntArray:
    """(row, column) of the pixels of which one of the four neighbours is not in the mask."""
    padded = np.pad(mask, 1)
    inner = padded[:-2, 1:-1] & padded[2:, 1:-1] & padded[1:-1, :-2] & padded[1:-1, 2:]
    return np.argwhere(mask & ~inner)


# --- lines through two corners, extended to their limits -------------------------------------------------------------


def _extend_lines(
    grid: Lattice, mask: BoolArray, corners: IntArray, units: Spacing, best: float, found: list[FloatArray]
) -> float:
    """Try every line through two corners that the outline lets pass at one of them; add the longest to ``found``."""
    passable = _passable(grid, corners)
    far = far_blocks(grid, border_pixels(mask) * 2 + 1, units, best)
    lanes = None if far is None else corridors(*far, mask.shape)
    slabs = np.array(_SLABS)
    offsets = corners @ slabs.T
    low, high = offsets.min(axis=0), offsets.max(axis=0)
    waiting: list[tuple[IntArray, IntArray]] = []  # lines are walked together, for a walk costs by its steps
    for i, j in _passing_pairs(corners, passable, lanes):
        kept = probe(grid, corners[i], corners[j], _BETWEEN)
        i, step = i[kept], corners[j[kept]] - corners[i[kept]]
        if lanes is not None:
            kept = np.flatnonzero(lanes.hold(corners[i], step))
            i, step = i[kept], step[kept]
        kept, span = _chord_bound(offsets[i], step, slabs, low, high, units, best)
        i, step = i[kept], step[kept]
        kept = _probe_span(grid, corners[i], step, span)
        waiting.append((corners[i[kept]], step[kept]))
        if sum(len(start) for start, _ in waiting) > _WALKED:
            best = _walk(grid, waiting, units, best, found)
            waiting = []
    return _walk(grid, waiting, units, best, found) if waiting else best


def _walk(
    grid: Lattice, lines: list[tuple[IntArray, IntArray]], units: Spacing, best: float, found: list[FloatArray]
) -> float:
    """Extend lines (starts, steps) to their limits; segments of the best length are added to ``found``."""
    start, step = np.concatenate([start for start, _ in lines]), np.concatenate([step for _, step in lines])
    ahead = reach(grid, start, step)
    start, step, ahead = start[ahead >= 1], step[ahead >= 1], ahead[ahead >= 1]
    behind = reach(grid, start, -step)
    lengths = (ahead + behind) * np.hypot(step[:, 0] * units[0], step[:, 1] * units[1])
    good = lengths >= best * (1 - TIE)
    ends = [start - behind[:, None] * step, start + ahead[:, None] * step]
    found.append(np.stack(ends, axis=1)[good])
    return max(best, float(lengths.max(initial=0.0)))


def _passing_pairs(
    corners: IntArray, passable: BoolArray, lanes: Corridors | None
) -> Iterator[tuple[IntArray, IntArray]]:
    """Pairs (i, j) of corners, in blocks, of which a line through both may pass j and goes on.

    Of the four cells around a corner that can be passed at a slant, two opposite ones are free, so that it lets pass
    rising lines or falling ones, or both; and any line along rows or columns. Sectors of directions, one bit each, tell
    of most pairs that no long segment runs along them.
    """
    rising = passable[:, 2, 2] & passable[:, 0, 0]
    falling = passable[:, 0, 2] & passable[:, 2, 0]
    held = np.full(len(corners), ~np.uint64(0)) if lanes is None else lanes.sectors(corners)
    through = held & (np.where(rising, RISING, _NONE) | np.where(falling, FALLING, _NONE))
    ends, others = np.flatnonzero(through), np.flatnonzero(held)
    if not len(ends):
        return
    cells = (corners - corners.min(axis=0)) // 2
    rows, columns = cells.max(axis=0).tolist()
    sectors = sector_of_steps(rows, columns).ravel()
    key = cells[:, 0] * (2 * columns + 1) + cells[:, 1]
    at_start = key[others] - rows * (2 * columns + 1) - columns
    start, size = 0, max(1, _BLOCK // len(others))
    while start < len(ends):
        some = ends[start : start + size]
        bits = sectors.take(key[some][:, None] - at_start)
        bits &= through[some][:, None]
        bits &= held[others]
        one, other = np.divmod(np.flatnonzero(bits != 0), len(others))
        j, i = some[one], others[other]
        signs = np.sign(corners[j] - corners[i])
        slant = signs[:, 0] * signs[:, 1]
        passes = ((slant >= 0) & rising[j]) | ((slant <= 0) & falling[j])
        back = ((slant >= 0) & rising[i]) | ((slant <= 0) & falling[i])
        # of two corners that can both be passed each pair comes once
        kept = np.flatnonzero(passes & (~back | (i < j)) & passable[i, signs[:, 0] + 1, signs[:, 1] + 1] & (i != j))
        yield i[kept], j[kept]
        start += size


def _passable(grid: Lattice, corners: IntArray) -> BoolArray:
    """(N, 3, 3): whether a ray may leave corner n in a direction of these signs (+1) of rows and columns."""
    width = grid.shape[1]
    here = (corners[:, 0] // 2 + 1) * width + corners[:, 1] // 2 + 1
    cells = {(r, c): grid.flat[here + (r - 1) * width + (c - 1)] for r in (0, 1) for c in (0, 1)}
    result = np.zeros((len(corners), 3, 3), bool)
    for r in (0, 1):
        for c in (0, 1):
            result[:, 2 * r, 2 * c] = cells[r, c]
        result[:, 2 * r, 1] = cells[r, 0] | cells[r, 1]
        result[:, 1, 2 * r] = cells[0, r] | cells[1, r]
    return result


def _chord_bound(
    offsets: IntArray, step: IntArray, slabs: IntArray, low: IntArray, high: IntArray, units: Spacing, best: float
) -> tuple[IntArray, FloatArray]:
    """Lines whose chord in the 16-gon around the mask is long enough, and what a longer segment on them must cover.

    Returns the kept indices and, (K, 2), the part of each line (0 = first corner, 1 = second) that any segment on it
    which holds both corners and is at least ``best`` long has to contain.
    """
    kept = np.arange(len(step))
    length = np.hypot(step[:, 0] * units[0], step[:, 1] * units[1])
    need = best * (1 - TIE) / length
    first, last = np.full(len(step), -np.inf), np.full(len(step), np.inf)
    for k, slab in enumerate(slabs):
        slope = step[kept] @ slab
        with np.errstate(divide="ignore", invalid="ignore"):
            one = np.where(slope == 0, -np.inf, (low[k] - offsets[kept, k]) / slope)
            two = np.where(slope == 0, np.inf, (high[k] - offsets[kept, k]) / slope)
        first = np.maximum(first, np.minimum(one, two))
        last = np.minimum(last, np.maximum(one, two))
        wide = last - first >= need
        kept, first, last, need = kept[wide], first[wide], last[wide], need[wide]
    return kept, np.stack([np.minimum(0, last - need), np.maximum(1, first + need)], axis=1)


def _probe_span(grid: Lattice, corners: IntArray, step: IntArray, span: FloatArray) -> IntArray:
    """Indices of the lines of which no probed point of the span is blocked."""
    kept: IntArray = np.arange(len(step))
    for fraction in _PROBES:
        place = span[kept, 0] * (1 - fraction) + span[kept, 1] * fraction
        kept = kept[is_free(grid, (corners[kept] + place[:, None] * step[kept]) / 2)]
    return kept


# --- gaps ------------------------------------------------------------------------------------------------------------


def close_gaps(viable: BoolArray, whole: BoolArray, spacing: Spacing, max_gap_mm: float) -> list[BoolArray]:
    """The growing regions that a tolerance for gaps opens, up to ``max_gap_mm``; the first is the viable mask itself.

    A pixel of the lesion is added when a morphological closing of the viable pixels by a disc of some diameter up to
    ``max_gap_mm``, on pixel centres, covers it. The union over the diameters makes the regions grow with the gap; on a
    lattice a single closing would not.

    Parameters
    ----------
    viable, whole : (Y, X) bool; viable within whole.
    spacing : mm between rows and between columns.
    max_gap_mm : mm, >= 0.
    """
    from scipy.ndimage import distance_transform_edt

    regions = [viable]
    radii = _radii(spacing, max_gap_mm / 2)
    if not radii or not viable.any():
        return regions
    margin = (int(2 * radii[-1] / spacing[0]) + 2, int(2 * radii[-1] / spacing[1]) + 2)
    padded = np.pad(viable, ((margin[0], margin[0]), (margin[1], margin[1])))
    inner = (slice(margin[0], -margin[0]), slice(margin[1], -margin[1]))
    to_viable = distance_transform_edt(~padded, sampling=spacing)
    for radius in radii:
        grown = to_viable <= radius * (1 + TIE)
        closed = distance_transform_edt(grown, sampling=spacing) > radius * (1 + TIE)
        region = regions[-1] | (closed[inner] & whole)
        if (region != regions[-1]).any():
            regions.append(region)
    return regions


def _radii(spacing: Spacing, largest: float) -> list[float]:
    """The distances between pixel centres up to ``largest``: a disc of any other radius holds the same offsets."""
    limit = largest * (1 + TIE)
    rows = np.arange(int(limit / spacing[0]) + 1) * spacing[0]
    columns = np.arange(int(limit / spacing[1]) + 1) * spacing[1]
    distances = np.unique(np.hypot(rows[:, None], columns))
    return [float(d) for d in distances if 0 < d <= limit]
