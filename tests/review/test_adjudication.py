"""From two signed reads to the read that counts: who is adjudicated, what a pick does, and when it holds no more."""

from __future__ import annotations

from dataclasses import replace

import pytest
from reviewed_study import ASKED, PROTOCOL, SIZES, VISITS, Study

from mrecist.errors import InputError, NotSigned, StoreError
from mrecist.protocol import protocol_of_text
from mrecist.review.adjudication import adjudication, pick_read, send_to_adjudicators
from mrecist.review.reviewed import Asked, reviewed
from mrecist.store.assigning import assign, assignments, reassign
from mrecist.store.audit import verify
from mrecist.store.locking import lock
from mrecist.store.people import change_protocol, change_role
from mrecist.store.showing import rows_to_derive, status, worklist
from mrecist.store.signing import sign
from mrecist.store.store import Store
from mrecist.store.submitting import amend, submit
from mrecist.tables.accepted import AcceptedAs, ReviewTrack


def picked(study: Study, read: str, reason: str = "closer", by: str = "") -> None:
    """The adjudicator of SPLIT picks a read of it."""
    pick_read(study.store, "SPLIT", by=by or study.case().adjudicator, read=read, reason=reason, asked=ASKED)


def adjudicators(store: Store) -> dict[str, str]:
    with store.reading() as read:
        return {row["subject"]: row["reader"] for row in assignments(read) if row["part"] == "adjudicator"}


def test_the_cases_whose_readers_differ_in_what_the_protocol_names_are_adjudicated(study: Study) -> None:
    found = study.send()
    (case,) = adjudication(found)
    assert (case.subject, case.criterion, case.state) == ("SPLIT", "recist11", "open")
    assert case.differs == ("best_response", "progression_date")
    assert case.causes == ("boundary",)  # the same lesion with other sizes
    assert set(adjudicators(study.store)) == {"SPLIT"}
    study.send()
    with study.store.reading() as read:
        assert len([row for row in read.rows("assignment") if row["part"] == "adjudicator"]) == 1
        (said,) = [e.said() for e in read.entries() if e.said()["what"] == "adjudicator assigned"]
    assert (said["who"], said["to"]["seed"]) == ("boss", "9")
    assert said["why"] == "readers differ, compared by best_response, progression_date"
    assert verify(study.store)[1] == []


def test_other_variables_in_place_of_the_protocols(study: Study) -> None:
    asked = Asked(variables=("visit_response",))
    assert {one.subject for one in adjudication(study.send(asked))} == {"SPLIT", "VISIT"}
    loads = list(adjudicators(study.store).values())
    assert sorted(loads) == ["C", "D"]
    with pytest.raises(InputError, match="--adjudicate-on: 'sum' is nothing that readers are compared by"):
        reviewed(study.store, Asked(variables=("sum",)))
    with pytest.raises(StoreError, match="A is no manager"):
        send_to_adjudicators(study.store, ASKED, "9", "A")


def test_what_counts_without_an_adjudicator(study: Study) -> None:
    central, investigator = study.accepted("AGREE")
    assert (central.reader, central.accepted_as) == (study.case("AGREE").central["reader 1"], AcceptedAs.AGREED)
    assert (investigator.reader, investigator.accepted_as) == ("I", AcceptedAs.ONLY)
    assert (central.track, investigator.track) == (ReviewTrack.CENTRAL, ReviewTrack.INVESTIGATOR)
    assert study.one("VISIT").accepted_as is AcceptedAs.AGREED
    assert "no adjudicator has the case" in study.why("SPLIT")
    assert study.why("LATE") == study.why("ALONE") == "reader 1: time point 0 is not signed"
    (reader,) = study.case("ALONE").central.values()
    study.read("ALONE", reader, (50, 30, 28))
    assert (study.one("ALONE").reader, study.one("ALONE").accepted_as) == (reader, AcceptedAs.ONLY)
    # One of two reads is not the only one: the other is still to come.
    study.read("LATE", study.case("LATE").central["reader 1"], (50, 30, 28))
    assert study.why("LATE") == "reader 2: time point 0 is not signed"


def test_a_pick_counts_and_a_later_one_replaces_it(study: Study) -> None:
    study.send()
    assert study.why("SPLIT").endswith("has not picked yet")
    case = study.case()
    picked(study, "reader 2")
    found = study.one("SPLIT")
    assert (found.reader, found.accepted_as) == (case.central["reader 2"], AcceptedAs.PICKED)
    assert (found.by, found.reason) == (case.adjudicator, "closer")
    # What was picked counts even where fewer variables are asked for afterwards.
    (other,) = study.accepted("SPLIT", Asked(variables=("first_response_date",), date_tolerance=9999))
    assert other == found
    picked(study, "reader 1", "second look")
    assert (study.one("SPLIT").reader, study.one("SPLIT").reason) == (case.central["reader 1"], "second look")
    with study.store.reading() as read:
        first, second = read.rows("pick")
    assert (first["variable"], second["replaces"]) == ("read", first["id"])
    assert verify(study.store)[1] == []
    (mine,) = [one for one in status(study.store) if one.part == "adjudicator"]
    assert [(one.criterion, one.read, one.stale) for one in mine.picks] == [("recist11", "reader 1", "")]


