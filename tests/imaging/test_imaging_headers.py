"""Truncated, hostile and half-empty files: refused by name, never a traceback, and their series is not half a series."""

from __future__ import annotations

import contextlib
import os
import random
import struct
import zlib
from dataclasses import replace
from pathlib import Path

import numpy as np
import pydicom
import pytest
from build_series import Image, axial, dataset_of, set_raw, write
from pydicom.encaps import encapsulate
from pydicom.uid import JPEG2000Lossless, JPEGLSLossless, RLELossless

from mrecist.errors import InputError, SeriesError
from mrecist.imaging.headers import get_integer, get_number, get_numbers, read_header
from mrecist.imaging.pixels import codestream_size, decode_frame, open_pixels
from mrecist.imaging.records import time_of_day
from mrecist.imaging.scan import Scan, scan_folder
from mrecist.imaging.series import Verdict
from mrecist.imaging.volume import load_volume


def only_problem(scan: Scan) -> str:
    (problem,) = scan.problems
    return problem.reason


def test_truncated_pixels_are_a_problem_and_refuse_the_series(tmp_path: Path) -> None:
    """The last slice is cut short: without it no gap shows, so only the damaged file can tell."""
    last = write(tmp_path, axial(4))[-1]
    os.truncate(last, last.stat().st_size - 50)
    scan = scan_folder(tmp_path)
    assert only_problem(scan) == "truncated: 46 bytes of pixel data where 96 are needed"
    (series,) = scan.series
    assert (series.verdict, series.verdict_code, len(series.slices)) == (Verdict.REFUSED, "DAMAGED_FILE", 3)
    assert "0003.dcm: truncated: 46 bytes" in series.verdict_text
    with pytest.raises(SeriesError, match="DAMAGED_FILE"):
        load_volume(series)


@pytest.mark.parametrize("part", [0.2, 0.5, 0.7, 0.8, 0.85])
def test_truncated_header(part: float, tmp_path: Path) -> None:
    (path,) = write(tmp_path, axial(1))
    os.truncate(path, int(part * path.stat().st_size))
    scan = scan_folder(tmp_path)
    assert scan.series == ()
    assert "truncated" in only_problem(scan) or "cannot be read" in only_problem(scan)


def test_a_pixel_data_element_that_states_too_little(tmp_path: Path) -> None:
    (path,) = write(tmp_path, [replace(axial(1)[0], change=lambda ds: setattr(ds, "PixelData", b"\0" * 40))])
    assert only_problem(scan_folder(path.parent)) == "truncated: 40 bytes of pixel data where 96 are needed"


HOSTILE = [
    ({"PixelSpacing": [0.0, 0.7]}, "PixelSpacing (0028,0030) is not a spacing in mm: 0\\0.7"),
    ({"PixelSpacing": [0.7]}, "PixelSpacing (0028,0030) holds 1 values where 2 are needed"),
    ({"ImageOrientationPatient": [1, 0, 0]}, "ImageOrientationPatient (0020,0037) holds 3 values where 6 are needed"),
    ({"ImageOrientationPatient": [0] * 6}, "ImageOrientationPatient (0020,0037) is not two perpendicular unit vectors"),
    ({"ImageOrientationPatient": [1, 0, 0, 1, 0, 0]}, "is not two perpendicular unit vectors"),
    ({"ImagePositionPatient": None}, "no ImagePositionPatient (0020,0032)"),
    ({"PixelSpacing": None}, "no PixelSpacing (0028,0030)"),
]
RAW = [
    (0x00280030, "DS", b"6,0\\6,0 ", "PixelSpacing (0028,0030) is not a number: 6,0\\6,0"),
    (0x00280030, "DS", b"nan\\inf ", "PixelSpacing (0028,0030) is not finite: nan\\inf"),
    (0x00200032, "DS", b"1\\2\\inf ", "ImagePositionPatient (0020,0032) is not finite"),
]


