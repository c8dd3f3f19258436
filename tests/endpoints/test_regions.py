"""Responses inside and outside the liver. Categories are worked by hand from the sizes (RECIST 1.1: Eisenhauer 2009)."""

from __future__ import annotations

from pathlib import Path

import pytest
from endpoint_study import proportion, rows, run, time_endpoint

from mrecist.cli import main

HEAD = 'format = "mrecist-protocol/1"\n[criteria.recist11]\n[origin]\nevent = "randomisation"\n'
ORGANS = '[regions]\nintrahepatic = ["liver", "portal vein"]\n'
INSIDE, OUTSIDE = ('region = "intrahepatic"', 'region = "extrahepatic"')
COLUMNS = "subject,timepoint,date,lesion,role,state,longest_mm,organ"
# S1: liver 50 -> 25 (PR), lung 20 -> 30 (+50 %, PD). S2: liver only, 40 -> 40 (SD), then a new lung lesion; its liver was seen.
# S3: lung only, 20 -> 20 (SD). S4: liver 40, seen at baseline and not at the visit of its lung lesion.
ROWS = """S1,0,2019-12-20,T01,target,measured,50,"Liver, segment 8"
S1,0,2019-12-20,T02,target,measured,20,left lung
S1,1,2020-03-01,T01,target,measured,25,liver
S1,1,2020-03-01,T02,target,measured,30,lung
S2,0,2019-12-20,T01,target,measured,40,liver
S2,1,2020-03-01,T01,target,measured,40,liver
S2,2,2020-05-01,T01,target,measured,40,liver
S2,2,2020-05-01,NEW01,new,unequivocal,12,lung
S3,0,2019-12-20,T01,target,measured,20,lung
S3,1,2020-03-01,T01,target,measured,20,lung
S4,0,2019-12-20,T01,target,measured,40,liver
S4,0,2019-12-20,T02,target,measured,20,lung
S4,1,2020-03-01,T02,target,measured,10,lung
"""
SUBJECTS = "subject,arm,randomisation\n" + "".join(f"S{n},A,2020-01-01\n" for n in range(1, 5))


def derived(folder: Path, endpoints: str, table: str = ROWS, *, expect: int = 0, regions: str = ORGANS) -> Path:
    (folder / "m.csv").write_text(f"{COLUMNS}\n{table}", encoding="utf-8")
    (folder / "subjects.csv").write_text(SUBJECTS, encoding="utf-8")
    (folder / "p.toml").write_text(HEAD + regions + endpoints, encoding="utf-8")
    more = ["--protocol", str(folder / "p.toml"), "--subjects", str(folder / "subjects.csv")]
    if main(["assess", str(folder / "m.csv"), *more, "--out", str(folder / "results")]) == 2:
        assert expect == 2
    assert main(["endpoints", str(folder / "results"), *more, "--out", str(folder / "out")]) == expect
    return folder / "out"


def found(out: Path, endpoint: str) -> dict[str, tuple[str, str]]:
    return {r["subject"]: (r["value"], r["success"]) for r in rows(out / "outcomes.csv") if r["endpoint"] == endpoint}


def test_responses_of_a_region(tmp_path: Path) -> None:
    liver, lung = proportion(more=INSIDE, name="LIVER"), proportion(more=OUTSIDE, name="LUNG")
    out = derived(tmp_path, liver + lung + proportion())
    # Without a row the liver of S4 was not evaluated; S3 has no liver disease and is not counted.
    assert found(out, "LIVER") == {"S1": ("PR", "yes"), "S2": ("SD", "no"), "S3": ("", ""), "S4": ("NE", "no")}
    # S2 has no disease outside the liver at baseline: not counted, although a lesion comes there.
    assert found(out, "LUNG") == {"S1": ("PD", "no"), "S2": ("", ""), "S3": ("SD", "no"), "S4": ("PR", "yes")}
    # The whole of S1: 70 to 55 mm, -21 %.
    assert found(out, "ORR") == {"S1": ("SD", "no"), "S2": ("SD", "no"), "S3": ("SD", "no"), "S4": ("NE", "no")}
    told = [r for r in rows(out / "estimates.csv") if r["method"] == "wilson"]
    assert {r["endpoint"]: r["region"] for r in told} == {"LIVER": "intrahepatic", "LUNG": "extrahepatic", "ORR": ""}
    rate = {r["endpoint"]: (r["events"], r["n"]) for r in told}
    assert rate == {"LIVER": ("1", "3"), "LUNG": ("1", "3"), "ORR": ("0", "4")}


