"""Key images as SVG: the grey picture scaled to mm, the diameters and outlines as vectors, the sizes in a band below it.

The coordinates of the SVG are mm, so a line end at pixel (x, y) lies at (x * column spacing, y * row spacing). All pictures of
one lesion have the same size and scale. Nothing but thin lines is drawn on the picture.
"""

from __future__ import annotations

import base64
import html
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date

from mrecist.report.look import plain, unbroken
from mrecist.results import KeyImage, KeyLine, Point
from mrecist.units import show

# Name -> word, colour on the grey picture, dashes in screen pixels: distinct without colour too.
LINES = {
    "longest": ("longest", "#ffd23f", ""),
    "short": ("short", "#4cc9f0", "6 2"),
    "viable": ("viable", "#ff8fc7", "9 2 2 2"),
    "viable_short": ("viable short", "#a5e86b", "2 2"),
}
OUTLINES = {
    "whole": ("outline of the lesion", "#ffffff", ""),
    "viable": ("outline of the viable part", "#ff8fc7", "1 2"),
}
_WIDTH_PX, _HEIGHT_PX = 256.0, 320.0
_ROW_PX, _FONT_PX, _PAD_PX = 15.0, 10.0, 6.0
# Where the second column of sizes starts; its words are longer.
_SECOND_COLUMN = 0.43


@dataclass(frozen=True, slots=True, kw_only=True)
class Canvas:
    """What all pictures of a lesion share: size of the picture in mm, screen pixels per mm, rows of sizes below it."""

    width_mm: float
    height_mm: float
    px_per_mm: float
    rows: int

    def mm(self, pixels: float) -> float:
        """Screen pixels in mm."""
        return pixels / self.px_per_mm

    @property
    def band_mm(self) -> float:
        """Height of the band below the picture."""
        return self.mm((self.rows + 1) * _ROW_PX + _PAD_PX)


@dataclass(frozen=True, slots=True, kw_only=True)
class Card:
    """One picture with its caption."""

    svg: str
    visit: str
    day: str
    details: str


def size_mm(image: KeyImage) -> tuple[float, float]:
    """Width and height of the picture."""
    return image.width * image.column_spacing_mm, image.height * image.row_spacing_mm


