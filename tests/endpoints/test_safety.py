"""Adverse events and complications. Every count is worked by hand from the rows in the test (CTCAE: one subject counts once a term)."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from pathlib import Path

import pytest
from endpoint_study import rows, run, time_endpoint, visits

from mrecist.endpoints.safety import safety_of
from mrecist.protocol import FORMAT, parse_protocol
from mrecist.trial import AdverseEvent, Subject, Trial

OS = time_endpoint('["death"]', name="OS").replace("last_assessment", "last_alive")
# S4 was never treated; S5 is treated and has no event.
SUBJECTS = """subject,arm,randomisation,first_dose,last_dose,last_alive
S1,A,2020-01-01,2020-01-05,2020-03-01,2020-12-01
S2,A,2020-01-01,2020-01-05,2020-03-01,2020-12-01
S3,B,2020-01-01,2020-01-05,,2020-12-01
S4,B,2020-01-01,,,2020-12-01
S5,B,2020-01-01,2020-01-05,2020-03-01,2020-12-01
"""
# Nausea of S1: 1 and 3, once; S2: "NAUSEA" 2, relation not recorded; S3: 5, unrelated. S1's rash began before the first dose.
EVENTS = """subject,term,grade,start,soc,related,ctcae_version
S1,Nausea,1,2020-01-06,Gastrointestinal disorders,yes,5.0
S1,Nausea,3,2020-01-20,Gastrointestinal disorders,no,v5.0
S1,Rash,2,2020-01-02,Skin,yes,5.0
S2,NAUSEA,2,2020-01-06,Gastrointestinal disorders,,5
S2,Fever,4,2020-04-15,General,yes,5.0
S3,Sepsis,5,2020-06-01,Infections,no,5.0
S4,Fever,3,2020-02-01,General,yes,5.0
"""
SAFETY = '[safety]\nctcae_version = "5.0"\n'


def shares(out: Path, **asked: str) -> dict[str, tuple[str, ...]]:
    """Arm -> n, subjects, unknown, percent of the rows that have these cells."""
    found = [row for row in rows(out / "safety.csv") if all(row[name] == value for name, value in asked.items())]
    assert len({row["arm"] for row in found}) == len(found)
    return {row["arm"]: (row["n"], row["subjects"], row["unknown"], row["percent"]) for row in found}


def study(tmp_path: Path, safety: str, *, expect: int = 0, **tables: str) -> Path:
    subjects = tables.pop("subjects", SUBJECTS)
    return run(tmp_path, safety + OS, overall=visits(("2020-06-01", "SD")), subjects=subjects, expect=expect, **tables)


def test_terms_by_arm_of_treated_subjects(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = study(tmp_path, SAFETY, adverse_events=EVENTS)
    said = capsys.readouterr().err
    assert "1 subjects outside the population" in said
    assert "1 adverse events began before treatment" in said
    nausea = {"level": "term", "term": "Nausea"}
    assert shares(out, **nausea, relation="all", grade="any") == {
        "": ("4", "2", "0", "50.0"),
        "A": ("2", "2", "0", "100.0"),
        "B": ("2", "0", "0", "0.0"),
    }
    assert shares(out, **nausea, relation="all", grade=">=3")["A"] == ("2", "1", "0", "50.0")
    # S1's grade 3 is unrelated, its grade 1 related; whether S2's is related is not known, so there is no percentage.
    assert shares(out, **nausea, relation="related", grade="any")["A"] == ("2", "1", "1", "")
    assert shares(out, **nausea, relation="related", grade=">=3")["A"] == ("2", "0", "0", "0.0")
    assert shares(out, level="any", relation="all", grade=">=3")[""] == ("4", "3", "0", "75.0")
    assert shares(out, level="any", relation="all", grade="5") == {
        "": ("4", "1", "0", "25.0"),
        "A": ("2", "0", "0", "0.0"),
        "B": ("2", "1", "0", "50.0"),
    }
    assert shares(out, level="soc", soc="General", relation="related", grade="any")["A"] == ("2", "1", "0", "50.0")
    (least,) = [
        r for r in rows(out / "safety.csv") if (r["term"], r["relation"], r["grade"], r["arm"]) == ("Nausea", "related", "any", "A")
    ]  # fmt: skip
    assert (least["percent_least"], least["percent_most"]) == ("50.0", "100.0")
    assert {row["population"] for row in rows(out / "safety.csv")} == {"treated"}


def test_the_worst_grade_of_a_subject(tmp_path: Path) -> None:
    out = study(tmp_path, SAFETY, adverse_events=EVENTS)
    told = ("subject", "term", "grade", "related", "undecided", "events", "first")
    assert [tuple(row[name] for name in told) for row in rows(out / "worst_grades.csv")] == [
        ("S1", "Nausea", "3", "1", "", "2", "2020-01-06"),
        ("S2", "Fever", "4", "4", "", "1", "2020-04-15"),
        ("S2", "Nausea", "2", "", "2", "1", "2020-01-06"),
        ("S3", "Sepsis", "5", "", "", "1", "2020-06-01"),
    ]


def test_a_window_after_the_last_treatment(tmp_path: Path) -> None:
    # 1 March + 45 days is 15 April 2020: the fever of that day counts, 44 days leave it out. S3 has no last dose: no end.
    for days, terms in ((45, {"Nausea", "Fever", "Sepsis"}), (44, {"Nausea", "Sepsis"})):
        window = f'last_treatment = ["date:last_dose"]\nwindow_days = {days}\n'
        out = study(tmp_path, SAFETY + window, adverse_events=EVENTS)
        assert {row["term"] for row in rows(out / "worst_grades.csv")} == terms


def test_an_event_without_a_start_counts_and_is_told(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = study(tmp_path, SAFETY, adverse_events="subject,term,grade,start\nS5,Pain,2,\n")
    assert [row["first"] for row in rows(out / "worst_grades.csv")] == [""]
    assert "1 adverse events have no start" in capsys.readouterr().err


def test_everybody_without_an_event_is_a_zero_of_a_known_denominator(tmp_path: Path) -> None:
    out = study(tmp_path, SAFETY, adverse_events="subject,term,grade\n")
    assert shares(out, level="any", relation="related", grade="any")[""] == ("4", "0", "0", "0.0")


def test_serious_events(tmp_path: Path) -> None:
    """By hand: S1 has a serious grade 3 and a grade 4 that is not; whether S2's grade 2 was is not recorded; S5 has none."""
    events = "subject,term,grade,start,serious\nS1,Fever,3,2020-01-20,yes\nS1,Fever,4,2020-02-20,no\n"
    out = study(tmp_path, SAFETY, adverse_events=events + "S2,Fever,2,2020-01-20,\nS3,Rash,1,2020-01-20,no\n")
    fever = {"level": "term", "term": "Fever", "relation": "serious"}
    assert shares(out, **fever, grade="any")[""] == ("4", "1", "1", "")
    assert shares(out, **fever, grade=">=3")[""] == ("4", "1", "0", "25.0")
    assert shares(out, level="any", relation="serious", grade="any")["B"] == ("2", "0", "0", "0.0")


