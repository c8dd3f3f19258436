"""Masks to measurement rows without a study folder: what ``mrecist measure`` does."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from pathlib import Path

from mrecist.errors import InputError, MrecistError
from mrecist.imaging.contours import read_masks
from mrecist.imaging.masks import LesionMask, lesion_mask, read_label_volume
from mrecist.imaging.scan import scan_folder
from mrecist.imaging.series import Series
from mrecist.measure.measured import LesionMeasurement
from mrecist.model import Kind, Measurement, Problem, Role, State
from mrecist.pictures.files import file_name, lesion_png
from mrecist.pieces import measurement_json, series_of
from mrecist.protocol import Measuring
from mrecist.reading import (
    Looked,
    dense_note,
    edge_note,
    line_sizes,
    look,
    measure_mask,
    measure_volume,
    measure_with_volume,
    phase_note,
    recorded_foci,
    recorded_sizes,
    role_from_id,
    row_phase,
    thickness,
    with_sizes,
)
from mrecist.repeating import Repeating, own_spread
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
class Wanted:
    """What is made beside the rows: the spread of each size, a picture of each lesion."""

    repeating: Repeating | None = None
    pictures: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class LesionPicture:
    """A PNG under a name that no other picture of the run has."""

    name: str
    png: bytes


@dataclass(slots=True, kw_only=True)
class MeasuredMasks:
    """Rows and their unrounded drawings; ``notes`` are what a person should know about them."""

    rows: list[Measurement] = field(default_factory=list)
    drawings: list[dict[str, object]] = field(default_factory=list)
    problems: list[Problem] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    spread: list[OwnSpread] = field(default_factory=list)
    pictures: list[LesionPicture] = field(default_factory=list)


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
    wanted: Wanted | None = None,
    progress: Progress | None = None,
) -> MeasuredMasks:
    """Measure every label of label masks, each with its viable mask or None; voxel value k is lesion k.

    The subject is the file's name unless given. One bad file stops no other.

    Raises :class:`InputError` when one subject is given for several files.
    """
    if given.subject is not None and len(files) > 1:
        raise InputError(
            f"measure: --subject is '{given.subject}' for {len(files)} files; leave it out or give one file"
        )
    done = MeasuredMasks()
    seen: dict[str, Path] = {}
    for number, (lesions, viable) in enumerate(files):
        if progress is not None:
            progress(number, len(files))
        subject = given.subject or lesions.name.split(".")[0]
        try:
            if subject in seen:
                raise InputError(
                    f"{lesions}: subject '{subject}' was measured from {seen[subject]}; rename one of them"
                )
            _measure_labels(lesions, viable, measuring, replace(given, subject=subject), wanted or Wanted(), done)
            seen[subject] = lesions
        except MrecistError as error:
            done.problems.append(Problem(subject=subject, message=str(error)))
    if progress is not None:
        progress(len(files), len(files))
    return done


def _measure_labels(
    lesions: Path, viable: Path | None, measuring: Measuring, given: Given, wanted: Wanted, done: MeasuredMasks
) -> None:
    """All labels of one file."""
    volume = read_label_volume(lesions, viable)
    found = measure_volume(volume, measuring)
    if not found:
        done.notes.append(f"{lesions}: the mask holds no lesion (every voxel is 0)")
    for label, measured in found.items():
        row = _row(str(label), measured, measuring, given, None, None)
        done.rows.append(row)
        done.drawings.append({"subject": row.subject, **measurement_json(str(label), measured, None)})
        if wanted.repeating is not None or wanted.pictures:
            _beside(row, lesion_mask(volume, label), measured, measuring, None, wanted, done)


def measure_segmentations(
    files: Sequence[Path],
    images: Path,
    measuring: Measuring,
    given: Given,
    wanted: Wanted | None = None,
    progress: Progress | None = None,
) -> MeasuredMasks:
    """Measure every lesion of DICOM segmentations whose series lie below ``images``; one bad file stops no other."""
    if not images.is_dir():
        raise InputError(f"{images}: is not a folder; give the folder with the series that the segmentations refer to")
    series = scan_folder(images, progress, workers=None).series
    done = MeasuredMasks()
    masks: list[tuple[LesionMask, Series]] = []
    for path in files:
        try:
            if not path.is_file():
                raise InputError(f"{path}: no such file; check the path")
            found = read_masks(path, series)
            done.notes += [f"{path.name}: {note}" for note in (*found.skipped, *found.notes)]
            masks += [(mask, series_of(mask, series)) for mask in found.masks]
        except MrecistError as error:
            done.problems.append(Problem(subject=given.subject or "", message=str(error)))
    for mask, own in masks:
        try:
            _measure_segment(mask, own, series, measuring, given, wanted or Wanted(), done)
        except MrecistError as error:
            done.problems.append(Problem(subject=given.subject or "", message=str(error)))
    return done


def _measure_segment(
    mask: LesionMask,
    series: Series,
    nearby: Sequence[Series],
    measuring: Measuring,
    given: Given,
    wanted: Wanted,
    done: MeasuredMasks,
) -> None:
    """One lesion of a segmentation."""
    looked = look(mask, series, nearby, measuring)
    before = measure_mask(mask, measuring) if looked.taken_off else None
    mask = looked.mask
    volumes = measure_with_volume(mask, series, measuring)
    measured = volumes.measured
    row = _row(mask.lesion, measured, measuring, given, mask, series, looked)
    done.rows.append(row)
    drawing = measurement_json(mask.lesion, measured, mask, looked, before, volumes.grid)
    done.drawings.append({"subject": row.subject, **drawing})
    asked = (phase_note(mask, series, measuring), edge_note(mask))
    done.notes += [note for note in (dense_note(looked, before, measured), volumes.note, *asked) if note]
    if row.role is Role.NEW:
        done.notes.append(
            f"{mask.lesion}: recorded as equivocal; a mask cannot say whether a new lesion is unequivocal"
        )
    _beside(row, mask, measured, measuring, series, wanted, done)


def _beside(
    row: Measurement,
    mask: LesionMask,
    measured: LesionMeasurement,
    measuring: Measuring,
    series: Series | None,
    wanted: Wanted,
    done: MeasuredMasks,
) -> None:
    """What is made beside a row: its spread and its picture."""
    if wanted.repeating is not None:
        done.spread += own_spread(row, mask, measured, wanted.repeating)
    if wanted.pictures:
        sizes = line_sizes(measured, measuring)
        visit = "baseline" if row.timepoint == 0 else f"time point {row.timepoint}"
        title = ", ".join(word for word in (row.subject, visit, row.reader, f"lesion {row.lesion}") if word)
        name = file_name((row.subject, row.reader, str(row.timepoint), row.lesion), [p.name for p in done.pictures])
        done.pictures.append(LesionPicture(name=name, png=lesion_png(mask, measured, sizes, title, series)))


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
        phase=row_phase(series, measuring),
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
