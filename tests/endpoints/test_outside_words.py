"""Words of other people's tables: aliases, notes on columns that were ignored, MISSING, a criterion a row, and what is told at once.

Worked by hand; day 1 is 1 January 2020, 1 March is day 61, 1 May day 122.
"""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest
from endpoint_study import HEAD, derived, proportion, time_endpoint, visits

from mrecist.cli import main
from mrecist.dates import PartialDate
from mrecist.endpoints.sources import courses_of_reported
from mrecist.errors import InputError
from mrecist.protocol import load_protocol
from mrecist.response.derive import best_of_reported
from mrecist.tables import read_overall, read_subject_dates
from mrecist.tables.trial import read_trial
from mrecist.trial import Trial

M1, M2 = "2020-03-01", "2020-05-01"
OS = time_endpoint('["death"]', name="OS").replace('at = "last_assessment"', 'at = "last_alive"')


def put(folder: Path, name: str, text: str) -> Path:
    path = folder / name
    path.write_text(text, encoding="utf-8")
    return path


@pytest.mark.parametrize(
    ("column", "meant"),
    [
        *(("death_date", "death"), ("dthdt", "death"), ("DTHDT", "death"), ("lastcontact", "last_alive")),
        *(("first_treatment", "first_dose"), ("with_drawal", "withdrawal"), ("LSTALVDT", "last_alive")),
        ("data_cutoff", "data_cutoff of [response] in the protocol"),
    ],
)
def test_a_column_by_another_word_is_ignored_and_told(column: str, meant: str, tmp_path: Path) -> None:
    path = put(tmp_path, "subjects.csv", f"subject,arm,randomisation,{column}\nS1,A,2020-01-01,2020-07-01\n")
    read = read_trial(path, {}, (), PartialDate.REFUSE)
    (note,) = read.notes
    assert note == f"subjects.csv: column '{column}' is not known and was ignored; did you mean '{meant}'?"
    assert set(read.trial.subjects["S1"].dates) == {"randomisation"}


def test_a_column_beside_ours_needs_no_note(tmp_path: Path) -> None:
    text = "subject,arm,randomisation,death,death_date,site,BCLC\nS1,A,2020-01-01,2020-07-01,2020-07-01,X,B\n"
    assert read_trial(put(tmp_path, "subjects.csv", text), {}, (), PartialDate.REFUSE).notes == ()


def test_american_spelling_and_last_contact(tmp_path: Path) -> None:
    """1 January to 1 October 2020 is day 275."""
    subjects = "subject,arm,randomization,last_contact\nS1,A,2020-01-01,2020-10-01\n"
    made, problems = derived(tmp_path, OS, overall=visits((M1, "SD")), subjects=subjects)
    assert problems == []
    assert [(one.days, one.source, one.flags) for one in made.times] == [(275, "subjects.csv last_alive", ())]
    (note,) = read_trial(tmp_path / "subjects.csv", {}, (), PartialDate.REFUSE).notes
    assert "'last_contact' is read as last_alive" in note
    text = HEAD.replace("randomisation", "randomization") + time_endpoint(more='origin = "enrollment"')
    rules = load_protocol(put(tmp_path, "p.toml", text))
    assert (rules.origin.event, rules.endpoints[0].origin) == ("randomisation", "enrolment")
    dates = read_subject_dates(tmp_path / "subjects.csv", rules)
    assert dates.origins == {"S1": date(2020, 1, 1)}


@pytest.mark.parametrize(("one", "other"), [("randomization", "randomisation"), ("last_contact", "last_alive")])
def test_a_column_by_both_of_its_names_is_refused(one: str, other: str, tmp_path: Path) -> None:
    path = put(tmp_path, "subjects.csv", f"subject,{one},{other}\nS1,2020-01-01,2020-01-01\n")
    with pytest.raises(InputError, match=f"columns '{one}' and '{other}' are the same; keep one"):
        read_trial(path, {}, (), PartialDate.REFUSE)


def test_response_for_overall(tmp_path: Path) -> None:
    text = visits((M1, "SD")).replace("date,overall", "date,response")
    with pytest.raises(InputError, match="no column 'overall'; if 'response' is the overall response of each visit"):
        read_overall(put(tmp_path, "overall.csv", text))


def test_missing_is_a_visit_that_was_not_made(tmp_path: Path) -> None:
    """Visits every 8 weeks: those of 26 February (day 57) and 22 April lie between SD on 20 January and PD on 1 July."""
    protocol = "[schedule]\nvisits = [{ every_weeks = 8 }]\n"
    protocol += time_endpoint(censor='{ when = "missed_visits", count = 2, cnsr = 4, at = "last_assessment_before" }')
    whole = visits(("2020-01-20", "SD"), ("2020-02-26", "Missing"), ("2020-04-22", "MISSING"), ("2020-07-01", "PD"))
    without = visits(("2020-01-20", "SD"), ("2020-07-01", "PD"))
    for overall in (whole, without):
        made, problems = derived(tmp_path, protocol, overall=overall)
        assert problems == []
        assert [(one.days, one.cnsr) for one in made.times] == [(20, 4)]
    made, _ = derived(tmp_path, proportion(), overall=visits((M1, "MISSING")))
    assert [(one.success, one.reason) for one in made.outcomes] == [(False, "never assessed")]


