"""Figures of groups: forest plot, responses by visit."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from mrecist.endpoints.figures.style import (
    ARMS,
    DARK,
    GREY,
    colour_of,
    hatch_of,
    in_house_style,
    in_order,
    new_figure,
    swatches,
    wrapped,
)
from mrecist.endpoints.printing import NO_LIMIT, rounded
from mrecist.model import Response

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

_LABEL, _LEAST, _MOST = 34, 0.05, 20.0


@dataclass(frozen=True, slots=True, kw_only=True)
class ForestRow:
    """A ratio with its interval; None where there is none, which ``note`` says."""

    label: str
    n: int
    events: int
    value: float | None
    low: float | None = None
    high: float | None = None
    note: str = ""


@in_house_style
def forest(rows: Sequence[ForestRow], *, title: str, favours: tuple[str, str], what: str) -> Figure:
    """Ratios of subgroups on a log scale; squares have the area of their number of events, arrows say that an interval goes on."""
    labels = [wrapped(row.label, _LABEL, 3) for row in rows]
    heights = [max(label.count("\n"), 0) * 0.55 + 1.0 for label in labels]
    places = [-sum(heights[:place]) - heights[place] / 2 for place in range(len(rows))]
    figure, axes = new_figure(8.2, 0.29 * sum(heights) + 1.6, title, left=2.6)
    ends = [one for row in rows for one in (row.low, row.high, row.value) if one is not None and one > 0]
    left, right = max(min([0.4, *ends]) / 1.2, _LEAST), min(max([2.5, *ends]) * 1.2, _MOST)
    axes.set_xscale("log")
    axes.set_xlim(left, right)
    most = max((row.events for row in rows), default=1) or 1
    for place, row in zip(places, rows, strict=True):
        _ratio(axes, row, place, most)
        told = wrapped(row.note or "no estimate", 30, 2) if row.value is None else _told(row)
        _columns(axes, place, f"{row.events}/{row.n}", told)
    _columns(axes, 0.35, "events/n", f"{what} (95 % CI)", weight="bold")
    axes.plot([1, 1], [-sum(heights), 0], color=GREY, linewidth=0.8, zorder=0)
    ticks = [tick for tick in (0.05, 0.1, 0.25, 0.5, 1, 2, 4, 10, 20) if left <= tick <= right]
    axes.set_xticks(ticks, [f"{tick:g}" for tick in ticks])
    axes.minorticks_off()
    axes.set_yticks(places, labels, fontsize=8)
    axes.tick_params(axis="y", length=0)
    axes.spines["left"].set_visible(False)
    axes.set(ylim=(-sum(heights) - 0.2, 0.8))
    below, above = (wrapped(arm or "?", 26, 2) for arm in favours)
    axes.set_xlabel(f"{what}, log scale", fontsize=8)
    for x, side, text in ((0.0, "left", f"← favours {below}"), (1.0, "right", f"favours {above} →")):
        axes.annotate(
            text, (x, 0), (0, -34), xycoords="axes fraction", textcoords="offset points", ha=side, va="top", fontsize=8
        )
    return figure


def _columns(axes: Axes, place: float, count: str, told: str, **look: Any) -> None:
    """Events of subjects and the ratio, each in a column of its own right of the axes."""
    for points, text in ((10, count), (62, told)):
        axes.annotate(
            text,
            (1, place),
            (points, 0),
            xycoords=axes.get_yaxis_transform(),
            textcoords="offset points",
            va="center",
            fontsize=8,
            annotation_clip=False,
            **look,
        )


def _ratio(axes: Axes, row: ForestRow, place: float, most: int) -> None:
    if row.value is None:
        return
    left, right = axes.get_xlim()
    low = max(row.low or 0.0, left)
    high = min(row.high if row.high is not None else float("inf"), right)
    axes.plot([low, high], [place, place], color=DARK, linewidth=1.0)
    cut = [(end, marker) for end, marker in ((left, "<"), (right, ">")) if end in (low, high)]
    for end, marker in cut:
        axes.plot([end], [place], marker=marker, color=DARK, markersize=4, clip_on=False)
    if left <= row.value <= right:
        axes.scatter([row.value], [place], s=20 + 70 * row.events / most, marker="s", color=ARMS[0], zorder=3)


def _told(row: ForestRow) -> str:
    low, high = (NO_LIMIT if one is None else rounded(one, 2) for one in (row.low, row.high))
    return f"{rounded(row.value or 0.0, 2)} ({low} to {high})"


_MOST_VISITS = 40


@in_house_style
def by_visit(
    counts: Mapping[str, Sequence[Response]], *, title: str, what: str = "time point", of: str = "assessed"
) -> Figure:
    """Stacked bars of the responses at each visit, in % of the subjects that were assessed, with their number.

    Parameters
    ----------
    counts : name of the visit (a number) -> responses; after the first 40 visits none are drawn, which a line says.
    what : what the names number; ``of`` : whom the percent are of.
    """
    shown = dict(list(counts.items())[:_MOST_VISITS])
    figure, axes = new_figure(max(4.8, min(0.55 * len(shown) + 1.9, 9.0)), 3.8, title)
    small = len(shown) > 14
    seen = in_order({one for responses in shown.values() for one in responses})
    for place, responses in enumerate(shown.values()):
        bottom, total, found = 0.0, len(responses), Counter(responses)
        for response in seen:
            share = 100 * found[response] / total if total else 0.0
            if share:
                axes.bar(
                    place,
                    share,
                    bottom=bottom,
                    width=0.78,
                    facecolor=colour_of(response),
                    hatch=hatch_of(response),
                    edgecolor="white",
                    linewidth=0.6,
                )
            if share >= (4 if small else 5):
                _count(axes, place, bottom + share / 2, found[response], 6 if small else 8)
            bottom += share
    left_out = f"; {len(counts) - len(shown)} later ones are not shown" if len(counts) > len(shown) else ""
    step = 1 if len(shown) <= 24 else 2
    axes.set_xticks(
        range(0, len(shown), step),
        [f"{name}\n{len(found)}" for name, found in list(shown.items())[::step]],
        fontsize=7 if small else 8,
    )
    axes.set(ylim=(0, 100), xlim=(-0.6, max(len(shown), 1) - 0.4), ylabel=f"% of those {of}")
    axes.set_xlabel(f"{what}, and number {of}{left_out}", fontsize=8)
    axes.legend(frameon=False, handles=swatches(seen), loc="center left", bbox_to_anchor=(1.0, 0.5), fontsize=8)
    return figure


def _count(axes: Axes, x: float, y: float, count: int, size: int) -> None:
    """A number on a bar, on white so that it can be read on any colour and pattern."""
    axes.text(
        x,
        y,
        str(count),
        ha="center",
        va="center",
        fontsize=size,
        bbox={"facecolor": "white", "edgecolor": "none", "alpha": 0.75, "pad": 0.8, "boxstyle": "round,pad=0.15"},
    )
