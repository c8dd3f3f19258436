"""The page of all keys, over the pictures: groups in two columns, as :data:`mrecist_napari.keys.KEYS` has them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from qtpy.QtCore import QEvent, QObject, Qt
from qtpy.QtGui import QKeySequence
from qtpy.QtWidgets import QFrame, QGridLayout, QHBoxLayout, QLabel, QScrollArea, QShortcut, QVBoxLayout, QWidget

from mrecist_napari.keys import Group, Key, grouped

_SHEET = """
QFrame#help { background: #14171c; border: 1px solid #4a525c; border-radius: 8px; }
QFrame#help QLabel { background: transparent; color: #e6e8ea; font-size: 13px; }
QFrame#help QLabel#help_title { font-size: 17px; font-weight: 600; }
QFrame#help QLabel#help_foot { color: #a9b4c0; }
QFrame#help QLabel#help_group { color: #7cc4ff; font-weight: 600; padding-top: 8px; }
QFrame#help QLabel#help_key { background: #2d333b; border: 1px solid #59616c; border-radius: 4px; padding: 1px 7px;
    font-family: monospace; }
QFrame#help QScrollArea, QFrame#help QScrollArea > QWidget > QWidget { background: transparent; border: none; }
"""
_MARGIN = 16  # pixels left around the page where the window is small


class _QuestionMark(QShortcut):
    """The key ``?`` on any keyboard: napari knows it only as Shift and the key that makes it on some of them."""

    def __init__(self, main: QWidget, asked: Callable[[], None]) -> None:
        super().__init__(main)
        self.setKeys([QKeySequence("?"), QKeySequence("Shift+?")])
        self.setContext(Qt.ShortcutContext.ApplicationShortcut)
        self.activated.connect(asked)


class HelpPage(QFrame):
    """Covers the middle of a window until a key is pressed or the page is clicked.

    Parameters
    ----------
    main : the window that it stands in.
    asked : called when the question mark is pressed.
    """

    def __init__(self, main: QWidget, asked: Callable[[], None]) -> None:
        super().__init__(main)
        self.setObjectName("help")
        self.setStyleSheet(_SHEET)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self._main = main
        self._before: QWidget | None = None
        columns = QHBoxLayout()
        columns.setSpacing(36)
        for groups in _in_two(grouped()):
            columns.addLayout(_column(groups), 1)
        self._inside = QWidget()
        self._inside.setLayout(columns)
        columns.setContentsMargins(0, 0, 0, 0)
        self._scroll = QScrollArea()
        self._scroll.setWidgetResizable(True)
        self._scroll.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self._scroll.setWidget(self._inside)
        rows = QVBoxLayout(self)
        rows.setContentsMargins(24, 18, 24, 18)
        rows.addWidget(_label("Keys of the reading room", "help_title"))
        rows.addWidget(self._scroll, 1)
        rows.addWidget(_label("Any key or a click takes this page away.", "help_foot"))
        self.hide()
        main.installEventFilter(self)
        _QuestionMark(main, asked)

    def toggle(self) -> None:
        """Show the page, or take it away."""
        if self.isVisible():
            self._leave()
            return
        self._before = self._main.focusWidget()
        self._place()
        self.show()
        self.raise_()
        self.setFocus()

    def _place(self) -> None:
        """In the middle of the window, as large as it needs to be where there is room for that."""
        inside, margins = self._inside.sizeHint(), self.layout().contentsMargins()
        width = inside.width() + margins.left() + margins.right() + 24
        height = inside.height() + margins.top() + margins.bottom() + 80
        room = self._main.rect().adjusted(_MARGIN, _MARGIN, -_MARGIN, -_MARGIN)
        self.resize(min(width, room.width()), min(height, room.height()))
        self.move(room.center() - self.rect().center())

    def _leave(self) -> None:
        self.hide()
        if self._before is not None:
            self._before.setFocus()

    def keyPressEvent(self, _event: object) -> None:  # noqa: N802 - Qt's name
        """Any key."""
        self._leave()

    def mouseReleaseEvent(self, _event: object) -> None:  # noqa: N802 - Qt's name
        """A click."""
        self._leave()

    def eventFilter(self, _watched: QObject, event: Any) -> bool:  # noqa: N802 - Qt's name
        """The page stays in the middle when the window changes its size."""
        if event.type() == QEvent.Type.Resize and self.isVisible():
            self._place()
        return False


def _in_two(groups: dict[Group, list[Key]]) -> tuple[dict[Group, list[Key]], dict[Group, list[Key]]]:
    """The groups in their order, parted where both columns are nearest to the same height."""
    names = list(groups)
    heights = [len(keys) + 2 for keys in groups.values()]
    at = min(range(1, len(names) + 1), key=lambda n: max(sum(heights[:n]), sum(heights[n:])))
    return {name: groups[name] for name in names[:at]}, {name: groups[name] for name in names[at:]}


def _column(groups: dict[Group, list[Key]]) -> QVBoxLayout:
    column, grid = QVBoxLayout(), QGridLayout()
    grid.setHorizontalSpacing(12)
    grid.setVerticalSpacing(4)
    for group, keys in groups.items():
        grid.addWidget(_label(group.value, "help_group"), grid.rowCount(), 0, 1, 2)
        for key in keys:
            row = grid.rowCount()
            grid.addWidget(_label(key.shown, "help_key"), row, 0, Qt.AlignmentFlag.AlignRight)
            grid.addWidget(_label(key.does, "help_does"), row, 1)
    grid.setColumnStretch(1, 1)
    column.addLayout(grid)
    column.addStretch(1)
    return column


def _label(words: str, name: str) -> QLabel:
    label = QLabel(words)
    label.setTextFormat(Qt.TextFormat.PlainText)
    label.setObjectName(name)
    return label
