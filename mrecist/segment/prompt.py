"""What a reader draws to ask for a mask, in voxels of the volume: (z, y, x), voxel centres at integers."""

from __future__ import annotations

from dataclasses import dataclass

Index3 = tuple[float, float, float]


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """The long axis of the lesion, drawn on one slice: both ends (z, y, x), with the same z."""

    start: Index3
    end: Index3


@dataclass(frozen=True, slots=True, kw_only=True)
class Scribbles:
    """Voxels that the reader marked as lesion or as background, (n, 3) indices each."""

    add: tuple[tuple[int, int, int], ...] = ()
    remove: tuple[tuple[int, int, int], ...] = ()
