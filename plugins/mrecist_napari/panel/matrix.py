"""The matrix on the screen: a click on a lesion's visit goes there, a click on its name chooses it."""

from __future__ import annotations

from qtpy.QtCore import QModelIndex, Qt
from qtpy.QtWidgets import QAbstractItemView, QComboBox, QHeaderView, QPushButton, QTableView

from mrecist.model import Role
from mrecist_napari.panel.desk import Desk
from mrecist_napari.panel.matrix_model import MatrixModel
from mrecist_napari.panel.parts import Section, beside, button, choice, let_go, text
from mrecist_napari.panel.style import is_dark, paint

ORGANS = ("liver", "lymph node", "lung", "adrenal", "peritoneum", "portal vein", "bone", "other")
_ROW, _TALL = 24, 36


class Matrix(Section):
    """Lesions by visits with sums, and the buttons that add a lesion."""

    def __init__(self, desk: Desk) -> None:
        super().__init__("Lesions", "matrix_section")
        self._desk = desk
        self.unit = text("viable / whole, mm (node: short axis)", "quiet", wraps=False)
        self.head.addWidget(self.unit)
        self.model = MatrixModel(desk.room, dark=is_dark(self))
        self.table = _table(self.model)
        let_go(self.table)
        self.table.clicked.connect(self._clicked)
        self.table.activated.connect(self._clicked)
        self.table.verticalHeader().sectionClicked.connect(self._row_clicked)
        self.table.horizontalHeader().sectionClicked.connect(
            lambda column: desk.room.look_at(self.model.timepoints[column])
        )
        self.hint = text("Draw the long axis of a lesion, or add one here.", "hint")
        self.organ = choice("new_organ", ((o, o) for o in ORGANS), lambda _organ: None, tip="organ of a new lesion")
        self.add = {
            Role.TARGET: self._adder(Role.TARGET, "+ target"),
            Role.NON_TARGET: self._adder(Role.NON_TARGET, "+ non-target"),
            Role.NEW: self._adder(Role.NEW, "+ new"),
        }
        self.body.addWidget(self.table)
        self.body.addWidget(self.hint)
        self.body.addLayout(beside(self.organ, *self.add.values(), stretch=0))

    def _adder(self, role: Role, words: str) -> QPushButton:
        return button(words, f"add_{role}", lambda: self._add(role), tip=f"add a {role} lesion without drawing it")

    def _add(self, role: Role) -> None:
        room, organ = self._desk.room, self.organ.currentData()
        self._desk.call(lambda: room.look_at_lesion(room.add_lesion(role, "" if organ == "other" else organ)))

    def show_read(self, *, measured: bool) -> None:
        """The read as it stands."""
        self.model.dark = is_dark(self)
        paint(self.unit, "quiet")
        paint(self.hint, "quiet")
        self.model.show_read(measured=measured)
        self.hint.setVisible(not self.model.lesions)
        self.table.setVisible(bool(self.model.lesions))
        follow_up = self._desk.timepoint > 0
        self.add[Role.NEW].setEnabled(follow_up and not self._desk.signed)
        self.add[Role.TARGET].setToolTip(
            "add a part of a split target; a lesion first seen now is new" if follow_up else "add a target lesion"
        )
        for role in (Role.TARGET, Role.NON_TARGET):
            self.add[role].setEnabled(not self._desk.signed)
        self._fit()

    def _fit(self) -> None:
        height = self.table.horizontalHeader().sizeHint().height() + 4
        for row in range(self.model.rowCount()):
            tall = any("\n" in self.model.at(row, c).text for c in range(self.model.columnCount()))
            self.table.setRowHeight(row, _TALL if tall else _ROW)
            height += _TALL if tall else _ROW
        if self.table.horizontalScrollBar().maximum() > 0 or self.model.columnCount() > 4:
            height += self.table.horizontalScrollBar().sizeHint().height()
        self.table.setFixedHeight(height)
        lesion = self._desk.room.looking.lesion
        row = self.model.lesions.index(lesion) if lesion in self.model.lesions else 0
        where = self.model.index(row, self.model.timepoints.index(self._desk.timepoint))
        self.table.setCurrentIndex(where)
        self.table.scrollTo(where)

    def _clicked(self, index: QModelIndex) -> None:
        room, timepoint = self._desk.room, self.model.timepoints[index.column()]
        if timepoint != room.looking.timepoint:
            room.look_at(timepoint)
        if index.row() < len(self.model.lesions):
            room.look_at_lesion(self.model.lesions[index.row()])

    def _row_clicked(self, row: int) -> None:
        if row < len(self.model.lesions):
            self._desk.room.look_at_lesion(self.model.lesions[row])


def _table(model: MatrixModel) -> QTableView:
    table = QTableView()
    table.setObjectName("matrix")
    table.setModel(model)
    table.setSelectionMode(QAbstractItemView.SelectionMode.NoSelection)
    table.setEditTriggers(QAbstractItemView.EditTrigger.NoEditTriggers)
    table.setVerticalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
    table.setHorizontalScrollMode(QAbstractItemView.ScrollMode.ScrollPerPixel)
    table.setCornerButtonEnabled(False)
    table.setTextElideMode(Qt.TextElideMode.ElideRight)
    table.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
    across = table.horizontalHeader()
    across.setSectionResizeMode(QHeaderView.ResizeMode.Stretch)
    across.setMinimumSectionSize(76)
    across.setSectionsClickable(True)
    down = table.verticalHeader()
    down.setSectionResizeMode(QHeaderView.ResizeMode.Fixed)
    down.setDefaultAlignment(Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter)
    down.setFixedWidth(126)
    down.setSectionsClickable(True)
    return table


def organ_box(name: str, pick: object) -> QComboBox:
    """Organs to choose from, or to type."""
    box = choice(name, ((o, o) for o in ORGANS if o != "other"), pick, tip="organ: choose one or type another")  # type: ignore[arg-type]
    box.setEditable(True)
    return box
