"""The whole panel of one read."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from qtpy.QtCore import QEvent, Qt, QTimer
from qtpy.QtWidgets import QApplication, QLineEdit, QScrollArea, QVBoxLayout, QWidget

from mrecist.session.room import Room
from mrecist_napari.panel.criteria_box import CriteriaBox
from mrecist_napari.panel.desk import Desk, Later, at_once
from mrecist_napari.panel.findings_box import FindingsBox
from mrecist_napari.panel.header import Header
from mrecist_napari.panel.lesion_box import LesionBox
from mrecist_napari.panel.matrix import Matrix
from mrecist_napari.panel.parts import text
from mrecist_napari.panel.proposal_box import ProposalBox
from mrecist_napari.panel.questions import Questions
from mrecist_napari.panel.segmenter_box import SegmenterBox
from mrecist_napari.panel.series_box import SeriesBox
from mrecist_napari.panel.signing import Signing
from mrecist_napari.panel.style import PANEL, is_dark, paint, sheet


class ReadingPanel(QWidget):
    """Everything of a read that is not an image. It shows a room, calls it, and holds nothing of its own.

    Parameters
    ----------
    room : the opened subject; it is watched until the panel is closed.
    do_later : ``do_later(work, then, what)`` does long work on another thread and calls ``then(result)`` on this one; ``what`` is for
        a progress bar. Without it the work is done at once.
    message : also told every line that the panel tells the reader (an empty one takes the last away).
    """

    def __init__(self, room: Room, do_later: Later | None = None, message: Callable[[str], None] | None = None) -> None:
        super().__init__()
        self.setObjectName(PANEL)
        self.room = room
        self._also_told = message
        self._tried: set[tuple[int, str]] = set()
        self._measuring = False
        self.desk = Desk(room, do_later or at_once, self._tell)
        self.told = text("", "told")
        self.header = Header(self.desk)
        self.segmenter = SegmenterBox(self.desk)
        self.proposal = ProposalBox(self.desk)
        self.matrix = Matrix(self.desk)
        self.lesion = LesionBox(self.desk)
        self.questions = Questions(self.desk)
        self.criteria = CriteriaBox(self.desk)
        self.findings = FindingsBox(self.desk)
        self.series = SeriesBox(self.desk)
        self.signing = Signing(self.desk)
        self._lay_out()
        # Several changes in a row (a lesion, its mask, the choice of it) are shown once.
        self._soon = QTimer(self)
        self._soon.setSingleShot(True)
        self._soon.setInterval(0)
        self._soon.timeout.connect(self.show_read)
        self._stop: Callable[[], None] | None = room.watch(self._changed)
        self.show_read()

    def _lay_out(self) -> None:
        inside = QWidget()
        column = QVBoxLayout(inside)
        column.setContentsMargins(0, 0, 4, 0)
        column.setSpacing(8)
        for one in (
            self.segmenter,
            self.proposal,
            self.matrix,
            self.lesion,
            self.questions,
            self.criteria,
            self.findings,
            self.series,
        ):
            column.addWidget(one)
        column.addStretch(1)
        self.scroll = QScrollArea()
        self.scroll.setObjectName("panel_scroll")
        self.scroll.setWidgetResizable(True)
        self.scroll.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.scroll.setWidget(inside)
        inside.setAutoFillBackground(False)
        rows = QVBoxLayout(self)
        rows.setContentsMargins(8, 8, 8, 8)
        rows.setSpacing(8)
        rows.addWidget(self.header)
        rows.addWidget(self.told)
        rows.addWidget(self.scroll, 1)
        rows.addWidget(self.signing)
        self.told.hide()
        self.setMinimumWidth(360)

    # --- showing ---------------------------------------------------------------------------------------------------

    def show_read(self) -> None:
        """Show the read as it stands; masks that nobody has measured yet are measured elsewhere first."""
        self._soon.stop()
        styled = sheet(dark=is_dark(self))
        if styled != self.styleSheet():
            self.setStyleSheet(styled)
        measured = not self.measure()
        self.header.show_read(measured=measured)
        self.segmenter.show_read()
        self.proposal.show_read()
        self.matrix.show_read(measured=measured)
        self.lesion.show_read()
        self.questions.show_read()
        self.criteria.show_read(measured=measured)
        self.findings.show_read(measured=measured)
        self.series.show_read()
        self.signing.show_read(measured=measured)

    def _changed(self, what: str) -> None:
        if what == "looking":
            self._tell("")
        self._soon.start()

    def measure(self) -> bool:
        """Have masks measured that nobody has measured yet; whether sizes are still to come."""
        if self._measuring:
            return True
        wanted = set(self.room.unmeasured())
        # What could not be measured is not tried for ever: the read then says why.
        if not wanted - self._tried:
            self._tried &= wanted
            return False
        self._measuring = True
        self._tried |= wanted
        self.desk.later(self.room.measuring(), self._measured, "measuring")
        return self._measuring

    def _measured(self, _nothing: Any) -> None:
        self._measuring = False
        self._soon.start()

    def _tell(self, words: str) -> None:
        words = self.room.keeping.words(words)
        if words == self.told.text():
            return
        self.told.setText(words)
        self.told.setVisible(bool(words))
        paint(self.told, "error")
        if self._also_told is not None:
            self._also_told(words)

    def showEvent(self, event: QEvent) -> None:  # noqa: N802 - Qt's name
        """It has found its place in a window, and so its theme."""
        super().showEvent(event)
        self._soon.start()

    def changeEvent(self, event: QEvent) -> None:  # noqa: N802 - Qt's name
        """Another theme: colours are chosen again."""
        super().changeEvent(event)
        if event.type() in (QEvent.Type.PaletteChange, QEvent.Type.ParentChange) and hasattr(self, "_soon"):
            self._soon.start()

    def keyPressEvent(self, event: Any) -> None:  # noqa: N802 - Qt's name
        """What is typed stays in the panel: the Return that ends a comment accepts no proposal on the images."""
        typed_in = QApplication.focusWidget()
        if not isinstance(typed_in, QLineEdit) or not event.text():
            super().keyPressEvent(event)
            return
        if event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter, Qt.Key.Key_Escape):
            typed_in.clearFocus()
        event.accept()

    # --- for keys on the images --------------------------------------------------------------------------------------

    def say_state(self, number: int) -> None:
        """The status of the chosen lesion by its number, as its button."""
        if not self.lesion.lesion:
            self.desk.message("choose a lesion first (Home, End, or a click in the table)")
            return
        self.lesion.states.press(number)

    def ask_signature(self) -> None:
        """As the Sign button, where nothing is open."""
        self.signing.ask()

    # --- leaving -----------------------------------------------------------------------------------------------------

    def stop(self) -> None:
        """Hear nothing of the room any more."""
        if self._stop is not None:
            self._stop()
            self._stop = None
        self._soon.stop()
