"""A subject read and signed by the panel with clicks and keys, equal to what ``mrecist score`` says of the study folder."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from panel_reading import put, put_visit

from mrecist.batch import score_study
from mrecist.model import State
from mrecist.session.room import Room


def test_a_subject_from_baseline_to_the_scored_study(room: Room, hand: Any, tmp_path: Path) -> None:
    for timepoint in (0, 1, 2):
        hand.click(f"visit_{timepoint}")
        assert not hand.find("start_signing").isEnabled()
        for lesion in ("T01", "T02"):
            put(room, timepoint, lesion)
        hand.settle()
        if timepoint == 0:
            hand.click("add_non-target")
        room.look_at_lesion("NT01")
        hand.settle()
        hand.click("state_present")
        hand.click("adequate_yes")
        if timepoint:
            assert not hand.find("start_signing").isEnabled()
            hand.click("new_lesion_no")
        hand.click("start_signing")
        # The name is asked for once, and kept for the next visit.
        assert hand.find("confirm_signing").isEnabled() == (timepoint > 0)
        if timepoint == 0:
            hand.type("signer", "R. Reader")
        hand.click("confirm_signing")
        signature = room.state.visit(timepoint).signature
        assert signature is not None
        assert (signature.name, signature.meaning) == ("R. Reader", "read completed")
    scored = score_study(room.study.root, tmp_path / "out")
    assert scored.results.problems == ()
    assert scored.results.responses == room.live().responses
    # The truth of the sample (docs/sample-data.md): SD, SD by RECIST 1.1; PR, PR by mRECIST.
    assert [hand.cell("RECIST 1.1", t) for t in (1, 2)] == ["SD", "SD"]
    assert [hand.cell("mRECIST", t) for t in (1, 2)] == ["PR", "PR"]
    assert hand.find("overall_mrecist").text() == "PR"
    assert hand.find("overall_recist11").text() == "SD"


def test_nothing_is_answered_beforehand_and_nothing_is_skipped(room: Room, hand: Any) -> None:
    room.look_at(1)
    hand.settle()
    for name in ("adequate_yes", "adequate_no", "new_lesion_yes", "new_lesion_no"):
        assert not hand.find(name).isChecked()
    room.look_at(0)
    hand.settle()
    assert not hand.find("new_lesion_yes").isVisible()
    assert hand.find("start_signing").text() == "Sign BL: 2 open points"


def test_baseline_has_a_sum_and_no_category(room: Room, hand: Any) -> None:
    put_visit(room, 0)
    hand.settle()
    assert not hand.find("overall_mrecist").isVisible()
    assert not hand.find("target_mrecist").isVisible()
    assert hand.find("reason_mrecist").text().startswith("Baseline: sum ")
    put(room, 1, "T01")
    room.look_at(1)
    hand.settle()
    assert hand.find("overall_mrecist").isVisible()


def test_no_is_refused_while_a_new_lesion_is_marked(room: Room, hand: Any) -> None:
    put_visit(room, 0)
    room.look_at(1)
    hand.settle()
    hand.click("add_new")
    hand.click("state_equivocal")
    hand.click("new_lesion_no")
    assert "has the new lesion NEW01" in hand.find("told").text()
    assert not hand.find("new_lesion_no").isChecked()
    assert room.state.visit(1).new_lesions is None
    hand.click("new_lesion_yes")
    assert room.state.visit(1).new_lesions is True
    assert not hand.find("told").isVisible()


def test_an_unfinished_visit_shows_what_is_missing_and_no_category(room: Room, hand: Any) -> None:
    put_visit(room, 0)
    put(room, 1, "T01")
    room.look_at(1)
    hand.settle()
    # The engine alone would say NE of the sum and "no" of the new lesions; nobody has said either yet.
    assert str(room.live().response("mrecist", 1).overall) == "NE"  # type: ignore[union-attr]
    for part in ("overall", "target", "non_target", "new_lesion"):
        assert hand.find(f"{part}_mrecist").text() == "open"
    reason = hand.find("reason_mrecist").text()
    assert "T02 has neither a measurement nor a state" in reason
    assert "is there a new lesion?" in reason
    assert hand.cell("Σ mRECIST", 1) == "open"
    assert hand.cell("mRECIST", 1) == "open"
    put(room, 1, "T02")
    hand.settle()
    assert hand.find("target_mrecist").text() == "PR"
    assert hand.find("overall_mrecist").text() == "open"


def test_an_open_visit_before_keeps_the_response_open(room: Room, hand: Any) -> None:
    put_visit(room, 0)
    put_visit(room, 2)
    room.look_at(2)
    hand.settle()
    # The nadir may be at the visit that nobody has read.
    assert hand.find("overall_recist11").text() == "open"
    assert "(time point 1)" in hand.find("reason_recist11").text()


def test_what_would_change_the_response_is_the_nearest_cut_off(room: Room, hand: Any) -> None:
    for timepoint in (0, 1):
        put_visit(room, timepoint)
    room.look_at(1)
    hand.settle()
    sums = {t: float(room.live().response("mrecist", t).sum or 0) for t in (0, 1)}  # type: ignore[union-attr]
    # PR holds down to -30 % of baseline (inclusive): the first step of 0.1 mm above 70 % of it is SD.
    steps = next(n for n in range(1, 10000) if round(sums[1] + n / 10, 1) > 0.7 * sums[0] + 1e-9)
    assert f"T01 {steps / 10:g} mm larger alone gives SD" in hand.find("change_mrecist").text()
    assert "[" not in hand.find("reason_mrecist").text()
    assert "Lencioni" in hand.find("reason_mrecist").toolTip()


def test_a_flag_says_what_it_means(room: Room, hand: Any) -> None:
    from mrecist.response.flags import MEANING

    for timepoint in (0, 1):
        put_visit(room, timepoint)
    room.look_at(1)
    room.look_at_lesion("T01")
    hand.settle()
    hand.pick("word_lipiodol", "yes")
    assert hand.find("flags_mrecist").text().startswith("⚑ LIPIODOL:T01")
    assert MEANING["LIPIODOL"] in hand.find("flags_mrecist").toolTip()
    # The check of the same name is among the findings, and a click on it goes to the lesion.
    rows = [w for w in hand.panel.findings.findChildren(type(hand.find("finding_0"))) if "lipiodol" in w.words.text()]
    room.look_at_lesion("T02")
    hand.settle()
    rows[0].clicked.emit()
    assert room.looking.lesion == "T01"


def test_a_signed_visit_is_locked_until_it_is_opened_with_a_reason(room: Room, hand: Any) -> None:
    put_visit(room, 0)
    room.sign("R. Reader", "adjudicated")
    room.look_at_lesion("T01")
    hand.settle()
    for name in ("state_absent", "adequate_no", "comment", "add_target", "erase", "word_lipiodol"):
        assert not hand.find(name).isEnabled(), name
    assert "signed by R. Reader" in hand.find("signed_by").text()
    assert "adjudicated" in hand.find("signed_by").text()
    assert hand.find("visit_0").property("state") == "signed"
    written = list(room.study.root.glob("reads/read_*.csv"))
    assert written
    hand.click("start_signing")
    hand.type("signer", "R. Reader")
    assert not hand.find("confirm_signing").isEnabled()
    hand.type("reopen_reason", "wrong slice")
    hand.click("confirm_signing")
    assert room.state.visit(0).signature is None
    assert list(room.study.root.glob("reads/read_*.csv")) == []
    assert hand.find("state_absent").isEnabled()


def test_what_stops_the_files_of_a_signed_visit_is_told_and_tried_again(room: Room, hand: Any) -> None:
    put_visit(room, 0)
    foreign = room.study.root / "reads" / "read_R2_SAMPLE-01.csv"
    foreign.write_text("mine", encoding="utf-8")
    hand.settle()
    hand.click("start_signing")
    hand.type("signer", "R2")
    hand.click("confirm_signing")
    assert room.state.visit(0).signature is not None
    assert "was not written by this read" in hand.find("signed_by").text()
    foreign.unlink()
    hand.click("write_again")
    assert foreign.exists()
    assert not hand.find("write_again").isVisible()


@pytest.mark.parametrize("state", [State.PRESENT, State.PROGRESSED])
def test_non_targets_move_the_response(room: Room, hand: Any, state: State) -> None:
    for timepoint in (0, 1):
        put_visit(room, timepoint)
    room.look_at(1)
    room.look_at_lesion("NT01")
    hand.settle()
    if state is State.PROGRESSED:
        hand.click("state_progressed")
    # Eisenhauer 2009, Table 1: unequivocal progression of non-targets is PD whatever the targets do.
    assert hand.find("overall_recist11").text() == ("PD" if state is State.PROGRESSED else "SD")
