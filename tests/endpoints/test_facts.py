"""Facts that cannot be leave a subject out of the endpoints that read them, and days that were not recorded give way to known ones.

Worked by hand; days = date - start + 1 (CDISC ADaM BDS-TTE 1.0), day 1 is 1 January 2020 unless said otherwise.
"""

from __future__ import annotations

from pathlib import Path

import pytest
from endpoint_study import derived, proportion, time_endpoint, visits

OS = time_endpoint('["death"]', name="OS").replace('at = "last_assessment"', 'at = "last_alive"')
TTP = time_endpoint('["pd"]', name="TTP")
CEA = '[[endpoint]]\nid = "CEA"\nkind = "proportion"\nmarker = { test = "CEA", limit = 5, unit = "ug/L" }\n'
RESECTED = proportion('["resection"]', name="RES")
ALL = time_endpoint() + TTP + OS + proportion() + RESECTED
EVERYTHING = ["PFS", "TTP", "OS", "ORR", "RES"]
PR_SD = visits(("2020-03-01", "PR"), ("2020-05-01", "PR"))
PR_PD = visits(("2020-03-01", "PR"), ("2020-05-01", "PD"))
EMPTY = "subject,date,procedure\n"
LATE = EMPTY + "S1,2020-08-01,TACE\n"


def person(columns: str = "", cells: str = "", origin: str = "2020-01-01") -> str:
    return f"subject,arm,randomisation{columns}\nS1,A,{origin}{cells}\n"


DEAD = person(",death", ",2020-07-01")


@pytest.mark.parametrize(
    ("overall", "subjects", "procedures", "derives", "said"),
    [
        # Death ends PFS and it may be the wrong one of the two; TTP ends on the last assessment with and without it.
        (PR_SD, DEAD, LATE, ["TTP", "ORR"], "procedures.csv has the subject on 2020-08-01, after the death of 2020-07-01"),
        # Progression on 1 May ends PFS whatever is wrong later.
        (PR_PD, DEAD, LATE, ["PFS", "TTP", "ORR"], "procedures.csv has the subject on 2020-08-01"),
        (PR_PD, person(",death,last_alive", ",2020-07-01,2020-08-01"), EMPTY, ["PFS", "TTP", "ORR", "RES"], "last_alive"),
        (PR_SD, person(",death,last_alive", ",2020-07-01,2020-08-01"), EMPTY, ["TTP", "ORR", "RES"], "last_alive"),
        # An assessment after death: neither the responses nor the death can be trusted.
        (PR_SD, person(",death", ",2020-04-01"), EMPTY, ["RES"], "overall.csv has the subject on 2020-05-01"),
        # A consent after death is read by nothing but the last day alive.
        (PR_PD, person(",death,consent", ",2020-07-01,2020-09-01"), EMPTY, ["PFS", "TTP", "ORR", "RES"], "consent"),
        # A date that cannot be read.
        (PR_PD, person(",death", ",2020-13-01"), EMPTY, ["TTP", "ORR", "RES"], "death: '2020-13-01'"),
        (PR_PD, DEAD, EMPTY + "S1,2020-13-01,TACE\n", ["PFS", "TTP", "ORR"], "procedures.csv line 2, subject S1: date"),
    ],
)  # fmt: skip
def test_only_what_reads_the_fact_is_left_out(
    overall: str, subjects: str, procedures: str, derives: list[str], said: str, tmp_path: Path
) -> None:
    made, problems = derived(tmp_path, ALL, overall=overall, subjects=subjects, procedures=procedures)
    assert {one.endpoint for one in (*made.times, *made.outcomes)} == set(derives)
    (line,) = problems
    assert said in line
    assert line.endswith(f"(left out of {', '.join(one for one in EVERYTHING if one not in derives)})")


def test_two_values_of_a_marker_leave_out_the_share_of_markers_and_the_last_day_alive(tmp_path: Path) -> None:
    markers = (
        "subject,date,test,value,unit\nS1,2019-12-30,CEA,8,ug/L\nS1,2020-03-01,CEA,4,ug/L\nS1,2020-03-01,CEA,9,ug/L\n"
    )
    made, problems = derived(tmp_path, ALL.replace(RESECTED, "") + CEA, overall=PR_PD, markers=markers)
    assert {one.endpoint for one in (*made.times, *made.outcomes)} == {"PFS", "TTP", "ORR"}
    assert [one.endswith("(left out of OS, CEA)") for one in problems] == [True]


def test_a_fault_that_no_endpoint_reads_is_still_told(tmp_path: Path) -> None:
    made, problems = derived(tmp_path, TTP, overall=PR_PD, subjects=DEAD, procedures=LATE)
    assert [one.days for one in made.times] == [122]
    assert [one.endswith("(no endpoint hangs on it)") for one in problems] == [True]


