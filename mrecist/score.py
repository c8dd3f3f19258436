"""One subject from images and masks to measurement rows and key images. Every failure names its file or lesion."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import date

from mrecist.errors import MaskError, MrecistError, ReadError, SeriesError
from mrecist.imaging.contours import read_masks
from mrecist.imaging.masks import LesionMask, lesion_mask, read_label_volume
from mrecist.imaging.phase import PhaseName
from mrecist.imaging.placing import stacks_drawn_on
from mrecist.imaging.resampling import RegularGrid
from mrecist.imaging.scan import Segmentation
from mrecist.imaging.series import Series, Verdict
from mrecist.keyimages import key_images
from mrecist.measure.lesion import LesionMeasurement
from mrecist.model import Measurement, Problem
from mrecist.protocol import Measuring
from mrecist.reading import (
    Looked,
    WithVolume,
    dense_note,
    edge_note,
    join_reads,
    line_sizes,
    look,
    measure_mask,
    measure_volume,
    measure_with_volume,
    measured_row,
    phase_note,
    row_phase,
)
from mrecist.repeating import Repeating, own_spread
from mrecist.results import KeyImage
from mrecist.stability.spread import OwnSpread
from mrecist.study import LabelMaskFile, SubjectInput


@dataclass(frozen=True, slots=True, kw_only=True)
class Drawing:
    """Where the diameters of one row lie: the unrounded measurement beside the row's identity."""

    subject: str
    reader: str
    timepoint: int
    lesion: str
    measurement: dict[str, object]