def canvas_for(images: Sequence[KeyImage]) -> Canvas:
    """The canvas on which each of the pictures of one lesion fits."""
    width = max(size_mm(image)[0] for image in images)
    height = max(size_mm(image)[1] for image in images)
    rows = max((len(image.lines) + 1) // 2 for image in images)
    return Canvas(width_mm=width, height_mm=height, px_per_mm=min(_WIDTH_PX / width, _HEIGHT_PX / height), rows=rows)


def cards_for(images: Iterable[KeyImage], baseline: date | None) -> tuple[Card, ...]:
    """The cards of one lesion in the order of the visits."""
    ordered = sorted(images, key=lambda image: (image.timepoint, image.slice_number))
    canvas = canvas_for(ordered)
    return tuple(_card(image, canvas, baseline) for image in ordered)


def _card(image: KeyImage, canvas: Canvas, baseline: date | None) -> Card:
    centre, width = image.window
    numbers = (unbroken(f"slice {image.slice_number}"), unbroken(f"C {centre:.0f} W {width:.0f}"))
    parts = (plain(image.phase), plain(image.series), *numbers)
    visit = "Baseline" if image.timepoint == 0 else f"TP {image.timepoint}"
    day = "no date" if image.date is None else image.date.isoformat()
    if image.date is not None and baseline is not None and image.timepoint > 0:
        day += f", day {(image.date - baseline).days}"
    details = " · ".join(part for part in parts if part)
    return Card(svg=picture_svg(image, canvas), visit=visit, day=day, details=details)


# --- drawing ---------------------------------------------------------------------------------------------------------


def _n(value: float) -> str:
    """A coordinate to a thousandth of a mm."""
    text = f"{value:.3f}".rstrip("0").rstrip(".")
    return "0" if text == "-0" else text


def to_mm(point: Point, image: KeyImage) -> Point:
    """A point of the picture in mm from its upper left corner."""
    return point[0] * image.column_spacing_mm, point[1] * image.row_spacing_mm


def picture_svg(image: KeyImage, canvas: Canvas) -> str:
    """The picture of one visit; every text in it is escaped."""
    wide, high = canvas.width_mm, canvas.height_mm + canvas.band_mm
    wide = max(wide, canvas.mm(_WIDTH_PX))
    own_width, own_height = size_mm(image)
    left, top = (wide - own_width) / 2, (canvas.height_mm - own_height) / 2
    png = base64.b64encode(image.png).decode("ascii")
    in_words = ", ".join(f"{LINES.get(line.name, (line.name,))[0]} {show(line.mm)} mm" for line in image.lines)
    visit = "baseline" if image.timepoint == 0 else f"time point {image.timepoint}"
    label = html.escape(f"Lesion {plain(image.lesion)} at {visit}: {in_words or 'no diameter on this slice'}")
    return (
        f'<svg class="picture" role="img" aria-label="{label}" viewBox="0 0 {_n(wide)} {_n(high)}" '
        f'width="{_n(wide * canvas.px_per_mm)}" height="{_n(high * canvas.px_per_mm)}">'
        f'<rect class="tile" width="{_n(wide)}" height="{_n(high)}"/>'
        f'<g transform="translate({_n(left)} {_n(top)})">'
        f'<image width="{_n(own_width)}" height="{_n(own_height)}" preserveAspectRatio="none" '
        f'href="data:image/png;base64,{png}"/>'
        f'<g class="overlay">{_outlines(image)}{"".join(_line(line, image, canvas) for line in image.lines)}</g></g>'
        f"{_sizes(image, canvas, wide)}{_scale_bar(canvas, wide)}</svg>"
    )


def _outlines(image: KeyImage) -> str:
    drawn = []
    for name, (_, colour, dashes) in OUTLINES.items():
        closed = [outline for outline in image.outlines.get(name, ()) if outline]
        path = "".join("M" + "L".join(_pair(to_mm(p, image)) for p in outline) + "Z" for outline in closed)
        if path:
            drawn.append(
                f'<path class="outline" data-name="{name}" d="{path}" stroke="{colour}"'
                f' stroke-dasharray="{dashes or "none"}" vector-effect="non-scaling-stroke"/>'
            )
    return "".join(drawn)


def _pair(point: Point) -> str:
    return f"{point[0]:.2f} {point[1]:.2f}"


def _style(line: KeyLine) -> tuple[str, str, str]:
    return LINES.get(line.name, (plain(line.name), "#ffffff", ""))


def _line(line: KeyLine, image: KeyImage, canvas: Canvas) -> str:
    """The diameter with a dark edge, so that it shows on bright tissue too, and a small cap at each end."""
    (x1, y1), (x2, y2) = to_mm(line.start, image), to_mm(line.end, image)
    _, colour, dashes = _style(line)
    ends = f'x1="{_n(x1)}" y1="{_n(y1)}" x2="{_n(x2)}" y2="{_n(y2)}" vector-effect="non-scaling-stroke"'
    length = ((x2 - x1) ** 2 + (y2 - y1) ** 2) ** 0.5 or 1.0
    across_x, across_y = -(y2 - y1) / length * canvas.mm(4), (x2 - x1) / length * canvas.mm(4)
    caps = "".join(
        f"M{_n(x - across_x)} {_n(y - across_y)}L{_n(x + across_x)} {_n(y + across_y)}" for x, y in ((x1, y1), (x2, y2))
    )
    return (
        f'<line class="edge" {ends}/>'
        f'<line class="diameter" data-name="{html.escape(line.name)}" {ends} stroke="{colour}"'
        f' stroke-dasharray="{dashes or "none"}"/>'
        f'<path class="cap" d="{caps}" stroke="{colour}" vector-effect="non-scaling-stroke"/>'
    )


def _sizes(image: KeyImage, canvas: Canvas, wide: float) -> str:
    """The sizes in two columns below the picture, each with a sample of its line."""
    known = list(LINES)
    ordered = sorted(image.lines, key=lambda line: known.index(line.name) if line.name in known else len(known))
    drawn = []
    for place, line in enumerate(ordered):
        word, colour, dashes = _style(line)
        x = canvas.mm(_PAD_PX) + (place % 2) * wide * _SECOND_COLUMN
        y = canvas.height_mm + canvas.mm(_PAD_PX + (place // 2 + 0.5) * _ROW_PX)
        drawn.append(
            f'<line x1="{_n(x)}" y1="{_n(y)}" x2="{_n(x + canvas.mm(15))}" y2="{_n(y)}" stroke="{colour}" stroke-width="2"'
            f' stroke-dasharray="{dashes or "none"}" vector-effect="non-scaling-stroke"/>'
            f'<text x="{_n(x + canvas.mm(19))}" y="{_n(y + canvas.mm(_FONT_PX * 0.36))}" font-size="{_n(canvas.mm(_FONT_PX))}"'
            f' fill="{colour}">{html.escape(word)} {show(line.mm)} mm</text>'
        )
    return "".join(drawn)


def _scale_bar(canvas: Canvas, wide: float) -> str:
    length = 20 if canvas.width_mm >= 50 else 10
    y = canvas.height_mm + canvas.mm(_PAD_PX + (canvas.rows + 0.5) * _ROW_PX)
    right = wide - canvas.mm(_PAD_PX)
    left, tick = right - length, canvas.mm(3)
    path = f"M{_n(left)} {_n(y - tick)}V{_n(y + tick)}M{_n(left)} {_n(y)}H{_n(right)}M{_n(right)} {_n(y - tick)}V{_n(y + tick)}"
    return (
        f'<path class="scale" d="{path}" vector-effect="non-scaling-stroke"/>'
        f'<text x="{_n(left - canvas.mm(5))}" y="{_n(y + canvas.mm(_FONT_PX * 0.36))}" text-anchor="end"'
        f' font-size="{_n(canvas.mm(_FONT_PX))}" class="scale-text">{length} mm</text>'
    )
