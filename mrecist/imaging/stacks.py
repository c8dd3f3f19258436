"""From slices to stacks: group what belongs together, split what does not, order by position, judge.

Pure functions over :class:`FrameRecord`. A SeriesInstanceUID is not a volume: it may hold two contrast phases, two echoes,
a localizer, a reformat or a copy of a slice. Nothing is decided by file name, and InstanceNumber only as a last resort.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Hashable, Iterable, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import Any

import numpy as np

from mrecist.imaging.geometry import Geometry
from mrecist.imaging.records import FrameRecord
from mrecist.imaging.series import Verdict
from mrecist.imaging.steps import SAME_POSITION_MM, FloatArray, StepVerdict, check_steps, unit_normal

SamePixels = Callable[[FrameRecord, FrameRecord], bool]
Records = tuple[FrameRecord, ...]

ORIENTATION_TOLERANCE = 1e-3
SPACING_TOLERANCE_MM = 5e-4
# Acquisitions of one CT series that interleave in space are told apart by time only over a pause this long.
_PAUSE_SECONDS = 5.0
_PAUSE_FACTOR = 5.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Stack:
    """Slices in stack order with their verdict; ``geometry`` is None when the positions are not usable."""

    records: Records
    verdict: Verdict
    code: str
    text: str
    notes: tuple[str, ...] = ()
    geometry: Geometry | None = None


def build_stacks(records: Iterable[FrameRecord], same_pixels: SamePixels) -> tuple[Stack, ...]:
    """The stacks of one SeriesInstanceUID, usable ones first, in order of acquisition.

    ``same_pixels(a, b)`` tells whether two slices hold the same pixel values; it is asked only about slices at one position.
    """
    stacks: list[Stack] = []
    for group in group_records(records):
        rejected = group[0].reject
        if rejected is not None:
            stacks.append(_rejected(group, *rejected))
        else:
            stacks.extend(_stacks_of_group(group, same_pixels))
    return tuple(sorted(stacks, key=_stack_order))


# Grouping ---------------------------------------------------------------------------------------------------------------


def group_records(records: Iterable[FrameRecord]) -> list[Records]:
    """Slices that may belong to one stack: one study, frame of reference, orientation, spacing, size, kind and echo.

    Orientation and spacing are compared within a tolerance, not rounded: rounding splits values beside a rounding edge.
    """
    exact: dict[Hashable, list[FrameRecord]] = defaultdict(list)
    for record in sorted(records, key=_identity):
        exact[_key(record)].append(record)
    groups: list[Records] = []
    for members in exact.values():
        clusters: list[list[FrameRecord]] = []
        for record in members:
            home = next((c for c in clusters if _parallel(c[0], record)), None)
            if home is None:
                clusters.append([record])
            else:
                home.append(record)
        groups.extend(tuple(c) for c in clusters)
    return groups


def _identity(record: FrameRecord) -> tuple[Any, ...]:
    return record.sop_instance_uid, -1 if record.frame is None else record.frame, str(record.path)


def _key(record: FrameRecord) -> Hashable:
    owner = (record.patient_id, record.study_uid, record.series_uid, record.frame_of_reference_uid)
    if record.reject is not None:
        return owner, record.reject[0]
    echo = None if record.echo_time is None else round(record.echo_time, 2)
    derived = "DERIVED" in record.image_type[:1]
    return owner, record.rows, record.columns, derived, record.image_type[2:], echo, record.b_value


def _parallel(first: FrameRecord, other: FrameRecord) -> bool:
    if first.orientation is None or other.orientation is None or first.spacing is None or other.spacing is None:
        return True
    return all(
        abs(a - b) <= ORIENTATION_TOLERANCE for a, b in zip(first.orientation, other.orientation, strict=True)
    ) and all(abs(a - b) <= SPACING_TOLERANCE_MM for a, b in zip(first.spacing, other.spacing, strict=True))


def _rejected(group: Records, code: str, text: str) -> Stack:
    others = len({r.reject for r in group}) - 1
    shown = f"{len(group)} x {text}" if len(group) > 1 else text
    if others:
        shown += f" (and {others} other reasons of this kind)"
    return Stack(records=group, verdict=Verdict.REFUSED, code=code, text=shown)


def _stack_order(stack: Stack) -> tuple[Any, ...]:
    """Usable before refused; then by time, as far as the headers tell it; then by identity, so the order is stable."""
    first = min(stack.records, key=_time_key)
    return stack.records[0].reject is not None, _time_key(first), min(_identity(r) for r in stack.records)


def _time_key(record: FrameRecord) -> tuple[float, ...]:
    values = (
        record.temporal_position,
        record.acquisition_seconds,
        record.acquisition_number,
        record.trigger_time,
        record.content_seconds,
        record.echo_time,
        record.instance_number,
    )
    return tuple(float("inf") if v is None else float(v) for v in values)


# Positions --------------------------------------------------------------------------------------------------------------


def _origins(records: Sequence[FrameRecord]) -> FloatArray:
    return np.array([r.position for r in records], dtype=float)


def _along(records: Sequence[FrameRecord]) -> FloatArray:
    """Position of each slice along the group's normal, mm."""
    return _origins(records) @ unit_normal(records[0].orientation or ())


