"""Text taken from unconverted elements is what pydicom's own conversion gives; pydicom is the reference."""

from __future__ import annotations

import io
import warnings
from collections.abc import Sequence
from typing import Any

import pydicom
import pytest
from pydicom.dataelem import RawDataElement
from pydicom.tag import Tag

from mrecist.imaging.headers import get_text
from mrecist.imaging.raw_values import tag_and_vr, unconverted_text

KEYWORDS = {
    "CS": "Modality",
    "DA": "StudyDate",
    "DS": "PixelSpacing",
    "IS": "InstanceNumber",
    "LO": "SeriesDescription",
    "LT": "PatientComments",
    "PN": "PatientName",
    "SH": "AccessionNumber",
    "ST": "InstitutionAddress",
    "TM": "StudyTime",
    "UI": "SOPInstanceUID",
}
VALUES = {
    "DS": [b"", b"0.5 ", b"0.5\\0.7", b" 1.0\\2 ", b"008.0E+00", b"-1"],
    "IS": [b"", b"12", b" 12 ", b"-3\\4 "],
    "DA": [b"", b"20240131"],
    "TM": [b"", b"101112.5", b"1011"],
    "UI": [b"", b"1.2.840\0", b"1.2\\1.3\0"],
    "PN": [b"", b"A^B ", b"A^B^^", b"A^B\\C^D"],
}
TEXTS = [b"", b"A", b"A ", b" A ", b"A\\B ", b"A B\\ C", b"A\\\\B", b"trailing\0"]
CASES = [(vr, value) for vr in KEYWORDS for value in VALUES.get(vr, TEXTS)]


@pytest.mark.parametrize("implicit", [False, True])
@pytest.mark.parametrize(("vr", "value"), CASES)
def test_the_text_is_pydicoms(vr: str, value: bytes, implicit: bool) -> None:
    tag, dictionary_vr = tag_and_vr(KEYWORDS[vr])
    assert dictionary_vr == vr
    raw = RawDataElement(Tag(tag), None if implicit else vr, len(value), value or None, 0, implicit, True)
    assert unconverted_text(raw, dictionary_vr) is not None or (not value and vr in ("LT", "ST"))
    dataset = pydicom.Dataset()
    dataset[tag] = raw
    text = get_text(dataset, KEYWORDS[vr])
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        converted = dataset[tag].value
    assert text == _joined(converted)


def _joined(value: Any) -> str:
    many = value if isinstance(value, Sequence) and not isinstance(value, str) else [value]
    return "\\".join("" if part is None else str(part).strip(" \0") for part in many)


@pytest.mark.parametrize("little", [True, False])
def test_an_unsigned_short_in_both_byte_orders(little: bool) -> None:
    raw = RawDataElement(Tag(0x00280010), "US", 2, b"\x01\x02", 0, False, little)
    assert unconverted_text(raw, "US") == ("513" if little else "258")


@pytest.mark.parametrize(
    ("vr", "value"),
    [
        ("LO", b"L\xe4sion "),  # another character set
        ("LO", b"\x1b$)Cabc"),  # an escape sequence in ASCII
        ("PN", b"A^B=C^D "),  # ideographic components
        ("US", b"\x01\x02\x03\x04"),
        ("UN", b"AB"),
        ("SQ", b"AB"),
    ],
)
def test_what_needs_conversion_is_left_to_pydicom(vr: str, value: bytes) -> None:
    raw = RawDataElement(Tag(0x00081030), vr, len(value), value, 0, False, True)
    assert unconverted_text(raw, "LO") is None


def test_a_read_without_a_length_and_one_of_four_gigabytes(tmp_path: Any) -> None:
    from mrecist.imaging.headers import _HeaderStream

    path = tmp_path / "x"
    path.write_bytes(b"abc" * 100)
    with _HeaderStream(path) as stream:
        assert stream.read(10) == b"abcabcabca"
        assert stream.read(0xFFFFFFFE) == (b"abc" * 100)[10:]
        assert stream.read(0xFFFFFFFE) == b""
    assert isinstance(stream, io.BufferedReader)
