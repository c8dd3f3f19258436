"""Waterfall and spider plots as SVG: same data, same bytes. Text stays text, so that it can be searched and read aloud.

Colours of ink, grid and background are those of a light page; :func:`themed` makes them follow the page's colour scheme.
"""

from __future__ import annotations

import html
import io
import re
import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from decimal import Decimal
from itertools import pairwise
from statistics import fmean
from typing import Any

from mrecist.report.changes import Bar, Changes, Line, Point
from mrecist.report.look import INK, MUTED, PAPER, RULE, look_of, percent

# Bars and lines above this are cut there and say their value.
CEILING = 100
# More bars or line ends than this carry no number or name of their own.
MOST_BARS_WITH_VALUES, MOST_LINES_WITH_LABELS = 24, 30
PANEL_WIDTH_IN, PANEL_HEIGHT_IN = 6.4, 3.7
_FONTS = "system-ui, -apple-system, 'Segoe UI', 'Helvetica Neue', Arial, sans-serif"
_SETTINGS = {
    "svg.hashsalt": "mrecist",
    "svg.fonttype": "none",
    "font.family": ["DejaVu Sans"],
    "font.size": 8.0,
    "text.parse_math": False,
    "text.color": INK,
    "axes.edgecolor": MUTED,
    "axes.labelcolor": INK,
    "axes.linewidth": 0.6,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "xtick.color": MUTED,
    "ytick.color": MUTED,
    "xtick.labelcolor": INK,
    "ytick.labelcolor": INK,
    "hatch.linewidth": 0.6,
}
# A patch of the page's colour behind a text, so that lines do not run through it.
_ON_PAPER = {"boxstyle": "square,pad=0.1", "facecolor": PAPER, "edgecolor": "none"}
_LINE_STYLES: tuple[Any, ...] = ("-", (0, (4, 2)), (0, (1, 1.4)), (0, (5, 1.5, 1, 1.5)))


def waterfall_svg(changes: Changes, *, highest: Decimal | None = None) -> str:
    """One panel of the waterfall plot.

    Parameters
    ----------
    changes : the data of one criterion, from :func:`mrecist.report.changes.changes_by_criterion`.
    highest : the largest change of all panels in percent, so that they share one scale; default: of this panel.
    """
    bars = changes.bars
    small = len(bars) > MOST_BARS_WITH_VALUES
    pitch = min(max((PANEL_WIDTH_IN - 1.3) / max(len(bars), 1), 0.105), 0.8)
    longest = max((len(bar.label) for bar in bars), default=0)
    upright = longest * 0.078 > pitch
    below = 0.12 + (longest * 0.072 if upright else 0.16)
    width = max(PANEL_WIDTH_IN, 1.3 + pitch * len(bars))
    height = PANEL_HEIGHT_IN - 0.4 + below
    with _figure(width, height) as figure:
        axes = figure.add_axes((0.8 / width, below / height, 1 - 1.36 / width, 1 - (below + 0.12) / height))
        top = highest if highest is not None else max((bar.best.percent for bar in bars), default=Decimal(0))
        _percent_axis(axes, -121, top, changes.cut_offs)
        axes.set_ylabel("best change of the sum")
        for place, bar in enumerate(bars):
            _draw_bar(axes, place, bar, small=small)
        axes.set_xlim(-0.6, max(len(bars), 4) - 0.4)
        axes.set_xticks(range(len(bars)), [bar.label for bar in bars])
        axes.tick_params(axis="x", length=0, labelsize=min(7.5, pitch * 62), rotation=90 if upright else 0, pad=3)
        if upright:
            for text in axes.get_xticklabels():
                text.set(rotation_mode="anchor", ha="right", va="center")
        axes.spines["bottom"].set_visible(False)
        axes.axhline(0, color=INK, linewidth=0.8)
        title = f"Waterfall plot, {changes.title}: " + "; ".join(f"{b.label} {b.best.shown} {b.category}" for b in bars)
        return _svg(figure, title)


def spider_svg(changes: Changes, *, highest: Decimal | None = None, days: int | None = None) -> str:
    """One panel of the spider plot; ``highest`` (percent) and ``days`` are those of all panels, default: of this one."""
    lines = changes.lines
    longest = max((len(_end_label(line)) for line in lines), default=0)
    labelled = len(lines) <= MOST_LINES_WITH_LABELS
    right = 0.88 + (longest * 0.06 if labelled else 0)
    width = PANEL_WIDTH_IN + max(right - 2.2, 0)
    height = max(PANEL_HEIGHT_IN, 0.9 + 0.135 * len(lines) if labelled else 0)
    known = [p.percent for line in lines for p in line.points if p.percent is not None]
    with _figure(width, height) as figure:
        axes = figure.add_axes((0.8 / width, 0.46 / height, 1 - (0.8 + right) / width, 1 - 0.78 / height))
        top = highest if highest is not None else max(known, default=Decimal(0))
        _percent_axis(axes, -106, top, changes.cut_offs)
        axes.axhline(0, color=MUTED, linewidth=0.6)
        last = days if days is not None else max((line.points[-1].days for line in lines), default=0)
        axes.set_xlim(0, max(last, 1) * 1.02)
        axes.set_xlabel("days since baseline")
        axes.set_ylabel("change of the sum from baseline")
        for line in lines:
            _draw_line(axes, line)
        if labelled:
            _label_ends(axes, lines, height)
        _marker_legend(axes)
        title = f"Spider plot, {changes.title}: " + "; ".join(_in_words(line) for line in lines)
        return _svg(figure, title)