def _by_position(records: Sequence[FrameRecord]) -> Records:
    along = _along(records)
    order = sorted(range(len(records)), key=lambda i: (along[i], _identity(records[i])))
    return tuple(records[i] for i in order)


def _positions(records: Records) -> list[Records]:
    """The slices at each position, in ascending order of position."""
    ordered = _by_position(records)
    along = _along(ordered)
    groups: list[list[FrameRecord]] = []
    start = -float("inf")
    for record, position in zip(ordered, along, strict=True):
        if position - start > SAME_POSITION_MM:
            groups.append([])
            start = float(position)
        groups[-1].append(record)
    return [tuple(g) for g in groups]


def _unique(records: Records) -> bool:
    return all(len(g) == 1 for g in _positions(records))


# Splitting --------------------------------------------------------------------------------------------------------------


def _stacks_of_group(group: Records, same_pixels: SamePixels) -> list[Stack]:
    kept, copies, clash = _drop_copies(group, same_pixels)
    if clash:
        text = f"SOPInstanceUID {clash} is used by two different images; re-export the series"
        return [Stack(records=group, verdict=Verdict.REFUSED, code="DUPLICATE_UID", text=text)]
    kept, duplicates = _drop_duplicates(kept, same_pixels)
    notes = _dropped(copies + duplicates)
    if _unique(kept):
        parts, rule = _split_interleaved(kept)
    else:
        parts, rule = _split(kept)
        if not parts:
            return [_unsplittable(kept, notes)]
    if len(parts) == 1:
        return [judge(parts[0], notes)]
    parts = sorted(parts, key=lambda p: (min(_time_key(r) for r in p), min(_identity(r) for r in p)))
    return [judge(p, (*notes, f"split {i} of {len(parts)} by {rule}")) for i, p in enumerate(parts, 1)]


def _dropped(count: int) -> tuple[str, ...]:
    return () if not count else (f"dropped {count} exact duplicate slice{'s' if count > 1 else ''}",)


def _drop_copies(group: Records, same_pixels: SamePixels) -> tuple[Records, int, str]:
    """Without files that are copies of one another; the third value names a UID that two different images share."""
    by_uid: dict[tuple[str, int | None], list[FrameRecord]] = defaultdict(list)
    for record in group:
        by_uid[record.sop_instance_uid, record.frame].append(record)
    for members in by_uid.values():
        first = members[0]
        for other in members[1:]:
            same_place = (other.position, other.orientation, other.spacing) == (
                first.position,
                first.orientation,
                first.spacing,
            )
            if not same_place or not same_pixels(first, other):
                return group, 0, first.sop_instance_uid
    kept = tuple(members[0] for members in by_uid.values())
    return kept, len(group) - len(kept), ""


def _drop_duplicates(group: Records, same_pixels: SamePixels) -> tuple[Records, int]:
    """Without second exports of a slice: one position, the same pixels, no tag that tells them apart.

    Where every position holds equally many slices this is a time series, in which blank slices may well be equal: there a
    slice is dropped only if all positions hold nothing but copies.
    """
    positions = _positions(group)
    counts = {len(p) for p in positions}
    if counts == {1}:
        return group, 0
    if len(counts) == 1 and not all(same_pixels(p[0], other) for p in positions for other in p[1:]):
        return group, 0
    kept: list[FrameRecord] = []
    for slices in positions:
        chosen: list[FrameRecord] = []
        for record in sorted(slices, key=lambda r: (_time_key(r)[::-1], _identity(r))):
            if not any(_tags(record) == _tags(c) and same_pixels(c, record) for c in chosen):
                chosen.append(record)
        kept.extend(chosen)
    return tuple(kept), len(group) - len(kept)


def _tags(record: FrameRecord) -> tuple[Any, ...]:
    return record.temporal_position, record.acquisition_number, record.trigger_time, record.kernel


