"""Reads from assignment to signature: what is allowed when, and what stays of it."""

from __future__ import annotations

import json
import re
from collections import Counter
from dataclasses import replace
from datetime import date

import pytest
from store_study import ONE_DATABASE, VISITS, Begun

from mrecist.errors import Locked, NotSigned, StoreError
from mrecist.protocol import FORMAT, load_protocol, parse_protocol
from mrecist.store.assigning import assign, randomise
from mrecist.store.audit import verify
from mrecist.store.locking import lock, unlock
from mrecist.store.people import begin, change_protocol, change_role, holders
from mrecist.store.showing import rows_to_derive, status, worklist
from mrecist.store.signing import sign, signatures
from mrecist.store.store import Store
from mrecist.store.submitting import amend, measurements_of, read_of, submit


def signed(store: Store, subject: str = "S1", reader: str = "A") -> list[tuple[str, ...]]:
    """What changed under each signature in force."""
    with store.reading() as read:
        return [one.changed for one in signatures(store, read, subject, reader)]


def test_what_was_given_comes_back_as_it_was(study: Begun) -> None:
    given = study.given(mask="drawn")
    submit(study.store, given)
    with study.store.reading() as read:
        row = read_of(read, "S1", "A", 0)
        assert row is not None
        assert measurements_of(read, row) == tuple(given.rows)
        (mask,) = read.rows("mask", read_id=row["id"])
    # by sha256sum of coreutils: printf drawn | sha256sum
    assert mask["sha256"] == "8b6df8c11847ada8266bad5b8737f94c208c411a3ebe18e27aad31bfb7eb8767"
    assert study.store.files.path(mask["sha256"]).read_text() == "drawn"
    assert verify(study.store)[1] == []


@ONE_DATABASE
def test_a_visit_is_read_after_all_before_it_are_locked(study: Begun) -> None:
    with pytest.raises(Locked, match="time point 0 is not locked yet"):
        submit(study.store, study.given(timepoint=1))
    submit(study.store, study.given(timepoint=0))
    with pytest.raises(Locked, match="time point 0 is not locked yet"):
        submit(study.store, study.given(timepoint=1))
    lock(study.store, "S1", "A", 0)
    submit(study.store, study.given(timepoint=1))
    with pytest.raises(Locked, match="time point 1 is not locked yet"):
        lock(study.store, "S1", "A", 2)
    lock(study.store, "S1", "A", 1)
    study.read("S1", 2)
    with pytest.raises(StoreError, match="there is no time point 7"):
        submit(study.store, replace(study.given(timepoint=2), timepoint=7))


@ONE_DATABASE
def test_a_locked_visit_takes_no_read_and_no_second_lock(study: Begun) -> None:
    study.read()
    with pytest.raises(Locked, match="S1 time point 0 is locked; amend it"):
        submit(study.store, study.given(mm="50"), "typing error")
    with pytest.raises(Locked, match="is locked already"):
        lock(study.store, "S1", "A", 0)
    with pytest.raises(StoreError, match="was not submitted yet"):
        lock(study.store, "S2", "A", 0)


def test_a_correction_needs_a_reason_and_keeps_the_old_read(study: Begun) -> None:
    submit(study.store, study.given())
    with pytest.raises(
        StoreError, match=r"S1 time point 0 was submitted before \(version 1\); a correction needs a reason"
    ):
        submit(study.store, study.given(mm="49"))
    submit(study.store, study.given(mm="49"), "typing error")
    with study.store.reading() as read:
        first, second = read.rows("read", subject="S1", reader="A")
        assert (first["version"], second["version"], second["replaces"]) == (1, 2, first["id"])
        sizes = [str(measurements_of(read, row)[0].longest_mm) for row in (first, second)]
        assert sizes == ["48.2", "49"]
        last = next(e.said() for e in read.entries() if e.said()["key"] == second["id"])
    assert (last["what"], last["why"], last["from"], last["to"]) == ("read corrected", "typing error", first, second)


