"""The chosen lesion at the visit shown: what it is, its number, words and comment, and how its mask came to be."""

from __future__ import annotations

from mrecist.model import State
from mrecist.session.actions import Comment, Erase
from mrecist.session.state import Mark
from mrecist_napari.panel.desk import Desk
from mrecist_napari.panel.lesion_editor import LesionEditor
from mrecist_napari.panel.parts import Section, beside, button, text
from mrecist_napari.panel.remark import Remark
from mrecist_napari.panel.state_buttons import StateButtons
from mrecist_napari.panel.style import ROLE_COLOURS, paint
from mrecist_napari.panel.texts import origin_lines, split_from, visit_name
from mrecist_napari.panel.words_box import WordsBox


class LesionBox(Section):
    """Everything that is said of one lesion at one visit."""

    def __init__(self, desk: Desk) -> None:
        super().__init__("No lesion chosen", "lesion_section")
        self._desk = desk
        self.edit = button(
            "edit", "edit_lesion", self._toggle_editor, tip="role, organ, station; remove", checkable=True
        )
        self.head.addWidget(self.edit)
        self.editor = LesionEditor(desk)
        self.editor.hide()
        self.editor.done.connect(lambda: self.edit.setChecked(False))
        self.editor.done.connect(self.editor.hide)
        self.states = StateButtons(desk)
        self.words = WordsBox(desk)
        self.comment = Remark("comment", self._say_comment)
        self.comment.setToolTip("kept with the lesion at this visit; Return saves it")
        self.origin = text("", "origin")
        self.take_back = button(
            "say nothing of it", "erase", self._erase, tip="nothing is said at this visit: not assessed, never 0 mm"
        )
        for one in (self.editor, self.states, self.comment, self.words, self.origin):
            self.body.addWidget(one)
        self.body.addLayout(beside(self.words.more, self.take_back))

    @property
    def lesion(self) -> str:
        """The lesion that is chosen and there; empty when none is."""
        chosen = self._desk.room.looking.lesion
        return chosen if chosen in self._desk.room.state.lesions else ""

    def show_read(self) -> None:
        """The read as it stands."""
        lesion, desk = self.lesion, self._desk
        parts = (self.states, self.comment, self.words, self.words.more, self.take_back, self.edit)
        for one in parts:
            one.setVisible(bool(lesion))
        if not lesion:
            self.title.setText("No lesion chosen")
            self.title.setStyleSheet("")
            self.origin.setText("Click a lesion in the table, or press Home or End on the images.")
            paint(self.origin, "quiet")
            self.editor.hide()
            return
        facts = desk.room.state.lesions[lesion]
        mark = desk.room.state.mark(desk.timepoint, lesion)
        self.title.setText(f"{lesion} at {visit_name(desk.timepoint)} · {facts.role} · {facts.organ or 'no organ'}")
        self.title.setStyleSheet(f"border-left: 4px solid {ROLE_COLOURS[facts.role]}; padding-left: 6px;")
        self.states.show_mark(lesion, facts, mark)
        self.words.show_mark(lesion, facts, mark)
        self.editor.show_lesion(lesion)
        self._show_comment(mark)
        self._show_origin(mark)
        locked = desk.signed
        for one in (self.states, self.words, self.comment, self.take_back):
            one.setEnabled(not locked and (mark is not None or one is self.states))

    def _show_comment(self, mark: Mark | None) -> None:
        why = mark is not None and mark.state is State.NOT_EVALUABLE
        self.comment.setPlaceholderText("why it cannot be evaluated" if why else "comment on this lesion at this visit")
        self.comment.show_words((self._desk.timepoint, self.lesion), "" if mark is None else mark.comment)

    def _show_origin(self, mark: Mark | None) -> None:
        paint(self.origin, "quiet")
        lines: list[str] = []
        if mark is not None and split_from(mark):
            lines.append(f"part of {split_from(mark)}")
        if mark is not None and mark.mask is not None:
            series = self._desk.room.case.series(mark.mask.series_uid, mark.mask.stack)
            lines.append(f"drawn on {series.description or series.uid} ({str(series.phase.name).lower()})")
            lines += origin_lines(mark.mask.provenance)
        if mark is None:
            lines.append("nothing said at this visit yet")
        self.origin.setText(" · ".join(lines))
        self.origin.setVisible(bool(lines))

    def _toggle_editor(self) -> None:
        self.editor.setVisible(self.edit.isChecked())

    def _say_comment(self, of: tuple[int, str], said: str) -> None:
        mark = self._desk.room.state.mark(*of)
        if mark is not None and mark.comment != said:
            self._desk.do(Comment(timepoint=of[0], lesion=of[1], text=said))

    def _erase(self) -> None:
        self._desk.do(Erase(timepoint=self._desk.timepoint, lesion=self.lesion))
