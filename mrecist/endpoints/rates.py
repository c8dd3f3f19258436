"""Rates of success with their intervals, what two arms differ by, and quartiles of changes.

Exact interval: Clopper and Pearson 1934; score interval: Wilson 1927; difference: Newcombe 1998, method 10; odds ratio: conditional
maximum likelihood with exact interval (Fisher; Cornfield 1956), p of Fisher's exact test.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from decimal import Decimal
from math import isfinite, sqrt
from statistics import quantiles
from typing import Protocol

from mrecist.endpoints.estimate import LEVEL, About, Estimate


class Succeeding(Protocol):
    """A row that is a success, none, or outside the denominator (None)."""

    @property
    def success(self) -> bool | None: ...


INTERVALS = {"clopper-pearson": "exact", "wilson": "wilson"}


def counts(rows: Sequence[Succeeding]) -> tuple[int, int]:
    """Subjects in the denominator, and successes among them."""
    counted = [row.success for row in rows if row.success is not None]
    return len(counted), sum(counted)


def rates(about: About, rows: Sequence[Succeeding], months: Decimal | None, first: str) -> Iterator[Estimate]:
    """The rate by both intervals, the one that the protocol asks for first."""
    n, successes = counts(rows)
    for method in sorted(INTERVALS, key=lambda name: name != first):
        if n == 0:
            yield Estimate(
                about=about,
                estimate="rate",
                value=None,
                n=0,
                events=0,
                months=months,
                method=method,
                note="nobody is counted",
            )
            continue
        low, high = interval(successes, n, method)
        yield Estimate(
            about=about,
            estimate="rate",
            value=successes / n,
            low=low,
            high=high,
            n=n,
            events=successes,
            months=months,
            method=method,
        )


def interval(successes: int, n: int, method: str) -> tuple[float, float]:
    """The two-sided 95 % interval of a rate."""
    from scipy.stats import binomtest

    found = binomtest(successes, n).proportion_ci(confidence_level=LEVEL, method=INTERVALS[method])
    return float(found.low), float(found.high)


def comparisons(
    about: About, rows: Sequence[Succeeding], against: str, other: Sequence[Succeeding], months: Decimal | None
) -> Iterator[Estimate]:
    """Difference of two rates, and the odds ratio, of ``about.arm`` against another arm."""
    (n, k), (m, j) = counts(rows), counts(other)
    if n == 0 or m == 0:
        return
    yield _difference(about, (k, n), against, (j, m), months)
    yield _odds_ratio(about, (k, n), against, (j, m), months)


def _difference(
    about: About, one: tuple[int, int], against: str, other: tuple[int, int], months: Decimal | None
) -> Estimate:
    (k, n), (j, m) = one, other
    low1, high1 = interval(k, n, "wilson")
    low2, high2 = interval(j, m, "wilson")
    p1, p2 = k / n, j / m
    return Estimate(
        about=about,
        estimate="rate_difference",
        value=p1 - p2,
        low=p1 - p2 - sqrt((p1 - low1) ** 2 + (high2 - p2) ** 2),
        high=p1 - p2 + sqrt((high1 - p1) ** 2 + (p2 - low2) ** 2),
        n=n + m,
        events=k + j,
        against=against,
        months=months,
        method="newcombe-wilson",
    )


def _odds_ratio(
    about: About, one: tuple[int, int], against: str, other: tuple[int, int], months: Decimal | None
) -> Estimate:
    from scipy.stats import fisher_exact
    from scipy.stats.contingency import odds_ratio

    (k, n), (j, m) = one, other
    table = [[k, n - k], [j, m - j]]
    found = odds_ratio(table, kind="conditional")
    limits = found.confidence_interval(LEVEL)
    ratio = float(found.statistic)
    return Estimate(
        about=about,
        estimate="odds_ratio",
        value=ratio if isfinite(ratio) else None,
        low=float(limits.low) if isfinite(limits.low) else None,
        high=float(limits.high) if isfinite(limits.high) else None,
        n=n + m,
        events=k + j,
        against=against,
        months=months,
        method="conditional, exact interval, Fisher's test",
        p=float(fisher_exact(table).pvalue),
        note="" if isfinite(ratio) else "infinite: an arm has successes only, or the other has none",
    )


def quartiles(about: About, values: Sequence[Decimal], months: Decimal | None) -> Iterator[Estimate]:
    """First quartile, median and third quartile by linear interpolation (type 7 of Hyndman and Fan 1996, as R)."""
    found = quantiles(values, n=4, method="inclusive") if len(values) > 1 else [*values] * 3
    for place, name in enumerate(("first_quartile", "median_change", "third_quartile")):
        yield Estimate(
            about=about,
            estimate=name,
            value=float(found[place]) if values else None,
            n=len(values),
            months=months,
            unit="%",
            method="linear interpolation (type 7)",
            note="" if values else "nobody has a complete sum",
        )
