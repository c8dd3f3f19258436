"""From masks to measurement rows: measure each lesion, round once, and join what the reader recorded beside the masks."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from decimal import Decimal

import numpy as np

from mrecist.errors import MaskError, ReadError, SeriesError
from mrecist.imaging.dense import DENSE_HU, Dense, DenseVerdict, dense_in, lesion_box, lesion_hu, native_of
from mrecist.imaging.masks import LabelVolume, LesionMask
from mrecist.imaging.phase import CONFIDENCES, PhaseName
from mrecist.imaging.resampling import RegularGrid, regular_grid
from mrecist.imaging.series import Series
from mrecist.measure.lesion import DEFAULT_CONVENTION, Convention, Diameter, LesionMeasurement, measure_lesion
from mrecist.measure.volume import measure
from mrecist.model import Kind, Measurement, Role, State
from mrecist.protocol import Measuring
from mrecist.tables import WORD_COLUMNS
from mrecist.units import ZERO, round_size

_ROLE_OF_ID = (
    (re.compile(r"NEW", re.IGNORECASE), Role.NEW),
    (re.compile(r"NT", re.IGNORECASE), Role.NON_TARGET),
    (re.compile(r"T\d", re.IGNORECASE), Role.TARGET),
)
# Below this a lesion is too small to measure (Eisenhauer 2009, 4.3.2); masks from thresholds are full of such specks.
SMALLEST_FOCUS_MM = Decimal(5)
SIZES = ("longest_mm", "short_mm", "viable_mm", "viable_short_mm", "volume_mm3", "viable_volume_mm3")


@dataclass(frozen=True, slots=True, kw_only=True)
class Measured:
    """One lesion mask with its measurement, and the row that it makes."""

    row: Measurement
    mask: LesionMask
    measurement: LesionMeasurement


def convention_of(measuring: Measuring) -> Convention:
    """The convention that the protocol names, else the default one."""
    return Convention(measuring.convention) if measuring.convention else DEFAULT_CONVENTION


def measure_mask(mask: LesionMask, measuring: Measuring) -> LesionMeasurement:
    """Measure one lesion by the protocol's ``[measurement]`` settings."""
    try:
        return measure_lesion(
            mask.whole, mask.geometry, mask.viable, convention=convention_of(measuring), max_gap_mm=measuring.max_gap_mm
        )
    except MaskError as error:
        raise MaskError(f"{mask.source}: lesion {mask.lesion}: {error}") from None


def measure_volume(volume: LabelVolume, measuring: Measuring) -> dict[int, LesionMeasurement]:
    """Measure every lesion of a label volume by the protocol's ``[measurement]`` settings."""
    try:
        return measure(
            volume.labels,
            volume.geometry,
            volume.viable,
            convention=convention_of(measuring),
            max_gap_mm=measuring.max_gap_mm,
        )
    except MaskError as error:
        raise MaskError(f"{volume.source}: {error}") from None


@dataclass(frozen=True, slots=True, kw_only=True)
class WithVolume:
    """A measurement, and the lattice on which its volumes were counted; None: on the slices, or not at all.

    ``note`` says what was done, or why there is no volume, where the protocol asks for resampling.
    """

    measured: LesionMeasurement
    grid: RegularGrid | None = None
    note: str = ""


def measure_with_volume(
    mask: LesionMask, series: Series | None, measuring: Measuring, measured: LesionMeasurement | None = None
) -> WithVolume:
    """Measure one lesion; where its stack is not regular and ``measuring.resample`` is set, its volumes on a regular lattice.

    ``measured`` is given where all lesions of a file were measured at once.
    """
    measured = measured or measure_mask(mask, measuring)
    if not measuring.resample or measured.volume_mm3 is not None:
        return WithVolume(measured=measured)
    try:
        grid = regular_grid(mask.geometry, series.slice_thickness_mm if series else None)
    except SeriesError as error:
        return WithVolume(measured=measured, note=f"{mask.lesion}: no volume: {error}")
    voxel = grid.geometry.voxel_volume_mm3 or 0.0
    whole = np.count_nonzero(grid.mask(mask.whole)) * voxel
    viable = None if mask.viable is None else np.count_nonzero(grid.mask(mask.viable)) * voxel
    measured = replace(measured, volume_mm3=whole, viable_volume_mm3=viable)
    return WithVolume(measured=measured, grid=grid, note=f"{mask.lesion}: volume {whole:.1f} mm3: {grid.text}")