def test_the_adjudicators_own_read_counts_as_a_reread(study: Study) -> None:
    study.send()
    who = study.case().adjudicator
    with pytest.raises(NotSigned, match=r"SPLIT time point 0 of own is not signed"):
        picked(study, "own")
    study.read("SPLIT", who, (50, 33, 44))
    picked(study, "own")
    assert (study.one("SPLIT").reader, study.one("SPLIT").accepted_as) == (who, AcceptedAs.REREAD)
    rows, _ = rows_to_derive(study.store)
    assert {row.reader for row in rows if row.subject == "SPLIT"} == {"A", "B", who}
    assert [one.variable for one in study.send().differences["SPLIT", "recist11"] if who in one.readers] == []
    # The case goes to the other adjudicator: the read of the first is no read of the case any more.
    other = {"C": "D", "D": "C"}[who]
    reassign(study.store, "SPLIT", who, other, by="boss", reason="left")
    assert "who read it has the case no more" in study.why("SPLIT")
    assert {row.reader for row in rows_to_derive(study.store)[0] if row.subject == "SPLIT"} == {"A", "B"}


def test_a_pick_holds_no_more_when_a_read_under_it_was_amended(study: Study) -> None:
    study.send()
    picked(study, "reader 1")
    part = "reader 2"  # even the one that was not picked
    reader = study.case().central[part]
    study.amend("SPLIT", reader, 1, SIZES["SPLIT"][reader][1])  # the same size: whoever picked has not seen that
    assert f"holds no more (the read of {part} is another one since)" in study.why("SPLIT")
    (due,) = worklist(study.store, study.case().adjudicator)
    assert due.adjudicates
    assert due.picked == {}
    picked(study, "reader 1", "seen again")
    assert study.one("SPLIT").reason == "seen again"


def test_a_pick_of_somebody_who_never_had_the_case_does_not_count(study: Study) -> None:
    """A row that was written past the program."""
    study.send()
    other = {"C": "D", "D": "C"}[study.case().adjudicator]
    with study.store.writing(other) as write:
        write.add("pick", "planted", subject="SPLIT", criterion="recist11", variable="read", reader="A", value="{}")
    assert f"{other} never had the case as its adjudicator" in study.why("SPLIT")


def test_a_read_that_cannot_be_derived_leaves_the_case_open(study: Study) -> None:
    for part, reader in study.case("LATE").central.items():
        empty = replace(study.given("LATE", reader, 0, 50), rows=[]) if part == "reader 1" else None
        submit(study.store, empty or study.given("LATE", reader, 0, 50))
        lock(study.store, "LATE", reader, 0)
        for timepoint in (1, 2):
            submit(study.store, study.given("LATE", reader, timepoint, 50))
            lock(study.store, "LATE", reader, timepoint)
        sign(study.store, "LATE", reader, f"Dr {reader}", "")
    assert study.why("LATE").startswith("reader 1: the read cannot be derived: no baseline")
    assert "LATE" not in {one.subject for one in adjudication(study.send())}


def test_dates_within_the_tolerance_agree(study: Study) -> None:
    """Both see progression, A at visit 1 (60 is +20 % and +10 mm of 50), B at visit 2, 56 days later."""
    sizes = {"reader 1": (50, 60, 61), "reader 2": (50, 50, 61)}
    for part, reader in study.case("LATE").central.items():
        study.read("LATE", reader, sizes[part])
    asked = Asked(variables=("progression_date",), date_tolerance=55)
    assert "LATE" in {one.subject for one in adjudication(reviewed(study.store, asked))}
    asked = replace(asked, date_tolerance=56)
    assert "LATE" not in {one.subject for one in adjudication(reviewed(study.store, asked))}


def test_readers_who_agree_after_the_review_need_no_pick(study: Study) -> None:
    study.send()
    picked(study, "reader 2")
    study.amend("SPLIT", "B", 1, 30)
    study.amend("SPLIT", "B", 2, 45)
    assert study.one("SPLIT").accepted_as is AcceptedAs.AGREED
    with pytest.raises(
        InputError, match="SPLIT: the readers agree in best_response, progression_date; nothing to pick"
    ):
        picked(study, "reader 2")


def test_a_pick_holds_under_a_protocol_with_the_same_rules_of_response_only(study: Study) -> None:
    study.send()
    picked(study, "reader 1")
    titled = protocol_of_text(PROTOCOL + '[study]\ntitle = "amendment 1"\n', where="test")
    change_protocol(study.store, titled, by="boss", reason="title")
    assert study.one("SPLIT").accepted_as is AcceptedAs.PICKED
    other = protocol_of_text(PROTOCOL + "[response.confirm]\nrequired = true\n", where="test")
    change_protocol(study.store, other, by="boss", reason="confirmation")
    assert "the protocol has other rules of response since" in study.why("SPLIT")


