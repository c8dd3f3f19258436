"""Measurements out of AIM 4 XML (Annotation and Image Markup), as ePAD and the viewer of XNAT write them.

An ImageAnnotation is one lesion. Its name is the part of ``name`` before the first ``~`` (ePAD puts the series behind it). Sizes are
calculations named by code (Long Axis, Short Axis, Length), else by their description. A DTD is refused, so that no entity is
ever expanded.

Source: AIM 4.0 model, https://github.com/NCIP/annotation-and-image-markup.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from defusedxml import DefusedXmlException, ElementTree

from mrecist.errors import InputError
from mrecist.imaging.lesions import is_node_code
from mrecist.imaging.records import iso_day
from mrecist.imaging.segments import Code
from mrecist.model import Kind, Role
from mrecist.objects.read_finding import Finding, Line, stated_timepoint

if TYPE_CHECKING:
    from xml.etree.ElementTree import Element

_LARGEST = 64 * 2**20
_LONG = frozenset({"103339001", "G-A185"})
_SHORT = frozenset({"103340004", "G-A186"})
_LENGTH = frozenset({"410668003", "G-D7FE", "G-A22A"})
_NAMES = {"longaxis": "longest_mm", "length": "longest_mm", "linelength": "longest_mm", "shortaxis": "short_mm"}
_ROLES = (
    (re.compile(r"non[ -]?target( lesion)?$", re.IGNORECASE), Role.NON_TARGET),
    (re.compile(r"target( lesion)?$", re.IGNORECASE), Role.TARGET),
    (re.compile(r"new( lesion)?$", re.IGNORECASE), Role.NEW),
)


def read_aim(path: Path) -> tuple[Finding, ...]:
    """The lesions of an AIM file.

    Raises
    ------
    InputError
        The file is no AIM 4 XML, or declares a DTD.
    """
    try:
        if path.stat().st_size > _LARGEST:
            raise InputError(f"{path}: larger than {_LARGEST} bytes; that is no AIM file")
        root = ElementTree.fromstring(path.read_bytes(), forbid_dtd=True)
    except DefusedXmlException:  # a ValueError too, so it comes before those
        raise InputError(f"{path}: it declares a document type, which AIM files do not have; export it again") from None
    except (ElementTree.ParseError, LookupError, ValueError) as error:  # the last two: an encoding that is none
        raise InputError(f"{path}: not well-formed XML ({error}); export it again") from None
    except OSError as error:
        raise InputError(f"{path}: cannot be read ({error.strerror}); check the path") from None
    except InputError as error:
        raise InputError(f"{path}: {str(error).removeprefix(f'{path}: ')}") from None
    if _tag(root) != "ImageAnnotationCollection":
        raise InputError(f"{path}: its root is {_tag(root)}, not ImageAnnotationCollection; give AIM version 4 XML")
    user, person = _child(root, "user"), _child(root, "person")
    subject = _value(person, "id") or _value(person, "name")
    reader = _value(user, "loginName") or _value(user, "name")
    return tuple(
        _finding(annotation, Finding(source=str(path), subject=subject, reader=reader))
        for annotation in _all(root, "ImageAnnotation")
    )


# --- XML -------------------------------------------------------------------------------------------------------------


def _tag(element: Element) -> str:
    return element.tag.rpartition("}")[2]


def _all(element: Element, name: str) -> Iterator[Element]:
    return (e for e in element.iter() if _tag(e) == name)


def _child(element: Element | None, name: str) -> Element | None:
    return None if element is None else next((e for e in element if _tag(e) == name), None)


def _value(element: Element | None, name: str, attribute: str = "value") -> str:
    found = _child(element, name)
    return "" if found is None else (found.get(attribute) or "").strip()


def _codes(element: Element) -> list[Code]:
    return [
        Code(
            value=(e.get("code") or "").strip(),
            scheme=(e.get("codeSystemName") or "").strip(),
            meaning=_value(e, "displayName") or (e.get("displayName") or "").strip(),
        )
        for e in element
        if _tag(e) == "typeCode"
    ]


# --- one annotation --------------------------------------------------------------------------------------------------


def _finding(annotation: Element, finding: Finding) -> Finding:
    finding.lesion = _value(annotation, "name").partition("~")[0].strip()
    finding.tracking_uid = _value(annotation, "trackingUniqueIdentifier", "root")
    _take_images(annotation, finding)
    for entity in annotation.iter():
        if _tag(entity) in (
            "ImagingPhysicalEntity",
            "ImagingPhysicalEntityCharacteristic",
            "ImagingObservationEntity",
            "ImagingObservationCharacteristic",
        ):
            _take_answer(entity, finding)
    lines = _lines(annotation)
    for calculation in _all(annotation, "CalculationEntity"):
        _take_calculation(calculation, finding, lines)
    if comment := _value(annotation, "comment"):
        finding.words["comment"] = comment
    return finding


def _take_images(annotation: Element, finding: Finding) -> None:
    images, series = [], []
    for study in _all(annotation, "imageStudy"):
        finding.study_uid = finding.study_uid or _value(study, "instanceUid", "root")
        finding.day = finding.day or iso_day(_value(study, "startDate")) or ""
        finding.day_source = "start date of the study"
        series += [_value(one, "instanceUid", "root") for one in _all(study, "imageSeries")]
        images += [_value(one, "sopInstanceUid", "root") for one in _all(study, "Image")]
    finding.images, finding.series_uids = tuple(filter(None, images)), tuple(filter(None, series))


def _take_answer(entity: Element, finding: Finding) -> None:
    """What the reader answered to a question of the template: role, time point, organ, or something that no row holds."""
    label = _value(entity, "label")
    for code in _codes(entity):
        role = next((role for pattern, role in _ROLES if pattern.match(code.meaning)), None)
        if label.lower() in ("timepoint", "time point"):
            finding.timepoint, finding.timepoint_text = stated_timepoint(code.meaning), code.meaning
        elif role is not None:
            finding.role = role
        elif is_node_code(code):
            finding.kind, finding.organ = Kind.NODE, "lymph node"
        elif _tag(entity) == "ImagingPhysicalEntity" and not finding.organ:
            finding.organ = code.meaning.lower()
        else:
            finding.not_used.append(f"{label or 'answer'} = {code.meaning or code.value}")


def _take_calculation(calculation: Element, finding: Finding, lines: dict[str, list[Line]]) -> None:
    what = _value(calculation, "description") or next((c.meaning for c in _codes(calculation)), "calculation")
    result = next(_all(calculation, "CalculationResult"), None)
    text = _value(result, "value") or next((_value(d, "value") for d in _all(calculation, "CalculationData")), "")
    unit = _value(result, "unitOfMeasure")
    values = {code.value for code in _codes(calculation)}
    column = next((c for known, c in ((_LONG | _LENGTH, "longest_mm"), (_SHORT, "short_mm")) if values & known), "")
    column = column or _NAMES.get(what.lower().replace(" ", ""), "")
    if not column or not text:
        finding.not_used.append(f"{what} = {text or '(no value)'} {unit}".rstrip())
        return
    if values & _LENGTH or what.lower().endswith("length"):
        finding.notes.append(f"its {what} is taken as the longest diameter")
    drawn = lines.get(_value(calculation, "uniqueIdentifier", "root"), [])
    place = 1 if column == "short_mm" and len(drawn) > 1 else 0
    finding.add(column, text, unit, what, drawn[place] if drawn else None)


def _lines(annotation: Element) -> dict[str, list[Line]]:
    """Calculation -> the lines of its markup: two points are one, four are the long and the short axis."""
    markups = {_value(m, "uniqueIdentifier", "root"): _of_markup(m) for m in _all(annotation, "MarkupEntity")}
    found: dict[str, list[Line]] = {}
    for statement in _all(annotation, "ImageAnnotationStatement"):
        markup = markups.get(_value(statement, "objectUniqueIdentifier", "root"))
        if markup:
            found.setdefault(_value(statement, "subjectUniqueIdentifier", "root"), []).extend(markup)
    return found


def _of_markup(markup: Element) -> list[Line]:
    try:
        points = [
            (int(_value(p, "coordinateIndex") or 0), float(_value(p, "x")), float(_value(p, "y")))
            for p in _all(markup, "TwoDimensionSpatialCoordinate")
        ]
    except ValueError:
        return []
    ends = [(x, y) for _, x, y in sorted(points)]
    if len(ends) not in (2, 4):
        return []
    image, frame = _value(markup, "imageReferenceUid", "root"), _value(markup, "referencedFrameNumber")
    pairs = zip(ends[::2], ends[1::2], strict=True)
    return [Line(ends=pair, image=image, frame=int(frame) if frame.isdecimal() else None) for pair in pairs if image]