def row_phase(series: Series | None, measuring: Measuring) -> str:
    """The phase for a row: UNKNOWN where the headers are less sure of it than the protocol asks; "" without a series."""
    if series is None:
        return ""
    sure = CONFIDENCES.index(series.phase.confidence) >= CONFIDENCES.index(measuring.phase_confidence)
    return str(series.phase.name if sure else PhaseName.UNKNOWN)


def edge_note(mask: LesionMask) -> str:
    """What to look at where a lesion reaches an end of its stack: a missing end slice shows in no header; "" elsewhere."""
    ends = [name for name, index in (("first", 0), ("last", -1)) if mask.whole[index].any()]
    if mask.geometry.shape[0] < 3 or not ends:
        return ""
    return (
        f"{mask.lesion}: reaches the {' and the '.join(ends)} slice of its stack: it may go on outside, and no header shows "
        f"whether slices are missing there; look at the images"
    )


def phase_note(mask: LesionMask, series: Series | None, measuring: Measuring) -> str:
    """What to write where a viable part was drawn on a series whose phase is not confirmed; "" where it is."""
    if series is None or mask.viable is None or row_phase(series, measuring) != PhaseName.UNKNOWN:
        return ""
    likely = (
        "" if series.phase.name is PhaseName.UNKNOWN else f" (likely {series.phase.name}, {series.phase.confidence})"
    )
    return (
        f"{mask.lesion}: its viable part lies on {series.label}, whose phase is not confirmed{likely}: "
        f"{'; '.join(series.phase.evidence)}; write it into series.csv (columns series_uid, phase)"
    )


def recorded_sizes(measured: LesionMeasurement, measuring: Measuring) -> dict[str, Decimal | None]:
    """The sizes as they are recorded: rounded once, half away from zero, to ``round_mm``."""

    def size(diameter: Diameter | None) -> Decimal | None:
        return None if diameter is None else round_size(diameter.mm, measuring.round_mm)

    def volume(mm3: float | None) -> Decimal | None:
        return None if mm3 is None else round_size(mm3, Decimal("0.1"))

    viable = ZERO if measured.viable_is_empty else size(measured.viable)
    return {
        "longest_mm": size(measured.longest),
        "short_mm": size(measured.short),
        "viable_mm": viable,
        "viable_short_mm": ZERO if measured.viable_is_empty else size(measured.viable_short),
        "volume_mm3": volume(measured.volume_mm3),
        "viable_volume_mm3": volume(measured.viable_volume_mm3),
    }


def line_sizes(measured: LesionMeasurement, measuring: Measuring) -> dict[str, Decimal | None]:
    """The recorded sizes by the names of the lines on a picture (longest, short, viable, viable_short)."""
    sizes = recorded_sizes(measured, measuring)
    return {name.removesuffix("_mm"): size for name, size in sizes.items() if name.endswith("_mm")}


def recorded_foci(measured: LesionMeasurement, measuring: Measuring) -> tuple[Decimal, ...]:
    """The viable foci of a lesion that has several, longest first, rounded as sizes are; specks below 5 mm are left out."""
    foci = [round_size(focus.mm, measuring.round_mm) for focus in measured.foci]
    foci = [focus for focus in foci if focus >= SMALLEST_FOCUS_MM]
    return tuple(foci) if len(foci) > 1 else ()


