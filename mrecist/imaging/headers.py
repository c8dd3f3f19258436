"""One DICOM file's header, read without its pixels and without trusting it.

pydicom reads a truncated file without complaint, accepts a spacing of zero, NaN or three values, and hands comma decimals
over as text. So everything the geometry rests on passes through the typed getters below, which name the tag that is wrong,
and the pixel data are measured (not read) here, so that a truncated file is known when a folder is scanned.

Sources: DICOM PS3.5 section 7 (data set), A.4 (encapsulated pixel data), A.5 (deflate); PS3.10 section 7 (file meta).
"""

from __future__ import annotations

import math
import os
import struct
import warnings
import zlib
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

from mrecist.errors import SeriesError

DEFLATED = "1.2.840.10008.1.2.1.99"
UNCOMPRESSED = frozenset({"1.2.840.10008.1.2", "1.2.840.10008.1.2.1", "1.2.840.10008.1.2.2", DEFLATED})
BIG_ENDIAN = "1.2.840.10008.1.2.2"
_PIXEL_TAGS = range(0x7FE00008, 0x7FE00011)  # Float, Double Float and integer Pixel Data
_UNDEFINED_LENGTH = 0xFFFFFFFF
_ITEM, _ITEM_END, _SEQUENCE_END = (0xFFFE, 0xE000), (0xFFFE, 0xE00D), (0xFFFE, 0xE0DD)
# A legitimate image deflates two to ten times; a 3 MB bomb inflates to 3 GB. Both limits must be passed to be refused.
_INFLATE_FLOOR_BYTES = 64 * 2**20
_INFLATE_RATIO = 100
_LONG_VRS = (b"OB", b"OW", b"OF", b"OD", b"OL", b"OV", b"UN", b"SQ", b"UT", b"UC", b"UR", b"SV", b"UV")


@dataclass(frozen=True, slots=True, kw_only=True)
class PixelExtent:
    """How many bytes of pixel data a file holds, found by seeking, not by reading.

    Parameters
    ----------
    declared : length that the element states, in bytes; None when it is undefined (encapsulated).
    available : bytes of pixel data that are in the file; None when that is unknown (deflated files).
    fragments : number of fragments of encapsulated pixel data, without the offset table.
    complete : False when encapsulated pixel data end before their delimiter.
    """

    declared: int | None
    available: int | None
    fragments: int = 0
    complete: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class Header:
    """A header and what is known about the pixel data that follow it (None: the file has none)."""

    path: Path
    dataset: Any
    pixels: PixelExtent | None
    transfer_syntax: str
    has_prefix: bool


@contextmanager
def guarded(what: str, error: type[Exception] = SeriesError) -> Iterator[None]:
    """Turn every failure of a foreign decoder or parser into ``error`` with one line; its warnings are dropped.

    Warnings are dropped because pydicom warns about values we never use; the values we do use are checked by the getters.
    ``BaseException`` is caught because Rust decoders raise a ``PanicException`` that is not an ``Exception``.
    """
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            yield
        except (KeyboardInterrupt, SystemExit, GeneratorExit, error):
            raise
        except SeriesError as failure:  # a getter's line, in a caller that promises another error
            text = str(failure)
            raise error(text if text.startswith(what.partition(": ")[0]) else f"{what}: {text}") from None
        except BaseException as failure:  # noqa: BLE001 - see the docstring; the three above end the program as they should
            detail = " ".join(str(failure).split())[:200] or "no further detail"
            raise error(f"{what}: {type(failure).__name__}: {detail}") from None


def looks_like_dicom(path: Path) -> bool:
    """Whether a file claims to be DICOM: the ``DICM`` prefix, or a bare data set that starts with group 0002 or 0008."""
    with path.open("rb") as stream:
        start = stream.read(132)
    return start[128:132] == b"DICM" or _starts_like_a_data_set(start)


def _starts_like_a_data_set(start: bytes) -> bool:
    if len(start) < 12:
        return False
    group, element = struct.unpack("<HH", start[:4])
    if group not in (0x0002, 0x0008) or element > 0x0020:
        return False
    explicit = start[4:6] in (b"UL", b"UI", b"CS", b"SH", b"DA", b"TM", b"OB")
    implicit = struct.unpack("<I", start[4:8])[0] <= 64
    return explicit or implicit


