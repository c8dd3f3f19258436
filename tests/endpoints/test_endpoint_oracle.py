"""Seeded random subjects against a second derivation that walks the days (endpoint_oracle.py), and what that comparison found."""

from __future__ import annotations

from collections import Counter
from datetime import date
from pathlib import Path

import pytest
from endpoint_oracle import OF_CUTOFF, PROTOCOL, derive, invent, tables
from endpoint_study import HEAD, derived_rows, proportion, rows, run, time_endpoint, visits

from mrecist.endpoints.derive import derive_endpoints
from mrecist.endpoints.sources import courses_of_reported
from mrecist.protocol import load_protocol
from mrecist.tables.trial import read_trial

CUT = '[response]\ncut = ["first_pd", "data_cutoff"]\ndata_cutoff = 2020-12-31\n'
EVERY_8_WEEKS = "[schedule]\nvisits = [{ every_weeks = 8 }]\nwindow_days = 7\n"
MISSED = '{ when = "missed_visits", count = 2, cnsr = 4, at = "last_assessment_before" }'
THERAPY = '{ when = "new_anticancer_therapy", cnsr = 3, at = "last_assessment_before" }'
HEADER = "subject,arm,randomisation"


@pytest.mark.parametrize("cutoff", [None, date(2020, 12, 31)])
def test_every_row_of_random_subjects(cutoff: date | None, tmp_path: Path) -> None:
    people = [invent(number, f"cut {cutoff}") for number in range(1000)]
    asked = CUT + PROTOCOL + OF_CUTOFF if cutoff else PROTOCOL
    for name, text in {**tables(people), "protocol": HEAD + asked}.items():
        (tmp_path / name).write_text(text, encoding="utf-8")
    protocol = load_protocol(tmp_path / "protocol")
    read = read_trial(
        tmp_path / "subjects",
        {name: tmp_path / name for name in ("therapies", "procedures")},
        (),
        protocol.partial_date,
    )
    courses = courses_of_reported(tmp_path / "overall", protocol, read.trial)
    assert not read.problems
    assert not courses.problems
    found = {
        (one.endpoint, one.subject): (one.start, one.date, one.days, one.cnsr, one.status, one.event)
        for one in derive_endpoints(protocol, courses.courses, read.trial).times
    }
    expected = {
        (name, one.name): (own.start, own.end, own.days, own.cnsr, own.status, own.event)
        for one in people
        for name, own in derive(one, cutoff).items()
    }
    different = {key: (found.get(key), expected.get(key)) for key in found.keys() | expected.keys()}
    different = {key: two for key, two in different.items() if two[0] != two[1]}
    assert not different, f"{len(different)} rows differ, such as {min(different.items())}"
    # Each way to end is there often enough to be compared.
    ends = Counter((name, row[3]) for (name, _), row in expected.items())
    assert min(ends["FDA", code] for code in (0, 1, 3, 4, 5)) >= 30, ends
    assert min(ends["TTP", code] for code in (0, 1, 2, 3)) >= 30, ends
    assert min(ends["DOR", code] for code in (0, 1, 3, 4)) >= 30, ends
    assert min(ends["HALF", code] for code in (0, 1, 7)) >= 30, ends
    assert min(ends["LEFT", code] for code in (0, 1, 2, 8)) >= 30, ends
    assert min(ends["TTRES", code] for code in (0, 1, 101, 102)) >= 30, ends
    assert cutoff is None or min(ends["CUT", code] for code in (0, 1, 6)) >= 30, ends


def one_row(
    tmp_path: Path, protocol: str, overall: str, columns: str = "", cells: str = "", **more: str
) -> dict[str, str]:
    subjects = f"{HEADER}{columns}\nS1,A,2020-01-01{cells}\n"
    (row,) = derived_rows(tmp_path, protocol, overall=overall, subjects=subjects, **more)["events"]
    return row


