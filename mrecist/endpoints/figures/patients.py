"""Figures with a mark for each subject: waterfall, spider, swimmer."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from mrecist.endpoints.figures.style import DARK, GREY, LIGHT, colour_of, new_figure, swatches
from mrecist.model import Response

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure


@dataclass(frozen=True, slots=True, kw_only=True)
class Patient:
    """What is drawn of a subject; times in months from day 1.

    ``changes`` are (month, % change of the sum from baseline). ``marks`` are (month, what): response, progression, death, new therapy.
    ``ongoing`` : alive and without progression at the end.
    """

    subject: str
    arm: str
    best: Response
    changes: tuple[tuple[float, float], ...] = ()
    end: float = 0.0
    marks: tuple[tuple[float, str], ...] = ()
    phases: tuple[tuple[float, float, Response], ...] = field(default=())
    ongoing: bool = False

    @property
    def best_change(self) -> float | None:
        """The lowest change; None where no sum after baseline is known."""
        return min((percent for _, percent in self.changes), default=None)


def waterfall(patients: Sequence[Patient], *, title: str, pr_percent: float, pd_percent: float) -> Figure:
    """Best change of the sum of each subject, from the worst to the best, coloured by best response."""
    shown = sorted(
        (p for p in patients if p.best_change is not None), key=lambda p: (-(p.best_change or 0.0), p.subject)
    )
    left_out = len(patients) - len(shown)
    figure, axes = new_figure(max(5.0, min(0.16 * len(shown) + 1.6, 11.0)), 3.9, title)
    heights = [min(p.best_change or 0.0, 100.0) for p in shown]
    axes.bar(
        range(len(shown)), heights, width=0.8, color=[colour_of(p.best) for p in shown], edgecolor=DARK, linewidth=0.3
    )
    for place, patient in enumerate(shown):
        change = patient.best_change or 0.0
        if change > 100:
            axes.text(place, 101, f"{change:.0f}", ha="center", va="bottom", fontsize=6)
        if change == 0:
            axes.plot([place - 0.4, place + 0.4], [0, 0], color=colour_of(patient.best), linewidth=2.5)
        if patient.ongoing:
            axes.plot(
                place, heights[place] + (4 if change >= 0 else -4), marker="$\\rightarrow$", color=DARK, markersize=6
            )
    for limit in (pd_percent, -pr_percent):
        axes.axhline(limit, color=GREY, linewidth=0.7, linestyle=(0, (4, 4)))
    axes.axhline(0, color=DARK, linewidth=0.8)
    axes.set(
        ylim=(-108, min(max(40.0, 1.15 * max(heights, default=0.0)), 112.0)),
        xticks=[],
        ylabel="best change of the sum from baseline, %",
        xlim=(-0.8, max(len(shown), 1) - 0.2),
    )
    axes.spines["bottom"].set_visible(False)
    note = f"{len(shown)} subjects" + (f"; {left_out} without a sum after baseline are not shown" if left_out else "")
    axes.set_xlabel(note + ("; arrow: ongoing" if any(p.ongoing for p in shown) else ""), fontsize=8)
    _legend(axes, {p.best for p in shown})
    return figure


def spider(patients: Sequence[Patient], *, title: str, pr_percent: float, pd_percent: float) -> Figure:
    """Change of the sum of each subject over time."""
    figure, axes = new_figure(6.5, 4.0, title)
    shown = [p for p in patients if p.changes]
    for patient in shown:
        months = [0.0, *(month for month, _ in patient.changes)]
        percents = [0.0, *(percent for _, percent in patient.changes)]
        axes.plot(months, percents, color=colour_of(patient.best), linewidth=1.0, marker="o", markersize=2.5, alpha=0.9)
    for limit in (pd_percent, -pr_percent):
        axes.axhline(limit, color=GREY, linewidth=0.7, linestyle=(0, (4, 4)))
    axes.axhline(0, color=DARK, linewidth=0.8)
    top = max((percent for p in shown for _, percent in p.changes), default=0.0)
    axes.set(xlabel="months", ylabel="change of the sum from baseline, %", ylim=(-105, max(60.0, top * 1.05)))
    axes.set_xlim(left=0)
    _legend(axes, {p.best for p in shown})
    return figure


_MARKS = {
    "response": ("^", "#0072B2", "first response"),
    "progression": ("s", "#D55E00", "progression"),
    "new therapy": ("P", "#CC79A7", "new therapy"),
    "death": ("X", "#000000", "death"),
}


def swimmer(patients: Sequence[Patient], *, title: str) -> Figure:
    """One lane a subject, the longest on top: time on study, responses in their colour, what happened.

    Everything of one kind is drawn in one call, so that a thousand lanes take seconds; names stand at up to 60 lanes.
    """
    shown = sorted(patients, key=lambda p: (p.end, p.subject))
    figure, axes = new_figure(6.8, max(2.2, min(0.17 * len(shown) + 1.3, 14.0)), title)
    lanes = range(len(shown))
    axes.barh(lanes, [p.end for p in shown], height=0.62, color=LIGHT, linewidth=0)
    phases = [(lane, *phase) for lane, p in zip(lanes, shown, strict=True) for phase in p.phases]
    for response in dict.fromkeys(response for _, _, _, response in phases):
        own = [(lane, begin, stop - begin) for lane, begin, stop, one in phases if one is response]
        at, left, width = zip(*own, strict=True)
        axes.barh(at, width, left=left, height=0.62, color=colour_of(response), linewidth=0)
    for what, (marker, colour, _) in _MARKS.items():
        places = [(month, lane) for lane, p in zip(lanes, shown, strict=True) for month, one in p.marks if one == what]
        _points(axes, places, marker, colour, edge="white")
    _points(axes, [(p.end, lane) for lane, p in zip(lanes, shown, strict=True) if p.ongoing], ">", DARK)
    named = len(shown) <= 60
    axes.set(yticks=list(lanes) if named else [], xlabel="months", ylim=(-0.7, max(len(shown), 1) - 0.3))
    if named:
        axes.set_yticklabels([p.subject for p in shown], fontsize=6 if len(shown) > 25 else 8)
    else:
        axes.set_ylabel(f"{len(shown)} subjects")
    axes.set_xlim(left=0)
    _lanes_legend(axes, shown)
    return figure


def _points(
    axes: Axes, places: Sequence[tuple[float, float]], marker: str, colour: str, edge: str | None = None
) -> None:
    if places:
        x, y = zip(*places, strict=True)
        axes.plot(
            x,
            y,
            marker=marker,
            color=colour,
            linestyle="none",
            markersize=5,
            markeredgecolor=edge or colour,
            markeredgewidth=0.4,
        )


def _lanes_legend(axes: Axes, shown: Sequence[Patient]) -> None:
    from matplotlib.lines import Line2D

    seen = {response for p in shown for _, _, response in p.phases}
    handles = swatches(seen)
    used = {what for p in shown for _, what in p.marks}
    handles += [
        Line2D([], [], marker=marker, color=colour, linestyle="none", markersize=5, label=word)
        for what, (marker, colour, word) in _MARKS.items()
        if what in used
    ]
    if any(p.ongoing for p in shown):
        handles.append(Line2D([], [], marker=">", color=DARK, linestyle="none", markersize=5, label="ongoing"))
    if handles:
        axes.legend(frameon=False, handles=handles, loc="upper left", bbox_to_anchor=(1.0, 1.0), fontsize=7)


def _legend(axes: Axes, seen: set[Response]) -> None:
    handles = swatches(seen)
    if handles:
        axes.legend(
            frameon=False,
            handles=handles,
            title="best response",
            fontsize=8,
            title_fontsize=8,
            alignment="left",
            loc="upper left",
            bbox_to_anchor=(1.0, 1.0),
        )
