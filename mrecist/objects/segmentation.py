"""A DICOM SEG of the lesions of one reader on one series (docs/dicom-objects.md). highdicom does the writing.

BINARY: for each lesion a segment of the whole and one of its viable part, which overlap. A viable part that was drawn and is empty
is no segment (viewers stumble over segments without frames); a segment of the non-enhancing part, equal to the whole, says it.
LABELMAP cannot overlap: a lesion is its viable and its non-enhancing part, and the whole is their union.
"""

from __future__ import annotations

import warnings
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from mrecist.errors import MaskError
from mrecist.imaging.headers import guarded
from mrecist.imaging.segments import Code
from mrecist.imaging.series import Series, Verdict
from mrecist.objects import codes
from mrecist.objects.coding import coded
from mrecist.objects.identity import (
    MANUFACTURER,
    MODEL,
    SERIAL_NUMBER,
    UUID_ROOT,
    check_reader,
    image_header,
    make_uid,
    settle,
    software,
)

BoolArray = npt.NDArray[np.bool_]
SERIES_NUMBER = 901
EXPLICIT_LITTLE_ENDIAN, RLE_LOSSLESS = "1.2.840.10008.1.2.1", "1.2.840.10008.1.2.5"
_LABEL_LENGTH = 64


@dataclass(frozen=True, slots=True, kw_only=True)
class DrawnLesion:
    """A lesion to be written.

    Parameters
    ----------
    lesion : its id, written as TrackingID.
    tracking_uid : TrackingUID, the same at every visit.
    whole : (Z, Y, X) bool in the order of the series' slices.
    viable : (Z, Y, X) bool inside ``whole``; None when nobody drew it, all False when nothing is viable.
    organ : word for the anatomic region (:data:`mrecist.objects.codes.ORGANS`), or "".
    kind : ``lesion`` or ``node``.
    """

    lesion: str
    tracking_uid: str
    whole: BoolArray
    viable: BoolArray | None
    organ: str = ""
    kind: str = "lesion"


@dataclass(frozen=True, slots=True, kw_only=True)
class _Part:
    """One segment to be."""

    of: DrawnLesion
    word: str
    type: Code
    mask: BoolArray


def write_segmentation(
    series: Series,
    lesions: Sequence[DrawnLesion],
    *,
    reader: str,
    labelmap: bool = False,
    uid_root: str = UUID_ROOT,
) -> bytes:
    """The bytes of a DICOM SEG with ``lesions`` on ``series``, the same for the same input.

    Parameters
    ----------
    series : a scanned series that is not refused; its files are read for their headers.
    reader : written as ContentCreatorName.
    labelmap : LABELMAP in place of BINARY.
    uid_root : root of the UIDs that are made.

    Raises
    ------
    MaskError
        No lesion, a lesion without a voxel, another shape than the series, viable voxels outside the lesion, or two lesions that
        share a voxel in a LABELMAP.
    InputError
        The reader's id is no DICOM name, or an image cannot be read.
    """
    import highdicom as hd

    shape = _usable_shape(series)
    where = f"segmentation of {reader} on {series.label}"
    check_reader(reader, where)
    if not lesions:
        raise MaskError(f"{where}: no lesion to write")
    for lesion in lesions:
        _check(lesion, shape, where)
    parts = [part for lesion in lesions for part in _parts(lesion, labelmap)]
    # The slab from the first to the last slice with a lesion: no frame is lost, and half the series need not be handled.
    first, last = _slab(parts)
    images, positions = _images(series, first, last, uid_root)
    pixels = _label_pixels(parts, first, last, where) if labelmap else _binary_pixels(parts, first, last)
    names = ("segmentation", series.uid, series.stack, reader, "LABELMAP" if labelmap else "BINARY")
    with guarded(f"{where}: its images do not allow a segmentation", MaskError), warnings.catch_warnings():
        # About clinical trial attributes that are copied, and names without a caret: both are meant.
        warnings.simplefilter("ignore", UserWarning)
        made = hd.seg.Segmentation(
            source_images=images,
            pixel_array=pixels,
            segmentation_type="LABELMAP" if labelmap else "BINARY",
            segment_descriptions=[_description(number, part) for number, part in enumerate(parts, 1)],
            series_instance_uid=make_uid(uid_root, *names),
            series_number=SERIES_NUMBER,
            sop_instance_uid=make_uid(uid_root, *names, 1),
            instance_number=1,
            manufacturer=MANUFACTURER,
            manufacturer_model_name=MODEL,
            software_versions=software(),
            device_serial_number=SERIAL_NUMBER,
            content_label="LESIONS",
            content_description="Lesions and their viable parts",
            content_creator_name=reader,
            series_description=f"Lesions {reader}"[:_LABEL_LENGTH],
            plane_positions=positions,
            # A label map has a frame for every slice and is nearly all zero: without compression 50 times the size.
            transfer_syntax_uid=RLE_LOSSLESS if labelmap else EXPLICIT_LITTLE_ENDIAN,
            omit_empty_frames=True,
        )
    made.SpecificCharacterSet = "ISO_IR 192"
    return settle(made, uid_root, images[0])


