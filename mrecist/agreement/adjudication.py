"""Who has to be adjudicated: subjects whose readers differ in what the protocol says, and what each reader says."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from mrecist.agreement.discordances import Discordance
from mrecist.agreement.reads import Reads, Track
from mrecist.agreement.variables import (
    BEST_RESPONSE,
    FIRST_RESPONSE_DATE,
    PROGRESSED,
    PROGRESSION_DATE,
    VISIT_RESPONSE,
    Value,
    derivable,
    differ,
    value_of,
    visit_values,
)

# Where neither the protocol nor the command says what is adjudicated.
DEFAULT = (BEST_RESPONSE, PROGRESSION_DATE)
DEFAULT_UNDATED = (VISIT_RESPONSE,)


@dataclass(frozen=True, slots=True, kw_only=True)
class Said:
    """A row of ``adjudication.csv``: what one reader says of a subject that is adjudicated."""

    subject: str
    criterion: str
    reader: str
    differs: tuple[str, ...]
    causes: tuple[str, ...]
    values: dict[str, Value]
    visits: tuple[str, ...]
    reason: str


def adjudicated_on(reads: Reads, asked: tuple[str, ...]) -> tuple[str, ...]:
    """The variables that decide: as asked, else by default those that the input can tell."""
    wanted = asked or (DEFAULT if reads.dated else DEFAULT_UNDATED)
    return derivable(wanted, dated=reads.dated)


def adjudication_list(reads: Reads, found: Sequence[Discordance], variables: Iterable[str]) -> list[Said]:
    """One row a reader of every subject and criterion with a difference in one of ``variables``."""
    asked = tuple(variables)
    by_case: dict[tuple[str, str], list[Discordance]] = {}
    for one in found:
        if one.variable in asked:
            by_case.setdefault((one.subject, one.criterion), []).append(one)
    return [said for (s, c), differences in by_case.items() for said in _said(reads, s, c, differences)]


def _said(reads: Reads, subject: str, criterion: str, differences: list[Discordance]) -> Iterator[Said]:
    rules = reads.protocol.response
    names = (BEST_RESPONSE, PROGRESSED, PROGRESSION_DATE, FIRST_RESPONSE_DATE)
    for reader, track in reads.of(subject, criterion).items():
        last = list(track.visits.values())[-1]
        yield Said(
            subject=subject,
            criterion=criterion,
            reader=reader,
            differs=tuple(dict.fromkeys(one.variable for one in differences)),
            causes=tuple(dict.fromkeys(one.cause.name for one in differences)),
            values={name: value_of(name, track, rules) for name in derivable(names, dated=reads.dated)},
            visits=tuple(f"{t} {visit.overall}" for t, visit in track.follow_ups().items()),
            reason=last.reason if track.best is None else track.best.reason,
        )


def disagrees(reads: Reads, track: Track, adjudicator: Track, variables: Iterable[str], tolerance_days: int) -> bool:
    """Whether a reader and the adjudicator of a case differ in one of the variables."""
    rules = reads.protocol.response
    for variable in derivable(tuple(variables), dated=reads.dated):
        if variable == VISIT_RESPONSE:
            if any(a != b for _, a, b in visit_values(track, adjudicator)):
                return True
        elif differ(value_of(variable, track, rules), value_of(variable, adjudicator, rules), tolerance_days):
            return True
    return False
