"""The sample study as DICOM: CT series and segmentations, valid objects with the same bytes every time."""

from __future__ import annotations

import hashlib
import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import numpy as np
from pydicom.dataset import Dataset, FileDataset, FileMetaDataset
from pydicom.uid import CTImageStorage, ExplicitVRLittleEndian, JPEGLSLossless

from mrecist.samples.phantom import body_hu, grid_for
from mrecist.samples.plan import BASELINE_DAYS, Drawn, Subject, Visit
from mrecist.samples.shapes import Grid

# Values are stored in steps of 4 HU from -1024 HU on: a rescale slope that a reader must apply.
SLOPE, INTERCEPT = 4, -1024
SOFTWARE = "mrecist sample 1"


@dataclass(frozen=True, slots=True, kw_only=True)
class Phase:
    """A contrast phase as the scanner writes it."""

    name: str
    description: str
    number: int
    acquired: str


# The injection starts at 10:00:00: arterial after 32 s, portal venous after 72 s.
INJECTED = "100000"
ARTERIAL = Phase(name="arterial", description="LIVER ARTERIAL 5.0", number=2, acquired="100032")
PORTAL = Phase(name="portal", description="LIVER PORTAL VENOUS 5.0", number=3, acquired="100112")


def uid(*names: object) -> str:
    """A UID that depends on the names only: 2.25 and 128 bits of a hash (PS3.5 B.2)."""
    digest = hashlib.sha256("/".join(str(name) for name in names).encode("ascii")).digest()
    return f"2.25.{int.from_bytes(digest[:16], 'big')}"


def visit_date(subject: Subject, visit: Visit) -> date:
    """The day of a visit."""
    return subject.baseline + timedelta(days=BASELINE_DAYS[visit.timepoint])


def write_visit(folder: Path, masks: Path, subject: Subject, visit: Visit) -> None:
    """Write the series of a visit and, when something is drawn, its segmentation."""
    grid = grid_for(subject.spacing_mm)
    phases = (ARTERIAL, PORTAL) if visit.arterial else (PORTAL,)
    series = {}
    for phase in phases:
        hu = body_hu(
            grid, visit.drawn, arterial=phase is ARTERIAL, seed=f"{subject.name}/{visit.timepoint}/{phase.name}"
        )
        series[phase.name] = [_ct_slice(subject, visit, phase, grid, hu, index) for index in range(grid.shape[0])]
        for index, dataset in enumerate(series[phase.name], start=1):
            path = folder / str(visit.timepoint) / phase.name / f"{index:04}.dcm"
            path.parent.mkdir(parents=True, exist_ok=True)
            _save(dataset, path)
    if visit.drawn:
        masks.mkdir(parents=True, exist_ok=True)
        segmentation = _segmentation(subject, visit, grid, series[phases[0].name])
        _save(segmentation, masks / f"{subject.name}_{visit.timepoint}.dcm")


def _common(dataset: Dataset, subject: Subject, visit: Visit) -> None:
    """Patient, study and trial: the subject id stands in for every name."""
    day = visit_date(subject, visit).strftime("%Y%m%d")
    dataset.PatientName = dataset.PatientID = subject.name
    dataset.PatientBirthDate = ""
    dataset.PatientSex = ""
    dataset.PatientIdentityRemoved = "YES"
    dataset.DeidentificationMethod = "synthetic phantom, no person"
    dataset.ClinicalTrialSponsorName = "mrecist"
    dataset.ClinicalTrialProtocolID = "SAMPLE"
    dataset.ClinicalTrialProtocolName = "mrecist sample study"
    dataset.ClinicalTrialSiteID = dataset.ClinicalTrialSiteName = ""
    dataset.ClinicalTrialSubjectID = subject.name
    dataset.ClinicalTrialTimePointID = str(visit.timepoint)
    dataset.ClinicalTrialTimePointDescription = "Baseline" if visit.timepoint == 0 else f"Follow-up {visit.timepoint}"
    dataset.StudyInstanceUID = uid(subject.name, visit.timepoint)
    dataset.StudyDate = dataset.SeriesDate = dataset.AcquisitionDate = dataset.ContentDate = day
    dataset.StudyTime = "095500"
    dataset.StudyID = str(visit.timepoint)
    dataset.StudyDescription = "CT LIVER MULTIPHASE"
    dataset.AccessionNumber = dataset.ReferringPhysicianName = ""


