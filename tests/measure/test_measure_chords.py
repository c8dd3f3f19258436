"""Chords, hulls, runs and the looks that leave work out, against plain searches that leave out nothing."""

from __future__ import annotations

import math
from fractions import Fraction

import measure_brute as brute
import numpy as np
import pytest

from mrecist.measure import runs
from mrecist.measure._corridors import corridors
from mrecist.measure._lattice import lattice, reach
from mrecist.measure.chords import CrossLines, directions
from mrecist.measure.conventions import Convention, longest_anywhere, longest_inside
from mrecist.measure.diameters import convex_hull, thinned
from mrecist.measure.viable import _passable, _passing_pairs, border_pixels, corner_points, far_blocks

NEAR = 1e-9


def cut(mask, spacing, station, along, across):
    """The intervals in which the line at a station meets the pixels one by one, and the corners on it; mm, sorted."""
    parts = []
    for i, j in brute.cells_of(mask):
        enter, leave = -math.inf, math.inf
        for axis, low in ((0, i), (1, j)):
            base, slope = station * along[axis], across[axis]
            sides = (low * spacing[axis] - base, (low + 1) * spacing[axis] - base)
            if abs(slope) < 1e-12:
                if not sides[0] - NEAR <= 0 <= sides[1] + NEAR:
                    enter, leave = math.inf, -math.inf
            else:
                enter, leave = max(enter, min(s / slope for s in sides)), min(leave, max(s / slope for s in sides))
        if leave >= enter - NEAR:
            parts.append((enter, max(enter, leave)))
    return sorted(parts)


def around(parts, level):
    """The unbroken stretch that holds a level; its length, 0 when no part holds it."""
    merged = []
    for enter, leave in parts:
        if merged and enter <= merged[-1][1] + NEAR:
            merged[-1][1] = max(merged[-1][1], leave)
        else:
            merged.append([enter, leave])
    return max((b - a for a, b in merged if a - NEAR <= level <= b + NEAR), default=0.0)


def in_mm(chord, spacing):
    return float(np.hypot(*((chord[1] - chord[0]) * spacing)))


def test_the_longest_chord_across_equals_every_pixel_cut_by_every_line():
    rng = np.random.default_rng(21)
    for _ in range(25):
        mask, spacing = brute.random_mask(rng, 12), brute.random_spacing(rng)
        segment = longest_anywhere(mask, spacing, Convention.EXTENT)[1][0]
        along, across = directions(segment, spacing)
        expected = 0.0
        for corner in brute.pixel_corners(mask):
            parts = cut(mask, spacing, float(np.array(corner) * spacing @ along), along, across)
            expected = max(expected, max(b for _, b in parts) - parts[0][0])
        found = CrossLines(mask, spacing, segment, inside=False).longest(0.0)
        assert in_mm(found, spacing) == pytest.approx(expected, abs=1e-8), mask.astype(int)


def test_the_longest_stretch_across_equals_every_pixel_cut_by_every_line():
    rng = np.random.default_rng(22)
    for _ in range(25):
        mask, spacing = brute.random_mask(rng, 10), brute.random_spacing(rng)
        segment = longest_inside(mask, spacing, Convention.EXTENT)[1][0]
        along, across = directions(segment, spacing)
        ends = (segment + 0.5) * spacing
        begin, end = sorted((ends @ along).tolist())
        corners = [float(np.array(corner) * spacing @ along) for corner in brute.pixel_corners(mask)]
        stations = [begin, end, *(at for at in corners if begin - NEAR <= at <= end + NEAR)]
        level = float(ends[0] @ across)
        expected = max(around(cut(mask, spacing, at, along, across), level) for at in stations)
        found = CrossLines(mask, spacing, segment, inside=True).longest(0.0)
        assert in_mm(found, spacing) == pytest.approx(expected, abs=1e-8), mask.astype(int)


def test_the_ends_of_runs_turn_the_outline_where_its_corners_are():
    rng = np.random.default_rng(23)
    for _ in range(200):
        mask = brute.random_mask(rng, 14)
        lines = CrossLines(mask, (1.0, 1.0), np.array([[0.0, 0.0], [1.0, math.pi]]), inside=False)
        corners = corner_points(mask) / 2
        expected = np.sort(corners @ lines.along)
        expected = expected[np.r_[True, np.diff(expected) > NEAR]]
        assert lines.stations == pytest.approx(expected, abs=1e-9)


def hull_by_turns(points):
    """Points that are corners of the hull: outside every segment and triangle of others, by Caratheodory."""
    corners = set()
    for p in points:
        others = [(q[0] - p[0], q[1] - p[1]) for q in points if q != p]
        angles = sorted(math.atan2(dy, dx) for dy, dx in others)
        gaps = [b - a for a, b in zip(angles, [*angles[1:], angles[0] + 2 * math.pi], strict=True)] if angles else [9.0]
        if max(gaps) > math.pi + 1e-9:
            corners.add(p)
    return corners


