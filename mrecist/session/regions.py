"""Grey values in a region of one slice: mean, spread, area, on every phase that lies on the same grid. Not part of a read."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from mrecist.errors import MrecistError
from mrecist.imaging.geometry import Geometry
from mrecist.imaging.series import Series
from mrecist.imaging.volume import Volume
from mrecist.session.case import CaseVisit

Point = tuple[float, float]
BoolArray = npt.NDArray[np.bool_]
_SAME_MM = 0.01


@dataclass(frozen=True, slots=True, kw_only=True)
class Region:
    """An ellipse on a slice: ``corners`` (row, column) of the box that it fills, voxel indices, pixel centres at integers."""

    slice_index: int
    corners: tuple[Point, Point]

    def pixels(self, shape: tuple[int, int]) -> BoolArray:
        """The pixels (Y, X) of an image whose centres lie in the ellipse."""
        (row, column), (row_2, column_2) = self.corners
        half = abs(row_2 - row) / 2, abs(column_2 - column) / 2
        if not all(half):
            return np.zeros(shape, dtype=np.bool_)
        y, x = np.ogrid[: shape[0], : shape[1]]
        down, along = (y - (row + row_2) / 2) / half[0], (x - (column + column_2) / 2) / half[1]
        return np.asarray(down**2 + along**2 <= 1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Values:
    """What a region holds; the grey values in ``unit``, which is empty where values have none (MR).

    ``sd`` is that of these pixels (divided by their number). ``pixels`` were reckoned with, ``left_out`` are padding or not
    finite. All four values are None where no pixel is left.
    """

    mean: float | None
    sd: float | None
    low: float | None
    high: float | None
    pixels: int
    left_out: int
    area_mm2: float
    unit: str


@dataclass(frozen=True, slots=True, kw_only=True)
class PhaseValues:
    """The values of a phase, or why there are none."""

    series: Series
    values: Values | None
    why: str = ""


def values_in(region: Region, volume: Volume) -> Values:
    """The values of a region in a series. ``area_mm2`` is that of its pixels, those left out among them."""
    geometry = volume.series.geometry
    assert geometry is not None
    inside = region.pixels(geometry.shape[1:])
    found = volume.voxels[region.slice_index][inside].astype(np.float64)
    known = found[np.isfinite(found)]
    return Values(
        mean=float(known.mean()) if known.size else None,
        sd=float(known.std()) if known.size else None,
        low=float(known.min()) if known.size else None,
        high=float(known.max()) if known.size else None,
        pixels=int(known.size),
        left_out=int(found.size - known.size),
        area_mm2=float(found.size) * geometry.row_spacing_mm * geometry.column_spacing_mm,
        unit="HU" if volume.series.modality == "CT" else "",
    )


def values_by_phase(
    region: Region, series: Series, visit: CaseVisit, load: Callable[[Series], Volume]
) -> tuple[PhaseValues, ...]:
    """The values of a region on the series it was drawn on, then on the other series of the visit.

    Those that do not lie on the same grid have other pixels there: they are named, and not measured.
    """
    found = []
    others = [one for one in visit.series if (one.uid, one.stack) != (series.uid, series.stack)]
    for one in (series, *others):
        if one is not series and not same_grid(one, series):
            found.append(PhaseValues(series=one, values=None, why="other grid"))
            continue
        try:
            found.append(PhaseValues(series=one, values=values_in(region, load(one))))
        except MrecistError as error:
            found.append(PhaseValues(series=one, values=None, why=str(error)))
    return tuple(found)


def same_grid(one: Series, other: Series) -> bool:
    """Whether the voxels of two series lie at the same places of the same frame of reference, to 0.01 mm."""
    here, there = one.geometry, other.geometry
    if here is None or there is None or here.shape != there.shape:
        return False
    if one.frame_of_reference_uid != other.frame_of_reference_uid:
        return False
    return all(np.allclose(a, b, rtol=0, atol=_SAME_MM) for a, b in zip(_corners(here), _corners(there), strict=True))


def _corners(geometry: Geometry) -> tuple[npt.NDArray[np.float64], ...]:
    """First and last voxel of the first row and column, and the origin of every slice."""
    _, rows, columns = geometry.shape
    return (
        np.array(geometry.origins_lps),
        np.array(geometry.to_lps(0, rows - 1, 0)),
        np.array(geometry.to_lps(0, 0, columns - 1)),
    )
