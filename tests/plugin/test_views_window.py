"""A real window over series that lie as patients' series do. The tests share it and go on where the one before stopped."""

from __future__ import annotations

import gc
import weakref
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
from odd_series import BALL, BALL_HU, odd_study
from plugin_mouse import press
from settled import settle

from mrecist.errors import SeriesError
from mrecist.imaging.series import Series
from mrecist.imaging.volume import Volume
from mrecist.model import Role
from mrecist.session.room import open_room
from mrecist.session.volumes import Volumes

pytestmark = pytest.mark.filterwarnings("default")

UNREADABLE = ".50.7"  # the axial series of time point 2


class SomeBroken(Volumes):
    """Volumes of which one cannot be loaded."""

    def get(self, series: Series) -> Volume:
        if series.uid.endswith(UNREADABLE):
            raise SeriesError("0003.dcm: is truncated")
        return super().get(series)


@pytest.fixture(scope="module")
def odd(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    """The reading window at the baseline of the odd study."""
    from qtpy.QtWidgets import QApplication

    from mrecist_napari.reading_window import ReadingWindow

    QApplication.instance() or QApplication([])
    room = open_room(odd_study(tmp_path_factory.mktemp("odd")), "ODD-1", "R2")
    room.volumes = SomeBroken()
    opened = ReadingWindow(room)
    opened.viewer.window.resize(1200, 800)
    settle(opened)
    yield opened
    opened.close()
    opened.viewer.close()


def corner(viewer: Any) -> str:
    """What the corner of a picture says."""
    return str(viewer.canvas.overlays["said"].text)


def pointed_at(cut: Any) -> float:
    """The value in the gap of a reformat's crosshair: between its two arms down, and its two arms across, on the cut shown."""
    arms = cut.viewer.layers["crosshair"].data
    world = np.array(arms[0, 0])
    for first, axis in ((0, cut.cut.order[1]), (2, cut.cut.order[2])):
        world[axis] = (arms[first, 0, axis] + arms[first + 1, 0, axis]) / 2
    return float(cut.lattice.voxels[tuple(round(one) for one in cut.grid.to_index(tuple(world)))])


def test_reformats_show_the_point_that_is_clicked_in_all_three(odd: Any) -> None:
    from qtpy.QtCore import QPoint, Qt
    from qtpy.QtTest import QTest

    press(odd, "F7")
    assert [c.cut.name for c in odd.reformats.cuts] == ["coronal", "sagittal"]
    assert all(c.image().data is odd.current.image().data for c in odd.reformats.cuts)
    odd.current.go_to(BALL)
    widget = odd.viewer.window._qt_viewer.canvas.native
    camera = odd.viewer.scene.camera
    at = QPoint(
        round(widget.width() / 2 + (BALL[0] - camera.center[-1]) * camera.zoom),
        round(widget.height() / 2 + (BALL[1] - camera.center[-2]) * camera.zoom),
    )
    QTest.mouseClick(widget, Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier, at)
    settle(odd)
    assert np.allclose(odd.reformats.point, BALL, atol=2)
    assert [pointed_at(c) for c in odd.reformats.cuts] == [BALL_HU, BALL_HU]


def test_a_click_in_a_reformat_moves_the_current_picture(odd: Any) -> None:
    from qtpy.QtCore import Qt
    from qtpy.QtTest import QTest

    cut = odd.reformats.cuts[0]
    native = cut.widget.canvas.native
    middle = native.rect().center()
    QTest.mouseClick(native, Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier, middle)
    settle(odd)
    z, x = cut.viewer.scene.camera.center[-2:]
    assert odd.reformats.point[2] == pytest.approx(z, abs=2)
    assert odd.reformats.point[0] == pytest.approx(x, abs=2)
    assert odd.reformats.point[1] == pytest.approx(BALL[1], abs=2)
    assert odd.current.slice_index == round((z + 20) / 2.5)


def test_the_wheel_over_a_reformat_moves_the_crosshair(odd: Any) -> None:
    from qtpy.QtCore import QPoint, QPointF, Qt
    from qtpy.QtGui import QWheelEvent
    from qtpy.QtWidgets import QApplication

    cut = odd.reformats.cuts[1]
    native = cut.widget.canvas.native
    before, index = odd.reformats.point, cut.slice_index
    here = QPointF(native.rect().center())
    wheel = QWheelEvent(
        here,
        QPointF(native.mapToGlobal(native.rect().center())),
        QPoint(),
        QPoint(0, -120),
        Qt.MouseButton.NoButton,
        Qt.KeyboardModifier.NoModifier,
        Qt.ScrollPhase.NoScrollPhase,
        False,
    )
    QApplication.sendEvent(native, wheel)
    settle(odd)
    assert cut.slice_index == index + 1
    assert odd.reformats.point == pytest.approx((before[0] + 2.0, *before[1:]), abs=1.1)


def test_phases_windows_and_outlines_are_those_of_the_current_visit(odd: Any) -> None:
    press(odd, "F3")
    odd.current.go_to((BALL[0], BALL[1], 16.0))
    assert "portal venous" in corner(odd.reformats.cuts[0].viewer)
    press(odd, "W")
    limits = {tuple(c.image().contrast_limits) for c in odd.reformats.cuts}
    assert limits == {tuple(odd.current.image().contrast_limits)}
    press(odd, "F2")
    whole = np.zeros(odd.current.series.geometry.shape, dtype=bool)
    whole[3:5, 10:20, 12:30] = True
    from mrecist_napari.marks import MarkMask, Marks

    drawn = MarkMask(lesion="T01", whole=whole, viable=None, role=Role.TARGET)
    odd.current.drawing.draw(Marks(masks=(drawn,)))
    odd.reformats.masks_changed()
    settle(odd)
    assert all(np.array_equal(c.viewer.layers["whole"].data, whole) for c in odd.reformats.cuts)
    assert not any(c.viewer.layers["viable"].data.any() for c in odd.reformats.cuts)
    odd.redraw()
    settle(odd)
    assert not any(c.viewer.layers["whole"].data.any() for c in odd.reformats.cuts)


def test_every_layer_has_millimetres(odd: Any) -> None:
    """Trap 12, in the window."""
    viewers = [odd.viewer, odd.prior.model, *(c.viewer for c in odd.reformats.cuts)]
    assert {str(unit) for v in viewers for layer in v.layers for unit in layer.units} == {"millimeter"}


def test_a_tilted_series_is_resampled_in_the_reformats_only(odd: Any) -> None:
    odd.room.look_at(1)
    settle(odd)
    assert "gantry tilt: slices as acquired" in corner(odd.viewer)
    assert "not linked: axial, 15° to the current" in corner(odd.prior.model)
    assert corner(odd.prior.model).startswith("BASELINE")
    odd.reformats._go(BALL)
    assert all("resampled for display (gantry tilt)" in corner(c.viewer) for c in odd.reformats.cuts)
    assert [pointed_at(c) for c in odd.reformats.cuts] == pytest.approx([BALL_HU, BALL_HU], abs=1)


def test_closing_frees_what_the_reformats_held(odd: Any) -> None:
    held = [weakref.ref(one) for cut in odd.reformats.cuts for one in (cut.viewer, cut.widget)]
    press(odd, "F7")
    for _ in range(3):
        gc.collect()
        settle(odd)
    assert [one() for one in held] == [None] * 4
    assert "crosshair" not in odd.viewer.layers


def test_the_visit_beside_follows_in_mm_until_it_is_unlinked(odd: Any) -> None:
    press(odd, "F3")  # uneven slices beside the thick ones of the baseline
    odd.current.go_to_slice(5)  # at -1 mm
    assert odd.prior.pane.slice_index == 5  # at 0 mm
    odd.prior.model.scene.camera.zoom = 7.0
    assert odd.viewer.scene.camera.zoom == 7.0
    odd.current.go_to_slice(12)  # at 34 mm, 18 mm above the last
    assert "not covered here: nearest slice, 18 mm away" in corner(odd.prior.model)
    press(odd, "Shift+K")
    odd.prior.pane.go_to_slice(2)  # at -12 mm
    assert odd.current.slice_index == 12
    assert "not linked" in corner(odd.prior.model)
    odd.current.go_to_slice(2)  # at -14 mm
    press(odd, "K")
    assert odd.prior.offset_mm == pytest.approx(2.0)
    assert "offset +2.0 mm" in corner(odd.prior.model)
    odd.current.go_to_slice(7)  # at 9 mm
    assert odd.prior.pane.slice_index == round((9 + 2 + 20) / 4)
    odd.prior.pane.go_to_slice(0)  # at -20 mm
    assert odd.current.slice_index == 0


def test_another_visit_beside_leaves_the_current_one_alone(odd: Any) -> None:
    odd.room.look_at(2)
    settle(odd)
    shown = odd.current.image()
    assert corner(odd.prior.model).startswith("PRIOR  time point 1")
    press(odd, "F5")
    assert corner(odd.prior.model).startswith("BASELINE")
    assert odd.current.image() is shown
    press(odd, "F6")
    assert odd.viewer.canvas.overlays["told"].text.startswith("the nadir is not known")


def test_a_series_that_cannot_be_loaded_is_a_line_in_its_place(odd: Any) -> None:
    said = corner(odd.viewer)
    assert "portal venous: cannot be loaded: 0003.dcm: is truncated" in said.replace("\n", " ")
    assert "loading" not in said
    press(odd, "F3")
    assert "0003.dcm: is truncated" in odd.viewer.canvas.overlays["told"].text.replace("\n", " ")
    assert odd.current.series.phase.name == "ARTERIAL"
