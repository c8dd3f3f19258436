"""Slices that share a position, or lie between one another: copies are dropped, several volumes are told apart, or nothing is.

A part is accepted only with one slice a position. Tags decide first; a pause between times, then runs of InstanceNumber, only
where every part is whole or the pause cannot be mistaken. What stays undecided is refused, never mixed.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Hashable
from dataclasses import replace
from itertools import pairwise
from typing import Any

import numpy as np

from mrecist.imaging.grouping import Records, along, identity, origins, positions, unique
from mrecist.imaging.records import FrameRecord
from mrecist.imaging.steps import OVERLAP_PART, SAME_POSITION_MM, lattice_step, unit_normal

SamePixels = Callable[[FrameRecord, FrameRecord], bool]
Rule = tuple[str, Callable[[FrameRecord], Hashable]]

# Acquisitions that do not share all positions are told apart by time only over a pause this long.
_PAUSE_SECONDS = 5.0
_PAUSE_FACTOR = 5.0
_MOST_VOLUMES = 8
_SAME_PLACE_MM = 1.0


def time_key(record: FrameRecord) -> tuple[float, ...]:
    """Order in time, as far as the headers tell it."""
    values = (
        record.temporal_position,
        record.acquisition_seconds,
        record.acquisition_number,
        record.trigger_time,
        record.cycle_percent,
        record.content_seconds,
        record.echo_time,
        record.instance_number,
    )
    return tuple(float("inf") if v is None else float(v) for v in values)


# Copies -----------------------------------------------------------------------------------------------------------------


def drop_copies(group: Records, same_pixels: SamePixels) -> tuple[Records, int, str]:
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


def drop_duplicates(group: Records, same_pixels: SamePixels) -> tuple[Records, int]:
    """Without second exports of a slice: one position, the same pixels, no tag that tells them apart.

    Where every position holds equally many slices this is a time series, in which blank slices may well be equal: there a
    slice is dropped only if all positions hold nothing but copies.
    """
    places = positions(group)
    counts = {len(p) for p in places}
    if counts == {1}:
        return group, 0
    if len(counts) == 1 and not all(same_pixels(p[0], other) for p in places for other in p[1:]):
        return group, 0
    kept: list[FrameRecord] = []
    for slices in places:
        chosen: list[FrameRecord] = []
        for record in sorted(slices, key=lambda r: (time_key(r)[::-1], identity(r))):
            if not any(_tags(record) == _tags(c) and same_pixels(c, record) for c in chosen):
                chosen.append(record)
        kept.extend(chosen)
    return tuple(kept), len(group) - len(kept)


def _tags(record: FrameRecord) -> tuple[Any, ...]:
    return tuple(value(record) for _, value in _SINGLE_RULES)


# Rules ------------------------------------------------------------------------------------------------------------------

_SINGLE_RULES: tuple[Rule, ...] = (
    ("TemporalPositionIdentifier", lambda r: r.temporal_position),
    ("AcquisitionNumber", lambda r: r.acquisition_number),
    ("TriggerTime", lambda r: r.trigger_time),
    ("the percentage of the heart or breathing cycle", lambda r: r.cycle_percent),
    ("ConvolutionKernel", lambda r: r.kernel or None),
    ("SliceThickness", lambda r: r.slice_thickness_mm),
    ("AcquisitionDate", lambda r: next((day for tag, day in r.dates if tag == "AcquisitionDate"), None)),
)
_TAG_RULES: tuple[Rule, ...] = (*_SINGLE_RULES, ("several tags together", _tags))
_TIME_RULES = (("AcquisitionTime", "acquisition_seconds"), ("ContentTime", "content_seconds"))


def split(group: Records) -> tuple[list[Records], str]:
    """Parts with one slice a position each, and the rule that made them; no parts when no rule does.

    For a group of which some positions are taken more than once, or none is.
    """
    if unique(group):
        return _split_interleaved(group)
    places = positions(group)
    most = max(len(p) for p in places)
    for name, value in _TAG_RULES:
        parts = _parts_by(group, value)
        if len(parts) > 1 and _acceptable(parts, most):
            return parts, name
    parts = _parts_by_place(group)
    if len(parts) == most and _acceptable(parts, most):
        return parts, "the place within the plane"
    for name, attribute in _TIME_RULES:
        parts = _parts_by_time(group, attribute, most)
        if parts and _acceptable(parts, most):
            whole = all(len(p) == len(places) for p in parts)
            if whole or _long_pauses(group, attribute, most):
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


def _parts_by_place(group: Records) -> list[Records]:
    """Slices whose first pixels lie over one another: reconstructions of one scan with another centre do not."""
    normal = unit_normal(group[0].orientation or ())
    corners = origins(group)
    lateral = corners - np.outer(corners @ normal, normal)
    parts: list[list[int]] = []
    for index in range(len(group)):
        home = next((p for p in parts if np.linalg.norm(lateral[index] - lateral[p[0]]) <= _SAME_PLACE_MM), None)
        if home is None:
            parts.append([index])
        else:
            home.append(index)
        if len(parts) > _MOST_VOLUMES:  # sheared
            return []
    return [tuple(group[i] for i in part) for part in parts]


def _acceptable(parts: list[Records], most: int) -> bool:
    """One slice a position in every part; and no shattering: as many parts as slices a position, or none of one slice."""
    return all(unique(p) for p in parts) and (len(parts) == most or all(len(p) > 1 for p in parts))


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


def _long_pauses(group: Records, attribute: str, count: int) -> bool:
    """Whether the ``count - 1`` longest pauses stand out: 5 s or more, and five times any other."""
    pauses = np.sort(np.diff(sorted(getattr(r, attribute) for r in group)))[::-1]
    cut = float(pauses[count - 2])
    return cut >= _PAUSE_SECONDS and (len(pauses) < count or cut >= _PAUSE_FACTOR * float(pauses[count - 1]))


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
    walks = [np.diff(along(p)) for p in parts]
    return parts if all(np.all(w > 0) or np.all(w < 0) for w in walks) else []


# Slices that lie between one another -------------------------------------------------------------------------------------


def _split_interleaved(group: Records) -> tuple[list[Records], str]:
    """Acquisitions whose slices lie between one another: no position is shared, yet the stack is mixed.

    A CT acquisition is contiguous, so CT acquisitions that overlap in space are different scans. MR interleaves the slices of
    one scan over several acquisitions by design, but then they do not overlap; where they do not, only the temporal position
    counts.
    """
    contiguous = group[0].modality == "CT" or _overlap(group)
    for name, value in _TAG_RULES[:-1] if contiguous else _TAG_RULES[:1]:
        parts = _parts_by(group, value)
        if len(parts) > 1 and _interleaved(parts):
            return parts, name
    if not contiguous:
        return [group], ""
    parts = _parts_by_place(group)
    if len(parts) > 1 and _interleaved(parts):
        return parts, "the place within the plane"
    for name, attribute in _TIME_RULES:
        for count in range(2, _MOST_VOLUMES + 1):
            parts = _parts_by_time(group, attribute, count)
            if parts and _long_pauses(group, attribute, count) and _interleaved(parts):
                return parts, name
    parts = _walks_by_instance(group)
    if len(parts) > 1 and _interleaved(parts):
        return parts, "InstanceNumber"
    return _split_at_pause(group)


def _walks_by_instance(group: Records) -> list[Records]:
    """Runs of InstanceNumber that walk in one direction each, where each is a regular stack with the step of the others."""
    numbers = [r.instance_number for r in group]
    if None in numbers or len(set(numbers)) != len(group):
        return []
    ordered = sorted(group, key=lambda r: r.instance_number or 0)
    signs = np.sign(np.diff(along(ordered))).tolist()
    runs, direction = [[ordered[0]]], 0
    for record, sign in zip(ordered[1:], signs, strict=True):
        if direction and sign != direction:
            runs.append([record])
            direction = 0
        else:
            runs[-1].append(record)
            direction = sign
        if len(runs) > _MOST_VOLUMES:
            return []
    steps = [lattice_step(np.sort(along(run))) if len(run) > 2 else None for run in runs]
    alike = [s for s in steps if s is not None and abs(s - (steps[0] or 0.0)) <= SAME_POSITION_MM]
    return [tuple(run) for run in runs] if len(alike) == len(runs) else []


def _overlap(group: Records) -> bool:
    places = np.sort(along(group))
    thickness = group[0].slice_thickness_mm
    return thickness is not None and len(places) > 1 and float(np.diff(places).min()) <= OVERLAP_PART * thickness


def _interleaved(parts: list[Records]) -> bool:
    if any(len(p) < 3 for p in parts):
        return False
    spans = [along(p) for p in _shared_frame(parts)]
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


def _split_at_pause(group: Records) -> tuple[list[Records], str]:
    """CT acquisitions end to end with a long pause between them: one lattice, but two phases or two breaths."""
    if group[0].modality != "CT" or len({r.acquisition_number for r in group}) < 2:
        return [group], ""
    for count in range(2, _MOST_VOLUMES + 1):
        parts = _parts_by_time(group, "acquisition_seconds", count)
        if not parts or not _long_pauses(group, "acquisition_seconds", count):
            continue
        numbers = [{r.acquisition_number for r in p} for p in parts]
        if all(not a & b for i, a in enumerate(numbers) for b in numbers[i + 1 :]):
            return parts, "a pause between acquisitions"
    return [group], ""
