"""From a drag to a lesion in the read: the line, the proposal, its mending, and the reader's word on it."""

from __future__ import annotations

from collections.abc import Callable
from textwrap import fill
from typing import TYPE_CHECKING

import numpy as np

from mrecist.model import Role
from mrecist.segment.prompt import Line, Scribbles
from mrecist.session.waiting import Pending
from mrecist_napari.tools import Index3

if TYPE_CHECKING:
    from mrecist_napari.reading_window import ReadingWindow


class Proposing:
    """The proposals of one reading window."""

    def __init__(self, window: ReadingWindow) -> None:
        self._window = window
        self._room = window.room
        self._asked = 0

    def start_line(self, lesion: str = "", *, non_target: bool = False) -> None:
        """The next drag is the long axis of a lesion: the one named, or a new one (target at baseline, new lesion later)."""
        signature = self._room.state.visit(self._room.looking.timepoint).signature
        if signature is not None:
            self._window.message(f"this visit was signed by {signature.name}; open it again to change it")
            return
        what = lesion or ("non-target lesion" if non_target else "lesion")
        self._window.message(f"drag the long axis of the {what} on its largest slice")
        role = Role.NON_TARGET if non_target else None
        self._window.mouse.ask_for_line(self._grows, lambda start, end: self._drawn(start, end, lesion, role))

    def start_chosen(self) -> None:
        """The next drag is the long axis of the lesion that is chosen, at this visit."""
        lesion = self._room.looking.lesion
        if lesion in self._room.state.lesions:
            self.start_line(lesion)
        else:
            self._window.message(
                "no lesion is chosen; choose one with Home, End or in the table, or draw a new one (N)"
            )

    def start_scribble(self, *, add: bool) -> None:
        """The next drag marks what belongs to the proposal, or what does not; the lesion is cut again with it."""
        pending = self._room.pending
        if pending is None:
            self._window.message("there is no proposal to mend; draw the long axis of a lesion first (N)")
            return

        def drawn(points: tuple[Index3, ...]) -> None:
            voxels = tuple(dict.fromkeys((round(z), round(y), round(x)) for z, y, x in points))
            before = (pending.asked.scribbles if pending.asked is not None else None) or Scribbles()
            marks = (
                Scribbles(add=before.add + voxels, remove=before.remove)
                if add
                else Scribbles(add=before.add, remove=before.remove + voxels)
            )
            self._find(lambda: self._room.again(pending, marks), "cutting again")

        self._window.message("drag over what belongs to the lesion" if add else "drag over what does not belong to it")
        self._window.mouse.ask_for_path(drawn)

    def nudge(self, by: float) -> None:
        """Move the viable cut-off of the proposal."""
        if self._room.pending is None:
            self._window.message("there is no proposal; draw the long axis of a lesion first (N)")
            return
        self._room.offer(self._room.nudged(self._room.pending, by))
        self._tell_pending()

    def accept(self) -> None:
        """The proposal into the read."""
        name = self._room.accept()
        self._window.message("" if self._room.session.trouble else f"{name} accepted")

    def reject(self) -> None:
        """Leave the tool, or take the proposal away."""
        self._asked += 1  # what is still being found is not wanted any more
        if self._window.mouse.is_drawing:
            self._window.mouse.stop()
        else:
            self._room.offer(None)
        self._window.message("")

    def _grows(self, start: Index3, end: Index3) -> None:
        grid = self._window.current.grid
        mm = float(np.hypot((end[1] - start[1]) * grid.scale[1], (end[2] - start[2]) * grid.scale[2]))
        self._window.current.drawing.grow(start, (start[0], end[1], end[2]), f"{mm:.1f} mm")

    def _drawn(self, start: Index3, end: Index3, lesion: str, role: Role | None = None) -> None:
        self._window.current.drawing.grown()
        line = Line(start=start, end=(start[0], end[1], end[2]))
        shown = self._window.current.series

        def ask() -> None:
            work = self._room.asking(line, lesion=lesion, role=role, series=shown)
            self._window.message("finding the lesion ...")
            self._find(work, "finding the lesion")

        self._window.guarded(ask)

    def _find(self, work: Callable[[], Pending], what: str) -> None:
        """Offer what comes of the work, unless the reader has asked for another one or left the visit meanwhile."""
        self._asked += 1
        number, timepoint = self._asked, self._room.looking.timepoint

        def offer(pending: Pending) -> None:
            if number == self._asked and timepoint == self._room.looking.timepoint:
                self.offer(pending)

        self._window.background.later(work, offer, what)

    def offer(self, pending: Pending) -> None:
        """Show a proposal with its notes and what can be done with it."""
        self._room.offer(pending)
        self._tell_pending()

    def _tell_pending(self) -> None:
        pending = self._room.pending
        if pending is not None:
            notes = ". ".join(pending.proposal.notes)
            self._window.message(f"{fill(notes, 44)}\nReturn accepts   Esc rejects\nG mends   9 0 viable cut-off")
