"""Checks of the choice of targets by one criterion: measurable, allowed, the largest.

How many targets there may be is counted by the engine; here its flags are told.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from decimal import Decimal

from mrecist.checks.finding import CriterionCase, CriterionCheck, Found, at
from mrecist.checks.words import unfit_word, vascular_word
from mrecist.criteria._liver_findings import at_porta_hepatis
from mrecist.criteria._organs import organ_of
from mrecist.criteria._viable import by_viable_part
from mrecist.model import Kind, Measurement, State, YesNo
from mrecist.response.targets import modality_word
from mrecist.units import product, show

_ULTRASOUND = ("US", "ULTRASOUND", "SONOGRAPHY")
_XRAY = ("CR", "DX", "CXR", "RG", "XRAY", "X-RAY", "CHEST X-RAY")
_NOT_IN_THE_SUM = ("NOT_VIABLE_AT_BASELINE", "PORTA_HEPATIS_NODE", "NOT_IN_VIABLE_SUM")

# --- measurable ------------------------------------------------------------------------------------------------------


def _by_viable(case: CriterionCase, row: Measurement) -> bool:
    counts_whole = row.lipiodol is YesNo.YES and case.setting.thresholds.lipiodol_is_viable
    return case.by_enhancement and by_viable_part(row) and not counts_whole


def size_at_baseline(case: CriterionCase, row: Measurement) -> tuple[str, Decimal | None]:
    """The diameter by which a baseline lesion is measurable or not: its column and its value in mm."""
    if row.kind is Kind.NODE:
        return "short_mm", row.short_mm
    if _by_viable(case, row):
        return "viable_mm", row.viable_mm if row.viable_mm is not None else max(row.viable_foci_mm, default=None)
    return "longest_mm", row.longest_mm


def minimum(case: CriterionCase, row: Measurement) -> tuple[Decimal, str]:
    """From which size on a lesion is measurable, in mm, and why (Eisenhauer 2009, 3.1.1 and 3.1.2)."""
    limits = case.limits
    portal = case.setting.target_sizes.portal_node
    if portal is not None and at_porta_hepatis(row):
        return portal, "a node at the porta hepatis"
    if row.kind is Kind.NODE:
        return limits.min_target_node_mm, "a node"
    if modality_word(row.modality) in _XRAY:
        return limits.min_xray_mm, f"on {row.modality}"
    thickness = row.slice_thickness_mm
    if thickness is not None and thickness > limits.max_slice_mm:
        twice = product(thickness, Decimal(2))
        return max(twice, limits.min_target_mm), f"on slices of {show(thickness)} mm"
    return limits.min_target_mm, "a lesion"


def why_not_measurable(case: CriterionCase, row: Measurement) -> str:
    """Why a baseline lesion cannot be a target; "" = it can, or its size is not known."""
    if modality_word(row.modality) in _ULTRASOUND:
        return f"measured on {row.modality}, which never makes a lesion measurable"
    if row.state in (State.TOO_SMALL, State.NOT_EVALUABLE):
        return f"'{row.state}' at baseline"
    name, size = size_at_baseline(case, row)
    needed, because = minimum(case, row)
    if size is None or size >= needed:
        return ""
    pathological = case.setting.thresholds.node_normal_mm
    node = ", pathological but non-target" if row.kind is Kind.NODE and size >= pathological else ""
    return f"{name} {show(size)} is below {show(needed)} mm ({because}{node})"


def not_measurable(case: CriterionCase) -> Iterator[Found]:
    """A target of the criterion that is too small, or on ultrasound."""
    for row in case.targets.rows:
        why = why_not_measurable(case, row)
        if why:
            yield at(row, f"target, {why}")


def _treated_before(case: CriterionCase, row: Measurement) -> bool:
    """Treated before the study without progression since; mRECIST takes a viable part of measurable size."""
    if row.local_therapy is None or row.progressed_since is YesNo.YES:
        return False
    return not (_by_viable(case, row) and row.viable_mm is not None and row.viable_mm >= case.limits.min_target_mm)


def treated_target(case: CriterionCase) -> Iterator[Found]:
    """A target with local_therapy at baseline whose progression since is not recorded, or denied."""
    for row in case.targets.rows:
        if _treated_before(case, row):
            since = (
                f"progressed_since is '{row.progressed_since}'" if row.progressed_since else "progressed_since is empty"
            )
            yield at(row, f"target, {row.local_therapy} before the study, {since}")


def vascular_or_infiltrative_target(case: CriterionCase) -> Iterator[Found]:
    """A target of an HCC criterion that is a thrombus, an invaded vessel or infiltrative by its words."""
    for row in case.targets.rows:
        if case.setting.criterion.hcc_only and vascular_word(row):
            yield at(row, f"target, and {vascular_word(row)}")


def target_not_of_criterion(case: CriterionCase) -> Iterator[Found]:
    """Targets of the read that the engine keeps out of the sum of this criterion."""
    for flag in case.targets.flags:
        code, _, lesion = flag.partition(":")
        row = case.read.baseline.rows.get(lesion)
        if code in _NOT_IN_THE_SUM and row in case.read.targets and row is not None:
            name, size = size_at_baseline(case, row)
            yield at(row, f"target of the read with {name} {show(size) or 'not recorded'}, not in this sum ({code})")


def no_target(case: CriterionCase) -> Iterator[Found]:
    """No target enters the sum."""
    if not case.targets.rows:
        number = len(case.read.targets)
        of = f"none of the {number} targets of the read is one by this criterion" if number else "no target at baseline"
        yield Found(what=of, timepoint=0)


# --- how many, and which ---------------------------------------------------------------------------------------------


def too_many_targets(case: CriterionCase) -> Iterator[Found]:
    """As the engine counts them."""
    for flag in case.targets.flags:
        code, _, number = flag.partition(":")
        if code == "TOO_MANY_TARGETS":
            lesions = tuple(row.lesion for row in case.targets.rows)
            what = f"{number} targets, at most {case.setting.thresholds.max_targets}: {', '.join(lesions)}"
            yield Found(what=what, timepoint=0, lesions=lesions)


def too_many_targets_per_organ(case: CriterionCase) -> Iterator[Found]:
    """As the engine counts them."""
    for flag in case.targets.flags:
        code, _, detail = flag.partition(":")
        if code == "TOO_MANY_TARGETS_PER_ORGAN":
            organ, _, number = detail.rpartition("=")
            lesions = tuple(row.lesion for row in case.targets.rows if organ_of(row) == organ)
            most = case.setting.thresholds.max_targets_per_organ
            what = f"{number} targets in {organ}, at most {most}: {', '.join(lesions)}"
            yield Found(what=what, timepoint=0, lesions=lesions)


def _could_be_targets(case: CriterionCase) -> list[tuple[Measurement, Decimal]]:
    """Measurable non-targets of the read with their size, largest first."""
    found = []
    for row in case.targets.non_targets:
        _, size = size_at_baseline(case, row)
        if row not in case.read.non_targets or row.part_of or not size or not organ_of(row):
            continue
        # A lesion is named by words as non-target for good reason under every criterion.
        named = vascular_word(row) or (row.kind is Kind.LESION and unfit_word(row))
        if not named and not why_not_measurable(case, row) and not _treated_before(case, row):
            found.append((row, size))
    return sorted(found, key=lambda pair: -pair[1])


def _fits(case: CriterionCase, chosen: Sequence[Measurement], row: Measurement) -> bool:
    limits = case.setting.thresholds
    in_organ = sum(organ_of(one) == organ_of(row) for one in chosen)
    return len(chosen) < limits.max_targets and in_organ < limits.max_targets_per_organ


def _left_out(case: CriterionCase) -> tuple[list[Measurement], list[Measurement]]:
    """Measurable non-targets for which there was room, filled up from the largest, and the others."""
    chosen = list(case.targets.rows)
    room, others = [], []
    for row, _ in _could_be_targets(case):
        if _fits(case, chosen, row):
            chosen.append(row)
            room.append(row)
        else:
            others.append(row)
    return room, others


def room_for_target(case: CriterionCase) -> Iterator[Found]:
    """A measurable non-target that would have been within the limits beside the targets chosen."""
    for row in _left_out(case)[0]:
        name, size = size_at_baseline(case, row)
        limits = case.setting.thresholds
        in_organ = sum(organ_of(one) == organ_of(row) for one in case.targets.rows)
        chosen = f"{len(case.targets.rows)} targets chosen of {limits.max_targets}"
        there = f"{in_organ} of {limits.max_targets_per_organ} in {organ_of(row)}"
        yield at(row, f"non-target with {name} {show(size)}, measurable; {chosen}, {there}")


def larger_not_chosen(case: CriterionCase) -> Iterator[Found]:
    """A measurable non-target larger than a target of the same kind whose place it could take within the limits."""
    for row in _left_out(case)[1]:
        name, size = size_at_baseline(case, row)
        smaller = [
            (value, target)
            for target in case.targets.rows
            if target.kind is row.kind
            and (value := size_at_baseline(case, target)[1]) is not None
            and size is not None
            and value < size
            and _fits(case, [one for one in case.targets.rows if one is not target], row)
        ]
        if smaller:
            value, target = min(smaller, key=lambda pair: pair[0])
            larger = f"larger than target {target.lesion} with {show(value)}"
            what = f"{row.lesion}: non-target with {name} {show(size)}, {larger}"
            yield Found(what=what, timepoint=0, lesions=(row.lesion, target.lesion))


SELECTION_CHECKS: dict[str, CriterionCheck] = {
    check.__name__: check
    for check in (
        *(not_measurable, treated_target, vascular_or_infiltrative_target, target_not_of_criterion, no_target),
        *(too_many_targets, too_many_targets_per_organ, room_for_target, larger_not_chosen),
    )
}
