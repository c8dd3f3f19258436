"""A DICOM SEG file: its segments, its frames, and the slice of the referenced series that each frame lies on.

Frames are placed by the image they were derived from (DerivationImageSequence) and checked against their plane position;
where they name no image, by plane position alone. Never by index: a SEG may leave out empty slices and run either way.

Sources: PS3.3 A.51, A.90 (label maps), C.8.20 (Segmentation), C.7.6.16.2 (functional groups).
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from mrecist.errors import MaskError
from mrecist.imaging.geometry import Geometry
from mrecist.imaging.headers import get_integer, get_items, get_numbers, get_text, guarded, object_uid, or_none
from mrecist.imaging.in_plane import DIRECTION_TOLERANCE, Lie, image_basis, shown, turn_of
from mrecist.imaging.limits import check_size
from mrecist.imaging.pixels import PixelFile, decode_frame, open_pixels
from mrecist.imaging.series import Series
from mrecist.imaging.stack_choice import Named, choose_stack

LABELMAP_CLASS = "1.2.840.10008.5.1.4.1.1.66.7"
POSITION_TOLERANCE_MM = 0.1
"""Writers round positions to six digits; a tenth of a millimetre is far below any slice step and any pixel."""


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
    notes: tuple[str, ...]
    """What was inferred from the header, one sentence each."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Placed:
    """A SEG on the slices of one stack: ``slices[i]`` is the stack index of frame i, ``lies[i]`` where it lies in that slice."""

    file: SegFile
    series: Series
    geometry: Geometry
    slices: tuple[int, ...]
    lies: tuple[Lie, ...]
    notes: tuple[str, ...] = ()


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
        if not get_integer(dataset, "Rows") or not get_integer(dataset, "Columns"):
            raise MaskError(f"{path}: header truncated or damaged: no Rows or no Columns; copy it again")
        count = get_integer(dataset, "NumberOfFrames") or 1
        if count != len(per_frame):
            raise MaskError(
                f"{path}: NumberOfFrames is {count} and {len(per_frame)} frames are described; export the segmentation again"
            )
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
            notes=_header_notes(dataset),
        )


def _referenced_series(dataset: Any) -> tuple[str, ...]:
    uids = (get_text(item, "SeriesInstanceUID") for item in get_items(dataset, "ReferencedSeriesSequence"))
    return tuple(uid for uid in uids if uid)


def _threshold(dataset: Any) -> float:
    if get_text(dataset, "SegmentationType") != "FRACTIONAL":
        return 1.0
    # A fraction of one half or more is inside, whether it is a probability or an occupancy.
    return (get_integer(dataset, "MaximumFractionalValue") or 255) / 2


def _header_notes(dataset: Any) -> tuple[str, ...]:
    if get_text(dataset, "SegmentationType") != "FRACTIONAL":
        return ()
    what = {"PROBABILITY": "a probability", "OCCUPANCY": "a share of the voxel"}
    meaning = what.get(get_text(dataset, "SegmentationFractionalType"), "a fraction of unknown kind")
    highest = get_integer(dataset, "MaximumFractionalValue") or 255
    first = math.ceil(_threshold(dataset))
    return (f"fractional values are {meaning}; inside is one half or more: {first} to {highest} of {highest}",)


def _segment(item: Any) -> Segment:
    return Segment(
        number=get_integer(item, "SegmentNumber") or 0,
        label=get_text(item, "SegmentLabel"),
        tracking_id=get_text(item, "TrackingID"),
        tracking_uid=get_text(item, "TrackingUID"),
        category=code_of(item, "SegmentedPropertyCategoryCodeSequence"),
        property_type=code_of(item, "SegmentedPropertyTypeCodeSequence"),
        region=code_of(item, "AnatomicRegionSequence"),
    )


def code_of(item: Any, keyword: str) -> Code:
    """The first coded concept of a sequence."""
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
    # the frame's own sources, else those that all frames share
    own = next((found for g in groups if (found := get_items(g, "DerivationImageSequence"))), [])
    for derivation in own:
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
    named = Named(
        path=file.path,
        series_uids=file.series_uids,
        images=frozenset(uid for frame in file.frames for uid, _ in frame.references),
        frame_of_reference_uid=file.frame_of_reference_uid,
    )
    placed, note = choose_stack(named, series, lambda stack: _place_on(file, stack), _all_by_reference)
    notes = [note] if note else []
    if cropped := _cropped(placed):
        notes.append(cropped)
    return replace(placed, notes=(*file.notes, *notes))


