"""A Comprehensive 3D SR with the read of one subject, reader and time point (TID 1500; docs/dicom-objects.md).

highdicom does the writing. Only the images that carry a line are in the image library and in the evidence: a library of a whole
series takes half a minute and a megabyte for nothing.
"""

from __future__ import annotations

import warnings
from collections.abc import Iterable, Sequence
from copy import deepcopy
from dataclasses import dataclass
from datetime import date
from typing import Any

from mrecist.errors import InputError
from mrecist.imaging.headers import guarded
from mrecist.objects import codes
from mrecist.objects.coding import coded
from mrecist.objects.identity import (
    MANUFACTURER,
    MODEL,
    SERIAL_NUMBER,
    UUID_ROOT,
    check_reader,
    make_uid,
    settle,
    software,
)
from mrecist.objects.report_groups import (
    ReportedLesion,
    ReportedResponse,
    Visit,
    lesion_groups,
    response_group,
)

SERIES_NUMBER = 902


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """What a report says.

    Parameters
    ----------
    visit : subject and time point.
    reader : written as person observer.
    day : date of the assessment, written as ContentDate.
    lesions, responses : in the order in which they are written.
    image : header of an image of this visit, for patient, study and time.
    modality : ``CT`` or ``MR``, for the procedure that is reported.
    """

    visit: Visit
    reader: str
    day: date | None
    lesions: Sequence[ReportedLesion]
    responses: Sequence[ReportedResponse]
    image: Any
    modality: str


def report_series_uid(uid_root: str, image: Any, visit: Visit, reader: str) -> str:
    """SeriesInstanceUID of all versions of a report."""
    return make_uid(uid_root, "report", image.StudyInstanceUID, visit.subject, reader, visit.timepoint)


def write_report(report: Report, *, previous: Any = None, uid_root: str = UUID_ROOT) -> bytes:
    """The bytes of a structured report, the same for the same input.

    Parameters
    ----------
    previous : header of the report that this one corrects; it becomes the predecessor document.
    uid_root : root of the UIDs that are made.

    Raises
    ------
    InputError
        There is nothing to report, or the reader's name is no DICOM name.
    """
    import highdicom as hd

    visit, reader = report.visit, report.reader
    where = f"report of subject {visit.subject}, reader {reader}, time point {visit.timepoint}"
    if not report.lesions and not report.responses:
        raise InputError(f"{where}: no lesion and no response")
    check_reader(reader, where)
    with guarded(f"{where}: cannot be written", InputError), warnings.catch_warnings():
        # About names without a caret and clinical trial attributes that are copied: both are meant.
        warnings.simplefilter("ignore", UserWarning)
        groups = [group for lesion in report.lesions for group in lesion_groups(lesion, visit)]
        groups += [response_group(response, visit) for response in report.responses]
        lines = [line for lesion in report.lesions for line in lesion.lines.values()]
        images = _distinct(line.image for line in lines)
        segmentations = _distinct(s.segmentation for lesion in report.lesions for s in lesion.segments.values())
        series_uid = report_series_uid(uid_root, report.image, visit, reader)
        made = hd.sr.Comprehensive3DSR(
            evidence=_distinct([report.image, *images, *segmentations]),
            content=_content(report, groups, images, uid_root),
            series_instance_uid=series_uid,
            series_number=SERIES_NUMBER,
            sop_instance_uid=make_uid(uid_root, series_uid),
            instance_number=1,
            manufacturer=MANUFACTURER,
            is_complete=True,
            is_final=True,
            previous_versions=[previous] if previous is not None else None,
        )
    made.ManufacturerModelName, made.DeviceSerialNumber, made.SoftwareVersions = MODEL, SERIAL_NUMBER, software()
    made.SeriesDescription = f"Tumour response {reader}"[:64]
    made.SpecificCharacterSet = "ISO_IR 192"
    _name_schemes(made)
    _only_evidence_of(made, {str(one.SOPInstanceUID) for one in (*images, *segmentations)})
    return settle(made, uid_root, _dated(report))


def _distinct(objects: Iterable[Any]) -> list[Any]:
    return list({str(one.SOPInstanceUID): one for one in objects}.values())


def _content(report: Report, groups: Sequence[Any], images: Sequence[Any], uid_root: str) -> Any:
    import highdicom as hd
    from pydicom.sr.codedict import codes as known

    person = hd.sr.ObserverContext(
        observer_type=known.DCM.Person,
        observer_identifying_attributes=hd.sr.PersonObserverIdentifyingAttributes(
            name=report.reader, login_name=report.reader, role_in_procedure=coded(codes.READER_ROLE)
        ),
    )
    device = hd.sr.ObserverContext(
        observer_type=known.DCM.Device,
        observer_identifying_attributes=hd.sr.DeviceObserverIdentifyingAttributes(
            uid=make_uid(uid_root, "device", software()),
            name=software(),
            manufacturer_name=MANUFACTURER,
            model_name=MODEL,
            serial_number=SERIAL_NUMBER,
        ),
    )
    return hd.sr.MeasurementReport(
        observation_context=hd.sr.ObservationContext(observer_person_context=person, observer_device_context=device),
        procedure_reported=coded(codes.PROCEDURE_MR if report.modality == "MR" else codes.PROCEDURE_CT),
        imaging_measurements=list(groups),
        title=coded(codes.ONCOLOGY_REPORT),
        referenced_images=[image for image in images if _fits_library(image)] or None,
    )


def _fits_library(image: Any) -> bool:
    """Whether an image has what an entry of the library tells (TID 1604): one position, spacing and thickness.

    A multi-frame image has not; its line names the frame, and that is enough.
    """
    return all(
        image.get(n) for n in ("PixelSpacing", "ImageOrientationPatient", "ImagePositionPatient", "SliceThickness")
    )


def _name_schemes(made: Any) -> None:
    """Say what the private scheme is (PS3.3 C.12.1.1, Coding Scheme Identification Sequence)."""
    from pydicom.dataset import Dataset

    item = Dataset()
    item.CodingSchemeDesignator = codes.SCHEME
    item.CodingSchemeUID = codes.SCHEME_UID
    item.CodingSchemeName = codes.SCHEME_NAME
    item.CodingSchemeVersion = codes.SCHEME_VERSION
    item.CodingSchemeResponsibleOrganization = codes.SCHEME_ORGANISATION
    made.CodingSchemeIdentificationSequence = [item]


def _only_evidence_of(made: Any, referenced: set[str]) -> None:
    """Drop the image that only gave patient and study: evidence is what the content refers to."""
    for name in ("CurrentRequestedProcedureEvidenceSequence", "PertinentOtherEvidenceSequence"):
        for study in made.get(name, []):
            for series in study.ReferencedSeriesSequence:
                kept = [i for i in series.ReferencedSOPSequence if str(i.ReferencedSOPInstanceUID) in referenced]
                series.ReferencedSOPSequence = kept
            study.ReferencedSeriesSequence = [s for s in study.ReferencedSeriesSequence if s.ReferencedSOPSequence]
        if name in made:
            left = [study for study in made[name].value if study.ReferencedSeriesSequence]
            if left:
                setattr(made, name, left)
            else:
                delattr(made, name)


def _dated(report: Report) -> Any:
    """The image whose date and time the report takes, with the date of the assessment."""
    if report.day is None:
        return report.image
    image = deepcopy(report.image)
    image.AcquisitionDate = report.day.strftime("%Y%m%d")
    return image
