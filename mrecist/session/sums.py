"""What stands below the lesions of a read: per criterion the sum of every visit, its changes, and the overall response.

Criteria that add the same thing (RECIST 1.1 and iRECIST) share their rows. A sum is shown only where nothing is missing for it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from mrecist.model import Nadir, VisitResponse
from mrecist.protocol import CriterionSetting
from mrecist.report.look import mm_from, percent_from, signed
from mrecist.session.case import Case
from mrecist.session.checklist import Live, OpenPoint, unread
from mrecist.session.state import ReadState
from mrecist.units import difference, show


@dataclass(frozen=True, slots=True, kw_only=True)
class SumCell:
    """One sum or change. ``why`` says more; ``open`` where something is missing; ``nadir`` marks the smallest sum before."""

    text: str
    why: str = ""
    open: bool = False
    nadir: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class SumRow:
    """A row: time point -> cell. ``measure`` is "sum", "baseline", "nadir" or "overall"; ``viable`` what is added."""

    criteria: tuple[str, ...]
    titles: tuple[str, ...]
    measure: str
    unit: str
    viable: bool
    cells: Mapping[int, SumCell]


def sum_rows(live: Live, state: ReadState, case: Case, shown: int) -> tuple[SumRow, ...]:
    """The sums of every criterion, then the overall responses; the nadir is marked as it stands for the visit ``shown``."""
    waits = {v.timepoint: unread(state, case, v.timepoint).points for v in case.visits}
    groups: dict[tuple[object, ...], list[CriterionSetting]] = {}
    for setting in case.protocol.criteria:
        of_it = [r for r in live.responses if r.criterion == setting.name]
        key = (by_enhancement(setting), *((r.timepoint, r.sum, r.unit, r.baseline_sum, r.nadir) for r in of_it))
        groups.setdefault(key, []).append(setting)
    rows: list[SumRow] = []
    for settings in groups.values():
        responses = {r.timepoint: r for r in live.responses if r.criterion == settings[0].name}
        if responses:
            rows += _rows(settings, responses, {t: points[0].what for t, points in waits.items() if points}, shown)
    rows += [_overall(setting, live, waits) for setting in case.protocol.criteria]
    return tuple(row for row in rows if row.cells)


def _overall(setting: CriterionSetting, live: Live, waits: Mapping[int, tuple[OpenPoint, ...]]) -> SumRow:
    """The overall response of every follow-up; open where something is missing for it."""
    cells = {}
    for one in live.responses:
        if one.criterion == setting.name and one.overall is not None:
            points = waits.get(one.timepoint, ())
            why = points[0].what if points else one.reason
            cells[one.timepoint] = SumCell(text="open" if points else str(one.overall), why=why, open=bool(points))
    return SumRow(
        criteria=(setting.name,),
        titles=(setting.title,),
        measure="overall",
        unit="",
        viable=by_enhancement(setting),
        cells=cells,
    )


def by_enhancement(setting: CriterionSetting) -> bool:
    """The criterion follows the viable part."""
    return setting.criterion.measure == "viable"


def _rows(
    settings: list[CriterionSetting], responses: Mapping[int, VisitResponse], waits: Mapping[int, str], shown: int
) -> list[SumRow]:
    nadir = responses[shown].nadir if shown in responses else None
    at = None if nadir is None else nadir.timepoint
    cells: dict[str, dict[int, SumCell]] = {"sum": {}, "baseline": {}, "nadir": {}}
    for timepoint, visit in responses.items():
        cells["sum"][timepoint] = _sum(visit, waits.get(timepoint, ""), is_nadir=timepoint == at)
        if visit.sum is None or timepoint in waits or timepoint == 0:
            continue
        if visit.baseline_sum is not None:
            change = mm_from(visit.sum, visit.baseline_sum, visit.unit)
            why = f"{change} from the baseline sum {show(visit.baseline_sum)} {visit.unit}"
            cells["baseline"][timepoint] = SumCell(text=percent_from(visit.sum, visit.baseline_sum), why=why)
        if visit.nadir is not None:
            cells["nadir"][timepoint] = _from_nadir(visit, visit.nadir)
    return [
        SumRow(
            criteria=tuple(s.name for s in settings),
            titles=tuple(s.title for s in settings),
            measure=measure,
            unit=next(iter(responses.values())).unit,
            viable=by_enhancement(settings[0]),
            cells=found,
        )
        for measure, found in cells.items()
    ]


def _sum(visit: VisitResponse, waits_for: str, *, is_nadir: bool) -> SumCell:
    if waits_for:
        return SumCell(text="open", why=waits_for, open=True)
    if visit.sum is None:
        no_target = visit.target == "NA" or "NOT_APPLICABLE" in visit.flags
        return SumCell(text="no target" if no_target else "incomplete", why=visit.reason)
    why = "the smallest sum before the visit shown (nadir)" if is_nadir else ""
    return SumCell(text=show(visit.sum), why=why, nadir=is_nadir)


def _from_nadir(visit: VisitResponse, nadir: Nadir) -> SumCell:
    assert visit.sum is not None
    at = "baseline" if nadir.timepoint == 0 else f"time point {nadir.timepoint}"
    percent, change = percent_from(visit.sum, nadir.sum), mm_from(visit.sum, nadir.sum, visit.unit)
    why = f"{change} from the smallest sum {show(nadir.sum)} {visit.unit} ({at})"
    return SumCell(text=f"{percent}\n{signed(difference(visit.sum, nadir.sum))}", why=why)
