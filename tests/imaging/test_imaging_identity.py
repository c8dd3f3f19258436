"""Every planted identifier is found by its tag and never printed; a clean study gives nothing."""

from __future__ import annotations

import csv
import io
import json
import shutil
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pydicom
import pytest
from build_seg import ENHANCING, Part, change_seg, write_seg
from build_series import Image, axial, dataset_of, write
from pydicom.dataset import Dataset
from pydicom.sequence import Sequence as Items
from pydicom.uid import ComprehensiveSRStorage

from mrecist.cli import main
from mrecist.errors import InputError
from mrecist.identity.check import check_identity
from mrecist.identity.finding import Finding, Severity, hint

Captured = pytest.CaptureFixture[str]
DECLARED = {
    "PatientID": "S-01",
    "PatientIdentityRemoved": "YES",
    "DeidentificationMethod": "a test",
    "LongitudinalTemporalInformationModified": "MODIFIED",
}
DAYS = ("20240110", "20240306")  # 56 days


def _tags(visit: int, phase: int) -> dict[str, Any]:
    return {
        **DECLARED,
        "StudyInstanceUID": f"2.25.{visit + 1}",
        "SeriesInstanceUID": f"2.25.{visit + 1}.{phase + 1}",
        "FrameOfReferenceUID": f"2.25.{visit + 1}.9",
        "StudyDate": DAYS[visit],
        "AcquisitionDate": DAYS[visit],
        "SeriesDate": DAYS[visit],
        "ContentDate": DAYS[visit],
        "AcquisitionTime": ("101030", "101105")[phase],
        "ContrastBolusStartTime": "101000",
        "ContrastBolusAgent": "AGENT",
        "SeriesDescription": ("LIVER ARTERIAL 5.0", "LIVER VENOUS 5.0")[phase],
        "ProtocolName": "Abdomen 3 Phases",
    }


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return build(tmp_path_factory.mktemp("clean"))


@pytest.fixture
def folder(built: Path, tmp_path: Path) -> Path:
    """A clean study of the test's own."""
    shutil.copytree(built, tmp_path / "study")
    return tmp_path / "study"


def build(folder: Path) -> Path:
    """Two visits of two phases, a segmentation and a report on each visit, declared as de-identified."""
    for visit in range(2):
        for phase in range(2):
            images = axial(3, phase=10 * visit + phase, **_tags(visit, phase))
            for image in images:
                image.uid = f"2.25.{visit + 1}.{phase + 1}.{image.stamp + 1}"
            paths = write(folder / f"v{visit}" / f"p{phase}", images)
        mask = np.zeros((3, 6, 8), bool)
        mask[1, 2:5, 2:6] = True
        seg = write_seg(folder / f"v{visit}" / "seg.dcm", paths, [Part(mask, uid="2.25.777", kind=ENHANCING)])
        change_seg(seg, lambda ds: [setattr(ds, k, v) for k, v in DECLARED.items()])
        report(folder / f"v{visit}" / "report.dcm", visit, "2.25.777", paths)
    return folder


def report(path: Path, visit: int, lesion: str, images: Sequence[Path]) -> None:
    ds = dataset_of(Image((0.0, 0.0, 0.0), 0, 1, {**_tags(visit, 0), "SOPClassUID": ComprehensiveSRStorage}), 0)
    for keyword in ("PixelData", "Rows", "Columns", "PixelSpacing", "ContrastBolusAgent", "ContrastBolusStartTime"):
        delattr(ds, keyword)
    ds.Modality, ds.SeriesInstanceUID = "SR", f"2.25.{visit + 1}.8"
    ds.SOPInstanceUID = ds.file_meta.MediaStorageSOPInstanceUID = f"2.25.{visit + 1}.8.1"
    ds.ContentSequence = Items(
        [
            _content("UIDREF", "112040", "Tracking Unique Identifier", UID=lesion),
            _content("TEXT", "112039", "Tracking Identifier", TextValue="T01"),
            _content("PNAME", "121008", "Person Observer Name", PersonName="R1"),
        ]
    )
    image = _content("IMAGE", "121112", "Source")
    reference = Dataset()
    reference.ReferencedSOPInstanceUID = pydicom.dcmread(images[0]).SOPInstanceUID
    image.ReferencedSOPSequence = Items([reference])
    ds.ContentSequence.append(image)
    ds.save_as(path, enforce_file_format=True)


