"""Lesions of two reads matched one to one: the assignment of least cost, with limits, and what it leaves open.

The cost of a pair is out of the place (half of it by how much of the smaller lesion lies in the larger one, half by the distance of
the middles, in the larger radius) and of the size. A pair beyond the limits is never matched. Of all one-to-one matchings the one is
taken that saves most against leaving all alone (Kuhn 1955, as scipy.optimize.linear_sum_assignment solves it); where another one is
nearly as good, the lesions that the two place differently are told as ambiguous, and none of them is matched.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from math import inf, log

import numpy as np

from mrecist.matching.lesions import Lesion, Points
from mrecist.matching.overlap import Body, Fit, body_of, fits

READERS_RATIO = 2.0
"""Two readers on one scan; 95 % limits of agreement of the longest diameter are -22.1 to +25.4 % (Yoon 2016)."""
VISITS_RATIO = 4.0
"""Between visits a lesion may shrink to a quarter and grow to four times its diameter before it is taken for another."""
# What a pair costs by its size alone, at the limit of the ratio.
_SIZE_COST = 0.25
# A pair that costs so much is as good as none.
_ALONE = 1.0
# Another matching that is dearer by less than this is nearly as good.
MARGIN = 0.1
# Lesions of which this share lies in one other lesion are covered by it.
COVERED = 0.5
# Where they add less than this to the Dice of the best of them with the lesion that covers them, that best one is its match.
_GAINED = 0.1


@dataclass(frozen=True, slots=True, kw_only=True)
class Pair:
    """One lesion of each read that are the same; ``margin`` is what the best matching without this pair costs more."""

    one: int
    other: int
    fit: Fit
    margin: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Covered:
    """Lesions of one read that one lesion of the other covers.

    Parameters
    ----------
    parts, whole : the covered ones, and the one that covers them.
    first : the parts are of the first read.
    fits : each part with the whole, in the order of the reads.
    beside : a lesion of the parts' read that is matched with the whole, because the parts add little to it; None where several make it.
    """

    parts: tuple[int, ...]
    whole: int
    first: bool
    fits: tuple[Fit, ...]
    beside: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Open:
    """Lesions of which more than one matching fits: every pair that could be, with its fit."""

    pairs: tuple[tuple[int, int, Fit], ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Matched:
    """What came of two lists of lesions: every lesion stands in one of these, and beside it perhaps as what covers others.

    Numbers are places in the lists.
    """

    pairs: tuple[Pair, ...]
    covered: tuple[Covered, ...] = ()
    ambiguous: tuple[Open, ...] = ()
    only_one: tuple[int, ...] = ()
    only_other: tuple[int, ...] = ()
    fits: Sequence[Sequence[Fit]] = field(default=(), repr=False)


def cost(fit: Fit, ratio: float) -> float:
    """What a pair costs: 0 for equal masks, below 1 where it may be matched, infinite beyond the limits.

    With d the distance of the middles, R and r the larger and smaller radius of balls of the volumes, c the share of the smaller
    lesion in the larger one, off how far the places may be off (mm): (1 - c) / 2 + d / (2 (R + off)) + log(R / r) / (4 log ratio).
    """
    small, large = sorted(fit.radii_mm)
    away = fit.apart_mm / (large + fit.off_mm)
    size = log(large / small) / log(ratio)
    if size > 1 or (away > 1 and fit.contained < COVERED):
        return inf
    found = (1 - fit.contained) / 2 + away / 2 + _SIZE_COST * size
    return found if found < _ALONE else inf


def match(ones: Sequence[Lesion], others: Sequence[Lesion], ratio: float, margin: float = MARGIN) -> Matched:
    """Match two lists of lesions that lie in one frame of reference.

    Parameters
    ----------
    ratio : of the radii, the larger by the smaller, beyond which two lesions are not one.
    margin : a matching that costs less than this more than the best one is as good.
    """
    return match_bodies([body_of(one) for one in ones], [body_of(other) for other in others], ratio, margin)


def match_bodies(ones: Sequence[Body], others: Sequence[Body], ratio: float, margin: float = MARGIN) -> Matched:
    """As :func:`match`, of lesions whose voxels are known already."""
    found = fits(ones, others)
    costs = np.array([[cost(one, ratio) for one in row] for row in found])
    costs = costs.reshape(len(ones), len(others))
    taken = assigned(costs)
    margins = {pair: _without(costs, pair) - _total(costs, taken) for pair in taken}
    covered = _covered(found, taken)
    told_one = {p for c in covered for p in (c.parts if c.first else _made(c))}
    told_other = {p for c in covered for p in (_made(c) if c.first else c.parts)}
    left = [(i, j) for i, j in taken if i not in told_one and j not in told_other]
    rivals = [(i, j) for i, j in _rivals(costs, taken, margin) if i not in told_one and j not in told_other]
    ambiguous = _ambiguous(found, left, rivals)
    open_one = {i for group in ambiguous for i, _, _ in group.pairs}
    open_other = {j for group in ambiguous for _, j, _ in group.pairs}
    pairs = [(i, j) for i, j in left if i not in open_one and j not in open_other]
    used_one = told_one | open_one | {i for i, _ in pairs}
    used_other = told_other | open_other | {j for _, j in pairs}
    return Matched(
        pairs=tuple(Pair(one=i, other=j, fit=found[i][j], margin=margins[i, j]) for i, j in pairs),
        covered=covered,
        ambiguous=ambiguous,
        only_one=tuple(i for i in range(len(ones)) if i not in used_one),
        only_other=tuple(j for j in range(len(others)) if j not in used_other),
        fits=found,
    )


def _made(covered: Covered) -> tuple[int, ...]:
    """The whole, where no one part is most of it."""
    return () if covered.beside is not None else (covered.whole,)


def assigned(costs: Points) -> tuple[tuple[int, int], ...]:
    """The pairs of the one-to-one matching of least cost, where a lesion that stays alone costs half of what no pair may cost."""
    from scipy.optimize import linear_sum_assignment

    if not costs.size:
        return ()
    # A pair saves what it costs less than two lesions that stay alone; what saves nothing is not taken.
    saved = np.where(np.isfinite(costs), _ALONE - costs, 0.0)
    rows, columns = linear_sum_assignment(saved, maximize=True)
    return tuple((int(i), int(j)) for i, j in zip(rows, columns, strict=True) if saved[i, j] > 0)


def _total(costs: Points, pairs: Sequence[tuple[int, int]]) -> float:
    """Against leaving all alone."""
    return float(sum(costs[pair] - _ALONE for pair in pairs))


def _without(costs: Points, pair: tuple[int, int]) -> float:
    """What the best matching costs that does not hold the pair."""
    others = costs.copy()
    others[pair] = inf
    return _total(others, assigned(others))


def _rivals(costs: Points, taken: Sequence[tuple[int, int]], margin: float) -> list[tuple[int, int]]:
    """Pairs that are not of the best matching and stand in one that is nearly as good."""
    best = _total(costs, taken)
    finite = [(int(i), int(j)) for i, j in np.argwhere(np.isfinite(costs))]
    return [pair for pair in finite if pair not in taken and _with(costs, pair) - best < margin]


def _with(costs: Points, pair: tuple[int, int]) -> float:
    """What the best matching costs that holds the pair."""
    i, j = pair
    rest = np.delete(np.delete(costs, i, axis=0), j, axis=1)
    return float(costs[pair]) - _ALONE + _total(rest, assigned(rest))


def _ambiguous(
    found: Sequence[Sequence[Fit]], taken: Sequence[tuple[int, int]], rivals: Sequence[tuple[int, int]]
) -> tuple[Open, ...]:
    """Rivals with the pairs that they rival, those that share a lesion together."""
    edges = set(rivals) | {(i, j) for i, j in taken if any(i == k or j == m for k, m in rivals)}
    groups: list[set[tuple[int, int]]] = []
    for edge in sorted(edges):
        touching = [g for g in groups if any(edge[0] == i or edge[1] == j for i, j in g)]
        groups = [g for g in groups if g not in touching] + [{edge}.union(*touching)]
    # A rival of which the other lesion was told as covered leaves no choice.
    return tuple(
        Open(pairs=tuple((i, j, found[i][j]) for i, j in sorted(group)))
        for group in sorted(groups, key=min)
        if len(group) > 1
    )


def _covered(found: Sequence[Sequence[Fit]], taken: Sequence[tuple[int, int]]) -> tuple[Covered, ...]:
    """Lesions that cover two or more of the other read, better together than the best one alone."""
    covered = [
        *(_over([row[j] for row in found], i, j, first=True, taken=taken) for i, j in taken),
        *(_over(found[i], j, i, first=False, taken=taken) for i, j in taken),
    ]
    chosen: list[Covered] = []
    used: tuple[set[int], set[int]] = (set(), set())
    for one in filter(None, covered):
        parts = set(one.parts) | ({one.beside} if one.beside is not None else set())
        mine, theirs = (parts, {one.whole}) if one.first else ({one.whole}, parts)
        if not mine & used[0] and not theirs & used[1]:
            chosen.append(one)
            used[0].update(mine)
            used[1].update(theirs)
    return tuple(chosen)


def _over(
    column: Sequence[Fit], own: int, whole: int, *, first: bool, taken: Sequence[tuple[int, int]]
) -> Covered | None:
    """What a lesion covers: its own match and others that are nobody's match. ``column``: all of the parts' read with it."""
    place = 0 if first else 1
    of_others = {pair[place] for pair in taken}
    more = [k for k, one in enumerate(column) if k not in of_others and one.shares[place] >= COVERED]
    if not more or column[own].shares[place] < COVERED:
        return None
    parts = sorted([own, *more])
    shared = sum(column[k].shared_mm3 for k in parts)
    volume = sum(column[k].volumes_mm3[place] for k in parts) + column[own].volumes_mm3[1 - place]
    gained = 2 * shared / volume - column[own].dice
    if gained <= 0:
        return None
    if gained < _GAINED:
        parts.remove(own)
    return Covered(
        parts=tuple(parts),
        whole=whole,
        first=first,
        fits=tuple(column[k] for k in parts),
        beside=own if gained < _GAINED else None,
    )
