"""The visit before, in a second pane that follows the first in millimetres."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np

from mrecist.session.case import CaseVisit
from mrecist_napari.grid import Point, apart_deg, nearest_index, plane, to_lps
from mrecist_napari.layout import KeepsHalf, main_window, share, show_lists
from mrecist_napari.pane import Pane
from mrecist_napari.settings import settings

PARALLEL_DEG = 5.0
"""Planes that differ by more are not linked: 5 degrees are 9 mm at 100 mm from the middle of the picture."""


class PriorPane:
    """A second viewer in a dock of the first.

    ``offset_mm`` is added to the height of the current visit (along the normal of its slices), ``shift_mm`` to the middle of its
    picture (down, right): patients lie differently from one visit to the next.
    """

    def __init__(self, viewer: Any, current: Pane) -> None:
        from napari.components import ViewerModel
        from napari.qt import QtViewer

        self.model = ViewerModel(title="prior")
        self.pane = Pane(self.model)
        self.offset_mm = 0.0
        self.shift_mm = (0.0, 0.0)
        self.linked = True
        self.linked_by_reader: Callable[[float], None] = lambda _offset: None
        self._current = current
        self._busy = False
        self.widget = QtViewer(self.model)
        self.dock = viewer.window.add_dock_widget(self.widget, name="prior visit", area=settings().prior_side)
        self.main = main_window(self.dock)
        self._half = KeepsHalf(self.main, self.dock)
        show_lists(self.main, False)
        viewer.dims.events.point.connect(self.follow)
        self.model.dims.events.point.connect(self._lead)
        viewer.scene.camera.events.connect(self._same_view)
        self.model.scene.camera.events.connect(self._same_view_there)
        for pane in (current, self.pane):
            pane.watchers.append(lambda what: self.follow() if what == "series" else None)

    def clear(self, visit: CaseVisit | None) -> None:
        """Take everything away; without a visit the dock is hidden. What was linked is not of the next visit."""
        with self.alone():
            self.pane.clear()
        self.offset_mm, self.shift_mm, self.linked = 0.0, (0.0, 0.0), True
        self.dock.setVisible(visit is not None)
        share(self.main, self.dock)

    # --- the link --------------------------------------------------------------------------------------------------

    @property
    def apart_deg(self) -> float:
        """The angle between the planes of the two series shown; 0 where one is missing."""
        one, other = self._current.series, self.pane.series
        if one is None or other is None or one.geometry is None or other.geometry is None:
            return 0.0
        return apart_deg(one.geometry, other.geometry)

    @property
    def follows(self) -> bool:
        """The two move together: the reader wants it, and their planes are parallel."""
        both = self._current.series is not None and self.pane.series is not None
        changing = self._current.showing or self.pane.showing
        return both and not changing and self.linked and self.apart_deg <= PARALLEL_DEG

    @property
    def text(self) -> str:
        """How the two are linked, for the corner; empty when they simply lie on each other."""
        if self._current.series is None or self.pane.series is None:
            return ""
        if self.apart_deg > PARALLEL_DEG:
            assert self.pane.series.geometry is not None
            return f"not linked: {plane(self.pane.series.geometry.normal)}, {self.apart_deg:.0f}° to the current"
        if not self.linked:
            return "not linked"
        said = [f"planes {self.apart_deg:.0f}° apart"] if self.apart_deg >= 1 else []
        if abs(self.offset_mm) >= 0.05:
            said.append(f"offset {self.offset_mm:+.1f} mm")
        if max(abs(mm) for mm in self.shift_mm) >= 0.05:
            said.append(f"shift {self.shift_mm[0]:+.0f} {self.shift_mm[1]:+.0f} mm")
        return ", ".join(said)

    def link_here(self) -> str:
        """The two pictures that are shown now belong together; why they cannot, empty when they do."""
        if self._current.series is None or self.pane.series is None:
            return "there is no visit beside to link"
        if self.apart_deg > PARALLEL_DEG:
            return f"cannot be linked: the planes of the two series lie {self.apart_deg:.0f}° apart"
        here, there = self._current.point, self.pane.point
        normal = self._normal(self._current)
        self.offset_mm = float((np.array(there) - np.array(here)) @ normal)
        self.linked = True
        down, right = _in_plane(self.pane, here)
        y, x = self.model.scene.camera.center[-2:]
        self.shift_mm = (float(y - down), float(x - right))
        self.linked_by_reader(self.offset_mm)
        return ""

    def unlink(self) -> None:
        """Each moves alone until they are linked again."""
        self.linked = False

    def nudge(self, slices: int) -> None:
        """Move the prior visit alone by so many slices; where both are linked, they are from then on linked there."""
        if self.pane.series is None:
            return
        with self.alone():
            self.pane.go_to_slice(self.pane.slice_index + slices)
        if self.follows:
            self.offset_mm = float((np.array(self.pane.point) - self._current.point) @ self._normal(self._current))
            self.linked_by_reader(self.offset_mm)

    @contextmanager
    def alone(self) -> Iterator[None]:
        """What is done meanwhile to one of the two is not done to the other."""
        before, self._busy = self._busy, True
        try:
            yield
        finally:
            self._busy = before

    def follow(self, _event: object = None) -> None:
        """To the slice that belongs to the one of the current visit, with the same picture."""
        self._move(self._current, self.pane, self.offset_mm)
        self._same_view()

    def _lead(self, _event: object = None) -> None:
        self._move(self.pane, self._current, -self.offset_mm)

    def _move(self, one: Pane, other: Pane, offset: float) -> None:
        if self._busy or one.viewer.dims.ndim < 3 or other.viewer.dims.ndim < 3 or not self.follows:
            return
        with self.alone():
            other.go_to(_point(np.array(one.point) + offset * self._normal(self._current)))

    def _same_view(self, _event: object = None) -> None:
        if self._busy or not self.follows:
            return
        with self.alone():
            camera = self.model.scene.camera
            camera.zoom = self._current.viewer.scene.camera.zoom
            y, x = _in_plane(self.pane, self._current.point)
            camera.center = (0.0, y + self.shift_mm[0], x + self.shift_mm[1])

    def _same_view_there(self, _event: object = None) -> None:
        if self._busy or not self.follows:
            return
        with self.alone():
            there, camera = self.model.scene.camera, self._current.viewer.scene.camera
            camera.zoom = there.zoom
            y, x = there.center[-2:]
            index = self.pane.grid.to_index((0.0, y - self.shift_mm[0], x - self.shift_mm[1]))
            assert self.pane.series is not None
            assert self.pane.series.geometry is not None
            point = to_lps(self.pane.series.geometry, (self.pane.slice_index, index[1], index[2]))
            camera.center = (0.0, *_in_plane(self._current, point))

    @staticmethod
    def _normal(pane: Pane) -> Any:
        assert pane.series is not None
        assert pane.series.geometry is not None
        return pane.series.geometry.normal


def _in_plane(pane: Pane, point: Point) -> tuple[float, float]:
    """Where an LPS point is in the picture of a pane: its layout's mm down and right."""
    assert pane.series is not None
    assert pane.series.geometry is not None
    _, y, x = pane.grid.to_world(nearest_index(pane.series.geometry, point))
    return y, x


def _point(array: Any) -> Point:
    return float(array[0]), float(array[1]), float(array[2])
