"""What a reader would have found with the other reader's baseline, follow-up, targets, or non-targets and new lesions.

For baseline and follow-up every read is reduced to one target whose size is the recorded sum; what else a reader saw (non-targets, new
lesions) goes with the follow-up. A read whose reduction does not give what was recorded (normal nodes that count, an incomplete sum)
is not swapped, and its reason is told. The same engine assesses all visits in order, so a swap has a best response too.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from decimal import Decimal

from mrecist.agreement.matching import TargetSets, target_sets
from mrecist.agreement.reads import Reads, Track
from mrecist.agreement.variables import BEST_RESPONSE, PROGRESSED, VISIT_RESPONSE, derivable, value_of
from mrecist.errors import ReadError
from mrecist.model import Measurement, Response, Role, State, VisitResponse
from mrecist.protocol import CriterionSetting
from mrecist.response.assess import assess_read
from mrecist.response.derive import best_of_visits
from mrecist.response.read import build_read

BASELINE, FOLLOW_UP, COMMON_TARGETS, OTHER_FINDINGS = "baseline", "follow_up", "common_targets", "other_findings"
SWAPS = (BASELINE, FOLLOW_UP, COMMON_TARGETS, OTHER_FINDINGS)
OF_READ = (BEST_RESPONSE, PROGRESSED)
"""What a whole read says, beside its visits."""
_LESION = "SUM"

Classes = Mapping[int, Response]
"""Time point -> overall response."""
Told = Mapping[str, str]
"""Variable of a whole read -> its value."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Crossed:
    """One subject by one criterion: the baseline of each reader with the follow-up of each reader.

    ``grid`` maps (reader of the baseline, reader of the follow-up) to classes, ``told`` to what the whole read says with them, for
    readers that can be swapped; ``not_swapped`` says why others cannot. ``recorded`` and ``recorded_told`` are the reads as they are.
    """

    subject: str
    criterion: str
    grid: Mapping[tuple[str, str], Classes]
    not_swapped: Mapping[str, str]
    recorded: Mapping[str, Classes]
    told: Mapping[tuple[str, str], Told]
    recorded_told: Mapping[str, Told]


@dataclass(frozen=True, slots=True, kw_only=True)
class Swap:
    """A row of ``swaps.csv``: what ``reader`` would have found with something of ``other``.

    ``timepoint`` is None where the variable is of the whole read.
    """

    subject: str
    criterion: str
    variable: str
    timepoint: int | None
    swap: str
    reader: str
    other: str
    recorded: str
    swapped: str | None
    other_recorded: str | None
    detail: str = ""

    @property
    def changes(self) -> bool | None:
        """Whether the class is another one; None where it could not be found."""
        return None if self.swapped is None else self.swapped != self.recorded


@dataclass(frozen=True, slots=True, kw_only=True)
class _Outcome:
    """What a swap gives; ``why`` is the reason where it gives nothing, ``detail`` is told in any case."""

    classes: Classes
    told: Told
    why: str = ""
    detail: str = ""


def crossed(reads: Reads, subject: str, criterion: str) -> Crossed:
    """All baselines with all follow-ups of one subject."""
    setting = reads.settings[criterion]
    tracks = reads.of(subject, criterion)
    not_swapped = {reader: why for reader, track in tracks.items() if (why := _why_not(track, setting, reads))}
    able = {reader: track for reader, track in tracks.items() if reader not in not_swapped}
    grid: dict[tuple[str, str], Classes] = {}
    told: dict[tuple[str, str], Told] = {}
    for first, baseline in able.items():
        for second, follow_up in able.items():
            found = _derived(_reduced(baseline, follow_up, setting), setting, reads)
            grid[first, second] = {} if isinstance(found, str) else _recorded(found)
            told[first, second] = {} if isinstance(found, str) else _told(found, reads)
    return Crossed(
        subject=subject,
        criterion=criterion,
        grid=grid,
        not_swapped=not_swapped,
        recorded={reader: _recorded(track) for reader, track in tracks.items()},
        told=told,
        recorded_told={reader: _told(track, reads) for reader, track in tracks.items()},
    )


def swaps_of(reads: Reads, found: Crossed) -> Iterator[Swap]:
    """Every reader with the baseline, the follow-up, the common targets and the other findings of every other one."""
    tracks = reads.of(found.subject, found.criterion)
    setting = reads.settings[found.criterion]
    again = {} if reads.sums_only else {reader: _again(track, setting, reads) for reader, track in tracks.items()}
    for reader, other in ((a, b) for a in tracks for b in tracks if a != b):
        for swap in (BASELINE, FOLLOW_UP):
            yield from _rows(found, swap, reader, other, _of_sums(found, swap, reader, other))
        if not reads.sums_only:
            sets = target_sets(tracks[reader], tracks[other], by_name=reads.shared_names)
            if sets.both and not sets.same:
                outcome = _on_common_targets(tracks[reader], sets, setting, reads)
                told, why = _as_recorded(found, outcome.told, {reader: again[reader]})
                yield from _rows(found, COMMON_TARGETS, reader, other, _with(outcome, told, why))
            if _findings(tracks[reader]) or _findings(tracks[other]):
                outcome = _with_findings(tracks[reader], tracks[other], setting, reads)
                told, why = _as_recorded(found, outcome.told, {reader: again[reader]})
                yield from _rows(found, OTHER_FINDINGS, reader, other, _with(outcome, told, why))


