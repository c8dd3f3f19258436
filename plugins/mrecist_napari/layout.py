"""How the window is divided: the visit before and the current one share its width, napari's own lists step aside."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from qtpy.QtCore import QEvent, QObject, Qt, QTimer
from qtpy.QtWidgets import QDockWidget, QMainWindow, QMessageBox

_LISTS = ("layer list", "layer controls")


def main_window(dock: Any) -> QMainWindow:
    """The window that a dock widget is part of."""
    found = dock.parent()
    assert isinstance(found, QMainWindow)
    return found


def show_lists(main: QMainWindow, shown: bool) -> None:
    """napari's layer list and controls."""
    for dock in main.findChildren(QDockWidget):
        if dock.objectName() in _LISTS:
            dock.setVisible(shown)


def lists_shown(main: QMainWindow) -> bool:
    """Whether napari's layer list is there."""
    return any(d.isVisible() for d in main.findChildren(QDockWidget) if d.objectName() in _LISTS)


def share(main: QMainWindow, dock: Any) -> None:
    """Give a dock beside the central widget half of the width that both have, once the window has its size."""

    def divide() -> None:
        if dock.isVisible():
            both = dock.width() + main.centralWidget().width()
            main.resizeDocks([dock], [both // 2], Qt.Orientation.Horizontal)

    QTimer.singleShot(0, main, divide)


class KeepsHalf(QObject):
    """Keeps a dock at half of the width when the window changes its size."""

    def __init__(self, main: QMainWindow, dock: Any) -> None:
        super().__init__(main)
        self._main, self._dock = main, dock
        main.installEventFilter(self)

    def eventFilter(self, _watched: Any, event: Any) -> bool:  # noqa: N802 - Qt's name
        """After a change of size the halves are made again."""
        if event.type() in (QEvent.Type.Resize, QEvent.Type.Show):
            share(self._main, self._dock)
        return False


class AsksBeforeClosing(QObject):
    """Asks when the window is closed while something would be lost.

    ``lost`` says what would be lost, empty when nothing would; ``ask`` is whether to close all the same.
    """

    def __init__(self, main: QMainWindow, lost: Callable[[], str], ask: Callable[[str], bool] | None = None) -> None:
        super().__init__(main)
        self._main, self._lost = main, lost
        self.ask = ask or self._box
        main.installEventFilter(self)

    def eventFilter(self, _watched: Any, event: Any) -> bool:  # noqa: N802 - Qt's name
        """True stops the closing."""
        if event.type() != QEvent.Type.Close:
            return False
        what = self._lost()
        if what and not self.ask(what):
            event.ignore()
            return True
        return False

    def _box(self, what: str) -> bool:
        answer = QMessageBox.question(self._main, "Close the read?", f"{what}\n\nClose all the same?")
        return bool(answer == QMessageBox.StandardButton.Yes)
