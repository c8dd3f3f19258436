"""How often each category comes when the measurements are made again with their error.

The criterion's rules are not written a second time. At each visit the draws are grouped by what the visits before left for it and
by the outcome of every comparison that the rules make there (each sum against its cut-offs, each node against its normal size,
for iRECIST each sum against earlier ones). Draws of a group have one derivation, so one draw of each goes through the engine and
counts for all.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from decimal import Decimal

import numpy as np
import numpy.typing as npt

from mrecist.criteria._conditions import REIMAGE_BELOW_MM
from mrecist.model import Kind, Response
from mrecist.response.assess import Assessed
from mrecist.stability.drawn import Floats, Sizes

Ints = npt.NDArray[np.int64]
Chances = dict[int, dict[Response, Decimal]]


def chances(sizes: Sizes) -> Chances:
    """Time point -> category -> share of the draws, for every follow-up; a category that never came is left out."""
    groups = _Groups(sizes)
    found: Chances = {}
    for index, signs in enumerate(_signs_by_visit(sizes, groups.draws)):
        counts: dict[Response, int] = {}
        for visit, members in groups.at(index + 1, signs):
            if visit.response.overall is not None:
                counts[visit.response.overall] = counts.get(visit.response.overall, 0) + len(members)
        timepoint = sizes.as_read[index + 1].response.timepoint
        found[timepoint] = {category: Decimal(count) / groups.draws for category, count in counts.items()}
    return found


class _Groups:
    """The draws of a read, visit by visit in groups that the engine cannot tell apart."""

    def __init__(self, sizes: Sizes) -> None:
        self.sizes = sizes
        self.draws = len(next(iter(sizes.drawn.values())).steps) if sizes.drawn else 1
        self.before: Ints = np.zeros(self.draws, dtype=np.int64)
        limits = sizes.setting.thresholds
        if limits.regained_min_mm > 0 or limits.modality_change == "NE":
            # Here the history of a single lesion decides whether it enters the sum: every draw is a group of its own.
            self.before = np.arange(self.draws)
        self.assessed: dict[int, tuple[Assessed, ...]] = {}
        self.known = np.zeros(self.draws, dtype=bool)

    def at(self, index: int, signs: list[Ints]) -> Iterator[tuple[Assessed, Ints]]:
        """The groups at one visit: its assessment in one of the draws, and the draws."""
        keys = np.stack([self.before, *signs], axis=1)
        _, group = np.unique(keys, axis=0, return_inverse=True)
        order = np.argsort(group, kind="stable")
        left = np.empty(self.draws, dtype=np.int64)
        names: dict[object, int] = {}
        for members in np.split(order, np.flatnonzero(np.diff(group.ravel()[order])) + 1):
            visit = self._assess(members)[index]
            left[members] = names.setdefault(self._left_by(visit, members), len(names))
            yield visit, members
        self.before = left

    def _assess(self, members: Ints) -> tuple[Assessed, ...]:
        draw = int(members[np.argmax(self.known[members])])
        if draw not in self.assessed:
            self.assessed[draw] = self.sizes.assessed(draw) if self.sizes.drawn else self.sizes.as_read
            self.known[draw] = True
        return self.assessed[draw]

    def _left_by(self, visit: Assessed, members: Ints) -> object:
        """What the visit leaves for the next, sums apart: those are compared there."""
        before = int(self.before[members[0]])
        limits = self.sizes.setting.thresholds
        if limits.regained_min_mm > 0 or limits.modality_change == "NE":
            return before
        if self.sizes.setting.criterion.confirms_progression:
            # What waits for confirmation follows from all categories so far; a scan too early to confirm has a flag.
            return before, visit.response.target, visit.response.overall, visit.response.flags
        return None if visit.so_far is None else replace(visit.so_far, nadir=None)


def _signs_by_visit(sizes: Sizes, draws: int) -> Iterator[list[Ints]]:
    """For each follow-up every comparison that its rules make: -1 below, 0 at, 1 above, one array over the draws each."""
    limits = sizes.setting.thresholds
    baseline = None
    if sizes.as_read[0].response.baseline_sum is not None:
        baseline = _sum(sizes, sizes.as_read[0], draws)
    nadir = baseline
    earlier: list[Floats] = []
    for visit in sizes.as_read[1:]:
        now = _sum(sizes, visit, draws)
        signs = list(_nodes(sizes, visit.response.timepoint))
        if baseline is not None:
            signs.append(_compared(now * 100, baseline * float(100 - limits.pr_percent)))
        reference = baseline if limits.pd_reference == "baseline" else nadir
        if reference is not None:
            signs.append(_compared(now * 100, reference * float(100 + limits.pd_percent)))
            signs.append(_compared(now, reference + float(limits.pd_absolute_mm)))
        if sizes.setting.criterion.confirms_progression:
            signs += [_compared(now, before + float(limits.icpd_mm)) for before in earlier]
        if visit.facts is not None and visit.facts.sum is not None:
            nadir = now if nadir is None else np.minimum(nadir, now)
        earlier.append(now)
        yield signs


def _nodes(sizes: Sizes, timepoint: int) -> Iterator[Ints]:
    for (t, _), one in sizes.drawn.items():
        if t == timepoint and one.size.kind is Kind.NODE:
            yield _compared(one.values, float(sizes.setting.thresholds.node_normal_mm))
            yield _compared(one.values, float(REIMAGE_BELOW_MM))


def _sum(sizes: Sizes, visit: Assessed, draws: int) -> Floats:
    """The evaluated sum of a visit in every draw."""
    known = visit.response.baseline_sum if visit.facts is None else visit.facts.known_sum
    result = np.full(draws, float(known or 0))
    for (timepoint, _), one in sizes.drawn.items():
        if timepoint == visit.response.timepoint:
            result += one.values - float(one.size.size or 0)
    return result


def _compared(one: Floats, other: Floats | float) -> Ints:
    """The sign of the difference; sizes are multiples of a step, so what binary floats leave over of an equality is none."""
    apart = one - other
    return np.where(np.abs(apart) <= 1e-9 * (np.abs(one) + 1), 0, np.sign(apart)).astype(np.int64)