# --- parts -----------------------------------------------------------------------------------------------------------


def _percent_axis(axes: Any, lowest: float, highest: Decimal | float, cut_offs: tuple[Decimal, Decimal]) -> None:
    """A percent axis from ``lowest`` to the highest value (cut at the ceiling) with the two cut-offs."""
    top = max(35.0, min(float(highest), CEILING) * 1.05 + 14)
    axes.set_ylim(lowest, top)
    ticks = range(-100, int(top) + 1, 20)
    axes.set_yticks(ticks, [percent(Decimal(tick)) for tick in ticks])
    axes.grid(axis="y", color=RULE, linewidth=0.5)
    axes.set_axisbelow(True)
    for value in cut_offs:
        axes.axhline(float(value), color=INK, linewidth=0.8, linestyle=(0, (5, 3)))
        axes.annotate(
            percent(value), (1, float(value)), xycoords=("axes fraction", "data"), xytext=(4, 0), textcoords="offset points",
            ha="left", va="center", fontsize=7, color=INK, bbox=_ON_PAPER,
        )  # fmt: skip


def _draw_bar(axes: Any, place: int, bar: Bar, *, small: bool) -> None:
    look = look_of(bar.category)
    value = float(bar.best.percent)
    shown = min(value, CEILING)
    hatch = "////" if bar.category == "NE" else None
    axes.bar(place, shown, width=0.74, color=look.fill, edgecolor=look.line, linewidth=0.7, hatch=hatch)
    if value > CEILING:
        axes.plot([place - 0.42, place + 0.42], [CEILING - 8, CEILING - 4], color=INK, linewidth=1.6)
    up = value >= 0
    words = bar.category if small else f"{bar.category}\n{bar.best.shown}"
    axes.annotate(
        words, (place, shown), xytext=(0, 2 if up else -2), textcoords="offset points", ha="center",
        va="bottom" if up else "top", fontsize=6 if small else 7, linespacing=1.15,
        rotation=90 if small else 0, bbox=_ON_PAPER,
    )  # fmt: skip


def _draw_line(axes: Any, line: Line) -> None:
    """Solid between visits that follow each other, dotted across visits without a complete sum."""
    look = look_of(line.category)
    style = _LINE_STYLES[line.reader % len(_LINE_STYLES)]
    known = [(i, p) for i, p in enumerate(line.points) if p.percent is not None]
    common = {"color": look.line, "zorder": 3}
    for (i, a), (j, b) in pairwise(known):
        axes.plot(
            [a.days, b.days], [_cut(a), _cut(b)],
            linestyle=style if j == i + 1 else ":", linewidth=1.4 if j == i + 1 else 1.0, **common,
        )  # fmt: skip
    axes.plot([p.days for _, p in known], [_cut(p) for _, p in known], "o", markersize=2.6, **common)
    height = 0.0
    for point in line.points:
        complete = point.percent is not None
        height = _cut(point) if complete else height
        face = look.line if complete else "none"
        if point.progression:
            axes.plot(
                point.days, height, "s", markersize=6, markerfacecolor=face, markeredgecolor=INK, mew=0.9, zorder=4
            )
        if point.new_lesion:
            axes.plot(
                point.days, height, "*", markersize=10, markerfacecolor=face, markeredgecolor=INK, mew=0.9, zorder=5
            )


def _cut(point: Point) -> float:
    return min(float(point.percent or 0), CEILING)


def _last_known(line: Line) -> Point:
    return [p for p in line.points if p.percent is not None][-1]


def _end_label(line: Line) -> str:
    """Name and category at the end of a line, with the value where the line is cut."""
    highest = max(p.percent for p in line.points if p.percent is not None)
    cut = f", up to {percent(highest)}" if highest > CEILING else ""
    return f"{line.label} {line.category}{cut}"


def _label_ends(axes: Any, lines: Sequence[Line], height_in: float) -> None:
    """Names to the right of the axes, moved apart, with a thin leader from the end of the line."""
    low, top = axes.get_ylim()
    step = (top - low) * 0.125 / (height_in - 0.78)
    ordered = sorted(lines, key=lambda line: (_cut(_last_known(line)), line.label))
    heights = spread([_cut(_last_known(line)) for line in ordered], step, low + step / 2, top)
    right = axes.get_xlim()[1]
    for line, height in zip(ordered, heights, strict=True):
        end = _last_known(line)
        axes.annotate(
            _end_label(line), (end.days, _cut(end)), xytext=(right * 1.15, height), textcoords="data",
            va="center", ha="left", fontsize=7, annotation_clip=False,
            arrowprops={"arrowstyle": "-", "color": MUTED, "linewidth": 0.4, "shrinkA": 1, "shrinkB": 2},
        )  # fmt: skip


