"""What is drawn on a picture of a lesion: strokes and words with their places in mm, for SVG and matplotlib alike.

The origin is the upper left corner of the picture, x to the right and y downwards, so a line end at pixel (x, y) lies at
(x * column spacing, y * row spacing). ``point_mm``, the size of one point (pixel of the page) in mm, is all that is known of the screen.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import hypot

from mrecist.pictures.labels import Box, Places, box_around
from mrecist.pictures.styles import OUTLINES, PLAIN, TINTS, line_style
from mrecist.results import KeyLine, Picture, Point
from mrecist.units import show

_DARK = "#000000"
FONT_POINTS, _CAP_POINTS, _EDGE_POINTS = 10.0, 4.0, 9.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Stroke:
    """A line or outline. ``role``: outline, edge, diameter, cap or scale; ``name``: of the outline or diameter.

    An edge lies below a diameter and is darker and wider, so that the line shows on bright tissue too.
    """

    role: str
    name: str
    points: tuple[Point, ...]
    colour: str
    dashes: str = ""
    closed: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Words:
    """A text centred on ``at``. ``role``: label (of the diameter ``name``), letter or scale."""

    role: str
    name: str
    text: str
    at: Point
    colour: str


Mark = Stroke | Words


def marks_of(
    picture: Picture, point_mm: float, *, labels: bool = False, scale_bar: tuple[bool, bool] | None = None
) -> tuple[Mark, ...]:
    """Outlines, diameters with a cap at each end, and the letters of the body at the edges.

    labels : with the size of each diameter beside one of its ends, outside the lesion.
    scale_bar : with a bar of 10 or 20 mm in a corner: (at the right, at the top).
    """
    letters = _letters(picture, point_mm)
    bar = _scale_bar(picture, point_mm, *scale_bar) if scale_bar is not None else ()
    edges = [Stroke(role="edge", name=line.name, points=ends_mm(line, picture), colour=_DARK) for line in picture.lines]
    lines = [mark for line in picture.lines for mark in _diameter(line, picture, point_mm)]
    sizes = _labels(picture, point_mm, (*letters, *bar)) if labels else ()
    return (*_outlines(picture), *edges, *lines, *letters, *bar, *sizes)


def _outlines(picture: Picture) -> tuple[Stroke, ...]:
    return tuple(
        Stroke(
            role="outline",
            name=name,
            points=tuple(picture.to_mm(point) for point in outline),
            colour=style.colour,
            dashes=style.dashes,
            closed=True,
        )
        for name, style in OUTLINES.items()
        for outline in picture.outlines.get(name, ())
        if outline
    )


def ends_mm(line: KeyLine, picture: Picture) -> tuple[Point, Point]:
    """Both ends in mm."""
    return picture.to_mm(line.start), picture.to_mm(line.end)


def _diameter(line: KeyLine, picture: Picture, point_mm: float) -> tuple[Stroke, ...]:
    style = line_style(line.name)
    (x1, y1), (x2, y2) = ends = ends_mm(line, picture)
    length = hypot(x2 - x1, y2 - y1) or 1.0
    across_x, across_y = (-part / length * _CAP_POINTS * point_mm for part in (y2 - y1, x1 - x2))
    caps = tuple(
        Stroke(
            role="cap",
            name=line.name,
            points=((x - across_x, y - across_y), (x + across_x, y + across_y)),
            colour=style.colour,
        )
        for x, y in ends
    )
    return (Stroke(role="diameter", name=line.name, points=ends, colour=style.colour, dashes=style.dashes), *caps)


def _letters(picture: Picture, point_mm: float) -> tuple[Words, ...]:
    wide, high = picture.size_mm
    inset = _EDGE_POINTS * point_mm
    places = ((inset, high / 2), (wide - inset, high / 2), (wide / 2, inset), (wide / 2, high - inset))
    return tuple(
        Words(role="letter", name=edge, text=text, at=at, colour=PLAIN)
        for edge, text, at in zip(("left", "right", "top", "bottom"), picture.letters, places, strict=True)
        if text
    )


def scale_length(wide_mm: float) -> int:
    """Length of the scale bar of a picture, in mm."""
    return 20 if wide_mm >= 50 else 10


def scale_stroke(right_mm: float, y_mm: float, length_mm: float, point_mm: float) -> Stroke:
    """A bar with a tick at each end, that ends at ``right_mm``."""
    left, tick = right_mm - length_mm, 3 * point_mm
    points = (
        (left, y_mm - tick),
        (left, y_mm + tick),
        (left, y_mm),
        (right_mm, y_mm),
        (right_mm, y_mm - tick),
        (right_mm, y_mm + tick),
    )
    return Stroke(role="scale", name="scale", points=points, colour=PLAIN)


def _scale_bar(picture: Picture, point_mm: float, at_right: bool, at_top: bool) -> tuple[Mark, ...]:
    wide, high = picture.size_mm
    length, inset, above = scale_length(wide), _EDGE_POINTS * point_mm, 1.1 * FONT_POINTS * point_mm
    right = wide - inset if at_right else inset + length
    y, middle = (inset, inset + above) if at_top else (high - inset, high - inset - above)
    words = Words(role="scale", name="scale", text=f"{length} mm", at=(right - length / 2, middle), colour=PLAIN)
    return scale_stroke(right, y, length, point_mm), words


def _labels(picture: Picture, point_mm: float, drawn: tuple[Mark, ...]) -> tuple[Words, ...]:
    """A label for each diameter, the longest first; where no place is free it stands in the next one there is."""
    places = Places(
        size_mm=picture.size_mm,
        outlines=[[picture.to_mm(point) for point in outline] for outline in picture.outlines.get("whole", ())],
        segments=[ends_mm(line, picture) for line in picture.lines],
        taken=[_covered(mark, point_mm) for mark in drawn],
    )
    labels = []
    for line in picture.lines:
        style = line_style(line.name)
        text = f"{style.word} {show(line.mm)} mm"
        at = places.take(ends_mm(line, picture), _extent(text, point_mm))
        labels.append(Words(role="label", name=line.name, text=text, at=at, colour=TINTS[style.colour]))
    return tuple(labels)


def _extent(text: str, point_mm: float) -> Point:
    """Width and height that a text takes, a little generous: no font is known here."""
    return (0.62 * len(text) + 0.4) * FONT_POINTS * point_mm, 1.3 * FONT_POINTS * point_mm


def _covered(mark: Mark, point_mm: float) -> Box:
    if isinstance(mark, Words):
        return box_around(mark.at, _extent(mark.text, point_mm))
    x, y = [p[0] for p in mark.points], [p[1] for p in mark.points]
    return min(x), min(y), max(x), max(y)
