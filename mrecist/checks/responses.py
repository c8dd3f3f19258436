"""Checks of what one criterion needs and what it makes of a read, mostly by the flags of the engine (docs/flags.md)."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from mrecist.checks.finding import CriterionCase, CriterionCheck, Found, at
from mrecist.criteria._liver_findings import is_effusion
from mrecist.criteria._organs import organ_word
from mrecist.criteria._viable import phase_word
from mrecist.model import Kind, Measurement, Response, State
from mrecist.response.targets import modality_word
from mrecist.units import show

_RESPONDING = (Response.CR, Response.PR, Response.ICR, Response.IPR)
_PROGRESSION = (Response.PD, Response.IUPD, Response.ICPD)

# --- targets ---------------------------------------------------------------------------------------------------------


def _lacks(case: CriterionCase, row: Measurement, baseline: Measurement) -> str:
    """Which quantity of the criterion a measured row lacks, whatever its phase; "" = none."""
    size = case.setting.criterion.size_of(replace(row, phase=""), baseline, case.setting.thresholds)
    if size.size is None:
        return size.why
    # Choi adds diameters and compares densities.
    return "without mean_hu" if "hu_percent" in case.setting.criterion.options and row.mean_hu is None else ""


def quantity_missing(case: CriterionCase) -> Iterator[Found]:
    """Measured targets without the quantity of the criterion; one finding of the read when no row has it."""
    measured = [(row, baseline) for row, baseline in case.target_rows() if row.state is State.MEASURED]
    lacking = [(row, why) for row, baseline in measured if (why := _lacks(case, row, baseline))]
    if lacking and len(lacking) == len(measured) and len({why for _, why in lacking}) == 1:
        lesions = tuple(dict.fromkeys(row.lesion for row, _ in lacking))
        what = f"{', '.join(lesions)}: all {len(measured)} rows measured {lacking[0][1]}"
        yield Found(what=what, lesions=lesions)
        return
    for row, why in lacking:
        yield at(row, f"measured {why}")


def _on_phase(rows: list[Measurement], what: str) -> Iterator[Found]:
    """One finding for all rows of a visit with the same phase and modality."""
    groups: dict[tuple[int, str, str], list[str]] = {}
    for row in rows:
        groups.setdefault((row.timepoint, row.phase, row.modality), []).append(row.lesion)
    for (timepoint, phase, modality), lesions in groups.items():
        on = ", ".join(word for word in (modality, f"phase {phase}" if phase else "") if word)
        yield Found(what=f"{', '.join(lesions)}: {what} on {on}", timepoint=timepoint, lesions=tuple(lesions))


def viable_not_arterial(case: CriterionCase) -> Iterator[Found]:
    """What the engine flags as not arterial, less the phases that the protocol allows."""
    allowed = {phase_word(phase) for phase in case.setting.thresholds.viable_phases}
    flagged = {
        (one.response.timepoint, flag.partition(":")[2])
        for one in case.assessed
        for flag in one.response.flags
        if flag.startswith("VIABLE_NOT_ARTERIAL:")
    }
    rows = [
        row
        for row, _ in case.target_rows()
        if (row.timepoint, row.lesion) in flagged and phase_word(row.phase) not in allowed
    ]
    yield from _on_phase(rows, "viable size")


def density_not_portal(case: CriterionCase) -> Iterator[Found]:
    """Choi: mean_hu of a target on a phase that is stated and not portal venous, or on a modality stated and not CT."""
    if "hu_percent" not in case.setting.criterion.options:
        return
    rows = [
        row
        for row, _ in case.target_rows()
        if row.mean_hu is not None
        and (
            phase_word(row.phase) not in ("", "portal venous")
            or modality_word(row.modality) not in ("", "CT", "PET/CT", "PET-CT")
        )
    ]
    yield from _on_phase(rows, "mean_hu")


def merged_into_absent(case: CriterionCase) -> Iterator[Found]:
    """As the engine flags it."""
    for timepoint, detail in _flagged(case, "MERGED_INTO_ABSENT"):
        lesion, _, carrier = detail.rpartition("=")
        what = f"{lesion} is merged into {carrier}, which is absent at time point {timepoint}"
        yield Found(what=what, timepoint=timepoint, lesions=(lesion, carrier))


def _flagged(case: CriterionCase, *codes: str) -> Iterator[tuple[int, str]]:
    """(time point, detail) of the engine's flags with one of these codes."""
    for one in case.assessed:
        for flag in one.response.flags:
            code, _, detail = flag.partition(":")
            if code in codes:
                yield one.response.timepoint, detail


# --- non-targets and new lesions -------------------------------------------------------------------------------------


def non_target_alone_progressed(case: CriterionCase) -> Iterator[Found]:
    """Non-targets PD at a visit where the targets are CR or PR."""
    for one in case.assessed:
        response = one.response
        if response.non_target in _PROGRESSION and response.target in _RESPONDING:
            rows = case.read.visits[case.assessed.index(one)].rows.values()
            lesions = tuple(row.lesion for row in rows if row.state is State.PROGRESSED)
            what = f"{', '.join(lesions) or 'non-targets'}: non-target {response.non_target}, targets {response.target}"
            yield Found(what=what, timepoint=response.timepoint, lesions=lesions)


def new_without_pattern(case: CriterionCase) -> Iterator[Found]:
    """mRECIST: the first unequivocal row of a new liver lesion that has no pattern there.

    The pattern is that of HCC (Lencioni and Llovet 2010), so nothing is asked of metastases.
    """
    setting = case.setting
    if "new_nodule_mm" not in setting.criterion.options or setting.thresholds.enhancement_based_non_hcc:
        return
    for lesion in case.read.new_lesions():
        sure = [row for row in case.read.history(lesion).values() if row.state is State.UNEQUIVOCAL]
        if not sure or is_effusion(sure[0]) or sure[0].kind is Kind.NODE or sure[0].pattern is not None:
            continue
        if organ_word(sure[0].organ) in ("", "liver"):
            size = f", {show(sure[0].longest_mm)} mm" if sure[0].longest_mm is not None else ""
            place = "liver lesion" if sure[0].organ else "lesion of an organ that is not recorded"
            yield at(sure[0], f"new {place} without pattern{size}, counted by the reader's word")


def new_small_node(case: CriterionCase) -> Iterator[Found]:
    """A new node that the engine flags as small or holds; said at its first sight."""
    said: set[str] = set()
    for timepoint, lesion in _flagged(case, "NEW_NODE_SMALL", "NEW_NODE_HELD"):
        if lesion not in said:
            said.add(lesion)
            row = case.read.history(lesion)[timepoint]
            yield at(row, f"new node with a short axis of {show(row.short_mm)} mm")


def new_lesion_without_row(case: CriterionCase) -> Iterator[Found]:
    """A new lesion that persists without a row, as the engine flags it."""
    for timepoint, lesion in _flagged(case, "NEW_LESION_PERSISTS"):
        what = f"{lesion}: new lesion without a row at time point {timepoint}, counted as it was"
        yield Found(what=what, timepoint=timepoint, lesions=(lesion,))


RESPONSE_CHECKS: dict[str, CriterionCheck] = {
    check.__name__: check
    for check in (
        *(quantity_missing, viable_not_arterial, density_not_portal, merged_into_absent),
        *(non_target_alone_progressed, new_without_pattern, new_small_node, new_lesion_without_row),
    )
}
