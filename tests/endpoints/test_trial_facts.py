"""Facts of a trial that cannot be: days before and after everything else, years of no trial, rows of nobody, rows twice, days left out."""

from __future__ import annotations

from pathlib import Path

import pytest
from endpoint_study import derived, proportion, rows, run, time_endpoint, visits

M1, M2 = "2020-03-01", "2020-05-01"
SD2 = visits((M1, "SD"), (M2, "SD"))
OS = time_endpoint('["death"]', name="OS").replace('at = "last_assessment"', 'at = "last_alive"')
CHANGE = proportion('["CR", "PR", "SD"]', "at_months = [3]\nwindow_days = 14", name="AT")


def person(columns: str = "", cells: str = "", origin: str = "2020-01-01") -> str:
    return f"subject,arm,randomisation{columns}\nS1,A,{origin}{cells}\n"


@pytest.mark.parametrize("asked", [time_endpoint(), OS, proportion(), CHANGE])
def test_a_day_1_after_all_assessments(asked: str, tmp_path: Path) -> None:
    """2021 written for 2020: the time would end on day 1, and nobody would look at it."""
    made, problems = derived(tmp_path, asked, overall=SD2, subjects=person(origin="2021-01-01"))
    assert (made.times, made.outcomes) == ((), ())
    assert [
        "the clock starts on 2021-01-01, after the last assessment of 2020-05-01; correct one" in p for p in problems
    ] == [True]
    # On the day of the last assessment it may be.
    made, problems = derived(tmp_path, asked, overall=SD2, subjects=person(origin=M2))
    assert not problems
    assert len([*made.times, *made.outcomes]) == 1


def test_a_day_1_after_all_assessments_fails_the_command(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = run(tmp_path, time_endpoint(), overall=SD2, subjects=person(origin="2021-01-01"), expect=1)
    assert rows(out / "events.csv") == []
    assert "starts on 2021-01-01, after the last assessment of 2020-05-01" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("origin", "columns", "cells", "tables"),
    [
        ("", "", "", {}),
        ('origin = "date:surgery"', ",surgery", ",2020-08-01", {}),
        ('origin = "procedure:HEPATECTOMY"', "", "", {"procedures": "subject,date,procedure\nS1,2020-08-01,HEPATECTOMY\n"}),
        ('origin = "baseline"', "", "", {}),
    ],
)  # fmt: skip
def test_a_day_1_after_death(origin: str, columns: str, cells: str, tables: dict[str, str], tmp_path: Path) -> None:
    """Also of an endpoint that death neither ends nor censors."""
    death = "2020-07-01" if tables or columns else "2019-12-01"
    subjects = person(f",death{columns}", f",{death}{cells}")
    overall = visits((M1, "NE")) if tables or columns else "subject,date,overall,baseline_date\nS1,,,2019-12-20\n"
    made, problems = derived(
        tmp_path, time_endpoint('["pd"]', more=origin), overall=overall, subjects=subjects, **tables
    )
    assert not made.times
    # From the baseline on, the day 1 of the study after that death is another line.
    assert len(problems) == (2 if "baseline" in origin else 1)
    for line in problems:
        assert death in line
        assert "correct one" in line


def test_an_endpoint_with_a_day_1_of_its_own_may_begin_after_the_last_assessment(tmp_path: Path) -> None:
    """A second treatment begins on 1 August, after the last assessment: nobody was seen since, which is flagged."""
    subjects = person(",first_dose", ",2020-08-01")
    made, problems = derived(tmp_path, time_endpoint(more='origin = "first_dose"'), overall=SD2, subjects=subjects)
    assert not problems
    assert [(one.days, one.flags) for one in made.times] == [(1, ("NO_ASSESSMENT", "ASSESSED_BEFORE_START_ONLY"))]


def test_nobody_is_operated_on_after_death(tmp_path: Path) -> None:
    """A share is no place for it either: it would be a conversion."""
    procedures = "subject,date,procedure\nS1,2020-08-01,HEPATECTOMY\n"
    subjects, asked = person(",death", ",2020-07-01"), proportion('["resection"]')
    made, problems = derived(tmp_path, asked, overall=SD2, subjects=subjects, procedures=procedures)
    assert not made.outcomes
    assert ["has the subject on 2020-08-01, after the death of 2020-07-01; correct one" in one for one in problems] == [
        True
    ]


TABLES = {
    "procedures": ("subject,date,procedure", "S1,{},TACE"),
    "therapies": ("subject,date", "S1,{}"),
    "markers": ("subject,date,test,value,unit", "S1,{},CEA,8,ug/L"),
    "liver": ("subject,date,points", "S1,{},5"),
    "occurrences": ("subject,date,event", "S1,{},vascular_invasion"),
    "adverse_events": ("subject,term,grade,start", "S1,Nausea,1,{}"),
}


