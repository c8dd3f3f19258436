"""Every difference between two readers, variable by variable, with both derivations and the cause."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from mrecist.agreement.causes import CONFIRMATION, DATE, MISSING_VISIT, Cause, cause_at
from mrecist.agreement.reads import Reads, Track
from mrecist.agreement.scales import PROGRESSION, QUESTIONS
from mrecist.agreement.swaps import Crossed
from mrecist.agreement.variables import (
    BEST_RESPONSE,
    FIRST_RESPONSE_DATE,
    VARIABLES,
    VISIT_RESPONSE,
    Value,
    derivable,
    differ,
    value_of,
    visit_values,
)
from mrecist.model import VisitResponse

CrossedReads = Mapping[tuple[str, str], Crossed]
"""Subject and criterion -> its baselines with its follow-ups."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Discordance:
    """A row of ``discordances.csv``. ``timepoint`` is the visit whose difference is behind it; None where no visit differs."""

    subject: str
    criterion: str
    variable: str
    timepoint: int | None
    readers: tuple[str, str]
    values: tuple[Value, Value]
    cause: Cause
    visits: tuple[VisitResponse | None, VisitResponse | None]
    reasons: tuple[str, str]


def discordances(reads: Reads, crossed: CrossedReads, tolerance_days: int = 0) -> list[Discordance]:
    """Every variable in which two readers of a subject differ; dates by more than ``tolerance_days``."""
    found: list[Discordance] = []
    for (subject, criterion), swapped in crossed.items():
        tracks = reads.of(subject, criterion)
        for names in ((a, b) for i, a in enumerate(tracks) for b in list(tracks)[i + 1 :]):
            found += _of_pair(
                reads, subject, criterion, names, (tracks[names[0]], tracks[names[1]]), swapped, tolerance_days
            )
    return found


def _of_pair(
    reads: Reads,
    subject: str,
    criterion: str,
    names: tuple[str, str],
    tracks: tuple[Track, Track],
    crossed: Crossed,
    tolerance_days: int,
) -> Iterator[Discordance]:
    one, other = tracks
    rules = reads.protocol.response
    for variable in derivable(VARIABLES, dated=reads.dated):
        values: list[tuple[int | None, Value, Value]]
        if variable == VISIT_RESPONSE:
            values = [(t, a, b) for t, a, b in visit_values(one, other) if a != b]
        else:
            a, b = (value_of(variable, track, rules) for track in tracks)
            behind = visit_behind(variable, one, other)
            values = [(behind, a, b)] if differ(a, b, tolerance_days) else []
        for timepoint, a, b in values:
            visits = tuple(None if timepoint is None else track.visits.get(timepoint) for track in tracks)
            yield Discordance(
                subject=subject,
                criterion=criterion,
                variable=variable,
                timepoint=timepoint,
                readers=names,
                values=(a, b),
                cause=_cause(reads, variable, tracks, timepoint, crossed),
                visits=(visits[0], visits[1]),
                reasons=(_reason(one, variable, visits[0]), _reason(other, variable, visits[1])),
            )


def visit_behind(variable: str, one: Track, other: Track) -> int | None:
    """The first visit at which two readers differ in what the variable asks.

    For progression: whether it is one; for the first response: whether it is CR or PR; for the best response: the category. A visit
    that one reader does not have counts where it answers yes. None: there is no such visit.
    """
    asked = {BEST_RESPONSE: None, FIRST_RESPONSE_DATE: QUESTIONS["OR"]}.get(variable, PROGRESSION)
    mine, theirs = one.follow_ups(), other.follow_ups()
    for timepoint in sorted(mine.keys() | theirs.keys()):
        a, b = (visits[timepoint].overall if timepoint in visits else None for visits in (mine, theirs))
        if (a != b) if asked is None else ((a in asked) != (b in asked)):
            return timepoint
    return None


def _cause(reads: Reads, variable: str, tracks: tuple[Track, Track], timepoint: int | None, crossed: Crossed) -> Cause:
    one, other = tracks
    if timepoint is None:
        return Cause(name=CONFIRMATION if variable == BEST_RESPONSE else _same_visits(one, other))
    if timepoint not in one.follow_ups() or timepoint not in other.follow_ups():
        return Cause(name=MISSING_VISIT, detail=f"time point {timepoint} of one reader only")
    return cause_at(reads, one, other, timepoint, crossed)


def _same_visits(one: Track, other: Track) -> str:
    """Dates differ and no visit does: its days, or which of the visits counts."""
    mine, theirs = one.follow_ups(), other.follow_ups()
    dated = any(mine[t].date != theirs[t].date for t in mine.keys() & theirs.keys())
    return DATE if dated else CONFIRMATION


def _reason(track: Track, variable: str, visit: VisitResponse | None) -> str:
    """What the read says of it: of the visit behind, after the best response where that is what differs."""
    said: Sequence[str] = [visit.reason if visit is not None else "no response at this visit"]
    if variable != VISIT_RESPONSE and track.best is not None:
        said = [track.best.reason, *(said if visit is not None else ())]
    return " | ".join(said)