def _again(track: Track, setting: CriterionSetting, reads: Reads) -> Told:
    """What the whole read says when its rows are assessed once more."""
    found = _derived(list(track.rows), setting, reads) if track.rows else ""
    return {} if isinstance(found, str) else _told(found, reads)


def _as_recorded(found: Crossed, told: Told, again: Mapping[str, Told]) -> tuple[Told, list[str]]:
    """What a swapped read says of variables that the reads say again as recorded; the others with their reason.

    They differ where the protocol asks for dates (start, new therapy) that are not at hand.
    """
    kept, why = dict(told), []
    for name, of_read in again.items():
        for variable, recorded in found.recorded_told[name].items():
            if variable in of_read and of_read[variable] != recorded:
                kept.pop(variable, None)
                why.append(f"{name}: its rows give {variable} {of_read[variable]}, recorded is {recorded}")
    return kept, why


def _with(outcome: _Outcome, told: Told, why: list[str]) -> _Outcome:
    return replace(outcome, told=told, why="; ".join(filter(None, [outcome.why, *why])))


def _of_sums(found: Crossed, swap: str, reader: str, other: str) -> _Outcome:
    """A cell of the grid; what the whole read says only where the reduced reads say what was recorded of both."""
    key = (other, reader) if swap == BASELINE else (reader, other)
    why = [f"{name}: {found.not_swapped[name]}" for name in (reader, other) if name in found.not_swapped]
    again = {name: found.told.get((name, name), {}) for name in (reader, other)}
    told, not_told = _as_recorded(found, found.told.get(key, {}), again)
    return _Outcome(classes=found.grid.get(key, {}), told=told, why="; ".join([*why, *not_told]))


def _rows(found: Crossed, swap: str, reader: str, other: str, outcome: _Outcome) -> Iterator[Swap]:
    visits = [
        (VISIT_RESPONSE, timepoint, recorded, outcome.classes.get(timepoint), found.recorded[other].get(timepoint))
        for timepoint, recorded in found.recorded[reader].items()
    ]
    wholes = [
        (variable, None, recorded, outcome.told.get(variable), found.recorded_told[other].get(variable))
        for variable, recorded in found.recorded_told[reader].items()
    ]
    for variable, timepoint, recorded, swapped, others in (*visits, *wholes):
        missing = "" if swapped is not None else outcome.why or _no_visit(other, timepoint)
        yield Swap(
            subject=found.subject,
            criterion=found.criterion,
            variable=variable,
            timepoint=timepoint,
            swap=swap,
            reader=reader,
            other=other,
            recorded=recorded,
            swapped=swapped,
            other_recorded=others,
            detail="; ".join(filter(None, [outcome.detail, missing])),
        )


def _no_visit(other: str, timepoint: int | None) -> str:
    if timepoint is None:
        return f"not every visit has a response with what is {other}'s"
    return f"{other} has no response at time point {timepoint}"


def _on_common_targets(track: Track, sets: TargetSets, setting: CriterionSetting, reads: Reads) -> _Outcome:
    """A read from the targets that both readers chose, its other findings as they are."""
    mine = {row.lesion for match in sets.both for row in (match.one, match.other) if row.reader == track.rows[0].reader}
    of_targets = {row.lesion: row.part_of for row in track.rows if row.role is Role.TARGET}
    rows = [row for row in track.rows if row.role is not Role.TARGET or _root(row.lesion, of_targets) in mine]
    return _outcome(_derived(rows, setting, reads), reads, sets.words())


def _root(lesion: str, parents: Mapping[str, str]) -> str:
    seen = {lesion}
    while (parent := parents.get(lesion, "")) and parent not in seen:
        seen.add(parent)
        lesion = parent
    return lesion


def _findings(track: Track) -> list[Measurement]:
    return [row for row in track.rows if row.role is not Role.TARGET]


