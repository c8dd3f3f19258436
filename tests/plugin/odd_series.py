"""A study of one subject whose series lie as patients' series do lie: across one another, tilted, unevenly, and in part.

Every voxel is a closed form of its LPS position, so that any picture of any series can be checked against the place it claims to
show: a ball of 24 mm at :data:`BALL`, on a body whose value grows by 1 HU per mm from the patient's right to the left (x) and by 2 HU
per mm from feet to head (z).
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from build_series import ROOT, Image, write
from pydicom.dataset import Dataset
from pydicom.uid import CTImageStorage, MRImageStorage

BALL, RADIUS_MM = (-30.0, -10.0, 20.0), 12.0
BALL_HU = 250.0
Vector = tuple[float, float, float]
AXIAL, SAGITTAL, CORONAL = ((1, 0, 0), (0, 1, 0)), ((0, 1, 0), (0, 0, -1)), ((1, 0, 0), (0, 0, -1))


def value(points: Any) -> Any:
    """HU at LPS points (..., 3)."""
    body = (points[..., 0] / 90) ** 2 + (points[..., 1] / 60) ** 2 <= 1
    tissue = 60 + points[..., 0] + 2 * (points[..., 2] - BALL[2])
    ball = np.linalg.norm(points - np.array(BALL), axis=-1) <= RADIUS_MM
    return np.rint(np.where(ball, BALL_HU, np.where(body, tissue, -1000.0)))


def put(
    folder: Path,
    axes: tuple[Sequence[float], Sequence[float]],
    middles: Sequence[Vector],
    *,
    number: int,
    timepoint: int,
    description: str,
    pixel_mm: float = 2.0,
    size: tuple[int, int] = (96, 112),
    modality: str = "CT",
) -> None:
    """Write a series: ``axes`` are the directions along rows and columns, ``middles`` the middle of every slice (LPS mm)."""
    along, down = (np.array(axis, dtype=float) for axis in axes)
    rows, columns = size
    images = []
    for at, middle in enumerate(middles):
        corner = np.array(middle) - pixel_mm * ((rows - 1) / 2 * down + (columns - 1) / 2 * along)
        y, x = np.mgrid[:rows, :columns].astype(float)
        picture = value(corner + pixel_mm * (y[..., None] * down + x[..., None] * along))
        stored = (picture + 1024).clip(0, 4095).astype(np.uint16)

        def fill(ds: Dataset, data: bytes = stored.tobytes()) -> None:
            ds.PixelData = data

        tags = {
            "SOPClassUID": MRImageStorage if modality == "MR" else CTImageStorage,
            "Modality": modality,
            "SeriesInstanceUID": f"{ROOT}.50.{number}",
            "StudyInstanceUID": f"{ROOT}.51.{timepoint}",
            "FrameOfReferenceUID": f"{ROOT}.52.{timepoint}",
            "PatientID": "ODD-1",
            "StudyDate": f"2020{1 + 2 * timepoint:02d}15",
            "SeriesDate": f"2020{1 + 2 * timepoint:02d}15",
            "ClinicalTrialTimePointID": str(timepoint),
            "SeriesDescription": description,
            "ImageOrientationPatient": [round(float(v), 9) for v in (*along, *down)],
            "PixelSpacing": [pixel_mm, pixel_mm],
            "SliceThickness": 4.0,
            "Rows": rows,
            "Columns": columns,
            "RescaleIntercept": -1024,
        }
        images.append(Image(tuple(corner.tolist()), at, at + 1, tags, f"{ROOT}.53.{number}.{at}", fill))
    write(folder / f"series{number}", images)


def heads_up(count: int, step: float, low: float = -20.0) -> list[Vector]:
    """Middles of axial slices."""
    return [(0.0, 0.0, low + i * step) for i in range(count)]


def tilted_axes(degrees: float) -> tuple[Vector, Vector]:
    """Rows and columns of slices turned about the left-right axis, as with a tilted gantry."""
    angle = math.radians(degrees)
    return (1.0, 0.0, 0.0), (0.0, math.cos(angle), -math.sin(angle))


def odd_study(root: Path) -> Path:
    """Baseline: thin arterial and thick portal venous CT that covers the lower half, coronal delayed CT. Time point 1: tilted arterial
    CT and uneven portal venous CT. Time point 2: sagittal arterial MR, and an axial one of other values."""
    folder = root / "images" / "ODD-1"
    thick = heads_up(10, 4.0)
    put(folder, AXIAL, heads_up(32, 2.5), number=1, timepoint=0, description="arterial phase")
    put(folder, AXIAL, thick, number=2, timepoint=0, description="portal venous phase")
    across = [(0.0, -30.0 + 3.0 * i, 20.0) for i in range(20)]
    put(folder, CORONAL, across, number=3, timepoint=0, description="delayed phase", size=(60, 112))
    tilted = heads_up(20, 4.0)
    put(folder, tilted_axes(15), tilted, number=4, timepoint=1, description="arterial phase")
    uneven = [(0.0, 0.0, z) for z in (-20, -17, -14, -11, -6, -1, 4, 9, 14, 19, 24, 29, 34)]
    put(folder, AXIAL, uneven, number=5, timepoint=1, description="portal venous phase")
    side_by_side = [(-60.0 + 4.0 * i, 0.0, 20.0) for i in range(30)]
    put(
        folder,
        SAGITTAL,
        side_by_side,
        number=6,
        timepoint=2,
        description="arterial phase",
        size=(60, 80),
        modality="MR",
    )
    put(folder, AXIAL, heads_up(20, 4.0), number=7, timepoint=2, description="portal venous phase", modality="MR")
    return root
