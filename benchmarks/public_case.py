"""Two liver tumours of a public CT, measured here and by other programs: the table of docs/measuring.md.

Run ``python benchmarks/public_case.py FOLDER``. The folder holds ``PATIENT_DICOM.zip`` and ``MASKS_DICOM.zip`` of 3D-IRCADb-01 case 17
(IRCAD, CC BY-NC-ND; not part of this project). Programs that are not installed are named and left out: OpenCV
(``opencv-python-headless``), SimpleITK, scikit-image, SciPy, PyRadiomics.

Nobody drew a viable part there. In its place stands what a threshold of 120 HU keeps, which is no read and says nothing of viability; it
shows what the segment does on a real mask with holes.
"""

from __future__ import annotations

import argparse
import importlib.util
import io
import platform
import time
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from peers import (
    Mask,
    OfSlice,
    boxes,
    per_slice,
    with_find_contours,
    with_hull,
    with_opencv,
    with_pyradiomics,
    with_regionprops,
    with_simpleitk,
)

import mrecist
from mrecist.imaging.geometry import Geometry
from mrecist.measure.conventions import Convention

TUMOURS = ("livertumor1", "livertumor2")
BRIGHT_HU = 120
CONVENTIONS = (Convention.CALIBRATED, Convention.EXTENT, Convention.EDGE, Convention.CENTRE)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path, help="holds PATIENT_DICOM.zip and MASKS_DICOM.zip")
    folder = parser.parse_args().folder
    print(
        f"{time.strftime('%Y-%m-%d')}, mrecist {mrecist.__version__}, Python {platform.python_version()}, {versions()}\n"
    )
    labels, bright, geometry = read_case(folder)
    own(labels, bright, geometry)
    print()
    others(labels, geometry)


def versions() -> str:
    names = [
        name
        for name in ("numpy", "scipy", "skimage", "SimpleITK", "cv2", "radiomics")
        if importlib.util.find_spec(name)
    ]
    return ", ".join(f"{name} {getattr(__import__(name), '__version__', '?')}" for name in names)


# --- data ------------------------------------------------------------------------------------------------------------


def read_slices(archive: Path, folder: str) -> list[Any]:
    """The DICOM files of one folder of an archive, feet first."""
    import pydicom

    with zipfile.ZipFile(archive) as files:
        names = [name for name in files.namelist() if f"/{folder}/" in f"/{name}" and not name.endswith("/")]
        slices = [pydicom.dcmread(io.BytesIO(files.read(name))) for name in names]
    return sorted(slices, key=lambda one: float(one.ImagePositionPatient[2]))


def read_case(folder: Path) -> tuple[npt.NDArray[np.uint8], Mask, Geometry]:
    """Label volume (1 and 2: the tumours), the voxels of at least ``BRIGHT_HU`` in them, and the geometry of the CT."""
    images = read_slices(folder / "PATIENT_DICOM.zip", "PATIENT_DICOM")
    hu = np.stack([one.pixel_array * float(one.RescaleSlope) + float(one.RescaleIntercept) for one in images])
    labels = np.zeros(hu.shape, np.uint8)
    for number, tumour in enumerate(TUMOURS, start=1):
        drawn = read_slices(folder / "MASKS_DICOM.zip", tumour)
        if [float(one.ImagePositionPatient[2]) for one in drawn] != [
            float(one.ImagePositionPatient[2]) for one in images
        ]:
            raise SystemExit(f"{tumour}: its slices do not lie where those of the CT lie")
        labels[np.stack([one.pixel_array > 0 for one in drawn])] = number
    first, second = images[0], images[1]
    across = [float(part) for part in first.ImageOrientationPatient]
    geometry = Geometry(
        shape=(labels.shape[0], labels.shape[1], labels.shape[2]),
        origins_lps=tuple(
            (float(p[0]), float(p[1]), float(p[2])) for p in (one.ImagePositionPatient for one in images)
        ),
        row_direction=(across[0], across[1], across[2]),
        column_direction=(across[3], across[4], across[5]),
        row_spacing_mm=float(first.PixelSpacing[0]),
        column_spacing_mm=float(first.PixelSpacing[1]),
        slice_step_mm=round(float(second.ImagePositionPatient[2]) - float(first.ImagePositionPatient[2]), 6),
    )
    return labels, (hu >= BRIGHT_HU) & (labels > 0), geometry


