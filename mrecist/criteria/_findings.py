"""How the criteria that amend nothing read non-targets and new lesions, and where a baseline lesion belongs."""

from __future__ import annotations

from mrecist.criteria._rule import NewLesionView, NonTargetView, Placement, Thresholds
from mrecist.model import Kind, Measurement, NewLesion, State, YesNo
from mrecist.units import show

# A new node below this as the only sign of progression should be followed before it counts (RECIST FAQ).
FOLLOW_NODE_BELOW_MM = 15

_STATUS = {State.UNEQUIVOCAL: NewLesion.YES, State.EQUIVOCAL: NewLesion.EQUIVOCAL, State.ABSENT: NewLesion.NO}


def as_recorded(baseline: Measurement, _thresholds: Thresholds) -> Placement:
    """Every lesion keeps the role that the reader gave it."""
    return Placement(role=baseline.role)


def non_target_as_read(row: Measurement, _baseline: Measurement, thresholds: Thresholds) -> NonTargetView:
    """The reader's word; a node that is recorded below its normal size is gone (Eisenhauer 2009, 4.3.3)."""
    if row.state is State.PRESENT and row.kind is Kind.NODE and row.short_mm is not None:
        if row.short_mm < thresholds.node_normal_mm:
            words = f"{row.lesion} present, short axis {show(row.short_mm)} mm, a normal node"
            return NonTargetView(state=State.ABSENT, words=words)
        return NonTargetView(state=State.PRESENT, words=f"{row.lesion} present, short axis {show(row.short_mm)} mm")
    return NonTargetView(state=row.state, words=f"{row.lesion} {row.state}")


def lipiodol_flags(row: Measurement) -> tuple[str, ...]:
    """Lipiodol by the reader's word; else very dense material that was found in the images (A19). Neither changes a size."""
    if row.lipiodol is YesNo.YES:
        return (f"LIPIODOL:{row.lesion}",)
    return (f"DENSE_PART:{row.lesion}={show(row.dense_percent)}",) if row.dense_percent else ()


def new_lesion_as_read(history: dict[int, Measurement], thresholds: Thresholds) -> dict[int, NewLesionView]:
    """The reader's word decides: unequivocal is progression, equivocal is not (Eisenhauer 2009, 4.3.5)."""
    return {timepoint: view_new(row, thresholds) for timepoint, row in history.items()}


def view_new(row: Measurement, thresholds: Thresholds) -> NewLesionView:
    """One row of a new lesion; a new node counts from its pathological size on (RECIST FAQ)."""
    status, words = _STATUS[row.state], f"{row.lesion} {row.state}"
    if row.kind is not Kind.NODE or row.short_mm is None or status is not NewLesion.YES:
        return NewLesionView(status=status, words=words)
    words += f", short axis {show(row.short_mm)} mm"
    if row.short_mm < thresholds.node_normal_mm:
        held = f"{words}: held, a node below {show(thresholds.node_normal_mm)} mm is normal"
        return NewLesionView(status=NewLesion.EQUIVOCAL, words=held, flags=(f"NEW_NODE_HELD:{row.lesion}",))
    flags = (f"NEW_NODE_SMALL:{row.lesion}",) if row.short_mm < FOLLOW_NODE_BELOW_MM else ()
    return NewLesionView(status=status, words=words, flags=flags)
