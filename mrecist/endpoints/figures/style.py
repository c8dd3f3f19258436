"""One look for all figures: colours that colour-blind readers tell apart (Okabe and Ito 2008), and files that are the same twice."""

from __future__ import annotations

import io
from collections.abc import Iterable
from typing import TYPE_CHECKING

from mrecist.model import Response

if TYPE_CHECKING:
    from matplotlib.artist import Artist
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

ARMS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#000000")
GREY, LIGHT, DARK = "#8c8c8c", "#e6e6e6", "#262626"
RESPONSES: dict[Response, str] = {
    Response.CR: "#0072B2",
    Response.PR: "#56B4E9",
    Response.SD: "#F0C05A",
    Response.NON_CR_NON_PD: "#F0C05A",
    Response.PD: "#D55E00",
    Response.NE: "#c8c8c8",
    Response.NA: "#c8c8c8",
    Response.MISSING: "#ffffff",
}
ORDER = (Response.CR, Response.PR, Response.SD, Response.NON_CR_NON_PD, Response.PD, Response.NE, Response.NA)
_SETTINGS = {
    "font.size": 9,
    "font.family": "DejaVu Sans",
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.edgecolor": DARK,
    "axes.titlesize": 10,
    "axes.titleweight": "bold",
    "axes.titlelocation": "left",
    "svg.hashsalt": "mrecist",
    "svg.fonttype": "none",
}


def new_figure(width: float, height: float, title: str) -> tuple[Figure, Axes]:
    """A figure of so many inches with one pair of axes."""
    import matplotlib
    from matplotlib.figure import Figure as Made

    with matplotlib.rc_context(_SETTINGS):
        figure = Made(figsize=(width, height), layout="constrained")
        axes = figure.add_subplot()
        axes.set_title(title)
        return figure, axes


def colour_of(response: Response) -> str:
    """The colour of a category; those of iRECIST have that of their RECIST counterpart."""
    plain = {"iCR": Response.CR, "iPR": Response.PR, "iSD": Response.SD, "iUPD": Response.PD, "iCPD": Response.PD}
    return RESPONSES.get(plain.get(str(response), response), LIGHT)


def swatches(seen: Iterable[Response]) -> list[Artist]:
    """The legend of some categories, best first."""
    from matplotlib.patches import Patch

    there = set(seen)
    in_order = [*(one for one in ORDER if one in there), *sorted(there - {*ORDER})]
    return [Patch(color=colour_of(one), label=str(one)) for one in in_order]


def files_of(figure: Figure) -> dict[str, bytes]:
    """The figure as SVG and PNG (300 dpi), by suffix; without dates, so that the same figure is the same bytes."""
    import matplotlib

    made = {}
    with matplotlib.rc_context(_SETTINGS):
        for suffix, more in (
            ("svg", {"metadata": {"Date": None}}),
            ("png", {"dpi": 300, "metadata": {"Software": None}}),
        ):
            buffer = io.BytesIO()
            figure.savefig(buffer, format=suffix, **more)
            made[suffix] = buffer.getvalue()
    return made
