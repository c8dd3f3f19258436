"""What a reader's category would be with the other reader's baseline, follow-up, or with the targets that both chose.

For baseline and follow-up every read is reduced to one target whose size is the recorded sum; what else a reader saw (non-targets, new
lesions) goes with the follow-up. A read whose reduction does not give what was recorded (normal nodes that count, an incomplete sum)
is not swapped, and its reason is told.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from decimal import Decimal

from mrecist.agreement.matching import TargetSets, target_sets
from mrecist.agreement.reads import Reads, Track
from mrecist.errors import ReadError
from mrecist.model import Measurement, Response, Role, State, VisitResponse
from mrecist.protocol import CriterionSetting, ResponseRules
from mrecist.response.assess import assess_read
from mrecist.response.read import build_read

BASELINE, FOLLOW_UP, COMMON_TARGETS = "baseline", "follow_up", "common_targets"
_LESION = "SUM"

Classes = Mapping[int, Response]
"""Time point -> overall response."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Crossed:
    """One subject by one criterion: the baseline of each reader with the follow-up of each reader.

    ``grid`` maps (reader of the baseline, reader of the follow-up) to classes, for readers that can be swapped; ``not_swapped`` says
    why others cannot.
    """

    subject: str
    criterion: str
    grid: Mapping[tuple[str, str], Classes]
    not_swapped: Mapping[str, str]
    recorded: Mapping[str, Classes]


@dataclass(frozen=True, slots=True, kw_only=True)
class Swap:
    """A row of ``swaps.csv``: what ``reader`` would have found at a visit with something of ``other``."""

    subject: str
    criterion: str
    timepoint: int
    swap: str
    reader: str
    other: str
    recorded: Response
    swapped: Response | None
    other_recorded: Response | None
    detail: str = ""

    @property
    def changes(self) -> bool | None:
        """Whether the class is another one; None where it could not be found."""
        return None if self.swapped is None else self.swapped is not self.recorded


def crossed(reads: Reads, subject: str, criterion: str) -> Crossed:
    """All baselines with all follow-ups of one subject."""
    setting, rules = reads.settings[criterion], reads.protocol.response
    tracks = reads.of(subject, criterion)
    not_swapped = {reader: why for reader, track in tracks.items() if (why := _why_not(track, setting, rules))}
    able = {reader: track for reader, track in tracks.items() if reader not in not_swapped}
    grid: dict[tuple[str, str], Classes] = {}
    for first, baseline in able.items():
        for second, follow_up in able.items():
            found = _classes(_reduced(baseline, follow_up, setting), setting, rules)
            grid[first, second] = found if isinstance(found, dict) else {}
    return Crossed(
        subject=subject,
        criterion=criterion,
        grid=grid,
        not_swapped=not_swapped,
        recorded={reader: _recorded(track) for reader, track in tracks.items()},
    )


def swaps_of(reads: Reads, found: Crossed) -> Iterator[Swap]:
    """Every reader with the baseline, the follow-up and the common targets of every other one, visit by visit."""
    tracks = reads.of(found.subject, found.criterion)
    for reader, other in ((a, b) for a in tracks for b in tracks if a != b):
        why = "; ".join(f"{name}: {found.not_swapped[name]}" for name in (reader, other) if name in found.not_swapped)
        for swap, key in ((BASELINE, (other, reader)), (FOLLOW_UP, (reader, other))):
            yield from _rows(found, swap, reader, other, found.grid.get(key, {}), why)
        if not reads.sums_only:
            sets = target_sets(tracks[reader], tracks[other], by_name=reads.shared_names)
            if sets.both and not sets.same:
                classes = on_common_targets(
                    tracks[reader], sets, reads.settings[found.criterion], reads.protocol.response
                )
                yield from _rows(found, COMMON_TARGETS, reader, other, classes, sets.words(), told=True)


def _rows(
    found: Crossed, swap: str, reader: str, other: str, classes: Classes, detail: str, *, told: bool = False
) -> Iterator[Swap]:
    for timepoint, recorded in found.recorded[reader].items():
        swapped = classes.get(timepoint)
        yield Swap(
            subject=found.subject,
            criterion=found.criterion,
            timepoint=timepoint,
            swap=swap,
            reader=reader,
            other=other,
            recorded=recorded,
            swapped=swapped,
            other_recorded=found.recorded[other].get(timepoint),
            detail=detail if told or (detail and swapped is None) else _no_visit(swapped, other, timepoint),
        )


def _no_visit(swapped: Response | None, other: str, timepoint: int) -> str:
    return f"{other} has no response at time point {timepoint}" if swapped is None else ""


def on_common_targets(track: Track, sets: TargetSets, setting: CriterionSetting, rules: ResponseRules) -> Classes:
    """The classes of a read from the targets that both readers chose, its other findings as they are; empty where there are none."""
    mine = {row.lesion for match in sets.both for row in (match.one, match.other) if row.reader == track.rows[0].reader}
    of_targets = {row.lesion: row.part_of for row in track.rows if row.role is Role.TARGET}
    rows = [row for row in track.rows if row.role is not Role.TARGET or _root(row.lesion, of_targets) in mine]
    found = _classes(rows, setting, rules)
    return found if isinstance(found, dict) else {}


def _root(lesion: str, parents: Mapping[str, str]) -> str:
    seen = {lesion}
    while (parent := parents.get(lesion, "")) and parent not in seen:
        seen.add(parent)
        lesion = parent
    return lesion


def _recorded(track: Track) -> dict[int, Response]:
    return {t: visit.overall for t, visit in track.follow_ups().items() if visit.overall is not None}


def _why_not(track: Track, setting: CriterionSetting, rules: ResponseRules) -> str:
    """Why a read cannot be reduced to its sums; empty where it can."""
    if not track.rows:
        return "its rows are not there"
    if 0 not in track.visits or track.visits[0].sum is None:
        return "it has no complete baseline sum"
    found = _assessed(_reduced(track, track, setting), setting, rules)
    if isinstance(found, str):
        return found
    by_timepoint = {visit.timepoint: visit for visit in found}
    for timepoint, visit in track.follow_ups().items():
        again = by_timepoint.get(timepoint)
        if again is None or not _same(again, visit):
            gives = "nothing" if again is None else again.overall
            return f"its sum as one target gives {gives} at time point {timepoint}, recorded is {visit.overall}"
    return ""


def _same(one: VisitResponse, other: VisitResponse) -> bool:
    return all(getattr(one, name) == getattr(other, name) for name in ("overall", "target", "non_target"))


def _classes(rows: list[Measurement], setting: CriterionSetting, rules: ResponseRules) -> dict[int, Response] | str:
    found = _assessed(rows, setting, rules)
    if isinstance(found, str):
        return found
    return {visit.timepoint: visit.overall for visit in found if visit.overall is not None}


def _assessed(
    rows: list[Measurement], setting: CriterionSetting, rules: ResponseRules
) -> tuple[VisitResponse, ...] | str:
    """The responses by the engine, or the reason why it gives none."""
    try:
        return tuple(one.response for one in assess_read(build_read(rows), setting, rules))
    except ReadError as error:
        return str(error)


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
