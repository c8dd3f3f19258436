"""A real window that is dragged in and typed into. The tests share it and go on where the one before stopped."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from plugin_mouse import drag, press

from mrecist.imaging.masks import read_segmentation
from mrecist.measure.lesion import measure_lesion
from mrecist.samples.build import sample_study_path
from mrecist.study import open_study

pytestmark = pytest.mark.filterwarnings("default")


def true_axis() -> tuple[tuple[float, float, float], tuple[float, float, float]]:
    """The long axis of T01 at baseline, from the sample's segmentation."""
    subject = next(s for s in open_study(sample_study_path()).subjects if s.subject == "SAMPLE-01")
    for segmentation in subject.segmentations:
        for mask in read_segmentation(segmentation.path, subject.series).masks:
            if mask.lesion == "T01" and subject.timepoints[mask.series_uid] == 0:
                longest = measure_lesion(mask.whole, mask.geometry).longest
                one, other = longest.ends_index
                return (longest.slice_index, *one), (longest.slice_index, *other)
    raise AssertionError("the sample has no T01")


def test_napari_lists_step_aside_and_come_back(window: Any) -> None:
    from mrecist_napari.layout import lists_shown

    assert not lists_shown(window.prior.main)
    press(window, "F9")
    assert lists_shown(window.prior.main)
    press(window, "F9")
    assert not lists_shown(window.prior.main)


def test_phase_keys_and_flick(window: Any) -> None:
    press(window, "F3")
    assert window.current.series.phase.name == "PORTAL VENOUS"
    press(window, "F2")
    assert window.current.series.phase.name == "ARTERIAL"
    back = window.flick()
    assert window.current.series.phase.name == "PORTAL VENOUS"
    back()
    assert window.current.series.phase.name == "ARTERIAL"


def test_a_right_drag_windows_and_paints_nothing(window: Any) -> None:
    """Trap 2: in a labels layer in paint mode."""
    layer = window.viewer.add_labels(
        np.zeros(window.viewer.layers[0].data.shape, dtype=np.uint8),
        name="drawn",
        **window.current.place(window.current.series),
    )
    window.viewer.layers.selection.active = layer
    layer.mode, layer.selected_label = "paint", 1
    before = window.current.window
    drag(window, (5, 60, 60), (5, 60, 110), button="right")
    assert window.current.window.width > before.width
    assert not layer.data.any()
    assert layer.mode == "paint"
    window.viewer.layers.remove(layer)
    window.current.set_window(before)


def test_a_drag_is_a_proposal_whose_numbers_are_those_of_the_core(window: Any) -> None:
    start, end = true_axis()
    window.current.centre_on(start)
    press(window, "N")
    drag(window, start, end)
    pending = window.room.pending
    assert pending is not None
    asked = pending.asked.line
    assert np.allclose((asked.start, asked.end), (start, end), atol=1.5)
    press(window, "Return")
    assert list(window.room.state.lesions) == ["T01"]
    drawn = window.room.drawn(0, "T01")
    measured = measure_lesion(drawn.mask.whole, drawn.mask.geometry, drawn.mask.viable).longest
    lines = window.viewer.layers["diameters"]
    start, way = lines.data[list(lines.features["size"]).index("longest_mm")]
    shown = [window.current.grid.to_index(lines.data_to_world(point)) for point in (start, start + way)]
    assert np.allclose(shown, [(measured.slice_index, *end) for end in measured.ends_index], atol=1e-4)
    assert f"T01 whole {measured.mm:.1f} mm" in list(window.viewer.layers["callouts"].features["label"])


def test_undo_and_redo_by_keys(window: Any) -> None:
    press(window, "Ctrl+Z")
    assert window.room.state.mark(0, "T01") is None
    press(window, "Ctrl+Shift+Z")
    assert window.room.state.mark(0, "T01") is not None


def test_what_cannot_be_is_one_line_on_the_picture(window: Any) -> None:
    press(window, "Return")
    assert window.viewer.canvas.overlays["told"].text.startswith("there is no proposal to accept")


def test_closing_asks_only_when_something_would_be_lost(window: Any) -> None:
    from qtpy.QtGui import QCloseEvent

    asked: list[str] = []
    window.closing.ask = lambda what: bool(asked.append(what))
    assert window.would_be_lost() == ""
    window.room.session.trouble = "journal.jsonl: not saved (No space left on device)"
    window.room.session._unsaved.append(("", "", None))
    try:
        assert window.closing.eventFilter(None, QCloseEvent())
    finally:
        window.room.session.trouble = ""
        window.room.session._unsaved.clear()
    assert "1 actions are not saved" in asked[0]
