"""Very dense material in a lesion on CT (iodised oil, calcification), told from enhancing tissue where that can be done (A19).

On one phase alone, a Hounsfield value says "no enhancing tissue is so dense" at most above a threshold, and nothing below it.
A native phase says more: what was dense before contrast did not become so by enhancing. Where neither is enough the verdict says
so, and the viable part stays as it was drawn. Thresholds with their sources and limits: docs/dense-material.md.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from math import pi
from typing import Any

import numpy as np
import numpy.typing as npt

from mrecist.imaging.geometry import Geometry
from mrecist.imaging.masks import LesionMask
from mrecist.imaging.phase import PhaseName
from mrecist.imaging.series import Series, Verdict
from mrecist.imaging.volume import load_slice

BoolArray = npt.NDArray[np.bool_]
HuArray = npt.NDArray[np.floating[Any]]

# From here on CT a lesion is called dense when the protocol names no other value.
DENSE_HU = 200.0
# A part of the lesion that reaches so close to the threshold is cut by it at random: oil or enhancement, nothing tells.
DOUBTFUL_BELOW_HU = 25.0
# Before contrast: above soft tissue and clotted blood.
NATIVE_DENSE_HU = 100.0
# A dense part that gains this much with contrast may hold enhancing tissue.
ENHANCING_HU = 20.0
# Blurred edges of a dense part reach so many pixels beyond it.
_EDGE_PIXELS = 2
# Smaller parts are specks and vessels: on no slice as large as a disc of 5 mm.
SMALLEST_MM2 = pi * 2.5**2
_LATTICE_MM = 0.01


class DenseVerdict(StrEnum):
    """Whether dense material was found, and whether it could be told from enhancing tissue."""

    NONE = "none"
    SEPARATED = "separated"
    NOT_SEPARABLE = "not separable"


@dataclass(frozen=True, slots=True, kw_only=True)
class Dense:
    """Very dense material in one lesion.

    dense : (Z, Y, X) bool, within the lesion.
    viable : the viable part without it, when the verdict is SEPARATED, else as drawn; None when none was drawn.
    fraction : voxels of ``dense`` over those of the lesion.
    hu : the threshold.
    with_native : a native phase was used.
    reason : for SEPARATED and NOT_SEPARABLE, why.
    """

    dense: BoolArray
    viable: BoolArray | None
    fraction: float
    hu: float
    with_native: bool
    verdict: DenseVerdict
    reason: str = ""


def find_dense(
    hu: HuArray,
    whole: BoolArray,
    viable: BoolArray | None,
    spacing: tuple[float, float],
    *,
    native: HuArray | None = None,
    dense_hu: float = DENSE_HU,
) -> Dense:
    """Find the dense material of a lesion and say whether it can be told from enhancing tissue.

    Parameters
    ----------
    hu : (Z, Y, X) HU of a phase with contrast; NaN where there is none.
    whole, viable : (Z, Y, X) bool; ``viable`` None when it was not drawn.
    spacing : mm between rows and between columns.
    native : (Z, Y, X) HU of the phase before contrast, on the same lattice and co-registered.
    dense_hu : a voxel of this value or more is dense.

    Raises ``ValueError`` when the arrays differ in shape.
    """
    if any(array is not None and array.shape != whole.shape for array in (hu, viable, native)):
        raise ValueError("hu, whole, viable and native must have one shape")
    bright = _without_specks(whole & (hu >= dense_hu), spacing)
    if native is None:
        dense, doubt = bright, _doubt_on_one_phase(hu, whole, viable, bright, spacing, dense_hu)
        reason = doubt or f"{dense_hu:g} HU or more, and no part of the lesion just below that"
    else:
        dense = _without_specks(whole & (native >= NATIVE_DENSE_HU), spacing)
        doubt = _doubt_with_native(hu, native, bright, dense, dense_hu)
        reason = doubt or f"{NATIVE_DENSE_HU:g} HU or more before contrast, and not {ENHANCING_HU:g} HU denser after it"
    if not (dense.any() or bright.any()):
        verdict, reason = DenseVerdict.NONE, ""
    else:
        verdict = DenseVerdict.NOT_SEPARABLE if doubt else DenseVerdict.SEPARATED
        dense = dense if dense.any() else bright
    return Dense(
        dense=dense,
        viable=viable if viable is None or verdict is not DenseVerdict.SEPARATED else viable & ~dense,
        fraction=float(dense.sum() / whole.sum()) if whole.any() else 0.0,
        hu=dense_hu,
        with_native=native is not None,
        verdict=verdict,
        reason=reason,
    )


def _doubt_on_one_phase(
    hu: HuArray,
    whole: BoolArray,
    viable: BoolArray | None,
    dense: BoolArray,
    spacing: tuple[float, float],
    dense_hu: float,
) -> str:
    """Why a threshold alone does not do here; empty when nothing speaks against it."""
    from scipy.ndimage import binary_dilation

    if viable is not None and viable.any() and not (viable & ~dense).any():
        return "the whole viable part is dense: whether anything enhances beneath cannot be seen"
    edge = binary_dilation(dense, structure=np.ones((1, 3, 3), bool), iterations=_EDGE_PIXELS)
    between = _without_specks(whole & (hu >= dense_hu - DOUBTFUL_BELOW_HU) & (hu < dense_hu) & ~edge, spacing)
    if not between.any():
        return ""
    share = _percent(between, whole)
    low = dense_hu - DOUBTFUL_BELOW_HU
    return (
        f"another {share} of the lesion has {low:g} to {dense_hu:g} HU away from the dense part, where faint oil and "
        f"strong enhancement look the same; a native phase would tell"
    )


def _doubt_with_native(hu: HuArray, native: HuArray, bright: BoolArray, dense: BoolArray, dense_hu: float) -> str:
    """Why the native phase does not settle it; empty when it does."""
    from scipy.ndimage import label

    if bright.any() and np.count_nonzero(bright & dense) * 2 < np.count_nonzero(bright):
        share = _percent(bright & ~dense, bright)
        return (
            f"{share} of what has {dense_hu:g} HU or more was not dense before contrast: "
            f"the two phases do not lie on each other, or it is a vessel"
        )
    labels, count = label(dense, structure=np.ones((3, 3, 3)))
    for number in range(1, count + 1):
        part = labels == number
        gain = float(np.nanmean(np.subtract(hu, native)[part]))
        if gain >= ENHANCING_HU:
            return f"a part that was dense before contrast gained {gain:.0f} HU with it: it may hold enhancing tissue"
    return ""


def _percent(part: BoolArray, of: BoolArray) -> str:
    return f"{100 * np.count_nonzero(part) / np.count_nonzero(of):.1f} %"


def _without_specks(mask: BoolArray, spacing: tuple[float, float]) -> BoolArray:
    """The parts (voxels that touch, corners included) that have :data:`SMALLEST_MM2` on some slice."""
    from scipy.ndimage import find_objects, label

    labels, _ = label(mask, structure=np.ones((3, 3, 3)))
    kept = np.zeros_like(mask)
    for number, box in enumerate(find_objects(labels), start=1):
        part = labels[box] == number
        if part.sum(axis=(1, 2)).max() * spacing[0] * spacing[1] >= SMALLEST_MM2:
            kept[box] |= part
    return kept


# --- from the images -------------------------------------------------------------------------------------------------


def lesion_hu(mask: LesionMask, series: Series) -> HuArray | None:
    """HU in the box of the lesion (:func:`lesion_box`), NaN on slices without it; None for anything but CT, which has no HU."""
    if series.modality != "CT":
        return None
    box = lesion_box(mask.whole)
    hu = np.full(mask.whole[box].shape, np.nan, dtype=np.float32)
    for place, index in enumerate(range(box[0].start, box[0].stop)):
        if mask.whole[index].any():
            hu[place] = load_slice(series, index)[box[1:]]
    return hu


def dense_in(mask: LesionMask, hu: HuArray, native: HuArray | None, dense_hu: float = DENSE_HU) -> Dense:
    """The dense material of a drawn lesion; ``hu`` and ``native`` from :func:`lesion_hu`, the latter of :func:`native_of`."""
    box = lesion_box(mask.whole)
    found = find_dense(
        hu,
        mask.whole[box],
        None if mask.viable is None else mask.viable[box],
        (mask.geometry.row_spacing_mm, mask.geometry.column_spacing_mm),
        native=native,
        dense_hu=dense_hu,
    )
    dense = np.zeros_like(mask.whole)
    dense[box] = found.dense
    viable = mask.viable
    if viable is not None and found.verdict is DenseVerdict.SEPARATED:
        viable = viable & ~dense
    return replace(found, dense=dense, viable=viable)


def native_of(series: Series, candidates: Sequence[Series]) -> Series | None:
    """The native CT series of the same study, frame of reference and lattice; None without one, or with several."""
    found = [
        one
        for one in candidates
        if one.phase.name is PhaseName.NATIVE
        and one.modality == "CT"
        and one.verdict is not Verdict.REFUSED
        and (one.study_uid, one.frame_of_reference_uid) == (series.study_uid, series.frame_of_reference_uid)
        and _same_lattice(one.geometry, series.geometry)
    ]
    return found[0] if len(found) == 1 else None


def _same_lattice(one: Geometry | None, other: Geometry | None) -> bool:
    if one is None or other is None or one.shape != other.shape:
        return False
    last = (one.shape[1] - 1, one.shape[2] - 1)
    corners = [(index, row, column) for index in range(one.shape[0]) for row, column in ((0, 0), last)]
    return all(np.allclose(one.to_lps(*c), other.to_lps(*c), rtol=0, atol=_LATTICE_MM) for c in corners)


def lesion_box(whole: BoolArray) -> tuple[slice, slice, slice]:
    """The smallest box around a lesion; a stack is some hundred times larger."""
    spans = []
    for axis in range(3):
        hit = np.flatnonzero(whole.any(axis=tuple(a for a in range(3) if a != axis)))
        spans.append(slice(int(hit[0]), int(hit[-1]) + 1))
    return spans[0], spans[1], spans[2]
