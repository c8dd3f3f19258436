"""The spread of the recorded sizes of a lesion when its outlines are drawn again, by the protocol's measurement error."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from math import hypot

from mrecist.imaging.masks import LesionMask
from mrecist.measure.lesion import LesionMeasurement
from mrecist.measure.repeat import Jitter, SizeSpread, jitter_of, repeat_lesion, spread_of
from mrecist.model import Kind, Measurement
from mrecist.protocol import MeasurementError, StabilityRules
from mrecist.stability.spread import OwnSpread
from mrecist.tables import SIZE_COLUMNS
from mrecist.units import round_size

# Enough for a standard deviation known to 16 % (1 / sqrt(2 (n - 1))).
DEFAULT_DRAWS = 20
_THOUSANDTH = Decimal("0.001")


@dataclass(frozen=True, slots=True, kw_only=True)
class Repeating:
    """How often outlines are drawn again, from which seed, and with which error of a diameter they agree."""

    draws: int
    seed: int
    error: MeasurementError


def repeating_of(rules: StabilityRules, draws: int | None = None) -> Repeating | None:
    """What a protocol asks for, or ``draws`` in its place; None: nothing is drawn again."""
    draws = rules.repeat if draws is None else draws
    return Repeating(draws=draws, seed=rules.seed, error=rules.error) if draws else None


def left_out(repeating: Repeating) -> str:
    """What a person must know who reads a spread: one sentence for the run and the report (docs/repeatability.md)."""
    return (
        f"the spread is that of outlines drawn again {repeating.draws} times; which part of a lesion is viable, and which lesions "
        f"there are, was not judged again, so a response by viable sizes can look firmer than it is (docs/repeatability.md)"
    )


def own_spread(
    row: Measurement, mask: LesionMask, measured: LesionMeasurement, repeating: Repeating
) -> tuple[OwnSpread, ...]:
    """One entry for each size above 0 in the row that came from the mask.

    The draws depend on the seed, subject, reader, lesion and time point, and on nothing else that is measured.
    """
    values = repeat_lesion(
        mask.whole,
        mask.geometry,
        mask.viable,
        jitter(row, measured, repeating.error),
        draws=repeating.draws,
        name=(repeating.seed, row.subject, row.reader, row.lesion, row.timepoint),
        convention=measured.convention,
        max_gap_mm=measured.max_gap_mm,
    )
    found = spread_of(values)
    sizes = {column: column.removesuffix("_mm").removesuffix("_mm3") for column in SIZE_COLUMNS}
    return tuple(
        _entry(row, column, recorded, found[name], repeating)
        for column, name in sizes.items()
        if name in found and (recorded := getattr(row, column))
    )


def jitter(row: Measurement, measured: LesionMeasurement, error: MeasurementError) -> Jitter:
    """How far the outlines of a row move for the error of one measurement that a protocol states."""
    longest, viable = measured.longest.mm, measured.viable.mm if measured.viable else 0.0
    at_baseline = row.timepoint == 0
    of_viable = float(error.viable_baseline_percent if at_baseline else error.viable_percent)
    node = None
    if row.kind is Kind.NODE:
        node = hypot(float(error.node_percent) / 100 * measured.short.mm, float(error.node_mm))
    return jitter_of(
        measured,
        percent=hypot(float(error.lesion_percent), 100 * float(error.lesion_mm) / longest if longest else 0.0),
        viable_percent=hypot(of_viable, 100 * float(error.viable_mm) / viable) if viable else 0.0,
        node_mm=node,
    )


def _entry(row: Measurement, column: str, recorded: Decimal, one: SizeSpread, repeating: Repeating) -> OwnSpread:
    def thousandths(value: float) -> Decimal:
        return round_size(value, _THOUSANDTH)

    return OwnSpread(
        subject=row.subject,
        reader=row.reader,
        timepoint=row.timepoint,
        lesion=row.lesion,
        column=column,
        sd=thousandths(one.sd),
        recorded=recorded,
        mean=thousandths(one.mean),
        low=thousandths(one.low),
        high=thousandths(one.high),
        cv_percent=round_size(one.cv_percent, Decimal("0.1")),
        below_10_mm=None if one.below_measurable is None else thousandths(one.below_measurable),
        lost=thousandths(one.lost),
        draws=repeating.draws,
        seed=repeating.seed,
    )
