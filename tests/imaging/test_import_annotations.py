"""AIM 4 XML, the CSV of OHIF and the markups of 3D Slicer: sizes by code or name, units exact, nothing guessed, nothing dropped.

The files are written here from the published layouts (AIM 4.0 model; OHIF's report columns; Slicer's markups schema 1.0.3).
"""

from __future__ import annotations

import json
from decimal import Decimal
from pathlib import Path

import pydicom
import pytest
from build_series import axial, write

from mrecist.cli import main
from mrecist.errors import InputError
from mrecist.importing import Asked, Imported, import_annotations, import_lists
from mrecist.model import Kind, Role, State
from mrecist.objects.read_aim import read_aim
from mrecist.tables import read_measurements

IMAGE = "1.2.3.400"


def calculation(uid: str, value: str, codes: str = "G-A185", name: str = "LongAxis", unit: str = "mm") -> str:
    scheme = "SRT" if codes.startswith("G-") else "SCT"
    types = (
        f'<typeCode code="{codes}" codeSystemName="{scheme}"><iso:displayName value="{name}"/></typeCode>'
        if codes
        else ""
    )
    return (
        f'<CalculationEntity><uniqueIdentifier root="{uid}"/>{types}<description value="{name}"/>'
        f'<calculationResultCollection><CalculationResult type="Scalar" xsi:type="CompactCalculationResult">'
        f'<unitOfMeasure value="{unit}"/><value value="{value}"/></CalculationResult></calculationResultCollection>'
        f"</CalculationEntity>"
    )


def markup(uid: str, *points: tuple[float, float], image: str = IMAGE) -> str:
    inside = "".join(
        f'<TwoDimensionSpatialCoordinate><coordinateIndex value="{i}"/><x value="{x}"/><y value="{y}"/>'
        f"</TwoDimensionSpatialCoordinate>"
        for i, (x, y) in enumerate(points)
    )
    return (
        f'<MarkupEntity xsi:type="TwoDimensionMultiPoint"><uniqueIdentifier root="{uid}"/><imageReferenceUid root="{image}"/>'
        f'<referencedFrameNumber value="1"/><twoDimensionSpatialCoordinateCollection>{inside}'
        f"</twoDimensionSpatialCoordinateCollection></MarkupEntity>"
    )


def statement(calculation_uid: str, markup_uid: str) -> str:
    return (
        f'<ImageAnnotationStatement><subjectUniqueIdentifier root="{calculation_uid}"/>'
        f'<objectUniqueIdentifier root="{markup_uid}"/></ImageAnnotationStatement>'
    )


def answer(kind: str, label: str, meaning: str, code: str = "S1") -> str:
    return (
        f'<{kind}><typeCode code="{code}" codeSystemName="99X"><iso:displayName value="{meaning}"/></typeCode>'
        f'<label value="{label}"/></{kind}>'
    )


def annotation(name: str, *parts: str, image: str = IMAGE) -> str:
    return (
        f'<ImageAnnotation><uniqueIdentifier root="1.2.9"/><name value="{name}"/><comment value="CT / ARTERIAL / 4"/>'
        f"{''.join(parts)}"
        f'<imageReferenceEntityCollection><ImageReferenceEntity><imageStudy><instanceUid root="1.2.3.4"/>'
        f'<startDate value="20200131"/><imageSeries><instanceUid root="1.2.3.5"/><imageCollection><Image>'
        f'<sopInstanceUid root="{image}"/></Image></imageCollection></imageSeries></imageStudy></ImageReferenceEntity>'
        f"</imageReferenceEntityCollection></ImageAnnotation>"
    )


def aim(path: Path, *annotations: str, before: str = "") -> Path:
    path.write_text(
        f'<?xml version="1.0" encoding="UTF-8"?>{before}'
        '<ImageAnnotationCollection xmlns="gme://caCORE.caCORE/4.4/edu.northwestern.radiology.AIM" '
        'xmlns:iso="uri:iso.org:21090" xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" aimVersion="AIMv4_0">'
        '<user><name value="Someone"/><loginName value="reader7"/></user><person><name value="X"/><id value="P1"/></person>'
        f"<imageAnnotations>{''.join(annotations)}</imageAnnotations></ImageAnnotationCollection>",
        encoding="utf-8",
    )
    return path


def problems(done: Imported) -> str:
    return "\n".join(p.message for p in done.problems)


TYPE = "ImagingObservationCharacteristic"


