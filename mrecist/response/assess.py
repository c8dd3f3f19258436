"""Time-point responses of one read by one criterion: target, non-target, new lesions, overall, each with its reason.

The only state carried from visit to visit is the nadir, whether CR or PR was reached before, and for iRECIST the progression
that waits for confirmation.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import date

from mrecist.criteria._overall import overall_response
from mrecist.criteria._rule import Rule, TargetFacts, first_that_holds
from mrecist.criteria.irecist import IMMUNE
from mrecist.model import Nadir, Response, VisitResponse
from mrecist.protocol import CriterionSetting, ResponseRules
from mrecist.response.immune import Immune, ImmuneFindings, Waiting, immune_response
from mrecist.response.new_lesions import NewAtVisit, new_lesions_by_visit
from mrecist.response.non_target import NonTargets, non_targets_at
from mrecist.response.read import Read, Visit
from mrecist.response.targets import SoFar, Targets, facts_at, target_flags, targets_of

_T3_NOTE = "Eisenhauer 2009, Table 3 note"
_PROGRESSION = (Response.PD, Response.IUPD, Response.ICPD)
# Facts of the targets of a visit -> the target and the overall response that the visit would have with them.
WouldBe = Callable[[TargetFacts], tuple[Response, Response]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Assessed:
    """One visit with everything that its response came from. ``facts`` and ``rule`` are None without targets.

    ``non_targets``, ``new_lesions`` and ``overall`` are the words behind these three parts of the response. ``would_be``
    judges other sizes of the same visit, with its other findings and the visits before as they are; None at baseline and
    without targets. ``so_far`` is what the visit leaves for the next.
    """

    response: VisitResponse
    facts: TargetFacts | None = None
    rule: Rule | None = None
    non_targets: str = ""
    new_lesions: str = ""
    overall: str = ""
    would_be: WouldBe | None = None
    so_far: SoFar | None = None


def assess_read(read: Read, setting: CriterionSetting, rules: ResponseRules) -> tuple[Assessed, ...]:
    """Responses of one read, one a time point, baseline first, with the facts and the rule of each visit.

    ``rules`` is the ``[response]`` section of the protocol (only ``cr_then_worse`` matters here).
    """
    targets = targets_of(read, setting)
    new = new_lesions_by_visit(read, setting)
    so_far = SoFar(nadir=None if targets.baseline is None else Nadir(sum=targets.baseline, timepoint=0))
    waiting = Waiting()
    visits = [Assessed(response=_baseline_row(read, setting, targets))]
    for visit in read.visits[1:]:
        findings = _findings(read, visit, setting, rules, targets, new[visit.timepoint], so_far)
        if setting.criterion.confirms_progression:
            immune = immune_response(read, visit, setting, findings.for_immune(), waiting)
            counts = not immune.disregarded
            response = _immune_row(read, visit, setting, targets, findings, immune, so_far, waiting)
            overall = f"{immune.words} [{immune.source}]"
            would_be = _immune_would_be(read, visit, setting, findings, waiting)
            waiting = immune.waiting
        else:
            response, overall = _plain_row(read, visit, setting, rules, targets, findings, so_far)
            counts = True
            would_be = _plain_would_be(setting, rules, targets, findings, so_far)
        so_far = _next(so_far, response, findings) if counts else so_far
        visits.append(
            Assessed(
                response=response,
                facts=findings.facts,
                rule=findings.rule,
                non_targets=findings.non_targets.words,
                new_lesions=findings.new.words,
                overall=overall,
                would_be=None if findings.facts is None else would_be,
                so_far=so_far,
            )
        )
    return tuple(visits)


def _with_facts(findings: _Findings, facts: TargetFacts, setting: CriterionSetting) -> _Findings:
    rule = first_that_holds(setting.criterion.rules, facts)
    return replace(findings, facts=facts, rule=rule, target=rule.gives)


def _plain_would_be(
    setting: CriterionSetting, rules: ResponseRules, targets: Targets, findings: _Findings, so_far: SoFar
) -> WouldBe:
    def would_be(facts: TargetFacts) -> tuple[Response, Response]:
        other = _with_facts(findings, facts, setting)
        overall, _ = _overall(setting, targets, other, bool(other.new.counted))
        if rules.cr_then_worse == "pd" and so_far.cr_at is not None and _disease_seen(other):
            overall = Response.PD
        return other.target, overall

    return would_be


def _immune_would_be(
    read: Read, visit: Visit, setting: CriterionSetting, findings: _Findings, waiting: Waiting
) -> WouldBe:
    def would_be(facts: TargetFacts) -> tuple[Response, Response]:
        other = _with_facts(findings, facts, setting)
        immune = immune_response(read, visit, setting, other.for_immune(), waiting)
        return IMMUNE[other.target], immune.overall

    return would_be


# --- what a visit shows ----------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class _Findings:
    """What a visit shows before the overall response: targets, non-targets and new lesions."""

    facts: TargetFacts | None
    rule: Rule | None
    target: Response
    target_words: str
    non_targets: NonTargets
    new: NewAtVisit
    flags: tuple[str, ...]
    nadir: Nadir | None
    # Time point of an earlier overall CR after which disease is progression; None also where the protocol sees it otherwise.
    cr_at: int | None
    # The day of the visit as a progression, and as any other response.
    day: date
    other_day: date

    def words(self) -> str:
        """The three parts in one sentence."""
        return (
            f"targets {self.target}: {self.target_words}; non-targets {self.non_targets.response}: "
            f"{self.non_targets.words}; {self.new.words}"
        )

    def for_immune(self) -> ImmuneFindings:
        """What the confirmation of progression looks at."""
        return ImmuneFindings(
            target=self.target,
            sum=None if self.facts is None else self.facts.known_sum,
            complete=self.facts is not None and not self.facts.missing,
            non_target=self.non_targets.response,
            progressed=self.non_targets.progressed,
            new=self.new,
            cr_at=self.cr_at,
            day=self.day,
        )


def _findings(
    read: Read,
    visit: Visit,
    setting: CriterionSetting,
    rules: ResponseRules,
    targets: Targets,
    new: NewAtVisit,
    so_far: SoFar,
) -> _Findings:
    strict = so_far if rules.cr_then_worse == "pd" else replace(so_far, cr_at=None)
    facts, rule = None, None
    flags: list[str] = []
    if targets.none_left:
        target, words = Response.NA, "no target of this criterion at baseline, so it does not apply (A12, A18)"
        flags = list(targets.flags)
    elif not targets.rows:
        target, words = Response.NA, "no target disease"
    else:
        facts = facts_at(read, visit, setting, targets, strict)
        rule = first_that_holds(setting.criterion.rules, facts)
        target, words = rule.gives, f"{rule.because(facts)} [{rule.cite}]"
        flags = target_flags(facts, target, setting)
    non_targets = non_targets_at(read, visit, setting, targets.non_targets)
    if len(visit.dates) > 1:
        flags.append("MULTIPLE_DATES")
    return _Findings(
        facts=facts,
        rule=rule,
        target=target,
        target_words=words,
        non_targets=non_targets,
        new=new,
        flags=(*flags, *non_targets.flags, *new.flags),
        nadir=so_far.nadir if facts is not None else None,
        cr_at=strict.cr_at,
        day=_day(visit, rules.progression_date),
        other_day=_day(visit, rules.response_date),
    )


# --- rows ------------------------------------------------------------------------------------------------------------


def _row(
    read: Read,
    visit: Visit,
    setting: CriterionSetting,
    targets: Targets,
    findings: _Findings,
    overall: Response,
    flags: list[str],
    reason: str,
) -> VisitResponse:
    return VisitResponse(
        subject=read.subject,
        reader=read.reader,
        criterion=setting.name,
        timepoint=visit.timepoint,
        date=findings.day if overall in _PROGRESSION else findings.other_day,
        sum=None if findings.facts is None else findings.facts.sum,
        unit=setting.criterion.unit,
        baseline_sum=targets.baseline,
        nadir=findings.nadir,
        target=findings.target,
        non_target=findings.non_targets.response,
        new_lesion=findings.new.as_read,
        overall=overall,
        flags=tuple(dict.fromkeys(flags)),
        reason=f"{overall}: {reason}",
    )


def _baseline_row(read: Read, setting: CriterionSetting, targets: Targets) -> VisitResponse:
    facts = TargetFacts(
        thresholds=setting.thresholds,
        unit=setting.criterion.unit,
        sizes=targets.sizes,
        baseline=targets.baseline,
        nadir=None,
    )
    words = facts.sum_in_words() if targets.sizes else "no target in the sum"
    flags = list(targets.flags)
    if not targets.rows and not targets.non_targets and not targets.none_left:
        flags.append("NO_DISEASE_AT_BASELINE")
    if len(read.baseline.dates) > 1:
        flags.append("MULTIPLE_DATES")
    non_targets = ", ".join([row.lesion for row in targets.non_targets]) or "none"
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


def _plain_row(
    read: Read,
    visit: Visit,
    setting: CriterionSetting,
    rules: ResponseRules,
    targets: Targets,
    findings: _Findings,
    so_far: SoFar,
) -> tuple[VisitResponse, str]:
    """The row of a criterion other than iRECIST, and why its overall response is what it is."""
    new = findings.new
    overall, source = _overall(setting, targets, findings, bool(new.counted))
    words, flags = f"{findings.words()} [{source}]", list(findings.flags)
    if so_far.cr_at is not None and overall is not Response.PD and _disease_seen(findings):
        flags.append(f"CR_THEN_WORSE:{so_far.cr_at}")
        if rules.cr_then_worse == "pd":
            after = f"disease after the complete response of time point {so_far.cr_at}"
            words, source = f"{after}; {words} [{_T3_NOTE}]", f"{after} [{_T3_NOTE}]"
            overall = Response.PD
    if new.proven_later:
        as_read, _ = _overall(setting, targets, findings, bool(new.counted_as_read))
        flags += [f"BACK_DATED:{lesion}@{later}" for lesion, later in new.proven_later.items()]
        flags.append(f"AS_READ:{as_read}")
    return _row(read, visit, setting, targets, findings, overall, flags, words), source


def _disease_seen(findings: _Findings) -> bool:
    """Disease that is seen; what was not evaluated is none."""
    return findings.target in (Response.PR, Response.SD) or bool(findings.non_targets.present)


def _overall(setting: CriterionSetting, targets: Targets, findings: _Findings, new: bool) -> tuple[Response, str]:
    if targets.none_left:
        return Response.NA, "criterion not applicable (A12, A18)"
    non_target = findings.non_targets.response
    # A new lesion that is no progression is disease like a non-target (RECICL: complete only with all nodules gone).
    left = findings.new.spared if non_target in (Response.CR, Response.NA) else ()
    overall, source = overall_response(
        setting.criterion.overall,
        setting.thresholds,
        target=findings.target,
        non_target=Response.NON_CR_NON_PD if left else non_target,
        new_lesion=new,
    )
    return overall, f"{source}; {', '.join(left)} counts as non-target disease" if left else source


def _immune_row(
    read: Read,
    visit: Visit,
    setting: CriterionSetting,
    targets: Targets,
    findings: _Findings,
    immune: Immune,
    so_far: SoFar,
    waiting: Waiting,
) -> VisitResponse:
    flags = [*findings.flags, *immune.flags]
    if so_far.cr_at is not None and _disease_seen(findings):
        flags.append(f"CR_THEN_WORSE:{so_far.cr_at}")
    if findings.new.proven_later:
        then = replace(findings, new=replace(findings.new, counted=findings.new.counted_as_read))
        as_read = immune_response(read, visit, setting, then.for_immune(), waiting).overall
        flags += [f"BACK_DATED:{lesion}@{later}" for lesion, later in findings.new.proven_later.items()]
        flags.append(f"AS_READ:{as_read}")
    words = f"{immune.words}; {findings.words()} [{immune.source}]"
    row = _row(read, visit, setting, targets, findings, immune.overall, flags, words)
    return replace(row, target=IMMUNE[findings.target], non_target=IMMUNE[findings.non_targets.response])


def _day(visit: Visit, scan: str) -> date:
    """The day of a visit by its earliest or its latest scan (``schedule.assessment_date``)."""
    return visit.dates[0] if scan == "earliest_scan" else visit.dates[-1]


def _next(so_far: SoFar, response: VisitResponse, findings: _Findings) -> SoFar:
    nadir = so_far.nadir
    if response.sum is not None and (nadir is None or response.sum < nadir.sum):
        nadir = Nadir(sum=response.sum, timepoint=response.timepoint)
    cr_at, pr_at = so_far.cr_at, so_far.pr_at
    if cr_at is None and response.overall in (Response.CR, Response.ICR):
        cr_at = response.timepoint
    if response.overall in _PROGRESSION:
        # A response is carried, and its drift is told, until progression (A2).
        pr_at = None
    elif pr_at is None and findings.target is Response.PR:
        pr_at = response.timepoint
    vanished = so_far.vanished
    if findings.facts is not None:
        vanished |= {size.lesion for size in findings.facts.sizes if size.size == 0}
    return SoFar(nadir=nadir, cr_at=cr_at, pr_at=pr_at, vanished=vanished)