@dataclass(frozen=True, slots=True, kw_only=True)
class SubjectResult:
    """What scoring one subject gave. With problems, ``rows`` are incomplete and must not be assessed."""

    subject: str
    rows: tuple[Measurement, ...]
    drawings: tuple[Drawing, ...]
    key_images: tuple[KeyImage, ...]
    problems: tuple[Problem, ...]
    notes: tuple[str, ...]
    spread: tuple[OwnSpread, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class _DrawnMask:
    """A lesion mask with the visit and reader that it belongs to; ``measured`` where all of its file were measured at once."""

    mask: LesionMask
    timepoint: int
    day: date
    reader: str
    series: Series | None
    phase: str
    measured: LesionMeasurement | None = None


def score_subject(given: SubjectInput, measuring: Measuring, repeating: Repeating | None = None) -> SubjectResult:
    """Measure every mask of a subject and join what the reader stated; with ``repeating``, again with outlines moved.

    Never raises for bad input: what cannot be used becomes a problem with one line, and the rest is still measured.
    """
    problems = list(given.problems)
    notes = list(given.notes)
    drawn = _drawn_masks(given, measuring, problems, notes)
    rows: dict[tuple[str, int, str], Measurement] = {}
    drawings: list[Drawing] = []
    images: list[KeyImage] = []
    spread: list[OwnSpread] = []
    for one in sorted(drawn, key=lambda d: (d.reader, d.timepoint, d.mask.lesion)):
        try:
            looked = look(one.mask, one.series, given.series, measuring)
            drawn_as, one = one, replace(one, mask=looked.mask)
            row, volumes = _row(one, looked, given, measuring, rows)
            measured = volumes.measured
            key = (row.reader, row.timepoint, row.lesion)
            if key in rows:
                where = f"subject {row.subject}, reader {row.reader}, time point {row.timepoint}"
                raise ReadError(
                    f"{where}: lesion {row.lesion} has two masks, the second in {one.mask.source}; keep one"
                )
            rows[key] = row
            before = measure_mask(drawn_as.mask, measuring) if looked.taken_off else None
            drawings.append(_drawing(row, volumes, one, looked, before))
            asked = (phase_note(one.mask, one.series, measuring), edge_note(one.mask))
            said = [note for note in (dense_note(looked, before, measured), volumes.note, *asked) if note]
            notes += [f"{row.subject}, reader {row.reader}, time point {row.timepoint}: {note}" for note in said]
            images += _pictures(row, one, measured, measuring)
            if repeating is not None:
                spread += own_spread(row, one.mask, measured, repeating)
        except MrecistError as error:
            problems.append(Problem(subject=given.subject, reader=one.reader, message=str(error)))
    joined = join_reads(rows, given.rows)
    if not joined and not problems:
        message = (
            f"subject {given.subject}: {len(given.series)} series but no segmentation and no read; nothing to score"
        )
        problems.append(Problem(subject=given.subject, message=message))
    return SubjectResult(
        subject=given.subject,
        rows=tuple(joined),
        drawings=tuple(drawings),
        key_images=tuple(images),
        problems=tuple(problems),
        notes=tuple(notes),
        spread=tuple(spread),
    )


# --- masks of a subject ----------------------------------------------------------------------------------------------


def _drawn_masks(
    given: SubjectInput, measuring: Measuring, problems: list[Problem], notes: list[str]
) -> list[_DrawnMask]:
    drawn: list[_DrawnMask] = []
    for segmentation in given.segmentations:
        try:
            drawn += _from_segmentation(segmentation, given, measuring, notes)
        except MrecistError as error:
            problems.append(Problem(subject=given.subject, message=str(error)))
    for label_mask in given.label_masks:
        try:
            drawn += _from_labels(label_mask, given, measuring)
        except MrecistError as error:
            problems.append(Problem(subject=given.subject, reader=label_mask.reader, message=str(error)))
    return drawn


def _from_segmentation(
    segmentation: Segmentation, given: SubjectInput, measuring: Measuring, notes: list[str]
) -> Iterator[_DrawnMask]:
    masks = read_masks(segmentation.path, given.series)
    notes += [f"{given.subject}: {segmentation.path.name}: {note}" for note in (*masks.skipped, *masks.notes)]
    for mask in masks.masks:
        series = series_of(mask, given.series)
        timepoint, day = _visit_of(series, given, str(segmentation.path))
        yield _DrawnMask(
            mask=mask,
            timepoint=timepoint,
            day=day,
            reader=mask.reader or "R1",
            series=series,
            phase=row_phase(series, measuring),
        )


def series_of(mask: LesionMask, series: Sequence[Series]) -> Series:
    """The stack that the mask lies on: one series UID may hold several (two phases under one UID)."""
    for one in series:
        same_stack = one.uid == mask.series_uid and mask.stack in (None, one.stack)
        if same_stack and (mask.slice_uids is None or mask.slice_uids[0] in {s.sop_instance_uid for s in one.slices}):
            return one
    raise MaskError(f"{mask.source}: refers to series {mask.series_uid}, which is not in the images; add that series")


def _visit_of(series: Series, given: SubjectInput, where: str) -> tuple[int, date]:
    name = f"{where}: series {series.description or series.uid}"
    if series.uid not in given.timepoints:
        raise SeriesError(f"{name} has no time point; state it in series.csv (columns series_uid, timepoint)")
    if series.date is None:
        raise SeriesError(
            f"{name} has no date, and a response needs one; state it in series.csv (columns series_uid, date)"
        )
    return given.timepoints[series.uid], date.fromisoformat(series.date)


def _from_labels(label_mask: LabelMaskFile, given: SubjectInput, measuring: Measuring) -> Iterator[_DrawnMask]:
    volume = read_label_volume(label_mask.lesions, label_mask.viable)
    stacks = stacks_drawn_on(volume, [s for s in given.series if s.uid == label_mask.series_uid])
    # A label file cannot say on which of several stacks of one grid it was drawn.
    phases = {row_phase(s, measuring) for s in stacks}
    phase = phases.pop() if len(phases) == 1 else PhaseName.UNKNOWN
    day = label_mask.date
    if day is None and stacks and stacks[0].date is not None:
        day = date.fromisoformat(stacks[0].date)
    if day is None:
        raise MaskError(
            f"{label_mask.lesions}: no date; its series {label_mask.series_uid or '(none)'} is not in the images, "
            f"so give a date column in masks.csv"
        )
    if any(
        s.verdict is Verdict.IN_PLANE for s in stacks
    ):  # the file's header has a step even where the slices have none
        volume = replace(volume, geometry=replace(volume.geometry, slice_step_mm=None))
    for number, measured in measure_volume(volume, measuring).items():
        yield _DrawnMask(
            mask=lesion_mask(volume, number),
            timepoint=label_mask.timepoint,
            day=day,
            reader=label_mask.reader,
            # Pixels are only joined with a NIfTI mask when both lie on the same grid, which its header cannot prove.
            series=None,
            phase=phase,
            measured=measured,
        )


# --- rows ------------------------------------------------------------------------------------------------------------


def _row(
    one: _DrawnMask,
    looked: Looked,
    given: SubjectInput,
    measuring: Measuring,
    rows: dict[tuple[str, int, str], Measurement],
) -> tuple[Measurement, WithVolume]:
    lesion = one.mask.lesion
    same = [row for row in given.rows if (row.reader, row.lesion) == (one.reader, lesion)]
    stated = [row for row in same if row.timepoint == one.timepoint]
    others = [row for (reader, _, name), row in rows.items() if (reader, name) == (one.reader, lesion)]
    earlier = next(iter([*others, *(row for row in same if row.timepoint < one.timepoint)]), None)
    volumes = measure_with_volume(one.mask, one.series, measuring, one.measured)
    row = measured_row(
        one.mask,
        volumes.measured,
        measuring,
        subject=given.subject,
        timepoint=one.timepoint,
        day=one.day,
        reader=one.reader,
        looked=looked,
        series=one.series,
        phase=one.phase,
        stated=stated,
        earlier=earlier,
    )
    return row, volumes


def _pictures(
    row: Measurement, one: _DrawnMask, measured: LesionMeasurement, measuring: Measuring
) -> tuple[KeyImage, ...]:
    if one.series is None:
        return ()
    return key_images(row, one.mask, measured, one.series, line_sizes(measured, measuring))


def _drawing(
    row: Measurement, volumes: WithVolume, one: _DrawnMask, looked: Looked, drawn: LesionMeasurement | None
) -> Drawing:
    return Drawing(
        subject=row.subject,
        reader=row.reader,
        timepoint=row.timepoint,
        lesion=row.lesion,
        measurement=measurement_json(row.lesion, volumes.measured, one.mask, looked, drawn, volumes.grid),
    )


def measurement_json(
    lesion: str,
    measured: LesionMeasurement,
    mask: LesionMask | None,
    looked: Looked | None = None,
    drawn: LesionMeasurement | None = None,
    grid: RegularGrid | None = None,
) -> dict[str, object]:
    """One lesion in the JSON form of ``mrecist measure`` (docs/files.md): unrounded mm, slice, ends in LPS mm.

    ``mask`` : that of a segmentation, which names its images; None for a label file, which names nothing.
    ``looked`` is what the images say of it, ``drawn`` its measurement before dense material was taken off, ``grid`` the regular
    lattice on which its volumes were counted.
    """
    diameters = {
        "longest": measured.longest,
        "short": measured.short,
        "viable": measured.viable,
        "viable_short": measured.viable_short,
        "viable_raw": measured.viable_raw,
    }
    result: dict[str, object] = {"lesion": lesion}
    for name, diameter in diameters.items():
        if diameter is None:
            result[name] = None
            continue
        result[name] = {
            "mm": diameter.mm,
            "slice": diameter.slice_index,
            "ends_lps": [list(point) for point in diameter.ends_lps],
            "sop_instance_uid": mask.slice_uids[diameter.slice_index] if mask and mask.slice_uids else None,
        }
    result["foci_mm"] = [focus.mm for focus in measured.foci]
    result["viable_is_empty"] = measured.viable_is_empty
    result["volume_mm3"] = measured.volume_mm3
    result["viable_volume_mm3"] = measured.viable_volume_mm3
    result["volume_resampled"] = _grid_json(grid)
    result["convention"] = str(measured.convention)
    result["max_gap_mm"] = measured.max_gap_mm
    result["dense"] = _dense_json(looked, drawn)
    result["tracking_uid"] = mask.tracking_uid if mask else None
    result["series_uid"] = mask.series_uid if mask else None
    return result


def _grid_json(grid: RegularGrid | None) -> dict[str, object] | None:
    if grid is None:
        return None
    step = grid.geometry.slice_step_mm
    return {"verdict": grid.code, "planes": grid.geometry.shape[0], "step_mm": step, "text": grid.text}


def _dense_json(looked: Looked | None, drawn: LesionMeasurement | None) -> dict[str, object] | None:
    if looked is None or looked.dense is None:
        return None
    return {
        "percent": 100 * looked.dense.fraction,
        "hu": looked.dense.hu,
        "with_native": looked.dense.with_native,
        "verdict": str(looked.dense.verdict),
        "reason": looked.dense.reason,
        "taken_off": looked.taken_off,
        "viable_drawn_mm": drawn.viable.mm if drawn and drawn.viable else None,
    }