@ONE_DATABASE
def test_rows_of_another_visit_are_refused_whole(study: Begun) -> None:
    for field, value, said in (
        ("date", date(2024, 1, 9), "its date is 2024-01-09, 1 days off the visit's"),
        ("subject", "S2", "its subject is S2 and the read is of subject S1"),
        ("reader", "B", "its reader is B and the read is of reader A"),
        ("timepoint", 1, "its time point is 1 and the read is of time point 0"),
    ):
        given = study.given()
        rows = [*given.rows[:1], replace(given.rows[1], **{field: value})]
        with pytest.raises(StoreError, match=f"lesion NT01: {said}"):
            submit(study.store, replace(given, rows=rows))
    with study.store.reading() as read:
        assert read.rows("read") == read.rows("measurement") == []


@ONE_DATABASE
def test_only_the_readers_of_a_case_read_it(study: Begun) -> None:
    with pytest.raises(StoreError, match="S1 is not assigned to C"):
        submit(study.store, study.given(reader="C"))


def test_unlocking_takes_the_role_and_a_reason(study: Begun) -> None:
    study.read()
    whose = (study.store, "S1", "A", 0)
    with pytest.raises(StoreError, match="A is no manager"):
        unlock(*whose, by="A", role="manager", reason="again")
    with pytest.raises(StoreError, match="a reader unlocks nothing"):
        unlock(*whose, by="A", role="reader", reason="again")
    with pytest.raises(StoreError, match="a reason is needed"):
        unlock(*whose, by="boss", role="manager", reason=" ")
    unlock(*whose, by="boss", role="manager", reason="wrong series")
    submit(study.store, study.given(mm="47"), "wrong series")
    lock(*whose)
    with study.store.reading() as read:
        states = [(row["state"], row.get("role"), row.get("reason")) for row in read.rows("lock")]
    assert states == [("locked", None, None), ("unlocked", "manager", "wrong series"), ("locked", None, None)]
    with pytest.raises(StoreError, match="is not locked; there is nothing to unlock"):
        unlock(study.store, "S1", "A", 1, by="boss", role="manager", reason="x")


@ONE_DATABASE
def test_a_signature_needs_the_lock(study: Begun) -> None:
    submit(study.store, study.given())
    with pytest.raises(StoreError, match="is not locked; a visit is signed after it is locked"):
        sign(study.store, "S1", "A", "Dr A", "", 0)


@ONE_DATABASE
def test_a_signature_holds_until_anything_under_it_changes(study: Begun) -> None:
    study.read(mask="mask-0")
    made = sign(study.store, "S1", "A", "Dr A", "reviewed", 0)
    assert (made.row["name"], made.row["meaning"]) == ("Dr A", "reviewed")
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z", made.row["at"])
    study.read("S1", 1)  # another visit is not under it
    assert signed(study.store) == [()]
    with study.store.reading() as read:
        kept = study.store.files.path(read.rows("mask")[0]["sha256"])
    kept.write_text("mask-X")
    ((changed,),) = signed(study.store)
    assert changed.startswith("file S1_0_mask-0.dcm has SHA-256")
    kept.unlink()
    assert signed(study.store) == [("file S1_0_mask-0.dcm is not there any more",)]
    kept.write_text("mask-0")
    assert signed(study.store) == [()]
    unlock(study.store, "S1", "A", 0, by="boss", role="manager", reason="x")
    ((changed,),) = signed(study.store)
    assert changed.startswith("lock that was signed is not in force any more")
    lock(study.store, "S1", "A", 0)  # another lock is not the one that was signed
    assert len(signed(study.store)[0]) == 2


@ONE_DATABASE
def test_a_changed_mask_cannot_be_signed(study: Begun) -> None:
    study.read(mask="mask-0")
    with study.store.reading() as read:
        study.store.files.path(read.rows("mask")[0]["sha256"]).write_text("other!")
    with pytest.raises(StoreError, match="it cannot be signed"):
        sign(study.store, "S1", "A", "Dr A", "", 0)


