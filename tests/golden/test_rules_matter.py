"""Mutation check of the conformance cases: every rule, row, number and option of a criterion, when altered, breaks a case."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import fields, replace
from decimal import Decimal
from functools import cache
from typing import Any

import pytest

from mrecist.conformance.cases import load_cases
from mrecist.conformance.own import differences
from mrecist.criteria import CRITERIA
from mrecist.criteria._rule import Criterion, Thresholds
from mrecist.criteria.irecist import CONFIRMED_BY
from mrecist.model import Response
from mrecist.protocol import CriterionSetting, Origin, Protocol, ResponseRules
from mrecist.response import immune

CASES = load_cases()
NAMES = tuple(CRITERIA)
Change = Callable[[Protocol], Protocol]


@cache
def before(criterion: str | None) -> frozenset[str]:
    """What differs without any change; nothing, unless a case shows a fault of the engine."""
    return frozenset(str(difference) for difference in differences(CASES, criterion=criterion))


def broken_by(change: Change, criterion: str | None = None) -> str | None:
    """The first expected value that only the altered engine misses."""
    found = (str(difference) for difference in differences(CASES, change, criterion))
    return next((difference for difference in found if difference not in before(criterion)), None)


def altered(name: str, change: Callable[[CriterionSetting], CriterionSetting]) -> Change:
    """The same change to every setting of one criterion."""

    def change_protocol(protocol: Protocol) -> Protocol:
        settings = tuple(change(s) if s.criterion.name == name else s for s in protocol.criteria)
        return replace(protocol, criteria=settings)

    return change_protocol


def with_criterion(name: str, change: Callable[[Criterion], Criterion]) -> str | None:
    return broken_by(altered(name, lambda setting: replace(setting, criterion=change(setting.criterion))), name)


def with_threshold(name: str, key: str, value: Any) -> str | None:
    def change(setting: CriterionSetting) -> CriterionSetting:
        return replace(setting, thresholds=replace(setting.thresholds, **{key: value}))

    return broken_by(altered(name, change), name)


@pytest.mark.parametrize("name", NAMES)
def test_nothing_differs_when_nothing_is_altered(name: str) -> None:
    assert with_criterion(name, lambda criterion: criterion) is None


# --- rules -----------------------------------------------------------------------------------------------------------

RULES = [(name, rule.name) for name, criterion in CRITERIA.items() for rule in criterion.rules[:-1]]


@pytest.mark.parametrize(("name", "rule"), RULES, ids=lambda value: str(value).replace(" ", "-"))
def test_every_rule_matters(name: str, rule: str) -> None:
    assert with_criterion(name, lambda c: replace(c, rules=tuple(r for r in c.rules if r.name != rule)))


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("pair", [("complete response", "progression"), ("progression", "partial response")])
def test_the_order_of_the_rules_matters(name: str, pair: tuple[str, str]) -> None:
    rules = list(CRITERIA[name].rules)
    i, j = ([rule.name for rule in rules].index(rule) for rule in pair)
    rules[i], rules[j] = rules[j], rules[i]
    assert with_criterion(name, lambda c: replace(c, rules=tuple(rules)))


@pytest.mark.parametrize("reason", CONFIRMED_BY)
def test_everything_that_confirms_a_progression_matters(reason: str, monkeypatch: pytest.MonkeyPatch) -> None:
    def without(now: Any, block: Any) -> Iterator[tuple[str, str]]:
        return (found for found in confirming(now, block) if found[0] != reason)

    before("irecist")
    confirming = immune._confirming
    monkeypatch.setattr(immune, "_confirming", without)
    assert broken_by(lambda protocol: protocol, "irecist")


# --- the overall table -----------------------------------------------------------------------------------------------


def unreachable(name: str, row: tuple[Any, ...]) -> str:
    """Why no case can reach a row of the overall table; "" when one can."""
    target, non_target, new, overall, _ = row
    if target == non_target == {Response.NA}:
        return "no table of measurements can state a subject without any disease at baseline"
    if CRITERIA[name].confirms_progression and (overall is Response.PD or new):
        return "a progression never reaches the table: Table 2 of Seymour 2017 decides before"
    return ""


ROWS = [(name, index) for name, criterion in CRITERIA.items() for index in range(len(criterion.overall))]


@pytest.mark.parametrize(("name", "index"), [(n, i) for n, i in ROWS if not unreachable(n, CRITERIA[n].overall[i])])
def test_every_row_of_the_overall_table_matters(name: str, index: int) -> None:
    def spoil(criterion: Criterion) -> Criterion:
        target, non_target, new, overall, source = criterion.overall[index]
        other = Response.NE if overall is not Response.NE else Response.SD
        rows = list(criterion.overall)
        rows[index] = (target, non_target, new, other, source)
        return replace(criterion, overall=tuple(rows))

    assert with_criterion(name, spoil)


def test_the_unreachable_rows_are_few() -> None:
    reasons = [(name, index) for name, index in ROWS if unreachable(name, CRITERIA[name].overall[index])]
    assert reasons == [(n, 12 if n != "mrecist" else 13) for n in ("recist11", "mrecist")] + [
        *(("irecist", index) for index in (0, 1, 2, 12)),
        *((name, 12) for name in ("easl", "qeasl", "vrecist", "choi", "recicl")),
    ]


# --- numbers and options of the criteria -----------------------------------------------------------------------------

STEP = Decimal("0.1")
# Switches and words: option -> its other value.
OTHER: dict[str, Any] = {
    "pd_inclusive": False,
    "pd_reference": "baseline",
    "pd_from_zero": False,
    "pr_carry_forward": True,
    "normal_nodes_progress": True,
    "reappeared_node": "hold",
    "resected_is_zero": True,
    "modality_change": "NE",
    "unknown_non_target": "NE",
    "ne_when_any_part_ne": True,
    "viable_phases": ("arterial", "portal"),
    "never_enhancing": "exclude",
    "viable_only_sum": True,
    "foci": "sum",
    "lipiodol_is_viable": True,
    "porta_hepatis_small": "non-target",
    "effusion_needs_cytology": False,
    "icpd_inclusive": False,
    "icpd_reference": "last",
    "both_required": True,
    "new_lesion_is_pd": False,
}
# Criteria whose own default is what is the other value elsewhere.
OTHER_OF = {("recicl", "pd_reference"): "nadir"}
# Numbers that are 0 by default: option -> the value in use elsewhere.
IN_USE = {"pd_absolute_mm": Decimal(5), "regained_min_mm": Decimal(10), "icpd_max_days": 56}
NO_CASE = {
    "enhancement_based_non_hcc": "decides whether a protocol is accepted, before any case (A17-01, A17-02 have both)",
}


def other_values(name: str) -> Iterator[tuple[str, str, Any]]:
    """(criterion, option, another value) for every option of a criterion; numbers a step to either side."""
    thresholds = CRITERIA[name].thresholds
    for key in CRITERIA[name].options:
        value = getattr(thresholds, key)
        if key in OTHER:
            yield name, key, OTHER_OF.get((name, key), OTHER[key])
        elif key not in NO_CASE and not value:
            yield name, key, IN_USE[key]
        elif key not in NO_CASE:
            step = 1 if isinstance(value, int) else STEP
            yield from ((name, key, value + step), (name, key, value - step))


OPTIONS = [option for name in NAMES for option in other_values(name)]


@pytest.mark.parametrize(("name", "key", "value"), OPTIONS)
def test_every_option_and_number_matters(name: str, key: str, value: Any) -> None:
    assert with_threshold(name, key, value)


def test_no_option_is_left_out() -> None:
    taken = {key for _, key, _ in OPTIONS} | set(NO_CASE)
    assert taken == {field.name for field in fields(Thresholds)}
    assert all(getattr(Thresholds(), key) != value for key, value in {**OTHER, **IN_USE}.items())


# --- best response ---------------------------------------------------------------------------------------------------

BEST: list[tuple[str, Any]] = [
    ("sd_min_days", 41),
    ("sd_min_days", 43),
    ("cr_then_worse", "pr"),
    ("cr_then_worse", "as-recorded"),
    ("cut", ()),
    ("cut", ("first_pd", "new_anticancer_therapy")),
    ("data_cutoff", None),
    ("no_assessment", "MISSING"),
    ("after_pd", "stop"),
    ("confirm_min_days", 27),
    ("confirm_min_days", 29),
    ("confirm_max_ne_between", 0),
    ("confirm_max_ne_between", 2),
    ("confirm_sd_between", True),
    ("response_date", "earliest_scan"),
    ("progression_date", "latest_scan"),
]
ONLY_A_SENTENCE = {"confirm_required": "names the study's answer in the sentence of the best response, no value"}


@pytest.mark.parametrize(("key", "value"), BEST)
def test_every_setting_of_best_response_matters(key: str, value: Any) -> None:
    assert broken_by(lambda protocol: replace(protocol, response=replace(protocol.response, **{key: value})))


def test_no_setting_of_best_response_is_left_out() -> None:
    assert {key for key, _ in BEST} | set(ONLY_A_SENTENCE) == {field.name for field in fields(ResponseRules)}


def test_the_origin_matters() -> None:
    assert broken_by(lambda protocol: replace(protocol, origin=Origin()))
