"""Mutation check of the conformance cases: every rule, row and number of a criterion, when altered, breaks a case."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest

from mrecist.conformance.cases import differences, load_cases
from mrecist.criteria import CRITERIA
from mrecist.criteria._rule import Criterion
from mrecist.model import Response
from mrecist.protocol import CriterionSetting, Protocol

CASES = load_cases()
NAMES = tuple(CRITERIA)
# No table of measurements can state a subject without any disease at baseline: the row never decides.
UNREACHABLE = (Response.NA, Response.NA)

RULES = [(name, rule.name) for name, criterion in CRITERIA.items() for rule in criterion.rules[:-1]]
ROWS = [
    (name, index)
    for name, criterion in CRITERIA.items()
    for index, (target, non_target, *_) in enumerate(criterion.overall)
    if (target, non_target) != tuple(frozenset({response}) for response in UNREACHABLE)
]
STEP = Decimal("0.1")
NUMBERS: list[tuple[str, str, Any]] = [
    (name, key, getattr(criterion.thresholds, key) + step)
    for name, criterion in CRITERIA.items()
    for key in ("pr_percent", "pd_percent", "pd_absolute_mm", "node_normal_mm", "too_small_mm")
    for step in (STEP, -STEP)
    if getattr(criterion.thresholds, key) > 0
]
NUMBERS += [("mrecist", "pd_absolute_mm", Decimal("2.1"))]
NUMBERS += [
    ("mrecist", key, Decimal(text)) for key in ("new_nodule_mm", "new_nodule_growth_mm") for text in ("9.9", "10.1")
]
NUMBERS += [("recist11", "max_targets", 4), ("recist11", "max_targets", 6)]
NUMBERS += [("recist11", "max_targets_per_organ", 1), ("recist11", "max_targets_per_organ", 3)]
NUMBERS += [("mrecist", "viable_phases", ("arterial", "portal"))]
NUMBERS += [(name, "pr_carry_forward", True) for name in NAMES]
BEST: list[tuple[str, Any]] = [
    ("sd_min_days", 41),
    ("sd_min_days", 43),
    ("cr_then_worse", "pr"),
    ("cr_then_worse", "as-recorded"),
    ("cut", ()),
    ("no_assessment", "MISSING"),
    ("confirm_min_days", 27),
    ("confirm_min_days", 29),
    ("confirm_max_ne_between", 0),
    ("confirm_max_ne_between", 2),
    ("confirm_sd_between", True),
]


def altered(name: str, change: Callable[[CriterionSetting], CriterionSetting]) -> Callable[[Protocol], Protocol]:
    """The same change to every setting of one criterion."""

    def change_protocol(protocol: Protocol) -> Protocol:
        settings = tuple(change(s) if s.criterion.name == name else s for s in protocol.criteria)
        return replace(protocol, criteria=settings)

    return change_protocol


def broken_by(name: str, change: Callable[[Criterion], Criterion]) -> list[str]:
    found = differences(CASES, altered(name, lambda setting: replace(setting, criterion=change(setting.criterion))))
    return [str(difference) for difference in found]


def test_nothing_differs_when_nothing_is_altered() -> None:
    assert broken_by("recist11", lambda criterion: criterion) == []


@pytest.mark.parametrize(("name", "rule"), RULES, ids=lambda value: str(value).replace(" ", "-"))
def test_every_rule_matters(name: str, rule: str) -> None:
    assert broken_by(name, lambda c: replace(c, rules=tuple(r for r in c.rules if r.name != rule)))


@pytest.mark.parametrize(("name", "index"), ROWS)
def test_every_row_of_the_overall_table_matters(name: str, index: int) -> None:
    def spoil(criterion: Criterion) -> Criterion:
        target, non_target, new, overall, source = criterion.overall[index]
        other = Response.NE if overall is not Response.NE else Response.SD
        rows = list(criterion.overall)
        rows[index] = (target, non_target, new, other, source)
        return replace(criterion, overall=tuple(rows))

    assert broken_by(name, spoil)


@pytest.mark.parametrize("name", NAMES)
def test_the_order_of_the_rules_matters(name: str) -> None:
    rules = [rule.name for rule in CRITERIA[name].rules]
    for first, second in (("complete response", "progression"), ("progression", "partial response")):
        swapped = list(CRITERIA[name].rules)
        i, j = rules.index(first), rules.index(second)
        swapped[i], swapped[j] = swapped[j], swapped[i]
        assert broken_by(name, lambda c, swapped=swapped: replace(c, rules=tuple(swapped))), (first, second)


@pytest.mark.parametrize(("name", "key", "value"), NUMBERS)
def test_every_number_matters(name: str, key: str, value: Any) -> None:
    def change(setting: CriterionSetting) -> CriterionSetting:
        return replace(setting, thresholds=replace(setting.thresholds, **{key: value}))

    assert differences(CASES, altered(name, change))


@pytest.mark.parametrize(("key", "value"), BEST)
def test_every_setting_of_best_response_matters(key: str, value: Any) -> None:
    def change(protocol: Protocol) -> Protocol:
        return replace(protocol, response=replace(protocol.response, **{key: value}))

    assert differences(CASES, change)
