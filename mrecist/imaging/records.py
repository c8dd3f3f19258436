"""What one slice says of itself: a flat record out of a single-frame header or one frame of an enhanced multi-frame file.

Everything that decides where a slice lies or whether it may be measured is checked here, once. A slice that cannot be used
gets ``reject``: a verdict code and one sentence. Values that only help (times, echo numbers) are None when unreadable.

Sources: PS3.3 C.7.6.2 (Image Plane), C.7.6.16 (Multi-frame Functional Groups), C.8.2.1 (CT Image), C.7.6.1.1.2 (Image Type).
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from mrecist.dates import parse_date
from mrecist.errors import SeriesError
from mrecist.imaging.headers import (
    Header,
    get_integer,
    get_items,
    get_number,
    get_numbers,
    get_text,
    get_texts,
    object_uid,
    or_none,
    pixel_problem,
    tag_name,
)
from mrecist.imaging.layout import PixelLayout, Scaling, layout_of, scaling_of

SECONDARY_CAPTURE = "1.2.840.10008.5.1.4.1.1.7"
DATE_TAGS = ("AcquisitionDate", "SeriesDate", "ContentDate", "StudyDate")
# A derived image whose further values are all of this set is a slice of tissue in its right place: a reformat, a lossy copy,
# a scanner-corrected or Dixon water image. Any other derived image (projection, subtraction, perfusion map, ...) is refused.
# fmt: off
REFORMATS = frozenset(
    {
        "AXIAL", "MPR", "REFORMATTED", "RESAMPLED", "PROCESSED", "AVERAGE", "HELIX", "NONE", "M", "ND",
        "NORM", "DIS2D", "DIS3D", "FM", "OTHER", "CSAPARALLEL", "T1", "T2", "VOLUME", "DIXON", "WATER",
        "FAT", "W", "F", "IN_PHASE", "OUT_PHASE", "OPP_PHASE", "IN", "OPP", "CSA MPR", "CSA RESAMPLED",
        "IP", "OP", "VMI", "MONOENERGETIC", "DERIVED",
    }
)
# fmt: on
PROJECTIONS = frozenset(
    {"MIP", "MINIP", "MNIP", "MAXIP", "PROJECTION IMAGE", "SUBTRACTION", "SUB", "SCREEN SAVE", "VRT"}
)
# Multi-energy CT (PS3.3 C.8.2.1.1.1): contrast is taken out or shown alone, so neither HU nor enhancement can be read.
MATERIALS = frozenset(
    {"VNC", "MAT_SPECIFIC", "MAT_REMOVED", "MAT_FRACTIONAL", "MAT_MODIFIED", "MAT_VALUE_BASED", "EFF_ATOMIC_NUM"}
    | {"ELECTRON_DENSITY", "IODINE", "VIRTUAL_NON_CONTRAST", "VUE"}
)
# RescaleType (PS3.3 C.11.1.1.2) of values that are no attenuation: density of a material, atomic number, electron density, ...
OTHER_UNITS = frozenset({"MGML", "Z_EFF", "ED", "EDW", "HU_MOD", "PCT", "OD"})
SCOUTS = frozenset({"LOCALIZER", "SCOUT", "TOPOGRAM", "SCANOGRAM", "SURVIEW"})
OTHER_MODALITIES = {
    "PT": "a PET image",
    "NM": "a nuclear medicine image",
    "US": "an ultrasound image",
    "IVUS": "an intravascular ultrasound image",
    "RTDOSE": "a dose distribution",
}
_KEV = "MonoenergeticEnergyEquivalent"
_HEART, _BREATH = "NominalPercentageOfCardiacPhase", "NominalPercentageOfRespiratoryPhase"
_UNIT_TOLERANCE = 1e-3  # direction cosines are written with as few as four decimals
_MAX_SPACING_MM = 100.0


@dataclass(frozen=True, slots=True, kw_only=True)
class FrameRecord:
    """One slice; see the tag of the same name for each field. ``reject`` is (verdict code, sentence) or None."""

    path: Path
    frame: int | None
    sop_class_uid: str
    sop_instance_uid: str
    study_uid: str
    series_uid: str
    series_number: str
    frame_of_reference_uid: str
    patient_id: str
    subject_id: str | None
    timepoint_id: str | None
    modality: str
    description: str
    protocol_name: str
    photometric: str
    image_type: tuple[str, ...]
    rows: int
    columns: int
    position: tuple[float, float, float] | None
    orientation: tuple[float, ...] | None
    spacing: tuple[float, float] | None
    slice_thickness_mm: float | None
    instance_number: int | None
    temporal_position: int | None
    acquisition_number: int | None
    trigger_time: float | None
    echo_time: float | None
    b_value: float | None
    gradient: tuple[float, ...] | None
    kvp: float | None
    energy_kev: float | None
    cycle_percent: float | None
    stack_id: str
    concatenation: tuple[str, int, int] | None
    kernel: str
    acquisition_seconds: float | None
    content_seconds: float | None
    dates: tuple[tuple[str, str], ...]
    contrast_agent: str
    contrast_start_seconds: float | None
    rescaled: bool
    reject: tuple[str, str] | None
    pixels: PixelLayout | None = None
    scaling: Scaling | None = None
    complex_component: str = ""
    lossy: bool = False


def records_of(header: Header) -> tuple[FrameRecord, ...]:
    """The slices of one image file, in frame order.

    Raises
    ------
    SeriesError
        The file lacks what every image has (truncated header), or its pixel data are truncated.
    """
    dataset = header.dataset
    if not object_uid(dataset, "SOPInstanceUID"):
        raise SeriesError(f"header truncated or damaged: no {tag_name('SOPInstanceUID')}")
    for keyword in ("Rows", "Columns", "BitsAllocated"):
        if not get_text(dataset, keyword):
            raise SeriesError(f"header truncated or damaged: no {tag_name(keyword)}")
    if (get_integer(dataset, "Rows") or 0) <= 0 or (get_integer(dataset, "Columns") or 0) <= 0:
        raise SeriesError("Rows (0028,0010) or Columns (0028,0011) is not positive")
    frames = get_integer(dataset, "NumberOfFrames")
    if frames is not None and frames < 1:
        raise SeriesError(f"{tag_name('NumberOfFrames')} is {frames}")
    if problem := pixel_problem(header, frames=frames or 1):
        raise SeriesError(problem)
    layout = or_none(lambda given, _: layout_of(given), header, "PixelData")
    per_frame = get_items(dataset, "PerFrameFunctionalGroupsSequence")
    if not per_frame:
        return tuple(_record(header, None if frames in (None, 1) else i, [dataset], layout) for i in range(frames or 1))
    if len(per_frame) != (frames or 1):
        raise SeriesError(f"{len(per_frame)} per-frame functional groups for NumberOfFrames {frames or 1}")
    shared = get_items(dataset, "SharedFunctionalGroupsSequence")[:1]
    return tuple(_record(header, i, [group, *shared, dataset], layout) for i, group in enumerate(per_frame))


def _record(header: Header, frame: int | None, groups: Sequence[Any], layout: PixelLayout | None) -> FrameRecord:
    """``groups``: the frame's functional groups, the shared ones, the data set; the first that has a value wins."""
    top = header.dataset
    content = _group(groups, "FrameContentSequence") or top
    geometry, reject = _geometry(groups)
    image_type = _image_type(groups, top)
    dates = _dates(top, content)
    day = dates[0][1] if dates and dates[0][0] == "AcquisitionDate" else None
    return FrameRecord(
        path=header.path,
        frame=frame,
        sop_class_uid=object_uid(top, "SOPClassUID"),
        sop_instance_uid=object_uid(top, "SOPInstanceUID"),
        study_uid=get_text(top, "StudyInstanceUID"),
        series_uid=get_text(top, "SeriesInstanceUID"),
        series_number=get_text(top, "SeriesNumber"),
        frame_of_reference_uid=get_text(top, "FrameOfReferenceUID"),
        patient_id=get_text(top, "PatientID"),
        subject_id=get_text(top, "ClinicalTrialSubjectID") or None,
        timepoint_id=get_text(top, "ClinicalTrialTimePointID") or None,
        modality=get_text(top, "Modality"),
        description=get_text(top, "SeriesDescription"),
        protocol_name=get_text(top, "ProtocolName"),
        photometric=get_text(top, "PhotometricInterpretation"),
        image_type=image_type,
        rows=get_integer(top, "Rows") or 0,
        columns=get_integer(top, "Columns") or 0,
        slice_thickness_mm=_thickness(groups),
        instance_number=or_none(get_integer, top, "InstanceNumber"),
        temporal_position=or_none(get_integer, content, "TemporalPositionIndex")
        or or_none(get_integer, top, "TemporalPositionIdentifier"),
        acquisition_number=or_none(get_integer, content, "FrameAcquisitionNumber")
        or or_none(get_integer, top, "AcquisitionNumber"),
        trigger_time=_trigger_time(groups, top),
        echo_time=_first_number(groups, top, "MREchoSequence", "EffectiveEchoTime", "EchoTime"),
        b_value=_first_number(groups, top, "MRDiffusionSequence", "DiffusionBValue", "DiffusionBValue"),
        gradient=_gradient(groups, top),
        kvp=_first_number(groups, top, "CTXRayDetailsSequence", "KVP", "KVP"),
        energy_kev=_first_number(groups, top, "CTXRayDetailsSequence", _KEV, _KEV),
        cycle_percent=_cycle(groups, top),
        stack_id=or_none(get_text, content, "StackID") or "",
        concatenation=_concatenation(top),
        kernel=get_text(_group(groups, "CTReconstructionSequence") or top, "ConvolutionKernel"),
        acquisition_seconds=_seconds(content, top, "FrameAcquisitionDateTime", "AcquisitionTime", day),
        content_seconds=_seconds(content, top, "FrameReferenceDateTime", "ContentTime", day),
        dates=dates,
        contrast_agent=get_text(top, "ContrastBolusAgent"),
        contrast_start_seconds=time_of_day(get_text(top, "ContrastBolusStartTime")),
        rescaled=_rescaled(groups, top),
        reject=_reject(top, image_type, _rescale_type(groups)) or reject,
        pixels=layout,
        scaling=or_none(lambda given, _: scaling_of(given), groups, "RescaleSlope"),
        complex_component=get_text(_group(groups, "MRImageFrameTypeSequence") or top, "ComplexImageComponent"),
        lossy=get_text(top, "LossyImageCompression") == "01",
        **geometry,
    )


