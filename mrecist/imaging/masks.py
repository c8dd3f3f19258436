"""Lesion masks out of DICOM SEG and NIfTI label files, on the geometry of the images they were drawn on.

A lesion has a whole part and, for mRECIST, a viable (enhancing) part. ``viable=None`` means that nobody drew it;
an all-False ``viable`` means that it was drawn and is empty. The two decide differently, so they are never mixed.
"""

from __future__ import annotations

import gzip
import math
import shutil
import struct
import tempfile
import zlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from mrecist.errors import MaskError
from mrecist.imaging.geometry import Geometry
from mrecist.imaging.headers import looks_like_dicom
from mrecist.imaging.lesions import Lesion, Part, group_segments, inferred_lesions
from mrecist.imaging.segments import Placed, masks_of, open_segmentation, place
from mrecist.imaging.series import Series

BoolArray = npt.NDArray[np.bool_]

_GRID_TOLERANCE_MM = 1e-3
_DIRECTION_TOLERANCE = 1e-4
_SCALE_TOLERANCE = 1e-3
_VOXEL_MM = (0.01, 100.0)  # beyond: a unit of length (metre, micron) that the numbers are not in
_NIFTI_HEADER = 348  # bytes
_NIFTI_NUMBERS = frozenset({2, 4, 8, 16, 64, 256, 512, 768, 1024, 1280})  # data types: whole numbers and floats, real
_NIFTI_FLOATS = {16: "f4", 64: "f8"}
_EXPORT = "export the mask as whole numbers"
_NO_NUMBERS = "holds values that are no numbers (NaN); write 0 where no lesion is"
_BLOCK = 1 << 20  # bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class LesionMask:
    """One lesion on one stack of slices.

    Parameters
    ----------
    lesion : TrackingID, else SegmentLabel, else ``SEG<n>``; or the voxel value of a label file as text.
    tracking_uid : TrackingUID, the same at every visit; None when the file has none.
    reader : ContentCreatorName, or None.
    organ : anatomic region in lower case (``liver``; ``lymph node`` for nodes), or None.
    kind : ``lesion`` or ``node``.
    whole : (Z, Y, X) bool, the whole lesion.
    viable : (Z, Y, X) bool, its viable part; None when never drawn, all False when drawn and empty.
    slice_uids : SOPInstanceUID of each slice, None for NIfTI.
    source : the file.
    stack : which stack of the series it lies on (:attr:`Series.stack`), None for NIfTI; two stacks of a multi-frame file share
        their SOPInstanceUID.
    """

    lesion: str
    tracking_uid: str | None
    reader: str | None
    organ: str | None
    kind: str
    geometry: Geometry
    whole: BoolArray
    viable: BoolArray | None
    slice_uids: tuple[str, ...] | None
    series_uid: str | None
    source: str
    stack: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class SegmentationMasks:
    """What a SEG holds.

    Parameters
    ----------
    masks : lesions in the order of their names.
    skipped : segments that are no lesion (organs, background), one sentence each, so that nothing vanishes in silence.
    notes : what was inferred, one sentence each.
    """

    masks: tuple[LesionMask, ...]
    skipped: tuple[str, ...]
    notes: tuple[str, ...] = ()


def read_segmentation(path: Path, series: Sequence[Series]) -> SegmentationMasks:
    """The lesions of a DICOM SEG (BINARY, FRACTIONAL at one half or more, LABELMAP) on the series it refers to.

    Parameters
    ----------
    path : the SEG file.
    series : the scanned series, among them the one that was segmented.

    Raises
    ------
    MaskError
        The file is damaged; its images are absent, refused or on another grid; or a viable part leaves its lesion.
    """
    path = Path(path)
    file = open_segmentation(path)
    lesions, skipped = group_segments(file.segments)
    if not lesions:
        return SegmentationMasks(masks=(), skipped=skipped)
    placed = place(file, series)
    arrays = _draw(placed, lesions)
    readers = dict.fromkeys((s.number for s in file.segments), file.creator)
    drawn = compose(lesions, arrays, readers, placed.series, placed.geometry, str(path))
    notes = (*inferred_lesions(file.segments), *placed.notes, *drawn.notes)
    return replace(drawn, skipped=skipped, notes=notes)