def _usable_shape(series: Series) -> tuple[int, int, int]:
    if series.geometry is None or series.verdict is Verdict.REFUSED:
        raise MaskError(f"{series.label} is refused, nothing can be drawn on it: {series.verdict_text}")
    return series.geometry.shape


def _check(lesion: DrawnLesion, shape: tuple[int, int, int], where: str) -> None:
    name = f"{where}: lesion {lesion.lesion}"
    for part in (lesion.whole, lesion.viable):
        if part is not None and part.shape != shape:
            raise MaskError(f"{name}: its mask has the shape {part.shape}, the series {shape}")
    if not lesion.whole.any():
        raise MaskError(f"{name}: its mask holds no voxel; leave it out and state in reads/ what became of it")
    if lesion.viable is not None and (outside := int(np.count_nonzero(lesion.viable & ~lesion.whole))):
        raise MaskError(f"{name}: {outside} viable voxels lie outside the whole lesion; correct one of the two")


def _parts(lesion: DrawnLesion, labelmap: bool) -> Iterator[_Part]:
    viable = lesion.viable
    if viable is None or not labelmap:
        yield _Part(of=lesion, word="whole lesion", type=codes.LESION, mask=lesion.whole)
    if viable is None:
        return
    if viable.any():
        yield _Part(of=lesion, word="viable part", type=codes.ENHANCING, mask=viable)
    rest = lesion.whole & ~viable
    if rest.any() and (labelmap or not viable.any()):
        yield _Part(of=lesion, word="non-enhancing part", type=codes.NON_ENHANCING, mask=rest)


def _slab(parts: Sequence[_Part]) -> tuple[int, int]:
    """First slice and the one behind the last, with any voxel; at least two slices where there are as many."""
    held = np.flatnonzero(np.any([part.mask.any(axis=(1, 2)) for part in parts], axis=0))
    first, last, count = int(held[0]), int(held[-1]) + 1, parts[0].mask.shape[0]
    # highdicom takes the distance of slices from the images it is given; a single one has none.
    return (first, last) if last - first > 1 else (max(0, first - 1), min(count, last + 1))


def _images(series: Series, first: int, last: int, uid_root: str) -> tuple[list[Any], list[Any] | None]:
    """Headers of the slices, and for a multi-frame file the position of each slice beside its one header."""
    import highdicom as hd

    slices = series.slices[first:last]
    headers = [image_header(path) for path in dict.fromkeys(one.path for one in slices)]
    for header in headers:
        # An object must have one. Old images may not; the segmentation then lies where the images it names lie.
        if not header.get("FrameOfReferenceUID"):
            header.FrameOfReferenceUID = make_uid(uid_root, "frame of reference", series.uid)
            header.PositionReferenceIndicator = ""
    if slices[0].frame is None:
        return headers, None
    if len(headers) > 1:
        raise MaskError(f"{series.label}: spreads over several multi-frame files; a segmentation refers to one of them")
    positions = [hd.PlanePositionSequence("PATIENT", one.position_lps) for one in slices]
    return headers, positions


def _binary_pixels(parts: Sequence[_Part], first: int, last: int) -> npt.NDArray[np.uint8]:
    """(Z, Y, X, segment), every plane in one piece in memory: highdicom takes them plane by plane."""
    pixels = np.empty((len(parts), *parts[0].mask[first:last].shape), dtype=np.uint8)
    for segment, part in zip(pixels, parts, strict=True):
        segment[:] = part.mask[first:last]
    return np.moveaxis(pixels, 0, -1)


def _label_pixels(parts: Sequence[_Part], first: int, last: int, where: str) -> npt.NDArray[np.unsignedinteger[Any]]:
    labels = np.zeros(parts[0].mask[first:last].shape, dtype=np.uint16)
    for number, part in enumerate(parts, 1):
        mask = part.mask[first:last]
        taken = labels[mask]
        if taken.any():
            other = parts[int(taken.max()) - 1].of.lesion
            raise MaskError(
                f"{where}: lesions {other} and {part.of.lesion} share {np.count_nonzero(taken)} voxels, which a LABELMAP "
                f"cannot hold; write it as BINARY"
            )
        labels[mask] = number
    return labels if len(parts) > 255 else labels.astype(np.uint8)


def _description(number: int, part: _Part) -> Any:
    import highdicom as hd

    lesion = part.of
    region = codes.LYMPH_NODE if lesion.kind == "node" else codes.ORGANS.get(lesion.organ.casefold())
    # In a label a backslash would part two values; TrackingID may hold it.
    name = lesion.lesion.replace("\\", "/")[: _LABEL_LENGTH - len(part.word) - 1]
    return hd.seg.SegmentDescription(
        segment_number=number,
        segment_label=f"{name} {part.word}",
        segmented_property_category=coded(codes.ABNORMAL_STRUCTURE),
        segmented_property_type=coded(part.type),
        algorithm_type=hd.seg.SegmentAlgorithmTypeValues.MANUAL,
        tracking_uid=lesion.tracking_uid,
        tracking_id=lesion.lesion,
        anatomic_regions=[coded(region)] if region else None,
    )
