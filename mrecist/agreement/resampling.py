"""A statistic with its interval: subjects are drawn again with replacement, all visits of a subject together.

Every statistic of this package is a function of sums over subjects, so that a resample is a matrix product: how often each
subject was drawn, times what each subject adds to the sums.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[np.float64]
Whole = npt.NDArray[np.int64]
LEVEL = 0.95
# A denominator below this is 0: chance agreement of 1, no variance. So is a difference below this part of what it is a difference of.
TINY = 1e-12


@dataclass(frozen=True, slots=True, kw_only=True)
class Statistic:
    """A number that follows from sums over subjects.

    ``parts`` is what each subject adds, (subjects, sums); only subjects that add something. ``of`` maps sums (..., sums) to values
    (...), nan where the number is not defined. ``units`` are what was compared: subjects, or visits of subjects.
    """

    parts: Array
    of: Callable[[Array], Array]
    units: int

    @property
    def subjects(self) -> int:
        """How many subjects it comes from."""
        return len(self.parts)

    @property
    def value(self) -> float | None:
        """The number; None where it is not defined."""
        return _number(self.of(self.parts.sum(axis=0)))


@dataclass(frozen=True, slots=True, kw_only=True)
class Interval:
    """Percentiles of the resamples; None where no resample defines the number. ``undefined``: resamples that do not."""

    low: float | None
    high: float | None
    undefined: int


def by_subject(parts: Array, subject: Whole) -> Array:
    """Parts of units (units, sums) added up by subject; ``subject`` is a number for each unit."""
    names, place = np.unique(subject, return_inverse=True)
    summed = np.zeros((len(names), parts.shape[1]))
    np.add.at(summed, place, parts)
    return summed


def ratio(numerator: Array, denominator: Array) -> Array:
    """Quotient, nan where the denominator is 0."""
    safe = np.where(np.abs(denominator) < TINY, np.nan, denominator)
    found: Array = numerator / safe
    return found


def cleared(value: Array, scale: Array | float) -> Array:
    """``value``, and 0 where it is no more than what the rounding of numbers as large as ``scale`` leaves."""
    found: Array = np.where(np.abs(value) <= TINY * scale, 0.0, value)
    return found


def less(one: Array, other: Array) -> Array:
    """``one`` less ``other``, and 0 where they are equal but for their rounding."""
    return cleared(one - other, np.maximum(np.abs(one), np.abs(other)))


def interval(statistic: Statistic, resamples: int, seed: int) -> Interval:
    """The percentile interval (Efron and Tibshirani 1993, chapter 13) at level 0.95; resamples that do not define it are left out.

    There is none where the number is not defined, and none of a single subject, which no resample varies.
    """
    if statistic.subjects < 2 or resamples == 0 or statistic.value is None:
        return Interval(low=None, high=None, undefined=0)
    values = statistic.of(_drawn(statistic.subjects, resamples, seed) @ statistic.parts)
    there = values[np.isfinite(values)]
    undefined = len(values) - len(there)
    if not len(there):
        return Interval(low=None, high=None, undefined=undefined)
    low, high = np.quantile(there, [(1 - LEVEL) / 2, (1 + LEVEL) / 2])
    return Interval(low=float(low), high=float(high), undefined=undefined)


@lru_cache(maxsize=4)
def _drawn(subjects: int, resamples: int, seed: int) -> Array:
    """How often each subject is in each resample, (resamples, subjects); the same for every statistic of as many subjects."""
    counts = np.random.default_rng((seed, subjects)).multinomial(subjects, np.full(subjects, 1 / subjects), resamples)
    return counts.astype(np.float64)


def _number(value: Array) -> float | None:
    return float(value) if np.isfinite(value) else None
