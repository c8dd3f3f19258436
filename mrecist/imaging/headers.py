"""One DICOM file's header, read without its pixels and without trusting it.

pydicom reads a truncated file without complaint, accepts a spacing of zero, NaN or three values, and hands comma decimals
over as text. So everything the geometry rests on passes through the typed getters below, which name the tag that is wrong,
and the pixel data are measured (not read) here, so that a truncated file is known when a folder is scanned.

Sources: DICOM PS3.5 section 7 (data set), A.4 (encapsulated pixel data), A.5 (deflate); PS3.10 section 7 (file meta).
"""

from __future__ import annotations

import io
import math
import os
import struct
import warnings
import zlib
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from mrecist.errors import SeriesError
from mrecist.imaging.raw_values import tag_and_vr, unconverted_text

DEFLATED = "1.2.840.10008.1.2.1.99"
UNCOMPRESSED = frozenset({"1.2.840.10008.1.2", "1.2.840.10008.1.2.1", "1.2.840.10008.1.2.2", DEFLATED})
_PIXEL_DATA = 0x7FE00010
BIG_ENDIAN = "1.2.840.10008.1.2.2"
_PIXEL_TAGS = range(0x7FE00008, 0x7FE00011)  # Float, Double Float and integer Pixel Data
_UNDEFINED_LENGTH = 0xFFFFFFFF
_ITEM, _ITEM_END, _SEQUENCE_END = (0xFFFE, 0xE000), (0xFFFE, 0xE00D), (0xFFFE, 0xE0DD)
# A legitimate image deflates two to ten times; a 3 MB bomb inflates to 3 GB. A file may inflate to the greater of the
# first two, and never beyond the ceiling.
_INFLATE_FLOOR_BYTES = 64 * 2**20
_INFLATE_RATIO = 100
_INFLATE_CEILING_BYTES = 2 * 2**30
# No CT or MR slice and no file of them comes near these; memory for the voxels is set aside by what the header states.
_MOST_PIXELS_A_SIDE = 16_384
_MOST_PIXELS_A_FILE = 2**33
_BUFFER_BYTES = 16 * 2**10  # most CT and MR headers: one read a file
_LARGE_READ_BYTES = 2**20
_LONG_VRS = (b"OB", b"OW", b"OF", b"OD", b"OL", b"OV", b"UN", b"SQ", b"UT", b"UC", b"UR", b"SV", b"UV")


@dataclass(frozen=True, slots=True, kw_only=True)
class PixelExtent:
    """How many bytes of pixel data a file holds, found by seeking, not by reading.

    Parameters
    ----------
    declared : length that the element states, in bytes; None when it is undefined (encapsulated).
    available : bytes of pixel data that are in the file; None when that is unknown (deflated files).
    items : (first byte in the file, length in bytes) of each fragment of encapsulated pixel data, without the offset table.
    complete : False when encapsulated pixel data end before their delimiter.
    start : first byte of the value in the file (encapsulated: of the offset table's item); None in deflated files and for
        floating-point pixel data.
    """

    declared: int | None
    available: int | None
    items: tuple[tuple[int, int], ...] = ()
    complete: bool = True
    start: int | None = None

    @property
    def fragments(self) -> int:
        """Number of fragments of encapsulated pixel data, without the offset table."""
        return len(self.items)


@dataclass(frozen=True, slots=True, kw_only=True)
class Header:
    """A header and what is known about the pixel data that follow it (None: the file has none)."""

    path: Path
    dataset: Any
    pixels: PixelExtent | None
    transfer_syntax: str
    has_prefix: bool
    status: os.stat_result
    """Of the file when its header was read."""


@contextmanager
def one_line(what: str, error: type[Exception] = SeriesError) -> Iterator[None]:
    """Turn every failure of a foreign decoder or parser into ``error`` with one line.

    ``BaseException`` is caught because Rust decoders raise a ``PanicException`` that is not an ``Exception``.
    """
    try:
        yield
    except (KeyboardInterrupt, SystemExit, GeneratorExit, error):
        raise
    except SeriesError as failure:  # a getter's line, in a caller that promises another error
        text = str(failure)
        raise error(text if text.startswith(what.partition(": ")[0]) else f"{what}: {text}") from None
    except RecursionError:  # its own words depend on where the stack ended
        raise error(f"{what}: RecursionError: its sequences are nested too deeply") from None
    except BaseException as failure:  # noqa: BLE001 - see the docstring; the three above end the program as they should
        detail = " ".join(str(failure).split())[:200] or "no further detail"
        raise error(f"{what}: {type(failure).__name__}: {detail}") from None


