"""mRECIST for hepatocellular carcinoma (Lencioni R, Llovet JM. Semin Liver Dis 2010;30:52-60): viable diameters.

Viable means enhancing in the arterial phase. Nodes and targets followed by their conventional diameter (``basis`` overall)
enter the sum as in RECIST 1.1, which mRECIST amends.
"""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

from mrecist.criteria import _conditions as c
from mrecist.criteria._overall import MRECIST_MATRIX
from mrecist.criteria._rule import Criterion, LesionSize, NewLesionView, Rule, Thresholds
from mrecist.criteria._sizes import size_from
from mrecist.criteria.recist11 import conventional_size
from mrecist.model import Basis, Kind, Measurement, NewLesion, Pattern, Response, State
from mrecist.units import difference, show

L10 = "Lencioni & Llovet 2010"


def _by_viable_part(baseline: Measurement) -> bool:
    return baseline.kind is Kind.LESION and baseline.basis is not Basis.OVERALL


def viable_size(row: Measurement, baseline: Measurement, thresholds: Thresholds) -> LesionSize:
    """Longest viable diameter; nodes and lesions on the overall basis by their conventional diameter (A12, A13).

    A viable diameter from a phase that is known not to be arterial is not evaluated (A27).
    """
    if not _by_viable_part(baseline):
        return conventional_size(row, baseline, thresholds)
    phase = row.phase.casefold()
    allowed = tuple(p.casefold() for p in thresholds.viable_phases)
    if row.state in (State.MEASURED, State.TOO_SMALL) and row.viable_mm is not None and phase and phase not in allowed:
        why = f"viable part read on phase {row.phase}, not {' or '.join(thresholds.viable_phases)}"
        return LesionSize(
            lesion=row.lesion, kind=row.kind, size=None, why=why, flags=(f"VIABLE_NOT_ARTERIAL:{row.lesion}",)
        )
    size = size_from(row, row.viable_mm, "viable_mm", thresholds)
    if row.state is State.MEASURED and row.viable_mm == 0:
        return replace(size, why="without enhancement (0)")
    return size


def viable_at_baseline(baseline: Measurement) -> bool:
    """A lesion that showed no enhancement at baseline is no viable target (A12)."""
    return not _by_viable_part(baseline) or baseline.viable_mm is None or baseline.viable_mm > 0


def new_nodule(history: dict[int, Measurement], thresholds: Thresholds) -> dict[int, NewLesionView]:
    """New lesions; a liver nodule with a recorded ``pattern`` follows the rules for new intrahepatic nodules.

    Typical (arterial hyperenhancement with washout) counts from 10 mm on; atypical only after growth by 10 mm; until
    then it is held as equivocal. Elsewhere, or without a pattern, the reader's word decides. Source: Lencioni & Llovet
    2010, new lesions.
    """
    views: dict[int, NewLesionView] = {}
    smallest: Decimal | None = None
    for timepoint, row in sorted(history.items()):
        views[timepoint] = _view_nodule(row, smallest, thresholds)
        if row.longest_mm is not None:
            smallest = row.longest_mm if smallest is None else min(smallest, row.longest_mm)
    return views


def _view_nodule(row: Measurement, smallest: Decimal | None, thresholds: Thresholds) -> NewLesionView:
    as_read = {State.UNEQUIVOCAL: NewLesion.YES, State.EQUIVOCAL: NewLesion.EQUIVOCAL, State.ABSENT: NewLesion.NO}
    status = as_read[row.state]
    in_liver = row.organ.casefold() in ("", "liver")
    if row.pattern is None or not in_liver or status is not NewLesion.YES:
        return NewLesionView(status=status, words=f"{row.lesion} {row.state}")
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


RULES = (
    Rule(
        name="back after complete response",
        gives=Response.PD,
        when=c.back_after_cr,
        because=c.say_back,
        cite="Eisenhauer 2009, 4.4.3 and Table 3 note, amended by mRECIST",
        note="A7: response.cr_then_worse; A14: regained enhancement counts with its viable size, also below 10 mm",
    ),
    Rule(
        name="progression in the targets that were evaluated",
        gives=Response.PD,
        when=c.rose_without_the_missing,
        because=c.say_rose,
        cite=f"{L10}, target response; missing lesions cannot change the category",
    ),
    Rule(
        name="not all evaluated",
        gives=Response.NE,
        when=c.not_all_evaluated,
        because=c.say_missing,
        cite="Eisenhauer 2009, 4.4.2, amended by mRECIST",
        note="A21: the 2010 table prints no NE rows; A27: no arterial phase means not evaluated",
    ),
    Rule(
        name="complete response",
        gives=Response.CR,
        when=c.all_gone,
        because=c.say_gone,
        cite=f"{L10}, target response: no intratumoral arterial enhancement in any target",
    ),
    Rule(
        name="progression",
        gives=Response.PD,
        when=c.rose,
        because=c.say_rose,
        cite=f"{L10}, target response",
        note="A1: 2010 prints no absolute minimum, so pd_absolute_mm is 0; PD_ABSOLUTE_DECIDES flags where 5 differs",
    ),
    Rule(
        name="no baseline sum",
        gives=Response.NE,
        when=c.no_reference,
        because=c.say_no_reference,
        cite=f"{L10}, target response: a decrease is counted from the baseline sum",
    ),
    Rule(
        name="partial response",
        gives=Response.PR,
        when=c.fell,
        because=c.say_fell,
        cite=f"{L10}, target response",
    ),
    Rule(
        name="partial response carried forward",
        gives=Response.PR,
        when=c.pr_carried,
        because=c.say_carried,
        cite="protocol option pr_carry_forward",
        note="A2: off by default",
    ),
    Rule(
        name="stable disease",
        gives=Response.SD,
        when=c.always,
        because=c.say_stable,
        cite=f"{L10}, target response",
    ),
)

CRITERION = Criterion(
    name="mrecist",
    title="mRECIST (HCC)",
    unit="mm",
    quantity="longest viable (arterially enhancing) diameter, nodes by short axis",
    source="Lencioni R, Llovet JM. Semin Liver Dis 2010;30:52-60",
    thresholds=Thresholds(pd_absolute_mm=Decimal(0)),
    other_pd_absolute_mm=Decimal(5),
    size_of=viable_size,
    in_target_sum=viable_at_baseline,
    rules=RULES,
    overall=MRECIST_MATRIX,
    new_lesion=new_nodule,
)
