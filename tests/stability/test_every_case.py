"""Stability of every conformance case: splits, merges, treatments, placements, new lesions, every criterion.

Expected values come from the engine itself, asked in the slow way: each draw on its own, each margin applied to the facts.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from decimal import Decimal

import pytest

from mrecist.conformance.cases import Case, load_cases
from mrecist.criteria import CRITERIA
from mrecist.errors import ReadError
from mrecist.model import Response
from mrecist.protocol import CriterionSetting, ResponseRules, StabilityRules
from mrecist.response.assess import Assessed, assess_read
from mrecist.response.margins import margins, resized
from mrecist.response.read import Read, build_read
from mrecist.stability.chances import chances
from mrecist.stability.drawn import draw_sizes

CASES = [case for case in load_cases().cases if case.measurements]
RULES = ResponseRules()
DRAWS = 40
SETTINGS = tuple(CriterionSetting(name=n, criterion=c, thresholds=c.thresholds) for n, c in CRITERIA.items())


def reads(case: Case) -> list[Read]:
    try:
        return [build_read(case.measurements)]
    except ReadError:
        return []


def visits(case: Case) -> list[Assessed]:
    return [v for read in reads(case) for setting in SETTINGS for v in assess_read(read, setting, RULES)]


def test_there_are_cases_with_reads() -> None:
    assert sum(len(reads(case)) for case in CASES) > 100


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.case)
def test_the_recorded_sizes_would_be_what_they_are(case: Case) -> None:
    for visit in visits(case):
        if visit.facts is not None and visit.would_be is not None:
            assert visit.would_be(visit.facts) == (visit.response.target, visit.response.overall)


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.case)
def test_a_margin_of_a_lesion_flips_and_one_step_less_does_not(case: Case) -> None:
    for visit in visits(case):
        found = margins(visit)
        if found is None or visit.facts is None or visit.would_be is None:
            continue
        facts, would_be = visit.facts, visit.would_be

        def overall(lesion: str, size: Decimal) -> Response:
            sizes = (resized(s, size, facts.unit, facts.thresholds) if s.lesion == lesion else s for s in facts.sizes)  # noqa: B023
            return would_be(replace(facts, sizes=tuple(sizes)))[1]  # noqa: B023

        for one in found.lesions:
            for flip, sign in ((one.less, -1), (one.more, 1)):
                if flip is not None:
                    assert overall(one.lesion, one.size + sign * flip.by) is flip.gives is not found.overall
                    assert overall(one.lesion, one.size + sign * (flip.by - found.step)) is found.overall
                    least = found.less if sign < 0 else found.more
                    assert least is not None
                    assert least.by <= flip.by


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.case)
def test_groups_of_draws_are_what_the_engine_says_of_each(case: Case) -> None:
    for read in reads(case):
        for setting in SETTINGS:
            sizes = draw_sizes(read, setting, RULES, StabilityRules(draws=DRAWS))
            counts: dict[int, Counter[Response]] = {}
            for draw in range(DRAWS):
                for visit in sizes.assessed(draw)[1:] if sizes.drawn else sizes.as_read[1:]:
                    if visit.response.overall is not None:
                        counts.setdefault(visit.response.timepoint, Counter())[visit.response.overall] += 1
            shares = {t: {c: Decimal(n) / DRAWS for c, n in of_visit.items()} for t, of_visit in counts.items()}
            assert chances(sizes) == shares
