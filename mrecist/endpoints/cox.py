"""Hazard ratios of several covariates at once: Cox 1972, ties after Efron 1977, Wald intervals, by lifelines."""

from __future__ import annotations

import warnings
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from mrecist.endpoints.estimate import LEVEL, About, Estimate
from mrecist.endpoints.times import EVENT, EventTime
from mrecist.units import parse_number

ARM = "arm"


@dataclass(frozen=True, slots=True)
class _Term:
    """One coefficient: a number, or one level of a word (an arm) against the reference."""

    covariate: str
    level: str
    against: str
    values: tuple[float, ...]


def adjusted(
    about: About, rows: Sequence[EventTime], covariates: Sequence[Mapping[str, str]], arms: Sequence[str]
) -> Iterator[Estimate]:
    """One hazard ratio a coefficient of the model of the arm (where there are several) and all covariates.

    Parameters
    ----------
    covariates : the values of each row by column; a row with an empty one is left out of the model (complete cases).
    arms : the first one is the reference. A column whose values are all numbers is one coefficient, per 1; any other one has a
        coefficient for each value against the first one by name.
    """
    pairs = [(row, given) for row, given in zip(rows, covariates, strict=True) if all(given.values())]
    kept = [row for row, _ in pairs]
    terms = list(_levels(ARM, [row.arm for row in kept], arms)) if len(arms) > 1 else []
    for name in dict.fromkeys(name for given in covariates for name in given):
        terms += _terms(name, [given[name] for _, given in pairs])
    made: dict[str, Any] = {
        "estimate": "hazard_ratio_adjusted",
        "n": len(kept),
        "events": sum(row.status == EVENT for row in kept),
        "method": "Cox, multivariable, ties Efron, Wald",
    }
    left_out = len(rows) - len(kept)
    told = f"{left_out} left out without a covariate" if left_out else ""
    found, why = _fitted(kept, terms)
    for place, term in enumerate(terms):
        numbers = dict(zip(("value", "low", "high", "p"), found[place], strict=True)) if found else {"value": None}
        of_arm = term.covariate == ARM
        yield Estimate(
            about=About(
                endpoint=about.endpoint,
                arm=term.level if of_arm else about.arm,
                group=about.group,
                reader=about.reader,
                criterion=about.criterion,
            ),
            against=term.against,
            covariate=term.covariate if of_arm or not term.level else f"{term.covariate}={term.level}",
            unit="" if term.level else "per 1",
            note="; ".join(one for one in (told, why) if one),
            **numbers,
            **made,
        )


def _terms(name: str, values: Sequence[str]) -> Iterator[_Term]:
    numbers = [_number(value) for value in values]
    if values and all(number is not None for number in numbers):
        yield _Term(name, "", "", tuple(float(number) for number in numbers if number is not None))
    else:
        yield from _levels(name, values, sorted(set(values)))


def _number(text: str) -> Decimal | None:
    try:
        return parse_number(text)
    except ValueError:
        return None


def _levels(name: str, values: Sequence[str], levels: Sequence[str]) -> Iterator[_Term]:
    for level in levels[1:]:
        yield _Term(name, level, levels[0], tuple(float(value == level) for value in values))


def _fitted(rows: Sequence[EventTime], terms: Sequence[_Term]) -> tuple[list[tuple[float, float, float, float]], str]:
    """Ratio, limits and p of each coefficient; none of them, and why, where the model has no solution."""
    import pandas as pd
    from lifelines import CoxPHFitter
    from lifelines.exceptions import ConvergenceError, ConvergenceWarning

    happened = [row.status == EVENT for row in rows]
    for term in terms:
        if term.level and not any(value and event for value, event in zip(term.values, happened, strict=True)):
            return [], f"{term.covariate}={term.level} has no events"
        others = [one.values for one in terms if one.covariate == term.covariate]
        reference = [not any(values) for values in zip(*others, strict=True)]
        if term.level and not any(first and event for first, event in zip(reference, happened, strict=True)):
            return [], f"{term.covariate}={term.against} has no events"
        if len(set(term.values)) < 2:
            return [], f"{term.covariate} is the same for everybody"
    frame = pd.DataFrame({f"x{place}": term.values for place, term in enumerate(terms)})
    frame["days"], frame["event"] = [row.days for row in rows], happened
    fitter = CoxPHFitter(alpha=1 - LEVEL)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error", ConvergenceWarning)
            fitter.fit(frame, "days", "event")
    except (ConvergenceError, ConvergenceWarning):
        return [], "the model does not converge: too few events, or covariates that say the same"
    names = ("exp(coef)", "exp(coef) lower 95%", "exp(coef) upper 95%", "p")
    return [tuple(float(fitter.summary.loc[f"x{n}", name]) for name in names) for n in range(len(terms))], ""  # type: ignore[misc]
