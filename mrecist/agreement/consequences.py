"""What disagreement amounts to: classes that swaps change, and cases that are adjudicated."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace

import numpy as np

from mrecist.agreement.about import About, group_named, subgroups
from mrecist.agreement.adjudication import Said
from mrecist.agreement.categorical import difference_of_shares, share_of
from mrecist.agreement.continuous import mean_of
from mrecist.agreement.reads import Reads
from mrecist.agreement.rows import Row
from mrecist.agreement.scales import QUESTIONS
from mrecist.agreement.swaps import BASELINE, FOLLOW_UP, OF_READ, SWAPS, Crossed, Swap
from mrecist.agreement.variables import VISIT_RESPONSE
from mrecist.model import Response

_VARY = "mean over the readers held fixed of the share of subjects whose class is not one and the same when only this is varied"

_PAIR = "share of the two readers' classes that change with the other's; n counts both directions"


def swap_rows(
    reads: Reads, crossed: Iterable[Crossed], swaps: Sequence[Swap], groups: Mapping[str, Mapping[str, str]]
) -> Iterator[Row]:
    """How often a swap changes the class, by criterion, subgroup and visit: over all readers at once, and by pair.

    Best response and progression by pair only.
    """
    found = list(crossed)
    for criterion in reads.criteria:
        visits = {one.timepoint for one in swaps if one.criterion == criterion}
        timepoints = sorted(one for one in visits if one is not None)
        for group, member in subgroups(reads, groups):
            mine = [one for one in found if one.criterion == criterion and member(one.subject)]
            theirs = [one for one in swaps if one.criterion == criterion and member(one.subject)]
            for timepoint in timepoints:
                about = About(
                    criterion=criterion, variable=VISIT_RESPONSE, group=group_named(group, f"visit={timepoint}")
                )
                yield from _varied(reads, mine, replace(about, readers=reads.readers), timepoint)
                yield from _by_pair(reads, [one for one in theirs if one.timepoint == timepoint], about)
            for variable in OF_READ:
                about = About(criterion=criterion, variable=variable, group=group)
                yield from _by_pair(reads, [one for one in theirs if one.variable == variable], about)


def _varied(reads: Reads, crossed: list[Crossed], about: About, timepoint: int) -> Iterator[Row]:
    """Subjects whose whole grid of baselines and follow-ups is known at the visit."""
    grids = [grid for one in crossed if (grid := _grid(one, reads.readers, timepoint)) is not None]
    if not grids:
        return
    for name, yes in (("", None), ("OR", QUESTIONS["OR"])):
        shares = {
            FOLLOW_UP: np.array([_not_one(grid, yes) for grid in grids]),
            BASELINE: np.array([_not_one([list(c) for c in zip(*grid, strict=True)], yes) for grid in grids]),
        }
        asked = replace(about, variable=f"{VISIT_RESPONSE}:{name}") if name else about
        for swap, values in shares.items():
            yield Row(about=asked, statistic=f"varying_{swap}", of=mean_of(values), method=_VARY)
        apart = difference_of_shares(shares[FOLLOW_UP], shares[BASELINE])
        yield Row(about=asked, statistic="varying_difference", of=apart, form="follow_up less baseline", method=_VARY)


def _grid(one: Crossed, readers: Sequence[str], timepoint: int) -> list[list[Response]] | None:
    """Rows: whose baseline; columns: whose follow-up. None unless all are known."""
    cells = [[one.grid.get((a, b), {}).get(timepoint) for b in readers] for a in readers]
    rows = [[cell for cell in row if cell is not None] for row in cells]
    return rows if all(len(row) == len(readers) for row in rows) else None


def _not_one(grid: list[list[Response]], yes: frozenset[Response] | None) -> float:
    """Share of the rows that hold more than one class, or more than one answer to the question."""
    return float(np.mean([len({c if yes is None else c in yes for c in row}) > 1 for row in grid]))


def _by_pair(reads: Reads, swaps: list[Swap], about: About) -> Iterator[Row]:
    for swap in SWAPS:
        for pair in reads.pairs():
            known = [s for s in swaps if s.swap == swap and {s.reader, s.other} == set(pair) and s.changes is not None]
            if known:
                changes = np.array([bool(s.changes) for s in known])
                subject = np.array([reads.number[s.subject] for s in known], dtype=np.int64)
                share = share_of(changes, subject)
                yield Row(about=replace(about, readers=pair), statistic=f"swap_{swap}", of=share, method=_PAIR)


def adjudication_rows(reads: Reads, said: Sequence[Said], variables: tuple[str, ...]) -> Iterator[Row]:
    """The share of cases that are adjudicated."""
    for criterion in reads.criteria:
        listed = {one.subject for one in said if one.criterion == criterion}
        cases = [s for s in reads.subjects if len(reads.of(s, criterion)) > 1]
        about = About(criterion=criterion, variable=";".join(variables), readers=reads.readers)
        share = mean_of(np.array([float(s in listed) for s in cases]))
        yield Row(
            about=about, statistic="adjudication_rate", of=share, method="cases with two reads or more that differ"
        )
