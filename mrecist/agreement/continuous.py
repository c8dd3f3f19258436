"""Agreement on sizes: intraclass correlation by its named forms, Bland-Altman limits, spread between readers.

Sizes are an array (subjects, readers) without gaps: a subject whom one reader did not measure is left out by the caller.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from mrecist.agreement.resampling import Array, Statistic, cleared, less, ratio

# Shrout and Fleiss 1979 -> McGraw and Wong 1996. 1: readers differ from subject to subject; 2: readers are a sample,
# absolute agreement; 3: these readers, consistency. The second figure: one reader (1), or the mean of all k.
FORMS = {
    "ICC(1,1)": "ICC(1)",
    "ICC(2,1)": "ICC(A,1)",
    "ICC(3,1)": "ICC(C,1)",
    "ICC(1,k)": "ICC(k)",
    "ICC(2,k)": "ICC(A,k)",
    "ICC(3,k)": "ICC(C,k)",
}
# Limits of agreement hold 95 % of differences of a normal distribution (Bland and Altman 1986).
_LIMIT = 1.96


def icc(sizes: Array, form: str) -> Statistic:
    """An intraclass correlation (Shrout and Fleiss 1979, McGraw and Wong 1996) by its name in :data:`FORMS`.

    From the mean squares of the analysis of variance: subjects, readers, residual, and within subjects.
    """
    readers = sizes.shape[1]
    # Taken from the mean, so that the squares lose no digits.
    about = sizes - sizes.mean() if sizes.size else sizes
    totals = about.sum(axis=1)
    parts = np.column_stack([about, (about**2).sum(axis=1), totals**2, np.ones(len(sizes))])

    def of(sums: Array) -> Array:
        with np.errstate(invalid="ignore", divide="ignore"):
            return _FORMULAS[form](_mean_squares(sums, readers))

    return Statistic(parts=parts, of=of, units=len(sizes))


@dataclass(frozen=True, slots=True, kw_only=True)
class _Variation:
    """Mean squares of ``n`` subjects by ``k`` readers."""

    subjects: Array
    readers: Array
    residual: Array
    within: Array
    n: Array
    k: int


def _mean_squares(sums: Array, k: int) -> _Variation:
    of_readers, squares, of_subjects, n = sums[..., :-3], sums[..., -3], sums[..., -2], sums[..., -1]
    grand = of_readers.sum(axis=-1) ** 2 / (n * k)
    between_readers = less((of_readers**2).sum(axis=-1) / n, grand)
    within = less(squares, of_subjects / k)
    return _Variation(
        subjects=ratio(less(of_subjects / k, grand), n - 1),
        readers=between_readers / (k - 1),
        residual=ratio(np.maximum(less(within, between_readers), 0), (n - 1) * (k - 1)),
        within=within / (n * (k - 1)),
        n=n,
        k=k,
    )


_FORMULAS: dict[str, Callable[[_Variation], Array]] = {
    "ICC(1,1)": lambda m: ratio(less(m.subjects, m.within), m.subjects + (m.k - 1) * m.within),
    "ICC(2,1)": lambda m: ratio(
        less(m.subjects, m.residual), m.subjects + (m.k - 1) * m.residual + m.k * (m.readers - m.residual) / m.n
    ),
    "ICC(3,1)": lambda m: ratio(less(m.subjects, m.residual), m.subjects + (m.k - 1) * m.residual),
    "ICC(1,k)": lambda m: ratio(less(m.subjects, m.within), m.subjects),
    "ICC(2,k)": lambda m: ratio(less(m.subjects, m.residual), m.subjects + (m.readers - m.residual) / m.n),
    "ICC(3,k)": lambda m: ratio(less(m.subjects, m.residual), m.subjects),
}


def bland_altman(one: Array, other: Array, *, percent: bool) -> dict[str, Statistic]:
    """Bias (``one`` less ``other``) and the limits of agreement, bias +- 1.96 SD (Bland and Altman 1986).

    ``percent`` : of the mean of the two (Bland and Altman 1999, section 4); a pair that is 0 and 0 has no percentage and is left out.
    """
    apart, scale = one - other, float(max(one.max(), other.max())) if len(one) else 0.0
    if percent:
        mean = (one + other) / 2
        # No difference is more than twice the mean.
        apart, scale = 100 * apart[mean > 0] / mean[mean > 0], 200.0
    shift = float(apart.mean()) if len(apart) else 0.0
    about = apart - shift
    parts = np.column_stack([about, about**2, np.ones(len(apart))])

    def limit(sds: float) -> Callable[[Array], Array]:
        def of(sums: Array) -> Array:
            mean = ratio(sums[..., 0], sums[..., 2])
            if sds == 0:
                return cleared(mean + shift, scale)
            square = ratio(less(sums[..., 1], sums[..., 0] * mean), sums[..., 2] - 1)
            return cleared(mean + shift + sds * np.sqrt(np.maximum(square, 0)), scale)

        return of

    limits = {"bias": 0.0, "lower_limit": -_LIMIT, "upper_limit": _LIMIT}
    return {name: Statistic(parts=parts, of=limit(sds), units=len(apart)) for name, sds in limits.items()}


def mean_of(values: Array) -> Statistic:
    """The mean of one number a subject."""
    parts = np.column_stack([values, np.ones(len(values))])
    return Statistic(parts=parts, of=lambda sums: ratio(sums[..., 0], sums[..., 1]), units=len(values))


def root_mean_square_of(values: Array) -> Statistic:
    """The root of the mean square of one number a subject."""
    parts = np.column_stack([values**2, np.ones(len(values))])
    return Statistic(parts=parts, of=lambda sums: np.sqrt(ratio(sums[..., 0], sums[..., 1])), units=len(values))


def spread(sizes: Array) -> Array:
    """Standard deviation of the readers in each subject (n - 1), in the unit of the sizes."""
    found: Array = sizes.std(axis=1, ddof=1)
    return found


def relative_spread(sizes: Array) -> Array:
    """Coefficient of variation of the readers in each subject: their standard deviation over their mean."""
    found: Array = spread(sizes) / sizes.mean(axis=1)
    return found
