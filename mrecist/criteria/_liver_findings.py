"""mRECIST's own rules for new nodules, nodes at the porta hepatis and effusions (Lencioni & Llovet 2010)."""

from __future__ import annotations

import re
from decimal import Decimal

from mrecist.criteria._findings import view_new
from mrecist.criteria._organs import organ_word
from mrecist.criteria._rule import NewLesionView, NonTargetView, Placement, Thresholds
from mrecist.criteria._viable import enhancing_targets, non_target_by_enhancement
from mrecist.model import Cytology, Kind, Measurement, NewLesion, Pattern, Role, State
from mrecist.units import difference, show

_PORTA_HEPATIS = ("porta hepatis", "portal lymph node", "hepatic hilum", "liver hilum", "periportal")
_EFFUSION = ("effusion", "ascites")


def _place(row: Measurement) -> str:
    return re.sub(r"[-_\s]+", " ", f"{row.organ} {row.station}".casefold())


def at_porta_hepatis(row: Measurement) -> bool:
    """A lymph node at the porta hepatis, by its organ or station."""
    place = _place(row)
    return row.kind is Kind.NODE and any(word in place for word in _PORTA_HEPATIS)


def is_effusion(row: Measurement) -> bool:
    """Ascites or an effusion, by its organ or station."""
    place = _place(row)
    return any(word in place for word in _EFFUSION)


def placed(baseline: Measurement, thresholds: Thresholds) -> Placement:
    """A node at the porta hepatis is disease from 20 mm short axis on (A31); the rest as in the enhancement criteria."""
    small = baseline.short_mm is not None and baseline.short_mm < thresholds.porta_hepatis_node_mm
    if at_porta_hepatis(baseline) and small:
        role = Role.NON_TARGET if thresholds.porta_hepatis_small == "non-target" else None
        return Placement(role=role, flags=(f"PORTA_HEPATIS_NODE:{baseline.lesion}",))
    return enhancing_targets(baseline, thresholds)


def non_target(row: Measurement, baseline: Measurement, thresholds: Thresholds) -> NonTargetView:
    """An effusion or ascites that is worse counts as progression with malignant cytology only."""
    unproven = row.cytology is not Cytology.MALIGNANT and thresholds.effusion_needs_cytology
    if row.state is State.PROGRESSED and is_effusion(row) and unproven:
        words = (
            f"{row.lesion} worse, cytology {row.cytology or 'not recorded'}: not progression without malignant cytology"
        )
        return NonTargetView(state=State.PRESENT, words=words, flags=(f"EFFUSION_NOT_PROVEN:{row.lesion}",))
    return non_target_by_enhancement(row, baseline, thresholds)


def new_lesion(history: dict[int, Measurement], thresholds: Thresholds) -> dict[int, NewLesionView]:
    """New lesions; a liver nodule with a recorded ``pattern`` follows the rules for new intrahepatic nodules.

    Typical (arterial hyperenhancement with washout) counts from 10 mm on; atypical only after growth by 10 mm; until
    then it is held as equivocal. Elsewhere, or without a pattern, the reader's word decides.
    """
    views: dict[int, NewLesionView] = {}
    smallest: Decimal | None = None
    for timepoint, row in sorted(history.items()):
        views[timepoint] = _view(row, smallest, thresholds)
        if row.longest_mm is not None:
            smallest = row.longest_mm if smallest is None else min(smallest, row.longest_mm)
    return views


def _view(row: Measurement, smallest: Decimal | None, thresholds: Thresholds) -> NewLesionView:
    if row.state is not State.UNEQUIVOCAL:
        return view_new(row, thresholds)
    if is_effusion(row) and thresholds.effusion_needs_cytology and row.cytology is not Cytology.MALIGNANT:
        words = (
            f"{row.lesion} {row.state}, cytology {row.cytology or 'not recorded'}: held until it is proven malignant"
        )
        return NewLesionView(status=NewLesion.EQUIVOCAL, words=words, flags=(f"EFFUSION_NOT_PROVEN:{row.lesion}",))
    if at_porta_hepatis(row) and row.short_mm is not None and row.short_mm < thresholds.porta_hepatis_node_mm:
        limit = show(thresholds.porta_hepatis_node_mm)
        words = f"{row.lesion} {row.state}, porta hepatis, short axis {show(row.short_mm)} mm: held until {limit} mm"
        return NewLesionView(status=NewLesion.EQUIVOCAL, words=words, flags=(f"NEW_NODE_HELD:{row.lesion}",))
    if row.pattern is None or row.kind is Kind.NODE or organ_word(row.organ) not in ("", "liver"):
        return view_new(row, thresholds)
    return _view_nodule(row, smallest, thresholds)


def _view_nodule(row: Measurement, smallest: Decimal | None, thresholds: Thresholds) -> NewLesionView:
    size = f"{show(row.longest_mm)} mm" if row.longest_mm is not None else "of unrecorded size"
    words = f"{row.lesion} {row.state}, {row.pattern} enhancement, {size}"
    if _nodule_counts(row, smallest, thresholds):
        return NewLesionView(status=NewLesion.YES, words=words)
    held = f"{words}: held until {_what_would_prove(row, thresholds)}"
    return NewLesionView(status=NewLesion.EQUIVOCAL, words=held, flags=(f"NEW_NODULE_HELD:{row.lesion}",))


def _nodule_counts(row: Measurement, smallest: Decimal | None, thresholds: Thresholds) -> bool:
    if row.longest_mm is None or row.longest_mm < thresholds.new_nodule_mm:
        return False
    if row.pattern is Pattern.TYPICAL:
        return True
    return smallest is not None and difference(row.longest_mm, smallest) >= thresholds.new_nodule_growth_mm


def _what_would_prove(row: Measurement, thresholds: Thresholds) -> str:
    at_least = f"at least {show(thresholds.new_nodule_mm)} mm"
    if row.pattern is Pattern.TYPICAL:
        return at_least
    return f"{at_least} with the typical pattern, or growth by {show(thresholds.new_nodule_growth_mm)} mm"
