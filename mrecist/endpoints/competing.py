"""Where other events compete: cumulative incidence (Aalen and Johansen 1978, by statsmodels), Gray's test, Fine and Gray's ratios."""

from __future__ import annotations

import warnings
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, replace
from decimal import Decimal
from typing import Any

from mrecist.endpoints.covariates import (
    ARM,
    NO_MAXIMUM,
    OUT_OF_SCALE,
    Ratio,
    Term,
    complete,
    ratio,
    terms_of,
    variables,
    without_solution,
)
from mrecist.endpoints.estimate import About, Estimate
from mrecist.endpoints.gray import FAILED, RIVAL, gray_test
from mrecist.endpoints.subdistribution import NoSolutionError, fine_gray
from mrecist.endpoints.survival import NOT_APART, at_risk, degrees, limits
from mrecist.endpoints.times import COMPETING, EVENT, EventTime

FINE_GRAY = "Fine-Gray, ties Breslow, Wald, robust variance"

INCIDENCE = "Aalen-Johansen, log-log"


def _status(rows: Sequence[EventTime]) -> list[int]:
    return [FAILED if row.status == EVENT else RIVAL if row.status == COMPETING else 0 for row in rows]


def incidences(
    about: About, rows: Sequence[EventTime], months: Sequence[Decimal], days_per_month: Decimal
) -> Iterator[Estimate]:
    """Cumulative incidence of the event at some months; none after the last day at which anybody was at risk."""
    from statsmodels.duration.survfunc import CumIncidenceRight

    status = _status(rows)
    if FAILED not in status:
        yield from _no_incidence(about, rows, months, days_per_month)
        return
    with warnings.catch_warnings():
        warnings.simplefilter(
            "ignore", RuntimeWarning
        )  # 0/0 of the error where all have had an event; limits() sees it
        found = CumIncidenceRight([row.days for row in rows], status)
        errors = found.cinc_se[0]
    last = max(row.days for row in rows)
    for month in months:
        day = float(month * days_per_month)
        made: dict[str, Any] = {
            "about": about,
            "estimate": "cumulative_incidence",
            "n": len(rows),
            "events": status.count(FAILED),
            "months": month,
            "method": INCIDENCE,
        }
        place = int(found.times.searchsorted(day, side="right")) - 1
        value, error = (float(found.cinc[0][place]), float(errors[place])) if place >= 0 else (0.0, 0.0)
        if day > last and sum(float(kind[-1]) for kind in found.cinc) < 1 - 1e-9:
            yield Estimate(value=None, note=f"nobody is followed so long (last day {last})", **made)
            continue
        low, high = limits(value, error, "log-log")
        at_risk_then = sum(row.days >= day for row in rows)
        yield Estimate(value=value, low=low, high=high, note=f"{at_risk_then} at risk", **made)


def _no_incidence(
    about: About, rows: Sequence[EventTime], months: Sequence[Decimal], days_per_month: Decimal
) -> Iterator[Estimate]:
    """Where nobody had the event the incidence is 0 as long as anybody is followed, and for good where all ended in a competing event."""
    last = max((row.days for row in rows), default=0)
    closed = bool(rows) and all(row.status == COMPETING for row in rows if row.days == last)
    for month in months if rows else ():
        day = float(month * days_per_month)
        followed = day <= last or closed
        at_risk_then = sum(row.days >= day for row in rows)
        yield Estimate(
            about=about,
            estimate="cumulative_incidence",
            value=0.0 if followed else None,
            n=len(rows),
            events=0,
            months=month,
            method=INCIDENCE,
            note=f"no events; {at_risk_then} at risk" if followed else f"nobody is followed so long (last day {last})",
        )


def gray(about: About, rows: Sequence[EventTime], strata: Sequence[str] | None = None) -> Estimate:
    """Gray's test of all arms; ``strata`` has the stratum of each row."""
    own, own_strata, told = at_risk(rows, strata)
    arms = [row.arm for row in own]
    found = gray_test([row.days for row in own], _status(own), arms, own_strata)
    return Estimate(
        about=about,
        estimate="gray" if strata is None else "gray_stratified",
        value=found.statistic,
        n=len(rows),
        events=_status(rows).count(FAILED),
        unit="chi-squared",
        method=f"Gray 1988, {degrees(arms, strata)}",
        p=found.p,
        note=told if found.statistic is not None else NOT_APART,
    )


def subdistribution_hazard_ratio(about: About, rows: Sequence[EventTime], against: str) -> Estimate:
    """The subdistribution hazard of ``about.arm`` over that of another arm, of the subjects of these two."""
    own = [row for row in rows if row.arm in (about.arm, against)]
    of_arm = Term(ARM, about.arm, against, tuple(float(row.arm == about.arm) for row in own))
    found, why = _fitted(own, [of_arm])
    return Estimate(
        about=about,
        estimate="subdistribution_hazard_ratio",
        against=against,
        n=len(own),
        events=_status(own).count(FAILED),
        method=FINE_GRAY,
        note="an arm has no events" if why.endswith("has no events") else why,
        **_numbers(found, 0),
    )


def subdistribution_adjusted(
    about: About, rows: Sequence[EventTime], covariates: Sequence[Mapping[str, str]], arms: Sequence[str]
) -> Iterator[Estimate]:
    """One ratio a coefficient of the model of the arm (where there are several) and all covariates, of complete cases."""
    kept, given, told = complete(rows, covariates)
    terms = terms_of(kept, given, tuple(dict.fromkeys(name for one in covariates for name in one)), arms)
    found, why = _fitted(kept, terms)
    for place, term in enumerate(terms):
        yield Estimate(
            about=replace(about, arm=term.level) if term.covariate == ARM else about,
            estimate="subdistribution_hazard_ratio_adjusted",
            n=len(kept),
            events=_status(kept).count(FAILED),
            against=term.against,
            covariate=term.name,
            unit="" if term.level else "per 1",
            method=FINE_GRAY.replace("Fine-Gray", f"Fine-Gray, {variables(terms)}"),
            note="; ".join(one for one in (told, why) if one),
            **_numbers(found, place),
        )


def _numbers(found: Sequence[Ratio], place: int) -> dict[str, Any]:
    return asdict(found[place]) if found else {"value": None}


def _fitted(rows: Sequence[EventTime], terms: Sequence[Term]) -> tuple[list[Ratio], str]:
    status = _status(rows)
    if why := without_solution(terms, [one == FAILED for one in status]):
        return [], why
    try:
        fit = fine_gray([row.days for row in rows], status, [term.values for term in terms])
    except NoSolutionError:
        return [], NO_MAXIMUM
    if not all(error > 0 for error in fit.errors):
        return [], "too few events: the robust variance is 0"
    found = [ratio(*pair) for pair in zip(fit.coefficients, fit.errors, strict=True)]
    kept = [one for one in found if one is not None]
    return (kept, "") if len(kept) == len(found) else ([], OUT_OF_SCALE)