def _cropped(placed: Placed) -> str:
    """Where the frames lie in their images when they do not cover them pixel by pixel."""
    file, image, lie = placed.file, (placed.geometry.shape[1], placed.geometry.shape[2]), placed.lies[0]
    frame = (file.rows, file.columns)
    if all(one.same_as_image(frame, image) for one in placed.lies):
        return ""
    turned = "" if lie.turn == ((1, 0), (0, 1)) else ", with axes that run another way"
    return (
        f"its frames are {frame[0]} x {frame[1]} pixels, the images {image[0]} x {image[1]}; placed by position: "
        f"the first frame starts at row {lie.row}, column {lie.column}{turned}"
    )


def _place_on(file: SegFile, series: Series) -> Placed:
    geometry = series.geometry
    if geometry is None:
        raise MaskError(f"{file.path}: {series.label} has no geometry")
    try:
        turn = turn_of(file.orientation, file.spacing, (file.rows, file.columns), geometry, series.label)
    except MaskError as error:
        raise MaskError(f"{file.path}: {error}") from None
    check_size(f"{file.path}: masks on {series.label}", geometry.shape, 1, MaskError)
    by_uid: dict[str, list[int]] = {}
    for index, item in enumerate(series.slices):
        by_uid.setdefault(item.sop_instance_uid, []).append(index)
    basis, origins = image_basis(geometry), np.array(geometry.origins_lps)
    places = [_slice_of(file, frame, series, by_uid, origins, basis) for frame in file.frames]
    return Placed(
        file=file,
        series=series,
        geometry=geometry,
        slices=tuple(index for index, _, _ in places),
        lies=tuple(Lie(turn=turn, row=row, column=column) for _, row, column in places),
    )


def _slice_of(
    file: SegFile,
    frame: SegFrame,
    series: Series,
    by_uid: dict[str, list[int]],
    origins: npt.NDArray[np.float64],
    basis: npt.NDArray[np.float64],
) -> tuple[int, int, int]:
    """Stack index of a frame, and the (row, column) of the slice under its first pixel."""
    where = f"{file.path}: frame {frame.index + 1}"
    named = [
        i
        for uid, number in frame.references
        for i in by_uid.get(uid, ())
        if number in (None, series.slices[i].frame or 0)
    ]
    apart = np.array(frame.position) - origins
    offsets = np.rint(apart @ np.linalg.pinv(basis).T)
    distances = np.linalg.norm(apart - offsets @ basis.T, axis=1)
    choice = named or range(len(origins))
    best = min(choice, key=lambda i: distances[i])
    if distances[best] <= POSITION_TOLERANCE_MM:
        return int(best), int(offsets[best][0]), int(offsets[best][1])
    what = f"image {series.slices[best].sop_instance_uid}" if named else f"the nearest slice of {series.label}"
    raise MaskError(
        f"{where} lies at {shown(frame.position)} mm, {what} at {shown(series.slices[best].position_lps)} mm: "
        f"{distances[best]:.2f} mm apart; it was drawn on another grid"
    )


def _all_by_reference(placed: Placed) -> bool:
    slices = placed.series.slices
    return all(
        any(
            uid == slices[index].sop_instance_uid and number in (None, slices[index].frame or 0)
            for uid, number in frame.references
        )
        for frame, index in zip(placed.file.frames, placed.slices, strict=True)
    )


def masks_of(placed: Placed, wanted: frozenset[int]) -> Iterator[tuple[int, int, npt.NDArray[np.bool_]]]:
    """(segment number, stack index, mask (Y, X)) for each frame of the wanted segments that is not empty, one at a time."""
    file = placed.file
    padding = or_none(get_integer, file.pixels.dataset, "PixelPaddingValue")
    known = {0, padding, *(s.number for s in file.segments)}
    single = or_none(get_integer, file.pixels.dataset, "NumberOfFrames") in (None, 1)
    shape = (placed.geometry.shape[1], placed.geometry.shape[2])
    for frame, index, lie in zip(file.frames, placed.slices, placed.lies, strict=True):
        if frame.segment is not None and frame.segment not in wanted:
            continue
        where = f"{file.path}: frame {frame.index + 1}"
        values = decode_frame(file.pixels, None if single else frame.index)
        if frame.segment is not None:
            mask = values >= math.ceil(file.threshold)
            if mask.any():
                yield frame.segment, index, lie.put(np.asarray(mask), shape, where)
            continue
        for number in np.unique(values).tolist():
            if number not in known:
                raise MaskError(f"{where} holds the value {number}, which is no segment")
            if number in wanted:
                yield number, index, lie.put(np.asarray(values == number), shape, where)
