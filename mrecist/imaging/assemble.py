"""From the slices of a whole scan to the list of series: stacks per SeriesInstanceUID, dates, phase, damage."""

from __future__ import annotations

import hashlib
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from mrecist.dates import days_between, parse_date
from mrecist.errors import SeriesError
from mrecist.imaging.headers import guarded
from mrecist.imaging.phase import Phase, PhaseName, phase_from_headers
from mrecist.imaging.phase_order import Acquired, with_order
from mrecist.imaging.pixels import PixelFile, decode_frame, open_pixels
from mrecist.imaging.records import FrameRecord
from mrecist.imaging.series import Series, Slice, Verdict
from mrecist.imaging.stacks import Stack, build_stacks

_NO_PHASE_CODES = frozenset({"LOCALIZER", "NOT_GREYSCALE", "SECONDARY_CAPTURE", "DERIVED"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Damage:
    """A file of a series that could not be used."""

    path: Path
    reason: str


def assemble(records: Iterable[FrameRecord], damage: Mapping[str, Sequence[Damage]]) -> tuple[Series, ...]:
    """Series ordered by subject, date, UID and stack.

    ``damage`` : damaged files by SeriesInstanceUID. Where one is, a slice is missing that may lie at an end of the stack,
    where no gap shows; so every stack of that series is refused.
    """
    by_series: dict[tuple[str, ...], list[FrameRecord]] = defaultdict(list)
    for record in records:
        by_series[series_key(record)].append(_without_series(record))
    pixels = _PixelComparison()
    series: list[tuple[Series, float | None]] = []
    for key, members in by_series.items():
        stacks = build_stacks(members, pixels.same)
        stacks = tuple(_with_damage(s, damage.get(key[0], ())) for s in stacks)
        series.extend((_series(s, n, len(stacks)), _began(s)) for n, s in enumerate(stacks, 1))
    return tuple(sorted(_with_phase_order(series), key=order_of))


def _began(stack: Stack) -> float | None:
    """When the acquisition of a usable stack began: seconds on a clock that goes on over midnight where the date is known."""
    times = [r.acquisition_seconds for r in stack.records if r.acquisition_seconds is not None]
    return min(times) if times and stack.verdict is not Verdict.REFUSED else None


def _with_phase_order(series: Sequence[tuple[Series, float | None]]) -> list[Series]:
    """The series, their phases held against the order of acquisitions in each study."""
    by_study: dict[tuple[str, ...], list[int]] = defaultdict(list)
    for index, (one, began) in enumerate(series):
        if began is not None and one.study_uid:
            by_study[one.patient_id, one.study_uid, one.modality].append(index)
    result = [one for one, _ in series]
    for members in by_study.values():
        phases = with_order([Acquired(seconds=series[i][1] or 0.0, phase=result[i].phase) for i in members])
        for index, phase in zip(members, phases, strict=True):
            result[index] = replace(result[index], phase=phase)
    return result


def order_of(series: Series) -> tuple[Any, ...]:
    """By subject, date, UID and stack."""
    first = series.slices[0]
    return series.subject, series.date or "", series.uid, series.stack, first.sop_instance_uid, str(first.path)


def series_key(record: FrameRecord) -> tuple[str, ...]:
    """What slices of one series have in common: its UID, else what stands in for it."""
    if record.series_uid:
        return (record.series_uid,)
    return "", record.patient_id, record.study_uid, record.frame_of_reference_uid, record.series_number


def _without_series(record: FrameRecord) -> FrameRecord:
    """An empty SeriesInstanceUID can be made up for by the frame of reference; by nothing if that is empty too."""
    if record.series_uid or record.frame_of_reference_uid or record.reject is not None:
        return record
    return replace(
        record, reject=("NO_SERIES_UID", "neither SeriesInstanceUID nor FrameOfReferenceUID tell what belongs together")
    )


def _with_damage(stack: Stack, damaged: Sequence[Damage]) -> Stack:
    if not damaged or stack.records[0].reject is not None:
        return stack
    first = min(damaged, key=lambda d: str(d.path))
    files = "1 file of this series is" if len(damaged) == 1 else f"{len(damaged)} files of this series are"
    text = f"{files} damaged, so slices are missing ({first.path.name}: {first.reason}); copy the series again"
    notes = stack.notes if not stack.code else (*stack.notes, f"{stack.code}: {stack.text}")
    geometry = None if stack.geometry is None else replace(stack.geometry, slice_step_mm=None)
    return replace(stack, verdict=Verdict.REFUSED, code="DAMAGED_FILE", text=text, notes=notes, geometry=geometry)


class _PixelComparison:
    """Whether two slices hold the same values: digests, so that each slice is read once."""

    def __init__(self) -> None:
        self._digests: dict[tuple[Path, int | None], bytes] = {}
        self._opened: tuple[Path, PixelFile] | None = None

    def same(self, one: FrameRecord, other: FrameRecord) -> bool:
        """False also when a slice cannot be decoded: then it is not known to be a copy."""
        try:
            return self._digest(one) == self._digest(other)
        except SeriesError:
            return False

    def _digest(self, record: FrameRecord) -> bytes:
        key = record.path, record.frame
        if key not in self._digests:
            if self._opened is None or self._opened[0] != record.path:
                self._opened = record.path, open_pixels(record.path)
            self._digests[key] = _content(self._opened[1], record)
        return self._digests[key]


def _content(file: PixelFile, record: FrameRecord) -> bytes:
    with guarded(f"{record.path}: cannot be compared"):
        # Decoded, as numbers of one kind: archives hand out a slice compressed or not, in either order of bytes.
        data = decode_frame(file, record.frame).astype("<i8").tobytes()
        scale = None if record.scaling is None else (record.scaling.slope, record.scaling.intercept)
        rescale = f"{scale} {record.rows}".encode()
    return hashlib.sha256(rescale + data).digest()


def _series(stack: Stack, number: int, count: int) -> Series:
    first = stack.records[0]
    day, source, date_notes = _date(stack.records)
    notes = (*stack.notes, *date_notes)
    if not first.series_uid:
        notes += ("SeriesInstanceUID is empty: grouped by patient, study, FrameOfReferenceUID and SeriesNumber",)
    return Series(
        uid=first.series_uid,
        stack=number,
        stacks=count,
        patient_id=first.patient_id,
        study_uid=first.study_uid,
        modality=first.modality,
        description=first.description,
        frame_of_reference_uid=first.frame_of_reference_uid,
        date=day,
        date_source=source,
        timepoint_id=first.timepoint_id,
        subject_id=first.subject_id,
        slices=tuple(
            Slice(
                path=r.path,
                frame=r.frame,
                sop_instance_uid=r.sop_instance_uid,
                position_lps=r.position or (0.0, 0.0, 0.0),
                instance_number=r.instance_number,
                pixels=r.pixels,
                scaling=r.scaling,
            )
            for r in stack.records
        ),
        geometry=stack.geometry,
        verdict=stack.verdict,
        verdict_code=stack.code,
        verdict_text=stack.text,
        notes=notes,
        phase=_phase(stack, number, count),
        slice_thickness_mm=first.slice_thickness_mm,
    )


def _date(records: Sequence[FrameRecord]) -> tuple[str | None, str, tuple[str, ...]]:
    """The earliest day of the most specific date tag; a remark when the tags disagree by more than a night."""
    tags = [tag for r in records for tag, _ in r.dates[:1]]
    if not tags:
        return None, "", ()
    source = tags[0]
    day = min(value for r in records for tag, value in r.dates if tag == source)
    studies = [value for r in records for tag, value in r.dates if tag == "StudyDate"]
    if studies and abs(days_between(parse_date(studies[0]), parse_date(day))) > 1:
        return day, source, (f"{source} {day} differs from StudyDate {studies[0]}: state the visit's date",)
    return day, source, ()


def _phase(stack: Stack, number: int, count: int) -> Phase:
    first = stack.records[0]
    if stack.code in _NO_PHASE_CODES:
        return Phase(name=PhaseName.UNKNOWN, confidence="none", evidence=(f"{stack.text}: no contrast phase",))
    times = [r.acquisition_seconds for r in stack.records if r.acquisition_seconds is not None]
    # One description stands over all the phases that a series holds, so it names none of them.
    shared = any(note.startswith("split ") for note in stack.notes)
    phase = phase_from_headers(
        modality=first.modality,
        description="" if shared else first.description,
        protocol_name="" if shared else first.protocol_name,
        acquisition_seconds=min(times) if times else None,
        contrast_start_seconds=first.contrast_start_seconds,
        contrast_agent=first.contrast_agent,
    )
    if shared and first.temporal_position is not None:
        order = (
            f"volume {number} of {count} by TemporalPositionIdentifier {first.temporal_position}: an order, not a phase"
        )
        phase = replace(phase, evidence=(*phase.evidence, order))
    if shared and first.description:
        text = f"SeriesDescription '{first.description}' stands over several stacks, so it names none of them"
        return replace(phase, evidence=(*phase.evidence, text))
    return phase
