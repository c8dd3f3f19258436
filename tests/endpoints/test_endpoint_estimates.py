"""Estimates against published numbers of R and of papers, and against formulae written out term by term."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from decimal import Decimal
from math import comb, exp, log, sqrt

import pytest

from mrecist.endpoints import competing, cox, survival
from mrecist.endpoints.estimate import About, Estimate
from mrecist.endpoints.proportions import Outcome
from mrecist.endpoints.rates import comparisons
from mrecist.endpoints.times import EventTime

pytestmark = pytest.mark.filterwarnings("default")
DAY = Decimal(1)
NOBODY = dict.fromkeys(("subject", "endpoint", "reason", "reader", "criterion", "paramcd"), "")

# Acute myelogenous leukaemia, weeks (Miller 1997, Survival Analysis, p. 49; `aml` of R's survival), "+" censored.
AML = {"M": "9 13 13+ 18 23 28+ 31 34 45+ 48 161+", "N": "5 5 8 8 12 16+ 23 27 30 33 43 45"}
# Remission of leukaemia, weeks (Freireich 1963, Blood 21:699; `gehan` of R's MASS).
GEHAN = {
    "6-MP": "6 6 6 6+ 7 9+ 10 10+ 11+ 13 16 17+ 19+ 20+ 22 23 25+ 32+ 32+ 34+ 35+",
    "control": "1 1 2 2 3 4 4 5 5 8 8 8 8 11 11 12 12 15 17 22 23",
}


def time(days: int, status: str, arm: str = "") -> EventTime:
    day = date(2020, 1, 1)
    cnsr = int(status != "event")
    return EventTime(**NOBODY, arm=arm, start=day, date=day, days=days, cnsr=cnsr, status=status, source="", event="")


def table(arms: dict[str, str]) -> list[EventTime]:
    return [
        time(int(word.rstrip("+")), "censored" if word.endswith("+") else "event", arm)
        for arm, words in arms.items()
        for word in words.split()
    ]


def numbers(found: Estimate, digits: int) -> tuple[float | None, ...]:
    return tuple(None if one is None else round(one, digits) for one in (found.value, found.low, found.high))


@pytest.mark.parametrize(
    ("arms", "arm", "expected"),
    [
        # print(survfit(Surv(time, status) ~ x, aml)): Maintained 11 7 31 18 NA; Nonmaintained 12 11 23 8 NA
        (AML, "M", (31, 18, None)),
        (AML, "N", (23, 8, None)),
        # print(survfit(Surv(time, cens) ~ treat, gehan)): 6-MP 21 9 23 16 NA; control 21 21 8 4 12
        (GEHAN, "6-MP", (23, 16, None)),
        (GEHAN, "control", (8, 4, 12)),
    ],
)
def test_medians_of_r(arms: dict[str, str], arm: str, expected: tuple[float | None, ...]) -> None:
    own = [one for one in table(arms) if one.arm == arm]
    median, _ = survival.medians(About(endpoint="OS"), own, "log", DAY)
    assert numbers(median, 6) == expected


def test_survival_of_r() -> None:
    """summary(survfit(Surv(time, status) ~ x, aml)), Maintained: survival, lower and upper limit (scale log)."""
    printed = {9: (0.909, 0.7541, 1), 13: (0.818, 0.6192, 1), 18: (0.716, 0.4884, 1), 23: (0.614, 0.3769, 0.999)}
    printed |= {31: (0.491, 0.2549, 0.946), 34: (0.368, 0.1549, 0.875), 48: (0.184, 0.0359, 0.944)}
    own = [one for one in table(AML) if one.arm == "M"]
    months = [Decimal(day) for day in printed]
    found = {int(one.months or 0): one for one in survival.landmarks(About(endpoint="OS"), own, months, "log", DAY)}
    for day, expected in printed.items():
        value, low, high = (one or 0 for one in numbers(found[day], 8))
        assert (round(value, 3), round(low, 4), round(high, 3)) == expected


@pytest.mark.parametrize("scale", ["log-log", "log", "linear"])
def test_limits_of_survival_term_by_term(scale: str) -> None:
    """Greenwood's sum of d / (n (n - d)), and the interval on each scale (Kalbfleisch and Prentice 1980, 1.3)."""
    own = [one for one in table(GEHAN) if one.arm == "6-MP"]
    # 21 at risk on day 6, three events; 17 at risk on day 7, 15 on day 10: one each.
    steps = [(21, 3), (17, 1), (15, 1)]
    s, term = 1.0, 0.0
    for n, d in steps:
        s, term = s * (1 - d / n), term + d / (n * (n - d))
    z, error = 1.959963984540054, s * sqrt(term)
    expected = {
        "linear": (s - z * error, s + z * error),
        "log": (s * exp(-z * sqrt(term)), s * exp(z * sqrt(term))),
        "log-log": (s ** exp(-z * sqrt(term) / log(s)), s ** exp(z * sqrt(term) / log(s))),
    }[scale]
    (found,) = survival.landmarks(About(endpoint="OS"), own, [Decimal(12)], scale, DAY)
    assert found.value == pytest.approx(s)
    assert (found.low, found.high) == pytest.approx((min(expected), min(max(expected), 1)))


