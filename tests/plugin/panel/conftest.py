"""The panel over the sample's first subject. Widgets alone need no display; Qt has an offscreen platform for that."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parents[3]
sys.path.insert(0, str(ROOT / "plugins"))
if not os.environ.get("DISPLAY"):
    os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")

from mrecist.session.room import Room  # noqa: E402

STUDY = ROOT / "sample_data" / "study"


@pytest.fixture
def panel(room: Room, qtbot: Any) -> Iterator[Any]:
    """The panel on a screen, 420 pixels wide."""
    from qtpy.QtWidgets import QApplication

    from mrecist_napari.panel import ReadingPanel

    made = ReadingPanel(room)
    qtbot.addWidget(made)
    made.resize(420, 900)
    made.show()
    if QApplication.platformName() != "offscreen":
        with qtbot.waitActive(made):
            made.activateWindow()  # keys of a window that is not the active one go nowhere
    yield made
    made.stop()


@pytest.fixture
def hand(panel: Any, qtbot: Any) -> Hand:
    """Clicks and types in the panel."""
    return Hand(panel, qtbot)


class Hand:
    """A reader's hand: it finds a widget by its name, clicks and types, and waits until the panel shows what came of it."""

    def __init__(self, panel: Any, qtbot: Any) -> None:
        self.panel = panel
        self.qtbot = qtbot

    def find(self, name: str) -> Any:
        """The widget of that name."""
        from qtpy.QtWidgets import QWidget

        found = self.panel.findChildren(QWidget, name)
        assert len(found) == 1, f"{name}: {len(found)} widgets"
        return found[0]

    def click(self, name: str) -> None:
        """A click with the left button."""
        from qtpy.QtCore import Qt

        widget = self.find(name)
        assert widget.isVisible(), f"{name} is not shown"
        self.qtbot.mouseClick(widget, Qt.MouseButton.LeftButton)
        self.settle()

    def type(self, name: str, words: str) -> None:
        """Other words in a line of text, ended by Return."""
        from qtpy.QtCore import Qt

        widget = self.find(name)
        assert widget.isVisible(), f"{name} is not shown"
        widget.setFocus()
        widget.selectAll()
        self.qtbot.keyClick(widget, Qt.Key.Key_Backspace)
        self.qtbot.keyClicks(widget, words)
        self.qtbot.keyClick(widget, Qt.Key.Key_Return)
        self.settle()

    def pick(self, name: str, word: str) -> None:
        """A word of a list, by the keyboard."""
        from qtpy.QtCore import Qt

        box = self.find(name)
        assert box.isVisible(), f"{name} is not shown"
        assert box.findText(word) >= 0, f"{name} has no {word}"
        box.setFocus()
        while box.currentText() != word:
            up = box.findText(word) < box.currentIndex()
            self.qtbot.keyClick(box, Qt.Key.Key_Up if up else Qt.Key.Key_Down)
        self.settle()

    def settle(self) -> None:
        """Let the panel show what changed."""
        from qtpy.QtWidgets import QApplication

        for _ in range(4):
            QApplication.processEvents()

    def cell(self, row: str, timepoint: int) -> str:
        """What the matrix shows in a row (by the beginning of its name) at a visit."""
        model = self.panel.matrix.model
        names = [self.row_name(r) for r in range(model.rowCount())]
        at = next(r for r, name in enumerate(names) if name.startswith(row))
        return str(model.at(at, model.timepoints.index(timepoint)).text)

    def row_name(self, row: int) -> str:
        """The name of a row of the matrix."""
        from qtpy.QtCore import Qt

        return str(self.panel.matrix.model.headerData(row, Qt.Orientation.Vertical))


@pytest.fixture
def draw(room: Room) -> Callable[[int, str], None]:
    """Put a true mask of the sample into the read."""
    from panel_reading import put

    return lambda timepoint, lesion: put(room, timepoint, lesion)
