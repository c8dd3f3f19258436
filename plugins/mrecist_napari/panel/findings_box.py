"""What stands between the visit and its signature, and what ``mrecist check`` finds in the read as it stands."""

from __future__ import annotations

from qtpy.QtWidgets import QVBoxLayout

from mrecist.checklist import Severity
from mrecist.checks.finding import Finding
from mrecist.session.checklist import OpenPoint
from mrecist_napari.panel.desk import Desk
from mrecist_napari.panel.parts import ClickRow, Section, button, empty, text
from mrecist_napari.panel.style import SEVERITY_GLYPHS, is_dark, paint
from mrecist_napari.panel.texts import visit_name

_ORDER = list(Severity)
# A lesion without a word is an open point already.
_SAID_ABOVE = ("target_without_row", "non_target_without_row", "new_lesion_without_row")


class FindingsBox(Section):
    """Open points first, then findings by severity; a click chooses the lesion."""

    def __init__(self, desk: Desk) -> None:
        super().__init__("Before signing", "findings_section")
        self._desk = desk
        self._shown: object = None
        self.all_visits = button("all visits", "all_visits", self._again, tip="findings of all visits", checkable=True)
        self.head.addWidget(self.all_visits)
        self.points = QVBoxLayout()
        self.findings = QVBoxLayout()
        self.nothing = text("Nothing is open.", "nothing_open")
        for layout in (self.points, self.findings):
            layout.setSpacing(3)
        self.body.addWidget(self.nothing)
        self.body.addLayout(self.points)
        self.body.addLayout(self.findings)

    def _again(self) -> None:
        self._shown = None
        self.show_read(measured=not self._desk.room.unmeasured())

    def show_read(self, *, measured: bool) -> None:
        """The points and findings of the visit shown; nothing is built again where nothing changed."""
        room, timepoint = self._desk.room, self._desk.timepoint
        points = room.open_points(timepoint) if measured and not self._desk.signed else ()
        found = room.live().findings if measured else ()
        wanted = [f for f in found if self.all_visits.isChecked() or f.timepoint in (None, timepoint)]
        said = {point.lesion for point in points}
        wanted = [
            f for f in wanted if not (f.check in _SAID_ABOVE and f.timepoint == timepoint and said >= {*f.lesion})
        ]
        now = (points, wanted, measured, is_dark(self), self._desk.signed)
        if now == self._shown:
            return
        self._shown = now
        empty(self.points)
        empty(self.findings)
        for number, point in enumerate(points):
            self.points.addWidget(self._point(point, number))
        for number, finding in enumerate(sorted(wanted, key=lambda f: _ORDER.index(f.severity))):
            self.findings.addWidget(self._finding(finding, number))
        self.nothing.setVisible(measured and not points)
        self.nothing.setText("✓ Signed." if self._desk.signed else "✓ Nothing is open.")
        paint(self.nothing, "good")

    def _point(self, point: OpenPoint, number: int) -> ClickRow:
        words = self._desk.room.keeping.words(point.what)
        row = ClickRow("☐", words[:1].upper() + words[1:], f"point_{number}")
        self._wire(row, point.lesion, None)
        return row

    def _finding(self, finding: Finding, number: int) -> ClickRow:
        elsewhere = finding.timepoint not in (None, self._desk.timepoint)
        at = f" ({visit_name(finding.timepoint)})" if elsewhere and finding.timepoint is not None else ""
        words = self._desk.room.keeping.words(f"{finding.what}{at}. {finding.what_to_do}")
        row = ClickRow(SEVERITY_GLYPHS[str(finding.severity)], words, f"finding_{number}")
        row.setToolTip(f"{finding.severity}: {finding.check}\n{finding.why}\n{', '.join(finding.criterion)}".strip())
        paint(row.mark, str(finding.severity))
        row.setProperty("severity", str(finding.severity))
        self._wire(row, finding.lesion[0] if finding.lesion else "", finding.timepoint)
        return row

    def _wire(self, row: ClickRow, lesion: str, timepoint: int | None) -> None:
        room = self._desk.room

        def go() -> None:
            if timepoint is not None and timepoint != room.looking.timepoint:
                self._desk.call(lambda: room.look_at(timepoint))
            if lesion in room.state.lesions:
                room.look_at_lesion(lesion)

        row.clicked.connect(go)
