"""Response criteria as data: one file a criterion, listed here.

A criterion knows words, dates and exact numbers only; images never come in.
"""

from __future__ import annotations

from mrecist.criteria import choi, easl, irecist, mrecist, qeasl, recicl, recist11, vrecist
from mrecist.criteria._rule import Criterion

CRITERIA: dict[str, Criterion] = {
    module.CRITERION.name: module.CRITERION
    for module in (recist11, mrecist, irecist, easl, qeasl, vrecist, choi, recicl)
}
