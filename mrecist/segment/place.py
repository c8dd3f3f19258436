"""Where a voxel lies with respect to a drawn long axis, and the ellipsoid around that axis that fits what is seen."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from mrecist.segment.crop import FloatArray, Spacing

# Semi-axes that are tried, as shares of half the line, and what lesions mostly have.
_TRIED = np.linspace(0.35, 1.25, 19)
_USUAL = 0.85
# How much a semi-axis off the usual costs, beside the gain of the whole ball.
_STIFF = 0.06
_SWEEPS = 3
_SAMPLES = 15_000


@dataclass(frozen=True, slots=True)
class Place:
    """Distances in mm of cells from a line, any shape: along it, across it in the slice, and through the slices (signed)."""

    along: FloatArray
    across: FloatArray
    through: FloatArray
    half: float

    def from_line(self, share: float) -> FloatArray:
        """Distance from the middle part of the line, ``share`` of it."""
        beyond = np.maximum(np.abs(self.along) - share * self.half, 0)
        found: FloatArray = np.sqrt(beyond**2 + self.across**2 + self.through**2)
        return found

    def from_middle(self) -> FloatArray:
        """Distance from the middle of the line."""
        found: FloatArray = np.sqrt(self.along**2 + self.across**2 + self.through**2)
        return found


@dataclass(frozen=True, slots=True, kw_only=True)
class Ellipsoid:
    """Semi-axes in mm: half the line, and to either side of it in the slice and through the slices."""

    half: float
    right: float
    left: float
    up: float
    down: float

    def depth(self, place: Place) -> FloatArray:
        """0 in the middle, 1 at the surface."""
        across = place.across / np.where(place.across >= 0, self.right, self.left)
        through = place.through / np.where(place.through >= 0, self.up, self.down)
        found: FloatArray = np.sqrt((place.along / self.half) ** 2 + across**2 + through**2).astype(np.float32)
        return found


def place_of(
    shape: tuple[int, ...], cell_mm: Spacing, start: npt.NDArray[np.float64], end: npt.NDArray[np.float64]
) -> Place:
    """Every cell of a grid beside a line whose ends are cells (z, y, x) of it, on one slice."""
    cell = np.array(cell_mm)
    one, other = start * cell, end * cell
    way = other - one
    length = float(np.linalg.norm(way))
    middle = (one + other) / 2
    axes = [(np.arange(n) * s - m).astype(np.float32) for n, s, m in zip(shape, cell, middle, strict=True)]
    z, y, x = np.meshgrid(*axes, indexing="ij", sparse=True)
    _, down, right = way / length
    zero = np.zeros(shape, dtype=np.float32)
    return Place(
        np.asarray(y * down + x * right + zero, dtype=np.float32),
        np.asarray(y * right - x * down + zero, dtype=np.float32),
        np.asarray(z + zero, dtype=np.float32),
        length / 2,
    )


def fit_ellipsoid(place: Place, gain: FloatArray, half: float) -> Ellipsoid:
    """The ellipsoid with the drawn axis inside of which most is gained.

    Parameters
    ----------
    place, gain : cells that may be lesion, (n,); how much more each looks like lesion than like background.
    half : half the long axis, mm.
    """
    step = max(1, len(gain) // _SAMPLES)
    picked = Place(place.along[::step], place.across[::step], place.through[::step], place.half)
    gains = gain[::step].astype(np.float64)
    stiff = _STIFF * float(np.abs(gains).sum())
    usual = _USUAL * half
    found = Ellipsoid(half=half, right=usual, left=usual, up=usual, down=usual)

    def worth(one: Ellipsoid) -> float:
        inside = gains[one.depth(picked) <= 1].sum()
        off = [np.log(getattr(one, side) / usual) ** 2 for side in ("right", "left", "up", "down")]
        return float(inside) - stiff * float(np.sum(off))

    for _ in range(_SWEEPS):
        before = found
        for side in ("right", "left", "up", "down"):
            found = max((replace(found, **{side: float(t * half)}) for t in _TRIED), key=worth)
        if found == before:
            break
    return found
