"""Visits of several days: where they come from, which rows they take, and how they are changed."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import date
from pathlib import Path

import pytest
from store_study import ONE_DATABASE, VISITS, Begun

from mrecist.errors import InputError, StoreError
from mrecist.store.assigning import assign
from mrecist.store.audit import verify
from mrecist.store.incoming import read_visits
from mrecist.store.kept_files import KeptFiles
from mrecist.store.locking import lock
from mrecist.store.showing import rows_to_derive, status, worklist
from mrecist.store.signing import sign
from mrecist.store.submitting import Submission, submit
from mrecist.store.visits import Span, spans_of, visits_of

CT, MR = date(2024, 3, 4), date(2024, 3, 6)
"""S1 at time point 1: CT on the one day, MR two days later."""
BASELINE = VISITS["S1"][0]


def widened(study: Begun, last: date = MR, reason: str = "MR two days after the CT") -> None:
    assign(study.store, {"S1": {1: Span(CT, last)}}, "2024", "boss", reason=reason)


def two_days(study: Begun, mr: date | None = MR) -> Submission:
    """The target measured on CT, the non-target seen on MR."""
    given = study.given(timepoint=1)
    target, other = given.rows
    return replace(given, rows=[target, replace(other, date=mr)])


def test_a_visit_takes_rows_of_all_its_days(study: Begun) -> None:
    study.read()
    with pytest.raises(StoreError, match="NT01: its date is 2024-03-06, 2 days off the visit's"):
        submit(study.store, two_days(study))
    widened(study)
    submit(study.store, two_days(study))
    lock(study.store, "S1", "A", 1)
    study.read("S1", 2)
    sign(study.store, "S1", "A", "Dr A", "")
    rows, _ = rows_to_derive(study.store, "A")
    assert [row.date for row in rows if row.timepoint == 1] == [CT, MR]
    with study.store.reading() as read:
        assert spans_of(read, "S1")[1] == Span(CT, MR)
        assert visits_of(read, "S1")[1] == CT
    assert verify(study.store)[1] == []


@ONE_DATABASE
def test_a_row_outside_the_days_of_the_visit_or_without_a_day_is_refused(study: Begun) -> None:
    study.read()
    widened(study)
    for day, off in ((date(2024, 3, 3), 1), (date(2024, 3, 9), 3)):
        with pytest.raises(StoreError, match=rf"NT01: its date is {day}, {off} days off the visit's"):
            submit(study.store, two_days(study, day))
    with pytest.raises(StoreError, match="NT01: its date is empty and the visit lasts 3 days; state the day of its"):
        submit(study.store, two_days(study, None))
    submit(study.store, two_days(study, date(2024, 3, 5)))


@ONE_DATABASE
def test_the_days_of_a_visit_change_with_a_reason_and_both_stay(study: Begun) -> None:
    study.read()
    refused = (
        "time point 1 is of 2024-03-04 in the store and of 2024-03-04 to 2024-03-06 here; a manager changes it with"
    )
    with pytest.raises(StoreError, match=refused):
        widened(study, reason=" ")
    with pytest.raises(StoreError, match="A is no manager"):
        assign(study.store, {"S1": {1: Span(CT, MR)}}, "2024", "A", reason="x")
    widened(study)
    submit(study.store, two_days(study))
    with pytest.raises(StoreError, match=r"cannot be of 2024-03-04 to 2024-03-05: lesion NT01 of A is of 2024-03-06"):
        widened(study, date(2024, 3, 5))
    with study.store.reading() as read:
        rows = read.rows("visit", subject="S1", timepoint=1)
        (entry,) = [one.said() for one in read.entries() if one.said()["what"] == "days of the visit changed"]
    assert [row.get("last_date") for row in rows] == [None, "2024-03-06"]
    assert rows[1]["replaces"] == rows[0]["id"]
    assert (entry["who"], entry["why"]) == ("boss", "MR two days after the CT")
    assert (entry["from"]["date"], entry["to"]["last_date"]) == ("2024-03-04", "2024-03-06")


@ONE_DATABASE
def test_visits_follow_each_other_by_all_their_days(study: Begun) -> None:
    with pytest.raises(StoreError, match="time point 2 is of 2024-04-29 and time point 1 of 2024-03-04 to 2024-04-29"):
        widened(study, date(2024, 4, 29))
    with pytest.raises(StoreError, match="its last day 2024-03-01 is before 2024-03-04"):
        widened(study, date(2024, 3, 1))


@ONE_DATABASE
def test_the_worklist_says_both_days(study: Begun) -> None:
    widened(study)
    study.read()
    (mine,) = [one for one in worklist(study.store, "A") if one.case == "S1"]
    # 2024-01-08 to 2024-03-04 are 56 days (2024 is a leap year: 23 + 29 + 4).
    assert (mine.next_day, mine.next_last_day, mine.next_days) == (56, 58, "56 to 58")


def test_a_table_of_visits_gives_their_last_days(tmp_path: Path) -> None:
    path = tmp_path / "visits.csv"

    def table(*lines: str) -> Path:
        path.write_text("\n".join(("subject,timepoint,date,last_date", *lines, "")), encoding="utf-8")
        return path

    assert read_visits(table("S1,0,2024-01-08,", "S1,1,2024-03-04,2024-03-06")) == {
        "S1": {0: Span(BASELINE, BASELINE), 1: Span(CT, MR)}
    }
    with pytest.raises(
        InputError, match="line 2: the last day 2024-03-01 of the visit is before its first, 2024-03-04"
    ):
        read_visits(table("S1,1,2024-03-04,2024-03-01"))
    with pytest.raises(InputError, match="one row with its last day in the column last_date"):
        read_visits(table("S1,1,2024-03-04,", "S1,1,2024-03-06,"))


@ONE_DATABASE
def test_a_list_reads_no_kept_file_and_what_is_derived_reads_each(
    study: Begun, monkeypatch: pytest.MonkeyPatch
) -> None:
    study.read_all()
    asked: list[str] = []
    wrong: Callable[[KeptFiles, str, int], str] = KeptFiles.wrong

    def noted(files: KeptFiles, digest: str, size: int) -> str:
        asked.append(digest)
        return wrong(files, digest, size)

    monkeypatch.setattr(KeptFiles, "wrong", noted)
    assert [one.signed for one in worklist(study.store, "A") if one.case == "S1"] == [True]
    assert asked == []
    for looks in (lambda: status(study.store), lambda: rows_to_derive(study.store, "A"), lambda: verify(study.store)):
        looks()
        assert len(asked) == len(VISITS["S1"])
        asked.clear()
    (kept,) = {path for path in study.store.files.path("00").parents[1].rglob("*") if path.is_file()}
    kept.write_text("x")
    assert rows_to_derive(study.store, "A")[0] == []
    with study.store.writing("A") as write:
        (first,) = write.rows("lock", subject="S1", reader="A", timepoint=0)
        write.add("lock", "visit unlocked", replaces=first, subject="S1", reader="A", timepoint=0, state="unlocked")
    # Rows are looked at by a list too.
    assert [one.signed for one in worklist(study.store, "A") if one.case == "S1"] == [False]
