"""The status of a lesion as buttons with the keys 1 to 9, the lesion that it merged into or split from, and a typed number."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal

from qtpy.QtCore import Qt
from qtpy.QtGui import QKeySequence
from qtpy.QtWidgets import QGridLayout, QLineEdit, QPushButton, QShortcut, QSizePolicy, QVBoxLayout, QWidget

from mrecist.model import Kind, Role, State
from mrecist.session.actions import SetState
from mrecist.session.state import LesionFacts, Mark
from mrecist.units import parse_size, show
from mrecist_napari.panel.desk import Desk
from mrecist_napari.panel.parts import beside, button, choice, choose, text
from mrecist_napari.panel.states import STATES, Choice
from mrecist_napari.panel.style import paint
from mrecist_napari.panel.texts import split_from

_IN_A_ROW = 3
_SIZES = {
    Kind.LESION: (("longest_mm", "whole mm"), ("viable_mm", "viable mm")),
    Kind.NODE: (("short_mm", "short axis mm"),),
}


class StateButtons(QWidget):
    """The statuses of the chosen lesion at the visit shown."""

    def __init__(self, desk: Desk) -> None:
        super().__init__()
        self._desk = desk
        self._lesion = ""
        self._facts: LesionFacts | None = None
        self._mark: Mark | None = None
        self._grid = QGridLayout()
        self._grid.setSpacing(4)
        self.buttons: dict[State, QPushButton] = {}
        self.merged = choice("merged_into", (), self._merge, tip="the lesion that carries the mass")
        self.split = choice("split_from", (), self._split, tip="this lesion is a part of one that has split")
        self.split_button = button(
            "split from…", "split", self._ask_split, tip="this lesion is a part of another one", checkable=True
        )
        self.split_button.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Fixed)
        self._split_label = text("split from", wraps=False)
        self._merged_label = text("merged into", wraps=False)
        self.sizes = {name: self._size_box(name) for pairs in _SIZES.values() for name, _ in pairs}
        self._size_labels = {name: text(words, wraps=False) for pairs in _SIZES.values() for name, words in pairs}
        self.number_hint = text("Empty: the default of the protocol counts.", "number_hint")
        self._lay_out()
        self._keys()

    def _lay_out(self) -> None:
        rows = QVBoxLayout(self)
        rows.setContentsMargins(0, 0, 0, 0)
        rows.setSpacing(6)
        rows.addLayout(self._grid)
        rows.addLayout(beside(self._merged_label, self.merged, stretch=1))
        numbers = beside(*(w for name in self.sizes for w in (self._size_labels[name], self.sizes[name])))
        rows.addLayout(numbers)
        rows.addWidget(self.number_hint)
        rows.addLayout(beside(self._split_label, self.split, stretch=1))

    def _size_box(self, name: str) -> QLineEdit:
        box = QLineEdit()
        box.setObjectName(f"size_{name}")
        box.setFixedWidth(58)
        box.setToolTip(
            f"{name.removesuffix('_mm').replace('_', ' ')} in mm, measured elsewhere; empty: the protocol's default"
        )
        box.editingFinished.connect(self._say_sizes)
        return box

    def _keys(self) -> None:
        for number in range(1, 6):
            shortcut = QShortcut(QKeySequence(str(number)), self)
            shortcut.setContext(Qt.ShortcutContext.WidgetWithChildrenShortcut)
            shortcut.activated.connect(lambda number=number: self.press(number))

    # --- showing ---------------------------------------------------------------------------------------------------

    def show_mark(self, lesion: str, facts: LesionFacts, mark: Mark | None) -> None:
        """The lesion, and what is said of it."""
        if self._facts is None or self._facts.role is not facts.role:
            self._make_buttons(facts.role)
        self._lesion, self._facts, self._mark = lesion, facts, mark
        now = None if mark is None else mark.state
        for state, one in self.buttons.items():
            one.setChecked(state is now)
        no_mask = mark is None or mark.mask is None
        if State.MEASURED in self.buttons:
            self.buttons[State.MEASURED].setEnabled(not no_mask)
        self._show_others(now)
        self._show_sizes(facts.kind, mark)

    def _make_buttons(self, role: Role) -> None:
        for one in self.buttons.values():
            self._grid.removeWidget(one)
            one.setParent(None)
            one.deleteLater()
        self.buttons = {}
        for number, one in enumerate(STATES[role]):
            made = button(
                f"{number + 1} {one.words}", f"state_{one.state}", self._presser(one), tip=one.tip, checkable=True
            )
            made.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Fixed)
            self._grid.addWidget(made, number // _IN_A_ROW, number % _IN_A_ROW)
            self.buttons[one.state] = made
        self._grid.addWidget(self.split_button, len(self.buttons) // _IN_A_ROW, len(self.buttons) % _IN_A_ROW)

    def _presser(self, one: Choice) -> Callable[[], None]:
        return lambda: self.say(one.state)

    def _show_others(self, now: State | None) -> None:
        assert self._facts is not None
        state = self._desk.room.state
        others = [n for n, f in state.lesions.items() if n != self._lesion and f.role is self._facts.role]
        for box, first in ((self.merged, "choose the lesion…"), (self.split, "nothing")):
            box.clear()
            box.addItem(first, "")
            for name in others:
                box.addItem(name, name)
        merging = now is State.MERGED or self.merged.property("asked") == self._key()
        for one in (self.merged, self._merged_label):
            one.setVisible(merging and State.MERGED in self.buttons)
        choose(self.merged, self._mark.part_of if self._mark is not None and now is State.MERGED else "")
        can_split = bool(others) and self._mark is not None and now is not State.MERGED
        is_part = self._mark is not None and bool(split_from(self._mark))
        self.split_button.setEnabled(can_split)
        self.split_button.setChecked(is_part or self.split.property("asked") == self._key())
        splits = can_split and self.split_button.isChecked()
        for one in (self.split, self._split_label):
            one.setVisible(splits)
        choose(self.split, "" if self._mark is None else split_from(self._mark))

    def _show_sizes(self, kind: Kind, mark: Mark | None) -> None:
        small = mark is not None and mark.state is State.TOO_SMALL
        shown = {name for name, _ in _SIZES[kind]} if small else set()
        for name, box in self.sizes.items():
            for one in (box, self._size_labels[name]):
                one.setVisible(name in shown)
            said = show(mark.sizes.get(name)) if mark is not None else ""
            if box.text() != said and not (box.hasFocus() and box.property("of") == self._key()):
                box.setText(said)
            box.setProperty("of", self._key())
        self.number_hint.setVisible(small)
        paint(self.number_hint, "quiet")

    def _key(self) -> tuple[int, str]:
        return self._desk.timepoint, self._lesion

    # --- saying ----------------------------------------------------------------------------------------------------

    def press(self, number: int) -> None:
        """The status of that number, as by its key."""
        states = list(self.buttons)
        if 1 <= number <= len(states) and self.buttons[states[number - 1]].isEnabled():
            self.say(states[number - 1])

    def say(self, state: State) -> None:
        """Say it; a merged lesion is said once the other one is named."""
        if state is State.MERGED:
            self.merged.setProperty("asked", self._key())
            self._again()
            self.merged.setFocus()
            return
        self.merged.setProperty("asked", None)
        kept = self._mark is not None and self._mark.state is state
        part_of = split_from(self._mark) if self._mark is not None else ""
        sizes = dict(self._mark.sizes) if kept and self._mark is not None else {}
        if not kept:
            self._do(state, part_of, sizes)
        self._again()

    def _again(self) -> None:
        """The buttons as the read says, whatever was pressed."""
        if self._facts is not None:
            self.show_mark(self._lesion, self._facts, self._desk.room.state.mark(*self._key()))

    def _merge(self, into: str) -> None:
        if into:
            self.merged.setProperty("asked", None)
            self._do(State.MERGED, into, {})

    def _ask_split(self) -> None:
        self.split.setProperty("asked", self._key() if self.split_button.isChecked() else None)
        if not self.split_button.isChecked():
            self._split("")
        self._again()

    def _split(self, origin: str) -> None:
        if self._mark is not None and split_from(self._mark) != origin:
            self._do(self._mark.state, origin, dict(self._mark.sizes))

    def _say_sizes(self) -> None:
        if self._mark is None or self._mark.state is not State.TOO_SMALL:
            return
        sizes: dict[str, Decimal] = {}
        for name, box in self.sizes.items():
            if box.isVisible() and box.text().strip():
                try:
                    sizes[name] = parse_size(box.text())
                except ValueError as error:
                    self._desk.message(f"{self._lesion}: {error}; give mm as in 4.5, or nothing")
                    return
        if sizes != dict(self._mark.sizes):
            self._do(State.TOO_SMALL, split_from(self._mark), sizes)

    def _do(self, state: State, part_of: str, sizes: dict[str, Decimal]) -> None:
        self._desk.do(
            SetState(timepoint=self._desk.timepoint, lesion=self._lesion, state=state, part_of=part_of, sizes=sizes)
        )
