"""mRECIST for hepatocellular carcinoma (Lencioni R, Llovet JM. Semin Liver Dis 2010;30:52-60): viable diameters.

Viable means enhancing in the arterial phase. Nodes and targets followed by their conventional diameter (``basis`` overall)
enter the sum as in RECIST 1.1, which mRECIST amends.
"""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

from mrecist.criteria import _liver_findings as liver
from mrecist.criteria import recist11
from mrecist.criteria._overall import MRECIST_MATRIX
from mrecist.criteria._rule import (
    OPTIONS_OF_ALL,
    OPTIONS_OF_DIAMETERS,
    OPTIONS_OF_ENHANCEMENT,
    Criterion,
    LesionSize,
    Thresholds,
    amended,
)
from mrecist.criteria._sizes import counted
from mrecist.criteria._viable import by_viable_part, flagged_lipiodol, judged_by_phase, viable_amount
from mrecist.criteria.recist11 import conventional_size
from mrecist.model import Measurement, State, YesNo
from mrecist.units import show, total

L10 = "Lencioni & Llovet 2010"


def viable_size(row: Measurement, baseline: Measurement, thresholds: Thresholds) -> LesionSize:
    """Longest viable diameter; nodes and lesions on the overall basis by their conventional diameter (A12, A13)."""
    if not by_viable_part(baseline):
        return conventional_size(row, baseline, thresholds)
    if row.lipiodol is YesNo.YES and thresholds.lipiodol_is_viable:
        return flagged_lipiodol(conventional_size(row, baseline, thresholds), row)
    value, flags = _longest_viable(row, thresholds)
    size = counted(row, value, "viable_mm", thresholds, thresholds.too_small_mm)
    if row.state is State.MEASURED and value == 0:
        size = replace(size, why="without enhancement (0)")
    if flags:
        size = replace(size, flags=flags)
    return judged_by_phase(flagged_lipiodol(size, row), row, thresholds)


def _longest_viable(row: Measurement, thresholds: Thresholds) -> tuple[Decimal | None, tuple[str, ...]]:
    """The longest focus, or the sum of the foci where the protocol says so (A16)."""
    if len(row.viable_foci_mm) < 2:
        only = row.viable_foci_mm[0] if row.viable_mm is None and row.viable_foci_mm else row.viable_mm
        return viable_amount(row, only), ()
    flags = (f"SEVERAL_FOCI:{row.lesion}={'+'.join([show(f) for f in row.viable_foci_mm])}",)
    if thresholds.foci == "sum":
        return total(row.viable_foci_mm), flags
    return row.viable_mm if row.viable_mm is not None else max(row.viable_foci_mm), flags


RULES = amended(
    recist11.RULES,
    {
        "back after complete response": (
            "Eisenhauer 2009, 4.4.3 and Table 3 note, amended by mRECIST",
            "A7: response.cr_then_worse; A14: regained enhancement counts with its viable size (regained_min_mm)",
        ),
        "progression in the targets that were evaluated": (
            f"{L10}, target response; missing lesions cannot change the category",
            "",
        ),
        "not all evaluated": (
            "Eisenhauer 2009, 4.4.2, amended by mRECIST",
            "A21: the 2010 table prints no NE rows; A27: no arterial phase means not evaluated",
        ),
        "complete response": (
            f"{L10}, target response: no intratumoral arterial enhancement in any target",
            "A5: normal_nodes_progress; A15: a faint focus too small to measure is no complete response (too_small_mm)",
        ),
        "borderline node held after complete response": ("protocol option reappeared_node", "A6: off by default"),
        "progression": (
            f"{L10}, target response",
            "A1: 2010 prints no absolute minimum, so pd_absolute_mm is 0; PD_ABSOLUTE_DECIDES flags where 5 differs",
        ),
        "no baseline sum": (f"{L10}, target response: a decrease is counted from the baseline sum", ""),
        "partial response": (f"{L10}, target response", ""),
        "partial response carried forward": ("protocol option pr_carry_forward", "A2: off by default"),
        "stable disease": (f"{L10}, target response", ""),
    },
)

CRITERION = Criterion(
    name="mrecist",
    title="mRECIST (HCC)",
    unit="mm",
    quantity="longest viable (arterially enhancing) diameter, nodes by short axis",
    source="Lencioni R, Llovet JM. Semin Liver Dis 2010;30:52-60",
    measure="viable",
    thresholds=Thresholds(pd_absolute_mm=Decimal(0)),
    options=(
        *OPTIONS_OF_ALL,
        *OPTIONS_OF_DIAMETERS,
        *OPTIONS_OF_ENHANCEMENT,
        *("new_lesion_is_pd", "regained_min_mm", "foci", "lipiodol_is_viable", "new_nodule_mm", "new_nodule_growth_mm"),
        *("porta_hepatis_node_mm", "porta_hepatis_small", "effusion_needs_cytology"),
    ),
    size_of=viable_size,
    rules=RULES,
    overall=MRECIST_MATRIX,
    placed=liver.placed,
    non_target=liver.non_target,
    new_lesion=liver.new_lesion,
    other_pd_absolute_mm=Decimal(5),
    hcc_only=True,
    rscat=("MRECIST LENCIONI LIVER CANCER 2010", "MRECIST"),
)
