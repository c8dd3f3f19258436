"""Where the voxels of a stack of parallel slices lie, in LPS millimetres.

Index order is (slice, row, column) = (z, y, x) everywhere. A stack may have an irregular step: diameters are in-plane and
stay right; anything that needs a volume asks :attr:`Geometry.slice_step_mm` and is refused when the step is not regular.

Source of the conventions: DICOM PS3.3 C.7.6.2.1.1 (Image Position and Image Orientation (Patient)); PixelSpacing is
(between rows, between columns).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

FloatArray = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True, kw_only=True)
class Geometry:
    """The lattice of a stack of parallel slices.

    Parameters
    ----------
    shape : (Z, Y, X), numbers of slices, rows, columns.
    origins_lps : Z points (x, y, z) in LPS mm, the centre of voxel (row 0, column 0) of each slice
        (ImagePositionPatient), in stack order along the slice normal.
    row_direction : unit vector (LPS) along increasing column index (first three values of ImageOrientationPatient).
    column_direction : unit vector (LPS) along increasing row index (last three values of ImageOrientationPatient).
    row_spacing_mm : distance between the centres of neighbouring rows (PixelSpacing[0]).
    column_spacing_mm : distance between the centres of neighbouring columns (PixelSpacing[1]).
    slice_step_mm : distance between neighbouring slices along the normal, or None when the step is irregular or the
        stack is sheared (gantry tilt), in which case no volume may be computed.
    """

    shape: tuple[int, int, int]
    origins_lps: tuple[tuple[float, float, float], ...]
    row_direction: tuple[float, float, float]
    column_direction: tuple[float, float, float]
    row_spacing_mm: float
    column_spacing_mm: float
    slice_step_mm: float | None

    def __post_init__(self) -> None:
        if len(self.origins_lps) != self.shape[0]:
            raise ValueError(f"{len(self.origins_lps)} slice origins for {self.shape[0]} slices")
        spacings = (self.row_spacing_mm, self.column_spacing_mm)
        if not all(np.isfinite(s) and s > 0 for s in spacings):
            raise ValueError(f"pixel spacing {spacings} mm is not positive")

    @property
    def normal(self) -> FloatArray:
        """Unit vector (LPS) along increasing slice index."""
        normal: FloatArray = np.cross(np.array(self.row_direction), np.array(self.column_direction))
        if self.shape[0] > 1 and float(normal @ (np.array(self.origins_lps[-1]) - np.array(self.origins_lps[0]))) < 0:
            normal = -normal
        unit: FloatArray = normal / np.linalg.norm(normal)
        return unit

    @property
    def voxel_volume_mm3(self) -> float | None:
        """Volume of one voxel, or None when the stack is not regular."""
        if self.slice_step_mm is None:
            return None
        return self.slice_step_mm * self.row_spacing_mm * self.column_spacing_mm

    def to_lps(self, slice_index: int, row: float, column: float) -> tuple[float, float, float]:
        """LPS mm of a point of one slice; ``row`` and ``column`` may be fractional, pixel centres are integers."""
        point = (
            np.array(self.origins_lps[slice_index])
            + np.array(self.column_direction) * (row * self.row_spacing_mm)
            + np.array(self.row_direction) * (column * self.column_spacing_mm)
        )
        return float(point[0]), float(point[1]), float(point[2])
