"""A proposal from one click: the long axis that was guessed is shown, and proposes again when one of its ends is dragged."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from mrecist.segment.prompt import Line
from mrecist.session.waiting import Pending
from mrecist_napari.tools import Index3

if TYPE_CHECKING:
    from mrecist_napari.reading_window import ReadingWindow

_NEAR_PIXELS = 12  # of the screen


class Clicking:
    """Clicks of one reading window."""

    def __init__(self, window: ReadingWindow) -> None:
        self._window = window
        self._room = window.room
        self._ends: tuple[Index3, Index3] | None = None
        self._begun = ""
        self._held = 0
        self._room.watch(self._changed)

    def start(self) -> None:
        """The next click is in a lesion."""
        self._room.mending.where("")  # a signed visit takes none
        self._window.message("click in the middle of the lesion")
        self._window.mouse.ask_for_path(lambda points: self._clicked(points[0]))

    def _clicked(self, at: Index3) -> None:
        def ask() -> None:
            work = self._room.asking_click(at, self._window.current.series)
            self._window.message("finding the lesion ...")
            self._window.background.later(work, self._offer, "finding the lesion")

        self._window.guarded(ask)

    def _offer(self, pending: Pending) -> None:
        assert pending.asked is not None
        line = pending.asked.line
        self._begun, self._ends = pending.begun, (line.start, line.end)
        self._window.proposing.offer(pending)
        self._show()
        self._window.mouse.ask_for_strokes(self)

    def begin(self, at: Index3, _event: Any) -> bool:
        """Take an end of the line; elsewhere the picture is moved."""
        if self._ends is None or at[0] != self._ends[0][0]:
            return False
        near = _NEAR_PIXELS / self._window.viewer.scene.camera.zoom
        away = [self._mm(at, end) for end in self._ends]
        self._held = int(np.argmin(away))
        return min(away) <= near

    def goes(self, at: Index3) -> None:
        """The end with the mouse."""
        assert self._ends is not None
        other = self._ends[1 - self._held]
        moved = (other[0], at[1], at[2])
        self._ends = (moved, other) if self._held == 0 else (other, moved)
        self._show()

    def ended(self, at: Index3) -> None:
        """The lesion again, along the line that the reader has set."""
        self.goes(at)
        pending, ends = self._room.pending, self._ends
        if pending is None or ends is None or pending.asked is None:
            return
        line, scribbles = Line(start=ends[0], end=ends[1]), pending.asked.scribbles
        self._window.message("finding the lesion ...")
        self._window.background.later(
            lambda: self._room.again(pending, scribbles, line), self._offer, "finding the lesion"
        )

    def _show(self) -> None:
        assert self._ends is not None
        start, end = self._ends
        self._window.current.drawing.grow(start, end, f"{self._mm(start, end):.1f} mm, drag an end")

    def _changed(self, _what: str) -> None:
        pending = self._room.pending
        if self._ends is not None and (pending is None or pending.begun != self._begun or pending.strokes):
            self._ends = None
            self._window.current.drawing.grown()
            if self._window.mouse.strokes is self:
                self._window.mouse.stop()

    def _mm(self, one: Index3, other: Index3) -> float:
        scale = self._window.current.grid.scale
        return float(np.hypot((one[1] - other[1]) * scale[1], (one[2] - other[2]) * scale[2]))
