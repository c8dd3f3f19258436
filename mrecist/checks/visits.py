"""Checks that look at the visits of a read: what is missing at them, and how they were imaged and measured."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from decimal import Decimal
from itertools import pairwise
from typing import TypeVar

from mrecist.checks.finding import Found, ReadCase, ReadCheck, at, has_size
from mrecist.checks.lesions import slipped
from mrecist.criteria._viable import phase_word
from mrecist.dates import days_between
from mrecist.model import Kind, Measurement, Role, State
from mrecist.response.read import Read, Visit
from mrecist.response.targets import modality_word
from mrecist.units import difference, fell_by, percent_change, product, rose_by, show, show_percent, total

# The other targets hardly change: below what progression asks for; and a change that measuring does not explain.
STEADY_PERCENT = Decimal(20)
JUMP_MM = Decimal(5)
_UNKNOWN = ("", "unknown")
ACQUISITION = ("modality", "phase", "slice_thickness_mm")
Value = TypeVar("Value", str, Decimal)

# --- how it was imaged -----------------------------------------------------------------------------------------------


def _phase(row: Measurement) -> str | None:
    phase = phase_word(row.phase)
    return None if phase in _UNKNOWN else phase


def _changes(
    read: Read, value: Callable[[Measurement], Value | None], differs: Callable[[Value, Value], bool], words: str
) -> Iterator[Found]:
    """Where lesions differ from their first row that states the value, until they differ in another way or no more.

    One finding for all lesions of a visit with the same change; ``words`` has places for now, then and when.
    """
    first: dict[str, tuple[Value, int]] = {}
    last: dict[str, Value] = {}
    for visit in read.visits:
        groups: dict[tuple[Value, Value, int], list[str]] = {}
        for row in visit.rows.values():
            now = value(row) if has_size(row) else None
            if now is None:
                continue
            then, when = first.setdefault(row.lesion, (now, visit.timepoint))
            if differs(now, then) and differs(now, last.get(row.lesion, then)):
                groups.setdefault((now, then, when), []).append(row.lesion)
            last[row.lesion] = now
        for (now, then, when), lesions in groups.items():
            what = f"{', '.join(lesions)}: {words.format(now=_shown(now), then=_shown(then), when=when)}"
            yield Found(what=what, timepoint=visit.timepoint, lesions=tuple(lesions))


def _shown(value: str | Decimal) -> str:
    return show(value) if isinstance(value, Decimal) else value


def changed_modality(case: ReadCase) -> Iterator[Found]:
    """Another modality than at first."""
    return _changes(
        case.read,
        lambda row: modality_word(row.modality) or None,
        str.__ne__,
        "modality is {now} and was {then} at time point {when}",
    )


def changed_phase(case: ReadCase) -> Iterator[Found]:
    """Another phase than at first; a phase that is unknown is no change."""
    return _changes(case.read, _phase, str.__ne__, "phase is {now} and was {then} at time point {when}")


def changed_slice_thickness(case: ReadCase) -> Iterator[Found]:
    """A slice thickness more than slice_change_mm off that at first."""
    return _changes(
        case.read,
        lambda row: row.slice_thickness_mm,
        lambda now, then: abs(difference(now, then)) > case.limits.slice_change_mm,
        "slices of {now} mm, and of {then} mm at time point {when}",
    )


def thick_slices(case: ReadCase) -> Iterator[Found]:
    """Slices above max_slice_mm, one finding for all lesions of a visit with that thickness."""
    for visit in case.read.visits:
        groups: dict[Decimal, list[str]] = {}
        for row in visit.rows.values():
            thickness = row.slice_thickness_mm
            if thickness is not None and thickness > case.limits.max_slice_mm and has_size(row):
                groups.setdefault(thickness, []).append(row.lesion)
        for thickness, lesions in groups.items():
            what = f"{', '.join(lesions)}: slices of {show(thickness)} mm, above {show(case.limits.max_slice_mm)} mm"
            yield Found(what=what, timepoint=visit.timepoint, lesions=tuple(lesions))


def acquisition_not_recorded(case: ReadCase) -> Iterator[Found]:
    """Modality, phase or slice thickness empty in rows with a size; one finding for the whole read."""
    rows = [row for visit in case.read.visits for row in visit.rows.values() if has_size(row)]
    missing = {name: sum(not is_stated(row, name) for row in rows) for name in ACQUISITION if name not in case.unstated}
    words = [f"{name} in {count}" for name, count in missing.items() if count]
    if words:
        yield Found(what=f"not recorded: {', '.join(words)} of {len(rows)} rows with a size")


def is_stated(row: Measurement, name: str) -> bool:
    """The row says how it was imaged; a slice thickness of 0 says nothing."""
    return bool(getattr(row, name))


# --- what is missing -------------------------------------------------------------------------------------------------


def _is_seen(read: Read, visit: Visit, lesion: str) -> bool:
    return lesion in visit.rows or any(part in visit.rows for part in read.parts(lesion))


def _without_row(case: ReadCase, rows: tuple[Measurement, ...]) -> Iterator[Found]:
    read = case.read
    for visit in read.visits[1:]:
        for row in rows:
            treated = row.lesion in read.treated and read.treated[row.lesion][1] <= visit.timepoint
            if not treated and not _is_seen(read, visit, row.lesion):
                what = f"{row.lesion}: {row.role} without a row at time point {visit.timepoint}"
                yield Found(what=what, timepoint=visit.timepoint, lesions=(row.lesion,))


def target_without_row(case: ReadCase) -> Iterator[Found]:
    """A target that has neither row nor fragment at a visit, and was not treated locally before."""
    return _without_row(case, case.read.targets)


def non_target_without_row(case: ReadCase) -> Iterator[Found]:
    """The same for a non-target."""
    return _without_row(case, case.read.non_targets)


def timepoint_skipped(case: ReadCase) -> Iterator[Found]:
    """Time points that are not consecutive."""
    for before, visit in pairwise(case.read.visits):
        if visit.timepoint > before.timepoint + 1:
            what = f"time point {visit.timepoint} follows time point {before.timepoint}"
            yield Found(what=what, timepoint=visit.timepoint)


# --- what was measured -----------------------------------------------------------------------------------------------


def single_fragment(case: ReadCase) -> Iterator[Found]:
    """A lesion that split into one fragment."""
    for lesion, parts in case.read.fragments.items():
        if len(parts) == 1:
            first = min(case.read.history(parts[0]))
            yield Found(what=f"{lesion} split into {parts[0]} only", timepoint=first, lesions=(lesion, parts[0]))


def _size(visit: Visit, lesion: str) -> Decimal | None:
    """The conventional size of a measured target, None for one that carries the mass of another."""
    row = visit.rows.get(lesion)
    if row is None or row.role is not Role.TARGET or row.state is not State.MEASURED:
        return None
    if any(other.state is State.MERGED and other.part_of == lesion for other in visit.rows.values()):
        return None
    return row.short_mm if row.kind is Kind.NODE else row.longest_mm


def jump(case: ReadCase) -> Iterator[Found]:
    """One target changes by more than jump_percent within jump_days while the others stay within 20 %.

    By the conventional size; viable sizes may vanish in one lesion alone. A merged mass and a decimal slip are no jump.
    """
    for before, visit in pairwise(case.read.visits):
        days = days_between(before.dates[-1], visit.dates[0])
        if days > case.limits.jump_days:
            continue
        sizes = {
            lesion: (then, now)
            for lesion in visit.rows
            if (then := _size(before, lesion)) and (now := _size(visit, lesion))
        }
        for lesion, (then, now) in sizes.items():
            others = [pair for other, pair in sizes.items() if other != lesion]
            row = visit.rows[lesion]
            if not others or slipped(before.rows[lesion], row) or not _is_jump(then, now, case.limits.jump_percent):
                continue
            rest_then, rest_now = total(p[0] for p in others), total(p[1] for p in others)
            if not (rose_by(rest_now, rest_then, STEADY_PERCENT) or fell_by(rest_now, rest_then, STEADY_PERCENT)):
                yield at(row, f"{_change(then, now)} in {days} days, the other targets {_change(rest_then, rest_now)}")


def _change(then: Decimal, now: Decimal) -> str:
    return f"{show(then)} to {show(now)} mm ({show_percent(percent_change(now, then))})"


def _is_jump(then: Decimal, now: Decimal, percent: Decimal) -> bool:
    """More than ``percent`` of the size before, up or down, and at least 5 mm."""
    change = abs(difference(now, then))
    return change >= JUMP_MM and product(change, Decimal(100)) > product(then, percent)


READ_CHECKS: dict[str, ReadCheck] = {
    check.__name__: check
    for check in (
        *(changed_modality, changed_phase, changed_slice_thickness, thick_slices, acquisition_not_recorded),
        *(target_without_row, non_target_without_row, timepoint_skipped, single_fragment, jump),
    )
}
