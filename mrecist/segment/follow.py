"""Where the lesions of a prior visit lie on the current one: a proposal that the reader confirms.

One rigid registration of the whole volumes (Mattes mutual information, SimpleITK), then a search around each lesion by normalised
cross-correlation. The search is believed only from :data:`BELIEVED` on: a lesion that has vanished has nothing to be found by, and
keeps the place that the rigid registration gives. A place is never an answer to whether the lesion is still there.
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
from mrecist.segment.prompt import Index3, Line

# Peaks of vanished lesions were 0.07 to 0.11 on a made liver, those of lesions that were there 0.45 to 0.9.
BELIEVED = 0.45
_CELL_MM = 2.5
_CUBE_MM = 28.0
_SEARCH_MM = 12.0
_WINDOW = (-150.0, 250.0)


@dataclass(frozen=True, slots=True, kw_only=True)
class Followed:
    """Where one lesion of the prior visit is to be looked for.

    Parameters
    ----------
    middle : voxel (z, y, x) of the current volume, not rounded.
    line : the prior line there, turned and moved, flat on the nearest slice; None where that lies outside the volume.
    by : ``rigid and local`` or ``rigid``.
    peak : the normalised cross-correlation that the local search found, -1 to 1; 0 where nothing could be compared.
    note : one sentence for the reader.
    """

    middle: Index3
    line: Line | None
    by: str
    peak: float
    note: str


def follow(
    prior: FloatArray, prior_geometry: Geometry, current: FloatArray, current_geometry: Geometry, lines: Sequence[Line]
) -> tuple[Followed, ...]:
    """The lines of a prior visit on the current one.

    Parameters
    ----------
    prior, current : volumes (Z, Y, X) and where their voxels lie.
    lines : long axes of the lesions, in voxels of ``prior``.

    Raises
    ------
    MaskError : a volume has slices at uneven steps, or the two cannot be registered.
    """
    if not lines:
        return ()
    old, new = _image(prior, prior_geometry), _image(current, current_geometry)
    rigid = _rigid(new, old)
    back = rigid.GetInverse()
    return tuple(_follow_one(old, new, rigid, back, line) for line in lines)


def _image(voxels: FloatArray, geometry: Geometry) -> Any:
    import SimpleITK as sitk  # noqa: N813 - the name its documentation uses

    if geometry.slice_step_mm is None:
        raise MaskError("the slices lie at uneven steps, so lesions cannot be followed on this series; draw the line")
    filled = np.nan_to_num(voxels, nan=float(np.nanmin(voxels)))
    image = sitk.GetImageFromArray(np.clip(filled, *_WINDOW).astype(np.float32))
    image.SetSpacing([geometry.column_spacing_mm, geometry.row_spacing_mm, geometry.slice_step_mm])
    image.SetOrigin(list(geometry.origins_lps[0]))
    axes = np.stack([geometry.row_direction, geometry.column_direction, geometry.normal], axis=1)
    image.SetDirection(axes.ravel().tolist())
    return image


def _rigid(fixed: Any, moving: Any) -> Any:
    """The rigid transform from points of the current volume to points of the prior one."""
    import SimpleITK as sitk  # noqa: N813

    method = sitk.ImageRegistrationMethod()
    method.SetMetricAsMattesMutualInformation(32)
    method.SetMetricSamplingStrategy(method.REGULAR)
    # A set number of samples, so that time does not grow with the volume; regular ones, so that a run can be repeated.
    method.SetMetricSamplingPercentagePerLevel([0.2, 0.1], 1)
    method.SetInterpolator(sitk.sitkLinear)
    method.SetOptimizerAsRegularStepGradientDescent(2.0, 0.02, 80)
    method.SetOptimizerScalesFromPhysicalShift()
    method.SetShrinkFactorsPerLevel([2, 1])
    method.SetSmoothingSigmasPerLevel([3.0, 1.5])
    method.SmoothingSigmasAreSpecifiedInPhysicalUnitsOn()
    small = [_coarse(image) for image in (fixed, moving)]
    starts = []
    for by in (sitk.CenteredTransformInitializerFilter.GEOMETRY, sitk.CenteredTransformInitializerFilter.MOMENTS):
        starts.append(sitk.CenteredTransformInitializer(*small, sitk.Euler3DTransform(), by))
    still = sitk.Euler3DTransform(starts[0])
    still.SetTranslation((0.0, 0.0, 0.0))
    starts.append(still)
    try:
        best = min(starts, key=lambda start: _worth(method, start, small))
        method.SetInitialTransform(sitk.Euler3DTransform(best), inPlace=False)
        found = method.Execute(*small)
    except RuntimeError as error:
        raise MaskError("the two visits could not be registered; find the lesion by hand") from error
    return sitk.Euler3DTransform(found.GetNthTransform(0) if hasattr(found, "GetNthTransform") else found)


def _worth(method: Any, start: Any, images: Sequence[Any]) -> float:
    method.SetInitialTransform(start, inPlace=False)
    try:
        return float(method.MetricEvaluate(*images))
    except RuntimeError:  # this start leaves no overlap
        return 0.0


def _coarse(image: Any) -> Any:
    """The volume in cells of about 5 mm, which is enough for a rigid registration and takes a second."""
    import SimpleITK as sitk  # noqa: N813

    return sitk.BinShrink(image, [max(1, round(5.0 / s)) for s in image.GetSpacing()])


def _follow_one(old: Any, new: Any, rigid: Any, back: Any, line: Line) -> Followed:
    ends = [np.array(old.TransformContinuousIndexToPhysicalPoint(list(reversed(p)))) for p in (line.start, line.end)]
    carried = [np.array(back.TransformPoint(end.tolist())) for end in ends]
    middle = (carried[0] + carried[1]) / 2
    peak, shift = _local(old, new, rigid, middle)
    believed = peak >= BELIEVED
    if believed:
        carried, middle = [end + shift for end in carried], middle + shift
    by = "rigid and local" if believed else "rigid"
    note = (
        f"found again by its surroundings (correlation {peak:.2f})"
        if believed
        else f"placed by the whole volume alone (local correlation {peak:.2f}): gone, changed or another phase; look for it"
    )
    at = _index(new, middle)
    placed = _flat([_index(new, end) for end in carried], at[0], tuple(reversed(new.GetSize())))
    if placed is None:
        note += "; the place lies outside the current series"
    return Followed(middle=(float(at[0]), float(at[1]), float(at[2])), line=placed, by=by, peak=peak, note=note)


def _index(image: Any, point: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    return np.array(image.TransformPhysicalPointToContinuousIndex(point.tolist()))[::-1]


def _flat(ends: list[npt.NDArray[np.float64]], height: float, shape: tuple[int, ...]) -> Line | None:
    z = float(round(height))
    flat = [(z, float(end[1]), float(end[2])) for end in ends]
    if not all(0 <= p <= n - 1 for end in flat for p, n in zip(end, shape, strict=True)):
        return None
    return Line(start=flat[0], end=flat[1])


def _local(old: Any, new: Any, rigid: Any, middle: npt.NDArray[np.float64]) -> tuple[float, npt.NDArray[np.float64]]:
    """The best correlation of the surroundings of a lesion near where it is expected, and how far off that is (mm, x y z)."""
    import SimpleITK as sitk  # noqa: N813
    from skimage.feature import match_template

    template = _cube(sitk.Resample, old, middle, _CUBE_MM, rigid)
    searched = _cube(sitk.Resample, new, middle, _CUBE_MM + _SEARCH_MM, sitk.Transform())
    if template.std() < 1.0 or searched.std() < 1.0:
        return 0.0, np.zeros(3)
    match = match_template(searched, template)
    best = np.unravel_index(int(match.argmax()), match.shape)
    offset = np.array([_vertex(match, best, axis) for axis in range(3)]) - (np.array(match.shape) - 1) / 2
    return float(match[best]), offset[::-1] * _CELL_MM


def _vertex(match: npt.NDArray[np.floating[Any]], best: Sequence[Any], axis: int) -> float:
    """The top of the parabola through a peak and its neighbours along an axis."""
    place = int(best[axis])
    if not 0 < place < match.shape[axis] - 1:
        return float(place)
    line = np.moveaxis(match, axis, 0)[(slice(place - 1, place + 2), *(b for a, b in enumerate(best) if a != axis))]
    bend = line[0] - 2 * line[1] + line[2]
    return place + (0.5 * float((line[0] - line[2]) / bend) if bend < 0 else 0.0)


def _cube(resample: Any, image: Any, middle: npt.NDArray[np.float64], half_mm: float, transform: Any) -> FloatArray:
    import SimpleITK as sitk  # noqa: N813

    reach = round(half_mm / _CELL_MM)
    origin = middle - reach * _CELL_MM
    size = [2 * reach + 1] * 3
    identity = np.eye(3).ravel().tolist()
    cells = resample(
        image, size, transform, sitk.sitkLinear, origin.tolist(), [_CELL_MM] * 3, identity, _WINDOW[0], sitk.sitkFloat32
    )
    return np.asarray(sitk.GetArrayFromImage(cells), dtype=np.float32)
