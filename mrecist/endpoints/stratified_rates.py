"""What two arms differ by over strata: Mantel-Haenszel odds ratio and difference of rates, test of Cochran, Mantel and Haenszel.

Odds ratio, its interval (Robins, Breslow and Greenland 1986) and the test (without continuity correction) by statsmodels. Difference
with the weights of Greenland and Robins 1985 and the variance of Sato 1989 (Biometrics 45:1323), which holds for few large strata and
for many small ones.
"""

from __future__ import annotations

import warnings
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from decimal import Decimal
from math import isfinite, sqrt
from typing import Any

from mrecist.endpoints.estimate import LEVEL, NOT_INSTALLED, About, Estimate, Z
from mrecist.endpoints.rates import Succeeding, counts


@dataclass(frozen=True, slots=True)
class _Stratum:
    """Subjects and successes of an arm, and of the one that it is compared with."""

    n: int
    successes: int
    other_n: int
    other_successes: int


def stratified_comparisons(
    about: About,
    one: tuple[Sequence[Succeeding], Sequence[str]],
    against: str,
    other: tuple[Sequence[Succeeding], Sequence[str]],
    months: Decimal | None,
    note: str = "",
) -> Iterator[Estimate]:
    """Difference and odds ratio of ``about.arm`` against another arm over strata.

    Parameters
    ----------
    one, other : the rows of either arm, and the stratum of each row. A stratum in which one arm has nobody says nothing.
    note : what is to be told of the rows, for example how many have no stratum.
    """
    names = dict.fromkeys((*one[1], *other[1]))
    found = [
        _Stratum(*counts(_of(*one, name)), *counts(_of(*other, name)))  # (n, successes) of each arm
        for name in names
    ]
    both = [stratum for stratum in found if stratum.n and stratum.other_n]
    if not both:
        return
    lost = len(found) - len(both)
    told = [note, f"{lost} strata without one of the arms" if lost else ""]
    made: dict[str, Any] = {
        "about": about,
        "n": sum(stratum.n + stratum.other_n for stratum in both),
        "events": sum(stratum.successes + stratum.other_successes for stratum in both),
        "against": against,
        "months": months,
    }
    yield _difference(both, told, made)
    yield _odds_ratio(both, told, made)


def _of(rows: Sequence[Succeeding], strata: Sequence[str], name: str) -> list[Succeeding]:
    return [row for row, stratum in zip(rows, strata, strict=True) if stratum == name]


def _joined(told: Sequence[str]) -> str:
    return "; ".join(one for one in told if one)


def _difference(strata: Sequence[_Stratum], told: Sequence[str], made: dict[str, Any]) -> Estimate:
    weight = top = p = q = 0.0
    for one in strata:
        n, x, m, y = one.n, one.successes, one.other_n, one.other_successes
        total = n + m
        weight += n * m / total
        top += (x * m - y * n) / total
        p += (n * n * y - m * m * x + n * m * (m - n) / 2) / total**2
        q += (x * (m - y) + y * (n - x)) / (2 * total)
    value = top / weight
    error = sqrt(max(value * p + q, 0.0)) / weight
    spread = Z * error
    return Estimate(
        estimate="rate_difference_stratified",
        value=value,
        low=max(value - spread, -1.0) if error else None,
        high=min(value + spread, 1.0) if error else None,
        method=f"Mantel-Haenszel, variance Sato 1989, {len(strata)} strata",
        note=_joined(told),
        **made,
    )


def _odds_ratio(strata: Sequence[_Stratum], told: Sequence[str], made: dict[str, Any]) -> Estimate:
    from importlib.util import find_spec

    name, method = "odds_ratio_stratified", f"Mantel-Haenszel, Robins 1986, CMH test, {len(strata)} strata"
    if find_spec("statsmodels") is None:
        missing = f"{NOT_INSTALLED}: statsmodels; pip install 'mrecist[survival]'"
        return Estimate(estimate=name, value=None, method=method, note=_joined((*told, missing)), **made)
    from statsmodels.stats.contingency_tables import StratifiedTable

    tables = [
        [[one.successes, one.n - one.successes], [one.other_successes, one.other_n - one.other_successes]]
        for one in strata
    ]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", RuntimeWarning)  # 0/0 where all or nobody have a success; looked for below
        found = StratifiedTable(tables)
        ratio, limits = float(found.oddsratio_pooled), found.oddsratio_pooled_confint(1 - LEVEL)
        p = float(found.test_null_odds(correction=False).pvalue)
    low, high = (float(limit) if isfinite(limit) and isfinite(ratio) and ratio > 0 else None for limit in limits)
    informative = isfinite(ratio) and (ratio > 0 or isfinite(p))
    why = "" if informative else "no finite ratio: in no stratum both arms have both outcomes"
    return Estimate(
        estimate=name,
        value=ratio if informative else None,
        low=low,
        high=high,
        method=method,
        p=p if isfinite(p) else None,
        note=_joined((*told, why)),
        **made,
    )
