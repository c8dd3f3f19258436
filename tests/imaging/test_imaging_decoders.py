"""Every transfer syntax gives the stored values that another program encoded or decodes; damaged frames are one line.

The other programs: dcmtk (``dcmcjpeg`` encodes, ``dcmdjpeg`` decodes), pydicom's own decoders and encoders, NumPy.
"""

from __future__ import annotations

import random
import shutil
import struct
import subprocess
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pydicom
import pytest
from build_series import Image, axial, dataset_of
from pydicom.dataset import FileDataset
from pydicom.encaps import encapsulate, generate_frames
from pydicom.pixels import pixel_array
from pydicom.uid import (
    DeflatedExplicitVRLittleEndian,
    ExplicitVRBigEndian,
    ImplicitVRLittleEndian,
    JPEG2000Lossless,
    JPEGBaseline8Bit,
    JPEGLosslessSV1,
    JPEGLSLossless,
    RLELossless,
)

from mrecist.errors import SeriesError
from mrecist.imaging.pixels import decode_frame, open_pixels
from mrecist.imaging.scan import scan_folder
from mrecist.imaging.volume import load_volume

ROWS, COLUMNS = 48, 40
needs_dcmtk = pytest.mark.skipif(
    shutil.which("dcmcjpeg") is None, reason="dcmcjpeg of dcmtk, which encodes JPEG lossless, is not on this machine"
)


def stored_values(bits: int, signed: bool, frames: int = 1) -> npt.NDArray[Any]:
    """Waves and noise over the whole range of the type, its ends included."""
    low = -(1 << (bits - 1)) if signed else 0
    span = (1 << bits) - 1
    rng = np.random.default_rng(bits)
    y, x = np.mgrid[:ROWS, :COLUMNS]
    waves = (np.sin(x / 5) + np.cos(y / 7) + 2) / 4 + rng.normal(0, 0.004, (frames, ROWS, COLUMNS))
    values = low + np.clip(np.rint(waves * span), 0, span).astype(np.int64)
    values[:, 0, :2] = low, low + span
    return values


def dataset(values: npt.NDArray[Any], allocated: int, bits: int, signed: bool, **tags: Any) -> FileDataset:
    tags = {
        "Rows": ROWS,
        "Columns": COLUMNS,
        "BitsAllocated": allocated,
        "BitsStored": bits,
        "HighBit": bits - 1,
    } | tags
    ds = dataset_of(replace(axial(1)[0], tags={"PixelRepresentation": int(signed), **tags}), 0)
    if len(values) > 1:
        ds.NumberOfFrames = len(values)
    ds.PixelData = values.astype(f"<{'i' if signed else 'u'}{allocated // 8}").tobytes()
    ds["PixelData"].VR = "OW"
    return ds


def saved(ds: FileDataset, path: Path) -> Path:
    ds.save_as(path, enforce_file_format=True)
    return path


def dcmtk(ds: FileDataset, folder: Path, *options: str) -> Path:
    plain, packed = saved(ds, folder / "plain.dcm"), folder / "packed.dcm"
    subprocess.run(["dcmcjpeg", *options, str(plain), str(packed)], check=True, capture_output=True)
    return packed


def frames_of(path: Path) -> npt.NDArray[Any]:
    file = open_pixels(path)
    if file.layout.frames == 1:
        return decode_frame(file)[None]
    return np.stack([decode_frame(file, i) for i in range(file.layout.frames)])


KINDS = [(8, 8, False), (8, 8, True), (16, 10, False), (16, 12, False), (16, 12, True), (16, 16, False), (16, 16, True)]


@needs_dcmtk
@pytest.mark.parametrize("frames", [1, 3])
@pytest.mark.parametrize(("allocated", "bits", "signed"), KINDS)
@pytest.mark.parametrize("options", [["+e1"], ["+el", "+sv", "6"]], ids=["SV1", "SV6"])
def test_jpeg_lossless_is_exact(
    options: list[str], allocated: int, bits: int, signed: bool, frames: int, tmp_path: Path
) -> None:
    values = stored_values(bits, signed, frames)
    path = dcmtk(dataset(values, allocated, bits, signed, RescaleSlope=2, RescaleIntercept=-7), tmp_path, *options)
    found = frames_of(path)
    assert np.array_equal(found, values)
    assert found.dtype == np.dtype(f"{'i' if signed else 'u'}{allocated // 8}")


