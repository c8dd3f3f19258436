"""Each rule of the table of censoring in docs/endpoints.md, and each place where a time may end, worked by hand with dates.

Sources: FDA, Clinical Trial Endpoints for the Approval of Cancer Drugs and Biologics (2018), appendix 3; Seymour 2017 for iRECIST.
Day numbers are those of the calendar of 2020, a leap year, with randomisation on 1 January: 26 February is day 57, 1 March 61, 1 May
122, 1 June 153, 1 July 183, 2 July 184, 1 August 214, 15 August 228, 31 August 244, 1 September 245, 1 October 275. Visits every 8
weeks are due on 26 February, 22 April, 17 June, 12 August and 7 October, 7 days on either side.
"""

from __future__ import annotations

from pathlib import Path

import pytest
from endpoint_study import derived, time_endpoint, visits

from mrecist.cli import main
from mrecist.endpoints.derive import derive_endpoints
from mrecist.endpoints.sources import courses_of_results
from mrecist.protocol import load_protocol
from mrecist.tables.trial import read_trial

M1, M2, M3, M4 = "2020-03-01", "2020-05-01", "2020-07-01", "2020-09-01"
SD3 = visits((M1, "SD"), (M2, "SD"), (M3, "SD"))
PD4 = visits((M1, "SD"), (M2, "PR"), (M3, "PR"), (M4, "PD"))
EVERY_8_WEEKS = "[schedule]\nvisits = [{ every_weeks = 8 }]\nwindow_days = 7\n"
WIDER = "[schedule]\nvisits = [{ every_weeks = 8, until_week = 16 }, { every_weeks = 12 }]\nwindow_days = 7\n"
CUT = '[response]\ncut = ["first_pd", "data_cutoff"]\ndata_cutoff = 2020-08-15\n'
MISSED = '{ when = "missed_visits", count = 2, cnsr = 4, at = "last_assessment_before" }'
HALF_A_YEAR = "until_months = 6"


def rule(when: str, at: str, cnsr: int = 2) -> str:
    return f'{{ when = "{when}", cnsr = {cnsr}, at = "{at}" }}'


def person(**dates: str) -> str:
    return f"{','.join(['subject', 'arm', 'randomisation', *dates])}\n{','.join(['S1', 'A', '2020-01-01', *dates.values()])}\n"


def procedure(day: str, name: str, outcome: str = "") -> dict[str, str]:
    return {"procedures": f"subject,date,procedure,outcome\nS1,{day},{name},{outcome}\n"}


