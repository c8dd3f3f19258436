"""A line or a click on made blocks, beside the masks that were made; floors are those of docs/segmentation.md less a margin."""

from __future__ import annotations

from dataclasses import replace
from functools import cache
from itertools import pairwise

import numpy as np
import pytest

from mrecist import measure_lesion
from mrecist.errors import MaskError
from mrecist.samples.liver_blocks import PLANS, Block, make_block
from mrecist.segment.click import line_of_click
from mrecist.segment.prompt import Line, Scribbles
from mrecist.segment.viable import split_viable
from mrecist.segment.whole import dice, segment_line

SPACING = (2.5, 0.78125, 0.78125)
RIM, SMALL, THIN, SOLID, DEAD = 0, 1, 3, 4, 7


@cache
def block(number: int, seed: int | None = None) -> Block:
    plan = PLANS[number]
    return make_block(plan if seed is None else replace(plan, seed=seed))


def line_of(one: Block, scale: float = 1.0) -> Line:
    longest = measure_lesion(one.whole, one.geometry).longest
    ends = np.array(longest.ends_index)
    ends = ends.mean(axis=0) + (ends - ends.mean(axis=0)) * scale
    return Line(start=(longest.slice_index, *ends[0]), end=(longest.slice_index, *ends[1]))


@pytest.mark.parametrize(
    ("number", "seed", "scale", "floor"),
    [
        (RIM, None, 1.0, 0.95),
        (SMALL, None, 1.0, 0.83),
        (SOLID, None, 1.0, 0.92),
        (RIM, 71, 1.0, 0.94),
        (RIM, None, 0.7, 0.9),
    ],
)
def test_a_line_gives_the_lesion(number: int, seed: int | None, scale: float, floor: float) -> None:
    one = block(number, seed)
    assert dice(segment_line([one.arterial, one.portal], SPACING, line_of(one, scale)), one.whole) >= floor


@pytest.mark.parametrize(("number", "floor"), [(RIM, 0.9), (THIN, 0.85), (SOLID, 0.92)])
def test_the_viable_part_of_the_true_lesion(number: int, floor: float) -> None:
    one = block(number)
    assert dice(split_viable(one.whole, one.arterial, SPACING).mask, one.viable) >= floor


def test_a_dead_lesion_has_no_viable_part() -> None:
    one = block(DEAD)
    part = split_viable(one.whole, one.arterial, SPACING)
    assert not part.mask.any()
    assert "nothing viable" in part.why


def test_dense_material_is_not_viable_without_a_native_phase_and_is_told() -> None:
    one = block(SOLID)
    oil = one.arterial.copy()
    z, y, x = (round(float(v)) for v in np.argwhere(one.whole).mean(axis=0))
    oil[z - 1 : z + 2, y - 4 : y + 5, x - 4 : x + 5] = 600
    part = split_viable(one.whole, oil, SPACING)
    assert not part.mask[z, y, x]
    assert part.dense >= 9
    assert "oil or calcium" in part.why


def test_a_native_phase_decides_by_what_was_gained() -> None:
    one = block(SOLID)
    half = one.whole & (np.arange(one.whole.shape[2]) > np.argwhere(one.whole)[:, 2].mean())
    native = np.full_like(one.arterial, 50)
    arterial = native + np.where(half, 60, 0).astype(np.float32)
    part = split_viable(one.whole, arterial, SPACING, native=native)
    assert part.by == "arterial - native"
    assert dice(part.mask, half) > 0.95


def test_a_higher_cut_off_never_adds_viable_voxels() -> None:
    one = block(RIM)
    parts = [split_viable(one.whole, one.arterial, SPACING, cutoff=c).mask for c in (60, 65, 70, 75, 80)]
    sizes = [int(part.sum()) for part in parts]
    assert sizes == sorted(sizes, reverse=True)
    # Five HU either way move a clear border by little.
    assert min(dice(a, b) for a, b in pairwise(parts)) > 0.95


