"""Why a reported response may differ: the read is derived again with one known variation, and the answers are compared.

A cause is named only when the variation alone gives exactly what was reported. It is a finding to check, not a proof.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from decimal import ROUND_HALF_UP, Decimal
from typing import Any

from mrecist.criteria import CRITERIA
from mrecist.errors import ReadError
from mrecist.model import Kind, Measurement, Role, State, VisitResponse
from mrecist.protocol import CriterionSetting, ResponseRules
from mrecist.response.assess import assess_read
from mrecist.response.options import OTHER_CHOICES
from mrecist.response.read import build_read

Rows = tuple[Measurement, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """One read as it is derived for one time point."""

    rows: Rows
    setting: CriterionSetting
    rules: ResponseRules
    timepoint: int

    def derived(self) -> VisitResponse | None:
        """The response of the time point; None when it cannot be derived."""
        if not self.rows:
            return None
        try:
            visits = assess_read(build_read(self.rows), self.setting, self.rules)
        except ReadError:
            return None
        return next((v.response for v in visits if v.response.timepoint == self.timepoint), None)

    def with_thresholds(self, **values: Any) -> Case:
        """The case with other thresholds, as far as the criterion has them."""
        return replace(self, setting=replace(self.setting, thresholds=replace(self.setting.thresholds, **values)))


@dataclass(frozen=True, slots=True, kw_only=True)
class Cause:
    """A variation with its code for the ``flags`` column and its words for a person."""

    code: str
    words: str
    vary: Callable[[Case], Case | None]


def explaining(case: Case, given_by: Callable[[VisitResponse], bool]) -> tuple[Cause, ...]:
    """The causes whose variation gives what was reported; options of the protocol only when nothing else does."""
    found = tuple(cause for cause in CAUSES if _gives(cause, case, given_by))
    return found or tuple(cause for cause in _options(case) if _gives(cause, case, given_by))


def _gives(cause: Cause, case: Case, given_by: Callable[[VisitResponse], bool]) -> bool:
    varied = cause.vary(case)
    if varied is None or varied == case:
        return False
    response = varied.derived()
    return response is not None and given_by(response)


# --- variations of the rules -----------------------------------------------------------------------------------------


def _from_baseline(case: Case) -> Case:
    """Who looks at the baseline only does not see that there was nothing left in between."""
    return _as_recorded_after_cr(case.with_thresholds(pd_reference="baseline"))


def _from_last_visit(case: Case) -> Case:
    """Progression counted from the visit before: the visits between baseline and that one are left out of the nadir."""
    before = [t for t in sorted({row.timepoint for row in case.rows}) if t < case.timepoint]
    if len(before) < 2:
        return case
    kept = tuple(row for row in case.rows if row.timepoint in (before[-1], case.timepoint))
    return replace(
        case,
        rows=tuple(replace(row, timepoint=0 if row.timepoint != case.timepoint else 1) for row in kept),
        timepoint=1,
    )


def _no_minimum(case: Case) -> Case:
    return case.with_thresholds(pd_absolute_mm=Decimal(0))


def _with_minimum(case: Case) -> Case:
    return case if case.setting.thresholds.pd_absolute_mm else case.with_thresholds(pd_absolute_mm=Decimal(5))


def _normal_nodes_not_known(case: Case) -> Case:
    return case.with_thresholds(node_normal_mm=Decimal(0))


def _whole_percent(case: Case) -> Case:
    limits, half = case.setting.thresholds, Decimal("0.5")
    return case.with_thresholds(pr_percent=limits.pr_percent - half, pd_percent=limits.pd_percent - half)


def _beyond_the_limit(case: Case) -> Case:
    little = Decimal("0.000001")
    return case.with_thresholds(pr_percent=case.setting.thresholds.pr_percent + little, pd_inclusive=False)


def _as_recorded_after_cr(case: Case) -> Case:
    return replace(case, rules=replace(case.rules, cr_then_worse="as-recorded"))


def _options(case: Case) -> Iterator[Cause]:
    for choice in OTHER_CHOICES:
        if choice.key not in case.setting.criterion.options:
            continue
        current = getattr(case.setting.thresholds, choice.key)
        for value in choice.values:
            if value != current:
                word = str(value).lower() if isinstance(value, bool) else str(value)
                yield Cause(
                    code=f"OPTION:{choice.key}={word}",
                    words=f"the open point {choice.ambiguity} is decided the other way ({choice.key} = {word})",
                    vary=lambda c, key=choice.key, v=value: c.with_thresholds(**{key: v}),  # type: ignore[misc]
                )


# --- variations of the measurements ----------------------------------------------------------------------------------


def _whole_mm(case: Case) -> Case:
    def rounded(size: Decimal | None) -> Decimal | None:
        return None if size is None else size.quantize(Decimal(1), rounding=ROUND_HALF_UP)

    rows = tuple(
        replace(
            row,
            longest_mm=rounded(row.longest_mm),
            short_mm=rounded(row.short_mm),
            viable_mm=rounded(row.viable_mm),
        )
        for row in case.rows
    )
    return replace(case, rows=rows)


def _long_axis_of_nodes(case: Case) -> Case:
    """Only where every node that was measured has both axes."""
    nodes = [row for row in case.rows if row.role is Role.TARGET and row.kind is Kind.NODE]
    if any(row.short_mm is not None and row.longest_mm is None for row in nodes):
        return case
    return replace(case, rows=tuple(replace(row, kind=Kind.LESION) if row in nodes else row for row in case.rows))


def _too_small_as_zero(case: Case) -> Case:
    return replace(case, rows=tuple(_gone(row) if row.state is State.TOO_SMALL else row for row in case.rows))


def _missing_targets(case: Case) -> dict[tuple[int, str], Measurement]:
    """(time point, target) that has no usable size -> its last row before."""
    targets = [row for row in case.rows if row.timepoint == 0 and row.role is Role.TARGET]
    split = {row.part_of for row in case.rows if row.part_of}
    by_place = {(row.timepoint, row.lesion): row for row in case.rows}
    missing: dict[tuple[int, str], Measurement] = {}
    for timepoint in sorted({row.timepoint for row in case.rows} - {0}):
        for target in targets:
            row = by_place.get((timepoint, target.lesion))
            if (row is None and target.lesion not in split) or (row is not None and _unusable(row, case.setting)):
                earlier = [by_place[t, name] for t, name in by_place if name == target.lesion and t < timepoint]
                usable = [r for r in earlier if not _unusable(r, case.setting)]
                missing[timepoint, target.lesion] = max(usable, key=lambda r: r.timepoint, default=target)
    return missing


def _unusable(row: Measurement, setting: CriterionSetting) -> bool:
    return setting.criterion.size_of(row, row, setting.thresholds).size is None


def _filled(case: Case, fill: Callable[[Measurement], Measurement], only_here: bool) -> Case:
    """Give every missing target a row made from its last one, dated as its visit."""
    days = {row.timepoint: row.date for row in case.rows}
    missing = {
        place: row for place, row in _missing_targets(case).items() if not only_here or place[0] == case.timepoint
    }
    kept = [row for row in case.rows if (row.timepoint, row.lesion) not in missing]
    made = [replace(fill(row), timepoint=t, date=days[t]) for (t, _), row in missing.items()]
    return replace(case, rows=(*kept, *made)) if made else case


def _gone(row: Measurement) -> Measurement:
    return replace(row, state=State.ABSENT, longest_mm=None, short_mm=None, viable_mm=None, volume_mm3=None)


def _left_out_everywhere(case: Case) -> Case:
    """A target that is missing at this visit is left out of the sums of all visits."""
    names = {lesion for timepoint, lesion in _missing_targets(case) if timepoint == case.timepoint}
    left = any(row.role is Role.TARGET and row.lesion not in names for row in case.rows)
    kept = tuple(row for row in case.rows if row.lesion not in names)
    return replace(case, rows=kept) if names and left else case


def _without(role: Role) -> Callable[[Case], Case]:
    def vary(case: Case) -> Case:
        return replace(case, rows=tuple(row for row in case.rows if row.role is not role))

    return vary


def _equivocal_counted(case: Case) -> Case:
    rows = tuple(replace(r, state=State.UNEQUIVOCAL) if r.state is State.EQUIVOCAL else r for r in case.rows)
    return replace(case, rows=rows)


def _until_here(case: Case) -> Case:
    return replace(case, rows=tuple(row for row in case.rows if row.timepoint <= case.timepoint))


def _by(name: str) -> Callable[[Case], Case | None]:
    def vary(case: Case) -> Case | None:
        criterion = CRITERIA[name]
        viable = any(row.viable_mm is not None for row in case.rows)
        if case.setting.criterion.name == name or case.setting.criterion.confirms_progression or not viable:
            return None
        return replace(case, setting=CriterionSetting(name=name, criterion=criterion, thresholds=criterion.thresholds))

    return vary


CAUSES: tuple[Cause, ...] = (
    Cause(
        code="PD_FROM_BASELINE",
        words="progression is counted from baseline instead of the smallest sum",
        vary=_from_baseline,
    ),
    Cause(
        code="CHANGE_FROM_LAST_VISIT",
        words="the change is counted from the visit before instead of baseline and smallest sum",
        vary=_from_last_visit,
    ),
    Cause(code="NO_5_MM", words="the absolute minimum for progression (5 mm) is not applied", vary=_no_minimum),
    Cause(code="WITH_5_MM", words="an absolute minimum for progression of 5 mm is applied", vary=_with_minimum),
    Cause(
        code="MISSING_AS_ZERO",
        words="a target that was not evaluated is counted as 0 mm",
        vary=lambda case: _filled(case, _gone, only_here=True),
    ),
    Cause(
        code="MISSING_LEFT_OUT",
        words="a target that was not evaluated is left out of all sums",
        vary=_left_out_everywhere,
    ),
    Cause(
        code="MISSING_CARRIED_FORWARD",
        words="a target that was not evaluated keeps its last size",
        vary=lambda case: _filled(case, lambda row: row, only_here=False),
    ),
    Cause(
        code="NODE_NOT_NORMAL",
        words="nodes below 10 mm short axis are not recognised as normal",
        vary=_normal_nodes_not_known,
    ),
    Cause(
        code="NODE_BY_LONG_AXIS",
        words="nodes are counted by their longest diameter instead of the short axis",
        vary=_long_axis_of_nodes,
    ),
    Cause(code="TOO_SMALL_AS_ZERO", words="a target too small to measure is counted as 0 mm", vary=_too_small_as_zero),
    Cause(code="ROUNDED_PERCENT", words="the change is rounded to whole percent", vary=_whole_percent),
    Cause(code="ROUNDED_MM", words="sizes are rounded to whole millimetres", vary=_whole_mm),
    Cause(code="LIMIT_EXCLUDED", words="a change of exactly the limit is not counted", vary=_beyond_the_limit),
    Cause(code="NEW_LESION_IGNORED", words="the new lesion is ignored", vary=_without(Role.NEW)),
    Cause(code="EQUIVOCAL_COUNTED", words="an equivocal new lesion is counted", vary=_equivocal_counted),
    Cause(code="NON_TARGET_IGNORED", words="the non-target lesions are ignored", vary=_without(Role.NON_TARGET)),
    Cause(
        code="READ_BEFORE_PROOF",
        words="it is what was known at that visit; a later visit proved a new lesion and dated progression back",
        vary=_until_here,
    ),
    Cause(
        code="AS_RECORDED_AFTER_CR",
        words="disease after complete response is not taken as progression",
        vary=_as_recorded_after_cr,
    ),
    Cause(code="AS_RECIST11", words="it follows by RECIST 1.1 and not by this criterion", vary=_by("recist11")),
    Cause(code="AS_MRECIST", words="it follows by mRECIST and not by this criterion", vary=_by("mrecist")),
)
# Causes that are seen without deriving again.
SEEN = {
    "REPORTED_PARTS": "it follows from the reported target, non-target and new-lesion responses",
    "REPORTED_OVERALL": "it follows from the reported overall responses",
    "SD_FOR_NON_CR_NON_PD": "SD is written for NON-CR/NON-PD: without target disease there is no stable disease",
    "NON_CR_NON_PD_FOR_SD": "NON-CR/NON-PD is written for SD",
    "PD_KEPT": "progression of an earlier visit is kept",
    "NO_MINIMUM_OF_SD": "stable disease counts from the first visit on, without a minimum duration",
    "AFTER_PROGRESSION": "responses after progression are counted",
}


def in_words(causes: Iterable[str], known: Sequence[Cause]) -> str:
    """The causes as one clause."""
    words = {cause.code: cause.words for cause in known} | SEEN
    return "; or ".join(words[code] for code in causes)