TTP, OS = '["pd"]', '["death"]'
BOTH = '["pd", "death"]'
LEFT = {"withdrawal": "2020-08-01", "last_alive": "2020-10-01"}
CASES = {
    # name: (protocol, responses, dates of the subject, other tables, (date, days, cnsr, event))
    "withdrawal at the last day alive": (
        time_endpoint(TTP, rule("withdrawal", "last_alive")), SD3, LEFT, {},
        ("2020-10-01", 275, 2, "withdrawal"),
    ),
    "withdrawal at the last day alive up to it": (
        time_endpoint(TTP, rule("withdrawal", "last_alive_before")), SD3, LEFT, {},
        ("2020-08-01", 214, 2, "withdrawal"),
    ),
    "withdrawal, last seen two weeks after the last scan": (
        time_endpoint(TTP, rule("withdrawal", "last_alive_before")), SD3, {**LEFT, "last_alive": "2020-07-15"}, {},
        ("2020-07-15", 197, 2, "withdrawal"),
    ),
    "withdrawal at its day": (time_endpoint(TTP, rule("withdrawal", "trigger")), SD3, LEFT, {}, ("2020-08-01", 214, 2, "withdrawal")),
    "withdrawal after progression": (
        time_endpoint(TTP, rule("withdrawal", "last_alive")), PD4, {"withdrawal": "2020-10-01"}, {}, (M4, 245, 0, "pd"),
    ),
    "withdrawal on the day of progression": (
        time_endpoint(TTP, rule("withdrawal", "last_alive")), PD4, {"withdrawal": M4}, {}, (M4, 245, 0, "pd"),
    ),
    "lost, at the last assessment before": (
        time_endpoint(TTP, rule("lost_to_follow_up", "last_assessment_before")), SD3, {"lost_to_follow_up": "2020-06-01"}, {},
        (M2, 122, 2, "lost_to_follow_up"),
    ),
    "lost, at the last assessment of all": (
        time_endpoint(TTP, rule("lost_to_follow_up", "last_assessment")), SD3, {"lost_to_follow_up": "2020-06-01"}, {},
        (M3, 183, 2, "lost_to_follow_up"),
    ),
    "two triggers: the earlier one": (
        time_endpoint(TTP, f"{rule('withdrawal', 'trigger')}, {rule('lost_to_follow_up', 'trigger', 3)}"), SD3,
        {"withdrawal": "2020-08-01", "lost_to_follow_up": "2020-07-15"}, {}, ("2020-07-15", 197, 3, "lost_to_follow_up"),
    ),
    "two triggers on one day: the rule named first": (
        time_endpoint(TTP, f"{rule('withdrawal', 'trigger')}, {rule('lost_to_follow_up', 'trigger', 3)}"), SD3,
        {"withdrawal": "2020-08-01", "lost_to_follow_up": "2020-08-01"}, {}, ("2020-08-01", 214, 2, "withdrawal"),
    ),
    "a competing event on the day of the event": (
        time_endpoint(TTP, more='competing = ["death"]'), PD4, {"death": M4}, {}, (M4, 245, 0, "pd"),
    ),
    "the second competing event came first": (
        time_endpoint(TTP, more='competing = ["death", "transplant"]'), PD4, {"death": "2020-10-01"},
        procedure("2020-08-01", "Transplant"), ("2020-08-01", 214, 102, "transplant"),
    ),
    "a competing event after the event": (
        time_endpoint(TTP, more='competing = ["transplant"]'), PD4, {}, procedure("2020-10-01", "TRANSPLANT"), (M4, 245, 0, "pd"),
    ),
    # Due in weeks 8 and 16, then every 12: 26 February, 22 April, 15 July, 7 October.
    "missed visits in two stretches": (
        WIDER + time_endpoint(BOTH, MISSED), visits(("2020-02-26", "SD"), ("2020-10-07", "PD")), {}, {},
        ("2020-02-26", 57, 4, "missed_visits"),
    ),
    "one missed visit in two stretches": (
        WIDER + time_endpoint(BOTH, MISSED), visits(("2020-02-26", "SD"), ("2020-07-15", "PD")), {}, {}, ("2020-07-15", 197, 0, "pd"),
    ),
    # The windows of 22 April and 17 June close on 29 April and 24 June.
    "death between visits after two missed ones": (
        EVERY_8_WEEKS + time_endpoint(BOTH, MISSED), visits(("2020-02-26", "SD")), {"death": "2020-07-01"}, {},
        ("2020-02-26", 57, 4, "missed_visits"),
    ),
    "death between visits after one missed one": (
        EVERY_8_WEEKS + time_endpoint(BOTH, MISSED), visits(("2020-02-26", "SD")), {"death": "2020-06-20"}, {},
        ("2020-06-20", 172, 0, "death"),
    ),
    "missed visits do not censor who has no event": (
        EVERY_8_WEEKS + time_endpoint(BOTH, MISSED), visits(("2020-02-26", "SD")), {"last_alive": "2020-12-01"}, {},
        ("2020-02-26", 57, 1, "no_event"),
    ),
    "visits that were not evaluable are missed": (
        EVERY_8_WEEKS + time_endpoint(BOTH, MISSED), visits((M1, "SD"), (M2, "NE"), (M3, "NE"), (M4, "PD")), {}, {},
        (M1, 61, 4, "missed_visits"),
    ),
    "a run of not evaluable visits before progression": (
        time_endpoint(BOTH), visits((M1, "SD"), (M2, "NE"), (M3, "NE"), (M4, "PD")), {}, {}, (M4, 245, 0, "pd"),
    ),
    "a run of not evaluable visits at the end": (
        time_endpoint(BOTH), visits((M1, "SD"), (M2, "NE"), (M3, "NE")), {}, {}, (M1, 61, 1, "no_event"),
    ),
    "not evaluable visits between evaluable ones": (
        time_endpoint(BOTH), visits((M1, "NE"), (M2, "SD"), (M3, "NE")), {}, {}, (M2, 122, 1, "no_event"),
    ),
    "progression after a new therapy": (
        time_endpoint(BOTH, rule("new_anticancer_therapy", "last_assessment_before", 3)), PD4, {"new_anticancer_therapy": "2020-08-01"},
        {}, (M3, 183, 3, "new_anticancer_therapy"),
    ),
    "death after the data cut-off, progression": (
        CUT + time_endpoint(BOTH, rule("data_cutoff", "last_assessment", 6)), SD3, {"death": "2020-12-01"}, {},
        (M3, 183, 6, "data_cutoff"),
    ),
    "death after the data cut-off, survival": (
        CUT + time_endpoint(OS, rule("data_cutoff", "data_cutoff", 6)), SD3, {"death": "2020-12-01"}, {},
        ("2020-08-15", 228, 6, "data_cutoff"),
    ),
    "death on the day of the data cut-off": (
        CUT + time_endpoint(OS, rule("data_cutoff", "data_cutoff", 6)), SD3, {"death": "2020-08-15"}, {}, ("2020-08-15", 228, 0, "death"),
    ),
    "a trigger after the data cut-off": (
        CUT + time_endpoint(BOTH, rule("withdrawal", "trigger")), SD3, {"withdrawal": "2020-09-01"}, {}, (M3, 183, 1, "no_event"),
    ),
    "a procedure censors": (
        time_endpoint(BOTH, rule("procedure:TARE", "trigger")), PD4, {}, procedure("2020-08-01", "tare"),
        ("2020-08-01", 214, 2, "procedure:TARE"),
    ),
    "a resection censors at the last assessment before": (
        time_endpoint(BOTH, rule("resection", "last_assessment_before")), PD4, {}, procedure("2020-06-01", "Hepatectomy"),
        (M2, 122, 2, "resection"),
    ),
    "a resection on the day of progression": (
        time_endpoint(BOTH, rule("resection", "trigger")), PD4, {}, procedure(M4, "HEPATECTOMY"), (M4, 245, 0, "pd"),
    ),
    "only a resection with free margins censors": (
        time_endpoint(BOTH, rule("resection:R0", "trigger")), PD4, {}, procedure("2020-06-01", "HEPATECTOMY", "R1"), (M4, 245, 0, "pd"),
    ),
    "iRECIST: unconfirmed progression at the end": (
        time_endpoint(BOTH), visits((M1, "iSD"), (M2, "iUPD")), {}, {}, (M2, 122, 0, "pd"),
    ),
    "iRECIST: unconfirmed progression, then not evaluable": (
        time_endpoint(BOTH), visits((M1, "iSD"), (M2, "iUPD"), (M3, "NE")), {}, {}, (M2, 122, 0, "pd"),
    ),
    "iRECIST: unconfirmed progression, then death": (
        time_endpoint(BOTH), visits((M1, "iSD"), (M2, "iUPD")), {"death": M3}, {}, (M2, 122, 0, "pd"),
    ),
    "iRECIST: reset, then death": (
        time_endpoint(BOTH), visits((M1, "iUPD"), (M2, "iSD")), {"death": M3}, {}, (M3, 183, 0, "death"),
    ),
    # 6 months of 30.4375 days are 182.625, so 183 days after day 1: 2 July, day 184.
    "an event after the horizon": (
        time_endpoint(BOTH, rule("horizon", "trigger", 7), HALF_A_YEAR), PD4, {}, {}, ("2020-07-02", 184, 7, "horizon"),
    ),
    "an event on the day of the horizon": (
        time_endpoint(BOTH, rule("horizon", "trigger", 7), HALF_A_YEAR), SD3, {"death": "2020-07-02"}, {},
        ("2020-07-02", 184, 0, "death"),
    ),
    "an event one day after it": (
        time_endpoint(BOTH, rule("horizon", "trigger", 7), HALF_A_YEAR), SD3, {"death": "2020-07-03"}, {},
        ("2020-07-02", 184, 7, "horizon"),
    ),
    "the last assessment before the horizon": (
        time_endpoint(BOTH, rule("horizon", "trigger", 7), HALF_A_YEAR), SD3, {}, {}, (M3, 183, 1, "no_event"),
    ),
    "assessments on both sides of the horizon": (
        time_endpoint(BOTH, rule("horizon", "trigger", 7), HALF_A_YEAR), visits((M1, "SD"), (M4, "SD")), {}, {},
        ("2020-07-02", 184, 7, "horizon"),
    ),
    "the horizon at the last assessment before": (
        time_endpoint(BOTH, rule("horizon", "last_assessment_before", 7), HALF_A_YEAR), PD4, {}, {}, (M3, 183, 7, "horizon"),
    ),
    "a competing event after the horizon": (
        time_endpoint(TTP, rule("horizon", "trigger", 7), HALF_A_YEAR + '\ncompeting = ["transplant"]'), PD4, {},
        procedure("2020-08-01", "TRANSPLANT"), ("2020-07-02", 184, 7, "horizon"),
    ),
    "a trigger before the horizon": (
        time_endpoint(BOTH, f"{rule('withdrawal', 'trigger')}, {rule('horizon', 'trigger', 7)}", HALF_A_YEAR), PD4,
        {"withdrawal": "2020-06-01"}, {}, ("2020-06-01", 153, 2, "withdrawal"),
    ),
    "a horizon of survival: alive after it": (
        time_endpoint(OS, rule("horizon", "trigger", 7), HALF_A_YEAR).replace('at = "last_assessment"', 'at = "last_alive"'), SD3,
        {"last_alive": "2020-12-01"}, {}, ("2020-07-02", 184, 7, "horizon"),
    ),
    "a horizon that the data cut-off comes before": (
        CUT + time_endpoint(BOTH, rule("horizon", "trigger", 7), "until_months = 12"), SD3, {"death": "2020-12-01"}, {},
        (M3, 183, 1, "no_event"),
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", CASES)
def test_one_rule(name: str, tmp_path: Path) -> None:
    protocol, overall, dates, tables, expected = CASES[name]
    made, problems = derived(tmp_path, protocol, overall=overall, subjects=person(**dates), **tables)
    assert not problems
    (row,) = made.times
    assert (str(row.date), row.days, row.cnsr, row.event) == expected
    assert row.status == ("event" if row.cnsr == 0 else "competing" if row.cnsr > 100 else "censored")


@pytest.mark.parametrize(
    ("partial", "death", "alive", "expected"),
    [
        ("last_of_month", "2020-08", "2020-08-20", ("2020-08-31", 244)),
        ("first_of_month", "2020-08", "2020-07-20", ("2020-08-01", 214)),
        ("middle_of_month", "2020-08", "2020-08-15", ("2020-08-15", 228)),
        # Alive on the 20th, so not dead on the 15th that the rule makes of the month: it gives way. Nor alive in September.
        ("middle_of_month", "2020-08", "2020-08-20", ("2020-08-20", 233)),
        (
            "last_of_month",
            "2020-08",
            "2020-09-02",
            "2020-09-02, after the death of 2020-08-31 ('2020-08', completed by",
        ),
        ("last_of_month", "2020-08-10", "2020-08", ("2020-08-10", 223)),
        ("refuse", "2020-08", "2020-08-01", "lacks its day"),
    ],
)
def test_a_death_without_its_day(
    partial: str, death: str, alive: str, expected: tuple[str, int] | str, tmp_path: Path
) -> None:
    protocol = f'[schedule]\npartial_date = "{partial}"\n' + time_endpoint(OS).replace("last_assessment", "last_alive")
    made, problems = derived(tmp_path, protocol, overall=SD3, subjects=person(death=death, last_alive=alive))
    if isinstance(expected, str):
        assert [expected in one for one in problems] == [True]
        assert not made.times
    else:
        assert [(str(one.date), one.days, one.cnsr) for one in made.times] == [(*expected, 0)]


def test_a_progression_that_was_dated_back(tmp_path: Path) -> None:
    """A doubtful new lesion of 1 March that proves true on 1 May: progression is that of 1 March (Eisenhauer 2009, 4.3.5)."""
    sizes = [f"S1,{n},{day},T01,target,measured,40" for n, day in enumerate(("2019-12-20", M1, M2))]
    news = [f"S1,1,{M1},NEW01,new,equivocal,8", f"S1,2,{M2},NEW01,new,unequivocal,12"]
    lines = ["subject,timepoint,date,lesion,role,state,longest_mm", *sizes, *news]
    (tmp_path / "m.csv").write_text("\n".join(lines) + "\n", encoding="utf-8")
    (tmp_path / "subjects.csv").write_text(person(), encoding="utf-8")
    head = 'format = "mrecist-protocol/1"\n[criteria.recist11]\n[origin]\nevent = "randomisation"\n'
    (tmp_path / "p.toml").write_text(head + time_endpoint(), encoding="utf-8")
    more = ["--protocol", str(tmp_path / "p.toml"), "--subjects", str(tmp_path / "subjects.csv")]
    assert main(["assess", str(tmp_path / "m.csv"), *more, "--out", str(tmp_path / "results")]) == 0
    protocol = load_protocol(tmp_path / "p.toml")
    trial = read_trial(tmp_path / "subjects.csv", {}, (), protocol.partial_date).trial
    made = derive_endpoints(protocol, courses_of_results(tmp_path / "results", protocol).courses, trial)
    assert [(str(row.date), row.days, row.cnsr) for row in made.times] == [(M1, 61, 0)]
