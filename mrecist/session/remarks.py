"""What is told about a mark while one reads: a line whose ends lie outside, a mask on another phase or plane than before."""

from __future__ import annotations

import numpy as np

from mrecist.errors import ReadError
from mrecist.imaging.masks import LesionMask
from mrecist.imaging.phase import PhaseName
from mrecist.reading import row_phase
from mrecist.session.case import Case
from mrecist.session.state import DrawnMask, ManualLine, ReadState

_PLANE_DEGREES = 15.0
_STEPS_PER_PIXEL = 4


def drawn_otherwise(state: ReadState, case: Case, timepoint: int, lesion: str) -> str:
    """How the mask of a lesion was drawn otherwise than its first one: another phase, another plane; empty when it was not.

    A phase that is unknown is no change (as in the finding of the checks). Planes differ from 15 degrees between the normals on.
    """
    now = state.mark(timepoint, lesion)
    before = [(t, mark.mask) for t, mark in state.history(lesion).items() if t < timepoint and mark.mask is not None]
    if now is None or now.mask is None or not before:
        return ""
    first, then = before[0]
    when = "baseline" if first == 0 else f"time point {first}"
    said = []
    phases = _phase(case, then), _phase(case, now.mask)
    if phases[0] != phases[1] and PhaseName.UNKNOWN not in phases:
        said.append(f"{phases[1].lower()}, {when} {phases[0].lower()}")
    angle = _degrees(case, then, now.mask)
    if angle > _PLANE_DEGREES:
        said.append(f"plane {angle:.0f} degrees off {when}")
    return "; ".join(said)


def _phase(case: Case, mask: DrawnMask) -> str:
    return str(row_phase(case.series(mask.series_uid, mask.stack), case.protocol.measuring))


def _degrees(case: Case, one: DrawnMask, other: DrawnMask) -> float:
    """Between the normals of both stacks, whichever way they point."""
    normals = []
    for mask in (one, other):
        geometry = case.series(mask.series_uid, mask.stack).geometry
        assert geometry is not None  # a case holds no other series
        normals.append(geometry.normal)
    return float(np.degrees(np.arccos(np.clip(abs(normals[0] @ normals[1]), 0, 1))))


def line_remarks(line: ManualLine, size: str, mask: LesionMask) -> tuple[str, ...]:
    """What is doubtful about a line that was set by hand, a few words each; empty when nothing is.

    Nothing of it is refused but a line without a length: the reader may know better than the mask.

    Raises
    ------
    ReadError : both ends are the same point.
    """
    if line.ends[0] == line.ends[1]:
        raise ReadError("both ends of the line are the same point; drag one of them away from the other")
    viable = size.startswith("viable")
    drawn = mask.viable if viable and mask.viable is not None else mask.whole
    on_slice = drawn[line.slice_index]
    rows, columns = on_slice.shape
    if any(not (-0.5 <= row <= rows - 0.5 and -0.5 <= column <= columns - 0.5) for row, column in line.ends):
        return ("an end lies beyond the image",)
    said = []
    if any(not _near(on_slice, row, column) for row, column in line.ends):
        said.append(f"an end lies outside the outline of the {'viable part' if viable else 'lesion'}")
    if viable and (outside := _outside(on_slice, line)) >= 0.05:
        said.append(f"{100 * outside:.0f} % of the line is not viable tissue")
    return tuple(said)


def _near(mask: np.ndarray[tuple[int, ...], np.dtype[np.bool_]], row: float, column: float) -> bool:
    """The point is within a pixel of the mask: ends of a measured line stand on its edge."""
    r, c = round(row), round(column)
    return bool(mask[max(r - 1, 0) : r + 2, max(c - 1, 0) : c + 2].any())


def _outside(mask: np.ndarray[tuple[int, ...], np.dtype[np.bool_]], line: ManualLine) -> float:
    """The share of a line that lies in pixels outside a mask."""
    (row, column), (row_2, column_2) = line.ends
    count = max(int(np.hypot(row_2 - row, column_2 - column) * _STEPS_PER_PIXEL), 1)
    along = (np.arange(count) + 0.5) / count
    rows = np.clip(np.rint(row + along * (row_2 - row)).astype(int), 0, mask.shape[0] - 1)
    columns = np.clip(np.rint(column + along * (column_2 - column)).astype(int), 0, mask.shape[1] - 1)
    return float(1 - mask[rows, columns].mean())
