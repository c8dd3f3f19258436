"""A proposal that waits: what it found, as which lesion it would enter the read, and accept or reject."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from mrecist.measure.measured import LesionMeasurement
from mrecist.model import Role
from mrecist_napari.panel.desk import Desk
from mrecist_napari.panel.matrix import organ_box
from mrecist_napari.panel.parts import Section, beside, button, choice, choose, text
from mrecist_napari.panel.style import paint
from mrecist_napari.panel.texts import proposed_by, visit_name

_NEW = ""


class ProposalBox(Section):
    """Shown only while a proposal waits."""

    def __init__(self, desk: Desk) -> None:
        super().__init__("Proposal", "proposal_section")
        self._desk = desk
        self.sizes = text("", "proposal_sizes")
        self.notes = text("", "proposal_notes")
        self.lesion = choice("proposal_lesion", (), self._choose_lesion, tip="the lesion that this is")
        self.role = choice(
            "proposal_role",
            ((str(r), str(r)) for r in Role),
            lambda role: self._change(role=Role(role)),
            tip="target, non-target or new",
        )
        self.organ = organ_box("proposal_organ", lambda organ: self._change(organ=organ))
        self.organ.lineEdit().editingFinished.connect(self._organ_typed)
        self.accept = button(
            "Accept  (Return)", "accept", lambda: desk.call(desk.room.accept), tip="make it part of the read"
        )
        self.accept.setProperty("primary", True)
        self.reject = button(
            "Reject  (Esc)",
            "reject",
            lambda: desk.call(lambda: desk.room.offer(None)),
            tip="take it away; nothing changes",
        )
        self.body.addWidget(self.sizes)
        self.body.addWidget(self.notes)
        self.body.addLayout(beside(self.lesion, self.role, self.organ))
        self.body.addLayout(beside(self.accept, self.reject, stretch=0))

    def show_read(self) -> None:
        """The proposal that waits, or nothing."""
        pending = self._desk.room.pending
        self.setVisible(pending is not None)
        if pending is None:
            return
        found = pending.proposal
        name = pending.lesion or f"a {pending.role} lesion"
        self.title.setText(f"Proposal for {name} at {visit_name(pending.timepoint)}")
        self.sizes.setText(_sizes(found.measurement))
        self.notes.setText("\n".join(f"• {note}" for note in (proposed_by(found.provenance), *found.notes)))
        paint(self.notes, "quiet")
        self.lesion.clear()
        self.lesion.addItem("another lesion", _NEW)
        for known in self._desk.room.state.lesions:
            self.lesion.addItem(known, known)
        choose(self.lesion, pending.lesion)
        choose(self.role, str(pending.role))
        if not self.organ.lineEdit().hasFocus():
            self.organ.setEditText(pending.organ)
        for box in (self.role, self.organ):
            box.setEnabled(not pending.lesion)
        self.accept.setEnabled(not self._desk.signed)

    def _choose_lesion(self, lesion: str) -> None:
        facts = self._desk.room.state.lesions.get(lesion)
        if facts is None:
            self._change(lesion="")
        else:
            self._change(lesion=lesion, role=facts.role, organ=facts.organ)

    def _organ_typed(self) -> None:
        pending = self._desk.room.pending
        organ = self.organ.currentText().strip()
        if pending is not None and not pending.lesion and organ != pending.organ:
            self._change(organ=organ)

    def _change(self, **changes: Any) -> None:
        pending = self._desk.room.pending
        if pending is not None:
            self._desk.room.offer(replace(pending, **changes))


def _sizes(measurement: LesionMeasurement) -> str:
    """Diameters in mm, before the protocol's rounding; a viable part that nobody judged is not one of 0 mm."""
    if measurement.viable is not None:
        viable = f"viable {measurement.viable.mm:.1f} mm"
    else:
        viable = "viable 0 mm" if measurement.viable_is_empty else "viable part not judged here"
    return f"whole {measurement.longest.mm:.1f} mm · short axis {measurement.short.mm:.1f} mm · {viable}"
