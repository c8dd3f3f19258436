"""RECICL, Response Evaluation Criteria in Cancer of the Liver (Liver Cancer Study Group of Japan): viable areas against baseline.

The categories TE4 to TE1 (treatment effect) of the 2019 revision are CR, PR, SD and PD here. Progression is counted from the baseline, as
in the TACTICS trial. What was read, and what is left out: docs/criteria/recicl.md.
"""

from __future__ import annotations

from decimal import Decimal

from mrecist.criteria._amounts import rules_of_amounts
from mrecist.criteria._findings import new_lesion_as_read
from mrecist.criteria._overall import as_recist11
from mrecist.criteria._rule import OPTIONS_OF_ALL, OPTIONS_OF_ENHANCEMENT, Criterion, Thresholds
from mrecist.criteria._viable import enhancing_targets, non_target_by_enhancement
from mrecist.criteria.easl import viable_area

CRITERION = Criterion(
    name="recicl",
    title="RECICL (HCC)",
    unit="mm2",
    quantity="viable area: longest viable diameter x longest perpendicular to it, arterial phase",
    source="Kudo M et al. Hepatol Res 2019;49:981-989; progression from baseline as in TACTICS (Kudo 2022)",
    measure="viable",
    thresholds=Thresholds(pr_percent=Decimal(50), pd_percent=Decimal(25), pd_reference="baseline"),
    options=(*OPTIONS_OF_ALL, *OPTIONS_OF_ENHANCEMENT, "too_small_mm", "new_lesion_is_pd"),
    size_of=viable_area,
    rules=rules_of_amounts(
        "RECICL, TE4 to TE1",
        progression_note="A22: from +25 % on (TACTICS); pd_inclusive = false takes more than 25 % (TE1 as reviews print it)",
    ),
    overall=as_recist11("RECICL", "has an overall table that was not at hand"),
    placed=enhancing_targets,
    non_target=non_target_by_enhancement,
    new_lesion=new_lesion_as_read,
    hcc_only=True,
    rscat=("RECICL",),
)
