"""Diameters and volumes of one lesion: whole and viable.

In-plane means the plane of the slices of the stack, whatever its orientation. Every slice that holds the lesion is
measured and the longest wins; ties go to the larger short axis, then to the lowest slice. Nothing is rounded here.
Definitions, conventions and their errors: docs/measuring.md.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from mrecist.errors import MaskError
from mrecist.imaging.geometry import Geometry
from mrecist.measure.conventions import (
    DEFAULT_CONVENTION,
    Convention,
    drawn_in,
    longest_anywhere,
    longest_inside,
)
from mrecist.measure.diameters import directions, longest_chord_across
from mrecist.measure.viable import TIE, close_gaps

__all__ = ["DEFAULT_CONVENTION", "Convention", "Diameter", "LesionMeasurement", "measure_lesion"]

Point2 = tuple[float, float]
Point3 = tuple[float, float, float]
BoolArray = npt.NDArray[np.bool_]
FloatArray = npt.NDArray[np.float64]


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
    convention = Convention(convention)
    whole = _checked(whole, geometry, "lesion")
    if not whole.any():
        raise MaskError("the lesion mask has no voxel: nothing to measure; draw the lesion or record it as absent")
    if not (np.isfinite(max_gap_mm) and max_gap_mm >= 0):
        raise ValueError(f"max_gap_mm is {max_gap_mm}: give a length in mm that is 0 or more")
    if viable is not None:
        viable = _checked(viable, geometry, "viable")
        _refuse_outside(viable, whole)
    box = _bounding_box(whole)
    ruler = _Ruler(geometry=geometry, convention=convention, corner=(box[0].start, box[1].start, box[2].start))
    longest, short = _whole_diameters(whole[box], ruler)
    parts = _viable_part(whole[box], None if viable is None else viable[box], ruler, max_gap_mm)
    return LesionMeasurement(
        longest=longest,
        short=short,
        viable=parts.viable,
        viable_raw=parts.raw,
        viable_short=parts.short,
        viable_is_empty=viable is not None and not viable.any(),
        foci=parts.foci,
        volume_mm3=_volume(whole, geometry),
        viable_volume_mm3=None if viable is None else _volume(viable, geometry),
        convention=convention,
        max_gap_mm=float(max_gap_mm),
    )


def _checked(mask: BoolArray, geometry: Geometry, name: str) -> BoolArray:
    mask = np.asarray(mask)
    if mask.shape != geometry.shape:
        raise MaskError(f"the {name} mask has shape {mask.shape}, its images {geometry.shape} (slices, rows, columns)")
    if mask.dtype != np.bool_:
        raise MaskError(f"the {name} mask holds {mask.dtype}, not bool: choose one lesion, for example labels == 1")
    return mask


def _refuse_outside(viable: BoolArray, whole: BoolArray) -> None:
    outside = int(np.count_nonzero(viable & ~whole))
    if outside:
        raise MaskError(
            f"{outside} of {int(np.count_nonzero(viable))} viable voxels lie outside the lesion mask: "
            "correct one of the two masks"
        )


def _bounding_box(mask: BoolArray) -> tuple[slice, slice, slice]:
    spans = []
    for axis in range(3):
        other = tuple(a for a in range(3) if a != axis)
        hit = np.flatnonzero(mask.any(axis=other))
        spans.append(slice(int(hit[0]), int(hit[-1]) + 1))
    return spans[0], spans[1], spans[2]


def _volume(mask: BoolArray, geometry: Geometry) -> float | None:
    voxel = geometry.voxel_volume_mm3
    return None if voxel is None else int(np.count_nonzero(mask)) * voxel


# --- candidates on slices --------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class _Ruler:
    """Measures on the slices of a cropped stack; ``corner`` is where the crop begins (slice, row, column)."""

    geometry: Geometry
    convention: Convention
    corner: tuple[int, int, int]

    @property
    def spacing(self) -> tuple[float, float]:
        return self.geometry.row_spacing_mm, self.geometry.column_spacing_mm

    def anywhere(self, mask: BoolArray, at_least: float) -> tuple[float, FloatArray]:
        """The longest diameters of one slice, or nothing when its bounding box is too small for ``at_least``."""
        box = float(np.hypot(*(np.array(_crop(mask)[0].shape) * self.spacing)))
        if box < at_least * (1 - TIE):
            return 0.0, np.zeros((0, 2, 2))
        return longest_anywhere(mask, self.spacing, self.convention)

    def inside(self, mask: BoolArray, at_least: float) -> tuple[float, FloatArray]:
        """The longest inside segments of the islands of one slice."""
        from scipy.ndimage import find_objects, label

        labels, _ = label(mask, structure=np.ones((3, 3)))
        best, found = at_least, [np.zeros((0, 2, 2))]
        bounded = []
        for number, box in enumerate(find_objects(labels), start=1):
            island = labels[box] == number
            bounded.append((self.anywhere(island, best)[0], box, island))
        for bound, box, island in sorted(bounded, key=lambda entry: -entry[0]):
            if bound < best * (1 - TIE):
                break
            length, segments = longest_inside(island, self.spacing, self.convention, best)
            if not len(segments):
                continue
            if length > best * (1 + TIE):
                found = []
            best = max(best, length)
            found.append(segments + np.array([box[0].start, box[1].start]))
        segments = np.concatenate(found)
        return (best if len(segments) else 0.0), segments

    def across(self, mask: BoolArray, segment: FloatArray, *, inside: bool) -> FloatArray:
        """The longest chord across a segment, its ends drawn in as the convention has it, and never longer than it."""
        direction = directions(segment, self.spacing)[1]
        by = drawn_in((float(direction[0]), float(direction[1])), self.spacing, self.convention)
        chord = longest_chord_across(mask, self.spacing, segment, inside=inside, draw_in=by)
        excess = self.length(chord) - self.length(segment)
        if excess > 1e-9:
            by += excess / 2
            chord = longest_chord_across(mask, self.spacing, segment, inside=inside, draw_in=by)
        return chord

    def length(self, segment: FloatArray) -> float:
        """mm of a segment in the plane."""
        return float(np.hypot(*((segment[1] - segment[0]) * self.spacing)))

    def diameter(self, index: int, ends: FloatArray) -> Diameter:
        """Ends on a slice of the crop as a :class:`Diameter` of the stack."""
        (row_a, column_a), (row_b, column_b) = (ends + self.corner[1:]).tolist()
        place = index + self.corner[0]
        return Diameter(
            mm=self.length(ends),
            slice_index=place,
            ends_lps=(self.geometry.to_lps(place, row_a, column_a), self.geometry.to_lps(place, row_b, column_b)),
            ends_index=((row_a, column_a), (row_b, column_b)),
        )


def _crop(mask: BoolArray) -> tuple[BoolArray, tuple[int, int]]:
    """The mask cut to its bounding box, and where that begins."""
    rows, columns = np.flatnonzero(mask.any(axis=1)), np.flatnonzero(mask.any(axis=0))
    return mask[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1], (int(rows[0]), int(columns[0]))


_Search = Callable[[BoolArray, float], tuple[float, FloatArray]]


def _longest_of_stack(
    stack: BoolArray, search: _Search, ruler: _Ruler, at_least: float = 0.0
) -> list[tuple[int, FloatArray]]:
    """All (slice, segment) of the greatest length in a stack; slices that cannot reach it are not searched."""
    best = at_least
    found: list[tuple[int, FloatArray]] = []
    for bound, index in _by_bound(stack, ruler.spacing):
        if bound < best * (1 - TIE):
            break
        length, segments = search(stack[index], best)
        if length > best * (1 + TIE):
            found = []
        if len(segments) and length >= best * (1 - TIE):
            best = max(best, length)
            found += [(index, segment) for segment in segments]
    return found


def _by_bound(stack: BoolArray, spacing: tuple[float, float]) -> Iterator[tuple[float, int]]:
    """Slices that hold something with the diagonal of their bounding box, largest first."""
    bounds = []
    for index in np.flatnonzero(stack.any(axis=(1, 2))):
        bounds.append((float(np.hypot(*(np.array(_crop(stack[index])[0].shape) * spacing))), int(index)))
    yield from sorted(bounds, key=lambda entry: (-entry[0], entry[1]))


def _settle_tie(
    stack: BoolArray, found: list[tuple[int, FloatArray]], ruler: _Ruler, *, inside: bool
) -> tuple[Diameter, Diameter]:
    """Of equally long segments the one with the larger short axis, then on the lowest slice, then first in the plane."""
    entries = []
    for index, segment in found:
        long, short = (
            ruler.diameter(index, segment),
            ruler.diameter(index, ruler.across(stack[index], segment, inside=inside)),
        )
        entries.append((long, short))
    widest = max(short.mm for _, short in entries)
    tied = [entry for entry in entries if entry[1].mm >= widest - TIE * (1 + widest)]
    return min(tied, key=lambda entry: (entry[0].slice_index, sorted(entry[0].ends_index)))


def _whole_diameters(stack: BoolArray, ruler: _Ruler) -> tuple[Diameter, Diameter]:
    return _settle_tie(stack, _longest_of_stack(stack, ruler.anywhere, ruler), ruler, inside=False)


# --- the viable part -------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class _ViablePart:
    viable: Diameter | None = None
    raw: Diameter | None = None
    short: Diameter | None = None
    foci: tuple[Diameter, ...] = ()


def _viable_part(whole: BoolArray, viable: BoolArray | None, ruler: _Ruler, max_gap_mm: float) -> _ViablePart:
    if viable is None or not viable.any():
        return _ViablePart()
    levels = _levels(viable, whole, ruler.spacing, max_gap_mm)
    first, last = levels[0], levels[-1]
    found = _longest_of_stack(first, ruler.inside, ruler)
    raw, short = _settle_tie(first, found, ruler, inside=True)
    longest = raw
    for level in levels[1:]:
        found = _longest_of_stack(level, ruler.inside, ruler, longest.mm)
        if found:
            longer, _ = _settle_tie(level, found, ruler, inside=True)
            longest = longer if longer.mm > longest.mm * (1 + TIE) else longest
    if len(levels) > 1:
        place = longest.slice_index - ruler.corner[0]
        segment = np.array(longest.ends_index) - ruler.corner[1:]
        short = ruler.diameter(place, ruler.across(last[place], segment, inside=True))
    foci = _foci(levels, ruler, longest) if _count_islands(last) > 1 else (longest,)
    return _ViablePart(viable=longest, raw=raw, short=short, foci=foci)


def _levels(viable: BoolArray, whole: BoolArray, spacing: tuple[float, float], max_gap_mm: float) -> list[BoolArray]:
    """The viable part and what it grows to, closing by closing, as gaps up to ``max_gap_mm`` are bridged."""
    if max_gap_mm == 0:
        return [viable]
    slices = [close_gaps(v, w, spacing, max_gap_mm) for v, w in zip(viable, whole, strict=True)]
    depth = max(len(grown) for grown in slices)
    return [np.stack([grown[min(level, len(grown) - 1)] for grown in slices]) for level in range(depth)]


def _count_islands(stack: BoolArray) -> int:
    from scipy.ndimage import label

    return int(label(stack, structure=np.ones((3, 3, 3)))[1])


def _foci(levels: list[BoolArray], ruler: _Ruler, viable: Diameter) -> tuple[Diameter, ...]:
    """The longest inside segment of each island of the last level, longest first; ``viable`` is that of its island."""
    from scipy.ndimage import find_objects, label

    labels, _ = label(levels[-1], structure=np.ones((3, 3, 3)))
    place = viable.slice_index - ruler.corner[0]
    done = _label_at(labels[place], np.array(viable.ends_index[0]) - ruler.corner[1:])
    foci = []
    for number, box in enumerate(find_objects(labels), start=1):
        if number == done:
            continue
        here = labels[box] == number
        base = tuple(span.start + offset for span, offset in zip(box, ruler.corner, strict=True))
        local = _Ruler(geometry=ruler.geometry, convention=ruler.convention, corner=(base[0], base[1], base[2]))
        longest: Diameter | None = None
        for level in levels:
            island = level[box] & here
            found = _longest_of_stack(island, local.inside, local, 0.0 if longest is None else longest.mm)
            if found:
                longest, _ = _settle_tie(island, found, local, inside=True)
        if longest is not None:
            foci.append(longest)
    return (viable, *sorted(foci, key=lambda focus: (-focus.mm, focus.slice_index, focus.ends_index)))


def _label_at(labels: npt.NDArray[np.int32], point: FloatArray) -> int:
    """The label of the pixels that touch a point; pixels of one slice that touch one point belong to one island."""
    for row in np.floor(point[0] + np.array([0.5 - 1e-6, 0.5 + 1e-6])).astype(int).tolist():
        for column in np.floor(point[1] + np.array([0.5 - 1e-6, 0.5 + 1e-6])).astype(int).tolist():
            if 0 <= row < labels.shape[0] and 0 <= column < labels.shape[1] and labels[row, column]:
                return int(labels[row, column])
    return 0
