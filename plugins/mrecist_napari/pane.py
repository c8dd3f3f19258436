"""One visit in one viewer: its phases as image layers, the masks, the lines, letters and text. Public napari API only."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from textwrap import fill
from typing import Any

import numpy as np

from mrecist.imaging.series import Series
from mrecist.imaging.volume import Volume
from mrecist_napari.drawing import Drawing
from mrecist_napari.grid import Grid, Point, beyond_mm, grid_of, nearest_index, same_axes, sides, to_lps
from mrecist_napari.settings import settings
from mrecist_napari.windows import PRESETS, Window, first_window, next_preset, presets_of

UNITS, AXES = ("mm", "mm", "mm"), ("z", "y", "x")
Key = tuple[str, int]


@dataclass(frozen=True, slots=True)
class Picture:
    """A series as it can be shown: voxels (Z, Y, X) without NaN, and the windows that suit it."""

    voxels: Any
    presets: tuple[Window, ...]


def picture_of(series: Series, volume: Volume) -> Picture:
    """The picture of a loaded series; looks at every voxel, so not for the screen's thread."""
    voxels = volume.voxels
    if not all(np.isfinite(plane).all() for plane in voxels):
        voxels = np.nan_to_num(voxels, nan=float(np.nanmin(voxels)) if np.isfinite(voxels).any() else 0.0)
    return Picture(voxels=voxels, presets=presets_of(series.modality, voxels))


