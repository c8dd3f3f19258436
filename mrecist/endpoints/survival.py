"""Time to event: Kaplan-Meier medians and landmark rates, log-rank tests.

Kaplan-Meier and Greenwood by statsmodels, intervals on the scale that is named (log-log: Kalbfleisch and Prentice 1980; log;
linear), medians after Brookmeyer and Crowley 1982; log-rank, also stratified, by statsmodels.
"""

from __future__ import annotations

import warnings
from collections.abc import Iterator, Sequence
from contextlib import suppress
from decimal import Decimal
from math import exp, isfinite, log
from typing import Any

from mrecist.endpoints.estimate import NOT_INSTALLED, About, Estimate, Z
from mrecist.endpoints.times import CENSORED, EVENT, EventTime

NOT_APART = "there is no day with an event on which two arms are at risk"


def missing_libraries() -> str:
    """What has to be installed before times can be estimated; empty where nothing has."""
    from importlib.util import find_spec

    missing = [name for name in ("lifelines", "statsmodels") if find_spec(name) is None]
    return f"{NOT_INSTALLED}: {', '.join(missing)}; pip install 'mrecist[survival]'" if missing else ""


def curve(rows: Sequence[EventTime]) -> Any:
    """The Kaplan-Meier function in days; a competing event ends the time without an event (cause-specific)."""
    return _survival([row.days for row in rows], [row.status == EVENT for row in rows])


def _survival(days: Sequence[int], happened: Sequence[bool]) -> Any:
    from statsmodels.duration.survfunc import SurvfuncRight

    return SurvfuncRight(list(days), [int(one) for one in happened])


def medians(about: About, rows: Sequence[EventTime], scale: str, days_per_month: Decimal) -> Iterator[Estimate]:
    """The median in months with its interval, and the median follow-up by the reverse method (Schemper and Smith 1996)."""
    if not rows:
        return
    month = float(days_per_month)
    events = sum(row.status == EVENT for row in rows)
    counted: dict[str, Any] = {"n": len(rows), "events": events, "unit": "months"}
    if events == 0:
        yield Estimate(
            about=about, estimate="median", value=None, method=f"Kaplan-Meier, {scale}", note="no events", **counted
        )
    else:
        value, low, high = (None if day is None else day / month for day in median_days(rows, scale))
        yield Estimate(
            about=about,
            estimate="median",
            value=value,
            low=low,
            high=high,
            method=f"Kaplan-Meier, {scale}",
            note="" if value is not None else "not reached",
            **counted,
        )
    yield _follow_up(about, rows, month)


def median_days(rows: Sequence[EventTime], scale: str) -> tuple[float | None, float | None, float | None]:
    """Median, lower and upper limit in days; None where the curve, or its limit, does not come down to one half.

    Where a curve is exactly one half for a while the middle of that stretch is taken, as R's survfit and SAS do.
    """
    found = curve(rows)
    times = [float(day) for day in found.surv_times]
    bounds = [limits(float(p), float(se), scale) for p, se in zip(found.surv_prob, found.surv_prob_se, strict=True)]
    lower, upper = ([limit[side] for limit in bounds] for side in (0, 1))
    return _half(times, [float(p) for p in found.surv_prob]), _half(times, lower), _half(times, upper)


def _half(times: Sequence[float], heights: Sequence[float | None]) -> float | None:
    """Where a falling step function reaches one half."""
    for place, height in enumerate(heights):
        if height is None or height > 0.5 + 1e-8:
            continue
        below = [time for time, h in zip(times, heights, strict=True) if h is not None and h < 0.5 - 1e-8]
        if height >= 0.5 - 1e-8 and below:
            return (times[place] + below[0]) / 2
        return times[place]
    return None


def _follow_up(about: About, rows: Sequence[EventTime], month: float) -> Estimate:
    censored = [row.status == CENSORED for row in rows]
    value = None
    if any(censored):
        found = _survival([row.days for row in rows], censored)
        value = _half([float(day) for day in found.surv_times], [float(p) for p in found.surv_prob])
    return Estimate(
        about=about,
        estimate="median_follow_up",
        value=None if value is None else value / month,
        n=len(rows),
        events=sum(censored),
        unit="months",
        method="reverse Kaplan-Meier",
        note="" if value is not None else "not reached",
    )


