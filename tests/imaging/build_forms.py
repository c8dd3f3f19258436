"""One list of slices in the four forms that scanners write: CT and MR, a file a slice or enhanced multi-frame.

What stands in a header once (patient, study, frame of reference, rows, columns, photometric) makes an enhanced file of its own;
everything else goes into the functional groups of the frame (PS3.3 C.7.6.16, C.8.13, C.8.15).
"""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from build_series import Image, dataset_of, write
from pydicom.dataset import Dataset, FileDataset
from pydicom.uid import EnhancedCTImageStorage, EnhancedMRImageStorage, MRImageStorage

FORMS = ("CT", "MR", "enhanced CT", "enhanced MR")
# (SOPInstanceUID, 0-based frame or None) of each stamp.
Where = dict[tuple[str, int | None], int]
_ONCE = (
    *("PatientID", "StudyInstanceUID", "FrameOfReferenceUID", "Rows", "Columns", "PhotometricInterpretation"),
    *("SamplesPerPixel", "BitsAllocated", "ConcatenationUID", "InConcatenationNumber", "InConcatenationTotalNumber"),
    *("SOPClassUID", "Modality"),
)


def write_form(folder: Path, images: Sequence[Image], form: str, seed: int | None = None) -> Where:
    """Write the slices in a form, with ``seed`` in shuffled order; returns which slice is which."""
    if form.endswith("MR"):
        images = [_as_mr(image) for image in images]
    if not form.startswith("enhanced"):
        write(folder, images, seed=seed)
        datasets = [dataset_of(image, index) for index, image in enumerate(images)]
        return {(str(ds.SOPInstanceUID), None): im.stamp for ds, im in zip(datasets, images, strict=True)}
    return _write_enhanced(folder, images, form, seed)


def _as_mr(image: Image) -> Image:
    tags = {"SOPClassUID": MRImageStorage, **image.tags, "RescaleSlope": None, "RescaleIntercept": None, "KVP": None}
    return replace(image, tags=tags)


def _write_enhanced(folder: Path, images: Sequence[Image], form: str, seed: int | None) -> Where:
    folder.mkdir(parents=True, exist_ok=True)
    order = list(range(len(images)))
    if seed is not None:
        random.Random(seed).shuffle(order)
    files: dict[tuple[Any, ...], list[Image]] = {}
    for index in order:
        files.setdefault(tuple(images[index].tags.get(k, "as usual") for k in _ONCE), []).append(images[index])
    where: Where = {}
    # The UID follows from what the file holds, not from the order of writing, as an export would have it.
    ranks = {key: rank for rank, key in enumerate(sorted(files, key=repr))}
    for number, (key, frames) in enumerate(files.items()):
        dataset = enhanced_of(frames, form, 5000 + ranks[key])
        dataset.save_as(folder / f"f{number}", enforce_file_format=True)
        where |= {(str(dataset.SOPInstanceUID), i): frame.stamp for i, frame in enumerate(frames)}
    return where


def enhanced_of(frames: Sequence[Image], form: str, index: int) -> FileDataset:
    """One enhanced file whose frames are the given slices, in this order."""
    sop_class = EnhancedMRImageStorage if form.endswith("MR") else EnhancedCTImageStorage
    once = {k: v for k, v in frames[0].tags.items() if k in (*_ONCE, "SeriesDescription", "SpacingBetweenSlices")}
    if once.get("SOPClassUID") in (None, MRImageStorage):
        once["SOPClassUID"] = sop_class
    modality = once.get("Modality", form[-2:])
    ds = dataset_of(Image((0.0, 0.0, 0.0), index, 1, {**once, "Modality": modality, "AcquisitionNumber": None}), index)
    for keyword in (
        *("ImagePositionPatient", "ImageOrientationPatient", "PixelSpacing", "SliceThickness"),
        *("RescaleSlope", "RescaleIntercept"),
    ):
        delattr(ds, keyword)
    ds.NumberOfFrames = len(frames)
    ds.SharedFunctionalGroupsSequence = [Dataset()]
    singles = [dataset_of(replace(frame, change=None), 0) for frame in frames]
    ds.PerFrameFunctionalGroupsSequence = [_groups(one, form) for one in singles]
    ds.PixelData = b"".join(one.PixelData for one in singles)
    assert len(ds.PixelData) == np.prod((ds.Rows, ds.Columns, len(frames), ds.SamplesPerPixel, ds.BitsAllocated // 8))
    return ds


def _item(**values: Any) -> list[Dataset]:
    item = Dataset()
    for keyword, value in values.items():
        if value is not None:
            setattr(item, keyword, value)
    return [item]


def _groups(one: Dataset, form: str) -> Dataset:
    """The functional groups of a frame, from the header that it would have as a file of its own."""
    group = Dataset()
    if "ImagePositionPatient" in one:
        group.PlanePositionSequence = _item(ImagePositionPatient=one.ImagePositionPatient)
    if "ImageOrientationPatient" in one:
        group.PlaneOrientationSequence = _item(ImageOrientationPatient=one.ImageOrientationPatient)
    group.PixelMeasuresSequence = _item(PixelSpacing=one.PixelSpacing, SliceThickness=one.get("SliceThickness"))
    time = one.get("AcquisitionTime")
    group.FrameContentSequence = _item(
        FrameAcquisitionNumber=one.get("AcquisitionNumber"),
        TemporalPositionIndex=one.get("TemporalPositionIdentifier"),
        FrameAcquisitionDateTime=None if time is None else f"{one.get('AcquisitionDate', '20200131')}{time}",
        StackID=one.get("StackID"),
    )
    kind = _item(FrameType=one.ImageType)
    if "TriggerTime" in one:
        group.CardiacSynchronizationSequence = _item(NominalCardiacTriggerDelayTime=float(one.TriggerTime))
    if "NominalPercentageOfRespiratoryPhase" in one:
        group.RespiratorySynchronizationSequence = _item(
            NominalPercentageOfRespiratoryPhase=one.NominalPercentageOfRespiratoryPhase
        )
    if form.endswith("CT"):
        group.CTImageFrameTypeSequence = kind
        group.PixelValueTransformationSequence = _item(
            RescaleSlope=one.RescaleSlope, RescaleIntercept=one.RescaleIntercept, RescaleType="HU"
        )
        group.CTXRayDetailsSequence = _item(
            KVP=one.get("KVP"), MonoenergeticEnergyEquivalent=one.get("MonoenergeticEnergyEquivalent")
        )
        group.CTReconstructionSequence = _item(ConvolutionKernel=one.get("ConvolutionKernel"))
        return group
    group.MRImageFrameTypeSequence = kind
    if "EchoTime" in one:
        group.MREchoSequence = _item(EffectiveEchoTime=float(one.EchoTime))
    if "DiffusionBValue" in one:
        direction = _item(DiffusionGradientOrientation=one.get("DiffusionGradientOrientation"))
        group.MRDiffusionSequence = _item(
            DiffusionBValue=one.DiffusionBValue, DiffusionGradientDirectionSequence=direction
        )
    return group
