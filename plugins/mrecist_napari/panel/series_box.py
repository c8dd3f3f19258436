"""The series of the visit with their phases, why each is taken for that phase, and the phase by the reader's eye."""

from __future__ import annotations

from collections.abc import Callable

from qtpy.QtWidgets import QComboBox

from mrecist.imaging.phase import PhaseName
from mrecist.imaging.series import Series
from mrecist.reading import row_phase
from mrecist.session.actions import StatePhase
from mrecist_napari.panel.desk import Desk
from mrecist_napari.panel.parts import ClickRow, Section, beside, choice, choose, empty, text
from mrecist_napari.panel.style import ink, is_dark


class SeriesBox(Section):
    """One row a series."""

    def __init__(self, desk: Desk) -> None:
        super().__init__("Series and phases", "series_section")
        self._desk = desk
        self._shown: object = None
        self.boxes: dict[str, QComboBox] = {}

    def show_read(self) -> None:
        """The series of the visit; nothing is built again where nothing changed."""
        desk = self._desk
        now = (desk.room.visit, desk.room.series, dict(desk.room.state.phases), desk.signed, is_dark(self))
        if now == self._shown:
            return
        self._shown = now
        empty(self.body)
        self.boxes = {}
        for series in desk.room.visit.series:
            self._add(series)
        refused = desk.room.case.refused
        if refused:
            self.body.addWidget(text("Not used: " + "; ".join(refused), "refused"))

    def _add(self, series: Series) -> None:
        desk = self._desk
        measuring = desk.room.case.protocol.measuring
        sure = row_phase(series, measuring) != PhaseName.UNKNOWN
        shown = series == desk.room.series
        line = ClickRow("▶" if shown else " ", series.description or series.uid, f"series_{series.uid}")
        line.clicked.connect(lambda: desk.room.look_at_series(series))
        box = choice(
            f"phase_{series.uid}", _phases(series, sure=sure), self._stater(series), tip="the phase by your eye"
        )
        box.setMinimumContentsLength(13)
        choose(box, desk.room.state.phases.get(series.uid, ""))
        box.setEnabled(not desk.signed)
        self.boxes[series.uid] = box
        self.body.addLayout(beside(line, box, stretch=0))
        why = text(_why(series, "" if sure else measuring.phase_confidence), f"evidence_{series.uid}")
        name = "quiet" if sure else "warning"
        why.setStyleSheet(f"color: {ink(name, dark=is_dark(self))}; font-size: 11px; margin-left: 20px;")
        why.setToolTip("\n".join(series.phase.evidence))
        self.body.addWidget(why)

    def _stater(self, series: Series) -> Callable[[str], None]:
        def state(phase: str) -> None:
            if phase != self._desk.room.state.phases.get(series.uid, ""):
                self._desk.do(StatePhase(series_uid=series.uid, phase=phase))
                self._shown = None
                self.show_read()

        return state


def _phases(series: Series, *, sure: bool) -> list[tuple[str, str]]:
    first = f"{series.phase.name}".lower() if sure else "state the phase…"
    return [("", first), *((str(p), f"{p}".lower() + " (stated)") for p in PhaseName if p is not PhaseName.UNKNOWN)]


def _why(series: Series, asked: str) -> str:
    said = "; ".join(series.phase.evidence) or "the headers do not say"
    if series.phase.name == PhaseName.UNKNOWN:
        return f"phase not known: {said}"
    if asked:
        name = str(series.phase.name).lower()
        return f"{name} with {series.phase.confidence} confidence only, the protocol asks for {asked}: {said}"
    return f"{series.phase.confidence} confidence: {series.phase.evidence[0] if series.phase.evidence else ''}"