def test_the_hull_of_two_sides_equals_the_points_seen_from_within_half_a_turn():
    rng = np.random.default_rng(24)
    for turn in range(300):
        number = int(rng.integers(1, 25))
        rows = np.flatnonzero(rng.random(number) < 0.9) if turn % 2 else np.arange(number)
        rows = rows if len(rows) else np.array([0])
        ends = np.sort(rng.integers(0, 2 + turn % 20, (2, len(rows))), axis=0)
        found = convex_hull((rows, ends[0]), (rows, ends[1]))
        points = {(int(r), int(c)) for side in ends for r, c in zip(rows, side, strict=True)}
        assert len(found) == len({tuple(p) for p in found.tolist()})
        assert {tuple(p) for p in found.tolist()} == hull_by_turns(points)


def test_thinning_many_slices_leaves_the_corners_of_each():
    rng = np.random.default_rng(25)
    for _ in range(40):
        numbers = rng.integers(1, 30, 6)
        begin = np.append(0, np.cumsum(numbers)[:-1])
        rows = np.concatenate([np.arange(n) for n in numbers])
        columns = rng.integers(0, 15, len(rows))
        for sign in (1, -1):
            (kept_rows, kept_columns), kept_begin = thinned((rows, columns), begin, sign)
            for k, (start, number) in enumerate(zip(begin, numbers, strict=True)):
                whole = rows[start : start + number], columns[start : start + number]
                stop = kept_begin[k + 1] if k + 1 < len(numbers) else len(kept_rows)
                some = kept_rows[kept_begin[k] : stop], kept_columns[kept_begin[k] : stop]
                far = whole[0], np.full(number, 100 * sign)  # the other side, straight and far away
                hulls = [convex_hull(*(side, far)[::sign]).tolist() for side in (some, whole)]
                assert hulls[0] == hulls[1]


@pytest.mark.parametrize(("block", "together"), [(1, 1), (2, 3), (5, 2), (512, 256)])
@pytest.mark.parametrize("number", ["u1", "i2", "i4", "u8"])
def test_runs_do_not_depend_on_the_blocks(monkeypatch, block, together, number):
    """Against a look at every voxel, with blocks that hold nothing, and blocks that end within runs."""
    rng = np.random.default_rng(26)
    for _ in range(20):
        volume = np.zeros(tuple(rng.integers(1, [4, 9, 60])), number)
        for label in (1, 2, 100):
            z, y, x = (int(rng.integers(0, n)) for n in volume.shape)
            volume[z, y : y + 4, x : x + int(rng.integers(1, 40))] = label
        monkeypatch.setattr(runs, "_BLOCK", block)
        monkeypatch.setattr(runs, "_TOGETHER", together)
        values, starts, stops = runs._runs(volume)
        again = np.zeros(volume.size, number)
        for value, start, stop in zip(values, starts, stops, strict=True):
            assert not again[start:stop].any()
            again[start:stop] = value
        assert (again.reshape(volume.shape) == volume).all()
        assert (starts[1:] >= stops[:-1]).all()


def test_rays_stop_where_rational_arithmetic_says():
    rng = np.random.default_rng(27)
    for _ in range(40):
        mask = brute.random_mask(rng, 12)
        cells = brute.cells_of(mask)
        points = corner_points(mask) if rng.random() < 0.5 else border_pixels(mask) * 2 + 1
        start = points[rng.integers(0, len(points), 12)]
        step = rng.integers(-9, 10, (12, 2))
        start, step = start[step.any(axis=1)], step[step.any(axis=1)]
        for point, way, found in zip(start.tolist(), step.tolist(), reach(lattice(mask), start, step), strict=True):
            base, move = [Fraction(k, 2) for k in point], [Fraction(k, 2) for k in way]
            parts = brute.free_parts(cells, 1, base, move, Fraction(0), Fraction(60))
            assert found == pytest.approx(float(parts[0][1]) if parts and parts[0][0] == 0 else 0.0, abs=NEAR)


def test_sectors_leave_out_no_pair_that_the_table_of_corridors_holds():
    rng = np.random.default_rng(28)
    for _ in range(6):
        y, x = np.mgrid[:48, :48] - 24
        mask = (np.hypot(y, x) < 22) & (np.hypot(y - 4, x) > rng.uniform(6, 14)) & (rng.random((48, 48)) > 0.02)
        grid, corners = lattice(mask), corner_points(mask)
        passable = _passable(grid, corners)
        every = {pair for i, j in _passing_pairs(corners, passable, None) for pair in zip(i, j, strict=True)}
        length = 0.8 * longest_inside(mask, (1.0, 1.0), Convention.CENTRE)[0]
        lanes = corridors(*far_blocks(grid, border_pixels(mask) * 2 + 1, (0.5, 0.5), length), mask.shape)
        i, j = np.array(sorted(every)).T
        held = lanes.hold(corners[i], corners[j] - corners[i])
        assert 0 < held.sum() < len(held)
        some = {pair for i, j in _passing_pairs(corners, passable, lanes) for pair in zip(i, j, strict=True)}
        assert {(a, b) for a, b in zip(i[held], j[held], strict=True)} <= some <= every