def test_long_and_short_axis_of_a_target(tmp_path: Path) -> None:
    path = aim(
        tmp_path / "a.xml",
        annotation(
            "T01~CT~series 4",
            answer("ImagingPhysicalEntity", "Location", "Liver"),
            answer(TYPE, "Type", "Target Lesion"),
            answer(TYPE, "Timepoint", "2"),
            answer(TYPE, "Enhancement", "nonenhancing"),
            calculation("1.1", "41.2"),
            calculation("1.2", "30.5", "G-A186", "ShortAxis"),
            calculation("1.3", "105.3", "", "Mean", "[hnsf'U]"),
        ),
    )
    done = import_annotations([path], Asked())
    assert problems(done) == ""
    (row,) = done.rows
    assert (row.subject, row.reader, row.lesion, row.timepoint, str(row.date)) == (
        "P1",
        "reader7",
        "T01",
        2,
        "2020-01-31",
    )
    assert (row.role, row.organ, row.longest_mm, row.short_mm) == (
        Role.TARGET,
        "liver",
        Decimal("41.2"),
        Decimal("30.5"),
    )
    assert (row.mean_hu, row.comment) == (None, "CT / ARTERIAL / 4")
    said = [n.partition("not used: ")[2] for n in done.notes if "not used" in n]
    assert said == ["Enhancement = nonenhancing", "Mean = 105.3 [hnsf'U]"]


@pytest.mark.parametrize(
    ("code", "name", "column"),
    [
        ("G-A185", "LongAxis", "longest_mm"),
        ("103339001", "Long Axis", "longest_mm"),
        ("G-D7FE", "Length", "longest_mm"),
        ("410668003", "Length", "longest_mm"),
        ("", "LongAxis", "longest_mm"),
        ("G-A186", "ShortAxis", "short_mm"),
        ("103340004", "Short Axis", "short_mm"),
        ("", "Short Axis", "short_mm"),
    ],
)
def test_sizes_by_code_or_name(code: str, name: str, column: str, tmp_path: Path) -> None:
    done = import_annotations(
        [aim(tmp_path / "a.xml", annotation("T01", calculation("1.1", "6.1396812200546265", code, name, "cm")))],
        Asked(timepoint=0),
    )
    (row,) = done.rows
    assert getattr(row, column) == Decimal("61.396812200546265")  # the decimal point moved, no digit lost
    assert any("6.1396812200546265 cm converted to 61.396812200546265 mm" in n for n in done.notes)


@pytest.mark.parametrize(
    ("text", "role"),
    [
        ("Target", Role.TARGET),
        ("Non-target lesion", Role.NON_TARGET),
        ("nontarget", Role.NON_TARGET),
        ("New Lesion", Role.NEW),
    ],
)
def test_roles_in_words(text: str, role: Role, tmp_path: Path) -> None:
    path = aim(tmp_path / "a.xml", annotation("lesion 4", answer(TYPE, "Type", text), calculation("1.1", "20")))
    (row,) = import_annotations([path], Asked(timepoint=1)).rows
    assert row.role is role


def test_nodes_and_names(tmp_path: Path) -> None:
    node = answer("ImagingPhysicalEntity", "Location", "lymph node", "59441001")
    path = aim(
        tmp_path / "a.xml",
        annotation("T02~x", node, calculation("1.1", "22"), calculation("1.2", "16", "G-A186", "ShortAxis")),
        annotation("NEW1", calculation("1.1", "9")),
    )
    one, two = import_annotations([path], Asked(timepoint=1)).rows
    assert (one.lesion, one.kind, one.organ, one.short_mm) == ("T02", Kind.NODE, "lymph node", Decimal(16))
    assert (two.role, two.state) == (Role.NEW, State.EQUIVOCAL)


def test_lines_are_compared(tmp_path: Path) -> None:
    """Four points are the long and the short axis: 3 x 0.7 by 4 x 0.8 mm is 3.8275, and 2 x 0.7 is 1.4 mm."""
    images = write(tmp_path / "ct", axial(5))
    uid = str(pydicom.dcmread(images[2]).SOPInstanceUID)
    parts = [
        calculation("1.1", "3.83"),
        calculation("1.2", "2.0", "G-A186", "ShortAxis"),
        markup("2.1", (1, 1), (4, 5), (1, 3), (3, 3), image=uid),
        statement("1.1", "2.1"),
        statement("1.2", "2.1"),
    ]
    path = aim(tmp_path / "a.xml", annotation("T01", *parts, image=uid))
    done = import_annotations([path], Asked(timepoint=0, images=tmp_path / "ct"))
    assert [n for n in done.notes if "WARNING" in n] == [
        f"{path}: T01: WARNING: ShortAxis is 2 mm and its line 1.40 mm; look which is right"
    ]
    assert done.rows[0].modality == "CT"


def test_a_time_point_in_other_words_is_asked_for(tmp_path: Path) -> None:
    path = aim(tmp_path / "a.xml", annotation("T01", answer(TYPE, "Timepoint", "FU 1"), calculation("1.1", "20")))
    assert "no time point: it says 'FU 1', which is no number" in problems(import_annotations([path], Asked()))
    path = aim(tmp_path / "a.xml", annotation("T01", answer(TYPE, "Timepoint", "Baseline"), calculation("1.1", "20")))
    assert [r.timepoint for r in import_annotations([path], Asked()).rows] == [0]


def test_a_unit_that_is_no_length_is_not_used(tmp_path: Path) -> None:
    path = aim(tmp_path / "a.xml", annotation("T01", calculation("1.1", "20", unit="px")))
    done = import_annotations([path], Asked(timepoint=0))
    assert "holds no size that could be used" in problems(done)
    assert any("LongAxis is 20 px, not in one of: mm," in n for n in done.notes)


