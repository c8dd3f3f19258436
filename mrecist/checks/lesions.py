"""Checks that look at all rows of one lesion."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal
from itertools import pairwise

from mrecist.checks.finding import Found, LesionCase, LesionCheck, at
from mrecist.checks.words import says_node
from mrecist.criteria._organs import organ_word
from mrecist.model import Kind, Measurement, Role, State, YesNo
from mrecist.units import product, show

# A size ten times another one, give or take a quarter: what a lost decimal point or cm for mm makes of it.
SLIP_FROM, SLIP_TO = Decimal(8), Decimal("12.5")


def node_as_lesion(case: LesionCase) -> Iterator[Found]:
    """A node by its words that is a lesion by its kind; said once."""
    first = case.rows[0]
    if first.kind is Kind.LESION and says_node(first):
        place = f"organ '{first.organ}'" + (f", station '{first.station}'" if first.station else "")
        yield at(first, f"kind is 'lesion' with {place}")


def changed_organ(case: LesionCase) -> Iterator[Found]:
    """Another organ than the one stated before; "left lung" and "lung" are one."""
    stated = [row for row in case.rows if row.organ]
    for before, row in pairwise(stated):
        if organ_word(row.organ) != organ_word(before.organ):
            yield at(row, f"organ is '{row.organ}' and was '{before.organ}' at time point {before.timepoint}")


def decimal_slip(case: LesionCase) -> Iterator[Found]:
    """longest_mm or short_mm about ten times that before, or a tenth of it."""
    for before, row in pairwise(case.rows):
        for name in slipped(before, row):
            then, now = show(getattr(before, name)), show(getattr(row, name))
            yield at(row, f"{name} is {now} and was {then} at time point {before.timepoint}")


def slipped(before: Measurement, row: Measurement) -> list[str]:
    """The columns in which two rows differ by a factor of about ten; the 5 mm of what is too small were not measured."""
    found = []
    for name in () if State.TOO_SMALL in (before.state, row.state) else ("longest_mm", "short_mm"):
        small, large = sorted((getattr(before, name) or Decimal(0), getattr(row, name) or Decimal(0)))
        if small > 0 and product(small, SLIP_FROM) <= large <= product(small, SLIP_TO):
            found.append(name)
    return found


def new_in_unimaged_region(case: LesionCase) -> Iterator[Found]:
    """A new lesion where baseline was not imaged; said once."""
    for row in case.rows:
        if row.role is Role.NEW and row.imaged_at_baseline is YesNo.NO:
            place = row.organ or "its region"
            yield at(row, f"new lesion, {place} not imaged at baseline")
            return


def equivocal_unresolved(case: LesionCase) -> Iterator[Found]:
    """A new lesion whose last row is equivocal although there were visits after its first sight."""
    last = case.rows[-1]
    if last.role is Role.NEW and last.state is State.EQUIVOCAL and case.rows[0].timepoint < case.last:
        first = case.rows[0].timepoint
        yield at(
            last, f"seen first at time point {first}, still equivocal at time point {last.timepoint}, its last row"
        )


LESION_CHECKS: dict[str, LesionCheck] = {
    check.__name__: check
    for check in (node_as_lesion, changed_organ, decimal_slip, new_in_unimaged_region, equivocal_unresolved)
}
