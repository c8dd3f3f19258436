"""The viable part of a lesion: its longest inside segment, with and without tolerance for gaps, and that of each island."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from mrecist.measure._lattice import TIE, BoolArray, FloatArray
from mrecist.measure.measured import Diameter
from mrecist.measure.stack import Ruler, longest_of_stack, settle_tie
from mrecist.measure.viable import close_gaps


@dataclass(frozen=True, slots=True, kw_only=True)
class ViablePart:
    """As in :class:`mrecist.measure.measured.LesionMeasurement`."""

    viable: Diameter | None = None
    raw: Diameter | None = None
    short: Diameter | None = None
    foci: tuple[Diameter, ...] = ()


def viable_part(whole: BoolArray, viable: BoolArray, ruler: Ruler, max_gap_mm: float) -> ViablePart:
    """Measure the viable part of one lesion; both masks (Z, Y, X) bool, cut at ``ruler.corner``."""
    if not viable.any():
        return ViablePart()
    levels = _levels(viable, whole, ruler.spacing, max_gap_mm)
    first, last = levels[0], levels[-1]
    found = longest_of_stack(first, ruler.inside, ruler)
    raw, short = settle_tie(first.__getitem__, found, ruler, inside=True)
    longest = raw
    for level in levels[1:]:
        found = longest_of_stack(level, ruler.inside, ruler, longest.mm)
        if found:
            longer, _ = settle_tie(level.__getitem__, found, ruler, inside=True)
            longest = longer if longer.mm > longest.mm * (1 + TIE) else longest
    if len(levels) > 1:
        place = longest.slice_index - ruler.corner[0]
        segment = np.array(longest.ends_index) - ruler.corner[1:]
        short = ruler.diameter(place, ruler.across(last[place], segment, inside=True))
    foci = _foci(levels, ruler, longest) if _count_islands(last) > 1 else (longest,)
    return ViablePart(viable=longest, raw=raw, short=short, foci=foci)


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


def _foci(levels: list[BoolArray], ruler: Ruler, viable: Diameter) -> tuple[Diameter, ...]:
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
        local = Ruler(geometry=ruler.geometry, convention=ruler.convention, corner=(base[0], base[1], base[2]))
        longest: Diameter | None = None
        for level in levels:
            island = level[box] & here
            found = longest_of_stack(island, local.inside, local, 0.0 if longest is None else longest.mm)
            if found:
                longest, _ = settle_tie(island.__getitem__, found, local, inside=True)
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
