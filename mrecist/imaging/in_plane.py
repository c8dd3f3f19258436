"""Where the pixels of a frame lie among those of the image in its plane: cropped, shifted by whole pixels, turned.

Writers crop frames to what was drawn, and converters write rows or columns in the other direction. As long as every pixel of
the frame covers one pixel of the image, the mask is the same; anything else would be resampling, and is refused.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from mrecist.errors import MaskError
from mrecist.imaging.geometry import Geometry

BoolArray = npt.NDArray[np.bool_]
FloatArray = npt.NDArray[np.float64]

DIRECTION_TOLERANCE = 1e-3
SPACING_TOLERANCE = 1e-3
"""Relative. Writers round positions and spacings to six digits; a tenth of a millimetre is far below any slice step."""
DRIFT_TOLERANCE = 0.25
"""Of a pixel: how far the last pixel of a frame may lie off, where directions and spacings were rounded."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Lie:
    """Pixel (r, c) of a frame is pixel ``turn @ (r, c) + (row, column)`` of the image."""

    turn: tuple[tuple[int, int], tuple[int, int]]
    row: int
    column: int

    def same_as_image(self, frame: tuple[int, int], image: tuple[int, int]) -> bool:
        """Whether frame and image have their pixels in common, one by one."""
        return self.turn == ((1, 0), (0, 1)) and (self.row, self.column) == (0, 0) and frame == image

    def put(self, mask: BoolArray, shape: tuple[int, int], where: str) -> BoolArray:
        """The mask of a frame as one of the image; raises :class:`MaskError` when it reaches beyond the image."""
        if self.same_as_image((mask.shape[0], mask.shape[1]), shape):
            return mask
        found = np.argwhere(mask) @ np.array(self.turn).T + (self.row, self.column)
        outside = int(np.count_nonzero((found < 0).any(axis=1) | (found >= shape).any(axis=1)))
        if outside:
            raise MaskError(f"{where}: {outside} pixels of its mask lie outside the image of {shape[0]} x {shape[1]}")
        placed = np.zeros(shape, dtype=bool)
        placed[found[:, 0], found[:, 1]] = True
        return placed


def image_basis(geometry: Geometry) -> FloatArray:
    """(3, 2): steps in LPS mm to the next row and to the next column of the slices."""
    return _basis(
        (*geometry.row_direction, *geometry.column_direction), (geometry.row_spacing_mm, geometry.column_spacing_mm)
    )


def _basis(orientation: Sequence[float], spacing: Sequence[float]) -> FloatArray:
    steps = (np.array(orientation[3:]) * spacing[0], np.array(orientation[:3]) * spacing[1])
    return np.array(np.stack(steps, axis=1), dtype=np.float64)


def turn_of(
    orientation: Sequence[float], spacing: Sequence[float], frame: tuple[int, int], geometry: Geometry, name: str
) -> tuple[tuple[int, int], tuple[int, int]]:
    """How the axes of a frame run along those of the slices of the stack ``name``.

    Raises
    ------
    MaskError
        The axes are not parallel, or the pixels have another size; the message has both values and no file.
    """
    theirs = (*geometry.row_direction, *geometry.column_direction)
    cosines = np.array([orientation[3:], orientation[:3]]) @ np.array([theirs[3:], theirs[:3]]).T
    whole = np.rint(cosines).astype(int)
    rebuilt = whole @ np.array([theirs[3:], theirs[:3]])
    mine = np.array([orientation[3:], orientation[:3]])
    if abs(round(np.linalg.det(whole))) != 1 or np.abs(rebuilt - mine).max() > DIRECTION_TOLERANCE:
        raise MaskError(f"its orientation is {shown(orientation)}, that of {name} {shown(theirs)}")
    spacings = (geometry.row_spacing_mm, geometry.column_spacing_mm)
    expected = np.abs(whole) @ np.array(spacings)
    if (np.abs(np.array(spacing) - expected) > SPACING_TOLERANCE * expected).any():
        raise MaskError(f"its pixel spacing is {shown(spacing)} mm, that of {name} {shown(tuple(expected))} mm")
    drift = _basis(orientation, spacing) - image_basis(geometry) @ whole.T
    far = np.linalg.norm(drift * (np.array(frame) - 1), axis=0)
    if float(far.max()) > DRIFT_TOLERANCE * min(spacings):
        raise MaskError(
            f"its orientation {shown(orientation)} and spacing {shown(spacing)} mm move its last pixel {far.max():.2f} mm "
            f"off {name} with {shown(theirs)} and {shown(spacings)} mm"
        )
    (a, b), (c, d) = whole.T.tolist()
    return (a, b), (c, d)


def shown(values: Sequence[float]) -> str:
    """Values as DICOM writes them."""
    return "\\".join(f"{v:.6g}" for v in values)
