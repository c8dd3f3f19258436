"""The k-sample test of cumulative incidences: Gray 1988, Annals of Statistics 16:1141, with weight 1 (rho = 0).

Symbols are the paper's: S is the Kaplan-Meier function without any event, F the cumulative incidence of the event, G = 1 - F,
h = Y / S(t-) the number at risk as if no competing event had happened. A failure and a censoring on one day: the failure came first.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Array = NDArray[Any]

ROUNDING = 1e-12
FAILED, RIVAL = 1, 2
"""Codes of the event and of a competing one; 0 is censored."""


@dataclass(frozen=True, slots=True)
class GrayTest:
    """Chi-squared with its degrees of freedom. ``statistic`` is None where no group tells anything of another."""

    statistic: float | None
    df: int
    p: float | None


def gray_test(
    times: Sequence[float], status: Sequence[int], groups: Sequence[str], strata: Sequence[str] | None = None
) -> GrayTest:
    """Whether the cumulative incidence of the event differs between groups.

    Parameters
    ----------
    times, status, groups, strata : one value a subject; ``status`` is 0 censored, 1 the event, 2 a competing one. With strata the
        scores and their covariances are added up over the strata.
    """
    import numpy as np
    from scipy.stats import chi2

    time, state, group = np.asarray(times, float), np.asarray(status), np.asarray(groups)
    names = sorted(set(groups))
    stratum = np.asarray(strata if strata is not None else [""] * len(times))
    score, covariance = np.zeros(len(names)), np.zeros((len(names), len(names)))
    for one in dict.fromkeys(stratum.tolist()):
        own = stratum == one
        found = _score(*_counts(time[own], state[own], group[own], names))
        score, covariance = score + found[0], covariance + found[1]
    # The scores add up to 0, so the last group tells nothing that the others did not.
    reduced = covariance[:-1, :-1]
    df = max(len(names) - 1, 0)
    if df < 1 or np.linalg.matrix_rank(reduced) < df:
        return GrayTest(None, df, None)
    statistic = float(score[:-1] @ np.linalg.solve(reduced, score[:-1]))
    return GrayTest(statistic, df, float(chi2.sf(statistic, df)))


def _counts(time: Array, state: Array, group: Array, names: Sequence[str]) -> tuple[Array, Array, Array]:
    """Events, competing events and subjects at risk, of each group (rows) on each day with either (columns)."""
    import numpy as np

    days = np.unique(time[state != 0])
    of_group = [group == name for name in names]

    def on_day(code: int) -> Array:
        return np.array(
            [
                np.histogram(np.searchsorted(days, time[g & (state == code)]), np.arange(days.size + 1))[0]
                for g in of_group
            ]
        )

    at_risk = np.array([g.sum() - np.searchsorted(np.sort(time[g]), days) for g in of_group])
    return on_day(FAILED), on_day(RIVAL), at_risk


def _score(failed: Array, rival: Array, at_risk: Array) -> tuple[Array, Array]:
    """The score of each group against all of them together, and its covariance (sections 2 and 3 of the paper)."""
    import numpy as np

    if not failed.size:
        return np.zeros(len(failed)), np.zeros((len(failed), len(failed)))
    there = at_risk > 0
    risk = np.where(there, at_risk, 1)
    survival = np.cumprod(1 - (failed + rival) / risk, axis=1)
    before = _before(survival, 1.0)
    incidence = np.cumsum(before * failed / risk, axis=1)
    own_left = 1 - _before(incidence, 0.0)
    h = np.where(there, at_risk / np.where(there, before, 1), 0)
    all_failed, all_h = failed.sum(axis=0), h.sum(axis=0)
    pooled = np.cumsum(all_failed / all_h)
    left, left_before = 1 - pooled, 1 - _before(pooled[None], 0.0)[0]
    score = (failed - all_failed * h * own_left / (h * own_left).sum(axis=0)).sum(axis=1)
    # Scores i of events in group k: what an event adds at its day, and what it takes from the days after it.
    k = len(failed)
    direct = (np.eye(k)[:, :, None] - (h / all_h)[None]) * h[:, None]
    # Where the pooled incidence has come to 1, who is left is of one group, and its share of that day is 0.
    possible = abs(left_before) > ROUNDING
    hazard = np.where(possible, all_failed / (all_h * np.where(possible, left_before, 1)), 0)
    later = np.cumsum(direct * hazard, axis=2)
    later = later[:, :, -1:] - later
    ratio = np.where(survival > 0, left / np.where(survival > 0, survival, 1), 0)
    weight = np.where(survival > 0, 1 - ratio, 1)
    return score, _spread(direct + weight * later, _event_variance(all_failed, all_h, h, before)) + _spread(
        ratio * later, _rival_variance(rival, risk, before)
    )


def _before(steps: Array, first: float) -> Array:
    """The value of each function just before each day."""
    import numpy as np

    return np.concatenate([np.full((len(steps), 1), first), steps[:, :-1]], axis=1)


def _event_variance(failed: Array, all_h: Array, h: Array, before: Array) -> Array:
    """The variance of an event's increment under the pooled incidence, with the correction for several events on a day."""
    import numpy as np

    expected = np.where(h > 0, failed / (all_h * np.where(h > 0, h, 1)), 0)
    return expected * _ties(np.broadcast_to(failed, h.shape), all_h * before)


def _rival_variance(rival: Array, risk: Array, before: Array) -> Array:
    found: Array = _ties(rival, risk) * before**2 * rival / risk**2
    return found


def _ties(happened: Array, risk: Array) -> Array:
    """The hypergeometric correction: 1 for one event, 0 where all at risk have it."""
    import numpy as np

    found: Array = 1 - np.where((happened > 1) & (risk > 1), (happened - 1) / np.where(risk > 1, risk - 1, 1), 0)
    return found


def _spread(share: Array, variance: Array) -> Array:
    """Sum over groups and days of the products of two scores' shares, by the variance of each increment."""
    import numpy as np

    found: Array = np.einsum("ikt,jkt,kt->ij", share, share, variance)
    return found
