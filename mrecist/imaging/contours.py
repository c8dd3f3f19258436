"""Lesion masks out of the contours of a DICOM RT Structure Set, on the slices that the contours were drawn on.

A pixel is inside when its centre is: each closed contour is rasterised by pixel centres (scikit-image's ``polygon2mask``, centres
on the outline count), and contours of one region on one slice are joined by exclusive or, so that a contour within another
is a hole (PS3.3 C.8.8.6.3; a "keyhole" contour, which reaches its hole through a channel of no width, needs nothing special).
Where the outline runs, a mask of pixels cannot be nearer than half a pixel; nothing is interpolated between slices.

Sources: PS3.3 C.8.8.5 (Structure Set), C.8.8.6 (ROI Contour), C.8.8.8 (RT ROI Observations).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from mrecist.errors import MaskError
from mrecist.imaging.geometry import Geometry
from mrecist.imaging.headers import get_integer, get_items, get_text, guarded, object_uid, read_header
from mrecist.imaging.in_plane import image_basis
from mrecist.imaging.lesions import group_segments, inferred_lesions
from mrecist.imaging.masks import Arrays, SegmentationMasks, compose, read_segmentation
from mrecist.imaging.scan import STRUCTURE_SET_CLASS, referenced_series
from mrecist.imaging.segments import POSITION_TOLERANCE_MM, Code, Segment, code_of
from mrecist.imaging.series import Series
from mrecist.imaging.stack_choice import Named, choose_stack

_CLOSED = ("CLOSED_PLANAR", "CLOSEDPLANAR_XOR")
_SUBPIXEL = 1e-4
"""Of a pixel: coordinates are rounded to this, so that an outline drawn through pixel centres meets them."""
_LESION_TYPES = frozenset({"GTV", "TUMOR"})
# What a region of the structure set is when its type does not say that it is a tumour; by its type, else by its name.
_NO_TYPE = frozenset({"", "CONTROL", "NONE", "UNKNOWN"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Contour:
    """A closed contour: points (N, 3) in LPS mm, and the image that it names, or ""."""

    number: int
    points: npt.NDArray[np.float64]
    image: str
    frame: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class _Roi:
    segment: Segment
    reader: str
    contours: tuple[Contour, ...]
    unused: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Placed:
    """Regions on a stack: for each, (stack index, outline (N, 2) in rows and columns, whether it lies on the image it names)."""

    series: Series
    geometry: Geometry
    outlines: dict[int, tuple[tuple[int, npt.NDArray[np.float64], bool], ...]]


def read_masks(path: Path, series: Sequence[Series]) -> SegmentationMasks:
    """The lesions of a DICOM segmentation, whichever it is: SEG, or RT Structure Set."""
    with guarded(f"{path}: cannot be read", MaskError):
        is_structure_set = object_uid(read_header(Path(path)).dataset, "SOPClassUID") == STRUCTURE_SET_CLASS
    return read_structure_set(path, series) if is_structure_set else read_segmentation(path, series)


def read_structure_set(path: Path, series: Sequence[Series]) -> SegmentationMasks:
    """The lesions of an RT Structure Set on the series that it refers to.

    Raises
    ------
    MaskError
        The file is damaged; its images are absent or refused; a contour lies on no slice or leaves the image; or a viable
        part leaves its lesion.
    """
    path = Path(path)
    with guarded(f"{path}: cannot be read as a structure set", MaskError):
        dataset = read_header(path).dataset
        rois = _rois(dataset, path)
        uids = tuple(uid for item in referenced_series(dataset) if (uid := get_text(item, "SeriesInstanceUID")))
        frame_uid = _frame_of_reference(dataset)
    lesions, skipped = group_segments([roi.segment for roi in rois])
    inferred = inferred_lesions([roi.segment for roi in rois])
    wanted = {number for lesion in lesions for number in lesion.parts}
    chosen = [roi for roi in rois if roi.segment.number in wanted and roi.contours]
    notes = [f"{roi.segment}: {text}" for roi in rois if roi.segment.number in wanted for text in roi.unused]
    if not chosen:
        return SegmentationMasks(masks=(), skipped=skipped, notes=(*inferred, *notes))
    images = frozenset(c.image for roi in chosen for c in roi.contours if c.image)
    named = Named(path=path, series_uids=uids, images=images, frame_of_reference_uid=frame_uid)
    placed, note = choose_stack(named, series, lambda stack: _place_on(path, chosen, stack), _by_reference)
    drawn_numbers = {roi.segment.number for roi in chosen}
    home = {n: (le.name, part) for le in lesions for n, part in le.parts.items() if n in drawn_numbers}
    lesions = tuple(le for le in lesions if drawn_numbers & set(le.parts))
    arrays: Arrays = {key: np.zeros(placed.geometry.shape, dtype=bool) for key in dict.fromkeys(home.values())}
    for number, outlines in placed.outlines.items():
        arrays[home[number]] |= rasterise([(i, outline) for i, outline, _ in outlines], placed.geometry.shape)
    notes += [note] if note else []
    notes += [f"{roi.segment}: {text}" for roi in chosen if (text := _gaps(placed.outlines[roi.segment.number]))]
    readers = {roi.segment.number: roi.reader for roi in rois}
    drawn = compose(lesions, arrays, readers, placed.series, placed.geometry, str(path))
    return replace(drawn, skipped=skipped, notes=(*inferred, *notes, *drawn.notes))


def rasterise(
    outlines: Sequence[tuple[int, npt.NDArray[np.float64]]], shape: tuple[int, int, int]
) -> npt.NDArray[np.bool_]:
    """Closed outlines to a mask (Z, Y, X): pixel centres inside an odd number of the outlines of their slice.

    Parameters
    ----------
    outlines : (slice index, points (N, 2) as (row, column); a pixel's centre is a whole number).
    """
    from skimage.draw import polygon2mask

    mask = np.zeros(shape, dtype=bool)
    for index, points in outlines:
        low = np.maximum(np.floor(points.min(axis=0)).astype(int), 0)
        high = np.minimum(np.ceil(points.max(axis=0)).astype(int) + 1, shape[1:])
        if (high <= low).any():
            continue
        box = (index, slice(low[0], high[0]), slice(low[1], high[1]))
        mask[box] ^= polygon2mask(tuple(high - low), points - low)
    return mask


# --- reading ---------------------------------------------------------------------------------------------------------


def _frame_of_reference(dataset: Any) -> str:
    uids = {get_text(item, "ReferencedFrameOfReferenceUID") for item in get_items(dataset, "StructureSetROISequence")}
    uids |= {get_text(item, "FrameOfReferenceUID") for item in get_items(dataset, "ReferencedFrameOfReferenceSequence")}
    uids -= {""}
    return uids.pop() if len(uids) == 1 else get_text(dataset, "FrameOfReferenceUID")


def _rois(dataset: Any, path: Path) -> list[_Roi]:
    described = get_items(dataset, "StructureSetROISequence")
    if not described:
        raise MaskError(f"{path}: a structure set without any region")
    seen = {get_integer(o, "ReferencedROINumber"): o for o in get_items(dataset, "RTROIObservationsSequence")}
    drawn = {get_integer(c, "ReferencedROINumber"): c for c in get_items(dataset, "ROIContourSequence")}
    operator = get_text(dataset, "OperatorsName")
    rois = []
    for item in described:
        number = get_integer(item, "ROINumber") or 0
        observation = seen.get(number)
        contours, unused = _contours(drawn.get(number), f"{path}: region {get_text(item, 'ROIName') or number}")
        rois.append(
            _Roi(
                segment=_segment(number, get_text(item, "ROIName"), observation),
                reader=(get_text(observation, "ROIInterpreter") if observation is not None else "") or operator,
                contours=contours,
                unused=unused,
            )
        )
    numbers = [roi.segment.number for roi in rois]
    if len(set(numbers)) != len(numbers):
        raise MaskError(f"{path}: two regions have one ROINumber: {numbers}")
    return rois


def _segment(number: int, name: str, observation: Any | None) -> Segment:
    """A region in the words of a segment, so that both are told apart by the same rules."""
    stated = "" if observation is None else get_text(observation, "RTROIInterpretedType").upper()
    code = Code() if observation is None else code_of(observation, "RTROIIdentificationCodeSequence")
    category = Code()
    if stated in _LESION_TYPES:
        category = Code(meaning="Morphologically Abnormal Structure")
    elif stated not in _NO_TYPE:
        category, code = Code(meaning="RT region"), code if code.meaning else Code(meaning=stated)
    return Segment(
        number=number,
        label=name,
        tracking_id="",
        tracking_uid="",
        category=category,
        property_type=code,
        region=Code(),
    )


def _contours(item: Any | None, where: str) -> tuple[tuple[Contour, ...], tuple[str, ...]]:
    contours, unused = [], []
    for number, one in enumerate([] if item is None else get_items(item, "ContourSequence"), 1):
        kind = get_text(one, "ContourGeometricType").upper()
        values = [v for v in get_text(one, "ContourData").split("\\") if v]
        try:
            points = np.array([float(v) for v in values], dtype=np.float64)
        except ValueError:
            raise MaskError(f"{where}: contour {number} holds other than numbers") from None
        if len(values) % 3 or not np.isfinite(points).all():
            raise MaskError(f"{where}: contour {number} holds {len(values)} numbers that are no points (x, y, z)")
        if kind not in _CLOSED or len(points) < 9:
            unused.append(
                f"contour {number} ({kind or 'no type'}, {len(points) // 3} points) encloses nothing; not used"
            )
            continue
        images = get_items(one, "ContourImageSequence")
        contours.append(
            Contour(
                number=number,
                points=points.reshape(-1, 3),
                image=get_text(images[0], "ReferencedSOPInstanceUID") if images else "",
                frame=get_integer(images[0], "ReferencedFrameNumber") if images else None,
            )
        )
    if not contours:
        unused.append("no closed contour; taken as not drawn")
    return tuple(contours), tuple(unused)


# --- placing ---------------------------------------------------------------------------------------------------------


def _place_on(path: Path, rois: Sequence[_Roi], series: Series) -> _Placed:
    geometry = series.geometry
    if geometry is None:
        raise MaskError(f"{path}: {series.label} has no geometry")
    return _Placed(
        series=series,
        geometry=geometry,
        outlines={
            roi.segment.number: tuple(
                _outline(contour, f"{path}: region {roi.segment.label}: contour {contour.number}", series, geometry)
                for contour in roi.contours
            )
            for roi in rois
        },
    )


def _outline(
    contour: Contour, where: str, series: Series, geometry: Geometry
) -> tuple[int, npt.NDArray[np.float64], bool]:
    """The slice of a contour, its points as (row, column), and whether that slice is the image that it names."""
    basis, origins = image_basis(geometry), np.array(geometry.origins_lps)
    normal = np.cross(basis[:, 0], basis[:, 1])
    heights = (contour.points[:, None, :] - origins[None, :, :]) @ (normal / np.linalg.norm(normal))
    apart = np.abs(heights).max(axis=0)
    best = int(apart.argmin())
    if apart[best] > POSITION_TOLERANCE_MM:
        raise MaskError(
            f"{where} lies on no slice of {series.label}: its points are up to {apart[best]:.2f} mm off the nearest; "
            f"it was drawn on another series, or in another direction"
        )
    points = (contour.points - origins[best]) @ np.linalg.pinv(basis).T
    points = np.round(points / _SUBPIXEL) * _SUBPIXEL
    beyond = np.concatenate([-0.5 - points.min(axis=0), points.max(axis=0) - np.array(geometry.shape[1:]) + 0.5]).max()
    if beyond > 0.5:
        raise MaskError(f"{where} leaves the image of {series.label} by {beyond:.1f} pixels")
    item = series.slices[best]
    named = contour.image == item.sop_instance_uid and contour.frame in (None, (item.frame or 0) + 1)
    return best, points, named


def _by_reference(placed: _Placed) -> bool:
    return all(named for outlines in placed.outlines.values() for _, _, named in outlines)


def _gaps(outlines: Sequence[tuple[int, npt.NDArray[np.float64], bool]]) -> str:
    """Slices between contours that hold none: planning systems interpolate there, a mask does not."""
    drawn = sorted({index for index, _, _ in outlines})
    missing = [str(i) for i in range(drawn[0], drawn[-1]) if i not in drawn]
    if not missing:
        return ""
    return f"no contour on slice {', '.join(missing)} between others; nothing is interpolated, so its volume lacks them"
