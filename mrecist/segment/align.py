"""A second phase brought onto the first around one lesion: patients breathe between phases.

A translation of the crop, found by mutual information (Mattes 2003, SimpleITK), is accepted only when the two agree better after it
than before; where they still disagree the second phase is left out, which costs less than a wrong one.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from mrecist.segment.crop import FloatArray, Spacing

# A breath moves a liver by two to three centimetres at most within one scan.
MOST_MM = 25.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Aligned:
    """The second phase on the grid of the first, and by how much it was moved (z, y, x mm).

    ``gain`` is how much mutual information rose; 0 where the phase was left as it is.
    """

    picture: FloatArray
    moved_mm: tuple[float, float, float]
    gain: float


def align(fixed: FloatArray, moving: FloatArray, spacing_mm: Spacing) -> Aligned:
    """``moving`` (Z, Y, X), on the grid of ``fixed``, displaced so that both show the same anatomy."""
    import SimpleITK as sitk  # noqa: N813 - the name its documentation uses

    images = []
    for picture in (fixed, moving):
        image = sitk.GetImageFromArray(np.clip(picture, -150, 350).astype(np.float32))
        image.SetSpacing([float(s) for s in reversed(spacing_mm)])
        images.append(sitk.SmoothingRecursiveGaussian(image, 1.0))
    registration = sitk.ImageRegistrationMethod()
    registration.SetMetricAsMattesMutualInformation(32)
    registration.SetMetricSamplingStrategy(registration.REGULAR)
    registration.SetMetricSamplingPercentage(0.15, 1)
    registration.SetInterpolator(sitk.sitkLinear)
    registration.SetOptimizerAsRegularStepGradientDescent(2.0, 0.05, 40)
    registration.SetShrinkFactorsPerLevel([3, 1])
    registration.SetSmoothingSigmasPerLevel([1.5, 0.5])
    registration.SmoothingSigmasAreSpecifiedInPhysicalUnitsOn()
    registration.SetOptimizerScales([1.0, 1.0, 1.0])
    start = sitk.TranslationTransform(3)
    registration.SetInitialTransform(start, inPlace=False)
    before = registration.MetricEvaluate(*images)
    try:
        found = registration.Execute(*images)
    except RuntimeError:  # no overlap left, or a flat picture: nothing to go by
        return Aligned(picture=moving, moved_mm=(0.0, 0.0, 0.0), gain=0.0)
    after = registration.GetMetricValue()
    x, y, z = (float(v) for v in found.GetParameters())
    if after >= before or max(abs(x), abs(y), abs(z)) > MOST_MM:
        return Aligned(picture=moving, moved_mm=(0.0, 0.0, 0.0), gain=0.0)
    original = sitk.GetImageFromArray(moving.astype(np.float32))
    original.SetSpacing([float(s) for s in reversed(spacing_mm)])
    resampled = sitk.Resample(original, images[0], found, sitk.sitkLinear, float(np.nanmin(moving)), sitk.sitkFloat32)
    picture = np.asarray(sitk.GetArrayFromImage(resampled), dtype=np.float32)
    return Aligned(picture=picture, moved_mm=(-z, -y, -x), gain=float(before - after))
