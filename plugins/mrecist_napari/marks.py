"""What of a read is drawn on a visit: lesions with their masks, and lines with what is said of them, as plain values. No Qt."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from mrecist.measure.lesion import LesionMeasurement
from mrecist.measure.measured import Diameter
from mrecist.model import Kind, Role
from mrecist.session.proposing import Proposal
from mrecist.session.remarks import drawn_otherwise
from mrecist.session.room import Room
from mrecist.session.rows import diameter_of
from mrecist.session.waiting import Pending

WHOLE, VIABLE = "#3fa7ff", "#ffd23f"
"""Blue for the whole lesion, yellow for its viable part: told apart by colour-blind readers too."""
OWN = "#8ff0c0"
"""What the reader measures beside the read."""
WARNING = "#ff9d7a"
CALIPER = "caliper"
"""The size of a line that is no part of the read."""

Index3 = tuple[float, float, float]
Ends = tuple[Index3, Index3]
BoolArray = npt.NDArray[np.bool_]


@dataclass(frozen=True, slots=True, kw_only=True)
class MarkLine:
    """A line on a slice. ``ends`` are (z, y, x) voxel indices; ``size`` is a column of measurements.csv or ``caliper``."""

    lesion: str
    size: str
    text: str
    colour: str
    ends: Ends
    manual: bool = False
    proposed: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class MarkMask:
    """A lesion on the stack: masks (Z, Y, X); ``warning`` is a few words or nothing."""

    lesion: str
    whole: BoolArray
    viable: BoolArray | None
    role: Role
    warning: str = ""
    proposed: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class MarkRegion:
    """An ellipse that the reader drew, in its box of two corners (voxel indices), with lines of text."""

    corners: Ends
    rows: tuple[str, ...]
    colour: str = OWN


@dataclass(frozen=True, slots=True, kw_only=True)
class Marks:
    """Everything drawn on one stack."""

    masks: tuple[MarkMask, ...] = ()
    lines: tuple[MarkLine, ...] = ()
    regions: tuple[MarkRegion, ...] = ()


def marks_on(room: Room, timepoint: int, series: tuple[str, int]) -> Marks:
    """The accepted masks and lines of a visit that were drawn on a stack, and the proposal that waits there."""
    masks: list[MarkMask] = []
    lines: list[MarkLine] = []
    pending = room.pending
    if pending is not None and not _is_on(pending, timepoint, series):
        pending = None
    for lesion, facts in room.state.lesions.items():
        if pending is not None and pending.lesion == lesion:
            continue  # what would take its place is shown alone
        mark = room.state.mark(timepoint, lesion)
        if mark is None or mark.mask is None or (mark.mask.series_uid, mark.mask.stack) != series:
            continue
        drawn = room.drawn(timepoint, lesion)
        if drawn is None:
            continue
        by_hand = {name: diameter_of(line, drawn.mask.geometry) for name, line in mark.lines.items()}
        warning = drawn_otherwise(room.state, room.case, timepoint, lesion)
        masks.append(
            MarkMask(lesion=lesion, whole=drawn.mask.whole, viable=drawn.mask.viable, role=facts.role, warning=warning)
        )
        found = {**_measured(drawn.measurement, facts.kind), **by_hand}
        lines += (
            _line(lesion, size, diameter, manual=size in by_hand)
            for size, diameter in found.items()
            if diameter is not None
        )
    if pending is not None:
        masks.append(_proposed(pending))
        lines += lines_of(pending.proposal, pending.lesion)
    return Marks(masks=tuple(masks), lines=tuple(lines))


def _is_on(pending: Pending, timepoint: int, series: tuple[str, int]) -> bool:
    found = pending.proposal.series
    return pending.timepoint == timepoint and (found.uid, found.stack) == series


def _measured(measurement: LesionMeasurement, kind: Kind) -> Mapping[str, Diameter | None]:
    if kind is Kind.NODE:
        return {"longest_mm": measurement.longest, "short_mm": measurement.short}
    return {"longest_mm": measurement.longest, "viable_mm": measurement.viable}


def _proposed(pending: Pending) -> MarkMask:
    return MarkMask(
        lesion=pending.lesion or "new",
        whole=pending.proposal.whole,
        viable=pending.proposal.viable,
        role=pending.role,
        proposed=True,
    )


def lines_of(proposal: Proposal, lesion: str) -> Iterator[MarkLine]:
    """The lines of a proposal."""
    measured = proposal.measurement
    for size, diameter in (("longest_mm", measured.longest), ("viable_mm", measured.viable)):
        if diameter is not None:
            yield _line(lesion or "new", size, diameter, proposed=True)


def _line(lesion: str, size: str, diameter: Diameter, *, manual: bool = False, proposed: bool = False) -> MarkLine:
    z = float(diameter.slice_index)
    one, other = diameter.ends_index
    return MarkLine(
        lesion=lesion,
        size=size,
        text=("? " if proposed else "") + said_of(lesion, size, diameter.mm, manual=manual),
        colour=colour_of(size),
        ends=((z, *one), (z, *other)),
        manual=manual,
        proposed=proposed,
    )


def said_of(lesion: str, size: str, mm: float, *, manual: bool) -> str:
    """``T01 whole 50.9 mm``; a line set by hand says so."""
    word = {"longest_mm": "whole", "short_mm": "short", "viable_short_mm": "viable short"}.get(size, "viable")
    return f"{lesion} {word} {mm:.1f} mm" + (" (by hand)" if manual else "")


def colour_of(size: str) -> str:
    """Yellow for what is viable, blue for the rest."""
    return VIABLE if size.startswith("viable") else WHOLE
