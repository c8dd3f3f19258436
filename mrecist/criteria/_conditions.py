"""Named conditions on the target lesions of a visit, and the words that explain them. Criteria are lists of these."""

from __future__ import annotations

from decimal import Decimal

from mrecist.criteria._rule import TargetFacts, Thresholds
from mrecist.model import Kind
from mrecist.units import difference, fell_by, rose_by, show

# A node that came back to less than this may be a matter of measuring: it should be imaged again (A6).
REIMAGE_BELOW_MM = Decimal(11)


def not_all_evaluated(facts: TargetFacts) -> bool:
    """At least one target has no size at this visit."""
    return bool(facts.missing)


def no_reference(facts: TargetFacts) -> bool:
    """There is no complete baseline sum, so a decrease cannot be judged."""
    return facts.baseline is None


def all_gone(facts: TargetFacts) -> bool:
    """Every target evaluated; lesions gone, nodes below their normal size."""
    return not facts.missing and not facts.left


def gone_with_normal_nodes_counted(facts: TargetFacts) -> bool:
    """As :func:`all_gone`; with normal_nodes_progress a rise of the normal nodes comes first (A5)."""
    return all_gone(facts) and not (facts.thresholds.normal_nodes_progress and rose(facts))


def back_after_cr(facts: TargetFacts) -> bool:
    """Disease in a target after an overall CR; a node of 10.0 to 10.9 mm alone is held when the protocol says so (A6)."""
    if facts.cr_at is None or not facts.left:
        return False
    return facts.thresholds.reappeared_node == "pd" or not only_borderline_nodes(facts)


def only_borderline_nodes(facts: TargetFacts) -> bool:
    """All disease that is left are nodes just at their normal size."""
    axes = [s.size if facts.unit == "mm" else s.short_axis for s in facts.left if s.kind is Kind.NODE]
    return (
        bool(axes)
        and len(axes) == len(facts.left)
        and all(axis is not None and axis < REIMAGE_BELOW_MM for axis in axes)
    )


def held_after_cr(facts: TargetFacts) -> bool:
    """A borderline node after CR that the protocol holds as equivocal: still CR (A6)."""
    return facts.cr_at is not None and not facts.missing and only_borderline_nodes(facts)


def rose(facts: TargetFacts) -> bool:
    """The evaluated sum is above the reference by pd_percent and by pd_absolute_mm.

    A zero nadir meets the relative part, the absolute part decides (A4). Missing targets can only add to the sum.
    """
    reference = facts.reference
    limits = facts.thresholds
    if reference is None or (reference.sum == 0 and not limits.pd_from_zero):
        return False
    return (
        rose_by(facts.known_sum, reference.sum, limits.pd_percent, inclusive=limits.pd_inclusive)
        and difference(facts.known_sum, reference.sum) >= limits.pd_absolute_mm
    )


def rose_without_the_missing(facts: TargetFacts) -> bool:
    """Some targets were not evaluated, yet the rest is already progression, whatever the missing ones are.

    Where all that was evaluated is gone or normal, the missing targets could still make it a complete response (A5).
    """
    if not facts.missing or not rose(facts):
        return False
    disease = bool(facts.left) or any(s.at_least > 0 for s in facts.missing)
    return disease or facts.thresholds.normal_nodes_progress


def fell(facts: TargetFacts) -> bool:
    """The sum is below baseline by pr_percent, inclusive."""
    return facts.baseline is not None and fell_by(facts.known_sum, facts.baseline, facts.thresholds.pr_percent)


def pr_carried(facts: TargetFacts) -> bool:
    """The protocol keeps a PR once reached until progression."""
    return facts.thresholds.pr_carry_forward and facts.pr_at is not None


def was_complete(facts: TargetFacts) -> bool:
    """There was a complete response before."""
    return facts.cr_at is not None


def may_hold(facts: TargetFacts) -> bool:
    """The protocol holds a borderline node, and there was a complete response before."""
    return facts.thresholds.reappeared_node == "hold" and facts.cr_at is not None


def may_carry(facts: TargetFacts) -> bool:
    """The protocol carries a partial response forward."""
    return facts.thresholds.pr_carry_forward


# --- words: what a condition looks at, and what it needs -------------------------------------------------------------


def show_sum(facts: TargetFacts) -> str:
    """The sum with its parts."""
    return facts.sum_in_words()


def show_left(facts: TargetFacts) -> str:
    """Which targets are disease now, and whether there was a complete response."""
    if facts.cr_at is None:
        return "no complete response before"
    now = f"disease in {', '.join([str(s) for s in facts.left])}" if facts.left else "no target is disease"
    return f"{now}, complete response at time point {facts.cr_at}"


def show_missing(facts: TargetFacts) -> str:
    """Which targets were not evaluated, and what the others amount to."""
    if not facts.missing:
        return "every target was evaluated"
    lesions = ", ".join([str(s) for s in facts.missing])
    return f"not evaluated: {lesions}; {facts.sum_in_words()} is {facts.against_nadir()}"


def show_rise(facts: TargetFacts) -> str:
    """The change from the nadir."""
    return f"{facts.sum_in_words()} is {facts.against_nadir()}"


def show_fall(facts: TargetFacts) -> str:
    """The change from baseline."""
    return f"{facts.sum_in_words()} is {facts.against_baseline()}"


def show_pr(facts: TargetFacts) -> str:
    """Whether a partial response was reached before."""
    before = "no partial response before" if facts.pr_at is None else f"partial response at time point {facts.pr_at}"
    return f"{show_fall(facts)}, {before}"


def show_both(facts: TargetFacts) -> str:
    """The change from baseline and from the nadir."""
    return f"{facts.sum_in_words()} is {facts.against_baseline()} and {facts.against_nadir()}"


def needs_back(_thresholds: Thresholds) -> str:
    """Condition of :func:`back_after_cr`."""
    return "a target that comes back after complete response is progression"


def needs_held(_thresholds: Thresholds) -> str:
    """Condition of :func:`held_after_cr`."""
    return "a node of 10.0 to 10.9 mm after complete response is held until it is imaged again"


def needs_rise(thresholds: Thresholds) -> str:
    """Condition of :func:`rose`."""
    sign = "at least" if thresholds.pd_inclusive else "more than"
    text = f"progression from {sign} +{show(thresholds.pd_percent)} %"
    if thresholds.pd_absolute_mm > 0:
        text += f" and at least +{show(thresholds.pd_absolute_mm)} mm"
    return text


def needs_rise_without_the_missing(thresholds: Thresholds) -> str:
    """Condition of :func:`rose_without_the_missing`."""
    return f"{needs_rise(thresholds)}, whatever the missing targets would add"


def needs_missing(_thresholds: Thresholds) -> str:
    """Condition of :func:`not_all_evaluated`."""
    return "without every target the sum cannot be judged, unless the rest is progression"


def needs_gone(thresholds: Thresholds) -> str:
    """Condition of :func:`all_gone`."""
    return f"complete response when every target is gone and every node below {show(thresholds.node_normal_mm)} mm"


def needs_reference(_thresholds: Thresholds) -> str:
    """Condition of :func:`no_reference`."""
    return "without a complete baseline sum a response cannot be judged"


def needs_fall(thresholds: Thresholds) -> str:
    """Condition of :func:`fell`."""
    return f"partial response from at least -{show(thresholds.pr_percent)} %"


def needs_carrying(_thresholds: Thresholds) -> str:
    """Condition of :func:`pr_carried`."""
    return "the protocol carries a partial response forward until progression"


def needs_nothing(_thresholds: Thresholds) -> str:
    """Condition of the last rule, which always holds."""
    return "neither response nor progression"
