"""One look for all figures: colours that colour-blind readers tell apart (Okabe and Ito 2008), patterns for grey print, and files that
are the same twice.
"""

from __future__ import annotations

import functools
import io
import textwrap
import warnings
from collections.abc import Callable, Iterable, Sequence
from typing import TYPE_CHECKING, Any, ParamSpec, TypeVar

from mrecist.model import Response

if TYPE_CHECKING:
    from matplotlib.artist import Artist
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

Words = ParamSpec("Words")
Made = TypeVar("Made")

ARMS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#000000")
LINES: tuple[Any, ...] = ("-", (0, (5, 1.5)), (0, (1.5, 1)), (0, (5, 1.5, 1, 1.5)), (0, (3, 1, 1, 1, 1, 1)))
"""Dashes of the arms, so that their curves differ in grey print too."""
GREY, LIGHT, DARK = "#8c8c8c", "#e6e6e6", "#262626"
RESPONSES: dict[Response, str] = {
    Response.CR: "#0072B2",
    Response.PR: "#56B4E9",
    Response.SD: "#F0C05A",
    Response.NON_CR_NON_PD: "#F0C05A",
    Response.PD: "#D55E00",
    Response.NE: "#c8c8c8",
    Response.NA: "#c8c8c8",
    Response.MISSING: "#f0f0f0",
}
ORDER = (Response.CR, Response.PR, Response.SD, Response.NON_CR_NON_PD, Response.PD, Response.NE, Response.NA)
_PLAIN = {
    "iCR": Response.CR,
    "iPR": Response.PR,
    "iSD": Response.SD,
    "NON-iCR/NON-iUPD": Response.NON_CR_NON_PD,
    "iUPD": Response.PD,
    "iCPD": Response.PD,
}
# CR and PD have about the same grey, so PD has a pattern. None has dots: they make a file ten times as large.
_HATCHES = {Response.PD: "////", Response.NON_CR_NON_PD: "|||", Response.NE: "xx", Response.NA: "xxxx"}
_SETTINGS = {
    "font.size": 9,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.edgecolor": DARK,
    "axes.titlesize": 10,
    "axes.titleweight": "bold",
    "axes.titlelocation": "left",
    "hatch.linewidth": 0.5,
    "svg.hashsalt": "mrecist",
    # Letters are drawn, so that a figure looks the same where the font is not there.
    "svg.fonttype": "path",
}


# DejaVu Sans comes with matplotlib and has no Chinese, Japanese or Korean; one of these is taken for them where it is installed.
_WIDE_FONTS = (
    *("Noto Sans CJK SC", "Noto Sans SC", "Source Han Sans SC", "Microsoft YaHei", "PingFang SC", "SimHei"),
    *("WenQuanYi Zen Hei", "WenQuanYi Micro Hei", "Droid Sans Fallback"),
)


@functools.cache
def _fonts() -> tuple[str, ...]:
    from matplotlib.font_manager import fontManager

    there = {font.name for font in fontManager.ttflist}
    return ("DejaVu Sans", *[name for name in _WIDE_FONTS if name in there][:1])


def in_house_style(work: Callable[Words, Made]) -> Callable[Words, Made]:
    """Whatever a function draws has these settings, whatever those of the machine are."""

    @functools.wraps(work)
    def styled(*given: Words.args, **named: Words.kwargs) -> Made:
        import matplotlib

        with matplotlib.rc_context(), warnings.catch_warnings():
            warnings.filterwarnings("ignore", message="Glyph .* missing from")  # drawn as a box; the page has the text
            matplotlib.rcdefaults()
            matplotlib.rcParams.update(_SETTINGS, **{"font.family": list(_fonts())})
            return work(*given, **named)

    return styled


def new_figure(width: float, height: float, title: str, left: float = 1.2) -> tuple[Figure, Axes]:
    """A figure of so many inches with one pair of axes, whose title begins ``left`` inches from the edge or before."""
    from matplotlib.figure import Figure as Canvas

    figure = Canvas(figsize=(width, height), layout="constrained")
    axes = figure.add_subplot()
    axes.set_title(wrapped(title, int((width - left) * 10.5)))
    return figure, axes


def wrapped(text: str, width: int, lines: int = 3) -> str:
    """A text in lines of so many letters; what does not fit is left out, which three dots say.

    Control characters become spaces and a dollar sign stays one (matplotlib would take it for a formula).
    """
    found = textwrap.wrap(printable(text), max(width, 8), break_long_words=True) or [""]
    if len(found) > lines:
        found = [*found[: lines - 1], found[lines - 1][: max(width, 8) - 1] + "…"]
    told = "\n".join(found).replace("$", r"\$")
    # matplotlib leaves a name that begins with an underscore out of a legend.
    return f" {told}" if told.startswith("_") else told


def printable(text: str) -> str:
    """A text without the control characters that no XML may hold."""
    return "".join(letter if letter.isprintable() else " " for letter in text)


def colour_of(response: Response) -> str:
    """The colour of a category; those of iRECIST have that of their RECIST counterpart."""
    return RESPONSES.get(_PLAIN.get(str(response), response), LIGHT)


def hatch_of(response: Response) -> str:
    """The pattern of a category, empty for a plain surface. An unconfirmed progression is hatched more widely."""
    return "//" if str(response) == "iUPD" else _HATCHES.get(_PLAIN.get(str(response), response), "")


def in_order(seen: Iterable[Response]) -> list[Response]:
    """Categories, best first."""
    there = set(seen)
    places = {one: place for place, one in enumerate(ORDER)}
    counterpart = {one: _PLAIN.get(str(one), one) for one in there}
    return sorted(there, key=lambda one: (places.get(counterpart[one], len(ORDER)), str(one)))


def swatches(seen: Iterable[Response]) -> list[Artist]:
    """The legend of some categories, best first."""
    from matplotlib.patches import Patch

    return [
        Patch(facecolor=colour_of(one), edgecolor="white", linewidth=0, hatch=hatch_of(one), label=str(one))
        for one in in_order(seen)
    ]


@in_house_style
def files_of(figure: Figure, title: str = "", suffixes: Sequence[str] = ("svg", "png")) -> dict[str, bytes]:
    """The figure as SVG and PNG (300 dpi), by suffix; without dates, so that the same figure is the same bytes."""
    made = {}
    named = {"Title": printable(title)} if title else {}
    for suffix, more in (
        ("svg", {"metadata": {"Date": None, "Creator": None, **named}}),
        ("png", {"dpi": 300, "metadata": {"Software": None}}),
    ):
        if suffix in suffixes:
            buffer = io.BytesIO()
            figure.savefig(buffer, format=suffix, **more)
            made[suffix] = buffer.getvalue()
    return made
