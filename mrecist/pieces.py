"""The lesions of one mask file, measured: all that needs voxels, and nothing that readers, dates or criteria decide.

What comes out is plain and small, so that it can be kept (:mod:`mrecist.checkpoint`) and joined with the reads of a subject again
and again (:mod:`mrecist.score`). Every failure names its file or lesion.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from mrecist.errors import MaskError, MrecistError
from mrecist.imaging.contours import read_masks
from mrecist.imaging.masks import LesionMask, SegmentationMasks, lesion_mask, read_label_volume
from mrecist.imaging.phase import PhaseName
from mrecist.imaging.placing import stacks_drawn_on
from mrecist.imaging.resampling import RegularGrid
from mrecist.imaging.scan import Segmentation
from mrecist.imaging.series import Series, Verdict
from mrecist.imaging.volume import slices_noted
from mrecist.keyimages import key_images
from mrecist.measure.lesion import LesionMeasurement
from mrecist.protocol import Measuring
from mrecist.reading import (
    Looked,
    Sized,
    WithVolume,
    dense_note,
    edge_note,
    line_sizes,
    look,
    measure_mask,
    measure_volume,
    measure_with_volume,
    phase_note,
    row_phase,
    sized,
)
from mrecist.results import KeyImage
from mrecist.study import LabelMaskFile

MaskFile = Segmentation | LabelMaskFile


@dataclass(frozen=True, slots=True, kw_only=True)
class StackName:
    """Which stack a lesion was drawn on: the image of its first slice tells two stacks under one UID apart."""

    uid: str
    stack: int | None
    first_image: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Piece:
    """One drawn lesion. ``drawn`` is None where ``failure`` says why it could not be measured.

    Parameters
    ----------
    reader : who drew it, by the file; "" where the file does not say.
    on : the stack that it lies on; None for a label file, whose day and phase stand in ``day`` and ``phase``.
    notes : what a person should know, one sentence each.
    drawing : the JSON form of the measurement (docs/files.md).
    images : its key images, which name no subject and visit yet.
    """

    lesion: str
    reader: str
    on: StackName | None = None
    day: str = ""
    phase: str = ""
    drawn: Sized | None = None
    failure: str = ""
    notes: tuple[str, ...] = ()
    drawing: dict[str, object]
    images: tuple[KeyImage, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class LookedAt:
    """A slice whose voxels were read."""

    sop_instance_uid: str
    frame: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class MeasuredFile:
    """The lesions of a mask file; ``failure`` where the file could not be read to its end.

    ``looked_at`` are the slices that the measurement depends on.
    """

    pieces: tuple[Piece, ...]
    notes: tuple[str, ...] = ()
    failure: str = ""
    looked_at: tuple[LookedAt, ...] = ()

    @property
    def is_whole(self) -> bool:
        """Whether everything in it was measured."""
        return not self.failure and not any(piece.failure for piece in self.pieces)


@dataclass(frozen=True, slots=True, kw_only=True)
class DrawnLesion:
    """A lesion mask with its voxels; ``measured`` where all lesions of its file were measured at once."""

    mask: LesionMask
    series: Series | None
    day: str = ""
    phase: str
    measured: LesionMeasurement | None = None

    @property
    def on(self) -> StackName | None:
        """The name of the stack it lies on."""
        if self.series is None:
            return None
        return StackName(uid=self.series.uid, stack=self.series.stack, first_image=_first_image(self.series))


def measure_file(file: MaskFile, series: Sequence[Series], measuring: Measuring) -> MeasuredFile:
    """Measure every lesion of a mask file; ``series`` are all of the subject. Never raises for bad input."""
    pieces: list[Piece] = []
    notes: tuple[str, ...] = ()
    failure = ""
    with slices_noted() as noted:
        try:
            if isinstance(file, Segmentation):
                masks = read_masks(file.path, series)
                notes = (*masks.skipped, *masks.notes)
                lesions = _of_segmentation(masks, series, measuring)
            else:
                lesions = _of_labels(file, series, measuring)
            for one in lesions:
                pieces.append(_piece(one, series, measuring))
        except MrecistError as error:
            failure = str(error)
    seen = dict.fromkeys((one.sop_instance_uid, one.frame) for one in noted)
    looked_at = tuple(LookedAt(sop_instance_uid=uid, frame=frame) for uid, frame in seen)
    return MeasuredFile(pieces=tuple(pieces), notes=notes, failure=failure, looked_at=looked_at)


def path_of(file: MaskFile) -> Path:
    """The file of a mask, that of its whole lesions."""
    return file.path if isinstance(file, Segmentation) else file.lesions


def drawn_lesions(file: MaskFile, series: Sequence[Series], measuring: Measuring) -> Iterator[DrawnLesion]:
    """The lesions of a mask file with their voxels; raises :class:`MaskError` where it cannot be read."""
    if isinstance(file, Segmentation):
        return _of_segmentation(read_masks(file.path, series), series, measuring)
    return _of_labels(file, series, measuring)


def _of_segmentation(masks: SegmentationMasks, series: Sequence[Series], measuring: Measuring) -> Iterator[DrawnLesion]:
    for mask in masks.masks:
        on = series_of(mask, series)
        yield DrawnLesion(mask=mask, series=on, phase=row_phase(on, measuring))


def series_of(mask: LesionMask, series: Sequence[Series]) -> Series:
    """The stack that the mask lies on: one series UID may hold several (two phases under one UID)."""
    for one in series:
        same_stack = one.uid == mask.series_uid and mask.stack in (None, one.stack)
        if same_stack and (mask.slice_uids is None or mask.slice_uids[0] in {s.sop_instance_uid for s in one.slices}):
            return one
    raise MaskError(f"{mask.source}: refers to series {mask.series_uid}, which is not in the images; add that series")


def stack_named(name: StackName, series: Sequence[Series]) -> Series:
    """The stack of that name; raises :class:`MaskError` where it is not among ``series``."""
    for one in series:
        if one.uid == name.uid and one.stack == name.stack and _first_image(one) == name.first_image:
            return one
    raise MaskError(f"series {name.uid} is not in the images; add that series")


def _first_image(series: Series) -> str:
    return series.slices[0].sop_instance_uid if series.slices else ""


def _of_labels(file: LabelMaskFile, series: Sequence[Series], measuring: Measuring) -> Iterator[DrawnLesion]:
    volume = read_label_volume(file.lesions, file.viable)
    stacks = stacks_drawn_on(volume, [s for s in series if s.uid == file.series_uid])
    # A label file cannot say on which of several stacks of one grid it was drawn.
    phases = {row_phase(s, measuring) for s in stacks}
    phase = phases.pop() if len(phases) == 1 else PhaseName.UNKNOWN
    day = "" if file.date is None else file.date.isoformat()
    if not day and stacks and stacks[0].date is not None:
        day = stacks[0].date
    if not day:
        raise MaskError(
            f"{file.lesions}: no date; its series {file.series_uid or '(none)'} is not in the images, "
            f"so give a date column in masks.csv"
        )
    # The file's header has a step even where the slices have none.
    if any(s.verdict is Verdict.IN_PLANE for s in stacks):
        volume = replace(volume, geometry=replace(volume.geometry, slice_step_mm=None))
    for number, measured in measure_volume(volume, measuring).items():
        # Pixels are only joined with a NIfTI mask when both lie on the same grid, which its header cannot prove.
        mask = lesion_mask(volume, number)
        yield DrawnLesion(mask=mask, series=None, day=day, phase=str(phase), measured=measured)


def _piece(one: DrawnLesion, series: Sequence[Series], measuring: Measuring) -> Piece:
    lesion, reader = one.mask.lesion, one.mask.reader or ""
    try:
        looked, volumes, before = measured_lesion(one, series, measuring)
        asked = (phase_note(looked.mask, one.series, measuring), edge_note(looked.mask))
        said = (dense_note(looked, before, volumes.measured), volumes.note, *asked)
        images: tuple[KeyImage, ...] = ()
        if one.series is not None:
            sizes = line_sizes(volumes.measured, measuring)
            images = key_images(looked.mask, volumes.measured, one.series, sizes, one.phase)
    except MrecistError as error:
        return Piece(lesion=lesion, reader=reader, on=one.on, day=one.day, failure=str(error), drawing={})
    return Piece(
        lesion=lesion,
        reader=reader,
        on=one.on,
        day=one.day,
        phase=one.phase,
        drawn=sized(looked, volumes.measured, measuring),
        notes=tuple(note for note in said if note),
        drawing=measurement_json(lesion, volumes.measured, looked.mask, looked, before, volumes.grid),
        images=images,
    )


def measured_lesion(
    one: DrawnLesion, series: Sequence[Series], measuring: Measuring
) -> tuple[Looked, WithVolume, LesionMeasurement | None]:
    """What the images say of a lesion, its measurement, and that before dense material was taken off (None: nothing was)."""
    looked = look(one.mask, one.series, series, measuring)
    volumes = measure_with_volume(looked.mask, one.series, measuring, one.measured)
    before = measure_mask(one.mask, measuring) if looked.taken_off else None
    return looked, volumes, before


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
