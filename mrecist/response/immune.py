"""iRECIST: what follows from a progression that is not yet confirmed, visit by visit (Seymour 2017, Table 2).

A block of iUPD begins with the first progression and goes on until it is confirmed (iCPD), or until a visit without
progression resets it. New lesions never enter the sum of the targets: the measurable ones (up to five, two an organ) have a
sum of their own, the others are followed by the reader's word. After a reset the new lesions that are still there are part of
the disease, and only their growth is a progression again.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from datetime import date
from decimal import Decimal

from mrecist.criteria._organs import organ_of
from mrecist.criteria._overall import overall_response
from mrecist.criteria._rule import Thresholds
from mrecist.criteria.irecist import CONFIRMED_BY, IMMUNE, S17
from mrecist.dates import days_between
from mrecist.model import Change, Kind, Measurement, Response, State
from mrecist.protocol import CriterionSetting
from mrecist.response.new_lesions import NewAtVisit
from mrecist.response.read import Read, Visit
from mrecist.units import difference, rose_by, show, total

MAX_NEW_TARGETS, MAX_NEW_TARGETS_PER_ORGAN = 5, 2
# The confirming scan is due 4 to 8 weeks after the first iUPD (Seymour 2017).
LATE_AFTER_DAYS = 56
_BETTER = {Response.CR: 3, Response.PR: 2, Response.SD: 1}


@dataclass(frozen=True, slots=True, kw_only=True)
class Sums:
    """What can grow between visits: the sum of the targets and that of the measurable new lesions; None = not complete."""

    targets: Decimal | None
    new_targets: Decimal | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Block:
    """An unconfirmed progression: where it began, what it was seen in, and the sums to compare with."""

    timepoint: int
    onset: date
    # The last assessment that was iUPD.
    last_date: date
    seen_in: frozenset[str]
    progressed: frozenset[str]
    target: Response
    start: Sums
    last: Sums
    confirmed_at: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Waiting:
    """What one visit leaves for the next: the block, the new lesions known, and those that are part of the disease."""

    block: Block | None = None
    known: frozenset[str] = frozenset()
    accepted: frozenset[str] = frozenset()
    # Smallest sum of measurable new lesions since the last reset.
    new_nadir: Decimal | None = None
    # Time point of the confirmed progression, after which nothing counts.
    confirmed_at: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ImmuneFindings:
    """What a visit shows: RECIST 1.1 categories, the evaluated sum, and the new lesions."""

    target: Response
    # Sum of the targets that were evaluated, and whether these are all.
    sum: Decimal | None
    complete: bool
    non_target: Response
    progressed: tuple[str, ...]
    new: NewAtVisit
    cr_at: int | None
    # The day of the visit as a progression.
    day: date


@dataclass(frozen=True, slots=True, kw_only=True)
class Immune:
    """The overall response with its words and source, and what it leaves for the next visit."""

    overall: Response
    words: str
    source: str
    flags: tuple[str, ...]
    waiting: Waiting

    @property
    def disregarded(self) -> bool:
        """A scan before the confirming one is due (A25): it confirms and resets nothing and leaves no nadir."""
        return any(flag.startswith("CONFIRMATION_EARLY:") for flag in self.flags)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Now:
    """One visit, read for iRECIST."""

    visit: Visit
    findings: ImmuneFindings
    thresholds: Thresholds
    sums: Sums
    # New lesions that are there and count, and those among them that count for the first time.
    present: frozenset[str]
    appeared: frozenset[str]
    seen_in: frozenset[str]
    unmeasured: frozenset[str]
    non_target_grew: tuple[str, ...]
    new_grew: tuple[str, ...]


def immune_response(
    read: Read, visit: Visit, setting: CriterionSetting, findings: ImmuneFindings, waiting: Waiting
) -> Immune:
    """The overall response of one visit, given what waits from the visits before."""
    now = _read_visit(read, visit, setting.thresholds, findings, waiting)
    if waiting.block is None:
        immune = _without_block(now, setting, _having_seen(waiting, now))
    else:
        immune = _with_block(now, setting, waiting, waiting.block)
    if waiting.confirmed_at is None:
        return immune
    return replace(immune, flags=(*immune.flags, "AFTER_ICPD"))


def _having_seen(waiting: Waiting, now: _Now) -> Waiting:
    return replace(waiting, known=waiting.known | now.present)


# --- what the visit shows --------------------------------------------------------------------------------------------


def _read_visit(read: Read, visit: Visit, thresholds: Thresholds, findings: ImmuneFindings, waiting: Waiting) -> _Now:
    present = frozenset(findings.new.counted)
    new_targets = _new_targets(read, thresholds)
    appeared = present - waiting.known
    seen_in = set()
    if findings.target is Response.PD:
        seen_in.add("targets")
    back = findings.cr_at is not None and findings.non_target is Response.NON_CR_NON_PD
    if findings.non_target is Response.PD or back:
        seen_in.add("non-targets")
    if present - waiting.accepted:
        seen_in.add("new lesions")
    unmeasured = frozenset(lesion for lesion in present if lesion not in new_targets)
    return _Now(
        visit=visit,
        findings=findings,
        thresholds=thresholds,
        sums=Sums(targets=findings.sum, new_targets=_sum_of_new(visit, new_targets, findings.new)),
        present=present,
        appeared=appeared,
        seen_in=frozenset(seen_in),
        unmeasured=unmeasured,
        non_target_grew=_grew(read, visit, [row.lesion for row in read.non_targets]),
        new_grew=_grew(read, visit, sorted(unmeasured - appeared)),
    )


def _new_targets(read: Read, thresholds: Thresholds) -> tuple[str, ...]:
    """The measurable new lesions by their first unequivocal row, at most five and two an organ, the largest first."""
    chosen: list[Measurement] = []
    for visit in read.visits[1:]:
        seen = [row for row in visit.rows.values() if row.state is State.UNEQUIVOCAL]
        rows = [row for row in seen if _first_unequivocal(read, row) == visit.timepoint]
        measurable = [row for row in rows if _measurable(row, thresholds)]
        for row in sorted(measurable, key=lambda r: (-(_size(r) or 0), r.lesion)):
            same_organ = [r for r in chosen if organ_of(r) == organ_of(row)]
            if len(chosen) < MAX_NEW_TARGETS and (not organ_of(row) or len(same_organ) < MAX_NEW_TARGETS_PER_ORGAN):
                chosen.append(row)
    return tuple(row.lesion for row in chosen)


def _first_unequivocal(read: Read, row: Measurement) -> int | None:
    return min((t for t, r in read.history(row.lesion).items() if r.state is State.UNEQUIVOCAL), default=None)


def _measurable(row: Measurement, thresholds: Thresholds) -> bool:
    size = _size(row)
    limit = thresholds.new_target_node_mm if row.kind is Kind.NODE else thresholds.new_target_mm
    return size is not None and size >= limit


def _size(row: Measurement) -> Decimal | None:
    return row.short_mm if row.kind is Kind.NODE else row.longest_mm


def _sum_of_new(visit: Visit, new_targets: tuple[str, ...], new: NewAtVisit) -> Decimal | None:
    """Sum of the measurable new lesions that are here; None when one has no size, or is only proven later."""
    sizes: list[Decimal] = []
    for lesion in new_targets:
        if lesion not in new.counted:
            continue
        row = visit.rows.get(lesion)
        size = _size(row) if row is not None and row.state is State.UNEQUIVOCAL else None
        if size is None:
            return None
        sizes.append(size)
    return total(sizes)


def _grew(read: Read, visit: Visit, lesions: list[str]) -> tuple[str, ...]:
    """Lesions that increased since the last visit: by the reader's word, else by their recorded size."""
    grew = []
    for lesion in lesions:
        row = visit.rows.get(lesion)
        if row is None or row.state is State.ABSENT:
            continue
        if row.change is Change.INCREASE or (row.change is None and _larger_than_before(read, row)):
            grew.append(lesion)
    return tuple(grew)


