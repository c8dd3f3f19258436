"""DICOM into napari without a read: a folder of series as image layers, and the sample's first visit. No Qt."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from mrecist.imaging.scan import scan_folder
from mrecist.imaging.series import Series, Verdict
from mrecist.imaging.volume import load_volume
from mrecist_napari.grid import grid_of
from mrecist_napari.windows import default_window

LayerData = tuple[Any, dict[str, Any], str]


def get_reader(path: str | list[str]) -> Callable[[str | list[str]], list[LayerData]] | None:
    """npe2 reader: a folder with DICOM series; None for anything else."""
    if isinstance(path, list) or not Path(path).is_dir():
        return None
    series = _readable(Path(path))
    return (lambda _path: [_layer(one) for one in series]) if series else None


def sample() -> list[LayerData]:
    """The baseline of the first subject of the sample study."""
    from mrecist.samples.build import sample_study_path

    series = _readable(sample_study_path() / "images" / "SAMPLE-01")
    first = min(one.date or "" for one in series)
    return [_layer(one) for one in series if one.date == first]


def _readable(folder: Path) -> list[Series]:
    return [s for s in scan_folder(folder).series if s.verdict is not Verdict.REFUSED and s.geometry is not None]


def _layer(series: Series) -> LayerData:
    voxels = load_volume(series).voxels
    if not np.isfinite(voxels).all():
        voxels = np.nan_to_num(voxels, nan=float(np.nanmin(voxels)))
    assert series.geometry is not None
    grid = grid_of(series.geometry)
    given = {
        "name": series.description or series.uid,
        "scale": grid.scale,
        "translate": grid.translate,
        "units": ("mm", "mm", "mm"),
        "axis_labels": ("z", "y", "x"),
        "contrast_limits": default_window(series.modality, voxels).limits,
        "metadata": {"series_uid": series.uid, "stack": series.stack, "phase": str(series.phase.name)},
    }
    return voxels, given, "image"
