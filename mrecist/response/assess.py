"""Time-point responses of one read by one criterion: target, non-target, new lesions, overall, each with its reason.

The only state carried from visit to visit is the nadir and whether CR or PR was reached before.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import date
from decimal import Decimal

from mrecist.criteria._conditions import all_gone, rose
from mrecist.criteria._overall import overall_response
from mrecist.criteria._rule import LesionSize, TargetFacts, Thresholds, first_that_holds
from mrecist.criteria._sizes import added
from mrecist.errors import ReadError
from mrecist.model import Kind, Measurement, Nadir, Response, State, VisitResponse
from mrecist.protocol import CriterionSetting, ResponseRules
from mrecist.response.new_lesions import NewAtVisit, new_lesions_by_visit
from mrecist.response.read import Read, Visit, build_read, too_many_targets

# A node that came back to this size alone should be imaged again before it counts (A6).
REIMAGE_BELOW_MM = Decimal(11)


@dataclass(frozen=True, slots=True, kw_only=True)
class _SoFar:
    """What earlier visits leave for the next one."""

    nadir: Nadir | None = None
    cr_at: int | None = None
    pr_at: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class _Targets:
    """The targets that enter the sum of one criterion, and the baseline sum."""

    rows: tuple[Measurement, ...]
    baseline: Decimal | None
    flags: tuple[str, ...]
    # Targets were read, but none of them is one by this criterion.
    none_left: bool


def assess_subject(
    rows: Iterable[Measurement], setting: CriterionSetting, rules: ResponseRules
) -> tuple[VisitResponse, ...]:
    """Responses of one subject and reader, one a time point, baseline first.

    Parameters
    ----------
    rows : the measurements of one subject by one reader, in any order.
    setting : the criterion with its thresholds.
    rules : the ``[response]`` section of the protocol (only ``cr_then_worse`` matters here).

    Raises
    ------
    ReadError : the rows contradict each other (see :func:`mrecist.response.read.build_read`).
    """
    read = build_read(rows)
    targets = _targets_of(read, setting)
    new = new_lesions_by_visit(read, setting)
    so_far = _SoFar(nadir=None if targets.baseline is None else Nadir(sum=targets.baseline, timepoint=0))
    responses = [_baseline_row(read, setting, targets)]
    for visit in read.visits[1:]:
        response, so_far = _assess_visit(read, visit, setting, rules, targets, new[visit.timepoint], so_far)
        responses.append(response)
    return tuple(responses)


# --- targets ---------------------------------------------------------------------------------------------------------


def _targets_of(read: Read, setting: CriterionSetting) -> _Targets:
    criterion = setting.criterion
    rows = tuple(row for row in read.targets if criterion.in_target_sum(row))
    left_out = tuple(f"NOT_VIABLE_AT_BASELINE:{row.lesion}" for row in read.targets if row not in rows)
    sizes = [criterion.size_of(row, row, setting.thresholds) for row in rows]
    facts = _facts(setting.thresholds, tuple(sizes), None, _SoFar())
    none_left = bool(read.targets) and not rows
    flags = list(left_out)
    if facts.missing:
        flags.append("BASELINE_INCOMPLETE:" + "+".join(s.lesion for s in facts.missing))
    if none_left:
        flags.append("NOT_APPLICABLE")
    flags += [flag for size in sizes for flag in size.flags]
    return _Targets(rows=rows, baseline=facts.sum if rows else None, flags=tuple(flags), none_left=none_left)


def _size_at(read: Read, visit: Visit, baseline: Measurement, lesion: str, setting: CriterionSetting) -> LesionSize:
    """What one target counts at one visit; its fragments are added."""
    row = visit.rows.get(lesion)
    if row is not None:
        return setting.criterion.size_of(row, baseline, setting.thresholds)
    fragments = read.fragments.get(lesion, ())
    if any(part in visit.rows for part in _with_parts(read, lesion)):
        first_seen = [part for part in fragments if min(read.history(part), default=0) <= visit.timepoint]
        parts = [_size_at(read, visit, baseline, part, setting) for part in first_seen]
        return added(lesion, baseline.kind, parts)
    return LesionSize(lesion=lesion, kind=baseline.kind, size=None, why="without a row")


def _with_parts(read: Read, lesion: str, above: tuple[str, ...] = ()) -> tuple[str, ...]:
    """The ids of all fragments of a lesion, fragments of fragments among them."""
    if lesion in above:
        raise ReadError(
            f"subject {read.subject}, reader {read.reader}: part_of goes round in a circle at {lesion}; correct it"
        )
    parts = read.fragments.get(lesion, ())
    return parts + tuple(p for part in parts for p in _with_parts(read, part, (*above, lesion)))


def _facts(
    thresholds: Thresholds, sizes: tuple[LesionSize, ...], baseline: Decimal | None, so_far: _SoFar
) -> TargetFacts:
    return TargetFacts(
        thresholds=thresholds,
        sizes=sizes,
        baseline=baseline,
        nadir=so_far.nadir,
        cr_at=so_far.cr_at,
        pr_at=so_far.pr_at,
    )


def _target_flags(facts: TargetFacts, given: Response, setting: CriterionSetting) -> list[str]:
    flags = [flag for size in facts.sizes for flag in size.flags]
    if facts.missing:
        flags.append("INCOMPLETE_SUM:" + "+".join(s.lesion for s in facts.missing))
    other = replace(setting.thresholds, pd_absolute_mm=setting.criterion.other_pd_absolute_mm)
    elsewhere = replace(facts, thresholds=other)
    if first_that_holds(setting.criterion.rules, elsewhere).gives is not given:
        flags.append(f"PD_ABSOLUTE_DECIDES:{other.pd_absolute_mm}mm")
    if given is Response.CR and all_gone(facts) and rose(facts):
        flags.append("NODES_NORMAL_BUT_LARGER")
    if given is Response.SD and facts.pr_at is not None:
        flags.append("PR_DRIFT")
    if facts.cr_at is not None and facts.back:
        flags.append(f"CR_THEN_WORSE:{facts.cr_at}")
        if all(s.kind is Kind.NODE and s.size is not None and s.size < REIMAGE_BELOW_MM for s in facts.back):
            flags.append("REIMAGE_NODE:" + "+".join(s.lesion for s in facts.back))
    return flags


# --- non-targets -----------------------------------------------------------------------------------------------------


def _non_target(read: Read, visit: Visit) -> tuple[Response, str]:
    """Response of the non-targets and the words for it (Eisenhauer 2009, 4.3.3; missing is not evaluated, never gone)."""
    if not read.non_targets:
        return Response.NA, "no non-target disease"
    seen: dict[str, State] = {}
    for baseline in read.non_targets:
        for lesion in (baseline.lesion, *_with_parts(read, baseline.lesion)):
            if lesion in visit.rows:
                seen[lesion] = visit.rows[lesion].state
            elif lesion == baseline.lesion and not any(p in visit.rows for p in _with_parts(read, lesion)):
                seen[lesion] = State.NOT_EVALUABLE
    words = ", ".join(f"{lesion} {state}" for lesion, state in seen.items())
    states = set(seen.values())
    if State.PROGRESSED in states:
        return Response.PD, f"unequivocal progression ({words})"
    if State.NOT_EVALUABLE in states:
        return Response.NE, f"not every non-target was evaluated ({words})"
    if states == {State.ABSENT}:
        return Response.CR, f"all gone ({words})"
    return Response.NON_CR_NON_PD, f"disease persists ({words})"


# --- rows ------------------------------------------------------------------------------------------------------------


def _baseline_row(read: Read, setting: CriterionSetting, targets: _Targets) -> VisitResponse:
    thresholds = setting.thresholds
    sizes = tuple(setting.criterion.size_of(row, row, thresholds) for row in targets.rows)
    words = _facts(thresholds, sizes, None, _SoFar()).sum_in_words() if sizes else "no target in the sum"
    flags = [*targets.flags, *too_many_targets(read, thresholds.max_targets, thresholds.max_targets_per_organ)]
    if not read.targets and not read.non_targets:
        flags.append("NO_DISEASE_AT_BASELINE")
    if len(read.baseline.dates) > 1:
        flags.append("MULTIPLE_DATES")
    non_targets = ", ".join(row.lesion for row in read.non_targets) or "none"
    return VisitResponse(
        subject=read.subject,
        reader=read.reader,
        criterion=setting.name,
        timepoint=0,
        date=read.baseline.dates[-1],
        sum=targets.baseline,
        unit=setting.criterion.unit,
        baseline_sum=targets.baseline,
        nadir=None,
        target=None,
        non_target=None,
        new_lesion=None,
        overall=None,
        flags=tuple(dict.fromkeys(flags)),
        reason=f"Baseline: {words}; non-targets: {non_targets} [{setting.criterion.source}]",
    )


def _assess_visit(
    read: Read,
    visit: Visit,
    setting: CriterionSetting,
    rules: ResponseRules,
    targets: _Targets,
    new: NewAtVisit,
    so_far: _SoFar,
) -> tuple[VisitResponse, _SoFar]:
    sizes = tuple(_size_at(read, visit, row, row.lesion, setting) for row in targets.rows)
    strict = so_far if rules.cr_then_worse == "pd" else replace(so_far, cr_at=None)
    facts = _facts(setting.thresholds, sizes, targets.baseline, strict)
    target, target_words, flags = _target_response(facts, setting, targets)
    non_target, non_target_words = _non_target(read, visit)
    overall, source = _overall(setting, targets, target, non_target, bool(new.counted))
    words = f"targets {target}: {target_words}; non-targets {non_target}: {non_target_words}; {new.words} [{source}]"
    if rules.cr_then_worse == "pd" and so_far.cr_at is not None and overall in _WORSE_THAN_CR:
        words = (
            f"disease after the complete response of time point {so_far.cr_at}; {words} [Eisenhauer 2009, Table 3 note]"
        )
        overall = Response.PD
        flags.append(f"CR_THEN_WORSE:{so_far.cr_at}")
    flags += new.flags
    if new.proven_later:
        as_read, _ = _overall(setting, targets, target, non_target, bool(new.counted_as_read))
        flags += [f"BACK_DATED:{lesion}@{later}" for lesion, later in new.proven_later.items()]
        flags.append(f"AS_READ:{as_read}")
    if len(visit.dates) > 1:
        flags.append("MULTIPLE_DATES")
    response = VisitResponse(
        subject=read.subject,
        reader=read.reader,
        criterion=setting.name,
        timepoint=visit.timepoint,
        date=_date_of(visit, overall),
        sum=facts.sum if sizes else None,
        unit=setting.criterion.unit,
        baseline_sum=targets.baseline,
        nadir=so_far.nadir if sizes else None,
        target=target,
        non_target=non_target,
        new_lesion=new.as_read,
        overall=overall,
        flags=tuple(dict.fromkeys(flags)),
        reason=f"{overall}: {words}",
    )
    return response, _next(so_far, response)


_WORSE_THAN_CR = (Response.PR, Response.SD, Response.NON_CR_NON_PD)


def _target_response(
    facts: TargetFacts, setting: CriterionSetting, targets: _Targets
) -> tuple[Response, str, list[str]]:
    if targets.none_left:
        return Response.NA, "no target enhanced at baseline, the criterion does not apply (A12)", list(targets.flags)
    if not facts.sizes:
        return Response.NA, "no target disease", []
    rule = first_that_holds(setting.criterion.rules, facts)
    return rule.gives, f"{rule.because(facts)} [{rule.cite}]", _target_flags(facts, rule.gives, setting)


def _overall(
    setting: CriterionSetting, targets: _Targets, target: Response, non_target: Response, new: bool
) -> tuple[Response, str]:
    if targets.none_left:
        return Response.NA, "criterion not applicable (A12)"
    return overall_response(setting.criterion.overall, target=target, non_target=non_target, new_lesion=new)


def _date_of(visit: Visit, overall: Response) -> date:
    """Progression takes the earliest scan of the visit, everything else the latest."""
    return visit.dates[0] if overall is Response.PD else visit.dates[-1]


def _next(so_far: _SoFar, response: VisitResponse) -> _SoFar:
    nadir = so_far.nadir
    if response.sum is not None and (nadir is None or response.sum < nadir.sum):
        nadir = Nadir(sum=response.sum, timepoint=response.timepoint)
    cr_at, pr_at = so_far.cr_at, so_far.pr_at
    if response.overall is Response.CR and cr_at is None:
        cr_at = response.timepoint
    if response.target is Response.PR and pr_at is None:
        pr_at = response.timepoint
    return _SoFar(nadir=nadir, cr_at=cr_at, pr_at=pr_at)
