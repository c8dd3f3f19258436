"""What a criterion is made of: thresholds, the facts of a visit, ordered rules, and the overall matrix.

A rule is data: the category it gives, the condition that must hold, the words that explain it, and its source. The first rule
that holds wins, so the order of a criterion's rules is part of the criterion and is visible in its file.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from decimal import Decimal
from functools import cached_property

from mrecist.model import Kind, Measurement, Nadir, NewLesion, Response
from mrecist.units import ZERO, difference, percent_change, show, show_percent, total


@dataclass(frozen=True, slots=True, kw_only=True)
class Thresholds:
    """The numbers and switches of a criterion; the defaults of each criterion are those of its publication.

    Every field is a key of ``[criteria.NAME]`` in the protocol file.
    """

    pr_percent: Decimal = Decimal(30)
    pd_percent: Decimal = Decimal(20)
    pd_absolute_mm: Decimal = Decimal(5)
    pr_carry_forward: bool = False
    too_small_mm: Decimal = Decimal(5)
    node_normal_mm: Decimal = Decimal(10)
    max_targets: int = 5
    max_targets_per_organ: int = 2
    new_nodule_mm: Decimal = Decimal(10)
    new_nodule_growth_mm: Decimal = Decimal(10)
    viable_phases: tuple[str, ...] = ("arterial",)


@dataclass(frozen=True, slots=True, kw_only=True)
class LesionSize:
    """What one target counts at one visit: ``size`` in mm, or None with the reason ``why`` it could not be evaluated."""

    lesion: str
    kind: Kind
    size: Decimal | None
    why: str = ""
    flags: tuple[str, ...] = ()

    def __str__(self) -> str:
        return f"{self.lesion} {self.why or show(self.size)}"


@dataclass(frozen=True, kw_only=True)
class TargetFacts:
    """Everything that the target rules of one visit may look at."""

    thresholds: Thresholds
    sizes: tuple[LesionSize, ...]
    baseline: Decimal | None
    nadir: Nadir | None
    # Time point of an earlier overall CR, or None (also None when the protocol takes later visits as recorded).
    cr_at: int | None = None
    # Time point of an earlier target PR, or None.
    pr_at: int | None = None

    @cached_property
    def known_sum(self) -> Decimal:
        """Sum of the targets that were evaluated."""
        return total(s.size for s in self.sizes if s.size is not None)

    @cached_property
    def missing(self) -> tuple[LesionSize, ...]:
        """Targets that were not evaluated."""
        return tuple(s for s in self.sizes if s.size is None)

    @property
    def sum(self) -> Decimal | None:
        """The sum when every target was evaluated; an incomplete sum is no sum."""
        return None if self.missing else self.known_sum

    @cached_property
    def back(self) -> tuple[LesionSize, ...]:
        """Targets that are disease at this visit: a lesion above 0 mm, a node at or above its normal size."""
        return tuple(
            s for s in self.sizes if s.size is not None and s.size >= self._disease_from(s.kind) and s.size > 0
        )

    def _disease_from(self, kind: Kind) -> Decimal:
        return self.thresholds.node_normal_mm if kind is Kind.NODE else ZERO

    def sum_in_words(self) -> str:
        """The sum with its parts."""
        parts = ", ".join(str(s) for s in self.sizes)
        if self.missing:
            return f"evaluated part {show(self.known_sum)} mm of an incomplete sum ({parts})"
        return f"sum {show(self.known_sum)} mm ({parts})"

    def against_nadir(self) -> str:
        """The change from the nadir in words."""
        if self.nadir is None:
            return "no complete earlier sum to compare with"
        rise = difference(self.known_sum, self.nadir.sum)
        percent = show_percent(percent_change(self.known_sum, self.nadir.sum))
        sign = "+" if rise > 0 else ""
        return (
            f"{percent} and {sign}{show(rise)} mm from the smallest sum {show(self.nadir.sum)} mm "
            f"(time point {self.nadir.timepoint})"
        )

    def against_baseline(self) -> str:
        """The change from baseline in words."""
        if self.baseline is None:
            return "no complete baseline sum to compare with"
        return f"{show_percent(percent_change(self.known_sum, self.baseline))} from baseline {show(self.baseline)} mm"


Condition = Callable[[TargetFacts], bool]


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """One rule for the response of the target lesions."""

    name: str
    gives: Response
    when: Condition
    because: Callable[[TargetFacts], str]
    cite: str
    # Our reading where the publication is silent; names the ambiguity of docs/criteria.md and the option that changes it.
    note: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class NewLesionView:
    """What one new lesion is at one time point by a criterion, and why."""

    status: NewLesion
    words: str
    flags: tuple[str, ...] = ()


NewLesionRule = Callable[[dict[int, Measurement], Thresholds], dict[int, NewLesionView]]
OverallRow = tuple[frozenset[Response], frozenset[Response], bool | None, Response, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Criterion:
    """A response criterion as data.

    ``size_of`` gives the size by which a measured target counts, or the reason why it has none. ``new_lesion`` reads the
    history of one new lesion (time point -> row) and says at each time point what it is and why.
    """

    name: str
    title: str
    unit: str
    quantity: str
    source: str
    thresholds: Thresholds
    # The other value of pd_absolute_mm in use: a visit where it would decide otherwise is flagged.
    other_pd_absolute_mm: Decimal
    size_of: Callable[[Measurement, Measurement, Thresholds], LesionSize]
    in_target_sum: Callable[[Measurement], bool]
    rules: tuple[Rule, ...]
    overall: tuple[OverallRow, ...]
    new_lesion: NewLesionRule


def first_that_holds(rules: tuple[Rule, ...], facts: TargetFacts) -> Rule:
    """The first rule whose condition holds."""
    return next(rule for rule in rules if rule.when(facts))