def read_header(path: Path) -> Header:
    """The header of one file, without its pixels.

    Raises
    ------
    SeriesError
        The file cannot be read as DICOM, or its header is truncated, too deeply nested or a deflate bomb.
    """
    from pydicom.filereader import read_partial

    seen: list[tuple[Any, int]] = []

    def at_pixels(tag: Any, vr: str | None, length: int) -> bool:
        if int(tag) in _PIXEL_TAGS:
            seen.append((vr, length))
            return True
        return False

    with guarded(f"{path}: cannot be read as DICOM"), path.open("rb") as stream:
        _refuse_deflate_bomb(path)
        dataset = read_partial(stream, stop_when=at_pixels, force=True)
        syntax = str(dataset.file_meta.get("TransferSyntaxUID", "") or "")
        if not syntax:
            syntax = "1.2.840.10008.1.2" if dataset.original_encoding[0] else "1.2.840.10008.1.2.1"
            dataset.file_meta.TransferSyntaxUID = syntax
        pixels = _pixel_extent(stream, syntax, *seen[0]) if seen else None
    return Header(
        path=path, dataset=dataset, pixels=pixels, transfer_syntax=syntax, has_prefix=dataset.preamble is not None
    )


def _refuse_deflate_bomb(path: Path) -> None:
    from pydicom.filereader import read_file_meta_info

    with path.open("rb") as stream:
        if stream.read(132)[128:] != b"DICM":
            return
        stream.seek(0)
        meta = read_file_meta_info(path)
        if meta.get("TransferSyntaxUID") != DEFLATED:
            return
        # PS3.10 7.1: the group length counts from behind its own element (12 bytes) to the end of the file meta group.
        stream.seek(132 + 12 + int(meta.FileMetaInformationGroupLength))
        limit = max(_INFLATE_FLOOR_BYTES, _INFLATE_RATIO * path.stat().st_size)
        inflater, total = zlib.decompressobj(-zlib.MAX_WBITS), 0
        while chunk := stream.read(65536):
            while chunk and not inflater.eof:
                total += len(inflater.decompress(chunk, 2**20))
                chunk = inflater.unconsumed_tail
                if total > limit:
                    raise SeriesError(
                        f"{path}: deflated data grow beyond {limit} bytes from {path.stat().st_size}; "
                        "that is no image. Re-export it uncompressed"
                    )


def _pixel_extent(stream: BinaryIO, syntax: str, vr: str | None, length: int) -> PixelExtent:
    if syntax == DEFLATED:  # the stream that was parsed is pydicom's inflated copy: its positions say nothing here
        return PixelExtent(declared=None if length == _UNDEFINED_LENGTH else length, available=None)
    size = os.fstat(stream.fileno()).st_size
    long_form = vr is not None and vr.encode() in _LONG_VRS
    start = stream.tell() + (12 if long_form else 8)
    if length != _UNDEFINED_LENGTH:
        return PixelExtent(declared=length, available=max(0, min(length, size - start)))
    return _fragments(stream, start, size, big_endian=syntax == BIG_ENDIAN)


def _fragments(stream: BinaryIO, start: int, size: int, *, big_endian: bool) -> PixelExtent:
    layout = struct.Struct(">HHI" if big_endian else "<HHI")
    position, items, total = start, 0, 0
    while True:
        stream.seek(position)
        head = stream.read(8)
        if len(head) < 8:
            return PixelExtent(declared=None, available=total, fragments=max(0, items - 1), complete=False)
        group, element, length = layout.unpack(head)
        if (group, element) == _SEQUENCE_END:
            return PixelExtent(declared=None, available=total, fragments=max(0, items - 1))
        if (group, element) != _ITEM or position + 8 + length > size:
            return PixelExtent(declared=None, available=total, fragments=max(0, items - 1), complete=False)
        items, total, position = items + 1, total + length, position + 8 + length


# Typed getters ----------------------------------------------------------------------------------------------------------


def tag_name(keyword: str) -> str:
    """``PixelSpacing (0028,0030)``."""
    from pydicom.datadict import tag_for_keyword

    tag = tag_for_keyword(keyword) or 0
    return f"{keyword} ({tag >> 16:04X},{tag & 0xFFFF:04X})"


def _raw(dataset: Any, keyword: str) -> Any:
    with guarded(f"{tag_name(keyword)} cannot be decoded"):
        return dataset.get(keyword)


def get_text(dataset: Any, keyword: str) -> str:
    """The value as text without padding, values joined by a backslash; ``""`` when absent or empty."""
    value = _raw(dataset, keyword)
    if value is None:
        return ""
    with guarded(f"{tag_name(keyword)} is not text"):
        if isinstance(value, bytes):
            value = value.decode("ascii", "replace")
        # a PersonName iterates over its letters, so only real sequences of values are joined
        values = value if isinstance(value, Sequence) and not isinstance(value, str) else [value]
        return "\\".join(str(part).strip().strip("\0") for part in values)


