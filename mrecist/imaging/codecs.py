"""Compressed frames to stored values, by decoders that were chosen, not found. Runs in a decoder process only.

pydicom tries whatever is installed, python-gdcm first, which aborts the interpreter on some damaged frames; so each transfer
syntax names its decoder here, and all of them are part of the installation. JPEG lossless and 12-bit JPEG go through
SimpleITK (its GDCM): the frame alone is put into a file without rescale, so that what comes back are the stored values.

Sources: PS3.5 Annex A (transfer syntaxes), Annex G (RLE), section 8.1.1 (bits stored).
"""

from __future__ import annotations

import struct
from dataclasses import dataclass
from functools import lru_cache
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

RLE = "1.2.840.10008.1.2.5"
SIMPLEITK = "SimpleITK"
DECODERS: dict[str, str] = {
    RLE: "Pillow",  # pylibjpeg-rle panics on damaged data
    "1.2.840.10008.1.2.4.50": "pillow",  # JPEG baseline
    "1.2.840.10008.1.2.4.51": SIMPLEITK,  # JPEG extended, 12 bit
    "1.2.840.10008.1.2.4.57": SIMPLEITK,  # JPEG lossless
    "1.2.840.10008.1.2.4.70": SIMPLEITK,  # JPEG lossless, first-order prediction
    "1.2.840.10008.1.2.4.80": "pyjpegls",
    "1.2.840.10008.1.2.4.81": "pyjpegls",
    "1.2.840.10008.1.2.4.90": "pylibjpeg",
    "1.2.840.10008.1.2.4.91": "pylibjpeg",
    "1.2.840.10008.1.2.4.201": "pylibjpeg",
    "1.2.840.10008.1.2.4.202": "pylibjpeg",
    "1.2.840.10008.1.2.4.203": "pylibjpeg",
}
"""Transfer syntax -> decoder: SimpleITK, Pillow for RLE, else a plugin of pydicom."""

_PIXEL_DATA = struct.pack("<HH2sHI", 0x7FE0, 0x0010, b"OB", 0, 0xFFFFFFFF)
_SEQUENCE_END = struct.pack("<HHI", 0xFFFE, 0xE0DD, 0)


@dataclass(frozen=True, slots=True, kw_only=True)
class FrameFormat:
    """How the header says that one frame was written; see :class:`mrecist.imaging.layout.PixelLayout`."""

    syntax: str
    rows: int
    columns: int
    allocated: int
    stored: int
    signed: bool
    photometric: str


def decode(form: FrameFormat, data: bytes, folder: Path) -> npt.NDArray[Any]:
    """Stored values (rows, columns) of one compressed frame; ``folder`` is for files of this process alone.

    Raises whatever the decoder raises; a damaged frame may also end the process.
    """
    decoder = DECODERS[form.syntax]
    if decoder == "Pillow":
        return _rle(form, data)
    return _simpleitk(form, data, folder) if decoder == SIMPLEITK else _pydicom(form, data, decoder)


def _pydicom(form: FrameFormat, data: bytes, plugin: str) -> npt.NDArray[Any]:
    from pydicom.encaps import encapsulate
    from pydicom.pixels import get_decoder

    array, _ = get_decoder(form.syntax).as_array(
        encapsulate([data], has_bot=False),
        index=0,
        raw=True,
        decoding_plugin=plugin,
        rows=form.rows,
        columns=form.columns,
        number_of_frames=1,
        samples_per_pixel=1,
        bits_allocated=form.allocated,
        bits_stored=form.stored,
        pixel_representation=int(form.signed),
        photometric_interpretation=form.photometric or "MONOCHROME2",
        pixel_keyword="PixelData",
    )
    return np.asarray(array)


def _simpleitk(form: FrameFormat, data: bytes, folder: Path) -> npt.NDArray[Any]:
    import SimpleITK as sitk  # noqa: N813 - the name its documentation uses
    from pydicom.encaps import encapsulate

    path = folder / "frame.dcm"
    try:
        path.write_bytes(_file_without_pixels(form) + _PIXEL_DATA + encapsulate([data], has_bot=False) + _SEQUENCE_END)
        reader = sitk.ImageFileReader()
        reader.SetImageIO("GDCMImageIO")
        reader.SetFileName(str(path))
        array = sitk.GetArrayFromImage(reader.Execute())
    finally:
        path.unlink(missing_ok=True)
    return np.asarray(array[0] if array.ndim == 3 else array)


@lru_cache(maxsize=4)
def _file_without_pixels(form: FrameFormat) -> bytes:
    """A DICOM file up to its pixel data, with nothing in it but what a decoder must know."""
    from pydicom.dataset import FileDataset, FileMetaDataset
    from pydicom.uid import SecondaryCaptureImageStorage

    meta = FileMetaDataset()
    meta.TransferSyntaxUID = form.syntax
    meta.MediaStorageSOPClassUID = SecondaryCaptureImageStorage
    meta.MediaStorageSOPInstanceUID = "1.2.3"
    ds = FileDataset("", {}, file_meta=meta, preamble=b"\0" * 128)
    ds.SOPClassUID, ds.SOPInstanceUID = SecondaryCaptureImageStorage, "1.2.3"
    ds.Rows, ds.Columns, ds.SamplesPerPixel, ds.PhotometricInterpretation = form.rows, form.columns, 1, "MONOCHROME2"
    ds.BitsAllocated, ds.BitsStored, ds.HighBit = form.allocated, form.stored, form.stored - 1
    ds.PixelRepresentation = int(form.signed)
    file = BytesIO()
    ds.save_as(file, enforce_file_format=True)
    return file.getvalue()


def _rle(form: FrameFormat, data: bytes) -> npt.NDArray[Any]:
    """RLE segments are PackBits, most significant byte first; Pillow reads PackBits, here as one long row.

    A binary segmentation (one bit a pixel, lowest bit first) is one segment of bits, which pydicom does not take.
    """
    pixels = form.rows * form.columns
    if form.allocated == 1:
        (bits,) = _segments(data, 1, (pixels + 7) // 8)
        return np.unpackbits(bits, bitorder="little", count=pixels).reshape(form.rows, form.columns)
    width = form.allocated // 8
    words = np.empty((pixels, width), dtype=np.uint8)
    for place, segment in enumerate(_segments(data, width, pixels)):
        words[:, width - 1 - place] = segment
    stored = words.view(f"<{'i' if form.signed else 'u'}{width}").reshape(form.rows, form.columns)
    return without_unused_bits(stored, form.allocated - form.stored)


def _segments(data: bytes, count: int, size: int) -> list[npt.NDArray[np.uint8]]:
    from PIL import Image

    if len(data) < 64:
        raise ValueError(f"{len(data)} bytes where the RLE header alone has 64")
    stated, *starts = struct.unpack("<16I", data[:64])
    if stated != count:
        raise ValueError(f"{stated} RLE segments where {count} are needed")
    ends = [*starts[1:count], len(data)]
    parts = [data[start:end] for start, end in zip(starts, ends, strict=False)]
    rows = [Image.frombytes("L", (size, 1), part, "packbits", "L") for part in parts]
    return [np.frombuffer(row.tobytes(), dtype=np.uint8) for row in rows]


def without_unused_bits(stored: npt.NDArray[Any], unused: int) -> npt.NDArray[Any]:
    """The lower bits of each word, with their own sign: bits above BitsStored may hold an overlay or nothing in particular."""
    if unused:
        np.left_shift(stored, unused, out=stored)
        np.right_shift(stored, unused, out=stored)
    return stored