_TAG_RULES: tuple[tuple[str, Callable[[FrameRecord], Hashable]], ...] = (
    ("TemporalPositionIdentifier", lambda r: r.temporal_position),
    ("AcquisitionNumber", lambda r: r.acquisition_number),
    ("TriggerTime", lambda r: r.trigger_time),
    ("ConvolutionKernel", lambda r: r.kernel or None),
    ("TemporalPositionIdentifier, AcquisitionNumber, TriggerTime and ConvolutionKernel together", _tags),
)


def _split(group: Records) -> tuple[list[Records], str]:
    """Parts with one slice a position each, and the rule that made them; no parts when no rule does."""
    most = max(len(p) for p in _positions(group))
    for name, value in _TAG_RULES:
        parts = _parts_by(group, value)
        if len(parts) > 1 and _acceptable(parts, most):
            return parts, name
    for name, attribute in (("AcquisitionTime", "acquisition_seconds"), ("ContentTime", "content_seconds")):
        parts = _parts_by_time(group, attribute, most)
        if parts and _acceptable(parts, most):
            return parts, name
    parts = _parts_by_instance(group, most)
    return (parts, "InstanceNumber") if parts else ([], "")


def _parts_by(group: Records, value: Callable[[FrameRecord], Hashable]) -> list[Records]:
    parts: dict[Hashable, list[FrameRecord]] = defaultdict(list)
    for record in group:
        parts[value(record)].append(record)
    if None in parts:  # a tag that some slices lack says nothing about them
        return []
    return [tuple(p) for p in parts.values()]


def _acceptable(parts: list[Records], most: int) -> bool:
    """One slice a position in every part; and no shattering: as many parts as slices a position, or none of one slice."""
    return all(_unique(p) for p in parts) and (len(parts) == most or all(len(p) > 1 for p in parts))


def _parts_by_time(group: Records, attribute: str, count: int) -> list[Records]:
    """Cut at the ``count - 1`` longest pauses; helical slices all differ by milliseconds, so equal times are no rule."""
    times = [getattr(r, attribute) for r in group]
    if None in times or not 2 <= count <= len(group):
        return []
    order = sorted(range(len(group)), key=lambda i: times[i])
    pauses = np.diff([times[i] for i in order])
    ranked = np.sort(pauses)[::-1]
    shortest_cut = ranked[count - 2]
    # Without a clear difference between pauses that cut and pauses that do not, the cut would be a guess.
    if shortest_cut <= 0 or (len(ranked) >= count and shortest_cut <= ranked[count - 1]):
        return []
    edges = [0, *(np.flatnonzero(pauses >= shortest_cut) + 1).tolist(), len(group)]
    return [tuple(group[i] for i in order[a:b]) for a, b in pairwise(edges)]


def _parts_by_instance(group: Records, count: int) -> list[Records]:
    """Equal runs of InstanceNumber, each of which walks through the stack in one direction."""
    numbers = [r.instance_number for r in group]
    if None in numbers or len(set(numbers)) != len(group) or len(group) % count:
        return []
    ordered = sorted(group, key=lambda r: r.instance_number or 0)
    size = len(group) // count
    parts = [tuple(ordered[i : i + size]) for i in range(0, len(group), size)]
    if not _acceptable(parts, count):
        return []
    walks = [np.diff(_along(p)) for p in parts]
    return parts if all(np.all(w > 0) or np.all(w < 0) for w in walks) else []


def _split_interleaved(group: Records) -> tuple[list[Records], str]:
    """Two acquisitions whose slices lie between one another: no position is shared, yet the stack is mixed.

    A CT acquisition is contiguous, so CT acquisitions that overlap in space are different scans. MR interleaves the slices
    of one scan over several acquisitions by design; there only the temporal position counts.
    """
    rules = list(_TAG_RULES[:1])
    if group[0].modality == "CT":
        rules += _TAG_RULES[1:2]
    for name, value in rules:
        parts = _parts_by(group, value)
        if len(parts) > 1 and _interleaved(parts):
            return parts, name
    if group[0].modality == "CT":
        for name, attribute in (("AcquisitionTime", "acquisition_seconds"), ("ContentTime", "content_seconds")):
            parts = _parts_by_time(group, attribute, 2)
            if parts and _long_pause(group, attribute) and _interleaved(parts):
                return parts, name
    return [group], ""


def _interleaved(parts: list[Records]) -> bool:
    if any(len(p) < 3 for p in parts):
        return False
    spans = [_along(p) for p in (_shared_frame(parts))]
    for i, a in enumerate(spans):
        for b in spans[i + 1 :]:
            inside_a = int(np.count_nonzero((b > a.min()) & (b < a.max())))
            inside_b = int(np.count_nonzero((a > b.min()) & (a < b.max())))
            if min(inside_a, inside_b) >= 2:
                return True
    return False