def read_segments(path: Path, series: Sequence[Series]) -> dict[int, BoolArray]:
    """Every segment of a DICOM SEG, organs included, as (Z, Y, X) bool in stack order, by segment number."""
    file = open_segmentation(Path(path))
    placed = place(file, series)
    arrays = {s.number: np.zeros(placed.geometry.shape, dtype=bool) for s in file.segments}
    for number, index, mask in masks_of(placed, frozenset(arrays)):
        arrays[number][index] |= mask
    return arrays


Arrays = dict[tuple[str, Part], BoolArray]
"""(lesion, part) -> (Z, Y, X) bool, one for each part that was declared."""


def _draw(placed: Placed, lesions: Sequence[Lesion]) -> Arrays:
    """One array for each lesion and part that was declared, filled frame by frame."""
    home = {number: (lesion.name, part) for lesion in lesions for number, part in lesion.parts.items()}
    arrays: Arrays = {key: np.zeros(placed.geometry.shape, dtype=bool) for key in dict.fromkeys(home.values())}
    for number, index, mask in masks_of(placed, frozenset(home)):
        arrays[home[number]][index] |= mask
    return arrays


def compose(
    lesions: Sequence[Lesion],
    arrays: Arrays,
    readers: Mapping[int, str],
    series: Series,
    geometry: Geometry,
    source: str,
) -> SegmentationMasks:
    """The mask of each lesion out of the parts that were drawn; ``readers`` names who drew a segment, by its number.

    Raises
    ------
    MaskError
        A viable or necrotic part leaves its lesion, or a voxel is both.
    """
    masks, notes = [], []
    for lesion in lesions:
        whole, viable, note = _compose(lesion, arrays, geometry, source)
        if note:
            notes.append(note)
        masks.append(
            LesionMask(
                lesion=lesion.name,
                tracking_uid=lesion.tracking_uid or None,
                reader=next((readers[n] for n in lesion.parts if readers.get(n)), None),
                organ=lesion.organ,
                kind=lesion.kind,
                geometry=geometry,
                whole=whole,
                viable=viable,
                slice_uids=tuple(s.sop_instance_uid for s in series.slices),
                series_uid=series.uid,
                stack=series.stack,
                source=source,
            )
        )
    return SegmentationMasks(masks=tuple(masks), skipped=(), notes=tuple(notes))


def _compose(
    lesion: Lesion, arrays: Arrays, geometry: Geometry, source: str
) -> tuple[BoolArray, BoolArray | None, str]:
    """Whole and viable part of a lesion from the parts that were drawn."""
    whole, viable, necrosis = (arrays.get((lesion.name, part)) for part in (Part.WHOLE, Part.VIABLE, Part.NECROSIS))
    note = ""
    if viable is not None and necrosis is not None:
        _refuse(viable & necrosis, f"{source}: lesion {lesion.name}: both viable and necrotic", geometry)
    if whole is None:
        parts = [part for part in (viable, necrosis) if part is not None]
        whole = parts[0] | parts[-1]
        if necrosis is None:
            note = f"lesion {lesion.name}: only its viable part was drawn; the whole lesion is taken to be the same"
    if viable is not None:
        _refuse(viable & ~whole, f"{source}: lesion {lesion.name}: viable outside the whole lesion", geometry)
    elif necrosis is not None:
        _refuse(necrosis & ~whole, f"{source}: lesion {lesion.name}: necrotic outside the whole lesion", geometry)
        viable = whole & ~necrosis
    return whole, viable, note


