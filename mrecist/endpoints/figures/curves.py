"""What Kaplan-Meier curves and cumulative incidences have in common: the axis of months and the numbers at risk below it."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Mapping, Sequence
from math import ceil
from typing import TYPE_CHECKING, Any

from mrecist.endpoints.figures.style import ARMS, DARK, LINES, new_figure, wrapped
from mrecist.endpoints.times import EventTime

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

_NAMES_PT = -24
"""Where the names of the arms end, left of the axis: the number at month 0 needs room."""
ByArm = Mapping[str, Sequence[EventTime]]


def look_of_arm(place: int) -> dict[str, Any]:
    """Colour and dashes of an arm by its place."""
    return {"color": ARMS[place % len(ARMS)], "linestyle": LINES[place % len(LINES)]}


def ticks_of(by_arm: ByArm, days_per_month: float) -> list[int]:
    """Months at the axis: about eight of them, from 0 to the end of the follow-up or just beyond."""
    last = max((row.days for rows in by_arm.values() for row in rows), default=1) / days_per_month
    step = next((step for step in (1, 2, 3, 6, 12, 24, 36, 60) if last / step <= 9), 120)
    return [step * n for n in range(max(ceil(last / step), 1) + 1)]


def curve_axes(by_arm: ByArm, *, title: str, beside: bool, lines_below: int) -> tuple[Figure, Axes]:
    """Axes with room for the numbers at risk of each arm; ``beside``: and for a legend at the right."""
    figure, axes = new_figure(
        6.6 + (2.6 if beside else 0.0), 4.1 + 0.19 * len(by_arm) + 0.14 * max(lines_below - len(by_arm), 0), title
    )
    axes.spines["left"].set_bounds(0, 1)
    return figure, axes


def at_risk(axes: Axes, by_arm: ByArm, ticks: Sequence[int], month: float) -> int:
    """The numbers at risk below the axis, in the colour of their curve; how many lines they and the arms' names take."""
    style: dict[str, Any] = {"fontsize": 8, "va": "top", "textcoords": "offset points", "annotation_clip": False}
    left: dict[str, Any] = {"xycoords": "axes fraction", "ha": "right", **style}
    axes.annotate("number at risk", (0, 0), (_NAMES_PT, -34), color=DARK, **left)
    lines = 0
    for place, (arm, rows) in enumerate(by_arm.items()):
        colour, name = ARMS[place % len(ARMS)], wrapped(arm or "all", 24, 2)
        y = -46 - 11 * lines
        axes.annotate(name, (0, 0), (_NAMES_PT, y), color=colour, **left)
        days = sorted(row.days for row in rows)
        for tick in ticks:
            count = len(days) - bisect_left(days, max(tick * month, 1))
            at = axes.get_xaxis_transform()
            axes.annotate(str(count), (tick, 0), (0, y), xycoords=at, ha="center", color=colour, **style)
        lines += name.count("\n") + 1
    return lines


def lines_at_risk(by_arm: ByArm) -> int:
    """How many lines the numbers at risk take."""
    return sum(wrapped(arm or "all", 24, 2).count("\n") + 1 for arm in by_arm)
