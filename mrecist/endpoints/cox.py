"""Hazard ratios by lifelines: of two arms, of one covariate, of several at once (Cox 1972, ties after Efron 1977, Wald intervals)."""

from __future__ import annotations

import warnings
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, replace
from typing import Any

from mrecist.endpoints.covariates import (
    ARM,
    NO_MAXIMUM,
    OUT_OF_SCALE,
    Ratio,
    Term,
    bounded,
    complete,
    level_terms,
    ratio,
    terms_of,
    variables,
    without_solution,
)
from mrecist.endpoints.estimate import About, Estimate
from mrecist.endpoints.times import EVENT, EventTime

STEPS = {"precision": 1e-16, "r_precision": 1e-18, "max_steps": 100}
"""Newton's steps go on until the numbers have the digits that are told; lifelines stops at four of them."""


def hazard_ratio(
    about: About, rows: Sequence[EventTime], against: str, strata: Sequence[str] | None = None
) -> Estimate:
    """The hazard of ``about.arm`` over that of another arm, of the subjects of these two; ``strata`` has the stratum of each row."""
    places = [place for place, row in enumerate(rows) if row.arm in (about.arm, against)]
    own = [rows[place] for place in places]
    of_arm = Term(ARM, about.arm, against, tuple(float(row.arm == about.arm) for row in own))
    found, why = _fitted(own, [of_arm], [strata[place] for place in places] if strata is not None else None)
    return Estimate(
        about=about,
        estimate="hazard_ratio_stratified" if strata is not None else "hazard_ratio",
        against=against,
        n=len(own),
        events=_events(own),
        method=_method("Cox", strata is not None),
        note="an arm has no events" if why.endswith("has no events") else why,
        **_numbers(found, 0),
    )


def univariable(about: About, rows: Sequence[EventTime], covariates: Sequence[Mapping[str, str]]) -> Iterator[Estimate]:
    """One model a covariate, of the subjects who have it; arms are taken together."""
    for name in _names(covariates):
        yield from _model(about, rows, [{name: given[name]} for given in covariates], (), "hazard_ratio_univariable")


def of_levels(about: About, column: str, rows: Sequence[EventTime], levels: Sequence[str]) -> Iterator[Estimate]:
    """One model of a column whose value each row has as its ``arm``: a ratio of each level against the first one."""
    terms = list(level_terms(column, [row.arm for row in rows], levels))
    yield from _told(about, rows, terms, "hazard_ratio_univariable", "")


def adjusted(
    about: About,
    rows: Sequence[EventTime],
    covariates: Sequence[Mapping[str, str]],
    arms: Sequence[str],
    strata: Sequence[str] | None = None,
) -> Iterator[Estimate]:
    """One hazard ratio a coefficient of the model of the arm (where there are several) and all covariates.

    Parameters
    ----------
    covariates : the values of each row by column; a row with an empty one is left out of the model (complete cases).
    arms : the first one is the reference. A column whose values are all numbers is one coefficient, per 1; any other one has a
        coefficient for each value against the first one by name.
    strata : the stratum of each row, where each stratum has a baseline hazard of its own.
    """
    name = "hazard_ratio_adjusted" if strata is None else "hazard_ratio_adjusted_stratified"
    yield from _model(about, rows, covariates, arms, name, strata)


def _model(
    about: About,
    rows: Sequence[EventTime],
    covariates: Sequence[Mapping[str, str]],
    arms: Sequence[str],
    name: str,
    strata: Sequence[str] | None = None,
) -> Iterator[Estimate]:
    names = _names(covariates)
    kept, given, told = complete(rows, covariates)
    terms = terms_of(kept, given, names, arms)
    own_strata = None
    if strata is not None:
        own_strata = [one for one, has in zip(strata, covariates, strict=True) if all(has.values())]
    yield from _told(about, kept, terms, name, told, own_strata)


def _told(
    about: About,
    rows: Sequence[EventTime],
    terms: Sequence[Term],
    name: str,
    told: str,
    strata: Sequence[str] | None = None,
) -> Iterator[Estimate]:
    """A row of each term of one model."""
    found, why = _fitted(rows, terms, strata)
    kind = f"Cox, {variables(terms)}"
    for place, term in enumerate(terms):
        yield Estimate(
            about=replace(about, arm=term.level) if term.covariate == ARM else about,
            estimate=name,
            n=len(rows),
            events=_events(rows),
            against=term.against,
            covariate=term.name,
            unit="" if term.level else "per 1",
            method=_method(kind, strata is not None),
            note="; ".join(one for one in (told, why) if one),
            **_numbers(found, place),
        )


def _names(covariates: Sequence[Mapping[str, str]]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(name for given in covariates for name in given))


def _events(rows: Sequence[EventTime]) -> int:
    return sum(row.status == EVENT for row in rows)


def _method(kind: str, stratified: bool) -> str:
    return f"{kind}, ties Efron, Wald" + (", stratified" if stratified else "")


def _numbers(found: Sequence[Ratio], place: int) -> dict[str, Any]:
    return asdict(found[place]) if found else {"value": None}


def _fitted(rows: Sequence[EventTime], terms: Sequence[Term], strata: Sequence[str] | None) -> tuple[list[Ratio], str]:
    """The ratio of each term; none of them, and why, where the model has no solution."""
    import numpy as np
    import pandas as pd
    from lifelines import CoxPHFitter
    from lifelines.exceptions import ConvergenceError, ConvergenceWarning
    from scipy.linalg import LinAlgWarning

    happened = [row.status == EVENT for row in rows]
    if why := without_solution(terms, happened):
        return [], why
    # Centred and scaled, so that lifelines does not warn of a column for its unit: a warning left is one of the steps.
    spreads = [float(np.std(term.values)) for term in terms]
    frame = pd.DataFrame(
        {f"x{n}": (np.asarray(term.values) - np.mean(term.values)) / spreads[n] for n, term in enumerate(terms)}
    )
    frame["days"], frame["event"] = [row.days for row in rows], happened
    if strata is not None:
        frame["stratum"] = list(strata)
    fitter = CoxPHFitter()
    try:
        with warnings.catch_warnings():
            # The root of a variance that is none gives an error of NaN, which is seen below.
            warnings.simplefilter("ignore", RuntimeWarning)
            for kind in (ConvergenceWarning, LinAlgWarning):
                warnings.simplefilter("error", kind)
            fitter.fit(frame, "days", "event", strata=["stratum"] if strata is not None else None, fit_options=STEPS)
    except (ConvergenceError, ConvergenceWarning, LinAlgWarning):
        return [], NO_MAXIMUM
    errors = [float(fitter.standard_errors_[f"x{n}"]) / spreads[n] for n in range(len(terms))]
    if not all(bounded(term, error) for term, error in zip(terms, errors, strict=True)):
        return [], NO_MAXIMUM
    found = [ratio(float(fitter.params_[f"x{n}"]) / spreads[n], errors[n]) for n in range(len(terms))]
    kept = [one for one in found if one is not None]
    return (kept, "") if len(kept) == len(found) else ([], OUT_OF_SCALE)