@contextmanager
def guarded(what: str, error: type[Exception] = SeriesError) -> Iterator[None]:
    """:func:`one_line` without the warnings of the parser. Not for threads: the filters of warnings are the process's.

    Warnings are dropped because pydicom warns about values we never use; the values we do use are checked by the getters.
    """
    with warnings.catch_warnings(), one_line(what, error):
        warnings.simplefilter("ignore")
        yield


class _HeaderStream(io.BufferedReader):
    """A file as pydicom reads it, in few system calls, and never more than a file can hold.

    An element may state 4 GB in a file of 2 kB, and a buffered read would set that memory aside first. The one place where
    pydicom reads without a length is where it inflates a deflated data set, so a bomb is found here.
    """

    def __init__(self, path: Path) -> None:
        self.file = io.FileIO(path)
        super().__init__(self.file, _BUFFER_BYTES)
        self.path = path

    def read(self, size: int | None = -1, /) -> bytes:
        if size is None or size < 0:
            self._refuse_deflate_bomb()
            return super().read()
        if size > _LARGE_READ_BYTES:
            size = max(0, min(size, self.bytes_in_all() - self.tell()))
        return super().read(size)

    def bytes_in_all(self) -> int:
        return os.fstat(self.fileno()).st_size

    def _refuse_deflate_bomb(self) -> None:
        start, size = self.tell(), self.bytes_in_all()
        limit = min(max(_INFLATE_FLOOR_BYTES, _INFLATE_RATIO * size), _INFLATE_CEILING_BYTES)
        inflater, total = zlib.decompressobj(-zlib.MAX_WBITS), 0
        while chunk := super().read(65536):
            while chunk and not inflater.eof:
                total += len(inflater.decompress(chunk, 2**20))
                chunk = inflater.unconsumed_tail
                if total > limit:
                    raise SeriesError(
                        f"{self.path}: deflated data grow beyond {limit} bytes from {size}; "
                        "that is no image. Re-export it uncompressed"
                    )
        self.seek(start)


def looks_like_dicom(path: Path) -> bool:
    """Whether a file claims to be DICOM: the ``DICM`` prefix, or a bare data set that starts with group 0002 or 0008."""
    with path.open("rb") as stream:
        return _claims_dicom(stream.read(132))


def _claims_dicom(start: bytes) -> bool:
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
    with guarded(f"{path}: cannot be read as DICOM"), _HeaderStream(path) as stream:
        return _read(stream)


def header_if_dicom(path: Path) -> Header | None:
    """The header of one file in one pass, None when it does not claim to be DICOM; raises as :func:`read_header`.

    Raises
    ------
    OSError
        The file cannot be opened.
    """
    with _HeaderStream(path) as stream:
        if not _claims_dicom(stream.peek(132)[:132]):
            return None
        with guarded(f"{path}: cannot be read as DICOM"):
            return _read(stream)


def _read(stream: _HeaderStream) -> Header:
    from pydicom.filereader import read_partial

    seen: list[tuple[int, str | None, int]] = []

    def at_pixels(tag: Any, vr: str | None, length: int) -> bool:
        if tag >> 16 == 0x7FE0 and int(tag) in _PIXEL_TAGS:
            seen.append((int(tag), vr, length))
            return True
        return False

    dataset = read_partial(stream, stop_when=at_pixels, force=True)
    syntax = get_text(dataset.file_meta, "TransferSyntaxUID")
    if not syntax:
        syntax = "1.2.840.10008.1.2" if dataset.original_encoding[0] else "1.2.840.10008.1.2.1"
        dataset.file_meta.TransferSyntaxUID = syntax
    pixels = _pixel_extent(stream, syntax, *seen[0]) if seen else None
    return Header(
        path=stream.path,
        dataset=dataset,
        pixels=pixels,
        transfer_syntax=syntax,
        has_prefix=dataset.preamble is not None,
        status=os.fstat(stream.fileno()),
    )


def _pixel_extent(stream: _HeaderStream, syntax: str, tag: int, vr: str | None, length: int) -> PixelExtent:
    if syntax == DEFLATED:  # the stream that was parsed is pydicom's inflated copy: its positions say nothing here
        return PixelExtent(declared=None if length == _UNDEFINED_LENGTH else length, available=None)
    size = stream.bytes_in_all()
    long_form = vr is not None and vr.encode() in _LONG_VRS
    start = stream.tell() + (12 if long_form else 8)
    if length != _UNDEFINED_LENGTH:
        held = max(0, min(length, size - start))
        return PixelExtent(declared=length, available=held, start=start if tag == _PIXEL_DATA else None)
    return _fragments(stream.file, start, size, big_endian=syntax == BIG_ENDIAN)


