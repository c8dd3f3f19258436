"""Contours drawn on some slices carried to the slices between them.

The shape between two drawn slices is where the distance-weighted mean of their signed distances is inside: shape-based
interpolation (Raya and Udupa, IEEE Trans Med Imaging 1990;9:32-42). A slice beyond the first or last drawn one stays empty.
"""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import numpy as np
import numpy.typing as npt

from mrecist.errors import MaskError

BoolArray = npt.NDArray[np.bool_]


def between_slices(
    mask: BoolArray, spacing_mm: tuple[float, float], heights_mm: npt.ArrayLike | None = None
) -> BoolArray:
    """Fill the empty slices between drawn ones.

    A slice stays empty where the outlines at both sides lie so far apart that nothing of them is left between.

    Parameters
    ----------
    mask : (Z, Y, X); the slices that hold anything are taken as drawn, and stay as they are.
    spacing_mm : distance of rows and of columns.
    heights_mm : where each slice lies along the normal; None for even steps.

    Raises
    ------
    MaskError : fewer than two slices are drawn.
    """
    drawn = np.flatnonzero(mask.any(axis=(1, 2)))
    if len(drawn) < 2:
        raise MaskError("outline the lesion on two slices or more; the slices between them are filled then")
    heights = np.arange(len(mask), dtype=np.float64) if heights_mm is None else np.asarray(heights_mm)
    rows, columns = _box(np.asarray(mask[drawn].any(axis=0)))
    filled = mask.copy()
    for low, high in pairwise(drawn):
        if high - low < 2:
            continue
        below, above = (_signed(mask[z, rows, columns], spacing_mm) for z in (low, high))
        for z in range(low + 1, high):
            part = (heights[z] - heights[low]) / (heights[high] - heights[low])
            filled[z, rows, columns] = below * (1 - part) + above * part > 0
    return filled


def _box(outline: BoolArray) -> tuple[slice, slice]:
    """Rows and columns that hold anything, with one pixel around: no shape between two lies outside."""
    rows, columns = np.flatnonzero(outline.any(axis=1)), np.flatnonzero(outline.any(axis=0))
    return (
        slice(max(int(rows[0]) - 1, 0), int(rows[-1]) + 2),
        slice(max(int(columns[0]) - 1, 0), int(columns[-1]) + 2),
    )


def _signed(outline: BoolArray, spacing_mm: tuple[float, float]) -> npt.NDArray[np.float64]:
    """Distance to the outline in mm, positive inside. What lies beyond the edge counts as outside."""
    from scipy import ndimage

    around = np.pad(outline, 1)
    inside: Any = ndimage.distance_transform_edt(around, sampling=spacing_mm)
    outside: Any = ndimage.distance_transform_edt(~around, sampling=spacing_mm)
    return np.asarray((inside - outside)[1:-1, 1:-1], dtype=np.float64)
