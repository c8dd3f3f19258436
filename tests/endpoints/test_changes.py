"""Depth of response and early shrinkage. Percentages are worked by hand from the sizes in the test."""

from __future__ import annotations

from pathlib import Path

import pytest
from endpoint_study import rows, run, visits

from mrecist.cli import main

HEAD = 'format = "mrecist-protocol/1"\n[criteria.recist11]\n[origin]\nevent = "randomisation"\n[study]\narms = ["A", "B"]\n'
SUBJECTS = """subject,arm,randomisation,new_anticancer_therapy
S1,A,2020-01-01,
S2,A,2020-01-01,
S3,B,2020-01-01,2020-04-01
S4,B,2020-01-01,
S5,B,2020-01-01,
"""
DAYS = ("2019-12-20", "2020-02-26", "2020-04-22", "2020-06-17")
# One target in mm; "" = not evaluable. S1: -40, -60, then PD (20 to 30, +50 %). S2: -10 at first, then not evaluable.
# S3 falls by 50 % only after a new therapy: best 0. S4: the first sum is missing, then -25. S5 was never seen after baseline.
SIZES = {"S1": "50 30 20 30", "S2": "50 45 -", "S3": "40 40 - 20", "S4": "40 - 30", "S5": "30"}


def change(more: str = "", name: str = "DPR") -> str:
    return f'[[endpoint]]\nid = "{name}"\nkind = "change"\n{more}\n'


@pytest.fixture(scope="module")
def results(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("study")
    lines = ["subject,timepoint,date,lesion,role,state,longest_mm"]
    for subject, sizes in SIZES.items():
        for n, (day, mm) in enumerate(zip(DAYS, sizes.split(), strict=False)):
            lines.append(f"{subject},{n},{day},T01,target," + ("not-evaluable," if mm == "-" else f"measured,{mm}"))
    (folder / "m.csv").write_text("\n".join(lines) + "\n", encoding="utf-8")
    (folder / "subjects.csv").write_text(SUBJECTS, encoding="utf-8")
    (folder / "a.toml").write_text(HEAD, encoding="utf-8")
    call = ["assess", str(folder / "m.csv"), "--protocol", str(folder / "a.toml"), "--out", str(folder / "results")]
    assert main([*call, "--subjects", str(folder / "subjects.csv")]) == 0
    return folder / "results"


def derived(results: Path, protocol: str, figures: bool = False) -> Path:
    folder = results.parent
    (folder / "p.toml").write_text(HEAD + protocol, encoding="utf-8")
    call = ["endpoints", str(results), "--subjects", str(folder / "subjects.csv"), "--protocol", str(folder / "p.toml")]
    call += [] if figures else ["--no-figures"]
    assert main([*call, "--out", str(folder / "out")]) == 0
    return folder / "out"


def test_the_best_change_and_its_share(results: Path) -> None:
    out = derived(results, change("percent = 25"))
    found = {r["subject"]: r for r in rows(out / "changes.csv")}
    assert {who: (r["percent"], r["date"], r["timepoint"], r["success"]) for who, r in found.items()} == {
        "S1": ("-60", "2020-04-22", "2", "yes"),
        "S2": ("-10", "2020-02-26", "1", "no"),
        "S3": ("0", "2020-02-26", "1", "no"),
        "S4": ("-25", "2020-04-22", "2", "yes"),
        "S5": ("", "", "", "no"),
    }
    assert "no assessment after day 1" in found["S5"]["reason"]
    # Of -60, -25, -10, 0 by linear interpolation at 0.25, 0.5 and 0.75 of three steps: -33.75, -17.5, -7.5.
    estimates = [r for r in rows(out / "estimates.csv") if r["arm"] == ""]
    assert [(r["estimate"], r["value"], r["n"]) for r in estimates if r["unit"] == "%"] == [
        ("first_quartile", "-33.75", "4"),
        ("median_change", "-17.5", "4"),
        ("third_quartile", "-7.5", "4"),
    ]
    assert {(r["value"], r["n"], r["events"]) for r in estimates if r["estimate"] == "rate"} == {("0.4", "5", "2")}


def test_the_first_assessment_is_not_replaced_by_a_later_one(results: Path) -> None:
    out = derived(results, change('at = "first"\npercent = 20\ndenominator = "evaluated"', "ETS"))
    found = {r["subject"]: (r["percent"], r["success"]) for r in rows(out / "changes.csv")}
    assert found == {"S1": ("-40", "yes"), "S2": ("-10", "no"), "S3": ("0", "no"), "S4": ("", ""), "S5": ("", "")}
    (whole,) = {(r["value"], r["n"]) for r in rows(out / "estimates.csv") if r["estimate"] == "rate" and not r["arm"]}
    assert whole == ("0.333333", "3")


def test_a_change_at_a_month(results: Path) -> None:
    # Month 2 of 1 January 2020 is 61 days later, 2 March; the first assessment is 5 days before it, the second 51 after.
    for window, first in ((5, "-40"), (4, "")):
        out = derived(results, change(f"at_months = [2]\nwindow_days = {window}"))
        assert next(r["percent"] for r in rows(out / "changes.csv")) == first


def test_the_waterfall_shows_the_same_changes(results: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from mrecist.endpoints.figures import all as figures

    shown = {}

    def waterfall(patients: list[figures.Patient], **words: object) -> object:
        shown.update({p.subject: p.best_change for p in patients})
        return drawn(patients, **words)

    drawn = figures.waterfall
    monkeypatch.setattr(figures, "waterfall", waterfall)
    out = derived(results, change(), figures=True)
    told = {r["subject"]: float(r["percent"]) for r in rows(out / "changes.csv") if r["percent"]}
    assert {who: value for who, value in shown.items() if value is not None} == told


def test_reported_responses_have_no_sums(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    run(tmp_path, change(), overall=visits(("2020-03-01", "PR")), expect=2)
    assert "endpoint DPR: a change is that of a sum, and overall.csv has none" in capsys.readouterr().err
