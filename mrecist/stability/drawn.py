"""The sizes of a read, drawn again with measurement error: every visit, baseline and nadir among them.

A lesion that was measured stays measured: its size never falls to 0. What was not measured (absent, too small, merged, not
evaluable, treated) stays as read, and so do densities, non-targets and new lesions.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field, replace
from decimal import Decimal
from typing import Any

import numpy as np
import numpy.typing as npt

from mrecist.criteria._rule import LesionSize, Thresholds
from mrecist.model import Measurement, State
from mrecist.protocol import CriterionSetting, ResponseRules, StabilityRules
from mrecist.response.assess import Assessed, assess_read
from mrecist.response.margins import resized, step_of
from mrecist.response.read import Read
from mrecist.stability.spread import Spread
from mrecist.units import product

Floats = npt.NDArray[np.float64]
# (time point, lesion) of a size that enters a sum.
Place = tuple[int, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Drawn:
    """One measured size: as recorded, and drawn again in whole multiples of ``step``."""

    size: LesionSize
    step: Decimal
    steps: npt.NDArray[np.int64]

    @property
    def values(self) -> Floats:
        """The drawn sizes."""
        return np.asarray(self.steps * float(self.step), dtype=np.float64)

    def exact(self, draw: int) -> Decimal:
        """One drawn size as the decimal that would have been recorded."""
        return product(self.step, Decimal(int(self.steps[draw])))


@dataclass(slots=True, kw_only=True)
class Sizes:
    """The sizes of one read by one criterion: ``as_read`` is the assessment of the recorded ones."""

    read: Read
    setting: CriterionSetting
    rules: ResponseRules
    as_read: tuple[Assessed, ...] = ()
    drawn: dict[Place, Drawn] = field(default_factory=dict)
    # How many of the drawn sizes have a standard deviation of their own.
    own: int = 0

    def assessed(self, draw: int) -> tuple[Assessed, ...]:
        """The engine's assessment of one draw; which lesions are targets stays as read."""
        exact = {place: one.exact(draw) for place, one in self.drawn.items()}
        original = self.setting.criterion.size_of

        def size_of(row: Measurement, baseline: Measurement, thresholds: Thresholds) -> LesionSize:
            size = exact.get((row.timepoint, row.lesion))
            if size is None:
                return original(row, baseline, thresholds)
            one = self.drawn[row.timepoint, row.lesion].size
            return resized(one, size, self.setting.criterion.unit, thresholds)

        criterion = replace(self.setting.criterion, size_of=size_of)
        return assess_read(self.read, replace(self.setting, criterion=criterion), self.rules)


def draw_sizes(
    read: Read,
    setting: CriterionSetting,
    rules: ResponseRules,
    stability: StabilityRules,
    spread: Spread | None = None,
) -> Sizes:
    """Assess a read as recorded and draw every measured size of its targets ``stability.draws`` times.

    ``spread`` gives the standard deviations; by default those of ``stability.error``.
    """
    spread = spread or Spread(error=stability.error)
    sizes = Sizes(read=read, setting=setting, rules=rules)
    original = setting.criterion.size_of
    given: dict[Place, tuple[Measurement, Measurement, LesionSize]] = {}

    def recording(row: Measurement, baseline: Measurement, thresholds: Thresholds) -> LesionSize:
        size = original(row, baseline, thresholds)
        given[row.timepoint, row.lesion] = (row, baseline, size)
        return size

    criterion = replace(setting.criterion, size_of=recording)
    sizes.as_read = assess_read(read, replace(setting, criterion=criterion), rules)
    for place, (row, baseline, size) in given.items():
        if row.state is State.MEASURED and size.size:
            sd = spread.of(setting.criterion, row, baseline, float(size.size))
            sizes.own += spread.is_own(setting.criterion, row, baseline)
            sizes.drawn[place] = _drawn(size, sd, _errors(read, row, stability))
    return sizes


def _drawn(size: LesionSize, sd: float, errors: Floats) -> Drawn:
    step = step_of([size.size])
    multiples = np.rint((float(size.size or 0) + sd * errors) / float(step))
    return Drawn(size=size, step=step, steps=np.maximum(multiples, 1).astype(np.int64))


def _errors(read: Read, row: Measurement, stability: StabilityRules) -> Floats:
    """Standard normal errors of one lesion at one visit, with the protocol's correlation between visits.

    Their seed is the protocol's with subject, reader, lesion and time point, so that no other row, subject or criterion, and no
    order of them, changes a draw; criteria are thereby compared on the same draws.
    """
    name = (stability.seed, read.subject, read.reader, row.lesion)
    own = _normal(stability.draws, *name, row.timepoint)
    shared = float(stability.correlation)
    if not shared:
        return own
    common = _normal(stability.draws, *name)
    return np.asarray(np.sqrt(shared) * common + np.sqrt(1 - shared) * own, dtype=np.float64)


def _normal(draws: int, *name: Any) -> Floats:
    digest = hashlib.sha256("\x1f".join(str(part) for part in name).encode("utf-8")).digest()
    return np.random.default_rng(int.from_bytes(digest, "big")).standard_normal(draws)
