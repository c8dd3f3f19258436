"""Waterfalls: the change of the sum of each subject as a bar, from the worst to the best."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from mrecist.endpoints.figures.patients import Patient, best_response_legend
from mrecist.endpoints.figures.style import ARMS, DARK, GREY, colour_of, hatch_of, in_house_style, new_figure, wrapped

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

_WIDEST_IN = 9.0
_TOP = 100.0
_MOST_WITH_EDGES = 150


@dataclass(frozen=True, slots=True, kw_only=True)
class Bar:
    """A change in % with its colour and pattern."""

    subject: str
    percent: float
    colour: str
    hatch: str = ""
    ongoing: bool = False


@in_house_style
def waterfall(patients: Sequence[Patient], *, title: str, pr_percent: float, pd_percent: float) -> Figure:
    """Best change of the sum of each subject, coloured by best response."""
    there = [(p, p.best_change) for p in patients]
    bars = [
        Bar(subject=p.subject, percent=change, colour=colour_of(p.best), hatch=hatch_of(p.best), ongoing=p.ongoing)
        for p, change in there
        if change is not None
    ]
    figure, axes = _bars(bars, title, "best change of the sum from baseline, %", (-pr_percent, pd_percent))
    axes.set_xlabel(_note(bars, len(patients) - len(bars)), fontsize=8)
    best_response_legend(axes, [p for p, change in there if change is not None])
    return figure


@in_house_style
def changes_at(
    changes: Mapping[str, float | None], arms: Mapping[str, str], *, title: str, what: str, percent: float | None
) -> Figure:
    """The change of each subject at one month, or at the first assessment, coloured by arm.

    Parameters
    ----------
    changes : subject -> % change, None where there is none.
    arms : subject -> arm.
    percent : the fall that counts as a success, a line; None: no line.
    """
    from matplotlib.patches import Patch

    names = list(dict.fromkeys(arms[subject] for subject in changes))
    looks = {arm: (ARMS[place % len(ARMS)], ("", "////", "|||", "xx")[place % 4]) for place, arm in enumerate(names)}
    bars = [
        Bar(subject=subject, percent=change, colour=looks[arms[subject]][0], hatch=looks[arms[subject]][1])
        for subject, change in changes.items()
        if change is not None
    ]
    figure, axes = _bars(bars, title, what, () if percent is None else (-percent,))
    axes.set_xlabel(_note(bars, len(changes) - len(bars), "change"), fontsize=8)
    if len(names) > 1:
        handles = [
            Patch(facecolor=colour, hatch=hatch, edgecolor="white", lw=0, label=wrapped(arm, 26))
            for arm, (colour, hatch) in looks.items()
        ]
        axes.legend(frameon=False, handles=handles, loc="upper left", bbox_to_anchor=(1.0, 1.0), fontsize=8)
    return figure


def _note(bars: Sequence[Bar], left_out: int, of: str = "sum after baseline") -> str:
    told = [f"{len(bars)} subject" + ("s" if len(bars) != 1 else "")]
    if left_out:
        told.append(f"{left_out} without a {of} are not shown")
    above = [bar for bar in bars if bar.percent > _TOP]
    if above and not _labelled(bars):
        told.append(f"{len(above)} above {_TOP:.0f} % are cut")
    if any(bar.ongoing for bar in bars) and _labelled(bars):
        told.append("triangle: ongoing")
    return "; ".join(told)


def _labelled(bars: Sequence[Bar]) -> bool:
    """Whether bars are wide enough for a mark of their own."""
    return len(bars) <= _MOST_WITH_EDGES // 2


def _bars(bars: Sequence[Bar], title: str, label: str, lines: Sequence[float]) -> tuple[Figure, Axes]:
    shown = sorted(bars, key=lambda bar: (-bar.percent, bar.subject))
    figure, axes = new_figure(max(5.4, min(0.13 * len(shown) + 1.8, _WIDEST_IN)), 3.9, title)
    _filled(axes, shown)
    for place, bar in enumerate(shown):
        if bar.percent == 0:
            axes.plot([place - 0.4, place + 0.4], [0, 0], color=bar.colour, linewidth=2.5)
    if _labelled(shown):
        _marks(axes, shown)
    for limit in lines:
        axes.axhline(limit, color=GREY, linewidth=0.7, linestyle=(0, (4, 4)))
    axes.axhline(0, color=DARK, linewidth=0.8)
    highest = max((min(bar.percent, _TOP) for bar in shown), default=0.0)
    axes.set(ylim=(-108, min(max(40.0, 1.15 * highest), 114.0)), xticks=[], ylabel=label)
    axes.set_xlim(-0.8, max(len(shown), 1) - 0.2)
    axes.spines["bottom"].set_visible(False)
    return figure, axes


def _filled(axes: Axes, shown: Sequence[Bar]) -> None:
    """All bars of one look in one call, so that thousands take no longer than ten."""
    from matplotlib.collections import PolyCollection

    many = len(shown) > _MOST_WITH_EDGES
    half = 0.5 if many else 0.4
    for colour, hatch in dict.fromkeys((bar.colour, bar.hatch) for bar in shown):
        corners = [
            ((x - half, 0), (x - half, y), (x + half, y), (x + half, 0))
            for x, y in (
                (place, min(bar.percent, _TOP))
                for place, bar in enumerate(shown)
                if (bar.colour, bar.hatch) == (colour, hatch)
            )
        ]
        look: dict[str, Any] = {"facecolor": colour, "linewidth": 0 if many else 0.3}
        # The pattern takes the colour of the edge; bars of a pixel have neither.
        look["edgecolor"] = "none" if many else "white" if hatch else DARK
        axes.add_collection(PolyCollection(corners, hatch=None if many else hatch or None, **look))


def _marks(axes: Axes, shown: Sequence[Bar]) -> None:
    """The value above a bar that is cut, and a triangle where a subject is ongoing."""
    for place, bar in enumerate(shown):
        if bar.percent > _TOP:
            axes.text(place, _TOP + 1, f"{bar.percent:.0f}", ha="center", va="bottom", fontsize=6, rotation=90)
    ongoing = [(place, bar.percent) for place, bar in enumerate(shown) if bar.ongoing]
    if ongoing:
        x = [place for place, _ in ongoing]
        y = [min(percent, _TOP - 8) + 4 if percent > 0 else percent - 4 for _, percent in ongoing]
        axes.plot(x, y, linestyle="none", marker=">", color=DARK, markersize=3.5)
