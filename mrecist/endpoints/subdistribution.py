"""The proportional hazards model of a subdistribution: Fine and Gray 1999, Journal of the American Statistical Association 94:496.

Who had a competing event stays at risk, with the weight G(t-) / G(X-) of still not being censored (section 4), G the Kaplan-Meier
function of censoring over all subjects; a failure and a censoring on one day: the failure came first. Ties after Breslow. The
covariance is the paper's sandwich (section 5), which takes G as estimated.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import isfinite
from typing import TYPE_CHECKING, Any

from mrecist.endpoints.gray import FAILED, RIVAL

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Array = NDArray[Any]

STEPS, HALVINGS, PRECISION = 50, 20, 1e-16
LEAST_INFORMATION = 1e-8
"""Below this, per standard deviation of a covariate, nothing is known of it: separation, or covariates that say the same."""


@dataclass(frozen=True, slots=True)
class Subdistribution:
    """Coefficients (logarithms of hazard ratios) with their robust and their model-based standard errors."""

    coefficients: tuple[float, ...]
    errors: tuple[float, ...]
    model_errors: tuple[float, ...]


class NoSolutionError(Exception):
    """The likelihood has no maximum: covariates that say the same, or one that separates events from the rest."""


def fine_gray(times: Sequence[float], status: Sequence[int], columns: Sequence[Sequence[float]]) -> Subdistribution:
    """Fit the model.

    Parameters
    ----------
    times, status : one value a subject; ``status`` is 0 censored, 1 the event, 2 a competing one.
    columns : the covariates, each with one value a subject.

    Raises
    ------
    NoSolutionError : the likelihood has no maximum.
    """
    import numpy as np

    given = np.array(columns, dtype=float).T
    spread = given.std(axis=0)
    if not (spread > 0).all():
        raise NoSolutionError
    order = np.argsort(np.asarray(times, float), kind="stable")
    z = ((given - given.mean(axis=0)) / spread)[order]
    data = _Data(np.asarray(times, float)[order], np.asarray(status)[order], z)
    beta, information = _maximum(data)
    inverse = np.linalg.inv(information)
    influence = data.influence(beta)
    robust = inverse @ (influence.T @ influence) @ inverse
    errors, model = (np.sqrt(np.diag(one)) / spread for one in (robust, inverse))
    return Subdistribution(tuple((beta / spread).tolist()), tuple(errors.tolist()), tuple(model.tolist()))


def _maximum(data: _Data) -> tuple[Array, Array]:
    """Newton's steps, halved where the likelihood would fall."""
    import numpy as np

    beta = np.zeros(data.z.shape[1])
    likelihood, score, information = data.likelihood(beta)
    for _ in range(STEPS):
        try:
            step = np.linalg.solve(information, score)
        except np.linalg.LinAlgError:
            raise NoSolutionError from None
        if float(score @ step) < PRECISION:
            break
        for _ in range(HALVINGS):
            tried = data.likelihood(beta + step)
            if isfinite(tried[0]) and tried[0] >= likelihood - abs(likelihood) * 1e-12:
                break
            step = step / 2
        beta, (likelihood, score, information) = beta + step, tried
    else:
        raise NoSolutionError
    if not np.isfinite(information).all() or np.linalg.eigvalsh(information)[0] < LEAST_INFORMATION:
        raise NoSolutionError
    return beta, information


