"""Whole or not: every cut of a real file is noticed but those that leave a valid data set."""

from __future__ import annotations

from pathlib import Path

import pydicom
import pytest
from dicom_objects import image, report, write
from pacs_commands import STUDY

from mrecist.pacs.folder import StudyFolder, check_identity, name_of
from mrecist.pacs.instance import InstanceError, MediaDirectoryError, inspect
from mrecist.pacs.query import FoundSeries, is_uid


def ends_of_elements(path: Path) -> set[int]:
    """Offsets behind each element of the data set, from a walk of the bytes (PS3.5 7.1.2, explicit little endian)."""
    data, ends = path.read_bytes(), set()
    at = 132
    while at < len(data):
        ends.add(at)
        vr = data[at + 4 : at + 6]
        if vr in (b"OB", b"OW", b"SQ", b"UN", b"UT", b"UC"):
            at += 12 + int.from_bytes(data[at + 8 : at + 12], "little")
        else:
            at += 8 + int.from_bytes(data[at + 6 : at + 8], "little")
    assert at == len(data)
    return ends


def cut_files(path: Path, tmp_path: Path, step: int) -> list[int]:
    """Lengths at which a cut file is taken for a whole one."""
    data, taken = path.read_bytes(), []
    for length in range(0, len(data), step):
        cut = tmp_path / "cut.dcm"
        cut.write_bytes(data[:length])
        try:
            inspect(cut)
        except InstanceError:
            continue
        taken.append(length)
    return taken


def test_a_report_cut_anywhere_but_between_two_elements(tmp_path: Path) -> None:
    path = write(report(), tmp_path / "sr.dcm")
    assert set(cut_files(path, tmp_path, 1)) <= ends_of_elements(path)


@pytest.mark.parametrize("kind", ["uncompressed", "JPEG-LS", "segmentation"])
def test_an_image_cut_anywhere(kind: str, tmp_path: Path) -> None:
    if kind == "uncompressed":
        path, step = write(image(), tmp_path / "ct.dcm"), 3
    elif kind == "JPEG-LS":
        path, step = next((STUDY / "images").rglob("*.dcm")), 61
    else:
        path, step = next((STUDY / "masks").glob("*.dcm")), 997
    inspect(path)
    assert cut_files(path, tmp_path, step) == []


def test_a_media_directory_is_no_instance(tmp_path: Path) -> None:
    one = image("1.2.840.10008.1.3.10")
    with pytest.raises(MediaDirectoryError):
        inspect(write(one, tmp_path / "DICOMDIR"))


@pytest.mark.parametrize("uid", ["..", ".", "1..2", ".1", "1.", "", "1.2/3", "1" * 65, "1.2\n", "\u0661.2", "a"])
def test_what_is_no_uid_is_no_name(uid: str) -> None:
    assert not is_uid(uid)
    name = name_of(uid)
    assert name.startswith("x")
    assert name[1:].isalnum()
    assert len(name) == 41


def test_uids_are_names() -> None:
    uid = "2.25." + "9" * 39
    assert name_of(uid) == uid
    assert name_of("../x") != name_of("../y")


def test_nothing_is_left_when_an_instance_is_refused(tmp_path: Path) -> None:
    one = image()
    series = FoundSeries(
        patient="P1",
        study_uid=one.StudyInstanceUID,
        series_uid=one.SeriesInstanceUID,
        date="",
        modality="CT",
        description="",
        number="",
        instances=None,
    )
    folder = StudyFolder(tmp_path / "s")
    data = write(one, tmp_path / "one.dcm").read_bytes()
    for bad in (b"", b"<html>", data[:-1], data[:200]):
        with pytest.raises(InstanceError):
            folder.take(bad, series, None)
    with pytest.raises(InstanceError, match="not one that the server listed"):
        folder.take(data, series, {"1.2.3"})
    assert [p for p in (tmp_path / "s").rglob("*") if p.is_file()] == []
    uid, kept = folder.take(data, series, {one.SOPInstanceUID})
    assert uid == one.SOPInstanceUID
    assert (tmp_path / "s" / kept.file).read_bytes() == data
    check_identity(inspect(tmp_path / "s" / kept.file), series, {uid})
    assert pydicom.dcmread(tmp_path / "s" / kept.file) == one
