"""Segmentations written by highdicom (another hand than the reader under test) for series of build_series."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pydicom

MORPHOLOGY = ("49755003", "SCT", "Morphologically Abnormal Structure")
ANATOMY = ("123037004", "SCT", "Anatomical Structure")
TISSUE = ("85756007", "SCT", "Tissue")
NEOPLASM = ("108369006", "SCT", "Neoplasm")
ENHANCING = ("C113842", "NCIt", "Enhancing Lesion")
NECROSIS = ("6574001", "SCT", "Necrosis")
LIVER = ("10200004", "SCT", "Liver")
NODE = ("59441001", "SCT", "Lymph node")


@dataclass
class Part:
    """One segment: its mask (Z, Y, X) and what it is called."""

    mask: npt.NDArray[Any]
    label: str = "T01"
    tracking: str | None = "T01"
    uid: str = "1.2.3.1"
    kind: tuple[str, str, str] = NEOPLASM
    category: tuple[str, str, str] = MORPHOLOGY
    region: tuple[str, str, str] | None = LIVER


def write_seg(path: Path, images: Sequence[Path], parts: Sequence[Part], kind: str = "BINARY", **options: Any) -> Path:
    """Write ``parts`` over the images, which are given in the order of the masks' first axis."""
    import highdicom as hd
    from highdicom.sr.coding import CodedConcept

    sources = [pydicom.dcmread(p) for p in images]
    if kind == "LABELMAP":
        pixels = np.zeros(parts[0].mask.shape, dtype=np.uint8)
        for number, part in enumerate(parts, 1):
            pixels[part.mask > 0] = number
    else:
        pixels = np.stack([p.mask for p in parts], axis=-1)
        pixels = pixels.astype(np.float32) if kind == "FRACTIONAL" else pixels.astype(np.uint8)
    descriptions = [
        hd.seg.SegmentDescription(
            segment_number=number,
            segment_label=part.label,
            segmented_property_category=CodedConcept(*part.category),
            segmented_property_type=CodedConcept(*part.kind),
            algorithm_type=hd.seg.SegmentAlgorithmTypeValues.MANUAL,
            tracking_uid=part.uid if part.tracking else None,
            tracking_id=part.tracking,
            anatomic_regions=[CodedConcept(*part.region)] if part.region else None,
        )
        for number, part in enumerate(parts, 1)
    ]
    seg = hd.seg.Segmentation(
        source_images=sources,
        pixel_array=pixels,
        segmentation_type=kind,
        segment_descriptions=descriptions,
        series_instance_uid="1.2.826.0.1.3680043.10.999.8",
        series_number=8,
        sop_instance_uid=f"1.2.826.0.1.3680043.10.999.8.{abs(hash(path.name)) % 10**6 + 1}",
        instance_number=1,
        manufacturer="test",
        manufacturer_model_name="test",
        software_versions="1",
        device_serial_number="1",
        content_creator_name="READER^A",
        omit_empty_frames=options.pop("omit_empty_frames", True),
        **options,
    )
    seg.save_as(path)
    return path


def change_seg(path: Path, change: Any) -> Path:
    """Read a SEG, change the data set, write it back."""
    ds = pydicom.dcmread(path)
    change(ds)
    ds.save_as(path)
    return path
