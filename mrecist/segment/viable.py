"""The enhancing (viable) part inside a lesion: a cut-off between two kinds of arterial values, which the reader may move.

Enhancement is what the arterial phase adds. With a native phase it is measured (arterial minus native); without one the arterial
value itself is compared with the liver around, and very dense voxels (iodised oil, calcification) are left out and told, because
nobody can say from one phase whether they enhance.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import ceil

import numpy as np
import numpy.typing as npt

from mrecist.imaging.dense import DENSE_HU, DenseVerdict, find_dense
from mrecist.segment.crop import BoolArray, FloatArray, Spacing

# Two kinds of tissue whose means are nearer than this cannot be told apart in the noise of a CT.
_APART_HU = 27.0
# Below this much more than native nothing enhances (Lee, AJR 2010, doi:10.2214/AJR.09.3973: 10-20 HU pseudo-enhancement).
_ENHANCES_HU = 15.0
# The liver around: a shell that is this far from the lesion.
_SHELL_MM = (3.0, 8.0)
# One kind of tissue that stays this far below the liver is taken for dead.
_BELOW_LIVER_HU = 15.0
# A brighter part that exceeds the liver by less than this may be liver; no deeper than this it is left out.
_ABOVE_LIVER_HU = 12.0
_BORDER_MM = 3.0
_SMALLEST_MM = 2.0


@dataclass(frozen=True, slots=True, kw_only=True)
class ViablePart:
    """What was proposed as viable.

    Parameters
    ----------
    mask : (Z, Y, X) bool, inside the lesion.
    cutoff : the value above which a voxel is viable; None where the lesion is all of one kind.
    by : what was compared with it: ``arterial`` (HU) or ``arterial - native``.
    dense : voxels left out because they are very dense and nothing shows that they enhance.
    why : one sentence for the reader.
    """

    mask: BoolArray
    cutoff: float | None
    by: str
    dense: int
    why: str


def split_viable(
    whole: BoolArray,
    arterial: FloatArray,
    spacing_mm: Spacing,
    *,
    native: FloatArray | None = None,
    cutoff: float | None = None,
    dense_hu: float = DENSE_HU,
) -> ViablePart:
    """The viable part of a lesion.

    Parameters
    ----------
    whole : (Z, Y, X) bool, the lesion.
    arterial : (Z, Y, X) values on the same grid.
    native : the unenhanced phase on the same grid, aligned; None without one.
    cutoff : the reader's own cut-off; None to find one.
    dense_hu : the threshold of very dense material (:func:`mrecist.imaging.dense.find_dense`).
    """
    from scipy.ndimage import find_objects

    (tight,) = find_objects(whole.astype(np.int8)) or (None,)
    if tight is None:
        empty = np.zeros_like(whole)
        return ViablePart(mask=empty, cutoff=cutoff, by="arterial", dense=0, why="the lesion is empty")
    box = _with_surroundings(tight, whole.shape, spacing_mm)
    inside = whole[box]
    values = arterial[box] if native is None else arterial[box] - native[box]
    by = "arterial" if native is None else "arterial - native"
    smooth = _smooth(values, inside, spacing_mm)
    dense, dense_why = _dense(arterial[box], inside, spacing_mm, None if native is None else native[box], dense_hu)
    judged = inside & ~dense
    liver = _around(values, inside, spacing_mm)
    found, why = (
        (cutoff, f"cut-off {cutoff:g} set by the reader")
        if cutoff is not None
        else _cutoff(smooth[judged], liver, native is not None)
    )
    part = judged & (smooth >= found) if np.isfinite(found) else (judged if found < 0 else np.zeros_like(inside))
    part = _without_specks(part, spacing_mm)
    if cutoff is None and native is None and np.isfinite(found):
        part, liver_why = _without_liver(part, inside, smooth, liver, spacing_mm)
        why += liver_why
    mask = np.zeros_like(whole)
    mask[box] = part
    why += dense_why
    return ViablePart(
        mask=mask, cutoff=float(found) if np.isfinite(found) else None, by=by, dense=int(dense.sum()), why=why
    )


def _dense(
    arterial: FloatArray, inside: BoolArray, spacing_mm: Spacing, native: FloatArray | None, dense_hu: float
) -> tuple[BoolArray, str]:
    """What the rule of docs/dense-material.md finds and is not counted viable, and the words for it.

    Where a native phase shows a dense part to gain with contrast the subtraction decides, and the reader is told.
    """
    found = find_dense(arterial, inside, None, spacing_mm[1:], native=native, dense_hu=dense_hu)
    if found.verdict is DenseVerdict.NONE:
        return np.zeros_like(inside), ""
    number = int(found.dense.sum())
    if native is not None and found.verdict is DenseVerdict.NOT_SEPARABLE:
        return np.zeros_like(inside), f"; {number} very dense voxels judged by what they gained: {found.reason}"
    return found.dense, f"; {number} very dense voxels (oil or calcium) left out: {found.reason}"


def _smooth(values: FloatArray, inside: BoolArray, spacing_mm: Spacing) -> FloatArray:
    """Means over about a millimetre inside the lesion; what is outside does not leak in."""
    from scipy.ndimage import gaussian_filter

    sigma = [0.9 / s for s in spacing_mm]
    weight = gaussian_filter(inside.astype(np.float32), sigma)
    mean = gaussian_filter(np.where(inside, values, 0).astype(np.float32), sigma) / np.maximum(weight, 1e-6)
    return np.asarray(mean, dtype=np.float32)


def _with_surroundings(
    tight: tuple[slice, ...], shape: tuple[int, ...], spacing_mm: Spacing
) -> tuple[slice, slice, slice]:
    """The box of the lesion with all of the shell that :func:`_around` looks at, as far as the volume goes."""
    reach = [ceil(_SHELL_MM[1] / s) + 1 for s in spacing_mm]
    z, y, x = (
        slice(max(part.start - r, 0), min(part.stop + r, n)) for part, r, n in zip(tight, reach, shape, strict=True)
    )
    return z, y, x


def _around(values: FloatArray, inside: BoolArray, spacing_mm: Spacing) -> float:
    """The liver around the lesion: the median of the shell."""
    from scipy.ndimage import distance_transform_edt

    away = distance_transform_edt(~inside, sampling=spacing_mm)
    shell = values[(away > _SHELL_MM[0]) & (away <= _SHELL_MM[1])]
    return float(np.median(shell)) if shell.size else float("nan")


def _cutoff(values: npt.NDArray[np.float32], liver: float, with_native: bool) -> tuple[float, str]:
    """The cut-off and why; minus infinity where all is viable, infinity where nothing is."""
    if values.size < 8:
        return float("-inf"), "too few voxels to tell two kinds of tissue apart: all counted viable"
    from skimage.filters import threshold_otsu

    low, high = np.percentile(values, [1, 99])
    held = np.clip(values, low, high)
    cut = float(threshold_otsu(held, nbins=64)) if high > low else float(low)
    below, above = values[values < cut], values[values >= cut]
    if (
        below.size
        and above.size
        and above.mean() - below.mean() >= _APART_HU
        and _alive(float(above.mean()), liver, with_native)
    ):
        cut = (float(np.median(below)) + float(np.median(above))) / 2
        return cut, f"two kinds of tissue, {below.mean():.0f} and {above.mean():.0f} HU, parted at {cut:.0f}"
    mean = float(values.mean())
    said = f"one kind of tissue, {mean:.0f} HU beside {liver:.0f} HU of the liver around"
    return (
        (float("-inf"), f"{said}: all viable")
        if _alive(mean, liver, with_native)
        else (
            float("inf"),
            f"{said}: nothing viable",
        )
    )


def _alive(mean: float, liver: float, with_native: bool) -> bool:
    if with_native:
        return mean >= _ENHANCES_HU
    return not mean < liver - _BELOW_LIVER_HU


def _without_liver(
    part: BoolArray, inside: BoolArray, smooth: FloatArray, liver: float, spacing_mm: Spacing
) -> tuple[BoolArray, str]:
    """Without a thin border as bright as the liver: that is what a mask a little too wide takes in around a dead lesion."""
    from scipy.ndimage import distance_transform_edt

    # Not against a liver that is not known: without one the comparison is false.
    if not part.any() or not float(smooth[part].mean()) < liver + _ABOVE_LIVER_HU:
        return part, ""
    depth = distance_transform_edt(np.pad(inside, 1), sampling=spacing_mm)[1:-1, 1:-1, 1:-1]
    if float(np.percentile(depth[part], 95)) <= _BORDER_MM:
        said = "a thin border as bright as the liver around was not counted viable: look whether it is lesion"
        return np.zeros_like(part), f"; {said}"
    return part, "; the brighter part is no brighter than the liver around: look whether it is lesion"


def _without_specks(part: BoolArray, spacing_mm: Spacing) -> BoolArray:
    """Without islands smaller than a ball of 2 mm across, which noise makes."""
    from scipy.ndimage import label

    pieces, count = label(part, np.ones((3, 3, 3)))
    if not count:
        return part
    least = max(np.pi / 6 * _SMALLEST_MM**3 / float(np.prod(spacing_mm)), 2)
    sizes = np.bincount(pieces.ravel())
    keep = sizes >= least
    keep[0] = False
    kept: BoolArray = keep[pieces]
    return kept
