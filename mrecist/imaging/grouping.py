"""Which slices may belong to one stack: one study, frame of reference, orientation, spacing, size, kind, echo and energy.

Orientation and spacing are compared within a tolerance, not rounded: rounding splits values beside a rounding edge. Also here:
the order of slices along their normal, and which of them lie at one position.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Hashable, Iterable, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from mrecist.imaging.records import FrameRecord
from mrecist.imaging.steps import SAME_POSITION_MM, FloatArray, check_steps, unit_normal

Records = tuple[FrameRecord, ...]

ORIENTATION_TOLERANCE = 1e-3
SPACING_TOLERANCE_MM = 5e-4
_NEAR_MM = 0.1
_NEAR_PART = 0.05


def group_records(records: Iterable[FrameRecord]) -> list[Records]:
    """The groups, in an order that depends on the slices alone."""
    exact: dict[Hashable, list[FrameRecord]] = defaultdict(list)
    for record in sorted(records, key=identity):
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


def identity(record: FrameRecord) -> tuple[Any, ...]:
    """What a slice is, whatever its file is called; the path settles only true copies."""
    return record.sop_instance_uid, -1 if record.frame is None else record.frame, str(record.path)


def _key(record: FrameRecord) -> Hashable:
    owner = (record.patient_id, record.study_uid, record.series_uid, record.frame_of_reference_uid)
    if record.reject is not None:
        return owner, record.reject[0]
    echo = None if record.echo_time is None else round(record.echo_time, 2)
    derived = "DERIVED" in record.image_type[:1]
    kind = (derived, record.image_type[2:], record.complex_component, echo, record.b_value, record.gradient)
    return owner, record.rows, record.columns, record.stack_id, kind, record.kvp, record.energy_kev


def _parallel(first: FrameRecord, other: FrameRecord) -> bool:
    if first.orientation is None or other.orientation is None or first.spacing is None or other.spacing is None:
        return True
    return all(
        abs(a - b) <= ORIENTATION_TOLERANCE for a, b in zip(first.orientation, other.orientation, strict=True)
    ) and all(abs(a - b) <= SPACING_TOLERANCE_MM for a, b in zip(first.spacing, other.spacing, strict=True))


def with_frame_of_reference(groups: Sequence[Records]) -> list[tuple[Records, str]]:
    """The groups, each with a remark: slices without FrameOfReferenceUID join the one group whose gaps they fill exactly.

    They join only when together they are a regular stack with one slice a position, and the group alone is none or ends where
    they go on; anything else stays apart, because without that UID nothing says that positions may be compared.
    """
    named = [g for g in groups if g[0].frame_of_reference_uid or g[0].reject is not None]
    joined: dict[int, tuple[Records, str]] = {}
    apart: list[tuple[Records, str]] = []
    for group in groups:
        if group[0].frame_of_reference_uid or group[0].reject is not None:
            continue
        adopted = {i: _adopted(group, home) for i, home in enumerate(named) if i not in joined}
        fitting = {i: records for i, records in adopted.items() if records}
        if len(fitting) == 1:
            ((index, records),) = fitting.items()
            text = f"FrameOfReferenceUID is missing in {len(group)} of {len(records)} slices: taken to be that of the others"
            joined[index] = records, text
        else:
            apart.append((group, ""))
    return [joined.get(i, (g, "")) for i, g in enumerate(named)] + apart


def _adopted(group: Records, home: Records) -> Records:
    """Both groups as one where that is a regular stack, else nothing."""
    uid = home[0].frame_of_reference_uid
    moved = tuple(replace(r, frame_of_reference_uid=uid) for r in group)
    if home[0].reject is not None or _key(moved[0]) != _key(home[0]) or not _parallel(home[0], moved[0]):
        return ()
    together = home + moved
    if not unique(together):
        return ()
    ordered = by_position(together)
    checked = check_steps(origins(ordered), unit_normal(ordered[0].orientation or ()), ordered[0].slice_thickness_mm)
    return () if checked.code else together


# Positions --------------------------------------------------------------------------------------------------------------


def origins(records: Sequence[FrameRecord]) -> FloatArray:
    """ImagePositionPatient of each slice, (n, 3) LPS mm."""
    return np.array([r.position for r in records], dtype=float)


def along(records: Sequence[FrameRecord]) -> FloatArray:
    """Position of each slice along the group's normal, mm."""
    return origins(records) @ unit_normal(records[0].orientation or ())


def by_position(records: Sequence[FrameRecord]) -> Records:
    """The slices in ascending order of position."""
    places = along(records)
    order = sorted(range(len(records)), key=lambda i: (places[i], identity(records[i])))
    return tuple(records[i] for i in order)


def positions(records: Records) -> list[Records]:
    """The slices at each position, in ascending order of position.

    Slices that lie much nearer to one another than the slices of the stack do are at one position too: a table that came
    back to within 0.05 mm for the next phase, not a stack with a step of 0.05 mm.
    """
    ordered = by_position(records)
    places = along(ordered)
    widest = float(np.diff(places).max()) if len(places) > 1 else 0.0
    near = max(SAME_POSITION_MM, min(_NEAR_MM, _NEAR_PART * widest))
    groups: list[list[FrameRecord]] = []
    start = -float("inf")
    for record, place in zip(ordered, places, strict=True):
        if place - start > near:
            groups.append([])
            start = float(place)
        groups[-1].append(record)
    return [tuple(g) for g in groups]


def unique(records: Records) -> bool:
    """Whether there is one slice a position."""
    return all(len(g) == 1 for g in positions(records))
