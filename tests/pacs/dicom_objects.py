"""Small DICOM objects for the transports, written with pydicom."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pydicom
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.uid import ExplicitVRLittleEndian, generate_uid

COMPREHENSIVE_3D_SR = "1.2.840.10008.5.1.4.1.1.88.34"
LABELMAP = "1.2.840.10008.5.1.4.1.1.66.7"
CT = "1.2.840.10008.5.1.4.1.1.2"


def dataset(sop_class: str, modality: str, **values: Any) -> Dataset:
    """A data set with file meta information and the UIDs of ``values``, or new ones."""
    one = Dataset()
    one.SOPClassUID = sop_class
    one.SOPInstanceUID = generate_uid()
    one.StudyInstanceUID = generate_uid()
    one.SeriesInstanceUID = generate_uid()
    one.PatientID, one.PatientName = "P1", "Phantom"
    one.StudyDate, one.Modality = "20240108", modality
    one.StudyTime = one.AccessionNumber = one.StudyID = ""
    one.SeriesNumber, one.InstanceNumber = 1, 1
    for name, value in values.items():
        setattr(one, name, value)
    one.file_meta = FileMetaDataset()
    one.file_meta.MediaStorageSOPClassUID = one.SOPClassUID
    one.file_meta.MediaStorageSOPInstanceUID = one.SOPInstanceUID
    one.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    return one


def image(sop_class: str = CT, modality: str = "CT", **values: Any) -> Dataset:
    """The same with 4 x 4 pixels of 16 bits."""
    one = dataset(sop_class, modality, **values)
    one.Rows = one.Columns = 4
    one.SamplesPerPixel, one.PhotometricInterpretation = 1, "MONOCHROME2"
    one.BitsAllocated = one.BitsStored = 16
    one.HighBit, one.PixelRepresentation = 15, 0
    one.PixelData = bytes(range(32))
    return one


def report(**values: Any) -> Dataset:
    """A structured report with one line of text."""
    one = dataset(COMPREHENSIVE_3D_SR, "SR", **values)
    one.ValueType, one.CompletionFlag, one.VerificationFlag = "CONTAINER", "COMPLETE", "UNVERIFIED"
    line = Dataset()
    line.RelationshipType, line.ValueType, line.TextValue = "CONTAINS", "TEXT", "35.4 mm"
    one.ContentSequence = [line]
    return one


def write(one: Dataset, path: Path) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    pydicom.dcmwrite(path, one, enforce_file_format=True)
    return path


def by_uid(folder: Path) -> dict[str, Path]:
    """SOPInstanceUID -> file, read by pydicom alone."""
    return {str(pydicom.dcmread(p, stop_before_pixels=True).SOPInstanceUID): p for p in folder.rglob("*.dcm")}
