"""Which words stand beside what: the sizes of a lesion on a slice together, a caliper, a region. No Qt."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator

import numpy as np

from mrecist.model import Role
from mrecist_napari.callouts import Box, Callout
from mrecist_napari.grid import Grid
from mrecist_napari.marks import OWN, WARNING, BoolArray, Index3, MarkLine, Marks

# Orange and purple of the panel's dots (Okabe and Ito), each beside the letters of the lesion's name; a target needs no mark.
ROLE_BARS = {Role.TARGET: "", Role.NON_TARGET: "#e69f00", Role.NEW: "#cc79a7"}


def callouts_of(
    marks: Marks, lines: Iterable[MarkLine], grid: Grid, row: float, width: Callable[[str], float]
) -> list[Callout]:
    """The callouts of all slices; ``row`` is the height of a row of words in mm, ``width`` that of a text."""
    masks = {mask.lesion: mask for mask in marks.masks}
    found = []
    for (lesion, z), together in _grouped(lines).items():
        mask = masks.get(lesion)
        rows = [(line.text, line.colour) for line in together]
        if mask is not None and mask.warning:
            rows.append((mask.warning, WARNING))
        about = _around([_plane(grid, end) for line in together for end in line.ends])
        if mask is not None:
            about = _with_mask(about, mask.whole[z], grid)
        bar = ROLE_BARS[mask.role] if mask is not None else ""
        found.append(_callout(z, rows, bar, about, row, width))
    for region in marks.regions:
        about = _around([_plane(grid, corner) for corner in region.corners])
        z = round(region.corners[0][0])
        found.append(_callout(z, [(text, OWN) for text in region.rows], "", about, row, width))
    return found


def _grouped(lines: Iterable[MarkLine]) -> dict[tuple[str, int], list[MarkLine]]:
    groups: dict[tuple[str, int], list[MarkLine]] = {}
    for line in lines:
        groups.setdefault((line.lesion, round(line.ends[0][0])), []).append(line)
    return groups


def _callout(
    z: int, rows: list[tuple[str, str]], bar: str, about: Box, row: float, width: Callable[[str], float]
) -> Callout:
    widest = max((width(text) for text, _ in rows), default=0.0)
    return Callout(z=z, rows=tuple(rows), bar=bar, width=widest, row=row, about=about)


def _plane(grid: Grid, index: Index3) -> tuple[float, float]:
    _, row, column = grid.to_world(index)
    return row, column


def _around(points: list[tuple[float, float]]) -> Box:
    rows, columns = zip(*points, strict=True)
    return Box(min(rows), min(columns), max(rows), max(columns))


def _with_mask(box: Box, mask: BoolArray, grid: Grid) -> Box:
    """The box that holds the lesion on the slice too."""
    rows, columns = np.flatnonzero(mask.any(axis=1)), np.flatnonzero(mask.any(axis=0))
    if not rows.size:
        return box
    corners: Iterator[tuple[float, float]] = (
        _plane(grid, (0, rows[end] + half, columns[end] + half)) for end, half in ((0, -0.5), (-1, 0.5))
    )
    return _around([(box.top, box.left), (box.bottom, box.right), *corners])
