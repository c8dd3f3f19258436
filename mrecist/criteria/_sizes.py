"""What a target counts at a visit, by its state. Shared by the criteria that add diameters."""

from __future__ import annotations

from decimal import Decimal

from mrecist.criteria._rule import LesionSize, Thresholds
from mrecist.model import Kind, Measurement, State
from mrecist.units import ZERO, show, total


def size_from(row: Measurement, size: Decimal | None, column: str, thresholds: Thresholds) -> LesionSize:
    """What a target counts by its state and the one size that the criterion looks at.

    A missing size is "not evaluated", never 0. Sources: Eisenhauer 2009, section 2 (5 mm when too small to measure, 0 when
    gone) and 4.3.2 (merged lesions).
    """
    value, why = size, ""
    if row.state is State.ABSENT:
        value = ZERO
    elif row.state is State.MERGED:
        # The mass is measured on the lesion that it merged into, so this one adds nothing.
        value, why = ZERO, f"merged into {row.part_of} (0)"
    elif row.state is State.NOT_EVALUABLE:
        value, why = None, "not evaluable"
    elif row.state is State.TOO_SMALL:
        value = thresholds.too_small_mm if size is None else size
        why = f"too small to measure ({show(value)})"
    elif size is None:
        why = f"without {column}"
    return LesionSize(lesion=row.lesion, kind=row.kind, size=value, why=why)


def added(lesion: str, kind: Kind, parts: list[LesionSize]) -> LesionSize:
    """A split lesion: the sum of its fragments, not evaluated when one of them is not (Eisenhauer 2009, 4.3.2)."""
    missing = [part for part in parts if part.size is None]
    words = " + ".join(str(part) for part in parts)
    size = None if missing else total(part.size for part in parts if part.size is not None)
    why = f"not evaluated ({words})" if missing else f"{show(size)} ({words})"
    return LesionSize(
        lesion=lesion, kind=kind, size=size, why=why, flags=tuple(f for part in parts for f in part.flags)
    )
