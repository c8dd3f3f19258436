"""Times compared by columns of subjects.csv that are no arms: curves by value, the log-rank test, a Cox model of the column alone.

Arms are taken together. A column of two values, or of words, makes groups; one of more than two different numbers is a quantity, of which
only the ratio per 1 is told.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal

from mrecist.endpoints.competing import incidences
from mrecist.endpoints.covariates import left_out, levels_of, number_of
from mrecist.endpoints.cox import of_levels, univariable
from mrecist.endpoints.estimate import About, Estimate
from mrecist.endpoints.survival import landmarks, logrank, medians
from mrecist.endpoints.times import EventTime
from mrecist.protocol import Endpoint
from mrecist.trial import Trial


@dataclass(frozen=True, slots=True, kw_only=True)
class ByValue:
    """The times of each value of a column, the reference first; ``out`` is how many subjects have none."""

    column: str
    rows: dict[str, list[EventTime]]
    out: int

    @property
    def is_quantity(self) -> bool:
        """More than two different numbers are no groups."""
        return len(self.rows) > 2 and all(number_of(value) is not None for value in self.rows)


def by_value(column: str, rows: Sequence[EventTime], trial: Trial) -> ByValue:
    """The rows by the value of a column, in the order of the numbers or of the words."""
    values = [trial.subjects[row.subject].words.get(column, "") for row in rows]
    found = {
        level: [row for row, value in zip(rows, values, strict=True) if value == level]
        for level in levels_of([value for value in values if value])
    }
    return ByValue(column=column, rows=found, out=values.count(""))


def compared_by_column(
    endpoint: Endpoint,
    about: About,
    rows: Sequence[EventTime],
    trial: Trial,
    days_per_month: Decimal,
    told: Sequence[str],
) -> Iterator[Estimate]:
    """The estimates of ``groups`` of an endpoint; ``told`` are columns whose values have curves of their own already (subgroups)."""
    arms = {row.arm for row in rows}
    only = arms.pop() if len(arms) == 1 else ""
    for column in endpoint.groups:
        found = by_value(column, rows, trial)
        if found.is_quantity:
            given = [{column: trial.subjects[row.subject].words.get(column, "")} for row in rows]
            yield from univariable(about, rows, given)
            continue
        for value, own in found.rows.items() if column not in told else ():
            of_value = replace(about, arm=only, group=f"{column}={value}")
            yield from medians(of_value, own, endpoint.km_ci, days_per_month)
            yield from landmarks(of_value, own, endpoint.at_months, endpoint.km_ci, days_per_month)
            if endpoint.competing:
                yield from incidences(of_value, own, endpoint.at_months, days_per_month)
        yield from _compared(about, found)


def _compared(about: About, found: ByValue) -> Iterator[Estimate]:
    grouped = [replace(row, arm=value) for value, own in found.rows.items() for row in own]
    out = left_out(found.out)
    for one in (logrank(about, grouped), *of_levels(about, found.column, grouped, tuple(found.rows))):
        yield replace(one, covariate=one.covariate or found.column, note="; ".join(p for p in (out, one.note) if p))
