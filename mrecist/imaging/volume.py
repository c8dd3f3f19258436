"""Voxels of a series in the units of its modality: HU for CT, stored (rescaled) values for MR.

Only the modality rescale is applied (PS3.3 C.11.1): value = stored x RescaleSlope + RescaleIntercept, slice by slice. No
RealWorldValueMap, no VOI or presentation LUT, and MONOCHROME1 is not inverted: that is about display, not about HU.
MR values have no unit and are never comparable between series.

Padding (PixelPaddingValue, PixelPaddingRangeLimit, PS3.3 C.7.5.1.1.2) is NaN, so that no mean or threshold can include it.
"""

from __future__ import annotations

import math
import os
import warnings
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from mrecist.errors import SeriesError
from mrecist.imaging.decoder_pool import processors
from mrecist.imaging.geometry import Geometry
from mrecist.imaging.headers import one_line
from mrecist.imaging.layout import Scaling, frame_groups, scaling_of, stamp_of
from mrecist.imaging.limits import check_size
from mrecist.imaging.pixels import PixelFile, check_decodable, decode_frame, open_pixels
from mrecist.imaging.series import Series, Slice, Verdict

_EXACT = 1 << 24
"""Whole numbers up to here are exact in float32."""
_MOST_THREADS = 8
"""Reading and converting are bound by memory long before more would help."""


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


@dataclass(frozen=True, slots=True)
class _Source:
    """One slice that was found unchanged since the scan."""

    file: PixelFile
    frame: int | None
    slope: float
    intercept: float
    padding: tuple[int, int] | None


def load_volume(series: Series) -> Volume:
    """All slices of a series, each read or decoded straight into its place; beside the volume, memory holds a few slices.

    Raises
    ------
    SeriesError
        The series is REFUSED or larger than the limit, a file is truncated, changed or cannot be decoded, or a CT slice does
        not say how to get HU.
    """
    shape = _usable(series).shape
    check_size(series.label, shape, 4)
    with _quiet():
        sources = _sources(series, series.slices)
        voxels = np.empty(shape, dtype=np.float32)
        # One more than the processors: while one waits for the disk or a decoder, another has work.
        threads = min(len(sources), processors() + 1, _MOST_THREADS)
        if any(source.file.layout.is_compressed for source in sources):
            threads = min(len(sources), 2 * processors())
        with ThreadPoolExecutor(max_workers=threads) as pool:
            done = [pool.submit(_read_into, voxels[index], source) for index, source in enumerate(sources)]
            try:
                for future in done:  # in order, so that of several bad slices always the first is named
                    future.result()
            except BaseException:
                pool.shutdown(wait=True, cancel_futures=True)
                raise
    return Volume(series=series, voxels=voxels)


_NOTED: ContextVar[list[Slice] | None] = ContextVar("slices whose voxels were asked for", default=None)


@contextmanager
def slices_noted() -> Iterator[list[Slice]]:
    """Which slices :func:`load_slice` is asked for in the meantime: what a result depends on, beside headers."""
    noted: list[Slice] = []
    token = _NOTED.set(noted)
    try:
        yield noted
    finally:
        _NOTED.reset(token)


def load_slice(series: Series, index: int) -> npt.NDArray[np.float32]:
    """One slice (Y, X) in stack order, float32, as in :func:`load_volume`."""
    shape = _usable(series).shape[1:]
    if (noted := _NOTED.get()) is not None:
        noted.append(series.slices[index])
    check_size(series.label, shape, 4)
    with _quiet():
        (source,) = _sources(series, [series.slices[index]])
        values = np.empty(shape, dtype=np.float32)
        _read_into(values, source)
    return values


@contextmanager
def _quiet() -> Iterator[None]:
    """No warnings of pydicom about values that are not used here; set once, because threads share the filters."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield


def _usable(series: Series) -> Geometry:
    if series.verdict is Verdict.REFUSED or series.geometry is None:
        raise SeriesError(f"{series.label}: {series.verdict_code}: {series.verdict_text}")
    return series.geometry


def _sources(series: Series, slices: Sequence[Slice]) -> list[_Source]:
    files: dict[Path, PixelFile] = {}
    sources = []
    for item in slices:
        if item.path not in files:
            files[item.path] = _opened(item)
        file = files[item.path]
        _check_unchanged(file, item, series)
        try:
            scaling = _scaling(file, item)
            slope, intercept = scaling.rescale(series.modality)
        except SeriesError as error:
            raise SeriesError(f"{item.path}: {error}") from None
        sources.append(_Source(file, item.frame, slope, intercept, scaling.padding))
    for file in files.values():
        file.dataset = None  # the headers that were read again are not needed beside the volume
    return sources


def _opened(item: Slice) -> PixelFile:
    """The file as the scan knew it when nothing wrote to it since; else its header is read again."""
    if item.pixels is not None and item.scaling is not None:
        with one_line(f"{item.path}: cannot be read"):
            stamp = stamp_of(os.stat(item.path))
        if stamp == item.pixels.stamp:
            file = PixelFile(path=item.path, layout=item.pixels)
            check_decodable(file)
            return file
    return open_pixels(item.path)


def _scaling(file: PixelFile, item: Slice) -> Scaling:
    if file.dataset is None and item.scaling is not None:
        return item.scaling
    return scaling_of(frame_groups(file.dataset, item.frame))


def _check_unchanged(file: PixelFile, item: Slice, series: Series) -> None:
    """The file is still the one that was scanned: the same object, the same size."""
    shape = series.geometry.shape[1:] if series.geometry else None
    now = file.layout.sop_instance_uid, (file.layout.rows, file.layout.columns)
    if now != (item.sop_instance_uid, shape):
        raise SeriesError(
            f"{item.path}: changed since the scan: {now} where {(item.sop_instance_uid, shape)} was found; scan again"
        )


def _read_into(values: npt.NDArray[np.float32], source: _Source) -> None:
    stored = decode_frame(source.file, source.frame)
    if _is_exact(stored.dtype, source):
        scaled = stored if source.slope == 1 else np.multiply(stored, np.float32(source.slope), dtype=np.float32)
        np.add(scaled, np.float32(source.intercept), out=values, dtype=np.float32)
    else:
        # float64 first: a 16-bit value times a slope of seven digits does not fit the 24-bit mantissa of float32
        values[...] = stored.astype(np.float64) * source.slope + source.intercept
    if source.padding is not None:
        low, high = source.padding
        values[(stored >= low) & (stored <= high)] = np.nan


def _is_exact(dtype: np.dtype[np.generic], source: _Source) -> bool:
    """Whether float32 holds every product and sum exactly, so that no float64 is needed."""
    if not (source.slope.is_integer() and source.intercept.is_integer()) or dtype.itemsize > 2:
        return False
    largest = 1 << 8 * dtype.itemsize
    return largest * abs(source.slope) + abs(source.intercept) < _EXACT and math.isfinite(source.intercept)
