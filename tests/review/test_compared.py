"""What an adjudicator sees: both derivations, and nothing that says who read, whom, or when."""

from __future__ import annotations

import csv
import json
import re
from dataclasses import asdict

import pytest
from reviewed_study import ASKED, DAYS, SIZES, Study

from mrecist.cli import main
from mrecist.errors import InputError, StoreError
from mrecist.review.adjudication import case_of, pick_read
from mrecist.review.compared import Compared, SideBySide, side_by_side
from mrecist.review.page import compared_html
from mrecist.store.submitting import amend

FIRST, SECOND = ((day - DAYS[0]).days for day in DAYS[1:])


def shown(study: Study, subject: str = "SPLIT") -> SideBySide:
    return side_by_side(*case_of(study.store, subject, study.case(subject).adjudicator, ASKED))


def one(study: Study) -> Compared:
    (found,) = shown(study).criteria
    return found


def test_both_derivations_stand_side_by_side(study: Study) -> None:
    study.send()
    found, central = one(study), study.case().central
    # A sees 50, 30 (-40 %: PR), 45 (+50 % of 30: PD); B 50, 40 (-20 %: SD), 41.
    sizes = {part: SIZES["SPLIT"][reader] for part, reader in central.items()}
    assert [(visit.timepoint, visit.day) for visit in found.visits] == [(0, 0), (1, FIRST), (2, SECOND)]
    for visit in found.visits:
        assert {part: said.sum for part, said in visit.reads.items()} == {
            part: str(size[visit.timepoint]) for part, size in sizes.items()
        }
    of_a, of_b = (next(part for part, reader in central.items() if reader == name) for name in "AB")
    assert [visit.reads[of_a].overall for visit in found.visits] == ["", "PR", "PD"]
    assert [visit.reads[of_b].overall for visit in found.visits] == ["", "SD", "SD"]
    assert [visit.reads[of_a].percent for visit in found.visits] == ["", "-40", "-10"]
    assert dict(found.reads[of_a].values) == {
        "best_response": "PR",
        "progression": "yes",
        "progression_date": f"day {SECOND}",
        "first_response_date": f"day {FIRST}",
    }
    assert found.reads[of_b].values["progression_date"] == "none"
    assert found.first is not None
    assert (found.first.variable, found.first.timepoint, found.first.cause) == ("visit_response", 1, "boundary")
    assert {each.variable for each in found.differences if each.adjudicated} == {"best_response", "progression_date"}


def test_nothing_says_who_read_whom_or_when(study: Study) -> None:
    study.send()
    study.read("SPLIT", study.case().adjudicator, (50, 33, 44))
    pick_read(study.store, "SPLIT", by=study.case().adjudicator, read="own", reason="neither", asked=ASKED)
    found = shown(study)
    key = study.case().key
    assert found.case == key
    assert key.startswith("CASE-")
    assert list(found.criteria[0].reads) == ["reader 1", "reader 2", "own"]
    assert found.criteria[0].picked == "own"
    for text in (json.dumps(asdict(found)), compared_html(found)):
        assert "SPLIT" not in text
        assert not re.search(r"20\d\d-", text)
        assert f"day {SECOND}" in text
        assert not re.search(r"\b[ABCD]\b", text)  # the readers and adjudicators


def test_a_page_is_escaped_and_runs_nothing(study: Study) -> None:
    study.send()
    found = shown(study)
    page = compared_html(
        SideBySide(case="<script>x</script>\x00", state="", adjudicated_on=("a&b",), criteria=found.criteria)
    )
    assert "<script" not in page
    assert "&lt;script&gt;x&lt;/script&gt;" in page
    assert "a&amp;b" in page
    assert "\x00" not in page
    assert page.count('class="differs"') > 0
    assert "http" not in page


