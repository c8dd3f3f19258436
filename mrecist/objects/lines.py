"""A diameter in LPS millimetres as a line on its image."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from mrecist.errors import InputError
from mrecist.imaging.geometry import Geometry

Point = tuple[float, float]
TOLERANCE_MM = 0.1
"""How far an end may lie off its slice."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """A diameter as it lies on its image.

    Parameters
    ----------
    mm : its length, not rounded.
    image : header of the image, from :func:`mrecist.objects.identity.image_header`.
    frame : 0-based frame of a multi-frame image, or None.
    ends : (column, row) of both ends; (0, 0) is the outer corner of the first pixel, (0.5, 0.5) its centre (PS3.3 C.18.6).
    """

    mm: float
    image: Any
    frame: int | None
    ends: tuple[Point, Point]


def line_on_image(
    ends_lps: Sequence[Sequence[float]], mm: float, image: Any, frame: int | None, geometry: Geometry, index: int
) -> Line:
    """The line with these ends (x, y, z) in LPS mm on slice ``index`` of a stack.

    Raises :class:`InputError` when an end does not lie in that slice.
    """
    (one, other) = (_on_slice(np.array(end, dtype=float), image, geometry, index) for end in ends_lps)
    return Line(mm=mm, image=image, frame=frame, ends=(one, other))


def _on_slice(point: Any, image: Any, geometry: Geometry, index: int) -> Point:
    offset = point - np.array(geometry.origins_lps[index])
    if (off := abs(float(offset @ geometry.normal))) > TOLERANCE_MM:
        at = ", ".join(f"{v:.2f}" for v in point)
        raise InputError(
            f"image {image.SOPInstanceUID}: the end of a diameter at ({at}) mm LPS lies {off:.2f} mm off that slice; "
            f"score the study again with these images"
        )
    # PixelSpacing is (between rows, between columns); the centre of the first pixel is (0.5, 0.5).
    column = float(offset @ np.array(geometry.row_direction)) / geometry.column_spacing_mm + 0.5
    row = float(offset @ np.array(geometry.column_direction)) / geometry.row_spacing_mm + 0.5
    return round(column, 6), round(row, 6)
