"""Reads for the tests of stability, in as few words as possible."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal

from mrecist.criteria import CRITERIA
from mrecist.model import Kind, Measurement, Role, State
from mrecist.protocol import CriterionSetting

Sizes = dict[str, str | None]


def rows(*visits: Sizes) -> list[Measurement]:
    """One dict a visit: lesion -> size in mm ("0" = absent, None = not evaluable). N... are nodes. All sizes are alike."""
    found = []
    for timepoint, sizes in enumerate(visits):
        for lesion, size in sizes.items():
            row = Measurement(
                subject="S1",
                timepoint=timepoint,
                date=date(2020, 1, 1) + timedelta(days=56 * timepoint),
                lesion=lesion,
                role=Role.TARGET,
                kind=Kind.NODE if lesion.startswith("N") else Kind.LESION,
                state=State.NOT_EVALUABLE,
            )
            found.append(row if size is None else sized(row, Decimal(size)))
    return found


def sized(row: Measurement, size: Decimal) -> Measurement:
    """The row with this size in every diameter column; 0 is absent."""
    if size == 0:
        return replace(row, state=State.ABSENT, longest_mm=None, short_mm=None, viable_mm=None, viable_short_mm=None)
    if row.kind is Kind.NODE:
        return replace(row, state=State.MEASURED, longest_mm=size + 5, short_mm=size)
    return replace(row, state=State.MEASURED, longest_mm=size, short_mm=size, viable_mm=size, viable_short_mm=size)


def setting(name: str, **options: object) -> CriterionSetting:
    """A built-in criterion with some options changed."""
    criterion = CRITERIA[name]
    thresholds = replace(criterion.thresholds, **options)  # type: ignore[arg-type]
    return CriterionSetting(name=name, criterion=criterion, thresholds=thresholds)
