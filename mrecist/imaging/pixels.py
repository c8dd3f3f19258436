"""Stored pixel values of one frame: read from their place in the file, or decoded in a process that may die.

Uncompressed values need no decoder: they are read where they lie. Compressed frames are untrusted input to decoders written in
C and Rust, so they are decoded by :mod:`mrecist.imaging.decoder_pool`. The size in a codestream is compared with Rows and
Columns before, because a header of 65535 x 65535 costs minutes and gigabytes.

Source: PS3.5 Annex A; JPEG (ITU-T T.81) and JPEG-LS (T.87) SOF segments, JPEG 2000 (T.800) SIZ segment.
"""

from __future__ import annotations

import os
import struct
import threading
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
import numpy.typing as npt

from mrecist.errors import InputError, SeriesError
from mrecist.imaging.codecs import DECODERS, FrameFormat, without_unused_bits
from mrecist.imaging.decoder_pool import DecodeError, shared_pool
from mrecist.imaging.headers import BIG_ENDIAN, guarded, one_line, pixel_problem, read_header
from mrecist.imaging.layout import PixelLayout, layout_of, stamp_of
from mrecist.imaging.limits import check_size


@dataclass(slots=True, kw_only=True)
class PixelFile:
    """An image file whose pixel data are known to be complete; nothing of them is in memory.

    Parameters
    ----------
    path, layout : the file and how its pixel data lie in it.
    dataset : its header, without the pixel data; None when the layout was known from a scan.
    error : what a failure raises.
    """

    path: Path
    layout: PixelLayout
    dataset: Any = None
    error: type[InputError] = SeriesError
    _whole: Any = field(default=None, repr=False)
    _lock: Any = field(default_factory=threading.Lock, repr=False)

    def whole(self) -> Any:
        """The data set with its pixel data, by pydicom, for the few layouts that are not read in place."""
        from pydicom import dcmread

        with self._lock:
            if self._whole is not None:
                return self._whole
            dataset = dcmread(self.path, force=True)
            dataset.file_meta.TransferSyntaxUID = self.layout.syntax
            if self.layout.frames > 1:
                self._whole = dataset
            return dataset


def open_pixels(path: Path, error: type[InputError] = SeriesError) -> PixelFile:
    """Read the header of an image file and check that its pixel data are there and can be decoded.

    Raises
    ------
    ``error`` : the file cannot be read, its pixel data are truncated or too large, or its transfer syntax has no decoder.
    """
    with guarded(f"{path}: cannot be read", error):
        header = read_header(path)
        frames = int(header.dataset.get("NumberOfFrames") or 1)
        if problem := pixel_problem(header, frames=frames):
            raise error(f"{path}: {problem}; copy the file again")
        file = PixelFile(path=path, layout=layout_of(header), dataset=header.dataset, error=error)
        check_decodable(file)
    return file


def check_decodable(file: PixelFile) -> None:
    """Refuse, as ``file.error``, what has no decoder, is beyond the size limit, or has its bits in an unknown place."""
    layout, error = file.layout, file.error
    shape = (layout.frames, layout.rows, layout.columns)
    check_size(str(file.path), shape, max(layout.allocated, 1) * layout.samples / 8, error)
    if layout.is_compressed and layout.syntax not in DECODERS:
        name = _syntax_name(layout.syntax)
        raise error(f"{file.path}: transfer syntax {name} cannot be decoded; re-export the series uncompressed")
    if layout.is_plain and layout.high_bit and layout.high_bit != layout.stored - 1:
        raise error(
            f"{file.path}: HighBit (0028,0102) is {layout.high_bit} where BitsStored {layout.stored} needs "
            f"{layout.stored - 1}, so the place of the values in their words is unknown; re-export the series"
        )


def _syntax_name(syntax: str) -> str:
    from pydicom.uid import UID

    return f"{UID(syntax).name} ({syntax})"


def decode_frame(file: PixelFile, frame: int | None = None) -> npt.NDArray[Any]:
    """Stored values (Y, X) of one frame (0-based; None: the only one); may be called by several threads.

    Raises
    ------
    ``file.error`` : the frame is damaged, or decoding it takes more memory or time than the limits allow.
    """
    layout, index = file.layout, frame or 0
    where = f"{file.path}" if frame is None else f"{file.path} frame {frame + 1}"
    with one_line(f"{where}: pixel data cannot be decoded", file.error):
        if not layout.is_compressed and not layout.is_plain:
            array = _by_pydicom(file, index)
        else:
            with file.path.open("rb", buffering=0) as stream:
                if stamp_of(os.fstat(stream.fileno()))[:2] != layout.stamp[:2]:  # some mounts have no lasting inodes
                    raise file.error(f"{where}: changed since it was opened; scan again")
                array = _decoded(stream, file, index, where) if layout.is_compressed else _plain(stream, layout, index)
        if array.shape != (layout.rows, layout.columns):
            shape = (layout.rows, layout.columns)
            raise file.error(f"{where}: decoded to {array.shape} where Rows x Columns are {shape}")
    return array