def _with_findings(track: Track, other: Track, setting: CriterionSetting, reads: Reads) -> _Outcome:
    """A read with its own targets and the non-targets and new lesions of another, at the visits that both have."""
    if not track.rows or not other.rows:
        return _Outcome(classes={}, told={}, why="the rows of both are needed")
    shared = {row.timepoint for row in track.rows} & {row.timepoint for row in other.rows}
    days = {row.timepoint: row.date for row in track.rows}
    others = {row.lesion for row in _findings(other)}
    moved = []
    for row in _findings(other):
        if row.part_of and row.part_of not in others:
            return _Outcome(classes={}, told={}, why=f"{row.lesion} of {row.reader} is a part of a target")
        if row.timepoint in shared:
            part_of = _of_other(row.part_of, row.reader) if row.part_of else ""
            mine = replace(row, reader=track.rows[0].reader, date=days[row.timepoint], part_of=part_of)
            moved.append(replace(mine, lesion=_of_other(row.lesion, row.reader)))
    own = [row for row in track.rows if row.role is Role.TARGET and row.timepoint in shared]
    outcome = _outcome(_derived([*own, *moved], setting, reads), reads)
    if outcome.why or shared == set(track.visits):
        return outcome
    return replace(outcome, told={}, why=f"{other.rows[0].reader} has not the same visits")


def _of_other(lesion: str, reader: str) -> str:
    """Another name than any of the reader's own lesions."""
    return f"{lesion} of {reader}"


def _outcome(found: Track | str, reads: Reads, detail: str = "") -> _Outcome:
    if isinstance(found, str):
        return _Outcome(classes={}, told={}, why=found, detail=detail)
    return _Outcome(classes=_recorded(found), told=_told(found, reads), detail=detail)


def _recorded(track: Track) -> dict[int, Response]:
    return {t: visit.overall for t, visit in track.follow_ups().items() if visit.overall is not None}


def _told(track: Track, reads: Reads) -> dict[str, str]:
    names = derivable(OF_READ, dated=reads.dated)
    return {name: str(value_of(name, track, reads.protocol.response)) for name in names}


def _why_not(track: Track, setting: CriterionSetting, reads: Reads) -> str:
    """Why a read cannot be reduced to its sums; empty where it can."""
    if not track.rows:
        return "its rows are not there"
    if 0 not in track.visits or track.visits[0].sum is None:
        return "it has no complete baseline sum"
    found = _derived(_reduced(track, track, setting), setting, reads)
    if isinstance(found, str):
        return found
    for timepoint, visit in track.follow_ups().items():
        again = found.visits.get(timepoint)
        if again is None or not _same(again, visit):
            gives = "nothing" if again is None else again.overall
            return f"its sum as one target gives {gives} at time point {timepoint}, recorded is {visit.overall}"
    return ""


def _same(one: VisitResponse, other: VisitResponse) -> bool:
    return all(getattr(one, name) == getattr(other, name) for name in ("overall", "target", "non_target"))


def _derived(rows: list[Measurement], setting: CriterionSetting, reads: Reads) -> Track | str:
    """The read by the engine, or the reason why it gives none."""
    rules = reads.protocol.response
    try:
        found = tuple(one.response for one in assess_read(build_read(rows), setting, rules))
    except ReadError as error:
        return str(error)
    best = best_of_visits(found, rules, reads.subject_dates) if reads.dated else None
    return Track(visits={visit.timepoint: visit for visit in found}, best=best)


def _reduced(baseline: Track, follow_up: Track, setting: CriterionSetting) -> list[Measurement]:
    """One target with the baseline sum of one read and the later sums of another; all else is the other's."""
    others = [row for row in follow_up.rows if row.role is not Role.TARGET]
    first = follow_up.visits[0]
    made = []
    for timepoint, visit in follow_up.visits.items():
        size = baseline.visits[0].sum if timepoint == 0 else visit.sum
        if size is not None:
            made.append(_one_target(first, timepoint, visit, size, setting))
    # A visit without a complete sum, and with no other row, would be no visit.
    there = {row.timepoint for row in (*made, *others)}
    for timepoint, visit in follow_up.visits.items():
        if timepoint not in there:
            row = _one_target(first, timepoint, visit, Decimal(0), setting)
            made.append(replace(row, state=State.NOT_EVALUABLE))
    return [*made, *others]


def _one_target(
    first: VisitResponse, timepoint: int, visit: VisitResponse, size: Decimal, setting: CriterionSetting
) -> Measurement:
    row = Measurement(
        subject=first.subject,
        reader=first.reader,
        timepoint=timepoint,
        date=visit.date,
        lesion=_LESION,
        role=Role.TARGET,
        state=State.ABSENT if size == 0 and timepoint > 0 else State.MEASURED,
    )
    return row if row.state is State.ABSENT else _sized(row, setting.criterion.name, size)


def _sized(row: Measurement, standard: str, size: Decimal) -> Measurement:
    """The row with the columns that make its size by a criterion ``size``."""
    if standard == "mrecist":
        return replace(row, longest_mm=size, viable_mm=size)
    if standard == "easl":
        one = Decimal(1)
        return replace(row, longest_mm=size, short_mm=one, viable_mm=size, viable_short_mm=one)
    if standard == "qeasl":
        return replace(row, volume_mm3=size, viable_volume_mm3=size)
    return replace(row, volume_mm3=size) if standard == "vrecist" else replace(row, longest_mm=size)
