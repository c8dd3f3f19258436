"""A second phase brought onto the first around one lesion: patients breathe between phases.

A translation of the crop is found in two steps on cells of about two millimetres: the displacement of all that lays most edges of
one phase on edges of the other in the same direction, whatever the sign of the contrast (after the normalised gradient fields of
Haber and Modersitzki, MICCAI 2006; by FFT), then mutual information (Mattes 2003, SimpleITK) for what is smaller than a cell. The
edges tell also whether the two phases show the same anatomy at all. Where they do not, the second phase is better left out: a
wrong one costs more than none.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from mrecist.segment.crop import FloatArray, Spacing

# A breath moves a liver by two to three centimetres at most within one scan.
MOST_MM = 25.0
# Aligned made blocks reach 0.7 to 0.95, blocks 10 mm off 0.1 to 0.45 (docs/segmentation.md).
AGREED = 0.4
_CELL_MM = 2.2
_KEPT = 0.95
# Resampling for less than this blurs more than it mends.
_STILL_MM = 1.0
_WINDOW = (-20.0, 300.0)
_BINS = 24
_EDGE_MM = 2.5
_INSET_MM = 12.0
# Gradients weaker than this many times their median are noise.
_EDGE_NOISE = 2.5
_EDGE_STEEP = 1.5


@dataclass(frozen=True, slots=True, kw_only=True)
class Aligned:
    """The second phase on the grid of the first, and by how much it was moved (z, y, x mm).

    ``agreement`` is how much of the edges of the two lies in the same places and directions after it, from 0 to 1, and ``gain`` how
    much that rose; 0 where the phase was left as it is.
    """

    picture: FloatArray
    moved_mm: tuple[float, float, float]
    gain: float
    agreement: float

    @property
    def agrees(self) -> bool:
        """Whether the second phase may be used beside the first."""
        return self.agreement >= AGREED


def align(fixed: FloatArray, moving: FloatArray, spacing_mm: Spacing) -> Aligned:
    """``moving`` (Z, Y, X), on the grid of ``fixed``, displaced so that both show the same anatomy."""
    images = [_image(picture, spacing_mm) for picture in (fixed, moving)]
    small = [_coarse(image) for image in images]
    edges = [_edges(image) for image in small]

    def agreement(shift: npt.NDArray[np.float64]) -> float:
        return _alike(edges[0], _edges(_moved(small[1], small[0], shift)))

    still = np.zeros(3)
    first = _most_alike(edges[0], edges[1], small[0].GetSpacing())
    refined = _shift(small, first)
    # Edges are sure to a cell, mutual information is finer; along a plane of fat it may drift away.
    near = float(np.abs((refined - first) / small[0].GetSpacing()).max()) <= 1
    best = refined if near and agreement(refined) >= _KEPT * agreement(first) else first
    before, after = agreement(still), agreement(best)
    unmoved = float(np.linalg.norm(best)) < _STILL_MM and after - before < 1 - _KEPT
    if unmoved or after <= _KEPT * before or float(np.abs(best).max()) > MOST_MM:
        return Aligned(picture=moving, moved_mm=(0.0, 0.0, 0.0), gain=0.0, agreement=before)
    whole = _moved(_image(moving, spacing_mm, window=None), images[0], best)
    x, y, z = (float(v) for v in best)
    return Aligned(picture=_array(whole), moved_mm=(-z, -y, -x), gain=after - before, agreement=after)


def _image(picture: FloatArray, spacing_mm: Spacing, window: tuple[float, float] | None = _WINDOW) -> Any:
    import SimpleITK as sitk  # noqa: N813 - the name its documentation uses

    lowest = float(np.nanmin(picture))
    filled = np.nan_to_num(np.asarray(picture, dtype=np.float32), nan=lowest)
    image = sitk.GetImageFromArray(filled if window is None else np.clip(filled, *window))
    image.SetSpacing([float(s) for s in reversed(spacing_mm)])
    return image


def _array(image: Any) -> FloatArray:
    import SimpleITK as sitk  # noqa: N813

    return np.asarray(sitk.GetArrayFromImage(image), dtype=np.float32)


def _coarse(image: Any) -> Any:
    import SimpleITK as sitk  # noqa: N813

    small = sitk.BinShrink(image, [max(1, round(_CELL_MM / s)) for s in image.GetSpacing()])
    return small if min(small.GetSize()) < 4 else sitk.SmoothingRecursiveGaussian(small, 0.5 * _CELL_MM)


def _moved(image: Any, grid: Any, shift: npt.NDArray[np.float64]) -> Any:
    """A picture displaced (x, y, z mm); what comes in from beyond its border repeats the border."""
    import SimpleITK as sitk  # noqa: N813

    method = sitk.ResampleImageFilter()
    method.SetReferenceImage(grid)
    method.SetTransform(sitk.TranslationTransform(3, shift.tolist()))
    method.SetInterpolator(sitk.sitkLinear)
    method.UseNearestNeighborExtrapolatorOn()
    return method.Execute(image)


def _most_alike(one: FloatArray, other: FloatArray, spacing: tuple[float, float, float]) -> npt.NDArray[np.float64]:
    """The displacement (x, y, z mm, whole cells) that lays most edges of ``other`` on those of ``one``; 0 without edges."""
    from scipy.fft import irfftn, next_fast_len, rfftn

    reach = [int(MOST_MM / s) for s in reversed(spacing)]
    # The inner part of one is looked for in all of the other: a long edge must not lose by what leaves the crop.
    inner = tuple(slice(*_inset(n, _INSET_MM / s)) for n, s in zip(one.shape[1:], reversed(spacing), strict=True))
    held = np.zeros_like(one)
    held[(slice(None), *inner)] = one[(slice(None), *inner)]
    one = held
    shape = [next_fast_len(n + r, real=True) for n, r in zip(one.shape[1:], reach, strict=True)]
    total = np.zeros([*shape[:2], shape[2] // 2 + 1], dtype=np.complex64)
    sizes = [np.sqrt(np.maximum((edges**2).sum(axis=0), 1e-12)) for edges in (one, other)]
    # |a| |b| cos^2 of two gradients is the product of their tensors, so that correlations of tensors add up to it.
    for i in range(3):
        for j in range(i + 1):
            tensors = [edges[i] * edges[j] / size for edges, size in zip((one, other), sizes, strict=True)]
            total += (1 + (i != j)) * np.conj(rfftn(tensors[0], shape)) * rfftn(tensors[1], shape)
    score = irfftn(total, shape)
    near = np.ix_(*(np.arange(-r, r + 1) % n for r, n in zip(reach, shape, strict=True)))
    if not score[near].max() > 0:
        return np.zeros(3)
    best = np.unravel_index(int(score[near].argmax()), [2 * r + 1 for r in reach])
    return np.array([(int(b) - r) * s for b, r, s in zip(best, reach, reversed(spacing), strict=True)])[::-1]


def _inset(number: int, cells: float) -> tuple[int, int]:
    off = min(round(cells), number // 4)
    return off, number - off


def _shift(images: list[Any], start: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """The best displacement (x, y, z mm) near ``start``; ``start`` where nothing is to be found."""
    import SimpleITK as sitk  # noqa: N813

    method = sitk.ImageRegistrationMethod()
    method.SetMetricAsMattesMutualInformation(_BINS)
    method.SetInterpolator(sitk.sitkLinear)
    method.SetOptimizerAsRegularStepGradientDescent(_CELL_MM / 2, 0.05, 25)
    method.SetOptimizerScales([1.0, 1.0, 1.0])
    method.SetInitialTransform(sitk.TranslationTransform(3, start.tolist()), inPlace=False)
    try:
        found = method.Execute(*images)
    except RuntimeError:  # no overlap left, too few cells, or a flat picture: nothing to go by
        return start
    return np.array(found.GetParameters())


def _edges(image: Any) -> FloatArray:
    """Gradients (3, Z, Y, X) with what noise makes taken off; two cells at the border are left out."""
    from scipy.ndimage import gaussian_filter

    cells, spacing = _array(image), image.GetSpacing()[::-1]
    sigma = [_EDGE_MM / s for s in spacing]
    slopes = np.stack(
        [gaussian_filter(cells, sigma, order=[int(a == k) for a in range(3)]) / spacing[k] for k in range(3)]
    )
    slopes = slopes[:, 1:-1, 2:-2, 2:-2]
    size = np.sqrt((slopes**2).sum(axis=0))
    noise = _EDGE_NOISE * float(np.median(size)) if size.size else 0.0
    # The steep edge of fat or lung must not drown those of the lesion.
    kept = np.clip(size - noise, 0, _EDGE_STEEP * noise)
    found: FloatArray = slopes * (kept / np.maximum(size, 1e-6))
    return found


def _alike(one: FloatArray, other: FloatArray) -> float:
    """0 where no edge of one lies on one of the other in the same direction, 1 for the same edges; 0 without edges."""
    energy = float(np.sqrt((one**2).sum() * (other**2).sum()))
    return float(np.abs((one * other).sum(axis=0)).sum()) / energy if energy > 0 else 0.0