@pytest.mark.parametrize(("tags", "text"), HOSTILE)
def test_geometry_that_is_refused_by_name(tags: dict[str, object], text: str, tmp_path: Path) -> None:
    write(tmp_path, axial(3, **tags))
    (series,) = scan_folder(tmp_path).series
    assert (series.verdict_code, series.geometry) == ("NO_GEOMETRY", None)
    assert text in series.verdict_text


@pytest.mark.parametrize(("tag", "vr", "value", "text"), RAW)
@pytest.mark.filterwarnings("ignore:Invalid value for VR")  # of the writing side, which is made to write it
def test_numbers_that_are_no_numbers(tag: int, vr: str, value: bytes, text: str, tmp_path: Path) -> None:
    write(tmp_path, [replace(im, change=set_raw(tag, vr, value)) for im in axial(3)])
    (series,) = scan_folder(tmp_path).series
    assert series.verdict_code == "NO_GEOMETRY"
    assert text in series.verdict_text


@pytest.mark.parametrize(
    ("tag", "vr", "value"),
    [(0x00280010, "DS", b"six "), (0x00280010, "US", b"\0\0"), (0x00280008, "IS", b"-3"), (0x00280010, "SQ", b"")],
)
def test_image_attributes_of_the_wrong_kind_are_problems(tag: int, vr: str, value: bytes, tmp_path: Path) -> None:
    write(tmp_path, [replace(axial(1)[0], change=set_raw(tag, vr, value))])
    scan = scan_folder(tmp_path)
    assert scan.series == ()
    assert len(scan.problems) == 1


def test_decimal_strings_with_leading_zeros_and_exponents() -> None:
    ds = pydicom.Dataset()
    ds.SliceThickness = "008.000000E+00"
    ds.PixelSpacing = ["006.953125E-01", "06.953125E-01"]
    ds.InstanceNumber = "000033"
    assert get_number(ds, "SliceThickness") == 8.0
    assert get_numbers(ds, "PixelSpacing", 2) == (0.6953125, 0.6953125)
    assert get_integer(ds, "InstanceNumber") == 33


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("000000", 0.0),
        ("145703.5", 53823.5),
        ("14:57:03", 53823.0),
        ("1457", 53820.0),
        ("14", 50400.0),
        ("", None),
        ("noon", None),
        ("12x000", None),
    ],
)
def test_time_of_day(text: str, seconds: float | None) -> None:
    assert time_of_day(text) == seconds


def test_deep_nesting_is_one_line(tmp_path: Path) -> None:
    """Explicit VR little endian: each level is a sequence and an item of undefined length, 20 bytes."""
    (path,) = write(tmp_path, axial(1))
    level = struct.pack("<HH2sHI", 0x0040, 0xA730, b"SQ", 0, 0xFFFFFFFF) + struct.pack(
        "<HHI", 0xFFFE, 0xE000, 0xFFFFFFFF
    )
    path.write_bytes(path.read_bytes()[:400] + level * 5000)
    scan = scan_folder(tmp_path)
    assert len(scan.problems) == 1
    assert "\n" not in only_problem(scan)


def test_deflate_bomb_is_refused_before_it_is_inflated(tmp_path: Path) -> None:
    ds = dataset_of(axial(1)[0], 0)
    ds.file_meta.TransferSyntaxUID = pydicom.uid.DeflatedExplicitVRLittleEndian
    ds.save_as(tmp_path / "plain.dcm", enforce_file_format=True)
    assert scan_folder(tmp_path).series[0].verdict_code == "SINGLE_SLICE"
    data = (tmp_path / "plain.dcm").read_bytes()
    start = 132 + 12 + struct.unpack("<I", data[140:144])[0]  # the value of (0002,0000), which counts what follows it
    packer = zlib.compressobj(wbits=-zlib.MAX_WBITS)
    zeros = b"".join(packer.compress(b"\0" * 2**20) for _ in range(80)) + packer.flush()
    (tmp_path / "bomb.dcm").write_bytes(data[:start] + zeros)
    assert "deflated data grow beyond" in only_problem(scan_folder(tmp_path))


