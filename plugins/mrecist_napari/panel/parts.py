"""Small widgets that the panel is built of."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from qtpy.QtCore import QEvent, QObject, Qt, QTimer, Signal
from qtpy.QtWidgets import (
    QComboBox,
    QFrame,
    QHBoxLayout,
    QLabel,
    QLayout,
    QPushButton,
    QSizePolicy,
    QVBoxLayout,
    QWidget,
)


class Section(QFrame):
    """A titled block; ``body`` takes what stands in it, ``head`` what stands beside its title."""

    def __init__(self, title: str, name: str) -> None:
        super().__init__()
        self.setObjectName("section")
        self.name = name
        outside = QVBoxLayout(self)
        outside.setContentsMargins(10, 8, 10, 10)
        outside.setSpacing(6)
        self.head = QHBoxLayout()
        self.title = text(title, "title", wraps=False)
        self.title.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Fixed)
        self.head.addWidget(self.title, 1)
        outside.addLayout(self.head)
        self.body = QVBoxLayout()
        self.body.setSpacing(6)
        outside.addLayout(self.body)


class ClickRow(QFrame):
    """A wrapped line of text that can be clicked, or reached by Tab and pressed by Return."""

    clicked = Signal()

    def __init__(self, mark: str, words: str, name: str) -> None:
        super().__init__()
        self.setObjectName(name)
        self.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        self.setCursor(Qt.CursorShape.PointingHandCursor)
        row = QHBoxLayout(self)
        row.setContentsMargins(2, 1, 2, 1)
        row.setSpacing(6)
        self.mark = text(mark, wraps=False)
        self.mark.setFixedWidth(14)
        self.words = text(words)
        row.addWidget(self.mark, 0, Qt.AlignmentFlag.AlignTop)
        row.addWidget(self.words, 1)

    def mouseReleaseEvent(self, _event: object) -> None:  # noqa: N802 - Qt's name
        """A click."""
        self.clicked.emit()

    def keyPressEvent(self, event: object) -> None:  # noqa: N802 - Qt's name
        """Return or Space is a click."""
        if event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter, Qt.Key.Key_Space):  # type: ignore[attr-defined]
            self.clicked.emit()
        else:
            super().keyPressEvent(event)


class _NoWheel(QObject):
    """A wheel over a closed list scrolls the panel and changes no answer."""

    def eventFilter(self, _watched: QObject, event: QEvent) -> bool:  # noqa: N802 - Qt's name
        if event.type() == QEvent.Type.Wheel:
            event.ignore()
            return True
        return False


class _LetsGo(QObject):
    """A click takes the keyboard no longer than it lasts: the next key is for the images. Tab still leads here."""

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:  # noqa: N802 - Qt's name
        if event.type() == QEvent.Type.FocusIn and event.reason() == Qt.FocusReason.MouseFocusReason:  # type: ignore[attr-defined]
            QTimer.singleShot(0, watched, watched.clearFocus)  # type: ignore[attr-defined]
        return False


def let_go(widget: QWidget) -> None:
    """A click on the widget leaves the keyboard to the images."""
    widget.installEventFilter(_LetsGo(widget))


def text(words: str = "", name: str = "", *, wraps: bool = True) -> QLabel:
    """A label that wraps, and whose text can be copied where it does."""
    label = QLabel(words)
    label.setTextFormat(Qt.TextFormat.PlainText)
    if name:
        label.setObjectName(name)
    if wraps:
        label.setWordWrap(True)
        label.setMinimumWidth(40)
        label.setSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Minimum)
    return label


def button(
    words: str, name: str, press: Callable[[], object], *, tip: str = "", checkable: bool = False
) -> QPushButton:
    """A button; it never takes more width than it is given."""
    made = QPushButton(words)
    made.setObjectName(name)
    made.setToolTip(tip)
    made.setCheckable(checkable)
    made.setMinimumWidth(30)
    let_go(made)
    made.clicked.connect(lambda _checked=False: press())
    return made


def choice(name: str, words: Iterable[tuple[str, str]], pick: Callable[[str], object], *, tip: str = "") -> QComboBox:
    """A list of (value, word); ``pick`` is called by the reader's hand only."""
    made = QComboBox()
    made.setObjectName(name)
    made.setToolTip(tip)
    made.setMinimumWidth(60)
    made.setMinimumContentsLength(6)
    made.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon)
    for value, word in words:
        made.addItem(word, value)
    made.installEventFilter(_NoWheel(made))
    let_go(made)
    made.activated.connect(lambda _index: pick(made.currentData()))
    return made


def choose(box: QComboBox, value: str) -> None:
    """Show a value in a list."""
    box.setCurrentIndex(max(box.findData(value), 0))


def beside(*widgets: QWidget, stretch: int = -1) -> QHBoxLayout:
    """Widgets in one row; the one numbered ``stretch`` takes what is left."""
    row = QHBoxLayout()
    row.setSpacing(6)
    for number, widget in enumerate(widgets):
        row.addWidget(widget, 1 if number == stretch else 0)
    if stretch < 0:
        row.addStretch(1)
    return row


def empty(layout: QLayout) -> None:
    """Take everything out of a layout."""
    while layout.count():
        item = layout.takeAt(0)
        widget = item.widget()
        if widget is not None:
            widget.hide()
            widget.setParent(None)
            widget.deleteLater()
        elif item.layout() is not None:
            empty(item.layout())
