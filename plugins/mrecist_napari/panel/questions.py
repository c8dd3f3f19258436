"""What is asked at every visit and cannot be skipped: adequate images, new lesions; and a remark on the visit."""

from __future__ import annotations

from collections.abc import Callable

from qtpy.QtWidgets import QLabel, QPushButton

from mrecist.session.actions import AnswerAdequate, AnswerNewLesions, Comment
from mrecist_napari.panel.desk import Desk
from mrecist_napari.panel.parts import Section, beside, button, text
from mrecist_napari.panel.remark import Remark
from mrecist_napari.panel.style import paint

_ADEQUATE = (
    "phases, coverage and quality allow the visit to be read",
    "something hinders the reading; say what in the remark",
)
_NEW = (
    "there is a lesion that was not there before; mark it",
    "the whole of the images was searched, and there is none",
)


class Questions(Section):
    """Two questions, each with yes and no, neither chosen beforehand."""

    def __init__(self, desk: Desk) -> None:
        super().__init__("Questions", "questions_section")
        self._desk = desk
        self.adequate, self.adequate_words = (
            self._pair("adequate", self._say_adequate, _ADEQUATE),
            text("Images adequate?"),
        )
        self.new, self.new_words = self._pair("new_lesion", self._say_new, _NEW), text("New lesion?")
        self.remark = Remark("visit_comment", self._say_remark)
        self.remark.setPlaceholderText("remark on this visit")
        self.remark.setToolTip("kept with the visit; Return saves it")
        for words, pair in ((self.adequate_words, self.adequate), (self.new_words, self.new)):
            self.body.addLayout(beside(words, *pair.values(), stretch=0))
        self.body.addWidget(self.remark)

    def _pair(self, name: str, say: Callable[[bool], None], tips: tuple[str, str]) -> dict[bool, QPushButton]:
        return {
            True: button("yes", f"{name}_yes", lambda: say(True), tip=tips[0], checkable=True),
            False: button("no", f"{name}_no", lambda: say(False), tip=tips[1], checkable=True),
        }

    def show_read(self) -> None:
        """The answers, and which are still wanted."""
        visit = self._desk.room.state.visit(self._desk.timepoint)
        self._show(self.adequate, self.adequate_words, visit.adequate)
        self._show(self.new, self.new_words, visit.new_lesions)
        asked = self._desk.timepoint > 0
        for one in (self.new_words, *self.new.values()):
            one.setVisible(asked)
        self.remark.show_words((self._desk.timepoint, ""), visit.comment)
        self.remark.setEnabled(not self._desk.signed)

    def _show(self, pair: dict[bool, QPushButton], words: QLabel, answer: bool | None) -> None:
        for value, one in pair.items():
            one.setChecked(value is answer)
            one.setEnabled(not self._desk.signed)
        if answer is None:
            paint(words, "warning")
        else:
            words.setStyleSheet("")

    def _say_adequate(self, answer: bool) -> None:
        self._desk.do(AnswerAdequate(timepoint=self._desk.timepoint, answer=answer))
        self.show_read()

    def _say_new(self, answer: bool) -> None:
        self._desk.do(AnswerNewLesions(timepoint=self._desk.timepoint, answer=answer))
        self.show_read()

    def _say_remark(self, of: tuple[int, str], said: str) -> None:
        if said != self._desk.room.state.visit(of[0]).comment:
            self._desk.do(Comment(timepoint=of[0], text=said))
