"""What became of each case of a run as one HTML page: those that need a person first, each with its reason and what to do."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from importlib.resources import files

from mrecist.report.html import page_environment
from mrecist.report.look import plain
from mrecist.results import Case, StudyResults, Verdict


def summary_html(results: StudyResults, cases: Iterable[Case], places: Mapping[str, str]) -> str:
    """The page; ``places`` says where the report of a subject lies. Every text of the study is escaped."""
    from markupsafe import Markup

    template = page_environment().from_string(_part("summary.html"))
    shown = tuple(cases)
    counted = Counter(case.verdict for case in shown if case.subject)
    return template.render(
        style=Markup(_part("report.css")),
        title=plain(results.title) or "study",
        version=results.version,
        protocol=results.protocol_sha256,
        total=sum(counted.values()),
        counts=[(str(verdict), counted[verdict]) for verdict in Verdict],
        cases=shown,
        links=dict(places),
        plain=plain,
    )


def _part(name: str) -> str:
    return files("mrecist.report").joinpath(name).read_text(encoding="utf-8")