MARCH = visits(("2020-03-20", "SD"))
FLAG, MOVED = "IMPUTED_DATE:2020-03", "IMPUTED_DATE_MOVED:2020-03"


@pytest.mark.parametrize(
    ("rule", "columns", "cells", "origin", "asked", "expected"),
    [
        # Scan on 20 March, alive on the 25th: not dead on the 1st. 1 January to 25 March is 85 days (31 + 29 + 25).
        ("first", ",death,last_alive", ",2020-03,2020-03-25", "2020-01-01", OS, ("2020-03-25", 85, (FLAG, MOVED))),
        ("first", ",death", ",2020-03", "2020-01-01", OS, ("2020-03-20", 80, (FLAG, MOVED))),
        ("last", ",death,last_alive", ",2020-03,2020-03-25", "2020-01-01", OS, ("2020-03-31", 91, (FLAG,))),
        # Day 1 on 10 March, a withdrawal "in March" is not on the 1st; the 15th needs not move.
        ("first", ",withdrawal", ",2020-03", "2020-03-10", "withdrawal", ("2020-03-10", 1, (FLAG, MOVED))),
        ("middle", ",withdrawal", ",2020-03", "2020-03-10", "withdrawal", ("2020-03-15", 6, (FLAG,))),
        # Last known alive "in March", dead on the 28th.
        ("last", ",last_alive,death", ",2020-03,2020-03-28", "2020-01-01", "last_alive", ("2020-03-28", 88, (FLAG, MOVED))),
        # Day 1 itself has no day: 15 March to the scan of 20 March.
        ("middle", ",death", ",", "2020-03", time_endpoint(), ("2020-03-20", 6, (FLAG,))),
        # A trigger that was imputed decides the row, also where the time ends on an assessment before.
        ("last", ",withdrawal", ",2020-03", "2020-01-01", "before", ("2020-03-20", 80, (FLAG,))),
    ],
)  # fmt: skip
def test_an_imputed_day_gives_way_to_a_known_one(
    rule: str,
    columns: str,
    cells: str,
    origin: str,
    asked: str,
    expected: tuple[str, int, tuple[str, ...]],
    tmp_path: Path,
) -> None:
    protocols = {
        "withdrawal": time_endpoint('["withdrawal"]'),
        "last_alive": time_endpoint('["date:last_alive"]'),
        "before": time_endpoint(censor='{ when = "withdrawal", cnsr = 2, at = "last_assessment_before" }'),
    }
    protocol = f'[schedule]\npartial_date = "{rule}_of_month"\n' + protocols.get(asked, asked)
    made, problems = derived(tmp_path, protocol, overall=MARCH, subjects=person(columns, cells, origin))
    assert problems == []
    assert [(str(one.date), one.days, one.flags) for one in made.times] == [expected]


def test_a_death_of_another_month_does_not_give_way(tmp_path: Path) -> None:
    protocol = '[schedule]\npartial_date = "last_of_month"\n' + OS
    subjects = person(",death,last_alive", ",2020-02,2020-03-25")
    made, problems = derived(tmp_path, protocol, overall=visits(("2020-02-20", "SD")), subjects=subjects)
    assert made.times == ()
    assert ["on 2020-03-25, after the death of 2020-02-29 ('2020-02', completed by" in one for one in problems] == [
        True
    ]


def test_rows_of_tables_give_way_too(tmp_path: Path) -> None:
    """A therapy "in January" of a day 1 on the 10th began on the 10th; an occurrence "in July" of a death on the 5th that day."""
    protocol = '[schedule]\npartial_date = "first_of_month"\n' + time_endpoint('["new_anticancer_therapy"]')
    tables = {"therapies": "subject,date\nS1,2020-01\n"}
    made, problems = derived(tmp_path, protocol, overall=PR_PD, subjects=person(origin="2020-01-10"), **tables)
    assert problems == []
    flags = ("IMPUTED_DATE:2020-01", "IMPUTED_DATE_MOVED:2020-01")
    assert [(str(one.date), one.days, one.flags) for one in made.times] == [("2020-01-10", 1, flags)]
    protocol = '[schedule]\npartial_date = "last_of_month"\n' + time_endpoint('["clinical_progression"]')
    tables = {"occurrences": "subject,date,event\nS1,2020-07,clinical_progression\n"}
    subjects = person(",death", ",2020-07-05")
    made, problems = derived(tmp_path, protocol, overall=PR_PD, subjects=subjects, **tables)
    assert problems == []
    assert [(str(one.date), one.days) for one in made.times] == [("2020-07-05", 187)]
