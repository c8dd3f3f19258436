"""Ends that are dragged, calipers, regions, and both panes, in a real window. The tests share it and go on one after the other."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from plugin_mouse import canvas, drag, press, stroke
from settled import settle
from test_on_screen import true_axis

from mrecist.model import Kind, Role
from mrecist.segment.prompt import Line
from mrecist.session.actions import AnswerAdequate, ChangeLesion, SetLine
from mrecist.session.state import ManualLine
from mrecist.units import round_size

pytestmark = pytest.mark.filterwarnings("default")


def drawn_line(window: Any, size: str, lesion: str = "T01") -> Any:
    return next(one for one in window.current.drawing.lines if (one.lesion, one.size) == (lesion, size))


def told(window: Any) -> str:
    return " ".join(window.viewer.canvas.overlays["told"].text.split())


def offer_true_axis(window: Any, lesion: str = "") -> None:
    start, end = true_axis()
    window.room.offer(window.room.ask(Line(start=start, end=end), lesion=lesion, role=None if lesion else Role.TARGET))
    settle(window)


def test_the_ends_of_a_proposal_wait_for_it(window: Any) -> None:
    window.current.centre_on(true_axis()[0])
    offer_true_axis(window)
    line = drawn_line(window, "longest_mm", "new")
    z, y, x = line.ends[0]
    drag(window, (z, y, x), (z, y - 5, x - 5))
    assert "accept the proposal first" in told(window)
    assert drawn_line(window, "longest_mm", "new").ends == line.ends
    window.room.accept()
    window.room.look_at_lesion("T01")
    settle(window)


def test_a_dragged_end_is_a_line_by_hand(window: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    line = drawn_line(window, "longest_mm")
    measured = window.room.live().row(0, "T01").longest_mm
    z, y, x = line.ends[1]
    said: list[str] = []
    grow = window.current.drawing.grow

    def listen(start: Any, end: Any, text: str, colour: str) -> None:
        grow(start, end, text, colour)
        said.append(list(window.viewer.layers["growing words"].features["label"])[-1])

    monkeypatch.setattr(window.current.drawing, "grow", listen)
    far = z, y + 0.3 * (y - line.ends[0][1]), x + 0.3 * (x - line.ends[0][2])
    drag(window, (z, y, x), far)
    manual = window.room.state.mark(0, "T01").lines["longest_mm"]
    assert manual.slice_index == z
    assert manual.ends[0] == line.ends[0][1:]
    assert np.allclose(manual.ends[1], far[1:], atol=0.5)
    (row, column), (row_2, column_2) = manual.ends
    mm = float(np.hypot((row_2 - row) * 1.5, (column_2 - column) * 1.5))  # the sample has pixels of 1.5 mm
    row_of = window.room.live().row(0, "T01")
    assert row_of.manual == ("longest_mm",)
    assert row_of.longest_mm == round_size(mm, window.room.case.protocol.measuring.round_mm) != measured
    assert f"T01 whole {mm:.1f} mm (by hand)" in list(window.viewer.layers["callouts"].features["label"])
    assert len(set(said)) > 3  # live while it was dragged
    assert said[-1] == f"T01 whole {mm:.1f} mm (by hand)"
    assert "outside the outline" in told(window)
    assert not len(window.viewer.layers["growing"].data)


def test_undo_takes_it_back_and_shift_u_too(window: Any) -> None:
    assert window.room.state.mark(0, "T01").lines
    press(window, "Ctrl+Z")
    assert not window.room.state.mark(0, "T01").lines
    press(window, "Ctrl+Shift+Z")
    assert window.room.state.mark(0, "T01").lines
    press(window, "Shift+U")
    assert not window.room.state.mark(0, "T01").lines
    assert not drawn_line(window, "longest_mm").manual
    press(window, "Shift+U")
    assert "no diameter set by hand" in told(window)


def test_the_viable_line_is_told_where_it_leaves_the_viable_part(window: Any) -> None:
    from qtpy.QtCore import Qt

    z, y, x = drawn_line(window, "viable_mm").ends[1]
    stroke(window, [(z, y, x), (z, -4, x)], Qt.KeyboardModifier.ShiftModifier)
    assert set(window.room.state.mark(0, "T01").lines) == {"viable_mm"}
    assert "beyond the image" in told(window)
    press(window, "Ctrl+Z")


def test_where_two_lines_end_at_one_place_shift_takes_the_viable_one(window: Any) -> None:
    whole = drawn_line(window, "longest_mm")
    (z, *one), (_, *other) = whole.ends
    shorter = (one[0] + other[0]) / 2, (one[1] + other[1]) / 2
    line = ManualLine(slice_index=int(z), ends=((one[0], one[1]), shorter))
    window.room.do(SetLine(timepoint=0, lesion="T01", size="viable_mm", line=line))
    settle(window)
    viable = drawn_line(window, "viable_mm")
    at = window.current.grid.to_world(whole.ends[0])
    assert window.measuring.ends.near(at) == (whole, 0)
    assert window.measuring.ends.near(at, beneath=True) == (viable, 0)
    press(window, "Ctrl+Z")


def test_a_click_on_an_end_moves_nothing(window: Any) -> None:
    z, y, x = drawn_line(window, "longest_mm").ends[0]
    before = window.room.state
    from plugin_mouse import _screen
    from qtpy.QtCore import Qt
    from qtpy.QtTest import QTest

    QTest.mouseClick(
        canvas(window), Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier, _screen(window, (z, y, x))
    )
    settle(window)
    assert window.room.state is before


def test_the_mouse_points_over_an_end_only(window: Any) -> None:
    from plugin_mouse import _move, _screen
    from qtpy.QtCore import Qt

    z, y, x = drawn_line(window, "longest_mm").ends[0]
    for index, style in (((z, y, x), "pointing"), ((z, y - 20, x), "standard")):
        _move(canvas(window), _screen(window, index), Qt.MouseButton.NoButton)
        settle(window)
        assert window.viewer.cursor.style == style


def test_a_drag_elsewhere_pans(window: Any) -> None:
    before, state = tuple(window.viewer.scene.camera.center), window.room.state
    z, y, x = drawn_line(window, "longest_mm").ends[0]
    drag(window, (z, y + 40, x), (z, y + 60, x))
    assert tuple(window.viewer.scene.camera.center) != before
    assert window.room.state is state
    window.room.look_at_lesion("T01")


def test_on_another_slice_no_end_is_there(window: Any) -> None:
    z, y, x = drawn_line(window, "longest_mm").ends[0]
    _, row, column = window.current.grid.to_world((z, y, x))
    assert window.measuring.ends.near((0, row, column)) is not None
    window.step(1)
    assert window.measuring.ends.near((0, row, column)) is None
    window.step(-1)


def test_the_short_axis_of_a_node_is_dragged_too(window: Any) -> None:
    window.room.do(ChangeLesion(lesion="T01", role=Role.TARGET, kind=Kind.NODE, organ="lymph node"))
    settle(window)
    drawn = window.room.drawn(0, "T01")
    line = drawn_line(window, "short_mm")
    assert line.text == f"T01 short {drawn.measurement.short.mm:.1f} mm"
    assert np.allclose([end[1:] for end in line.ends], drawn.measurement.short.ends_index)
    z, y, x = line.ends[0]
    drag(window, (z, y, x), (z, y + 3, x + 3))
    assert window.room.live().row(0, "T01").manual == ("short_mm",)
    press(window, "Ctrl+Z")
    press(window, "Ctrl+Z")
    assert window.room.state.lesions["T01"].kind is Kind.LESION


def test_calipers_are_kept_moved_and_cleared_and_never_in_the_read(window: Any) -> None:
    z, state = float(window.current.slice_index), window.room.state
    for start, end in (((z, 20, 20), (z, 60, 50)), ((z, 30, 100), (z, 30, 140))):
        press(window, "M")
        drag(window, start, end)
    calipers = [one for one in window.current.drawing.lines if one.size == "caliper"]
    assert len(calipers) == 2
    assert np.allclose(calipers[0].ends, ((z, 20, 20), (z, 60, 50)), atol=0.5)
    for one in calipers:
        (_, row, column), (_, row_2, column_2) = one.ends
        assert one.text == f"{np.hypot((row_2 - row) * 1.5, (column_2 - column) * 1.5):.1f} mm"
    drag(window, calipers[0].ends[1], (z, 20, 70))
    moved = next(one for one in window.current.drawing.lines if one.lesion == calipers[0].lesion)
    assert moved.text == pytest.approx("75.0 mm", abs=0) or abs(float(moved.text.split()[0]) - 75) < 1
    press(window, "Escape")
    assert not any(one.size == "caliper" for one in window.current.drawing.lines)
    assert window.room.state is state


def test_a_region_has_the_values_of_its_pixels_on_every_phase(window: Any) -> None:
    z = float(window.current.slice_index)
    press(window, "Shift+M")
    drag(window, (z, 60, 60), (z, 84, 90))
    settle(window)
    (region,) = window.current.drawing._marks.regions
    (_, row, column), (_, row_2, column_2) = region.corners
    y, x = np.mgrid[:160, :220]
    inside = ((y - (row + row_2) / 2) / ((row_2 - row) / 2)) ** 2 + (
        (x - (column + column_2) / 2) / ((column_2 - column) / 2)
    ) ** 2 <= 1
    series = [window.current.series, *(s for s in window.room.visit.series if s != window.current.series)]
    for one, said in zip(series, region.rows, strict=False):
        values = window.room.volumes.get(one).voxels[int(z)][inside].astype(float)
        expected = (
            f"mean {np.mean(values):.1f} HU  SD {np.std(values):.1f}  min {values.min():.1f}  max {values.max():.1f}"
        )
        assert said == f"{one.phase.name.lower()}  {expected}"
    assert region.rows[-1] == f"{inside.sum() * 1.5 * 1.5:.0f} mm²  {inside.sum()} pixels"
    assert len(region.rows) == len(series) + 1
    assert set(region.rows) <= set(window.viewer.layers["callouts"].features["label"])
    press(window, "Escape")
    assert not window.current.drawing._marks.regions


def test_a_signed_visit_refuses_in_one_line(window: Any) -> None:
    window.room.do(AnswerAdequate(timepoint=0, answer=True))
    window.room.sign("R2", write=False)
    settle(window)
    state, line = window.room.state, drawn_line(window, "longest_mm")
    z, y, x = line.ends[0]
    drag(window, (z, y, x), (z, y - 8, x))
    assert window.room.state is state
    assert "was signed by R2" in told(window)


def test_the_visit_before_shows_both_outlines_lines_and_words_as_the_core_measures(window: Any) -> None:
    """The canvas itself is looked at: the second one once drew nothing over the first outline."""
    press(window, "M")
    drag(window, (5, 20, 20), (5, 60, 50))
    window.room.look_at(1)
    settle(window)
    assert not any(one.size == "caliper" for one in window.current.drawing.lines)  # of the visit that was left
    window.room.look_at_lesion("T01")
    settle(window)
    measured = window.room.drawn(0, "T01").measurement
    pane = window.prior.pane
    assert pane.slice_index == measured.longest.slice_index
    layers = pane.viewer.layers
    for size, diameter in (("longest_mm", measured.longest), ("viable_mm", measured.viable)):
        line = next(one for one in pane.drawing.lines if one.size == size)
        assert np.allclose([end[1:] for end in line.ends], diameter.ends_index)
        assert {end[0] for end in line.ends} == {diameter.slice_index}
        at = list(layers["diameters"].features["size"]).index(size)
        begin, way = layers["diameters"].data[at]
        world = [layers["diameters"].data_to_world(point) for point in (begin, begin + way)]
        assert np.allclose([pane.grid.to_index(tuple(point)) for point in world], line.ends)
        word = "whole" if size == "longest_mm" else "viable"
        assert f"T01 {word} {diameter.mm:.1f} mm" in list(layers["callouts"].features["label"])
    for _ in range(3):
        settle(window)
        picture = window.prior.widget.canvas.native.grabFramebuffer()
    pixels = np.frombuffer(picture.convertToFormat(picture.Format.Format_RGB888).constBits(), np.uint8)
    pixels = pixels.reshape(picture.height(), -1)[:, : 3 * picture.width()].reshape(
        picture.height(), picture.width(), 3
    )
    for colour in ((0x3F, 0xA7, 0xFF), (0xFF, 0xD2, 0x3F)):
        assert (np.abs(pixels.astype(int) - colour).max(axis=-1) < 12).sum() > 100