@needs_dcmtk
@pytest.mark.parametrize("predictor", range(1, 8))
def test_every_predictor_of_jpeg_lossless(predictor: int, tmp_path: Path) -> None:
    values = stored_values(12, False)
    path = dcmtk(dataset(values, 16, 12, False), tmp_path, "+el", "+sv", str(predictor))
    assert np.array_equal(frames_of(path), values)


@needs_dcmtk
@pytest.mark.parametrize("quality", ["70", "95"])
def test_twelve_bit_jpeg_is_what_dcmtk_decodes(quality: str, tmp_path: Path) -> None:
    path = dcmtk(dataset(stored_values(12, False, 2), 16, 12, False), tmp_path, "+ee", "+q", quality)
    decoded = tmp_path / "decoded.dcm"
    subprocess.run(["dcmdjpeg", str(path), str(decoded)], check=True, capture_output=True)
    assert pydicom.dcmread(path).file_meta.TransferSyntaxUID == "1.2.840.10008.1.2.4.51"
    assert np.array_equal(frames_of(path), pydicom.dcmread(decoded).pixel_array)


@needs_dcmtk
def test_jpeg_baseline_is_what_dcmtk_decodes_within_one(tmp_path: Path) -> None:
    """Two programs may round the cosine transform of lossy JPEG differently, by one."""
    path = dcmtk(dataset(stored_values(8, False), 8, 8, False), tmp_path, "+eb")
    decoded = tmp_path / "decoded.dcm"
    subprocess.run(["dcmdjpeg", str(path), str(decoded)], check=True, capture_output=True)
    assert pydicom.dcmread(path).file_meta.TransferSyntaxUID == JPEGBaseline8Bit
    difference = frames_of(path).astype(int) - pydicom.dcmread(decoded).pixel_array
    assert np.abs(difference).max() <= 1


@pytest.mark.parametrize("frames", [1, 3])
@pytest.mark.parametrize(("allocated", "bits", "signed"), KINDS)
@pytest.mark.parametrize("syntax", [RLELossless, JPEGLSLossless, JPEG2000Lossless], ids=["RLE", "LS", "2000"])
def test_lossless_syntaxes_are_exact(
    syntax: str, allocated: int, bits: int, signed: bool, frames: int, tmp_path: Path
) -> None:
    values = stored_values(bits, signed, frames)
    ds = dataset(values, allocated, bits, signed)
    ds.compress(syntax, generate_instance_uid=False)
    path = saved(ds, tmp_path / "c.dcm")
    assert np.array_equal(frames_of(path), values)


def rle(*segments: bytes) -> bytes:
    starts = [64 + sum(len(s) for s in segments[:i]) for i in range(len(segments))]
    return struct.pack("<16I", len(segments), *starts, *[0] * (15 - len(segments))) + b"".join(segments)


def packed(frame: bytes, syntax: str, folder: Path, **tags: Any) -> Path:
    ds = dataset_of(Image((0.0, 0.0, 0.0), 0, 1, {"Rows": ROWS, "Columns": COLUMNS, **tags}), 0)
    ds.file_meta.TransferSyntaxUID = syntax
    ds.PixelData = encapsulate([frame])
    ds["PixelData"].VR = "OB"
    return saved(ds, folder / "p.dcm")


def test_rle_runs_may_cross_rows_and_hold_no_operation(tmp_path: Path) -> None:
    """Written by hand after PS3.5 G.3.1: 0x80 does nothing, 0x81 repeats 128 times, so 15 runs make 48 x 40."""
    run = b"\x80" + b"\x81\x07" * 15
    path = packed(rle(run + b"\x00", b"\x81\x09" * 15), RLELossless, tmp_path)
    assert (frames_of(path) == 0x0709).all()