# --- tables ----------------------------------------------------------------------------------------------------------


def own(labels: npt.NDArray[np.uint8], bright: Mask, geometry: Geometry) -> None:
    print("| mrecist | longest, 1 | short, 1 | bright part, 1 | longest, 2 | short, 2 | bright part, 2 |")
    print("|---|---|---|---|---|---|---|")
    for convention in CONVENTIONS:
        found = mrecist.measure(labels, geometry, bright, convention=convention)
        cells = [f"`{convention}`"]
        for number in (1, 2):
            one = found[number]
            assert one.viable is not None
            cells += [f"{one.longest.mm:.2f}", f"{one.short.mm:.2f}", f"{one.viable.mm:.2f}"]
        print("| " + " | ".join(cells) + " |")


def others(labels: npt.NDArray[np.uint8], geometry: Geometry) -> None:
    pixel, step = geometry.row_spacing_mm, geometry.slice_step_mm
    assert pixel == geometry.column_spacing_mm and step is not None  # noqa: PT018 - as in the header of this case
    of_slice: dict[str, tuple[str, Convention | None, OfSlice]] = {
        "SimpleITK `LabelShapeStatistics`, Feret, each slice": ("SimpleITK", Convention.CENTRE, with_simpleitk),
        "SciPy `ConvexHull` + `pdist`": ("scipy", Convention.CENTRE, with_hull),
        "OpenCV `findContours` + `convexHull`": ("cv2", Convention.CENTRE, with_opencv),
        "OpenCV `minAreaRect`, longer side": ("cv2", None, with_rectangle),
        "scikit-image `find_contours` + `pdist`": ("skimage", Convention.EDGE, with_find_contours),
        "scikit-image `regionprops`, `feret_diameter_max`": ("skimage", None, with_regionprops),
        "scikit-image `regionprops`, `axis_major_length`": ("skimage", None, with_ellipse),
    }
    runs: dict[str, tuple[str, Convention | None, Callable[[], dict[int, float]]]] = {
        name: (module, convention, lambda run=run: per_slice(labels, pixel, run))
        for name, (module, convention, run) in of_slice.items()
    }
    runs["PyRadiomics `Maximum2DDiameterSlice`"] = (
        "radiomics",
        Convention.EDGE,
        lambda: with_pyradiomics(labels, pixel, step),
    )
    print("| program | longest, 1 | longest, 2 | from the convention | by mm, at most |\n|---|---|---|---|---|")
    for name, (module, convention, run) in runs.items():
        if importlib.util.find_spec(module) is None:
            print(f"| {name} | not installed | | | |")
            continue
        sizes = run()
        nearest = convention or Convention.EDGE
        measured = mrecist.measure(labels, geometry, convention=nearest)
        worst = max(abs(sizes[number] - measured[number].longest.mm) for number in boxes(labels))
        print(f"| {name} | {sizes[1]:.2f} | {sizes[2]:.2f} | `{nearest}` | {worst:.3f} |")


def with_rectangle(mask: Mask, pixel: float) -> float:
    """The longer side of the smallest rectangle around the centres of the border pixels."""
    import cv2

    outlines, _ = cv2.findContours(mask.view(np.uint8), cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE)
    return float(max(cv2.minAreaRect(np.vstack(outlines))[1])) * pixel


def with_ellipse(mask: Mask, pixel: float) -> float:
    """The long axis of the ellipse with the same second moments."""
    from skimage.measure import regionprops

    return float(regionprops(mask.view(np.uint8))[0].axis_major_length) * pixel


if __name__ == "__main__":
    main()
