"""Which series of a visit a phase key shows. No Qt."""

from __future__ import annotations

from mrecist.imaging.phase import PhaseName
from mrecist.imaging.series import Series
from mrecist.session.case import CaseVisit

PHASE_KEYS = {
    "F1": PhaseName.NATIVE,
    "F2": PhaseName.ARTERIAL,
    "F3": PhaseName.PORTAL_VENOUS,
    "F4": PhaseName.DELAYED,
}


def of_phase(visit: CaseVisit, phase: str) -> Series | None:
    """The first series of a phase, None where the visit has none."""
    return next((one for one in visit.series if one.phase.name == phase), None)


def flicked_to(visit: CaseVisit, now: Series) -> Series | None:
    """What is shown while the flick key is held: the portal venous phase, from there the arterial; wash-out is seen so."""
    away = PhaseName.ARTERIAL if now.phase.name == PhaseName.PORTAL_VENOUS else PhaseName.PORTAL_VENOUS
    found = of_phase(visit, away) or of_phase(visit, PhaseName.DELAYED)
    return None if found == now else found
