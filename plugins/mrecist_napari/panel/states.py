"""What a lesion can be said to be at a visit, by its role: buttons in this order, keys 1, 2, 3, ..."""

from __future__ import annotations

from dataclasses import dataclass

from mrecist.model import Role, State


@dataclass(frozen=True, slots=True)
class Choice:
    """A status to choose. ``tip`` is what it means for the criteria."""

    state: State
    words: str
    tip: str


STATES = {
    Role.TARGET: (
        Choice(State.MEASURED, "measured", "its mask or its lines give the sizes; draw it for that"),
        Choice(State.TOO_SMALL, "too small", "seen, too small to measure: counts the number given, else the default"),
        Choice(State.NOT_EVALUABLE, "not evaluable", "cannot be judged here; say why in the comment"),
        Choice(State.ABSENT, "absent", "gone: counts 0"),
        Choice(State.MERGED, "merged into…", "one mass with another lesion, which carries the size"),
    ),
    Role.NON_TARGET: (
        Choice(State.PRESENT, "present", "there, without unequivocal progression"),
        Choice(State.PROGRESSED, "progressed", "unequivocal progression"),
        Choice(State.ABSENT, "absent", "gone"),
        Choice(State.NOT_EVALUABLE, "not evaluable", "cannot be judged here; say why in the comment"),
    ),
    Role.NEW: (
        Choice(State.UNEQUIVOCAL, "unequivocal", "a new lesion without doubt: progression"),
        Choice(State.EQUIVOCAL, "equivocal", "may be one; a later visit settles it"),
        Choice(State.ABSENT, "absent", "gone, or not a lesion after all"),
    ),
}

# Words of measurements.csv that are asked first of a role; the others are one click away.
WORDS_FIRST = {
    Role.TARGET: ("local_therapy", "lipiodol"),
    Role.NON_TARGET: ("local_therapy", "change", "cytology"),
    Role.NEW: ("pattern", "change"),
}
WORD_LABELS = {
    "basis": "basis",
    "pattern": "enhancement pattern",
    "change": "change since last visit",
    "intratumoral_nodule": "nodule inside",
    "local_therapy": "locally treated",
    "progressed_since": "progressed since",
    "imaged_at_baseline": "imaged at baseline",
    "lipiodol": "lipiodol",
    "cytology": "cytology",
    "lirads_tr": "LI-RADS response",
    "lirads_version": "LI-RADS version",
}
