"""Words of a lesion at a visit: locally treated, lipiodol, pattern, change, cytology, LI-RADS and the rest."""

from __future__ import annotations

from collections.abc import Callable

from qtpy.QtWidgets import QGridLayout, QWidget

from mrecist.model import Role
from mrecist.session.actions import SetWords
from mrecist.session.state import LesionFacts, Mark
from mrecist.tables import WORD_COLUMNS
from mrecist_napari.panel.desk import Desk
from mrecist_napari.panel.parts import button, choice, choose, text
from mrecist_napari.panel.states import WORD_LABELS, WORDS_FIRST


class WordsBox(QWidget):
    """One list a word; those that matter most for the role are shown, all others after "more words"."""

    def __init__(self, desk: Desk) -> None:
        super().__init__()
        self._desk = desk
        self._lesion = ""
        self._role = Role.TARGET
        self._said: dict[str, str] = {}
        self.labels = {name: text(WORD_LABELS[name], wraps=False) for name in WORD_COLUMNS}
        self.boxes = {
            name: choice(
                f"word_{name}",
                [("", "–"), *((str(w), str(w)) for w in words)],
                self._picker(name),
                tip=f"column {name}",
            )
            for name, words in WORD_COLUMNS.items()
        }
        self.more = button("more words", "more_words", self._arrange, tip="all columns of words", checkable=True)
        self._grid = QGridLayout(self)
        self._grid.setContentsMargins(0, 0, 0, 0)
        self._grid.setSpacing(4)
        self._grid.setColumnStretch(1, 1)
        self._arrange()

    def _picker(self, name: str) -> Callable[[str], None]:
        return lambda word: self._say(name, word)

    def show_mark(self, lesion: str, facts: LesionFacts, mark: Mark | None) -> None:
        """The words that were said."""
        self._lesion, self._role = lesion, facts.role
        self._said = {} if mark is None else dict(mark.words)
        for name, box in self.boxes.items():
            choose(box, self._said.get(name, ""))
        self._arrange()

    def _arrange(self) -> None:
        shown = [name for name in WORD_COLUMNS if name in WORDS_FIRST[self._role] or name in self._said]
        if self.more.isChecked():
            shown = list(WORD_COLUMNS)
        for name in WORD_COLUMNS:
            for one in (self.labels[name], self.boxes[name]):
                self._grid.removeWidget(one)
                one.setParent(self)
                one.setVisible(name in shown)
        for number, name in enumerate(shown):
            self._grid.addWidget(self.labels[name], number, 0)
            self._grid.addWidget(self.boxes[name], number, 1)

    def _say(self, name: str, word: str) -> None:
        if self._said.get(name, "") != word:
            self._desk.do(SetWords(timepoint=self._desk.timepoint, lesion=self._lesion, values={name: word}))
            mark = self._desk.room.state.mark(self._desk.timepoint, self._lesion)
            choose(self.boxes[name], "" if mark is None else mark.words.get(name, ""))
