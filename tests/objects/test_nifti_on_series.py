"""A NIfTI mask of a study counts only on the grid of the series that masks.csv names: a converter repairs what is broken in silence."""

from __future__ import annotations

import csv
from pathlib import Path

import numpy as np
import pytest
import SimpleITK as sitk  # noqa: N813 - the name its documentation uses
from nifti_study import nifti_study

from mrecist.cli import main
from mrecist.errors import MaskError
from mrecist.imaging.masks import read_label_volume

SAMPLE = Path(__file__).parents[2] / "sample_data" / "study"


def scored(root: Path, out: Path) -> tuple[int, list[dict[str, str]], str]:
    code = main(["score", str(root), "--out", str(out)])
    with (out / "measurements.csv").open(encoding="utf-8") as stream:
        rows = [row for row in csv.DictReader(stream) if row["longest_mm"]]
    problems = out / "problems.csv"
    return code, rows, problems.read_text(encoding="utf-8") if problems.exists() else ""


def test_a_mask_in_any_order_of_voxels_is_measured_alike(tmp_path: Path) -> None:
    sizes = []
    for turn in ("", "zyx"):
        nifti_study(tmp_path / f"s{turn}", SAMPLE, turn)
        code, rows, _ = scored(tmp_path / f"s{turn}", tmp_path / f"o{turn}")
        sizes.append([(r["timepoint"], r["longest_mm"], r["viable_mm"], r["volume_mm3"]) for r in rows])
        assert code == 0
    assert len(sizes[0]) == 3
    assert sizes[0] == sizes[1]


def test_a_mask_on_a_series_with_a_missing_slice_is_not_measured(tmp_path: Path) -> None:
    """The converter laid eleven slices over the place of ten: the voxels of its file are too high, and nothing in it says so."""
    study = nifti_study(tmp_path / "s", SAMPLE)
    series = next(s for s in study.series if s.uid == study.masks[1].series_uid)
    series.slices[5].path.unlink()
    code, rows, problems = scored(tmp_path / "s", tmp_path / "o")
    assert code == 2  # no other subject: nothing usable
    assert rows == []
    assert "is refused: MISSING_SLICES" in problems


def test_a_mask_on_another_grid_is_not_measured(tmp_path: Path) -> None:
    """Spacing lost on the way (1 x 1 x 1 mm): sizes would be those of other pixels."""
    study = nifti_study(tmp_path / "s", SAMPLE)
    path = study.root / "masks" / "l1.nii.gz"
    for one in (path, study.root / "masks" / "v1.nii.gz"):
        image = sitk.ReadImage(str(one))
        image.SetSpacing((1.0, 1.0, 1.0))
        sitk.WriteImage(image, str(one))
    code, rows, problems = scored(tmp_path / "s", tmp_path / "o")
    assert code == 2  # no other subject: nothing usable
    assert rows == []  # nothing of a reader whose mask failed is scored
    assert "its pixel spacing (mm) is 1, 1, of series" in problems


@pytest.mark.parametrize("step", [700.0, 0.0007])
def test_a_voxel_of_metres_or_microns_is_refused(step: float, tmp_path: Path) -> None:
    image = sitk.GetImageFromArray(np.ones((2, 3, 4), dtype=np.uint8))
    image.SetSpacing((step, step, step))
    sitk.WriteImage(image, str(tmp_path / "l.nii"))
    with pytest.raises(MaskError, match="check the unit of length in its header"):
        read_label_volume(tmp_path / "l.nii", None)
