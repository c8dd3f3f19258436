"""The lesion by visit matrix as a Qt table model: lesions first, then the sums of each criterion."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from qtpy.QtCore import QAbstractTableModel, QModelIndex, Qt
from qtpy.QtGui import QColor, QFont, QPainter, QPixmap

from mrecist.model import Kind, State
from mrecist.report.look import look_of
from mrecist.session.checklist import cell
from mrecist.session.room import Room
from mrecist.session.state import LesionFacts, Mark
from mrecist.session.sums import SumRow, sum_rows
from mrecist_napari.panel.style import GLYPHS, ROLE_COLOURS, colour
from mrecist_napari.panel.texts import day_text, split_from, visit_name

# Words that fit a cell; the whole word is in its tooltip.
_SHORT = {
    "not-evaluable": "NE",
    "too-small": "too small",
    "progressed": "progr.",
    "unequivocal": "new",
    "equivocal": "equiv.",
}
_LONGEST = 14
_CHANGES = {"baseline": "% from BL", "nadir": "% from nadir\nin {unit}"}


@dataclass(frozen=True, slots=True)
class Shown:
    """One cell."""

    text: str
    tip: str = ""
    tone: str = ""
    manual: bool = False
    bold: bool = False
    category: str = ""


class MatrixModel(QAbstractTableModel):
    """Rows are lesions, then sums; columns are visits."""

    def __init__(self, room: Room, *, dark: bool) -> None:
        super().__init__()
        self._room = room
        self.dark = dark
        self.timepoints = tuple(v.timepoint for v in room.case.visits)
        self.lesions: tuple[str, ...] = ()
        self._facts: dict[str, LesionFacts] = {}
        self._cells: dict[tuple[str, int], Shown] = {}
        self._sums: tuple[SumRow, ...] = ()
        self._looking: tuple[int, str] = (self.timepoints[0], "")

    def show_read(self, *, measured: bool) -> None:
        """The read as it stands; ``measured`` False: sizes that are not there yet say so."""
        room = self._room
        live = room.live() if measured else None
        self.beginResetModel()
        self._looking = room.looking.timepoint, room.looking.lesion
        self._facts = dict(room.state.lesions)
        self.lesions = tuple(self._facts)
        self._cells = {}
        for lesion in self.lesions:
            for timepoint, mark in room.state.history(lesion).items():
                if live is None:
                    shown = Shown("measuring…" if mark.mask is not None else str(mark.state), tone="quiet")
                else:
                    shown = _cell(mark, cell(mark, live.row(timepoint, lesion)).text, self._facts[lesion])
                self._cells[lesion, timepoint] = shown
        self._sums = () if live is None else sum_rows(live, room.state, room.case, room.looking.timepoint)
        self.endResetModel()

    @property
    def sums(self) -> tuple[SumRow, ...]:
        """The rows below the lesions."""
        return self._sums

    def rowCount(self, _parent: QModelIndex | None = None) -> int:  # noqa: N802 - Qt's name
        """Lesions and sums."""
        return len(self.lesions) + len(self._sums)

    def columnCount(self, _parent: QModelIndex | None = None) -> int:  # noqa: N802 - Qt's name
        """Visits."""
        return len(self.timepoints)

    def at(self, row: int, column: int) -> Shown:
        """What a cell shows."""
        timepoint = self.timepoints[column]
        if row < len(self.lesions):
            nothing = Shown("", f"{self.lesions[row]}: nothing said at {visit_name(timepoint)}; that is not 0 mm")
            return self._cells.get((self.lesions[row], timepoint), nothing)
        line = self._sums[row - len(self.lesions)]
        found = line.cells.get(timepoint)
        if found is None:
            return Shown("")
        tone = "quiet" if found.open else "viable" if line.viable else "whole"
        is_sum = line.measure == "sum"
        if line.measure == "overall":
            return Shown(
                found.text,
                found.why,
                "quiet" if found.open else "",
                bold=True,
                category="" if found.open else found.text,
            )
        text = "incompl." if found.text == "incomplete" else found.text
        return Shown(text + (" ▼" if found.nadir else ""), found.why, tone if is_sum else "", bold=is_sum)

    def data(self, index: QModelIndex, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        """Text, colour and tooltip of a cell."""
        shown = self.at(index.row(), index.column())
        if role == Qt.ItemDataRole.DisplayRole:
            return shown.text
        if role == Qt.ItemDataRole.ToolTipRole:
            return shown.tip
        if role == Qt.ItemDataRole.TextAlignmentRole:
            return int(Qt.AlignmentFlag.AlignCenter)
        if role == Qt.ItemDataRole.ForegroundRole and shown.category:
            return QColor(look_of(shown.category).ink)
        if role == Qt.ItemDataRole.ForegroundRole and shown.tone:
            return colour(shown.tone, dark=self.dark)
        if role == Qt.ItemDataRole.FontRole:
            return _font(bold=shown.bold, italic=shown.manual)
        if role == Qt.ItemDataRole.BackgroundRole:
            return (
                QColor(look_of(shown.category).fill)
                if shown.category
                else self._background(index.row(), index.column())
            )
        return None

    def _background(self, row: int, column: int) -> QColor | None:
        timepoint, lesion = self._looking
        here = self.timepoints[column] == timepoint
        chosen = row < len(self.lesions) and self.lesions[row] == lesion
        strength = 110 if here and chosen else 45 if here or chosen else 0
        return QColor(86, 180, 233, strength) if strength else None

    def headerData(  # noqa: N802 - Qt's name
        self, section: int, orientation: Qt.Orientation, role: int = Qt.ItemDataRole.DisplayRole
    ) -> Any:
        """Visits above; names of lesions and sums at the left."""
        if orientation == Qt.Orientation.Horizontal:
            return self._visit_head(self.timepoints[section], role)
        if section < len(self.lesions):
            return self._lesion_head(self.lesions[section], role)
        return self._sum_head(self._sums[section - len(self.lesions)], role)

    def _visit_head(self, timepoint: int, role: int) -> Any:
        if role == Qt.ItemDataRole.DisplayRole:
            return visit_name(timepoint)
        if role == Qt.ItemDataRole.ToolTipRole:
            said = self._room.keeping.words(self._room.case.visit(timepoint).date.isoformat())
            return ", ".join(dict.fromkeys((said, day_text(self._room.case, timepoint))))
        if role == Qt.ItemDataRole.FontRole:
            return _font(bold=timepoint == self._looking[0])
        return None

    def _lesion_head(self, lesion: str, role: int) -> Any:
        facts = self._facts[lesion]
        if role == Qt.ItemDataRole.DisplayRole:
            return f"{lesion}  {facts.station or facts.organ}"
        if role == Qt.ItemDataRole.DecorationRole:
            return _dot(ROLE_COLOURS[facts.role])
        if role == Qt.ItemDataRole.ToolTipRole:
            return f"{lesion}: {facts.role} {facts.kind}, {facts.organ or 'no organ'} {facts.station}".strip()
        if role == Qt.ItemDataRole.FontRole:
            return _font(bold=lesion == self._looking[1])
        return None

    def _sum_head(self, line: SumRow, role: int) -> Any:
        if role == Qt.ItemDataRole.DisplayRole:
            if line.measure in ("sum", "overall"):
                names = " ".join(title.removesuffix(" (HCC)") for title in line.titles)
                return _cut(f"Σ {names}" if line.measure == "sum" else names)
            return _CHANGES[line.measure].format(unit=line.unit)
        if role == Qt.ItemDataRole.ToolTipRole and line.measure == "overall":
            return f"overall response by {line.titles[0]}"
        if role == Qt.ItemDataRole.ToolTipRole:
            added = "viable" if line.viable else "whole"
            return (
                f"sum of the {added} sizes in {line.unit}: {', '.join(line.titles)}; ▼ is the nadir before this visit"
            )
        if role == Qt.ItemDataRole.ForegroundRole and line.measure == "sum":
            return colour("viable" if line.viable else "whole", dark=self.dark)
        if role == Qt.ItemDataRole.FontRole:
            return _font(bold=line.measure in ("sum", "overall"))
        return None


def _cell(mark: Mark, said: str, facts: LesionFacts) -> Shown:
    glyph = GLYPHS[mark.state]
    by_hand = bool(mark.lines or mark.sizes)
    words = _SHORT.get(said, said)
    if mark.state is State.MERGED:
        words = f"in {mark.part_of}"
    tip = [f"{mark.state}" + (f" into {mark.part_of}" if mark.state is State.MERGED else "")]
    if mark.state in (State.MEASURED, State.TOO_SMALL) and "/" in said:
        tip.append("viable / whole, mm")
    if facts.kind is Kind.NODE:
        tip.append("short axis, mm")
    if by_hand:
        tip.append("set by hand: " + ", ".join([*mark.lines, *mark.sizes]))
    if split_from(mark):
        tip.append(f"part of {split_from(mark)}")
    tip += [f"{name}: {word}" for name, word in mark.words.items()]
    if mark.comment:
        tip.append(mark.comment)
    text = f"{glyph} {words}".strip() + (" ✎" if by_hand else "")
    return Shown(text, "\n".join(tip), manual=by_hand)


def _cut(name: str) -> str:
    """A name that fits the head of a row."""
    return name if len(name) <= _LONGEST else name[: _LONGEST - 1] + "…"


def _dot(name: str) -> QPixmap:
    """A round mark in the colour of a role."""
    picture = QPixmap(10, 10)
    picture.fill(QColor(0, 0, 0, 0))
    painter = QPainter(picture)
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    painter.setBrush(QColor(name))
    painter.setPen(QColor(0, 0, 0, 0))
    painter.drawEllipse(1, 1, 8, 8)
    painter.end()
    return picture


def _font(*, bold: bool = False, italic: bool = False) -> QFont:
    font = QFont()
    font.setBold(bold)
    font.setItalic(italic)
    return font
