"""Lesions of one scan carried onto another of another frame of reference, by the registration that follows lesions.

One rigid transform around the lesions, then each by what its surroundings agree on (:mod:`mrecist.segment.follow`). Nothing is carried
where that registration refuses: too little alike, too far turned, or too few of the surroundings found again.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from mrecist.imaging.geometry import Geometry
from mrecist.matching.lesions import Lesion, Motion, Points
from mrecist.matching.overlap import body_of
from mrecist.segment.follow import LpsLine, check, place, registered
from mrecist.segment.register import Registered, Scan

# Lesions about so far apart are pressed and breathe alike.
_ALIKE_MM = 40.0
_LEAST_WEIGHT = 0.2


@dataclass(frozen=True, slots=True, kw_only=True)
class Carried:
    """A lesion on the other scan; how far off it may be stands with it.

    ``by`` is what it was placed by: ``surroundings``, ``own look``, ``neighbours`` (the lesions near it) or ``rigid``; ``inside`` is
    False where the place lies outside of the other scan, so that nothing can be there.
    """

    lesion: Lesion
    by: str
    inside: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Across:
    """Lesions of the first scan on the second one, in their order; ``alike`` is the correlation around them, -1 to 1."""

    carried: tuple[Carried, ...]
    alike: float


def carry(
    prior: Scan, current: Scan, lesions: Sequence[Lesion], geometry: Geometry, *, hounsfield: bool = True
) -> Across:
    """Carry lesions of one scan onto another one.

    Parameters
    ----------
    prior, current : the two, made small (:func:`mrecist.segment.register.scan_of`).
    lesions : in the frame of ``prior``.
    geometry : of ``current``.
    hounsfield : values are HU.

    Raises
    ------
    MaskError : the two cannot be registered.
    """
    lines = [_across(lesion) for lesion in lesions]
    found = registered(prior, current, lines)
    rigid = _motion(found)
    places = [place(prior, current, found, line, geometry, hounsfield=hounsfield) for line in lines]
    check(places)
    middles = rigid.carry(np.array([(one + other) / 2 for one, other in lines]))
    shifts = np.array([(p.ends[0] + p.ends[1]) / 2 for p in places]) - middles
    sure = [p.by != "rigid" for p in places]
    carried = []
    for number, (lesion, placed) in enumerate(zip(lesions, places, strict=True)):
        shift, by = shifts[number], placed.by
        if not sure[number] and (near := _of_neighbours(number, middles, shifts, sure)) is not None:
            shift, by = near, "neighbours"
        moved = lesion.moved(Motion(rigid.turn, rigid.shift + shift), placed.off_mm)
        carried.append(Carried(lesion=moved, by=by, inside=placed.line is not None))
    return Across(carried=tuple(carried), alike=found.alike)


def _of_neighbours(number: int, middles: Points, shifts: Points, sure: Sequence[bool]) -> Points | None:
    """The mean shift of the lesions near one; None where there are none."""
    away = np.linalg.norm(middles - middles[number], axis=1)
    weights = np.exp(-((away / _ALIKE_MM) ** 2) / 2) * np.array(sure)
    if float(weights.sum()) < _LEAST_WEIGHT:
        return None
    return np.asarray(weights @ shifts / weights.sum())


def _across(lesion: Lesion) -> LpsLine:
    """A line through the middle of a lesion, as long as a ball of its volume is wide."""
    body = body_of(lesion)
    half = body.radius_mm * np.array(lesion.geometry.row_direction)
    return body.middle - half, body.middle + half


def _motion(found: Registered) -> Motion:
    """A rigid transform as the turn and shift of points."""
    start: Points = found.carry(np.zeros(3))
    return Motion(np.stack([found.carry(axis) - start for axis in np.eye(3)], axis=1), start)
