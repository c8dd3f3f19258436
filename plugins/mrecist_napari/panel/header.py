"""Who is read by whom, the visits, undo and redo, and whether everything is saved."""

from __future__ import annotations

import math

from qtpy.QtCore import Qt
from qtpy.QtWidgets import QGridLayout, QPushButton, QSizePolicy, QVBoxLayout, QWidget

from mrecist_napari.panel.desk import Desk
from mrecist_napari.panel.parts import beside, button, text
from mrecist_napari.panel.style import paint
from mrecist_napari.panel.texts import clock_text, day_text, visit_name

_IN_A_ROW = 6
_WORDS = {"open": "○", "ready": "●", "signed": "✓"}
_MEANS = {"open": "something is open", "ready": "ready to be signed", "signed": "signed"}


class Header(QWidget):
    """The top of the panel."""

    def __init__(self, desk: Desk) -> None:
        super().__init__()
        self._desk = desk
        case = desk.room.case
        self.subject = text(case.subject, "subject", wraps=False)
        self.subject.setStyleSheet("font-size: 16px; font-weight: 700;")
        self.reader = text(f"reader {desk.room.reader}", "reader", wraps=False)
        self.saved = text("", "saved", wraps=False)
        self.trouble = text("", "trouble")
        self.save_again = button("Save again", "save_again", self._save, tip="write what is not on disk yet")
        self.visits = {v.timepoint: self._visit_button(v.timepoint) for v in case.visits}
        self.undo = button("", "undo", lambda: desk.call(desk.room.undo))
        self.redo = button("", "redo", lambda: desk.call(desk.room.redo))
        self._lay_out()

    def _lay_out(self) -> None:
        rows = QVBoxLayout(self)
        rows.setContentsMargins(0, 0, 0, 0)
        rows.setSpacing(6)
        top = beside(self.subject, self.reader)
        top.addWidget(self.saved)
        rows.addLayout(top)
        rows.addWidget(self.trouble)
        rows.addWidget(self.save_again)
        grid = QGridLayout()
        grid.setSpacing(4)
        lines = math.ceil(len(self.visits) / _IN_A_ROW)
        columns = math.ceil(len(self.visits) / lines)
        for number, one in enumerate(self.visits.values()):
            grid.addWidget(one, number // columns, number % columns)
        rows.addLayout(grid)
        steps = beside(self.undo, self.redo, stretch=0)
        steps.setStretch(1, 1)
        for one in (self.undo, self.redo):
            one.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Fixed)
        rows.addLayout(steps)

    def _visit_button(self, timepoint: int) -> QPushButton:
        desk = self._desk
        made = button("", f"visit_{timepoint}", lambda: desk.room.look_at(timepoint), checkable=True)
        made.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Fixed)
        return made

    def show_read(self, *, measured: bool) -> None:
        """The read as it stands; ``measured`` False: nobody knows yet whether a visit is ready."""
        room = self._desk.room
        for timepoint, one in self.visits.items():
            word = _state(self._desk, timepoint, measured=measured)
            one.setText(f"{visit_name(timepoint)} {_WORDS[word]}\n{day_text(room.case, timepoint)}")
            one.setChecked(timepoint == self._desk.timepoint)
            visit = room.case.visit(timepoint)
            said = f"{visit_name(timepoint)}, {visit.date.isoformat()}: {_MEANS[word]}"
            one.setToolTip(room.keeping.words(said))
            one.setProperty("state", word)
        self._show_steps()
        self._show_saving()

    def _show_steps(self) -> None:
        read = self._desk.room
        for one, word, glyph, words in (
            (self.undo, "Undo", "↶", read.can_undo),
            (self.redo, "Redo", "↷", read.can_redo),
        ):
            one.setEnabled(bool(words))
            one.setToolTip(f"{word}: {words}" if words else f"nothing to {word.lower()}")
            room = max(one.width() - one.fontMetrics().horizontalAdvance(f"{glyph} {word}: ") - 24, 40)
            short = one.fontMetrics().elidedText(words, Qt.TextElideMode.ElideRight, room)
            one.setText(f"{glyph} {word}: {short}" if words else f"{glyph} {word}")

    def resizeEvent(self, event: object) -> None:  # noqa: N802 - Qt's name
        """The words on undo and redo are cut to the new width."""
        super().resizeEvent(event)
        self._show_steps()

    def _show_saving(self) -> None:
        session = self._desk.room.session
        trouble = session.trouble
        self.trouble.setVisible(bool(trouble or session.note))
        self.trouble.setText(self._desk.room.keeping.words(trouble or session.note))
        paint(self.trouble, "error" if trouble else "warning")
        self.save_again.setVisible(bool(trouble))
        if trouble:
            self.saved.setText(f"{session.unsaved} not saved")
        else:
            log = session.log
            self.saved.setText(f"saved {clock_text(log[-1].at)}" if log else "nothing said yet")
        paint(self.saved, "error" if trouble else "quiet")

    def _save(self) -> None:
        session = self._desk.room.session
        self._desk.message("" if session.save() else session.trouble)
        self._show_saving()


def _state(desk: Desk, timepoint: int, *, measured: bool) -> str:
    """Open, ready or signed."""
    visit = desk.room.state.visit(timepoint)
    if visit.signature is not None:
        return "signed"
    if not measured or visit.adequate is None:
        return "open"
    return "open" if desk.room.open_points(timepoint) else "ready"
