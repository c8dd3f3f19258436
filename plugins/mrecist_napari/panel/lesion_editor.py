"""What holds of a lesion at every visit: name, role, kind, organ, station; and taking it out of the read."""

from __future__ import annotations

from qtpy.QtCore import Signal
from qtpy.QtWidgets import QGridLayout, QLineEdit, QWidget

from mrecist.model import Kind, Role
from mrecist.session.actions import ChangeLesion, RemoveLesion
from mrecist_napari.panel.desk import Desk
from mrecist_napari.panel.matrix import organ_box
from mrecist_napari.panel.parts import beside, button, choice, choose, text


class LesionEditor(QWidget):
    """A small form over the chosen lesion; nothing changes before "apply"."""

    done = Signal()

    def __init__(self, desk: Desk) -> None:
        super().__init__()
        self._desk = desk
        self._lesion = ""
        self.name = QLineEdit()
        self.name.setObjectName("edit_name")
        self.name.setToolTip("the name in every table; fixed once a visit with the lesion is signed")
        self.rename = button("rename", "rename_lesion", self._rename, tip="give the lesion this name at every visit")
        self.name.returnPressed.connect(self._rename)
        self.role = choice(
            "edit_role", ((str(r), str(r)) for r in Role), lambda _role: None, tip="target, non-target or new"
        )
        self.kind = choice("edit_kind", ((str(k), str(k)) for k in Kind), lambda _kind: None, tip="a node: short axis")
        self.organ = organ_box("edit_organ", lambda _organ: None)
        self.station = QLineEdit()
        self.station.setObjectName("edit_station")
        self.station.setPlaceholderText("segment or station")
        self.station.setToolTip("where in the organ: a liver segment, a nodal station")
        self.apply = button("apply", "apply_lesion", self._apply, tip="change what the lesion is at every visit")
        self.remove = button(
            "remove the lesion", "remove_lesion", self._remove, tip="with all that is said of it; undo brings it back"
        )
        grid = QGridLayout(self)
        grid.setContentsMargins(0, 0, 0, 0)
        grid.setSpacing(4)
        for number, (words, box) in enumerate(
            (("role", self.role), ("kind", self.kind), ("organ", self.organ), ("station", self.station))
        ):
            grid.addWidget(text(words, wraps=False), number // 2 + 1, number % 2 * 2)
            grid.addWidget(box, number // 2 + 1, number % 2 * 2 + 1)
        grid.addWidget(text("name", wraps=False), 0, 0)
        grid.addWidget(self.name, 0, 1)
        grid.addWidget(self.rename, 0, 2, 1, 2)
        grid.setColumnStretch(1, 1)
        grid.setColumnStretch(3, 1)
        grid.addLayout(beside(self.apply, self.remove), 3, 0, 1, 4)

    def show_lesion(self, lesion: str) -> None:
        """Its facts; what is being typed stays until another lesion is chosen or the form is closed."""
        facts = self._desk.room.state.lesions[lesion]
        if self.isVisible() and lesion == self._lesion:
            return
        self._lesion = lesion
        self.name.setText(lesion)
        choose(self.role, str(facts.role))
        choose(self.kind, str(facts.kind))
        self.organ.setEditText(facts.organ)
        self.station.setText(facts.station)

    def _apply(self) -> None:
        change = ChangeLesion(
            lesion=self._lesion,
            role=Role(self.role.currentData()),
            kind=Kind(self.kind.currentData()),
            organ=self.organ.currentText().strip(),
            station=self.station.text().strip(),
        )
        if self._desk.do(change):
            self.done.emit()

    def _rename(self) -> None:
        room, name = self._desk.room, self.name.text().strip()
        if name == self._lesion or self._desk.call(lambda: room.rename_lesion(self._lesion, name)):
            self.done.emit()

    def _remove(self) -> None:
        if self._desk.do(RemoveLesion(lesion=self._lesion)):
            self.done.emit()
            self._desk.room.look_at_lesion("")