def spread(wanted: Sequence[float], step: float, low: float, high: float) -> list[float]:
    """Heights at least ``step`` apart for ascending wanted ones, as near as can be, within ``low`` and ``high`` if they fit.

    Neighbours that would overlap form a block around their mean.
    """
    blocks: list[list[float]] = []
    for index, value in enumerate(wanted):
        blocks.append([value - index * step])
        while len(blocks) > 1 and fmean(blocks[-1]) < fmean(blocks[-2]):
            blocks[-2:] = [blocks[-2] + blocks[-1]]
    starts = [fmean(block) for block in blocks for _ in block]
    room = high - (len(starts) - 1) * step
    return [min(max(start, low), max(room, low)) + index * step for index, start in enumerate(starts)]


def _marker_legend(axes: Any) -> None:
    from matplotlib.lines import Line2D

    def marker(shape: str, size: float, face: str, word: str) -> Any:
        return Line2D([], [], marker=shape, markersize=size, mfc=face, mec=INK, mew=0.9, linestyle="none", label=word)

    handles = [
        marker("s", 5.5, MUTED, "first progression"),
        marker("*", 9, MUTED, "new lesion first seen"),
        marker("s", 5.5, "none", "open: sum incomplete there"),
    ]
    axes.legend(
        handles=handles, loc="lower left", bbox_to_anchor=(-0.02, 1.0), ncols=3, frameon=False, fontsize=7,
        handletextpad=0.2, columnspacing=1.2, borderaxespad=0.2,
    )  # fmt: skip


def _in_words(line: Line) -> str:
    values = ", ".join(
        f"day {p.days} {percent(p.percent)}" for p in line.points if p.percent is not None and p.timepoint
    )
    return f"{line.label} {line.category}: {values}"


# --- svg -------------------------------------------------------------------------------------------------------------


@contextmanager
def _figure(width_in: float, height_in: float) -> Iterator[Any]:
    """A figure with fixed settings, whatever the machine's matplotlibrc says; no window, no global state."""
    import matplotlib as mpl
    from matplotlib.figure import Figure

    with mpl.rc_context(), warnings.catch_warnings():
        # Names in any script are fine: the browser has the font, only the estimate of their width is rough.
        warnings.filterwarnings("ignore", message="Glyph .* missing from", category=UserWarning)
        mpl.rcdefaults()
        mpl.rcParams.update(_SETTINGS)
        yield Figure(figsize=(width_in, height_in))


def _svg(figure: Any, description: str) -> str:
    buffer = io.StringIO()
    figure.savefig(
        buffer, format="svg", transparent=True, metadata=dict.fromkeys(("Date", "Creator", "Format", "Type"))
    )
    return _tidy(buffer.getvalue(), description)


_TAG = re.compile(r"<[^>]*>")
_SIZE = re.compile(r'\b(width|height)="([\d.]+)pt"')
_PIXELS_PER_POINT = 100 / 72


def _tidy(svg: str, description: str) -> str:
    """Only the drawing: no prolog, comments, style sheet (it would reach the page) or metadata; sized and described."""
    svg = svg[svg.index("<svg") :]
    svg = re.sub(r"<!--.*?-->|<metadata>.*?</metadata>|<metadata/>|<style\b.*?</style>", "", svg, flags=re.DOTALL)
    svg = _TAG.sub(lambda tag: tag[0].replace("'DejaVu Sans'", _FONTS), svg)
    root = _SIZE.sub(lambda m: f'{m[1]}="{float(m[2]) * _PIXELS_PER_POINT:.0f}"', svg[: svg.index(">")])
    label = html.escape(description, quote=True)
    attributes = f' stroke-linejoin="round" stroke-linecap="butt" role="img" aria-label="{label}"'
    svg = root + attributes + svg[svg.index(">") :]
    return re.sub(r"\n\s*\n+", "\n", svg).strip() + "\n"


def themed(svg: str, prefix: str) -> str:
    """The plot for a page: its ids made unique by ``prefix``, its ink and grid in the page's colours."""

    def of_page(found: re.Match[str]) -> str:
        tag = found[0]
        if "aria-label=" in tag:
            return tag
        tag = re.sub(r'\bid="', f'id="{prefix}-', tag)
        tag = re.sub(r'href="#', f'href="#{prefix}-', tag).replace("url(#", f"url(#{prefix}-")
        for colour, name in ((INK, "ink"), (MUTED, "muted"), (RULE, "rule"), (PAPER, "paper")):
            tag = tag.replace(colour, f"var(--{name})")
        return tag

    return _TAG.sub(of_page, svg)