def _shared_frame(parts: list[Records]) -> list[Records]:
    """The parts with one orientation, so that positions along the normal compare to the micrometre."""
    orientation = parts[0][0].orientation
    return [tuple(replace(r, orientation=orientation) for r in p) for p in parts]


def _long_pause(group: Records, attribute: str) -> bool:
    pauses = np.sort(np.diff(sorted(getattr(r, attribute) for r in group)))[::-1]
    return bool(pauses[0] >= _PAUSE_SECONDS and (len(pauses) < 2 or pauses[0] >= _PAUSE_FACTOR * pauses[1]))


def _unsplittable(group: Records, notes: tuple[str, ...]) -> Stack:
    positions = _positions(group)
    shared = [p for p in positions if len(p) > 1]
    distinct = {
        "AcquisitionNumber": len({r.acquisition_number for r in group}),
        "TemporalPositionIdentifier": len({r.temporal_position for r in group}),
        "AcquisitionTime": len({r.acquisition_seconds for r in group}),
        "InstanceNumber": len({r.instance_number for r in group}),
    }
    table = ", ".join(f"{name} {count}" for name, count in distinct.items())
    text = (
        f"{len(group)} slices at {len(positions)} positions, {len(shared)} of them taken more than once, and no tag tells "
        f"them apart (distinct values: {table}); export each volume as its own series"
    )
    ordered = _by_position(group)
    return Stack(records=ordered, verdict=Verdict.REFUSED, code="DUPLICATE_POSITIONS", text=text, notes=notes)


# Judging ----------------------------------------------------------------------------------------------------------------


def judge(records: Records, notes: tuple[str, ...] = ()) -> Stack:
    """One stack with one slice a position: ordered, checked, with its geometry."""
    ordered = _by_position(records)
    first = ordered[0]
    normal = unit_normal(first.orientation or ())
    origins = _origins(ordered)
    checked = check_steps(origins, normal, first.slice_thickness_mm)
    verdict = Verdict.OK if not checked.code else Verdict.REFUSED if checked.refused else Verdict.IN_PLANE
    return Stack(
        records=ordered,
        verdict=verdict,
        code=checked.code,
        text=checked.text,
        notes=(*notes, *_remarks(ordered, checked)),
        geometry=_geometry(ordered, checked.step_mm),
    )


def _geometry(ordered: Records, step_mm: float | None) -> Geometry:
    first = ordered[0]
    orientation = np.array(first.orientation, dtype=float)
    row = orientation[:3] / np.linalg.norm(orientation[:3])
    column = orientation[3:] / np.linalg.norm(orientation[3:])
    row_spacing, column_spacing = first.spacing or (0.0, 0.0)
    return Geometry(
        shape=(len(ordered), first.rows, first.columns),
        origins_lps=tuple(r.position or (0.0, 0.0, 0.0) for r in ordered),
        row_direction=(float(row[0]), float(row[1]), float(row[2])),
        column_direction=(float(column[0]), float(column[1]), float(column[2])),
        row_spacing_mm=row_spacing,
        column_spacing_mm=column_spacing,
        slice_step_mm=step_mm,
    )


def _remarks(ordered: Records, checked: StepVerdict) -> tuple[str, ...]:
    first, step = ordered[0], checked.step_mm
    remarks = []
    thicknesses = sorted({r.slice_thickness_mm for r in ordered if r.slice_thickness_mm})
    if len(thicknesses) > 1:
        remarks.append(f"SliceThickness varies from {thicknesses[0]:g} to {thicknesses[-1]:g} mm")
    elif thicknesses and step is not None and abs(thicknesses[0] - step) > 0.05 * step:
        kind = "overlapping slices" if thicknesses[0] > step else "gaps between slices"
        remarks.append(f"{kind}: {thicknesses[0]:g} mm thick every {step:.2f} mm")
    if any(r.photometric == "MONOCHROME1" for r in ordered):
        remarks.append("MONOCHROME1: values are used as stored, only the display is inverted")
    if first.image_type[:1] == ("DERIVED",):
        remarks.append(
            f"derived image (ImageType {chr(92).join(first.image_type)}): a reformat, no first reconstruction"
        )
    if first.modality == "CT" and not all(r.rescaled for r in ordered):
        remarks.append("no RescaleSlope and RescaleIntercept: HU are unknown")
    return tuple(remarks)
