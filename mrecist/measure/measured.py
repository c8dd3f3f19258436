"""What a measurement is: segments with their ends, and the numbers of one lesion."""

from __future__ import annotations

from dataclasses import dataclass

from mrecist.measure.conventions import Convention

Point2 = tuple[float, float]
Point3 = tuple[float, float, float]


@dataclass(frozen=True, slots=True, kw_only=True)
class Diameter:
    """One segment on one slice.

    mm : its length, not rounded; the distance between the ends.
    slice_index : which slice of the stack.
    ends_lps : (x, y, z) of both ends, LPS mm.
    ends_index : (row, column) of both ends; fractional, pixel centres at integers.
    """

    mm: float
    slice_index: int
    ends_lps: tuple[Point3, Point3]
    ends_index: tuple[Point2, Point2]


@dataclass(frozen=True, slots=True, kw_only=True)
class LesionMeasurement:
    """What was measured of one lesion; lengths in mm, volumes in mm3, nothing rounded.

    longest, short : of the whole lesion; ``short`` lies across ``longest`` on the same slice.
    viable : the longest segment inside the viable part; None when no viable mask was given, and when one was given that
        is empty (see ``viable_is_empty``).
    viable_raw : ``viable`` with no gap tolerated; the same object when ``max_gap_mm`` is 0.
    viable_short : across ``viable``, inside the viable part.
    viable_is_empty : a viable mask was drawn and has no voxel: the viable diameter is 0 mm, not missing.
    foci : the longest inside segment of each viable island (voxels that touch, corners included), longest first.
    volume_mm3, viable_volume_mm3 : voxel count times voxel volume; None when the stack is not regular, and for the viable
        part when no viable mask was given.
    convention, max_gap_mm : as asked for.
    """

    longest: Diameter
    short: Diameter
    viable: Diameter | None
    viable_raw: Diameter | None
    viable_short: Diameter | None
    viable_is_empty: bool
    foci: tuple[Diameter, ...]
    volume_mm3: float | None
    viable_volume_mm3: float | None
    convention: Convention
    max_gap_mm: float
