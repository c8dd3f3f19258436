"""The target lesions of a read under one criterion: which they are, and what each counts at each visit."""

from __future__ import annotations

from dataclasses import dataclass, replace
from decimal import Decimal

from mrecist.criteria import _conditions as c
from mrecist.criteria._rule import LesionSize, TargetFacts, first_that_holds
from mrecist.criteria._sizes import added, treated
from mrecist.model import Change, Measurement, Nadir, Response, Role, State
from mrecist.protocol import CriterionSetting
from mrecist.response.read import Read, Visit, too_many_targets
from mrecist.units import ZERO, difference, rose_by, show, total


@dataclass(frozen=True, slots=True, kw_only=True)
class SoFar:
    """What earlier visits leave for the next one."""

    nadir: Nadir | None = None
    cr_at: int | None = None
    pr_at: int | None = None
    # Targets whose size was 0 at an earlier visit.
    vanished: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True, kw_only=True)
class Targets:
    """The baseline rows that enter the sum of one criterion, and those that the criterion follows as non-targets."""

    rows: tuple[Measurement, ...]
    non_targets: tuple[Measurement, ...]
    sizes: tuple[LesionSize, ...]
    # The baseline sum; None when it is incomplete or there is no target.
    baseline: Decimal | None
    flags: tuple[str, ...]
    # Targets were read, but none of them is one by this criterion.
    none_left: bool


def targets_of(read: Read, setting: CriterionSetting) -> Targets:
    """Place the baseline lesions of a read by one criterion and add up its baseline."""
    thresholds = setting.thresholds
    rows: list[Measurement] = []
    non_targets: list[Measurement] = []
    flags: list[str] = []
    for row in (*read.targets, *read.non_targets):
        placement = setting.criterion.placed(row, thresholds)
        flags += placement.flags
        if placement.role is Role.TARGET:
            rows.append(row)
        elif placement.role is Role.NON_TARGET:
            non_targets.append(row)
    sizes = tuple([setting.criterion.size_of(row, row, thresholds) for row in rows])
    missing = [s.lesion for s in sizes if s.size is None]
    if missing:
        flags.append("BASELINE_INCOMPLETE:" + "+".join(missing))
    none_left = bool(read.targets) and not rows
    if none_left:
        flags.append("NOT_APPLICABLE")
    if setting.non_hcc:
        flags.append("NOT_HCC")
        # Among hypervascular tumours other than HCC only those count that enhance in every target (A18).
        none_left = none_left or len(rows) < len(read.targets)
    flags += [flag for size in sizes for flag in size.flags]
    flags += too_many_targets(rows, thresholds.max_targets, thresholds.max_targets_per_organ)
    baseline = None if missing or not rows else total(s.size for s in sizes if s.size is not None)
    return Targets(
        rows=tuple(rows),
        non_targets=tuple(non_targets),
        sizes=sizes,
        baseline=baseline,
        flags=tuple(flags),
        none_left=none_left,
    )


def facts_at(read: Read, visit: Visit, setting: CriterionSetting, targets: Targets, so_far: SoFar) -> TargetFacts:
    """Everything that the target rules may look at, at one visit."""
    return TargetFacts(
        thresholds=setting.thresholds,
        unit=setting.criterion.unit,
        sizes=tuple([_size_at(read, visit, row, row.lesion, setting, targets, so_far) for row in targets.rows]),
        baseline=targets.baseline,
        baseline_sizes=targets.sizes,
        nadir=so_far.nadir,
        cr_at=so_far.cr_at,
        pr_at=so_far.pr_at,
        grown_nodules=tuple([row.lesion for row in visit.rows.values() if row.intratumoral_nodule is Change.INCREASE]),
    )


def _size_at(
    read: Read,
    visit: Visit,
    baseline: Measurement,
    lesion: str,
    setting: CriterionSetting,
    targets: Targets,
    so_far: SoFar,
) -> LesionSize:
    """What one target counts at one visit; its fragments are added."""
    if read.treated and lesion in read.treated and read.treated[lesion][1] <= visit.timepoint:
        therapy, since = read.treated[lesion]
        return treated(replace(baseline, lesion=lesion), therapy, since, setting.thresholds)
    row = visit.rows.get(lesion)
    if row is not None:
        size = setting.criterion.size_of(row, baseline, setting.thresholds)
        if row.state is State.MERGED and not _in_the_sum(read, row.part_of, targets):
            return replace(size, size=None, why=f"merged into {row.part_of}, which is not in this sum")
        if row.state is State.MERGED and _merged_into_nothing(read, visit, row):
            size = replace(size, flags=(*size.flags, f"MERGED_INTO_ABSENT:{row.lesion}={row.part_of}"))
        return _judged_by_history(size, row, baseline, setting, so_far)
    if lesion in read.fragments and any(part in visit.rows for part in read.parts(lesion)):
        first_seen = [p for p in read.fragments[lesion] if min(read.history(p), default=0) <= visit.timepoint]
        parts = [_size_at(read, visit, baseline, part, setting, targets, so_far) for part in first_seen]
        return added(lesion, baseline.kind, parts)
    return LesionSize(lesion=lesion, kind=baseline.kind, size=None, why="without a row")


