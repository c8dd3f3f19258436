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


def between_slices(mask: BoolArray, spacing_mm: tuple[float, float]) -> BoolArray:
    """Fill the empty slices between drawn ones.

    Parameters
    ----------
    mask : (Z, Y, X); the slices that hold anything are taken as drawn, and stay as they are.
    spacing_mm : distance of rows and of columns.

    Raises
    ------
    MaskError : fewer than two slices are drawn.
    """
    drawn = np.flatnonzero(mask.any(axis=(1, 2)))
    if len(drawn) < 2:
        raise MaskError("outline the lesion on two slices or more; the slices between them are filled then")
    filled = mask.copy()
    for low, high in pairwise(drawn):
        if high - low < 2:
            continue
        below, above = _signed(mask[low], spacing_mm), _signed(mask[high], spacing_mm)
        for z in range(low + 1, high):
            part = (z - low) / (high - low)
            filled[z] = below * (1 - part) + above * part > 0
    return filled


def _signed(outline: BoolArray, spacing_mm: tuple[float, float]) -> npt.NDArray[np.float64]:
    """Distance to the outline in mm, positive inside."""
    from scipy import ndimage

    inside: Any = ndimage.distance_transform_edt(outline, sampling=spacing_mm)
    outside: Any = ndimage.distance_transform_edt(~outline, sampling=spacing_mm)
    return np.asarray(inside - outside, dtype=np.float64)