def _content(kind: str, code: str, meaning: str, **values: str) -> Dataset:
    item, name = Dataset(), Dataset()
    name.CodeValue, name.CodingSchemeDesignator, name.CodeMeaning = code, "DCM", meaning
    item.ValueType, item.RelationshipType, item.ConceptNameCodeSequence = kind, "CONTAINS", Items([name])
    for keyword, value in values.items():
        setattr(item, keyword, value)
    return item


def test_a_clean_study_gives_nothing(folder: Path, capsys: Captured) -> None:
    assert check_identity(folder) == ()
    assert main(["check-identity", str(folder), "--json"]) == 0
    captured = capsys.readouterr()
    assert json.loads(captured.out) == []
    assert captured.err == "findings: 0 high, 0 medium, 0 low, 0 note\n"


def _set(keyword: str, value: Any) -> Callable[[Dataset], None]:
    return lambda ds: setattr(ds, keyword, value)


def _private(ds: Dataset) -> None:
    ds.private_block(0x0029, "ACME 1.0", create=True).add_new(0x10, "LO", "Secretname Jane")


def _nested_name(ds: Dataset) -> None:
    outer, inner = Dataset(), Dataset()
    inner.PersonName = "SECRETNAME^JANE"
    outer.ScheduledProtocolCodeSequence = Items([inner])
    ds.RequestAttributesSequence = Items([outer])


def _overlay(ds: Dataset) -> None:
    ds.add_new(0x60020010, "US", 6)
    ds.add_new(0x60020011, "US", 8)
    ds.add_new(0x60024000, "LO", "secretname, jane")
    ds.add_new(0x60023000, "OW", b"\x01" * 6)


def _report_text(ds: Dataset) -> None:
    ds.ContentSequence.append(_content("TEXT", "121106", "Comment", TextValue="told by Jane Secretname"))


CT, SR, SEG = "v1/p0/0001.dcm", "v0/report.dcm", "v0/seg.dcm"
PLANTED: list[tuple[str, Callable[[Dataset], None], str, str]] = [
    (CT, _set("PatientName", "SECRETNAME^JANE"), "PERSON_NAME", "PatientName (0010,0010)"),
    (CT, _set("ReferringPhysicianName", "SECRETNAME^JANE"), "PERSON_NAME", "ReferringPhysicianName (0008,0090)"),
    (CT, _nested_name, "PERSON_NAME", "PersonName (0040,A123)"),
    (CT, _set("OperatorsName", "SECRETNAME^JANE"), "READER_NAME", "OperatorsName (0008,1070)"),
    (SEG, _set("ContentCreatorName", "SECRETNAME^JANE"), "READER_NAME", "ContentCreatorName (0070,0084)"),
    (CT, _set("PatientBirthDate", "19511127"), "PATIENT_IDENTIFIER", "PatientBirthDate (0010,0030)"),
    (CT, _set("OtherPatientIDs", "H4711-2"), "PATIENT_IDENTIFIER", "OtherPatientIDs (0010,1000)"),
    (CT, _set("PatientAddress", "12 Secret Street"), "PATIENT_IDENTIFIER", "PatientAddress (0010,1040)"),
    (CT, _set("PatientTelephoneNumbers", "0049 123 456"), "PATIENT_IDENTIFIER", "PatientTelephoneNumbers (0010,2154)"),
    (CT, _set("AccessionNumber", "A0815"), "ORDER_NUMBER", "AccessionNumber (0008,0050)"),
    (CT, _set("StudyID", "STU-88172"), "ORDER_NUMBER", "StudyID (0020,0010)"),
    (CT, _set("InstitutionName", "Secret Hospital"), "INSTITUTION", "InstitutionName (0008,0080)"),
    (CT, _set("StationName", "CT-SECRET-3"), "DEVICE_IDENTIFIER", "StationName (0008,1010)"),
    (CT, _set("DeviceSerialNumber", "SN-99812"), "DEVICE_IDENTIFIER", "DeviceSerialNumber (0018,1000)"),
    (CT, _set("EthnicGroup", "secretgroup"), "PERSONAL_TRAIT", "EthnicGroup (0010,2160)"),
    (CT, _set("PatientComments", "called her daughter"), "FREE_TEXT", "PatientComments (0010,4000)"),
    (CT, _set("ImageComments", "secret remark"), "FREE_TEXT", "ImageComments (0020,4000)"),
    (SR, _report_text, "FREE_TEXT", "TextValue (0040,A160)"),
    (CT, _overlay, "OVERLAY", "OverlayData (6002,3000)"),
    (CT, _overlay, "FREE_TEXT", "OverlayComments (6002,4000)"),
    (CT, _private, "PRIVATE_TAG", "private block (0029,10xx)"),
    (CT, _set("ProtocolName", "Abdomen J. S. follow-up"), "DESCRIPTION", "ProtocolName (0018,1030)"),
    (CT, _set("SeriesDescription", "ARTERIAL Mrs Secretname"), "DESCRIPTION", "SeriesDescription (0008,103E)"),
    (CT, _set("StudyDescription", "Liver 19511127"), "DESCRIPTION", "StudyDescription (0008,1030)"),
    (CT, _set("BurnedInAnnotation", "YES"), "BURNED_IN", "BurnedInAnnotation (0028,0301)"),
    (CT, _set("PatientIdentityRemoved", "NO"), "NOT_DECLARED", "PatientIdentityRemoved (0012,0062)"),
    (CT, _set("DeidentificationMethod", ""), "NO_METHOD", "DeidentificationMethod (0012,0063)"),
    (
        CT,
        _set("LongitudinalTemporalInformationModified", ""),
        "DATES_NOT_DECLARED",
        "LongitudinalTemporalInformationModified (0028,0303)",
    ),
    (
        CT,
        _set("LongitudinalTemporalInformationModified", "REMOVED"),
        "DATES_REMOVED",
        "LongitudinalTemporalInformationModified (0028,0303)",
    ),
]
SECRETS = ("secret", "jane", "19511127", "4711", "0815", "88172", "99812", "123 456", "daughter", "j. s.")


