"""Stored pixel values of one frame, by decoders that were chosen, not found.

pydicom tries whatever is installed, python-gdcm first, which aborts the interpreter on some damaged frames. Each transfer
syntax therefore names its decoder here. JPEG lossless and 12-bit JPEG have no permissively licensed decoder but gdcm; they
need the ``codecs`` extra. The size in a codestream is compared with Rows and Columns before anything is decoded, because a
header of 65535 x 65535 costs minutes and gigabytes.

Source: PS3.5 Annex A; JPEG (ITU-T T.81) and JPEG-LS (T.87) SOF segments, JPEG 2000 (T.800) SIZ segment.
"""

from __future__ import annotations

import importlib.util
import struct
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from mrecist.errors import InputError, SeriesError
from mrecist.imaging.headers import BIG_ENDIAN, UNCOMPRESSED, guarded, pixel_problem, read_header

_RLE = "1.2.840.10008.1.2.5"
_JPEG_BASELINE = "1.2.840.10008.1.2.4.50"
PLUGINS: dict[str, str] = {
    _RLE: "pydicom",  # RLE; pylibjpeg-rle panics on damaged data
    _JPEG_BASELINE: "pillow",
    "1.2.840.10008.1.2.4.51": "gdcm",  # JPEG extended, 12 bit
    "1.2.840.10008.1.2.4.57": "gdcm",  # JPEG lossless
    "1.2.840.10008.1.2.4.70": "gdcm",  # JPEG lossless, first-order prediction
    "1.2.840.10008.1.2.4.80": "pyjpegls",
    "1.2.840.10008.1.2.4.81": "pyjpegls",
    "1.2.840.10008.1.2.4.90": "pylibjpeg",
    "1.2.840.10008.1.2.4.91": "pylibjpeg",
    "1.2.840.10008.1.2.4.201": "pylibjpeg",
    "1.2.840.10008.1.2.4.202": "pylibjpeg",
    "1.2.840.10008.1.2.4.203": "pylibjpeg",
}
_MODULES = {"gdcm": "gdcm", "pillow": "PIL", "pyjpegls": "jpeg_ls", "pylibjpeg": "openjpeg"}


def open_pixels(path: Path, error: type[InputError] = SeriesError) -> Any:
    """The whole data set of an image file whose pixel data are known to be complete.

    Raises
    ------
    ``error`` : the file cannot be read, its pixel data are truncated, or its transfer syntax has no decoder here.
    """
    from pydicom import dcmread

    with guarded(f"{path}: cannot be read", error):
        header = read_header(path)
        frames = int(header.dataset.get("NumberOfFrames") or 1)
        if problem := pixel_problem(header, frames=frames):
            raise error(f"{path}: {problem}; copy the file again")
        _plugin(header.transfer_syntax, path, error)
        dataset = dcmread(path, force=True)
        dataset.file_meta.TransferSyntaxUID = header.transfer_syntax
    return dataset


def _plugin(syntax: str, path: Path, error: type[InputError]) -> str:
    from pydicom.uid import UID

    if syntax in UNCOMPRESSED:
        return ""
    name, plugin = UID(syntax).name, PLUGINS.get(syntax)
    if plugin is None:
        raise error(f"{path}: transfer syntax {name} ({syntax}) cannot be decoded; re-export the series uncompressed")
    module = _MODULES.get(plugin)
    if module and importlib.util.find_spec(module) is None:
        extra = "mrecist[codecs]" if plugin == "gdcm" else "mrecist"
        raise error(f"{path}: transfer syntax {name} ({syntax}) needs the extra: pip install '{extra}'")
    return plugin


def decode_frame(
    dataset: Any, frame: int | None, path: Path, error: type[InputError] = SeriesError
) -> npt.NDArray[Any]:
    """Stored values (Y, X) of one frame (0-based; None: the only one) of a data set from :func:`open_pixels`."""
    from pydicom.pixels import pixel_array

    where = f"{path}" if frame is None else f"{path} frame {frame + 1}"
    syntax = str(dataset.file_meta.TransferSyntaxUID)
    rows, columns = int(dataset.Rows), int(dataset.Columns)
    with guarded(f"{where}: pixel data cannot be decoded", error):
        plugin = _plugin(syntax, path, error)
        if plugin:
            _check_codestream(dataset, frame or 0, (rows, columns), where, error)
        if plugin and syntax == _RLE and int(dataset.BitsAllocated) == 1:
            return _rle_bits(dataset, frame or 0, (rows, columns))
        if syntax in UNCOMPRESSED and syntax != BIG_ENDIAN and int(dataset.BitsAllocated) == 1:
            return _bits(dataset.PixelData, (frame or 0) * rows * columns, (rows, columns))
        array = pixel_array(dataset, index=frame or 0, raw=True, decoding_plugin=plugin)
        if array.shape != (rows, columns):
            raise error(f"{where}: decoded to {array.shape} where Rows x Columns are {(rows, columns)}")
    return np.asarray(array)


def _check_codestream(dataset: Any, frame: int, expected: tuple[int, int], where: str, error: type[InputError]) -> None:
    from pydicom.encaps import get_frame

    frames = int(dataset.get("NumberOfFrames") or 1)
    size = codestream_size(get_frame(dataset.PixelData, frame, number_of_frames=frames))
    if size is not None and size != expected:
        raise error(f"{where}: the compressed image is {size[0]} x {size[1]} where Rows x Columns are {expected}")


def _bits(data: bytes, start: int, shape: tuple[int, int]) -> npt.NDArray[np.uint8]:
    """One frame of a binary segmentation that begins at bit ``start``: frames follow one another without padding (PS3.5 8.1.1).

    pydicom 3.0 fails on a frame that begins and ends within a byte.
    """
    count, first = shape[0] * shape[1], start // 8
    packed = np.frombuffer(data[first : (start + count + 7) // 8], dtype=np.uint8)
    return np.unpackbits(packed, bitorder="little")[start - 8 * first :][:count].reshape(shape)


def _rle_bits(dataset: Any, frame: int, shape: tuple[int, int]) -> npt.NDArray[np.uint8]:
    """A binary segmentation in RLE, which no decoder of pydicom takes: one RLE segment of bits, lowest bit first.

    Source: PS3.5 Annex G (RLE), 8.1.1 (one bit a pixel).
    """
    from pydicom.encaps import get_frame

    data = get_frame(dataset.PixelData, frame, number_of_frames=int(dataset.get("NumberOfFrames") or 1))
    count, start = struct.unpack("<2I", data[:8])
    if count != 1:
        raise ValueError(f"{count} RLE segments where one bit a pixel needs 1")
    packed = np.frombuffer(_unpack_runs(data[start:], (shape[0] * shape[1] + 7) // 8), dtype=np.uint8)
    return np.unpackbits(packed, bitorder="little", count=shape[0] * shape[1]).reshape(shape)


def _unpack_runs(data: bytes, size: int) -> bytes:
    """``size`` bytes of PackBits; raises ValueError when the data end before."""
    out, position = bytearray(), 0
    while len(out) < size and position < len(data):
        head = data[position]
        if head < 128:
            out += data[position + 1 : position + 2 + head]
            position += 2 + head
        else:
            out += data[position + 1 : position + 2] * (257 - head if head > 128 else 0)
            position += 2 if head > 128 else 1
    if len(out) < size:
        raise ValueError(f"RLE data end after {len(out)} of {size} bytes")
    return bytes(out[:size])


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
