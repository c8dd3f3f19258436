"""A new lesion that split: its fragments are one lesion, never further new ones (the rule of fragments, docs/files.md)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from decimal import Decimal
from typing import Any

from mrecist.model import Change, Measurement, Role, State
from mrecist.units import total

_WORST_FIRST = (State.UNEQUIVOCAL, State.EQUIVOCAL, State.ABSENT)
_SIZES = ("longest_mm", "short_mm", "viable_mm", "viable_short_mm", "volume_mm3", "viable_volume_mm3")


def whole_new_lesions(
    visits: Sequence[dict[str, Measurement]], fragments: dict[str, tuple[str, ...]]
) -> tuple[dict[str, Measurement], ...]:
    """The rows of each visit, the fragments of a new lesion replaced by one row of it.

    ``visits`` are rows by lesion id in order of time; ``fragments`` a lesion's id -> ids of what it split into. The row is
    unequivocal when a fragment is, else equivocal when one is, else absent. Its sizes are the sums over the fragments that
    are there; not known when one has none, or was seen before and has no row.
    """
    roles = {lesion: row.role for rows in visits for lesion, row in rows.items()}
    parent = {part: lesion for lesion, parts in fragments.items() for part in parts if roles.get(lesion) is Role.NEW}
    if not parent:
        return tuple(visits)
    seen: dict[str, set[str]] = {}
    whole = []
    for rows in visits:
        kept = {lesion: row for lesion, row in rows.items() if lesion not in parent}
        parts: dict[str, list[Measurement]] = {}
        for lesion in parent.keys() & rows.keys():
            parts.setdefault(_above(lesion, parent)[-1], []).append(rows[lesion])
        for lesion, of_it in parts.items():
            # A fragment that split again has no row of its own, but is here in its fragments.
            here = {name for row in of_it for name in (row.lesion, *_above(row.lesion, parent))}
            silent = seen.get(lesion, set()) - here
            kept[lesion] = _joined(lesion, of_it, complete=not silent)
            seen[lesion] = {row.lesion for row in of_it if row.state is not State.ABSENT} | silent
        whole.append(kept)
    return tuple(whole)


def _above(lesion: str, parent: dict[str, str]) -> list[str]:
    """The lesions that a fragment comes from; the last is the one that was there before anything split."""
    above = []
    while lesion in parent:
        lesion = parent[lesion]
        above.append(lesion)
    return above


def _joined(lesion: str, parts: Sequence[Measurement], *, complete: bool) -> Measurement:
    parts = sorted(parts, key=lambda row: (_WORST_FIRST.index(row.state), row.lesion))
    there = [row for row in parts if row.state is not State.ABSENT]
    sizes: dict[str, Any] = {name: _sum([getattr(row, name) for row in there]) if complete else None for name in _SIZES}
    grew = any(row.change is Change.INCREASE for row in there)
    return replace(parts[0], lesion=lesion, part_of="", change=Change.INCREASE if grew else parts[0].change, **sizes)


def _sum(values: Sequence[Decimal | None]) -> Decimal | None:
    known = [value for value in values if value is not None]
    return total(known) if known and len(known) == len(values) else None
