"""Small cubes of one visit looked for on the other, near where a rigid transform expects them (normalised cross-correlation)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from mrecist.segment.crop import BoolArray, FloatArray
from mrecist.segment.register import FINE_MM, Point, Scan

SEARCH_CELLS = 4
"""A cube is looked for within 10 mm."""
_LEAST_KNOWN = 0.75
# Stands where too little is known to compare.
_UNKNOWN = -2.0
# Less texture than this (HU) is noise.
_LEAST_TEXTURE = 4.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Match:
    """Where a cube was found: ``shift`` (mm, x y z) from where it was expected, ``peak`` the correlation there (-1 to 1).

    ``inside`` is False where the best place lies at the border of what was searched or is known, so that the true one may lie beyond.
    """

    shift: Point
    peak: float
    inside: bool


def find(prior: Scan, current: Scan, transform: Any, middle: Point, half_mm: float) -> Match | None:
    """The cube around a point (LPS mm) of the prior visit, on the current one; None where there is too little to compare."""
    reach = round(half_mm / FINE_MM)
    template = cube(prior, None, middle, reach)
    searched = cube(current, transform, middle, reach + SEARCH_CELLS)
    match = _correlations(template, searched)
    if match is None:
        return None
    best = np.unravel_index(int(np.argmax(match)), match.shape)
    offset = np.array([_vertex(match, best, axis) for axis in range(3)]) - SEARCH_CELLS
    inside = all(
        0 < int(b) < n - 1 and match[_others(best, axis)][int(b) - 1 : int(b) + 2].min() > _UNKNOWN
        for axis, (b, n) in enumerate(zip(best, match.shape, strict=True))
    )
    return Match(shift=offset[::-1] * FINE_MM, peak=float(match[best]), inside=inside)


def cube(scan: Scan, transform: Any, middle: Point, reach: int) -> FloatArray:
    """Values around a point in cells of 2.5 mm along the axes of the patient; NaN outside the volume."""
    import SimpleITK as sitk  # noqa: N813

    origin = middle - reach * FINE_MM
    cells = sitk.Resample(
        scan.image, [2 * reach + 1] * 3, transform if transform is not None else sitk.Transform(), sitk.sitkLinear,
        origin.tolist(), [FINE_MM] * 3, np.eye(3).ravel().tolist(), float("nan"), sitk.sitkFloat32,
    )  # fmt: skip
    return np.clip(np.asarray(sitk.GetArrayFromImage(cells), dtype=np.float32), *scan.soft)


def _correlations(template: FloatArray, searched: FloatArray) -> npt.NDArray[np.float64] | None:
    """Correlation at every place of the search, of the cells that both have; None where too few are known or all look the same."""
    own: BoolArray = np.isfinite(template)
    there = np.isfinite(searched)
    if own.mean() < _LEAST_KNOWN or template[own].std() < _LEAST_TEXTURE:
        return None
    middle = float(template[own].mean())
    t = np.where(own, template - middle, 0).ravel()
    m = own.ravel().astype(np.float32)
    values = _windows(np.where(there, searched - middle, 0), template.shape)
    if there.all():
        count, sum_t, sum_tt = m.sum(), t.sum(), t @ t
    else:
        known = _windows(there.astype(np.float32), template.shape)
        count, sum_t, sum_tt = known @ m, known @ t, known @ (t * t)
    enough = count >= _LEAST_KNOWN * m.sum()
    count = np.maximum(count, 1)
    sum_s = values @ m
    var_s = (np.einsum("ij,ij->i", values, values) if own.all() else (values**2) @ m) - sum_s**2 / count
    var_t = sum_tt - sum_t**2 / count
    both = values @ t - sum_s * sum_t / count
    good = enough & (var_s > count * _LEAST_TEXTURE**2) & (var_t > count * _LEAST_TEXTURE**2 / 4)
    if not good.any():
        return None
    found = np.where(good, both / np.sqrt(np.maximum(var_s * var_t, 1e-9)), _UNKNOWN)
    side = 2 * SEARCH_CELLS + 1
    return np.asarray(found.reshape(side, side, side), dtype=np.float64)


def _windows(array: FloatArray, shape: tuple[int, ...]) -> FloatArray:
    """Every place of a window of that shape as a row."""
    view = np.lib.stride_tricks.sliding_window_view(array, shape)
    rows: FloatArray = view.reshape(-1, int(np.prod(shape)))
    return rows


def _others(best: Any, axis: int) -> tuple[Any, ...]:
    """Everything along an axis at the other indices of a place."""
    return tuple(slice(None) if a == axis else b for a, b in enumerate(best))


def _vertex(match: npt.NDArray[np.float64], best: Any, axis: int) -> float:
    """The top of the parabola through a peak and its neighbours along an axis."""
    place = int(best[axis])
    if not 0 < place < match.shape[axis] - 1:
        return float(place)
    line = match[_others(best, axis)][place - 1 : place + 2]
    bend = line[0] - 2 * line[1] + line[2]
    return place + (float(np.clip(0.5 * (line[0] - line[2]) / bend, -0.5, 0.5)) if bend < 0 else 0.0)