def test_the_global_review_amends_after_all_visits_and_breaks_the_signature(study: Begun) -> None:
    study.read("S1", 0)
    with pytest.raises(Locked, match="time point 1 is not locked; the global review comes after all visits"):
        amend(study.store, study.given(mm="50"), "seen at week 8")
    study.read("S1", 1)
    study.read("S1", 2)
    sign(study.store, "S1", "A", "Dr A", "")
    with pytest.raises(StoreError, match="a reason is needed"):
        amend(study.store, study.given(mm="50"), "")
    amend(study.store, study.given(mm="50"), "seen at week 8")
    with study.store.reading() as read:
        (amendment,) = read.rows("amendment")
        versions = read.rows("read", subject="S1", timepoint=0)
        assert [amendment["amended_read_id"], amendment["read_id"]] == [row["id"] for row in versions]
        assert amendment["reason"] == "seen at week 8"
    assert any(change.startswith("read is new since (time point 0, read ") for change in signed(study.store)[0])
    rows, left = rows_to_derive(study.store, "A")
    assert rows == []
    assert [type(one) for one in left] == [NotSigned, NotSigned]
    assert "S1 all visits of A: the signature is broken: " in str(left[0])
    sign(study.store, "S1", "A", "Dr A", "review completed")
    assert signed(study.store) == [()]
    rows, left = rows_to_derive(study.store, "A")
    assert [str(row.longest_mm) for row in rows if row.lesion == "T01"] == ["50", "48.2", "48.2"]
    assert verify(study.store)[1] == []


@ONE_DATABASE
def test_the_worklist_hides_what_a_reader_may_not_know(study: Begun) -> None:
    study.read("S1", 0)
    study.read("S1", 0, "B")
    study.read("S1", 1, "B")
    (mine,) = [one for one in worklist(study.store, "A") if one.case == "S1"]
    assert (mine.next, mine.next_day, mine.locked, mine.submitted) == (1, 56, (0,), False)
    said = json.dumps([one.__class__.__name__ + repr(one) for one in worklist(study.store, "A")])
    # No date, no other reader, no visit behind the next one (2024-04-29 is day 112).
    for hidden in ("2024", "'B'", "112"):
        assert hidden not in said
    unlock(study.store, "S1", "B", 0, by="boss", role="manager", reason="x")
    (theirs,) = [one for one in worklist(study.store, "B") if one.case == "S1"]
    assert (theirs.next, theirs.locked) == (0, ())


@ONE_DATABASE
def test_pseudonyms_stand_for_subjects_everywhere(study: Begun) -> None:
    assign(study.store, {"LIVER-77": VISITS["S2"]}, "1", "boss", pseudonyms=True)
    (case,) = {one.case for one in worklist(study.store, "A")} - {"S1", "S2"}
    assert case == "CASE-0003"
    with pytest.raises(StoreError, match="LIVER-78 would be shown to its readers by name; give --pseudonyms again"):
        assign(study.store, {"LIVER-78": VISITS["S2"]}, "1", "boss")
    given = study.given("S2", 0)
    rows = [replace(row, subject=case, date=None) for row in given.rows]
    with pytest.raises(StoreError) as error:
        submit(study.store, replace(given, subject=case, rows=given.rows))
    assert str(error.value) == "lesion T01: its subject is S2 and the read is of subject CASE-0003"
    submit(study.store, replace(given, subject=case, rows=rows))
    lock(study.store, case, "A", 0)
    (found,) = [one for one in status(study.store) if one.subject == "LIVER-77" and one.reader == "A"]
    assert [visit.state for visit in found.visits] == ["locked", "open"]


