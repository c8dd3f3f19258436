"""DICOM into napari without a read: folders of series as image layers, segmentations as labels on their images. No Qt.

Every layer lies in millimetres in the patient's axes (:mod:`mrecist_napari.grid`), and its metadata say which series it is of, so
that :mod:`mrecist_napari.writing` can write labels back.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np

from mrecist.errors import MaskError, SeriesError
from mrecist.imaging.contours import read_masks
from mrecist.imaging.headers import looks_like_dicom
from mrecist.imaging.masks import LesionMask
from mrecist.imaging.scan import Scan, Segmentation, scan_folder, segmentation_in
from mrecist.imaging.series import Series, Verdict
from mrecist.imaging.volume import load_volume
from mrecist.pieces import series_of
from mrecist_napari.grid import grid_of
from mrecist_napari.settings import settings
from mrecist_napari.windows import first_window, presets_of

LayerData = tuple[Any, dict[str, Any], str]
Reader = Callable[[str | list[str]], list[LayerData]]
UNITS, AXES = ("mm", "mm", "mm"), ("z", "y", "x")
_LOOKED_AT = 500  # files of a folder; one of them is DICOM in a folder that is meant for this reader
_FOLDERS_UP = 3  # STUDY/masks/READ/1.dcm


def get_reader(path: str | list[str]) -> Reader | None:
    """npe2 reader of folders: one with DICOM; None for anything else."""
    if isinstance(path, list) or not Path(path).is_dir() or not _holds_dicom(Path(path)):
        return None
    return lambda _path: read_folder(Path(path))


def get_segmentation_reader(path: str | list[str]) -> Reader | None:
    """npe2 reader of files: a DICOM SEG or structure set; None for any other file, an image among them (open its folder)."""
    paths = [Path(one) for one in ([path] if isinstance(path, str) else path)]
    if not all(one.is_file() and segmentation_in(one) for one in paths):
        return None
    return lambda _path: [layer for one in paths for layer in read_segmentation_file(one)]


def read_folder(folder: Path) -> list[LayerData]:
    """Every series of a folder that can be used, and the segmentations of them.

    Raises :class:`SeriesError` when none can be, with the reason of the first.
    """
    scan = scan_folder(folder)
    series = _usable(scan)
    if not series:
        refused = [f"{one.description or one.uid}: {one.verdict_text}" for one in scan.series]
        why = [*refused, *(f"{one.path}: {one.reason}" for one in scan.problems)]
        raise SeriesError(f"{folder}: no series that can be shown; {why[0] if why else 'it holds no images'}")
    held = {one.uid for one in series}
    lesions = [s for s in scan.segmentations if s.referenced_series_uid in held]
    return [*map(image_layer, series), *_labels(lesions, series)]


def read_segmentation_file(path: Path) -> list[LayerData]:
    """The lesions of a segmentation as labels on the grid of their images, which are looked for beside it and in its study folder.

    Raises :class:`MaskError` when the images are not there, or the file does not fit them.
    """
    wanted = segmentation_in(path)
    if wanted is None:
        raise MaskError(f"{path}: is no segmentation that can be read")
    for folder in _folders_of_the_images(path):
        series = _usable(scan_folder(folder))
        if wanted.referenced_series_uid in {one.uid for one in series}:
            return list(_labels([wanted], series))
    raise MaskError(
        f"{path}: the images that it was drawn on are not beside it; put it into their folder, or below masks/ of the study"
    )


def sample() -> list[LayerData]:
    """The baseline of the first subject of the sample study, both phases with their lesions."""
    return _sample(visits=1, phases=("ARTERIAL", "PORTAL VENOUS"))


def sample_pair() -> list[LayerData]:
    """Baseline and first follow-up of the same subject, the arterial phase with its lesions."""
    return _sample(visits=2, phases=("ARTERIAL",))


def image_layer(series: Series) -> LayerData:
    """A series as an image layer; raises :class:`SeriesError` when it cannot be loaded."""
    voxels = load_volume(series).voxels
    if not np.isfinite(voxels).all():
        voxels = np.nan_to_num(voxels, nan=float(np.nanmin(voxels)))
    limits = first_window(series.modality, presets_of(series.modality, voxels), settings().window).limits
    return voxels, {**_placed(series), "name": _name(series), "contrast_limits": limits, "colormap": "gray"}, "image"


def _sample(visits: int, phases: Sequence[str]) -> list[LayerData]:
    from mrecist.samples.build import sample_study_path

    study = sample_study_path()
    images, masks = scan_folder(study / "images" / "SAMPLE-01"), scan_folder(study / "masks")
    days = sorted({one.date for one in images.series if one.date})[:visits]
    series = [one for one in _usable(images) if one.date in days and one.phase.name in phases]
    held = {one.uid for one in series}
    return [
        *map(image_layer, series),
        *_labels([one for one in masks.segmentations if one.referenced_series_uid in held], series),
    ]


def _placed(series: Series) -> dict[str, Any]:
    assert series.geometry is not None
    grid = grid_of(series.geometry)
    return {
        "scale": grid.scale,
        "translate": grid.translate,
        "units": UNITS,
        "axis_labels": AXES,
        "metadata": {
            "series_uid": series.uid,
            "stack": series.stack,
            "phase": str(series.phase.name),
            "frame_of_reference_uid": series.frame_of_reference_uid,
            "paths": tuple(dict.fromkeys(str(one.path) for one in series.slices)),
        },
    }


def _name(series: Series) -> str:
    return " ".join(part for part in (series.date, series.description or series.uid) if part)


def _labels(segmentations: Iterable[Segmentation], series: Sequence[Series]) -> Iterator[LayerData]:
    """Two layers a segmentation: whole lesions, and their viable parts where somebody drew them; in the order of the series."""
    order = [one.uid for one in series]
    for one in sorted(segmentations, key=lambda s: order.index(s.referenced_series_uid)):
        by_stack: dict[tuple[str, int], list[LesionMask]] = {}
        for mask in read_masks(one.path, series).masks:
            of = series_of(mask, series)
            by_stack.setdefault((of.uid, of.stack), []).append(mask)
        for key, masks in by_stack.items():
            of = next(s for s in series if (s.uid, s.stack) == key)
            yield _label_layer(of, masks, one.content_creator, "whole")
            if any(mask.viable is not None for mask in masks):
                yield _label_layer(of, masks, one.content_creator, "viable")


def _label_layer(series: Series, masks: Sequence[LesionMask], reader: str, part: str) -> LayerData:
    """Lesion number n, in the order of the names, has the label n in both layers."""
    data = np.zeros(masks[0].geometry.shape, dtype=np.uint16)
    for number, mask in enumerate(masks, 1):
        drawn = mask.whole if part == "whole" else mask.viable
        if drawn is not None:
            data[drawn] = number
    placed = _placed(series)
    placed["metadata"] |= {
        "part": part,
        "reader": reader,
        "lesions": {n: mask.lesion for n, mask in enumerate(masks, 1)},
        "tracking_uids": {n: mask.tracking_uid for n, mask in enumerate(masks, 1) if mask.tracking_uid},
        "organs": {n: mask.organ or "" for n, mask in enumerate(masks, 1)},
        "kinds": {n: mask.kind for n, mask in enumerate(masks, 1)},
    }
    features = {"index": [0, *range(1, len(masks) + 1)], "lesion": ["", *(mask.lesion for mask in masks)]}
    name = f"{_name(series)}: {part} ({reader or 'no reader'})"
    return data, {**placed, "name": name, "features": features, "opacity": 0.5}, "labels"


def _usable(scan: Scan) -> list[Series]:
    return [s for s in scan.series if s.verdict is not Verdict.REFUSED and s.geometry is not None]


def _holds_dicom(folder: Path) -> bool:
    files = (Path(where) / name for where, _, names in os.walk(folder) for name in names)
    return any(_claims_dicom(path) for path in islice(files, _LOOKED_AT))


def _claims_dicom(path: Path) -> bool:
    try:
        return path.is_file() and looks_like_dicom(path)
    except OSError:
        return False


def _folders_of_the_images(path: Path) -> Iterator[Path]:
    """Its own folder, then ``images`` of the study folder that it lies in."""
    yield path.parent
    for above in islice(path.parent.resolve().parents, _FOLDERS_UP):
        if (above / "images").is_dir():
            yield above / "images"
            return
