"""The visit before, in a second pane that follows the first in millimetres."""

from __future__ import annotations

from typing import Any

from mrecist.session.case import CaseVisit
from mrecist_napari.layout import KeepsHalf, main_window, share, show_lists
from mrecist_napari.pane import Pane


class PriorPane:
    """A second viewer in a dock of the first.

    ``offset_mm`` is added to the position of the current visit: patients lie differently from one visit to the next.
    """

    def __init__(self, viewer: Any, current: Pane) -> None:
        from napari.components import ViewerModel
        from napari.qt import QtViewer

        self.model = ViewerModel(title="prior")
        self.pane = Pane(self.model)
        self.offset_mm = 0.0
        self.linked = True
        self._current = current
        self._busy = False
        self.widget = QtViewer(self.model)
        self.dock = viewer.window.add_dock_widget(self.widget, name="prior visit", area="left")
        self.main = main_window(self.dock)
        self._half = KeepsHalf(self.main, self.dock)
        show_lists(self.main, False)
        viewer.dims.events.point.connect(self._follow)
        self.model.dims.events.point.connect(self._lead)
        viewer.scene.camera.events.connect(self._same_view)

    def clear(self, visit: CaseVisit | None) -> None:
        """Take everything away; without a visit the dock is hidden."""
        self.pane.clear()
        self.offset_mm = 0.0  # it was that of two other visits
        self.dock.setVisible(visit is not None)
        share(self.main, self.dock)

    def link_here(self) -> None:
        """The two slices that are shown now belong together."""
        if self.pane.series is None or self._current.series is None:
            return
        self.offset_mm = self.model.dims.point[0] - self._current.viewer.dims.point[0]
        self.linked = True

    def nudge(self, slices: int) -> None:
        """Move the prior visit alone by so many slices."""
        if self.pane.series is None:
            return
        self._busy = True
        self.pane.go_to_slice(self.pane.slice_index + slices)
        self._busy = False
        self.link_here()

    def _follow(self, _event: object = None) -> None:
        self._move(self._current, self.pane, self.offset_mm)

    def _lead(self, _event: object = None) -> None:
        self._move(self.pane, self._current, -self.offset_mm)

    def _move(self, one: Pane, other: Pane, offset: float) -> None:
        if self._busy or not self.linked or one.viewer.dims.ndim < 3 or other.viewer.dims.ndim < 3:
            return
        if one.series is None or other.series is None:
            return
        self._busy = True
        try:
            index = other.grid.to_index((one.viewer.dims.point[0] + offset, 0, 0))[0]
            other.go_to_slice(round(index))
        finally:
            self._busy = False

    def _same_view(self, _event: object = None) -> None:
        here, there = self._current.viewer.scene.camera, self.model.scene.camera
        if there.zoom != here.zoom:
            there.zoom = here.zoom
        if tuple(there.center) != tuple(here.center):
            there.center = here.center