def _group(groups: Sequence[Any], keyword: str) -> Any | None:
    """The first item of a functional group, from the frame, else shared, else the data set."""
    for group in groups:
        if items := get_items(group, keyword):
            return items[0]
    return None


def _geometry(groups: Sequence[Any]) -> tuple[dict[str, Any], tuple[str, str] | None]:
    """position, orientation, spacing; or all None and why."""
    top = groups[-1]
    try:
        place = _group(groups, "PlanePositionSequence") or (top if len(groups) == 1 else None)
        # One position beside the functional groups is nobody's: a frame without its own would be laid on the first.
        position = None if place is None else get_numbers(place, "ImagePositionPatient", 3)
        orientation = get_numbers(_group(groups, "PlaneOrientationSequence") or top, "ImageOrientationPatient", 6)
        spacing = get_numbers(_group(groups, "PixelMeasuresSequence") or top, "PixelSpacing", 2)
        for keyword, value in (
            ("ImagePositionPatient", position),
            ("ImageOrientationPatient", orientation),
            ("PixelSpacing", spacing),
        ):
            if value is None:
                raise SeriesError(f"no {tag_name(keyword)}")
        _check_orientation(orientation or ())
        _check_spacing(spacing or ())
    except SeriesError as error:
        return {"position": None, "orientation": None, "spacing": None}, ("NO_GEOMETRY", str(error))
    return {"position": position, "orientation": orientation, "spacing": spacing}, None


