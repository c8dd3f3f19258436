"""Strata of a study: who has none, what is refused, and the estimates over strata."""

from __future__ import annotations

from pathlib import Path

import pytest
from endpoint_study import estimated, proportion, time_endpoint

from mrecist.errors import InputError

pytestmark = pytest.mark.filterwarnings("default")
TESTS = 'tests = ["logrank_stratified", "cox_stratified"]\ncovariates = ["age", "BCLC"]'
STUDY = '[study]\nstrata = ["BCLC"]\n'
RATES = ("odds_ratio_stratified", "rate_difference_stratified")


def subjects(without: int = 0) -> str:
    """24 subjects in two arms and two strata; the first ones have no BCLC."""
    lines = ["subject,arm,randomisation,death,last_alive,BCLC,age"]
    for n in range(24):
        stage = "" if n < without else "BC"[n % 4 < 2]
        day = f"2020-{1 + n * 5 % 12:02}-{2 + n:02}"
        lines.append(f"S{n:02},{'AB'[n % 2]},2020-01-01,{day if n % 5 else ''},{day},{stage},{50 + n * 11 % 23}")
    return "\n".join(lines) + "\n"


def alive(more: str) -> str:
    return time_endpoint('["death"]', more=more, name="OS").replace("last_assessment", "last_alive")


def test_rows_over_strata(tmp_path: Path) -> None:
    told = estimated(tmp_path, STUDY + alive(TESTS) + proportion('["death"]'), subjects())
    of = {one.estimate: one for one in told}
    # A covariate that makes the strata is no covariate over strata.
    assert [one.covariate for one in told if one.estimate == "hazard_ratio_adjusted_stratified"] == ["arm", "age"]
    assert [one.covariate for one in told if one.estimate == "hazard_ratio_adjusted"] == ["arm", "age", "BCLC=C"]
    assert [one.covariate for one in told if one.estimate == "hazard_ratio_univariable"] == ["age", "BCLC=C"]
    assert of["logrank_stratified"].method == "log-rank, 1 df, 2 strata"
    for name in RATES:
        assert (of[name].about.arm, of[name].against, of[name].n, of[name].events) == ("B", "A", 24, 19)
        assert of[name].method.endswith("2 strata")


def test_who_has_no_stratum_is_left_out_and_told(tmp_path: Path) -> None:
    told = estimated(tmp_path, STUDY + alive(TESTS) + proportion('["death"]'), subjects(3))
    over = [one for one in told if one.estimate.endswith("_stratified")]
    assert {(one.n, one.note) for one in over} == {(21, "3 left out without a stratum")}
    assert len(over) == 6


@pytest.mark.parametrize(
    ("study", "more", "said"),
    [
        ("", TESTS, "endpoint OS: logrank_stratified needs [study] strata"),
        ("", 'competing = ["withdrawal"]\ntests = ["gray_stratified"]', "gray_stratified needs [study] strata"),
        ('[study]\nstrata = ["stage"]\n', "", "[study] strata: 'stage' is no column of subjects.csv with a value"),
    ],
)
def test_strata_that_are_not_there_are_refused(study: str, more: str, said: str, tmp_path: Path) -> None:
    with pytest.raises(InputError) as error:
        estimated(tmp_path, study + alive(more), subjects())
    assert said in str(error.value)


def test_a_stratum_with_one_arm_says_nothing_of_rates(tmp_path: Path) -> None:
    people = subjects() + "S24,A,2020-01-01,,2020-05-01,D,60\n"
    told = {one.estimate: one for one in estimated(tmp_path, STUDY + proportion('["death"]'), people)}
    for name in RATES:
        assert (told[name].n, told[name].note) == (24, "1 strata without one of the arms")
    assert told["rate_difference"].n == 25


def test_rates_without_a_success_have_no_ratio(tmp_path: Path) -> None:
    people = "".join(
        line.replace(line.split(",")[3], "", 1) if n else line for n, line in enumerate(subjects().splitlines(True))
    )
    told = {one.estimate: one for one in estimated(tmp_path, STUDY + proportion('["death"]'), people)}
    assert (told["odds_ratio_stratified"].value, told["rate_difference_stratified"].value) == (None, 0)
    assert told["odds_ratio_stratified"].note.startswith("no finite ratio")


@pytest.mark.parametrize("group", ["BCLC=B", "BCLC=C"])
def test_every_estimate_also_of_a_subgroup(group: str, tmp_path: Path) -> None:
    study = '[study]\nsubgroups = ["BCLC"]\n'
    tests = 'tests = ["logrank", "cox"]\ncovariates = ["age", "BCLC"]\nat_months = [3]'
    told = estimated(tmp_path, study + alive(tests) + proportion('["death"]'), subjects())
    whole, part = (
        {(one.estimate, one.about.arm, one.covariate) for one in told if one.about.group == g} for g in ("", group)
    )
    assert {one[0] for one in part} >= {
        "rate",
        "rate_difference",
        "odds_ratio",
        "logrank",
        "hazard_ratio",
        "median",
        "survival",
    }
    # What makes the subgroup is no covariate in it.
    assert whole - part == {(name, "", "BCLC=C") for name in ("hazard_ratio_univariable", "hazard_ratio_adjusted")}
