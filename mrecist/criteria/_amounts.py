"""What the criteria share that add areas or volumes instead of diameters."""

from __future__ import annotations

from mrecist.criteria import recist11
from mrecist.criteria._rule import Rule, amended

# Areas and volumes have no absolute minimum for progression, and nodes are not held at 10 mm.
_DIAMETERS_ONLY = ("borderline node held after complete response",)


def rules_of_amounts(thresholds_from: str, *, progression_note: str) -> tuple[Rule, ...]:
    """The rules of RECIST 1.1 on another quantity; ``thresholds_from`` is the source of the cut-offs."""
    base = "Eisenhauer 2009, as in RECIST 1.1"
    return amended(
        recist11.RULES,
        {
            "back after complete response": (base, "A7: response.cr_then_worse"),
            "progression in the targets that were evaluated": (base, "missing lesions cannot change the category"),
            "not all evaluated": (base, "an incomplete sum is no sum"),
            "complete response": (thresholds_from, ""),
            "progression": (thresholds_from, progression_note),
            "no baseline sum": (base, "a decrease is counted from the baseline sum"),
            "partial response": (thresholds_from, ""),
            "partial response carried forward": ("protocol option pr_carry_forward", "A2: off by default"),
            "stable disease": (thresholds_from, ""),
        },
        without=_DIAMETERS_ONLY,
    )
