"""Cox models of several covariates against what R prints for the lung data (survival; Loprinzi 1994)."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest
from endpoint_study import rows, run, time_endpoint, visits

from mrecist.endpoints.cox import adjusted
from mrecist.endpoints.estimate import About, Estimate
from mrecist.endpoints.times import EventTime

pytestmark = pytest.mark.filterwarnings("default")


def row(days: int, happened: bool, arm: str = "") -> EventTime:
    return EventTime(
        **dict.fromkeys(("subject", "endpoint", "reason", "source", "event", "reader", "criterion", "paramcd"), ""),
        arm=arm,
        start=date(2020, 1, 1),
        date=date(2020, 1, 1),
        days=days,
        cnsr=0 if happened else 1,
        status="event" if happened else "censored",
    )


@pytest.fixture(scope="module")
def lung() -> tuple[list[EventTime], list[dict[str, str]]]:
    from lifelines.datasets import load_lung

    table = load_lung()
    times = [row(int(time), bool(status)) for time, status in zip(table["time"], table["status"], strict=True)]
    given = [
        {
            name: "" if value != value else f"{value:g}"
            for name, value in zip(("age", "sex", "ph.ecog"), one, strict=True)
        }
        for one in table[["age", "sex", "ph.ecog"]].to_numpy()
    ]
    return times, given


def told(found: list[Estimate]) -> dict[str, tuple[float, ...]]:
    return {one.covariate: tuple(round(x, 4) for x in (one.value, one.low, one.high) if x is not None) for one in found}


def test_three_covariates_of_r(lung: tuple[list[EventTime], list[dict[str, str]]]) -> None:
    """summary(coxph(Surv(time, status) ~ age + sex + ph.ecog, lung)): n= 227, number of events= 164, 1 deleted."""
    found = list(adjusted(About(endpoint="OS"), *lung, arms=("",)))
    assert {(one.n, one.events, one.note) for one in found} == {(227, 164, "1 left out without a covariate")}
    assert told(found) == {
        "age": (1.0111, 0.9929, 1.0297),
        "sex": (0.5754, 0.4142, 0.7994),
        "ph.ecog": (1.5900, 1.2727, 1.9864),
    }
    assert [one.unit for one in found] == ["per 1"] * 3


def test_words_are_levels_against_the_first_one(lung: tuple[list[EventTime], list[dict[str, str]]]) -> None:
    """A word of two values is the same model as the number: sex 1 and 2 as m(ale) and w(oman), ratio of the latter."""
    times, given = lung
    named = [{**one, "sex": {"1": "m", "2": "w"}[one["sex"]]} for one in given]
    found = list(adjusted(About(endpoint="OS"), times, named, arms=("",)))
    assert told(found)["sex=w"] == (0.5754, 0.4142, 0.7994)
    assert next(one.against for one in found if one.covariate == "sex=w") == "m"


def test_the_arm_is_in_the_model(lung: tuple[list[EventTime], list[dict[str, str]]]) -> None:
    times, given = lung
    by_sex = [
        row(one.days, one.status == "event", {"1": "A", "2": "B"}[words["sex"]])
        for one, words in zip(times, given, strict=True)
    ]
    rest = [{name: value for name, value in one.items() if name != "sex"} for one in given]
    arm, *_ = adjusted(About(endpoint="OS"), by_sex, rest, arms=("A", "B"))
    assert (arm.about.arm, arm.against, arm.covariate) == ("B", "A", "arm")
    assert told([arm])["arm"] == (0.5754, 0.4142, 0.7994)


@pytest.mark.parametrize(
    ("values", "said"),
    [
        (("x", "x", "y", "y"), "grade=y has no events"),
        (("1", "1", "1", "1"), "grade is the same for everybody"),
    ],
)
def test_a_model_without_a_solution_has_no_numbers(values: tuple[str, ...], said: str) -> None:
    times = [row(10, True), row(20, True), row(30, False), row(40, False)]
    (found,) = adjusted(About(endpoint="OS"), times, [{"grade": value} for value in values], arms=("",))
    assert (found.value, found.low, found.note) == (None, None, said)


def test_covariates_of_a_study(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    days = [(n, f"2020-0{1 + n % 9}-15", "x" if n in (0, 3, 5, 8) else "y") for n in range(10)]
    subjects = "subject,arm,randomisation,death,last_alive,BCLC\n"
    subjects += "".join(f"S{n},A,2020-01-01,{day},,{word}\n" for n, day, word in days)
    asked = time_endpoint('["death"]', more='covariates = ["BCLC"]', name="OS").replace("last_assessment", "last_alive")
    overall = visits(("2020-01-10", "SD"), subject="S0")
    out = run(tmp_path, asked, overall=overall, subjects=subjects)
    (found,) = [r for r in rows(out / "estimates.csv") if r["estimate"] == "hazard_ratio_adjusted"]
    assert (found["covariate"], found["against"], found["n"], found["events"]) == ("BCLC=y", "x", "10", "10")
    assert found["value"]
    run(tmp_path, asked.replace('["BCLC"]', '["stage"]'), overall=overall, subjects=subjects, expect=2)
    assert "covariate 'stage' is no column of subjects.csv" in capsys.readouterr().err
