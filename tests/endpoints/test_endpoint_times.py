"""Events and censoring, each rule worked by hand.

Source of the rules: FDA, Clinical Trial Endpoints for the Approval of Cancer Drugs and Biologics (December 2018), appendix 3, tables
A to C; days = date - start + 1 as in CDISC ADaM BDS-TTE 1.0. The day numbers are counted by hand from the calendar of 2020, a leap
year: with randomisation on 1 January, 1 March is day 61, 1 May day 122, 1 July day 183, 1 September day 245, 1 November day 306.
"""

from __future__ import annotations

from pathlib import Path

import pytest
from endpoint_study import derived_rows, rows, run, time_endpoint, visits

M1, M2, M3, M4, M5 = "2020-03-01", "2020-05-01", "2020-07-01", "2020-09-01", "2020-11-01"
DAY = {M1: "61", M2: "122", M3: "183", M4: "245", M5: "306"}
SD3 = visits((M1, "SD"), (M2, "SD"), (M3, "SD"))
PD4 = visits((M1, "SD"), (M2, "PR"), (M3, "PR"), (M4, "PD"))
THERAPY = '{ when = "new_anticancer_therapy", cnsr = 3, at = "last_assessment_before" }'
DEATH = '{ when = "death", cnsr = 2, at = "last_assessment" }'
MISSED = '{ when = "missed_visits", count = 2, cnsr = 4, at = "last_assessment_before" }'
THERAPY_EVENT = "new_anticancer_therapy"
NONE_SEEN = '{ when = "no_postbaseline", cnsr = 5, at = "origin" }'
EVERY_8_WEEKS = "[schedule]\nvisits = [{ every_weeks = 8 }]\nwindow_days = 7\n"


def person(**dates: str) -> str:
    names = ["subject", "arm", "randomisation", *dates]
    return f"{','.join(names)}\n{','.join(['S1', 'A', '2020-01-01', *dates.values()])}\n"


