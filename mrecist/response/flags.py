"""Every flag that a response row can carry, with its meaning. ``CODE`` or ``CODE:detail`` in the ``flags`` column.

docs/flags.md prints this table; a test keeps the two equal.
"""

from __future__ import annotations

MEANING = {
    "AS_READ": "The overall response as it was read at that visit, before a later visit proved a new lesion (back-dating).",
    "BACK_DATED": "A new lesion, equivocal here, was proven at the named later time point; progression dates back to here.",
    "BASELINE_INCOMPLETE": "A target has no usable size at baseline, so there is no baseline sum and no response can be judged.",
    "CR_THEN_WORSE": "Disease after an overall complete response; the protocol option response.cr_then_worse decides (A7).",
    "INCOMPLETE_SUM": "Not every target was evaluated; the sum is empty and never a nadir.",
    "MULTIPLE_DATES": "The rows of this time point have several dates: progression takes the earliest, everything else the latest.",
    "NEW_LESION_PERSISTS": "A new lesion seen earlier has no row here; it counts until it is recorded absent.",
    "NEW_NODULE_HELD": "mRECIST: a new liver nodule that does not yet meet size and enhancement pattern is held as equivocal.",
    "NODES_NORMAL_BUT_LARGER": "All that is left are nodes below 10 mm, yet their sum meets progression; complete response stands (A5).",
    "NO_DISEASE_AT_BASELINE": "No target and no non-target lesion at baseline: only new lesions can be judged.",
    "NOT_APPLICABLE": "mRECIST: no target enhanced at baseline, so the criterion does not apply to this subject (A12).",
    "NOT_VIABLE_AT_BASELINE": "mRECIST: this target did not enhance at baseline and is left out of the viable sum (A12).",
    "ORIGIN_MISSING": "The protocol's origin date is not given for this subject; the stable-disease clock starts at the baseline scan.",
    "PD_ABSOLUTE_DECIDES": "The absolute minimum for progression decides: with the other value in use (5 mm or none) the targets "
    "would be in another category (A1).",
    "PR_DRIFT": "Partial response earlier, now less than the cut-off and no progression: pr_carry_forward would keep PR (A2).",
    "REIMAGE_NODE": "Progression rests on a node of 10.0 to 10.9 mm alone after complete response: image again (A6).",
    "TOO_MANY_TARGETS": "More targets at baseline than the criterion allows.",
    "TOO_MANY_TARGETS_PER_ORGAN": "More targets in one organ at baseline than the criterion allows.",
    "VIABLE_NOT_ARTERIAL": "mRECIST: the viable part was read on a phase that is not arterial; the lesion is not evaluated (A27).",
    "VISIT_NOT_ASSESSED": "No assessment after baseline.",
}
