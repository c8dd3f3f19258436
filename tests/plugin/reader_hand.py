"""A reader's hand on a whole window: wheel, keys and drags on the picture, clicks and words in the panel, each of them counted.

Keys go to whatever has the keyboard at that moment and a click must hit what is on the screen there, as for a person.
"""

from __future__ import annotations

from collections import Counter
from typing import Any

from plugin_mouse import Index3, canvas, drag, key_of
from settled import settle


class ReaderHand:
    """The hand of one reading window. ``counts`` are drags, clicks, keys, letters typed and notches of the wheel."""

    def __init__(self, window: Any) -> None:
        self.window = window
        self.counts: Counter[str] = Counter()
        _activate(window)
        canvas(window).setFocus()

    def take_counts(self) -> Counter[str]:
        """What was counted since the last time."""
        counts, self.counts = self.counts, Counter()
        return counts

    # --- on the picture --------------------------------------------------------------------------------------------

    def key(self, keys: str) -> None:
        """Press and release a key, where the keyboard is."""
        from qtpy.QtTest import QTest

        QTest.keyClick(self._keyboard(), *key_of(keys))
        self.counts["keys"] += 1
        settle(self.window)

    def scroll_to(self, z: float) -> None:
        """Turn the wheel over the picture until a slice is shown."""
        for _ in range(self.window.current.slices):
            away = round(z) - self.window.current.slice_index
            if away == 0:
                return
            self._notch(towards_reader=away > 0)
        raise AssertionError(f"slice {z} is not reached")

    def draw(self, keys: str, start: Index3, end: Index3) -> None:
        """Go to the slice, ask for a line, and drag it."""
        self.scroll_to(start[0])
        self.key(keys)
        drag(self.window, start, end, steps=4)
        self.counts["drags"] += 1

    def _notch(self, *, towards_reader: bool) -> None:
        from qtpy.QtCore import QPoint, QPointF, Qt
        from qtpy.QtGui import QWheelEvent
        from qtpy.QtWidgets import QApplication

        widget = canvas(self.window)
        here = QPointF(widget.width() / 2, widget.height() / 2)
        turn = QPoint(0, -120 if towards_reader else 120)
        none = Qt.MouseButton.NoButton, Qt.KeyboardModifier.NoModifier, Qt.ScrollPhase.NoScrollPhase
        event = QWheelEvent(here, QPointF(widget.mapToGlobal(here)), QPoint(), turn, *none, False)
        QApplication.sendEvent(widget, event)
        QApplication.processEvents()
        self.counts["notches"] += 1

    # --- in the panel ----------------------------------------------------------------------------------------------

    def find(self, name: str) -> Any:
        """The widget of that name."""
        from qtpy.QtWidgets import QWidget

        found = [w for w in self.window.panel.findChildren(QWidget, name) if w.isVisible()]
        assert len(found) == 1, f"{name}: {len(found)} widgets are shown"
        return found[0]

    def click(self, name: str) -> None:
        """A click on the widget, brought into sight first."""
        self._press(self.find(name))

    def choose_lesion(self, lesion: str) -> None:
        """A click on the lesion's name in the table."""
        table = self.window.panel.matrix.table
        head = table.verticalHeader()
        row = self.window.panel.matrix.model.lesions.index(lesion)
        self._press(head.viewport(), head.sectionViewportPosition(row) + head.sectionSize(row) // 2)

    def type(self, name: str, words: str) -> None:
        """Other words in a line of text that the keyboard is in, or that is clicked first."""
        from qtpy.QtTest import QTest

        widget = self.find(name)
        if not widget.hasFocus():
            self._press(widget)
        widget.selectAll()
        QTest.keyClicks(self._keyboard(), words)
        self.counts["letters"] += len(words)
        settle(self.window)

    def _press(self, widget: Any, y: int | None = None) -> None:
        from qtpy.QtCore import QPoint, Qt
        from qtpy.QtTest import QTest
        from qtpy.QtWidgets import QApplication

        point = QPoint(widget.width() // 2, widget.height() // 2 if y is None else y)
        for _ in range(20):  # the panel may still be finding its layout
            settle(self.window)
            self._bring_into_sight(widget, point)
            there = QApplication.widgetAt(widget.mapToGlobal(point))
            if there is not None and (there is widget or widget.isAncestorOf(there)):
                break
        else:
            raise AssertionError(f"{widget.objectName()}: {there} is there")
        QTest.mouseClick(there, Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier, there.mapFrom(widget, point))
        self.counts["clicks"] += 1
        settle(self.window)

    def _bring_into_sight(self, widget: Any, point: Any) -> None:
        scroll = self.window.panel.scroll
        if scroll.widget().isAncestorOf(widget):
            inside = widget.mapTo(scroll.widget(), point)
            scroll.ensureVisible(inside.x(), inside.y(), 0, 30)
            settle(self.window)

    def _keyboard(self) -> Any:
        from qtpy.QtWidgets import QApplication

        return QApplication.focusWidget() or canvas(self.window)


def _activate(window: Any) -> None:
    """Keys of a window that is not the active one go nowhere."""
    from qtpy.QtTest import QTest

    main = window.prior.main
    main.activateWindow()
    assert QTest.qWaitForWindowActive(main, 10000)
