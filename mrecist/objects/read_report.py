"""Measurements out of a DICOM structured report (TID 1500), whoever wrote it: our own, dcmqi, highdicom, OHIF.

The content tree is read item by item and compared by code (value and scheme), never by meaning; retired SRT codes are known.
Groups of one tracking UID are one lesion (its diameters stand in one group, its volume in another). A number that is not known
is listed, not dropped.

Sources: PS3.3 C.17.3 (SR Document Content), C.18.6 and C.18.9 (SCOORD, SCOORD3D); PS3.16 TID 1500, 1501, 1411, 1502, 1001, CID 6145.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from mrecist.errors import InputError
from mrecist.imaging.headers import get_integer, get_items, get_text, guarded, looks_like_dicom, object_uid, read_header
from mrecist.imaging.lesions import Part, is_node_code, part_of
from mrecist.imaging.records import iso_day
from mrecist.imaging.segments import Code, Segment, code_of
from mrecist.model import Kind, Role
from mrecist.objects import codes
from mrecist.objects.read_finding import Finding, Line, stated_timepoint

Key = tuple[str, str]

_IMAGING_MEASUREMENTS, _GROUP = ("126010", "DCM"), ("125007", "DCM")
_TRACKING_ID, _TRACKING_UID = ("112039", "DCM"), ("112040", "DCM")
_FINDING, _FINDING_SITE = ("121071", "DCM"), {("363698007", "SCT"), ("G-C0E3", "SRT")}
_PERSON, _DEVICE, _SUBJECT = ("121008", "DCM"), ("121013", "DCM"), ("121030", "DCM")
_DAYS = {
    ("126201", "DCM"): "acquisition date of the image library",
    ("111060", "DCM"): "study date of the image library",
}
_TIME_POINT, _TIME_POINT_TYPE = ("C2348792", "UMLS"), ("126072", "DCM")
_LONG = {("103339001", "SCT"), ("G-A185", "SRT")}
_SHORT = {("103340004", "SCT"), ("G-A186", "SRT")}
_LENGTH = {("410668003", "SCT"), ("G-D7FE", "SRT"), ("G-A22A", "SRT"), ("81827009", "SCT"), ("M-02550", "SRT")}
_VOLUME = {("118565006", "SCT"), ("G-D705", "SRT")}
_DENSITY, _DERIVATION = ("112031", "DCM"), ("121401", "DCM")
_MEAN = {("373098007", "SCT"), ("R-00317", "SRT")}
_FREE_TEXT = {"CORNERSTONEFREETEXT", "CS3DTEXT"}
# What says nothing of the lesion that a row could hold: categories of codes, methods, laterality, identifiers of visits and rows.
_ABOUT_THE_GROUP = {
    ("276214006", "SCT"), ("G-C036", "SRT"), ("276214006", "SRT"), ("370129005", "SCT"), ("G-C306", "SRT"),
    ("C67447", "NCIt"), ("126070", "DCM"), ("126071", "DCM"), ("126073", "DCM"), ("128740", "DCM"), _TIME_POINT_TYPE,
    ("121191", "DCM"), ("121214", "DCM"), ("121232", "DCM"), ("121233", "DCM"),
}  # fmt: skip
_OTHER_PARTS = {("C0034375", "UMLS"), ("126011", "DCM")}  # qualitative evaluations, derived measurements
STUDY_DATE = "StudyDate of the report"
_ROLE_OF = {(code.value, code.scheme): role for role, code in codes.CATEGORY_OF.items()}


@dataclass(frozen=True, slots=True, kw_only=True)
class Item:
    """A content item: its name, and the value that its type has."""

    name: Key
    meaning: str
    kind: str
    dataset: Any
    children: tuple[Item, ...]

    def text(self) -> str:
        """TEXT, PNAME, UIDREF, DATE, or the meaning of a CODE."""
        if self.kind == "CODE":
            return self.code().meaning
        return next((t for k in ("TextValue", "PersonName", "UID", "Date") if (t := get_text(self.dataset, k))), "")

    def code(self) -> Code:
        """The value of a CODE."""
        return code_of(self.dataset, "ConceptCodeSequence")


@dataclass(frozen=True, slots=True, kw_only=True)
class ReportRead:
    """What one report holds; ``uid`` and the reports that it replaces, so that only the last version counts."""

    uid: str
    replaces: tuple[str, ...]
    findings: tuple[Finding, ...]
    not_used: tuple[str, ...]
    responses: int  # reported responses: they are derived again


def is_report(path: Path) -> bool:
    """Whether a file is a DICOM structured report."""
    if not looks_like_dicom(path):
        return False
    with guarded(f"{path}: cannot be read as DICOM", InputError):
        return get_text(read_header(path).dataset, "Modality") == "SR"


def read_report(path: Path) -> ReportRead:
    """The findings of a structured report.

    Raises
    ------
    InputError
        The file cannot be read, or holds no imaging measurements (TID 1500).
    """
    with guarded(f"{path}: cannot be read as a structured report", InputError):
        if not looks_like_dicom(path):
            raise InputError(f"{path}: is not a DICOM file; give structured reports, or a folder that holds them")
        dataset = read_header(path).dataset
        root = _items(dataset)
        measured = [item for item in root if item.name == _IMAGING_MEASUREMENTS]
        if not measured:
            title = code_of(dataset, "ConceptNameCodeSequence").meaning or get_text(dataset, "Modality") or "no title"
            raise InputError(
                f"{path}: holds no Imaging Measurements (126010, DCM; TID 1500); it is '{title}'; "
                "give a measurement report"
            )
        common = _common(dataset, root, str(path))
        series_of = _evidence(dataset)
        groups = [group for container in measured for group in container.children]
        lesions = [group for group in groups if group.name == _GROUP and not _is_response(group)]
        findings = [_finding(group, common, series_of) for group in lesions]
        responses = sum(_is_response(group) for group in groups)
        other = [group for group in groups if group.name != _GROUP]
        other += [item for item in root if item.name in _OTHER_PARTS]
        not_used = [f"{path}: not used: {_shown(item)}" for item in other]
        return ReportRead(
            uid=object_uid(dataset, "SOPInstanceUID"),
            replaces=tuple(_replaced(dataset)),
            findings=tuple(findings),
            not_used=tuple(not_used),
            responses=responses,
        )


# --- the tree --------------------------------------------------------------------------------------------------------


def _items(dataset: Any) -> tuple[Item, ...]:
    return tuple(
        Item(
            name=((code := code_of(item, "ConceptNameCodeSequence")).value, code.scheme),
            meaning=code.meaning,
            kind=get_text(item, "ValueType"),
            dataset=item,
            children=_items(item),
        )
        for item in get_items(dataset, "ContentSequence")
    )


def _walk(items: Sequence[Item]) -> Iterator[Item]:
    for item in items:
        yield item
        yield from _walk(item.children)


def _first(items: Sequence[Item], name: Key) -> Item | None:
    return next((item for item in items if item.name == name), None)


def _shown(item: Item) -> str:
    if item.kind == "NUM":
        text, unit = _number(item)
        return f"{item.meaning} = {text or '(no value)'} {unit}".rstrip()
    text = item.text()
    return f"{item.meaning} = {text}" if text else item.meaning


def _number(item: Item) -> tuple[str, str]:
    measured = get_items(item.dataset, "MeasuredValueSequence")
    if not measured:
        return "", ""
    return get_text(measured[0], "NumericValue"), code_of(measured[0], "MeasurementUnitsCodeSequence").value


# --- what all groups have in common ----------------------------------------------------------------------------------


def _common(dataset: Any, root: Sequence[Item], source: str) -> Finding:
    day, day_source = iso_day(get_text(dataset, "StudyDate")) or "", STUDY_DATE
    if any(
        get_text(s, "CodingSchemeUID") == codes.SCHEME_UID
        for s in get_items(dataset, "CodingSchemeIdentificationSequence")
    ):
        # Our own reports carry the date of the assessment there; elsewhere it is the day on which somebody wrote.
        day, day_source = iso_day(get_text(dataset, "ContentDate")) or day, "ContentDate"
    for name, said in _DAYS.items() if day_source == STUDY_DATE else ():
        days = {iso_day(item.text()) for item in _walk(root) if item.name == name}
        if len(days) == 1 and (only := days.pop()):
            day, day_source = only, said
            break
    person, device = _first(root, _PERSON), _first(root, _DEVICE)
    finding = Finding(
        source=source,
        subject=get_text(dataset, "ClinicalTrialSubjectID") or get_text(dataset, "PatientID"),
        reader=person.text() if person else device.text() if device else "",
        day=day,
        day_source=day_source if day else "",
        study_uid=get_text(dataset, "StudyInstanceUID"),
    )
    stated = get_text(dataset, "ClinicalTrialTimePointID")
    finding.timepoint, finding.timepoint_text = stated_timepoint(stated), stated
    _take_time_point(finding, root)
    return finding


def _take_time_point(finding: Finding, items: Sequence[Item]) -> None:
    text, kind = _first(items, _TIME_POINT), _first(items, _TIME_POINT_TYPE)
    if text is not None:
        finding.timepoint, finding.timepoint_text = stated_timepoint(text.text()), text.text()
    if kind is not None and (kind.code().value, kind.code().scheme) == ("C1442488", "UMLS"):
        if finding.timepoint is None:
            finding.timepoint = 0
        elif finding.timepoint != 0:
            finding.not_used.append(f"its time point type is Baseline and its time point {finding.timepoint_text}")


def _evidence(dataset: Any) -> dict[str, str]:
    """SOPInstanceUID -> SeriesInstanceUID of what the report refers to."""
    names = ("CurrentRequestedProcedureEvidenceSequence", "PertinentOtherEvidenceSequence")
    return {
        get_text(sop, "ReferencedSOPInstanceUID"): get_text(series, "SeriesInstanceUID")
        for name in names
        for study in get_items(dataset, name)
        for series in get_items(study, "ReferencedSeriesSequence")
        for sop in get_items(series, "ReferencedSOPSequence")
    }


def _replaced(dataset: Any) -> Iterator[str]:
    for study in get_items(dataset, "PredecessorDocumentsSequence"):
        for series in get_items(study, "ReferencedSeriesSequence"):
            for sop in get_items(series, "ReferencedSOPSequence"):
                yield get_text(sop, "ReferencedSOPInstanceUID")


# --- one group -------------------------------------------------------------------------------------------------------


def _tracking(group: Item) -> str:
    item = _first(group.children, _TRACKING_ID)
    return item.text() if item else ""


def _is_response(group: Item) -> bool:
    item = _first(group.children, _FINDING)
    return item is not None and codes.same(item.code(), codes.RESPONSE_EVALUATION)


def _finding(group: Item, common: Finding, series_of: dict[str, str]) -> Finding:
    finding = replace(common, words={}, sizes=[], not_used=list(common.not_used), notes=[])
    uid = _first(group.children, _TRACKING_UID)
    finding.tracking_uid = uid.text() if uid else ""
    what = _first(group.children, _FINDING)
    sites = [item for item in group.children if item.name in _FINDING_SITE]
    finding.lesion = _name(_tracking(group), what, sites)
    _take_time_point(finding, group.children)
    for site in sites:
        code = site.code()
        if is_node_code(code):
            finding.kind, finding.organ = Kind.NODE, "lymph node"
        elif code.value not in _FREE_TEXT and not finding.organ:
            finding.organ = code.meaning.lower()
    part = _part(what)
    if what is not None and is_node_code(what.code()):
        finding.kind = Kind.NODE
    for item in group.children:
        _take(item, finding, part)
    finding.images = tuple(dict.fromkeys(u for i in _walk(group.children) for u in _references(i)))
    finding.series_uids = tuple(dict.fromkeys(series_of[u] for u in finding.images if series_of.get(u)))
    return finding


def _name(tracking: str, what: Item | None, sites: Sequence[Item]) -> str:
    """The tracking identifier; of a viewer that writes the name of its tool there, the label that the reader typed."""
    if not tracking.lower().startswith("cornerstone"):
        return tracking
    labels = [item.code() for item in ([what] if what else []) + list(sites)]
    return next((code.meaning.strip() for code in labels if code.value in _FREE_TEXT), "")


def _part(what: Item | None) -> Part:
    if what is None:
        return Part.WHOLE
    segment = Segment(
        number=0, label="", tracking_id="", tracking_uid="", category=Code(), property_type=what.code(), region=Code()
    )
    return part_of(segment)


def _references(item: Item) -> list[str]:
    return [get_text(sop, "ReferencedSOPInstanceUID") for sop in get_items(item.dataset, "ReferencedSOPSequence")]


def _take(item: Item, finding: Finding, part: Part) -> None:
    known = {_TRACKING_ID, _TRACKING_UID, _FINDING, _TIME_POINT, *_FINDING_SITE, *_ABOUT_THE_GROUP}
    if item.kind == "NUM" and item.name not in known:
        _take_number(item, finding, part)
    elif item.name in known or item.kind in ("IMAGE", "SCOORD", "SCOORD3D", "UIDREF"):
        return
    elif item.kind == "CODE" and item.name == (codes.BASELINE_CATEGORY.value, codes.BASELINE_CATEGORY.scheme):
        _take_role(item, finding)
    elif not _take_word(item, finding):
        finding.not_used.append(_shown(item))


def _take_role(item: Item, finding: Finding) -> None:
    code = item.code()
    role = _ROLE_OF.get((code.value, code.scheme))
    if role is None:
        finding.not_used.append(_shown(item))
    else:
        finding.role = Role(role)


def _take_word(item: Item, finding: Finding) -> bool:
    """A column that our own reports write; False when the item is none of them."""
    for column, (concept, words) in codes.WORDS.items():
        if item.name == (concept.value, concept.scheme) and item.kind == "CODE":
            word = next((w for w, code in words.items() if codes.same(code, item.code())), None)
            if word is None:
                return False
            finding.words[column] = str(word)
            return True
    for column, concept in codes.TEXTS.items():
        if item.name == (concept.value, concept.scheme) and item.kind == "TEXT":
            finding.words[column] = item.text()
            return True
    return False


def _column(item: Item, part: Part) -> str:
    """The column that a number belongs to, or ""."""
    own = {(codes.VIABLE_LONG.value, codes.VIABLE_LONG.scheme): "viable_mm"}
    own[(codes.VIABLE_SHORT.value, codes.VIABLE_SHORT.scheme)] = "viable_short_mm"
    if item.name in own:
        return own[item.name]
    if part is Part.NECROSIS:
        return ""
    viable = part is Part.VIABLE
    if item.name in _LONG | _LENGTH:
        return "viable_mm" if viable else "longest_mm"
    if item.name in _SHORT:
        return "viable_short_mm" if viable else "short_mm"
    if item.name in _VOLUME:
        return "viable_volume_mm3" if viable else "volume_mm3"
    derived = [c.code() for c in item.children if c.name == _DERIVATION]
    if item.name == _DENSITY and not viable and any((c.value, c.scheme) in _MEAN for c in derived):
        return "mean_hu"
    return ""


def _take_number(item: Item, finding: Finding, part: Part) -> None:
    column = _column(item, part)
    text, unit = _number(item)
    if not column or not text:
        finding.not_used.append(_shown(item))
        return
    if item.name in _LENGTH:
        finding.notes.append(f"its {item.meaning} is taken as the longest diameter")
    finding.add(column, text, unit, item.meaning, _line(item))


def _line(item: Item) -> Line | None:
    for child in item.children:
        if child.kind not in ("SCOORD", "SCOORD3D"):
            continue
        values = [float(v) for v in get_text(child.dataset, "GraphicData").split("\\") if v]
        size = 2 if child.kind == "SCOORD" else 3
        if len(values) != 2 * size:
            return None  # an outline or an ellipse: no line whose ends could be compared
        image = next((i for i in child.children if i.kind == "IMAGE"), None)
        references = get_items(image.dataset, "ReferencedSOPSequence") if image else []
        return Line(
            ends=(tuple(values[:size]), tuple(values[size:])),
            image=get_text(references[0], "ReferencedSOPInstanceUID") if references and size == 2 else "",
            frame=get_integer(references[0], "ReferencedFrameNumber") if references else None,
        )
    return None
