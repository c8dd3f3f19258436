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

# A cut of this many voxels takes about half a second.
MOST_VOXELS = 160_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Crop:
    """A box of a volume.

    Parameters
    ----------
    box : slices (z, y, x) of the volume.
    spacing_mm : distance of voxels (z, y, x).
    factor : how many voxels a cell of the working grid spans in y and x; 1 where the box is small.
    """

    box: tuple[slice, slice, slice]
    spacing_mm: Spacing
    factor: int

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


def crop_around(line: Line, shape: tuple[int, int, int], spacing_mm: Spacing, margin_mm: float) -> Crop:
    """The box that reaches ``margin_mm`` from the middle of a line in every direction, inside the volume."""
    middle = (np.array(line.start) + np.array(line.end)) / 2
    reach = margin_mm / np.array(spacing_mm)
    low = np.maximum(np.floor(middle - reach), 0).astype(int)
    high = np.minimum(np.ceil(middle + reach) + 1, shape).astype(int)
    box = tuple(slice(int(a), int(b)) for a, b in zip(low, high, strict=True))
    count = int(np.prod(high - low))
    factor = 1
    while count / factor**2 > MOST_VOXELS:
        factor += 1
    return Crop(box=(box[0], box[1], box[2]), spacing_mm=spacing_mm, factor=factor)


def shrink(array: FloatArray, factor: int) -> FloatArray:
    """Means of ``factor`` x ``factor`` pixels of each slice; a rest at the end is averaged over what is there."""
    if factor == 1:
        return array
    pad = [(0, 0), *((0, -n % factor) for n in array.shape[1:])]
    padded = np.pad(array, pad, mode="edge")
    z, y, x = padded.shape
    small: FloatArray = padded.reshape(z, y // factor, factor, x // factor, factor).mean(axis=(2, 4), dtype=np.float32)
    return small


def enlarge(mask: BoolArray, factor: int, shape: tuple[int, int, int]) -> BoolArray:
    """The mask of a shrunk box on the voxels of the box."""
    if factor == 1:
        return mask
    big: BoolArray = mask.repeat(factor, axis=1).repeat(factor, axis=2)[:, : shape[1], : shape[2]]
    return big
