"""Agreement on categories: Cohen's, Fleiss' and Gwet's coefficients, percent agreement, and how often readers differ.

Ratings are an array (units, readers) of category numbers from 0; -1 where a reader did not rate a unit. ``subject`` gives the
subject of each unit, because visits of one subject are not independent.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import numpy.typing as npt

from mrecist.agreement.resampling import Array, Statistic, Whole, by_subject, cleared, less, ratio


def cohen_kappa(ratings: Whole, categories: int, weights: Array, subject: Whole) -> Statistic:
    """Cohen's kappa of two readers (Cohen 1960, weighted Cohen 1968), from the units that both rated.

    kappa = (p_o - p_e) / (1 - p_e) with p_o = sum w_kl p_kl and p_e = sum w_kl p_k. p_.l.
    """
    rated = (ratings >= 0).all(axis=1)
    cell = ratings[rated, 0] * categories + ratings[rated, 1]
    parts = by_subject(np.eye(categories**2)[cell], subject[rated])

    def of(sums: Array) -> Array:
        table = sums.reshape(*sums.shape[:-1], categories, categories)
        share = table / table.sum(axis=(-2, -1), keepdims=True)
        chance = share.sum(axis=-1)[..., :, None] * share.sum(axis=-2)[..., None, :]
        return _beyond_chance((weights * share).sum(axis=(-2, -1)), (weights * chance).sum(axis=(-2, -1)))

    return Statistic(parts=parts, of=_quiet(of), units=int(rated.sum()))


def fleiss_kappa(ratings: Whole, categories: int, weights: Array, subject: Whole) -> Statistic:
    """Fleiss' kappa (Fleiss 1971; weighted: Gwet 2014), from the units that every reader rated, as its source assumes."""
    complete = (ratings >= 0).all(axis=1)
    counts = _counts(ratings[complete], categories)
    agreed = _pairs_agreed(counts, weights)
    parts = by_subject(
        np.column_stack([agreed, counts / max(ratings.shape[1], 1), np.ones(len(agreed))]), subject[complete]
    )

    def of(sums: Array) -> Array:
        share = sums[..., 1:-1] / sums[..., -1:]
        chance = np.einsum("...k,kl,...l->...", share, weights, share)
        return _beyond_chance(sums[..., 0] / sums[..., -1], chance)

    return Statistic(parts=parts, of=_quiet(of), units=int(complete.sum()))


def gwet_ac(ratings: Whole, categories: int, weights: Array, subject: Whole) -> Statistic:
    """Gwet's AC1 (identity weights) or AC2 (Gwet 2008, 2014).

    Missing ratings as in Gwet 2014: agreement from the units with two ratings or more, the shares of the categories from every unit
    with at least one. p_e = sum w_kl / (q (q - 1)) x sum pi_k (1 - pi_k).
    """
    parts, units = _gwet_parts(ratings, categories, weights, subject)
    factor = weights.sum() / max(categories * (categories - 1), 1)

    def of(sums: Array) -> Array:
        share = sums[..., 2:-1] / sums[..., -1:]
        return _beyond_chance(ratio(sums[..., 0], sums[..., 1]), factor * (share * (1 - share)).sum(axis=-1))

    return Statistic(parts=parts, of=_quiet(of), units=units)


def percent_agreement(ratings: Whole, categories: int, weights: Array, subject: Whole) -> Statistic:
    """Mean share of the pairs of readers that agree, from the units with two ratings or more; weighted by ``weights``."""
    parts, units = _gwet_parts(ratings, categories, weights, subject)
    return Statistic(parts=parts[:, :2], of=lambda sums: ratio(sums[..., 0], sums[..., 1]), units=units)


def share_of(yes: npt.NDArray[np.bool_], subject: Whole) -> Statistic:
    """How often something holds among units: the share that is True."""
    parts = by_subject(np.column_stack([yes.astype(np.float64), np.ones(len(yes))]), subject)
    return Statistic(parts=parts, of=lambda sums: ratio(sums[..., 0], sums[..., 1]), units=len(yes))


def difference_of_shares(one: Array, other: Array) -> Statistic:
    """Mean of ``one`` less mean of ``other``, both of the same subjects (subjects,)."""
    parts = np.column_stack([one - other, np.ones(len(one))])

    def of(sums: Array) -> Array:
        # Thirds of one reader's and of another's that cancel.
        return ratio(cleared(sums[..., 0], sums[..., 1]), sums[..., 1])

    return Statistic(parts=parts, of=of, units=len(one))


def _gwet_parts(ratings: Whole, categories: int, weights: Array, subject: Whole) -> tuple[Array, int]:
    """By subject: agreement, units with two ratings or more, share of each category, units with a rating."""
    rated = (ratings >= 0).any(axis=1)
    counts = _counts(ratings[rated], categories)
    raters = counts.sum(axis=1)
    several = raters >= 2
    agreed = np.where(several, _pairs_agreed(counts, weights), 0)
    parts = np.column_stack([agreed, several, counts / raters[:, None], np.ones(len(counts))])
    return by_subject(parts, subject[rated]), int(several.sum())


def _counts(ratings: Whole, categories: int) -> Array:
    """How many readers gave each category, (units, categories)."""
    found: Array = (ratings[:, :, None] == np.arange(categories)).sum(axis=1).astype(np.float64)
    return found


def _pairs_agreed(counts: Array, weights: Array) -> Array:
    """Share of the ordered pairs of readers that agree in each unit; nan with fewer than two."""
    raters = counts.sum(axis=1)
    return ratio((counts * (counts @ weights - 1)).sum(axis=1), raters * (raters - 1))


def _beyond_chance(observed: Array, chance: Array) -> Array:
    return ratio(less(observed, chance), 1 - chance)


def _quiet(of: Callable[[Array], Array]) -> Callable[[Array], Array]:
    """A resample without any unit has no shares: nan, without a warning."""

    def quiet(sums: Array) -> Array:
        with np.errstate(invalid="ignore", divide="ignore"):
            return of(sums)

    return quiet