@pytest.mark.parametrize(
    ("arms", "one", "other", "chisq", "ratios"),
    [
        # survdiff: Chisq= 3.4 on 1 degrees of freedom, p= 0.07; coxph: coef 0.9155, exp(coef) 2.4981, p 0.0737, ties Efron
        (AML, "N", "M", (3.4, 0.07), (2.4981, 0.0737)),
        # survdiff: Chisq= 16.8, p= 4e-05; coxph: coef 1.5721, exp(coef) 4.817, p 0.000138
        (GEHAN, "control", "6-MP", (16.8, 4e-05), (4.8169, 0.0001)),
    ],
)
def test_comparisons_of_r(
    arms: dict[str, str], one: str, other: str, chisq: tuple[float, float], ratios: tuple[float, float]
) -> None:
    rows = table(arms)
    test = survival.logrank(About(endpoint="OS"), rows)
    assert test.value is not None
    assert test.p is not None
    assert (round(test.value, 1), float(f"{test.p:.0e}")) == chisq
    ratio = cox.hazard_ratio(About(endpoint="OS", arm=one), rows, other)
    assert ratio.value == pytest.approx(ratios[0], abs=2e-4)
    assert ratio.p == pytest.approx(ratios[1], abs=5e-5)


def stratified() -> tuple[list[EventTime], list[str]]:
    """Both arms of both tables in two strata, arms named alike."""
    rows = [replace(one, arm="A" if one.arm in ("M", "6-MP") else "B") for one in table(AML) + table(GEHAN)]
    return rows, ["aml"] * 23 + ["gehan"] * 42


def test_stratified_logrank_term_by_term() -> None:
    """(sum of O - E)^2 / sum of V, summed over event days and strata (Mantel 1966; hypergeometric variance)."""
    rows, strata = stratified()
    surplus = variance = 0.0
    for stratum in ("aml", "gehan"):
        own = [row for row, name in zip(rows, strata, strict=True) if name == stratum]
        for day in {row.days for row in own if row.status == "event"}:
            at_risk = [row for row in own if row.days >= day]
            died = [row for row in at_risk if row.days == day and row.status == "event"]
            n, d, n1 = len(at_risk), len(died), sum(row.arm == "B" for row in at_risk)
            surplus += sum(row.arm == "B" for row in died) - d * n1 / n
            variance += d * (n1 / n) * (1 - n1 / n) * (n - d) / (n - 1) if n > 1 else 0
    found = survival.logrank(About(endpoint="OS"), rows, strata)
    assert found.value == pytest.approx(surplus**2 / variance, rel=1e-9)


def test_stratified_cox_term_by_term() -> None:
    """The maximum of Efron's partial likelihood (1977), summed over strata, by Newton's steps in one variable."""
    rows, strata = stratified()
    beta = curvature = 0.0
    for _ in range(30):
        slope = curvature = 0.0
        for stratum in ("aml", "gehan"):
            own = [row for row, name in zip(rows, strata, strict=True) if name == stratum]
            for day in {row.days for row in own if row.status == "event"}:
                risk = [row for row in own if row.days >= day]
                died = [row for row in risk if row.days == day and row.status == "event"]
                both = [[(exp(beta), 1.0) if row.arm == "B" else (1.0, 0.0) for row in some] for some in (risk, died)]
                slope += sum(row.arm == "B" for row in died)
                for tie in range(len(died)):
                    share = tie / len(died)
                    whole, of_b = (
                        sum(w * x**power for w, x in both[0]) - share * sum(w * x**power for w, x in both[1])
                        for power in (0, 1)
                    )
                    slope -= of_b / whole
                    curvature += of_b / whole * (1 - of_b / whole)
        beta += slope / curvature
    found = cox.hazard_ratio(About(endpoint="OS", arm="B"), rows, "A", strata)
    z = 1.959963984540054 / sqrt(curvature)
    expected = exp(beta), exp(beta - z), exp(beta + z)
    assert (found.value, found.low, found.high) == pytest.approx(expected, rel=1e-5)


def test_cumulative_incidence_term_by_term() -> None:
    """Sum of S(t-) d1 / n (Aalen and Johansen 1978), with ties and censoring: days 2 and 5 have both kinds of event."""
    data = ["1e", "2e", "2c", "3+", "4e", "5e", "5e", "5c", "6+", "7c", "8e", "9+"]
    kind = {"e": "event", "c": "competing", "+": "censored"}
    rows = [time(int(word[:-1]), kind[word[-1]]) for word in data]
    s, expected = 1.0, 0.0
    for day in range(1, 8):
        n = sum(row.days >= day for row in rows)
        d1, d = (
            sum(row.days == day and row.status in some for row in rows) for some in (("event",), ("event", "competing"))
        )
        expected, s = expected + s * d1 / n, s * (1 - d / n)
        (found,) = competing.incidences(About(endpoint="TTP"), rows, [Decimal(day)], DAY)
        assert found.value == pytest.approx(expected, abs=1e-12)