def test_what_is_no_dicom_is_counted_and_what_claims_to_be_is_reported(tmp_path: Path) -> None:
    write(tmp_path / "a", axial(2))
    (tmp_path / "notes.txt").write_text("hello")
    (tmp_path / "empty").touch()
    (tmp_path / "picture.dcm").write_bytes(b"\x89PNG" * 100)
    (tmp_path / "empty.dcm").touch()
    (tmp_path / "prefix").write_bytes(b"\0" * 128 + b"DICM")
    scan = scan_folder(tmp_path)
    assert scan.ignored == 2
    assert [Path(p.path).name for p in scan.problems] == ["empty.dcm", "picture.dcm", "prefix"]
    assert [len(s.slices) for s in scan.series] == [2]


def test_links_fifos_and_missing_folders(tmp_path: Path) -> None:
    write(tmp_path / "a", axial(3))
    (tmp_path / "a" / "loop").symlink_to(tmp_path)
    (tmp_path / "a" / "gone").symlink_to(tmp_path / "nowhere")
    os.mkfifo(tmp_path / "pipe")
    scan = scan_folder(tmp_path)
    # A link to nothing may have been a slice: the series beside it says so.
    (series,) = scan.series
    assert len(series.slices) == 3
    assert series.notes == ("beside its slices lies what cannot be read (gone): a slice may be missing at an end",)
    assert only_problem(scan).startswith("cannot be opened")
    with pytest.raises(InputError, match="not a folder"):
        scan_folder(tmp_path / "nowhere")


def test_a_file_without_preamble_is_read(tmp_path: Path) -> None:
    (path,) = write(tmp_path, axial(1))
    path.write_bytes(path.read_bytes()[132:])
    assert [s.verdict_code for s in scan_folder(tmp_path).series] == ["SINGLE_SLICE"]


def test_empty_series_uid_falls_back_to_the_frame_of_reference(tmp_path: Path) -> None:
    write(tmp_path / "a", axial(3, SeriesInstanceUID=""))
    (series,) = scan_folder(tmp_path / "a").series
    assert series.verdict is Verdict.OK
    assert "SeriesInstanceUID is empty" in series.notes[0]
    write(tmp_path / "b", axial(3, SeriesInstanceUID="", FrameOfReferenceUID=""))
    assert scan_folder(tmp_path / "b").series[0].verdict_code == "NO_SERIES_UID"


@pytest.mark.parametrize(
    ("tags", "date", "source"),
    [
        ({}, "2020-01-31", "StudyDate"),
        ({"SeriesDate": "20200202"}, "2020-02-02", "SeriesDate"),
        ({"ContentDate": "20200203", "SeriesDate": "20200202"}, "2020-02-02", "SeriesDate"),
        ({"AcquisitionDate": "20200201", "SeriesDate": "20200202"}, "2020-02-01", "AcquisitionDate"),
        ({"AcquisitionDate": "", "ContentDate": "20200203"}, "2020-02-03", "ContentDate"),
        ({"StudyDate": ""}, None, ""),
    ],
)
def test_date_and_its_source(tags: dict[str, str], date: str | None, source: str, tmp_path: Path) -> None:
    write(tmp_path, axial(2, **tags))
    (series,) = scan_folder(tmp_path).series
    assert (series.date, series.date_source) == (date, source)


def test_dates_that_disagree_and_trial_identifiers(tmp_path: Path) -> None:
    tags = {"AcquisitionDate": "20200601", "ClinicalTrialSubjectID": "S-7", "ClinicalTrialTimePointID": "WEEK 8"}
    write(tmp_path, axial(2, **tags))
    (series,) = scan_folder(tmp_path).series
    assert series.notes == ("AcquisitionDate 2020-06-01 differs from StudyDate 2020-01-31: state the visit's date",)
    assert (series.subject, series.patient_id, series.timepoint_id) == ("S-7", "P1", "WEEK 8")


