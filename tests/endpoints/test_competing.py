"""Gray's test and subdistribution hazard ratios at their limits; test_reference_sets.py compares their numbers with R's."""

from __future__ import annotations

import math
from dataclasses import replace
from decimal import Decimal

import pytest
from event_times import times

from mrecist.endpoints.competing import gray, incidences, subdistribution_adjusted, subdistribution_hazard_ratio
from mrecist.endpoints.cox import adjusted, hazard_ratio
from mrecist.endpoints.estimate import About
from mrecist.endpoints.gray import gray_test
from mrecist.endpoints.subdistribution import NoSolutionError, fine_gray
from mrecist.endpoints.survival import logrank

pytestmark = pytest.mark.filterwarnings("default")
ABOUT = About(endpoint="TTP")
OF_B = About(endpoint="TTP", arm="B")
TIES = [1, 2, 2, 3, 4, 4, 5, 6, 6, 7, 8, 9]
STATES = [1, 2, 1, 0, 1, 1, 2, 0, 1, 1, 1, 0]
GROUPS = list("ABABBABAABBA")


def test_gray_without_competing_events_or_censoring() -> None:
    """cuminc(1:8, rep(1, 8), rep(c("A", "B"), 4))$Tests."""
    found = gray_test(range(1, 9), [1] * 8, ["A", "B"] * 4)
    assert (found.statistic, found.p, found.df) == pytest.approx((0.4097880909, 0.5220770816, 1), rel=1e-6)


def test_the_order_and_the_names_of_groups_do_not_matter() -> None:
    one = gray_test(TIES, STATES, GROUPS)
    other = gray_test(TIES[::-1], STATES[::-1], ["z" if g == "A" else "C" for g in GROUPS[::-1]])
    assert one.statistic == pytest.approx(other.statistic, rel=1e-12)


def test_a_stratum_twice_doubles_the_statistic() -> None:
    """Scores and covariances add up: the same table in two strata gives twice the chi-squared."""
    once = gray_test(TIES, STATES, GROUPS)
    twice = gray_test(TIES * 2, STATES * 2, GROUPS * 2, ["x"] * 12 + ["y"] * 12)
    assert once.statistic is not None
    assert twice.statistic == pytest.approx(2 * once.statistic, rel=1e-12)


def test_without_competing_events_fine_and_gray_is_cox_with_ties_after_breslow() -> None:
    """coxph(Surv(t, s == 1) ~ x, ties = "breslow") and its error with robust = TRUE, as crr also gives them."""
    plain = [1 if state == 1 else 0 for state in STATES]
    fit = fine_gray(TIES, plain, [[float(g == "B") for g in GROUPS]])
    assert (fit.coefficients[0], fit.model_errors[0], fit.errors[0]) == pytest.approx(
        (-0.3597142338, 0.7723769085, 0.6519881790), rel=1e-6
    )


def test_units_do_not_matter() -> None:
    small, large = ([unit * (n * 7 % 5) for n in range(12)] for unit in (1e-3, 1e6))
    one, other = fine_gray(TIES, STATES, [small]), fine_gray(TIES, STATES, [large])
    assert one.coefficients[0] * 1e-3 == pytest.approx(other.coefficients[0] * 1e6, rel=1e-9)
    assert one.errors[0] * 1e-3 == pytest.approx(other.errors[0] * 1e6, rel=1e-9)


@pytest.mark.parametrize(
    "columns",
    [
        [[1, 0] * 6, [2, 1] * 6],  # the second one is the first one and 1
        [[1] * 12],
        [[float(n) for n in range(12, 0, -1)]],  # who has the event is always the largest of those at risk
    ],
)
def test_without_a_maximum_there_is_no_fit(columns: list[list[float]]) -> None:
    states = [1] * 12 if len(columns) == 1 else STATES
    with pytest.raises(NoSolutionError):
        fine_gray(range(1, 13), states, columns)


def test_separation_is_a_note_and_no_number() -> None:
    """All of A are gone before the first of B: the ratio has no lower limit. R's coxph says 2.5e-10 and warns."""
    rows = times("1A 2A 3A 4A 5B 6B 7B 8B")
    for found in (subdistribution_hazard_ratio(OF_B, rows, "A"), hazard_ratio(OF_B, rows, "A")):
        assert (found.value, found.low, found.high, found.p) == (None, None, None, None)
        assert found.note.startswith("the model does not converge")