def test_visits_of_a_duration_are_counted_from_randomisation(tmp_path: Path) -> None:
    """Visits are due on 26 February, 22 April, 17 June and 12 August 2020. Response on 1 April, death on 20 August: the visits of
    22 April, 17 June and 12 August are missed. Counted from the response only two would be due (27 May, 22 July)."""
    protocol = EVERY_8_WEEKS + time_endpoint(censor=MISSED.replace("2", "3", 1), more='origin = "first_response"')
    row = one_row(tmp_path, protocol, visits(("2020-04-01", "PR")), ",death", ",2020-08-20")
    assert (row["date"], row["cnsr"], row["reason"][:15]) == ("2020-04-01", "4", "3 visits missed")


@pytest.mark.parametrize(
    # The window of the second missed visit (17 June) closes on 24 June 2020.
    ("therapy", "event"),
    [
        ("2020-03-01", "new_anticancer_therapy"),
        ("2020-06-23", "new_anticancer_therapy"),
        ("2020-06-25", "missed_visits"),
    ],
)
def test_what_stopped_the_scans_first_is_the_reason(therapy: str, event: str, tmp_path: Path) -> None:
    protocol = EVERY_8_WEEKS + time_endpoint(censor=f"{MISSED}, {THERAPY}")
    cells = f",2020-09-01,{therapy}"
    row = one_row(tmp_path, protocol, visits(("2020-02-26", "SD")), ",death,new_anticancer_therapy", cells)
    assert (row["date"], row["event"]) == ("2020-02-26", event)


def test_a_scan_on_the_day_of_death_was_not_missed(tmp_path: Path) -> None:
    protocol = EVERY_8_WEEKS + time_endpoint(censor=MISSED)
    overall = visits(("2020-02-26", "SD"), ("2020-09-01", "SD"))
    row = one_row(tmp_path, protocol, overall, ",death", ",2020-09-01")
    assert (row["date"], row["cnsr"]) == ("2020-09-01", "0")


@pytest.mark.parametrize(
    ("columns", "cells", "more", "day"),
    [
        (",new_anticancer_therapy", ",2020-05-01", {}, "2020-05-01"),
        ("", "", {"occurrences": "subject,date,event\nS1,2020-05-02,vascular_invasion\n"}, "2020-05-02"),
        ("", "", {"adverse_events": "subject,term,grade,start\nS1,Nausea,1,2020-05-03\n"}, "2020-05-03"),
        ("", "", {"liver": "subject,date,points\nS1,2020-05-04,5\n"}, "2020-05-04"),
        # An office may close a file long after anybody has seen the subject.
        (",lost_to_follow_up", ",2020-12-31", {}, "2020-03-01"),
    ],
)
def test_any_table_has_the_subject_alive(
    columns: str, cells: str, more: dict[str, str], day: str, tmp_path: Path
) -> None:
    protocol = time_endpoint('["death"]').replace('"last_assessment"', '"last_alive"')
    row = one_row(tmp_path, protocol, visits(("2020-03-01", "SD")), columns, cells, **more)
    assert (row["date"], row["flags"]) == (day, "LAST_ALIVE_DERIVED")


def test_the_last_scan_of_any_reader_has_the_subject_alive(tmp_path: Path) -> None:
    overall = (
        "subject,reader,date,overall,baseline_date\nS1,R1,2020-03-01,SD,2019-12-20\nS1,R2,2020-06-01,SD,2019-12-20\n"
    )
    row = one_row(tmp_path, time_endpoint('["death"]').replace('"last_assessment"', '"last_alive"'), overall)
    assert row["date"] == "2020-06-01"


def test_an_assessment_on_day_1_is_none_after_it(tmp_path: Path) -> None:
    rule = '{ when = "no_postbaseline", cnsr = 5, at = "origin" }'
    row = one_row(tmp_path, time_endpoint(censor=rule), visits(("2020-01-01", "SD")))
    assert (row["days"], row["cnsr"]) == ("1", "5")


