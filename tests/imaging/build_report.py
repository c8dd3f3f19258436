"""Structured reports by other hands than the reader under test: highdicom (TID 1500), and OHIF's layout tag by tag."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pydicom
from build_series import ROOT, STUDY
from pydicom.dataset import Dataset, FileDataset, FileMetaDataset
from pydicom.uid import Comprehensive3DSRStorage, ExplicitVRLittleEndian

Code = tuple[str, str, str]
LONG: Code = ("103339001", "SCT", "Long Axis")
SHORT: Code = ("103340004", "SCT", "Short Axis")
OLD_LONG: Code = ("G-A185", "SRT", "Long Axis")
OLD_SHORT: Code = ("G-A186", "SRT", "Short Axis")
LENGTH: Code = ("410668003", "SCT", "Length")
VOLUME: Code = ("118565006", "SCT", "Volume")
MM: Code = ("mm", "UCUM", "millimeter")
NEOPLASM: Code = ("108369006", "SCT", "Neoplasm")
ENHANCING: Code = ("C113842", "NCIt", "Enhancing Lesion")
NODE: Code = ("59441001", "SCT", "Lymph node")
LIVER: Code = ("10200004", "SCT", "Liver")
TARGET: Code = ("112074", "DCM", "Target Lesion at Baseline")
NON_TARGET: Code = ("112075", "DCM", "Non-Target Lesion at Baseline")


@dataclass
class Num:
    """A number with its unit, and its line: ends (column, row) on an image, or (x, y, z)."""

    what: Code
    value: float
    unit: Code = MM
    ends: Sequence[Sequence[float]] | None = None
    image: Path | None = None


@dataclass
class Group:
    """One measurement group (TID 1501)."""

    name: str
    numbers: Sequence[Num]
    uid: str = "1.2.3.1"
    finding: Code = NEOPLASM
    site: Code | None = LIVER
    category: Code | None = TARGET
    extra: Sequence[tuple[Code, Code]] = field(default_factory=tuple)


def by_highdicom(
    path: Path, images: Sequence[Path], groups: Sequence[Group], timepoint: str | None, reader: str = "READER^A"
) -> Path:
    """A Comprehensive 3D SR with the groups, every one with the time point context."""
    import highdicom as hd
    from highdicom.sr.coding import CodedConcept
    from pydicom.sr.codedict import codes

    sources = {p: pydicom.dcmread(p) for p in images}

    def number(one: Num) -> Any:
        coordinates = None
        if one.ends is not None and one.image is not None:
            image = sources[one.image]
            coordinates = [
                hd.sr.CoordinatesForMeasurement(
                    graphic_type=hd.sr.GraphicTypeValues.POLYLINE,
                    graphic_data=np.array(one.ends, dtype=float),
                    source_image=hd.sr.SourceImageForRegion(image.SOPClassUID, image.SOPInstanceUID),
                )
            ]
        return hd.sr.Measurement(
            CodedConcept(*one.what), one.value, CodedConcept(*one.unit), referenced_coordinates=coordinates
        )

    made = [
        hd.sr.MeasurementsAndQualitativeEvaluations(
            tracking_identifier=hd.sr.TrackingIdentifier(uid=g.uid, identifier=g.name),
            time_point_context=hd.sr.TimePointContext(time_point=timepoint) if timepoint is not None else None,
            finding_type=CodedConcept(*g.finding),
            finding_sites=[hd.sr.FindingSite(anatomic_location=CodedConcept(*g.site))] if g.site else None,
            measurements=[number(n) for n in g.numbers] or None,
            qualitative_evaluations=[
                hd.sr.QualitativeEvaluation(CodedConcept(*name), CodedConcept(*value))
                for name, value in [
                    *([(("112016", "DCM", "Baseline Category"), g.category)] if g.category else []),
                    *g.extra,
                ]
            ]
            or None,
        )
        for g in groups
    ]
    person = hd.sr.ObserverContext(
        observer_type=codes.DCM.Person,
        observer_identifying_attributes=hd.sr.PersonObserverIdentifyingAttributes(name=reader),
    )
    content = hd.sr.MeasurementReport(
        observation_context=hd.sr.ObservationContext(observer_person_context=person),
        procedure_reported=CodedConcept("25045-6", "LN", "CT unspecified body region"),
        imaging_measurements=made,
    )
    report = hd.sr.Comprehensive3DSR(
        evidence=list(sources.values()),
        content=content,
        series_instance_uid=f"{ROOT}.90",
        series_number=90,
        sop_instance_uid=f"{ROOT}.91.{abs(hash(path.name)) % 10**6 + 1}",
        instance_number=1,
        manufacturer="test",
    )
    report.save_as(path)
    return path


def item(kind: str, name: Code, relationship: str = "CONTAINS", **values: Any) -> Dataset:
    """A content item."""
    ds = Dataset()
    ds.RelationshipType, ds.ValueType = relationship, kind
    ds.ConceptNameCodeSequence = [code(name)]
    children = values.pop("children", ())
    for keyword, value in values.items():
        setattr(ds, keyword, value)
    if children:
        ds.ContentSequence = list(children)
    return ds


def code(value: Code) -> Dataset:
    ds = Dataset()
    ds.CodeValue, ds.CodingSchemeDesignator, ds.CodeMeaning = value
    return ds


def numeric(one: Num, image_uid: str = "") -> Dataset:
    """NUM with SCOORD below it, as dcmjs lays it out."""
    measured = Dataset()
    measured.NumericValue, measured.MeasurementUnitsCodeSequence = f"{one.value}"[:16], [code(one.unit)]
    children = []
    if one.ends is not None:
        data = [float(v) for end in one.ends for v in end]
        kind = "SCOORD" if len(one.ends[0]) == 2 else "SCOORD3D"
        line = item(kind, ("121055", "DCM", "Path"), "INFERRED FROM", GraphicType="POLYLINE", GraphicData=data)
        if kind == "SCOORD":
            source = Dataset()
            source.ReferencedSOPClassUID, source.ReferencedSOPInstanceUID = "1.2.840.10008.5.1.4.1.1.2", image_uid
            line.ContentSequence = [
                item(
                    "IMAGE", ("121112", "DCM", "Source of Measurement"), "SELECTED FROM", ReferencedSOPSequence=[source]
                )
            ]
        children = [line]
    return item("NUM", one.what, MeasuredValueSequence=[measured], children=children)


def like_ohif(path: Path, image: Path, labelled: Sequence[tuple[str, str, Sequence[Num]]]) -> Path:
    """As OHIF stores its measurements: the tool stands in the tracking identifier, the label is a free text code.

    ``labelled``: (label, tool, numbers). Layout: adapters of cornerstone3D, TID300 Bidirectional and Length.
    """
    source = pydicom.dcmread(image, stop_before_pixels=True)
    groups = []
    for number, (label, tool, numbers) in enumerate(labelled, 1):
        children = [
            item(
                "TEXT",
                ("112039", "DCM", "Tracking Identifier"),
                "HAS OBS CONTEXT",
                TextValue=f"Cornerstone3DTools@^0.1.0:{tool}",
            ),
            item("UIDREF", ("112040", "DCM", "Tracking Unique Identifier"), "HAS OBS CONTEXT", UID=f"1.2.77.{number}"),
        ]
        if label:
            with warnings.catch_warnings():  # its code value is longer than the standard allows
                warnings.simplefilter("ignore")
                free = code(("CORNERSTONEFREETEXT", "CORNERSTONEJS", label))
            children.append(item("CODE", ("G-C0E3", "SRT", "Finding Site"), ConceptCodeSequence=[free]))
        children += [numeric(n, source.SOPInstanceUID) for n in numbers]
        groups.append(item("CONTAINER", ("125007", "DCM", "Measurement Group"), children=children))
    root = item("CONTAINER", ("126000", "DCM", "Imaging Measurement Report"))
    root.ContentSequence = [
        item("PNAME", ("121008", "DCM", "Person Observer Name"), "HAS OBS CONTEXT", PersonName="unknown^unknown"),
        item("CONTAINER", ("126010", "DCM", "Imaging Measurements"), children=groups),
    ]
    return save(root, path, source)


def save(root: Dataset, path: Path, source: Any) -> Path:
    meta = FileMetaDataset()
    meta.MediaStorageSOPClassUID = Comprehensive3DSRStorage
    meta.MediaStorageSOPInstanceUID = f"{ROOT}.92.{abs(hash(path.name)) % 10**6 + 1}"
    meta.TransferSyntaxUID = ExplicitVRLittleEndian
    ds = FileDataset("", root, file_meta=meta, preamble=b"\0" * 128)
    del ds.RelationshipType
    ds.SOPClassUID, ds.SOPInstanceUID = meta.MediaStorageSOPClassUID, meta.MediaStorageSOPInstanceUID
    ds.Modality, ds.PatientID, ds.StudyInstanceUID = "SR", source.PatientID, STUDY
    ds.SeriesInstanceUID, ds.StudyDate, ds.ContentDate = f"{ROOT}.93", source.StudyDate, "20260101"
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        ds.save_as(path, enforce_file_format=True)
    return path