def with_sizes(
    row: Measurement, sizes: Mapping[str, Decimal | None], viable_foci_mm: tuple[Decimal, ...]
) -> Measurement:
    """The row with its recorded sizes."""
    return replace(
        row,
        viable_foci_mm=viable_foci_mm,
        longest_mm=sizes["longest_mm"],
        short_mm=sizes["short_mm"],
        viable_mm=sizes["viable_mm"],
        viable_short_mm=sizes["viable_short_mm"],
        volume_mm3=sizes["volume_mm3"],
        viable_volume_mm3=sizes["viable_volume_mm3"],
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Looked:
    """A lesion mask with what its images say; all None without CT images.

    mask : what is measured: as drawn, or without the dense material where ``taken_off``.
    mean_hu : of the whole lesion, to 0.1.
    dense : what :func:`mrecist.imaging.dense.find_dense` found.
    unread : why the native phase could not be read; empty when it could, or there is none.
    """

    mask: LesionMask
    mean_hu: Decimal | None = None
    dense: Dense | None = None
    taken_off: bool = False
    unread: str = ""

    @property
    def dense_percent(self) -> Decimal | None:
        """Share of the lesion that is dense, to 0.1 %, and never 0 where something was found."""
        if self.dense is None:
            return None
        found = self.dense.verdict is not DenseVerdict.NONE
        return max(round_size(100 * self.dense.fraction, Decimal("0.1")), Decimal("0.1")) if found else ZERO


def look(mask: LesionMask, series: Series | None, others: Sequence[Series], measuring: Measuring) -> Looked:
    """Look at the CT images of a lesion: its density, and dense material, taken off the viable part when the protocol says so.

    ``others`` are the series among which a native phase is sought.
    """
    if not mask.whole.any():
        raise MaskError(
            f"{mask.source}: lesion {mask.lesion}: its mask has no voxel: nothing to measure; draw the lesion or record it as absent"
        )
    hu = None if series is None else lesion_hu(mask, series)
    if series is None or hu is None:
        return Looked(mask=mask)
    inside = hu[mask.whole[lesion_box(mask.whole)]]
    inside = inside[np.isfinite(inside)]
    mean = round_size(float(inside.mean(dtype=np.float64)), Decimal("0.1")) if inside.size else None
    native, before, unread = native_of(series, others), None, ""
    try:
        before = None if native is None else lesion_hu(mask, native)
    except SeriesError as error:
        unread = str(error)
    dense = dense_in(mask, hu, before, measuring.dense_hu or DENSE_HU)
    taken_off = (
        measuring.dense_hu > 0
        and dense.verdict is DenseVerdict.SEPARATED
        and mask.viable is not None
        and bool((mask.viable & dense.dense).any())
    )
    return Looked(
        mask=replace(mask, viable=dense.viable) if taken_off else mask,
        mean_hu=mean,
        dense=dense,
        taken_off=taken_off,
        unread=unread,
    )


def dense_note(looked: Looked, drawn: LesionMeasurement | None, left: LesionMeasurement) -> str:
    """What a person should know of the dense material in a lesion; empty without any. ``drawn``: before it was taken off."""
    dense = looked.dense
    unread = f"{looked.mask.lesion}: its native phase is not used: {looked.unread}" if looked.unread else ""
    if dense is None or dense.verdict is DenseVerdict.NONE:
        return unread
    found = f"{looked.mask.lesion}: {looked.dense_percent} % of the lesion is very dense on CT, {dense.verdict}: {dense.reason}"
    if drawn is None or drawn.viable is None:
        said = f"{found}; look whether it is iodised oil or calcification (A19); no size was changed"
    else:
        now = 0.0 if left.viable is None else left.viable.mm
        said = (
            f"{found}; taken off the viable part by dense_hu: {drawn.viable.mm:.1f} mm as drawn, {now:.1f} mm without"
        )
    return f"{said}; {unread}" if unread else said


def role_from_id(lesion: str) -> Role | None:
    """The role that a lesion id of the usual form names (T01, NT01, NEW01), or None."""
    return next((role for pattern, role in _ROLE_OF_ID if pattern.match(lesion)), None)


@dataclass(frozen=True, slots=True, kw_only=True)
class Sized:
    """One drawn lesion as it is recorded: what its mask and its images say, without who read it and when."""

    lesion: str
    kind: str
    organ: str
    sizes: dict[str, Decimal | None]
    viable_foci_mm: tuple[Decimal, ...]
    mean_hu: Decimal | None
    dense_percent: Decimal | None


def sized(looked: Looked, measured: LesionMeasurement, measuring: Measuring) -> Sized:
    """The recorded sizes of a lesion that was looked at and measured."""
    mask = looked.mask
    return Sized(
        lesion=mask.lesion,
        kind=mask.kind,
        organ=mask.organ or "",
        sizes=recorded_sizes(measured, measuring),
        viable_foci_mm=recorded_foci(measured, measuring),
        mean_hu=looked.mean_hu,
        dense_percent=looked.dense_percent,
    )


def measured_row(
    drawn: Sized,
    *,
    subject: str,
    timepoint: int,
    day: date,
    reader: str,
    series: Series | None,
    phase: str,
    stated: Sequence[Measurement],
    earlier: Measurement | None,
) -> Measurement:
    """The row of one measured lesion, joined with what the reader stated about it at that visit.

    Parameters
    ----------
    stated : the reader's row for this lesion and visit from ``reads/``, or nothing.
    earlier : a row of the same lesion at another visit, which gives role, kind and organ where nothing else does.

    Raises
    ------
    ReadError : the statement contradicts the mask, or nothing says what the lesion is.
    """
    where = f"subject {subject}, reader {reader}, time point {timepoint}, lesion {drawn.lesion}"
    note = stated[0] if stated else None
    role = note.role if note else earlier.role if earlier else role_from_id(drawn.lesion)
    if role is None:
        raise ReadError(f"{where}: nothing says what it is; name it T.., NT.. or NEW.., or add its row to reads/")
    sizes = drawn.sizes if note is None else _with_stated_sizes(drawn.sizes, note, where)
    row = Measurement(
        subject=subject,
        timepoint=timepoint,
        date=day,
        reader=reader,
        lesion=drawn.lesion,
        role=role,
        kind=Kind.NODE if drawn.kind == "node" else Kind.LESION,
        organ=drawn.organ,
        state=_state(role, note, where),
        mean_hu=drawn.mean_hu,
        dense_percent=drawn.dense_percent,
        modality=series.modality if series else "",
        phase=phase,
        slice_thickness_mm=thickness(series),
    )
    return _with_words(with_sizes(row, sizes, drawn.viable_foci_mm), note, earlier)


def _state(role: Role, note: Measurement | None, where: str) -> State:
    """What a mask means for the state: a drawn target is measured, a drawn non-target is there; a new lesion is stated."""
    if note is None:
        if role is Role.NEW:
            raise ReadError(
                f"{where}: a new lesion with a mask and no row in reads/; state 'unequivocal' or 'equivocal'"
            )
        return State.MEASURED if role is Role.TARGET else State.PRESENT
    if note.state in (State.ABSENT, State.NOT_EVALUABLE, State.MERGED):
        raise ReadError(f"{where}: reads/ says '{note.state}' but a mask was drawn; remove one of them")
    return note.state


def _with_stated_sizes(sizes: dict[str, Decimal | None], note: Measurement, where: str) -> dict[str, Decimal | None]:
    """Sizes of the mask; a stated ``viable_mm`` of 0 says that no part enhances where no viable mask was drawn."""
    joined = dict(sizes)
    for name in SIZES:
        stated = getattr(note, name)
        if stated is None:
            continue
        if name in note.manual:
            joined[name] = stated
            continue
        if sizes[name] is not None and sizes[name] != stated:
            raise ReadError(f"{where}: {name} is {stated} in reads/ and {sizes[name]} by the mask; keep one")
        if sizes[name] is None and stated != 0:
            raise ReadError(
                f"{where}: {name} is {stated} in reads/ beside a mask without it; draw it or remove the mask"
            )
        joined[name] = stated
    return joined


def _with_words(row: Measurement, note: Measurement | None, earlier: Measurement | None) -> Measurement:
    if earlier is not None:
        row = replace(row, kind=earlier.kind, organ=row.organ or earlier.organ, station=earlier.station)
    if note is None:
        return row
    # Whatever no mask can tell is the reader's word.
    return replace(
        row,
        kind=note.kind if earlier is None and note.kind is Kind.NODE else row.kind,
        organ=note.organ or row.organ,
        station=note.station or row.station,
        viable_foci_mm=row.viable_foci_mm or note.viable_foci_mm,
        manual=note.manual,
        part_of=note.part_of,
        comment=note.comment,
        **{name: getattr(note, name) for name in WORD_COLUMNS},
    )


def thickness(series: Series | None) -> Decimal | None:
    """Slice thickness in mm as the header gives it."""
    if series is None or series.slice_thickness_mm is None:
        return None
    return Decimal(repr(series.slice_thickness_mm))


def join_reads(
    measured: Mapping[tuple[str, int, str], Measurement], stated: Sequence[Measurement]
) -> list[Measurement]:
    """All rows of a subject: the measured ones, and the stated ones for which no mask was drawn. Ordered by visit."""
    rows = list(measured.values())
    rows += [row for row in stated if (row.reader, row.timepoint, row.lesion) not in measured]
    order = {Role.TARGET: 0, Role.NON_TARGET: 1, Role.NEW: 2}
    return sorted(rows, key=lambda row: (row.reader, row.timepoint, order[row.role], row.lesion))
