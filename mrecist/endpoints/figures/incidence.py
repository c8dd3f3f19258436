"""Cumulative incidence of an event and of those that compete with it (Aalen and Johansen 1978), with the numbers at risk."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from mrecist.endpoints.figures.curves import ByArm, at_risk, curve_axes, lines_at_risk, look_of_arm, ticks_of
from mrecist.endpoints.figures.style import in_house_style, wrapped
from mrecist.endpoints.times import COMPETING, EVENT, EventTime

if TYPE_CHECKING:
    from matplotlib.figure import Figure

_CODES = {EVENT: 1, COMPETING: 2}


@in_house_style
def cumulative_incidence(
    by_arm: ByArm, *, title: str, days_per_month: float, event: str, competing: str, words: Sequence[str] = ()
) -> Figure:
    """Both incidences of each arm: the event as a thick line in the arm's dashes, what competes as a thin one with dots.

    Parameters
    ----------
    by_arm : arm -> times; an arm without a name is drawn alone.
    event, competing : what they are, in words.
    words : lines above the legend (incidences at months).
    """
    shown = {arm: rows for arm, rows in by_arm.items() if rows}
    figure, axes = curve_axes(shown, title=title, beside=True, lines_below=lines_at_risk(shown))
    ticks = ticks_of(shown, days_per_month)
    for place, (arm, rows) in enumerate(shown.items()):
        for status, what in ((EVENT, event), (COMPETING, competing)):
            x, y = _steps(rows, _CODES[status], days_per_month)
            count = sum(row.status == status for row in rows)
            name = wrapped(f"{arm}: {what} ({count} of {len(rows)})" if arm else f"{what} ({count} of {len(rows)})", 38)
            axes.step(x, y, where="post", label=name, **_look(place, status))
    axes.set(xlim=(0, ticks[-1]), ylim=(0, 1.02), xticks=ticks, xlabel="months", ylabel="cumulative incidence")
    axes.legend(
        frameon=False,
        loc="upper left",
        bbox_to_anchor=(1.0, 1.0),
        fontsize=8,
        title="\n".join(wrapped(word, 40) for word in words) or None,
        title_fontsize=8,
        alignment="left",
        handlelength=2.6,
    )
    at_risk(axes, shown, ticks, days_per_month)
    return figure


def _look(place: int, status: str) -> dict[str, Any]:
    look = look_of_arm(place)
    if status == EVENT:
        return {**look, "linewidth": 1.8}
    return {**look, "linewidth": 0.9, "marker": "o", "markersize": 2.2, "markevery": 0.08}


def _steps(rows: Sequence[EventTime], code: int, month: float) -> tuple[list[float], list[float]]:
    """The curve in months; at 0 throughout where the event did not happen."""
    from statsmodels.duration.survfunc import CumIncidenceRight

    end = max(row.days for row in rows) / month
    status = [_CODES.get(row.status, 0) for row in rows]
    if code not in status:
        return [0.0, end], [0.0, 0.0]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", RuntimeWarning)  # 0/0 of the error where all have had an event
        found = CumIncidenceRight([row.days for row in rows], status)
    heights = [float(one) for one in found.cinc[code - 1]]
    return [0.0, *(float(time) / month for time in found.times), end], [0.0, *heights, heights[-1]]