@pytest.mark.parametrize(("file", "plant", "code", "tag"), PLANTED, ids=[f"{p[2]} {p[3]}" for p in PLANTED])
def test_a_planted_identifier_is_found_and_not_shown(
    file: str, plant: Callable[[Dataset], None], code: str, tag: str, folder: Path, tmp_path: Path, capsys: Captured
) -> None:
    change_seg(folder / file, plant)
    findings = {(f.code, f.tag): f for f in check_identity(folder)}
    assert (code, tag) in findings
    assert {f[0] for f in findings} <= {code, "OVERLAY", "FREE_TEXT"}
    found = findings[code, tag]
    assert (found.file, found.files) == (file, 1)
    assert found.what_to_do
    out = tmp_path / "findings.csv"
    assert main(["check-identity", str(folder), "--json", "--out", str(out)]) == 1
    captured = capsys.readouterr()
    said = (captured.out + captured.err + out.read_text(encoding="utf-8")).casefold()
    assert not [secret for secret in SECRETS if secret in said]
    (row,) = [r for r in csv.DictReader(io.StringIO(out.read_text(encoding="utf-8"))) if r["tag"] == tag]
    assert (row["code"], row["file"], row["severity"]) == (code, file, str(found.severity))


def only(folder: Path, code: str) -> Finding:
    (finding,) = check_identity(folder)
    assert finding.code == code
    return finding


def _each(folder: Path, change: Callable[[Dataset], None], pattern: str = "*/p*/*.dcm") -> None:
    paths = sorted(folder.glob(pattern))
    assert paths
    for path in paths:
        change_seg(path, change)


# --- names in paths and descriptions ---------------------------------------------------------------------------------


def test_a_path_that_holds_the_name_of_a_header_is_found_and_masked(folder: Path, capsys: Captured) -> None:
    change_seg(folder / CT, _set("PatientName", "SECRETNAME^JANE"))
    (folder / "v1").rename(folder / "secretname_j")
    findings = check_identity(folder)
    assert {(f.code, f.file, f.files) for f in findings} == {
        ("PERSON_NAME", "[12 characters]/p0/0001.dcm", 1),
        ("NAME_IN_PATH", "[12 characters]", 8),
    }
    main(["check-identity", str(folder)])
    assert "secretname" not in capsys.readouterr().out.casefold()


