"""From slices to stacks: group what belongs together, split what does not, order by position, judge.

Pure functions over :class:`FrameRecord`. A SeriesInstanceUID is not a volume: it may hold two contrast phases, two echoes,
a localizer, a reformat or a copy of a slice. Nothing is decided by file name, and InstanceNumber only as a last resort.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from itertools import groupby
from typing import Any

import numpy as np

from mrecist.imaging.geometry import Geometry
from mrecist.imaging.grouping import Records, by_position, group_records, identity, positions, with_frame_of_reference
from mrecist.imaging.grouping import origins as origins_of
from mrecist.imaging.records import FrameRecord
from mrecist.imaging.series import Verdict
from mrecist.imaging.splitting import SamePixels, drop_copies, drop_duplicates, split, time_key
from mrecist.imaging.steps import StepVerdict, check_steps, unit_normal

_FEW_ACQUISITIONS = 4
"""More than this is a scan in steps, with an acquisition at every table position."""


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
    records = tuple(records)
    absent = _absent_parts(records)
    stacks: list[Stack] = []
    for group, remark in with_frame_of_reference(group_records(records)):
        rejected = group[0].reject
        if rejected is not None:
            stacks.append(_rejected(group, *rejected))
        else:
            stacks.extend(_incomplete(s, absent) for s in _stacks_of_group(group, same_pixels, remark))
    astray = [r for s in stacks if s.code == "NO_GEOMETRY" for r in s.records]
    stacks = [_with_slices_astray(s, astray) for s in stacks]
    return tuple(sorted(stacks, key=_stack_order))


def _rejected(group: Records, code: str, text: str) -> Stack:
    others = len({r.reject for r in group}) - 1
    shown = f"{len(group)} x {text}" if len(group) > 1 else text
    if others:
        shown += f" (and {others} other reasons of this kind)"
    return Stack(records=group, verdict=Verdict.REFUSED, code=code, text=shown)


def _stack_order(stack: Stack) -> tuple[Any, ...]:
    """Usable before refused; then by time, as far as the headers tell it; then by identity, so the order is stable."""
    first = min(stack.records, key=time_key)
    return stack.records[0].reject is not None, time_key(first), min(identity(r) for r in stack.records)


def _stacks_of_group(group: Records, same_pixels: SamePixels, remark: str) -> list[Stack]:
    kept, copies, clash = drop_copies(group, same_pixels)
    if clash:
        text = f"SOPInstanceUID {clash} is used by two different images; re-export the series"
        return [Stack(records=group, verdict=Verdict.REFUSED, code="DUPLICATE_UID", text=text)]
    kept, duplicates = drop_duplicates(kept, same_pixels)
    notes = (*((remark,) if remark else ()), *_dropped(copies + duplicates))
    parts, rule = split(kept)
    if not parts:
        return [_unsplittable(kept, notes)]
    if len(parts) == 1:
        return [judge(parts[0], notes)]
    parts = sorted(parts, key=lambda p: (min(time_key(r) for r in p), min(identity(r) for r in p)))
    return [judge(p, (*notes, f"split {i} of {len(parts)} by {rule}")) for i, p in enumerate(parts, 1)]


def _dropped(count: int) -> tuple[str, ...]:
    return () if not count else (f"dropped {count} exact duplicate slice{'s' if count > 1 else ''}",)


# Concatenations ---------------------------------------------------------------------------------------------------------


def _absent_parts(records: Sequence[FrameRecord]) -> dict[str, str]:
    """What is missing of each ConcatenationUID (PS3.3 C.7.6.16.2.2.4): a multi-frame image cut into several files."""
    held: dict[str, set[int]] = {}
    totals: dict[str, int] = {}
    for record in records:
        if record.concatenation is not None:
            uid, number, total = record.concatenation
            held.setdefault(uid, set()).add(number)
            totals[uid] = max(totals.get(uid, 0), total, number)
    absent = {uid: sorted(set(range(1, totals[uid] + 1)) - numbers) for uid, numbers in held.items()}
    return {
        uid: f"part {', '.join(str(n) for n in missing[:5])} of {totals[uid]} of the concatenation is missing; "
        f"copy the series again"
        for uid, missing in absent.items()
        if missing
    }


def _incomplete(stack: Stack, absent: dict[str, str]) -> Stack:
    """Frames are missing wherever a part is, also at the end of a stack, where no gap shows."""
    uids = sorted({r.concatenation[0] for r in stack.records if r.concatenation is not None} & absent.keys())
    if not uids:
        return stack
    return _refused(stack, "MISSING_SLICES", absent[uids[0]])


def _with_slices_astray(stack: Stack, astray: Sequence[FrameRecord]) -> Stack:
    """A slice of the same kind without a place may be the one at an end of the stack, where no gap shows."""
    own = [] if stack.records[0].reject is not None else [r for r in astray if _kind(r) == _kind(stack.records[0])]
    if not own or stack.verdict is Verdict.REFUSED:
        return stack
    first = min(own, key=identity)
    count = "1 slice of this kind has" if len(own) == 1 else f"{len(own)} slices of this kind have"
    where = first.path.name if first.frame is None else f"{first.path.name} frame {first.frame + 1}"
    reason = first.reject[1] if first.reject is not None else ""
    text = f"{count} no place, so slices may be missing ({where}: {reason}); correct the header"
    return _refused(stack, "NO_GEOMETRY", text)


def _kind(record: FrameRecord) -> tuple[Any, ...]:
    owner = (record.patient_id, record.study_uid, record.sop_class_uid)
    return owner, record.image_type, record.rows, record.columns


def _refused(stack: Stack, code: str, text: str) -> Stack:
    geometry = None if stack.geometry is None else replace(stack.geometry, slice_step_mm=None)
    notes = stack.notes if not stack.code else (*stack.notes, f"{stack.code}: {stack.text}")
    return replace(stack, verdict=Verdict.REFUSED, code=code, text=text, notes=notes, geometry=geometry)


def _unsplittable(group: Records, notes: tuple[str, ...]) -> Stack:
    places = positions(group)
    shared = [p for p in places if len(p) > 1]
    distinct = {
        "AcquisitionNumber": len({r.acquisition_number for r in group}),
        "TemporalPositionIdentifier": len({r.temporal_position for r in group}),
        "AcquisitionTime": len({r.acquisition_seconds for r in group}),
        "InstanceNumber": len({r.instance_number for r in group}),
    }
    table = ", ".join(f"{name} {count}" for name, count in distinct.items())
    text = (
        f"{len(group)} slices at {len(places)} positions, {len(shared)} of them taken more than once, and no tag tells "
        f"them apart (distinct values: {table}); export each volume as its own series"
    )
    ordered = by_position(group)
    return Stack(records=ordered, verdict=Verdict.REFUSED, code="DUPLICATE_POSITIONS", text=text, notes=notes)


# Judging ----------------------------------------------------------------------------------------------------------------


def judge(records: Records, notes: tuple[str, ...] = ()) -> Stack:
    """One stack with one slice a position: ordered, checked, with its geometry."""
    ordered = by_position(records)
    first = ordered[0]
    normal = unit_normal(first.orientation or ())
    origins = origins_of(ordered)
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
    if lossy := sum(r.lossy for r in ordered):
        remarks.append(
            f"lossy compression in {lossy} of {len(ordered)} slices: values are not quite those of the scanner"
        )
    if first.modality == "CT" and (numbers := _end_to_end(ordered)):
        shown = ", ".join(str(n) for n in numbers)
        remarks.append(f"acquisitions {shown} end to end, and no pause tells whether they are one phase")
    if first.modality == "CT" and not all(r.rescaled for r in ordered):
        remarks.append("no RescaleSlope and RescaleIntercept: HU are unknown")
    return tuple(remarks)


def _end_to_end(ordered: Records) -> list[int]:
    """The AcquisitionNumbers of a few acquisitions that follow one another along the stack."""
    runs = [number for number, _ in groupby(r.acquisition_number for r in ordered)]
    known = [n for n in runs if n is not None]
    alike = 1 < len(runs) <= _FEW_ACQUISITIONS and len(known) == len(set(runs)) == len(runs)
    return known if alike else []
