"""What a target counts at a visit, by its state: shared by all criteria, whatever quantity they add."""

from __future__ import annotations

from decimal import Decimal

from mrecist.criteria._rule import LesionSize, Thresholds
from mrecist.model import Kind, LocalTherapy, Measurement, State
from mrecist.units import ZERO, mean, show, total


def counted(
    row: Measurement, value: Decimal | None, column: str, thresholds: Thresholds, too_small: Decimal | None
) -> LesionSize:
    """What a target counts by its state and the one quantity ``value`` (from ``column``) that the criterion adds.

    A missing quantity is "not evaluated", never 0. ``too_small`` is the default for a lesion that is seen but too small to
    measure. Source: Eisenhauer 2009, 4.3.2 (5 mm when too small to measure, 0 when gone, merged lesions).
    """
    size, why = value, ""
    if row.state is State.ABSENT:
        size = ZERO
    elif row.state is State.MERGED:
        # The mass is measured on the lesion that it merged into, so this one adds nothing.
        size, why = ZERO, f"merged into {row.part_of} (0)"
    elif row.state is State.NOT_EVALUABLE:
        size, why = None, "not evaluable"
    elif row.state is State.TOO_SMALL:
        size = too_small if value is None else value
        why = f"too small to measure ({show(size)})" if size is not None else f"too small to measure, without {column}"
    elif value is None:
        why = f"without {column}"
    return LesionSize(
        lesion=row.lesion,
        kind=row.kind,
        size=size,
        disease=_is_disease(row, size, thresholds),
        why=why,
        hu=row.mean_hu,
        short_axis=row.short_mm if row.kind is Kind.NODE else None,
    )


def _is_disease(row: Measurement, size: Decimal | None, thresholds: Thresholds) -> bool:
    """A node is judged by its short axis whatever is added, everything else by whether anything is left."""
    if not size:
        return size is None
    if row.kind is Kind.NODE and row.short_mm is not None:
        return row.short_mm >= thresholds.node_normal_mm
    return not (row.kind is Kind.NODE and row.state is State.TOO_SMALL)


def treated(row: Measurement, therapy: LocalTherapy, since: int, thresholds: Thresholds) -> LesionSize:
    """A target that was locally treated on study is outside the assessment from then on (FAQ; A10)."""
    flags = (f"LOCAL_THERAPY:{row.lesion}@{since}",)
    if therapy is LocalTherapy.RESECTION and thresholds.resected_is_zero:
        why = f"resected at time point {since} (0)"
        return LesionSize(lesion=row.lesion, kind=row.kind, size=ZERO, disease=False, why=why, flags=flags)
    why = f"not evaluable after {therapy} (time point {since})"
    return LesionSize(lesion=row.lesion, kind=row.kind, size=None, why=why, flags=flags)


def added(lesion: str, kind: Kind, parts: list[LesionSize]) -> LesionSize:
    """A split lesion: the sum of its fragments, not evaluated when one of them is not (Eisenhauer 2009, 4.3.2)."""
    missing = [part for part in parts if part.size is None]
    words = " + ".join([str(part) for part in parts])
    known = total([part.at_least if part.size is None else part.size for part in parts])
    size = None if missing else known
    densities = [part.hu for part in parts if part.hu is not None]
    why = f"not evaluated ({words})" if missing else f"{show(size)} ({words})"
    return LesionSize(
        lesion=lesion,
        kind=kind,
        size=size,
        disease=any(part.disease for part in parts),
        why=why,
        flags=tuple(f for part in parts for f in part.flags),
        at_least=known if missing else ZERO,
        # No fragment's weight is recorded, so each counts the same; without one of them the density is not known.
        hu=mean(densities) if len(densities) == len(parts) else None,
    )
