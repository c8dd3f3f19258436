"""Which words stand beside what: the sizes of a lesion on a slice together, a caliper, a region. No Qt."""

from __future__ import annotations

from collections.abc import Callable, Iterable

import numpy as np

from mrecist.model import Role
from mrecist_napari.callouts import Box, Callout, Row
from mrecist_napari.grid import Grid
from mrecist_napari.marks import WARNING, BoolArray, Index3, MarkLine, Marks
from mrecist_napari.strokes import FloatArray, ellipse

# Orange and purple of the panel's dots (Okabe and Ito), each beside the letters of the lesion's name; a target needs no mark.
ROLE_BARS = {Role.TARGET: "", Role.NON_TARGET: "#e69f00", Role.NEW: "#cc79a7"}

MARGIN = 0.45
"""At the left and the right of the words, in rows."""


def callouts_of(
    marks: Marks,
    lines: Iterable[MarkLine],
    grid: Grid,
    row: float,
    width: Callable[[str], float],
    outline: Callable[[BoolArray, int], FloatArray],
) -> list[Callout]:
    """The callouts of all slices.

    ``row`` is the height of a row of words in mm, ``width`` that of a text, ``outline`` gives the points round a mask on a slice.
    """
    masks = {mask.lesion: mask for mask in marks.masks}
    found = []
    for (lesion, z), together in _grouped(lines).items():
        mask = masks.get(lesion)
        rows = [(line.text, line.colour) for line in together]
        if mask is not None and mask.warning:
            rows.append((mask.warning, WARNING))
        points = outline(mask.whole, z) if mask is not None else np.zeros((0, 2))
        if not len(points):
            points = np.array([_plane(grid, end) for line in together for end in line.ends])
        bar = ROLE_BARS[mask.role] if mask is not None else ""
        found.append(_callout(z, rows, bar, points, row, width))
    for region in marks.regions:
        corners = (_plane(grid, corner) for corner in region.corners)
        z = round(region.corners[0][0])
        found.append(
            _callout(z, [(text, region.colour) for text in region.rows], "", ellipse(*corners)[:, 0], row, width)
        )
    return found


def _grouped(lines: Iterable[MarkLine]) -> dict[tuple[str, int], list[MarkLine]]:
    groups: dict[tuple[str, int], list[MarkLine]] = {}
    for line in lines:
        groups.setdefault((line.lesion, round(line.ends[0][0])), []).append(line)
    return groups


def _callout(
    z: int, rows: list[tuple[str, str]], bar: str, points: FloatArray, row: float, width: Callable[[str], float]
) -> Callout:
    said = tuple(Row(text, colour, width(text)) for text, colour in rows)
    widest = max((one.width for one in said), default=0.0) + 2 * MARGIN * row
    (top, left), (bottom, right) = points.min(axis=0), points.max(axis=0)
    about = Box(float(top), float(left), float(bottom), float(right))
    return Callout(z=z, rows=said, bar=bar, width=widest, row=row, about=about, touches=points)


def _plane(grid: Grid, index: Index3) -> tuple[float, float]:
    _, row, column = grid.to_world(index)
    return row, column
