"""The part of a volume around a lesion on which a cut works: small enough for half a second, never coarser than it must be."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from mrecist.segment.prompt import Line

FloatArray = npt.NDArray[np.float32]
BoolArray = npt.NDArray[np.bool_]
Spacing = tuple[float, float, float]

# A cut of this many cells takes a fraction of a second.
MOST_CELLS = 60_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Crop:
    """A box of a volume.

    Parameters
    ----------
    box : slices (z, y, x) of the volume.
    spacing_mm : distance of voxels (z, y, x).
    factor : how many voxels a cell of the working grid spans (z, y, x); all 1 where the box is small.
    """

    box: tuple[slice, slice, slice]
    spacing_mm: Spacing
    factor: tuple[int, int, int]

    @property
    def cell_mm(self) -> Spacing:
        """Distance of cells (z, y, x)."""
        z, y, x = (s * f for s, f in zip(self.spacing_mm, self.factor, strict=True))
        return z, y, x

    def cell(self, point: Sequence[float]) -> npt.NDArray[np.float64]:
        """A point of the volume in cells of the working grid; cell centres at integers."""
        found: npt.NDArray[np.float64] = (self.local(point) + 0.5) / np.array(self.factor) - 0.5
        return found

    @property
    def shape(self) -> tuple[int, int, int]:
        """(Z, Y, X) of the box."""
        z, y, x = (part.stop - part.start for part in self.box)
        return z, y, x

    def of(self, volume: npt.NDArray[np.float32]) -> FloatArray:
        """The box out of a volume; voxels without a value (padding) take the lowest value in the box."""
        part = np.asarray(volume[self.box], dtype=np.float32)
        bad = ~np.isfinite(part)
        return np.where(bad, part[~bad].min() if not bad.all() else 0, part) if bad.any() else part

    def local(self, point: Sequence[float]) -> npt.NDArray[np.float64]:
        """A point of the volume in voxels of the box."""
        return np.array([p - part.start for p, part in zip(point, self.box, strict=True)], dtype=np.float64)


def crop_around(
    line: Line, shape: tuple[int, int, int], spacing_mm: Spacing, margin_mm: float, ball_mm: float | None = None
) -> Crop:
    """The box that reaches ``margin_mm`` from the middle of a line in every direction, inside the volume.

    Where a ball of ``ball_mm`` holds more than :data:`MOST_CELLS` voxels, several voxels make a cell, about as high as wide.
    """
    middle = (np.array(line.start) + np.array(line.end)) / 2
    spacing = np.array(spacing_mm)
    reach = margin_mm / spacing
    low = np.maximum(np.floor(middle - reach), 0).astype(int)
    high = np.minimum(np.ceil(middle + reach) + 1, shape).astype(int)
    box = tuple(slice(int(a), int(b)) for a, b in zip(low, high, strict=True))
    factor = np.ones(3, dtype=int)
    volume = 4 / 3 * np.pi * (ball_mm or margin_mm) ** 3
    while volume / float(np.prod(spacing * factor)) > MOST_CELLS:
        size = spacing * factor
        factor[(size < 1.3 * size[1:].min())] += 1
    return Crop(
        box=(box[0], box[1], box[2]), spacing_mm=spacing_mm, factor=(int(factor[0]), int(factor[1]), int(factor[2]))
    )


def shrink(array: FloatArray, factor: tuple[int, int, int]) -> FloatArray:
    """Means over cells of ``factor`` voxels (z, y, x); a rest at the end is averaged over what is there."""
    if factor == (1, 1, 1):
        return array
    pad = [(0, -n % f) for n, f in zip(array.shape, factor, strict=True)]
    padded = np.pad(array, pad, mode="edge")
    split = [v for n, f in zip(padded.shape, factor, strict=True) for v in (n // f, f)]
    small: FloatArray = padded.reshape(split).mean(axis=(1, 3, 5), dtype=np.float32)
    return small


def enlarge(mask: BoolArray, factor: tuple[int, int, int], shape: tuple[int, int, int]) -> BoolArray:
    """The mask of a shrunk box on the voxels of the box."""
    if factor == (1, 1, 1):
        return mask
    big = mask
    for axis, times in enumerate(factor):
        big = big.repeat(times, axis=axis)
    return big[: shape[0], : shape[1], : shape[2]]
