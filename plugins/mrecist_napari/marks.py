"""What of a read is drawn on a visit: masks as labels and lines with their callouts, as plain arrays. No Qt."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from mrecist.measure.measured import Diameter
from mrecist.session.proposing import Proposal
from mrecist.session.room import Room
from mrecist.session.rows import diameter_of

WHOLE, VIABLE = "#3fa7ff", "#ffd23f"
"""Blue for the whole lesion, yellow for its viable part: told apart by colour-blind readers too."""


@dataclass(frozen=True, slots=True, kw_only=True)
class MarkLine:
    """A diameter on a slice. ``ends`` are (z, y, x) voxel indices; ``callout`` is where its text stands, outside the lesion."""

    lesion: str
    size: str
    text: str
    colour: str
    ends: tuple[tuple[float, float, float], tuple[float, float, float]]
    callout: tuple[float, float, float]
    manual: bool
    proposed: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Marks:
    """Everything drawn on one stack: label volumes (Z, Y, X), 0 where nothing is, and lines."""

    whole: npt.NDArray[np.uint8]
    viable: npt.NDArray[np.uint8]
    lines: tuple[MarkLine, ...]


def marks_on(room: Room, timepoint: int, series: tuple[str, int]) -> Marks:
    """The accepted masks and lines of a visit that were drawn on a stack."""
    shape = room.case.series(*series).geometry.shape  # type: ignore[union-attr]
    whole, viable = np.zeros(shape, dtype=np.uint8), np.zeros(shape, dtype=np.uint8)
    lines: list[MarkLine] = []
    mended = room.pending.lesion if room.pending is not None and room.pending.timepoint == timepoint else ""
    for number, lesion in enumerate(room.state.lesions, 1):
        if lesion == mended:
            continue  # the proposal is shown in its place
        mark = room.state.mark(timepoint, lesion)
        if mark is None or mark.mask is None or (mark.mask.series_uid, mark.mask.stack) != series:
            continue
        drawn = room.drawn(timepoint, lesion)
        if drawn is None:
            continue
        whole[drawn.mask.whole] = number
        if drawn.mask.viable is not None:
            viable[drawn.mask.viable] = number
        found = {"longest_mm": drawn.measurement.longest, "viable_mm": drawn.measurement.viable}
        if room.state.lesions[lesion].kind == "node":
            found = {"longest_mm": drawn.measurement.longest, "short_mm": drawn.measurement.short}
        by_hand = {name: diameter_of(line, drawn.mask.geometry) for name, line in mark.lines.items()}
        for size, diameter in {**found, **by_hand}.items():
            if diameter is not None:
                lines.append(_line(lesion, size, diameter, drawn.mask.whole, size in by_hand, proposed=False))
    return Marks(whole=whole, viable=viable, lines=tuple(lines))


def lines_of(proposal: Proposal, lesion: str) -> Iterator[MarkLine]:
    """The lines of a proposal."""
    found = {"longest_mm": proposal.measurement.longest, "viable_mm": proposal.measurement.viable}
    for size, diameter in found.items():
        if diameter is not None:
            yield _line(lesion or "new", size, diameter, proposal.whole, False, proposed=True)


def _line(
    lesion: str, size: str, diameter: Diameter, whole: npt.NDArray[np.bool_], manual: bool, *, proposed: bool
) -> MarkLine:
    z = float(diameter.slice_index)
    one, other = diameter.ends_index
    viable = size.startswith("viable")
    word = "viable" if viable else "short" if size == "short_mm" else "whole"
    return MarkLine(
        lesion=lesion,
        size=size,
        text=f"{lesion} {word} {diameter.mm:.1f} mm" + (" (by hand)" if manual else ""),
        colour=VIABLE if viable else WHOLE,
        ends=((z, *one), (z, *other)),
        callout=(z, *_outside(whole[diameter.slice_index], below=viable)),
        manual=manual,
        proposed=proposed,
    )


def _outside(mask: npt.NDArray[np.bool_], *, below: bool) -> tuple[float, float]:
    """Beside the lesion's box: the whole diameter above it, the viable one below."""
    rows, columns = np.nonzero(mask)
    if not rows.size:
        return 0.0, 0.0
    row = rows.max() + 6.0 if below else rows.min() - 6.0
    return float(row), float(columns.min())