def get_texts(dataset: Any, keyword: str) -> tuple[str, ...]:
    """The values as texts; empty when absent."""
    text = get_text(dataset, keyword)
    return tuple(part.strip() for part in text.split("\\")) if text else ()


def get_numbers(dataset: Any, keyword: str, count: int) -> tuple[float, ...] | None:
    """Exactly ``count`` finite numbers; None when absent or empty.

    Raises
    ------
    SeriesError
        The tag holds another number of values, text (``6,0``), NaN or infinity.
    """
    value = _raw(dataset, keyword)
    if value is None or value == "":
        return None
    values = list(value) if hasattr(value, "__iter__") and not isinstance(value, str | bytes) else [value]
    if not values:
        return None
    if len(values) != count:
        raise SeriesError(f"{tag_name(keyword)} holds {len(values)} values where {count} are needed: {_shown(values)}")
    return tuple(_number(v, keyword, values) for v in values)


def _number(value: Any, keyword: str, values: list[Any]) -> float:
    try:
        number = float(str(value).strip())
    except (ValueError, TypeError, OverflowError):
        raise SeriesError(f"{tag_name(keyword)} is not a number: {_shown(values)}; correct the header") from None
    if not math.isfinite(number):
        raise SeriesError(f"{tag_name(keyword)} is not finite: {_shown(values)}; correct the header")
    return number


def _shown(values: list[Any]) -> str:
    return "\\".join(" ".join(str(v).split()) for v in values)[:120]


def get_number(dataset: Any, keyword: str) -> float | None:
    """One finite number, or None when absent."""
    numbers = get_numbers(dataset, keyword, 1)
    return None if numbers is None else numbers[0]


def get_integer(dataset: Any, keyword: str) -> int | None:
    """One whole number, or None when absent; raises :class:`SeriesError` otherwise."""
    number = get_number(dataset, keyword)
    if number is None:
        return None
    if number != int(number):
        raise SeriesError(f"{tag_name(keyword)} is not a whole number: {number}")
    return int(number)


def object_uid(dataset: Any, kind: str) -> str:
    """``kind`` is ``SOPInstanceUID`` or ``SOPClassUID``: from the data set, else from the file meta information.

    De-identifiers empty the data set's and leave the meta information's, which PS3.10 7.1 requires to be the same.
    """
    return get_text(dataset, kind) or get_text(dataset.file_meta, f"MediaStorage{kind}")


def get_items(dataset: Any, keyword: str) -> list[Any]:
    """The items of a sequence, empty when absent; raises :class:`SeriesError` when the tag is no sequence."""
    value = _raw(dataset, keyword)
    if value is None or value == "":
        return []
    if isinstance(value, str | bytes | int | float) or not all(hasattr(item, "get") for item in value):
        raise SeriesError(f"{tag_name(keyword)} is not a sequence")
    return list(value)


def or_none(getter: Callable[[Any, str], Any], dataset: Any, keyword: str) -> Any:
    """A value that only helps (a time, an echo number): None when it cannot be read, instead of refusing the file."""
    try:
        return getter(dataset, keyword)
    except SeriesError:
        return None


def pixel_problem(header: Header, *, frames: int) -> str:
    """Why the pixel data cannot be whole, or ``""``; compares lengths only, nothing is decoded.

    The line is ``truncated: N bytes of pixel data where M are needed`` for uncompressed data.
    """
    pixels = header.pixels
    if pixels is None:
        return "truncated or not an image: no Pixel Data (7FE0,0010)"
    if not pixels.complete:
        return f"truncated: the compressed pixel data end after {pixels.available} bytes without their delimiter"
    if header.transfer_syntax not in UNCOMPRESSED:
        if pixels.fragments < frames:
            return f"truncated: {pixels.fragments} compressed fragments where {frames} frames are needed"
        return ""
    dataset = header.dataset
    bits = [get_integer(dataset, k) or 0 for k in ("Rows", "Columns", "BitsAllocated")]
    samples = get_integer(dataset, "SamplesPerPixel") or 1
    needed = (math.prod(bits) * samples * frames + 7) // 8
    held = min(n for n in (pixels.declared, pixels.available, needed) if n is not None)
    if get_text(dataset, "PhotometricInterpretation") == "YBR_FULL_422":
        return ""  # two thirds of the length; colour is refused later anyway
    if held < needed:
        return f"truncated: {held} bytes of pixel data where {needed} are needed"
    return ""
