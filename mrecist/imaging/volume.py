"""Voxels of a series in the units of its modality: HU for CT, stored (rescaled) values for MR.

Only the modality rescale is applied (PS3.3 C.11.1): value = stored x RescaleSlope + RescaleIntercept, slice by slice. No
RealWorldValueMap, no VOI or presentation LUT, and MONOCHROME1 is not inverted: that is about display, not about HU.
MR values have no unit and are never comparable between series.

Padding (PixelPaddingValue, PixelPaddingRangeLimit, PS3.3 C.7.5.1.1.2) is NaN, so that no mean or threshold can include it.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from mrecist.errors import SeriesError
from mrecist.imaging.geometry import Geometry
from mrecist.imaging.headers import get_integer, get_items, get_number, guarded, object_uid, tag_name
from mrecist.imaging.pixels import decode_frame, open_pixels
from mrecist.imaging.series import Series, Slice, Verdict


@dataclass(frozen=True, slots=True, kw_only=True)
class Volume:
    """A series with its voxels.

    Parameters
    ----------
    series : geometry and verdict; where ``series.verdict`` is IN_PLANE the slices are right, but no volume is.
    voxels : (Z, Y, X) float32 in stack order, HU for CT; NaN where the scanner wrote padding.
    """

    series: Series
    voxels: npt.NDArray[np.float32]


def load_volume(series: Series) -> Volume:
    """All slices of a series.

    Raises
    ------
    SeriesError
        The series is REFUSED, a file is truncated or cannot be decoded, or a CT slice does not say how to get HU.
    """
    voxels = np.empty(_usable(series).shape, dtype=np.float32)
    opened: tuple[Path, Any] | None = None  # the frames of a multi-frame file follow one another
    for index, item in enumerate(series.slices):
        if opened is None or opened[0] != item.path:
            opened = item.path, open_pixels(item.path)
        voxels[index] = _slice_values(opened[1], item, series)
    return Volume(series=series, voxels=voxels)


def load_slice(series: Series, index: int) -> npt.NDArray[np.float32]:
    """One slice (Y, X) in stack order, float32, as in :func:`load_volume`."""
    _usable(series)
    item = series.slices[index]
    return _slice_values(open_pixels(item.path), item, series)


def _usable(series: Series) -> Geometry:
    if series.verdict is Verdict.REFUSED or series.geometry is None:
        raise SeriesError(f"{series.label}: {series.verdict_code}: {series.verdict_text}")
    return series.geometry


def _slice_values(dataset: Any, item: Slice, series: Series) -> npt.NDArray[np.float32]:
    _check_unchanged(dataset, item, series)
    stored = decode_frame(dataset, item.frame, item.path)
    try:
        slope, intercept = _rescale(dataset, item.frame, series.modality)
        padding = _padding(dataset, stored)
    except SeriesError as error:
        raise SeriesError(f"{item.path}: {error}") from None
    # float64 first: a 16-bit value times a slope of seven digits does not fit the 24-bit mantissa of float32
    values = (stored.astype(np.float64) * slope + intercept).astype(np.float32)
    values[padding] = np.nan
    return values


def _check_unchanged(dataset: Any, item: Slice, series: Series) -> None:
    """The file is still the one that was scanned: the same object, the same size."""
    shape = series.geometry.shape[1:] if series.geometry else None
    with guarded(f"{item.path}: cannot be read"):
        now = object_uid(dataset, "SOPInstanceUID"), (int(dataset.Rows), int(dataset.Columns))
    if now != (item.sop_instance_uid, shape):
        raise SeriesError(
            f"{item.path}: changed since the scan: {now} where {(item.sop_instance_uid, shape)} was found; scan again"
        )


def _rescale(dataset: Any, frame: int | None, modality: str) -> tuple[float, float]:
    groups = get_items(dataset, "PerFrameFunctionalGroupsSequence")
    holders = [groups[frame]] if groups and frame is not None else []
    holders += get_items(dataset, "SharedFunctionalGroupsSequence")[:1]
    transforms = [items[0] for h in holders if (items := get_items(h, "PixelValueTransformationSequence"))]
    source = transforms[0] if transforms else dataset
    slope, intercept = get_number(source, "RescaleSlope"), get_number(source, "RescaleIntercept")
    if slope is None and intercept is None and modality != "CT":
        if get_items(dataset, "ModalityLUTSequence"):
            raise SeriesError(f"{tag_name('ModalityLUTSequence')} instead of a linear rescale is not supported")
        return 1.0, 0.0
    if slope is None or intercept is None:
        raise SeriesError(f"no {tag_name('RescaleSlope')} or {tag_name('RescaleIntercept')}, so its values are unknown")
    if slope == 0:
        raise SeriesError(f"{tag_name('RescaleSlope')} is 0, so its values are lost")
    return slope, intercept


def _padding(dataset: Any, stored: npt.NDArray[Any]) -> npt.NDArray[np.bool_]:
    first = get_integer(dataset, "PixelPaddingValue")
    if first is None:
        return np.zeros(stored.shape, dtype=bool)
    limit = get_integer(dataset, "PixelPaddingRangeLimit")
    bounds = [_signed(v, dataset) for v in (first, first if limit is None else limit)]
    values = stored.astype(np.int64)
    return np.asarray((values >= min(bounds)) & (values <= max(bounds)))


def _signed(value: int, dataset: Any) -> int:
    """The padding value in the sign of the pixels: it is often written as US where the pixels are signed (63536 = -2000)."""
    bits = get_integer(dataset, "BitsAllocated") or 16
    signed = get_integer(dataset, "PixelRepresentation") == 1
    if signed and value >= 1 << (bits - 1):
        return value - (1 << bits)
    if not signed and value < 0:
        return value + (1 << bits)
    return value
