"""How lines and outlines look on a grey picture, in the report and on axes alike.

Blue is the whole lesion and orange its viable part (after Okabe and Ito, told apart with every colour vision deficiency). Each line
has dashes of its own, so that they differ without colour too, and a viable diameter that lies on the longest one leaves it visible.
"""

from __future__ import annotations

from typing import NamedTuple

WHOLE, VIABLE, PLAIN = "#2f9cf0", "#f08c00", "#f2f4f6"

# Letters are thin: on grey they need a lighter tint of the same hue.
TINTS = {WHOLE: "#93cbff", VIABLE: "#ffbf60", PLAIN: PLAIN}


class Style(NamedTuple):
    """The word for a line, its colour, and its dashes as "on off ..." in points; no dashes: a full line."""

    word: str
    colour: str
    dashes: str


LINES = {
    "longest": Style("longest", WHOLE, ""),
    "short": Style("short", WHOLE, "6 3"),
    "viable": Style("viable", VIABLE, "9 3"),
    "viable_short": Style("viable short", VIABLE, "2 3"),
}
OUTLINES = {
    "whole": Style("outline of the lesion", WHOLE, ""),
    "viable": Style("outline of the viable part", VIABLE, "1 2"),
}


def line_style(name: str) -> Style:
    """The look of a line; one that is not known has its own name for a word."""
    return LINES.get(name, Style(name, PLAIN, ""))