def _ct_slice(subject: Subject, visit: Visit, phase: Phase, grid: Grid, hu: Any, index: int) -> Dataset:
    dataset = Dataset()
    _common(dataset, subject, visit)
    names = (subject.name, visit.timepoint, phase.name)
    dataset.SpecificCharacterSet = "ISO_IR 192"
    dataset.SOPClassUID = CTImageStorage
    dataset.SOPInstanceUID = uid(*names, index)
    dataset.SeriesInstanceUID = uid(*names)
    dataset.FrameOfReferenceUID = uid(subject.name, visit.timepoint, "frame of reference")
    dataset.PositionReferenceIndicator = ""
    dataset.Modality = "CT"
    dataset.SeriesNumber, dataset.SeriesDescription = phase.number, phase.description
    dataset.SeriesTime = dataset.AcquisitionTime = dataset.ContentTime = phase.acquired
    dataset.AcquisitionNumber, dataset.InstanceNumber = phase.number, index + 1
    dataset.Manufacturer, dataset.ManufacturerModelName = "mrecist", "phantom"
    dataset.DeviceSerialNumber, dataset.SoftwareVersions = "1", SOFTWARE
    dataset.BodyPartExamined, dataset.PatientPosition = "LIVER", "HFS"
    dataset.ImageType = ["ORIGINAL", "PRIMARY", "AXIAL"]
    dataset.KVP, dataset.SliceThickness = "120", "5"
    dataset.ContrastBolusAgent, dataset.ContrastBolusStartTime = "iodinated contrast", INJECTED
    dataset.ContrastBolusRoute = "IV"
    dataset.ImageOrientationPatient = [1, 0, 0, 0, 1, 0]
    dataset.ImagePositionPatient = [f"{v:g}" for v in (*grid.origin[:2], grid.origin[2] + index * grid.slice_step_mm)]
    dataset.PixelSpacing = [f"{grid.row_spacing_mm:g}", f"{grid.column_spacing_mm:g}"]
    dataset.SamplesPerPixel, dataset.PhotometricInterpretation = 1, "MONOCHROME2"
    dataset.Rows, dataset.Columns = grid.shape[1:]
    dataset.BitsAllocated, dataset.BitsStored, dataset.HighBit, dataset.PixelRepresentation = 16, 12, 11, 0
    dataset.RescaleSlope, dataset.RescaleIntercept, dataset.RescaleType = str(SLOPE), str(INTERCEPT), "HU"
    dataset.WindowCenter, dataset.WindowWidth = "70", "350"
    stored = np.clip((hu[index] - INTERCEPT) // SLOPE, 0, 4095).astype("<u2")
    dataset.PixelData = stored.tobytes()
    dataset.file_meta = _meta(dataset.SOPClassUID, dataset.SOPInstanceUID)
    return dataset


def _meta(sop_class: str, instance: str) -> FileMetaDataset:
    meta = FileMetaDataset()
    meta.MediaStorageSOPClassUID, meta.MediaStorageSOPInstanceUID = sop_class, instance
    meta.TransferSyntaxUID = ExplicitVRLittleEndian
    meta.ImplementationClassUID = uid("implementation")
    meta.ImplementationVersionName = "MRECIST_SAMPLE"
    return meta


def _save(dataset: Dataset, path: Path) -> None:
    """CT slices compressed without loss, everything else as it is; the source dataset stays uncompressed."""
    file = FileDataset(
        str(path), Dataset(), file_meta=_meta(dataset.SOPClassUID, dataset.SOPInstanceUID), preamble=b"\0" * 128
    )
    file.update(dataset)
    if dataset.SOPClassUID == CTImageStorage:
        file.compress(JPEGLSLossless, encoding_plugin="pyjpegls", generate_instance_uid=False)
    file.save_as(path, enforce_file_format=True)


# --- segmentation ----------------------------------------------------------------------------------------------------


def _segmentation(subject: Subject, visit: Visit, grid: Grid, sources: Sequence[Dataset]) -> Any:
    import highdicom as hd

    descriptions: list[Any] = []
    planes = []
    for one in visit.drawn:
        parts = {"whole lesion": one.lesion.whole(grid)}
        viable = one.lesion.viable(grid)
        # A part without a voxel is no segment: viewers stumble over empty ones. reads/ says that nothing enhances.
        if not one.node and viable.any():
            parts["viable part"] = viable
        for name, mask in parts.items():
            planes.append(mask)
            descriptions.append(_segment(subject, one, len(planes), name))
    names = (subject.name, visit.timepoint, "segmentation")
    with warnings.catch_warnings():
        # highdicom warns about the clinical trial attributes that it copies; they are valid here.
        warnings.simplefilter("ignore", UserWarning)
        made = hd.seg.Segmentation(
            source_images=[_complete(source) for source in sources],
            pixel_array=np.stack(planes, axis=-1).astype(np.uint8),
            segmentation_type=hd.seg.SegmentationTypeValues.BINARY,
            segment_descriptions=descriptions,
            series_instance_uid=uid(*names),
            series_number=100,
            sop_instance_uid=uid(*names, 1),
            instance_number=1,
            manufacturer="mrecist",
            manufacturer_model_name="phantom",
            software_versions=SOFTWARE,
            device_serial_number="1",
            content_label="LESIONS",
            content_description="whole lesions and their viable parts",
            content_creator_name="R1",
            series_description="Lesions R1",
            omit_empty_frames=True,
        )
    return _same_every_time(made, subject, visit, names)


def _segment(subject: Subject, one: Drawn, number: int, part: str) -> Any:
    import highdicom as hd
    from pydicom.sr.coding import Code

    enhancing = Code("C113842", "NCIt", "Enhancing Lesion")
    mass = Code("4147007", "SCT", "Mass")
    site = Code("59441001", "SCT", "Lymph node") if one.node else Code("10200004", "SCT", "Liver")
    return hd.seg.SegmentDescription(
        segment_number=number,
        segment_label=f"{one.name} {part}",
        segmented_property_category=Code("49755003", "SCT", "Morphologically Abnormal Structure"),
        segmented_property_type=enhancing if part == "viable part" else mass,
        algorithm_type=hd.seg.SegmentAlgorithmTypeValues.MANUAL,
        tracking_uid=uid(subject.name, one.name),
        tracking_id=one.name,
        anatomic_regions=[site],
    )


def _complete(source: Dataset) -> Dataset:
    """A source image as highdicom wants it: a dataset that knows its encoding."""
    file = FileDataset("", Dataset(), file_meta=source.file_meta, preamble=b"\0" * 128)
    file.update(source)
    return file


def _same_every_time(made: Any, subject: Subject, visit: Visit, names: tuple[object, ...]) -> Any:
    """Overwrite what depends on the clock or on chance."""
    day = visit_date(subject, visit).strftime("%Y%m%d")
    made.ContentDate = made.SeriesDate = made.InstanceCreationDate = day
    made.ContentTime = made.SeriesTime = made.InstanceCreationTime = "120000"
    made.SpecificCharacterSet = "ISO_IR 192"
    organisation = uid(*names, "dimensions")
    for item in made.get("DimensionOrganizationSequence", []):
        item.DimensionOrganizationUID = organisation
    for item in made.get("DimensionIndexSequence", []):
        item.DimensionOrganizationUID = organisation
    for item in made.get("ContributingEquipmentSequence", []):
        item.ContributionDateTime = f"{day}120000"
        item.SoftwareVersions = SOFTWARE
    return made


def versions() -> dict[str, str]:
    """The libraries whose version could change the bytes."""
    from importlib.metadata import version

    return {name: version(name) for name in ("pydicom", "highdicom", "pyjpegls")}
