"""The checks of ``mrecist check`` as data: name, default severity, what each looks at, its source, and what to do.

The functions that look are in :mod:`mrecist.checks`. A name is also a key of ``[checks]`` in the protocol. Sources:
Eisenhauer 2009 (RECIST 1.1, Eur J Cancer 45:228), Lencioni & Llovet 2010 (mRECIST, Semin Liver Dis 30:52), the FAQ of the
RECIST Working Group, Choi 2007 (J Clin Oncol 25:1753), LI-RADS; "plausibility" marks what no publication rules.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from enum import StrEnum

E09 = "Eisenhauer 2009"
L10 = "Lencioni & Llovet 2010"
FAQ = "RECIST Working Group FAQ"
ENGINE = "mrecist refuses to derive a response from it"


class Severity(StrEnum):
    """How bad a finding is, worst first."""

    ERROR = "error"
    WARNING = "warning"
    NOTE = "note"


OFF = "off"


@dataclass(frozen=True, slots=True, kw_only=True)
class Check:
    """One check. ``fixed``: what it finds makes a response impossible, so its severity cannot be changed."""

    name: str
    severity: Severity
    looks_at: str
    source: str
    what_to_do: str
    fixed: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Checking:
    """``[checks]``: the severities that a protocol sets, and the numbers that the checks take."""

    severities: Mapping[str, str] = field(default_factory=dict)
    min_target_mm: Decimal = Decimal(10)
    min_target_node_mm: Decimal = Decimal(15)
    min_xray_mm: Decimal = Decimal(20)
    max_slice_mm: Decimal = Decimal(5)
    slice_change_mm: Decimal = Decimal(1)
    min_size_mm: Decimal = Decimal(1)
    max_size_mm: Decimal = Decimal(400)
    same_visit_days: int = 14
    jump_percent: Decimal = Decimal(50)
    jump_days: int = 70

    def severity_of(self, check: Check) -> Severity | None:
        """The severity by the protocol, else the default; None = off."""
        word = self.severities.get(check.name, check.severity)
        return None if word == OFF else Severity(word)


def _fixed(name: str, looks_at: str, source: str, what_to_do: str) -> Check:
    return Check(
        name=name, severity=Severity.ERROR, looks_at=looks_at, source=source, what_to_do=what_to_do, fixed=True
    )


def _error(name: str, looks_at: str, source: str, what_to_do: str) -> Check:
    return Check(name=name, severity=Severity.ERROR, looks_at=looks_at, source=source, what_to_do=what_to_do)


def _warning(name: str, looks_at: str, source: str, what_to_do: str) -> Check:
    return Check(name=name, severity=Severity.WARNING, looks_at=looks_at, source=source, what_to_do=what_to_do)


def _note(name: str, looks_at: str, source: str, what_to_do: str) -> Check:
    return Check(name=name, severity=Severity.NOTE, looks_at=looks_at, source=source, what_to_do=what_to_do)


# What makes a row or a read unusable.
CONTRADICTIONS = (
    _fixed(
        "unreadable_row",
        "a row of the table that cannot be read",
        ENGINE,
        "Correct the row; the rest of the read is checked then.",
    ),
    _fixed(
        "absent_with_size",
        "a lesion that is absent and has a size",
        f"{E09}, 4.3.2",
        "Correct the state or remove the size.",
    ),
    _fixed(
        "measured_zero",
        "a target that is measured with 0 mm",
        f"{E09}, 4.3.2",
        "Record absent when it is gone, too-small when it is seen.",
    ),
    _fixed(
        "axes_swapped",
        "a short axis above the longest diameter, whole or viable",
        "definition of the short axis",
        "Exchange the two, or measure again.",
    ),
    _fixed(
        "foci_above_viable",
        "a viable diameter below the longest of its foci",
        "definition of the viable diameter: the longest focus",
        "Correct viable_mm or viable_foci_mm.",
    ),
    _fixed(
        "lirads_version",
        "a LI-RADS treatment response without its version, or of another version",
        "LI-RADS treatment response, 2018 and 2024",
        "Give lirads_version.",
    ),
    _fixed("no_date", "a row without a date", ENGINE, "Give the date of the scan."),
    _fixed("duplicate_row", "two rows of a lesion at one time point", ENGINE, "Keep one."),
    _fixed(
        "no_baseline",
        "a read whose first time point is not 0",
        f"{E09}, 3.2",
        "Add the baseline rows, or correct the time points.",
    ),
    _fixed(
        "visit_order", "a time point that is not after the one before", ENGINE, "Correct the dates or the time points."
    ),
    _fixed(
        "changed_role",
        "a lesion whose role changes",
        f"{E09}, 3.2",
        "A lesion keeps its role; a new finding gets a new id.",
    ),
    _fixed(
        "changed_kind",
        "a lesion that is a node at one visit and none at another",
        ENGINE,
        "Give one kind in all its rows.",
    ),
    _fixed(
        "changed_basis", "a target whose basis changes", f"{L10}; docs/criteria.md, A13", "Keep the basis of baseline."
    ),
    _fixed("new_at_baseline", "a new lesion at baseline", f"{E09}, 4.3.5", "Make it target or non-target."),
    _fixed(
        "no_baseline_row",
        "a target or non-target without a baseline row",
        f"{E09}, 3.2",
        "Add its baseline row; a lesion first seen later is new, a fragment names its lesion in part_of.",
    ),
    _fixed(
        "part_of_nothing",
        "a fragment or merged lesion whose part_of names no lesion, or itself in a circle",
        f"{E09}, 4.3.2",
        "Correct part_of.",
    ),
    _fixed(
        "merged_into_nothing",
        "a merged lesion whose carrier has no row here or cannot hold the mass",
        f"{E09}, 4.3.2",
        "Name the lesion of the same role that is measured for both.",
    ),
    _fixed(
        "counted_twice",
        "a lesion with a row of its own beside its fragments",
        f"{E09}, 4.3.2",
        "Keep the whole or the fragments.",
    ),
    _fixed(
        "baseline_state",
        "a target absent or merged, or a non-target absent or progressed, at baseline",
        f"{E09}, 3.2",
        "Correct the state; a lesion that is not there is not recorded.",
    ),
)

# Which lesions were chosen, and whether they may be what they are.
SELECTION = (
    _error(
        "not_measurable",
        "a target below the size that its criterion, modality and slice thickness ask for",
        f"{E09}, 3.1.1 and 3.1.2; {L10}, target lesions",
        "Make it non-target at all visits, or correct size, modality or slice thickness.",
    ),
    _error(
        "too_many_targets",
        "more targets than the criterion allows",
        f"{E09}, 3.2; {FAQ}",
        "Make the surplus targets non-target at all visits.",
    ),
    _error(
        "too_many_targets_per_organ",
        "more targets in one organ than the criterion allows; paired organs and all nodes are one organ each",
        f"{E09}, 3.2; {FAQ}",
        "Make the surplus targets of the organ non-target at all visits.",
    ),
    _warning(
        "room_for_target",
        "a measurable non-target where another target was allowed",
        f"{E09}, 3.2",
        "Confirm that it was left out on purpose (it cannot be measured repeatedly), and say so in the comment.",
    ),
    _note(
        "larger_not_chosen",
        "a measurable non-target larger than a target whose place it could have",
        f"{E09}, 3.2",
        "Confirm that the smaller one can be measured more reliably.",
    ),
    _warning(
        "treated_target",
        "a target that was locally treated before the study, without progression in it since",
        f"{E09}, 3.1.2; {L10}, target lesions",
        "Record progressed_since, or choose another target.",
    ),
    _warning(
        "target_not_of_criterion",
        "a target that the criterion does not follow as one: no enhancement at baseline, small node at the porta hepatis",
        f"{L10}; docs/criteria.md, A12, A13, A31",
        "Confirm the enhancement or the size; the criterion leaves it out of its sum.",
    ),
    _warning(
        "unfit_target",
        "a target whose organ, station or comment names bone, cyst, effusion or another thing that is not measurable",
        f"{E09}, 3.1.1 and 3.1.2",
        "Make it non-target, or say in the comment what was measured (a soft tissue part, a solid part).",
    ),
    _warning(
        "vascular_or_infiltrative_target",
        "a target of an HCC criterion whose words name a tumour thrombus, vascular invasion or infiltrative growth",
        f"{L10}, target and non-target lesions",
        "Make it non-target.",
    ),
    _warning(
        "normal_node",
        "a node below its pathological size recorded as disease at baseline",
        f"{E09}, 3.1.1",
        "Remove it; a node below 10 mm short axis is normal.",
    ),
    _warning(
        "node_as_lesion",
        "organ or station names a lymph node, kind does not: its longest diameter would be added",
        f"{E09}, 3.1.1",
        "Set kind to node, and give short_mm.",
    ),
    _note(
        "no_target",
        "a read without a target of the criterion",
        f"{E09}, 3.1 and Table 2",
        "Confirm that the subject has no measurable disease and may be in the study.",
    ),
)

# Whether everything that is needed was recorded.
COMPLETENESS = (
    _warning(
        "quantity_missing",
        "a measured target without the quantity that the criterion adds (also HU for Choi)",
        f"{E09}, 4.4.2; the criterion's own definition",
        "Measure it; until then the target is not evaluated.",
    ),
    _warning(
        "target_without_row",
        "a target without a row at a visit",
        f"{E09}, 4.4.2",
        "Add its row: measured, absent, too-small or not-evaluable.",
    ),
    _note("non_target_without_row", "a non-target without a row at a visit", f"{E09}, 4.3.3", "Add its row."),
    _note(
        "new_lesion_without_row",
        "a new lesion seen earlier without a row at a visit",
        f"{E09}, 4.3.5",
        "Add its row, absent when it is gone.",
    ),
    _note(
        "acquisition_not_recorded",
        "modality, phase or slice thickness missing where sizes were read",
        f"{E09}, Appendix II",
        "Record them; without them measurability and phase are not fully checked.",
    ),
    _note(
        "timepoint_skipped",
        "a number missing in the row of time points",
        "plausibility",
        "Add the visit, or confirm that there was none.",
    ),
    _note(
        "origin_missing",
        "a subject without the date that the protocol counts from",
        "protocol, [origin]",
        "Give the date in subjects.csv.",
    ),
)

# Whether a lesion was followed in the same way.
TECHNIQUE = (
    _warning(
        "changed_modality",
        "lesions read on another modality than at first",
        f"{E09}, 3.1.3",
        "Read the modality of baseline, or say why it could not be.",
    ),
    _warning(
        "changed_phase",
        "lesions read on another phase than at first",
        f"{E09}, Appendix II",
        "Read the phase of baseline; arterial against portal changes the size.",
    ),
    _note(
        "changed_slice_thickness",
        "lesions read on slices of another thickness than at first",
        f"{E09}, Appendix II",
        "Read the thickness of baseline where there is one.",
    ),
    _note(
        "thick_slices",
        "sizes read on slices above 5 mm",
        f"{E09}, Appendix II",
        "Read thinner slices where there are some.",
    ),
    _warning(
        "changed_organ",
        "a lesion in another organ than before",
        "plausibility",
        "Correct the organ, or the id of the lesion.",
    ),
    _warning(
        "viable_not_arterial",
        "a viable size read on another phase than the arterial one",
        f"{L10}, image acquisition; docs/criteria.md, A27",
        "State the right phase, or read the arterial one.",
    ),
    _warning(
        "density_not_portal",
        "HU for Choi read on another phase than portal venous, or not on CT",
        "Choi 2007",
        "Read HU on portal venous CT.",
    ),
    _warning(
        "lipiodol_on_ct",
        "a viable size on CT of a lesion that holds lipiodol",
        "docs/criteria.md, A19",
        "Read MRI or a subtraction, or confirm that the enhancement is apart from the lipiodol.",
    ),
)

# Whether sizes and states can be true.
SIZES = (
    _warning(
        "viable_above_whole",
        "a viable size above that of the whole lesion",
        "the viable part lies in the lesion",
        "Measure both again; name the plane in the comment when it is another one.",
    ),
    _error(
        "absurd_size", "a diameter above 400 mm", "plausibility: wider than a body", "Correct the size or its unit."
    ),
    _warning(
        "below_one_pixel",
        "a diameter above 0 and below about one pixel",
        "plausibility: 1 mm is about one pixel of a body scan",
        "Correct the size or its unit; too-small is a state.",
    ),
    _warning(
        "decimal_slip",
        "a size about ten times or a tenth of that at the visit before",
        "plausibility: a decimal slip, or cm for mm",
        "Measure again, or confirm.",
    ),
    _note(
        "jump",
        "one target that changes by more than half within weeks while the other targets hardly change",
        "plausibility",
        "Look whether the same lesion was measured.",
    ),
    _note(
        "too_small_with_size",
        "a lesion that is too small to measure with more than the 5 mm that such a lesion counts",
        f"{E09}, 4.3.2",
        "Record it as measured, or correct the size; the number given is what counts.",
    ),
    _warning(
        "merged_with_size",
        "a merged lesion with a size of its own, which counts 0",
        f"{E09}, 4.3.2",
        "Measure the mass on the lesion that carries it.",
    ),
    _warning(
        "merged_into_absent",
        "a lesion that merges into one that is absent at the same visit",
        f"{E09}, 4.3.2",
        "Correct one of the two rows.",
    ),
    _note(
        "single_fragment",
        "a split lesion with one fragment only",
        f"{E09}, 4.3.2",
        "Add the other fragments, or record the lesion itself.",
    ),
    _warning(
        "lirads_conflict",
        "a LI-RADS treatment response that contradicts the viable size",
        "LI-RADS treatment response, 2018 and 2024",
        "Correct the category or the viable size.",
    ),
)

# Non-targets and new lesions.
FINDINGS = (
    _warning(
        "non_target_alone_progressed",
        "progression by non-targets while the targets respond",
        f"{E09}, 4.3.4; Schwartz 2016, Eur J Cancer 62:132",
        "Confirm that it is unequivocal and of such size that therapy would stop.",
    ),
    _note(
        "new_in_unimaged_region",
        "a new lesion where baseline was not imaged",
        f"{E09}, 4.3.5",
        "RECIST 1.1 takes it as new; confirm that the study does.",
    ),
    _warning(
        "new_without_pattern",
        "a new liver nodule without its enhancement pattern (mRECIST)",
        f"{L10}, new lesions",
        "Record typical, atypical or none.",
    ),
    _note(
        "equivocal_unresolved",
        "an equivocal new lesion that no later visit settles",
        f"{E09}, 4.3.5",
        "Settle it: unequivocal (progression dates back), or absent.",
    ),
    _note(
        "new_small_node",
        "a new node below 15 mm short axis",
        FAQ,
        "Image again when it is the only sign of progression.",
    ),
)

# When the visits were.
DATES = (
    _warning(
        "outside_window",
        "a visit outside the window of the protocol's schedule",
        "protocol, [schedule]",
        "Confirm the date; report the deviation.",
    ),
    _note(
        "missed_visit",
        "a scheduled visit before the last one that no assessment belongs to",
        "protocol, [schedule]",
        "Add the visit, or report the deviation.",
    ),
    _warning(
        "dates_far_apart",
        "one time point whose scans lie far apart",
        "plausibility",
        "Correct the dates, or make two time points.",
    ),
    _warning(
        "baseline_too_early",
        "a baseline more than 28 days before the protocol's origin",
        f"{E09}, 3.2",
        "Confirm the dates; report the deviation.",
    ),
    _warning(
        "baseline_after_origin",
        "a baseline after the protocol's origin",
        f"{E09}, 3.2",
        "Confirm the dates; a baseline under treatment is none.",
    ),
)

CHECKLIST: tuple[Check, ...] = (
    *CONTRADICTIONS,
    *SELECTION,
    *COMPLETENESS,
    *TECHNIQUE,
    *SIZES,
    *FINDINGS,
    *DATES,
)
CHECKS: dict[str, Check] = {check.name: check for check in CHECKLIST}