def _fragments(file: io.RawIOBase, start: int, size: int, *, big_endian: bool) -> PixelExtent:
    """Counted in the unbuffered file: eight bytes a fragment are wanted, not a buffer full."""
    layout = struct.Struct(">HHI" if big_endian else "<HHI")
    position = start
    items: list[tuple[int, int]] = []

    def extent(*, complete: bool) -> PixelExtent:
        total = sum(length for _, length in items)
        return PixelExtent(declared=None, available=total, items=tuple(items[1:]), complete=complete, start=start)

    while True:
        file.seek(position)
        head = file.read(8) or b""
        if len(head) < 8:
            return extent(complete=False)
        group, element, length = layout.unpack(head)
        if (group, element) == _SEQUENCE_END:
            return extent(complete=True)
        if (group, element) != _ITEM or position + 8 + length > size:
            return extent(complete=False)
        items.append((position + 8, length))
        position += 8 + length


# Typed getters ----------------------------------------------------------------------------------------------------------


def tag_name(keyword: str) -> str:
    """``PixelSpacing (0028,0030)``."""
    tag, _ = tag_and_vr(keyword)
    return f"{keyword} ({tag >> 16:04X},{tag & 0xFFFF:04X})"


def _unconverted(dataset: Any, keyword: str) -> str | None:
    """The value as text where no conversion is needed, ``""`` when absent, None when pydicom has to convert it."""
    tag, vr = tag_and_vr(keyword)
    element = dataset.get_item(tag, keep_deferred=True)
    if element is None:
        return ""
    return unconverted_text(element, vr) if element.is_raw else None


def _raw(dataset: Any, keyword: str) -> Any:
    with guarded(f"{tag_name(keyword)} cannot be decoded"):
        return dataset.get(keyword)


def get_text(dataset: Any, keyword: str) -> str:
    """The value as text without padding, values joined by a backslash; ``""`` when absent or empty."""
    text = _unconverted(dataset, keyword)
    if text is not None:
        return text
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
    text = _unconverted(dataset, keyword)
    value = _raw(dataset, keyword) if text is None else text
    if value is None or value == "":
        return None
    if text is not None:
        value = text.split("\\")
    values = list(value) if hasattr(value, "__iter__") and not isinstance(value, str | bytes) else [value]
    if not values:
        return None
    if len(values) != count:
        raise SeriesError(f"{tag_name(keyword)} holds {len(values)} values where {count} are needed: {_shown(values)}")
    return tuple(_number(v, keyword, values) for v in values)


def _number(value: Any, keyword: str, values: list[Any]) -> float:
    text = str(value).strip()
    try:
        number = math.nan if "_" in text else float(text)  # Python reads 1_0 as 10
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
    if dataset.get_item(tag_and_vr(keyword)[0], keep_deferred=True) is None:
        return []
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
    pixels, dataset = header.pixels, header.dataset
    a_frame = (get_integer(dataset, "Rows") or 0) * (get_integer(dataset, "Columns") or 0)
    if pixels is None:
        return "truncated or not an image: no Pixel Data (7FE0,0010)"
    if not pixels.complete:
        return f"truncated: the compressed pixel data end after {pixels.available} bytes without their delimiter"
    if header.transfer_syntax not in UNCOMPRESSED:
        if pixels.fragments < frames:
            return f"truncated: {pixels.fragments} compressed fragments where {frames} frames are needed"
        longest = max(get_integer(dataset, "Rows") or 0, get_integer(dataset, "Columns") or 0)
        if longest > _MOST_PIXELS_A_SIDE or a_frame * frames > _MOST_PIXELS_A_FILE:
            return f"Rows x Columns x frames state {a_frame} x {frames} pixels; that is no CT or MR image"
        return ""
    samples = get_integer(dataset, "SamplesPerPixel") or 1
    needed = (a_frame * (get_integer(dataset, "BitsAllocated") or 0) * samples * frames + 7) // 8
    held = min(n for n in (pixels.declared, pixels.available, needed) if n is not None)
    if get_text(dataset, "PhotometricInterpretation") == "YBR_FULL_422":
        return ""  # two thirds of the length; colour is refused later anyway
    if held < needed:
        return f"truncated: {held} bytes of pixel data where {needed} are needed"
    padded = needed + needed % 2
    if frames > 1 and pixels.declared is not None and pixels.declared >= padded + max(1, needed // frames):
        return f"{pixels.declared} bytes of pixel data where NumberOfFrames {frames} needs {needed}; frames are not described"
    return ""
