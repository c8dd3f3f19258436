"""What a read looks like on a pane: masks as outlines, diameters with their callouts, the line that is being dragged."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from mrecist_napari.marks import VIABLE, WHOLE, MarkLine, Marks

if TYPE_CHECKING:
    from mrecist_napari.pane import Pane

_MASKS = ("whole", "viable")
_TEXT_POINTS, _LINES, _GROWING = "callouts", "diameters", "growing"
_LINE_WIDTH = 0.8  # mm
Index3 = tuple[float, float, float]


class Drawing:
    """The marks of one pane."""

    def __init__(self, pane: Pane) -> None:
        self._pane = pane

    def draw(self, marks: Marks, extra: tuple[MarkLine, ...] = ()) -> None:
        """Show masks and lines in place of those that were there. No layer is left selected: its keys would win over ours."""
        for name, data, colour in zip(_MASKS, (marks.whole, marks.viable), (WHOLE, VIABLE), strict=True):
            self._draw_mask(name, data, colour)
        self._draw_lines((*marks.lines, *extra))
        self._pane.viewer.layers.selection.clear()

    def _draw_mask(self, name: str, data: Any, colour: str) -> None:
        from napari.utils.colormaps import DirectLabelColormap

        if name in self._pane.viewer.layers:
            layer = self._pane.viewer.layers[name]
            if layer.data.shape == data.shape:
                there = bool(data.any())
                # Each of these is a new picture for napari; an empty layer that is shown is drawn at every slice.
                if there or layer.data.any():
                    layer.data = data
                self._lay(layer)
                if layer.visible != there:
                    layer.visible = there
                return
            self._pane.viewer.layers.remove(layer)
        if not data.any():
            return
        layer = self._pane.viewer.add_labels(data, name=name, opacity=0.9, **self._pane.place(self._pane.series))
        layer.colormap = DirectLabelColormap(color_dict={None: colour, 0: "transparent"})
        layer.contour = 1
        layer.editable = False
        layer.mode = "pan_zoom"

    def _lay(self, layer: Any) -> None:
        """Put a layer on the grid of the series shown, unless it lies there."""
        grid = self._pane.grid
        if tuple(layer.scale) != grid.scale:
            layer.scale = grid.scale
        if tuple(layer.translate) != grid.translate:
            layer.translate = grid.translate

    def grow(self, start: Index3, end: Index3, text: str) -> None:
        """The line that is being dragged, with its length; one layer that is only moved, so that a drag is not held up."""
        ends, label = np.array([start, end]), {"label": [text]}
        if _GROWING not in self._pane.viewer.layers:
            self._pane.viewer.add_shapes(
                [ends],
                shape_type="line",
                name=_GROWING,
                edge_color="#ffffff",
                edge_width=0.8,
                features=label,
                text={"string": "{label}", "color": "#ffffff", "size": 10, "anchor": "lower_left"},
                **self._pane.place(self._pane.series),
            )
            self._pane.viewer.layers.selection.clear()
            return
        layer = self._pane.viewer.layers[_GROWING]
        layer.data = [ends]
        layer.features = label
        layer.visible = True

    def grown(self) -> None:
        """Nothing is dragged any more."""
        if _GROWING in self._pane.viewer.layers:
            self._pane.viewer.layers[_GROWING].visible = False

    def _draw_lines(self, lines: tuple[MarkLine, ...]) -> None:
        if _LINES not in self._pane.viewer.layers:
            if not lines:
                return
            self._add_line_layers()
        # The layers stay and take other lines: napari needs a second to take a layer away and make a new one.
        shapes, points = (self._pane.viewer.layers[name] for name in (_LINES, _TEXT_POINTS))
        for layer in (shapes, points):
            self._lay(layer)
        shapes.data = [(np.array(line.ends), "line") for line in lines]
        points.data = np.array([line.callout for line in lines]).reshape(-1, 3)
        if not lines:
            return
        shapes.features = {"lesion": [line.lesion for line in lines], "size": [line.size for line in lines]}
        shapes.edge_color = [line.colour for line in lines]
        shapes.edge_width = [_LINE_WIDTH] * len(lines)
        points.features = {"label": [("? " if line.proposed else "") + line.text for line in lines]}
        points.text = {
            "string": "{label}",
            "color": [line.colour for line in lines],
            "size": 10,
            "anchor": "upper_left",
        }

    def _add_line_layers(self) -> None:
        place = self._pane.place(self._pane.series)
        self._pane.viewer.add_shapes(
            [np.zeros((2, 3))], shape_type="line", name=_LINES, edge_width=_LINE_WIDTH, **place
        )
        points = self._pane.viewer.add_points(
            np.zeros((1, 3)),
            name=_TEXT_POINTS,
            size=0.1,
            face_color="transparent",
            border_color="transparent",
            **place,
        )
        points.editable = False

    def hide(self, hidden: bool) -> None:
        """Take masks and lines from sight, or show them again."""
        for layer in self._pane.viewer.layers:
            if layer.name in (*_MASKS, _LINES, _TEXT_POINTS):
                layer.visible = not hidden