def test_a_visit_that_came_later_opens_the_case_again(study: Study) -> None:
    study.send()
    picked(study, "reader 1")
    assign(study.store, {"SPLIT": {3: VISITS[2].replace(month=7)}}, "x", "boss")
    assert study.why("SPLIT") == "reader 1: time point 3 is not signed"
    with pytest.raises(NotSigned, match="SPLIT time point 3 of reader 1 is not signed"):
        picked(study, "reader 1")


def test_only_the_adjudicator_of_a_case_picks_and_only_what_is_there(study: Study) -> None:
    study.send()
    who = study.case().adjudicator
    other = {"C": "D", "D": "C"}[who]
    for by, read, reason, said in (
        (other, "reader 1", "x", f"SPLIT is not assigned to {other}"),
        ("A", "reader 1", "x", "A reads SPLIT as reader"),
        (who, "reader 3", "x", "no read of 'reader 3'; its reads are: reader 1, reader 2, own"),
        (who, "reader 1", " ", "a reason is needed"),
    ):
        with pytest.raises((StoreError, InputError), match=said):
            picked(study, read, reason, by)
    with pytest.raises(InputError, match="criterion 'easl' is not in the protocol: recist11"):
        pick_read(study.store, "SPLIT", by=who, read="reader 1", reason="x", asked=ASKED, criteria=("easl",))
    change_role(study.store, who, "adjudicator", granted=False, by="boss", reason="left")
    with pytest.raises(StoreError, match=f"{who} is no adjudicator of this store any more"):
        picked(study, "reader 1")
    with study.store.reading() as read:
        assert read.rows("pick") == []


def test_an_unsigned_read_under_a_case_lets_nobody_pick(study: Study) -> None:
    study.send()
    amend(study.store, study.given("SPLIT", "A", 1, 31), "global review")
    part = {name: part for part, name in study.case().central.items()}["A"]
    with pytest.raises(NotSigned, match=f"of {part}: the signature is broken"):
        picked(study, "reader 1")


def test_a_reader_who_left_gives_the_case_to_another(study: Study) -> None:
    change_role(study.store, "E", "reader", granted=True, by="boss", reason="joins")
    study.send()
    picked(study, "reader 1")
    part = {name: part for part, name in study.case().central.items()}["B"]
    with pytest.raises(StoreError, match="A has the case SPLIT as reader"):
        reassign(study.store, "SPLIT", "B", "A", by="boss", reason="left")
    with pytest.raises(StoreError, match="D is no reader"):
        reassign(study.store, "SPLIT", "B", "D", by="boss", reason="left")
    with pytest.raises(StoreError, match="a reason is needed"):
        reassign(study.store, "SPLIT", "B", "E", by="boss", reason="")
    reassign(study.store, "SPLIT", "B", "E", by="boss", reason="left")
    assert study.case().central[part] == "E"
    assert study.why("SPLIT") == f"{part}: time point 0 is not signed"
    assert "SPLIT" not in {one.case for one in worklist(study.store, "B")} | {
        row.subject for row in rows_to_derive(study.store, "B")[0]
    }
    with study.store.reading() as read:
        assert len(read.rows("read", subject="SPLIT", reader="B")) == 3  # what was read stays
    study.read("SPLIT", "E", SIZES["SPLIT"]["B"])
    assert f"the case has another {part} since" in study.why("SPLIT")
    with pytest.raises(StoreError, match="SPLIT is not assigned to B"):
        study.amend("SPLIT", "B", 1, 30)
    # Whoever has seen a case once does not adjudicate it.
    change_role(study.store, "B", "adjudicator", granted=True, by="boss", reason="x")
    who = study.case().adjudicator
    with pytest.raises(StoreError, match="B has the case SPLIT as reader"):
        reassign(study.store, "SPLIT", who, "B", by="boss", reason="x")
    assert verify(study.store)[1] == []


def test_an_investigator_is_no_central_reader(study: Study) -> None:
    found = study.send(replace(ASKED, variables=("visit_response",)))
    # I saw SD where A and B saw PR, and the case is none to adjudicate.
    assert "AGREE" not in {one.subject for one in adjudication(found)}
    assert adjudicators(study.store).get("AGREE") is None
    change_role(study.store, "J", "investigator", granted=True, by="boss", reason="site 2")
    with pytest.raises(StoreError, match="AGREE has the investigator I; change it with: mrecist reads reassign"):
        assign(study.store, {}, "7", "boss", investigators={"AGREE": "J"})
    assign(study.store, {}, "7", "boss", investigators={"AGREE": "I"})
    reassign(study.store, "AGREE", "I", "J", by="boss", reason="left")
    _, left = study.accepted("AGREE")
    assert str(left) == "AGREE, recist11, investigator: open: investigator: time point 0 is not signed"
    change_role(study.store, "A", "investigator", granted=True, by="boss", reason="x")
    with pytest.raises(StoreError, match=r"A has the case VISIT as reader . already; choose somebody else"):
        assign(study.store, {}, "7", "boss", investigators={"VISIT": "A"})
    with pytest.raises(StoreError, match="S9 has no visits in the store"):
        assign(study.store, {}, "7", "boss", investigators={"S9": "A"})
    with pytest.raises(StoreError, match="B is no investigator"):
        assign(study.store, {}, "7", "boss", investigators={"VISIT": "B"})