def landmarks(
    about: About, rows: Sequence[EventTime], months: Sequence[Decimal], scale: str, days_per_month: Decimal
) -> Iterator[Estimate]:
    """The survival function at some months; none after the last day at which anybody was at risk."""
    if not rows:
        return
    found = curve(rows)
    last = max(row.days for row in rows)
    for month in months:
        day = float(month * days_per_month)
        estimate: dict[str, Any] = {
            "about": about,
            "estimate": "survival",
            "months": month,
            "n": len(rows),
            "method": f"Kaplan-Meier, {scale}",
        }
        value, error = _at(found, day)
        if day > last and value > 0:
            yield Estimate(value=None, note=f"nobody is followed so long (last day {last})", **estimate)
            continue
        low, high = limits(value, error, scale)
        at_risk = sum(row.days >= day for row in rows)
        yield Estimate(value=value, low=low, high=high, note=f"{at_risk} at risk", **estimate)


def _at(found: Any, day: float) -> tuple[float, float]:
    """Survival and its standard error at a day: 1 before the first event."""
    value, error = 1.0, 0.0
    for time, probability, se in zip(found.surv_times, found.surv_prob, found.surv_prob_se, strict=True):
        if time > day:
            break
        value, error = float(probability), float(se)
    return value, error


def limits(value: float, error: float, scale: str) -> tuple[float | None, float | None]:
    """The interval of a survival probability from Greenwood's standard error, on a scale (Kalbfleisch and Prentice 1980, 1.14)."""
    if not 0 < value < 1 or not isfinite(error):
        return None, None
    if scale == "linear":
        return max(value - Z * error, 0.0), min(value + Z * error, 1.0)
    if scale == "log":
        return value * exp(-Z * error / value), min(value * exp(Z * error / value), 1.0)
    spread = Z * error / (value * log(value))
    return value ** exp(-spread), value ** exp(spread)


def logrank(about: About, rows: Sequence[EventTime], strata: Sequence[str] | None = None) -> Estimate:
    """The log-rank test of all arms; ``strata`` has the stratum of each row. No number where no day tells arms apart."""
    import numpy as np
    from statsmodels.duration.survfunc import survdiff

    own, own_strata, told = at_risk(rows, strata)
    arms = [row.arm for row in own]
    statistic = p = float("nan")
    if len(set(arms)) > 1:
        happened = [int(row.status == EVENT) for row in own]
        with warnings.catch_warnings(), suppress(np.linalg.LinAlgError):
            warnings.simplefilter("ignore", RuntimeWarning)  # 0/0 where on no day with an event two arms are at risk
            statistic, p = survdiff([row.days for row in own], happened, arms, strata=own_strata)
    there = isfinite(statistic) and isfinite(p)
    return Estimate(
        about=about,
        estimate="logrank" if strata is None else "logrank_stratified",
        value=float(statistic) if there else None,
        n=len(rows),
        events=sum(row.status == EVENT for row in rows),
        unit="chi-squared",
        method=f"log-rank, {degrees(arms, strata)}",
        p=float(p) if there else None,
        note=told if there else NOT_APART,
    )


def at_risk(rows: Sequence[EventTime], strata: Sequence[str] | None) -> tuple[list[EventTime], list[str] | None, str]:
    """The rows of arms of which anybody is at risk on a day with an event (of the stratum), their strata, and a note of the others.

    An arm of which nobody is takes no part in a test and has no degree of freedom, as in R's survdiff.
    """
    labels = list(strata) if strata is not None else [""] * len(rows)
    first: dict[str, int] = {}
    for row, label in zip(rows, labels, strict=True):
        if row.status == EVENT:
            first[label] = min(row.days, first.get(label, row.days))
    there = {row.arm for row, label in zip(rows, labels, strict=True) if label in first and row.days >= first[label]}
    places = [place for place, row in enumerate(rows) if row.arm in there]
    out = sorted({row.arm for row in rows} - there)
    told = f"without {', '.join(out)}: nobody is at risk on a day with an event" if out else ""
    return [rows[place] for place in places], [labels[place] for place in places] if strata is not None else None, told


def degrees(arms: Sequence[str], strata: Sequence[str] | None) -> str:
    """Degrees of freedom of a test of arms, and the number of strata, in words."""
    told = f"{max(len(set(arms)) - 1, 0)} df"
    return told if strata is None else f"{told}, {len(set(strata))} strata"