def _larger_than_before(read: Read, row: Measurement) -> bool:
    earlier = [_size(r) for t, r in sorted(read.history(row.lesion).items()) if t < row.timepoint]
    known = [size for size in earlier if size is not None]
    size = _size(row)
    return bool(known) and size is not None and size > known[-1]


# --- no progression waits --------------------------------------------------------------------------------------------


def _without_block(now: _Now, setting: CriterionSetting, waiting: Waiting) -> Immune:
    regrown = _accepted_grew(now, waiting)
    seen_in = now.seen_in | ({"new lesions"} if regrown else set())
    if not seen_in:
        overall, source = _matrix(now, setting, waiting)
        smaller = _smaller(waiting.new_nadir, now.sums.new_targets) if waiting.accepted else None
        waiting = replace(waiting, accepted=waiting.accepted & now.present, new_nadir=smaller)
        return Immune(overall=overall, words="no progression", source=source, flags=(), waiting=waiting)
    block = Block(
        timepoint=now.visit.timepoint,
        onset=now.findings.day,
        last_date=now.findings.day,
        seen_in=frozenset(seen_in),
        progressed=frozenset(now.findings.progressed),
        target=now.findings.target,
        start=_to_compare_with(now),
        last=_to_compare_with(now),
    )
    where = " and ".join(sorted(seen_in))
    words = f"progression in {where}, to be confirmed at the next assessment"
    source = f"{S17}, Table 2: progression without an iUPD before is iUPD"
    waiting = replace(waiting, block=block)
    return Immune(overall=Response.IUPD, words=words, source=source, flags=(), waiting=waiting)


