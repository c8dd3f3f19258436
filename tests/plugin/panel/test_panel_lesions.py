"""Lesions in the panel: the matrix, statuses by click and key, words, comment, editing, proposals, undo, saving."""

from __future__ import annotations

import errno
import os
from collections.abc import Callable
from decimal import Decimal
from typing import Any

import pytest
from panel_reading import put, put_visit

from mrecist.imaging.phase import PhaseName
from mrecist.model import Role, State
from mrecist.session.actions import SetState, StatePhase
from mrecist.session.room import Room
from mrecist.units import show


def test_the_matrix_shows_the_rows_and_nothing_said_is_empty(room: Room, hand: Any) -> None:
    put_visit(room, 0)
    put(room, 1, "T01")
    hand.settle()
    rows = {(r.timepoint, r.lesion): r for r in room.live().rows}
    for timepoint, lesion in ((0, "T01"), (0, "T02"), (1, "T01")):
        row = rows[timepoint, lesion]
        assert hand.cell(lesion, timepoint) == f"{row.viable_mm}/{row.longest_mm}"
    assert hand.cell("T02", 1) == hand.cell("T01", 2) == ""
    assert hand.cell("NT01", 0) == "● present"
    # The sums are those of the two rows, added by hand.
    baseline = rows[0, "T01"].longest_mm + rows[0, "T02"].longest_mm
    assert hand.cell("Σ RECIST", 0) == show(baseline)


def test_the_nadir_of_the_visit_shown_is_marked(room: Room, hand: Any) -> None:
    for timepoint in (0, 1, 2):
        put_visit(room, timepoint)
    room.look_at(2)
    hand.settle()
    # The sample's tumours shrink at every visit, so before the second follow-up the first one is smallest.
    assert [hand.cell("Σ mRECIST", t).endswith("▼") for t in (0, 1, 2)] == [False, True, False]
    room.look_at(1)
    hand.settle()
    assert [hand.cell("Σ mRECIST", t).endswith("▼") for t in (0, 1, 2)] == [True, False, False]


def test_a_click_on_a_cell_goes_to_the_lesion_at_its_visit(room: Room, hand: Any) -> None:
    from qtpy.QtCore import Qt

    put_visit(room, 0)
    hand.settle()
    table = hand.find("matrix")
    where = table.visualRect(table.model().index(1, 0)).center()
    room.look_at(2)
    hand.settle()
    hand.qtbot.mouseClick(table.viewport(), Qt.MouseButton.LeftButton, pos=where)
    hand.settle()
    assert (room.looking.timepoint, room.looking.lesion) == (0, "T02")
    assert hand.find("visit_0").isChecked()
    table.setFocus()
    for key in (Qt.Key.Key_Right, Qt.Key.Key_Up, Qt.Key.Key_Return):
        hand.qtbot.keyClick(table, key)
    hand.settle()
    assert (room.looking.timepoint, room.looking.lesion) == (1, "T01")


# Keys of the statuses by role; "measured" and "merged" need more than a press and have tests of their own.
KEYS = {
    Role.TARGET: {2: State.TOO_SMALL, 3: State.NOT_EVALUABLE, 4: State.ABSENT},
    Role.NON_TARGET: {1: State.PRESENT, 2: State.PROGRESSED, 3: State.ABSENT, 4: State.NOT_EVALUABLE},
    Role.NEW: {1: State.UNEQUIVOCAL, 2: State.EQUIVOCAL, 3: State.ABSENT},
}


@pytest.mark.parametrize("role", list(Role))
def test_every_status_by_click_by_key_and_by_menu(room: Room, hand: Any, role: Role) -> None:
    room.look_at(1)
    name = room.add_lesion(role)
    room.look_at_lesion(name)
    hand.settle()
    for number, state in KEYS[role].items():
        hand.click(f"state_{state}")
        assert room.state.mark(1, name).state is state  # type: ignore[union-attr]
        assert hand.find(f"state_{state}").isChecked()
        hand.click("erase")
        assert room.state.mark(1, name) is None
        assert hand.cell(name, 1) == ""
        one = hand.find(f"state_{state}")
        one.setFocus()
        hand.qtbot.keyClicks(one, str(number))
        hand.settle()
        assert room.state.mark(1, name).state is state  # type: ignore[union-attr]
        hand.click("erase")
        hand.panel.say_state(number)
        hand.settle()
        assert room.state.mark(1, name).state is state  # type: ignore[union-attr]