class Pane:
    """A viewer that shows a visit.

    Parameters
    ----------
    viewer : a napari ViewerModel (a Viewer is one).
    """

    def __init__(self, viewer: Any) -> None:
        self.viewer = viewer
        self.series: Series | None = None
        self.beyond_mm = 0.0
        self.failed: dict[Key, str] = {}
        self.watchers: list[Callable[[str], None]] = []
        self._images: dict[Key, Any] = {}
        self._presets: dict[Key, tuple[Window, ...]] = {}
        # One window for all CT series, because HU are the same everywhere; one for each other series.
        self._windows: dict[object, Window] = {}
        self._holds: dict[Key, object] = {}
        self._wanted: Point | None = None
        self._adjusting = False
        self.showing = False  # while it is true, the slice is not one that the reader went to
        self.drawing = Drawing(self)
        # After napari's own callbacks, which would otherwise set the range again.
        viewer.dims.events.range.connect(self._range_of_shown, position="last")
        viewer.layers.events.inserted.connect(self._range_of_shown, position="last")
        viewer.layers.events.removed.connect(self._range_of_shown, position="last")
        viewer.dims.events.point.connect(self._moved)
        dress(viewer)

    # --- pictures --------------------------------------------------------------------------------------------------

    def clear(self) -> None:
        """Take everything away."""
        self.series = None
        self.beyond_mm, self._wanted = 0.0, None
        self.viewer.layers.clear()
        for kept in (self._images, self._presets, self._holds, self._windows, self.failed):
            kept.clear()
        self.say("")
        self._changed("series")

    def add(self, series: Series, picture: Picture) -> None:
        """A phase of the visit, hidden until it is shown."""
        key = _key(series)
        if key in self._images:
            return
        self._presets[key] = picture.presets
        self._holds[key] = _windowed(series)
        begun = first_window(series.modality, picture.presets, settings().window)
        window = self._windows.setdefault(_windowed(series), begun)
        layer = self.viewer.add_image(
            picture.voxels,
            name=f"{series.phase.name}".lower(),
            visible=False,
            colormap="gray",
            interpolation2d="linear",
            contrast_limits=window.limits,
            metadata={"series_uid": series.uid, "stack": series.stack, "phase": str(series.phase.name)},
            **self.place(series),
        )
        self.viewer.layers.move(self.viewer.layers.index(layer), 0)
        self._images[key] = layer
        self._range_of_shown()

    def show(self, series: Series) -> None:
        """Show one phase and hide the others; the place in the patient and the zoom stay.

        Where the phase does not reach that place its nearest slice is shown, and ``beyond_mm`` says how far off it is; the next
        phase is shown at the place that was wanted.
        """
        before = self.series
        wanted = self._wanted or (self.point if before is not None else None)
        self.series = series
        self.showing = True
        try:
            for other, layer in self._images.items():
                layer.visible = other == _key(series)
            self._letters(series)
            self._range_of_shown()
            if wanted is None or before is None:
                self.viewer.reset_view()
                self.go_to_slice(self.slices // 2)
            else:
                index = self._nearest(wanted)
                if not _alike(before, series):
                    self._centre(index)
        finally:
            self.showing = False
        self._changed("series")

    def _letters(self, series: Series) -> None:
        assert series.geometry is not None
        write_sides(self.viewer, sides(series.geometry))

    def has(self, series: Series) -> bool:
        """Whether the phase is loaded."""
        return _key(series) in self._images

    def image(self) -> Any:
        """The napari layer of the series that is shown."""
        assert self.series is not None
        return self._images[_key(self.series)]

    @property
    def window(self) -> Window:
        """Window and level of the series that is shown."""
        return PRESETS[0] if self.series is None else self._windows[_windowed(self.series)]

    def set_window(self, window: Window) -> None:
        """Window and level of the series that is shown, and of those with the same unit."""
        if self.series is None:
            return
        of_it = _windowed(self.series)
        self._windows[of_it] = window
        for key, layer in self._images.items():
            if self._holds[key] == of_it:
                layer.contrast_limits = window.limits
        self._changed("window")

    def next_window(self) -> None:
        """The next preset of the series that is shown."""
        if self.series is not None:
            self.set_window(next_preset(self.window, self._presets[_key(self.series)]))

    def use_preset(self, name: str) -> None:
        """The preset of that name, where the series that is shown has it."""
        if self.series is not None:
            for preset in self._presets[_key(self.series)]:
                if preset.name == name:
                    self.set_window(preset)

    def say(self, text: str) -> None:
        """The text in the upper left corner: visit, phase, window, slice."""
        self.viewer.canvas.overlays["said"].text = text

    def tell(self, text: str) -> None:
        """A line at the foot of the picture: what to do next, or what went wrong."""
        self.viewer.canvas.overlays["told"].visible = bool(text)  # empty it would be a dark spot
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

    @property
    def point(self) -> Point:
        """LPS mm of the middle of the picture, on the slice that is shown."""
        assert self.series is not None
        assert self.series.geometry is not None
        _, y, x = self.grid.to_index((0.0, *self.viewer.scene.camera.center[-2:]))
        return to_lps(self.series.geometry, (self.slice_index, y, x))

    def go_to_slice(self, index: int) -> None:
        """Show a slice; beyond the ends is the first or the last."""
        index = int(np.clip(index, 0, self.slices - 1))
        self.viewer.dims.set_point(0, self.grid.to_world((index, 0, 0))[0])

    def go_to(self, point: Point) -> None:
        """Show the slice nearest to an LPS point; ``beyond_mm`` says how far off it is where the series does not reach there."""
        before, self.showing = self.showing, True
        try:
            self._nearest(point)
        finally:
            self.showing = before
        self._changed("moved")

    def _nearest(self, point: Point) -> Point:
        assert self.series is not None
        assert self.series.geometry is not None
        index = nearest_index(self.series.geometry, point)
        self.beyond_mm = beyond_mm(self.series.geometry, point)
        self._wanted = point if self.beyond_mm else None
        self.go_to_slice(round(index[0]))
        return index

    def centre_on(self, index: tuple[float, float, float]) -> None:
        """Show the slice of a voxel, with the voxel in the middle."""
        self.go_to_slice(round(index[0]))
        self._centre(index)
        self._changed("centre")

    def _centre(self, index: Point) -> None:
        _, y, x = self.grid.to_world(index)
        self.viewer.scene.camera.center = (0.0, y, x)

    def _moved(self, _event: object = None) -> None:
        """The reader went to another slice: that is now the place that is wanted."""
        if not self.showing:
            self.beyond_mm, self._wanted = 0.0, None

    def _range_of_shown(self, _event: object = None) -> None:
        """The slider has the slices of the series that is shown, all of them, and no others.

        napari takes the smallest step of all layers over all that they cover, and cuts the number of steps off instead of
        rounding it, which loses the last slice of many series.
        """
        if self._adjusting or self.viewer.dims.ndim < 3 or not self.viewer.layers:
            return
        self._adjusting = True
        try:
            if self.series is not None:
                only_slices(self.viewer, 0, self.grid.translate[0], self.grid.scale[0], self.slices)
            else:
                self.viewer.dims.range = [_whole_steps(*one) for one in self.viewer.dims.range]
        finally:
            self._adjusting = False

    def place(self, series: Series | None) -> dict[str, Any]:
        """What napari wants to know of where the voxels of a series are: scale, translation, units, axes."""
        assert series is not None
        assert series.geometry is not None
        grid = grid_of(series.geometry)
        return {"scale": grid.scale, "translate": grid.translate, "units": UNITS, "axis_labels": AXES}

    def _changed(self, what: str) -> None:
        for changed in tuple(self.watchers):
            changed(what)


_HU = "CT"


def _key(series: Series) -> Key:
    return series.uid, series.stack


def _windowed(series: Series) -> object:
    """What a window holds for."""
    return _HU if series.modality == "CT" else _key(series)


def _alike(one: Series, other: Series) -> bool:
    assert one.geometry is not None
    assert other.geometry is not None
    return same_axes(one.geometry, other.geometry)


def _whole_steps(start: float, stop: float, step: float) -> tuple[float, float, float]:
    count = round((stop - start) / step) if step > 0 else 0
    return start, start + (count + 1e-6) * step, step


def only_slices(viewer: Any, axis: int, start: float, step: float, count: int) -> None:
    """The slider of an axis has so many steps from ``start`` mm on."""
    ranges = [_whole_steps(*one) for one in viewer.dims.range]
    ranges[axis] = (start, start + (count - 1 + 1e-6) * step, step)
    viewer.dims.range = ranges


def write_sides(viewer: Any, letters: tuple[str, str, str, str]) -> None:
    """The patient's sides at the left, right, upper and lower edge."""
    for place, letter in zip(("left", "right", "top", "bottom"), letters, strict=True):
        viewer.canvas.overlays[f"side_{place}"].text = letter


def dress(viewer: Any) -> None:
    """The patient's sides at the edges, a text in the corner, a scale bar in mm."""
    from napari.components.overlays import TextOverlay

    places = {
        "side_left": "middle_left",
        "side_right": "middle_right",
        "side_top": "top_center",
        "side_bottom": "bottom_center",
        "said": "top_left",
        "told": "bottom_center",
    }
    sizes = {"said": 10, "told": 10}
    for name, position in places.items():
        colour = "#ffffff" if name == "told" else "#9ecbff" if name.startswith("side") else "#d8d8d8"
        viewer.canvas.overlays[name] = TextOverlay(
            position=position, visible=name != "told", font_size=sizes.get(name, 15), color=colour
        )
    viewer.canvas.overlays.scale_bar.visible = True