@pytest.mark.parametrize("table", [*TABLES, "subjects", "overall", "baseline"])
@pytest.mark.parametrize("day", ["0202-03-01", "2202-03-01", "9999-12-31", "1899-12"])
def test_a_year_of_no_trial(table: str, day: str, tmp_path: Path) -> None:
    tables = {table: "\n".join(TABLES[table]).format(day) + "\n"} if table in TABLES else {}
    overall = (
        visits((day, "SD"))
        if table == "overall"
        else visits((M1, "SD"), baseline=day if table == "baseline" else "2019-12-20")
    )
    subjects = person(",last_alive", f",{day}") if table == "subjects" else person()
    asked = '[schedule]\npartial_date = "first_of_month"\n' + time_endpoint() + OS
    made, problems = derived(tmp_path, asked, overall=overall, subjects=subjects, **tables)
    # PFS reads responses, death and day 1; OS whatever says that somebody is alive.
    assert [one.endpoint for one in made.times] == (["OS"] if table in ("overall", "baseline") else ["PFS"])
    assert [f"'{day}' is no day of a trial; correct the year" in one for one in problems] == [True]


@pytest.mark.parametrize("table", [*TABLES, "subjects", "overall", "baseline"])
def test_a_month_without_a_day_goes_by_the_protocol_in_every_table(table: str, tmp_path: Path) -> None:
    tables = {table: "\n".join(TABLES[table]).format("2020-02") + "\n"} if table in TABLES else {}
    overall = (
        visits(("2020-02", "SD"))
        if table == "overall"
        else visits((M1, "SD"), baseline="2019-11" if table == "baseline" else "2019-12-20")
    )
    subjects = person(",first_dose", ",2020-02") if table == "subjects" else person()
    made, problems = derived(tmp_path, time_endpoint() + OS, overall=overall, subjects=subjects, **tables)
    assert [one.endpoint for one in made.times] == (["OS"] if table in ("overall", "baseline") else ["PFS"])
    assert ["lacks its day; give it, or set schedule.partial_date" in one for one in problems] == [True]
    asked = '[schedule]\npartial_date = "first_of_month"\n' + time_endpoint()
    made, problems = derived(tmp_path, asked, overall=overall, subjects=subjects, **tables)
    assert not problems
    assert [str(one.date) for one in made.times] == ["2020-02-01" if table == "overall" else M1]


def test_responses_of_nobody(tmp_path: Path) -> None:
    """Of the whole subject, or of a region alone."""
    head = "subject,date,overall,baseline_date,region\n"
    overall = head + f"S1,{M1},SD,2019-12-20,\nS8,{M1},SD,2019-12-20,\nS9,{M1},SD,2019-12-20,intrahepatic\n"
    asked = (
        '[regions]\nintrahepatic = ["liver"]\n'
        + proportion(more='region = "intrahepatic"', name="LIVER")
        + proportion()
    )
    _, problems = derived(tmp_path, asked, overall=overall)
    assert [one[:34] for one in problems] == [f"subject {who} has responses and no row"[:34] for who in ("S8", "S9")]


def test_a_row_that_is_there_twice(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Word for word the same is noted, and harmless; another Child-Pugh class of one day is a contradiction."""
    twice = "subject,date,procedure\nS1,2020-01-10,TACE\nS1,2020-01-10,tace\n"
    liver = "subject,date,child_pugh\nS1,2020-02-10,A\nS1,2020-02-10,C\n"
    asked = time_endpoint('["child_pugh_c_after_tace"]')
    out = run(tmp_path, asked, overall=SD2, procedures=twice, liver=liver, expect=1)
    said = capsys.readouterr().err
    assert "note: procedures.csv: 1 rows repeat an earlier one word for word (line 3)" in said
    assert "liver.csv line 3, subject S1: says something else of 2020-02-10 than line 2; keep one" in said
    assert rows(out / "events.csv") == []


def test_a_word_of_ones_own_for_a_margin_is_noted(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    procedures = "subject,date,procedure,outcome\nS1,2020-06-01,HEPATECTOMY,RO\nS1,2020-06-02,TACE,technical success\n"
    run(tmp_path, proportion('["resection"]'), overall=SD2, procedures=procedures)
    said = [line for line in capsys.readouterr().err.splitlines() if "outcome" in line]
    assert len(said) == 2
    assert "outcome 'RO' of 1 rows is none of R0, R1, R2" in said[0]