def test_assigning_again_adds_visits_and_moves_no_reader(study: Begun) -> None:
    with study.store.reading() as read:
        before = read.rows("assignment")
    later = {"S2": {**VISITS["S2"], 2: date(2024, 5, 23)}}
    assert assign(study.store, later, "other", "boss") == ()
    with study.store.reading() as read:
        assert read.rows("assignment") == before
    assert [len(one.visits) for one in status(study.store)] == [3, 3, 3, 3]
    with pytest.raises(StoreError, match="S2 time point 1 is of 2024-03-28 in the store and of 2024-03-29 here"):
        assign(study.store, {"S2": {1: date(2024, 3, 29)}}, "x", "boss")
    with pytest.raises(StoreError, match="S2: time point 3 is of 2024-05-01 and time point 2 of 2024-05-23"):
        assign(study.store, {"S2": {3: date(2024, 5, 1)}}, "x", "boss")
    with pytest.raises(StoreError, match="S9 has no visit of time point 0"):
        assign(study.store, {"S9": {1: date(2024, 5, 1)}}, "x", "boss")
    with pytest.raises(StoreError, match="A is no manager"):
        assign(study.store, later, "x", "A")


@pytest.mark.parametrize("readers", ["AB", "ABC", "ABCDE"])
def test_the_randomisation_is_balanced_and_comes_again(readers: str) -> None:
    subjects = [f"S{number}" for number in range(31)]
    found = randomise(subjects, list(readers), "7")
    assert randomise(reversed(subjects), list(readers), "7") == found
    assert randomise(subjects, list(readers), "8") != found
    loads = Counter(one.reader for one in found)
    assert max(loads.values()) - min(loads.values()) <= 1
    for subject in subjects:
        two = [one for one in found if one.subject == subject]
        assert len({one.reader for one in two}) == 2
        assert {one.part for one in two} == {"reader 1", "reader 2"}
    orders = set()
    for reader in readers:
        mine = sorted((one for one in found if one.reader == reader), key=lambda one: one.place)
        assert [one.place for one in mine] == [*range(1, len(mine) + 1)]
        orders.add(tuple(one.subject for one in mine))
    assert len(orders) == len(readers)
    assert tuple(subjects) not in orders
    with pytest.raises(StoreError, match="3 readers a case are asked for and there are 2"):
        randomise(subjects, ["A", "B"], "7", 3)


@ONE_DATABASE
def test_roles_are_given_and_taken_by_managers_only(study: Begun) -> None:
    with pytest.raises(StoreError, match="A is no manager"):
        change_role(study.store, "A", "manager", granted=True, by="A", reason="x")
    with pytest.raises(StoreError, match="boss is the only manager"):
        change_role(study.store, "boss", "manager", granted=False, by="boss", reason="x")
    with pytest.raises(StoreError, match="B is reader already"):
        change_role(study.store, "B", "reader", granted=True, by="boss", reason="x")
    change_role(study.store, "B", "reader", granted=False, by="boss", reason="left")
    with pytest.raises(StoreError, match="B is no reader of this store any more"):
        submit(study.store, study.given(reader="B"))
    change_role(study.store, "B", "reader", granted=True, by="boss", reason="came back")
    with study.store.reading() as read:
        assert holders(read, "reader") == ("A", "B")


@ONE_DATABASE
def test_a_store_is_begun_once(study: Begun) -> None:
    with pytest.raises(StoreError, match="a store is never begun again"):
        begin(study.store, load_protocol(None), {}, "another")


def test_a_later_protocol_breaks_no_signature(study: Begun) -> None:
    study.read()
    sign(study.store, "S1", "A", "Dr A", "", 0)
    later = parse_protocol({"format": FORMAT, "study": {"title": "amended"}}, where="amendment")
    with pytest.raises(StoreError, match="A is no manager"):
        change_protocol(study.store, later, by="A", reason="x")
    with pytest.raises(StoreError, match="already; nothing to change"):
        change_protocol(study.store, load_protocol(None), by="boss", reason="x")
    change_protocol(study.store, later, by="boss", reason="amendment 1")
    study.read("S1", 1)
    assert signed(study.store) == [()]
    with study.store.reading() as read:
        shas = [row["protocol_sha256"] for row in read.rows("read")]
        assert read.protocol()["sha256"] == later.sha256
    assert shas == [load_protocol(None).sha256, later.sha256]
    assert verify(study.store)[1] == []