def _refuse(wrong: BoolArray, what: str, geometry: Geometry) -> None:
    if not wrong.any():
        return
    count = int(np.count_nonzero(wrong))
    z, y, x = (int(v) for v in np.argwhere(wrong)[0])
    point = geometry.to_lps(z, y, x)
    raise MaskError(
        f"{what}: {count} voxel{'s' if count > 1 else ''}, the first on slice {z} at row {y}, column {x} "
        f"(LPS {point[0]:.1f}, {point[1]:.1f}, {point[2]:.1f} mm); correct the segmentation"
    )


# NIfTI ------------------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class LabelVolume:
    """A label file: ``labels`` (Z, Y, X) whole numbers, 0 where no lesion is; ``viable`` (Z, Y, X) bool, None if not drawn."""

    labels: npt.NDArray[np.integer[Any]]
    viable: BoolArray | None
    geometry: Geometry
    source: str


def read_label_volume(lesions: Path, viable: Path | None) -> LabelVolume:
    """A label file (NIfTI or anything else SimpleITK reads): voxel value k is lesion ``k``.

    Parameters
    ----------
    lesions : whole numbers; the third axis of the file is the slice axis.
    viable : on the same grid, non-zero where the lesion is viable; None when it was not drawn.

    Raises
    ------
    MaskError
        A file cannot be read, holds other than whole numbers, or has another grid; or viable voxels lie in no lesion.
    """
    labels, geometry = _read_labels(Path(lesions))
    odd = labels[labels < 0] if labels.dtype.kind in "iub" else labels[(labels != np.rint(labels)) | (labels < 0)]
    if odd.size:
        raise MaskError(f"{lesions}: holds the value {odd[0]}; lesions are numbered 1, 2, 3, ...; write whole numbers")
    viable_voxels = None
    if viable is not None:
        values, other = _read_labels(Path(viable))
        _same_grid(Path(lesions), geometry, Path(viable), other)
        viable_voxels = values != 0
        outside = int(np.count_nonzero(viable_voxels & (labels == 0)))
        if outside:
            raise MaskError(f"{viable}: {outside} viable voxels lie in no lesion of {lesions}; correct one of the two")
    whole_numbers = labels if labels.dtype.kind in "iu" else labels.astype(np.int64)
    return LabelVolume(labels=whole_numbers, viable=viable_voxels, geometry=geometry, source=str(lesions))


def read_label_masks(lesions: Path, viable: Path | None) -> tuple[LesionMask, ...]:
    """The lesions of a label file, one mask each; parameters and errors as :func:`read_label_volume`."""
    volume = read_label_volume(lesions, viable)
    return tuple(lesion_mask(volume, number) for number in np.unique(volume.labels).tolist() if number != 0)


def lesion_mask(volume: LabelVolume, number: int) -> LesionMask:
    """One lesion of a label volume."""
    whole = np.asarray(volume.labels == number)
    return LesionMask(
        lesion=str(number),
        tracking_uid=None,
        reader=None,
        organ=None,
        kind="lesion",
        geometry=volume.geometry,
        whole=whole,
        viable=None if volume.viable is None else whole & volume.viable,
        slice_uids=None,
        series_uid=None,
        source=volume.source,
    )


def _read_labels(path: Path) -> tuple[npt.NDArray[Any], Geometry]:
    import SimpleITK as sitk  # noqa: N813 - the name its documentation uses

    if not path.is_file():
        raise MaskError(f"{path}: no such file; check the path")
    _check_label_file(path)
    try:
        if path.suffix == ".gz" and path.with_suffix("").exists():
            # Of L.nii.gz beside L.nii SimpleITK takes the header of the one and the voxels of the other.
            with tempfile.TemporaryDirectory() as alone:
                image = sitk.ReadImage(str(shutil.copy(path, alone)))
        else:
            image = sitk.ReadImage(str(path))
    except RuntimeError:  # its text is the library's source line and an address; nothing that a user can act on
        raise MaskError(
            f"{path}: cannot be read as an image: not NIfTI, or damaged; export the mask again as .nii or .nii.gz"
        ) from None
    array, geometry = _array(image, path), _geometry(image)
    if not all(_VOXEL_MM[0] <= step <= _VOXEL_MM[1] for step in _spacing(geometry)):
        shown = " x ".join(f"{step:g}" for step in _spacing(geometry))
        raise MaskError(
            f"{path}: its voxels (z, y, x) are {shown} mm; check the unit of length in its header, and {_EXPORT}"
        )
    return array, geometry