def _check_orientation(cosines: tuple[float, ...]) -> None:
    row, column = cosines[:3], cosines[3:]
    lengths = [math.sqrt(sum(c * c for c in v)) for v in (row, column)]
    dot = sum(a * b for a, b in zip(row, column, strict=True))
    if any(abs(length - 1) > _UNIT_TOLERANCE for length in lengths) or abs(dot) > _UNIT_TOLERANCE:
        values = "\\".join(f"{c:g}" for c in cosines)
        raise SeriesError(f"{tag_name('ImageOrientationPatient')} is not two perpendicular unit vectors: {values}")


def _check_spacing(spacing: tuple[float, ...]) -> None:
    if not all(0 < s <= _MAX_SPACING_MM for s in spacing):
        raise SeriesError(f"{tag_name('PixelSpacing')} is not a spacing in mm: {spacing[0]:g}\\{spacing[1]:g}")


def _thickness(groups: Sequence[Any]) -> float | None:
    """SliceThickness; None when it is absent, unreadable, or no thickness."""
    value = or_none(get_number, _group(groups, "PixelMeasuresSequence") or groups[-1], "SliceThickness")
    return value if value is not None and value > 0 else None


def _image_type(groups: Sequence[Any], top: Any) -> tuple[str, ...]:
    for keyword in ("CTImageFrameTypeSequence", "MRImageFrameTypeSequence", "PETFrameTypeSequence"):
        item = _group(groups[:-1], keyword)
        if item is not None and (values := get_texts(item, "FrameType")):
            return tuple(v.upper() for v in values)
    return tuple(v.upper() for v in get_texts(top, "ImageType"))


