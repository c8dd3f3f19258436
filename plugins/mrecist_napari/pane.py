"""One visit in one viewer: its phases as image layers, the masks, the lines, letters and text. Public napari API only."""

from __future__ import annotations

from textwrap import fill
from typing import Any

import numpy as np

from mrecist.imaging.series import Series
from mrecist.imaging.volume import Volume
from mrecist_napari.drawing import Drawing
from mrecist_napari.grid import Grid, grid_of, sides
from mrecist_napari.settings import settings
from mrecist_napari.windows import Window, default_window

_UNITS, _AXES = ("mm", "mm", "mm"), ("z", "y", "x")


class Pane:
    """A viewer that shows a visit.

    Parameters
    ----------
    viewer : a napari ViewerModel (a Viewer is one).
    """

    def __init__(self, viewer: Any) -> None:
        self.viewer = viewer
        self.series: Series | None = None
        self.window = Window(level=80, width=250, name="liver")
        self._images: dict[tuple[str, int], Any] = {}
        self._adjusting = False
        self.drawing = Drawing(self)
        # After napari's own callbacks, which would otherwise set the range again.
        viewer.dims.events.range.connect(self._reach_every_slice, position="last")
        viewer.layers.events.inserted.connect(self._reach_every_slice, position="last")
        viewer.layers.events.removed.connect(self._reach_every_slice, position="last")
        _letters(viewer)

    # --- pictures --------------------------------------------------------------------------------------------------

    def clear(self) -> None:
        """Take everything away."""
        self.viewer.layers.clear()
        self._images.clear()
        self.series = None

    def add(self, series: Series, volume: Volume) -> None:
        """A phase of the visit, hidden until it is shown."""
        key = (series.uid, series.stack)
        if key in self._images:
            return
        if not self._images:
            self.window = default_window(series.modality, volume.voxels, settings().window)
        voxels = volume.voxels
        if not np.isfinite(voxels).all():
            voxels = np.nan_to_num(voxels, nan=float(np.nanmin(voxels)))
        layer = self.viewer.add_image(
            voxels,
            name=f"{series.phase.name}".lower(),
            visible=False,
            colormap="gray",
            interpolation2d="linear",
            contrast_limits=self.window.limits,
            metadata={"series_uid": series.uid, "stack": series.stack, "phase": str(series.phase.name)},
            **self.place(series),
        )
        self.viewer.layers.move(self.viewer.layers.index(layer), 0)
        self._images[key] = layer
        self._reach_every_slice()

    def show(self, series: Series) -> None:
        """Show one phase and hide the others; the slice and the zoom stay."""
        key = (series.uid, series.stack)
        for other, layer in self._images.items():
            layer.visible = other == key
        first = self.series is None
        self.series = series
        if series.geometry is not None:
            left, right, top, bottom = sides(series.geometry)
            for place, letter in (("left", left), ("right", right), ("top", top), ("bottom", bottom)):
                self.viewer.canvas.overlays[f"side_{place}"].text = letter
        if first:
            self.viewer.reset_view()
            self.go_to_slice(self.slices // 2)

    def has(self, series: Series) -> bool:
        """Whether the phase is loaded."""
        return (series.uid, series.stack) in self._images

    def set_window(self, window: Window) -> None:
        """Window and level of every phase."""
        self.window = window
        for layer in self._images.values():
            layer.contrast_limits = window.limits

    def say(self, text: str) -> None:
        """The text in the upper left corner: visit, phase, window, slice."""
        self.viewer.canvas.overlays["said"].text = text

    def tell(self, text: str) -> None:
        """A line at the foot of the picture: what to do next, or what went wrong."""
        self.viewer.canvas.overlays["told"].text = "\n".join(fill(line, 48) for line in text.splitlines())

    # --- slices ----------------------------------------------------------------------------------------------------

    @property
    def grid(self) -> Grid:
        """The grid of the series that is shown."""
        assert self.series is not None
        assert self.series.geometry is not None
        return grid_of(self.series.geometry)

    @property
    def slices(self) -> int:
        """Number of slices of the series that is shown."""
        return len(self.series.slices) if self.series is not None else 0

    @property
    def slice_index(self) -> int:
        """The slice that is shown."""
        z = self.grid.to_index((self.viewer.dims.point[0], 0, 0))[0]
        return int(np.clip(round(z), 0, self.slices - 1))

    def go_to_slice(self, index: int) -> None:
        """Show a slice; beyond the ends is the first or the last."""
        index = int(np.clip(index, 0, self.slices - 1))
        self.viewer.dims.set_point(0, self.grid.to_world((index, 0, 0))[0])

    def centre_on(self, index: tuple[float, float, float]) -> None:
        """Show the slice of a voxel, with the voxel in the middle."""
        self.go_to_slice(round(index[0]))
        _, y, x = self.grid.to_world(index)
        self.viewer.scene.camera.center = (0.0, y, x)

    def _reach_every_slice(self, _event: object = None) -> None:
        """napari cuts the number of steps off, not round: without this the last slice of many series cannot be reached."""
        if self._adjusting or self.viewer.dims.ndim < 3 or not self.viewer.layers:
            return
        self._adjusting = True
        try:
            ranges = []
            for start, stop, step in self.viewer.dims.range:
                count = round((stop - start) / step) if step > 0 else 0
                ranges.append((start, start + (count + 1e-6) * step, step))
            self.viewer.dims.range = ranges
        finally:
            self._adjusting = False

    def place(self, series: Series | None) -> dict[str, Any]:
        """What napari wants to know of where the voxels of a series are: scale, translation, units, axes."""
        assert series is not None
        assert series.geometry is not None
        grid = grid_of(series.geometry)
        return {"scale": grid.scale, "translate": grid.translate, "units": _UNITS, "axis_labels": _AXES}


def _letters(viewer: Any) -> None:
    """The patient's sides at the edges, a text in the corner, a scale bar in mm."""
    from napari.components.overlays import TextOverlay

    places = {
        "side_left": "middle_left",
        "side_right": "middle_right",
        "side_top": "top_center",
        "side_bottom": "bottom_center",
        "said": "top_left",
        "told": "bottom_left",
    }
    sizes = {"said": 10, "told": 10}
    for name, position in places.items():
        colour = "#ffffff" if name == "told" else "#9ecbff" if name.startswith("side") else "#d8d8d8"
        viewer.canvas.overlays[name] = TextOverlay(
            position=position, visible=True, font_size=sizes.get(name, 15), color=colour
        )
    viewer.canvas.overlays.scale_bar.visible = True
