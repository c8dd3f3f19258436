"""The standard deviation of one measurement of one lesion, by what the criterion adds (docs/stability.md derives the numbers)."""

from __future__ import annotations

from math import hypot, sqrt

from mrecist.criteria._rule import Criterion
from mrecist.criteria._viable import by_viable_part
from mrecist.model import Kind, Measurement
from mrecist.protocol import MeasurementError

# The criteria that follow the enhancing part; the others follow the whole lesion.
_OF_VIABLE_PART = ("mrecist", "easl", "qeasl")


def spread(
    criterion: Criterion, row: Measurement, baseline: Measurement, size: float, error: MeasurementError
) -> float:
    """Standard deviation of ``size``, in the criterion's unit.

    Diameters by kind: short axis of a node, viable diameter, longest diameter. An area is a product of two diameters with
    errors of their own, so its relative error is that of a diameter times the square root of 2. Volumes have their own.
    """
    viable = criterion.name in _OF_VIABLE_PART and by_viable_part(baseline)
    if criterion.unit == "mm3":
        return size * float(error.viable_volume_percent if viable else error.volume_percent) / 100
    if viable:
        percent = error.viable_baseline_percent if row.timepoint == 0 else error.viable_percent
        absolute = error.viable_mm
    elif row.kind is Kind.NODE and criterion.unit == "mm":
        percent, absolute = error.node_percent, error.node_mm
    else:
        percent, absolute = error.lesion_percent, error.lesion_mm
    if criterion.unit == "mm2":
        return sqrt(2) * hypot(size * float(percent) / 100, sqrt(size) * float(absolute))
    return hypot(size * float(percent) / 100, float(absolute))
