"""What the mouse does in a pane: window by the right button, slices by the wheel, a line by the left where one is asked for.

napari paints with any button in a labels layer, and zooms with the wheel; these callbacks come first and mark what they used as
handled, and while a button is down the active layer is only looked at.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, Protocol

import numpy as np

from mrecist_napari.pane import Pane

Index3 = tuple[float, float, float]
LineDrawn = Callable[[Index3, Index3], None]
LineGrows = Callable[[Index3, Index3], None]
PathDrawn = Callable[[tuple[Index3, ...]], None]


class Strokes(Protocol):
    """What every drag with the left button does until another tool is taken up."""

    def begin(self, at: Index3, event: Any) -> bool:
        """The button went down at a voxel; False leaves the drag to napari."""

    def goes(self, at: Index3) -> None:
        """The mouse moved there, the button held."""

    def ended(self, at: Index3) -> None:
        """The button was let go there."""


class MouseTools:
    """The mouse of one pane.

    Parameters
    ----------
    pane : where it moves.
    said : called when the window or the slice changed.
    """

    def __init__(self, pane: Pane, said: Callable[[], None]) -> None:
        self._pane = pane
        self._said = said
        self._draw: tuple[LineGrows, LineDrawn] | None = None
        self._path: PathDrawn | None = None
        self.strokes: Strokes | None = None
        pane.viewer.mouse_drag_callbacks.insert(0, self._drag)
        pane.viewer.mouse_wheel_callbacks.append(self._wheel)

    def ask_for_line(self, grows: LineGrows, drawn: LineDrawn) -> None:
        """The next drag with the left button is a line; ``grows`` while it is drawn, ``drawn`` at its end."""
        self._draw, self._path, self.strokes = (grows, drawn), None, None

    def ask_for_path(self, drawn: PathDrawn) -> None:
        """The next drag with the left button is a scribble; ``drawn`` gets its points."""
        self._draw, self._path, self.strokes = None, drawn, None

    def ask_for_strokes(self, strokes: Strokes) -> None:
        """Every drag with the left button is a stroke, until another tool is asked for."""
        self._draw, self._path, self.strokes = None, None, strokes

    @property
    def is_drawing(self) -> bool:
        """A line, a scribble or a stroke is asked for."""
        return self._draw is not None or self._path is not None or self.strokes is not None

    def stop(self) -> None:
        """Nothing is asked for any more."""
        self._draw = self._path = self.strokes = None

    def _drag(self, viewer: Any, event: Any) -> Iterator[None]:
        if self._pane.series is None:
            return  # nothing is shown yet
        if event.button == 2:
            yield from self._window(viewer, event)
        elif event.button == 1 and self._draw is not None:
            yield from self._line(viewer, event)
        elif event.button == 1 and self._path is not None:
            yield from self._scribble(viewer, event, self._path)
        elif event.button == 1 and self.strokes is not None:
            yield from self._stroke(viewer, event, self.strokes)
        elif event.button == 3:
            with _only_looking(viewer):
                while event.type != "mouse_release":
                    yield

    def _window(self, viewer: Any, event: Any) -> Iterator[None]:
        start, begun = np.array(event.pos, dtype=float), self._pane.window
        with _only_looking(viewer), held_still(viewer):
            yield
            while event.type == "mouse_move":
                right, down = np.array(event.pos, dtype=float) - start
                self._pane.set_window(begun.dragged(float(right), float(down)))
                self._said()
                event.handled = True
                yield

    def _line(self, viewer: Any, event: Any) -> Iterator[None]:
        assert self._draw is not None
        grows, drawn = self._draw
        start = self._index(event.position)
        end = start
        with _only_looking(viewer), held_still(viewer):
            yield
            while event.type == "mouse_move":
                end = self._index(event.position)
                grows(start, end)
                event.handled = True
                yield
            end = self._index(event.position)  # where the button was let go: moves may have been left out
        self._draw = None
        drawn(start, end)

    def _scribble(self, viewer: Any, event: Any, drawn: PathDrawn) -> Iterator[None]:
        points = [self._index(event.position)]
        with _only_looking(viewer), held_still(viewer):
            yield
            while event.type == "mouse_move":
                points.append(self._index(event.position))
                event.handled = True
                yield
        self._path = None
        drawn(tuple(points))

    def _stroke(self, viewer: Any, event: Any, strokes: Strokes) -> Iterator[None]:
        if not strokes.begin(self._index(event.position), event):
            return
        with _only_looking(viewer), held_still(viewer):
            yield
            while event.type == "mouse_move":
                strokes.goes(self._index(event.position))
                event.handled = True
                yield
        strokes.ended(self._index(event.position))

    def _index(self, position: tuple[float, ...]) -> Index3:
        z, y, x = self._pane.grid.to_index((position[0], position[1], position[2]))
        return float(round(z)), y, x

    def _wheel(self, _viewer: Any, event: Any) -> None:
        if "Control" in event.modifiers or "Alt" in event.modifiers or self._pane.series is None:
            return
        step = 1 if event.delta[1] < 0 else -1
        self._pane.go_to_slice(self._pane.slice_index + step)
        event.handled = True


@contextmanager
def held_still(viewer: Any) -> Iterator[None]:
    """While it lasts a drag does not move the picture."""
    camera = viewer.scene.camera
    camera.mouse_pan, pan = False, camera.mouse_pan
    try:
        yield
    finally:
        camera.mouse_pan = pan


class _only_looking:  # noqa: N801 - reads as a statement
    """While it lasts the active layer is in the mode that neither paints nor selects."""

    def __init__(self, viewer: Any) -> None:
        self._layer = viewer.layers.selection.active
        self._mode: Any = None

    def __enter__(self) -> None:
        if self._layer is not None and hasattr(self._layer, "mode"):
            self._mode = self._layer.mode
            self._layer.mode = "pan_zoom"

    def __exit__(self, *_error: object) -> None:
        if self._mode is not None:
            self._layer.mode = self._mode