class _Data:
    """Subjects in the order of their times, and sums over risk sets at the days with events."""

    def __init__(self, time: Array, state: Array, z: Array) -> None:
        import numpy as np

        self.time, self.z = time, z
        self.failed, self.rival, self.censored = state == FAILED, state == RIVAL, state == 0
        self.days, self.happened = np.unique(time[self.failed], return_counts=True)
        self.cuts, self.lost = np.unique(time[self.censored], return_counts=True)
        self.at_risk_of_loss = time.size - np.searchsorted(time, self.cuts)
        kept = np.concatenate([[1.0], np.cumprod(1 - self.lost / self.at_risk_of_loss)])
        self.kept_at = kept[np.searchsorted(self.cuts, self.days)]
        self.kept_own = kept[np.searchsorted(self.cuts, time)]
        self.first = np.searchsorted(time, self.days)
        """Of each day with events the first subject that is still at risk."""

    def _sums(self, relative: Array, values: Array) -> Array:
        """Of each day with events the weighted sum of ``relative`` times ``values`` (subjects x anything) over the risk set."""
        import numpy as np

        product = relative[:, None] * values
        after = np.cumsum(product[::-1], axis=0)[::-1]
        gone = np.where(self.rival[:, None], product / self.kept_own[:, None], 0)
        before = np.concatenate([np.zeros((1, values.shape[1])), np.cumsum(gone, axis=0)])
        found: Array = after[self.first] + self.kept_at[:, None] * before[self.first]
        return found

    def likelihood(self, beta: Array) -> tuple[float, Array, Array]:
        """The logarithm of the weighted partial likelihood, its score and its information."""
        import numpy as np

        n, k = self.z.shape
        relative = np.exp(self.z @ beta)
        ones, pairs = np.ones((n, 1)), (self.z[:, :, None] * self.z[:, None, :]).reshape(n, k * k)
        sums = self._sums(relative, np.concatenate([ones, self.z, pairs], axis=1))
        mean = sums[:, 1 : k + 1] / sums[:, :1]
        square = (sums[:, k + 1 :] / sums[:, :1]).reshape(-1, k, k) - mean[:, :, None] * mean[:, None, :]
        of_failed = self.z[self.failed].sum(axis=0)
        value = float(of_failed @ beta - self.happened @ np.log(sums[:, 0]))
        return value, of_failed - self.happened @ mean, np.tensordot(self.happened, square, axes=1)

    def influence(self, beta: Array) -> Array:
        """eta + psi of each subject (section 5): the share of its own increments, and of the censoring that it tells of."""
        import numpy as np

        relative = np.exp(self.z @ beta)
        sums = self._sums(relative, np.concatenate([np.ones((len(self.z), 1)), self.z], axis=1))
        mean, hazard = sums[:, 1:] / sums[:, :1], self.happened / sums[:, 0]
        own = np.zeros_like(self.z)
        place = np.searchsorted(self.days, self.time[self.failed])
        own[self.failed] = self.z[self.failed] - mean[place]
        upto = np.searchsorted(self.days, self.time, side="right")
        all_hazard, all_mean = _added(hazard[:, None]), _added(mean * hazard[:, None])
        own -= relative[:, None] * (self.z * all_hazard[upto] - all_mean[upto])
        later = (self.kept_at * hazard)[:, None]
        later_hazard, later_mean = _later(later), _later(later * mean)
        weight = np.where(self.rival, relative / self.kept_own, 0)[:, None]
        own -= weight * (self.z * later_hazard[upto] - later_mean[upto])
        return own + self._of_censoring(weight, later_hazard, later_mean)

    def _of_censoring(self, weight: Array, later_hazard: Array, later_mean: Array) -> Array:
        """psi: what the estimate of G by the subject's own censoring, and its being at risk of it, does to the score."""
        import numpy as np

        after = np.searchsorted(self.days, self.cuts)
        before = np.searchsorted(self.time, self.cuts)
        gone, gone_z = _added(weight)[before], _added(weight * self.z)[before]
        # q(u) is of days s >= u and of rivals before u, both as the paper has it, also where a censoring shares a day with them.
        q = gone_z * later_hazard[after] - gone * later_mean[after]
        risk = self.at_risk_of_loss[:, None]
        found = -_added(q * self.lost[:, None] / risk**2)[np.searchsorted(self.cuts, self.time, side="right")]
        place = np.searchsorted(self.cuts, self.time[self.censored])
        found[self.censored] += (q / risk)[place]
        return found


def _added(values: Array) -> Array:
    """Sums of the first 0, 1, 2, ... rows."""
    import numpy as np

    return np.concatenate([np.zeros((1, values.shape[1])), np.cumsum(values, axis=0)])


def _later(values: Array) -> Array:
    """Sums of all rows but the first 0, 1, 2, ..."""

    found: Array = values.sum(axis=0) - _added(values)
    return found