BOMB = '<!DOCTYPE lolz [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;&a;&a;">]>'
OUTSIDE = '<!DOCTYPE x SYSTEM "file:///etc/hostname">'


@pytest.mark.parametrize("doctype", [BOMB, OUTSIDE])
def test_a_document_type_is_refused(doctype: str, tmp_path: Path) -> None:
    path = aim(tmp_path / "a.xml", annotation("T01"), before=doctype)
    with pytest.raises(InputError, match=r"a\.xml: it declares a document type"):
        read_aim(path)


@pytest.mark.parametrize(
    ("content", "said"),
    [("<a><b></a>", "not well-formed XML"), ("<a/>", "its root is a, not"), ("", "not well-formed")],
)
def test_other_files_are_refused(content: str, said: str, tmp_path: Path) -> None:
    (tmp_path / "a.xml").write_text(content)
    with pytest.raises(InputError, match=said):
        read_aim(tmp_path / "a.xml")


def test_deep_nesting_is_no_crash(tmp_path: Path) -> None:
    (tmp_path / "a.xml").write_text("<a>" * 200_000 + "</a>" * 200_000)
    with pytest.raises(InputError, match="its root is a"):
        read_aim(tmp_path / "a.xml")


# --- lists of viewers ------------------------------------------------------------------------------------------------

HEADER = (
    "Patient ID,Patient Name,StudyInstanceUID,SeriesInstanceUID,SOPInstanceUID,Label,AnnotationType,"
    "Length (mm),Width (mm),FrameOfReferenceUID,points,Area (mm²)\n"
)


def test_the_csv_of_ohif(tmp_path: Path) -> None:
    images = write(tmp_path / "ct", axial(5))
    ds = pydicom.dcmread(images[2])
    where = f"P1,X,{ds.StudyInstanceUID},{ds.SeriesInstanceUID},{ds.SOPInstanceUID}"
    (tmp_path / "ohif.csv").write_text(
        HEADER
        + f"{where},T01,Cornerstone:Bidirectional,5,2.5,1.2,0 0 106;3 4 106;0 0 106;0 3 106,\n"
        + f"{where},NT01,Cornerstone:Length,12.25,,1.2,,\n"
        + f"{where},NT02,Cornerstone:EllipticalROI,,,1.2,,88\n",
        encoding="utf-8",
    )
    asked = Asked(timepoint=0, reader="R2", images=tmp_path / "ct")
    done = import_lists([tmp_path / "ohif.csv"], asked)
    assert [(r.lesion, r.longest_mm, r.short_mm, r.reader, str(r.date)) for r in done.rows] == [
        ("T01", Decimal(5), Decimal("2.5"), "R2", "2020-01-31"),
        ("NT01", Decimal("12.25"), None, "R2", "2020-01-31"),
        ("NT02", None, None, "R2", "2020-01-31"),
    ]
    assert any("Width is 2.5 mm and its line 3.00 mm" in n for n in done.notes)
    assert any("EllipticalROI: Area (mm²) = 88" in n for n in done.notes)
    assert "has no date; give --images or --date" in problems(import_lists([tmp_path / "ohif.csv"], Asked(timepoint=0)))


def test_the_markups_of_slicer(tmp_path: Path) -> None:
    line = {
        "type": "Line",
        "coordinateSystem": "LPS",
        "coordinateUnits": "mm",
        "controlPoints": [
            {"label": "L-1", "position": [0.0, 0.0, 5.0]},
            {"label": "L-2", "position": [30.0, 40.0, 5.0]},
        ],
        "measurements": [{"name": "length", "enabled": True, "value": 50.0, "units": "mm"}],
    }
    path = tmp_path / "T01.mrk.json"
    path.write_text(json.dumps({"@schema": "markups-schema-v1.0.3", "markups": [line]}))
    out = tmp_path / "m.csv"
    command = [
        "import",
        "list",
        str(path),
        "--subject",
        "S1",
        "--timepoint",
        "0",
        "--date",
        "2024-01-08",
        "--out",
        str(out),
    ]
    assert main(command) == 0
    (row,) = read_measurements(out).rows
    assert (row.subject, row.lesion, row.longest_mm) == ("S1", "T01", Decimal(50))
    assert main(["import", "list", str(path), "--out", str(out)]) == 2


@pytest.mark.parametrize(
    ("name", "content", "said"),
    [
        ("a.mrk.json", "{", "cannot be read as JSON"),
        ("a.mrk.json", "[]", "holds no list 'markups'"),
        ("a.mrk.json", '{"markups": [{"type": "Line", "measurements": [3]}]}', "are not laid out as 3D Slicer does"),
        ("a.csv", "x,y\n1,2\n", "Patient ID"),
    ],
)
def test_other_lists_are_refused(name: str, content: str, said: str, tmp_path: Path) -> None:
    (tmp_path / name).write_text(content)
    done = import_lists([tmp_path / name], Asked())
    assert said in problems(done)
