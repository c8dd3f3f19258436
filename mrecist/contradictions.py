"""What cannot be true of a recorded row, whatever the criterion.

A table that is read for responses refuses such a row; ``mrecist check`` lists every one of them. Each kind is the name of a
check (:mod:`mrecist.checklist`).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from mrecist.model import Kind, LiradsResponse, LiradsVersion, Measurement, Role, State
from mrecist.units import show


@dataclass(frozen=True, slots=True, kw_only=True)
class Contradiction:
    """Why a row or a read cannot be used: ``kind``, and one line for a person that begins with where it is."""

    kind: str
    words: str
    where: str = ""
    timepoint: int | None = None
    lesion: str = ""

    def __str__(self) -> str:
        return f"{self.where}: {self.words}" if self.where else self.words


def contradictions_of_row(row: Measurement) -> Iterator[Contradiction]:
    """Every contradiction inside one row: sizes against the state, axes against each other, LI-RADS against its version."""
    for kind, words in (*_sizes_and_state(row), *_axes(row), *_lirads(row)):
        yield Contradiction(kind=kind, words=words, timepoint=row.timepoint, lesion=row.lesion)


def _sizes_and_state(row: Measurement) -> Iterator[tuple[str, str]]:
    # A node is never gone: a non-target node may be recorded absent with its normal short axis.
    normal_node = row.kind is Kind.NODE and row.role is not Role.TARGET
    if row.state is State.ABSENT and not normal_node:
        for name in ("longest_mm", "short_mm", "viable_mm", "viable_short_mm"):
            value = getattr(row, name)
            if value:
                yield "absent_with_size", f"state is 'absent' but {name} is {show(value)}; correct one of them"
    size = row.short_mm if row.kind is Kind.NODE else row.longest_mm
    if row.role is Role.TARGET and row.state is State.MEASURED and size == 0:
        yield (
            "measured_zero",
            "state is 'measured' with 0 mm; record 'absent' when it is gone, 'too-small' when it is seen",
        )


def _axes(row: Measurement) -> Iterator[tuple[str, str]]:
    if row.viable_foci_mm and row.viable_mm is not None and row.viable_mm < max(row.viable_foci_mm):
        yield (
            "foci_above_viable",
            f"viable_mm {show(row.viable_mm)} is below the longest of viable_foci_mm, {show(max(row.viable_foci_mm))}; "
            f"viable_mm is the longest focus",
        )
    for small, large in (("short_mm", "longest_mm"), ("viable_short_mm", "viable_mm")):
        short, longest = getattr(row, small), getattr(row, large)
        if short is not None and longest is not None and short > longest:
            yield "axes_swapped", f"{small} {show(short)} is above {large} {show(longest)}; were they swapped?"


def _lirads(row: Measurement) -> Iterator[tuple[str, str]]:
    """A LI-RADS treatment response means nothing without its version; Nonprogressing is of the 2024 radiation algorithm."""
    if row.lirads_tr is None:
        return
    if row.lirads_version is None:
        yield (
            "lirads_version",
            f"lirads_tr is '{row.lirads_tr}' without lirads_version; use one of: {', '.join(LiradsVersion)}",
        )
    elif row.lirads_tr is LiradsResponse.NONPROGRESSING and row.lirads_version is not LiradsVersion.V2024_RADIATION:
        yield (
            "lirads_version",
            f"lirads_tr is 'nonprogressing' in version {row.lirads_version}; only 2024-radiation has it",
        )
