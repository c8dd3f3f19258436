"""The foot of the panel: sign the visit, or open a signed one again with a reason."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from qtpy.QtCore import Qt
from qtpy.QtGui import QKeySequence
from qtpy.QtWidgets import QComboBox, QFrame, QLineEdit, QShortcut, QVBoxLayout

from mrecist.errors import MrecistError
from mrecist.session.signed import MEANING
from mrecist_napari.panel.desk import Desk
from mrecist_napari.panel.parts import beside, button, text
from mrecist_napari.panel.style import paint
from mrecist_napari.panel.texts import visit_name

MEANINGS = (MEANING, "reviewed and approved", "adjudicated")


class Signing(QFrame):
    """One button until it is pressed; then the name, and the meaning or the reason."""

    def __init__(self, desk: Desk) -> None:
        super().__init__()
        self.setObjectName("section")
        self._desk = desk
        self._asked = False
        self._of: tuple[int, bool] | None = None
        self._writing = False
        self._retrying = False
        self.said = text("", "signed_by")
        self.anchor = QLineEdit()
        self.anchor.setObjectName("anchor")
        self.anchor.setReadOnly(True)
        self.anchor.setFocusPolicy(Qt.FocusPolicy.ClickFocus)
        self.anchor.setToolTip("what the audit trail is after the signature: note it elsewhere")
        self.start = button("", "start_signing", self._ask, tip="sign the visit, or open a signed one again")
        self.start.setProperty("primary", True)
        self.write_again = button(
            desk.room.keeping.again, "write_again", self.try_again, tip="masks and tables of what is signed"
        )
        self.name = QLineEdit()
        self.name.setObjectName("signer")
        self.name.setPlaceholderText("your name")
        self.name.setToolTip("who signs; kept with the signature")
        self.meaning = QComboBox()
        self.meaning.setObjectName("meaning")
        self.meaning.addItems(MEANINGS)
        self.meaning.setEditable(True)
        self.meaning.setToolTip("what the signature stands for; choose or type")
        self.reason = QLineEdit()
        self.reason.setObjectName("reopen_reason")
        self.reason.setPlaceholderText("reason, which is kept")
        self.reason.setToolTip("why a signed visit is opened again; it stays in the record")
        self.confirm = button(
            "", "confirm_signing", self._confirm, tip="a name is needed, and for opening again a reason"
        )
        self.confirm.setProperty("primary", True)
        self.cancel = button("Cancel", "cancel_signing", self._cancel, tip="leave it as it is")
        # Held down, the key that opened the form must not sign.
        again = QShortcut(QKeySequence("Ctrl+Return"), self)
        again.setContext(Qt.ShortcutContext.WidgetWithChildrenShortcut)
        again.setAutoRepeat(False)
        again.activated.connect(self.ask)
        self.name.textChanged.connect(lambda _text: self._enable())
        self.reason.textChanged.connect(lambda _text: self._enable())
        self._lay_out()

    def _lay_out(self) -> None:
        rows = QVBoxLayout(self)
        rows.setContentsMargins(10, 8, 10, 8)
        rows.setSpacing(6)
        for one in (self.said, self.anchor, self.start, self.write_again, self.name, self.meaning, self.reason):
            rows.addWidget(one)
        rows.addLayout(beside(self.confirm, self.cancel, stretch=0))

    # --- showing ---------------------------------------------------------------------------------------------------

    def show_read(self, *, measured: bool) -> None:
        """The visit shown: open with so many points, ready, or signed by whom."""
        desk = self._desk
        now = desk.timepoint, desk.signed
        if now != self._of:
            self._asked, self._of = False, now
        visit = visit_name(desk.timepoint)
        signature = desk.room.state.visit(desk.timepoint).signature
        points = len(desk.room.open_points(desk.timepoint)) if measured and signature is None else 0
        keeping = desk.room.keeping
        closed = "" if signature is None else keeping.why_closed(desk.timepoint)
        self.start.setText(_start_words(visit, keeping.reopening if signature is not None else "", points))
        self.start.setEnabled(not closed if signature is not None else measured and not points)
        self.start.setToolTip(closed or "sign the visit, or open a signed one again")
        behind = self._behind
        self._show_anchor()
        self.said.setVisible(signature is not None or bool(behind) or bool(self.anchor.text()))
        if signature is not None:
            said = f"✓ {visit} signed by {signature.name} at {signature.at}: {signature.meaning}"
            self.said.setText(said + ("; in the store, with the anchor" if self.anchor.text() else ""))
        if behind:
            self.said.setText(f"{visit}: {behind}")
        paint(self.said, "error" if behind else "good")
        self.write_again.setVisible(bool(behind))
        if not self.start.isEnabled():
            self._asked = False
        self._show_form(signed=signature is not None)

    def _show_anchor(self) -> None:
        """The anchor of the visit, or of the one that was signed before it while it is open: to be noted."""
        room, now = self._desk.room, self._desk.timepoint
        signed = [v.timepoint for v in room.case.visits if room.state.visit(v.timepoint).signature is not None]
        last = max((t for t in signed if t <= now), default=None)
        self.anchor.setText("" if last is None or room.unwritten else room.keeping.anchor(last))
        self.anchor.setCursorPosition(0)
        self.anchor.setVisible(bool(self.anchor.text()))
        if last is not None and last != now:
            self.said.setText(f"✓ {visit_name(last)} is locked and signed in the store, with the anchor")

    def _show_form(self, *, signed: bool) -> None:
        self.start.setVisible(not self._asked)
        for one in (self.name, self.confirm, self.cancel):
            one.setVisible(self._asked)
        self.meaning.setVisible(self._asked and not signed)
        self.reason.setVisible(self._asked and signed)
        visit = visit_name(self._desk.timepoint)
        again = self._desk.room.keeping.reopening.format(visit=visit)
        self.confirm.setText(again if signed else f"Sign {visit}")
        self._enable()

    def _enable(self) -> None:
        needed = bool(self.name.text().strip()) and (not self._desk.signed or bool(self.reason.text().strip()))
        self.confirm.setEnabled(needed and not self._writing)

    # --- doing -----------------------------------------------------------------------------------------------------

    def ask(self) -> None:
        """As the buttons, for a key: first the form, then the signature; what stands against it is told."""
        if self._asked and self.confirm.isEnabled():
            self._confirm()
        elif self._asked:
            self._desk.message(
                "the signature needs your name" if not self.reason.isVisible() else "give name and reason"
            )
        elif self.start.isEnabled():
            self._ask()
        else:
            self._desk.message(self._why_not())

    def _why_not(self) -> str:
        room, visit = self._desk.room, visit_name(self._desk.timepoint)
        if self._desk.signed:
            return room.keeping.why_closed(self._desk.timepoint)
        if room.unmeasured():
            return f"{visit}: its sizes are being measured; sign it when they are there"
        points = "; ".join(point.what for point in room.open_points(self._desk.timepoint))
        return f"{visit} cannot be signed yet: {points}"

    def _ask(self) -> None:
        self._asked = True
        self.reason.clear()
        self._show_form(signed=self._desk.signed)
        self.name.setFocus()

    def _cancel(self) -> None:
        self._asked = False
        self._show_form(signed=self._desk.signed)

    def _confirm(self) -> None:
        room, name = self._desk.room, self.name.text().strip()
        work: Callable[[], object]
        if self._desk.signed:
            reason = self.reason.text().strip()
            work = lambda: room.reopen(name, reason, write=False)  # noqa: E731 - one of two
        else:
            meaning = self.meaning.currentText().strip() or MEANING
            work = lambda: room.sign(name, meaning, write=False)  # noqa: E731 - one of two
        if self._desk.call(work):
            for one in (self.name, self.reason):
                one.clearFocus()  # else the keyboard goes to what stands beside the form
            self._asked = False
            self._write()

    @property
    def _behind(self) -> str:
        """What is signed and not where it belongs, and why; empty when everything is."""
        room = self._desk.room
        return room.keeping.words(f"{room.keeping.behind}: {room.unwritten}") if room.unwritten else ""

    def try_again(self) -> bool:
        """Write again what could not be written; False when there is nothing, or it is under way."""
        if not self._desk.room.unwritten or self._writing:
            return False
        self._retrying = True
        self._write()
        return True

    def _write(self) -> None:
        """The files follow the signature; what stops them is told, and can be tried again."""
        room = self._desk.room
        self._writing = True

        def write() -> str:
            try:
                room.write()
            except (MrecistError, OSError) as error:
                return str(error)
            return ""

        self._desk.later(write, self._written, "writing the signed read")

    def _written(self, trouble: Any) -> None:
        room = self._desk.room
        self._writing, retried, self._retrying = False, self._retrying, False
        room.unwritten = trouble
        self._desk.message(room.keeping.waits(trouble) or self._behind)
        self.show_read(measured=not room.unmeasured())
        if retried and not trouble:
            room.tell_written()


def _start_words(visit: str, reopening: str, points: int) -> str:
    if reopening:
        return reopening.format(visit=visit) + "…"
    if points:
        return f"Sign {visit}: {points} open point{'s' if points > 1 else ''}"
    return f"Sign {visit}…"
