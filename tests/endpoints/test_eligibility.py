"""Eligibility that needs images. Measurable by hand: RECIST 1.1 longest diameter from 10 mm on, mRECIST enhancing part from 10 mm on."""

from __future__ import annotations

from pathlib import Path

import pytest
from endpoint_study import proportion, rows, run, visits

from mrecist.cli import main

HEAD = 'format = "mrecist-protocol/1"\n[criteria.recist11]\n[criteria.mrecist]\n[study]\ndisease = "HCC"\n'
ASKED = '[eligibility]\nmeasurable = ["recist11", "mrecist"]\nprior_response = "prior"\n'
COLUMNS = (
    "subject,timepoint,date,lesion,role,state,organ,longest_mm,viable_mm,local_therapy,progressed_since,modality,phase"
)
DAY = "0,2019-12-20"
ROWS = f"""S1,{DAY},T01,target,measured,liver,30,20,,,CT,arterial
S2,{DAY},T01,target,measured,liver,30,8,,,CT,arterial
S3,{DAY},T01,target,measured,liver,30,20,ablation,no,CT,arterial
S4,{DAY},T01,target,measured,liver,30,20,ablation,yes,CT,arterial
S5,{DAY},T01,target,measured,liver,30,20,ablation,,CT,arterial
S6,{DAY},T01,target,measured,liver,30,20,,,US,arterial
S7,{DAY},T01,target,measured,liver,30,20,,,CT,portal venous
S8,{DAY},T01,target,measured,liver,30,20,,,CT,arterial
S9,{DAY},T01,target,measured,liver,30,20,,,CT,arterial
"""
SUBJECTS = (
    "subject,arm,prior\nS1,A,SD\nS2,A,PR\nS3,A,PD\nS4,A,pd\nS5,A,SD\nS6,A,SD\nS7,A,SD\nS8,A,CR\nS9,A,\nS10,A,SD\n"
)
EXPECTED = {
    "S1": ("yes", "recist11;mrecist", "low response", "T01 with viable_mm 20"),
    "S2": ("no", "recist11", "low response", "viable_mm 8 is below 10 mm"),
    "S3": ("no", "", "failure", "ablation before the study and no progression since"),
    "S4": ("yes", "recist11;mrecist", "failure", "prior PD: failure"),
    "S5": ("", "", "low response", "progressed_since is not recorded"),
    "S6": ("no", "", "low response", "measured on US"),
    "S7": ("", "recist11", "low response", "viable_mm on phase portal venous"),
    "S8": ("no", "recist11;mrecist", "", "prior CR is neither low response nor failure"),
    "S9": ("", "recist11;mrecist", "", "prior is not recorded"),
    "S10": ("", "", "low response", "no baseline was read"),
}


def screened(folder: Path, asked: str, *, expect: int = 0, head: str = HEAD) -> Path:
    (folder / "m.csv").write_text(f"{COLUMNS}\n{ROWS}", encoding="utf-8")
    (folder / "subjects.csv").write_text(SUBJECTS, encoding="utf-8")
    (folder / "p.toml").write_text(head + asked + proportion(), encoding="utf-8")
    more = ["--protocol", str(folder / "p.toml"), "--subjects", str(folder / "subjects.csv")]
    assert main(["assess", str(folder / "m.csv"), *more, "--out", str(folder / "results")]) == 0
    assert main(["endpoints", str(folder / "results"), *more, "--out", str(folder / "out")]) == expect
    return folder / "out"


def test_who_is_eligible_and_why(tmp_path: Path) -> None:
    found = {row["subject"]: row for row in rows(screened(tmp_path, ASKED) / "eligibility.csv")}
    told = {who: (row["eligible"], row["measurable"], row["prior_group"]) for who, row in found.items()}
    assert told == {who: expected[:3] for who, expected in EXPECTED.items()}
    assert {who for who, expected in EXPECTED.items() if expected[3] not in found[who]["reason"]} == set()


def test_the_smallest_target_of_one_criterion(tmp_path: Path) -> None:
    """S1 has 30 mm whole and 20 mm viable: below the 31 mm that the study wants for RECIST 1.1, above the 10 mm of mRECIST."""
    head = HEAD.replace("[criteria.recist11]\n", "[criteria.recist11]\nmin_target_mm = 31\n")
    found = {row["subject"]: row for row in rows(screened(tmp_path, ASKED, head=head) / "eligibility.csv")}
    assert (found["S1"]["eligible"], found["S1"]["measurable"]) == ("no", "mrecist")
    assert "longest_mm 30 is below 31 mm" in found["S1"]["reason"]


def test_treated_lesions_where_the_study_does_not_mind(tmp_path: Path) -> None:
    out = screened(tmp_path, ASKED + "treated_need_progression = false\n")
    assert {r["subject"]: r["eligible"] for r in rows(out / "eligibility.csv")}["S3"] == "yes"


@pytest.mark.parametrize(
    ("asked", "said"),
    [
        (ASKED, "subjects.csv has no column 'prior'"),
        ('[eligibility]\nmeasurable = ["mrecist"]\n', "needs the sizes at baseline"),
        ('[eligibility]\nmeasurable = ["mRECIST 2"]\n', "measurable names 'mRECIST 2'"),
        ('[eligibility]\nprior_response = "arm"\nfailure = ["SD", "PD"]\n', "SD is a low response and a failure"),
    ],
)
def test_what_cannot_be_screened_is_refused(
    asked: str, said: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    run(tmp_path, asked + proportion(), overall=visits(("2020-03-01", "PR")), expect=2)
    assert said in capsys.readouterr().err
