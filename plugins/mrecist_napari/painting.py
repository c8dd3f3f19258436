"""A mask by hand: brush, eraser, outlines, the slices between them. The voxels are found in mrecist.session; this asks and shows."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from mrecist.errors import ReadError
from mrecist.imaging.series import Series
from mrecist.session.editing import Part, Stroke, brush, outline
from mrecist.session.mending import is_by_hand
from mrecist_napari.marks import VIABLE, WHOLE
from mrecist_napari.pencil import Pencil
from mrecist_napari.tools import Index3

if TYPE_CHECKING:
    from mrecist_napari.reading_window import ReadingWindow

BoolArray = npt.NDArray[np.bool_]
SIZES_MM = (1, 2, 3, 4, 5, 6, 8, 10, 12, 15, 20, 25, 30, 40, 60)
_ERASES = "#ff6b6b"


class Painting:
    """The hand tools of one reading window.

    ``part`` is what is drawn on, ``size_mm`` the diameter of brush and eraser.
    """

    def __init__(self, window: ReadingWindow) -> None:
        self._window = window
        self._room = window.room
        self._tool = ""
        self._lesion: str | None = None
        self._points: list[Index3] = []
        self._ball = False
        self._asked: object = None
        self.part = Part.WHOLE
        self.size_mm = 10
        self.pencil = Pencil(window.prior.main, window.viewer.scene.camera)
        window.viewer.mouse_move_callbacks.append(self._hover)

    @property
    def on(self) -> bool:
        """Brush, eraser or outlines are in the hand."""
        return bool(self._tool) and self._window.mouse.strokes is self

    # --- keys ------------------------------------------------------------------------------------------------------

    def start(self, tool: str) -> None:
        """Take up ``brush``, ``eraser`` or ``contour`` for the proposal, or for the lesion that is chosen."""
        series = self._room.mending.where()
        if series is None and not self._room.looking.lesion:
            raise ReadError("no lesion is chosen: choose one in the table, or press Shift+C to outline a new one")
        self._take_up(tool, lesion=None, moved=series is not None and self._go_to(series))

    def start_new(self) -> None:
        """Outlines of a new lesion, without any other method."""
        if self._room.pending is not None:
            raise ReadError("a proposal waits: Return accepts it, Esc rejects it; C outlines on it")
        self._room.mending.where("")
        self._take_up("contour", lesion="", moved=False)

    def _take_up(self, tool: str, *, lesion: str | None, moved: bool) -> None:
        self._tool, self._lesion = tool, lesion
        self.pencil.clear()
        self._window.mouse.ask_for_strokes(self)
        self._tell("this mask was drawn on another phase: that is shown now" if moved else "")

    def resize(self, step: int) -> None:
        """The next smaller or larger brush."""
        at = SIZES_MM.index(self.size_mm) + step
        self.size_mm = SIZES_MM[min(max(at, 0), len(SIZES_MM) - 1)]
        self._circle()
        self._tell()

    def toggle_part(self) -> None:
        """Whole lesion or viable part."""
        self.part = Part.VIABLE if self.part is Part.WHOLE else Part.WHOLE
        self._circle()
        self._tell()

    def interpolate(self) -> None:
        """Fill the slices between the drawn ones."""
        self._tell(self._room.mending.interpolate(self.part))

    def undo(self) -> None:
        """The last step of the proposal, or of the read, back; the numbers of what waits are said again."""
        self._room.undo()
        self._say_sizes()

    def redo(self) -> None:
        """What was taken back, again."""
        self._room.redo()
        self._say_sizes()

    def _say_sizes(self) -> None:
        if self._room.pending is not None:
            self._tell()

    def escape(self) -> None:
        """Leave the tool; then reject the proposal, twice when there is hand work on it."""
        pending, mouse = self._room.pending, self._window.mouse
        if mouse.strokes is self._window.clicking:
            mouse.stop()  # only holds the ends of a line that goes with the proposal
        if mouse.is_drawing:
            self._leave()
            self._window.message("Return accepts   Esc rejects" if pending is not None else "")
        elif pending is not None and is_by_hand(pending) and self._asked is not pending:
            self._asked = pending
            self._window.message("Esc again throws away what was drawn by hand\nReturn accepts it")
        else:
            self._window.proposing.reject()

    def _leave(self) -> None:
        self._tool = ""
        self._window.mouse.stop()
        self.pencil.clear()

    # --- strokes ---------------------------------------------------------------------------------------------------

    def begin(self, at: Index3, event: Any) -> bool:
        """The first voxel of a stroke; on another phase than the mask's own nothing is painted, and its own is shown."""
        allowed = False

        def look() -> None:
            nonlocal allowed
            series = self._room.mending.where(self._lesion)
            if series is not None and self._go_to(series):
                self._tell("the mask was drawn on another phase: that is shown now, nothing was painted")
            else:
                allowed = True

        self._window.guarded(look)
        if allowed:
            self._ball = "Shift" in event.modifiers and self._tool != "contour"
            self._points = [at]
            self._way()
        return allowed

    def goes(self, at: Index3) -> None:
        """On with the stroke; the wheel may have gone to another slice, which does not take part."""
        if at[0] == self._points[0][0]:
            self._points.append(at)
            self._way()

    def ended(self, at: Index3) -> None:
        """The stroke onto the mask."""
        self.goes(at)
        self.pencil.clear_way()
        self._window.guarded(self._paint)

    def _paint(self) -> None:
        geometry = self._window.current.series.geometry if self._window.current.series is not None else None
        assert geometry is not None
        if self._tool == "contour":
            patch = outline(self._points, geometry)
            stroke = Stroke(kind="contour", part=self.part, add=True, patch=patch)
        else:
            patch = brush(self._points, self.size_mm, geometry, ball=self._ball)
            kind = f"ball {self._tool}" if self._ball else self._tool
            stroke = Stroke(
                kind=kind, part=self.part, add=self._tool == "brush", patch=patch, size_mm=float(self.size_mm)
            )
        said = self._room.mending.paint(stroke, self._lesion)
        self._lesion = None  # the next one goes on with this proposal
        self._tell(said)

    # --- showing ---------------------------------------------------------------------------------------------------

    def pending_changed(self) -> None:
        """Leave the tool when nothing waits any more."""
        if self._room.pending is None and self.on:
            self._leave()

    def _go_to(self, series: Series) -> bool:
        """Show a series unless it is shown; whether that was needed."""
        now = self._window.current.series
        if now is not None and (now.uid, now.stack) == (series.uid, series.stack):
            return False
        self._room.look_at_series(series)
        return True

    def _hover(self, _viewer: Any, event: Any) -> None:
        if self.on and self._tool != "contour":
            self._circle((float(event.position[1]), float(event.position[2])))
        elif not self.on and self.pencil.circle is not None:
            self.pencil.clear()

    def _circle(self, at: tuple[float, float] | None = None) -> None:
        at = at or (self.pencil.circle[0] if self.pencil.circle is not None else None)
        if at is not None and self.on:
            self.pencil.show_circle(at, self.size_mm, self._colour)

    def _way(self) -> None:
        grid = self._window.current.grid
        points = [grid.to_world(point)[1:] for point in self._points]
        self.pencil.show_way(points, 0 if self._tool == "contour" else self.size_mm, self._colour)
        if self._tool != "contour":
            self.pencil.show_circle(points[-1], self.size_mm, self._colour)

    @property
    def _colour(self) -> str:
        return _ERASES if self._tool == "eraser" else VIABLE if self.part is Part.VIABLE else WHOLE

    def _tell(self, said: str = "") -> None:
        size = "" if self._tool == "contour" else f" {self.size_mm} mm"
        lines = [f"{self._tool}{size}   {self.part.words}   V changes"] if self.on else [f"{self.part.words}"]
        pending = self._room.pending
        if pending is not None:
            measured = pending.proposal.measurement
            sizes = [f"whole {measured.longest.mm:.1f} mm"]
            if measured.viable is not None:
                sizes.append(f"viable {measured.viable.mm:.1f} mm")
            elif measured.viable_is_empty:
                sizes.append("viable 0 mm")
            lines.append("   ".join(sizes))
        lines += [line for line in (said, self._room.mending.disk.trouble) if line]
        keys = "I fills between" if self._tool == "contour" else "[ ] size  Shift ball"
        lines.append(
            f"{keys}  Return accepts  Esc leaves" if self.on else "B brush  E eraser  C outline  Return accepts"
        )
        self._window.message("\n".join(lines))