@pytest.mark.parametrize(
    "frame",
    [
        b"\0" * 10,
        rle(b"\x81\x07" * 15),
        rle(b"\x81\x07" * 15, b"\x81\x07" * 14),
        rle(b"\x81\x07" * 15, b"\x7f" + b"a" * 20),
        struct.pack("<16I", 2, 64, 2**31, *[0] * 13) + b"\x81\x07" * 30,
    ],
    ids=["short header", "one segment of two", "run too few", "literal cut", "offset outside"],
)
def test_damaged_rle_is_one_line(frame: bytes, tmp_path: Path) -> None:
    path = packed(frame, RLELossless, tmp_path)
    with pytest.raises(SeriesError, match=r"p\.dcm: pixel data cannot be decoded: RLE Lossless") as caught:
        decode_frame(open_pixels(path))
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("syntax", [RLELossless, JPEGLSLossless, JPEG2000Lossless, JPEGLosslessSV1])
def test_random_damage_is_values_or_one_line(syntax: str, tmp_path: Path) -> None:
    """Six seeded mutations of a frame; whatever a decoder does to its process, the intact frame is decoded after each."""
    values = stored_values(12, False)
    ds = dataset(values, 16, 12, False)
    if syntax == JPEGLosslessSV1:
        if shutil.which("dcmcjpeg") is None:
            pytest.skip("dcmcjpeg of dcmtk, which encodes JPEG lossless, is not on this machine")
        ds = pydicom.dcmread(dcmtk(ds, tmp_path, "+e1"))
    else:
        ds.compress(syntax, generate_instance_uid=False)
    intact = saved(ds, tmp_path / "intact.dcm")
    (frame,) = generate_frames(ds.PixelData, number_of_frames=1)
    generator = random.Random(f"{syntax} 3")
    refused = decoded = 0
    for _ in range(6):
        data = bytearray(frame)
        for _ in range(generator.choice([1, 5, 40])):
            data[generator.randrange(len(data))] = generator.randrange(256)
        path = packed(bytes(data[: generator.choice([len(data), len(data) // 2])]), syntax, tmp_path, BitsStored=12)
        try:
            assert decode_frame(open_pixels(path)).shape == (ROWS, COLUMNS)
        except SeriesError as error:
            refused += str(error).startswith(str(path)) and "\n" not in str(error)
        else:
            decoded += 1
    assert np.array_equal(frames_of(intact), values[:1])
    assert refused + decoded == 6
    assert refused > 0


def test_a_syntax_without_a_decoder_is_named(tmp_path: Path) -> None:
    path = packed(b"\0\0", "1.2.840.10008.1.2.4.100", tmp_path)  # MPEG-2
    with pytest.raises(SeriesError, match=r"MPEG2 .* \(1\.2\.840\.10008\.1\.2\.4\.100\) cannot be decoded; re-export"):
        open_pixels(path)


def test_frames_in_several_fragments(tmp_path: Path) -> None:
    """Two frames in five fragments: a basic offset table says where each begins (PS3.5 A.4)."""
    values = stored_values(12, False, 2)
    ds = dataset(values, 16, 12, False)
    ds.compress(JPEGLSLossless, generate_instance_uid=False)
    frames = list(generate_frames(ds.PixelData, number_of_frames=2))
    pieces = [[f[:100], f[100:]] if i else [f[:60], f[60:90], f[90:]] for i, f in enumerate(frames)]
    items, offsets = b"", []
    for parts in pieces:
        offsets.append(len(items))
        items += b"".join(struct.pack("<HHI", 0xFFFE, 0xE000, len(p)) + p for p in parts)
    ds.PixelData = struct.pack("<HHI", 0xFFFE, 0xE000, 8) + struct.pack("<2I", *offsets) + items
    assert np.array_equal(frames_of(saved(ds, tmp_path / "f.dcm")), values)
    ds = dataset(values[:1], 16, 12, False)
    ds.file_meta.TransferSyntaxUID = JPEGLSLossless
    ds.PixelData = encapsulate([frames[0]], fragments_per_frame=3)
    ds["PixelData"].VR = "OB"
    assert np.array_equal(frames_of(saved(ds, tmp_path / "g.dcm")), values[:1])


# Uncompressed -----------------------------------------------------------------------------------------------------------


PLAIN = [*KINDS, (32, 32, False), (32, 20, True), (16, 1, False), (16, 9, True)]


@pytest.mark.parametrize("frames", [1, 3])
@pytest.mark.parametrize(("allocated", "bits", "signed"), PLAIN)
def test_plain_values_with_rubbish_in_the_unused_bits(
    allocated: int, bits: int, signed: bool, frames: int, tmp_path: Path
) -> None:
    """An overlay may live above BitsStored; pydicom 3 and the sign rule of PS3.5 8.1.1 agree on what is left."""
    values = stored_values(bits, signed, frames)
    rubbish = np.random.default_rng(1).integers(0, 1 << (allocated - bits), values.shape) << bits
    words = (values & ((1 << bits) - 1)) | rubbish
    ds = dataset(np.zeros_like(values), allocated, bits, signed)
    ds.PixelData = words.astype(f"<u{allocated // 8}").tobytes()
    path = saved(ds, tmp_path / "p.dcm")
    assert np.array_equal(frames_of(path), values)
    assert np.array_equal(pydicom.dcmread(path).pixel_array.reshape(values.shape), values)


@pytest.mark.parametrize("syntax", [ImplicitVRLittleEndian, DeflatedExplicitVRLittleEndian, ExplicitVRBigEndian])
@pytest.mark.parametrize(("allocated", "bits", "signed"), [(8, 8, False), (8, 8, True), (16, 12, True), (32, 32, True)])
@pytest.mark.parametrize("frames", [1, 2])
def test_other_uncompressed_syntaxes(
    frames: int, allocated: int, bits: int, signed: bool, syntax: str, tmp_path: Path
) -> None:
    values = stored_values(bits, signed, frames)
    ds = dataset(values, allocated, bits, signed)
    ds.file_meta.TransferSyntaxUID = syntax
    if syntax == ExplicitVRBigEndian:
        order = ">u2" if allocated == 8 else f">u{allocated // 8}"  # OW: bytes are swapped in pairs (PS3.5 7.3)
        ds.PixelData = np.frombuffer(ds.PixelData, dtype=order.replace(">", "<")).astype(order).tobytes()
    path = tmp_path / "p.dcm"
    little, implicit = syntax != ExplicitVRBigEndian, syntax == ImplicitVRLittleEndian
    pydicom.dcmwrite(path, ds, little_endian=little, implicit_vr=implicit, enforce_file_format=True)
    assert np.array_equal(frames_of(path), values)
    reference = pixel_array(pydicom.dcmread(path), raw=True)
    assert np.array_equal(reference.reshape(values.shape), values)


def test_one_bit_a_pixel_runs_on_between_frames(tmp_path: Path) -> None:
    """5 x 7 pixels: the second frame begins in the middle of a byte (PS3.5 8.1.1)."""
    values = np.random.default_rng(2).integers(0, 2, (3, 5, 7))
    ds = dataset(values, 8, 8, False, Rows=5, Columns=7)
    ds.BitsAllocated = ds.BitsStored = 1
    ds.HighBit = 0
    ds.PixelData = np.packbits(values.reshape(-1).astype(np.uint8), bitorder="little").tobytes()
    assert np.array_equal(frames_of(saved(ds, tmp_path / "p.dcm")), values)


def test_values_in_the_upper_bits_are_refused(tmp_path: Path) -> None:
    """HighBit 15 with BitsStored 12 puts the values into the upper bits (retired) or is wrong: nobody can tell."""
    ds = dataset(stored_values(12, False), 16, 12, False, HighBit=15)
    saved(ds, tmp_path / "p.dcm")
    (series,) = scan_folder(tmp_path).series
    with pytest.raises(SeriesError, match=r"HighBit \(0028,0102\) is 15 where BitsStored 12 needs 11"):
        load_volume(series)
