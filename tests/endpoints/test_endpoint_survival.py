"""Estimates of times against what R prints for the lung data (survival 3.x; Loprinzi 1994), and closed forms."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from decimal import Decimal
from itertools import pairwise

import pytest

from mrecist.endpoints import competing, cox, survival
from mrecist.endpoints.estimate import About, Estimate
from mrecist.endpoints.times import EventTime

pytestmark = pytest.mark.filterwarnings("default")
DAY = Decimal(1)


def row(days: int, status: str, arm: str = "") -> EventTime:
    return EventTime(
        **dict.fromkeys(("subject", "endpoint", "reason", "source", "event", "reader", "criterion", "paramcd"), ""),
        arm=arm,
        start=date(2020, 1, 1),
        date=date(2020, 1, 1),
        days=days,
        cnsr=0 if status == "event" else 1,
        status=status,
    )


@pytest.fixture(scope="module")
def lung() -> list[EventTime]:
    from lifelines.datasets import load_lung

    table = load_lung()
    assert (len(table), int(table["status"].sum())) == (228, 165)
    return [
        row(int(time), "event" if status else "censored", str(int(sex)))
        for time, status, sex in zip(table["time"], table["status"], table["sex"], strict=True)
    ]


def numbers(found: Estimate, digits: int = 6) -> tuple[float | None, ...]:
    return tuple(None if one is None else round(one, digits) for one in (found.value, found.low, found.high))


@pytest.mark.parametrize(
    ("arm", "scale", "expected"),
    [
        # print(survfit(Surv(time, status) ~ 1, lung)): 228, 165 events, median 310, 0.95LCL 285, 0.95UCL 363 (scale log)
        ("", "log", (310, 285, 363)),
        # print(survfit(Surv(time, status) ~ sex, lung)): sex=1 138 112 270 212 310; sex=2 90 53 426 348 550
        ("1", "log", (270, 212, 310)),
        ("2", "log", (426, 348, 550)),
        # conf.type = "log-log": 284 361
        ("", "log-log", (310, 284, 361)),
    ],
)
def test_medians_of_r(lung: list[EventTime], arm: str, scale: str, expected: tuple[int, ...]) -> None:
    own = [one for one in lung if arm in ("", one.arm)]
    median, _ = survival.medians(About(endpoint="OS"), own, scale, DAY)
    assert numbers(median) == expected


def test_survival_at_a_year_of_r(lung: list[EventTime]) -> None:
    """summary(survfit(Surv(time, status) ~ 1, lung), times = 365.25): 365 65 121 0.409 0.0358 0.345 0.486."""
    (found,) = survival.landmarks(About(endpoint="OS"), lung, [Decimal("365.25")], "log", DAY)
    assert numbers(found, 3) == (0.409, 0.345, 0.486)
    assert found.note == "65 at risk"


def test_logrank_of_r(lung: list[EventTime]) -> None:
    """survdiff(Surv(time, status) ~ sex, lung): Chisq= 10.3 on 1 degrees of freedom, p= 0.001."""
    found = survival.logrank(About(endpoint="OS"), lung)
    assert found.value is not None
    assert found.p is not None
    assert (round(found.value, 1), round(found.p, 3)) == (10.3, 0.001)


def test_cox_of_r(lung: list[EventTime]) -> None:
    """coxph(Surv(time, status) ~ sex, lung): exp(coef) 0.5880, 0.4237 to 0.816, p 0.00149."""
    found = cox.hazard_ratio(About(endpoint="OS", arm="2"), lung, "1")
    assert numbers(found, 3) == (0.588, 0.424, 0.816)
    assert found.p is not None
    assert round(found.p, 5) == 0.00149


def test_strata_of_one_value_change_nothing(lung: list[EventTime]) -> None:
    one, same = survival.logrank(About(endpoint="OS"), lung), survival.logrank(About(endpoint="OS"), lung, ["x"] * 228)
    assert one.value == pytest.approx(same.value, rel=1e-12)
    about = About(endpoint="OS", arm="2")
    plain, strata = cox.hazard_ratio(about, lung, "1"), cox.hazard_ratio(about, lung, "1", ["x"] * 228)
    assert plain.value == pytest.approx(strata.value, rel=1e-9)


@pytest.mark.parametrize(
    ("days", "expected"),
    [
        # S falls to exactly 1/2 at day 2 and below it at day 3: the middle, as survfit prints 2.5.
        (((1, 1), (2, 1), (3, 1), (4, 1)), 2.5),
        # 1/2 and no further: the day on which it is reached.
        (((1, 1), (2, 1), (3, 0), (4, 0)), 2),
        (((1, 1), (2, 0), (3, 0), (4, 0)), None),
    ],
)
def test_a_median_on_a_plateau(days: Sequence[tuple[int, int]], expected: float | None) -> None:
    rows = [row(day, "event" if event else "censored") for day, event in days]
    assert survival.median_days(rows, "log-log")[0] == expected


def test_without_events_there_is_no_number() -> None:
    rows = [row(day, "censored", arm) for day, arm in ((5, "A"), (9, "B"))]
    median, follow_up = survival.medians(About(endpoint="OS"), rows, "log-log", DAY)
    assert (median.value, median.note) == (None, "no events")
    assert follow_up.value == 7
    (late,) = survival.landmarks(About(endpoint="OS"), rows, [Decimal(10)], "log-log", DAY)
    assert (late.value, late.note) == (None, "nobody is followed so long (last day 9)")
    assert cox.hazard_ratio(About(endpoint="OS", arm="B"), rows, "A").value is None


def test_cumulative_incidence_without_censoring_is_a_share() -> None:
    """Without censoring the Aalen-Johansen estimate is the share of subjects with the event so far: 1/6, 2/6, 3/6."""
    order = ["event", "competing", "event", "competing", "competing", "event"]
    rows = [row(day, status) for day, status in enumerate(order, 1)]
    found = list(competing.incidences(About(endpoint="TTP"), rows, [Decimal(n) for n in (1, 3, 6)], DAY))
    assert [round(one.value or 0, 9) for one in found] == [round(n / 6, 9) for n in (1, 2, 3)]
    assert all(a.value is not None and b.value is not None and a.value <= b.value for a, b in pairwise(found))