# Decoding ---------------------------------------------------------------------------------------------------------------


RAMP = np.arange(64 * 80, dtype=np.uint16).reshape(64, 80)  # the JPEG 2000 encoder takes no image below 32 pixels


def compressed(tmp_path: Path, syntax: str, frame: bytes | None = None) -> Path:
    ds = dataset_of(Image((0.0, 0.0, 0.0), 0, 1, {"Rows": 64, "Columns": 80}), 0)
    ds.PixelData = RAMP.tobytes()
    if frame is None:
        ds.compress(syntax, generate_instance_uid=False)
    else:
        ds.file_meta.TransferSyntaxUID = syntax
        ds.PixelData = encapsulate([frame])
        ds["PixelData"].VR = "OB"
    path = tmp_path / "c.dcm"
    ds.save_as(path, enforce_file_format=True)
    return path


@pytest.mark.parametrize("syntax", [RLELossless, JPEGLSLossless, JPEG2000Lossless])
def test_compressed_pixels_are_exact(syntax: str, tmp_path: Path) -> None:
    path = compressed(tmp_path, syntax)
    assert np.array_equal(decode_frame(open_pixels(path)), RAMP)


@pytest.mark.parametrize("syntax", [RLELossless, JPEGLSLossless, JPEG2000Lossless])
def test_damaged_compressed_pixels_are_one_line(syntax: str, tmp_path: Path) -> None:
    path = compressed(tmp_path, syntax, b"\xff\x4f\xff\x51garbage.")
    with pytest.raises(SeriesError) as caught:
        decode_frame(open_pixels(path))
    assert "\n" not in str(caught.value)


def test_cut_compressed_file_is_truncated(tmp_path: Path) -> None:
    path = compressed(tmp_path, RLELossless)
    os.truncate(path, path.stat().st_size - 10)
    assert "without their delimiter" in only_problem(scan_folder(tmp_path))


def test_a_codestream_of_another_size_is_refused_before_decoding(tmp_path: Path) -> None:
    huge = b"\xff\xd8\xff\xf7" + struct.pack(">HBHHB", 11, 16, 65535, 65535, 1) + b"\x01\x11\x00" + b"\xff\xd9"
    assert codestream_size(huge) == (65535, 65535)
    path = compressed(tmp_path, JPEGLSLossless, huge)
    with pytest.raises(SeriesError, match="compressed image is 65535 x 65535 where Rows x Columns are"):
        decode_frame(open_pixels(path))


def test_read_header_says_what_is_wrong(tmp_path: Path) -> None:
    path = tmp_path / "x.dcm"
    path.write_bytes(b"\0" * 128 + b"DICM" + b"\x02\x00\x00\x00UL\x04\x00\xff\xff")
    with pytest.raises(SeriesError, match=r"x\.dcm: cannot be read as DICOM"):
        read_header(path)


def test_random_damage_never_escapes_as_a_traceback(tmp_path: Path) -> None:
    """300 seeded mutations of a CT slice: every one ends as a series, a problem or an ignored file."""
    clean = write(tmp_path, axial(1))[0]
    original, generator = clean.read_bytes(), random.Random(20)
    for _ in range(300):
        data = bytearray(original)
        for _ in range(generator.choice([1, 3, 10])):
            place = generator.randrange(128, len(data) - 4)
            kind = generator.random()
            if kind < 0.6:
                data[place] = generator.randrange(256)
            elif kind < 0.8:
                data[place : place + 4] = b"\xff\xff\xff\xff"
            else:
                del data[place : place + generator.randrange(1, 9)]
        clean.write_bytes(data)
        scan = scan_folder(tmp_path)
        for series in scan.series:
            with contextlib.suppress(SeriesError):
                load_volume(series)
        assert len(scan.series) + len(scan.problems) + len(scan.others) + scan.ignored >= 1
