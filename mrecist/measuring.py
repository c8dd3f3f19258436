"""Masks to measurement rows without a study folder: what ``mrecist measure`` does."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path

from mrecist.errors import InputError, MrecistError
from mrecist.imaging.contours import read_masks
from mrecist.imaging.masks import LesionMask, lesion_masks, read_label_volume
from mrecist.imaging.scan import scan_folder
from mrecist.imaging.series import Series
from mrecist.measure.measured import LesionMeasurement
from mrecist.model import Kind, Measurement, Problem, Role, State
from mrecist.protocol import Measuring
from mrecist.reading import (
    Looked,
    dense_note,
    look,
    measure_mask,
    measure_volume,
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

LABEL_FILES = (".nii", ".nii.gz", ".nrrd", ".mha")
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


def label_files(lesions: Sequence[Path], viable: Sequence[Path] | None) -> list[tuple[Path, Path | None]]:
    """Each label mask with its viable mask: files in the order given, or a folder each, where the names must be the same.

    Raises :class:`InputError` when it is not clear which belongs to which.
    """
    if len(lesions) == 1 and lesions[0].is_dir():
        files = sorted(path for path in lesions[0].iterdir() if path.name.lower().endswith(LABEL_FILES))
        if not files:
            raise InputError(
                f"{lesions[0]}: no such file in this folder: {', '.join(LABEL_FILES)}; give the one with masks"
            )
        if viable is None:
            return [(path, None) for path in files]
        if len(viable) != 1 or not viable[0].is_dir():
            raise InputError(f"measure: --lesions is the folder {lesions[0]}; --viable must be one folder too")
        return [(path, viable[0] / path.name) for path in files]
    if viable is not None and len(viable) != len(lesions):
        raise InputError(
            f"measure: {len(lesions)} files of --lesions and {len(viable)} of --viable; give one for each, in order"
        )
    if viable is None:
        return [(path, None) for path in lesions]
    return list(zip(lesions, viable, strict=True))


def measure_labels(
    files: Sequence[tuple[Path, Path | None]],
    measuring: Measuring,
    given: Given,
    repeating: Repeating | None = None,
    progress: Progress | None = None,
) -> MeasuredMasks:
    """Measure every label of label masks, each with its viable mask or None; voxel value k is lesion k.

    The subject is the file's name unless given. One bad file stops no other. With ``repeating``, the spread of each size too.

    Raises :class:`InputError` when one subject is given for several files.
    """
    if given.subject is not None and len(files) > 1:
        raise InputError(
            f"measure: --subject is '{given.subject}' for {len(files)} files; leave it out or give one file"
        )
    rows: list[Measurement] = []
    drawings: list[dict[str, object]] = []
    problems: list[Problem] = []
    notes: list[str] = []
    spread: list[OwnSpread] = []
    seen: dict[str, Path] = {}
    for done, (lesions, viable) in enumerate(files):
        if progress is not None:
            progress(done, len(files))
        subject = given.subject or lesions.name.split(".")[0]
        try:
            if subject in seen:
                raise InputError(
                    f"{lesions}: subject '{subject}' was measured from {seen[subject]}; rename one of them"
                )
            volume = read_label_volume(lesions, viable)
            found = measure_volume(volume, measuring)
            masks = {m.lesion: m for m in lesion_masks(volume)} if repeating is not None else {}
        except MrecistError as error:
            problems.append(Problem(subject=subject, message=str(error)))
            continue
        seen[subject] = lesions
        if not found:
            notes.append(f"{lesions}: the mask holds no lesion (every voxel is 0)")
        for label, measured in found.items():
            row = _row(str(label), measured, measuring, replace(given, subject=subject), None, None)
            rows.append(row)
            if repeating is not None:
                spread += own_spread(row, masks[str(label)], measured, repeating)
            drawings.append({"subject": subject, **measurement_json(str(label), measured, None)})
    if progress is not None:
        progress(len(files), len(files))
    return MeasuredMasks(
        rows=tuple(rows),
        drawings=tuple(drawings),
        problems=tuple(problems),
        notes=tuple(notes),
        spread=tuple(spread),
    )


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
            found = read_masks(path, series)
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
            row = _row(mask.lesion, measured, measuring, given, mask, series, looked)
            rows.append(row)
            drawings.append({"subject": row.subject, **measurement_json(mask.lesion, measured, mask, looked, before)})
            if note := dense_note(looked, before, measured):
                notes.append(note)
            if repeating is not None:
                spread += own_spread(row, mask, measured, repeating)
            if row.role is Role.NEW:
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


def _row(
    lesion: str,
    measured: LesionMeasurement,
    measuring: Measuring,
    given: Given,
    mask: LesionMask | None,
    series: Series | None,
    looked: Looked | None = None,
) -> Measurement:
    """The row of one lesion; ``mask``, ``series`` and what the images say as far as there are any."""
    role = role_from_id(lesion) or Role.TARGET
    row = Measurement(
        subject=given.subject or (series.subject if series else ""),
        timepoint=_timepoint(series, given),
        date=_day(series, given),
        reader=given.reader or (mask.reader if mask else None) or "R1",
        lesion=lesion,
        role=role,
        kind=Kind.NODE if mask and mask.kind == "node" else Kind.LESION,
        organ=(mask.organ if mask else None) or "",
        state=_STATE[role],
        mean_hu=looked.mean_hu if looked else None,
        dense_percent=looked.dense_percent if looked else None,
        modality=series.modality if series else "",
        phase=series.phase.name if series else "",
        slice_thickness_mm=thickness(series),
    )
    return with_sizes(row, recorded_sizes(measured, measuring), recorded_foci(measured, measuring))


def _timepoint(series: Series | None, given: Given) -> int:
    if given.timepoint is not None:
        return given.timepoint
    stated = series.timepoint_id if series else None
    return int(stated) if stated is not None and stated.strip().isdecimal() else 0


def _day(series: Series | None, given: Given) -> date | None:
    if given.day is not None:
        return given.day
    return date.fromisoformat(series.date) if series is not None and series.date else None
