"""Both derivations of a case side by side, as its adjudicator sees them: no reader's name, no date, no subject behind a pseudonym.

Readers are called "reader 1" and "reader 2", the adjudicator's own read "own"; a date is a number of days after the baseline.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from mrecist.agreement.causes import CAUSES
from mrecist.agreement.discordances import Discordance
from mrecist.agreement.reads import Track
from mrecist.agreement.variables import (
    BEST_RESPONSE,
    FIRST_RESPONSE_DATE,
    PROGRESSED,
    PROGRESSION_DATE,
    VISIT_RESPONSE,
    value_of,
)
from mrecist.dates import days_between
from mrecist.errors import InputError
from mrecist.model import VisitResponse
from mrecist.review.blinding import blinded
from mrecist.review.reviewed import Case, Reviewed
from mrecist.store.adjudicating import OWN
from mrecist.units import percent_change, show

_NONE = "none"
_WHOLE = (BEST_RESPONSE, PROGRESSED, PROGRESSION_DATE, FIRST_RESPONSE_DATE)


@dataclass(frozen=True, slots=True, kw_only=True)
class VisitSaid:
    """What a read says of a visit; all as texts, empty where there is nothing. ``percent`` is the change from the baseline sum."""

    sum: str
    unit: str
    percent: str
    target: str
    non_target: str
    new_lesion: str
    overall: str
    flags: tuple[str, ...]
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Visit:
    """A visit: its day after the baseline, and what each read (by its name) says of it."""

    timepoint: int
    day: int
    reads: Mapping[str, VisitSaid]


@dataclass(frozen=True, slots=True, kw_only=True)
class Whole:
    """What a read says of the whole course: variable -> value, and the reason of its best response."""

    values: Mapping[str, str]
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Difference:
    """A difference of two readers, and its cause. ``adjudicated``: it is one for which the case is adjudicated."""

    variable: str
    timepoint: int | None
    readers: tuple[str, str]
    values: tuple[str, str]
    cause: str
    meaning: str
    detail: str
    also: tuple[str, ...]
    adjudicated: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Compared:
    """A case by one criterion. ``first`` is the first difference, of the earliest visit; None where the readers agree.

    ``picked`` is the read that was picked, ``stale`` why that pick holds no more.
    """

    criterion: str
    title: str
    reads: Mapping[str, Whole]
    visits: tuple[Visit, ...]
    differences: tuple[Difference, ...]
    first: Difference | None
    picked: str
    stale: str


@dataclass(frozen=True, slots=True, kw_only=True)
class SideBySide:
    """A case as its adjudicator sees it. ``adjudicated_on`` are the variables that decide whether it is adjudicated.

    ``state`` tells a pick what was seen: it changes when a read or the protocol does.
    """

    case: str
    state: str
    adjudicated_on: tuple[str, ...]
    criteria: tuple[Compared, ...]


def side_by_side(found: Reviewed, case: Case) -> SideBySide:
    """The derivations of a case. Raises :class:`InputError` while a read of it is missing."""
    return SideBySide(
        case=case.key,
        state=case.state,
        adjudicated_on=found.variables,
        criteria=tuple(_compared(found, case, criterion) for criterion in found.reads.settings),
    )


def _compared(found: Reviewed, case: Case, criterion: str) -> Compared:
    why = found.why_open(case, criterion, tuple(case.central))
    if why:
        raise InputError(f"{case.key}, {criterion}: {blinded(case, why)}; there is nothing to compare yet")
    there = found.reads.of(case.subject, criterion)
    tracks = {name: there[name] for name in (*case.central, OWN) if name in there}
    differences = tuple(
        _difference(one, case, found.variables) for one in found.differences.get((case.subject, criterion), ())
    )
    at_visit = [one for one in differences if one.variable == VISIT_RESPONSE]
    picked = case.picks.get(criterion)
    return Compared(
        criterion=criterion,
        title=found.reads.settings[criterion].title,
        reads={name: _whole(found, track, case) for name, track in tracks.items()},
        visits=tuple(_visits(tracks, case)),
        differences=differences,
        first=min(at_visit, key=lambda one: one.timepoint or 0) if at_visit else next(iter(differences), None),
        picked=picked.read if picked else "",
        stale=picked.stale if picked else "",
    )


def _difference(one: Discordance, case: Case, variables: tuple[str, ...]) -> Difference:
    return Difference(
        variable=one.variable,
        timepoint=one.timepoint,
        readers=one.readers,
        values=(blinded(case, one.values[0]) or _NONE, blinded(case, one.values[1]) or _NONE),
        cause=one.cause.name,
        meaning=CAUSES[one.cause.name],
        detail=blinded(case, one.cause.detail),
        also=one.cause.also,
        adjudicated=one.variable in variables,
    )


def _whole(found: Reviewed, track: Track, case: Case) -> Whole:
    rules = found.reads.protocol.response
    values = {name: blinded(case, value_of(name, track, rules)) or _NONE for name in _WHOLE}
    return Whole(values=values, reason="" if track.best is None else blinded(case, track.best.reason))


def _visits(tracks: Mapping[str, Track], case: Case) -> Iterator[Visit]:
    for timepoint in sorted({t for track in tracks.values() for t in track.visits}):
        said = {name: track.visits[timepoint] for name, track in tracks.items() if timepoint in track.visits}
        days = [days_between(case.baseline, visit.date) for visit in said.values()]
        yield Visit(timepoint=timepoint, day=min(days), reads={name: _visit(one, case) for name, one in said.items()})


def _visit(visit: VisitResponse, case: Case) -> VisitSaid:
    change = None
    if visit.timepoint > 0 and visit.sum is not None and visit.baseline_sum is not None:
        change = percent_change(visit.sum, visit.baseline_sum)
    return VisitSaid(
        sum=show(visit.sum),
        unit=visit.unit,
        percent=show(change),
        target=blinded(case, visit.target),
        non_target=blinded(case, visit.non_target),
        new_lesion=blinded(case, visit.new_lesion),
        overall=blinded(case, visit.overall),
        flags=visit.flags,
        reason=blinded(case, visit.reason),
    )
