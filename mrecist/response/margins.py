"""How far a category is from flipping: by how much the sum, or one lesion alone, must change for another category.

The rules of the criterion are asked again with other sizes of the visit; there is no second version of them here. A change is
counted in steps of the recorded precision (at least 0.1 of the criterion's unit), so a margin is the smallest number of steps
that gives another category, and one step less gives none: whether a cut-off is inclusive is thereby right.

Earlier visits, non-targets and new lesions stay as read. A lesion that counts 0 stays at 0: that it is gone is a finding, not a
size. Incomplete sums have no margin.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, fields, replace
from decimal import Decimal

from mrecist.criteria._rule import LesionSize, TargetFacts, Thresholds
from mrecist.model import Flip, Kind, LesionMargins, Margins, Response
from mrecist.response.assess import Assessed, WouldBe
from mrecist.units import EXACT, ZERO, difference, product, total

STEP = Decimal("0.1")
# A rise beyond this many times the sums at hand is not looked at; no cut-off of a published criterion is near it.
_FAR = Decimal(8)


def margins(assessed: Assessed) -> Margins | None:
    """The margins of one visit of :func:`mrecist.response.assess.assess_read`.

    None at baseline, without targets, and where a target was not evaluated: an incomplete sum has no distance to a cut-off.
    """
    facts, would_be = assessed.facts, assessed.would_be
    if facts is None or would_be is None or facts.missing:
        return None
    step = step_of(s.size for s in facts.sizes)
    singles = [_Single(facts, would_be, step, index) for index, s in enumerate(facts.sizes) if s.size]
    together = _Together(facts, would_be, step)
    target, overall = would_be(facts)
    fall, rise = together.less(_overall), together.more(_overall)
    lesions = [
        LesionMargins(
            lesion=one.lesion.lesion, size=one.size, less=one.less(_overall, fall), more=one.more(_overall, rise)
        )
        for one in singles
    ]
    target_fall, target_rise = together.less(_target), together.more(_target)
    return Margins(
        unit=facts.unit,
        step=step,
        overall=overall,
        less=_nearest(fall, together.gone(_overall), *(one.less for one in lesions)),
        more=_nearest(rise, *(one.more for one in lesions)),
        target=target,
        target_less=_nearest(target_fall, together.gone(_target), *(one.less(_target, target_fall) for one in singles)),
        target_more=_nearest(target_rise, *(one.more(_target, target_rise) for one in singles)),
        lesions=tuple(lesions),
    )


Pair = tuple[Response, Response]
Which = Callable[[Pair], Response]


def _target(pair: Pair) -> Response:
    return pair[0]


def _overall(pair: Pair) -> Response:
    return pair[1]


def step_of(sizes: Iterable[Decimal | None]) -> Decimal:
    """The recorded precision: 0.1, or finer where a size has more decimals."""
    exponents = [size.as_tuple().exponent for size in sizes if size is not None]
    finest = min((e for e in exponents if isinstance(e, int)), default=-1)
    return min(STEP, Decimal(1).scaleb(finest))


def _nearest(*flips: Flip | None) -> Flip | None:
    return min((flip for flip in flips if flip is not None), key=lambda flip: flip.by, default=None)


def resized(one: LesionSize, size: Decimal, unit: str, thresholds: Thresholds) -> LesionSize:
    """The lesion with another size; a node that is judged by its size here is disease from its normal size on."""
    normal = thresholds.node_normal_mm
    disease = one.disease
    if size == 0:
        disease = False
    elif one.kind is Kind.LESION:
        disease = True
    elif unit == "mm" and one.size is not None and one.disease == (one.size >= normal):
        disease = size >= normal
    return replace(one, size=size, disease=disease)


# --- ways to change the sizes of a visit -----------------------------------------------------------------------------


@dataclass(frozen=True, kw_only=True)
class _Shifted(TargetFacts):
    """The same lesions with another sum: each stays disease, or not, as it is."""

    shift: Decimal = ZERO

    def __post_init__(self) -> None:
        super().__post_init__()
        object.__setattr__(self, "known_sum", total([self.known_sum, self.shift]))


class _Way:
    """One way in which sizes change: steps of it -> the categories then."""

    def __init__(self, facts: TargetFacts, would_be: WouldBe, step: Decimal) -> None:
        self.facts, self.would_be, self.step = facts, would_be, step
        self.known: dict[int, Pair] = {}

    def changed(self, by: Decimal) -> TargetFacts:
        raise NotImplementedError

    @property
    def room(self) -> Decimal:
        """How far the sizes can fall this way."""
        raise NotImplementedError

    def less(self, which: Which, guess: Flip | None = None) -> Flip | None:
        return self._first(which, -1, int(EXACT.divide_int(self.room, self.step)), guess)

    def more(self, which: Which, guess: Flip | None = None) -> Flip | None:
        baseline = self.facts.baseline or ZERO
        far = product(_FAR, total([self.facts.known_sum, baseline, self.facts.thresholds.pd_absolute_mm, Decimal(10)]))
        return self._first(which, 1, int(EXACT.divide_int(far, self.step)), guess)

    def _at(self, steps: int) -> Pair:
        if steps not in self.known:
            self.known[steps] = self.would_be(self.changed(product(self.step, Decimal(steps))))
        return self.known[steps]

    def _first(self, which: Which, sign: int, limit: int, guess: Flip | None) -> Flip | None:
        """The smallest number of steps, up to ``limit``, that gives another category: doubling, then halving.

        ``guess`` is the answer of another way; it is this one's too when the category changes just there.
        """
        now = which(self._at(0))
        if guess is not None:
            steps = int(EXACT.divide_int(guess.by, self.step))
            if steps <= limit and self._changes_at(which, sign, steps):
                return Flip(by=guess.by, gives=which(self._at(sign * steps)))
        # A rise has no way back to the category of now; a fall has one where a lesion that vanishes drops out of a mean.
        if sign > 0 and which(self._at(limit)) is now:
            return None
        same, other = 0, 1
        while other < limit and which(self._at(sign * other)) is now:
            same, other = other, other * 2
        other = min(other, limit)
        if other <= same or which(self._at(sign * other)) is now:
            return None
        while other - same > 1:
            middle = (same + other) // 2
            if which(self._at(sign * middle)) is now:
                same = middle
            else:
                other = middle
        return Flip(by=product(self.step, Decimal(other)), gives=which(self._at(sign * other)))

    def _changes_at(self, which: Which, sign: int, steps: int) -> bool:
        now = which(self._at(0))
        return which(self._at(sign * (steps - 1))) is now and which(self._at(sign * steps)) is not now


class _Together(_Way):
    """The sum changes and every lesion stays what it is; ``gone``: every lesion vanishes and every node becomes normal."""

    def changed(self, by: Decimal) -> TargetFacts:
        named = {f.name: getattr(self.facts, f.name) for f in fields(TargetFacts) if f.init}
        return _Shifted(**named, shift=by)

    @property
    def room(self) -> Decimal:
        # A sum of lesions that are still there is above 0.
        return max(ZERO, difference(self.facts.known_sum, self.step))

    def gone(self, which: Which) -> Flip | None:
        normal = self.facts.thresholds.node_normal_mm
        sizes = []
        for one in self.facts.sizes:
            size = one.size or ZERO
            if one.disease and one.kind is Kind.NODE and self.facts.unit == "mm" and size >= normal:
                size = max(ZERO, difference(size, product(self.step, _steps_below(size, normal, self.step))))
            elif one.disease:
                size = ZERO
            sizes.append(resized(one, size, self.facts.unit, self.facts.thresholds))
        facts = replace(self.facts, sizes=tuple(sizes))
        by, gives = difference(self.facts.known_sum, facts.known_sum), which(self.would_be(facts))
        return Flip(by=by, gives=gives) if by > 0 and gives is not which(self.would_be(self.facts)) else None


def _steps_below(size: Decimal, limit: Decimal, step: Decimal) -> Decimal:
    """The smallest number of steps that takes ``size`` below ``limit``."""
    return EXACT.divide_int(difference(size, limit), step) + 1


class _Single(_Way):
    """One lesion changes, the others stay."""

    def __init__(self, facts: TargetFacts, would_be: WouldBe, step: Decimal, index: int) -> None:
        super().__init__(facts, would_be, step)
        self.index, self.lesion = index, facts.sizes[index]
        self.size = self.lesion.size or ZERO

    def changed(self, by: Decimal) -> TargetFacts:
        size = total([self.size, by])
        one = resized(self.lesion, size, self.facts.unit, self.facts.thresholds)
        return replace(self.facts, sizes=(*self.facts.sizes[: self.index], one, *self.facts.sizes[self.index + 1 :]))

    @property
    def room(self) -> Decimal:
        return self.size
