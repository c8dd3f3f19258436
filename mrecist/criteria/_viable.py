"""What the enhancement-based criteria (mRECIST, EASL, qEASL) share: viable means enhancing in the arterial phase."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal
from functools import lru_cache

from mrecist.criteria._findings import as_recorded, lipiodol_flags, non_target_as_read
from mrecist.criteria._rule import LesionSize, NonTargetView, Placement, Thresholds
from mrecist.model import Basis, Kind, Measurement, Role, State
from mrecist.units import ZERO

_ARTERIAL_SHORT = frozenset(("ap", "art", "hap", "eap", "lap"))
_PORTAL_SHORT = frozenset(("pv", "pvp", "pvi", "pp"))


def by_viable_part(baseline: Measurement) -> bool:
    """Nodes, and lesions on the overall basis, are followed by their conventional size (A12, A13)."""
    return baseline.kind is Kind.LESION and baseline.basis is not Basis.OVERALL


@lru_cache(maxsize=1000)
def phase_word(text: str) -> str:
    """The phase that a cell names: "Late arterial", "HAP" are "arterial"; anything else stays as it is, in lower case."""
    words = " ".join(text.casefold().replace("-", " ").replace("_", " ").split())
    if "arter" in words or words in _ARTERIAL_SHORT:
        return "arterial"
    if "portal" in words or "portovenous" in words or words in _PORTAL_SHORT:
        return "portal venous"
    return words


def phase_allows(row: Measurement, thresholds: Thresholds) -> bool:
    """Whether enhancement can be judged on the phase of a row; a phase that is not recorded is taken as allowed (A27)."""
    return not phase_word(row.phase) or phase_word(row.phase) in {phase_word(p) for p in thresholds.viable_phases}


def judged_by_phase(size: LesionSize, row: Measurement, thresholds: Thresholds) -> LesionSize:
    """A viable size from a phase that is known and not allowed is not evaluated; an allowed fallback is flagged (A27)."""
    if not row.phase:
        return size
    phase = phase_word(row.phase)
    if not phase or row.state not in (State.MEASURED, State.TOO_SMALL) or size.size is None:
        return size
    if phase_allows(row, thresholds):
        fallback = () if phase == "arterial" else (f"VIABLE_NOT_ARTERIAL:{row.lesion}",)
        return replace(size, flags=(*size.flags, *fallback))
    why = f"viable part read on phase {row.phase}, not {' or '.join(thresholds.viable_phases)}"
    return replace(size, size=None, why=why, flags=(*size.flags, f"VIABLE_NOT_ARTERIAL:{row.lesion}"))


def flagged_lipiodol(size: LesionSize, row: Measurement) -> LesionSize:
    """Lipiodol, and what is as dense, hides or mimics enhancement on CT (A19)."""
    flags = lipiodol_flags(row)
    return replace(size, flags=(*size.flags, *flags)) if flags else size


def enhancing_targets(baseline: Measurement, thresholds: Thresholds) -> Placement:
    """A lesion without enhancement at baseline is no viable target (A12); nodes may be kept out of the sum (A13)."""
    if baseline.role is not Role.TARGET:
        return as_recorded(baseline, thresholds)
    if not by_viable_part(baseline):
        if thresholds.viable_only_sum:
            return Placement(role=Role.NON_TARGET, flags=(f"NOT_IN_VIABLE_SUM:{baseline.lesion}",))
        return Placement(role=Role.TARGET)
    if _viable_amount_is_zero(baseline):
        role = Role.NON_TARGET if thresholds.never_enhancing == "non-target" else None
        return Placement(role=role, flags=(f"NOT_VIABLE_AT_BASELINE:{baseline.lesion}",))
    return Placement(role=Role.TARGET)


def _viable_amount_is_zero(row: Measurement) -> bool:
    given = [value for value in (row.viable_mm, row.viable_volume_mm3) if value is not None]
    return bool(given) and not any(given)


def viable_amount(row: Measurement, amount: Decimal | None) -> Decimal | None:
    """The viable quantity ``amount``; left empty it is 0 where another viable quantity of the lesion is recorded as 0."""
    return ZERO if amount is None and _viable_amount_is_zero(row) else amount


def non_target_by_enhancement(row: Measurement, baseline: Measurement, thresholds: Thresholds) -> NonTargetView:
    """A non-target without enhancement is gone (Lencioni & Llovet 2010); so is a moved target that does not enhance."""
    if row.role is Role.TARGET:
        return _moved_target(row, baseline, thresholds)
    if row.state is State.PRESENT and row.kind is Kind.LESION and row.viable_mm == 0:
        if not phase_allows(row, thresholds):
            words = f"{row.lesion} present, read on phase {row.phase}"
            return NonTargetView(state=State.PRESENT, words=words, flags=(f"VIABLE_NOT_ARTERIAL:{row.lesion}",))
        return NonTargetView(state=State.ABSENT, words=f"{row.lesion} present without enhancement")
    return non_target_as_read(row, baseline, thresholds)


def _moved_target(row: Measurement, baseline: Measurement, thresholds: Thresholds) -> NonTargetView:
    """A target of the read that this criterion follows as a non-target."""
    if row.state is State.ABSENT or row.state is State.MERGED:
        return NonTargetView(state=State.ABSENT, words=f"{row.lesion} {row.state}")
    if row.state is State.NOT_EVALUABLE:
        return NonTargetView(state=State.NOT_EVALUABLE, words=f"{row.lesion} not-evaluable")
    if row.kind is Kind.NODE:
        return non_target_as_read(replace(row, state=State.PRESENT), baseline, thresholds)
    if not by_viable_part(baseline):
        return NonTargetView(state=State.PRESENT, words=f"{row.lesion} present")
    if not phase_allows(row, thresholds):
        words = f"{row.lesion} read on phase {row.phase}"
        return NonTargetView(state=State.NOT_EVALUABLE, words=words, flags=(f"VIABLE_NOT_ARTERIAL:{row.lesion}",))
    if row.state is State.TOO_SMALL and not _viable_amount_is_zero(row):
        return NonTargetView(state=State.PRESENT, words=f"{row.lesion} present")
    if _viable_amount_is_zero(row):
        return NonTargetView(state=State.ABSENT, words=f"{row.lesion} without enhancement")
    if row.viable_mm is None and row.viable_volume_mm3 is None:
        return NonTargetView(state=State.NOT_EVALUABLE, words=f"{row.lesion} without viable_mm")
    return NonTargetView(state=State.PRESENT, words=f"{row.lesion} enhances")