def test_the_same_line_gives_the_same_mask() -> None:
    one = block(SOLID)
    first, second = (segment_line([one.arterial, one.portal], SPACING, line_of(one)) for _ in range(2))
    np.testing.assert_array_equal(first, second)


def test_a_moved_lesion_gives_a_moved_mask() -> None:
    one = block(SOLID)
    line = line_of(one)
    first = segment_line([one.arterial, one.portal], SPACING, line)
    pad = ((2, 0), (5, 0), (3, 0))
    phases = [np.pad(p, pad, mode="edge") for p in (one.arterial, one.portal)]
    start, end = (tuple(np.add(p, (2, 5, 3))) for p in (line.start, line.end))
    moved = segment_line(phases, SPACING, Line(start=start, end=end))
    assert dice(moved[2:, 5:, 3:], first) > 0.999
    assert int(moved.sum()) == pytest.approx(int(first.sum()), rel=0.002)


@pytest.mark.parametrize("axis", [0, 1, 2])
def test_a_mirrored_lesion_gives_a_mirrored_mask(axis: int) -> None:
    one = block(SOLID)
    line = line_of(one)
    first = segment_line([one.arterial, one.portal], SPACING, line)

    def mirrored(point: tuple[float, float, float]) -> tuple[float, float, float]:
        z, y, x = (one.whole.shape[a] - 1 - v if a == axis else v for a, v in enumerate(point))
        return z, y, x

    flipped = Line(start=mirrored(line.start), end=mirrored(line.end))
    found = segment_line([np.flip(p, axis).copy() for p in (one.arterial, one.portal)], SPACING, flipped)
    # Edge-preserving smoothing and ties of the cut are not exactly symmetric.
    assert dice(np.flip(found, axis), first) > 0.99


def test_scribbles_are_kept() -> None:
    one = block(SOLID)
    line = line_of(one)
    first = segment_line([one.arterial, one.portal], SPACING, line)
    inside, outside = np.argwhere(first), np.argwhere(~first)
    middle = inside.mean(axis=0)
    take = tuple(int(v) for v in inside[np.linalg.norm((inside - middle) * SPACING, axis=1).argmax()])
    add = tuple(int(v) for v in outside[np.linalg.norm((outside - middle) * SPACING, axis=1).argmin()])
    again = segment_line([one.arterial, one.portal], SPACING, line, Scribbles(add=(add,), remove=(take,)))
    assert again[add]
    assert not again[take]


@pytest.mark.parametrize(
    ("start", "end", "words"),
    [((5, 20, 20), (5, 21, 20), "at least 3 mm"), ((5, -9, 20), (5, 30, 20), "outside the volume")],
)
def test_a_bad_line_is_told_in_one_line(start: tuple[int, int, int], end: tuple[int, int, int], words: str) -> None:
    one = block(SOLID)
    with pytest.raises(MaskError, match=words) as told:
        segment_line([one.arterial], SPACING, Line(start=start, end=end))
    assert "\n" not in str(told.value)


@pytest.mark.parametrize("number", [RIM, SOLID])
def test_a_click_gives_a_line_that_gives_the_lesion(number: int) -> None:
    one = block(number)
    longest = measure_lesion(one.whole, one.geometry).longest
    row, column = np.array(longest.ends_index).mean(axis=0)
    line = line_of_click([one.arterial], SPACING, (longest.slice_index, row + 2, column - 2))
    length = float(np.linalg.norm((np.array(line.end) - np.array(line.start)) * SPACING))
    assert length == pytest.approx(longest.mm, rel=0.3)
    assert dice(segment_line([one.arterial, one.portal], SPACING, line), one.whole) > 0.9


def test_a_click_on_nothing_is_told() -> None:
    flat = np.full((9, 120, 120), 70, np.float32) + np.random.default_rng(1).normal(size=(9, 120, 120)).astype(
        np.float32
    )
    with pytest.raises(MaskError, match="nothing at the click"):
        line_of_click([flat], SPACING, (4, 60, 60))
    with pytest.raises(MaskError, match="outside the volume"):
        line_of_click([flat], SPACING, (4, 160, 60))