def _accepted_grew(now: _Now, waiting: Waiting) -> bool:
    """New lesions that became part of the disease by a reset have grown since: the measurable ones as targets do (FAQ).

    No state says that an unmeasured new lesion grew unequivocally, so any increase of it counts.
    """
    measured = _is_progression(now.sums.new_targets, waiting.new_nadir, now.thresholds)
    return measured or any(lesion in waiting.accepted for lesion in now.new_grew)


def _is_progression(value: Decimal | None, nadir: Decimal | None, limits: Thresholds) -> bool:
    """RECIST 1.1 progression of a sum from its nadir; None = not known."""
    if value is None or nadir is None:
        return False
    rose = rose_by(value, nadir, limits.pd_percent, inclusive=limits.pd_inclusive)
    return rose and difference(value, nadir) >= limits.pd_absolute_mm


def _smaller(one: Decimal | None, other: Decimal | None) -> Decimal | None:
    """The smaller of two sums; None = not known."""
    return min((value for value in (one, other) if value is not None), default=None)


def _matrix(now: _Now, setting: CriterionSetting, waiting: Waiting) -> tuple[Response, str]:
    """The overall response without progression; an accepted new lesion is disease like a non-target."""
    non_target = now.findings.non_target
    if now.present & waiting.accepted and non_target in (Response.CR, Response.NA):
        non_target = Response.NON_CR_NON_PD
    overall, source = overall_response(
        setting.criterion.overall,
        setting.thresholds,
        target=now.findings.target,
        non_target=non_target,
        new_lesion=False,
    )
    return IMMUNE[overall], f"{S17}, Table 2 rows 1-4, as {source}"


# --- a progression waits ---------------------------------------------------------------------------------------------


def _with_block(now: _Now, setting: CriterionSetting, waiting: Waiting, block: Block) -> Immune:
    reasons = dict(_confirming(now, block))
    kept = _to_compare_with(now)
    goes_on = replace(
        block,
        last_date=now.findings.day if now.seen_in else block.last_date,
        seen_in=block.seen_in | now.seen_in,
        progressed=block.progressed | set(now.findings.progressed),
        target=now.findings.target if now.findings.target is not Response.NE else block.target,
        last=_known(kept, block.last),
        start=_known(block.start, kept),
    )
    if reasons and block.confirmed_at is None:
        outside = _outside_interval(now, waiting, block, reasons)
        return outside or _confirmed(now, _having_seen(waiting, now), block, goes_on, reasons)
    if block.confirmed_at is None and _days_after_onset(now, block) < now.thresholds.icpd_min_days:
        return _too_early(now, setting, waiting, block)
    waiting = _having_seen(waiting, now)
    if _recovered(now, block):
        return _reset(now, setting, waiting, block)
    waiting = replace(waiting, block=goes_on)
    if now.seen_in:
        return _still(now, waiting, block)
    overall, source = _matrix(now, setting, waiting)
    words = f"not evaluated, the iUPD of time point {block.timepoint} waits"
    return Immune(overall=overall, words=words, source=source, flags=(), waiting=waiting)


