"""One series looked at through the voxels of another, by position in the patient, never by index."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from mrecist.errors import MaskError
from mrecist.imaging.geometry import Geometry
from mrecist.segment.crop import FloatArray

Box = tuple[slice, slice, slice]


def seen_on(
    voxels: npt.NDArray[np.float32], own: Geometry, grid: Geometry, box: Box, outside: float = float("nan")
) -> FloatArray:
    """The values of a series at the voxel centres of a box of another grid, linearly between its own voxels.

    Parameters
    ----------
    voxels, own : the series (Z, Y, X) and where it lies; its slices may lie at uneven steps.
    grid, box : the grid that is asked for, and the part of it.
    outside : value where the series does not reach.

    Raises
    ------
    MaskError : the two series share no point, so one of them is of another frame or place.
    """
    from scipy.ndimage import map_coordinates

    points = _points(grid, box)
    along = np.array(own.row_direction)
    down = np.array(own.column_direction)
    normal = own.normal
    origins = np.array(own.origins_lps)
    heights = origins @ normal
    height = points @ normal
    z = (
        np.interp(height, heights, np.arange(len(heights)), left=-2.0, right=-2.0)
        if len(heights) > 1
        else np.zeros_like(height)
    )
    # Sheared stacks: the first voxel of a slice lies where that slice's origin says.
    first = (
        np.stack([np.interp(height, heights, origins[:, k]) for k in range(3)], axis=-1)
        if len(heights) > 1
        else origins[0]
    )
    within = points - first
    y = within @ down / own.row_spacing_mm
    x = within @ along / own.column_spacing_mm
    inside = (z >= 0) & (y >= -0.5) & (y <= own.shape[1] - 0.5) & (x >= -0.5) & (x <= own.shape[2] - 0.5)
    if not inside.any():
        raise MaskError(
            "the two series share no point: they are of another part of the patient, or of another position"
        )
    filled = np.nan_to_num(voxels, nan=float(np.nanmin(voxels)))
    values = map_coordinates(filled, [z, y, x], order=1, mode="nearest", output=np.float32)
    values[~inside] = outside
    seen: FloatArray = values
    return seen


def _points(grid: Geometry, box: Box) -> npt.NDArray[np.float64]:
    """LPS mm of the voxel centres of a box, (Z, Y, X, 3)."""
    z, y, x = (np.arange(part.start, part.stop) for part in box)
    origins = np.array(grid.origins_lps)[z]
    rows = y[:, None] * grid.row_spacing_mm * np.array(grid.column_direction)
    columns = x[:, None] * grid.column_spacing_mm * np.array(grid.row_direction)
    points: npt.NDArray[np.float64] = origins[:, None, None, :] + rows[None, :, None, :] + columns[None, None, :, :]
    return points
