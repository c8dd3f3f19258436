"""Choi criteria (Choi H et al., J Clin Oncol 2007;25:1753-1759) and modified Choi: size and density on the portal phase.

The density of a read is the mean of the HU of its targets. A target that is gone has no density, so the mean is taken over
the targets that are left, now and at baseline.
"""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal
from functools import cache

from mrecist.criteria import _conditions as c
from mrecist.criteria._findings import as_recorded, new_lesion_as_read, non_target_as_read
from mrecist.criteria._overall import as_recist11
from mrecist.criteria._rule import OPTIONS_OF_ALL, Criterion, Rule, TargetFacts, Thresholds, always
from mrecist.criteria.recist11 import RULES as RECIST11_RULES
from mrecist.criteria.recist11 import conventional_size
from mrecist.model import Response
from mrecist.units import fell_by, percent_change, show, show_percent, total

CHOI = "Choi 2007"


def _densities(facts: TargetFacts) -> tuple[Decimal, Decimal, int] | None:
    """Sums of HU now and at baseline over the targets that are left, and their number; None when one is not recorded."""
    before = {s.lesion: s.hu for s in facts.baseline_sizes}
    pairs = [(s.hu, before.get(s.lesion)) for s in facts.sizes if s.size]
    if not pairs or any(now is None or then is None for now, then in pairs):
        return None
    now, then = (total(value for value in side if value is not None) for side in zip(*pairs, strict=True))
    # A fall in percent means nothing from a density of 0 HU or below.
    return (now, then, len(pairs)) if then > 0 else None


def density_fell(facts: TargetFacts) -> bool:
    """Mean HU at least hu_percent below baseline."""
    found = _densities(facts)
    return found is not None and fell_by(found[0], found[1], facts.thresholds.hu_percent)


def density_unknown(facts: TargetFacts) -> bool:
    """The density change cannot be computed."""
    return _densities(facts) is None


def _nodule_grew(facts: TargetFacts) -> bool:
    return bool(facts.grown_nodules)


def _response(facts: TargetFacts) -> bool:
    if facts.thresholds.both_required:
        return c.fell(facts) and density_fell(facts)
    return c.fell(facts) or density_fell(facts)


def _larger_without_density_response(facts: TargetFacts) -> bool:
    return c.rose(facts) and not density_unknown(facts) and not density_fell(facts)


def _density_would_decide(facts: TargetFacts) -> bool:
    """Without density: a larger sum may be PR or PD; a sum between the cut-offs may be PR or SD."""
    if not density_unknown(facts):
        return False
    if c.rose(facts):
        return True
    return c.fell(facts) if facts.thresholds.both_required else not c.fell(facts)


def _show_both(facts: TargetFacts) -> str:
    found = _densities(facts)
    if found is None:
        return f"{c.show_both(facts)}; no change of mean HU: it is not known at both visits, or not above 0 at baseline"
    now, then, number = found
    change = show_percent(percent_change(now, then))
    return f"{c.show_both(facts)}; mean HU of {number} targets {change} (sums {show(now)} and {show(then)} HU)"


def _show_nodules(facts: TargetFacts) -> str:
    return f"new or larger nodule inside {', '.join(facts.grown_nodules)}" if facts.grown_nodules else "no nodule grew"


def _needs_nodule(_thresholds: Thresholds) -> str:
    return "a new or growing nodule inside a target is progression"


def _needs_pd(thresholds: Thresholds) -> str:
    return f"{c.needs_rise(thresholds)} without a fall of density by {show(thresholds.hu_percent)} %"


def _needs_pr(thresholds: Thresholds) -> str:
    word = "and" if thresholds.both_required else "or"
    return (
        f"partial response from at least -{show(thresholds.pr_percent)} % in size {word} at least "
        f"-{show(thresholds.hu_percent)} % in HU"
    )


def _needs_density(_thresholds: Thresholds) -> str:
    return "the density would decide and its change is not known"


@cache
def _of_recist11(name: str, note: str = "") -> Rule:
    rule = next(rule for rule in RECIST11_RULES if rule.name == name)
    return replace(rule, cite=f"{CHOI}; {rule.cite} as in RECIST 1.1", note=note)


RULES = (
    _of_recist11("back after complete response", "A7: response.cr_then_worse"),
    Rule(
        name="growing nodule in a target",
        gives=Response.PD,
        when=_nodule_grew,
        arises=_nodule_grew,
        shows=_show_nodules,
        needs=_needs_nodule,
        cite=f"{CHOI}: new intratumoral nodules, or increase in the size of existing ones",
    ),
    _of_recist11("not all evaluated", "size and density are judged over all targets"),
    _of_recist11("complete response"),
    Rule(
        name="progression",
        gives=Response.PD,
        when=_larger_without_density_response,
        shows=_show_both,
        needs=_needs_pd,
        cite=f"{CHOI}: size +10 % or more without PR by density",
        note="counted from the nadir as in RECIST 1.1; pd_reference = 'baseline' counts from baseline",
    ),
    _of_recist11("no baseline sum"),
    Rule(
        name="density not known",
        gives=Response.NE,
        when=_density_would_decide,
        arises=_density_would_decide,
        shows=_show_both,
        needs=_needs_density,
        cite="a missing density is never no change",
    ),
    Rule(
        name="partial response",
        gives=Response.PR,
        when=_response,
        shows=_show_both,
        needs=_needs_pr,
        cite=f"{CHOI}: size -10 % or density -15 %",
        note="both_required = true is modified Choi: both",
    ),
    _of_recist11("partial response carried forward", "A2: off by default"),
    Rule(
        name="stable disease",
        gives=Response.SD,
        when=always,
        shows=_show_both,
        needs=c.needs_nothing,
        cite=CHOI,
    ),
)

CRITERION = Criterion(
    name="choi",
    title="Choi",
    unit="mm",
    quantity="longest diameters and mean HU of the targets, portal venous phase",
    source="Choi H et al. J Clin Oncol 2007;25:1753-1759",
    measure="longest",
    thresholds=Thresholds(pr_percent=Decimal(10), pd_percent=Decimal(10)),
    options=(*OPTIONS_OF_ALL, "pd_absolute_mm", "too_small_mm", "hu_percent", "both_required", "new_lesion_is_pd"),
    size_of=conventional_size,
    rules=RULES,
    overall=as_recist11("Choi"),
    placed=as_recorded,
    non_target=non_target_as_read,
    new_lesion=new_lesion_as_read,
    rscat=("CHOI GIST 2008",),
)
