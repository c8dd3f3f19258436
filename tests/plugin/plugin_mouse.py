"""Keys and drags in the canvas of the current visit, as Qt sends them."""

from __future__ import annotations

from time import sleep
from typing import Any

from settled import settle

Index3 = tuple[float, float, float]


def canvas(window: Any) -> Any:
    """The Qt widget of the current visit's canvas."""
    return window.viewer.window._qt_viewer.canvas.native


def press(window: Any, keys: str) -> None:
    """Press and release a key."""
    from qtpy.QtTest import QTest

    QTest.keyClick(canvas(window), *key_of(keys))
    settle(window)


def key_of(keys: str) -> tuple[Any, Any]:
    """Key and modifiers as Qt has them; a comma alone is none for QKeySequence."""
    from qtpy.QtCore import Qt
    from qtpy.QtGui import QKeySequence

    if keys == ",":
        return Qt.Key.Key_Comma, Qt.KeyboardModifier.NoModifier
    combination = QKeySequence(keys)[0]
    return combination.key(), combination.keyboardModifiers()


def drag(window: Any, start: Index3, end: Index3, button: str = "left", *, steps: int = 12, wait: bool = True) -> None:
    """Drag between two voxels; without ``wait`` the window may be busy before and after."""
    from qtpy.QtCore import Qt
    from qtpy.QtTest import QTest

    which = Qt.MouseButton.LeftButton if button == "left" else Qt.MouseButton.RightButton
    if wait:
        settle(window)
    widget = canvas(window)
    one, other = _screen(window, start), _screen(window, end)
    QTest.mousePress(widget, which, Qt.KeyboardModifier.NoModifier, one)
    for n in range(1, steps + 1):
        _move(widget, one + (other - one) * (n / steps), which)
    QTest.mouseRelease(widget, which, Qt.KeyboardModifier.NoModifier, other)
    if wait:
        settle(window)


def stroke(window: Any, points: list[Index3], modifiers: Any = None) -> None:
    """Press at the first voxel, move over the others, let go at the last; one voxel is a click."""
    from qtpy.QtCore import Qt
    from qtpy.QtTest import QTest

    settle(window)
    widget, held = canvas(window), modifiers or Qt.KeyboardModifier.NoModifier
    places = [_screen(window, point) for point in points]
    QTest.mousePress(widget, Qt.MouseButton.LeftButton, held, places[0])
    for place in places[1:]:
        _move(widget, place, Qt.MouseButton.LeftButton)
    QTest.mouseRelease(widget, Qt.MouseButton.LeftButton, held, places[-1])
    settle(window)


def _move(widget: Any, point: Any, which: Any) -> None:
    """QTest moves without a button held; a drag needs it."""
    from qtpy.QtCore import QEvent, QPointF, Qt
    from qtpy.QtGui import QMouseEvent
    from qtpy.QtWidgets import QApplication

    here = QPointF(point)
    there = QPointF(widget.mapToGlobal(point))
    event = QMouseEvent(QEvent.Type.MouseMove, here, there, which, which, Qt.KeyboardModifier.NoModifier)
    QApplication.sendEvent(widget, event)
    QApplication.processEvents()
    sleep(0.02)  # napari drops moves that follow one another too fast


def _screen(window: Any, index: Index3) -> Any:
    """Where a voxel is on the canvas widget."""
    from qtpy.QtCore import QPoint

    _, y, x = window.current.grid.to_world(index)
    camera = window.viewer.scene.camera
    _, middle_y, middle_x = camera.center
    widget = canvas(window)
    ratio = camera.zoom
    return QPoint(
        round(widget.width() / 2 + (x - middle_x) * ratio), round(widget.height() / 2 + (y - middle_y) * ratio)
    )
