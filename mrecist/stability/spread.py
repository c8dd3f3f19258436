"""The standard deviation of one measurement of one lesion: the trial's own where it is given, else that of the protocol.

docs/stability.md derives the numbers of the protocol's defaults.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from math import hypot

from mrecist.criteria._rule import Criterion
from mrecist.criteria._viable import by_viable_part
from mrecist.model import Kind, Measurement
from mrecist.protocol import MeasurementError

# The criteria that follow the enhancing part; the others follow the whole lesion.
# Subject, reader, time point, lesion, column of measurements.csv.
Cell = tuple[str, str, int, str, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Spread:
    """Standard deviations: ``own`` for single sizes (from repeated reads, from perturbed masks), ``error`` for all others."""

    error: MeasurementError = field(default_factory=MeasurementError)
    own: Mapping[Cell, float] = field(default_factory=dict)

    def of(self, criterion: Criterion, row: Measurement, baseline: Measurement, size: float) -> float:
        """Standard deviation of what a measured row counts by the criterion, in the criterion's unit.

        An area is a product of two diameters with errors of their own: its variance is that of the product to first order.
        """
        columns = columns_of(criterion, row, baseline)
        if len(columns) == 1:
            return self._of_column(row, columns[0], size)
        one, other = (float(getattr(row, column) or 0) for column in columns)
        return hypot(other * self._of_column(row, columns[0], one), one * self._of_column(row, columns[1], other))

    def is_own(self, criterion: Criterion, row: Measurement, baseline: Measurement) -> bool:
        """At least one of the columns that the size comes from has a standard deviation of its own."""
        return any(_cell(row, column) in self.own for column in columns_of(criterion, row, baseline))

    def _of_column(self, row: Measurement, column: str, size: float) -> float:
        own = self.own.get(_cell(row, column))
        if own is not None:
            return own
        percent, absolute = self._model(row, column)
        return hypot(size * float(percent) / 100, float(absolute))

    def _model(self, row: Measurement, column: str) -> tuple[Decimal, Decimal]:
        error = self.error
        if column in ("viable_mm", "viable_short_mm"):
            percent = error.viable_baseline_percent if row.timepoint == 0 else error.viable_percent
            return percent, error.viable_mm
        if column == "volume_mm3":
            return error.volume_percent, Decimal(0)
        if column == "viable_volume_mm3":
            return error.viable_volume_percent, Decimal(0)
        if column == "short_mm" and row.kind is Kind.NODE:
            return error.node_percent, error.node_mm
        return error.lesion_percent, error.lesion_mm


@dataclass(frozen=True, slots=True, kw_only=True)
class OwnSpread:
    """One size of one row, drawn again ``draws`` times by moving the outline of its mask (docs/repeatability.md).

    ``recorded``, ``mean``, ``low``, ``high`` and ``sd`` in the unit of the column, ``cv_percent`` in %; ``below_10_mm`` and ``lost`` are
    shares of the draws, the first None for volumes.
    """

    subject: str
    reader: str
    timepoint: int
    lesion: str
    column: str
    sd: Decimal
    recorded: Decimal
    mean: Decimal
    low: Decimal
    high: Decimal
    cv_percent: Decimal
    below_10_mm: Decimal | None
    lost: Decimal
    draws: int
    seed: int

    @property
    def cell(self) -> Cell:
        """Which size it is."""
        return self.subject, self.reader, self.timepoint, self.lesion, self.column


def columns_of(criterion: Criterion, row: Measurement, baseline: Measurement) -> tuple[str, ...]:
    """The columns of measurements.csv that make up what a measured row counts: one, or the two diameters of an area."""
    viable = "viable_" if criterion.measure == "viable" and by_viable_part(baseline) else ""
    if criterion.unit == "mm3":
        return (f"{viable}volume_mm3",)
    if criterion.unit == "mm2":
        return ("viable_mm", "viable_short_mm") if viable else ("longest_mm", "short_mm")
    if viable:
        return ("viable_mm",)
    return ("short_mm",) if row.kind is Kind.NODE else ("longest_mm",)


def _cell(row: Measurement, column: str) -> Cell:
    return row.subject, row.reader, row.timepoint, row.lesion, column
