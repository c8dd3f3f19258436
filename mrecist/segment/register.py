"""The visit before brought onto the current one: a rigid transform of the part of the body around the lesions (SimpleITK).

Frames of reference differ from one visit to the next, so nothing is expected of positions: the start is found among the positions
as they are, the middles of both, and the best translation of all by correlation of masked pictures (Padfield 2012, scikit-image).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from mrecist.errors import MaskError
from mrecist.imaging.geometry import Geometry
from mrecist.segment.crop import FloatArray

CT_WINDOW = (-150.0, 250.0)
"""Values of CT that are told apart; others are set to the nearer end."""
FINE_MM = 2.5
_SOFT = (-50.0, 200.0)
_COARSE_MM, _FIRST_MM = 5.0, 10.0
_MARGIN_MM = 50.0
_LEAST_SLICES, _LEAST_MM = 4, 15.0
_MOST_DEGREES = 40.0
_MOST_STEPS = 40
# How much of the surroundings of the lesions must be on the current series for a start to be tried.
_LEAST_SEEN = 0.15
# And how much once registered: a small part of a body looks like many others (0.95 at 165 mm off, in a body that is the same all along).
_LEAST_OVERLAP = 0.5
# Surroundings that differ less than this (HU) are noise.
_LEAST_SHOWN, _RIM_MM = 20.0, 4.0
# Correlation of the two pictures around the lesions once registered, below which they do not show the same thing.
LEAST_ALIKE = 0.5
Point = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Scan:
    """A volume in cells of about 2.5 mm, as an image of SimpleITK in LPS mm; ``soft`` is the span of values of soft tissue."""

    image: Any
    soft: tuple[float, float]


@dataclass(frozen=True, slots=True)
class Registered:
    """``transform`` takes points (LPS mm) of the visit before to the current one; ``alike`` is the correlation there, -1 to 1."""

    transform: Any
    alike: float

    def carry(self, point: Sequence[float] | Point) -> Point:
        """A point of the visit before, on the current one."""
        return np.array(self.transform.TransformPoint([float(p) for p in point]))


def scan_of(voxels: FloatArray, geometry: Geometry, *, hounsfield: bool = True) -> Scan:
    """A volume (Z, Y, X) made small.

    Parameters
    ----------
    hounsfield : values are HU; else the middle 98 % of the values are used.

    Raises
    ------
    MaskError : slices at uneven steps, or too few of them.
    """
    import SimpleITK as sitk  # noqa: N813 - the name its documentation uses

    step = geometry.slice_step_mm
    if step is None and geometry.shape[0] > 1:
        raise MaskError("the slices lie at uneven steps, so lesions cannot be followed on this series; draw the line")
    if step is None or geometry.shape[0] < _LEAST_SLICES or step * geometry.shape[0] < _LEAST_MM:
        raise MaskError(
            f"the series has {geometry.shape[0]} slices, too few to follow lesions on it (at least {_LEAST_SLICES} "
            f"and {_LEAST_MM:g} mm); draw the line"
        )
    spacing = np.array([step, geometry.row_spacing_mm, geometry.column_spacing_mm])
    cells, factors = _means(voxels, spacing)
    known = np.isfinite(cells)
    if not known.any():
        raise MaskError("the series has no values, so lesions cannot be followed on it; draw the line")
    low, high = CT_WINDOW if hounsfield else (float(v) for v in np.percentile(cells[known], [1, 99]))
    if high <= low:
        raise MaskError("the series shows nothing, so lesions cannot be followed on it; draw the line")
    # MR has no unit: its values are brought to a span as wide as that of CT.
    values = np.clip(np.where(known, cells, low), low, high)
    values = (values - low) * ((CT_WINDOW[1] - CT_WINDOW[0]) / (high - low)) + CT_WINDOW[0]
    image = sitk.GetImageFromArray(values.astype(np.float32))
    image.SetSpacing([float(s) for s in (spacing * factors)[::-1]])
    axes = np.stack([geometry.row_direction, geometry.column_direction, geometry.normal], axis=1)
    image.SetDirection(axes.ravel().tolist())
    first = np.array(geometry.origins_lps[0]) + axes @ ((factors - 1) / 2 * spacing)[::-1]
    image.SetOrigin(first.tolist())
    return Scan(image=image, soft=_SOFT if hounsfield else CT_WINDOW)


def _means(voxels: FloatArray, spacing: Point) -> tuple[FloatArray, npt.NDArray[np.intp]]:
    """Means over cells of about 2.5 mm, and how many voxels each spans."""
    factors = np.maximum(np.rint(FINE_MM / spacing), 1).astype(np.intp)
    factors = np.minimum(factors, voxels.shape)
    shape = np.array(voxels.shape) // factors
    kept = voxels[tuple(slice(0, int(n * f)) for n, f in zip(shape, factors, strict=True))]
    total = np.zeros(tuple(shape), dtype=np.float32)
    for z in range(factors[0]):
        for y in range(factors[1]):
            for x in range(factors[2]):
                total += kept[z :: factors[0], y :: factors[1], x :: factors[2]]
    return np.asarray(total / factors.prod(), dtype=np.float32), factors


def register(prior: Scan, current: Scan, points: Sequence[Point], radii: Sequence[float]) -> Registered:
    """The rigid transform around lesions.

    Parameters
    ----------
    points, radii : their middles (LPS mm of the visit before) and how far they reach (mm). Lesions change, so what lies inside
        is not compared, unless there is hardly anything else.

    Raises
    ------
    MaskError : the two do not come to lie on each other.
    """
    import SimpleITK as sitk  # noqa: N813

    old, new = (_shrunk(scan.image, _COARSE_MM) for scan in (prior, current))
    around = _around(old, points, _MARGIN_MM)
    try:
        start = max(_starts(prior, current, points), key=lambda one: _alike(around, new, one))
        whole = _optimised(
            around, new, start, _beside(around, points, radii), step_mm=4.0, least_mm=0.2, share=0.3, smooth_mm=4.0
        )
        close = _around(prior.image, points, _MARGIN_MM * 0.7)
        found = _optimised(
            close,
            current.image,
            whole,
            _beside(close, points, radii),
            step_mm=1.0,
            least_mm=0.06,
            share=0.08,
            smooth_mm=1.5,
        )
    except RuntimeError as error:
        raise MaskError("the two visits could not be registered; find the lesions by hand") from error
    found = sitk.Euler3DTransform(found)
    alike, overlap = _alike(around, new, found), float(np.isfinite(_carried(around, new, found)).mean())
    turned = float(np.degrees(np.abs([found.GetAngleX(), found.GetAngleY(), found.GetAngleZ()]).max()))
    if alike < LEAST_ALIKE or turned > _MOST_DEGREES:
        raise MaskError(
            f"the two visits could not be registered (correlation {alike:.2f} around the lesions, {turned:.0f} degrees); "
            f"find the lesions by hand"
        )
    if overlap < _LEAST_OVERLAP:
        raise MaskError(
            f"the two visits could not be registered (they have {overlap:.0%} of the surroundings of the lesions in common, too "
            f"little to tell where these lie; at least {_LEAST_OVERLAP:.0%}); find the lesions by hand"
        )
    return Registered(transform=found, alike=alike)


def _shrunk(image: Any, cell_mm: float) -> Any:
    import SimpleITK as sitk  # noqa: N813

    return sitk.BinShrink(image, [max(1, round(cell_mm / s)) for s in image.GetSpacing()])


def _around(image: Any, points: Sequence[Point], margin_mm: float) -> Any:
    """The part of an image that reaches so far from the points."""
    at = np.array([image.TransformPhysicalPointToContinuousIndex(p.tolist()) for p in points])
    reach = margin_mm / np.array(image.GetSpacing())
    size = np.array(image.GetSize())
    low = np.clip(np.floor(at.min(axis=0) - reach), 0, size - 1).astype(int)
    high = np.clip(np.ceil(at.max(axis=0) + reach) + 1, low + 1, size).astype(int)
    return image[tuple(slice(int(a), int(b)) for a, b in zip(low, high, strict=True))]


def _beside(image: Any, points: Sequence[Point], radii: Sequence[float]) -> Any:
    """A mask without the lesions; None where what is left shows nothing."""
    import SimpleITK as sitk  # noqa: N813

    values = sitk.GetArrayViewFromImage(image)
    held = np.ones(values.shape, dtype=np.uint8)
    scale = np.array(image.GetSpacing())[::-1]
    grid = np.ogrid[tuple(slice(0, n) for n in values.shape)]
    for point, radius in zip(points, radii, strict=True):
        at = np.array(image.TransformPhysicalPointToContinuousIndex(point.tolist()))[::-1]
        away = sum(((axis - a) * s) ** 2 for axis, a, s in zip(grid, at, scale, strict=True))
        held[away <= (1.15 * radius + _RIM_MM) ** 2] = 0
    if held.mean() < _LEAST_SEEN or values[held > 0].std() < _LEAST_SHOWN:
        return None
    mask = sitk.GetImageFromArray(held)
    mask.CopyInformation(image)
    return mask


def _starts(prior: Scan, current: Scan, points: Sequence[Point]) -> list[Any]:
    import SimpleITK as sitk  # noqa: N813

    middle = np.mean(points, axis=0)
    starts = []
    centres = [_centre(scan.image) for scan in (prior, current)]
    for shift in (np.zeros(3), centres[1] - centres[0], _translation(prior, current)):
        start = sitk.Euler3DTransform()
        start.SetCenter(middle.tolist())
        start.SetTranslation(shift.tolist())
        starts.append(start)
    return starts


def _centre(image: Any) -> Point:
    return np.array(image.TransformContinuousIndexToPhysicalPoint([(n - 1) / 2 for n in image.GetSize()]))


def _translation(prior: Scan, current: Scan) -> Point:
    """The translation of all that makes the two most alike, in steps of 10 mm."""
    from skimage.registration import phase_cross_correlation

    pictures, origins = zip(*(_upright(scan.image) for scan in (prior, current)), strict=True)
    known = [np.isfinite(picture) for picture in pictures]
    filled = [np.where(k, picture, 0) for k, picture in zip(known, pictures, strict=True)]
    moved = phase_cross_correlation(*filled, reference_mask=known[0], moving_mask=known[1], overlap_ratio=0.25)[0]
    # The picture of the current visit must be moved by so many cells to lie on the prior one.
    return np.array(origins[1] - origins[0] - np.array(moved)[::-1] * _FIRST_MM)


def _upright(image: Any) -> tuple[FloatArray, Point]:
    """The image along the axes of the patient in cells of 10 mm, without a value outside, and where its first cell lies."""
    import SimpleITK as sitk  # noqa: N813

    small = _shrunk(image, _FIRST_MM)
    corners = np.array(
        [
            small.TransformContinuousIndexToPhysicalPoint(
                [float(n) - 0.5 if far else -0.5 for n, far in zip(small.GetSize(), way, strict=True)]
            )
            for way in np.ndindex(2, 2, 2)
        ]
    )
    origin = corners.min(axis=0) + _FIRST_MM / 2
    size = np.maximum(np.ceil((corners.max(axis=0) - corners.min(axis=0)) / _FIRST_MM), 1).astype(int)
    cells = sitk.Resample(
        small, size.tolist(), sitk.Transform(), sitk.sitkLinear, origin.tolist(), [_FIRST_MM] * 3,
        np.eye(3).ravel().tolist(), float("nan"), sitk.sitkFloat32,
    )  # fmt: skip
    return np.asarray(sitk.GetArrayFromImage(cells), dtype=np.float32), origin


def _optimised(
    fixed: Any, moving: Any, start: Any, mask: Any, *, step_mm: float, least_mm: float, share: float, smooth_mm: float
) -> Any:
    import SimpleITK as sitk  # noqa: N813

    method = sitk.ImageRegistrationMethod()
    method.SetMetricAsCorrelation()
    if mask is not None:
        method.SetMetricFixedMask(mask)
    method.SetInterpolator(sitk.sitkLinear)
    # Regular samples, so that a run can be repeated.
    method.SetMetricSamplingStrategy(method.REGULAR)
    method.SetMetricSamplingPercentage(share, 1)
    method.SetOptimizerAsRegularStepGradientDescent(step_mm, least_mm, _MOST_STEPS, relaxationFactor=0.6)
    method.SetOptimizerScalesFromPhysicalShift()
    method.SetShrinkFactorsPerLevel([1])
    method.SetSmoothingSigmasPerLevel([smooth_mm])
    method.SmoothingSigmasAreSpecifiedInPhysicalUnitsOn()
    method.SetInitialTransform(sitk.Euler3DTransform(start), inPlace=False)
    found = method.Execute(fixed, moving)
    return sitk.Euler3DTransform(found.GetNthTransform(0) if hasattr(found, "GetNthTransform") else found)


def _alike(fixed: Any, moving: Any, transform: Any) -> float:
    """The correlation of two images where both are; 0 where too little of the fixed one is seen on the other."""
    import SimpleITK as sitk  # noqa: N813

    other, own = _carried(fixed, moving, transform), sitk.GetArrayViewFromImage(fixed)
    both = np.isfinite(other)
    if both.mean() < _LEAST_SEEN or own[both].std() < 1 or other[both].std() < 1:
        return 0.0
    return float(np.corrcoef(own[both], other[both])[0, 1])


def _carried(fixed: Any, moving: Any, transform: Any) -> FloatArray:
    """The moving image where the fixed one has cells; NaN outside of it."""
    import SimpleITK as sitk  # noqa: N813

    cells = sitk.Resample(moving, fixed, transform, sitk.sitkLinear, float("nan"), sitk.sitkFloat32)
    return np.asarray(sitk.GetArrayFromImage(cells), dtype=np.float32)