def _array(image: Any, path: Path) -> npt.NDArray[Any]:
    import SimpleITK as sitk  # noqa: N813 - the name its documentation uses

    size = " x ".join(str(n) for n in image.GetSize())
    if image.GetDimension() != 3:
        raise MaskError(
            f"{path}: has {image.GetDimension()} dimensions ({size}); a label mask has columns, rows and slices; export it so"
        )
    if image.GetNumberOfComponentsPerPixel() != 1:
        parts = image.GetNumberOfComponentsPerPixel()
        raise MaskError(f"{path}: has {parts} values in every voxel; a label mask has one; {_EXPORT}")
    array = np.asarray(sitk.GetArrayFromImage(image))
    if array.dtype.kind not in "iuf":
        raise MaskError(f"{path}: holds {array.dtype} values; lesions are numbered 1, 2, 3, ...; {_EXPORT}")
    if not np.isfinite(array).all():
        raise MaskError(f"{path}: {_NO_NUMBERS}")
    return array


def _geometry(image: Any) -> Geometry:
    columns, rows, slices = image.GetSize()
    direction = np.array(image.GetDirection()).reshape(3, 3)
    origins = [image.TransformIndexToPhysicalPoint((0, 0, k)) for k in range(slices)]
    x, y, z = image.GetSpacing()
    return Geometry(
        shape=(slices, rows, columns),
        origins_lps=tuple((float(o[0]), float(o[1]), float(o[2])) for o in origins),
        row_direction=(float(direction[0, 0]), float(direction[1, 0]), float(direction[2, 0])),
        column_direction=(float(direction[0, 1]), float(direction[1, 1]), float(direction[2, 1])),
        row_spacing_mm=float(y),
        column_spacing_mm=float(x),
        slice_step_mm=float(z),
    )


def _check_label_file(path: Path) -> None:
    """Refuse what SimpleITK takes in silence: a NIfTI file that is cut short or holds NaN (it reads zeros), or has no scale."""
    start, length = _unpacked(path)
    if looks_like_dicom(path):
        raise MaskError(f"{path}: is DICOM, not a label mask; a DICOM segmentation goes with --seg")
    if not length:
        raise MaskError(f"{path}: is empty; copy or export the file again")
    order = next((sign for sign in "<>" if start[:4] == struct.pack(f"{sign}i", _NIFTI_HEADER)), None)
    if order is None or start[344:348] != b"n+1\0":
        return  # another format, or nothing that SimpleITK will read
    count, *sizes = struct.unpack_from(f"{order}8h", start, 40)
    code, bits = struct.unpack_from(f"{order}2h", start, 70)
    steps = struct.unpack_from(f"{order}3f", start, 80)
    (offset,) = struct.unpack_from(f"{order}f", start, 108)
    if code not in _NIFTI_NUMBERS:
        raise MaskError(f"{path}: its voxels are no plain numbers (NIfTI data type {code}); {_EXPORT}")
    needed = offset + math.prod(sizes[: max(count, 0)]) * bits / 8
    if not length >= needed:
        raise MaskError(f"{path}: truncated: {length} bytes where {needed:.0f} are needed; copy or export it again")
    if not all(0 < step < math.inf for step in steps):
        shown = " x ".join(f"{step:g}" for step in steps)
        raise MaskError(f"{path}: its voxel size is {shown}; each needs a number above 0; export it again")
    _check_affine(path, start, order, steps)
    if code in _NIFTI_FLOATS and not _all_numbers(path, int(offset), f"{order}{_NIFTI_FLOATS[code]}"):
        raise MaskError(f"{path}: {_NO_NUMBERS}")


