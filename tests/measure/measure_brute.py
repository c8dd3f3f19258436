"""Independent references for the searches: rational arithmetic, no pruning, nothing shared with the package.

Coordinates are in pixels with corners at integers (pixel (i, j) covers [i, i+1] x [j, j+1]).
"""

from __future__ import annotations

import itertools
import math
from fractions import Fraction

import numpy as np

from mrecist.imaging.geometry import Geometry

HALF = Fraction(1, 2)


def geometry_of(shape, spacing=(1.0, 1.0), step=2.0):
    return Geometry(
        shape=tuple(shape),
        origins_lps=tuple((0.0, 0.0, 2.0 * k) for k in range(shape[0])),
        row_direction=(1.0, 0.0, 0.0),
        column_direction=(0.0, 1.0, 0.0),
        row_spacing_mm=spacing[0],
        column_spacing_mm=spacing[1],
        slice_step_mm=step,
    )


def holds(cells, size, row, column):
    """Whether the point lies in the union of the closed free cells, each ``size`` pixels wide."""
    row, column = row / size, column / size
    rows = {math.floor(row), math.ceil(row) - 1}
    columns = {math.floor(column), math.ceil(column) - 1}
    return any((i, j) in cells for i in rows for j in columns)


def free_parts(cells, size, start, step, first, last):
    """Maximal free intervals of t in [first, last] on the line start + t * step."""
    stops = {first, last}
    for axis in (0, 1):
        if step[axis]:
            ends = sorted((start[axis] + first * step[axis], start[axis] + last * step[axis]))
            for border in range(math.ceil(ends[0] / size), math.floor(ends[1] / size) + 1):
                stops.add((border * size - start[axis]) / step[axis])
    stops = sorted(stops)
    parts, begin = [], None
    for a, b in itertools.pairwise(stops):
        middle = (a + b) / 2
        if holds(cells, size, start[0] + middle * step[0], start[1] + middle * step[1]):
            begin = a if begin is None else begin
        elif begin is not None:
            parts.append((begin, a))
            begin = None
    if begin is not None:
        parts.append((begin, stops[-1]))
    return parts


def cells_of(mask):
    return {(int(i), int(j)) for i, j in np.argwhere(mask)}


def pixel_corners(mask):
    return sorted({(i + a, j + b) for i, j in cells_of(mask) for a in (0, 1) for b in (0, 1)})


def longest_inside_extent(mask, spacing):
    """Longest segment in the union of closed pixels: every maximal free part of every line through two pixel corners."""
    cells, best = cells_of(mask), 0.0
    lines = set()
    for (r0, c0), (r1, c1) in itertools.combinations(pixel_corners(mask), 2):
        dr, dc = r1 - r0, c1 - c0
        common = math.gcd(dr, dc)
        dr, dc = dr // common, dc // common
        if dr < 0 or (dr == 0 and dc < 0):
            dr, dc = -dr, -dc
        steps = r0 // dr if dr else c0 // dc  # a fixed representative of the line
        lines.add((r0 - steps * dr, c0 - steps * dc, dr, dc))
    for r0, c0, dr, dc in lines:
        parts, scale = free_lengths(cells, mask.shape, (r0, c0), (dr, dc))
        best = max(best, parts / scale * math.hypot(dr * spacing[0], dc * spacing[1]))
    return best


