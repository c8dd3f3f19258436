"""A mask changed by hand: brush and eraser in millimetres, outlines, and the slices between outlines. Pure: no screen, no files.

The viable part always stays inside the whole lesion: what is painted viable outside it is not taken, and said; what is erased of
the whole lesion leaves the viable part too. A mask can never be made empty here.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from itertools import pairwise

import numpy as np
import numpy.typing as npt

from mrecist import __version__
from mrecist.errors import MaskError
from mrecist.imaging.geometry import Geometry
from mrecist.imaging.phase import PhaseName
from mrecist.imaging.series import Series
from mrecist.measure.lesion import measure_lesion
from mrecist.protocol import Measuring
from mrecist.reading import convention_of
from mrecist.segment.interpolate import between_slices
from mrecist.segment.prompt import Index3
from mrecist.session.proposing import Proposal
from mrecist.session.state import Edit, Provenance

BoolArray = npt.NDArray[np.bool_]
Box = tuple[slice, slice, slice]
METHOD = "by hand"
NOTHING_VIABLE = "nothing of it is viable any more: the viable diameter would be 0 mm"
_ALL_ERASED = (
    "that would erase the whole lesion, and an empty mask is none: Esc rejects the proposal; a lesion that is gone is stated "
    "absent in the panel"
)


class Part(StrEnum):
    """Which mask is drawn on."""

    WHOLE = "whole"
    VIABLE = "viable"

    @property
    def words(self) -> str:
        """As a reader says it."""
        return "whole lesion" if self is Part.WHOLE else "viable part"


@dataclass(frozen=True, slots=True)
class Patch:
    """Some voxels of a volume: the box (z, y, x) that holds them, and their bits inside it."""

    box: Box
    bits: bytes

    @classmethod
    def of(cls, box: Box, inside: BoolArray) -> Patch:
        """From the (Z, Y, X) voxels of a box."""
        return cls(box, np.packbits(inside).tobytes())

    @property
    def inside(self) -> BoolArray:
        """The voxels of the box, (Z, Y, X)."""
        shape = tuple(part.stop - part.start for part in self.box)
        bits = np.unpackbits(np.frombuffer(self.bits, dtype=np.uint8), count=int(np.prod(shape)))
        return bits.astype(np.bool_).reshape(shape)

    @property
    def slices(self) -> tuple[int, ...]:
        """The slices that it touches."""
        return tuple(int(z) + self.box[0].start for z in np.flatnonzero(self.inside.any(axis=(1, 2))))


@dataclass(frozen=True, slots=True, kw_only=True)
class Stroke:
    """Something drawn by hand. ``kind`` and ``size_mm`` are those of :class:`Edit`; ``add`` False erases."""

    kind: str
    part: Part
    add: bool
    patch: Patch
    size_mm: float | None = None


@dataclass(frozen=True, slots=True)
class Painted:
    """A proposal after a stroke, and what the reader is told of it (may be empty)."""

    proposal: Proposal
    said: str


# --- what is drawn, as voxels ------------------------------------------------------------------------------------------


def brush(points: Sequence[Index3], diameter_mm: float, geometry: Geometry, *, ball: bool = False) -> Patch:
    """The voxels that a round brush covers on its way.

    Parameters
    ----------
    points : where it went, voxels (z, y, x) of one slice; straight between them.
    diameter_mm : its size. Voxels whose centre lies within half of it are covered, and always the one under the brush.
    ball : a ball over several slices instead of a disc on one.

    Raises
    ------
    MaskError : the way lies outside the picture.
    """
    radius = diameter_mm / 2
    z = round(points[0][0])
    heights = heights_of(geometry)
    box = _reach(points, radius, geometry, ball)
    depth = heights[box[0]] - heights[z]
    rows, columns = (np.arange(part.start, part.stop) for part in box[1:])
    y = rows[:, None] * geometry.row_spacing_mm
    x = columns[None, :] * geometry.column_spacing_mm
    way = [(p[1] * geometry.row_spacing_mm, p[2] * geometry.column_spacing_mm) for p in points]
    nearest = np.full((len(rows), len(columns)), np.inf)
    for one, other in pairwise([way[0], *way]):
        nearest = np.minimum(nearest, _squared(y, x, one, other))
    inside: BoolArray = nearest[None] + (depth**2)[:, None, None] <= radius**2 * (1 + 1e-9)
    for _, row, column in points:
        at = (z - box[0].start, round(row) - box[1].start, round(column) - box[2].start)
        if all(0 <= i < n for i, n in zip(at, inside.shape, strict=True)):
            inside[at] = True
    return Patch.of(box, inside)


def outline(points: Sequence[Index3], geometry: Geometry) -> Patch:
    """The pixels whose centre lies inside a closed outline, voxels (z, y, x) of one slice; the last point joins the first.

    Raises
    ------
    MaskError : it encloses no pixel.
    """
    from skimage.draw import polygon

    z = round(points[0][0])
    rows, columns = polygon([p[1] for p in points], [p[2] for p in points], geometry.shape[1:])
    if len(points) < 3 or not rows.size:
        raise MaskError("the outline encloses nothing; drag around the lesion")
    box = (
        slice(z, z + 1),
        slice(int(rows.min()), int(rows.max()) + 1),
        slice(int(columns.min()), int(columns.max()) + 1),
    )
    inside = np.zeros(tuple(part.stop - part.start for part in box), dtype=np.bool_)
    inside[0, rows - box[1].start, columns - box[2].start] = True
    return Patch.of(box, inside)


def between(proposal: Proposal, part: Part) -> tuple[Stroke, tuple[int, ...]]:
    """What fills the empty slices between the drawn ones of a mask, and the slices that stay empty all the same.

    Raises
    ------
    MaskError : fewer than two slices are drawn, or nothing lies between them.
    """
    mask = proposal.whole if part is Part.WHOLE else proposal.viable
    if mask is None:
        raise MaskError("no viable part is drawn yet; outline it on two slices or more")
    geometry = _geometry(proposal.series)
    spacing = (geometry.row_spacing_mm, geometry.column_spacing_mm)
    new = between_slices(mask, spacing, heights_of(geometry)) & ~mask
    if part is Part.VIABLE:
        new &= proposal.whole
    drawn = np.flatnonzero(mask.any(axis=(1, 2)))
    filled = np.flatnonzero(new.any(axis=(1, 2)))
    gaps = sorted(set(range(int(drawn[0]), int(drawn[-1]))) - {int(z) for z in (*drawn, *filled)})
    if not filled.size:
        why = "the outlines lie too far from one another" if gaps else "there is no empty slice between drawn ones"
        raise MaskError(f"nothing was filled: {why}")
    span = slice(int(filled[0]), int(filled[-1]) + 1)
    box = (span, *_plane_box(np.asarray(new[span].any(axis=0))))
    return Stroke(kind="interpolation", part=part, add=True, patch=Patch.of(box, new[box])), tuple(gaps)


# --- what comes of it ---------------------------------------------------------------------------------------------------


def painted(proposal: Proposal, stroke: Stroke, measuring: Measuring) -> Painted:
    """A proposal after a stroke, measured again.

    Raises
    ------
    MaskError : it changes nothing, would erase the whole lesion, or asks for a viable part where none can be.
    """
    whole, viable, edit, outside = _applied(proposal.series, proposal.whole, proposal.viable, stroke)
    if not (edit.whole_voxels or edit.viable_voxels):
        raise MaskError(_nothing(stroke, outside))
    provenance = replace(proposal.provenance, edits=(*proposal.provenance.edits, edit))
    after = _with(proposal, whole, viable, provenance, measuring)
    return Painted(after, _said(stroke, edit, outside, after))


def by_hand(series: Series, stroke: Stroke, measuring: Measuring) -> Painted:
    """A lesion that begins with a stroke on a series, without any other method.

    Raises
    ------
    MaskError : the stroke does not draw a whole lesion.
    """
    if stroke.part is Part.VIABLE or not stroke.add:
        raise MaskError("there is nothing to mend yet; draw the whole lesion first")
    empty = np.zeros(_geometry(series).shape, dtype=np.bool_)
    whole, _, edit, outside = _applied(series, empty, None, stroke)
    provenance = Provenance(method=METHOD, parameters={"version": __version__}, edits=(edit,))
    after = as_proposal(series, whole, None, provenance, measuring)
    return Painted(after, _said(stroke, edit, outside, after))


def as_proposal(
    series: Series,
    whole: BoolArray,
    viable: BoolArray | None,
    provenance: Provenance,
    measuring: Measuring,
    notes: tuple[str, ...] = (),
) -> Proposal:
    """Masks (Z, Y, X) that are there already as a proposal to be mended; raises :class:`MaskError` for an empty one."""
    return Proposal(
        series=series,
        whole=whole,
        viable=viable,
        cutoff=None,
        measurement=measure_lesion(
            whole, _geometry(series), viable, convention=convention_of(measuring), max_gap_mm=measuring.max_gap_mm
        ),
        provenance=provenance,
        notes=notes,
    )


def replayed(proposal: Proposal, strokes: Sequence[Stroke], measuring: Measuring) -> Proposal:
    """The same strokes on masks that another method has found again: the hand has the last word.

    Raises
    ------
    MaskError : nothing of the lesion is left then.
    """
    if not strokes:
        return proposal
    whole, viable, edits = proposal.whole, proposal.viable, list(proposal.provenance.edits)
    for stroke in strokes:
        whole, viable, edit, _ = _applied(proposal.series, whole, viable, stroke)
        edits.append(edit)
    return _with(proposal, whole, viable, replace(proposal.provenance, edits=tuple(edits)), measuring)


def viable_again(proposal: Proposal, strokes: Sequence[Stroke], measuring: Measuring) -> Proposal:
    """The strokes on the viable part once more, after another cut-off; they are in the provenance already."""
    own = [stroke for stroke in strokes if stroke.part is Part.VIABLE]
    return replace(replayed(proposal, own, measuring), provenance=proposal.provenance)


def heights_of(geometry: Geometry) -> npt.NDArray[np.float64]:
    """Where each slice lies along the normal, in mm."""
    heights: npt.NDArray[np.float64] = np.array(geometry.origins_lps) @ geometry.normal
    return heights


def _applied(
    series: Series, whole: BoolArray, viable: BoolArray | None, stroke: Stroke
) -> tuple[BoolArray, BoolArray | None, Edit, int]:
    """Both masks after a stroke, what it was, and the number of its voxels outside the whole lesion that were not taken."""
    box, inside = stroke.patch.box, stroke.patch.inside
    outside = 0
    new_whole, new_viable = whole, viable
    if stroke.part is Part.WHOLE:
        new_whole = whole.copy()
        new_whole[box] = whole[box] | inside if stroke.add else whole[box] & ~inside
        if viable is not None and not stroke.add:
            new_viable = viable.copy()
            new_viable[box] &= ~inside
    else:
        if series.phase.name not in (PhaseName.ARTERIAL, PhaseName.UNKNOWN):
            raise MaskError(f"the viable part is judged on the arterial phase; this is the {series.phase.name} one")
        if viable is None and not stroke.add:
            raise MaskError("no viable part is drawn yet: there is nothing to erase (V goes back to the whole lesion)")
        new_viable = np.zeros_like(whole) if viable is None else viable.copy()
        outside = int((inside & ~whole[box]).sum())
        new_viable[box] = new_viable[box] | (inside & whole[box]) if stroke.add else new_viable[box] & ~inside
        if viable is None and not new_viable[box].any():
            new_viable = None
    if not new_whole[box].any() and not new_whole.any():
        raise MaskError(_ALL_ERASED)
    edit = Edit(
        kind=stroke.kind,
        part=str(stroke.part),
        slices=stroke.patch.slices,
        size_mm=stroke.size_mm,
        whole_voxels=int((new_whole[box] != whole[box]).sum()),
        viable_voxels=_changed(viable, new_viable, box),
    )
    return new_whole, new_viable, edit, outside


def _changed(before: BoolArray | None, after: BoolArray | None, box: Box) -> int:
    if after is None:
        return 0
    return int(after[box].sum() if before is None else (after[box] != before[box]).sum())


def _with(
    proposal: Proposal, whole: BoolArray, viable: BoolArray | None, provenance: Provenance, measuring: Measuring
) -> Proposal:
    notes = tuple(note for note in proposal.notes if note != NOTHING_VIABLE)
    if viable is not None and not viable.any():
        notes += (NOTHING_VIABLE,)
    found = as_proposal(proposal.series, whole, viable, provenance, measuring, notes)
    return replace(
        proposal, whole=whole, viable=viable, measurement=found.measurement, provenance=provenance, notes=notes
    )


def _nothing(stroke: Stroke, outside: int) -> str:
    if outside:
        return (
            "the viable part stays inside the whole lesion: nothing was painted (V, then paint the whole lesion first)"
        )
    there = "covers nothing new" if stroke.add else "touches nothing of it"
    return f"the {stroke.kind} changed nothing: it {there} ({stroke.part.words})"


def _said(stroke: Stroke, edit: Edit, outside: int, after: Proposal) -> str:
    said = []
    if outside:
        said.append(f"{outside} voxels outside the whole lesion were not painted viable")
    if stroke.part is Part.WHOLE and stroke.add and after.viable is not None and edit.whole_voxels:
        said.append("what was added does not count as viable unless you paint it so (V)")
    if stroke.part is Part.WHOLE and edit.viable_voxels:
        said.append(f"{edit.viable_voxels} voxels of the viable part went with it")
    if NOTHING_VIABLE in after.notes:
        said.append(NOTHING_VIABLE)
    return "; ".join(said)


def _reach(points: Sequence[Index3], radius: float, geometry: Geometry, ball: bool) -> Box:
    """The box of a brush's way, inside the volume."""
    z = round(points[0][0])
    count, height, width = geometry.shape
    if not 0 <= z < count:
        raise MaskError("the stroke lies outside the picture")
    spans = []
    for axis, (size, step) in enumerate(
        ((height, geometry.row_spacing_mm), (width, geometry.column_spacing_mm)), start=1
    ):
        at = [p[axis] for p in points]
        low = max(int(np.floor(min(at) - radius / step)), 0)
        high = min(int(np.ceil(max(at) + radius / step)) + 1, size)
        if low >= high:
            raise MaskError("the stroke lies outside the picture")
        spans.append(slice(low, high))
    near = np.array([z])
    if ball:
        heights = heights_of(geometry)
        near = np.flatnonzero(np.abs(heights - heights[z]) <= radius * (1 + 1e-9))
    return slice(int(near.min()), int(near.max()) + 1), spans[0], spans[1]


def _squared(
    y: npt.NDArray[np.floating], x: npt.NDArray[np.floating], one: tuple[float, float], other: tuple[float, float]
) -> npt.NDArray[np.float64]:
    """Squared distance of every (y, x) to a segment, mm2."""
    along = other[0] - one[0], other[1] - one[1]
    length = along[0] ** 2 + along[1] ** 2
    part = np.zeros(np.broadcast(y, x).shape)
    if length > 0:
        part = np.clip(((y - one[0]) * along[0] + (x - one[1]) * along[1]) / length, 0, 1)
    squared: npt.NDArray[np.float64] = (y - one[0] - part * along[0]) ** 2 + (x - one[1] - part * along[1]) ** 2
    return squared


def _plane_box(held: BoolArray) -> tuple[slice, slice]:
    rows, columns = np.flatnonzero(held.any(axis=1)), np.flatnonzero(held.any(axis=0))
    return slice(int(rows[0]), int(rows[-1]) + 1), slice(int(columns[0]), int(columns[-1]) + 1)


def _geometry(series: Series) -> Geometry:
    assert series.geometry is not None  # a case holds no other series
    return series.geometry
