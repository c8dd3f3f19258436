"""Hands on the canvas of a real window: brush, eraser, outlines, a click. The tests share it and go on where the one before stopped."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from plugin_mouse import Index3, _move, canvas, drag, press, stroke
from settled import settle
from test_on_screen import true_axis

from mrecist.measure.lesion import measure_lesion
from mrecist.session.editing import Part, brush

pytestmark = pytest.mark.filterwarnings("default")


def told(window: Any) -> str:
    """The foot of the picture."""
    return " ".join(window.viewer.canvas.overlays["told"].text.split())


def shown(window: Any, name: str = "whole") -> np.ndarray:
    """What is outlined of the whole lesion or of its viable part."""
    parts = [getattr(mask, name) for mask in window.current.drawing.masks]
    assert len(window.viewer.layers[f"{name} outlines"].data)
    return np.logical_or.reduce([part for part in parts if part is not None])


def callouts(window: Any) -> list[str]:
    return list(window.viewer.layers["callouts"].features["label"])


def ring(at: Index3, radius: float) -> list[Index3]:
    z, y, x = at
    return [(z, y + radius * np.sin(t), x + radius * np.cos(t)) for t in np.linspace(0, 6.2, 40)]


def test_without_a_lesion_there_is_nothing_to_paint(window: Any) -> None:
    press(window, "B")
    assert "no lesion is chosen" in told(window)
    assert not window.painting.on


def test_a_stroke_paints_its_millimetres_and_the_numbers_are_those_of_the_core(window: Any) -> None:
    start, end = true_axis()
    window.current.centre_on(start)
    press(window, "N")
    drag(window, start, end)
    before = window.room.pending.proposal
    press(window, "B")
    press(window, "]")
    press(window, "[")
    assert "brush 10 mm whole lesion" in told(window)
    way = [start, (start[0], start[1] - 5, start[2] - 4), (start[0], start[1] - 8, start[2])]
    stroke(window, way)
    after = window.room.pending.proposal
    geometry = after.series.geometry
    meant = np.zeros(geometry.shape, dtype=bool)
    patch = brush(way, 10, geometry)
    meant[patch.box] = patch.inside
    painted = after.whole & ~before.whole
    assert np.array_equal(after.viable, before.viable)
    # The mouse goes in whole pixels of the screen: the rim of the way may differ by a voxel.
    assert (painted ^ (meant & ~before.whole)).sum() < 0.15 * meant.sum()
    assert set(np.flatnonzero(painted.any(axis=(1, 2)))) == {start[0]}
    assert after.measurement == measure_lesion(after.whole, geometry, after.viable)
    assert f"? new whole {after.measurement.longest.mm:.1f} mm" in callouts(window)
    assert f"whole {after.measurement.longest.mm:.1f} mm" in told(window)
    assert np.array_equal(shown(window), after.whole)
    assert np.array_equal(shown(window, "viable"), after.viable)
    assert window.room.session.log == ()


def test_a_second_stroke_and_the_eraser_show_what_they_leave(window: Any) -> None:
    start, end = true_axis()
    stroke(window, [end, (end[0], end[1] + 4, end[2])])
    assert np.array_equal(shown(window), window.room.pending.proposal.whole)
    press(window, "E")
    press(window, "V")
    before = window.room.pending.proposal
    stroke(window, [start, (start[0], start[1] + 3, start[2])])
    after = window.room.pending.proposal
    assert np.array_equal(after.whole, before.whole)
    assert (before.viable & ~after.viable).sum() > 10
    assert np.array_equal(shown(window, "viable"), after.viable)
    press(window, "V")
    assert window.painting.part is Part.WHOLE


def test_with_shift_a_ball(window: Any) -> None:
    from qtpy.QtCore import Qt

    start, _ = true_axis()
    for _ in range(3):
        press(window, "]")
    before = window.room.pending.proposal.whole
    stroke(window, [start], Qt.KeyboardModifier.ShiftModifier)
    after = window.room.pending.proposal
    gone = before & ~after.whole
    assert len(np.flatnonzero(gone.any(axis=(1, 2)))) >= 3
    assert after.provenance.edits[-1].kind == "ball eraser"
    for _ in range(3):
        press(window, "[")


def test_strokes_go_back_and_come_again_by_keys(window: Any) -> None:
    wholes = [window.room.pending.proposal.whole]
    for _ in range(4):
        press(window, "Ctrl+Z")
        wholes.append(window.room.pending.proposal.whole)
        assert np.array_equal(shown(window), wholes[-1])
    assert window.room.pending.proposal.provenance.edits == ()
    for whole in reversed(wholes[:-1]):
        press(window, "Ctrl+Shift+Z")
        assert np.array_equal(window.room.pending.proposal.whole, whole)
    assert window.room.session.log == ()


def test_a_right_drag_windows_and_the_wheel_scrolls_while_the_brush_is_in_the_hand(window: Any) -> None:
    """Trap 2."""
    from qtpy.QtCore import QPoint, QPointF, Qt
    from qtpy.QtGui import QWheelEvent
    from qtpy.QtWidgets import QApplication

    start, _ = true_axis()
    press(window, "B")
    proposal, grey, at = window.room.pending.proposal, window.current.window, window.current.slice_index
    drag(window, start, (start[0], start[1], start[2] + 20), button="right")
    assert window.current.window.width > grey.width
    window.current.set_window(grey)
    widget = canvas(window)
    middle = QPointF(widget.rect().center())
    turn = QWheelEvent(
        middle,
        QPointF(widget.mapToGlobal(middle.toPoint())),
        QPoint(0, 0),
        QPoint(0, -120),
        Qt.MouseButton.NoButton,
        Qt.KeyboardModifier.NoModifier,
        Qt.ScrollPhase.NoScrollPhase,
        False,
    )
    QApplication.sendEvent(widget, turn)
    settle(window)
    assert window.current.slice_index == at + 1
    window.current.go_to_slice(at)
    assert window.room.pending.proposal is proposal


def test_our_keys_win_over_those_of_a_selected_layer(window: Any) -> None:
    """Trap 3: E is the eraser of a labels layer too."""
    layer = window.viewer.add_labels(
        np.zeros(window.viewer.layers[0].data.shape, dtype=np.uint8), **window.current.place(window.current.series)
    )
    window.viewer.layers.selection.active = layer
    press(window, "E")
    assert "eraser 10 mm" in told(window)
    assert layer.mode == "pan_zoom"
    window.viewer.layers.remove(layer)


def test_the_circle_has_the_size_of_the_brush(window: Any) -> None:
    from qtpy.QtCore import Qt

    widget = canvas(window)
    _move(widget, widget.rect().center(), Qt.MouseButton.NoButton)
    settle(window)
    (y, x), mm, _ = window.painting.pencil.circle
    assert mm == window.painting.size_mm == 10
    _, middle_y, middle_x = window.viewer.scene.camera.center
    assert np.allclose((y, x), (middle_y, middle_x), atol=2 / window.viewer.scene.camera.zoom)
    assert window.painting.pencil.size() == widget.size()


def test_a_stroke_on_another_phase_goes_to_the_masks_own_and_paints_nothing(window: Any) -> None:
    start, _ = true_axis()
    press(window, "F3")
    proposal = window.room.pending.proposal
    stroke(window, [start, (start[0], start[1] + 3, start[2])])
    assert window.current.series.phase.name == "ARTERIAL"
    assert "nothing was painted" in told(window)
    assert window.room.pending.proposal is proposal


def test_return_accepts_and_the_accepted_mask_is_mended(window: Any) -> None:
    start, _ = true_axis()
    press(window, "Return")
    assert not window.painting.on
    kept = window.room.state.mark(0, "T01").mask
    assert len(kept.provenance.edits) == 4
    press(window, "B")
    stroke(window, [(start[0], start[1] - 6, start[2]), (start[0], start[1] - 10, start[2])])
    assert window.room.pending.lesion == "T01"
    assert window.room.state.mark(0, "T01").mask == kept
    assert np.array_equal(shown(window), window.room.pending.proposal.whole)
    press(window, "Esc")
    press(window, "Esc")
    assert "throws away" in told(window)
    assert window.room.pending is not None
    press(window, "Esc")
    assert window.room.pending is None
    assert window.room.state.mark(0, "T01").mask == kept


def test_a_new_lesion_by_outlines_and_what_lies_between(window: Any) -> None:
    at = (3.0, 50.0, 110.0)
    window.current.centre_on(at)
    press(window, "Shift+C")
    stroke(window, ring(at, 12))
    window.current.go_to_slice(6)
    settle(window)
    stroke(window, ring((6.0, 50.0, 110.0), 8))
    press(window, "I")
    assert "filled slices 5 to 6" in told(window)
    whole = window.room.pending.proposal.whole
    assert [z for z in range(len(whole)) if whole[z].any()] == [3, 4, 5, 6]
    radii = [float(np.sqrt(whole[z].sum() / np.pi)) for z in range(3, 7)]
    # Discs of 12 and 8 pixels: between them 12 - 4/3 and 12 - 8/3.
    assert radii == pytest.approx([12, 10.67, 9.33, 8], abs=0.6)
    assert np.array_equal(shown(window) & whole, whole)
    press(window, "Return")
    assert window.room.state.mark(0, "T02").mask.provenance.method == "by hand"


def test_a_click_proposes_and_the_end_of_its_line_is_dragged(window: Any) -> None:
    start, end = true_axis()
    middle = (start[0], (start[1] + end[1]) / 2, (start[2] + end[2]) / 2)
    window.current.centre_on(middle)
    press(window, "J")
    stroke(window, [(start[0], 2.0, 2.0)])
    assert "nothing at the click" in told(window)
    assert window.room.pending is None
    press(window, "J")
    stroke(window, [middle])
    guessed = window.room.pending.asked.line
    assert len(window.viewer.layers["growing"].data)
    to = (guessed.end[0], guessed.end[1] + 3, guessed.end[2] + 2)
    stroke(window, [guessed.end, to])
    line = window.room.pending.asked.line
    assert np.allclose(line.start, guessed.start)
    assert np.allclose(line.end, to, atol=1)
    assert [next(iter(prompt)) for prompt in window.room.pending.proposal.provenance.prompts] == ["click", "line"]
    press(window, "Esc")
    assert window.room.pending is None
    assert not len(window.viewer.layers["growing"].data)
