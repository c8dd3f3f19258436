"""What a reader has said of one subject so far: an immutable value, so that undo is the value before.

Nothing here is measured or derived; that follows from the state (:mod:`mrecist.session.rows`).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from types import MappingProxyType
from typing import Any

from mrecist.errors import ReadError
from mrecist.model import Kind, Role, State

Point = tuple[float, float]


@dataclass(frozen=True, slots=True, kw_only=True)
class Edit:
    """One change of a mask by hand.

    Parameters
    ----------
    kind : ``brush``, ``eraser``, ``ball brush``, ``ball eraser``, ``contour`` or ``interpolation``.
    part : ``whole`` or ``viable``: what was drawn on.
    slices : indices of the slices that it touched, from 0.
    size_mm : diameter of the brush or eraser; None for the others.
    whole_voxels, viable_voxels : how many voxels of each mask it changed.
    """

    kind: str
    part: str
    slices: tuple[int, ...]
    size_mm: float | None
    whole_voxels: int
    viable_voxels: int

    def words(self) -> str:
        """``brush 10 mm on the whole lesion, slice 12: 85 voxels``; slices counted from 1."""
        size = "" if self.size_mm is None else f" {self.size_mm:g} mm"
        on = "whole lesion" if self.part == "whole" else "viable part"
        first, last = min(self.slices) + 1, max(self.slices) + 1
        where = f"slice {first}" if first == last else f"slices {first} to {last}"
        changed = self.whole_voxels if self.part == "whole" else self.viable_voxels
        return f"{self.kind}{size} on the {on}, {where}: {changed} voxels"


@dataclass(frozen=True, slots=True, kw_only=True)
class Provenance:
    """How a mask came to be: the method with its version, what the reader gave it, its parameters, and the edits since."""

    method: str
    prompts: tuple[Mapping[str, Any], ...] = ()
    parameters: Mapping[str, Any] = field(default_factory=dict)
    edits: tuple[Edit, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class DrawnMask:
    """A mask of one lesion on one stack.

    Parameters
    ----------
    series_uid, stack : where it was drawn.
    whole, viable : keys of the mask store; ``viable`` is None when nobody drew it, and the key of an empty mask when it was
        drawn and nothing enhances.
    """

    series_uid: str
    stack: int
    whole: str
    viable: str | None
    provenance: Provenance


@dataclass(frozen=True, slots=True, kw_only=True)
class ManualLine:
    """A diameter whose ends the reader has set: ``ends`` are (row, column), pixel centres at integers, on one slice."""

    slice_index: int
    ends: tuple[Point, Point]


@dataclass(frozen=True, slots=True, kw_only=True)
class Mark:
    """What the reader says of one lesion at one visit.

    Parameters
    ----------
    lines : size column (``longest_mm``, ``viable_mm``, ...) -> the line that the reader set by hand.
    sizes : size column -> a number that was typed without a line (an external caliper, too small with a number).
    words : column of measurements.csv -> word (``pattern``, ``change``, ``local_therapy``, ...).
    part_of : the lesion it split from; of a merged lesion the one that carries the mass.
    """

    state: State
    mask: DrawnMask | None = None
    lines: Mapping[str, ManualLine] = field(default_factory=dict)
    sizes: Mapping[str, Decimal] = field(default_factory=dict)
    words: Mapping[str, str] = field(default_factory=dict)
    part_of: str = ""
    comment: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class LesionFacts:
    """What holds of a lesion at every visit. ``tracking_uid`` ties its masks and reports together."""

    role: Role
    kind: Kind
    organ: str
    station: str
    tracking_uid: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Signature:
    """Who signed a visit, when (ISO 8601, UTC), and what for."""

    name: str
    at: str
    meaning: str


@dataclass(frozen=True, slots=True, kw_only=True)
class VisitState:
    """What the reader says of one visit. ``new_lesions`` is None until the question is answered."""

    marks: Mapping[str, Mark] = field(default_factory=dict)
    new_lesions: bool | None = None
    adequate: bool | None = None
    comment: str = ""
    signature: Signature | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ReadState:
    """A read. ``phases`` are series UIDs whose phase the reader stated."""

    lesions: Mapping[str, LesionFacts] = field(default_factory=dict)
    visits: Mapping[int, VisitState] = field(default_factory=dict)
    phases: Mapping[str, str] = field(default_factory=dict)

    def visit(self, timepoint: int) -> VisitState:
        """The visit, empty when nothing has been said of it."""
        return self.visits.get(timepoint, VisitState())

    def mark(self, timepoint: int, lesion: str) -> Mark | None:
        """What is said of the lesion at the visit."""
        return self.visit(timepoint).marks.get(lesion)

    def history(self, lesion: str) -> dict[int, Mark]:
        """Time point -> what is said of the lesion, in order."""
        return {t: visit.marks[lesion] for t, visit in sorted(self.visits.items()) if lesion in visit.marks}


def until(state: ReadState, timepoint: int) -> ReadState:
    """What is said of the visits up to a time point, with the lesions that are known by then."""
    visits = {t: visit for t, visit in state.visits.items() if t <= timepoint}
    if len(visits) == len(state.visits):
        return state
    later = {lesion for t, visit in state.visits.items() if t > timepoint for lesion in visit.marks}
    known = {lesion for visit in visits.values() for lesion in visit.marks}
    lesions = {lesion: facts for lesion, facts in state.lesions.items() if lesion in known or lesion not in later}
    return ReadState(lesions=lesions, visits=visits, phases=state.phases)


def refuse_signed(state: ReadState, timepoint: int) -> None:
    """Raise :class:`ReadError` where the visit is signed."""
    signature = state.visit(timepoint).signature
    if signature is not None:
        raise ReadError(
            f"time point {timepoint} was signed by {signature.name} at {signature.at}; re-open it with a reason to change it"
        )


EMPTY: Mapping[str, Any] = MappingProxyType({})


def put(mapping: Mapping[Any, Any], key: Any, value: Any) -> dict[Any, Any]:
    """A copy of a mapping with one entry set, or removed where the value is None."""
    changed = dict(mapping)
    if value is None:
        changed.pop(key, None)
    else:
        changed[key] = value
    return changed
