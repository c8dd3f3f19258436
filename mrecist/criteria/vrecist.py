"""vRECIST: RECIST on whole-lesion volumes, with the cut-offs of a sphere rounded as published (-65 %, +73 %)."""

from __future__ import annotations

from decimal import Decimal

from mrecist.criteria._amounts import rules_of_amounts
from mrecist.criteria._findings import as_recorded, new_lesion_as_read, non_target_as_read
from mrecist.criteria._overall import as_recist11
from mrecist.criteria._rule import OPTIONS_OF_ALL, Criterion, LesionSize, Thresholds
from mrecist.criteria._sizes import counted
from mrecist.model import Measurement

SPHERE = "A30: 65 % and 73 % as published; pr_percent = 65.7 and pd_percent = 72.8 are those of an exact sphere"


def whole_volume(row: Measurement, _baseline: Measurement, thresholds: Thresholds) -> LesionSize:
    """Volume of the whole lesion. A lesion too small to measure has no volume by default: it is not evaluated, never 0."""
    return counted(row, row.volume_mm3, "volume_mm3", thresholds, None)


CRITERION = Criterion(
    name="vrecist",
    title="vRECIST",
    unit="mm3",
    quantity="volume of the whole lesion",
    source="volumetric RECIST as in the uveal melanoma TACE study (vRECIST and qEASL); +73 % from Eisenhauer 2009",
    measure="volume",
    thresholds=Thresholds(pr_percent=Decimal(65), pd_percent=Decimal(73)),
    options=(*OPTIONS_OF_ALL, "new_lesion_is_pd"),
    size_of=whole_volume,
    rules=rules_of_amounts("vRECIST/qEASL definition; +73 % as the volume of +20 % diameter", progression_note=SPHERE),
    overall=as_recist11("vRECIST"),
    placed=as_recorded,
    non_target=non_target_as_read,
    new_lesion=new_lesion_as_read,
)
