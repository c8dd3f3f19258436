"""Swimmer plots: a lane for each subject."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

from mrecist.endpoints.figures.patients import Patient
from mrecist.endpoints.figures.style import (
    DARK,
    LIGHT,
    colour_of,
    hatch_of,
    in_house_style,
    new_figure,
    swatches,
    wrapped,
)

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

_ON_A_PAGE = 80
_MARKS = {
    "response": ("^", "#0072B2", "first response"),
    "progression": ("s", "#D55E00", "progression"),
    "new therapy": ("P", "#CC79A7", "new therapy"),
    "death": ("X", "#000000", "death"),
}


def pages_of(patients: Sequence[Patient]) -> Iterator[list[Patient]]:
    """The longest first, at most 80 lanes a page, pages as full as each other."""
    order = sorted(patients, key=lambda p: (-p.end, p.subject))
    pages = max(-(-len(order) // _ON_A_PAGE), 1)
    for page in range(pages):
        yield order[page * len(order) // pages : (page + 1) * len(order) // pages]


@in_house_style
def swimmer(patients: Sequence[Patient], *, title: str, until: float | None = None) -> Figure:
    """One lane a subject, the longest on top: time on study, responses in their colour, what happened.

    Everything of one kind is drawn in one call. ``until`` is the end of the axis in months, the same for all pages of a study.
    """
    shown = sorted(patients, key=lambda p: (-p.end, p.subject))[::-1]
    figure, axes = new_figure(7.2, max(2.4, min(0.17, 9.6 / max(len(shown), 1)) * len(shown) + 1.2), title)
    lanes = range(len(shown))
    _stretches(axes, [(lane, 0.0, p.end) for lane, p in enumerate(shown)], {"facecolor": LIGHT})
    phases = [(lane, *phase) for lane, p in enumerate(shown) for phase in p.phases]
    for response in dict.fromkeys(response for _, _, _, response in phases):
        own = [(lane, begin, stop) for lane, begin, stop, one in phases if one is response]
        look = {"facecolor": colour_of(response), "edgecolor": "white", "hatch": hatch_of(response) or None}
        _stretches(axes, own, look)
    for what, (marker, colour, _) in _MARKS.items():
        places = [(month, lane) for lane, p in zip(lanes, shown, strict=True) for month, one in p.marks if one == what]
        _points(axes, places, marker, colour, edge="white")
    _points(axes, [(p.end, lane) for lane, p in zip(lanes, shown, strict=True) if p.ongoing], ">", DARK)
    axes.set(yticks=list(lanes), xlabel="months", ylim=(-0.7, max(len(shown), 1) - 0.3))
    size = 8 if len(shown) <= 25 else 6 if len(shown) <= 60 else 5
    axes.set_yticklabels([wrapped(p.subject, 26, 1) for p in shown], fontsize=size)
    axes.tick_params(axis="y", length=0)
    axes.set_xlim(0, (until or max((p.end for p in shown), default=0.0) or 1.0) * 1.03)
    _legend(axes, shown)
    return figure


def _stretches(axes: Axes, places: Sequence[tuple[int, float, float]], look: dict[str, Any]) -> None:
    """Bars of one look as one drawing: (lane, begin, end)."""
    from matplotlib.collections import PolyCollection

    half = 0.31
    corners = [((a, y - half), (a, y + half), (b, y + half), (b, y - half)) for y, a, b in places]
    axes.add_collection(PolyCollection(corners, linewidth=0, **look))


def _points(
    axes: Axes, places: Sequence[tuple[float, float]], marker: str, colour: str, edge: str | None = None
) -> None:
    if places:
        x, y = zip(*places, strict=True)
        look: dict[str, Any] = {"markersize": 5, "markeredgecolor": edge or colour, "markeredgewidth": 0.4}
        axes.plot(x, y, marker=marker, color=colour, linestyle="none", clip_on=False, **look)


def _legend(axes: Axes, shown: Sequence[Patient]) -> None:
    from matplotlib.lines import Line2D

    handles = swatches({response for p in shown for _, _, response in p.phases})
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
