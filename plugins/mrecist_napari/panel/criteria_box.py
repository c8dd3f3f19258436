"""The responses of the visit by every criterion of the protocol, each with its reason and what would change it."""

from __future__ import annotations

from qtpy.QtCore import Qt
from qtpy.QtWidgets import QFrame, QGridLayout, QHBoxLayout, QLabel, QVBoxLayout, QWidget

from mrecist.model import VisitResponse
from mrecist.protocol import CriterionSetting
from mrecist.session.checklist import Live, Unread
from mrecist_napari.panel.desk import Desk
from mrecist_napari.panel.parts import Section, text
from mrecist_napari.panel.style import paint, show_category
from mrecist_napari.panel.texts import flag_meaning, reason_parts, visit_name, would_change

_PARTS = ("target", "non_target", "new_lesion")
_MOST_POINTS = 3


class CriterionCard(QFrame):
    """One criterion at one visit."""

    def __init__(self, setting: CriterionSetting) -> None:
        super().__init__()
        self.setObjectName("card")
        self.setting = setting
        self.name = text(setting.title, "title", wraps=False)
        self.overall = text("", f"overall_{setting.name}", wraps=False)
        self.overall.setAlignment(Qt.AlignmentFlag.AlignCenter)
        self.overall.setMinimumWidth(64)
        self.chips = {part: text("", f"{part}_{setting.name}", wraps=False) for part in _PARTS}
        self.reason = text("", f"reason_{setting.name}")
        self.change = text("", f"change_{setting.name}")
        self.flags = text("", f"flags_{setting.name}")
        self._lay_out()

    def _lay_out(self) -> None:
        rows = QVBoxLayout(self)
        rows.setContentsMargins(8, 8, 8, 8)
        rows.setSpacing(4)
        top = QHBoxLayout()
        top.addWidget(self.overall, 0, Qt.AlignmentFlag.AlignTop)
        beside = QVBoxLayout()
        beside.setSpacing(3)
        beside.addWidget(self.name)
        grid = QGridLayout()
        for number, (part, word) in enumerate(zip(_PARTS, ("target", "non-target", "new"), strict=True)):
            label = text(word, wraps=False)
            label.setStyleSheet("font-size: 11px;")
            grid.addWidget(label, 0, number)
            grid.addWidget(self.chips[part], 1, number, Qt.AlignmentFlag.AlignLeft)
        grid.setHorizontalSpacing(10)
        grid.setVerticalSpacing(1)
        grid.setColumnStretch(3, 1)
        self.parts = QWidget()
        self.parts.setLayout(grid)
        grid.setContentsMargins(0, 0, 0, 0)
        beside.addWidget(self.parts)
        top.addLayout(beside, 1)
        rows.addLayout(top)
        for one in (self.reason, self.change, self.flags):
            rows.addWidget(one)

    def show_response(self, live: Live, timepoint: int, waits: Unread) -> None:
        """The response of the visit; a category only where nothing is missing for it."""
        found = live.response(self.setting.name, timepoint)
        done = found is not None and not waits.points and not live.problem
        show_category(self.overall, str(found.overall) if done and found and found.overall else "", large=True)
        # At baseline there is nothing to respond to yet.
        self.parts.setVisible(timepoint > 0)
        self.overall.setVisible(timepoint > 0 or not done)
        waiting = {"target": waits.target, "non_target": waits.non_target, "new_lesion": waits.new_lesion}
        for part, chip in self.chips.items():
            value = None if found is None or waiting[part] or live.problem else getattr(found, part)
            if part == "new_lesion":
                _show_new(chip, "" if value is None else str(value))
            else:
                show_category(chip, "" if value is None else str(value))
        self._show_words(live, found, timepoint, waits, done=done)

    def _show_words(
        self, live: Live, found: VisitResponse | None, timepoint: int, waits: Unread, *, done: bool
    ) -> None:
        said, sources = reason_parts(found.reason) if done and found is not None else ("", "")
        self.reason.setText(said or _missing(live, found, waits))
        self.reason.setToolTip(sources)
        change = would_change(live.margins(self.setting.name, timepoint)) if done else ""
        self.change.setText(f"What would change it: {change}" if change else "")
        self.change.setVisible(bool(change))
        flags = found.flags if done and found is not None else ()
        self.flags.setText("⚑ " + "  ⚑ ".join(flags) if flags else "")
        self.flags.setToolTip("\n\n".join(f"{flag}\n{flag_meaning(flag)}" for flag in flags))
        self.flags.setVisible(bool(flags))
        paint(self.change, "quiet")
        paint(self.flags, "warning")
        paint(self.reason, "note" if not done else "quiet")
        if done:
            self.reason.setStyleSheet("")


def _show_new(chip: QLabel, word: str) -> None:
    """Yes in the colour of progression, no in none."""
    colours = {"yes": "PD", "equivocal": "SD", "no": "NA"}
    show_category(chip, colours.get(word, ""))
    chip.setText(word or "open")
    chip.setToolTip(f"new lesion: {word}" if word else "something is missing for it")


def _missing(live: Live, found: VisitResponse | None, waits: Unread) -> str:
    if live.problem:
        return live.problem
    if waits.points:
        first = [point.what for point in waits.points[:_MOST_POINTS]]
        more = len(waits.points) - len(first)
        return "Missing: " + "; ".join(first) + (f"; and {more} more" if more > 0 else "")
    return "no response here: the protocol ends the assessment before this visit" if found is None else ""


class CriteriaBox(Section):
    """A card a criterion."""

    def __init__(self, desk: Desk) -> None:
        super().__init__("Response", "criteria_section")
        self._desk = desk
        self.problem = text("", "problem")
        self.body.addWidget(self.problem)
        self.cards = {s.name: CriterionCard(s) for s in desk.room.case.protocol.criteria}
        for card in self.cards.values():
            self.body.addWidget(card)

    def show_read(self, *, measured: bool) -> None:
        """The responses of the visit shown."""
        room, timepoint = self._desk.room, self._desk.timepoint
        self.title.setText(f"Response at {visit_name(timepoint)}")
        live = room.live() if measured else None
        problem = "measuring…" if live is None else live.problem
        self.problem.setText(problem)
        self.problem.setVisible(bool(problem))
        paint(self.problem, "quiet" if live is None else "error")
        waits = room.unread(timepoint)
        for card in self.cards.values():
            card.setVisible(live is not None and not live.problem)
            if live is not None and not live.problem:
                card.show_response(live, timepoint, waits)
