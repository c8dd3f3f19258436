"""Synthetic DICOM series whose geometry and pixel values are known in closed form.

Every slice is filled with one stamp: ``1000 * phase + position index``. After a load, the stamps prove which file each plane
came from; the stored value is ``stamp + 1024`` with RescaleIntercept -1024, as CT scanners write it.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from pydicom.dataset import Dataset, FileDataset, FileMetaDataset
from pydicom.uid import (
    CTImageStorage,
    EnhancedCTImageStorage,
    ExplicitVRLittleEndian,
    MRImageStorage,
    SecondaryCaptureImageStorage,
)

ROWS, COLUMNS = 6, 8
SPACING = (0.8, 0.7)  # between rows, between columns: never equal, so that a swap shows
AXIAL = (1.0, 0.0, 0.0, 0.0, 1.0, 0.0)
ROOT = "1.2.826.0.1.3680043.10.999"
SERIES = f"{ROOT}.1"
STUDY = f"{ROOT}.2"
FRAME = f"{ROOT}.3"


@dataclass
class Image:
    """One file to be written: where, what it is stamped with, and tags that differ from a plain CT slice."""

    position: tuple[float, float, float]
    stamp: int
    number: int
    tags: dict[str, Any] = field(default_factory=dict)
    uid: str = ""
    change: Callable[[Dataset], None] | None = None


def axial(count: int = 12, step: float = 3.0, *, phase: int = 0, start: float = 100.0, **tags: Any) -> list[Image]:
    """A plain stack: slice i at z = start + i * step, stamped 1000 * phase + i."""
    return [
        Image((-50.0, -60.0, start + i * step), 1000 * phase + i, 100 * phase + i + 1, dict(tags)) for i in range(count)
    ]


def dataset_of(image: Image, index: int) -> FileDataset:
    """The DICOM object of one image."""
    sop_class = image.tags.get("SOPClassUID", CTImageStorage)
    meta = FileMetaDataset()
    meta.MediaStorageSOPClassUID = sop_class
    meta.MediaStorageSOPInstanceUID = image.uid or f"{ROOT}.4.{image.stamp + 1}.{index}"
    meta.TransferSyntaxUID = ExplicitVRLittleEndian
    ds = FileDataset("", {}, file_meta=meta, preamble=b"\0" * 128)
    plain: dict[str, Any] = {
        "SOPClassUID": sop_class,
        "SOPInstanceUID": meta.MediaStorageSOPInstanceUID,
        "StudyInstanceUID": STUDY,
        "SeriesInstanceUID": SERIES,
        "FrameOfReferenceUID": FRAME,
        "PatientID": "P1",
        "PatientName": "",
        "PatientBirthDate": "",
        "PatientSex": "",
        "AccessionNumber": "",
        "StudyID": "",
        "StudyTime": "",
        "ReferringPhysicianName": "",
        "Manufacturer": "test",
        "Modality": "MR" if sop_class == MRImageStorage else "CT",
        "StudyDate": "20200131",
        "ImageType": ["ORIGINAL", "PRIMARY", "AXIAL"],
        "InstanceNumber": image.number,
        "AcquisitionNumber": 1,
        "ImagePositionPatient": list(image.position),
        "ImageOrientationPatient": list(AXIAL),
        "PixelSpacing": list(SPACING),
        "SliceThickness": 3.0,
        "Rows": ROWS,
        "Columns": COLUMNS,
        "SamplesPerPixel": 1,
        "PhotometricInterpretation": "MONOCHROME2",
        "BitsAllocated": 16,
        "BitsStored": 16,
        "HighBit": 15,
        "PixelRepresentation": 0,
        "RescaleSlope": 1,
        "RescaleIntercept": -1024,
    }
    for keyword, value in {**plain, **image.tags}.items():
        if value is not None:
            setattr(ds, keyword, value)
    shape = (ds.Rows, ds.Columns) if ds.SamplesPerPixel == 1 else (ds.Rows, ds.Columns, ds.SamplesPerPixel)
    kind = np.uint8 if ds.BitsAllocated == 8 else np.uint16
    ds.PixelData = np.full(shape, (image.stamp + 1024) % (256 if kind is np.uint8 else 65536), dtype=kind).tobytes()
    if image.change is not None:
        image.change(ds)
    return ds


def write(folder: Path, images: Sequence[Image], *, seed: int | None = None) -> list[Path]:
    """Write the images as files; with ``seed``, in shuffled order under names that say nothing."""
    folder.mkdir(parents=True, exist_ok=True)
    order = list(range(len(images)))
    if seed is not None:
        random.Random(seed).shuffle(order)
    paths = []
    for name, index in enumerate(order):
        path = folder / (f"{name:04d}.dcm" if seed is None else f"f{name}")
        dataset_of(images[index], index).save_as(path, enforce_file_format=True)
        paths.append(path)
    return paths


def set_raw(keyword_tag: int, vr: str, value: bytes) -> Callable[[Dataset], None]:
    """A change that writes bytes which pydicom would refuse to write (``6,0``)."""

    def change(ds: Dataset) -> None:
        from pydicom.dataelem import RawDataElement
        from pydicom.tag import Tag

        ds[keyword_tag] = RawDataElement(Tag(keyword_tag), vr, len(value), value, 0, False, True)

    return change


def rgb(position: tuple[float, float, float], number: int) -> Image:
    """A colour screen save that carries the series' geometry."""
    tags = {
        "SamplesPerPixel": 3,
        "PhotometricInterpretation": "RGB",
        "PlanarConfiguration": 0,
        "BitsAllocated": 8,
        "BitsStored": 8,
        "HighBit": 7,
        "ImageType": ["DERIVED", "SECONDARY"],
        "SOPClassUID": SecondaryCaptureImageStorage,
    }
    return Image(position, 0, number, tags)


