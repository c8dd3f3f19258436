"""A DICOM SEG file: its segments, its frames, and the slice of the referenced series that each frame lies on.

Frames are placed by the image they were derived from (DerivationImageSequence) and checked against their plane position;
where they name no image, by plane position alone. Never by index: a SEG may leave out empty slices and run either way.

Sources: PS3.3 A.51, A.90 (label maps), C.8.20 (Segmentation), C.7.6.16.2 (functional groups).
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from mrecist.errors import MaskError
from mrecist.imaging.geometry import Geometry
from mrecist.imaging.headers import get_integer, get_items, get_numbers, get_text, guarded, object_uid, or_none
from mrecist.imaging.limits import check_size
from mrecist.imaging.pixels import PixelFile, decode_frame, open_pixels
from mrecist.imaging.series import Series, Verdict

LABELMAP_CLASS = "1.2.840.10008.5.1.4.1.1.66.7"
POSITION_TOLERANCE_MM = 0.1
DIRECTION_TOLERANCE = 1e-3
SPACING_TOLERANCE = 1e-3
"""Relative. Writers round positions and spacings to six digits; a tenth of a millimetre is far below any slice step."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Code:
    """A coded concept; all "" when absent."""

    value: str = ""
    scheme: str = ""
    meaning: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Segment:
    """One item of the SegmentSequence."""

    number: int
    label: str
    tracking_id: str
    tracking_uid: str
    category: Code
    property_type: Code
    region: Code

    def __str__(self) -> str:
        return f"segment {self.number} '{self.label or self.tracking_id}'"