def _by_pydicom(file: PixelFile, index: int) -> npt.NDArray[Any]:
    from pydicom.pixels import pixel_array

    return np.asarray(pixel_array(file.whole(), index=index, raw=True))


def _plain(stream: Any, layout: PixelLayout, index: int) -> npt.NDArray[Any]:
    """Values as they lie in the file; the frames of one bit a pixel follow one another without padding (PS3.5 8.1.1)."""
    pixels = layout.rows * layout.columns
    start = layout.start or 0
    if layout.allocated == 1:
        first, skipped = divmod(index * pixels, 8)
        packed = np.empty((skipped + pixels + 7) // 8, dtype=np.uint8)
        _fill(stream, start + first, packed)
        bits = np.unpackbits(packed, bitorder="little", count=skipped + pixels)
        return bits[skipped:].reshape(layout.rows, layout.columns)
    width = layout.allocated // 8
    order = ">" if layout.syntax == BIG_ENDIAN else "<"
    stored = np.empty((layout.rows, layout.columns), dtype=f"{order}{'i' if layout.signed else 'u'}{width}")
    _fill(stream, start + index * stored.nbytes, stored)
    return without_unused_bits(stored, layout.allocated - layout.stored)


def _fill(stream: Any, start: int, target: npt.NDArray[Any]) -> None:
    stream.seek(start)
    view = target.reshape(-1).view(np.uint8).data
    done = 0
    while done < len(view):
        count = stream.readinto(view[done:])
        if not count:
            raise EOFError(f"the file ends after {done} of {len(view)} bytes of the frame")
        done += count


def _decoded(stream: BinaryIO, file: PixelFile, index: int, where: str) -> npt.NDArray[Any]:
    layout = file.layout
    data = encoded_frame(stream, layout, index)
    size = codestream_size(data)
    if size is not None and size != (layout.rows, layout.columns):
        expected = (layout.rows, layout.columns)
        raise file.error(f"{where}: the compressed image is {size[0]} x {size[1]} where Rows x Columns are {expected}")
    form = FrameFormat(
        syntax=layout.syntax,
        rows=layout.rows,
        columns=layout.columns,
        allocated=layout.allocated,
        stored=layout.stored,
        signed=layout.signed,
        photometric=layout.photometric,
    )
    try:
        return shared_pool().decode(form, data)
    except DecodeError as failure:
        name = _syntax_name(layout.syntax)
        raise file.error(f"{where}: pixel data cannot be decoded: {name}: {failure}") from None


def encoded_frame(stream: BinaryIO, layout: PixelLayout, index: int) -> bytes:
    """The compressed bytes of one frame: its fragments joined (PS3.5 A.4)."""
    if layout.frames != 1 and layout.frames != len(layout.items):
        from pydicom.encaps import get_frame

        stream.seek(layout.start or 0)
        return bytes(get_frame(stream, index, number_of_frames=layout.frames))
    parts = []
    for start, length in layout.items if layout.frames == 1 else layout.items[index : index + 1]:
        part = np.empty(length, dtype=np.uint8)
        _fill(stream, start, part)
        parts.append(part.tobytes())
    return b"".join(parts)


def codestream_size(data: bytes) -> tuple[int, int] | None:
    """(rows, columns) that a JPEG, JPEG-LS or JPEG 2000 codestream states; None when it is none of them (RLE)."""
    if data[:4] == b"\xff\x4f\xff\x51" and len(data) >= 24:
        width, height, left, top = struct.unpack(">4I", data[8:24])
        return height - top, width - left
    if data[:2] != b"\xff\xd8":
        return None
    position = 2
    while position + 9 <= len(data) and data[position] == 0xFF:
        marker = data[position + 1]
        if marker == 0xF7 or (0xC0 <= marker <= 0xCF and marker not in (0xC4, 0xC8, 0xCC)):
            height, width = struct.unpack(">2H", data[position + 5 : position + 9])
            return height, width
        position += 1 if marker == 0xFF else 2 + struct.unpack(">H", data[position + 2 : position + 4])[0]
    return None