def test_measured_needs_a_mask(room: Room, hand: Any) -> None:
    room.look_at_lesion(room.add_lesion(Role.TARGET))
    hand.settle()
    assert not hand.find("state_measured").isEnabled()
    put(room, 0, "T01")
    hand.settle()
    assert hand.find("state_measured").isChecked()


def test_too_small_takes_a_number_or_the_default(room: Room, hand: Any) -> None:
    put_visit(room, 0)
    room.look_at(1)
    put(room, 1, "T02")
    room.look_at_lesion("T01")
    hand.settle()
    hand.click("state_too-small")
    default = room.live().response("recist11", 1).sum  # type: ignore[union-attr]
    hand.type("size_longest_mm", "4.5")
    assert room.state.mark(1, "T01").sizes == {"longest_mm": Decimal("4.5")}  # type: ignore[union-attr]
    # Eisenhauer 2009, 4.3.2: 5 mm without a number.
    assert default - room.live().response("recist11", 1).sum == Decimal("0.5")  # type: ignore[union-attr, operator]
    assert "4.5" in hand.cell("T01", 1)
    assert hand.cell("T01", 1).endswith("✎")
    hand.type("size_longest_mm", "4,5")
    assert "'4,5' is not a number" in hand.find("told").text()
    assert room.state.mark(1, "T01").sizes == {"longest_mm": Decimal("4.5")}  # type: ignore[union-attr]


def test_merged_names_the_other_lesion_and_split_the_one_it_came_from(room: Room, hand: Any) -> None:
    put_visit(room, 0)
    room.look_at(1)
    put(room, 1, "T01")
    room.look_at_lesion("T02")
    hand.settle()
    hand.click("state_merged")
    assert room.state.mark(1, "T02") is None
    hand.pick("merged_into", "T01")
    mark = room.state.mark(1, "T02")
    assert mark is not None
    assert (mark.state, mark.part_of) == (State.MERGED, "T01")
    assert hand.cell("T02", 1) == "⇥ in T01"
    room.look_at(2)
    hand.click("add_target")
    hand.click("state_too-small")
    hand.click("split")
    hand.pick("split_from", "T01")
    mark = room.state.mark(2, "T03")
    assert mark is not None
    assert (mark.state, mark.part_of) == (State.TOO_SMALL, "T01")
    # T01 is in its parts now, and the part has no row before it split.
    assert {p.lesion for p in room.open_points(2)} == {"", "T02", "NT01"}
    assert room.open_points(0) == ()


def test_words_comment_and_facts(room: Room, hand: Any) -> None:
    put_visit(room, 0)
    room.look_at_lesion("T01")
    hand.settle()
    hand.pick("word_local_therapy", "ablation")
    hand.click("more_words")
    hand.pick("word_basis", "overall")
    hand.type("comment", "near the dome")
    mark = room.state.mark(0, "T01")
    assert mark is not None
    assert (dict(mark.words), mark.comment) == ({"local_therapy": "ablation", "basis": "overall"}, "near the dome")
    hand.pick("word_basis", "–")
    assert room.state.mark(0, "T01").words == {"local_therapy": "ablation"}  # type: ignore[union-attr]
    hand.type("visit_comment", "breath-hold poor")
    assert room.state.visit(0).comment == "breath-hold poor"
    hand.click("edit_lesion")
    hand.type("edit_station", "S8")
    hand.click("apply_lesion")
    assert room.state.lesions["T01"].station == "S8"
    assert hand.row_name(0) == "T01  S8"
    hand.click("edit_lesion")
    hand.type("edit_name", "T02")
    assert "T02 is there already" in hand.find("told").text()
    hand.type("edit_name", "T09")
    assert (next(iter(room.state.lesions)), room.looking.lesion) == ("T09", "T09")
    assert hand.row_name(0) == "T09  S8"
    hand.click("undo")
    room.look_at_lesion("T01")
    hand.settle()
    hand.click("edit_lesion")
    hand.pick("edit_role", "non-target")
    hand.click("apply_lesion")
    assert "which a non-target lesion cannot be" in hand.find("told").text()
    assert room.state.lesions["T01"].role is Role.TARGET
    hand.click("remove_lesion")
    assert "T01" not in room.state.lesions
    hand.click("undo")
    assert "T01" in room.state.lesions