def test_an_arm_without_the_event() -> None:
    rows = times("1A 2A 3A+ 4B- 5B- 6B+")
    found = subdistribution_hazard_ratio(OF_B, rows, "A")
    assert (found.value, found.events, found.note) == (None, 2, "an arm has no events")


def test_the_incidence_of_an_event_that_nobody_had() -> None:
    """0 while anybody is followed; for good where the last one ended in a competing event, else nothing is known any more."""
    for words, expected in (("10A- 40A- 90A-", [0.0, 0.0, 0.0]), ("10A- 40A- 90A+", [0.0, 0.0, None])):
        found = list(incidences(ABOUT, times(words), [Decimal(1), Decimal(2), Decimal(6)], Decimal("30.4375")))
        assert [one.value for one in found] == expected
        assert {(one.low, one.high, one.events) for one in found} == {(None, None, 0)}
        assert found[0].note == "no events; 2 at risk"
    assert found[2].note == "nobody is followed so long (last day 90)"


def test_one_covariate_of_one_arm_is_univariable() -> None:
    rows = times("1A 2A 3A 4A- 5A+ 6A 7A+ 8A 9A")
    given = [{"age": age} for age in ("50", "61", "48", "70", "66", "59", "62", "55", "57")]
    for several, kind in ((("A",), "univariable"), (("A", "B"), "multivariable")):
        mixed = [replace(row, arm="B" if row.days in (2, 6, 7) and len(several) > 1 else "A") for row in rows]
        found = [*adjusted(ABOUT, mixed, given, several), *subdistribution_adjusted(ABOUT, mixed, given, several)]
        assert {one.method.split(", ")[1] for one in found} == {kind}


def test_a_covariate_that_separates_leaves_no_numbers() -> None:
    rows = times("1A 2B 3A 4B 5A+ 6B+ 7A 8B")
    given = [{"age": str(100 - row.days)} for row in rows]
    for found in subdistribution_adjusted(ABOUT, rows, given, ("A", "B")):
        assert (found.value, found.note.startswith("the model does not converge")) == (None, True)


def test_arms_that_are_never_at_risk_have_no_degree_of_freedom() -> None:
    """survdiff: Chisq= 0.5 on 1 degrees of freedom, p= 0.4795; cuminc of B and C: 0.375, p 0.5402914."""
    rows = times("1A+ 5B 7B 7C")
    ranks, of_gray = logrank(ABOUT, rows), gray(ABOUT, rows)
    assert (ranks.value, ranks.p, ranks.n) == pytest.approx((0.5, 0.4795001222, 4), rel=1e-6)
    assert (of_gray.value, of_gray.p) == pytest.approx((0.375, 0.5402913746), rel=1e-6)
    assert ranks.method == "log-rank, 1 df"
    assert ranks.note == of_gray.note == "without A: nobody is at risk on a day with an event"


@pytest.mark.parametrize("words", ["1A+ 2B+", "1A 2A", "1A- 2B-", "1A+ 2B"])
def test_where_no_day_tells_arms_apart_there_is_no_test(words: str) -> None:
    for found in (logrank(ABOUT, times(words)), gray(ABOUT, times(words))):
        assert (found.value, found.p) == (None, None)
        assert found.note == "there is no day with an event on which two arms are at risk"
    assert math.isclose(logrank(ABOUT, times("1A 2B")).value or 0, 1)


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        # cuminc(time, status, arm)$Tests: after day 122 only B is left, whose last event brings the incidence to 1.
        ("20A+ 24A 27A 37B 39B 52A 122A 157B 174B", (1.566901520, 0.2106575593)),
        ("1B- 8B+ 44A+ 96B- 108A 126A 147B- 156B 166A 187A 197B-", (3.754945903, 0.05265149943)),
    ],
)
def test_gray_of_few_subjects(words: str, expected: tuple[float, float]) -> None:
    found = gray(ABOUT, times(words))
    assert (found.value, found.p) == pytest.approx(expected, rel=1e-7)


def test_a_robust_variance_of_nothing_is_no_interval() -> None:
    rows = times("4A 4A")
    (found,) = subdistribution_adjusted(ABOUT, rows, [{"age": "71"}, {"age": "60"}], ("A",))
    assert (found.value, found.note) == (None, "too few events: the robust variance is 0")
