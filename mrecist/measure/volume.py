"""All lesions of a label volume at once.

One pass over the bytes finds the rows that each label covers, and these the slices that can hold its longest diameter;
only those are looked at again.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt

from mrecist.errors import MaskError
from mrecist.imaging.geometry import Geometry
from mrecist.measure._lattice import BoolArray, FloatArray
from mrecist.measure.conventions import DEFAULT_CONVENTION, Convention
from mrecist.measure.foci import ViablePart, viable_part
from mrecist.measure.measured import Diameter, LesionMeasurement
from mrecist.measure.runs import LabelRows, label_rows
from mrecist.measure.slices import longest_of_labels
from mrecist.measure.stack import Ruler, settle_tie

LabelArray = npt.NDArray[np.integer[Any]] | npt.NDArray[np.bool_]


def measure(
    labels: LabelArray | Mapping[int, BoolArray],
    geometry: Geometry,
    viable: LabelArray | Mapping[int, BoolArray | None] | None = None,
    *,
    convention: Convention = DEFAULT_CONVENTION,
    max_gap_mm: float = 0.0,
) -> dict[int, LesionMeasurement]:
    """Measure every lesion of a volume. A pure function of masks and geometry: no image, no criterion, no rounding.

    Parameters
    ----------
    labels : (Z, Y, X) integers of any type, or booleans; 0 is background, every other value a lesion, in one piece or
        several. Lesions that overlap: a mapping from number to (Z, Y, X) bool mask.
    geometry : where the voxels lie; ``geometry.shape`` is (Z, Y, X). Rows and columns may differ in spacing, the slices
        may have any orientation and need no regular step.
    viable : (Z, Y, X), not 0 where a lesion is viable; None when none was drawn. With a mapping of labels a mapping too,
        in which a lesion may be missing or None (not drawn).
    convention : what a pixel counts for at the ends of a diameter.
    max_gap_mm : gaps in the viable part up to this width are bridged (mm, >= 0); 0 is the exact definition.

    Returns
    -------
    Label -> its measurement, labels ascending; empty when no voxel is labelled.

    Raises
    ------
    MaskError : a shape that is not the geometry's, labels that are no whole numbers, viable voxels outside the lesions
        (with their count), and an empty mask in a mapping.
    ValueError : a negative or not finite ``max_gap_mm``, an unknown ``convention``.

    Examples
    --------
    >>> import mrecist
    >>> geometry = Geometry(
    ...     shape=(1, 3, 9), origins_lps=((0.0, 0.0, 0.0),), row_direction=(1.0, 0.0, 0.0),
    ...     column_direction=(0.0, 1.0, 0.0), row_spacing_mm=1.0, column_spacing_mm=1.0, slice_step_mm=2.5,
    ... )
    >>> labels = np.zeros((1, 3, 9), np.uint8)
    >>> labels[0, :, :3], labels[0, 1, 5:] = 1, 7
    >>> found = mrecist.measure(labels, geometry, convention="centre")
    >>> {label: round(lesion.longest.mm, 3) for label, lesion in found.items()}  # 2 * sqrt(2), and 3
    {1: 2.828, 7: 3.0}
    """
    convention = Convention(convention)
    if not (np.isfinite(max_gap_mm) and max_gap_mm >= 0):
        raise ValueError(f"max_gap_mm is {max_gap_mm}: give a length in mm that is 0 or more")
    if isinstance(labels, Mapping):
        if not (viable is None or isinstance(viable, Mapping)):
            raise TypeError("labels is a mapping and viable is an array: give both as mappings or both as arrays")
        return _separate_masks(labels, geometry, viable or {}, convention, max_gap_mm)
    if isinstance(viable, Mapping):
        raise TypeError("viable is a mapping and labels is an array: give both as arrays or both as mappings")
    return _label_array(labels, geometry, viable, convention, float(max_gap_mm))


def _label_array(
    labels: LabelArray, geometry: Geometry, viable: LabelArray | None, convention: Convention, max_gap_mm: float
) -> dict[int, LesionMeasurement]:
    volume = _checked(labels, geometry, "lesion")
    alive = None if viable is None else _checked(viable, geometry, "viable")
    rows = label_rows(volume)
    longest = longest_of_labels(rows, geometry, convention)
    found: dict[int, LesionMeasurement] = {}
    inside = 0
    for number, label in enumerate(rows.labels):
        box = _bounding_box(rows, number, geometry.shape[1])
        ruler = Ruler(geometry=geometry, convention=convention, corner=(box[0].start, box[1].start, box[2].start))
        long, short = _whole(volume[box], label, longest[number], ruler)
        parts, drawn = ViablePart(), 0
        if alive is not None:
            whole = volume[box] == label
            part = (alive[box] != 0) & whole
            parts, drawn = viable_part(whole, part, ruler, max_gap_mm), int(np.count_nonzero(part))
        inside += drawn
        found[label] = LesionMeasurement(
            longest=long,
            short=short,
            viable=parts.viable,
            viable_raw=parts.raw,
            viable_short=parts.short,
            viable_is_empty=alive is not None and drawn == 0,
            foci=parts.foci,
            volume_mm3=_volume(int(rows.counts[number]), geometry),
            viable_volume_mm3=None if alive is None else _volume(drawn, geometry),
            convention=convention,
            max_gap_mm=max_gap_mm,
        )
    if alive is not None:
        _refuse_outside(inside, int(np.count_nonzero(alive)))
    return found


def _whole(
    box: LabelArray, label: int, longest: list[tuple[int, FloatArray]], ruler: Ruler
) -> tuple[Diameter, Diameter]:
    """Longest diameter and short axis of the label in its bounding box; ``longest`` in the indices of the stack."""
    local = [(index - ruler.corner[0], segment - ruler.corner[1:]) for index, segment in longest]
    return settle_tie(lambda index: np.asarray(box[index] == label), local, ruler, inside=False)


def _volume(count: int, geometry: Geometry) -> float | None:
    voxel = geometry.voxel_volume_mm3
    return None if voxel is None else count * voxel


def _separate_masks(
    labels: Mapping[int, BoolArray],
    geometry: Geometry,
    viable: Mapping[int, BoolArray | None],
    convention: Convention,
    max_gap_mm: float,
) -> dict[int, LesionMeasurement]:
    """Lesions that may overlap, one mask each."""
    unknown = sorted(set(viable) - set(labels))
    if unknown:
        raise MaskError(
            f"viable masks of lesions {unknown}, which have no lesion mask; their numbers are {sorted(labels)}"
        )
    found = {}
    for label in sorted(labels):
        part = viable.get(label)
        try:
            one = measure(np.asarray(labels[label]) != 0, geometry, part, convention=convention, max_gap_mm=max_gap_mm)
        except MaskError as error:
            raise MaskError(f"lesion {label}: {error}") from None
        if not one:
            raise MaskError(f"lesion {label}: its mask has no voxel; draw the lesion or leave it out")
        found[label] = one[1]
    return found


def _checked(given: LabelArray, geometry: Geometry, name: str) -> npt.NDArray[Any]:
    mask: npt.NDArray[Any] = np.asarray(given)
    if mask.shape != geometry.shape:
        raise MaskError(f"the {name} mask has shape {mask.shape}, its images {geometry.shape} (slices, rows, columns)")
    if mask.dtype.kind not in "iub":
        raise MaskError(f"the {name} mask holds {mask.dtype}; lesions are numbered 1, 2, 3, ...: give whole numbers")
    return mask


def _bounding_box(rows: LabelRows, number: int, height: int) -> tuple[slice, slice, slice]:
    these = slice(int(rows.starts[number]), int(rows.starts[number + 1]))
    place = rows.place[these]
    index, row = place // height, place % height
    spans = ((index[0], index[-1]), (row.min(), row.max()), (rows.first[these].min(), rows.last[these].max()))
    first, second, third = (slice(int(low), int(high) + 1) for low, high in spans)
    return first, second, third


def _refuse_outside(inside: int, drawn: int) -> None:
    if drawn > inside:
        raise MaskError(
            f"{drawn - inside} of {drawn} viable voxels lie outside the lesion mask: correct one of the two masks"
        )