def test_times_of_a_region(tmp_path: Path) -> None:
    out = derived(tmp_path, time_endpoint('["pd"]', "", INSIDE, "HPFS") + time_endpoint('["pd"]', "", OUTSIDE, "EHPFS"))
    ended = {(r["endpoint"], r["subject"]): (r["date"], r["cnsr"]) for r in rows(out / "events.csv")}
    assert {(r["endpoint"], r["region"]) for r in rows(out / "events.csv")} == {
        ("HPFS", "intrahepatic"),
        ("EHPFS", "extrahepatic"),
    }
    assert ended == {
        ("HPFS", "S1"): ("2020-03-01", "1"),
        ("HPFS", "S2"): ("2020-05-01", "1"),
        # The liver of S3 had no disease and has none at the visit; that of S4 was not seen.
        ("HPFS", "S3"): ("2020-03-01", "1"),
        ("HPFS", "S4"): ("2020-01-01", "1"),
        ("EHPFS", "S1"): ("2020-03-01", "0"),
        # The new lesion outside the liver is a progression there.
        ("EHPFS", "S2"): ("2020-05-01", "0"),
        ("EHPFS", "S3"): ("2020-03-01", "1"),
        ("EHPFS", "S4"): ("2020-03-01", "1"),
    }


def test_the_study_says_which_organs_are_the_liver(tmp_path: Path) -> None:
    table = ROWS.replace(
        "S3,0,2019-12-20,T01,target,measured,20,lung", "S3,0,2019-12-20,T01,target,measured,20,Portal vein"
    )
    table = table.replace(
        "S3,1,2020-03-01,T01,target,measured,20,lung", "S3,1,2020-03-01,T01,target,measured,20,portal vein"
    )
    out = derived(tmp_path, proportion(more=INSIDE, name="LIVER"), table)
    assert found(out, "LIVER")["S3"] == ("SD", "no")
    out = derived(tmp_path, proportion(more=INSIDE, name="LIVER"), table, regions=ORGANS.replace(', "portal vein"', ""))
    assert found(out, "LIVER")["S3"] == ("", "")


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("25,liver", "25,lung", "lesion T01 lies in both regions"),
        ("S3,0,2019-12-20,T01,target,measured,20,lung\nS3,1,2020-03-01,T01,target,measured,20,lung",
         "S3,0,2019-12-20,T01,target,measured,20,\nS3,1,2020-03-01,T01,target,measured,20,", "lesion T01 has no organ"),
    ],
)  # fmt: skip
def test_a_lesion_of_no_known_region_is_a_problem_of_its_subject(old: str, new: str, said: str, tmp_path: Path) -> None:
    assert old in ROWS
    out = derived(tmp_path, proportion(more=INSIDE, name="LIVER") + proportion(), ROWS.replace(old, new), expect=1)
    who = "S1" if "both" in said else "S3"
    assert [(r["subject"], said in r["message"]) for r in rows(out / "problems.csv")] == [(who, True)]
    assert who not in found(out, "LIVER")
    assert who in found(out, "ORR")


def test_reported_responses_of_a_region(tmp_path: Path) -> None:
    # Every subject has a row for each region; NA says that there was no disease in it. The rows without a region are the whole.
    overall = """subject,date,overall,baseline_date,region
S1,2020-03-01,PD,2019-12-20,
S1,2020-03-01,PR,2019-12-20,intrahepatic
S1,2020-03-01,PD,2019-12-20,extrahepatic
S2,2020-03-01,SD,2019-12-20,
S2,2020-03-01,SD,2019-12-20,intrahepatic
S2,2020-03-01,NA,2019-12-20,extrahepatic
"""
    asked = ORGANS + proportion(more=INSIDE, name="LIVER") + proportion(more=OUTSIDE, name="LUNG") + proportion()
    people = "subject,arm,randomisation\nS1,A,2020-01-01\nS2,A,2020-01-01\n"
    out = run(tmp_path, asked, overall=overall, subjects=people)
    assert found(out, "LIVER") == {"S1": ("PR", "yes"), "S2": ("SD", "no")}
    assert found(out, "LUNG") == {"S1": ("PD", "no"), "S2": ("", "")}
    assert found(out, "ORR") == {"S1": ("PD", "no"), "S2": ("SD", "no")}


@pytest.mark.parametrize(
    ("protocol", "overall", "said"),
    [
        (proportion(more=INSIDE), "subject,date,overall,baseline_date\nS1,2020-03-01,PR,2019-12-20\n", "say in [regions]"),
        (ORGANS + proportion(more=INSIDE), "subject,date,overall,baseline_date\nS1,2020-03-01,PR,2019-12-20\n", "no column 'region'"),
        (ORGANS + proportion(more=INSIDE), "subject,date,overall,baseline_date,region\nS1,2020-03-01,PR,2019-12-20,hepatic\n",
         "region is 'hepatic'"),
        (ORGANS + proportion('["resection"]', INSIDE), "subject,date,overall,baseline_date\nS1,2020-03-01,PR,2019-12-20\n",
         "needs none"),
    ],
)  # fmt: skip
def test_what_has_no_region_is_refused(
    protocol: str, overall: str, said: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    run(tmp_path, protocol, overall=overall, expect=2)
    assert said in capsys.readouterr().err
