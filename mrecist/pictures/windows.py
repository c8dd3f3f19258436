"""Voxel values to grey: the window that a picture is shown in."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

# Abdominal soft tissue; a liver in the portal or arterial phase fills it well.
CT_WINDOW = (70.0, 350.0)


def window_of(pixels: npt.NDArray[Any], modality: str) -> tuple[float, float]:
    """Centre and width: fixed for CT (HU), else the 2nd to 99th percentile of the slice. NaN (padding) counts for nothing."""
    if modality == "CT":
        return CT_WINDOW
    values = pixels[np.isfinite(pixels)]
    if not values.size:
        return 0.5, 1.0
    low, high = (float(value) for value in np.percentile(values, (2, 99)))
    return (low + high) / 2, max(high - low, 1.0)


def grey_of(pixels: npt.NDArray[Any], window: tuple[float, float]) -> npt.NDArray[np.uint8]:
    """Grey values 0 to 255; padding is black."""
    centre, width = window
    grey = (np.nan_to_num(pixels, nan=centre - width / 2) - (centre - width / 2)) / width * 255
    grey8: npt.NDArray[np.uint8] = np.clip(np.rint(grey), 0, 255).astype(np.uint8)
    return grey8
