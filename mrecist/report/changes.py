"""What the plots show, as data: the change of each read's sum from its baseline. Nothing is drawn here.

A visit without a complete sum has no change; it is never 0. A read without any change is not drawn but listed with the reason.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from mrecist.model import BestResponse, NewLesion, Response, VisitResponse
from mrecist.report.look import label_of, natural, percent_from
from mrecist.results import CriterionText, StudyResults
from mrecist.units import percent_change

Key = tuple[str, str, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class BestChange:
    """The smallest change from baseline in percent, and the visit that gave it."""

    percent: Decimal
    shown: str
    timepoint: int
    date: date


@dataclass(frozen=True, slots=True, kw_only=True)
class Bar:
    """One read in a waterfall plot."""

    label: str
    category: str
    best: BestChange


@dataclass(frozen=True, slots=True, kw_only=True)
class Point:
    """One visit in a spider plot; ``percent`` is None without a complete sum."""

    timepoint: int
    days: int
    percent: Decimal | None
    new_lesion: bool = False
    progression: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """One read in a spider plot, baseline first. ``reader`` counts from 0 within the plot."""

    label: str
    category: str
    reader: int
    points: tuple[Point, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class NotDrawn:
    """A read that has no change to draw, and why."""

    label: str
    category: str
    why: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Changes:
    """What both plots of one criterion show; ``cut_offs`` are those of response (negative) and progression in percent.

    Bars go from growth to shrinkage, lines and the rest by name.
    """

    criterion: str
    title: str
    cut_offs: tuple[Decimal, Decimal]
    bars: tuple[Bar, ...]
    lines: tuple[Line, ...]
    not_drawn: tuple[NotDrawn, ...]


def changes_by_criterion(results: StudyResults) -> tuple[Changes, ...]:
    """The plots' data, one for each criterion in the order of the study."""
    visits: dict[Key, list[VisitResponse]] = {}
    for row in results.responses:
        visits.setdefault((row.criterion, row.subject, row.reader), []).append(row)
    best = {(b.criterion, b.subject, b.reader): b for b in results.best}
    readers = sorted({row.reader for row in results.responses}, key=natural)
    reads: dict[str, list[Key]] = {}
    for key in sorted(visits, key=lambda k: (natural(k[1]), natural(k[2]))):
        reads.setdefault(key[0], []).append(key)
    return tuple(_changes(c, {k: visits[k] for k in reads.get(c.name, [])}, best, readers) for c in results.criteria)


def _changes(
    text: CriterionText,
    visits: dict[Key, list[VisitResponse]],
    best: dict[Key, BestResponse],
    readers: list[str],
) -> Changes:
    bars: list[Bar] = []
    lines: list[Line] = []
    not_drawn: list[NotDrawn] = []
    for key, rows in visits.items():
        rows = sorted(rows, key=lambda row: row.timepoint)
        label = label_of(key[1], key[2], several_readers=len(readers) > 1)
        category = str(best[key].best_unconfirmed) if key in best else "no best response"
        smallest = best_change(rows)
        if smallest is not None:
            bars.append(Bar(label=label, category=category, best=smallest))
        else:
            not_drawn.append(NotDrawn(label=label, category=category, why=why_no_change(rows)))
        points = spider_points(rows)
        if any(p.percent is not None for p in points[1:]):
            lines.append(Line(label=label, category=category, reader=readers.index(key[2]), points=points))
    bars.sort(key=lambda bar: -bar.best.percent)
    return Changes(
        criterion=text.name,
        title=text.title,
        cut_offs=(-text.pr_percent, text.pd_percent),
        bars=tuple(bars),
        lines=tuple(lines),
        not_drawn=tuple(not_drawn),
    )


# Of iRECIST only a confirmed progression ends what counts.
_PROGRESSION = (Response.PD, Response.ICPD)


def up_to_first_pd(visits: Iterable[VisitResponse]) -> list[VisitResponse]:
    """The visits until the first progression, that one included."""
    kept: list[VisitResponse] = []
    for visit in visits:
        kept.append(visit)
        if visit.overall in _PROGRESSION:
            break
    return kept


def change_of(visit: VisitResponse) -> Decimal | None:
    """Change of a visit's complete sum from baseline in percent; None when either is missing or the baseline is 0."""
    if visit.sum is None or visit.baseline_sum is None:
        return None
    return percent_change(visit.sum, visit.baseline_sum)


def best_change(visits: Sequence[VisitResponse]) -> BestChange | None:
    """The smallest change of the follow-ups of one read until its first progression inclusive; None when there is none.

    ``visits`` are in order, baseline (time point 0) first.
    """
    found: BestChange | None = None
    for visit in up_to_first_pd(visits):
        change = change_of(visit) if visit.timepoint > 0 else None
        if change is None or visit.sum is None or visit.baseline_sum is None:
            continue
        if found is None or change < found.percent:
            shown = percent_from(visit.sum, visit.baseline_sum)
            found = BestChange(percent=change, shown=shown, timepoint=visit.timepoint, date=visit.date)
    return found


def why_no_change(visits: Sequence[VisitResponse]) -> str:
    """Why a read has no change to draw."""
    follow_ups = [visit for visit in visits if visit.timepoint > 0]
    if not follow_ups:
        return "no assessment after baseline"
    if all(visit.target is Response.NA for visit in follow_ups):
        return "no target in the sum"
    baseline = next((visit.baseline_sum for visit in visits), None)
    if baseline is None:
        return "no complete sum at baseline"
    if baseline == 0:
        return "the sum is 0 at baseline"
    if all(visit.sum is None for visit in follow_ups):
        return "no complete sum after baseline"
    return "no complete sum until progression"


def spider_points(visits: Sequence[VisitResponse]) -> tuple[Point, ...]:
    """The visits of one read over the days since baseline; the first new lesion and the first progression are marked."""
    if not visits:
        return ()
    start = visits[0].date
    points: list[Point] = []
    seen_new = seen_pd = False
    for visit in visits:
        new = visit.new_lesion is NewLesion.YES and not seen_new
        progression = visit.overall in _PROGRESSION and not seen_pd
        seen_new, seen_pd = seen_new or new, seen_pd or progression
        points.append(
            Point(
                timepoint=visit.timepoint,
                days=(visit.date - start).days,
                percent=change_of(visit),
                new_lesion=new,
                progression=progression,
            )
        )
    return tuple(points)


def highest(changes: Iterable[Changes]) -> tuple[Decimal, Decimal]:
    """The largest change of all bars and of all lines, so that the panels of a plot share one scale."""
    bars, lines = [Decimal(0)], [Decimal(0)]
    for panel in changes:
        bars += [bar.best.percent for bar in panel.bars]
        lines += [p.percent for line in panel.lines for p in line.points if p.percent is not None]
    return max(bars), max(lines)


def longest_follow_up(changes: Iterable[Changes]) -> int:
    """The largest number of days since baseline in any line."""
    return max((line.points[-1].days for panel in changes for line in panel.lines), default=0)
