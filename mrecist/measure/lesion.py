"""Diameters and volumes of one lesion: whole and viable. For many lesions of one volume see :mod:`mrecist.measure.volume`.

In-plane means the plane of the slices of the stack, whatever its orientation. Every slice that holds the lesion is
measured and the longest wins; ties go to the larger short axis, then to the lowest slice. Nothing is rounded here.
Definitions, conventions and their errors: docs/measuring.md.
"""

from __future__ import annotations

import numpy as np

from mrecist.errors import MaskError
from mrecist.imaging.geometry import Geometry
from mrecist.measure._lattice import BoolArray
from mrecist.measure.conventions import DEFAULT_CONVENTION, Convention
from mrecist.measure.measured import Diameter, LesionMeasurement
from mrecist.measure.volume import measure

__all__ = ["DEFAULT_CONVENTION", "Convention", "Diameter", "LesionMeasurement", "measure_lesion"]


def measure_lesion(
    whole: BoolArray,
    geometry: Geometry,
    viable: BoolArray | None = None,
    *,
    convention: Convention = DEFAULT_CONVENTION,
    max_gap_mm: float = 0.0,
) -> LesionMeasurement:
    """Measure one lesion.

    Parameters
    ----------
    whole : (Z, Y, X) bool, the lesion with its necrosis.
    geometry : where the voxels lie; ``geometry.shape`` is (Z, Y, X).
    viable : (Z, Y, X) bool, the viable part; None when none was drawn.
    convention : what a pixel counts for at the ends of a diameter.
    max_gap_mm : gaps in the viable part up to this width are bridged (mm, >= 0); 0 is the exact definition.

    Raises
    ------
    MaskError : an empty lesion, a shape that is not the geometry's, viable voxels outside the lesion (with their count).
    ValueError : a negative or not finite ``max_gap_mm``.

    Examples
    --------
    >>> geometry = Geometry(
    ...     shape=(1, 3, 3), origins_lps=((0.0, 0.0, 0.0),), row_direction=(1.0, 0.0, 0.0),
    ...     column_direction=(0.0, 1.0, 0.0), row_spacing_mm=1.0, column_spacing_mm=1.0, slice_step_mm=2.5,
    ... )
    >>> measure_lesion(np.ones((1, 3, 3), bool), geometry, convention=Convention.EXTENT).longest.mm  # 3 * sqrt(2)
    4.242640687119285
    """
    for mask, name in ((whole, "lesion"), (viable, "viable")):
        if mask is not None and np.asarray(mask).dtype != np.bool_:
            held = np.asarray(mask).dtype
            raise MaskError(f"the {name} mask holds {held}, not bool: choose one lesion, for example labels == 1")
    found = measure(whole, geometry, viable, convention=convention, max_gap_mm=max_gap_mm)
    if not found:
        raise MaskError("the lesion mask has no voxel: nothing to measure; draw the lesion or record it as absent")
    return found[1]