def test_incidence_without_competing_events_is_what_kaplan_meier_leaves() -> None:
    """The number; its interval is on the log-log scale of F itself, as survfit's: F to the power exp(+-z se / (F log F))."""
    rows = [one for one in table(GEHAN) if one.arm == "6-MP"]
    months = [Decimal(12)]
    (one,) = competing.incidences(About(endpoint="TTP"), rows, months, DAY)
    (other,) = survival.landmarks(About(endpoint="TTP"), rows, months, "log-log", DAY)
    assert other.value is not None
    f = 1 - other.value
    # Greenwood's error: of the same size for the incidence. 21 at risk and 3 events, 17 and 1, 15 and 1.
    error = other.value * sqrt(3 / (21 * 18) + 1 / (17 * 16) + 1 / (15 * 14))
    spread = 1.959963984540054 * error / (f * -log(f))
    assert (one.value, one.low, one.high) == pytest.approx((f, f ** exp(spread), f ** exp(-spread)), rel=1e-9)


def test_median_follow_up_turns_events_and_censored_times() -> None:
    """Schemper and Smith 1996: censored at 3 of 4 at risk, 6 of 2 at risk: 3/4, then 3/8; the median is day 6."""
    rows = [time(3, "censored"), time(4, "event"), time(6, "censored"), time(9, "competing")]
    _, found = survival.medians(About(endpoint="OS"), rows, "log-log", DAY)
    assert (found.value, found.events) == (6, 2)


def outcomes(successes: int, n: int) -> list[Outcome]:
    return [
        Outcome(**NOBODY, arm="", months=None, success=place < successes, value="", date=None) for place in range(n)
    ]


@pytest.mark.parametrize(
    ("one", "other", "limits"),
    [
        # Newcombe 1998, Statistics in Medicine 17:873, table II, method 10, examples (a) to (h).
        ((56, 70), (48, 80), (0.0524, 0.3339)),
        ((9, 10), (3, 10), (0.1705, 0.8090)),
        ((6, 7), (2, 7), (0.0582, 0.8062)),
        ((5, 56), (0, 29), (-0.0381, 0.1926)),
        ((0, 10), (0, 20), (-0.1611, 0.2775)),
        ((0, 10), (0, 10), (-0.2775, 0.2775)),
        ((10, 10), (0, 20), (0.6791, 1.0)),
        ((10, 10), (0, 10), (0.6075, 1.0)),
    ],
)
def test_differences_of_newcombe_1998(
    one: tuple[int, int], other: tuple[int, int], limits: tuple[float, float]
) -> None:
    found = next(comparisons(About(endpoint="ORR"), outcomes(*one), "A", outcomes(*other), None))
    assert numbers(found, 4)[1:] == limits


@pytest.mark.parametrize(
    ("cells", "expected"),
    [
        # help(fisher.test) of R: TeaTasting and Convictions, odds ratio and two-sided p.
        (((3, 4), (1, 4)), (6.408309, 0.4857)),
        (((2, 12), (15, 18)), (0.04693661, 0.0005367)),
    ],
)
def test_odds_ratios_of_r(cells: tuple[tuple[int, int], tuple[int, int]], expected: tuple[float, float]) -> None:
    *_, found = comparisons(About(endpoint="ORR"), outcomes(*cells[0]), "A", outcomes(*cells[1]), None)
    assert (found.value, found.p) == pytest.approx(expected, rel=1e-4)
    # The limits leave 2.5 % of the conditional (hypergeometric) distribution in a tail. R prints them less exactly: 621.93 for
    # the upper one of TeaTasting, where that tail is 2.52 %.
    assert found.low is not None
    assert found.high is not None
    (k, n), (j, m) = cells

    def share(psi: float, kept: range) -> float:
        weights = {x: comb(n, x) * comb(m, k + j - x) * psi**x for x in range(max(0, k + j - m), min(n, k + j) + 1)}
        return sum(weight for x, weight in weights.items() if x in kept) / sum(weights.values())

    assert share(found.low, range(k, n + 1)) == pytest.approx(0.025, rel=1e-6)
    assert share(found.high, range(k + 1)) == pytest.approx(0.025, rel=1e-6)


def test_an_infinite_odds_ratio_is_no_number() -> None:
    *_, found = comparisons(About(endpoint="ORR"), outcomes(10, 10), "A", outcomes(0, 10), None)
    assert (found.value, found.high) == (None, None)
    assert found.note.startswith("infinite")


def test_there_is_no_interval_where_the_curve_is_flat_at_an_end() -> None:
    """Greenwood's error is 0 before the first event and 0/0 after the last subject: no limits are told."""
    rows = [time(5, "event"), time(9, "event")]
    found = list(survival.landmarks(About(endpoint="OS"), rows, [Decimal(1), Decimal(9)], "log-log", DAY))
    assert [numbers(one, 6) for one in found] == [(1, None, None), (0, None, None)]