def enhanced(
    positions: Sequence[tuple[float, float, float]], acquisitions: Sequence[int], stamps: Sequence[int]
) -> FileDataset:
    """An Enhanced CT whose frame i lies at positions[i], of acquisition acquisitions[i], filled with stamps[i]."""
    image = Image((0.0, 0.0, 0.0), 0, 1, {"SOPClassUID": EnhancedCTImageStorage})
    ds = dataset_of(image, 0)
    for keyword in (
        "ImagePositionPatient",
        "ImageOrientationPatient",
        "PixelSpacing",
        "SliceThickness",
        "RescaleSlope",
    ):
        delattr(ds, keyword)
    del ds.RescaleIntercept
    ds.NumberOfFrames = len(positions)
    shared, orientation, measures, values = Dataset(), Dataset(), Dataset(), Dataset()
    orientation.ImageOrientationPatient = list(AXIAL)
    measures.PixelSpacing, measures.SliceThickness = list(SPACING), 3.0
    values.RescaleSlope, values.RescaleIntercept, values.RescaleType = 1, -1024, "HU"
    shared.PlaneOrientationSequence = [orientation]
    shared.PixelMeasuresSequence = [measures]
    shared.PixelValueTransformationSequence = [values]
    ds.SharedFunctionalGroupsSequence = [shared]
    groups = []
    for position, acquisition in zip(positions, acquisitions, strict=True):
        group, plane, content = Dataset(), Dataset(), Dataset()
        plane.ImagePositionPatient = list(position)
        content.FrameAcquisitionNumber = acquisition
        group.PlanePositionSequence, group.FrameContentSequence = [plane], [content]
        groups.append(group)
    ds.PerFrameFunctionalGroupsSequence = groups
    planes = [np.full((ROWS, COLUMNS), s + 1024, dtype=np.uint16) for s in stamps]
    ds.PixelData = np.stack(planes).tobytes()
    return ds
