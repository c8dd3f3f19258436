"""A study folder whose masks are NIfTI files, written by SimpleITK in the orders that converters use."""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
import SimpleITK as sitk  # noqa: N813 - the name its documentation uses

from mrecist.imaging.masks import LesionMask, read_segmentation
from mrecist.imaging.scan import scan_folder
from mrecist.imaging.series import Series

BoolArray = npt.NDArray[np.bool_]


@dataclass
class NiftiStudy:
    """SAMPLE-01 with the masks of its segmentations as label files; ``masks`` by time point."""

    root: Path
    series: list[Series]
    masks: dict[int, LesionMask]


def label_file(
    path: Path, values: npt.NDArray[np.uint8], series: Series, turn: str = "", shift_mm: float = 0.0
) -> None:
    """Write (Z, Y, X) values on the grid of a series; ``turn`` names the axes (z, y, x) that run the other way."""
    geometry = series.geometry
    assert geometry is not None
    assert geometry.slice_step_mm is not None
    columns, rows, slices = (
        np.array(v, dtype=float) for v in (geometry.row_direction, geometry.column_direction, geometry.normal)
    )
    steps = {"z": geometry.slice_step_mm, "y": geometry.row_spacing_mm, "x": geometry.column_spacing_mm}
    vectors = {"z": slices, "y": rows, "x": columns}
    origin = np.array(geometry.origins_lps[0], dtype=float)
    for axis, name in enumerate("zyx"):
        if name in turn:
            values = np.flip(values, axis)
            origin = origin + vectors[name] * steps[name] * (values.shape[axis] - 1)
            vectors[name] = -vectors[name]
    image = sitk.GetImageFromArray(np.ascontiguousarray(values))
    image.SetSpacing((steps["x"], steps["y"], steps["z"]))
    image.SetOrigin((origin + np.array([shift_mm, 0.0, 0.0])).tolist())
    image.SetDirection(np.stack([vectors["x"], vectors["y"], vectors["z"]], axis=1).flatten().tolist())
    sitk.WriteImage(image, str(path))


def nifti_study(root: Path, sample: Path, turn: str = "", shift_mm: float = 0.0) -> NiftiStudy:
    """Build it below ``root``: lesion 1 is T01 of the sample."""
    shutil.copytree(sample / "images" / "SAMPLE-01", root / "images")
    (root / "masks").mkdir()
    (root / "reads").mkdir()
    series = list(scan_folder(root / "images").series)
    rows, reads, masks = (
        ["subject,timepoint,series_uid,lesions,viable"],
        ["subject,timepoint,date,lesion,role,organ,state"],
        {},
    )
    for timepoint in (0, 1, 2):
        found = read_segmentation(sample / "masks" / f"SAMPLE-01_{timepoint}.dcm", series)
        mask = next(m for m in found.masks if m.lesion == "T01")
        on = next(s for s in series if s.uid == mask.series_uid)
        assert mask.viable is not None
        for name, part in (("l", mask.whole), ("v", mask.viable)):
            label_file(root / "masks" / f"{name}{timepoint}.nii.gz", part.astype(np.uint8), on, turn, shift_mm)
        rows.append(f"SAMPLE-01,{timepoint},{on.uid},l{timepoint}.nii.gz,v{timepoint}.nii.gz")
        reads.append(f"SAMPLE-01,{timepoint},{on.date},1,target,liver,measured")
        masks[timepoint] = mask
    (root / "masks" / "masks.csv").write_text("\n".join(rows) + "\n", encoding="utf-8")
    (root / "reads" / "r.csv").write_text("\n".join(reads) + "\n", encoding="utf-8")
    return NiftiStudy(root=root, series=series, masks=masks)
