"""EASL criteria for hepatocellular carcinoma (Bruix 2001; read through Spira 2011 and Riaz 2011): viable areas."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

from mrecist.criteria._amounts import rules_of_amounts
from mrecist.criteria._findings import new_lesion_as_read
from mrecist.criteria._overall import as_recist11
from mrecist.criteria._rule import OPTIONS_OF_ALL, OPTIONS_OF_ENHANCEMENT, Criterion, LesionSize, Thresholds
from mrecist.criteria._sizes import counted
from mrecist.criteria._viable import (
    by_viable_part,
    enhancing_targets,
    flagged_lipiodol,
    judged_by_phase,
    non_target_by_enhancement,
    viable_amount,
)
from mrecist.model import Measurement, State
from mrecist.units import ZERO, product


def viable_area(row: Measurement, baseline: Measurement, thresholds: Thresholds) -> LesionSize:
    """Longest viable diameter times its perpendicular; nodes and lesions on the overall basis by their whole area."""
    too_small = product(thresholds.too_small_mm, thresholds.too_small_mm)
    if not by_viable_part(baseline):
        column = "longest_mm and short_mm"
        return counted(row, _area(row.longest_mm, row.short_mm), column, thresholds, too_small)
    area = viable_amount(row, _area(row.viable_mm, row.viable_short_mm))
    size = counted(row, area, "viable_mm and viable_short_mm", thresholds, too_small)
    if row.state is State.MEASURED and area == 0:
        # A viable part one pixel wide has no area by the centre convention, and is there all the same.
        seen = bool(row.viable_mm)
        size = replace(size, disease=seen, why="viable without width (0)" if seen else "without enhancement (0)")
    return judged_by_phase(flagged_lipiodol(size, row), row, thresholds)


def _area(longest: Decimal | None, short: Decimal | None) -> Decimal | None:
    if longest == 0:
        return ZERO
    return None if longest is None or short is None else product(longest, short)


CRITERION = Criterion(
    name="easl",
    title="EASL (HCC)",
    unit="mm2",
    quantity="viable area: longest viable diameter x longest perpendicular to it, arterial phase",
    source="Bruix J et al. J Hepatol 2001;35:421-430; cut-offs as in Spira 2011 and Riaz 2011",
    measure="viable",
    thresholds=Thresholds(pr_percent=Decimal(50), pd_percent=Decimal(25)),
    options=(*OPTIONS_OF_ALL, *OPTIONS_OF_ENHANCEMENT, "too_small_mm", "new_lesion_is_pd"),
    size_of=viable_area,
    rules=rules_of_amounts(
        "EASL 2001 as in Spira 2011",
        progression_note="A22: from +25 % on (Spira 2011); pd_inclusive = false takes more than 25 % (Riaz 2011)",
    ),
    overall=as_recist11("EASL"),
    placed=enhancing_targets,
    non_target=non_target_by_enhancement,
    new_lesion=new_lesion_as_read,
    hcc_only=True,
    rscat=("EASL BRUIX LIVER CANCER 2001",),
)