@pytest.mark.parametrize(
    ("name", "count"), [("DOE^JOHN", 1), ("Doe, John", 1), ("Liver_Arterial", 0), ("S-01, 2 mm", 0)]
)
def test_a_path_written_as_names_are(name: str, count: int, folder: Path) -> None:
    (folder / "v1").rename(folder / name)
    assert [f.code for f in check_identity(folder)] == ["NAME_IN_PATH"] * count


@pytest.mark.parametrize("name", ["ANONYMOUS", "Anonymized^^", "S-01", "XXXX^XX", "removed"])
def test_placeholders_are_no_names(name: str, folder: Path) -> None:
    _each(folder, _set("PatientName", name))
    assert check_identity(folder) == ()


def test_a_vendors_uid_is_a_note_and_no_failure(folder: Path) -> None:
    _each(folder, _set("StudyInstanceUID", "1.2.840.113619.2.55.3.1"), "v0/p*/*.dcm")
    finding = only(folder, "VENDOR_UID")
    assert (finding.severity, finding.files) == (Severity.NOTE, 6)
    assert main(["check-identity", str(folder)]) == 0


# --- references ------------------------------------------------------------------------------------------------------


def test_references_to_images_that_are_not_there(folder: Path) -> None:
    """As after new UIDs in the images alone."""

    def renumber(ds: Dataset) -> None:
        ds.SOPInstanceUID = ds.file_meta.MediaStorageSOPInstanceUID = ds.SOPInstanceUID + ".5"

    _each(folder, renumber, "v0/p1/*.dcm")
    findings = check_identity(folder)
    assert {(f.code, f.file) for f in findings} == {("DANGLING_REFERENCE", SEG), ("DANGLING_REFERENCE", SR)}
    assert {f.hint for f in findings} == {
        "3 of 3 objects that it refers to are not in the folder",
        "1 of 1 objects that it refers to are not in the folder",
    }


def test_tracking_uids_that_differ_between_segmentation_and_report(folder: Path) -> None:
    for visit in range(2):
        report(folder / f"v{visit}" / "report.dcm", visit, "2.25.888", [folder / f"v{visit}/p1/0000.dcm"])
    assert only(folder, "TRACKING_MISMATCH").hint == "2 of 2 reports share no tracking UID with the segmentations"


# --- days and seconds ------------------------------------------------------------------------------------------------


def _all_dates(day: str) -> Callable[[Dataset], None]:
    def change(ds: Dataset) -> None:
        for keyword in ("StudyDate", "AcquisitionDate", "SeriesDate", "ContentDate"):
            setattr(ds, keyword, day)

    return change


@pytest.mark.parametrize(
    ("day", "hint_"),
    [
        ("00010101", "2 of 2 studies have no day or a dummy"),
        ("19000101", "2 of 2 studies have no day or a dummy"),
        ("", "2 of 2 studies have no day or a dummy"),
        ("20240110", "2 studies on one day"),
    ],
)
def test_intervals_between_visits_that_are_lost(day: str, hint_: str, folder: Path) -> None:
    _each(folder, _all_dates(day))
    assert only(folder, "INTERVALS_LOST").hint == hint_


def test_visits_the_other_way_round(folder: Path) -> None:
    """StudyDate of the visits is exchanged, AcquisitionDate is not: each lies 56 days off, to either side."""
    for visit in range(2):
        _each(folder, _set("StudyDate", DAYS[1 - visit]), f"v{visit}/p*/*.dcm")
    codes = {(f.code, f.hint) for f in check_identity(folder)}
    assert ("VISITS_INVERTED", "1 pairs of 2 studies are the other way round") in codes
    assert ("DATES_APART", "56 days later in 2 of 4 series") in codes
    assert ("DATES_APART", "56 days earlier in 2 of 4 series") in codes


