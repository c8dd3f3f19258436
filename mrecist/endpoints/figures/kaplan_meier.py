"""Kaplan-Meier curves with their intervals, the censored times as ticks, the medians, and the numbers at risk."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence
from itertools import pairwise
from typing import TYPE_CHECKING, Any

from mrecist.endpoints.figures.curves import ByArm, at_risk, curve_axes, lines_at_risk, look_of_arm, ticks_of
from mrecist.endpoints.figures.style import GREY, in_house_style, wrapped
from mrecist.endpoints.survival import curve, limits, median_days
from mrecist.endpoints.times import EVENT, EventTime

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

_MOST_INSIDE = 5
"""Lines of a legend that fit into the axes beside the curves."""

_MOST_TICKS = 200


@in_house_style
def kaplan_meier(
    by_arm: ByArm,
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
    words : lines above the legend (medians, hazard ratio).
    """
    shown = {arm: rows for arm, rows in by_arm.items() if rows}
    told = [line for word in words for line in wrapped(word, 44, 2).split("\n")]
    beside = len(told) + len(shown) > _MOST_INSIDE
    figure, axes = curve_axes(shown, title=title, beside=beside, lines_below=lines_at_risk(shown))
    ticks = ticks_of(shown, days_per_month)
    for place, (arm, rows) in enumerate(shown.items()):
        _draw(axes, rows, look_of_arm(place), _name(arm, rows), days_per_month, scale)
    axes.set(xlim=(0, ticks[-1]), ylim=(0, 1.02), xticks=ticks, xlabel="months", ylabel="probability without event")
    axes.plot([0, ticks[-1]], [0.5, 0.5], color=GREY, linewidth=0.6, linestyle=(0, (4, 4)), zorder=0)
    where: dict[str, Any] = {"loc": "upper left", "bbox_to_anchor": (1.0, 1.0)} if beside else {"loc": "best"}
    legend = axes.legend(
        title="\n".join(told) or None, title_fontsize=8, alignment="left", fontsize=8, handlelength=2.6, **where
    )
    legend.get_frame().set(edgecolor="none", facecolor="white", alpha=0.0 if beside else 0.75)
    at_risk(axes, shown, ticks, days_per_month)
    return figure


def _name(arm: str, rows: Sequence[EventTime]) -> str:
    return wrapped(arm or "all", 36, 2) + f": {sum(row.status == EVENT for row in rows)} events of {len(rows)}"


def _draw(axes: Axes, rows: Sequence[EventTime], look: dict[str, Any], name: str, month: float, scale: str) -> None:
    colour, events = look["color"], any(row.status == EVENT for row in rows)
    found = curve(rows) if events else None
    steps = [] if found is None else list(zip(found.surv_times, found.surv_prob, found.surv_prob_se, strict=True))
    steps = [(float(t) / month, float(p), float(se)) for t, p, se in steps]
    end = max(row.days for row in rows) / month
    x = [0.0, *(time for time, _, _ in steps), end]
    y = [1.0, *(height for _, height, _ in steps)]
    axes.step(x, [*y, y[-1]], where="post", linewidth=1.6, label=name, **look)
    bounds = [(1.0, 1.0), *(limits(height, error, scale) for _, height, error in steps)]
    # Each height from its own step to the next one: where a step has no interval, the one before it still ends there.
    edges = [edge for begin, stop in pairwise(x) for edge in (begin, stop)]
    low, high = ([_or_nan(bound[side]) for bound in bounds for _ in range(2)] for side in (0, 1))
    axes.fill_between(edges, low, high, color=colour, alpha=0.12, linewidth=0)
    marks = sorted({row.days for row in rows if row.status != EVENT})
    times = [0.0, *(time for time, _, _ in steps)]
    heights = [y[bisect_right(times, day / month) - 1] for day in marks]
    axes.plot(
        [day / month for day in marks],
        heights,
        linestyle="none",
        marker="|",
        markersize=6 if len(marks) <= _MOST_TICKS else 2.5,
        color=colour,
        markeredgewidth=1.0,
    )
    median = median_days(rows, scale)[0] if events else None
    if median is not None:
        axes.plot([median / month] * 2, [0, 0.5], color=colour, linewidth=0.8, linestyle=(0, (2, 2)), zorder=1)


def _or_nan(limit: float | None) -> float:
    return float("nan") if limit is None else limit
