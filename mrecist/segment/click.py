"""A long axis guessed from one click, so that a click gives a proposal whose line the reader drags.

The tissue at the click is told from the most frequent tissue of the neighbourhood; the part that differs in the same way and holds
the click gives a first line, in the slice of the click. A guess is weaker than a line that the reader draws, and says so.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from mrecist.errors import MaskError
from mrecist.segment.crop import BoolArray, FloatArray, Spacing
from mrecist.segment.prompt import Index3, Line

# How far around a click is looked, and the shortest line that is proposed.
REACH_MM = 60.0
_LEAST_MM = 6.0
_BLUR_MM = 1.5
_APART = 2.5


def line_of_click(phases: Sequence[FloatArray], spacing_mm: Spacing, click: Index3) -> Line:
    """The long axis of what lies at a click.

    Parameters
    ----------
    phases : volumes (Z, Y, X) on one grid, aligned.
    spacing_mm : distance of voxels (z, y, x).
    click : voxel (z, y, x).

    Raises
    ------
    MaskError : the click lies outside the volume, or nothing there differs from its surroundings.
    """
    shape = phases[0].shape
    if not all(-0.5 <= c <= n - 0.5 for c, n in zip(click, shape, strict=True)):
        raise MaskError(f"the click {tuple(round(c, 1) for c in click)} lies outside the volume {shape}")
    at = tuple(int(np.clip(round(c), 0, n - 1)) for c, n in zip(click, shape, strict=True))
    box = [
        slice(max(at[a] - int(REACH_MM / spacing_mm[a]), 0), at[a] + int(REACH_MM / spacing_mm[a]) + 1) for a in (1, 2)
    ]
    thick = int(max(1, round(2.5 / spacing_mm[0])))
    slab = slice(max(at[0] - thick, 0), at[0] + thick + 1)
    inner = (at[0] - slab.start, at[1] - box[0].start, at[2] - box[1].start)
    odd = np.zeros(phases[0][slab, box[0], box[1]].shape[1:], dtype=np.float32)
    for phase in phases:
        odd += _oddness(np.asarray(phase[slab, box[0], box[1]]), spacing_mm, inner[0])
    region = _region(odd >= _APART * np.sqrt(len(phases)), (inner[1], inner[2]), spacing_mm)
    if region is None:
        raise MaskError("nothing at the click differs from its surroundings; draw the long axis of the lesion")
    rows, columns = _longest(region, spacing_mm)
    z = float(at[0])
    return Line(
        start=(z, float(rows[0] + box[0].start), float(columns[0] + box[1].start)),
        end=(z, float(rows[1] + box[0].start), float(columns[1] + box[1].start)),
    )


def _oddness(slab: FloatArray, spacing_mm: Spacing, middle: int) -> FloatArray:
    """How far each pixel of a slice lies from the most frequent value around, in standard deviations of that tissue."""
    from scipy.ndimage import gaussian_filter

    smooth = gaussian_filter(np.nan_to_num(slab, nan=-1000.0), [_BLUR_MM / s for s in spacing_mm])[middle]
    tissue = smooth[(smooth > -50) & (smooth < 300)]
    if tissue.size < 50:
        return np.zeros_like(smooth)
    counts, edges = np.histogram(tissue, bins=np.arange(-50, 301, 4.0))
    counts = gaussian_filter(counts.astype(np.float64), 1.5)
    mode = float(edges[int(counts.argmax())] + 2)
    near = np.abs(tissue - mode)
    spread = max(float(np.median(near[near < 30])) / 0.6745, 3.0)
    # Fat and air beside the liver are no lesion.
    odd = np.where((smooth < -20) | (smooth > 400), 0, np.abs(smooth - mode) / spread)
    return np.asarray(np.minimum(odd, 8), dtype=np.float32)


def _region(odd: BoolArray, at: tuple[int, int], spacing_mm: Spacing) -> BoolArray | None:
    """The piece at the click, holes filled, cut at its necks to what lies around the click."""
    from scipy.ndimage import binary_fill_holes, distance_transform_edt, label

    filled = binary_fill_holes(odd)
    depth = distance_transform_edt(np.pad(filled, 1), sampling=spacing_mm[1:])[1:-1, 1:-1]
    y, x = np.mgrid[: odd.shape[0], : odd.shape[1]]
    away = np.hypot((y - at[0]) * spacing_mm[1], (x - at[1]) * spacing_mm[2])
    close = np.where(away <= max(3.0, float(depth[at])), depth, 0)
    if close.max() < _LEAST_MM / 4:
        return None
    top = np.unravel_index(int(close.argmax()), close.shape)
    for _ in range(20):  # climb to the middle of the lesion: the deepest point within reach
        reach = np.hypot((y - top[0]) * spacing_mm[1], (x - top[1]) * spacing_mm[2]) <= depth[top]
        best = np.unravel_index(int(np.where(reach, depth, 0).argmax()), depth.shape)
        if best == top:
            break
        top = best
    radius = float(depth[top])
    core = depth >= 0.5 * radius
    pieces, _ = label(core)
    held = pieces == pieces[top]
    grown = distance_transform_edt(~held, sampling=spacing_mm[1:]) <= 0.55 * radius
    region: BoolArray = grown & filled
    return region


def _longest(region: BoolArray, spacing_mm: Spacing) -> tuple[npt.NDArray[np.intp], npt.NDArray[np.intp]]:
    """Rows and columns of the two pixels of a region that lie farthest apart."""
    from scipy.spatial import ConvexHull, QhullError
    from scipy.spatial.distance import pdist, squareform

    pixels = np.argwhere(region)
    mm = pixels * np.array(spacing_mm[1:])
    try:
        corners: Any = ConvexHull(mm).vertices
    except QhullError as error:  # a single row of pixels
        raise MaskError("what lies at the click is too small; draw the long axis of the lesion") from error
    apart = squareform(pdist(mm[corners]))
    one, other = np.unravel_index(int(apart.argmax()), apart.shape)
    if apart.max() < _LEAST_MM / 2:
        raise MaskError("what lies at the click is too small; draw the long axis of the lesion")
    ends = pixels[[corners[one], corners[other]]]
    return ends[:, 0], ends[:, 1]