def test_a_criterion_a_row(tmp_path: Path) -> None:
    rows = [f"S1,{M1},PD,2019-12-20,mrecist", f"S1,{M1},SD,2019-12-20,recist11", f"S1,{M2},PD,2019-12-20,recist11"]
    overall = "\n".join(["subject,date,overall,baseline_date,criterion", *rows]) + "\n"
    protocol = "[criteria.recist11]\n" + time_endpoint() + time_endpoint(name="PFS11", more='criterion = "recist11"')
    made, problems = derived(tmp_path, protocol, overall=overall)
    assert problems == []
    assert [(one.endpoint, one.days, one.criterion) for one in made.times] == [
        ("PFS", 61, "mrecist"),
        ("PFS11", 122, "recist11"),
    ]
    rules = load_protocol(tmp_path / "protocol.csv")
    assert courses_of_reported(tmp_path / "overall.csv", rules, Trial(subjects={})).notes == ()
    best = put(tmp_path, "best.csv", overall)
    assert (
        main(["best", str(best), "--protocol", str(tmp_path / "protocol.csv"), "--out", str(tmp_path / "b.csv")]) == 0
    )
    found = (tmp_path / "b.csv").read_text(encoding="utf-8")
    assert "S1,R1,mrecist,PD" in found
    assert "S1,R1,recist11,SD" in found


def test_a_criterion_in_some_rows_only_is_refused(tmp_path: Path) -> None:
    text = f"subject,date,overall,baseline_date,criterion\nS1,{M1},SD,2019-12-20,mrecist\nS1,{M2},PD,2019-12-20,\n"
    with pytest.raises(InputError, match="line 3 names no criterion and other lines do"):
        read_overall(put(tmp_path, "overall.csv", text))


@pytest.mark.parametrize(
    ("seen", "rule", "told"),
    [
        (((M1, "CR"), (M2, "SD")), "pd", True),
        (((M1, "CR"), (M2, "SD")), "as-recorded", False),
        (((M1, "CR"), (M2, "PD"), ("2020-07-01", "SD")), "pd", False),
        (((M1, "PR"), (M2, "SD")), "pd", False),
    ],
)
def test_a_table_that_progresses_by_a_rule_alone_is_noted(
    seen: tuple[tuple[str, str], ...], rule: str, told: bool, tmp_path: Path
) -> None:
    text = HEAD + f'[response]\ncr_then_worse = "{rule}"\n' + time_endpoint()
    rules = load_protocol(put(tmp_path, "p.toml", text))
    path = put(tmp_path, "overall.csv", visits(*seen))
    notes = courses_of_reported(path, rules, Trial(subjects={})).notes
    assert ["1 subjects have a PR, SD or NON-CR/NON-PD after a CR" in one and "(S1)" in one for one in notes] == [
        True
    ] * told


CUT = '[response]\ncut = ["first_pd", "new_anticancer_therapy"]\n'


@pytest.mark.parametrize(
    ("therapy", "best", "flag"),
    [
        ("2019-12-01", "PR", "NEW_THERAPY_BEFORE_START:2019-12-01"),
        # After the baseline scan of 20 December and before randomisation: the day 1 of the study is what counts.
        ("2019-12-28", "PR", "NEW_THERAPY_BEFORE_START:2019-12-28"),
        ("2020-01-01", "NE", "CUT_AT:2020-01-01"),
        ("2020-03-02", "PR", ""),
    ],
)  # fmt: skip
def test_a_therapy_of_before_day_1_cuts_nothing_by_any_route(
    therapy: str, best: str, flag: str, tmp_path: Path
) -> None:
    subjects = f"subject,arm,randomisation,new_anticancer_therapy\nS1,A,2020-01-01,{therapy}\n"
    rule = '{ when = "new_anticancer_therapy", cnsr = 3, at = "last_assessment_before" }'
    protocol = CUT + time_endpoint(censor=rule) + proportion()
    made, problems = derived(tmp_path, protocol, overall=visits((M1, "PR")), subjects=subjects)
    assert problems == []
    assert [one.value for one in made.outcomes] == [best]
    assert (flag in made.times[0].flags) is flag.startswith("NEW")
    rules = load_protocol(tmp_path / "protocol.csv")
    # `mrecist best`
    (case,), _ = read_overall(tmp_path / "overall.csv")
    dates = read_subject_dates(tmp_path / "subjects.csv", rules, origin=False)
    row = best_of_reported(case, "mrecist", rules.response, dates)
    assert row.best_unconfirmed == best
    assert flag in ("", *row.flags)
    # `mrecist assess`: 50 mm to 30 mm is -40 %.
    head = "subject,timepoint,date,lesion,role,state,longest_mm,viable_mm\n"
    sizes = put(
        tmp_path, "m.csv", f"{head}S1,0,2019-12-20,T01,target,measured,50,50\nS1,1,{M1},T01,target,measured,30,30\n"
    )
    more = ["--protocol", str(tmp_path / "protocol.csv"), "--subjects", str(tmp_path / "subjects.csv")]
    assert main(["assess", str(sizes), *more, "--out", str(tmp_path / "results")]) == 0
    text = (tmp_path / "results" / "best_responses.csv").read_text(encoding="utf-8")
    assert f"S1,R1,mrecist,{best}," in text
    assert flag in text


@pytest.mark.parametrize(
    ("protocol", "code", "said"),
    [
        (time_endpoint(censor='{ when = "missed_visits", count = 2, cnsr = 4, at = "origin" }'), 1, "needs [schedule] visits"),
        (time_endpoint(censor='{ when = "data_cutoff", cnsr = 4, at = "data_cutoff" }'), 1, "needs [response] data_cutoff"),
        (time_endpoint(more='reader = "accepted"'), 0, "[readers] accepted names nobody"),
        (time_endpoint(), 0, ""),
    ],
)  # fmt: skip
def test_protocol_check_says_what_endpoints_will_refuse(
    protocol: str, code: int, said: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = put(tmp_path, "p.toml", HEAD + protocol)
    assert main(["protocol", "check", str(path)]) == code
    shown = capsys.readouterr().err
    assert said in shown
    assert bool(said) is ("mrecist: note:" in shown)
