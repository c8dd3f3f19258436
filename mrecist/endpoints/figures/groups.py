"""Figures of groups: forest plot, responses by visit."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from mrecist.endpoints.figures.style import DARK, GREY, ORDER, colour_of, new_figure, swatches
from mrecist.model import Response

if TYPE_CHECKING:
    from matplotlib.figure import Figure


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


def forest(rows: Sequence[ForestRow], *, title: str, favours: tuple[str, str], what: str) -> Figure:
    """Ratios of subgroups on a log scale; squares have the area of their number of events."""
    figure, axes = new_figure(7.6, 0.32 * len(rows) + 1.5, title)
    most = max((row.events for row in rows), default=1) or 1
    for place, row in enumerate(reversed(rows)):
        if row.value is not None and row.low is not None and row.high is not None:
            axes.plot([row.low, row.high], [place, place], color=DARK, linewidth=1.0)
            axes.scatter([row.value], [place], s=20 + 70 * row.events / most, marker="s", color="#0072B2", zorder=3)
        told = row.note if row.value is None else f"{row.value:.2f} ({_told(row.low)} to {_told(row.high)})"
        axes.text(1.02, place, told, transform=axes.get_yaxis_transform(), va="center", fontsize=8)
    axes.axvline(1, color=GREY, linewidth=0.8)
    axes.set_xscale("log")
    ends = [one for row in rows for one in (row.low, row.high) if one is not None and one > 0]
    low, high = min([0.3, *ends]), max([3.0, *ends])
    axes.set_xlim(max(low / 1.2, 0.05), min(high * 1.2, 20))
    ticks = [tick for tick in (0.1, 0.25, 0.5, 1, 2, 4, 10) if axes.get_xlim()[0] <= tick <= axes.get_xlim()[1]]
    axes.set_xticks(ticks, [f"{tick:g}" for tick in ticks])
    axes.minorticks_off()
    axes.set_yticks(range(len(rows)), [f"{row.label}  ({row.events}/{row.n})" for row in reversed(rows)], fontsize=8)
    axes.set(ylim=(-0.7, len(rows) - 0.3))
    axes.set_xlabel(f"{what}, 95 %\n← favours {favours[0]}          favours {favours[1]} →", fontsize=8)
    return figure


def _told(value: float | None) -> str:
    return "–" if value is None else f"{value:.2f}"


def by_visit(counts: Mapping[str, Sequence[Response]], *, title: str) -> Figure:
    """Stacked bars of the responses at each visit, in % of the subjects that were assessed, with their number."""
    figure, axes = new_figure(max(4.5, 0.75 * len(counts) + 2.2), 3.8, title)
    seen: set[Response] = set()
    for place, responses in enumerate(counts.values()):
        bottom, total = 0.0, len(responses)
        found = Counter(responses)
        seen |= found.keys()
        for response in [*ORDER, *sorted(found.keys() - {*ORDER})]:
            share = 100 * found[response] / total if total else 0.0
            if share:
                axes.bar(
                    place, share, bottom=bottom, width=0.72, color=colour_of(response), edgecolor="white", linewidth=0.6
                )
                if share >= 6:
                    axes.text(place, bottom + share / 2, str(found[response]), ha="center", va="center", fontsize=8)
            bottom += share
    axes.set_xticks(range(len(counts)), [f"{name}\nn = {len(found)}" for name, found in counts.items()], fontsize=8)
    axes.set(ylim=(0, 100), ylabel="% of those assessed")
    handles = swatches(seen)
    axes.legend(frameon=False, handles=handles, loc="center left", bbox_to_anchor=(1.0, 0.5), fontsize=8)
    return figure
