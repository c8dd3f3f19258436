"""Checks that look at one row."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal

from mrecist.checks.finding import Found, RowCase, RowCheck, at
from mrecist.checks.words import unfit_word
from mrecist.model import Kind, LiradsResponse, Measurement, Role, State, YesNo
from mrecist.response.targets import modality_word
from mrecist.units import show

DIAMETERS = ("longest_mm", "short_mm", "viable_mm", "viable_short_mm")
# What a lesion counts that is too small to measure, and the size of a normal node (Eisenhauer 2009, 4.3.2 and 3.1.1).
TOO_SMALL_MM = Decimal(5)
NORMAL_NODE_MM = Decimal(10)


def _sizes(row: Measurement) -> dict[str, Decimal]:
    sizes = {name: getattr(row, name) for name in DIAMETERS}
    sizes |= {f"viable_foci_mm {n}": focus for n, focus in enumerate(row.viable_foci_mm, 1)}
    return {name: size for name, size in sizes.items() if size is not None}


def viable_above_whole(case: RowCase) -> Iterator[Found]:
    """viable_mm above longest_mm, a focus above viable_mm, the viable volume above the whole one."""
    row = case.row
    focus = max(row.viable_foci_mm, default=None)
    for small, part, large, whole in (
        ("viable_mm", row.viable_mm, "longest_mm", row.longest_mm),
        ("viable_volume_mm3", row.viable_volume_mm3, "volume_mm3", row.volume_mm3),
        ("the longest of viable_foci_mm", focus, "viable_mm", row.viable_mm),
    ):
        if part is not None and whole is not None and part > whole:
            yield at(row, f"{small} {show(part)} is above {large} {show(whole)}")


def absurd_size(case: RowCase) -> Iterator[Found]:
    """A diameter above max_size_mm."""
    for name, size in _sizes(case.row).items():
        if size > case.limits.max_size_mm:
            yield at(case.row, f"{name} is {show(size)}, above {show(case.limits.max_size_mm)} mm")


def below_one_pixel(case: RowCase) -> Iterator[Found]:
    """A diameter above 0 and below min_size_mm."""
    for name, size in _sizes(case.row).items():
        if 0 < size < case.limits.min_size_mm:
            yield at(case.row, f"{name} is {show(size)}, below {show(case.limits.min_size_mm)} mm")


def too_small_with_size(case: RowCase) -> Iterator[Found]:
    """too-small with more than 5 mm in the column that says how small: the viable one when it is given."""
    row = case.row
    if row.state is not State.TOO_SMALL:
        return
    whole = ("short_mm", row.short_mm) if row.kind is Kind.NODE else ("longest_mm", row.longest_mm)
    name, size = ("viable_mm", row.viable_mm) if row.viable_mm is not None else whole
    if size is not None and size > TOO_SMALL_MM:
        yield at(row, f"state is 'too-small' with {name} {show(size)}")


def merged_with_size(case: RowCase) -> Iterator[Found]:
    """merged with a diameter above 0."""
    sizes = [f"{name} {show(size)}" for name, size in _sizes(case.row).items() if size]
    if case.row.state is State.MERGED and sizes:
        yield at(case.row, f"merged into {case.row.part_of}, with {', '.join(sizes)}")


def lirads_conflict(case: RowCase) -> Iterator[Found]:
    """nonviable with a viable size, or viable without any."""
    row = case.row
    if row.lirads_tr is LiradsResponse.NONVIABLE and row.viable_mm:
        yield at(row, f"lirads_tr is 'nonviable' and viable_mm {show(row.viable_mm)}")
    if row.lirads_tr is LiradsResponse.VIABLE and (row.viable_mm == 0 or row.state is State.ABSENT):
        other = "the state 'absent'" if row.state is State.ABSENT else "viable_mm 0"
        yield at(row, f"lirads_tr is 'viable', beside {other}")


def lipiodol_on_ct(case: RowCase) -> Iterator[Found]:
    """Lipiodol, and a viable size that was not read on MR."""
    row = case.row
    viable = row.viable_mm is not None or row.viable_volume_mm3 is not None
    if row.lipiodol is YesNo.YES and viable and modality_word(row.modality) != "MR" and row.state is not State.ABSENT:
        on = f"on {modality_word(row.modality)}" if row.modality else "on an unknown modality"
        yield at(row, f"viable part read {on} in a lesion with lipiodol")


def unfit_target(case: RowCase) -> Iterator[Found]:
    """A baseline target that is not measurable by its words."""
    row = case.row
    if row.timepoint == 0 and row.role is Role.TARGET and row.kind is not Kind.NODE and unfit_word(row):
        yield at(row, f"target, and {unfit_word(row)}")


def normal_node(case: RowCase) -> Iterator[Found]:
    """A baseline node below 10 mm short axis."""
    row = case.row
    if row.timepoint == 0 and row.kind is Kind.NODE and row.short_mm is not None and row.short_mm < NORMAL_NODE_MM:
        yield at(row, f"{row.role} node with a short axis of {show(row.short_mm)} mm")


ROW_CHECKS: dict[str, RowCheck] = {
    check.__name__: check
    for check in (
        *(viable_above_whole, absurd_size, below_one_pixel, too_small_with_size, merged_with_size, lirads_conflict),
        *(lipiodol_on_ct, unfit_target, normal_node),
    )
}
