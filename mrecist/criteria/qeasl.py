"""qEASL: EASL on enhancing volumes, with the cut-offs of vRECIST."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

from mrecist.criteria._amounts import rules_of_amounts
from mrecist.criteria._findings import new_lesion_as_read
from mrecist.criteria._overall import as_recist11
from mrecist.criteria._rule import OPTIONS_OF_ALL, Criterion, LesionSize, Thresholds
from mrecist.criteria._sizes import counted
from mrecist.criteria._viable import (
    by_viable_part,
    enhancing_targets,
    flagged_lipiodol,
    judged_by_phase,
    non_target_by_enhancement,
    viable_amount,
)
from mrecist.criteria.vrecist import SPHERE
from mrecist.model import Measurement, State


def enhancing_volume(row: Measurement, baseline: Measurement, thresholds: Thresholds) -> LesionSize:
    """Volume of the enhancing part; nodes and lesions on the overall basis by their whole volume."""
    if not by_viable_part(baseline):
        return counted(row, row.volume_mm3, "volume_mm3", thresholds, None)
    volume = viable_amount(row, row.viable_volume_mm3)
    size = counted(row, volume, "viable_volume_mm3", thresholds, None)
    if row.state is State.MEASURED and volume == 0:
        size = replace(size, why="without enhancement (0)")
    return judged_by_phase(flagged_lipiodol(size, row), row, thresholds)


CRITERION = Criterion(
    name="qeasl",
    title="qEASL",
    unit="mm3",
    quantity="volume of the viable (enhancing) part",
    source="quantitative EASL as in the uveal melanoma TACE study (vRECIST and qEASL)",
    measure="viable",
    thresholds=Thresholds(pr_percent=Decimal(65), pd_percent=Decimal(73)),
    options=(*OPTIONS_OF_ALL, "viable_phases", "never_enhancing", "viable_only_sum", "new_lesion_is_pd"),
    size_of=enhancing_volume,
    rules=rules_of_amounts("qEASL definition, cut-offs as vRECIST", progression_note=SPHERE),
    overall=as_recist11("qEASL"),
    placed=enhancing_targets,
    non_target=non_target_by_enhancement,
    new_lesion=new_lesion_as_read,
)
