"""The subjects of a study to choose from, with what the reader has done. Pure Qt; it needs no viewer."""

from __future__ import annotations

from collections.abc import Sequence

from qtpy.QtCore import Qt, Signal
from qtpy.QtWidgets import (
    QAbstractItemView,
    QHeaderView,
    QLabel,
    QPushButton,
    QTableWidget,
    QTableWidgetItem,
    QVBoxLayout,
    QWidget,
)

from mrecist.session.worklist import Work, next_work
from mrecist_napari.panel.texts import visit_name

_COLUMNS = ("subject", "visits", "state")
_TIPS = (
    "who is read",
    "✓ signed, ○ not signed",
    "how far the read is; a double click or Return opens it",
)


class Worklist(QWidget):
    """A table of subjects; ``chosen`` tells the one to read."""

    chosen = Signal(str)

    def __init__(self) -> None:
        super().__init__()
        self.setObjectName("worklist")
        self.title = QLabel("")
        self.title.setObjectName("worklist_title")
        self.title.setWordWrap(True)
        self.table = QTableWidget(0, len(_COLUMNS))
        self.table.setObjectName("worklist_table")
        self.table.setHorizontalHeaderLabels(_COLUMNS)
        for number, tip in enumerate(_TIPS):
            self.table.horizontalHeaderItem(number).setToolTip(tip)
        self.table.verticalHeader().hide()
        self.table.setSelectionBehavior(QAbstractItemView.SelectionBehavior.SelectRows)
        self.table.setSelectionMode(QAbstractItemView.SelectionMode.SingleSelection)
        self.table.setEditTriggers(QAbstractItemView.EditTrigger.NoEditTriggers)
        self.table.horizontalHeader().setSectionResizeMode(QHeaderView.ResizeMode.ResizeToContents)
        self.table.horizontalHeader().setStretchLastSection(True)
        self.said = QLabel("")
        self.said.setObjectName("worklist_said")
        self.said.setWordWrap(True)
        self.read = QPushButton("Read")
        self.read.setObjectName("worklist_read")
        column = QVBoxLayout(self)
        for one in (self.title, self.table, self.said, self.read):
            column.addWidget(one)
        self.read.clicked.connect(self._choose)
        self.table.itemActivated.connect(lambda _item: self._choose())
        self.table.itemSelectionChanged.connect(self._enable)
        self._works: tuple[Work, ...] = ()
        self._here = ""
        self._enable()

    @property
    def subject(self) -> str:
        """The subject that is chosen in the list; empty when none is."""
        row = self.table.currentRow()
        return self._works[row].subject if 0 <= row < len(self._works) and self.table.selectedItems() else ""

    def show_works(self, works: Sequence[Work], *, here: str = "", title: str = "", who: str = "subject") -> None:
        """Fill the table and choose the subject to read next; ``here`` is the one that is open in this window.

        ``who`` heads the first column: a store calls its subjects cases.
        """
        self._works, self._here = tuple(works), here
        self.table.horizontalHeaderItem(0).setText(who)
        self.read.setToolTip(f"open the {who} that is chosen in the list")
        self.title.setText(title)
        self.table.setRowCount(len(works))
        for row, work in enumerate(works):
            words = (work.subject, _visits(work), _state(work, here=work.subject == here))
            for column, text in enumerate(words):
                item = QTableWidgetItem(text)
                item.setToolTip(work.problem or words[2])
                self.table.setItem(row, column, item)
        following = next_work(works, here)
        self.choose(following.subject if following is not None else here)

    def choose(self, subject: str) -> None:
        """Put the choice on a subject."""
        names = [work.subject for work in self._works]
        if subject in names:
            self.table.selectRow(names.index(subject))
        self._enable()

    def say(self, words: str) -> None:
        """One line below the table."""
        self.said.setText(words)
        self.said.setVisible(bool(words))

    def _enable(self) -> None:
        work = next((one for one in self._works if one.subject == self.subject), None)
        self.read.setEnabled(work is not None and not work.problem and work.subject != self._here)
        self.read.setText("Read" if work is None else f"Read {work.subject}")

    def _choose(self) -> None:
        if self.read.isEnabled():
            self.chosen.emit(self.subject)


def start_window(box: Worklist) -> Worklist:
    """The list as a small window of its own, in napari's colours."""
    from napari.qt import get_current_stylesheet

    box.setStyleSheet(get_current_stylesheet())
    box.setWindowFlag(Qt.WindowType.Window)
    box.setWindowTitle("mrecist: subjects")
    box.resize(560, 420)
    return box


def _visits(work: Work) -> str:
    return "  ".join(f"{visit_name(t)} {'✓' if t in work.signed else '○'}" for t in work.visits)


def _state(work: Work, *, here: bool) -> str:
    if work.problem:
        return f"cannot be read: {work.problem}"
    words = [work.state]
    if (work.state == "open" and work.next_visit is not None) or work.day is not None:
        day = "" if work.day is None else f" (day {work.days})"
        words.append(f"next {visit_name(work.next_visit or 0)}{day}")
    words += [f"{visit_name(t)} is being amended" for t in work.amending]
    if here:
        words.append("open here")
    elif work.elsewhere:
        words.append("open in another window")
    if work.unwritten:
        words.append("files not written yet" if work.day is None else "not in the store yet")
    return ", ".join(words)