def _reject(top: Any, image_type: tuple[str, ...], rescale_type: str) -> tuple[str, str] | None:
    shown = "\\".join(image_type)
    if other := OTHER_MODALITIES.get(get_text(top, "Modality").upper()):
        return "NOT_CT_OR_MR", f"{other}: response criteria measure on CT or MR"
    samples, photometric = get_integer(top, "SamplesPerPixel") or 1, get_text(top, "PhotometricInterpretation")
    if samples != 1 or photometric not in ("", "MONOCHROME1", "MONOCHROME2"):
        return "NOT_GREYSCALE", f"a colour image (PhotometricInterpretation {photometric}, SamplesPerPixel {samples})"
    if object_uid(top, "SOPClassUID").startswith(SECONDARY_CAPTURE):
        return "SECONDARY_CAPTURE", "a secondary capture (screen save or converted picture)"
    if SCOUTS & set(image_type):
        return "LOCALIZER", f"a localizer (ImageType {shown})"
    further = {v for v in image_type[2:] if v}
    if materials := further & MATERIALS:
        return (
            "DERIVED",
            f"a map of materials, no attenuation of tissue (ImageType {shown}: {', '.join(sorted(materials))})",
        )
    if rescale_type in OTHER_UNITS:
        return "DERIVED", f"a map of materials, no attenuation of tissue (RescaleType {rescale_type})"
    if further & PROJECTIONS or (image_type[:1] == ("DERIVED",) and not (further and further <= REFORMATS)):
        return "DERIVED", f"a derived image that is no plain slice of tissue (ImageType {shown})"
    return None


def _rescale_type(groups: Sequence[Any]) -> str:
    return get_text(_group(groups, "PixelValueTransformationSequence") or groups[-1], "RescaleType").upper()


def _rescaled(groups: Sequence[Any], top: Any) -> bool:
    item = _group(groups, "PixelValueTransformationSequence") or top
    return get_text(item, "RescaleIntercept") != "" and get_text(item, "RescaleSlope") != ""


def _first_number(groups: Sequence[Any], top: Any, sequence: str, inside: str, plain: str) -> float | None:
    item = _group(groups, sequence)
    value: float | None = or_none(get_number, item, inside) if item is not None else None
    return value if value is not None else or_none(get_number, top, plain)