def _to_compare_with(now: _Now) -> Sums:
    """The sums that later visits are compared with: an incomplete sum is none."""
    return now.sums if now.findings.complete else replace(now.sums, targets=None)


def _known(sums: Sums, otherwise: Sums) -> Sums:
    return Sums(
        targets=otherwise.targets if sums.targets is None else sums.targets,
        new_targets=otherwise.new_targets if sums.new_targets is None else sums.new_targets,
    )


def _confirming(now: _Now, block: Block) -> Iterator[tuple[str, str]]:
    """Every condition of Table 2 that confirms the progression here: (name in CONFIRMED_BY, the numbers)."""
    if "targets" in now.seen_in:
        if "targets" not in block.seen_in:
            yield "target new", "targets progress for the first time in this block"
        elif (rise := _rise(now, block, lambda sums: sums.targets)) is not None:
            yield "target grew", f"sum of targets +{show(rise)} mm"
    if "non-targets" in now.seen_in and "non-targets" not in block.seen_in:
        yield "non-target new", "non-targets progress for the first time in this block"
    elif "non-targets" in block.seen_in and (grown := _non_target_growth(now, block)):
        yield "non-target grew", f"increase of {', '.join(grown)}"
    if now.appeared:
        yield "new lesion appeared", f"{', '.join(sorted(now.appeared))} new"
    if "new lesions" in block.seen_in:
        if not now.appeared and (rise := _rise(now, block, lambda sums: sums.new_targets)) is not None:
            yield "new targets grew", f"sum of measurable new lesions +{show(rise)} mm"
        if now.new_grew:
            yield "new non-target grew", f"increase of {', '.join(now.new_grew)}"


def _non_target_growth(now: _Now, block: Block) -> list[str]:
    more = [lesion for lesion in now.findings.progressed if lesion not in block.progressed]
    return list(dict.fromkeys((*now.non_target_grew, *more)))


def _rise(now: _Now, block: Block, of: Callable[[Sums], Decimal | None]) -> Decimal | None:
    """The rise that confirms: against the last visit, or by default also against the start of the block (A23, A24)."""
    value = of(now.sums)
    references = [of(block.last)] if now.thresholds.icpd_reference == "last" else [of(block.last), of(block.start)]
    if value is None:
        return None
    rises = [difference(value, reference) for reference in references if reference is not None]
    return max((rise for rise in rises if _is_enough(rise, now.thresholds)), default=None)


def _is_enough(rise: Decimal, limits: Thresholds) -> bool:
    """A23: at least icpd_mm, or more than it."""
    return rise > limits.icpd_mm or (rise == limits.icpd_mm and limits.icpd_inclusive)


def _outside_interval(now: _Now, waiting: Waiting, block: Block, reasons: dict[str, str]) -> Immune | None:
    """A scan too soon after the first iUPD, or too long after the last one, confirms nothing and changes nothing (A25)."""
    limits = now.thresholds
    since_first = _days_after_onset(now, block)
    since_last = days_between(block.last_date, now.findings.day)
    if since_first < limits.icpd_min_days:
        why = f"only {since_first} days after the first iUPD, at least {limits.icpd_min_days}"
        flag = f"CONFIRMATION_EARLY:{since_first}d"
    elif limits.icpd_max_days and since_last > limits.icpd_max_days:
        why = f"{since_last} days after the last iUPD, at most {limits.icpd_max_days}"
        flag = f"CONFIRMATION_LATE:{since_last}d"
    else:
        return None
    words = f"{'; '.join(reasons.values())}, but {why}: not confirmed"
    source = f"{S17}: confirmation 4 to 8 weeks after iUPD (A25)"
    return Immune(overall=Response.IUPD, words=words, source=source, flags=(flag,), waiting=waiting)


def _days_after_onset(now: _Now, block: Block) -> int:
    return days_between(block.onset, now.findings.day)


