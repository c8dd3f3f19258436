"""Spiders: the change of the sum of each subject over time."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from mrecist.endpoints.figures.patients import Patient, best_response_legend
from mrecist.endpoints.figures.style import (
    DARK,
    GREY,
    LINES,
    colour_of,
    in_house_style,
    in_order,
    new_figure,
    wrapped,
)
from mrecist.model import Response

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

_MOST_TOGETHER = 60
_MOST_DRAWN_AS_LINES = 1000


@in_house_style
def spider(patients: Sequence[Patient], *, title: str, pr_percent: float, pd_percent: float) -> Figure:
    """The lines, coloured by best response; of more than 60 subjects each category in a panel of its own."""
    shown = [p for p in patients if p.changes]
    limits = (pd_percent, -pr_percent)
    top = max((percent for p in shown for _, percent in p.changes), default=0.0)
    months = max((month for p in shown for month, _ in p.changes), default=1.0)
    span: dict[str, Any] = {"ylim": (-105, max(60.0, top * 1.05)), "xlim": (0, months * 1.03)}
    if len(shown) > _MOST_TOGETHER:
        return _panels(shown, title, limits, span)
    figure, axes = new_figure(6.6, 4.0, title)
    _lines(axes, shown, limits)
    axes.set(xlabel="months", ylabel="change of the sum from baseline, %", **span)
    best_response_legend(axes, shown)
    return figure


def _panels(shown: Sequence[Patient], title: str, limits: tuple[float, float], span: dict[str, Any]) -> Figure:
    from matplotlib.figure import Figure as Canvas

    seen = in_order({p.best for p in shown})
    columns = min(len(seen), 3)
    rows = -(-len(seen) // columns)
    figure = Canvas(figsize=(2.7 * columns + 0.6, 2.6 * rows + 0.5), layout="constrained")
    figure.suptitle(wrapped(title, 30 * columns), fontweight="bold", fontsize=10, x=0.01, ha="left")
    grid = figure.subplots(rows, columns, sharex=True, sharey=True, squeeze=False).ravel()
    for axes, best in zip(grid, seen, strict=False):
        own = [p for p in shown if p.best is best]
        _lines(axes, own, limits)
        axes.set_title(f"best response {best}, n = {len(own)}", fontsize=8, fontweight="normal")
        axes.set(**span)
    for axes in grid[len(seen) :]:
        axes.set_visible(False)
    figure.supxlabel("months", fontsize=9)
    figure.supylabel("change of the sum from baseline, %", fontsize=9)
    return figure


def _lines(axes: Axes, shown: Sequence[Patient], limits: tuple[float, float]) -> None:
    """All lines of a category in one call; fainter, the more there are, and as pixels above a thousand."""
    from matplotlib.collections import LineCollection

    many = len(shown) > _MOST_TOGETHER
    for place, best in enumerate(in_order({p.best for p in shown})):
        own = [[(0.0, 0.0), *p.changes] for p in shown if p.best is best]
        look: dict[str, Any] = {"colors": _ink(best), "alpha": max(0.9 * min(1.0, 40 / len(own)), 0.12)}
        dashes = LINES[place % len(LINES)] if not many and place else "-"
        lines = LineCollection(own, linewidths=0.7 if many else 1.0, linestyles=[dashes], **look)
        lines.set_rasterized(len(own) > _MOST_DRAWN_AS_LINES)
        axes.add_collection(lines)
        if not many:
            x, y = zip(*(point for one in own for point in one[1:]), strict=True)
            axes.plot(x, y, linestyle="none", marker="o", markersize=2.5, color=colour_of(best), alpha=0.9)
    for limit in limits:
        axes.axhline(limit, color=GREY, linewidth=0.7, linestyle=(0, (4, 4)))
    axes.axhline(0, color=DARK, linewidth=0.8)


def _ink(best: Response) -> str:
    """The colour of a line: grey is darker than as a surface."""
    colour = colour_of(best)
    return {"#c8c8c8": GREY, "#f0f0f0": GREY, "#F0C05A": "#C98F00"}.get(colour, colour)
