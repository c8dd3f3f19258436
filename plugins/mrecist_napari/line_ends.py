"""Ends of drawn lines that can be taken hold of: a diameter becomes one set by hand, a caliper moves."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

import numpy as np

from mrecist.errors import MrecistError, ReadError
from mrecist.session.actions import SetLine
from mrecist.session.remarks import line_remarks
from mrecist.session.rows import line_mm
from mrecist.session.state import ManualLine
from mrecist_napari.marks import CALIPER, Ends, Index3, MarkLine, said_of
from mrecist_napari.tools import held_still

if TYPE_CHECKING:
    from mrecist_napari.reading_window import ReadingWindow

_REACH_PX = 8.0
_ALIKE_PX = 1.0
"""Ends this near to each other cannot be told apart on the screen."""


class LineEnds:
    """The ends of the lines in the current pane.

    Parameters
    ----------
    window : whose current visit it is.
    caliper_moved : called with a caliper and its new ends.
    """

    def __init__(self, window: ReadingWindow, caliper_moved: Callable[[MarkLine, Ends], None]) -> None:
        self._window = window
        self._room = window.room
        self._caliper_moved = caliper_moved
        self._over = False
        viewer = window.current.viewer
        viewer.mouse_drag_callbacks.insert(0, self._drag)
        viewer.mouse_move_callbacks.append(self._hover)

    # --- finding ---------------------------------------------------------------------------------------------------

    def near(self, position: Any, *, beneath: bool = False) -> tuple[MarkLine, int] | None:
        """The line and which of its ends is within reach of a world point on the slice that is shown; None without one.

        Where two lines end at the same place it is the first, the whole diameter; ``beneath`` takes the last, the viable one.
        """
        pane = self._window.current
        if pane.series is None or self._window.mouse.is_drawing or len(position) < 3:
            return None
        found: list[tuple[float, MarkLine, int]] = []
        for line in pane.drawing.lines:
            if round(line.ends[0][0]) != pane.slice_index:
                continue
            for n, end in enumerate(line.ends):
                _, row, column = pane.grid.to_world(end)
                away = float(np.hypot(position[1] - row, position[2] - column)) * pane.viewer.scene.camera.zoom
                if away <= _REACH_PX:
                    found.append((away, line, n))
        nearest = min((away for away, _, _ in found), default=0.0)
        alike = [(line, n) for away, line, n in found if away <= nearest + _ALIKE_PX]
        return alike[-1 if beneath else 0] if alike else None

    def _hover(self, viewer: Any, event: Any) -> None:
        over = self.near(event.position) is not None
        if over != self._over:
            self._over = over
            viewer.cursor.style = "pointing" if over else "standard"

    # --- dragging --------------------------------------------------------------------------------------------------

    def _drag(self, viewer: Any, event: Any) -> Iterator[None]:
        held = self.near(event.position, beneath="Shift" in event.modifiers) if event.button == 1 else None
        if held is None:
            return
        line, n = held
        why = self._refused(line)
        if why:
            self._window.message(why)
            return
        ends, moved = line.ends, False
        try:
            with held_still(viewer):
                yield
                while event.type == "mouse_move":
                    if not moved:
                        self._window.current.drawing.lift(line)
                        moved = True
                    ends = self._with_end(line, n, event.position)
                    self._show(line, ends)
                    event.handled = True
                    yield
                if moved:
                    ends = self._with_end(line, n, event.position)  # where the button was let go
        finally:
            self._window.current.drawing.grown()
        if moved:
            self._drop(line, ends)

    def _with_end(self, line: MarkLine, n: int, position: Any) -> Ends:
        """The ends with one of them moved; the line stays on its slice."""
        _, row, column = self._window.current.grid.to_index((position[0], position[1], position[2]))
        moved: Index3 = (line.ends[0][0], float(row), float(column))
        return (moved, line.ends[1]) if n == 0 else (line.ends[0], moved)

    def _show(self, line: MarkLine, ends: Ends) -> None:
        self._window.current.drawing.grow(*ends, self._said(line, ends), line.colour)

    def _said(self, line: MarkLine, ends: Ends) -> str:
        mm = self.mm(ends)
        return f"{mm:.1f} mm" if line.size == CALIPER else said_of(line.lesion, line.size, mm, manual=True)

    def mm(self, ends: Ends) -> float:
        """The length of a line in the plane of its slice."""
        series = self._window.current.series
        assert series is not None
        assert series.geometry is not None
        return line_mm(by_hand(ends), series.geometry)

    def _drop(self, line: MarkLine, ends: Ends) -> None:
        if line.size == CALIPER:
            self._caliper_moved(line, ends)
            self._window.redraw()
            return
        try:
            told = self._set(line, by_hand(ends))
        except MrecistError as error:
            self._window.redraw()
            told = str(error)
        self._window.message(told)

    def _set(self, line: MarkLine, manual: ManualLine) -> str:
        timepoint = self._room.looking.timepoint
        drawn = self._room.drawn(timepoint, line.lesion)
        if drawn is None:
            raise ReadError(f"{line.lesion} is not drawn at this visit any more")
        remarks = line_remarks(manual, line.size, drawn.mask)
        self._room.looking.lesion = line.lesion
        self._room.do(SetLine(timepoint=timepoint, lesion=line.lesion, size=line.size, line=manual))
        if self._room.session.trouble:
            return f"NOT SAVED  {self._room.session.trouble} (F8)"
        told = said_of(line.lesion, line.size, line_mm(manual, drawn.mask.geometry), manual=True)
        return "\n".join([told, *(f"check: {remark}" for remark in remarks), "Shift+U: as measured again"])

    def _refused(self, line: MarkLine) -> str:
        """Why a line cannot be moved; empty when it can."""
        if line.size == CALIPER:
            return ""
        if line.proposed:
            return "accept the proposal first (Return), then drag the ends"
        try:  # nothing is changed: what the action would say
            SetLine(
                timepoint=self._room.looking.timepoint, lesion=line.lesion, size=line.size, line=by_hand(line.ends)
            ).apply(self._room.state)
        except ReadError as error:
            return str(error)
        return ""


def by_hand(ends: Ends) -> ManualLine:
    """The ends of a drawn line as the read keeps them."""
    (z, row, column), (_, row_2, column_2) = ends
    return ManualLine(slice_index=round(z), ends=((row, column), (row_2, column_2)))
