"""Everything that a person can read on the screen or bring up with the mouse, as text."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any


def visible_text(besides: Sequence[Any] = ()) -> set[str]:
    """Texts, titles, tooltips and list entries of every widget and menu, hidden ones too, and the words over the pictures.

    ``besides`` : widgets of other windows, which tests before this one left behind.
    """
    from qtpy.QtGui import QAction
    from qtpy.QtWidgets import QApplication

    found: set[str] = set()
    others = {id(one) for one in besides}
    widgets = [one for one in QApplication.allWidgets() if id(one) not in others]
    tops = [one for one in QApplication.topLevelWidgets() if id(one) not in others]
    actions = [one for top in tops for one in top.findChildren(QAction)]
    for one in (*widgets, *actions):
        for name in ("text", "toolTip", "statusTip", "whatsThis", "windowTitle", "placeholderText", "title"):
            found |= _called(one, name)
    for widget in widgets:
        found |= {text for text in _entries(widget) if text}
    return found


def picture_text(window: Any) -> set[str]:
    """The words over both pictures, and the names of their layers."""
    viewers = (window.viewer, window.prior.model)
    overlays = {str(one.text) for v in viewers for one in v.canvas.overlays.values() if hasattr(one, "text")}
    return overlays | {layer.name for v in viewers for layer in v.layers} | {v.title for v in viewers}


def _called(one: Any, name: str) -> set[str]:
    method = getattr(one, name, None)
    try:
        text = method() if callable(method) else None
    except (TypeError, RuntimeError):  # a method of that name that wants more; what Qt has deleted shows nothing
        return set()
    return {text} if isinstance(text, str) and text else set()


def _entries(widget: Any) -> Iterator[str]:
    from qtpy.QtCore import QModelIndex, Qt
    from qtpy.QtWidgets import QAbstractItemView, QComboBox, QPlainTextEdit, QTableView, QTextEdit

    if isinstance(widget, QComboBox):
        yield from (widget.itemText(n) for n in range(widget.count()))
    if isinstance(widget, QTextEdit | QPlainTextEdit):
        yield widget.toPlainText()
    model = widget.model() if isinstance(widget, QAbstractItemView) else None
    if model is None:
        return
    columns = model.columnCount(QModelIndex()) if isinstance(widget, QTableView) else 1  # private in models of a list
    roles = Qt.ItemDataRole.DisplayRole, Qt.ItemDataRole.ToolTipRole
    for role in roles:
        for row in range(model.rowCount(QModelIndex())):
            yield str(model.headerData(row, Qt.Orientation.Vertical, role) or "")
            for column in range(columns):
                yield str(model.data(model.index(row, column), role) or "")
        for column in range(columns):
            yield str(model.headerData(column, Qt.Orientation.Horizontal, role) or "")
