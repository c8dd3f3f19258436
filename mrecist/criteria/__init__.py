"""Response criteria as data: one file a criterion, listed here.

A criterion knows words, dates and exact numbers only; images never come in.
"""

from __future__ import annotations

from mrecist.criteria import mrecist, recist11
from mrecist.criteria._rule import Criterion
from mrecist.errors import InputError

CRITERIA: dict[str, Criterion] = {
    recist11.CRITERION.name: recist11.CRITERION,
    mrecist.CRITERION.name: mrecist.CRITERION,
}


def criterion(name: str) -> Criterion:
    """The criterion called ``name``; raises :class:`InputError` naming those there are."""
    if name not in CRITERIA:
        raise InputError(f"criterion '{name}' is not known; there are: {', '.join(CRITERIA)}")
    return CRITERIA[name]