def _too_early(now: _Now, setting: CriterionSetting, waiting: Waiting, block: Block) -> Immune:
    """A scan before the confirming one is due is disregarded: it shows what it shows, and the iUPD waits as it was (A25)."""
    days = _days_after_onset(now, block)
    words = f"{days} days after the iUPD of time point {block.timepoint}, too early to confirm or to reset it"
    flags = (f"CONFIRMATION_EARLY:{days}d",)
    if now.seen_in:
        source = f"{S17}: confirmation 4 to 8 weeks after iUPD (A25)"
        return Immune(overall=Response.IUPD, words=words, source=source, flags=flags, waiting=waiting)
    overall, source = _matrix(now, setting, waiting)
    return Immune(overall=overall, words=words, source=source, flags=flags, waiting=waiting)


def _confirmed(now: _Now, waiting: Waiting, block: Block, goes_on: Block, reasons: dict[str, str]) -> Immune:
    since_first = days_between(block.onset, now.findings.day)
    since_last = days_between(block.last_date, now.findings.day)
    numbers = "; ".join(reasons.values())
    return Immune(
        overall=Response.ICPD,
        words=f"progression of time point {block.timepoint} confirmed {since_first} days later: {numbers}",
        source="; ".join(CONFIRMED_BY[name] for name in reasons),
        flags=(f"CONFIRMATION_LATE:{since_last}d",) if since_last > LATE_AFTER_DAYS else (),
        waiting=replace(
            waiting,
            block=replace(goes_on, confirmed_at=now.visit.timepoint),
            confirmed_at=now.visit.timepoint if waiting.confirmed_at is None else waiting.confirmed_at,
        ),
    )


def _still(now: _Now, waiting: Waiting, block: Block) -> Immune:
    """Progression is still there and has not grown."""
    where = " and ".join(sorted(now.seen_in))
    if block.confirmed_at is not None:
        words = f"progression was confirmed at time point {block.confirmed_at} (still in {where})"
        source = f"{S17}: nothing after iCPD changes it"
        return Immune(overall=Response.ICPD, words=words, source=source, flags=(), waiting=waiting)
    flags = _unrecorded_change(now, block)
    words = f"progression in {where} has not grown enough since time point {block.timepoint}, so it stays unconfirmed"
    return Immune(
        overall=Response.IUPD,
        words=words,
        source=f"{S17}, Table 2 rows 5-10: remains iUPD",
        flags=flags,
        waiting=waiting,
    )


def _unrecorded_change(now: _Now, block: Block) -> tuple[str, ...]:
    """Non-targets or unmeasured new lesions that progress, of which nobody said whether they grew."""
    rows = now.visit.rows
    asked = [*now.findings.progressed] if "non-targets" in block.seen_in else []
    asked += sorted(now.unmeasured - now.appeared) if "new lesions" in block.seen_in else []
    silent = [name for name in asked if name in rows and rows[name].change is None and _size(rows[name]) is None]
    return ("CHANGE_NOT_RECORDED:" + "+".join(silent),) if silent else ()


def _recovered(now: _Now, block: Block) -> bool:
    """No progression any more, or targets that newly respond beside new lesions that have not grown (FAQ, scenario B)."""
    if not now.seen_in:
        unknown = {
            name
            for name, response in (("targets", now.findings.target), ("non-targets", now.findings.non_target))
            if response is Response.NE
        }
        # What progressed and was not evaluated now may still be there.
        return "targets" not in unknown and not unknown & block.seen_in
    responds = now.findings.target in (Response.CR, Response.PR)
    improved = _BETTER.get(now.findings.target, 0) > _BETTER.get(block.target, 0)
    return now.seen_in == {"new lesions"} and responds and improved


def _reset(now: _Now, setting: CriterionSetting, waiting: Waiting, block: Block) -> Immune:
    """iCR, iPR or iSD after iUPD: a later progression begins anew, and the new lesions left are part of the disease."""
    waiting = replace(waiting, block=None, accepted=now.present, new_nadir=now.sums.new_targets)
    overall, source = _matrix(now, setting, waiting)
    words = f"the iUPD of time point {block.timepoint} was not confirmed and is reset"
    return Immune(overall=overall, words=words, source=source, flags=(), waiting=waiting)
