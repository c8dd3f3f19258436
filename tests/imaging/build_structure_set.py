"""RT Structure Sets for series of build_series, tag by tag from PS3.3 C.8.8.5, C.8.8.6 and C.8.8.8."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pydicom
from build_series import FRAME, ROOT, STUDY
from pydicom.dataset import Dataset, FileDataset, FileMetaDataset
from pydicom.uid import ExplicitVRLittleEndian, RTStructureSetStorage

Points = npt.NDArray[np.float64]


@dataclass
class Region:
    """One region: its name, (image or None, points (N, 3) in LPS mm) of each contour, and what it is said to be."""

    name: str
    contours: Sequence[tuple[Path | None, Points]]
    interpreted: str = ""
    code: tuple[str, str, str] | None = None
    interpreter: str = ""
    kinds: Sequence[str] = field(default_factory=tuple)


def write_structure_set(path: Path, images: Sequence[Path], regions: Sequence[Region], *, named: bool = True) -> Path:
    """Write ``regions`` drawn on ``images``; ``named``: whether the series is named."""
    headers = {p: pydicom.dcmread(p, stop_before_pixels=True) for p in images}
    first = headers[images[0]]
    meta = FileMetaDataset()
    meta.MediaStorageSOPClassUID, meta.MediaStorageSOPInstanceUID = RTStructureSetStorage, f"{ROOT}.77"
    meta.TransferSyntaxUID = ExplicitVRLittleEndian
    ds = FileDataset("", {}, file_meta=meta, preamble=b"\0" * 128)
    ds.SOPClassUID, ds.SOPInstanceUID = RTStructureSetStorage, f"{ROOT}.77"
    ds.StudyInstanceUID, ds.SeriesInstanceUID, ds.PatientID = STUDY, f"{ROOT}.78", "P1"
    ds.Modality, ds.StructureSetLabel, ds.StudyDate, ds.OperatorsName = "RTSTRUCT", "x", "20200131", "READER^O"
    if named:
        series = item(SeriesInstanceUID=first.SeriesInstanceUID)
        series.ContourImageSequence = [item(ReferencedSOPInstanceUID=h.SOPInstanceUID) for h in headers.values()]
        study = item(ReferencedSOPInstanceUID=STUDY, RTReferencedSeriesSequence=[series])
        ds.ReferencedFrameOfReferenceSequence = [item(FrameOfReferenceUID=FRAME, RTReferencedStudySequence=[study])]
    numbered = list(enumerate(regions, 1))
    ds.StructureSetROISequence = [
        item(ROINumber=n, ROIName=r.name, ReferencedFrameOfReferenceUID=FRAME) for n, r in numbered
    ]
    ds.ROIContourSequence = [
        item(ReferencedROINumber=n, ContourSequence=[contour(r, i, headers) for i in range(len(r.contours))])
        for n, r in numbered
    ]
    ds.RTROIObservationsSequence = [
        item(
            ObservationNumber=n, ReferencedROINumber=n, RTROIInterpretedType=r.interpreted, ROIInterpreter=r.interpreter
        )
        for n, r in numbered
    ]
    for observation, region in zip(ds.RTROIObservationsSequence, regions, strict=True):
        if region.code is not None:
            value, scheme, meaning = region.code
            code = item(CodeValue=value, CodingSchemeDesignator=scheme, CodeMeaning=meaning)
            observation.RTROIIdentificationCodeSequence = [code]
    ds.save_as(path, enforce_file_format=True)
    return path


def contour(region: Region, index: int, headers: dict[Path, Any]) -> Dataset:
    image, points = region.contours[index]
    kind = region.kinds[index] if region.kinds else "CLOSED_PLANAR"
    one = item(ContourGeometricType=kind, NumberOfContourPoints=len(points))
    one.ContourData = [f"{v:.6f}"[:16] for v in np.asarray(points).ravel()]
    if image is not None:
        one.ContourImageSequence = [item(ReferencedSOPInstanceUID=headers[image].SOPInstanceUID)]
    return one


def item(**tags: Any) -> Dataset:
    ds = Dataset()
    for keyword, value in tags.items():
        setattr(ds, keyword, value)
    return ds