def _all_numbers(path: Path, offset: int, kind: str) -> bool:
    """Whether all voxels of a NIfTI file of floats, which may be compressed, are finite."""
    with path.open("rb") as file:
        packed = file.read(2) == b"\x1f\x8b"
    with gzip.open(path) if packed else path.open("rb") as stream:
        stream.seek(offset)
        while block := stream.read(_BLOCK):
            whole = len(block) - len(block) % np.dtype(kind).itemsize
            if not np.isfinite(np.frombuffer(block[:whole], dtype=kind)).all():
                return False
    return True


def _check_affine(path: Path, start: bytes, order: str, steps: Sequence[float]) -> None:
    """Refuse a NIfTI header whose affine (sform) has other voxel sizes than its pixdim: nobody can say which is right."""
    (used,) = struct.unpack_from(f"{order}h", start, 254)
    affine = np.array(struct.unpack_from(f"{order}12f", start, 280)).reshape(3, 4)[:, :3]
    found = np.linalg.norm(affine, axis=0)
    if used > 0 and not np.allclose(found, steps, rtol=_SCALE_TOLERANCE, atol=0):
        one, other = (" x ".join(f"{step:.6g}" for step in values) for values in (steps, found))
        raise MaskError(f"{path}: its voxel size is {one} by pixdim and {other} by its affine; export it again")


def _unpacked(path: Path) -> tuple[bytes, int]:
    """The first bytes of a file that may be compressed by gzip, and its length without compression."""
    try:
        with path.open("rb") as file:
            packed = file.read(2) == b"\x1f\x8b"
            if not packed:
                file.seek(0)
                return file.read(_NIFTI_HEADER), path.stat().st_size
        with gzip.open(path) as stream:
            start = stream.read(_NIFTI_HEADER)
            length = len(start)
            while block := stream.read(_BLOCK):
                length += len(block)
            return start, length
    except (EOFError, zlib.error, gzip.BadGzipFile):
        raise MaskError(f"{path}: truncated or damaged: it cannot be decompressed; copy or export it again") from None
    except OSError as error:
        raise MaskError(f"{path}: cannot be read: {error.strerror or error}; check its rights") from None


def _same_grid(one_path: Path, one: Geometry, other_path: Path, other: Geometry) -> None:
    checks: tuple[tuple[str, Sequence[float], Sequence[float], float], ...] = (
        ("shape (z, y, x)", one.shape, other.shape, 0.0),
        ("spacing (mm)", _spacing(one), _spacing(other), _GRID_TOLERANCE_MM),
        ("origin (LPS mm)", one.origins_lps[0], other.origins_lps[0], _GRID_TOLERANCE_MM),
        ("last slice (LPS mm)", one.origins_lps[-1], other.origins_lps[-1], _GRID_TOLERANCE_MM),
        ("row direction", one.row_direction, other.row_direction, _DIRECTION_TOLERANCE),
        ("column direction", one.column_direction, other.column_direction, _DIRECTION_TOLERANCE),
    )
    for name, mine, theirs, tolerance in checks:
        if any(abs(a - b) > tolerance for a, b in zip(mine, theirs, strict=True)):
            shown = [", ".join(f"{v:.6g}" for v in values) for values in (mine, theirs)]
            raise MaskError(
                f"{name} of {one_path} is {shown[0]}, of {other_path} {shown[1]}; resample one to the other"
            )


def _spacing(geometry: Geometry) -> tuple[float, float, float]:
    return geometry.slice_step_mm or 0.0, geometry.row_spacing_mm, geometry.column_spacing_mm
