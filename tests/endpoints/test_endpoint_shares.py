"""Shares: responses, procedures, markers; who is counted, and the intervals against published figures."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pytest
from endpoint_study import proportion, rows, run, visits

from mrecist.endpoints.rates import interval

SUBJECTS = "subject,arm,randomisation\n"


def people(count: int) -> str:
    return SUBJECTS + "".join(f"S{n},A,2020-01-01\n" for n in range(1, count + 1))


def reported(groups: Sequence[tuple[int, str]]) -> tuple[str, int]:
    """overall.csv of so many subjects with each response; "" are subjects without one."""
    lines, number = [], 0
    for count, response in groups:
        for _ in range(count):
            number += 1
            if response:
                lines.append(f"S{number},2020-04-01,{response},2019-12-20")
    return "\n".join(["subject,date,overall,baseline_date", *lines]) + "\n", number


@pytest.mark.parametrize(
    ("groups", "orr", "dcr"),
    [
        # Cao 2022, HAIC plus regorafenib: intrahepatic 20 PR, 20 SD, 17 missing of 57.
        (((20, "PR"), (20, "SD"), (17, "")), "50.0", "100.0"),
        # Extrahepatic: 4 PR, 7 SD, 7 PD, 12 other, 27 missing; "other" is assessed and no response.
        (((4, "PR"), (7, "SD"), (7, "PD"), (12, "NE"), (27, "")), "13.3", "36.7"),
    ],
)
def test_the_printed_rates_of_cao_2022(groups: Sequence[tuple[int, str]], orr: str, dcr: str, tmp_path: Path) -> None:
    overall, count = reported(groups)
    assert count == 57
    assessed = 'denominator = "assessed"'
    endpoints = proportion(more=assessed) + proportion('["CR", "PR", "SD"]', assessed, name="DCR")
    out = run(tmp_path, endpoints, overall=overall, subjects=people(count))
    found = {r["endpoint"]: r for r in rows(out / "estimates.csv") if r["method"] == "clopper-pearson"}
    assert {name: f"{100 * float(r['value']):.1f}" for name, r in found.items()} == {"ORR": orr, "DCR": dcr}
    assert {r["n"] for r in found.values()} == {str(57 - groups[-1][0])}


@pytest.mark.parametrize(
    ("successes", "n", "method", "limits"),
    [
        # Newcombe 1998, Statistics in Medicine 17:857, table I: four examples, exact (method 5) and score (method 3).
        (81, 263, "wilson", (0.2553, 0.3662)),
        (81, 263, "clopper-pearson", (0.2527, 0.3676)),
        (15, 148, "wilson", (0.0624, 0.1605)),
        (15, 148, "clopper-pearson", (0.0578, 0.1617)),
        (0, 20, "wilson", (0.0, 0.1611)),
        (0, 20, "clopper-pearson", (0.0, 0.1684)),
        (1, 29, "wilson", (0.0061, 0.1718)),
        (1, 29, "clopper-pearson", (0.0009, 0.1776)),
    ],
)
def test_intervals_of_newcombe_1998(successes: int, n: int, method: str, limits: tuple[float, float]) -> None:
    assert tuple(round(limit, 4) for limit in interval(successes, n, method)) == limits


def test_the_difference_of_newcombe_1998(tmp_path: Path) -> None:
    """Newcombe 1998, Statistics in Medicine 17:873, table II, example (a): 56/70 - 48/80, method 10: 0.0524 to 0.3339."""
    overall, _ = reported(((56, "PR"), (14, "SD"), (48, "PR"), (32, "SD")))
    subjects = SUBJECTS + "".join(f"S{n},{'B' if n <= 70 else 'A'},2020-01-01\n" for n in range(1, 151))
    out = run(tmp_path, proportion(), overall=overall, subjects=subjects)
    (found,) = [r for r in rows(out / "estimates.csv") if r["estimate"] == "rate_difference"]
    assert (found["arm"], found["against"]) == ("B", "A")
    assert [round(float(found[k]), 4) for k in ("value", "low", "high")] == [0.2, 0.0524, 0.3339]


def test_confirmed_and_unconfirmed_best_response(tmp_path: Path) -> None:
    overall = visits(("2020-03-01", "PR"), ("2020-03-20", "PR"), ("2020-05-01", "PD"))
    overall += "S2,2020-03-01,PR,2019-12-20\nS2,2020-03-29,PR,2019-12-20\n"
    endpoints = proportion() + proportion(more="confirmed = true", name="CORR")
    out = run(tmp_path, endpoints, overall=overall, subjects=people(2))
    found = {(r["endpoint"], r["subject"]): (r["success"], r["value"], r["date"]) for r in rows(out / "outcomes.csv")}
    assert found == {
        ("ORR", "S1"): ("yes", "PR", "2020-03-01"),
        ("ORR", "S2"): ("yes", "PR", "2020-03-01"),
        ("CORR", "S1"): ("no", "SD", ""),  # 19 days are less than 28, and 60 days of not getting worse are stable
        ("CORR", "S2"): ("yes", "PR", "2020-03-01"),
    }


def test_responses_at_months(tmp_path: Path) -> None:
    """Months of 30.4375 days from 1 January 2020: 1 is day 30 (31 January), 3 is 91 (1 April), 6 is 183 (2 July)."""
    overall = visits(("2020-02-05", "SD"), ("2020-03-20", "PR"), ("2020-04-10", "NE"), ("2020-06-20", "PD"))
    more = "at_months = [1, 3, 6]\nwindow_days = 14"
    out = run(tmp_path, proportion('["CR", "PR", "SD"]', more, name="DCR"), overall=overall)
    found = [(r["months"], r["success"], r["value"], r["date"]) for r in rows(out / "outcomes.csv")]
    assert found == [
        ("1", "yes", "SD", "2020-02-05"),
        ("3", "yes", "PR", "2020-03-20"),
        ("6", "no", "PD", "2020-06-20"),
    ]


def test_conversion_to_resection(tmp_path: Path) -> None:
    procedures = "subject,date,procedure,outcome\nS1,2020-06-01,Hepatectomy,R0\nS2,2019-06-01,HEPATECTOMY,R0\nS3,2020-05-01,RFA,\n"
    endpoints = proportion('["resection"]', name="RES") + proportion('["resection", "ablation"]', name="BOTH")
    endpoints += proportion('["procedure:HEPATECTOMY"]', name="HEP")
    out = run(tmp_path, endpoints, overall=visits(("2020-03-01", "PR")), subjects=people(3), procedures=procedures)
    found = [(r["endpoint"], r["subject"], r["success"]) for r in rows(out / "outcomes.csv")]
    yes = [(endpoint, subject) for endpoint, subject, success in found if success == "yes"]
    assert yes == [("RES", "S1"), ("BOTH", "S1"), ("BOTH", "S3"), ("HEP", "S1")]
    assert len(found) == 9


MARKERS = {
    # subject: (values of CEA, success, reason begins)
    "S1": ("2019-12-30,8,ng/mL;2020-03-01,5.0,ug/L", "yes", "CEA 5.0 ug/L"),
    "S2": ("2019-12-30,5,ug/L;2020-03-01,2,ug/L", "", "CEA was not above"),
    "S3": ("2020-03-01,2,ug/L", "", "no CEA up to"),
    "S4": ("2019-12-30,8,ug/L", "no", "no CEA after"),
    "S5": ("2019-12-30,8,ug/L;2020-03-01,5.1,ug/L", "no", "lowest CEA 5.1"),
    "S6": ("2019-12-30,>100,ug/L;2020-03-01,<2,ug/L", "yes", "CEA <2 ug/L"),
    "S7": ("2019-12-01,2,ug/L;2019-12-30,8,ug/L;2020-03-01,4,ug/L", "yes", "CEA 4"),
}


def test_negative_conversion_of_a_marker(tmp_path: Path) -> None:
    lines = [f"{name},CEA,{row}" for name, (values, _, _) in MARKERS.items() for row in values.split(";")]
    markers = "subject,test,date,value,unit\n" + "\n".join(lines) + "\n"
    endpoint = '[[endpoint]]\nid = "CEA"\nkind = "proportion"\n'
    endpoint += 'marker = { test = "CEA", limit = 5.0, unit = "ug/L", elevated_at_baseline = true }\n'
    out = run(tmp_path, endpoint, overall=visits(("2020-03-01", "PR")), subjects=people(7), markers=markers)
    found = {r["subject"]: (r["success"], r["reason"]) for r in rows(out / "outcomes.csv")}
    assert {name: success for name, (success, _) in found.items()} == {n: s for n, (_, s, _) in MARKERS.items()}
    assert all(found[name][1].startswith(reason) for name, (_, _, reason) in MARKERS.items())


@pytest.mark.parametrize("row", ["2020-03-01,8,mmol/L", "2020-03-01,<10,ug/L"])
def test_a_marker_that_cannot_be_compared_is_told(row: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    endpoint = '[[endpoint]]\nid = "CEA"\nkind = "proportion"\nmarker = { test = "CEA", limit = 5.0, unit = "ug/L" }\n'
    markers = f"subject,test,date,value,unit\nS1,CEA,2019-12-30,8,ug/L\nS1,CEA,{row}\n"
    out = run(tmp_path, endpoint, overall=visits(("2020-03-01", "PR")), markers=markers, expect=1)
    assert rows(out / "outcomes.csv") == []
    assert "the subject is left out of it" in capsys.readouterr().err
