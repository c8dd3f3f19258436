"""What a read looks like on a pane: outlines, diameters with their callouts, the line that is being dragged.

Everything is strokes in mm (napari's Vectors) and one layer of words, in layers that stay and only get other data: that is quick,
and lines keep their width on the screen. No depth test: in a second canvas it hides whatever is drawn later at the same depth.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

import numpy as np

from mrecist_napari.callout_rows import MARGIN, callouts_of
from mrecist_napari.callouts import Box, Placed, Taken, place
from mrecist_napari.grid import Grid
from mrecist_napari.marks import CALIPER, VIABLE, WHOLE, Index3, MarkLine, MarkMask, Marks
from mrecist_napari.strokes import NONE, FloatArray, dashed, ellipse, outlines, path, ring, ticks

if TYPE_CHECKING:
    from mrecist_napari.pane import Pane

_OUTLINES = {"whole outlines": (WHOLE, 2.6), "viable outlines": (VIABLE, 1.5)}
_STROKES, _LINES, _BOXES, _WORDS = "strokes", "diameters", "boxes", "callouts"
GHOST_LINES, GHOST_NAMES = "ghosts", "names of ghosts"
_GROWING, _GROWING_WORDS = "growing", "growing words"
_LINE_PX, _STROKE_PX, _TICK_PX, _RING_PX, _DASH_PX, _BAR_PX = 2.0, 1.6, 11.0, 4.0, 7.0, 3.0
FONT_SIZE, ROW_PX = 9, 18.0
_EDGE_PX = 34.0
_DASH_MM = 2.4
_GHOST, _SOLID, _UNSEEN = 0.5, 1.0, 0.0
_BOX = "#05060a"
_REST_MS = 120


class _Strokes:
    """Strokes of several colours on several slices, gathered for one layer."""

    def __init__(self) -> None:
        self._data: list[FloatArray] = []
        self._colours: list[FloatArray] = []

    def add(self, z: float, strokes: FloatArray, colour: str, alpha: float = _SOLID) -> None:
        placed = np.zeros((len(strokes), 2, 3))
        placed[:, 0, 0] = z
        placed[:, :, 1:] = strokes
        self._data.append(placed)
        self._colours.append(np.tile(_rgba(colour, alpha), (len(strokes), 1)))

    @property
    def data(self) -> FloatArray:
        return np.concatenate([np.zeros((0, 2, 3)), *self._data])

    @property
    def colours(self) -> FloatArray:
        return np.concatenate([np.zeros((0, 4)), *self._colours])


class Drawing:
    """The marks of one pane."""

    def __init__(self, pane: Pane) -> None:
        self._pane = pane
        self._marks = Marks()
        self._lifted: MarkLine | None = None
        self._grid: Grid | None = None
        self._shape = (0, 0, 0)
        self._outlined: tuple[object, ...] = ()
        # id of a mask -> the mask (held, so that the id stays its own) and its outlines
        self._known: dict[int, tuple[Any, Any]] = {}
        self._timer: Any = None
        for moved in (pane.viewer.scene.camera.events.zoom, pane.viewer.scene.camera.events.center):
            moved.connect(self._view_moved)
        pane.viewer.canvas.events.size.connect(self._view_moved)

    @property
    def masks(self) -> tuple[MarkMask, ...]:
        """The masks whose outlines are drawn."""
        return self._marks.masks

    @property
    def lines(self) -> tuple[MarkLine, ...]:
        """The lines that are drawn."""
        return self._marks.lines

    def draw(self, marks: Marks, lifted: MarkLine | None = None) -> None:
        """Show marks in place of those that were there, without a line that is being dragged.

        No layer is left selected: its keys would win over ours.
        """
        self._marks, self._lifted = marks, lifted
        self._grid, self._shape = (
            self._pane.grid,
            _shape(self._pane),
        )  # of what is drawn: another phase may be flicked to
        self._draw_outlines()
        self._draw_lines()

    def lift(self, line: MarkLine) -> None:
        """Leave a line out, because it is being dragged."""
        self.draw(self._marks, line)

    # --- outlines --------------------------------------------------------------------------------------------------

    def _draw_outlines(self) -> None:
        drawn = (self._grid, tuple((id(m.whole), id(m.viable), m.proposed) for m in self._marks.masks))
        if drawn == self._outlined and all(name in self._pane.viewer.layers for name in _OUTLINES):
            return
        self._outlined = drawn
        kept = {id(part) for mask in self._marks.masks for part in (mask.whole, mask.viable)}
        self._known = {key: value for key, value in self._known.items() if key in kept}
        for name, (colour, pixels) in _OUTLINES.items():
            strokes = _Strokes()
            for mask in self._marks.masks:
                part = mask.whole if colour == WHOLE else mask.viable
                for z, outline in self._outlines(part).items() if part is not None else ():
                    strokes.add(z, dashed(outline, _DASH_MM) if mask.proposed else outline, colour)
            self._set(name, strokes, pixels)

    def _outlines(self, mask: Any) -> dict[int, FloatArray]:
        grid = self._own_grid
        known = self._known.get(id(mask))
        if known is None or known[1][0] != grid:
            found = outlines(mask, grid.scale[1:], grid.translate[1:])
            self._known[id(mask)] = known = mask, (grid, found)
        return dict(known[1][1])

    def _round(self, mask: Any, z: int) -> FloatArray:
        """Points round a mask on a slice."""
        return self._outlines(mask).get(z, NONE)[:, 0]

    # --- lines and words -------------------------------------------------------------------------------------------

    def _draw_lines(self) -> None:
        pixel = 1 / self._pane.viewer.scene.camera.zoom
        strokes, lines = _Strokes(), _Strokes()
        shown = [line for line in self._marks.lines if line is not self._lifted]
        for line in shown:
            z, one, other = self._mm(line.ends)
            lines.add(z, path([one, other]), line.colour, _UNSEEN if line.proposed else _SOLID)
            if line.proposed:
                strokes.add(z, dashed(path([one, other]), _DASH_PX * pixel), line.colour)
            elif line.size == CALIPER:
                strokes.add(z, ticks(one, other, _TICK_PX * pixel), line.colour)
            else:
                strokes.add(z, np.concatenate([ring(end, _RING_PX * pixel) for end in (one, other)]), line.colour)
            for beside in (z - 1, z + 1):
                if 0 <= beside < self._shape[0]:
                    strokes.add(beside, path([one, other]), line.colour, _GHOST)
        for region in self._marks.regions:
            z, one, other = self._mm(region.corners)
            strokes.add(z, ellipse(one, other), region.colour)
        placed = self._placed(shown, pixel)
        for one_placed in placed:
            if one_placed.leader is not None:
                strokes.add(one_placed.callout.z, path(one_placed.leader), "#d8d8d8", 0.75)
        self._set(_STROKES, strokes, _STROKE_PX)
        said = {"lesion": [line.lesion for line in shown], "size": [line.size for line in shown]}
        self._set(_LINES, lines, _LINE_PX, said)
        self._draw_words(placed, pixel)
        self._pane.viewer.layers.selection.clear()

    def _placed(self, lines: list[MarkLine], pixel: float) -> list[Placed]:
        grid = self._own_grid
        asked = callouts_of(self._marks, lines, grid, ROW_PX * pixel, lambda text: _width(text) * pixel, self._round)
        placed: list[Placed] = []
        for z in sorted({one.z for one in asked}):
            drawn = [self._round(mask.whole, z) for mask in self._marks.masks]
            drawn += [_along(*self._mm(line.ends)[1:], pixel) for line in lines if round(line.ends[0][0]) == z]
            drawn += [
                ellipse(*self._mm(region.corners)[1:])[:, 0]
                for region in self._marks.regions
                if round(region.corners[0][0]) == z
            ]
            union = np.zeros(self._shape[1:], dtype=np.bool_)
            for mask in self._marks.masks:
                union |= mask.whole[z]
            taken = Taken(
                view=self._view(pixel),
                mask=union,
                scale=grid.scale[1:],
                origin=grid.translate[1:],
                points=np.concatenate([np.zeros((0, 2)), *drawn]),
            )
            placed += place([one for one in asked if one.z == z], taken)
        return placed

    def _view(self, pixel: float) -> Box:
        """What can be seen of the slice, without the edge where the letters of the sides stand."""
        row, column = self._pane.viewer.scene.camera.center[-2:]
        height, width = ((size / 2 - _EDGE_PX) * pixel for size in self._pane.viewer.canvas.size)
        return Box(row - height, column - width, row + height, column + width)

    def _draw_words(self, placed: Iterable[Placed], pixel: float) -> None:
        boxes = _Strokes()
        at: list[Index3] = []
        labels, inks = [], []
        for one in placed:
            for n, said in enumerate(one.callout.rows):
                row = one.box.top + (n + 0.5) * one.callout.row
                boxes.add(one.callout.z, path([(row, one.box.left), (row, one.box.right)]), _BOX, 0.72)
                if one.callout.bar:
                    bar = path([(row, one.box.left), (row, one.box.left + _BAR_PX * pixel)])
                    boxes.add(one.callout.z, bar, one.callout.bar)
                at.append((one.callout.z, row, one.box.left + MARGIN * one.callout.row + said.width / 2))
                labels.append(said.text)
                inks.append(said.colour)
        self._set(_BOXES, boxes, ROW_PX)
        self._say(_WORDS, at, labels, inks)

    # --- what is being dragged ----------------------------------------------------------------------------------

    def grow(self, start: Index3, end: Index3, text: str, colour: str = "#ffffff") -> None:
        """The line that is being dragged, with its length; a layer of its own, so that a drag is not held up."""
        z, one, other = self._mm((start, end))
        pixel = 1 / self._pane.viewer.scene.camera.zoom
        strokes = np.concatenate([path([one, other]), ticks(one, other, _TICK_PX * pixel)])
        self._grow(z, strokes, max(one, other), text, colour)

    def grow_ellipse(self, start: Index3, end: Index3, text: str, colour: str) -> None:
        """The ellipse that is being dragged, in the box of two corners, with a line of words."""
        z, one, other = self._mm((start, end))
        corner = max(one[0], other[0]), (one[1] + other[1]) / 2
        self._grow(z, ellipse(one, other), corner, text, colour)

    def _grow(self, z: float, shape: FloatArray, at: tuple[float, float], text: str, colour: str) -> None:
        strokes = _Strokes()
        strokes.add(z, shape, colour)
        pixel = 1 / self._pane.viewer.scene.camera.zoom
        self._set(_GROWING, strokes, _LINE_PX)
        row, column = at[0] + ROW_PX * pixel, at[1]
        # The dark copy beneath makes it readable on any ground.
        places = [(z, row + dy * pixel, column + dx * pixel) for dy, dx in ((1, 1), (-1, -1), (1, -1), (-1, 1), (0, 0))]
        self._say(_GROWING_WORDS, places, [text] * 5, [_BOX] * 4 + [colour])
        self._pane.viewer.layers.selection.clear()

    def grown(self) -> None:
        """Nothing is dragged any more."""
        if _GROWING in self._pane.viewer.layers:
            self._set(_GROWING, _Strokes(), _LINE_PX)
            self._say(_GROWING_WORDS, [], [], [])

    def hide(self, hidden: bool) -> None:
        """Take masks and lines from sight, or show them again."""
        for layer in self._pane.viewer.layers:
            if layer.name in (*_OUTLINES, _STROKES, _LINES, _BOXES, _WORDS, GHOST_LINES, GHOST_NAMES):
                layer.visible = not hidden

    # --- layers ----------------------------------------------------------------------------------------------------

    def _mm(self, ends: tuple[Index3, Index3]) -> tuple[float, tuple[float, float], tuple[float, float]]:
        """Slice, and both ends as (row, column) in mm."""
        _, *one = self._own_grid.to_world(ends[0])
        _, *other = self._own_grid.to_world(ends[1])
        return float(round(ends[0][0])), (one[0], one[1]), (other[0], other[1])

    @property
    def _own_grid(self) -> Grid:
        return self._grid if self._grid is not None else self._pane.grid

    @property
    def _where(self) -> dict[str, Any]:
        """Slices are counted, the plane is in mm: so strokes are as wide along a row as across it."""
        grid = self._own_grid
        return {
            "scale": (grid.scale[0], 1.0, 1.0),
            "translate": (grid.translate[0], 0.0, 0.0),
            "blending": "translucent_no_depth",
        }

    def _set(self, name: str, strokes: _Strokes, pixels: float, features: dict[str, list[str]] | None = None) -> None:
        data, colours = strokes.data, strokes.colours
        if name not in self._pane.viewer.layers:
            self._pane.viewer.add_vectors(
                np.zeros((0, 2, 3)),
                name=name,
                vector_style="line",
                opacity=1,
                **self._pane.place(self._pane.series) | self._where,
            )
        layer = self._pane.viewer.layers[name]
        if len(data) or len(layer.data):
            self._move(layer)
            layer.data = data
            if len(data):
                layer.edge_color = colours
                layer.edge_width = pixels / self._pane.viewer.scene.camera.zoom
            if features is not None:
                layer.features = features

    def _say(self, name: str, at: list[Index3], labels: list[str], inks: list[str]) -> None:
        import pandas as pd

        features = pd.DataFrame({"label": labels, "ink": inks}, dtype=object)
        if name not in self._pane.viewer.layers:
            self._pane.viewer.add_points(
                np.zeros((0, 3)),
                name=name,
                size=0.01,
                face_color="transparent",
                border_color="transparent",
                border_width=0,
                antialiasing=0,
                canvas_size_limits=(0, 1),  # else napari draws a spot on slices without words
                features=features[:0],
                text={"string": "{label}", "color": {"feature": "ink"}, "size": FONT_SIZE, "anchor": "center"},
                **self._pane.place(self._pane.series) | self._where,
            )
        layer = self._pane.viewer.layers[name]
        if at or len(layer.data):
            self._move(layer)
            layer.data = np.array(at, dtype=float).reshape(-1, 3)
            layer.features = features

    def _move(self, layer: Any) -> None:
        where = self._where
        if not np.array_equal(layer.scale, where["scale"]) or not np.array_equal(layer.translate, where["translate"]):
            layer.scale, layer.translate = where["scale"], where["translate"]

    def _view_moved(self, _event: object = None) -> None:
        """Words have the size of the screen and stay on it, so they stand elsewhere now; once, when it has come to rest."""
        if not self._marks.masks and not self._marks.lines and not self._marks.regions:
            return
        from qtpy.QtCore import QTimer

        if self._timer is None:
            self._timer = QTimer()
            self._timer.setSingleShot(True)
            self._timer.timeout.connect(self._again)
        self._timer.start(_REST_MS)

    def _again(self) -> None:
        if self._pane.series is None or _LINES not in self._pane.viewer.layers:
            return
        for name, (_, pixels) in _OUTLINES.items():
            if len(self._pane.viewer.layers[name].data):
                self._pane.viewer.layers[name].edge_width = pixels / self._pane.viewer.scene.camera.zoom
        self._draw_lines()


def _shape(pane: Pane) -> tuple[int, int, int]:
    assert pane.series is not None
    assert pane.series.geometry is not None
    return pane.series.geometry.shape


def _rgba(colour: str, alpha: float) -> FloatArray:
    return np.array([int(colour[n : n + 2], 16) / 255 for n in (1, 3, 5)] + [alpha])


def _along(one: tuple[float, float], other: tuple[float, float], pixel: float) -> FloatArray:
    """Points along a line, every four pixels of the screen."""
    count = max(int(np.hypot(other[0] - one[0], other[1] - one[1]) / (4 * pixel)), 1)
    return np.linspace(one, other, count + 1)


def _width(text: str) -> float:
    """Width of a text on the screen, in pixels."""
    from qtpy.QtGui import QFont, QFontMetricsF

    # Points are drawn at 96 to the inch there, and reckoned at 72 here.
    return float(QFontMetricsF(QFont("OpenSans", FONT_SIZE)).horizontalAdvance(text)) * 96 / 72
