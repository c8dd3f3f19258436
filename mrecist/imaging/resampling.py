"""A tilted, irregular or displaced stack on a regular lattice, so that volumes can be told; every use says what was done.

The planes of the new lattice are parallel to the slices, with the same rows, columns and pixel size; their origins lie along the
normal. Images: each slice is moved within its plane (SimpleITK, linear), and planes between two slices are weighted means.
Masks: each slice is moved likewise (inside from one half on), and a plane takes the mask of the nearest slice; so a slice
stands for half of the gap on either side, which is Cavalieri's estimate and what counting voxels of a regular stack does. Of
an ellipsoid with half axis c along the normal and slices h apart its error is at most about (h / 2c)^2.

Diameters are never measured here: they lie within a slice and are right on the original.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from mrecist.errors import SeriesError
from mrecist.imaging.geometry import FloatArray, Geometry
from mrecist.imaging.steps import SPARSE_FACTOR, check_steps
from mrecist.imaging.volume import Volume

_CAN_BE = frozenset({"TILT", "IRREGULAR_STEP", "SHIFTED"})
_SAME_PIXEL = 1e-3  # a move by less than a thousandth of a pixel is none


@dataclass(frozen=True, slots=True, kw_only=True)
class RegularGrid:
    """A regular lattice for the slices of ``source``.

    Parameters
    ----------
    geometry : the lattice: (Z', Y', X'), regular, as large as needed to hold every slice.
    code : why the source is not regular: TILT, IRREGULAR_STEP or SHIFTED.
    text : one sentence on what is done, for logs and results.
    below, weight : plane k is ``(1 - weight[k]) * slice[below[k]] + weight[k] * slice[below[k] + 1]``.
    moves : (Z, 2) pixels (row, column) by which each slice is moved on the canvas.
    """

    source: Geometry
    geometry: Geometry
    code: str
    text: str
    below: npt.NDArray[np.intp]
    weight: FloatArray
    moves: FloatArray

    def voxels(self, values: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
        """Values (Z, Y, X) on the lattice, float32; NaN where no slice reaches."""
        self._check(values.shape)
        result = np.empty(self.geometry.shape, dtype=np.float32)
        moved: dict[int, npt.NDArray[np.float32]] = {}
        for plane, (index, weight) in enumerate(zip(self.below.tolist(), self.weight.tolist(), strict=True)):
            needed = [i for i, share in ((index, 1 - weight), (index + 1, weight)) if share > 0]
            moved = {i: moved[i] if i in moved else self._moved(values[i], i, math.nan) for i in needed}
            result[plane] = moved[needed[0]]
            if len(needed) == 2:
                result[plane] = (1 - weight) * moved[index] + weight * moved[index + 1]
        return result

    def mask(self, mask: npt.NDArray[np.bool_]) -> npt.NDArray[np.bool_]:
        """A mask (Z, Y, X) on the lattice."""
        self._check(mask.shape)
        result = np.zeros(self.geometry.shape, dtype=bool)
        nearest = self.below + (self.weight > 0.5)
        for index in np.flatnonzero(mask.any(axis=(1, 2))).tolist():
            planes = np.flatnonzero(nearest == index)
            if len(planes):
                result[planes] = self._moved(mask[index].astype(np.float32), index, 0.0) >= 0.5
        return result

    def _check(self, shape: tuple[int, ...]) -> None:
        if shape != self.source.shape:
            raise SeriesError(f"the voxels have shape {shape}, the stack {self.source.shape} (slices, rows, columns)")

    def _moved(self, plane: npt.NDArray[np.float32], index: int, outside: float) -> npt.NDArray[np.float32]:
        down, right = self.moves[index].tolist()
        _, rows, columns = self.geometry.shape
        whole_down, whole_right = round(down), round(right)
        if abs(down - whole_down) <= _SAME_PIXEL and abs(right - whole_right) <= _SAME_PIXEL:
            canvas = np.full((rows, columns), outside, dtype=np.float32)
            canvas[whole_down : whole_down + plane.shape[0], whole_right : whole_right + plane.shape[1]] = plane
            return canvas
        return _translated(plane, down, right, (rows, columns), outside)


@dataclass(frozen=True, slots=True, kw_only=True)
class RegularVolume:
    """A resampled series: voxels (Z', Y', X') on ``grid.geometry``; NaN where no slice reaches. ``grid.text`` says what was done."""

    grid: RegularGrid
    voxels: npt.NDArray[np.float32]


def resample_regular(volume: Volume, *, step_mm: float | None = None) -> RegularVolume:
    """A TILT, IRREGULAR_STEP or SHIFTED series on a regular lattice.

    Parameters
    ----------
    volume : a loaded series.
    step_mm : largest distance between planes; None: that of the slices, or for an irregular step about the pixel size.

    Raises
    ------
    SeriesError
        The series is regular already, or lacks what no resampling brings back (one slice, slices too far apart).
    """
    series = volume.series
    if series.geometry is None:
        raise SeriesError(f"{series.label}: {series.verdict_code}: {series.verdict_text}")
    try:
        grid = regular_grid(series.geometry, series.slice_thickness_mm, step_mm=step_mm)
    except SeriesError as error:
        raise SeriesError(f"{series.label}: {error}") from None
    return RegularVolume(grid=grid, voxels=grid.voxels(volume.voxels))


def regular_grid(geometry: Geometry, thickness_mm: float | None, *, step_mm: float | None = None) -> RegularGrid:
    """The lattice on which a stack can be resampled; parameters and errors as in :func:`resample_regular`."""
    origins, normal = np.array(geometry.origins_lps), geometry.normal
    checked = check_steps(origins, normal, thickness_mm)
    if checked.code not in _CAN_BE:
        raise SeriesError(
            "the stack is regular, there is nothing to resample"
            if not checked.code
            else f"{checked.code}: cannot be resampled: {checked.text}"
        )
    along = (origins - origins[0]) @ normal
    gaps = np.diff(along)
    if thickness_mm and gaps.max() >= SPARSE_FACTOR * thickness_mm:
        raise SeriesError(
            f"cannot be resampled: two slices {thickness_mm:g} mm thick lie {gaps.max():.2f} mm apart, too much is unseen"
        )
    step, count = _step(along, geometry, step_mm, uneven=checked.code == "IRREGULAR_STEP")
    moves, corner, size = _canvas(geometry, origins, normal, along)
    first = _plane_origin(geometry, origins[0], corner)
    new = Geometry(
        shape=(count, *size),
        origins_lps=tuple(_point(first + k * step * normal) for k in range(count)),
        row_direction=geometry.row_direction,
        column_direction=geometry.column_direction,
        row_spacing_mm=geometry.row_spacing_mm,
        column_spacing_mm=geometry.column_spacing_mm,
        slice_step_mm=step,
    )
    below, weight = _neighbours(along, np.arange(count, dtype=np.float64) * step)
    text = (
        f"resampled from {checked.code} ({checked.text}) to {count} planes every {step:.3f} mm of {size[0]} x {size[1]} pixels: "
        f"slices moved within their plane by up to {_farthest(moves, geometry):.1f} mm (linear), masks from the nearest slice"
    )
    return RegularGrid(
        source=geometry, geometry=new, code=checked.code, text=text, below=below, weight=weight, moves=moves
    )


def _step(along: FloatArray, geometry: Geometry, wanted: float | None, *, uneven: bool) -> tuple[float, int]:
    """Distance and number of planes; the first and the last slice are planes themselves."""
    length = float(along[-1])
    if wanted is not None and not (math.isfinite(wanted) and wanted > 0):
        raise SeriesError(f"step_mm is {wanted}: give a length in mm above 0")
    most = wanted
    if most is None:
        most = max(geometry.row_spacing_mm, geometry.column_spacing_mm) if uneven else length / (len(along) - 1)
    steps = max(math.ceil(length / most - 1e-6), 1)
    return length / steps, steps + 1


def _canvas(
    geometry: Geometry, origins: FloatArray, normal: FloatArray, along: FloatArray
) -> tuple[FloatArray, tuple[int, int], tuple[int, int]]:
    """Moves of the slices on the canvas, its corner relative to the first slice, and its size; all in pixels (row, column)."""
    lateral = origins - origins[0] - np.outer(along, normal)
    spacing = np.array([geometry.row_spacing_mm, geometry.column_spacing_mm])
    axes = np.array([geometry.column_direction, geometry.row_direction])
    moves = lateral @ axes.T / spacing
    corner = np.floor(moves.min(axis=0) + _SAME_PIXEL).astype(int)
    moves = np.maximum(moves - corner, 0.0)
    room = np.ceil(moves.max(axis=0) - _SAME_PIXEL).astype(int)
    size = int(geometry.shape[1] + room[0]), int(geometry.shape[2] + room[1])
    return moves, (int(corner[0]), int(corner[1])), size


def _plane_origin(geometry: Geometry, origin: FloatArray, corner: tuple[int, int]) -> FloatArray:
    down = np.array(geometry.column_direction) * (corner[0] * geometry.row_spacing_mm)
    right = np.array(geometry.row_direction) * (corner[1] * geometry.column_spacing_mm)
    return np.asarray(origin + down + right)


def _point(place: FloatArray) -> tuple[float, float, float]:
    return float(place[0]), float(place[1]), float(place[2])


def _farthest(moves: FloatArray, geometry: Geometry) -> float:
    mm = (moves - moves[0]) * (geometry.row_spacing_mm, geometry.column_spacing_mm)
    return float(np.hypot(mm[:, 0], mm[:, 1]).max())


def _neighbours(along: FloatArray, places: FloatArray) -> tuple[npt.NDArray[np.intp], FloatArray]:
    below = np.clip(np.searchsorted(along, places + 1e-6, side="right") - 1, 0, len(along) - 2)
    weight = np.clip((places - along[below]) / np.diff(along)[below], 0.0, 1.0)
    weight[weight < 1e-6] = 0.0
    weight[weight > 1 - 1e-6] = 1.0
    return below, weight


def _translated(
    plane: npt.NDArray[np.float32], down: float, right: float, size: tuple[int, int], outside: float
) -> npt.NDArray[np.float32]:
    """The plane on a canvas, moved by a fraction of a pixel; linear."""
    import SimpleITK as sitk  # noqa: N813 - the name its documentation uses

    image: Any = sitk.GetImageFromArray(plane)
    moved = sitk.Resample(
        image,
        (size[1], size[0]),
        sitk.TranslationTransform(2, (-right, -down)),
        sitk.sitkLinear,
        (0.0, 0.0),
        (1.0, 1.0),
        (1.0, 0.0, 0.0, 1.0),
        outside,
        sitk.sitkFloat32,
    )
    values = np.array(sitk.GetArrayFromImage(moved), dtype=np.float32)
    # The library counts half a pixel beyond the outermost centres as inside; there is nothing to interpolate between.
    for axis, move in enumerate((down, right)):
        source = np.arange(size[axis]) - move
        beyond = (source < -_SAME_PIXEL) | (source > plane.shape[axis] - 1 + _SAME_PIXEL)
        values[beyond if axis == 0 else (slice(None), beyond)] = outside
    return values