def test_a_comment_stays_with_the_lesion_it_was_typed_for(room: Room, hand: Any) -> None:
    put_visit(room, 0)
    room.look_at_lesion("T01")
    hand.settle()
    box = hand.find("comment")
    box.setFocus()
    hand.qtbot.keyClicks(box, "half a wo")
    room.look_at_lesion("T02")
    hand.settle()
    assert room.state.mark(0, "T01").comment == "half a wo"  # type: ignore[union-attr]
    assert room.state.mark(0, "T02").comment == ""  # type: ignore[union-attr]
    assert box.text() == ""


def test_undo_and_redo_say_what_they_do(room: Room, hand: Any) -> None:
    assert not hand.find("undo").isEnabled()
    hand.click("add_target")
    assert hand.find("undo").toolTip() == "Undo: add target lesion T01"
    hand.click("undo")
    assert room.state.lesions == {}
    assert hand.find("redo").toolTip() == "Redo: add target lesion T01"
    hand.click("redo")
    assert list(room.state.lesions) == ["T01"]


def test_a_full_disk_is_red_until_it_is_saved(room: Room, hand: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    real = os.fsync

    def full(_handle: int) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(os, "fsync", full)
    hand.click("add_target")
    assert hand.find("saved").text() == "1 not saved"
    assert "No space left on device" in hand.find("trouble").text()
    hand.click("save_again")
    assert hand.find("trouble").isVisible()
    monkeypatch.setattr(os, "fsync", real)
    hand.click("save_again")
    assert room.session.unsaved == 0
    assert hand.find("saved").text().startswith("saved ")
    assert not hand.find("trouble").isVisible()


def test_a_proposal_is_taken_as_another_role_or_left(room: Room, hand: Any) -> None:
    import numpy as np
    from panel_reading import true_masks

    from mrecist.segment.prompt import Line

    whole = true_masks()[0, "T02"][0]
    z = int(np.argmax(whole.sum(axis=(1, 2))))
    rows, columns = np.nonzero(whole[z])
    middle = float(rows.mean())
    pending = room.ask(Line(start=(z, middle, float(columns.min())), end=(z, middle, float(columns.max()))))
    room.offer(pending)
    hand.settle()
    assert "whole" in hand.find("proposal_sizes").text()
    assert pending.proposal.notes[0] in hand.find("proposal_notes").text()
    hand.click("reject")
    assert room.pending is None
    assert not hand.find("accept").isVisible()
    room.offer(pending)
    hand.settle()
    hand.pick("proposal_role", "non-target")
    hand.click("accept")
    assert {n: f.role for n, f in room.state.lesions.items()} == {"NT01": Role.NON_TARGET}
    assert "graph cut from the long axis" in hand.find("origin").text()


def test_an_unknown_phase_asks_and_the_readers_eye_rules(room: Room, hand: Any) -> None:
    series = room.series
    assert series.phase.evidence[0] in hand.find(f"evidence_{series.uid}").text()
    put_visit(room, 0)
    room.do(StatePhase(series_uid=series.uid, phase=PhaseName.UNKNOWN))
    hand.settle()
    assert "phase not known" in hand.find(f"evidence_{series.uid}").text()
    assert any("the phase of" in p.what for p in room.open_points(0))
    hand.pick(f"phase_{series.uid}", "arterial (stated)")
    assert room.state.phases[series.uid] == PhaseName.ARTERIAL
    assert room.open_points(0) == ()
    assert "stated by R2" in hand.find(f"evidence_{series.uid}").text()


def test_masks_are_measured_elsewhere_and_the_panel_says_so(room: Room, qtbot: Any) -> None:
    from qtpy.QtWidgets import QApplication

    from mrecist_napari.panel import ReadingPanel

    waiting: list[tuple[Callable[[], Any], Callable[[Any], None]]] = []
    panel = ReadingPanel(room, do_later=lambda work, then, _what: waiting.append((work, then)))
    qtbot.addWidget(panel)
    waiting.clear()  # which segmenters are installed is found out later too
    put(room, 0, "T01")
    QApplication.processEvents()
    assert room.unmeasured() == ((0, "T01"),)
    assert panel.matrix.model.at(0, 0).text == "measuring…"
    assert panel.criteria.problem.text() == "measuring…"
    # What needs no voxels is shown at once.
    room.do(SetState(timepoint=0, lesion=room.add_lesion(Role.NON_TARGET), state=State.PRESENT))
    QApplication.processEvents()
    assert panel.matrix.model.at(1, 0).text == "present"
    work, then = waiting.pop()
    assert not waiting
    then(work())
    for _ in range(3):
        QApplication.processEvents()
    assert room.unmeasured() == ()
    assert "/" in panel.matrix.model.at(0, 0).text
    panel.stop()


def test_a_mask_that_cannot_be_measured_is_a_problem_in_words(room: Room, hand: Any) -> None:
    put(room, 0, "T01")
    mark = room.state.mark(0, "T01")
    assert mark is not None
    assert mark.mask is not None
    room.session.masks._read.cache_clear()
    (room.session.masks.folder / f"{mark.mask.whole}.mask").unlink()
    hand.settle()
    assert "draw the lesion again" in hand.find("problem").text()
    assert not hand.find("overall_mrecist").isVisible()


def test_the_panel_fits_420_pixels_and_long_words_wrap(room: Room, hand: Any) -> None:
    for timepoint in (0, 1):
        put_visit(room, timepoint)
    room.look_at(1)
    room.look_at_lesion("T01")
    hand.settle()
    inside = hand.panel.scroll.widget()
    assert inside.minimumSizeHint().width() <= hand.panel.scroll.viewport().width() <= 420
    reason = hand.find("reason_mrecist")
    assert reason.height() > 2 * reason.fontMetrics().height()
    assert hand.panel.width() == 420


@pytest.mark.parametrize(("back", "front", "dark"), [("#262930", "#f0f1f2", True), ("#ffffff", "#000000", False)])
def test_the_colours_follow_the_theme_of_the_window(room: Room, qtbot: Any, back: str, front: str, dark: bool) -> None:
    from qtpy.QtGui import QColor
    from qtpy.QtWidgets import QApplication, QVBoxLayout, QWidget

    from mrecist_napari.panel import ReadingPanel

    put_visit(room, 0)
    panel = ReadingPanel(room)
    window = QWidget()
    qtbot.addWidget(window)
    # As napari does it: a style sheet on the window that the panel is put in later.
    window.setStyleSheet(f"QWidget {{ background-color: {back}; color: {front}; }}")
    QVBoxLayout(window).addWidget(panel)
    window.show()
    for _ in range(4):
        QApplication.processEvents()
    for label in (panel.header.saved, panel.questions.new_words, panel.matrix.unit, panel.signing.said):
        if label.styleSheet():
            said = QColor(label.styleSheet().removeprefix("color: ").rstrip(";"))
            assert _contrast(said, QColor(back)) >= 4.5, label.objectName()
    assert panel.matrix.model.dark is dark
    panel.stop()


def _contrast(one: Any, other: Any) -> float:
    """Contrast of two colours (WCAG 2.2, 1.4.3)."""

    def light(colour: Any) -> float:
        parts = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in colour.getRgbF()[:3]]
        return float(0.2126 * parts[0] + 0.7152 * parts[1] + 0.0722 * parts[2])

    low, high = sorted((light(one), light(other)))
    return (high + 0.05) / (low + 0.05)


def test_a_phase_that_the_headers_are_not_sure_of_is_asked_for(room: Room, hand: Any) -> None:
    from dataclasses import replace

    series = room.series
    case = room.session._case
    unsure = replace(series, phase=replace(series.phase, confidence="low"))
    measuring = replace(case.protocol.measuring, phase_confidence="medium")
    room.session._case = replace(
        case,
        visits=tuple(replace(v, series=tuple(unsure if s == series else s for s in v.series)) for v in case.visits),
        protocol=replace(case.protocol, measuring=measuring),
    )
    room.look_at_series(unsure)
    hand.settle()
    assert "the protocol asks for medium" in hand.find(f"evidence_{series.uid}").text()
    assert hand.find(f"phase_{series.uid}").currentText() == "state the phase…"
    hand.pick(f"phase_{series.uid}", "arterial (stated)")
    assert "stated by R2" in hand.find(f"evidence_{series.uid}").text()
