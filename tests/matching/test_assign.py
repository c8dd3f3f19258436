"""The assignment against every possible one, and what is told in place of a forced match."""

from __future__ import annotations

from itertools import combinations, permutations
from math import inf, log

import numpy as np
import pytest

from mrecist.matching.assign import MARGIN, READERS_RATIO, VISITS_RATIO, Matched, assigned, cost, match
from mrecist.matching.lesions import Lesion, ball
from mrecist.matching.overlap import Fit


def every_matching(rows: int, columns: int) -> list[tuple[tuple[int, int], ...]]:
    """All one-to-one matchings, those that leave lesions alone too."""
    found = []
    for size in range(min(rows, columns) + 1):
        for mine in combinations(range(rows), size):
            for theirs in permutations(range(columns), size):
                found.append(tuple(zip(mine, theirs, strict=True)))
    return found


def saved(costs: np.ndarray, pairs: tuple[tuple[int, int], ...]) -> float:
    return float(sum(1 - costs[pair] for pair in pairs))


def random_costs(chance: np.random.Generator) -> np.ndarray:
    rows, columns = chance.integers(1, 5, size=2)
    costs = chance.random((rows, columns))
    costs[chance.random((rows, columns)) < 0.3] = inf
    return costs


def test_the_assignment_is_the_best_of_all() -> None:
    chance = np.random.default_rng(1)
    for _ in range(60):
        costs = random_costs(chance)
        best = max(saved(costs, pairs) for pairs in every_matching(*costs.shape) if saved(costs, pairs) > -inf)
        found = assigned(costs)
        assert saved(costs, found) == pytest.approx(best)
        assert len({i for i, _ in found}) == len({j for _, j in found}) == len(found)


def pairs_of(found: Matched) -> set[tuple[int, int]]:
    return {(pair.one, pair.other) for pair in found.pairs}


def some_balls(chance: np.random.Generator, count: int) -> list[Lesion]:
    return [ball(f"L{k}", chance.uniform(-7, 7, 3).tolist(), chance.uniform(8, 13)) for k in range(count)]


def test_margins_and_ambiguity_follow_from_every_possible_matching() -> None:
    """A pair is open when a matching that costs less than the margin more gives one of its lesions to another."""
    chance = np.random.default_rng(11)
    told = 0
    for _ in range(25):
        ones, others = some_balls(chance, 3), some_balls(chance, 3)
        found = match(ones, others, VISITS_RATIO)
        if found.covered:
            continue
        costs = np.array([[cost(one, VISITS_RATIO) for one in row] for row in found.fits])
        possible = [(saved(costs, pairs), pairs) for pairs in every_matching(3, 3) if saved(costs, pairs) > -inf]
        best, taken = max(possible)
        near = {pair for value, pairs in possible if best - value < MARGIN for pair in pairs}
        rivals = near - set(taken)
        open_ = {p for p in taken if any(p[0] == i or p[1] == j for i, j in rivals)}
        assert pairs_of(found) == set(taken) - open_
        assert {(i, j) for group in found.ambiguous for i, j, _ in group.pairs} >= open_
        for pair in found.pairs:
            without = max(value for value, pairs in possible if (pair.one, pair.other) not in pairs)
            assert pair.margin == pytest.approx(best - without)
        told += len(found.ambiguous)
    assert told  # the case occurs


def test_every_lesion_is_told_once_in_any_order_and_from_either_side() -> None:
    chance = np.random.default_rng(7)
    for _ in range(10):
        ones, others = some_balls(chance, 4), some_balls(chance, 3)
        found = match(ones, others, READERS_RATIO)
        mine = [p.one for p in found.pairs] + list(found.only_one)
        mine += [k for c in found.covered for k in (c.parts if c.first else () if c.beside is not None else (c.whole,))]
        mine += sorted({i for group in found.ambiguous for i, _, _ in group.pairs})
        assert sorted(mine) == [0, 1, 2, 3]
        turned = match(others, ones, READERS_RATIO)
        assert {(j, i) for i, j in pairs_of(found)} == pairs_of(turned)
        back = match(ones[::-1], others[::-1], READERS_RATIO)
        assert {(3 - i, 2 - j) for i, j in pairs_of(found)} == pairs_of(back)


