"""The measurement groups of a structured report: those of a lesion, and that of a response (TID 1501 and 1411).

A diameter is a line on its image, which a volumetric group (TID 1411) may not hold; so diameters stand in a TID 1501 group and the
volume in a TID 1411 group that refers to the segment. All groups of a lesion have one TrackingUID.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

import numpy as np

from mrecist.imaging.segments import Code
from mrecist.model import Kind, Measurement, NewLesion, Response
from mrecist.objects import codes
from mrecist.objects.coding import coded
from mrecist.objects.lines import Line
from mrecist.units import show

# Twelve significant digits are far below any pixel, and always fit the 16 characters of a decimal string.
_DECIMALS = 6


@dataclass(frozen=True, slots=True, kw_only=True)
class SegmentReference:
    """A segment of a DICOM SEG: ``segmentation`` is the header of the file, ``type`` the property type of the segment."""

    segmentation: Any
    number: int
    type: Code


@dataclass(frozen=True, slots=True, kw_only=True)
class ReportedLesion:
    """A row of measurements.csv with what is drawn of it.

    Parameters
    ----------
    row : what the reader recorded; these decimals decide the response.
    tracking_uid : the same at every visit.
    lines : longest, short, viable, viable_short -> the measured line, where there is one.
    lengths : the same names -> unrounded mm of a diameter that lies on no known image.
    segments : whole, viable -> the segment of the volume, where there is one.
    """

    row: Measurement
    tracking_uid: str
    lines: Mapping[str, Line] = field(default_factory=dict)
    lengths: Mapping[str, float] = field(default_factory=dict)
    segments: Mapping[str, SegmentReference] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class ReportedResponse:
    """A row of responses.csv.

    Parameters
    ----------
    criterion : its name in the protocol. ``method`` is the code of what it follows.
    has_standard_codes : whether the codes of DICOM say the same: diameters in mm, -30 % and +20 %.
    numbers : sum, baseline_sum, nadir_sum, pct_from_baseline, pct_from_nadir, abs_from_nadir; absent when empty.
    target, non_target, overall, new_lesion : None at baseline.
    """

    criterion: str
    method: Code
    has_standard_codes: bool
    tracking_uid: str
    unit: str
    numbers: Mapping[str, Decimal]
    target: Response | None
    non_target: Response | None
    overall: Response | None
    new_lesion: NewLesion | None
    flags: str
    reason: str
    protocol_sha256: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Visit:
    """The time point that all groups of a report name."""

    subject: str
    timepoint: int


# --- lesions ---------------------------------------------------------------------------------------------------------


def lesion_groups(lesion: ReportedLesion, visit: Visit) -> Iterator[Any]:
    """The groups of one lesion: what was recorded with the diameters of the whole, those of its viable part, and volumes."""
    row = lesion.row
    finding = lesion.segments["whole"].type if "whole" in lesion.segments else codes.LESION
    whole = _diameters(lesion, {"longest": codes.LONG_AXIS, "short": codes.SHORT_AXIS})
    if row.mean_hu is not None:
        whole.append(_number(codes.MEAN_DENSITY, float(row.mean_hu), codes.HOUNSFIELD, derivation=codes.MEAN))
    viable = _diameters(lesion, {"viable": codes.VIABLE_LONG, "viable_short": codes.VIABLE_SHORT})
    volumes = {"whole": (finding, row.volume_mm3), "viable": (codes.ENHANCING, row.viable_volume_mm3)}
    loose = {
        part: _volume(mm3) for part, (_, mm3) in volumes.items() if mm3 is not None and part not in lesion.segments
    }
    whole += [loose["whole"]] if "whole" in loose else []
    viable += [loose["viable"]] if "viable" in loose else []
    words = [*_words(row)]
    yield _group(lesion, visit, finding, codes.METHODS["recist11"] if whole else None, whole, words, _texts(row))
    if viable:
        yield _group(lesion, visit, codes.ENHANCING, codes.METHODS["mrecist"], viable, [], [])
    for part, (type_, mm3) in volumes.items():
        if mm3 is not None and part in lesion.segments:
            yield _volume_group(lesion, visit, type_, mm3, lesion.segments[part])


def _diameters(lesion: ReportedLesion, names: Mapping[str, Code]) -> list[Any]:
    made = []
    for name, concept in names.items():
        recorded: Decimal | None = getattr(lesion.row, f"{name}_mm")
        if recorded is None:
            continue
        line = lesion.lines.get(name)
        # The drawn length where there is one, so that number and line agree; the recorded decimals stand beside it as text.
        mm = line.mm if line else lesion.lengths.get(name, float(recorded))
        made.append(_number(concept, mm, codes.MILLIMETRE, lines=[line] if line else []))
    return made


def _number(
    concept: Code, value: float, unit: Code, *, lines: Sequence[Line] = (), derivation: Code | None = None
) -> Any:
    import highdicom as hd

    return hd.sr.Measurement(
        name=coded(concept),
        value=round(value, _DECIMALS),
        unit=coded(unit),
        derivation=coded(derivation) if derivation else None,
        referenced_coordinates=[_coordinates(line) for line in lines] or None,
    )


def _coordinates(line: Line) -> Any:
    import highdicom as hd

    return hd.sr.CoordinatesForMeasurement(
        graphic_type=hd.sr.GraphicTypeValues.POLYLINE,
        graphic_data=np.array(line.ends),
        source_image=hd.sr.SourceImageForRegion(
            referenced_sop_class_uid=line.image.SOPClassUID,
            referenced_sop_instance_uid=line.image.SOPInstanceUID,
            referenced_frame_numbers=None if line.frame is None else [line.frame + 1],
        ),
    )


def _volume(mm3: Decimal) -> Any:
    import highdicom as hd

    return hd.sr.Measurement(
        name=coded(codes.VOLUME),
        value=float(mm3),
        unit=coded(codes.CUBIC_MILLIMETRE),
        method=coded(codes.VOLUME_METHOD),
    )


def _volume_group(lesion: ReportedLesion, visit: Visit, finding: Code, mm3: Decimal, segment: SegmentReference) -> Any:
    import highdicom as hd

    file = segment.segmentation
    series = file.ReferencedSeriesSequence[0].SeriesInstanceUID
    return hd.sr.VolumetricROIMeasurementsAndQualitativeEvaluations(
        **_identification(lesion, visit, finding),
        referenced_segment=hd.sr.ReferencedSegment(
            sop_class_uid=file.SOPClassUID,
            sop_instance_uid=file.SOPInstanceUID,
            segment_number=segment.number,
            source_series=hd.sr.SourceSeriesForSegmentation(series),
        ),
        measurements=[_volume(mm3)],
    )


def _identification(lesion: ReportedLesion, visit: Visit, finding: Code) -> dict[str, Any]:
    import highdicom as hd

    row = lesion.row
    site = codes.LYMPH_NODE if row.kind is Kind.NODE else codes.ORGANS.get(row.organ.casefold())
    return {
        "tracking_identifier": hd.sr.TrackingIdentifier(uid=lesion.tracking_uid, identifier=row.lesion),
        "time_point_context": _time_point(visit),
        "finding_category": coded(codes.ABNORMAL_STRUCTURE),
        "finding_type": coded(finding),
        "finding_sites": [hd.sr.FindingSite(anatomic_location=coded(site))] if site else None,
    }


def _time_point(visit: Visit) -> Any:
    import highdicom as hd

    # No order or offset as numbers: readers of reports list them as measurements of the lesion.
    return hd.sr.TimePointContext(
        time_point=str(visit.timepoint),
        time_point_type=coded(codes.BASELINE_VISIT) if visit.timepoint == 0 else None,
        subject_time_point_identifier=f"{visit.subject}/{visit.timepoint}",
        protocol_time_point_identifier=str(visit.timepoint),
    )


def _group(
    lesion: ReportedLesion,
    visit: Visit,
    finding: Code,
    method: Code | None,
    measurements: Sequence[Any],
    words: Sequence[Any],
    texts: Sequence[Any],
) -> Any:
    import highdicom as hd

    group = hd.sr.MeasurementsAndQualitativeEvaluations(
        **_identification(lesion, visit, finding),
        method=coded(method) if method else None,
        measurements=list(measurements) or None,
        qualitative_evaluations=list(words) or None,
    )
    return _finished(group, texts)


def _words(row: Measurement) -> Iterator[Any]:
    import highdicom as hd

    yield hd.sr.QualitativeEvaluation(name=coded(codes.BASELINE_CATEGORY), value=coded(codes.CATEGORY_OF[row.role]))
    for column, (concept, words) in codes.WORDS.items():
        word = getattr(row, column)
        if word is not None:
            yield hd.sr.QualitativeEvaluation(name=coded(concept), value=coded(words[word]))


def _texts(row: Measurement) -> list[Any]:
    cells = ((concept, getattr(row, column)) for column, concept in codes.TEXTS.items())
    return [_text(concept, _cell(value)) for concept, value in cells if value not in (None, "", ())]


def _cell(value: object) -> str:
    if isinstance(value, tuple):
        return ";".join(map(_cell, value))
    return show(value) if isinstance(value, Decimal) else str(value)


def _text(concept: Code, text: str) -> Any:
    import highdicom as hd

    return hd.sr.TextContentItem(
        name=coded(concept), value=text, relationship_type=hd.sr.RelationshipTypeValues.CONTAINS
    )


def _finished(group: Any, texts: Sequence[Any]) -> Any:
    """Add texts, and make the method of the group the modifier that TID 1501 asks for; highdicom writes CONTAINS."""
    content = group[0].ContentSequence
    for item in content:
        name = item.ConceptNameCodeSequence[0]
        if (name.get("CodeValue"), name.CodingSchemeDesignator) == ("370129005", "SCT"):
            item.RelationshipType = "HAS CONCEPT MOD"
    content.extend(texts)
    return group


# --- response --------------------------------------------------------------------------------------------------------


_NUMBERS = {
    "baseline_sum": codes.BASELINE_SUM,
    "nadir_sum": codes.NADIR_SUM,
    "pct_from_baseline": codes.PERCENT_FROM_BASELINE,
    "pct_from_nadir": codes.PERCENT_FROM_NADIR,
    "abs_from_nadir": codes.CHANGE_FROM_NADIR,
}


def response_group(response: ReportedResponse, visit: Visit) -> Any:
    """The group of one criterion: sums, changes and responses of this time point."""
    import highdicom as hd

    numbers = response.numbers
    unit = codes.UNITS[response.unit or "mm"]
    measurements = []
    if "sum" in numbers:
        measurements.append(_number(codes.SUM_OF_TARGETS, float(numbers["sum"]), unit, derivation=codes.TOTAL))
    for name, concept in _NUMBERS.items():
        if name in numbers:
            of = codes.PERCENT if name.startswith("pct") else unit
            measurements.append(_number(concept, float(numbers[name]), of))
    group = hd.sr.MeasurementsAndQualitativeEvaluations(
        tracking_identifier=hd.sr.TrackingIdentifier(
            uid=response.tracking_uid, identifier=f"Response {response.criterion}"
        ),
        time_point_context=_time_point(visit),
        finding_type=coded(codes.RESPONSE_EVALUATION),
        method=coded(response.method),
        measurements=measurements or None,
        qualitative_evaluations=[
            hd.sr.QualitativeEvaluation(name=coded(name), value=coded(value)) for name, value in _responses(response)
        ]
        or None,
    )
    texts = {
        codes.CRITERION: response.criterion,
        codes.FLAGS: response.flags,
        codes.REASON: response.reason,
        codes.PROTOCOL_SHA256: response.protocol_sha256,
    }
    return _finished(group, [_text(concept, text) for concept, text in texts.items() if text])


def _responses(response: ReportedResponse) -> Iterator[tuple[Code, Code]]:
    """Name and value of each response: the code of DICOM where it says the same, else the private one."""
    for given, own, standard in (
        (response.target, codes.TARGET_RESPONSE, codes.STANDARD_TARGET),
        (response.non_target, codes.NON_TARGET_RESPONSE, codes.STANDARD_NON_TARGET),
    ):
        if given is not None and response.has_standard_codes and given in standard:
            yield codes.CURRENT_RESPONSE, standard[given]
        elif given is not None:
            yield own, codes.RESPONSES[given]
    if response.new_lesion is not None:
        yield codes.NEW_LESION, codes.NEW_LESIONS[response.new_lesion]
    if response.overall is not None:
        yield codes.OVERALL_RESPONSE, codes.RESPONSES[response.overall]