def test_only_the_adjudicator_compares_and_only_signed_reads(study: Study) -> None:
    study.send()
    other = {"C": "D", "D": "C"}[study.case().adjudicator]
    with pytest.raises(StoreError, match="SPLIT is not assigned to"):
        case_of(study.store, "SPLIT", other, ASKED)
    with pytest.raises(InputError, match=r"A reads SPLIT as reader .; both reads are for its adjudicator"):
        case_of(study.store, "SPLIT", "A", ASKED)
    amend(study.store, study.given("SPLIT", "A", 1, 31), "global review")
    with pytest.raises(
        InputError,
        match=r"CASE-.*: reader .: all visits: the signature is broken: .*; there is nothing to compare yet",
    ):
        shown(study)


def test_the_commands_from_the_list_to_accepted_csv(study: Study, capsys: pytest.CaptureFixture[str]) -> None:
    folder = study.folder
    key, investigators = study.case().key, folder / "investigators.csv"

    def reads(step: str, *words: str, code: int = 0) -> str:
        assert main(["reads", step, str(folder), *words]) == code, capsys.readouterr().err
        return capsys.readouterr().out

    assert "boundary" in reads("adjudicate", "--seed", "9", "--by", "boss")
    (listed,) = json.loads(reads("adjudicate", "--seed", "9", "--by", "boss", "--json"))
    who = listed["adjudicator"]
    assert (listed["subject"], listed["key"], listed["state"]) == ("SPLIT", key, "open")
    assert f"{key}  " in reads("worklist", "--reader", who)
    said = json.loads(reads("compare", key, "--reader", who, "--json", "--out", str(folder / "case.html")))
    assert said["criteria"][0]["first"]["timepoint"] == 1
    assert "first difference: visit_response at visit 1" in reads("compare", key, "--reader", who)
    assert "<h1>Case CASE-" in (folder / "case.html").read_text(encoding="utf-8")
    out = folder / "accepted.csv"
    assert "open" in reads("accepted", "--out", str(out), code=1)
    assert reads("pick", key, "--by", who, "--read", "reader 3", "--reason", "x", code=2) == ""
    given = (key, "--by", who, "--read", "reader 2", "--reason", "closer", "--seen")
    assert reads("pick", *given, "0123456789abcdef", code=2) == ""  # it was another case that was compared
    assert reads("pick", *given, said["state"]) == f"{key}, recist11: reader 2 picked\n"
    assert "recist11: reader 2 picked" in reads("worklist", "--reader", who)
    assert f"recist11: {study.case().central['reader 2']}, picked" in reads("status")
    reads("accepted", "--out", str(out), code=1)  # ALONE and LATE are not read
    with out.open(encoding="utf-8", newline="") as file:
        rows = {(row["subject"], row["track"]): row for row in csv.DictReader(file)}
    read = {place for place, row in rows.items() if row["reader"]}
    assert read == {("AGREE", "central"), ("AGREE", "investigator"), ("SPLIT", "central"), ("VISIT", "central")}
    assert {place[0]: row["accepted_as"] for place, row in rows.items() if place not in read} == {
        "ALONE": "open",
        "LATE": "open",
    }
    split = rows["SPLIT", "central"]
    assert (split["reader"], split["accepted_as"], split["by"]) == (study.case().central["reader 2"], "picked", who)
    investigators.write_text("subject,reader\nSPLIT,I\nSPLIT,J\n", encoding="utf-8")
    table = folder / "visits.csv"
    table.write_text(f"subject,timepoint,date\nSPLIT,0,{DAYS[0]}\n", encoding="utf-8")
    visits = ("--seed", "1", "--by", "boss", "--visits", str(table), "--investigators", str(investigators))
    reads("assign", *visits, code=2)
    investigators.write_text("subject,reader\nSPLIT,I\n", encoding="utf-8")
    assert "investigator  I" in reads("assign", *visits)
    reads("role", "E", "reader", "--by", "boss", "--reason", "joins")
    left = study.case().central["reader 1"]
    assert "E has the case" in reads("reassign", key, "--from", left, "--to", "E", "--by", "boss", "--reason", "left")
    assert "HOLDS NO MORE: the case has another reader 1 since" in reads("status")
    assert main(["audit", "verify", str(folder)]) == 0
