"""iRECIST (Seymour L et al., Lancet Oncol 2017;18:e143-e152): RECIST 1.1 with progression that must be confirmed.

Target lesions, sums, thresholds and non-targets are those of RECIST 1.1. What differs is what follows from a progression:
the table of conditions below, used by :mod:`mrecist.response.immune`.
"""

from __future__ import annotations

from decimal import Decimal

from mrecist.criteria import recist11
from mrecist.criteria._findings import as_recorded, new_lesion_as_read, non_target_as_read
from mrecist.criteria._overall import RECIST11_MATRIX
from mrecist.criteria._rule import OPTIONS_OF_ALL, OPTIONS_OF_DIAMETERS, Criterion, Thresholds
from mrecist.criteria.recist11 import conventional_size
from mrecist.model import Response

S17 = "Seymour 2017"

# The word of iRECIST for a RECIST 1.1 category of targets, non-targets or a visit; a progression is unconfirmed at first.
IMMUNE = {
    Response.CR: Response.ICR,
    Response.PR: Response.IPR,
    Response.SD: Response.ISD,
    Response.PD: Response.IUPD,
    Response.NON_CR_NON_PD: Response.NON_ICR_NON_IUPD,
    Response.NE: Response.NE,
    Response.NA: Response.NA,
}
PLAIN = {immune: plain for plain, immune in IMMUNE.items()}

# What confirms a progression at a later visit: (where the block of iUPD has it, what is seen now) and the source.
CONFIRMED_BY = {
    "target grew": f"{S17}, Table 2 rows 7-9: a further increase of the sum by at least icpd_mm (A23, A24)",
    "target new": f"{S17}, Table 2: progression first met in another category, the targets",
    "non-target grew": f"{S17}, Table 2 rows 6, 8, 9: any further increase of non-target disease",
    "non-target new": f"{S17}, Table 2: progression first met in another category, the non-targets",
    "new lesion appeared": f"{S17}, Table 2 rows 5, 9, 10: another new lesion",
    "new targets grew": f"{S17}, Table 2 rows 5, 9, 10: the sum of measurable new lesions by at least icpd_mm",
    "new non-target grew": f"{S17}, Table 2 rows 5, 9, 10: any increase of an unmeasured new lesion",
}

CRITERION = Criterion(
    name="irecist",
    title="iRECIST",
    unit="mm",
    quantity="longest diameter, nodes by short axis",
    source="Seymour L et al. Lancet Oncol 2017;18:e143-e152",
    measure="longest",
    thresholds=Thresholds(pd_absolute_mm=Decimal(5)),
    options=(
        *OPTIONS_OF_ALL,
        *OPTIONS_OF_DIAMETERS,
        *("icpd_mm", "icpd_inclusive", "icpd_reference", "icpd_min_days", "icpd_max_days"),
        *("new_target_mm", "new_target_node_mm"),
    ),
    size_of=conventional_size,
    rules=recist11.RULES,
    overall=RECIST11_MATRIX,
    placed=as_recorded,
    non_target=non_target_as_read,
    new_lesion=new_lesion_as_read,
    other_pd_absolute_mm=Decimal(0),
    confirms_progression=True,
    rscat=("iRECIST",),
)