def _in_the_sum(read: Read, carrier: str, targets: Targets) -> bool:
    """A merged mass is measured on its carrier, which must be a target of this criterion or a fragment of one."""
    return any(carrier == row.lesion or carrier in read.parts(row.lesion) for row in targets.rows)


def _merged_into_nothing(read: Read, visit: Visit, row: Measurement) -> bool:
    """The carrier is gone at the very visit where the lesion is said to have joined it: one of the two rows is doubtful."""
    before = [past.rows.get(row.lesion) for past in read.visits if past.timepoint < visit.timepoint]
    merged_before = any(past is not None and past.state is State.MERGED for past in before)
    return visit.rows[row.part_of].state is State.ABSENT and not merged_before


def _judged_by_history(
    size: LesionSize, row: Measurement, baseline: Measurement, setting: CriterionSetting, so_far: SoFar
) -> LesionSize:
    """Modality against baseline (A26), and enhancement that is regained below the protocol's minimum (A14)."""
    if row.modality and baseline.modality and row.modality != baseline.modality:
        now, then = modality_word(row.modality), modality_word(baseline.modality)
        if now != then:
            size = replace(size, flags=(*size.flags, f"MODALITY_CHANGED:{row.lesion}={then}>{now}"))
            if setting.thresholds.modality_change == "NE":
                size = replace(size, size=None, why=f"on {now}, {then} at baseline")
    minimum = setting.thresholds.regained_min_mm
    if minimum > 0 and size.size and size.size < minimum and row.lesion in so_far.vanished:
        why = f"{show(size.size)} mm regained, below {show(minimum)} (0)"
        size = replace(size, size=ZERO, disease=False, why=why)
    return size


def modality_word(text: str) -> str:
    """The modality that a cell names, so that "MRI" and "MR" are one."""
    word = text.strip().upper()
    return "MR" if word == "MRI" else word


def target_flags(facts: TargetFacts, given: Response, setting: CriterionSetting) -> list[str]:
    """What is worth knowing about the target response of a visit (docs/flags.md)."""
    flags = [flag for size in facts.sizes for flag in size.flags]
    if facts.missing:
        flags.append("INCOMPLETE_SUM:" + "+".join([s.lesion for s in facts.missing]))
    flags += _absolute_minimum_decides(facts, given, setting)
    if facts.reference is not None and facts.reference.sum == 0 and facts.known_sum > 0:
        flags.append("ZERO_NADIR")
    if given is Response.CR and c.all_gone(facts) and c.rose(facts):
        flags.append("NODES_NORMAL_BUT_LARGER")
    if given is Response.SD and facts.pr_at is not None:
        flags.append("PR_DRIFT")
    if facts.cr_at is not None and facts.left:
        flags.append(f"CR_THEN_WORSE:{facts.cr_at}")
        if c.only_borderline_nodes(facts):
            flags.append("REIMAGE_NODE:" + "+".join([s.lesion for s in facts.left]))
    return flags


def _absolute_minimum_decides(facts: TargetFacts, given: Response, setting: CriterionSetting) -> list[str]:
    """A1: with the other absolute minimum in use the targets would be in another category."""
    other = setting.criterion.other_pd_absolute_mm
    if other == setting.thresholds.pd_absolute_mm:
        other = setting.criterion.thresholds.pd_absolute_mm
    if other is None or facts.reference is None:
        return []
    rise = difference(facts.known_sum, facts.reference.sum)
    limits = setting.thresholds
    if not 0 < rise < max(other, limits.pd_absolute_mm):
        # Both minima are met, or there is no rise: they cannot differ.
        return []
    if not rose_by(facts.known_sum, facts.reference.sum, limits.pd_percent, inclusive=limits.pd_inclusive):
        return []
    elsewhere = replace(facts, thresholds=replace(setting.thresholds, pd_absolute_mm=other))
    if first_that_holds(setting.criterion.rules, elsewhere).gives is given:
        return []
    return [f"PD_ABSOLUTE_DECIDES:{other}mm"]
