"""Named conditions on the target lesions of a visit, and the words that explain them. Criteria are lists of these."""

from __future__ import annotations

from mrecist.criteria._rule import TargetFacts
from mrecist.units import difference, fell_by, rose_by, show


def not_all_evaluated(facts: TargetFacts) -> bool:
    """At least one target has no size at this visit."""
    return bool(facts.missing)


def no_reference(facts: TargetFacts) -> bool:
    """There is no complete baseline sum, so a decrease cannot be judged."""
    return facts.baseline is None


def all_gone(facts: TargetFacts) -> bool:
    """Every target evaluated; lesions 0 mm, nodes below their normal size."""
    return not facts.missing and not facts.back


def back_after_cr(facts: TargetFacts) -> bool:
    """Disease in a target after an overall CR."""
    return facts.cr_at is not None and bool(facts.back)


def rose(facts: TargetFacts) -> bool:
    """The evaluated sum is above the nadir by pd_percent and pd_absolute_mm, both inclusive.

    A zero nadir meets the relative part, the absolute part decides (A4). Missing targets can only add to the sum.
    """
    if facts.nadir is None:
        return False
    return rose_by(facts.known_sum, facts.nadir.sum, facts.thresholds.pd_percent) and (
        difference(facts.known_sum, facts.nadir.sum) >= facts.thresholds.pd_absolute_mm
    )


def rose_without_the_missing(facts: TargetFacts) -> bool:
    """Some targets were not evaluated, yet the rest is already progression."""
    return bool(facts.missing) and rose(facts)


def fell(facts: TargetFacts) -> bool:
    """The sum is below baseline by pr_percent, inclusive."""
    return facts.baseline is not None and fell_by(facts.known_sum, facts.baseline, facts.thresholds.pr_percent)


def pr_carried(facts: TargetFacts) -> bool:
    """The protocol keeps a PR once reached until progression."""
    return facts.thresholds.pr_carry_forward and facts.pr_at is not None


def always(_facts: TargetFacts) -> bool:
    """Holds when nothing before it did."""
    return True


# --- words -----------------------------------------------------------------------------------------------------------


def say_gone(facts: TargetFacts) -> str:
    """Why the targets are gone."""
    nodes = f", nodes below {show(facts.thresholds.node_normal_mm)} mm" if any(s.size for s in facts.sizes) else ""
    return f"every target is gone{nodes}: {facts.sum_in_words()}"


def say_back(facts: TargetFacts) -> str:
    """Which targets came back after complete response."""
    lesions = ", ".join(str(s) for s in facts.back)
    return f"{lesions} mm came back after the complete response of time point {facts.cr_at}"


def say_rose(facts: TargetFacts) -> str:
    """The rise from the nadir against both parts of the rule."""
    limits = f"at least +{show(facts.thresholds.pd_percent)} %"
    if facts.thresholds.pd_absolute_mm > 0:
        limits += f" and +{show(facts.thresholds.pd_absolute_mm)} mm"
    return f"{facts.sum_in_words()} is {facts.against_nadir()}, {limits}"


def say_missing(facts: TargetFacts) -> str:
    """Which targets were not evaluated."""
    lesions = ", ".join(str(s) for s in facts.missing)
    return f"not every target was evaluated ({lesions}); {facts.sum_in_words()}, {facts.against_nadir()}"


def say_no_reference(facts: TargetFacts) -> str:
    """That there is no baseline sum."""
    return f"the baseline sum is incomplete, so a response cannot be judged; {facts.sum_in_words()}"


def say_fell(facts: TargetFacts) -> str:
    """The fall from baseline against the rule."""
    return f"{facts.sum_in_words()} is {facts.against_baseline()}, at least -{show(facts.thresholds.pr_percent)} %"


def say_carried(facts: TargetFacts) -> str:
    """That the protocol keeps an earlier PR."""
    return (
        f"{facts.sum_in_words()} is {facts.against_baseline()}, no progression since the partial response of time point "
        f"{facts.pr_at}, which the protocol carries forward"
    )


def say_stable(facts: TargetFacts) -> str:
    """That neither PR nor PD holds."""
    return f"{facts.sum_in_words()} is {facts.against_baseline()} and {facts.against_nadir()}: neither PR nor PD"
