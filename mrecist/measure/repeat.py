"""A lesion drawn again and again: its outline displaced at random as another reader would draw it, and measured each time.

The outline moves along its normal by a smooth Gaussian field (millimetres, correlation exp(-d^2 / 2 L^2) at distance d).
The outer outline has one field; the border between viable and dead tissue has another, and is continued outside the lesion,
so that a viable part stays within its lesion and reaches the outline wherever it was drawn to reach it. Outlines move in the
plane of their slices; the field is smooth across slices too. Model, calibration and limits: docs/repeatability.md.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from math import sqrt

import numpy as np

from mrecist.errors import MaskError
from mrecist.imaging.geometry import Geometry
from mrecist.measure._lattice import BoolArray, FloatArray
from mrecist.measure.lesion import DEFAULT_CONVENTION, Convention, LesionMeasurement, measure_lesion

# The standard deviation of a diameter over that of its outline: lesions of 10 to 100 mm, correlation length as below
# (benchmarks/readers.py --calibrate; the table is in docs/repeatability.md).
LONGEST_PER_BORDER = 1.64
SHORT_PER_BORDER = 1.7
# The same for a viable diameter and the border with dead tissue, over what the lesion's own outline brings.
VIABLE_PER_BORDER = 1.2
# Correlation length of the displacement over the diameter that it belongs to.
LENGTH = 0.5
# The size that RECIST 1.1 and mRECIST ask of a target at baseline, mm.
MEASURABLE_MM = 10.0

_WAVES = 64
_SMALLEST_MM = 1e-3  # one pixel measures 0 between centres
_REACH = 4.0  # standard deviations; room around the lesion for its outline
_SIZES = ("longest", "short", "viable", "viable_short")


@dataclass(frozen=True, slots=True, kw_only=True)
class Jitter:
    """How far outlines move: standard deviation and correlation length in mm, of the lesion and of its viable part."""

    sd_mm: float
    length_mm: float
    viable_sd_mm: float = 0.0
    viable_length_mm: float = 1.0


@dataclass(frozen=True, slots=True, kw_only=True)
class SizeSpread:
    """One size over the draws, in its unit, nothing rounded.

    mean, sd : of the draws (sd with n - 1).
    low, high : the 2.5th and 97.5th percentile.
    cv_percent : sd / mean.
    below_measurable : share of the draws below 10 mm; None for a volume.
    lost : share of the draws of which nothing was left; they count 0.
    """

    mean: float
    sd: float
    low: float
    high: float
    cv_percent: float
    below_measurable: float | None
    lost: float


def jitter_of(
    measured: LesionMeasurement, *, percent: float, viable_percent: float, node_mm: float | None = None
) -> Jitter:
    """The displacement that gives diameters these standard deviations.

    Parameters
    ----------
    measured : the lesion as drawn.
    percent : standard deviation of one measurement of the longest diameter, in % of it.
    viable_percent : likewise of the viable diameter. Up to ``percent`` of it comes from the lesion's outline; the border with dead
        tissue brings the rest, in quadrature.
    node_mm : for a node: standard deviation of its short axis in mm, in place of ``percent``.
    """
    viable = 0.0 if measured.viable is None else measured.viable.mm
    size = max(measured.longest.mm if node_mm is None else measured.short.mm, _SMALLEST_MM)
    sd = measured.longest.mm * percent / 100 / LONGEST_PER_BORDER
    if node_mm is not None:
        sd = node_mm / SHORT_PER_BORDER
        percent = 100 * node_mm / size
    rest = sqrt(max(viable_percent**2 - percent**2, 0.0))
    return Jitter(
        sd_mm=sd,
        length_mm=LENGTH * size,
        viable_sd_mm=viable * rest / 100 / VIABLE_PER_BORDER,
        viable_length_mm=LENGTH * viable if viable else 1.0,
    )


def repeat_lesion(
    whole: BoolArray,
    geometry: Geometry,
    viable: BoolArray | None,
    jitter: Jitter,
    *,
    draws: int,
    name: tuple[object, ...],
    convention: Convention = DEFAULT_CONVENTION,
    max_gap_mm: float = 0.0,
) -> dict[str, FloatArray]:
    """Every size of a lesion, ``draws`` times with its outlines displaced.

    Parameters
    ----------
    whole, viable, geometry, convention, max_gap_mm : as for :func:`mrecist.measure.lesion.measure_lesion`.
    draws : how often.
    name : what the random numbers start from, such as (seed, subject, reader, lesion, time point): the same name gives the same
        draws, whatever else is measured; more draws leave the first ones as they are.

    Returns
    -------
    ``longest``, ``short``, ``viable``, ``viable_short`` in mm and ``volume``, ``viable_volume`` in mm3, (draws,) each; a size that the
    lesion does not have is left out, and one that a draw has lost is 0.
    """
    found: dict[str, list[float]] = {}
    for mask, part, crop in perturbed(whole, viable, geometry, jitter, draws, name):
        for size, value in _sizes(mask, part, crop, convention, max_gap_mm).items():
            found.setdefault(size, []).append(value)
    return {size: np.array(values) for size, values in found.items()}


def _sizes(
    whole: BoolArray, viable: BoolArray | None, geometry: Geometry, convention: Convention, max_gap_mm: float
) -> dict[str, float]:
    try:
        measured = measure_lesion(whole, geometry, viable, convention=convention, max_gap_mm=max_gap_mm)
    except MaskError:
        if whole.any():
            raise
        names = [*_SIZES, "volume", "viable_volume"]
        return {name: 0.0 for name in names if viable is not None or not name.startswith("viable")}
    sizes = {}
    for name in _SIZES:
        if viable is not None or not name.startswith("viable"):
            diameter = getattr(measured, name)
            sizes[name] = 0.0 if diameter is None else diameter.mm
    if measured.volume_mm3 is not None:
        sizes["volume"] = measured.volume_mm3
    if measured.viable_volume_mm3 is not None:
        sizes["viable_volume"] = measured.viable_volume_mm3
    return sizes


def spread_of(values: Mapping[str, FloatArray]) -> dict[str, SizeSpread]:
    """What :func:`repeat_lesion` gave, summed up by size."""
    return {name: _summary(name, drawn) for name, drawn in values.items()}


def _summary(name: str, drawn: FloatArray) -> SizeSpread:
    mean, sd = float(drawn.mean()), float(drawn.std(ddof=1)) if len(drawn) > 1 else 0.0
    low, high = (float(value) for value in np.percentile(drawn, (2.5, 97.5)))
    return SizeSpread(
        mean=mean,
        sd=sd,
        low=low,
        high=high,
        cv_percent=100 * sd / mean if mean > 0 else 0.0,
        below_measurable=None if name.endswith("volume") else float((drawn < MEASURABLE_MM).mean()),
        lost=float((drawn == 0).mean()),
    )


# --- displaced outlines ----------------------------------------------------------------------------------------------


def perturbed(
    whole: BoolArray,
    viable: BoolArray | None,
    geometry: Geometry,
    jitter: Jitter,
    draws: int,
    name: tuple[object, ...],
) -> Iterator[tuple[BoolArray, BoolArray | None, Geometry]]:
    """The masks of each draw, cut to the surroundings of the lesion, with the geometry of the cut. Both may be empty."""
    box = _surroundings(whole, geometry, _REACH * jitter.sd_mm)
    crop = _cut(geometry, box)
    # The field is laid out from the lesion's own first row and column.
    corner = tuple(int(np.flatnonzero(whole[box].any(axis=axes))[0]) for axes in ((0, 2), (0, 1)))
    outline = _Border(whole[box], crop, corner, jitter.sd_mm, jitter.length_mm)
    part = None if viable is None else viable[box]
    inner = None
    if part is not None and part.any() and (part != whole[box]).any():
        dead = _continued(whole[box], whole[box] & ~part, crop)
        inner = _Border(dead, crop, corner, jitter.viable_sd_mm, jitter.viable_length_mm)
    for draw in range(draws):
        rng = _generator(*name, draw)
        mask = outline.moved(rng)
        if part is None or not part.any():
            yield mask, None if part is None else np.zeros_like(mask), crop
        else:
            yield mask, mask if inner is None else mask & ~inner.moved(rng), crop


def _generator(*name: object) -> np.random.Generator:
    digest = hashlib.sha256("\x1f".join(str(part) for part in name).encode("utf-8")).digest()
    return np.random.default_rng(int.from_bytes(digest, "big"))


class _Border:
    """The outline of a region on each slice, and the pixels that it may sweep over."""

    def __init__(
        self, region: BoolArray, geometry: Geometry, corner: tuple[int, ...], sd_mm: float, length_mm: float
    ) -> None:
        self.region, self.sd_mm, self.length_mm = region, sd_mm, length_mm
        self.distance = _signed_distance(region, geometry)
        self.rows = (np.arange(region.shape[1]) - corner[0]) * geometry.row_spacing_mm
        self.columns = (np.arange(region.shape[2]) - corner[1]) * geometry.column_spacing_mm
        origins = np.array(geometry.origins_lps)
        self.heights: FloatArray = (origins - origins[0]) @ geometry.normal

    def moved(self, rng: np.random.Generator) -> BoolArray:
        """The region with its outline displaced by one draw of the field."""
        # A sum of plane waves: Gaussian for many waves, and smooth. A wave is a product over the axes, so that the field of
        # a slice is one product of matrices.
        waves = rng.standard_normal((3, _WAVES)) / self.length_mm
        phases = rng.uniform(0, 2 * np.pi, _WAVES)
        amplitudes = self.sd_mm * np.sqrt(2 / _WAVES) * rng.standard_normal(_WAVES)
        down, right = np.outer(self.rows, waves[1]), np.outer(self.columns, waves[2])
        across = np.concatenate([np.cos(right), -np.sin(right)], axis=1).T
        result = np.empty_like(self.region)
        for index, height in enumerate(self.heights):
            angle = down + (height * waves[0] + phases)
            along = np.concatenate([np.cos(angle) * amplitudes, np.sin(angle) * amplitudes], axis=1)
            result[index] = self.distance[index] < along @ across
        return result


def _signed_distance(region: BoolArray, geometry: Geometry) -> FloatArray:
    """mm from each pixel centre to the outline of its slice, negative inside; far away where a slice has no outline."""
    from scipy.ndimage import distance_transform_edt

    spacing = (geometry.row_spacing_mm, geometry.column_spacing_mm)
    # Half a pixel, so that no pixel changes sides when nothing moves.
    half = min(spacing) / 2
    result = np.empty(region.shape)
    for index, here in enumerate(region):
        if here.all() or not here.any():
            result[index] = -np.inf if here.all() else np.inf
            continue
        outside = distance_transform_edt(~here, sampling=spacing)
        inside = distance_transform_edt(here, sampling=spacing)
        result[index] = np.where(here, half - inside, outside - half)
    return result


def _continued(whole: BoolArray, dead: BoolArray, geometry: Geometry) -> BoolArray:
    """The dead part, and every pixel outside the lesion whose nearest pixel of the lesion is dead."""
    from scipy.ndimage import distance_transform_edt

    spacing = (geometry.row_spacing_mm, geometry.column_spacing_mm)
    result = dead.copy()
    for index, here in enumerate(whole):
        if dead[index].any():
            nearest = distance_transform_edt(~here, sampling=spacing, return_distances=False, return_indices=True)
            result[index] = dead[index][nearest[0], nearest[1]]
    return result


def _surroundings(whole: BoolArray, geometry: Geometry, reach_mm: float) -> tuple[slice, slice, slice]:
    """The box of the lesion with a margin in the plane, within the images."""
    spans = []
    steps = (None, geometry.row_spacing_mm, geometry.column_spacing_mm)
    for axis, step in enumerate(steps):
        hit = np.flatnonzero(whole.any(axis=tuple(a for a in range(3) if a != axis)))
        margin = 0 if step is None else int(np.ceil(reach_mm / step)) + 2
        spans.append(slice(max(0, int(hit[0]) - margin), min(whole.shape[axis], int(hit[-1]) + 1 + margin)))
    return spans[0], spans[1], spans[2]


def _cut(geometry: Geometry, box: tuple[slice, slice, slice]) -> Geometry:
    """The geometry of a box of the stack. Lengths and volumes are all that is asked of it."""
    origins = tuple(
        geometry.to_lps(index, float(box[1].start), float(box[2].start)) for index in range(box[0].start, box[0].stop)
    )
    shape = (box[0].stop - box[0].start, box[1].stop - box[1].start, box[2].stop - box[2].start)
    return replace(geometry, shape=shape, origins_lps=origins)
