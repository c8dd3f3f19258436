"""The coefficients of a regression of times: arms and columns of subjects.csv as numbers, and what a fitted one is told as."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from math import exp, isfinite

from mrecist.endpoints.estimate import Z
from mrecist.endpoints.times import EventTime
from mrecist.units import parse_number

ARM = "arm"
UNBOUNDED = 100.0
"""A standard error of so much over the range of a covariate: its ratio has no limit (separation), whatever number the steps ended at."""
NO_MAXIMUM = (
    "the model does not converge: too few events, or covariates that say the same, or one that separates the events"
)
OUT_OF_SCALE = "a ratio per 1 is too large or too small to be told; give the column in another unit"


@dataclass(frozen=True, slots=True)
class Term:
    """One coefficient: a number, or one level of a word (an arm) against the reference."""

    covariate: str
    level: str
    against: str
    values: tuple[float, ...]

    @property
    def name(self) -> str:
        """``COLUMN``, ``COLUMN=level``, or the arm as such."""
        return self.covariate if self.covariate == ARM or not self.level else f"{self.covariate}={self.level}"


@dataclass(frozen=True, slots=True)
class Ratio:
    """A hazard ratio with its Wald interval and p."""

    value: float
    low: float
    high: float
    p: float


def complete(
    rows: Sequence[EventTime], covariates: Sequence[Mapping[str, str]]
) -> tuple[list[EventTime], list[Mapping[str, str]], str]:
    """The rows whose covariates are all known, these covariates, and a note of how many are not."""
    pairs = [(row, given) for row, given in zip(rows, covariates, strict=True) if all(given.values())]
    out = len(rows) - len(pairs)
    return [row for row, _ in pairs], [given for _, given in pairs], left_out(out)


def left_out(count: int) -> str:
    """The note of how many have no value; empty where everybody has."""
    return f"{count} left out without a covariate" if count else ""


def terms_of(
    rows: Sequence[EventTime], covariates: Sequence[Mapping[str, str]], names: Sequence[str], arms: Sequence[str]
) -> list[Term]:
    """The terms of the arm (where there are several; the first one is the reference) and of all named covariates."""
    found = list(level_terms(ARM, [row.arm for row in rows], arms)) if len(arms) > 1 else []
    for name in names:
        found += _terms(name, [given[name] for given in covariates])
    return found


def variables(terms: Sequence[Term]) -> str:
    """Whether a model is of one variable (several levels of it are one) or of more."""
    return "multivariable" if len({term.covariate for term in terms}) > 1 else "univariable"


def _terms(name: str, values: Sequence[str]) -> Iterator[Term]:
    numbers = [number_of(value) for value in values]
    if values and all(number is not None for number in numbers):
        yield Term(name, "", "", tuple(float(number) for number in numbers if number is not None))
    else:
        yield from level_terms(name, values, levels_of(values))


def levels_of(values: Iterable[str]) -> list[str]:
    """The different values, by their number where all are numbers, else by name; the first one is the reference."""
    numbers = {value: number_of(value) for value in values}
    return sorted(numbers, key=lambda value: (0 if None in numbers.values() else numbers[value] or 0, value))


def number_of(text: str) -> Decimal | None:
    """The number that a cell is; None where it is none."""
    try:
        return parse_number(text)
    except ValueError:
        return None


def level_terms(name: str, values: Sequence[str], levels: Sequence[str]) -> Iterator[Term]:
    """A term for each level against the first one."""
    for level in levels[1:]:
        yield Term(name, level, levels[0], tuple(float(value == level) for value in values))


def without_solution(terms: Sequence[Term], happened: Sequence[bool]) -> str:
    """Why the model of these terms cannot have one, as far as that is plain; else empty."""
    if not any(happened):
        return "no events"
    for term in terms:
        if term.level and not any(value and event for value, event in zip(term.values, happened, strict=True)):
            return f"{term.covariate}={term.level} has no events"
        others = [one.values for one in terms if one.covariate == term.covariate]
        reference = [not any(values) for values in zip(*others, strict=True)]
        if term.level and not any(first and event for first, event in zip(reference, happened, strict=True)):
            return f"{term.covariate}={term.against} has no events"
        if len(set(term.values)) < 2:
            return f"{term.covariate} is the same for everybody"
    return ""


def bounded(term: Term, error: float) -> bool:
    """Whether the likelihood has a maximum for a term, by the standard error at the place where the steps ended."""
    return isfinite(error) and 0 < error * (max(term.values) - min(term.values)) < UNBOUNDED


def ratio(coefficient: float, error: float) -> Ratio | None:
    """The ratio with its interval; None where it is outside of what a number can say."""
    from scipy.stats import norm

    spread = Z * error
    if abs(coefficient) + spread > 600:
        return None
    p = 2 * float(norm.sf(abs(coefficient) / error))
    return Ratio(exp(coefficient), exp(coefficient - spread), exp(coefficient + spread), p)
