"""Two reformats of the visit that is read, below it, with a crosshair through all three pictures.

They are for looking: what is drawn and measured is drawn and measured on the slices as they were acquired.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import numpy as np
from qtpy.QtCore import Qt, QTimer
from qtpy.QtWidgets import QSplitter

from mrecist.imaging.series import Series
from mrecist_napari.cuts import Cut, Lattice, crosshair, cuts_of, lattice_of
from mrecist_napari.grid import Grid, Point, grid_of, nearest_index, to_lps
from mrecist_napari.keys import bind
from mrecist_napari.marks import VIABLE, WHOLE
from mrecist_napari.pane import AXES, UNITS, dress, only_slices, write_sides
from mrecist_napari.tools import MouseTools
from mrecist_napari.windows import Window

if TYPE_CHECKING:
    from mrecist_napari.reading_window import ReadingWindow

_CROSS, _COLOUR, _GAP_MM, _WIDTH_MM = "crosshair", "#5fd35f", 6.0, 0.5
_SHARE = 0.38  # of the window's height
_CLICK_PX = 4


class CutPane:
    """One reformat in a viewer of its own. It looks like a pane to the mouse: wheel and right drag are the same."""

    def __init__(self, window: ReadingWindow) -> None:
        from napari.components import ViewerModel
        from napari.qt import QtViewer

        self.viewer = ViewerModel(title="reformat")
        self.widget = QtViewer(self.viewer)
        self.lattice: Lattice | None = None
        self.cut: Cut | None = None
        self._current = window.current
        self._images: dict[Lattice, Any] = {}
        self._masks: dict[str, Any] = {}
        self._adjusting = False
        dress(self.viewer)
        bind(window, self.viewer)
        self.mouse = MouseTools(self, self.say)  # type: ignore[arg-type]
        self.viewer.dims.events.range.connect(self._range, position="last")
        self.viewer.layers.events.inserted.connect(self._range, position="last")

    # --- as a pane -------------------------------------------------------------------------------------------------

    @property
    def series(self) -> Series | None:
        """The series that is reformatted."""
        return self._current.series if self.lattice is not None else None

    @property
    def grid(self) -> Grid:
        """The grid of the lattice."""
        assert self.lattice is not None
        return grid_of(self.lattice.geometry)

    @property
    def window(self) -> Window:
        """The window of the current visit."""
        return self._current.window

    def set_window(self, window: Window) -> None:
        """The window of the current visit."""
        self._current.set_window(window)

    @property
    def slices(self) -> int:
        """Number of cuts."""
        assert self.lattice is not None
        return self.lattice.geometry.shape[self._hidden]

    @property
    def slice_index(self) -> int:
        """The cut that is shown."""
        axis = self._hidden
        grid = self.grid
        at = (self.viewer.dims.point[axis] - grid.translate[axis]) / grid.scale[axis]
        return min(max(round(at), 0), self.slices - 1)

    def go_to_slice(self, index: int) -> None:
        """Show a cut."""
        axis = self._hidden
        index = min(max(index, 0), self.slices - 1)
        self.viewer.dims.set_point(axis, self.grid.translate[axis] + index * self.grid.scale[axis])

    @property
    def _hidden(self) -> int:
        assert self.cut is not None
        return self.cut.hidden

    # --- showing ---------------------------------------------------------------------------------------------------

    def show(self, lattice: Lattice, cut: Cut) -> None:
        """A lattice in place of the one before, which stays hidden; its voxels are those of the pane, not a copy."""
        first = self.cut != cut
        self.lattice, self.cut = None, None
        if lattice not in self._images:
            self._images[lattice] = self.viewer.add_image(
                lattice.voxels,
                name="reformat",
                colormap="gray",
                interpolation2d="linear",
                contrast_limits=self.window.limits,
                **self._place(lattice),
            )
            self.viewer.layers.move(len(self.viewer.layers) - 1, 0)
            self.viewer.layers.selection.clear()
        for one, layer in self._images.items():
            layer.visible = one is lattice
        self._images[lattice].contrast_limits = self.window.limits
        self.viewer.dims.order = cut.order
        self.viewer.scene.camera.orientation2d = cut.orientation
        self.lattice, self.cut = lattice, cut
        write_sides(self.viewer, cut.letters)
        self._range()
        if first:
            self.viewer.reset_view()
        self.say()

    def show_mask(self, name: str, data: Any, colour: str) -> None:
        """Outlines of what is drawn on the current visit: (Z, Y, X) on the lattice, 0 where nothing is."""
        from napari.utils.colormaps import DirectLabelColormap

        assert self.lattice is not None
        place = self._place(self.lattice)
        layer = self._masks.get(name)
        if layer is not None and layer.data.shape == data.shape:
            layer.data, layer.scale, layer.translate = data, place["scale"], place["translate"]
            return
        self.drop_masks({one for one in self._masks if one != name})
        layer = self.viewer.add_labels(data, name=name, opacity=0.9, **self._place(self.lattice))
        layer.colormap = DirectLabelColormap(color_dict={None: colour, 0: "transparent"})
        layer.contour, layer.editable, layer.mode = 1, False, "pan_zoom"
        self._masks[name] = layer
        self.viewer.layers.selection.clear()

    def drop_masks(self, but: set[str]) -> None:
        """Take away outlines whose layer is not there any more."""
        for name in [one for one in self._masks if one not in but]:
            self.viewer.layers.remove(self._masks.pop(name))

    def clear(self) -> None:
        """Let go of voxels and masks."""
        self.lattice, self.cut = None, None
        self._images.clear()
        self._masks.clear()
        self.viewer.layers.clear()

    def image(self) -> Any:
        """The napari layer that is shown."""
        assert self.lattice is not None
        return self._images[self.lattice]

    def cross(self, point: Point) -> None:
        """Go to an LPS point and draw the lines through it."""
        assert self.lattice is not None
        assert self.cut is not None
        index = self.lattice.index(point)
        self.go_to_slice(round(index[self._hidden]))
        at = list(self.grid.to_world(index))
        at[self._hidden] = self.viewer.dims.point[self._hidden]
        high = tuple(n - 1.0 for n in self.lattice.geometry.shape)
        draw_cross(self.viewer, (at[0], at[1], at[2]), self.cut.order[1:], self.grid, (high[0], high[1], high[2]))

    def contrast(self) -> None:
        """The window of the current visit."""
        if self.lattice is not None:
            self.image().contrast_limits = self.window.limits
            self.say()

    def say(self) -> None:
        """Plane, phase and window in the corner, and whether what is seen was resampled."""
        if self.lattice is None or self.cut is None or self.series is None:
            return
        text = f"{self.cut.name}\n{self.series.phase.name.lower()}  {self.window.text}"
        self.viewer.canvas.overlays["said"].text = text + (f"\n! {self.lattice.text}" if self.lattice.text else "")

    def point_at(self, position: tuple[float, ...]) -> Point:
        """LPS mm of a place of the picture, on the cut that is shown."""
        assert self.lattice is not None
        index = list(self.grid.to_index((position[0], position[1], position[2])))
        index[self._hidden] = float(self.slice_index)
        return self.lattice.to_lps((index[0], index[1], index[2]))

    def free(self) -> None:
        """Let go of voxels, masks and the canvas."""
        self.clear()
        self.widget.close()

    def _range(self, _event: object = None) -> None:
        if self._adjusting or self.lattice is None or self.viewer.dims.ndim < 3:
            return
        self._adjusting = True
        try:
            axis, grid = self._hidden, self.grid
            only_slices(self.viewer, axis, grid.translate[axis], grid.scale[axis], self.slices)
        finally:
            self._adjusting = False

    @staticmethod
    def _place(lattice: Lattice) -> dict[str, Any]:
        grid = grid_of(lattice.geometry)
        return {"scale": grid.scale, "translate": grid.translate, "units": UNITS, "axis_labels": AXES}


class Reformats:
    """The two reformats of a reading window and its crosshair: opened and closed by a key."""

    def __init__(self, window: ReadingWindow) -> None:
        self._window = window
        self.cuts: tuple[CutPane, ...] = ()
        self.point: Point | None = None
        self._dock: Any = None
        self._busy = False
        self._heard: list[tuple[Any, Any]] = []
        self._lattices: dict[tuple[str, int], Lattice] = {}
        self._masks_due = False

    @property
    def shown(self) -> bool:
        """They are open."""
        return self._dock is not None

    def toggle(self) -> None:
        """Open them, or close them."""
        was_seen = self._dock is not None and self._dock.isVisible()
        if self._dock is not None:
            self.close()
        if was_seen:
            return
        if self._window.current.series is None:
            self._window.message("nothing is loaded yet")
            return
        self._open()

    def _open(self) -> None:
        self.cuts = (CutPane(self._window), CutPane(self._window))
        both = QSplitter(Qt.Orientation.Horizontal)
        for cut in self.cuts:
            both.addWidget(cut.widget)
        main = self._window.prior.main
        main.setCorner(Qt.Corner.BottomRightCorner, Qt.DockWidgetArea.RightDockWidgetArea)
        self._dock = self._window.viewer.window.add_dock_widget(both, name="reformats", area="bottom")
        main.resizeDocks([self._dock], [round(main.height() * _SHARE)], Qt.Orientation.Vertical)
        current = self._window.current
        current.watchers.append(self._pane_changed)
        self._hear(current.viewer.dims.events.point, self._scrolled)
        current.viewer.mouse_drag_callbacks.append(self._clicked)
        for cut in self.cuts:
            cut.viewer.dims.events.point.connect(self._cut_scrolled)
            cut.viewer.mouse_drag_callbacks.append(self._clicked)
        self.point = current.point
        self._reformat()

    def close(self) -> None:
        """Close them and free what they hold."""
        if self._dock is None:
            return
        current = self._window.current
        current.watchers.remove(self._pane_changed)
        for event, heard in self._heard:
            event.disconnect(heard)
        self._heard.clear()
        if self._clicked in current.viewer.mouse_drag_callbacks:
            current.viewer.mouse_drag_callbacks.remove(self._clicked)
        self._unmark()
        dock, self._dock = self._dock, None
        for cut in self.cuts:
            cut.free()
        self.cuts = ()
        self._lattices.clear()
        self._window.viewer.window.remove_dock_widget(dock)

    # --- what is cut -----------------------------------------------------------------------------------------------

    def _pane_changed(self, what: str) -> None:
        if what == "series":
            self._reformat()
        elif what == "window":
            for cut in self.cuts:
                cut.contrast()
        elif what == "moved":
            self._scrolled()
        elif what == "centre":
            self._go(self._window.current.point)

    def _reformat(self) -> None:
        """Cut the series that is shown now; where it must be resampled, when that is done."""
        series = self._window.current.series
        if series is None:  # another visit is being loaded
            self._lattices.clear()
            self.point = None
            for cut in self.cuts:
                cut.clear()
            return
        key = (series.uid, series.stack)
        if key in self._lattices:
            self._show(series)
            return
        voxels = self._window.current.image().data

        def done(lattice: Lattice) -> None:
            if self.shown:
                self._lattices[key] = lattice
                if self._window.current.series is series:
                    self._show(series)

        self._window.background.later(lambda: lattice_of(series, voxels), done, "reformatting")

    def _show(self, series: Series) -> None:
        lattice = self._lattices[series.uid, series.stack]
        self._busy = True
        try:
            for pane, cut in zip(self.cuts, cuts_of(lattice.geometry), strict=True):
                pane.show(lattice, cut)
            self._masks()
        finally:
            self._busy = False
        self._go(self.point or self._window.current.point)

    # --- the crosshair ---------------------------------------------------------------------------------------------

    def _go(self, point: Point) -> None:
        """All three pictures to a point, with the lines through it."""
        current = self._window.current
        if current.series is None or current.series.geometry is None or self._busy:
            return
        self.point = point
        self._busy = True
        try:
            index = nearest_index(current.series.geometry, point)
            if round(index[0]) != current.slice_index:
                current.go_to_slice(round(index[0]))
            at = current.grid.to_world(index)
            _, rows, columns = current.series.geometry.shape
            draw_cross(current.viewer, at, (1, 2), current.grid, (index[0], rows - 1.0, columns - 1.0))
            for cut in self.cuts:
                if cut.lattice is not None:
                    cut.cross(point)
        finally:
            self._busy = False

    def _scrolled(self, _event: object = None) -> None:
        """The current visit was scrolled: the same row and column on its slice."""
        current = self._window.current
        if self._busy or current.showing or current.series is None or self.point is None:
            return
        assert current.series.geometry is not None
        _, row, column = nearest_index(current.series.geometry, self.point)
        self._go(to_lps(current.series.geometry, (current.slice_index, row, column)))

    def _cut_scrolled(self, event: Any) -> None:
        """A reformat was scrolled."""
        cut = next((one for one in self.cuts if one.viewer.dims is event.source), None)
        if self._busy or cut is None or cut.lattice is None or cut.cut is None or self.point is None:
            return
        index = list(cut.lattice.index(self.point))
        index[cut.cut.hidden] = float(cut.slice_index)
        self._go(cut.lattice.to_lps((index[0], index[1], index[2])))

    def _clicked(self, viewer: Any, event: Any) -> Iterator[None]:
        """A click with the left button that no tool waits for; a drag still moves the picture."""
        active = viewer.layers.selection.active
        if event.button != 1 or event.handled or self._window.mouse.is_drawing or _is_tool(active):
            return
        x, y = event.pos
        yield
        while event.type == "mouse_move":
            yield
        if max(abs(event.pos[0] - x), abs(event.pos[1] - y)) > _CLICK_PX:
            return
        current = self._window.current
        if viewer is current.viewer or current.viewer.dims is viewer.dims:
            if current.series is not None and current.series.geometry is not None:
                self._go(to_lps(current.series.geometry, current.grid.to_index(event.position)))
            return
        cut = next((one for one in self.cuts if one.viewer is viewer), None)
        if cut is not None and cut.lattice is not None:
            self._go(cut.point_at(event.position))

    def _unmark(self) -> None:
        layers = self._window.current.viewer.layers
        if _CROSS in layers:
            layers.remove(layers[_CROSS])

    # --- the masks -------------------------------------------------------------------------------------------------

    def masks_changed(self) -> None:
        """Once for all changes that one redrawing makes."""
        if self.shown and not self._masks_due:
            self._masks_due = True
            QTimer.singleShot(0, self._window.prior.main, self._masks)

    def _masks(self) -> None:
        """The outlines of all masks that are drawn on the current visit."""
        self._masks_due = False
        current = self._window.current
        if not self.shown or current.series is None or current.series.geometry is None:
            return
        lattice = self._lattices.get((current.series.uid, current.series.stack))
        if lattice is None or any(cut.lattice is not lattice for cut in self.cuts):
            return
        for name, colour in (("whole", WHOLE), ("viable", VIABLE)):
            data = np.zeros(current.series.geometry.shape, dtype=np.uint8)
            for mask in current.drawing.masks:
                part = getattr(mask, name)
                if part is not None:
                    data[part] = 1
            cut_data = lattice.mask(data)
            for cut in self.cuts:
                cut.show_mask(name, cut_data, colour)

    def _hear(self, event: Any, heard: Any) -> None:
        event.connect(heard)
        self._heard.append((event, heard))


def _is_tool(layer: Any) -> bool:
    """A layer in a mode in which a click means something to it."""
    return layer is not None and str(getattr(layer, "mode", "pan_zoom")) != "pan_zoom"


def draw_cross(viewer: Any, at: Point, axes: tuple[int, ...], grid: Grid, last: Point) -> None:
    """The crosshair of a viewer in its world's mm: one layer that is only moved."""
    data = crosshair(at, axes[0], axes[1], grid.translate, grid.to_world(last), _GAP_MM)
    if _CROSS in viewer.layers:
        viewer.layers[_CROSS].data = data
        return
    viewer.add_vectors(
        data,
        name=_CROSS,
        edge_color=_COLOUR,
        edge_width=_WIDTH_MM,
        vector_style="line",
        opacity=0.8,
        units=UNITS,
        axis_labels=AXES,
    )
    viewer.layers.selection.clear()
