"""Labels out of napari as a DICOM SEG on the series that they were drawn on. No Qt."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from mrecist.errors import MaskError
from mrecist.imaging.scan import scan_folder
from mrecist.imaging.series import Series
from mrecist.objects.identity import UUID_ROOT, make_uid
from mrecist.objects.segmentation import DrawnLesion, write_segmentation
from mrecist.tables import write_whole
from mrecist_napari.files import LayerData
from mrecist_napari.grid import grid_of
from mrecist_napari.settings import settings

_TOLERANCE_MM = 1e-3
_UNTURNED = ("rotate", "affine")


def write_labels(path: str, layers: list[LayerData]) -> list[str]:
    """npe2 writer: labels layers, label n being lesion n, to one DICOM SEG; an image layer beside them only names the series.

    A layer read from a segmentation keeps its lesions' names and tracking UIDs; any other label n is ``L0n``. A layer whose
    metadata say ``part: viable`` holds the viable parts of the lesions of the other layers.

    Raises :class:`MaskError` when no layer names its series, its files are gone, or a layer lies on another grid.
    """
    labels = [layer for layer in layers if layer[2] == "labels"]
    known = _origin(layers)
    series = _series(known)
    for layer in labels:
        _check_grid(layer, series)
    by_part = {part: [layer for layer in labels if _part(layer) == part] for part in ("whole", "viable")}
    if not by_part["whole"]:
        raise MaskError(
            f"layer '{_name(labels[0])}' holds viable parts only; choose the layer with the whole lesions too"
        )
    viable = _merged(by_part["viable"]) if by_part["viable"] else None
    lesions = list(_lesions(_merged(by_part["whole"]), viable, known, series))
    if not lesions:
        raise MaskError(f"layer '{_name(labels[0])}' holds no label; nothing was written")
    reader = known.get("reader") or settings().reader
    write_whole(Path(path), write_segmentation(series, lesions, reader=reader))
    return [path]


def _origin(layers: list[LayerData]) -> Mapping[str, Any]:
    """The metadata of the first layer that names its series; labels before images, since they know their lesions."""
    for _, given, _ in sorted(layers, key=lambda layer: layer[2] != "labels"):
        if given.get("metadata", {}).get("series_uid"):
            return dict(given["metadata"])
    raise MaskError(
        f"layer '{_name(layers[0])}' does not come from DICOM: it names no series; select the image layer that it was "
        f"drawn on too, and save both"
    )


def _series(known: Mapping[str, Any]) -> Series:
    paths = [str(path) for path in known.get("paths", ())]
    if not paths or not all(map(os.path.exists, paths)):
        raise MaskError(f"series {known['series_uid']}: its files are not where they were read; open its folder again")
    folder = Path(os.path.commonpath([os.path.dirname(path) for path in paths]))
    for one in scan_folder(folder).series:
        if (one.uid, one.stack) == (known["series_uid"], known.get("stack", 1)):
            return one
    raise MaskError(f"series {known['series_uid']}: is not in {folder} any more; open its folder again")


def _check_grid(layer: LayerData, series: Series) -> None:
    data, given, _ = layer
    assert series.geometry is not None
    grid, shape = grid_of(series.geometry), series.geometry.shape
    where = f"layer '{_name(layer)}'"
    if data.shape != shape:
        raise MaskError(f"{where}: has {data.shape} voxels, {series.label} has {shape}; draw on a layer of its grid")
    for name, wanted in (("scale", grid.scale), ("translate", grid.translate)):
        found = tuple(float(value) for value in given.get(name, wanted))
        if not np.allclose(found, wanted, rtol=0, atol=_TOLERANCE_MM):
            raise MaskError(
                f"{where}: its {name} is {_shown(found)}, that of {series.label} is {_shown(wanted)}; draw on a layer of its grid"
            )
    for name in _UNTURNED:
        turned = np.asarray(given.get(name, np.eye(3)))
        if not np.allclose(turned, np.eye(len(turned))):
            raise MaskError(f"{where}: is turned or moved ({name}) against {series.label}; draw on a layer of its grid")


def _merged(layers: list[LayerData]) -> npt.NDArray[np.integer[Any]]:
    """The labels of several layers in one array; a voxel with two labels is refused."""
    merged = np.array(layers[0][0])
    for data, given, _ in layers[1:]:
        both = (merged > 0) & (data > 0) & (merged != data)
        if both.any():
            raise MaskError(
                f"layer '{given.get('name', '')}': {int(both.sum())} voxels have another label in another layer"
            )
        merged = np.where(data > 0, data, merged)
    return merged


def _lesions(
    whole: npt.NDArray[np.integer[Any]],
    viable: npt.NDArray[np.integer[Any]] | None,
    known: Mapping[str, Any],
    series: Series,
) -> Iterator[DrawnLesion]:
    names, uids = known.get("lesions", {}), known.get("tracking_uids", {})
    organs, kinds = known.get("organs", {}), known.get("kinds", {})
    if viable is not None and (strange := set(np.unique(viable)) - set(np.unique(whole)) - {0}):
        raise MaskError(f"the viable part has the label {min(strange)}, which no whole lesion has")
    for number in (int(n) for n in np.unique(whole) if n > 0):
        name = names.get(number) or f"L{number:02d}"
        yield DrawnLesion(
            lesion=name,
            tracking_uid=uids.get(number) or make_uid(UUID_ROOT, "label", series.uid, series.stack, name),
            whole=whole == number,
            viable=None if viable is None else viable == number,
            organ=organs.get(number, ""),
            kind=kinds.get(number, "lesion"),
        )


def _part(layer: LayerData) -> str:
    return str(layer[1].get("metadata", {}).get("part", "whole"))


def _name(layer: LayerData) -> str:
    return str(layer[1].get("name", ""))


def _shown(values: tuple[float, ...]) -> str:
    return " x ".join(f"{value:g}" for value in values) + " mm"
