"""Figures as they stand in the page: the SVG of the file without what only a file needs, its ids made unique."""

from __future__ import annotations

import re
from dataclasses import dataclass

from mrecist.endpoints.figures.plan import Plan

_PIXELS_PER_POINT = 96 / 72
_SIZE = re.compile(r'\b(width|height)="([0-9.]+)pt"')
_TAG = re.compile(r"<[^<>]*>")
_FILE_ONLY = re.compile(r"<!--.*?-->|<metadata>.*?</metadata>|<title>.*?</title>", re.DOTALL)


@dataclass(frozen=True, slots=True)
class Drawn:
    """A figure with its SVG and the path of its files without the suffix; without an SVG ``told`` says why there is none."""

    plan: Plan
    svg: str = ""
    path: str = ""
    told: str = ""


def inline(svg: str, prefix: str) -> str:
    """The drawing for a page: letters are paths in it, so no text of the study is left in its elements."""
    plain = _FILE_ONLY.sub("", svg[svg.index("<svg") :])
    end = plain.index(">")
    root = _SIZE.sub(lambda found: f'{found[1]}="{float(found[2]) * _PIXELS_PER_POINT:.0f}"', plain[:end])
    root = root.replace("<svg", '<svg aria-hidden="true" focusable="false"', 1)
    body = _TAG.sub(lambda found: _unique(found[0], prefix), plain[end:])
    return re.sub(r"\n\s*\n+", "\n", root + body).strip()


def _unique(tag: str, prefix: str) -> str:
    tag = re.sub(r'\bid="', f'id="{prefix}-', tag)
    return re.sub(r'href="#', f'href="#{prefix}-', tag).replace("url(#", f"url(#{prefix}-")