def test_a_date_shifted_in_one_series_only(folder: Path) -> None:
    _each(folder, _set("AcquisitionDate", "20240311"), "v1/p1/*.dcm")  # 5 days after the study's 6 March
    finding = only(folder, "DATES_APART")
    assert (finding.tag, finding.hint, finding.files) == (
        "AcquisitionDate (0008,0022)",
        "5 days later in 1 of 4 series",
        3,
    )


def test_a_scan_over_midnight_is_no_shift(folder: Path) -> None:
    _each(folder, _set("AcquisitionDate", "20240307"), "v1/p1/*.dcm")
    assert check_identity(folder) == ()


@pytest.mark.parametrize(
    ("taken", "start", "hint_"),
    [
        ("131030", "101000", "10830 s later at most, in 1 of 4 series"),  # the clock of one of the two moved by 3 h
        ("051030", "101000", "17970 s earlier at most, in 1 of 4 series"),
        ("000030", "235950", None),  # 40 s over midnight
        ("102500", "101000", None),  # 15 min: a hepatobiliary phase
    ],
)
def test_delays_after_the_contrast(taken: str, start: str, hint_: str | None, folder: Path) -> None:

    def change(ds: Dataset) -> None:
        ds.AcquisitionTime, ds.ContrastBolusStartTime = taken, start

    _each(folder, change, "v0/p0/*.dcm")
    assert [(f.code, f.hint) for f in check_identity(folder)] == ([("DELAY_ABSURD", hint_)] if hint_ else [])


def test_a_delay_that_the_basic_profile_removed_is_a_note(folder: Path) -> None:
    """PS3.15 Table E.1-1: ContrastBolusStartTime X, ContrastBolusAgent Z/D."""
    _each(folder, _set("ContrastBolusStartTime", ""))
    finding = only(folder, "DELAY_LOST")
    assert (finding.severity, finding.hint, finding.files) == (Severity.NOTE, "in 4 of 4 series", 12)


# --- the command -----------------------------------------------------------------------------------------------------


def test_what_cannot_be_read_is_a_finding(folder: Path) -> None:
    (folder / "bad.dcm").write_bytes(b"\0" * 128 + b"DICM" + b"\x02\x00\x00\x00UL\x04\x00\xff\xff")
    (folder / "notes.txt").write_text("no DICOM")
    assert only(folder, "UNREADABLE").file == "bad.dcm"


def test_no_folder(tmp_path: Path, capsys: Captured) -> None:
    with pytest.raises(InputError, match="is not a folder"):
        check_identity(tmp_path / "nowhere")
    assert main(["check-identity", str(tmp_path / "nowhere")]) == 2
    assert len(capsys.readouterr().err.splitlines()) == 1


@pytest.mark.parametrize(
    ("text", "shown"),
    [("DOE^JOHN", "8 characters: letters, signs"), ("7", "1 character: digits"), ("", "0 characters: none")],
)
def test_hints(text: str, shown: str) -> None:
    assert hint(text) == shown


def test_a_folder_without_dicom_is_not_clean(tmp_path: Path, capsys: Captured) -> None:
    """A mistyped folder must not pass for checked."""
    (tmp_path / "notes.txt").write_text("no DICOM", encoding="utf-8")
    assert main(["check-identity", str(tmp_path), "--out", str(tmp_path / "f.csv")]) == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert line.endswith("holds no DICOM file; give the folder with the de-identified files")
    assert not (tmp_path / "f.csv").exists()


def test_a_sum_of_a_protocol_in_a_report_is_no_person(folder: Path) -> None:
    """Digits in a SHA-256 are no number of a patient; the same digits alone are."""
    for text, codes in (
        ("0dc078584ecb5f776365ac0b0ab28d5ceba3167d648fed17b3889b8ae7528b54", []),
        ("78584123", ["DESCRIPTION"]),
    ):
        ds = pydicom.dcmread(next(folder.rglob("*.dcm")))
        ds.remove_private_tags()
        if "PixelData" in ds:
            del ds.PixelData
        item = Dataset()
        item.TextValue = text
        ds.ContentSequence = Items([item])
        ds.Modality = "SR"
        ds.SOPInstanceUID = "2.25.77"
        ds.save_as(folder / "sr.dcm")
        assert [f.code for f in check_identity(folder)] == codes
