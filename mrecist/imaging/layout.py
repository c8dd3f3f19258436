"""Where the pixel data of a file lie, how its stored values are written, and what they mean: told by the header alone.

A scan keeps this with each slice, so that loading reads the pixels straight from their place in the file and parses no header
again, as long as the file is the one that was scanned (``FileStamp``).

Sources: PS3.3 C.7.6.3 (Image Pixel), C.11.1 (Modality LUT), C.7.5.1.1.2 (padding); PS3.5 section 8.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from mrecist.errors import SeriesError
from mrecist.imaging.headers import (
    BIG_ENDIAN,
    UNCOMPRESSED,
    Header,
    get_integer,
    get_items,
    get_number,
    get_text,
    guarded,
    object_uid,
    tag_name,
)

FileStamp = tuple[int, int, int, int]
"""Size, modification time and change time in ns, inode: a file with the same four is the same and was not written to."""


def stamp_of(status: os.stat_result) -> FileStamp:
    """The stamp of a file from its :func:`os.stat`."""
    return status.st_size, status.st_mtime_ns, status.st_ctime_ns, status.st_ino


@dataclass(frozen=True, slots=True, kw_only=True)
class PixelLayout:
    """The pixel data of one file.

    Parameters
    ----------
    stamp : of the file when its header was read.
    sop_instance_uid, syntax : SOPInstanceUID and transfer syntax.
    rows, columns, frames, samples : size; ``samples`` is SamplesPerPixel.
    allocated, stored, high_bit : BitsAllocated, BitsStored, HighBit; 0 when absent.
    signed : PixelRepresentation is 1.
    photometric : PhotometricInterpretation.
    start : first byte of the pixel data in the file; None when they do not lie in it as they are (deflated).
    items : (first byte, length) of each fragment of compressed pixel data.
    """

    stamp: FileStamp
    sop_instance_uid: str
    syntax: str
    rows: int
    columns: int
    frames: int
    samples: int
    allocated: int
    stored: int
    high_bit: int
    signed: bool
    photometric: str
    start: int | None
    items: tuple[tuple[int, int], ...]

    @property
    def is_compressed(self) -> bool:
        return self.syntax not in UNCOMPRESSED

    @property
    def is_plain(self) -> bool:
        """Whether the stored values can be taken from the file as they are: one sample, whole words or single bits."""
        in_order = self.syntax != BIG_ENDIAN or self.allocated in (16, 32)
        words = self.allocated in (8, 16, 32) and 1 <= self.stored <= self.allocated
        return (
            not self.is_compressed
            and self.start is not None
            and self.samples == 1
            and in_order
            and (words or (self.allocated == 1 and not self.signed))
        )


def layout_of(header: Header) -> PixelLayout:
    """The layout of a file with pixel data; raises :class:`SeriesError` when an attribute of them is unreadable."""
    dataset, pixels = header.dataset, header.pixels
    with guarded(f"{header.path}: cannot be read"):
        return PixelLayout(
            stamp=stamp_of(header.status),
            sop_instance_uid=object_uid(dataset, "SOPInstanceUID"),
            syntax=header.transfer_syntax,
            rows=_whole(dataset, "Rows"),
            columns=_whole(dataset, "Columns"),
            frames=_whole(dataset, "NumberOfFrames") or 1,
            samples=_whole(dataset, "SamplesPerPixel") or 1,
            allocated=_whole(dataset, "BitsAllocated"),
            stored=_whole(dataset, "BitsStored"),
            high_bit=_whole(dataset, "HighBit"),
            signed=_whole(dataset, "PixelRepresentation") == 1,
            photometric=get_text(dataset, "PhotometricInterpretation"),
            start=None if pixels is None else pixels.start,
            items=() if pixels is None else pixels.items,
        )


def _whole(dataset: Any, keyword: str) -> int:
    """A whole number, 0 when absent; those of the right VR are whole numbers already, and they are nearly all."""
    value = dataset.get(keyword)
    return value if type(value) is int else get_integer(dataset, keyword) or 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Scaling:
    """From the stored values of one slice to its values.

    Parameters
    ----------
    slope, intercept : of the modality rescale; None when absent.
    has_table : a ModalityLUTSequence stands instead of a linear rescale.
    padding : lowest and highest stored value that is padding, or None.
    """

    slope: float | None
    intercept: float | None
    has_table: bool
    padding: tuple[int, int] | None

    def rescale(self, modality: str) -> tuple[float, float]:
        """(slope, intercept); raises :class:`SeriesError` when the values of this modality are not known from them."""
        if self.slope is None and self.intercept is None and modality != "CT":
            if self.has_table:
                raise SeriesError(f"{tag_name('ModalityLUTSequence')} instead of a linear rescale is not supported")
            return 1.0, 0.0
        if self.slope is None or self.intercept is None:
            tags = f"{tag_name('RescaleSlope')} or {tag_name('RescaleIntercept')}"
            raise SeriesError(f"no {tags}, so its values are unknown")
        if self.has_table and modality == "CT":
            raise SeriesError(
                f"both a rescale and {tag_name('ModalityLUTSequence')}, so which gives its values is unknown"
            )
        if self.slope == 0:
            raise SeriesError(f"{tag_name('RescaleSlope')} is 0, so its values are lost")
        return self.slope, self.intercept


def scaling_of(groups: Sequence[Any]) -> Scaling:
    """``groups``: the functional groups of the frame, the shared ones, the data set; the first transformation counts.

    Raises
    ------
    SeriesError
        A value is no number.
    """
    top = groups[-1]
    transforms = [items[0] for g in groups[:-1] if (items := get_items(g, "PixelValueTransformationSequence"))]
    source = transforms[0] if transforms else top
    return Scaling(
        slope=get_number(source, "RescaleSlope"),
        intercept=get_number(source, "RescaleIntercept"),
        has_table=bool(get_items(top, "ModalityLUTSequence")),
        padding=_padding(top),
    )


def frame_groups(dataset: Any, frame: int | None) -> list[Any]:
    """The groups of one frame (0-based; None for a single-frame file) for :func:`scaling_of`."""
    groups = get_items(dataset, "PerFrameFunctionalGroupsSequence")
    own = [groups[frame]] if groups and frame is not None else []
    return [*own, *get_items(dataset, "SharedFunctionalGroupsSequence")[:1], dataset]


def _padding(dataset: Any) -> tuple[int, int] | None:
    first = get_integer(dataset, "PixelPaddingValue")
    if first is None:
        return None
    limit = get_integer(dataset, "PixelPaddingRangeLimit")
    bounds = [_signed(v, dataset) for v in (first, first if limit is None else limit)]
    return min(bounds), max(bounds)


def _signed(value: int, dataset: Any) -> int:
    """The padding value in the sign of the pixels: it is often written as US where the pixels are signed (63536 = -2000)."""
    bits = get_integer(dataset, "BitsAllocated") or 16
    signed = get_integer(dataset, "PixelRepresentation") == 1
    if signed and value >= 1 << (bits - 1):
        return value - (1 << bits)
    if not signed and value < 0:
        return value + (1 << bits)
    return value
