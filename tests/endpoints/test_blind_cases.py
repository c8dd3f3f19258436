"""Cases in which a second derivation, written from the description of the files alone, came to another row.

Worked by hand from FDA, Clinical Trial Endpoints for the Approval of Cancer Drugs and Biologics (December 2018), appendix 3, and
CDISC ADaM BDS-TTE 1.0 (days = date - start + 1; 2020 is a leap year: 1 March is day 61 from 1 January, 1 May is day 122).
"""

from __future__ import annotations

from pathlib import Path

import pytest
from endpoint_study import HEAD, proportion, time_endpoint, visits

from mrecist.endpoints.derive import Derived, derive_endpoints
from mrecist.endpoints.sources import courses_of_reported
from mrecist.protocol import load_protocol
from mrecist.tables.trial import read_trial

NONE_SEEN = '{ when = "no_postbaseline", cnsr = 5, at = "origin" }'
HEADER = "subject,reader,date,overall,baseline_date\n"
ONE = "subject,arm,randomisation\nS1,A,2020-01-01\n"
TWO = f"{ONE}S2,A,2020-01-01\n"


def derived(folder: Path, protocol: str, overall: str, subjects: str = ONE) -> tuple[Derived, list[str]]:
    """What `mrecist endpoints --overall` derives, without its estimates and figures, and all that it tells."""
    for name, text in (("p.toml", HEAD + protocol), ("overall.csv", overall), ("subjects.csv", subjects)):
        (folder / name).write_text(text, encoding="utf-8")
    rules = load_protocol(folder / "p.toml")
    trial = read_trial(folder / "subjects.csv", {}, rules.date_columns, rules.partial_date).trial
    found = courses_of_reported(folder / "overall.csv", rules, trial)
    left_out = frozenset(problem.subject for problem in found.problems)
    unread = frozenset((problem.subject, problem.reader) for problem in found.problems)
    result = derive_endpoints(rules, found.courses, trial, left_out, None, unread)
    return result, [*found.notes, *(problem.message for problem in (*found.problems, *result.problems))]


@pytest.mark.parametrize(("later", "days"), [((), 1), ((("2020-05-01", "NE"),), 1), ((("2020-05-01", "SD"),), 62)])
def test_a_response_is_an_assessment_after_baseline(
    later: tuple[tuple[str, str], ...], days: int, tmp_path: Path
) -> None:
    """Who responded was assessed: the duration is censored at the last evaluated assessment, never as without any."""
    asked = time_endpoint(censor=NONE_SEEN, more='origin = "first_response"', name="DOR")
    (row,) = derived(tmp_path, asked, visits(("2020-03-01", "PR"), *later))[0].times
    assert (str(row.start), row.days, row.cnsr, row.event) == ("2020-03-01", days, 1, "no_event")


def test_nothing_after_day_1_is_still_no_assessment(tmp_path: Path) -> None:
    (row,) = derived(tmp_path, time_endpoint(censor=NONE_SEEN), visits(("2020-01-01", "SD")))[0].times
    assert (row.days, row.cnsr) == (1, 5)


@pytest.mark.parametrize("reader", ["accepted", "ADJ", "all"])
def test_read_by_others_only_is_not_never_assessed(reader: str, tmp_path: Path) -> None:
    """The adjudicator read S1 alone. S2 progressed by both readers: neither "no assessment" nor "no response" is true of it."""
    overall = HEADER + "".join(
        f"{subject},{by},2020-03-01,{word},2019-12-20\n"
        for subject, by, word in (("S1", "R1", "PD"), ("S1", "R2", "SD"), ("S2", "R1", "PD"), ("S2", "R2", "PD"))
    )
    overall += "S1,ADJ,2020-03-01,PR,2019-12-20\n"
    more = f'reader = "{reader}"'
    protocol = '[readers]\naccepted = "ADJ"\n' + time_endpoint(censor=NONE_SEEN, more=more) + proportion(more=more)
    result, told = derived(tmp_path, protocol, overall, TWO)
    assert [row.subject for row in result.times if row.reader == "ADJ"] == ["S1"]
    assert [row.subject for row in result.outcomes if row.reader == "ADJ"] == ["S1"]
    (message,) = told
    assert message.startswith("subject S2: has responses of R1, R2 and none of reader ADJ; ")


def test_whom_nobody_read_is_never_assessed(tmp_path: Path) -> None:
    """Intention to treat: S2 is in no reader's table at all, and each reader has a row of it."""
    overall = HEADER + "S1,R1,2020-03-01,PR,2019-12-20\nS1,R2,2020-03-01,SD,2019-12-20\n"
    result, _ = derived(tmp_path, time_endpoint(censor=NONE_SEEN), overall, TWO)
    found = [(row.subject, row.reader, row.cnsr) for row in result.times]
    assert found == [("S1", "R1", 1), ("S2", "R1", 5), ("S1", "R2", 1), ("S2", "R2", 5)]


def test_the_fault_is_told_where_no_row_can_be_read(tmp_path: Path) -> None:
    """Not that a reader is missing: the date is."""
    protocol = '[readers]\naccepted = "R1"\n' + time_endpoint(more='reader = "accepted"')
    result, (message,) = derived(tmp_path, protocol, visits(("01/03/2020", "SD")))
    assert not result.times
    assert "01/03/2020" in message


@pytest.mark.parametrize(
    ("reported", "source"),
    [("PD", "overall.csv overall"), ("SD", "overall.csv overall: SD after CR (cr_then_worse)")],
)
def test_a_progression_that_was_not_reported_as_one_says_so(reported: str, source: str, tmp_path: Path) -> None:
    """Disease after CR is PD by the note of Table 3 (Eisenhauer 2009), which no cell of the file says."""
    overall = visits(("2020-03-01", "CR"), ("2020-05-01", reported))
    (row,) = derived(tmp_path, time_endpoint(), overall)[0].times
    assert (str(row.date), row.days, row.cnsr, row.source) == ("2020-05-01", 122, 0, source)


def test_a_row_of_the_baseline_itself_says_nothing(tmp_path: Path) -> None:
    """As responses.csv has it: a date and no response."""
    overall = visits(("2019-12-20", ""), ("2020-03-01", "PD"))
    result, told = derived(tmp_path, time_endpoint(), overall)
    assert [(row.days, row.cnsr) for row in result.times] == [(61, 0)]
    assert told == []


@pytest.mark.parametrize(("day", "word"), [("2019-12-20", "SD"), ("2019-12-19", ""), ("2020-03-01", "")])
def test_any_other_row_without_a_response_or_up_to_the_baseline_is_a_fault(day: str, word: str, tmp_path: Path) -> None:
    result, told = derived(tmp_path, time_endpoint(), visits((day, word), ("2020-05-01", "PD")))
    assert result.times == ()
    assert len(told) == 1


def test_endpoints_of_two_criteria_from_one_table_are_noted(tmp_path: Path) -> None:
    """PFS by mRECIST and by RECIST 1.1 from one column of responses is one PFS twice."""
    other = time_endpoint(name="PFS11", more='criterion = "recist11"')
    _, told = derived(tmp_path, time_endpoint() + other, visits(("2020-03-01", "PD")))
    (note,) = told
    assert "the endpoints of mrecist and recist11 are derived from the same ones" in note
