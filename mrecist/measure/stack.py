"""The longest segments of a stack of slices, and which of equally long ones is taken."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np

from mrecist.imaging.geometry import Geometry
from mrecist.measure._lattice import TIE, BoolArray, FloatArray
from mrecist.measure.chords import CrossLines
from mrecist.measure.conventions import Convention, drawn_in, longest_anywhere, longest_inside
from mrecist.measure.measured import Diameter


@dataclass(frozen=True, slots=True, kw_only=True)
class Ruler:
    """Measures on the slices of a cropped stack; ``corner`` is where the crop begins (slice, row, column)."""

    geometry: Geometry
    convention: Convention
    corner: tuple[int, int, int]

    @property
    def spacing(self) -> tuple[float, float]:
        return self.geometry.row_spacing_mm, self.geometry.column_spacing_mm

    def anywhere(self, mask: BoolArray, at_least: float) -> tuple[float, FloatArray]:
        """The longest diameters of one slice, or nothing when its bounding box is too small for ``at_least``."""
        box = float(np.hypot(*(np.array(crop(mask)[0].shape) * self.spacing)))
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
        lines = CrossLines(mask, self.spacing, segment, inside=inside)
        by = drawn_in((float(lines.across[0]), float(lines.across[1])), self.spacing, self.convention)
        chord = lines.longest(by)
        excess = self.length(chord) - self.length(segment)
        if excess > 1e-9:
            chord = lines.longest(by + excess / 2)
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


def crop(mask: BoolArray) -> tuple[BoolArray, tuple[int, int]]:
    """The mask cut to its bounding box, and where that begins."""
    rows, columns = np.flatnonzero(mask.any(axis=1)), np.flatnonzero(mask.any(axis=0))
    return mask[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1], (int(rows[0]), int(columns[0]))


_Search = Callable[[BoolArray, float], tuple[float, FloatArray]]


def longest_of_stack(
    stack: BoolArray, search: _Search, ruler: Ruler, at_least: float = 0.0
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
        bounds.append((float(np.hypot(*(np.array(crop(stack[index])[0].shape) * spacing))), int(index)))
    yield from sorted(bounds, key=lambda entry: (-entry[0], entry[1]))


def settle_tie(
    mask_of: Callable[[int], BoolArray], found: list[tuple[int, FloatArray]], ruler: Ruler, *, inside: bool
) -> tuple[Diameter, Diameter]:
    """Of equally long segments the one with the larger short axis, then on the lowest slice, then first in the plane.

    ``mask_of`` gives the mask of a slice.
    """
    entries = []
    for index, segment in found:
        long, short = (
            ruler.diameter(index, segment),
            ruler.diameter(index, ruler.across(mask_of(index), segment, inside=inside)),
        )
        entries.append((long, short))
    widest = max(short.mm for _, short in entries)
    tied = [entry for entry in entries if entry[1].mm >= widest - TIE * (1 + widest)]
    return min(tied, key=lambda entry: (entry[0].slice_index, sorted(entry[0].ends_index)))
