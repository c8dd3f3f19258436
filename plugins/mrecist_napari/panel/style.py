"""How the panel looks: colours that colour-blind readers tell apart, on a light and on a dark theme."""

from __future__ import annotations

from qtpy.QtGui import QColor, QPalette
from qtpy.QtWidgets import QLabel, QWidget

from mrecist.model import Role, State
from mrecist.report.look import look_of

# Okabe and Ito; each always stands beside the letters of the lesion's name.
ROLE_COLOURS = {Role.TARGET: "#56b4e9", Role.NON_TARGET: "#e69f00", Role.NEW: "#cc79a7"}

GLYPHS = {
    State.MEASURED: "",
    State.ABSENT: "○",
    State.TOO_SMALL: "·",
    State.NOT_EVALUABLE: "⊘",
    State.MERGED: "⇥",
    State.PRESENT: "●",
    State.PROGRESSED: "▲",
    State.UNEQUIVOCAL: "★",
    State.EQUIVOCAL: "☆",
}
PANEL = "reading_panel"
"""Name of the whole panel; its colours are those of its theme."""
SEVERITY_GLYPHS = {"error": "✖", "warning": "▲", "note": "●"}

# name -> (on dark, on light); each has a contrast of 4.5 or more there.
_INKS = {
    "viable": ("#ffd23f", "#7a5b00"),
    "whole": ("#7cc4ff", "#0b5a9d"),
    "error": ("#ff9d7a", "#a62c05"),
    "warning": ("#ffd23f", "#7a5b00"),
    "note": ("#a9b4c0", "#55606b"),
    "good": ("#7fd6b4", "#00694c"),
    "quiet": ("#a9b4c0", "#55606b"),
}

_SHEET = """
QFrame#section, QFrame#card { background: rgba(128, 128, 128, 28); border: none; border-radius: 6px; }
QFrame#card { background: rgba(128, 128, 128, 36); }
QLabel { background: transparent; padding: 0; }
ClickRow { background: transparent; border: none; border-radius: 4px; }
ClickRow:hover, ClickRow:focus { background: rgba(128, 128, 128, 60); }
QLabel#title { font-weight: 600; }
QPushButton { padding: 4px 8px; border-radius: 4px; border: 1px solid rgba(128, 128, 128, 110);
    background: rgba(128, 128, 128, 45); }
QPushButton:hover { border-color: #56b4e9; background: rgba(128, 128, 128, 80); }
QPushButton:focus { border: 1px solid #56b4e9; }
QPushButton:checked { background: #0b6bb5; border-color: #56b4e9; color: white; }
QPushButton:disabled { border-color: rgba(128, 128, 128, 55); background: transparent; color: FADED; }
QPushButton:checked:disabled { background: rgba(86, 140, 180, 90); color: white; }
QPushButton[primary="true"] { background: #0b6bb5; border-color: #0b6bb5; color: white; font-weight: 600; }
QPushButton[primary="true"]:disabled { background: transparent; border-color: rgba(128, 128, 128, 90);
    font-weight: 400; color: INK; }
QTableView { border: none; background: transparent; gridline-color: rgba(128, 128, 128, 55); }
QTableView::item { padding: 0 3px; }
QHeaderView, QTableCornerButton::section { background: transparent; border: none; }
QHeaderView::section { background: transparent; border: none; padding: 2px 6px; }
QScrollArea { border: none; background: transparent; }
"""


def sheet(*, dark: bool) -> str:
    """The style sheet of the panel."""
    ink, faded = ("#f0f1f2", "#868e96") if dark else ("#1c252e", "#6c757d")
    return _SHEET.replace("INK", ink).replace("FADED", faded)


def is_dark(widget: QWidget) -> bool:
    """The panel that the widget is in stands on a dark theme."""
    top = widget
    while top.objectName() != PANEL and top.parentWidget() is not None:
        top = top.parentWidget()
    # A theme by style sheet, as napari's, is in the palette only of a widget that has been polished.
    top.ensurePolished()
    return bool(top.palette().color(QPalette.ColorRole.WindowText).lightness() > 127)


def ink(name: str, *, dark: bool) -> str:
    """A text colour that is legible on the theme."""
    on_dark, on_light = _INKS[name]
    return on_dark if dark else on_light


def colour(name: str, *, dark: bool) -> QColor:
    """The same as a QColor."""
    return QColor(ink(name, dark=dark))


def paint(label: QLabel, name: str) -> None:
    """Give a label a text colour."""
    label.setStyleSheet(f"color: {ink(name, dark=is_dark(label))};")


def show_category(chip: QLabel, category: str, *, large: bool = False) -> None:
    """A category as a chip in the colours of the reports; an empty one is open."""
    look = look_of(category)
    size = "font-size: 15px; font-weight: 700; padding: 6px 8px;" if large else "font-weight: 600; padding: 1px 6px;"
    if category:
        chip.setText(category)
        chip.setToolTip(look.meaning)
        chip.setStyleSheet(f"background: {look.fill}; color: {look.ink}; border-radius: 4px; {size}")
    else:
        chip.setText("open")
        chip.setToolTip("something is missing for it")
        chip.setStyleSheet(f"border: 1px dashed rgba(128, 128, 128, 190); border-radius: 4px; {size}")
