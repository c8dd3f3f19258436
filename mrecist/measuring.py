"""Masks to measurement rows without a study folder: what ``mrecist measure`` does."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path

from mrecist.errors import InputError, MrecistError
from mrecist.imaging.masks import LesionMask, read_label_masks, read_segmentation
from mrecist.imaging.scan import scan_folder
from mrecist.imaging.series import Series
from mrecist.model import Kind, Measurement, Problem, Role, State
from mrecist.protocol import Measuring
from mrecist.reading import (
    dense_note,
    look,
    measure_mask,
    recorded_foci,
    recorded_sizes,
    role_from_id,
    thickness,
    with_sizes,
)
from mrecist.repeating import Repeating, own_spread
from mrecist.score import measurement_json, series_of
from mrecist.stability.spread import OwnSpread
from mrecist.study import Progress

_STATE = {Role.TARGET: State.MEASURED, Role.NON_TARGET: State.PRESENT, Role.NEW: State.EQUIVOCAL}


@dataclass(frozen=True, slots=True, kw_only=True)
class Given:
    """What the caller says about the masks; None = take it from the images."""

    subject: str | None = None
    timepoint: int | None = None
    day: date | None = None
    reader: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class MeasuredMasks:
    """Rows and their unrounded drawings; ``notes`` are what a person should know about them."""

    rows: tuple[Measurement, ...]
    drawings: tuple[dict[str, object], ...]
    problems: tuple[Problem, ...]
    notes: tuple[str, ...]
    spread: tuple[OwnSpread, ...] = ()


def measure_labels(
    lesions: Path, viable: Path | None, measuring: Measuring, given: Given, repeating: Repeating | None = None
) -> MeasuredMasks:
    """Measure every label of a NIfTI mask; voxel value k of ``lesions`` is lesion k; with ``repeating``, its spread too.

    Raises :class:`MaskError` when a mask cannot be read or the two do not fit.
    """
    subject = given.subject or lesions.name.split(".")[0]
    given = replace(given, subject=subject)
    masks = [(mask, None) for mask in read_label_masks(lesions, viable)]
    return _measure(masks, (), measuring, given, repeating, [], [])


def measure_segmentations(
    files: Sequence[Path],
    images: Path,
    measuring: Measuring,
    given: Given,
    progress: Progress | None = None,
    repeating: Repeating | None = None,
) -> MeasuredMasks:
    """Measure every lesion of DICOM segmentations whose series lie below ``images``; one bad file stops no other."""
    if not images.is_dir():
        raise InputError(f"{images}: is not a folder; give the folder with the series that the segmentations refer to")
    series = scan_folder(images, progress).series
    masks: list[tuple[LesionMask, Series | None]] = []
    problems: list[Problem] = []
    notes: list[str] = []
    for path in files:
        try:
            if not path.is_file():
                raise InputError(f"{path}: no such file; check the path")
            found = read_segmentation(path, series)
            notes += [f"{path.name}: {note}" for note in (*found.skipped, *found.notes)]
            masks += [(mask, series_of(mask, series)) for mask in found.masks]
        except MrecistError as error:
            problems.append(Problem(subject=given.subject or "", message=str(error)))
    return _measure(masks, series, measuring, given, repeating, problems, notes)


def _measure(
    masks: Sequence[tuple[LesionMask, Series | None]],
    nearby: Sequence[Series],
    measuring: Measuring,
    given: Given,
    repeating: Repeating | None,
    problems: list[Problem],
    notes: list[str],
) -> MeasuredMasks:
    rows: list[Measurement] = []
    drawings: list[dict[str, object]] = []
    spread: list[OwnSpread] = []
    for mask, series in masks:
        try:
            looked = look(mask, series, nearby, measuring)
            before = measure_mask(mask, measuring) if looked.taken_off else None
            mask = looked.mask
            measured = measure_mask(mask, measuring)
            role = role_from_id(mask.lesion) or Role.TARGET
            row = Measurement(
                subject=given.subject or (series.subject if series else ""),
                timepoint=_timepoint(series, given),
                date=_day(series, given),
                reader=given.reader or mask.reader or "R1",
                lesion=mask.lesion,
                role=role,
                kind=Kind.NODE if mask.kind == "node" else Kind.LESION,
                organ=mask.organ or "",
                state=_STATE[role],
                mean_hu=looked.mean_hu,
                dense_percent=looked.dense_percent,
                modality=series.modality if series else "",
                phase=series.phase.name if series else "",
                slice_thickness_mm=thickness(series),
            )
            row = with_sizes(row, recorded_sizes(measured, measuring), recorded_foci(measured, measuring))
            rows.append(row)
            drawings.append(measurement_json(mask.lesion, measured, mask, looked, before))
            if note := dense_note(looked, before, measured):
                notes.append(note)
            if repeating is not None:
                spread += own_spread(row, mask, measured, repeating)
            if role is Role.NEW:
                notes.append(
                    f"{mask.lesion}: recorded as equivocal; a mask cannot say whether a new lesion is unequivocal"
                )
        except MrecistError as error:
            problems.append(Problem(subject=given.subject or "", message=str(error)))
    return MeasuredMasks(
        rows=tuple(rows),
        drawings=tuple(drawings),
        problems=tuple(problems),
        notes=tuple(notes),
        spread=tuple(spread),
    )


def _timepoint(series: Series | None, given: Given) -> int:
    if given.timepoint is not None:
        return given.timepoint
    stated = series.timepoint_id if series else None
    return int(stated) if stated is not None and stated.strip().isdecimal() else 0


def _day(series: Series | None, given: Given) -> date | None:
    if given.day is not None:
        return given.day
    return date.fromisoformat(series.date) if series is not None and series.date else None