@pytest.mark.parametrize(
    ("overall", "more"),
    [
        (visits(("2020-08-02", "SD")), {}),
        (visits(("2020-03-01", "SD")), {"procedures": "subject,date,procedure\nS1,2020-08-02,TACE\n"}),
    ],
)
def test_nobody_is_seen_after_death(
    overall: str, more: dict[str, str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    subjects = f"{HEADER},death\nS1,A,2020-01-01,2020-08-01\n"
    out = run(tmp_path, time_endpoint(), overall=overall, subjects=subjects, expect=1, **more)
    assert rows(out / "events.csv") == []
    assert "has the subject on 2020-08-02, after the death of 2020-08-01; correct one" in capsys.readouterr().err


def test_a_response_after_a_new_therapy_is_flagged(tmp_path: Path) -> None:
    overall = visits(("2020-03-01", "SD"), ("2020-05-01", "PR"), ("2020-07-01", "PR"))
    protocol = time_endpoint(censor=THERAPY, more='origin = "first_response"')
    for day, flags in (("2020-04-01", "RESPONSE_AFTER_NEW_THERAPY"), ("2019-12-01", ""), ("2020-05-01", "")):
        row = one_row(tmp_path, protocol, overall, ",new_anticancer_therapy", f",{day}")
        assert (row["start"], row["flags"]) == ("2020-05-01", flags)


def test_responses_that_cannot_be_read_are_not_never_assessed(tmp_path: Path) -> None:
    """Neither a failure of response nor a time that is censored on day 1."""
    overall = visits(("2020-03-01", "PR")) + "S2,2020-03-01,excellent,2019-12-20\n"
    subjects = f"{HEADER}\nS1,A,2020-01-01\nS2,A,2020-01-01\n"
    out = run(tmp_path, time_endpoint() + proportion(), overall=overall, subjects=subjects, expect=1)
    assert [row["subject"] for name in ("events", "outcomes") for row in rows(out / f"{name}.csv")] == ["S1", "S1"]


def test_who_starts_after_the_cutoff_is_in_no_denominator(tmp_path: Path) -> None:
    subjects = f"{HEADER}\nS1,A,2020-01-01\nS2,A,2021-01-01\nS3,A,2020-12-31\n"
    out = run(tmp_path, CUT + proportion(), overall=visits(("2020-03-01", "PR")), subjects=subjects, expect=1)
    assert [row["subject"] for row in rows(out / "outcomes.csv")] == ["S1", "S3"]


def test_worse_after_complete_response_is_progression_at_a_month(tmp_path: Path) -> None:
    """Reported as SD after CR on 6 April, which is progression, and the nearest visit to month 3 (1 April)."""
    overall = visits(("2020-02-05", "CR"), ("2020-04-06", "SD"))
    more = "at_months = [3]\nwindow_days = 14"
    (row,) = derived_rows(tmp_path, proportion('["CR", "PR", "SD"]', more), overall=overall)["outcomes"]
    assert (row["success"], row["value"]) == ("no", "PD")


def test_only_the_categories_that_are_named_are_successes(tmp_path: Path) -> None:
    overall = visits(("2020-03-01", "NON-CR/NON-PD"))
    ways = proportion('["CR", "PR", "SD"]', name="A") + proportion('["CR", "PR", "SD", "NON-CR/NON-PD"]', name="B")
    found = [row["success"] for row in derived_rows(tmp_path, ways, overall=overall)["outcomes"]]
    assert found == ["no", "yes"]


def test_immune_progression_is_the_unconfirmed_one_that_was_confirmed(tmp_path: Path) -> None:
    """iUPD on 1 March is reset by iSD on 1 May; iUPD on 1 July is confirmed on 10 August (Seymour 2017): the event of July."""
    days = (("2020-03-01", "iUPD"), ("2020-05-01", "iSD"), ("2020-07-01", "iUPD"), ("2020-08-10", "iCPD"))
    assert one_row(tmp_path, time_endpoint(), visits(*days))["date"] == "2020-07-01"
    assert one_row(tmp_path, time_endpoint(), visits(*days[:2]))["cnsr"] == "1"


def test_a_competing_event_on_the_day_of_a_therapy_counts(tmp_path: Path) -> None:
    protocol = time_endpoint('["pd"]', THERAPY, more='competing = ["death"]')
    cells = ",2020-04-01,2020-04-01"
    row = one_row(tmp_path, protocol, visits(("2020-03-01", "SD")), ",death,new_anticancer_therapy", cells)
    assert (row["status"], row["date"]) == ("competing", "2020-04-01")


@pytest.mark.parametrize(("alive", "event"), [("2020-12-31", "no_event"), ("2021-01-01", "data_cutoff")])
def test_the_cutoff_is_the_reason_for_who_was_alive_after_it(alive: str, event: str, tmp_path: Path) -> None:
    rule = '{ when = "data_cutoff", cnsr = 6, at = "data_cutoff" }'
    protocol = CUT + time_endpoint('["death"]', rule).replace('"last_assessment"', '"last_alive"')
    row = one_row(tmp_path, protocol, visits(("2020-03-01", "SD")), ",last_alive", f",{alive}")
    assert (row["date"], row["event"]) == ("2020-12-31", event)


def test_a_schedule_that_gets_wider(tmp_path: Path) -> None:
    """Every 8 weeks until week 16, then every 12: due in weeks 8, 16 and 28 (15 July 2020, window to 22 July), 40."""
    schedule = "[schedule]\nvisits = [{ every_weeks = 8, until_week = 16 }, { every_weeks = 12 }]\nwindow_days = 7\n"
    protocol = schedule + time_endpoint(censor=MISSED.replace("2", "3", 1))
    for death, cnsr in (("2020-07-22", "0"), ("2020-07-23", "4")):
        row = one_row(tmp_path, protocol, visits(("2020-01-02", "SD")), ",death", f",{death}")
        assert (row["cnsr"], row["date"]) == (cnsr, death if cnsr == "0" else "2020-01-02")


def test_nobody_says_that_the_subject_lived_after_day_1(tmp_path: Path) -> None:
    protocol = time_endpoint('["death"]').replace('"last_assessment"', '"last_alive"')
    row = one_row(tmp_path, protocol, "subject,date,overall,baseline_date\nS1,,,2019-12-20\n")
    assert (row["days"], row["flags"]) == ("1", "LAST_ALIVE_UNKNOWN")


@pytest.mark.parametrize("day", ["9999-12-31", "2202-03-01"])
def test_a_slip_in_a_year_is_told(day: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    overall = visits((day, "PD"))
    subjects = f"{HEADER}\nS1,A,2020-01-01\n"
    out = run(tmp_path, EVERY_8_WEEKS + time_endpoint(censor=MISSED), overall=overall, subjects=subjects, expect=1)
    assert rows(out / "events.csv") == []
    assert len(capsys.readouterr().err.splitlines()) == 2


@pytest.mark.parametrize(
    ("protocol", "response", "message"),
    [
        (time_endpoint(censor=MISSED), "SD", "missed_visits needs [schedule] visits"),
        (
            time_endpoint(censor='{ when = "data_cutoff", cnsr = 6, at = "data_cutoff" }'),
            "SD",
            "data_cutoff needs [response] data_cutoff",
        ),
        (proportion(), "iPR", "success is CR, PR and there is the response iPR"),
        (proportion('["iCR", "iPR"]'), "PR", "success is iCR, iPR and there is the response PR"),
    ],
)
def test_what_could_never_hold_is_refused(
    protocol: str, response: str, message: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    run(tmp_path, protocol, overall=visits(("2020-03-01", response)), expect=2)
    assert message in capsys.readouterr().err
    assert not (tmp_path / "out").exists()


def test_immune_responses_at_a_month(tmp_path: Path) -> None:
    """Progression of 4 April is past month 3 (1 April) and the nearest visit to it: PD there, in either criterion's words."""
    overall = visits(("2020-02-05", "iSD"), ("2020-04-04", "iUPD"), ("2020-05-10", "iCPD"))
    way = proportion('["iCR", "iPR", "iSD"]', "at_months = [3]\nwindow_days = 14")
    (row,) = derived_rows(tmp_path, way, overall=overall)["outcomes"]
    assert (row["success"], row["date"]) == ("no", "2020-04-04")


@pytest.mark.parametrize(
    ("liver", "days"),
    [
        # TACTICS (Kudo 2020): after TACE of 10 January (day 10); Child-Pugh A is 5 and 6 points, B 7 to 9, C 10 to 15 (Pugh 1973).
        ("S1,2020-01-10,10\nS1,2020-02-01,11", None),
        ("S1,2020-01-10,9\nS1,2020-02-01,10", "32"),
        ("S1,2020-01-10,6\nS1,2020-02-01,9", None),
    ],
)
def test_child_pugh_c_is_from_10_points_and_after_the_day_of_tace(liver: str, days: str | None, tmp_path: Path) -> None:
    tables = {
        "liver": f"subject,date,points\n{liver}\n",
        "procedures": "subject,date,procedure\nS1,2020-01-10,TACE\n",
    }
    row = one_row(tmp_path, time_endpoint('["child_pugh_c_after_tace"]'), visits(("2020-01-05", "SD")), **tables)
    assert (row["days"] if row["cnsr"] == "0" else None) == days


@pytest.mark.parametrize(
    ("values", "success"),
    [
        # Day 1 is 1 January 2020: a value of that day is the baseline; the cut-off is 31 December, its day included.
        ("2019-12-01,2;2020-01-01,8;2020-03-01,4", "yes"),
        ("2019-12-01,8;2020-01-01,4;2020-03-01,4", ""),
        ("2020-01-01,8;2020-12-31,4", "yes"),
        ("2020-01-01,8;2021-01-01,4", "no"),
        ("2020-01-01,8;2020-03-01,<5", "yes"),
        ("2020-01-01,>5;2020-03-01,4", "yes"),
    ],
)
def test_a_marker_at_the_edges_of_its_time(values: str, success: str, tmp_path: Path) -> None:
    way = '[[endpoint]]\nid = "CEA"\nkind = "proportion"\nmarker = { test = "CEA", limit = 5.0, unit = "ug/L", '
    lines = "".join(f"S1,CEA,{value},ug/L\n" for value in values.split(";"))
    markers = f"subject,test,date,value,unit\n{lines}"
    protocol = CUT + way + "elevated_at_baseline = true }\n"
    (row,) = derived_rows(tmp_path, protocol, overall=visits(("2020-03-01", "PR")), markers=markers)["outcomes"]
    assert row["success"] == success


@pytest.mark.parametrize(("day", "success"), [("2020-03-28", "no"), ("2020-03-29", "yes")])
def test_a_conversion_is_confirmed_on_the_28th_day(day: str, success: str, tmp_path: Path) -> None:
    way = '[[endpoint]]\nid = "CEA"\nkind = "proportion"\nmarker = { test = "CEA", limit = 5.0, unit = "ug/L", '
    markers = f"subject,test,date,value,unit\nS1,CEA,2020-01-01,8,ug/L\nS1,CEA,2020-03-01,4,ug/L\nS1,CEA,{day},4,ug/L\n"
    protocol = way + "confirm_days = 28 }\n"
    (row,) = derived_rows(tmp_path, protocol, overall=visits(("2020-03-01", "PR")), markers=markers)["outcomes"]
    assert row["success"] == success


def test_a_month_on_the_day_of_the_cutoff_is_counted(tmp_path: Path) -> None:
    """Month 6 is day 183 after day 1 (2 July 2020); nobody was seen near it, which counts unless it lies after the cut-off."""
    more = "at_months = [6]\nwindow_days = 7"
    for day, success in (("2020-07-02", "no"), ("2020-07-01", "")):
        protocol = CUT.replace("2020-12-31", day) + proportion(more=more)
        (row,) = derived_rows(tmp_path, protocol, overall=visits(("2020-03-01", "PR")))["outcomes"]
        assert row["success"] == success


@pytest.mark.parametrize(
    ("day", "cutoff", "success"),
    [
        # Month 3 is 1 April 2020, with 14 days on either side; the day of the cut-off still counts.
        ("2020-03-18", "2020-12-31", "yes"),
        ("2020-03-17", "2020-12-31", "no"),
        ("2020-04-15", "2020-04-15", "yes"),
        ("2020-04-15", "2020-04-14", "no"),
    ],
)
def test_the_edges_of_a_window(day: str, cutoff: str, success: str, tmp_path: Path) -> None:
    protocol = CUT.replace("2020-12-31", cutoff) + proportion(more="at_months = [3]\nwindow_days = 14")
    (row,) = derived_rows(tmp_path, protocol, overall=visits((day, "PR")))["outcomes"]
    assert row["success"] == success