@dataclass(frozen=True, slots=True, kw_only=True)
class SegFrame:
    """Where one frame says that it lies. ``segment`` is None in a label map (the pixel values are segment numbers)."""

    index: int
    segment: int | None
    position: tuple[float, float, float]
    references: tuple[tuple[str, int | None], ...]
    """(SOPInstanceUID, 0-based frame or None) of the source images."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SegFile:
    """A SEG whose header has been read and checked."""

    path: Path
    pixels: PixelFile
    is_labelmap: bool
    threshold: float
    """Stored values at or above it are inside: 1 for BINARY, half of MaximumFractionalValue for FRACTIONAL."""
    segments: tuple[Segment, ...]
    frames: tuple[SegFrame, ...]
    orientation: tuple[float, ...]
    spacing: tuple[float, ...]
    rows: int
    columns: int
    frame_of_reference_uid: str
    series_uids: tuple[str, ...]
    creator: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Placed:
    """A SEG on the slices of one stack: ``slices[i]`` is the stack index of frame i."""

    file: SegFile
    series: Series
    geometry: Geometry
    slices: tuple[int, ...]


def open_segmentation(path: Path) -> SegFile:
    """Read a SEG; raises :class:`MaskError` when it is damaged or no segmentation."""
    pixels = open_pixels(path, MaskError)
    dataset = pixels.dataset
    with guarded(f"{path}: cannot be read as a segmentation", MaskError):
        shared = get_items(dataset, "SharedFunctionalGroupsSequence")[:1]
        per_frame = get_items(dataset, "PerFrameFunctionalGroupsSequence")
        segments = get_items(dataset, "SegmentSequence")
        if not segments or not per_frame:
            raise MaskError(f"{path}: not a segmentation: {len(segments)} segments, {len(per_frame)} frames")
        is_labelmap = object_uid(dataset, "SOPClassUID") == LABELMAP_CLASS
        numbers = [get_integer(item, "SegmentNumber") or 0 for item in segments]
        if len(set(numbers)) != len(numbers):
            raise MaskError(f"{path}: two segments have one SegmentNumber: {numbers}")
        frames = tuple(_frame(i, [g, *shared], is_labelmap, path) for i, g in enumerate(per_frame))
        if unknown := {f.segment for f in frames} - {None, *numbers}:
            raise MaskError(f"{path}: frames of segment {min(n or 0 for n in unknown)}, which is not described")
        first = [per_frame[0], *shared]
        _check_one_grid(per_frame, shared, path)
        return SegFile(
            path=path,
            pixels=pixels,
            is_labelmap=is_labelmap,
            threshold=_threshold(dataset),
            segments=tuple(_segment(item) for item in segments),
            frames=frames,
            orientation=_numbers(first, "PlaneOrientationSequence", "ImageOrientationPatient", 6, path),
            spacing=_numbers(first, "PixelMeasuresSequence", "PixelSpacing", 2, path),
            rows=get_integer(dataset, "Rows") or 0,
            columns=get_integer(dataset, "Columns") or 0,
            frame_of_reference_uid=get_text(dataset, "FrameOfReferenceUID"),
            series_uids=_referenced_series(dataset),
            creator=get_text(dataset, "ContentCreatorName"),
        )


def _referenced_series(dataset: Any) -> tuple[str, ...]:
    uids = (get_text(item, "SeriesInstanceUID") for item in get_items(dataset, "ReferencedSeriesSequence"))
    return tuple(uid for uid in uids if uid)


def _threshold(dataset: Any) -> float:
    if get_text(dataset, "SegmentationType") != "FRACTIONAL":
        return 1.0
    # A fraction of one half or more is inside, whether it is a probability or an occupancy.
    return (get_integer(dataset, "MaximumFractionalValue") or 255) / 2


def _segment(item: Any) -> Segment:
    return Segment(
        number=get_integer(item, "SegmentNumber") or 0,
        label=get_text(item, "SegmentLabel"),
        tracking_id=get_text(item, "TrackingID"),
        tracking_uid=get_text(item, "TrackingUID"),
        category=_code(item, "SegmentedPropertyCategoryCodeSequence"),
        property_type=_code(item, "SegmentedPropertyTypeCodeSequence"),
        region=_code(item, "AnatomicRegionSequence"),
    )


def _code(item: Any, keyword: str) -> Code:
    codes = get_items(item, keyword)
    if not codes:
        return Code()
    value = get_text(codes[0], "CodeValue") or get_text(codes[0], "LongCodeValue")
    return Code(
        value=value, scheme=get_text(codes[0], "CodingSchemeDesignator"), meaning=get_text(codes[0], "CodeMeaning")
    )


def _first(groups: Sequence[Any], keyword: str) -> Any | None:
    return next((items[0] for g in groups if (items := get_items(g, keyword))), None)


def _numbers(groups: Sequence[Any], sequence: str, keyword: str, count: int, path: Path) -> tuple[float, ...]:
    item = _first(groups, sequence)
    values = None if item is None else get_numbers(item, keyword, count)
    if values is None:
        raise MaskError(f"{path}: a frame has no {keyword}, so it cannot be placed")
    return values


def _check_one_grid(per_frame: Sequence[Any], shared: Sequence[Any], path: Path) -> None:
    for sequence, keyword, count in (
        ("PlaneOrientationSequence", "ImageOrientationPatient", 6),
        ("PixelMeasuresSequence", "PixelSpacing", 2),
    ):
        values = [np.array(_numbers([g, *shared], sequence, keyword, count, path)) for g in per_frame]
        if any(float(np.abs(v - values[0]).max()) > DIRECTION_TOLERANCE for v in values):
            raise MaskError(f"{path}: its frames differ in {keyword}; write one segmentation for each orientation")


def _frame(index: int, groups: Sequence[Any], is_labelmap: bool, path: Path) -> SegFrame:
    identification = _first(groups, "SegmentIdentificationSequence")
    number = None if identification is None else get_integer(identification, "ReferencedSegmentNumber")
    if number is None and not is_labelmap:
        raise MaskError(f"{path}: frame {index + 1} names no segment")
    x, y, z = _numbers(groups, "PlanePositionSequence", "ImagePositionPatient", 3, path)
    references: list[tuple[str, int | None]] = []
    for derivation in get_items(groups[0], "DerivationImageSequence"):
        for source in get_items(derivation, "SourceImageSequence"):
            uid = get_text(source, "ReferencedSOPInstanceUID")
            numbers = get_text(source, "ReferencedFrameNumber").split("\\")
            references += [(uid, int(n) - 1 if n else None) for n in numbers]
    return SegFrame(
        index=index, segment=None if is_labelmap else number, position=(x, y, z), references=tuple(references)
    )


# Placing ----------------------------------------------------------------------------------------------------------------


def place(file: SegFile, series: Sequence[Series]) -> Placed:
    """Find the stack that the frames lie on, and the slice of each.

    Raises
    ------
    MaskError
        The images are not among ``series``, were refused, have another grid, or a frame lies on none of their slices.
    """
    named = _candidates(file, series)
    usable = [s for s in named if s.verdict is not Verdict.REFUSED and s.geometry is not None]
    failures: list[str] = []
    fits: list[Placed] = []
    for stack in usable:
        try:
            fits.append(_place_on(file, stack))
        except MaskError as error:
            failures.append(str(error))
    if len(fits) > 1:
        by_name = [f for f in fits if _all_by_reference(f)]
        if len(by_name) != 1:
            labels = " and ".join(f.series.label for f in fits)
            raise MaskError(f"{file.path}: its frames fit {labels} and do not say which; add DerivationImageSequence")
        return by_name[0]
    if fits:
        return fits[0]
    refused = _refused_by_reference(file, named)
    if refused is not None and (not usable or not failures or refused.stacks > 1):
        raise MaskError(
            f"{file.path}: refers to {refused.label}, which is refused: {refused.verdict_code}: {refused.verdict_text}"
        )
    raise MaskError(failures[0])


def _candidates(file: SegFile, series: Sequence[Series]) -> list[Series]:
    images = {uid for frame in file.frames for uid, _ in frame.references}
    named = [s for s in series if s.uid in file.series_uids or any(i.sop_instance_uid in images for i in s.slices)]
    if named:
        return named
    if file.series_uids or images:
        name = f"series {file.series_uids[0]}" if file.series_uids else f"image {min(images)}"
        raise MaskError(f"{file.path}: refers to {name}, which is not among the images given; add the images")
    frame_uid = file.frame_of_reference_uid
    same_space = [s for s in series if frame_uid and s.frame_of_reference_uid == frame_uid]
    if not same_space:
        raise MaskError(
            f"{file.path}: names no images, and no series has its FrameOfReferenceUID {frame_uid or '(none)'}"
        )
    return same_space


def _refused_by_reference(file: SegFile, named: Sequence[Series]) -> Series | None:
    images = {uid for frame in file.frames for uid, _ in frame.references}
    refused = [s for s in named if s.verdict is Verdict.REFUSED]
    own = [s for s in refused if any(i.sop_instance_uid in images for i in s.slices)]
    return next(iter(own or refused), None)


def _place_on(file: SegFile, series: Series) -> Placed:
    geometry = series.geometry
    if geometry is None:
        raise MaskError(f"{file.path}: {series.label} has no geometry")
    _check_grid(file, series, geometry)
    check_size(f"{file.path}: masks on {series.label}", geometry.shape, 1, MaskError)
    by_uid: dict[str, list[int]] = {}
    for index, item in enumerate(series.slices):
        by_uid.setdefault(item.sop_instance_uid, []).append(index)
    origins = np.array(geometry.origins_lps)
    slices = tuple(_slice_of(file, frame, series, by_uid, origins) for frame in file.frames)
    return Placed(file=file, series=series, geometry=geometry, slices=slices)


def _check_grid(file: SegFile, series: Series, geometry: Geometry) -> None:
    mine = (file.rows, file.columns)
    if mine != geometry.shape[1:]:
        raise MaskError(f"{file.path}: its frames are {mine} pixels, the slices of {series.label} {geometry.shape[1:]}")
    theirs = (*geometry.row_direction, *geometry.column_direction)
    if any(abs(a - b) > DIRECTION_TOLERANCE for a, b in zip(file.orientation, theirs, strict=True)):
        raise MaskError(
            f"{file.path}: its orientation is {_text(file.orientation)}, that of {series.label} {_text(theirs)}"
        )
    spacing = (geometry.row_spacing_mm, geometry.column_spacing_mm)
    if any(abs(a - b) > SPACING_TOLERANCE * b for a, b in zip(file.spacing, spacing, strict=True)):
        raise MaskError(
            f"{file.path}: its pixel spacing is {_text(file.spacing)} mm, that of {series.label} {_text(spacing)} mm"
        )


def _text(values: Sequence[float]) -> str:
    return "\\".join(f"{v:.6g}" for v in values)


def _slice_of(
    file: SegFile, frame: SegFrame, series: Series, by_uid: dict[str, list[int]], origins: npt.NDArray[np.float64]
) -> int:
    where = f"{file.path}: frame {frame.index + 1}"
    named = [
        i
        for uid, number in frame.references
        for i in by_uid.get(uid, ())
        if number in (None, series.slices[i].frame or 0)
    ]
    distances = np.linalg.norm(origins - np.array(frame.position), axis=1)
    choice = named or range(len(origins))
    best = min(choice, key=lambda i: distances[i])
    if distances[best] <= POSITION_TOLERANCE_MM:
        return int(best)
    what = f"image {series.slices[best].sop_instance_uid}" if named else f"the nearest slice of {series.label}"
    raise MaskError(
        f"{where} lies at {_text(frame.position)} mm, {what} at {_text(series.slices[best].position_lps)} mm: "
        f"{distances[best]:.2f} mm apart; it was drawn on another grid"
    )


def _all_by_reference(placed: Placed) -> bool:
    return all(
        any(uid == placed.series.slices[index].sop_instance_uid for uid, _ in frame.references)
        for frame, index in zip(placed.file.frames, placed.slices, strict=True)
    )


def masks_of(placed: Placed, wanted: frozenset[int]) -> Iterator[tuple[int, int, npt.NDArray[np.bool_]]]:
    """(segment number, stack index, mask (Y, X)) for each frame of the wanted segments that is not empty, one at a time."""
    file = placed.file
    padding = or_none(get_integer, file.pixels.dataset, "PixelPaddingValue")
    known = {0, padding, *(s.number for s in file.segments)}
    single = or_none(get_integer, file.pixels.dataset, "NumberOfFrames") in (None, 1)
    for frame, index in zip(file.frames, placed.slices, strict=True):
        if frame.segment is not None and frame.segment not in wanted:
            continue
        values = decode_frame(file.pixels, None if single else frame.index)
        if frame.segment is not None:
            mask = values >= math.ceil(file.threshold)
            if mask.any():
                yield frame.segment, index, np.asarray(mask)
            continue
        for number in np.unique(values).tolist():
            if number not in known:
                raise MaskError(f"{file.path}: frame {frame.index + 1} holds the value {number}, which is no segment")
            if number in wanted:
                yield number, index, np.asarray(values == number)
