"""Kaplan-Meier curves by arm with the numbers at risk below (Pocock 2002; Morris 2019 on what such a figure should show)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from math import ceil
from typing import TYPE_CHECKING

from mrecist.endpoints.figures.style import ARMS, DARK, GREY, new_figure
from mrecist.endpoints.survival import curve, limits
from mrecist.endpoints.times import EVENT, EventTime

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure


def kaplan_meier(
    by_arm: Mapping[str, Sequence[EventTime]],
    *,
    title: str,
    days_per_month: float,
    scale: str,
    words: Sequence[str] = (),
) -> Figure:
    """The curves.

    Parameters
    ----------
    by_arm : arm -> times; an arm without a name is drawn alone.
    words : lines below the legend (medians, hazard ratio).
    """
    shown = {arm: rows for arm, rows in by_arm.items() if rows}
    figure, axes = new_figure(6.5, 4.2 + 0.22 * len(shown), title)
    last = max((row.days for rows in shown.values() for row in rows), default=1) / days_per_month
    step = _step(last)
    ticks = [step * n for n in range(ceil(last / step) + 1)]
    for place, (arm, rows) in enumerate(shown.items()):
        _draw(axes, rows, ARMS[place % len(ARMS)], _name(arm, rows), days_per_month, scale)
    axes.set(
        xlim=(0, ticks[-1]),
        ylim=(0, 1.02),
        xticks=ticks,
        xlabel="months",
        ylabel="probability without event",
    )
    axes.axhline(0.5, color=GREY, linewidth=0.6, linestyle=(0, (4, 4)), zorder=0)
    axes.legend(
        frameon=False, loc="best", title="\n".join(words) or None, title_fontsize=8, alignment="left", fontsize=8
    )
    _at_risk(axes, shown, ticks, days_per_month)
    return figure


def _name(arm: str, rows: Sequence[EventTime]) -> str:
    return f"{arm or 'all'}: {sum(row.status == EVENT for row in rows)} events of {len(rows)}"


def _step(last: float) -> int:
    """Months between ticks: about eight of them."""
    return next((step for step in (1, 2, 3, 6, 12, 24, 36, 60) if last / step <= 9), 120)


def _draw(axes: Axes, rows: Sequence[EventTime], colour: str, name: str, month: float, scale: str) -> None:
    found = curve(rows) if any(row.status == EVENT for row in rows) else None
    steps = [] if found is None else list(zip(found.surv_times, found.surv_prob, found.surv_prob_se, strict=True))
    steps = [(float(t) / month, float(p), float(se)) for t, p, se in steps]
    end = max(row.days for row in rows) / month
    x = [0.0, *(time for time, _, _ in steps), end]
    y = [1.0, *(height for _, height, _ in steps)]
    axes.step(x, [*y, y[-1]], where="post", color=colour, linewidth=1.6, label=name)
    bounds = [limits(height, error, scale) for _, height, error in steps]
    low = [1.0, *(bound[0] if bound[0] is not None else float("nan") for bound in bounds)]
    high = [1.0, *(bound[1] if bound[1] is not None else float("nan") for bound in bounds)]
    axes.fill_between(x, [*low, low[-1]], [*high, high[-1]], step="post", color=colour, alpha=0.12, linewidth=0)
    marks = [row.days / month for row in rows if row.status != EVENT]
    heights = [next((height for time, height, _ in reversed(steps) if time <= mark), 1.0) for mark in marks]
    axes.plot(marks, heights, linestyle="none", marker="|", markersize=6, color=colour, markeredgewidth=1.0)


def _at_risk(axes: Axes, by_arm: Mapping[str, Sequence[EventTime]], ticks: Sequence[int], month: float) -> None:
    """The numbers at risk, in the colour of their curve."""
    transform = axes.get_xaxis_transform()
    axes.text(-0.06, -0.2, "at risk", transform=axes.transAxes, fontsize=8, color=DARK, ha="right", va="center")
    for place, (arm, rows) in enumerate(by_arm.items()):
        y, colour = -0.255 - 0.055 * place, ARMS[place % len(ARMS)]
        axes.text(-0.06, y, arm or "all", transform=axes.transAxes, fontsize=8, color=colour, ha="right", va="center")
        for tick in ticks:
            count = sum(row.days >= max(tick * month, 1) for row in rows)
            axes.text(tick, y, str(count), transform=transform, fontsize=8, color=colour, ha="center", va="center")
