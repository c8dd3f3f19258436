"""Every flag that a response row can carry, with its meaning. ``CODE`` or ``CODE:detail`` in the ``flags`` column.

docs/flags.md prints this table; a test keeps the two equal.
"""

from __future__ import annotations

MEANING = {
    "AFTER_ICPD": "iRECIST: after a confirmed progression; shown, but nothing after it counts.",
    "AS_READ": "The overall response as it was read at that visit, before a later visit proved a new lesion "
    "(back-dating).",
    "BACK_DATED": "A new lesion, equivocal here, was proven at the named later time point; progression dates back to "
    "here.",
    "BASELINE_INCOMPLETE": "A target has no usable size at baseline, so there is no baseline sum: a decrease cannot be judged.",
    "CHANGE_NOT_RECORDED": "iRECIST: a non-target or unmeasured new lesion that progressed has no `change` here, so it cannot "
    "confirm (give `change`).",
    "CONFIRMATION_EARLY": "iRECIST: a scan earlier than icpd_min_days after the iUPD: it neither confirms nor resets it "
    "(A25).",
    "CONFIRMATION_LATE": "iRECIST: confirmation more than 56 days, or more than icpd_max_days, after the iUPD (A25).",
    "CR_THEN_WORSE": "Disease after an overall complete response; the protocol option response.cr_then_worse decides (A7).",
    "CUTOFF_UNKNOWN": "The protocol ends what counts at the data cut-off, and its date is not given yet: nothing was cut.",
    "CUT_AT": "Assessments after this day do not count: new anticancer therapy or data cut-off (response.cut).",
    "DENSE_PART": "So many % of this lesion are very dense on CT, found in the images and not recorded as lipiodol: oil or "
    "calcification can hide or mimic enhancement (A19).",
    "EFFUSION_NOT_PROVEN": "mRECIST: a new or worse effusion or ascites without malignant cytology is not progression.",
    "INCOMPLETE_SUM": "Not every target was evaluated; the sum is empty and never a nadir.",
    "LESS_LIKELY_THAN": "Measured again with the protocol's measurement error, the sizes would give this overall response less "
    "often than the stated level (docs/stability.md).",
    "LIPIODOL": "Lipiodol in this lesion: on CT it can hide or mimic enhancement (A19).",
    "LOCAL_THERAPY": "Locally treated on study at the named time point: from then on a target is not evaluable, a "
    "non-target as read (A10).",
    "MERGED_INTO_ABSENT": "A target merged into one that is absent at the same visit: both count 0; check which of the two rows is "
    "right.",
    "MODALITY_CHANGED": "This target was imaged with another modality than at baseline (A26).",
    "MULTIPLE_DATES": "The rows of this time point have several dates: progression takes the earliest, everything else the "
    "latest, unless schedule.assessment_date says otherwise.",
    "NEW_LESION_NOT_PD": "A new lesion in the liver, which is no progression by new_lesion_is_pd = false (A33).",
    "NEW_LESION_PERSISTS": "A new lesion seen earlier has no row here; it counts until it is recorded absent.",
    "NEW_LESION_UNPLACED": "A new lesion without an organ where new lesions in the liver are no progression: it counts as progression "
    "(A33).",
    "NEW_NODE_HELD": "A new node below its pathological size is held as equivocal.",
    "NEW_NODE_SMALL": "A new node of 10 to less than 15 mm: when it is the only sign of progression, follow it before it "
    "counts.",
    "NEW_NODULE_HELD": "mRECIST: a new liver nodule that does not yet meet size and enhancement pattern is held as "
    "equivocal.",
    "NEW_THERAPY_BEFORE_START": "A new anticancer therapy is dated before day 1 of the study: it is none that followed the treatment, so "
    "it cut nothing.",
    "NEW_THERAPY_UNKNOWN": "The protocol ends what counts at a new anticancer therapy, and no table of subjects was given that tells "
    "it: nothing was cut.",
    "NODES_NORMAL_BUT_LARGER": "All that is left are nodes below 10 mm, yet their sum meets progression; complete response stands "
    "(A5).",
    "NOT_APPLICABLE": "No target of this criterion at baseline (none enhanced), so it does not apply to this subject (A12).",
    "NOT_HCC": "An HCC criterion used on another enhancing tumour, as the protocol allows (A17, A18).",
    "NOT_IN_VIABLE_SUM": "A node or a lesion on the overall basis, kept out of the sum by viable_only_sum (A13).",
    "NOT_VIABLE_AT_BASELINE": "This target did not enhance at baseline: it is followed as a non-target, not in the viable sum "
    "(A12).",
    "NO_DISEASE_AT_BASELINE": "No target and no non-target lesion at baseline: only new lesions can be judged.",
    "OPTION_DECIDES": "With the named other choice of an open point the overall response would be the one given here.",
    "ORIGIN_MISSING": "The protocol's origin date is not given for this subject; the stable-disease clock starts at the "
    "baseline scan.",
    "PD_ABSOLUTE_DECIDES": "The absolute minimum for progression decides: with the other value in use (5 mm or none) the targets "
    "would be in another category (A1).",
    "PORTA_HEPATIS_NODE": "mRECIST: a node at the porta hepatis below porta_hepatis_node_mm (20 mm) short axis is not disease (A31).",
    "PR_DRIFT": "Partial response earlier, now less than the cut-off and no progression: pr_carry_forward would keep "
    "PR (A2).",
    "REIMAGE_NODE": "Progression rests on a node of 10.0 to 10.9 mm alone after complete response: image again (A6).",
    "SEVERAL_FOCI": "Several viable foci were recorded in this lesion; the longest one counts, or their sum where foci says so (A16).",
    "TOO_MANY_TARGETS": "More targets at baseline than the criterion allows.",
    "TOO_MANY_TARGETS_PER_ORGAN": "More targets in one organ at baseline than the criterion allows.",
    "VIABLE_NOT_ARTERIAL": "The viable part was read on a phase that is not arterial: not evaluated, unless viable_phases allows "
    "it (A27).",
    "VISIT_NOT_ASSESSED": "No assessment after baseline.",
    "ZERO_NADIR": "The smallest sum is 0: the relative part of progression is met by any rise, the absolute part "
    "decides (A4).",
}
