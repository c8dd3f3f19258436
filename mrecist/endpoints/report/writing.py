"""How a page is written from tables and figures: one file, everything escaped, nothing loaded from elsewhere."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Sequence
from importlib.resources import files

from mrecist.endpoints.report.pictures import Drawn, inline
from mrecist.endpoints.report.table import Rows

_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\ufffe\uffff\ud800-\udfff]+")


def page_text(template: str, style: str, drawn: Sequence[Drawn], **values: object) -> str:
    """The page of a template, which may take ``table`` and ``figure`` from ``macros.html``; the same values give the same text."""
    from jinja2 import DictLoader, Environment, StrictUndefined
    from markupsafe import Markup

    environment = Environment(
        loader=DictLoader({"macros.html": part("macros.html")}),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters["svg"] = lambda one: Markup(inline(one.svg, f"f{drawn.index(one)}"))
    return environment.from_string(template).render(style=Markup(style), **values)


def part(name: str) -> str:
    """A file of this package."""
    return files("mrecist.endpoints.report").joinpath(name).read_text(encoding="utf-8")


def plain(text: str) -> str:
    """Text without the control characters that no page may hold."""
    return _CONTROL.sub(" ", text).strip()


def rows_of(text: str) -> Rows:
    """A CSV file as it is read back, so that the page shows what the file says."""
    found = csv.DictReader(io.StringIO(text, newline=""))
    return [{name: plain(cell or "") for name, cell in row.items()} for row in found]