def test_the_cost_is_its_formula_and_ends_at_its_limits() -> None:
    """Balls of radius 10 and 5, volumes 1000 and 125 (x 4/3 pi), 6 mm apart, 40 % of the small one in the large one, 2 mm off."""
    unit = 4 / 3 * np.pi
    one = Fit(shared_mm3=50 * unit, volumes_mm3=(1000 * unit, 125 * unit), apart_mm=6, off_mm=2)
    assert cost(one, 4.0) == pytest.approx(0.6 / 2 + 6 / (2 * 12) + log(2) / (4 * log(4)))
    assert cost(one, 1.9) == inf
    nothing = Fit(shared_mm3=0, volumes_mm3=(1000 * unit, 1000 * unit), apart_mm=12.1, off_mm=2)
    assert cost(nothing, 4.0) == inf
    assert cost(Fit(shared_mm3=5, volumes_mm3=(5, 5), apart_mm=0), 4.0) == 0


def test_neighbours_that_touch_are_matched_by_place() -> None:
    """Two balls of 20 mm side by side, drawn 3 mm further along: each is nearest to, and overlaps most with, its own."""
    ones = [ball("A", (0, 0, 0), 20), ball("B", (20, 0, 0), 20)]
    others = [ball("x", (23, 0, 0), 20), ball("y", (3, 0, 0), 20)]
    assert pairs_of(match(ones, others, READERS_RATIO)) == {(0, 1), (1, 0)}


def test_one_that_covers_two_is_told_and_not_matched() -> None:
    """Two balls of 16 mm beside each other within one of 32 mm."""
    parts, whole = [ball("A", (-8, 0, 0), 16), ball("B", (8, 0, 0), 16)], [ball("x", (0, 0, 0), 32)]
    merged, split = match(parts, whole, READERS_RATIO), match(whole, parts, READERS_RATIO)
    assert not merged.pairs
    assert not merged.only_one
    assert not merged.only_other
    assert [(c.parts, c.whole, c.first, c.beside) for c in merged.covered] == [((0, 1), 0, True, None)]
    assert [(c.parts, c.whole, c.first, c.beside) for c in split.covered] == [((0, 1), 0, False, None)]


def test_a_small_one_that_is_covered_does_not_cost_the_large_one_its_match() -> None:
    """A ball of 30 mm grown to 34 mm covers one of 6 mm beside it: the large one is the same, the small one is told."""
    ones, others = [ball("A", (0, 0, 0), 30), ball("B", (15, 0, 0), 6)], [ball("x", (0, 0, 0), 34)]
    found = match(ones, others, VISITS_RATIO)
    assert pairs_of(found) == {(0, 0)}
    assert [(c.parts, c.whole, c.beside) for c in found.covered] == [((1,), 0, 0)]


def test_what_fits_two_alike_is_left_open() -> None:
    """Two balls of 10 mm 6 mm apart, and two that lie between them, one above the other."""
    ones = [ball("A", (0, 0, 0), 10), ball("B", (6, 0, 0), 10)]
    others = [ball("x", (3, 0.5, 0), 10), ball("y", (3, -0.5, 0), 10)]
    found = match(ones, others, READERS_RATIO)
    assert not found.pairs
    assert [{(i, j) for i, j, _ in group.pairs} for group in found.ambiguous] == [{(0, 0), (0, 1), (1, 0), (1, 1)}]


def test_nothing_is_forced() -> None:
    one, far, large = ball("A", (0, 0, 0), 10), ball("x", (40, 0, 0), 10), ball("y", (0, 0, 0), 50)
    assert match([one], [far, large], VISITS_RATIO).only_other == (0, 1)
    assert match([], [far], VISITS_RATIO).only_other == (0,)
    assert match([one], [], VISITS_RATIO).only_one == (0,)
    assert match([], [], VISITS_RATIO).pairs == ()
