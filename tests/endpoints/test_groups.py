"""Times compared by columns that are no arms, against R 4.2.2 (survival 3.5.3) of the lung data (Loprinzi 1994)."""

from __future__ import annotations

import csv
from datetime import date, timedelta
from pathlib import Path

import pytest
from endpoint_study import estimated, rows, run, time_endpoint, visits

from mrecist.cli import main
from mrecist.endpoints.estimate import Estimate

LUNG = Path(__file__).parent / "data" / "lung.csv"
WORDS = {"0": "good", "1": "mid", "2": "poor", "3": "poor"}


def of_lung() -> str:
    """subjects.csv of lung.csv; day 1 is 2020-01-01, so a time of 1 day ends on it."""
    lines = ["subject,arm,randomisation,death,last_alive,sex,ecog,state"]
    with LUNG.open(encoding="utf-8", newline="") as file:
        for number, one in enumerate(csv.DictReader(file)):
            end = date(2020, 1, 1) + timedelta(days=int(one["time"]) - 1)
            ends = f"{end}," if one["status"] == "1" else f",{end}"
            ecog = one["ph.ecog"].replace("NA", "")
            lines.append(f"S{number},A,2020-01-01,{ends},{one['arm']},{ecog},{WORDS.get(ecog, '')}")
    return "\n".join(lines) + "\n"


@pytest.fixture(scope="module")
def found(tmp_path_factory: pytest.TempPathFactory) -> list[Estimate]:
    more = 'groups = ["sex", "state", "ecog"]\nat_months = [12]'
    asked = time_endpoint('["death"]', more=more, name="OS").replace("last_assessment", "last_alive")
    return estimated(tmp_path_factory.mktemp("lung"), asked, of_lung())


def of(found: list[Estimate], estimate: str, covariate: str = "", group: str = "") -> Estimate:
    (one,) = [r for r in found if (r.estimate, r.covariate, r.about.group) == (estimate, covariate, group)]
    return one


def test_two_values_are_groups(found: list[Estimate]) -> None:
    """survdiff(Surv(time, status) ~ sex, lung)$chisq; summary(coxph(...))$conf.int; survfit(..., conf.type = "log-log")."""
    assert of(found, "logrank", "sex").value == pytest.approx(10.32674, abs=5e-6)
    ratio = of(found, "hazard_ratio_univariable", "sex=2")
    assert (ratio.value, ratio.low, ratio.high) == pytest.approx((0.5880028, 0.4237178, 0.8159848), abs=5e-7)
    assert (ratio.against, ratio.n, ratio.events, ratio.note) == ("1", 228, 165, "")
    for value, median, year in (
        ("1", (270, 210, 306), (0.3361, 0.2527, 0.4213)),
        ("2", (426, 345, 524), (0.5265, 0.4036, 0.6353)),
    ):
        one, then = of(found, "median", group=f"sex={value}"), of(found, "survival", group=f"sex={value}")
        days = [x * 30.4375 for x in (one.value, one.low, one.high) if x is not None]
        assert days == pytest.approx(median)
        assert (then.value, then.low, then.high) == pytest.approx(year, abs=5e-5)


def test_three_words_are_one_model_against_the_first_by_name(found: list[Estimate]) -> None:
    """survdiff and coxph of ph.ecog 0, 1, 2 and more as good, mid, poor: 1 observation deleted."""
    test = of(found, "logrank", "state")
    assert test.value == pytest.approx(18.979278, abs=5e-6)
    assert (test.n, test.note, test.method) == (227, "1 left out without a covariate", "log-rank, 2 df")
    for level, expected in (("mid", (1.445111, 0.9790525, 2.133028)), ("poor", (2.536891, 1.6370913, 3.931250))):
        ratio = of(found, "hazard_ratio_univariable", f"state={level}")
        assert (ratio.value, ratio.low, ratio.high) == pytest.approx(expected, abs=5e-6)
        assert (ratio.against, ratio.note, ratio.method) == (
            "good",
            "1 left out without a covariate",
            "Cox, univariable, ties Efron, Wald",
        )


def test_more_than_two_numbers_are_a_quantity(found: list[Estimate]) -> None:
    """summary(coxph(Surv(time, status) ~ ph.ecog, lung))$conf.int; there are no curves and no test."""
    ratio = of(found, "hazard_ratio_univariable", "ecog")
    assert (ratio.value, ratio.low, ratio.high) == pytest.approx((1.609532, 1.288833, 2.01003), abs=5e-6)
    assert ratio.unit == "per 1"
    assert [
        one for one in found if "ecog" in one.about.group or (one.estimate, one.covariate) == ("logrank", "ecog")
    ] == []


SUBJECTS = "subject,arm,randomisation,death,last_alive,dose\n" + "".join(
    f"S{n},{'AB'[n % 2]},2020-01-01,{f'2020-0{n + 1}-15,' if n % 3 else f',2020-0{n + 1}-20'},{dose}\n"
    for n, dose in enumerate(("80", "160", "80", "160", "", "80", "160", "160"))
)
ASKED = time_endpoint('["death"]', more='groups = ["dose"]', name="OS").replace("last_assessment", "last_alive")


def test_a_group_that_is_a_subgroup_has_its_curves_once(tmp_path: Path) -> None:
    """With arms: the groups are of both, and not compared again within a subgroup."""
    design = '[study]\nsubgroups = ["dose"]\n'
    for protocol, arms in ((ASKED, [""]), (design + ASKED, ["", "A", "B"])):
        found = estimated(tmp_path, protocol, SUBJECTS)
        medians = [one for one in found if one.estimate == "median" and one.about.group == "dose=160"]
        assert [one.about.arm for one in medians] == arms
        ratios = [one for one in found if one.estimate == "hazard_ratio_univariable"]
        assert [(one.covariate, one.against, one.about.group) for one in ratios] == [("dose=160", "80", "")]
        assert ratios[0].note == "1 left out without a covariate"


def test_a_column_in_both_lists_has_its_model_once(tmp_path: Path) -> None:
    both = ASKED.replace('groups = ["dose"]', 'groups = ["dose"]\ncovariates = ["dose"]')
    found = [one for one in estimated(tmp_path, both, SUBJECTS) if one.estimate == "hazard_ratio_univariable"]
    assert [one.covariate for one in found] == ["dose=160"]


def test_groups_by_the_command(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    overall = visits(("2020-01-10", "SD"), subject="S0")
    out = run(tmp_path, ASKED, overall=overall, subjects=SUBJECTS, figures=True)
    assert [r["covariate"] for r in rows(out / "estimates.csv") if r["covariate"]] == ["dose", "dose=160"]
    assert (out / "figures" / "km_OS_by-dose.svg").is_file()
    assert main(["protocol", "check", str(tmp_path / "protocol.toml")]) == 0
    assert "by dose of subjects.csv, all arms together: log-rank test" in capsys.readouterr().out
    run(tmp_path, ASKED.replace('"dose"', '"doze"'), overall=overall, subjects=SUBJECTS, expect=2)
    assert "groups 'doze' is no column of subjects.csv" in capsys.readouterr().err
