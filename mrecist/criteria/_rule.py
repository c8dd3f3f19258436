"""What a criterion is made of: thresholds, the facts of a visit, ordered rules, and the overall matrix.

A rule is data: the category it gives, the condition that must hold, the words that explain it, and its source. The first rule
that holds wins, so the order of a criterion's rules is part of the criterion and is visible in its file.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from decimal import Decimal

from mrecist.model import Kind, Measurement, Nadir, NewLesion, Response, Role, State
from mrecist.units import ZERO, difference, percent_change, show, show_percent, total


@dataclass(frozen=True, slots=True, kw_only=True)
class Thresholds:
    """The numbers and switches of a criterion; the defaults of each criterion are those of its publication.

    A field is a key of ``[criteria.NAME]`` in the protocol file for the criteria that list it in their ``options``.
    A-numbers: docs/criteria.md.
    """

    pr_percent: Decimal = Decimal(30)
    pd_percent: Decimal = Decimal(20)
    pd_inclusive: bool = True
    pd_absolute_mm: Decimal = Decimal(0)
    pd_reference: str = "nadir"
    pd_from_zero: bool = True
    pr_carry_forward: bool = False
    too_small_mm: Decimal = Decimal(5)
    node_normal_mm: Decimal = Decimal(10)
    normal_nodes_progress: bool = False
    reappeared_node: str = "pd"
    resected_is_zero: bool = False
    modality_change: str = "flag"
    unknown_non_target: str = "PR"
    ne_when_any_part_ne: bool = False
    max_targets: int = 5
    max_targets_per_organ: int = 2
    new_lesion_is_pd: bool = True
    # Enhancement: mRECIST, EASL, qEASL.
    viable_phases: tuple[str, ...] = ("arterial",)
    never_enhancing: str = "non-target"
    viable_only_sum: bool = False
    regained_min_mm: Decimal = Decimal(0)
    foci: str = "longest"
    lipiodol_is_viable: bool = False
    enhancement_based_non_hcc: bool = False
    new_nodule_mm: Decimal = Decimal(10)
    new_nodule_growth_mm: Decimal = Decimal(10)
    porta_hepatis_node_mm: Decimal = Decimal(20)
    porta_hepatis_small: str = "ignore"
    effusion_needs_cytology: bool = True
    # iRECIST.
    icpd_mm: Decimal = Decimal(5)
    icpd_inclusive: bool = True
    icpd_reference: str = "either"
    icpd_min_days: int = 28
    icpd_max_days: int = 0
    new_target_mm: Decimal = Decimal(10)
    new_target_node_mm: Decimal = Decimal(15)
    # Choi.
    hu_percent: Decimal = Decimal(15)
    both_required: bool = False


# Which keys a criterion takes. A key that would change nothing is refused, not ignored.
OPTIONS_OF_ALL = (
    *("pr_percent", "pd_percent", "pd_inclusive", "pd_reference", "pd_from_zero", "pr_carry_forward"),
    *("node_normal_mm", "resected_is_zero", "modality_change", "unknown_non_target", "ne_when_any_part_ne"),
    *("max_targets", "max_targets_per_organ"),
)
OPTIONS_OF_DIAMETERS = ("pd_absolute_mm", "too_small_mm", "normal_nodes_progress", "reappeared_node")
OPTIONS_OF_ENHANCEMENT = ("viable_phases", "never_enhancing", "viable_only_sum", "enhancement_based_non_hcc")


@dataclass(frozen=True, slots=True, kw_only=True)
class LesionSize:
    """What one target counts at one visit: ``size``, or None with the reason ``why`` it could not be evaluated.

    ``disease`` is False for a lesion that is gone and for a node that is normal. ``hu`` is the mean density, if recorded.
    """

    lesion: str
    kind: Kind
    size: Decimal | None
    disease: bool = True
    why: str = ""
    flags: tuple[str, ...] = ()
    hu: Decimal | None = None
    # The evaluated fragments of a split lesion that is not evaluated as a whole.
    at_least: Decimal = ZERO
    # Of a node, in mm, whatever the criterion adds.
    short_axis: Decimal | None = None

    def __str__(self) -> str:
        return f"{self.lesion} {self.why or show(self.size)}"


@dataclass(frozen=True, slots=True, kw_only=True)
class TargetFacts:
    """Everything that the target rules of one visit may look at."""

    thresholds: Thresholds
    unit: str
    sizes: tuple[LesionSize, ...]
    baseline: Decimal | None
    baseline_sizes: tuple[LesionSize, ...] = ()
    nadir: Nadir | None
    # Time point of an earlier overall CR, or None (also None when the protocol takes later visits as recorded).
    cr_at: int | None = None
    # Time point of an earlier target PR, or None.
    pr_at: int | None = None
    # A nodule inside a target is new or has grown (Choi).
    grown_nodules: tuple[str, ...] = ()

    # Sum of the targets that were evaluated.
    known_sum: Decimal = field(init=False)
    # Targets that were not evaluated.
    missing: tuple[LesionSize, ...] = field(init=False)
    # Evaluated targets that are disease: not gone, and not a node of normal size.
    left: tuple[LesionSize, ...] = field(init=False)

    def __post_init__(self) -> None:
        # Every rule asks for these, so they are worked out once.
        known = total([s.at_least if s.size is None else s.size for s in self.sizes])
        object.__setattr__(self, "known_sum", known)
        object.__setattr__(self, "missing", tuple([s for s in self.sizes if s.size is None]))
        object.__setattr__(self, "left", tuple([s for s in self.sizes if s.size is not None and s.disease]))

    @property
    def sum(self) -> Decimal | None:
        """The sum when every target was evaluated; an incomplete sum is no sum."""
        return None if self.missing else self.known_sum

    @property
    def reference(self) -> Nadir | None:
        """What progression is counted from: the nadir, or the baseline where the protocol says so."""
        if self.thresholds.pd_reference == "baseline":
            return None if self.baseline is None else Nadir(sum=self.baseline, timepoint=0)
        return self.nadir

    def sum_in_words(self) -> str:
        """The sum with its parts."""
        parts = ", ".join([str(s) for s in self.sizes])
        if self.missing:
            return f"evaluated part {show(self.known_sum)} {self.unit} of an incomplete sum ({parts})"
        return f"sum {show(self.known_sum)} {self.unit} ({parts})"

    def against_nadir(self) -> str:
        """The change from the reference of progression in words."""
        reference = self.reference
        if reference is None:
            return "without a complete earlier sum to compare with"
        rise = difference(self.known_sum, reference.sum)
        percent = show_percent(percent_change(self.known_sum, reference.sum))
        name = "smallest sum" if self.thresholds.pd_reference == "nadir" else "baseline sum"
        return (
            f"{percent} and {'+' if rise > 0 else ''}{show(rise)} {self.unit} from the {name} {show(reference.sum)} "
            f"{self.unit} (time point {reference.timepoint})"
        )

    def against_baseline(self) -> str:
        """The change from baseline in words."""
        if self.baseline is None:
            return "without a complete baseline sum to compare with"
        percent = show_percent(percent_change(self.known_sum, self.baseline))
        return f"{percent} from baseline {show(self.baseline)} {self.unit}"


Condition = Callable[[TargetFacts], bool]


def always(_facts: TargetFacts) -> bool:
    """Holds when nothing before it did."""
    return True


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """One rule for the response of the target lesions.

    ``shows`` tells the numbers that the condition looks at, whether it holds or not; ``needs`` tells the condition.
    """

    name: str
    gives: Response
    when: Condition
    shows: Callable[[TargetFacts], str]
    needs: Callable[[Thresholds], str]
    cite: str
    # Our reading where the publication is silent; names the ambiguity of docs/criteria.md and the option that changes it.
    note: str = ""
    # Whether the rule has anything to ask at this visit under this protocol; an explanation leaves it out otherwise.
    arises: Condition = always

    def because(self, facts: TargetFacts) -> str:
        """Why the rule holds, in one clause."""
        return f"{self.shows(facts)}: {self.needs(facts.thresholds)}"


@dataclass(frozen=True, slots=True, kw_only=True)
class NewLesionView:
    """What one new lesion is at one time point by a criterion, and why."""

    status: NewLesion
    words: str
    flags: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class NonTargetView:
    """What one non-target is at one visit by a criterion, and why."""

    state: State
    words: str
    flags: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Placement:
    """The role of a baseline lesion under a criterion; None = no disease by this criterion. ``flags`` say why it moved."""

    role: Role | None
    flags: tuple[str, ...] = ()


NewLesionRule = Callable[[dict[int, Measurement], Thresholds], dict[int, NewLesionView]]
OverallRow = tuple[frozenset[Response], frozenset[Response], bool | None, Response, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Criterion:
    """A response criterion as data.

    ``size_of`` (row, baseline row) gives the size by which a target counts, or the reason why it has none. ``placed`` says
    whether a baseline lesion is target, non-target or no disease by this criterion. ``non_target`` (row, baseline row)
    reads one non-target. ``new_lesion`` reads the history of one new lesion (time point -> row).
    """

    name: str
    title: str
    unit: str
    quantity: str
    source: str
    thresholds: Thresholds
    # The keys of Thresholds that this criterion takes.
    options: tuple[str, ...]
    size_of: Callable[[Measurement, Measurement, Thresholds], LesionSize]
    rules: tuple[Rule, ...]
    overall: tuple[OverallRow, ...]
    placed: Callable[[Measurement, Thresholds], Placement]
    non_target: Callable[[Measurement, Measurement, Thresholds], NonTargetView]
    new_lesion: NewLesionRule
    # The other value of pd_absolute_mm in use: a visit where it would decide otherwise is flagged (A1).
    other_pd_absolute_mm: Decimal | None = None
    # Progression is first unconfirmed and may be confirmed later (iRECIST).
    confirms_progression: bool = False
    # What a target is measured by: "longest" (whole diameters), "viable" (the viable part), or "volume" (the whole volume).
    measure: str
    # Defined for hepatocellular carcinoma only (A17).
    hcc_only: bool = False
    # Column values of CDISC's RSCAT codelist under which this criterion is reported, the first one is written.
    rscat: tuple[str, ...] = ()


def first_that_holds(rules: tuple[Rule, ...], facts: TargetFacts) -> Rule:
    """The first rule whose condition holds."""
    for rule in rules:
        if rule.when(facts):
            return rule
    raise AssertionError(f"no rule holds for {facts}; the last rule of a criterion always holds")


def amended(
    rules: tuple[Rule, ...], sources: Mapping[str, tuple[str, str]], *, without: tuple[str, ...] = ()
) -> tuple[Rule, ...]:
    """The rules of another criterion with this one's sources: rule name -> (cite, note).

    Every rule that is kept must be named, so that nothing is taken over in silence.
    """
    kept = [rule for rule in rules if rule.name not in without]
    return tuple(replace(rule, cite=sources[rule.name][0], note=sources[rule.name][1]) for rule in kept)
