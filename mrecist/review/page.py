"""Both derivations of a case as one page: nothing in it is loaded from elsewhere, no script."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from mrecist import __version__
from mrecist.review.compared import Compared, SideBySide, VisitSaid

_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\ufffe\uffff\ud800-\udfff]+")
# Of a visit: field -> words. The reason is not shaded: it differs wherever the sizes do.
_FIELDS = {
    "sum": "sum",
    "percent": "change from baseline, %",
    "target": "target",
    "non_target": "non-target",
    "new_lesion": "new lesion",
    "overall": "overall response",
    "flags": "flags",
    "reason": "reason",
}
_PAGE = """\
<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>Case {{ shown.case }}</title>
<style>
body { font: 15px/1.4 system-ui, sans-serif; margin: 1.5rem; color: #1a1a1a; background: #fff; }
table { border-collapse: collapse; margin: .6rem 0 1.2rem; }
th, td { border: 1px solid #bbb; padding: .25rem .5rem; text-align: left; vertical-align: top; max-width: 34rem; }
th { background: #f0f0f0; }
.differs { background: #fff3c4; }
</style></head><body>
<h1>Case {{ shown.case }}</h1>
<p>Adjudicated on {{ shown.adjudicated_on | join(", ") }}.
Days are counted from the baseline. Where the reads differ, the cell is shaded.</p>
{% for one, tables in parts %}
<h2>{{ one.title }} ({{ one.criterion }})</h2>
{% if one.first %}
<p>First difference: <b>{{ one.first.variable }}</b>
{%- if one.first.timepoint is not none %} at visit {{ one.first.timepoint }}{% endif %}:
{{ one.first.values | join(" and ") }}. Cause: {{ one.first.meaning }}{% if one.first.detail %} ({{ one.first.detail }}){% endif %}.</p>
{% else %}
<p>The readers agree.</p>
{% endif %}
{% if one.picked or one.stale %}
<p>Picked: {{ one.picked or "a read that is not of this case any more" }}
{%- if one.stale %}. The pick holds no more: {{ one.stale }}{% endif %}.</p>
{% endif %}
{% for table in tables %}
<table><tr>{% for name in table.header %}<th>{{ name }}</th>{% endfor %}</tr>
{% for row in table.rows %}
<tr>{% for name in row.names %}<th>{{ name }}</th>{% endfor %}
{%- for cell in row.cells %}<td{% if row.differs %} class="differs"{% endif %}>{{ cell }}</td>{% endfor %}</tr>
{% endfor %}
</table>
{% endfor %}
{% endfor %}
<p>State {{ shown.state }}, mrecist {{ version }}</p>
</body></html>
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Row:
    names: tuple[str, ...]
    cells: tuple[str, ...]
    differs: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class _Table:
    header: tuple[str, ...]
    rows: tuple[_Row, ...]


def compared_html(shown: SideBySide) -> str:
    """The page of a case; every text is escaped, control characters are left out."""
    from jinja2 import Environment, StrictUndefined

    environment = Environment(autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True)
    parts = [(one, [*_tables(one)]) for one in shown.criteria]
    text = environment.from_string(_PAGE).render(shown=shown, parts=parts, version=__version__)
    return _CONTROL.sub("", text)


def _tables(one: Compared) -> Iterator[_Table]:
    names = tuple(one.reads)
    yield _Table(header=("whole course", *names), rows=(*_whole(one),))
    yield _Table(header=("visit", "day", "", *names), rows=(*_visits(one),))
    if one.differences:
        yield _Table(
            header=("difference", "visit", "readers", "values", "cause", "detail", "also", "adjudicated"),
            rows=(*_differences(one),),
        )


def _whole(one: Compared) -> Iterator[_Row]:
    for variable in next(iter(one.reads.values())).values:
        cells = tuple(read.values[variable] for read in one.reads.values())
        yield _Row(names=(variable,), cells=cells, differs=len(set(cells)) > 1)
    yield _Row(names=("reason",), cells=tuple(read.reason for read in one.reads.values()))


def _visits(one: Compared) -> Iterator[_Row]:
    for visit in one.visits:
        for field, words in _FIELDS.items():
            cells = []
            for name in one.reads:
                said = visit.reads.get(name)
                cells.append("no response" if said is None else _cell(said, field))
            if any(cells):
                differs = field not in ("reason", "flags") and len(set(cells)) > 1
                yield _Row(names=(str(visit.timepoint), str(visit.day), words), cells=tuple(cells), differs=differs)


def _cell(said: VisitSaid, field: str) -> str:
    if field == "sum" and said.sum:
        return f"{said.sum} {said.unit}"
    return " ".join(said.flags) if field == "flags" else str(getattr(said, field))


def _differences(one: Compared) -> Iterator[_Row]:
    for each in one.differences:
        visit = "" if each.timepoint is None else str(each.timepoint)
        cells = (" and ".join(each.readers), " and ".join(each.values), each.meaning, each.detail, ", ".join(each.also))
        yield _Row(names=(each.variable, visit), cells=(*cells, "yes" if each.adjudicated else "no"))