def test_nothing_is_said_of_serious_events_where_nobody_recorded_it(tmp_path: Path) -> None:
    out = study(tmp_path, SAFETY, adverse_events=EVENTS)
    assert {row["relation"] for row in rows(out / "safety.csv")} == {"all", "related"}


@pytest.mark.parametrize(
    ("safety", "tables", "said"),
    [
        (SAFETY, {}, "there are no adverse events; give them with --adverse-events"),
        (
            SAFETY.replace("5.0", "4.03"),
            {"adverse_events": EVENTS},
            "subject S2 has an event of CTCAE 5, the protocol says 4.03",
        ),
        (SAFETY + 'population = "safety"\n', {"adverse_events": EVENTS}, "population 'safety' is none of ITT, treated"),
        (SAFETY + "window_days = 30\n", {"adverse_events": EVENTS}, "window_days and last_treatment go together"),
        (SAFETY + 'clavien_procedures = ["HEPATECTOMY"]\n', {"adverse_events": EVENTS}, "needs procedures.csv"),
    ],
)
def test_what_cannot_be_tabulated_is_refused(
    safety: str, tables: dict[str, str], said: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    study(tmp_path, safety, expect=2, **tables)
    assert said in capsys.readouterr().err


# S1: II and IIIb (worst IIIb), S2: none, S3: not recorded, S5: V, dead on day 40 after surgery; S1's TACE is not asked for.
PROCEDURES = """subject,date,procedure,clavien_dindo,complication
S1,2020-02-01,HEPATECTOMY,II,2020-02-03
S1,2020-04-01,HEPATECTOMY,IIIb,2020-04-20
S1,2020-05-01,TACE,IVa,2020-05-02
S2,2020-02-01,HEPATECTOMY,none,
S3,2020-02-01,HEPATECTOMY,,
S5,2020-02-01,HEPATECTOMY,V,
"""
DEAD = """subject,arm,randomisation,first_dose,last_alive,death
S1,A,2020-01-01,2020-01-05,2020-12-01,
S2,A,2020-01-01,2020-01-05,2020-12-01,
S3,B,2020-01-01,2020-01-05,2020-12-01,
S5,B,2020-01-01,2020-01-05,,2020-03-12
"""


@pytest.mark.parametrize(
    ("days", "severe", "dead"),
    [
        ("", ("4", "2", "1", ""), ("4", "1", "1", "")),
        # 12 March is day 40 after 1 February 2020: no complication within 30 days, one within 90.
        ("clavien_days = 30\n", ("4", "1", "1", ""), ("4", "0", "1", "")),
        ("clavien_days = 90\n", ("4", "2", "1", ""), ("4", "1", "1", "")),
    ],
)
def test_complications(days: str, severe: tuple[str, ...], dead: tuple[str, ...], tmp_path: Path) -> None:
    asked = f'[safety]\nclavien_procedures = ["hepatectomy"]\n{days}'
    out = study(tmp_path, asked, procedures=PROCEDURES, subjects=DEAD)
    table = {"table": "clavien_dindo"}
    assert shares(out, **table, level="at_least", grade=">=IIIa")[""] == severe
    assert shares(out, **table, level="at_least", grade="V")[""] == dead
    assert shares(out, **table, level="worst", grade="IIIb")["A"] == ("2", "1", "0", "50.0")
    assert shares(out, **table, level="worst", grade="II")["A"] == ("2", "0", "0", "0.0")


def test_complications_within_several_windows(tmp_path: Path) -> None:
    """The rows of 30 and of 90 days, as above, each under a term that names the days."""
    asked = '[safety]\nclavien_procedures = ["hepatectomy"]\nclavien_days = [30, 90]\n'
    out = study(tmp_path, asked, procedures=PROCEDURES, subjects=DEAD)
    for term, severe, dead in (
        ("HEPATECTOMY, 30 days", ("4", "1", "1", ""), ("4", "0", "1", "")),
        ("HEPATECTOMY, 90 days", ("4", "2", "1", ""), ("4", "1", "1", "")),
    ):
        assert shares(out, term=term, level="at_least", grade=">=IIIa")[""] == severe
        assert shares(out, term=term, level="at_least", grade="V")[""] == dead


@pytest.mark.parametrize("days", ["[]", "[90, 30]", "[30, 30]", "-1", '"30"', "[30.5]"])
def test_days_that_are_no_windows(days: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    asked = f'[safety]\nclavien_procedures = ["HEPATECTOMY"]\nclavien_days = {days}\n'
    study(tmp_path, asked, expect=2, procedures=PROCEDURES, subjects=DEAD)
    assert "clavien_days" in capsys.readouterr().err


def test_a_complication_whose_day_is_not_known_is_unknown_in_a_window(tmp_path: Path) -> None:
    asked = '[safety]\nclavien_procedures = ["HEPATECTOMY"]\nclavien_days = 30\n'
    table = "subject,date,procedure,clavien_dindo\nS1,2020-02-01,HEPATECTOMY,IIIa\nS2,2020-02-01,HEPATECTOMY,none\n"
    out = study(tmp_path, asked, procedures=table)
    assert shares(out, level="at_least", grade=">=IIIa") == {
        "": ("2", "0", "1", ""),
        "A": ("2", "0", "1", ""),
        "B": ("0", "0", "0", ""),
    }


def test_a_complication_that_cannot_be_is_a_problem_of_its_subject(tmp_path: Path) -> None:
    asked = '[safety]\nclavien_procedures = ["HEPATECTOMY"]\n'
    table = "subject,date,procedure,clavien_dindo,complication\nS1,2020-02-01,HEPATECTOMY,IIIa,2020-01-31\n"
    out = study(tmp_path, asked, expect=1, procedures=table)
    assert ["before the procedure" in row["message"] for row in rows(out / "problems.csv")] == [True]


class _Counted(tuple[AdverseEvent, ...]):
    """Rows that count how often somebody goes through them."""

    passes = 0

    def __iter__(self) -> Iterator[AdverseEvent]:
        _Counted.passes += 1
        return super().__iter__()


def test_events_are_gone_through_once_and_not_once_a_subject() -> None:
    people = {f"S{n}": Subject(subject=f"S{n}", arm="A", dates={"first_dose": date(2020, 1, 1)}) for n in range(60)}
    rows = _Counted(
        AdverseEvent(subject=name, term="Nausea", grade=2, start=date(2020, 1, 2)) for name in list(people)[:20]
    )
    protocol = parse_protocol({"format": FORMAT, "safety": {}}, where="protocol.toml")
    found = safety_of(protocol, Trial(subjects=people, adverse_events=rows))
    assert len(found.worst) == 20
    assert _Counted.passes < 10