def _gradient(groups: Sequence[Any], top: Any) -> tuple[float, ...] | None:
    """Direction of the diffusion gradient, to two decimals."""
    diffusion = _group(groups, "MRDiffusionSequence")
    inside = None if diffusion is None else _group([diffusion], "DiffusionGradientDirectionSequence")
    for holder in (inside, top):
        found = None if holder is None else or_none(_three, holder, "DiffusionGradientOrientation")
        if found is not None:
            return tuple(round(v, 2) for v in found)
    return None


def _three(dataset: Any, keyword: str) -> tuple[float, ...] | None:
    return get_numbers(dataset, keyword, 3)


def _cycle(groups: Sequence[Any], top: Any) -> float | None:
    """Percentage of the heart cycle, else of the breathing cycle."""
    heart = _first_number(groups, top, "CardiacSynchronizationSequence", _HEART, _HEART)
    return (
        heart
        if heart is not None
        else _first_number(groups, top, "RespiratorySynchronizationSequence", _BREATH, _BREATH)
    )


def _concatenation(top: Any) -> tuple[str, int, int] | None:
    """(ConcatenationUID, number of this part, number of parts or 0 when it is not stated)."""
    uid, number = get_text(top, "ConcatenationUID"), or_none(get_integer, top, "InConcatenationNumber")
    if not uid or number is None or number < 1:
        return None
    return uid, number, or_none(get_integer, top, "InConcatenationTotalNumber") or 0


def _trigger_time(groups: Sequence[Any], top: Any) -> float | None:
    return _first_number(groups, top, "CardiacSynchronizationSequence", "NominalCardiacTriggerDelayTime", "TriggerTime")


def time_of_day(text: str) -> float | None:
    """Seconds since midnight of a DICOM TM (``HHMMSS.ffffff``, also ``HH:MM:SS``), or None.

    >>> time_of_day("145703.5")
    53823.5
    """
    digits, _, fraction = text.replace(":", "").strip().partition(".")
    if (
        not digits.isascii()
        or not digits.isdigit()
        or len(digits) not in (2, 4, 6)
        or (fraction and not fraction.isdigit())
    ):
        return None
    digits = digits.ljust(6, "0")
    return int(digits[:2]) * 3600.0 + int(digits[2:4]) * 60 + int(digits[4:6]) + float(f"0.{fraction or 0}")


def _seconds(content: Any, top: Any, stamp: str, time: str, day: str | None) -> float | None:
    """Seconds on a clock that keeps counting over midnight when the date is known."""
    text = get_text(content, stamp)
    if len(text) >= 14:
        text_day, text = iso_day(text[:8]), text[8:].partition("+")[0].partition("-")[0]
        day = text_day or day
    else:
        text = get_text(top, time)
    seconds = time_of_day(text)
    if seconds is None:
        return None
    return seconds + (parse_date(day).toordinal() * 86400.0 if day else 0.0)


def iso_day(text: str) -> str | None:
    """A DICOM DA as ISO 8601, or None when it is no day."""
    digits = text.replace(".", "").replace("-", "")[:8]
    try:
        return parse_date(f"{digits[:4]}-{digits[4:6]}-{digits[6:8]}").isoformat()
    except ValueError:
        return None


def first_date(dataset: Any) -> tuple[str | None, str]:
    """The day of an object as ISO 8601 and the tag it came from; ``(None, "")`` when no tag holds one."""
    dates = _dates(dataset, dataset)
    return (dates[0][1], dates[0][0]) if dates else (None, "")


def _dates(top: Any, content: Any) -> tuple[tuple[str, str], ...]:
    """(tag, ISO day) in order of preference; a day that is none of the calendar is left out."""
    texts = {tag: get_text(top, tag) for tag in DATE_TAGS}
    texts["AcquisitionDate"] = (
        texts["AcquisitionDate"]
        or get_text(top, "AcquisitionDateTime")
        or get_text(content, "FrameAcquisitionDateTime")  # last: de-identifiers forget to shift it
    )
    days = ((tag, iso_day(texts[tag])) for tag in DATE_TAGS if texts[tag])
    return tuple((tag, day) for tag, day in days if day)
