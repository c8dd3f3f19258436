"""Response of the non-target lesions at a visit (Eisenhauer 2009, 4.3.3; missing is not evaluated, never gone)."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

from mrecist.criteria._findings import lipiodol_flags
from mrecist.criteria._rule import NonTargetView
from mrecist.model import Measurement, Response, State
from mrecist.protocol import CriterionSetting
from mrecist.response.read import Read, Visit


@dataclass(frozen=True, slots=True, kw_only=True)
class NonTargets:
    """Response of the non-targets with its words; ``progressed`` and ``present`` name lesions seen so."""

    response: Response
    words: str
    flags: tuple[str, ...] = ()
    progressed: tuple[str, ...] = ()
    present: tuple[str, ...] = ()


def non_targets_at(
    read: Read, visit: Visit, setting: CriterionSetting, baseline_rows: tuple[Measurement, ...]
) -> NonTargets:
    """What the non-targets of a criterion amount to at one visit."""
    if not baseline_rows:
        return NonTargets(response=Response.NA, words="no non-target disease")
    views = list(_views(read, visit, setting, baseline_rows))
    said = ", ".join([view.words for _, view in views])
    states = {view.state for _, view in views}
    if State.PROGRESSED in states:
        response, words = Response.PD, f"unequivocal progression ({said})"
    elif State.NOT_EVALUABLE in states:
        response, words = Response.NE, f"not every non-target was evaluated ({said})"
    elif states == {State.ABSENT}:
        response, words = Response.CR, f"all gone ({said})"
    else:
        response, words = Response.NON_CR_NON_PD, f"disease persists ({said})"
    return NonTargets(
        response=response,
        words=words,
        flags=tuple([flag for _, view in views for flag in view.flags]),
        progressed=tuple([lesion for lesion, view in views if view.state is State.PROGRESSED]),
        present=tuple([lesion for lesion, view in views if view.state is State.PRESENT]),
    )


def _views(
    read: Read, visit: Visit, setting: CriterionSetting, baseline_rows: tuple[Measurement, ...]
) -> Iterator[tuple[str, NonTargetView]]:
    for baseline in baseline_rows:
        parts = read.parts(baseline.lesion) if baseline.lesion in read.fragments else ()
        seen = [lesion for lesion in (baseline.lesion, *parts) if lesion in visit.rows]
        for lesion in seen:
            view = setting.criterion.non_target(visit.rows[lesion], baseline, setting.thresholds)
            yield lesion, _flagged(view, read, visit, lesion)
        if not seen:
            words = f"{baseline.lesion} {State.NOT_EVALUABLE} (without a row)"
            yield baseline.lesion, NonTargetView(state=State.NOT_EVALUABLE, words=words)


def _flagged(view: NonTargetView, read: Read, visit: Visit, lesion: str) -> NonTargetView:
    """That a non-target was treated away, or holds lipiodol, is for a person to weigh (A10, A19)."""
    flags = []
    if lesion in read.treated and read.treated[lesion][1] <= visit.timepoint:
        flags.append(f"LOCAL_THERAPY:{lesion}@{read.treated[lesion][1]}")
    flags += lipiodol_flags(visit.rows[lesion])
    return replace(view, flags=(*view.flags, *flags)) if flags else view