def free_lengths(cells, shape, start, step):
    """The longest free part of the line start + t * step, for whole numbers: t times a scale, and the scale.

    Rational arithmetic on a common denominator: the line meets the borders of pixels at multiples of 1 / scale.
    """
    scale = math.lcm(step[0] or 1, step[1] or 1)
    stops = set()
    for axis in (0, 1):
        if step[axis]:
            stops |= {(border - start[axis]) * scale // step[axis] for border in range(shape[axis] + 1)}
    best = length = 0
    for a, b in itertools.pairwise(sorted(stops)):
        row = 2 * scale * start[0] + step[0] * (a + b)  # of the middle, in units of 1 / (2 * scale)
        column = 2 * scale * start[1] + step[1] * (a + b)
        rows = {row // (2 * scale), -(-row // (2 * scale)) - 1}
        columns = {column // (2 * scale), -(-column // (2 * scale)) - 1}
        free = any((i, j) in cells for i in rows for j in columns)
        length = length + b - a if free else 0
        best = max(best, length)
    return best, scale


def longest_joining(cells, size, points, spacing):
    """Longest free segment between two of the points."""
    best = 0.0
    pairs = [
        (math.hypot((p[0] - q[0]) * spacing[0], (p[1] - q[1]) * spacing[1]), p, q)
        for p, q in itertools.combinations(points, 2)
    ]
    for length, p, q in sorted(pairs, reverse=True):
        if length <= best:
            break
        step = (q[0] - p[0], q[1] - p[1])
        if free_parts(cells, size, p, step, Fraction(0), Fraction(1)) == [(0, 1)]:
            best = length
    return best


def border(mask):
    cells = cells_of(mask)
    return [(i, j) for i, j in sorted(cells) if not {(i + 1, j), (i - 1, j), (i, j + 1), (i, j - 1)} <= cells]


def centres(mask):
    return [(i + HALF, j + HALF) for i, j in border(mask)]


def mid_edges(mask):
    cells = cells_of(mask)
    return sorted(
        {
            (i + HALF + Fraction(a, 2), j + HALF + Fraction(b, 2))
            for i, j in cells
            for a, b in ((1, 0), (-1, 0), (0, 1), (0, -1))
            if (i + a, j + b) not in cells
        }
    )


def thirds_free(mask):
    """Free thirds of pixels, from the words of the documentation: a dead pixel keeps its middle third and each outer
    third that touches a dead neighbour."""
    cells, free = cells_of(mask), set()
    for i in range(mask.shape[0]):
        for j in range(mask.shape[1]):
            for a in (-1, 0, 1):
                for b in (-1, 0, 1):
                    middle = a == 0 and b == 0
                    if (i, j) in cells or (not middle and (i + a, j + b) in cells):
                        free.add((3 * i + 1 + a, 3 * j + 1 + b))
    return free


def random_mask(rng, largest):
    """Blobs, rings, crescents, islands, diagonal contacts, noise, single pixels."""
    height, width = rng.integers(1, largest + 1, 2)
    y, x = np.mgrid[:height, :width]
    kind = rng.integers(7)
    centre = (height - 1) / 2 + rng.uniform(-0.5, 0.5), (width - 1) / 2 + rng.uniform(-0.5, 0.5)
    far = np.hypot(y - centre[0], x - centre[1])
    radius = max(height, width) / 2
    if kind == 0:
        mask = rng.random((height, width)) < rng.uniform(0.1, 0.95)
    elif kind == 1:
        mask = (far <= radius) & (far > radius * rng.uniform(0.2, 0.7))
    elif kind == 2:
        mask = (far <= radius) & (np.hypot(y - centre[0] - radius / 2, x - centre[1]) > radius * rng.uniform(0.4, 1))
    elif kind == 3:
        mask = (y + x) % 2 == 0
    elif kind == 4:
        mask = (far <= radius) & (rng.random((height, width)) < 0.85)
    elif kind == 5:
        mask = np.abs(y - x * rng.uniform(0, 2) + rng.uniform(-2, 2)) < rng.uniform(0.5, 1.6)
    else:
        noise = rng.random((height + 2, width + 2))
        smooth = sum(noise[a : a + height, b : b + width] for a in range(3) for b in range(3))
        mask = smooth > np.quantile(smooth, rng.uniform(0.2, 0.7))
    if not mask.any():
        mask[rng.integers(height), rng.integers(width)] = True
    return mask


def random_spacing(rng):
    return (1.0, 1.0) if rng.random() < 0.4 else (float(rng.uniform(0.4, 1.5)), float(rng.uniform(0.4, 1.5)))