CASES = {
    # name: (responses, subject, censoring rules before no_event, date, days, cnsr, event)
    "progression": (PD4, person(), "", M4, "245", "0", "pd"),
    "no event: last assessment": (SD3, person(), "", M3, "183", "1", "no_event"),
    "death before progression": (SD3, person(death="2020-08-01"), "", "2020-08-01", "214", "0", "death"),
    "progression before death": (PD4, person(death="2020-12-01"), "", M4, "245", "0", "pd"),
    "both on one day: the one named first": (PD4, person(death=M4), "", M4, "245", "0", "pd"),
    "not evaluable is no assessment": (visits((M1, "SD"), (M2, "NE")), person(), "", M1, "61", "1", "no_event"),
    "nothing but not evaluable": (visits((M1, "NE")), person(), "", "2020-01-01", "1", "1", "no_event"),
    "nothing but not evaluable, own rule": (visits((M1, "NE")), person(), NONE_SEEN, "2020-01-01", "1", "5", "no_postbaseline"),
    "dead without an assessment": (
        *(visits((M1, "NE")), person(death="2020-02-01"), NONE_SEEN),
        *("2020-02-01", "32", "0", "death"),
    ),
    "new therapy before progression": (PD4, person(new_anticancer_therapy="2020-08-01"), THERAPY, M3, "183", "3", THERAPY_EVENT),
    "new therapy on the day of progression": (PD4, person(new_anticancer_therapy=M4), THERAPY, M4, "245", "0", "pd"),
    "new therapy on the day of an assessment": (PD4, person(new_anticancer_therapy=M3), THERAPY, M3, "183", "3", THERAPY_EVENT),
    "new therapy before any assessment": (
        *(PD4, person(new_anticancer_therapy="2020-02-01"), THERAPY),
        *("2020-01-01", "1", "3", THERAPY_EVENT),
    ),
    "new therapy without progression": (SD3, person(new_anticancer_therapy="2020-06-01"), THERAPY, M2, "122", "3", THERAPY_EVENT),
    "new therapy that no rule names": (PD4, person(new_anticancer_therapy="2020-08-01"), "", M4, "245", "0", "pd"),
    "therapy of before the start does not count": (PD4, person(new_anticancer_therapy="2019-11-01"), THERAPY, M4, "245", "0", "pd"),
    "stable after complete response is progression": (
        *(visits((M1, "CR"), (M2, "SD")), person(), ""),
        *(M2, "122", "0", "pd"),
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", CASES)
def test_one_subject(name: str, tmp_path: Path) -> None:
    overall, subject, censor, date, days, cnsr, event = CASES[name]
    (row,) = derived_rows(tmp_path, time_endpoint(censor=censor), overall=overall, subjects=subject)["events"]
    found = row["date"], row["days"], row["cnsr"], row["event"]
    assert found == (date, days, cnsr, event)
    assert row["start"] == "2020-01-01"
    assert row["status"] == ("event" if cnsr == "0" else "censored")


@pytest.mark.parametrize(
    ("day", "missed", "expected"),
    [
        # Visits are due on days 57, 113, 169, 225, ... (26 February, 22 April, 17 June, 12 August 2020), each within 7 days.
        ("2020-06-17", 1, ("2020-06-17", "0")),
        ("2020-08-12", 2, ("2020-02-26", "4")),
        # Exactly on the last day of the window of 12 August: that visit was kept, and two before it were not.
        ("2020-08-19", 2, ("2020-02-26", "4")),
        # One day after the window of 17 June: visits of April and June are missed.
        ("2020-06-25", 2, ("2020-02-26", "4")),
        # On the last day of that window only April's is.
        ("2020-06-24", 1, ("2020-06-24", "0")),
    ],
)
def test_two_missed_visits_before_a_progression(
    day: str, missed: int, expected: tuple[str, str], tmp_path: Path
) -> None:
    overall = visits(("2020-02-26", "SD"), (day, "PD"))
    out = run(tmp_path, EVERY_8_WEEKS + time_endpoint(censor=MISSED), overall=overall)
    (row,) = rows(out / "events.csv")
    assert (row["date"], row["cnsr"]) == expected
    assert row["reason"].startswith(f"{missed} visits missed") is (expected[1] == "4")


def test_missed_visits_in_the_middle_do_not_matter(tmp_path: Path) -> None:
    overall = visits(("2020-02-26", "SD"), ("2020-08-12", "SD"), ("2020-10-07", "PD"))
    (row,) = derived_rows(tmp_path, EVERY_8_WEEKS + time_endpoint(censor=MISSED), overall=overall)["events"]
    assert (row["date"], row["cnsr"]) == ("2020-10-07", "0")


def test_death_is_censored_competes_or_is_an_event(tmp_path: Path) -> None:
    """One death on day 214 and an assessment on day 183 before it, three ways."""
    ways = (
        time_endpoint('["pd"]', DEATH, name="CENSORED")
        + time_endpoint('["pd"]', more='competing = ["death"]', name="COMPETING")
        + time_endpoint('["pd", "death"]', name="EVENT")
        + time_endpoint('["pd"]', '{ when = "death", cnsr = 2, at = "trigger" }', name="AT_DEATH")
    )
    found = derived_rows(tmp_path, ways, overall=SD3, subjects=person(death="2020-08-01"))["events"]
    assert [(r["endpoint"], r["days"], r["cnsr"], r["status"]) for r in found] == [
        ("CENSORED", "183", "2", "censored"),
        ("COMPETING", "214", "101", "competing"),
        ("EVENT", "214", "0", "event"),
        ("AT_DEATH", "214", "2", "censored"),
    ]


@pytest.mark.parametrize(
    ("dates", "date", "source", "flags"),
    [
        ({"death": "2020-08-01"}, "2020-08-01", "subjects.csv death", ""),
        ({"last_alive": "2020-12-01"}, "2020-12-01", "subjects.csv last_alive", ""),
        ({"last_alive": "2020-06-15"}, M3, "overall.csv last assessment", "LAST_ALIVE_DERIVED"),
        ({}, M3, "overall.csv last assessment", "LAST_ALIVE_DERIVED"),
    ],
)
def test_overall_survival(dates: dict[str, str], date: str, source: str, flags: str, tmp_path: Path) -> None:
    """Alive on the day that is stated, or on a later one on which the subject was seen; never later than that is known."""
    endpoint = '[[endpoint]]\nid = "OS"\nkind = "time"\nevents = ["death"]\n'
    endpoint += 'censor = [{ when = "no_event", cnsr = 1, at = "last_alive" }]\n'
    (row,) = derived_rows(tmp_path, endpoint, overall=SD3, subjects=person(**dates))["events"]
    assert (row["date"], row["source"], row["flags"]) == (date, source, flags)
    assert row["cnsr"] == ("0" if "death" in dates else "1")


def test_the_data_cutoff_hides_what_comes_after_it(tmp_path: Path) -> None:
    cut = '[response]\ncut = ["first_pd", "data_cutoff"]\ndata_cutoff = 2020-08-15\n'
    last = '{ when = "no_event", cnsr = 1, at = "last_alive" }'
    os = f'[[endpoint]]\nid = "OS"\nkind = "time"\nevents = ["death"]\ncensor = [{last}]\n'
    out = run(tmp_path, cut + time_endpoint() + os, overall=PD4, subjects=person(death="2020-12-01"))
    assert [(r["endpoint"], r["date"], r["cnsr"]) for r in rows(out / "events.csv")] == [
        ("PFS", M3, "1"),
        ("OS", "2020-08-15", "1"),
    ]


def test_duration_of_response_is_for_responders(tmp_path: Path) -> None:
    overall = visits((M1, "PR"), (M2, "PR"), (M3, "PD")) + "S2,2020-03-01,SD,2019-12-20\nS3,2020-03-01,PR,2019-12-20\n"
    ways = time_endpoint(more='origin = "first_response"', name="DOR")
    ways += time_endpoint(more='origin = "first_confirmed_response"', name="CDOR")
    subjects = "subject,arm,randomisation\nS1,A,2020-01-01\nS2,A,2020-01-01\nS3,B,2020-01-01\n"
    found = derived_rows(tmp_path, ways, overall=overall, subjects=subjects)["events"]
    assert [(r["endpoint"], r["subject"], r["start"], r["days"], r["cnsr"]) for r in found] == [
        ("DOR", "S1", M1, "123", "0"),
        ("DOR", "S3", M1, "1", "1"),
        ("CDOR", "S1", M1, "123", "0"),
    ]


def test_untreatable_progression_after_tace(tmp_path: Path) -> None:
    """TACTICS (Kudo 2020): Child-Pugh C after TACE, vascular invasion, extrahepatic spread; C of before TACE is none of them."""
    events = '["vascular_invasion", "extrahepatic_spread", "child_pugh_c_after_tace"]'
    subjects = "subject,arm,randomisation\n" + "".join(f"S{n},A,2020-01-01\n" for n in range(1, 5))
    overall = visits((M1, "SD")) + "".join(f"S{n},{M1},SD,2019-12-20\n" for n in range(2, 5))
    found = derived_rows(
        tmp_path,
        time_endpoint(events, name="TTUP"),
        overall=overall,
        subjects=subjects,
        procedures="subject,date,procedure\nS1,2020-01-10,TACE\nS2,2020-03-01,tace\nS3,2020-01-10,TACE\n",
        liver="subject,date,child_pugh,points\nS1,2020-01-02,A,5\nS1,2020-02-10,,11\nS2,2020-02-10,C,\nS2,2020-04-10,C,\n",
        occurrences="subject,date,event\nS3,2020-02-20,Extrahepatic spread\nS3,2020-02-10,vascular_invasion\n",
    )["events"]
    assert [(r["subject"], r["date"], r["cnsr"], r["event"]) for r in found] == [
        ("S1", "2020-02-10", "0", "child_pugh_c_after_tace"),
        ("S2", M1, "1", "no_event"),
        ("S3", "2020-02-10", "0", "vascular_invasion"),
        ("S4", M1, "1", "no_event"),
    ]


def test_what_cannot_be_derived_is_told_and_stops_nobody_else(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    overall = SD3 + f"S2,{M1},PD,2019-12-20\nS4,{M1},PD,2019-12-20\n"
    subjects = "subject,arm,randomisation\nS1,A,2020-01-01\nS2,A,2020-04-01\nS3,A,\n"
    out = run(tmp_path, time_endpoint(), overall=overall, subjects=subjects, expect=1)
    assert [r["subject"] for r in rows(out / "events.csv")] == ["S1"]
    told = {r["subject"]: r["message"] for r in rows(out / "problems.csv")}
    assert "pd of 2020-03-01 lies before the start of the clock on 2020-04-01" in told["S2"]
    assert "no date of randomisation" in told["S3"]
    assert "no row in subjects.csv" in told["S4"]
    assert len(capsys.readouterr().err.splitlines()) == 4


def test_a_table_that_an_endpoint_needs_is_asked_for(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    run(tmp_path, time_endpoint('["resection"]'), overall=SD3, expect=2)
    assert "stands in procedures.csv; give it with --procedures" in capsys.readouterr().err
    assert not (tmp_path / "out").exists()


def test_readers_apart_or_the_accepted_one(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    overall = "subject,reader,date,overall,baseline_date\n"
    overall += f"S1,R1,{M1},SD,2019-12-20\nS1,R2,{M1},PD,2019-12-20\n"
    found = derived_rows(tmp_path, time_endpoint(), overall=overall)["events"]
    assert [(r["reader"], r["cnsr"]) for r in found] == [("R1", "1"), ("R2", "0")]
    accepted = time_endpoint(more='reader = "accepted"')
    run(tmp_path, accepted, overall=overall, expect=2)
    assert "[readers] accepted is not given and there are R1, R2" in capsys.readouterr().err
    found = derived_rows(tmp_path, '[readers]\naccepted = "R2"\n' + accepted, overall=overall)["events"]
    assert [(r["reader"], r["cnsr"]) for r in found] == [("R2", "0")]
