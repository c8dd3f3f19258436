"""Key images as SVG: the grey picture scaled to mm, the diameters and outlines as vectors, the sizes in a band below it.

The coordinates of the SVG are mm; what is drawn where is said by :mod:`mrecist.pictures.marks`. All pictures of one lesion have the
same size and scale. Nothing but thin lines and the letters at its edges is drawn on the picture.
"""

from __future__ import annotations

import base64
import html
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date

from mrecist.pictures.marks import FONT_POINTS, Mark, Stroke, marks_of, scale_length, scale_stroke
from mrecist.pictures.styles import LINES, line_style
from mrecist.report.look import plain, unbroken
from mrecist.results import KeyImage, Point
from mrecist.units import show

_WIDTH_PX, _HEIGHT_PX = 256.0, 320.0
_ROW_PX, _PAD_PX = 15.0, 6.0
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


def canvas_for(images: Sequence[KeyImage]) -> Canvas:
    """The canvas on which each of the pictures of one lesion fits."""
    width = max(image.size_mm[0] for image in images)
    height = max(image.size_mm[1] for image in images)
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


def picture_svg(image: KeyImage, canvas: Canvas) -> str:
    """The picture of one visit; every text in it is escaped."""
    wide, high = canvas.width_mm, canvas.height_mm + canvas.band_mm
    wide = max(wide, canvas.mm(_WIDTH_PX))
    own_width, own_height = image.size_mm
    left, top = (wide - own_width) / 2, (canvas.height_mm - own_height) / 2
    png = base64.b64encode(image.png).decode("ascii")
    in_words = ", ".join(f"{line_style(line.name).word} {show(line.mm)} mm" for line in image.lines)
    visit = "baseline" if image.timepoint == 0 else f"time point {image.timepoint}"
    label = html.escape(f"Lesion {plain(image.lesion)} at {visit}: {in_words or 'no diameter on this slice'}")
    return (
        f'<svg class="picture" role="img" aria-label="{label}" viewBox="0 0 {_n(wide)} {_n(high)}" '
        f'width="{_n(wide * canvas.px_per_mm)}" height="{_n(high * canvas.px_per_mm)}">'
        f'<rect class="tile" width="{_n(wide)}" height="{_n(high)}"/>'
        f'<g transform="translate({_n(left)} {_n(top)})">'
        f'<image width="{_n(own_width)}" height="{_n(own_height)}" preserveAspectRatio="none" '
        f'href="data:image/png;base64,{png}"/>'
        f'<g class="overlay">{"".join(_mark(mark, canvas) for mark in marks_of(image, canvas.mm(1)))}</g></g>'
        f"{_sizes(image, canvas, wide)}{_scale_bar(canvas, wide)}</svg>"
    )


def _mark(mark: Mark, canvas: Canvas) -> str:
    """A stroke or a text."""
    if not isinstance(mark, Stroke):
        x, y = mark.at
        return (
            f'<text class="{mark.role}" x="{_n(x)}" y="{_n(_baseline(y, canvas))}" text-anchor="middle"'
            f' font-size="{_n(canvas.mm(FONT_POINTS))}" fill="{mark.colour}">{html.escape(mark.text)}</text>'
        )
    look = f'stroke="{mark.colour}" vector-effect="non-scaling-stroke"'
    name = f'class="{mark.role}" data-name="{html.escape(plain(mark.name))}"'
    dashes = f'stroke-dasharray="{mark.dashes or "none"}"'
    if mark.role not in ("edge", "diameter"):
        return f'<path {name} d="{_path(mark)}" {look} {dashes}/>'
    (x1, y1), (x2, y2) = mark.points
    ends = f'x1="{_n(x1)}" y1="{_n(y1)}" x2="{_n(x2)}" y2="{_n(y2)}"'
    return f"<line {name} {ends} {look} {dashes}/>"


def _path(mark: Stroke) -> str:
    return "M" + "L".join(_pair(point) for point in mark.points) + ("Z" if mark.closed else "")


def _pair(point: Point) -> str:
    return f"{point[0]:.2f} {point[1]:.2f}"


def _baseline(middle: float, canvas: Canvas) -> float:
    """Where the letters of a text stand whose middle is known."""
    return middle + canvas.mm(FONT_POINTS * 0.36)


def _sizes(image: KeyImage, canvas: Canvas, wide: float) -> str:
    """The sizes in two columns below the picture, each with a sample of its line."""
    known = list(LINES)
    ordered = sorted(image.lines, key=lambda line: known.index(line.name) if line.name in known else len(known))
    drawn = []
    for place, line in enumerate(ordered):
        word, colour, dashes = line_style(line.name)
        x = canvas.mm(_PAD_PX) + (place % 2) * wide * _SECOND_COLUMN
        y = canvas.height_mm + canvas.mm(_PAD_PX + (place // 2 + 0.5) * _ROW_PX)
        drawn.append(
            f'<line x1="{_n(x)}" y1="{_n(y)}" x2="{_n(x + canvas.mm(15))}" y2="{_n(y)}" stroke="{colour}" stroke-width="2"'
            f' stroke-dasharray="{dashes or "none"}" vector-effect="non-scaling-stroke"/>'
            f'<text x="{_n(x + canvas.mm(19))}" y="{_n(_baseline(y, canvas))}" font-size="{_n(canvas.mm(FONT_POINTS))}"'
            f' fill="{colour}">{html.escape(plain(word))} {show(line.mm)} mm</text>'
        )
    return "".join(drawn)


def _scale_bar(canvas: Canvas, wide: float) -> str:
    length = scale_length(canvas.width_mm)
    y = canvas.height_mm + canvas.mm(_PAD_PX + (canvas.rows + 0.5) * _ROW_PX)
    right = wide - canvas.mm(_PAD_PX)
    bar = scale_stroke(right, y, length, canvas.mm(1))
    return (
        f'{_mark(bar, canvas)}<text x="{_n(right - length - canvas.mm(5))}" y="{_n(_baseline(y, canvas))}" text-anchor="end"'
        f' font-size="{_n(canvas.mm(FONT_POINTS))}" class="scale-text">{length} mm</text>'
    )
