"""Longest diameters by other programs: the recipes that people use, one function each. They need what they name.

``with_...`` functions take a mask with an empty border and the side of a square pixel in mm, and give mm.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import numpy.typing as npt

Mask = npt.NDArray[np.bool_]
Sizes = dict[int, float]
OfSlice = Callable[[Mask, float], float]


def boxes(labels: npt.NDArray[Any]) -> dict[int, tuple[slice, ...]]:
    from scipy.ndimage import find_objects

    return {label: box for label, box in enumerate(find_objects(labels), start=1) if box is not None}


def per_slice(labels: npt.NDArray[Any], pixel: float, of_slice: OfSlice) -> Sizes:
    """The largest of a figure over the slices of each lesion, cropped first."""
    found = {}
    for label, box in boxes(labels).items():
        slices = labels[box] == label
        found[label] = max(of_slice(np.pad(one, 1), pixel) for one in slices if one.any())
    return found


def with_opencv(mask: Mask, pixel: float) -> float:
    import cv2
    from scipy.spatial.distance import pdist

    outlines, _ = cv2.findContours(mask.view(np.uint8), cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_SIMPLE)
    hull = cv2.convexHull(np.vstack(outlines))[:, 0] * pixel
    return float(pdist(hull).max()) if len(hull) > 1 else 0.0


def with_simpleitk(mask: Mask, pixel: float) -> float:
    import SimpleITK as sitk  # noqa: N813 - the name its documentation uses

    image = sitk.GetImageFromArray(mask.view(np.uint8))
    image.SetSpacing((pixel, pixel))
    shapes = sitk.LabelShapeStatisticsImageFilter()
    shapes.ComputeFeretDiameterOn()
    shapes.Execute(image)
    return float(shapes.GetFeretDiameter(1))


def with_find_contours(mask: Mask, pixel: float) -> float:
    from scipy.spatial.distance import pdist
    from skimage.measure import find_contours

    return float(pdist(np.concatenate(find_contours(mask.astype(float), 0.5))).max()) * pixel


def with_hull(mask: Mask, pixel: float) -> float:
    from scipy.spatial import ConvexHull, QhullError
    from scipy.spatial.distance import pdist

    points = np.argwhere(mask) * pixel
    try:
        return float(pdist(points[ConvexHull(points).vertices]).max())
    except QhullError:
        return float(pdist(points).max(initial=0.0)) if len(points) < 100 else 0.0


def with_regionprops(mask: Mask, pixel: float) -> float:
    from skimage.measure import regionprops

    return float(regionprops(mask.view(np.uint8))[0].feret_diameter_max) * pixel


def with_pyradiomics(labels: npt.NDArray[Any], pixel: float, step: float) -> Sizes:
    import logging

    import SimpleITK as sitk  # noqa: N813 - the name its documentation uses
    from radiomics.shape import RadiomicsShape

    logging.disable(logging.CRITICAL)
    found = {}
    for label, box in boxes(labels).items():
        image = sitk.GetImageFromArray(np.pad(labels[box] == label, 1).astype(np.uint8))
        image.SetSpacing((pixel, pixel, step))
        found[label] = float(RadiomicsShape(image, image).getMaximum2DDiameterSliceFeatureValue())
    return found
