"""The report of a study as one HTML file: nothing in it is loaded from elsewhere, no script is needed to read or print it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from functools import cache
from importlib.resources import files
from typing import TYPE_CHECKING

from mrecist.model import BestResponse, Measurement, Response, VisitResponse
from mrecist.pictures.styles import LINES, OUTLINES
from mrecist.report.changes import NotDrawn, changes_by_criterion, highest, longest_follow_up
from mrecist.report.look import LOOKS, look_of, plain
from mrecist.report.plots import (
    CEILING,
    MOST_LINES_WITH_LABELS,
    PANEL_WIDTH_IN,
    spider_svg,
    themed,
    waterfall_svg,
)
from mrecist.report.views import (
    SubjectView,
    by_subject,
    general_problems,
    outline,
    subject_of_note,
    subject_views,
)
from mrecist.response.flags import MEANING
from mrecist.results import KeyImage, StudyResults

if TYPE_CHECKING:
    from jinja2 import Environment, Template


@dataclass(frozen=True, slots=True, kw_only=True)
class Panel:
    """A plot of one criterion; both plots are None where no read has a change to draw."""

    title: str
    waterfall: str | None
    spider: str | None
    not_drawn: tuple[NotDrawn, ...]
    wide: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Counts:
    """The size of the study in words."""

    subjects: int
    readers: int
    visits: int
    dates: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    """A page of a report in several, by its place from the first of them."""

    name: str
    html: str


def report_html(results: StudyResults, summary: str = "") -> str:
    """The report of a study; the same results give the same text. ``summary`` is where the page of verdicts lies.

    Every text of the study (ids, comments, messages) is escaped, control characters are left out.
    """
    return _page(results, subject_views(results), _panels(results), summary=summary)


def report_pages(
    results: StudyResults,
    pictures: Callable[[str], tuple[KeyImage, ...]],
    places: Mapping[str, str],
    summary: str = "",
) -> Iterator[Page]:
    """The report of a large study: a page for each subject, one after another, and ``report.html``, which leads to them.

    ``pictures`` gives the key images of a subject when its page is made; ``places`` the name of its page.
    """
    outlines: list[SubjectView] = []
    links: dict[str, str] = {}
    for subject, part in by_subject(results):
        part = replace(part, key_images=pictures(subject))
        (view,) = subject_views(part)
        back = "../" * places[subject].count("/")
        yield Page(
            name=places[subject], html=_page(part, (view,), (), back=f"{back}report.html", summary=back + summary)
        )
        anchor = f"subject-{len(outlines) + 1}"
        links[anchor] = places[subject]
        outlines.append(replace(outline(view), anchor=anchor))
    notes = tuple(note for note in results.notes if subject_of_note(note) not in places)
    index = replace(results, key_images=(), notes=notes)
    yield Page(name="report.html", html=_page(index, tuple(outlines), _panels(results), links=links, summary=summary))


def _page(
    results: StudyResults,
    subjects: tuple[SubjectView, ...],
    panels: tuple[Panel, ...],
    *,
    links: Mapping[str, str] | None = None,
    back: str = "",
    summary: str = "",
) -> str:
    from markupsafe import Markup

    return _template().render(
        style=Markup(_part("report.css")),
        looks=LOOKS,
        title=plain(results.title) or "study",
        results=results,
        counts=_counts(results, subjects),
        several_readers=len({read.reader for subject in subjects for read in subject.reads}) > 1,
        problems=general_problems(results.problems),
        subjects=subjects,
        panels=panels,
        links=links or {},
        back=back,
        summary=summary,
        flags=used_flags(results),
        categories=used_categories(results),
        flag_code=flag_code,
        meaning=MEANING,
        lines=LINES,
        outlines=OUTLINES,
        ceiling=CEILING,
        most_labels=MOST_LINES_WITH_LABELS,
    )


@cache
def _template() -> Template:
    return page_environment().from_string(_part("template.html"))


def page_environment() -> Environment:
    """What the templates of the report are made with: everything is escaped, a name that is missing is an error."""
    from jinja2 import Environment, StrictUndefined
    from markupsafe import Markup

    environment = Environment(autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True)
    environment.filters["svg"] = Markup
    environment.filters["look"] = look_of
    return environment


def _part(name: str) -> str:
    return files("mrecist.report").joinpath(name).read_text(encoding="utf-8")


def flag_code(flag: str) -> str:
    """The code of ``CODE:detail``."""
    return flag.partition(":")[0]


def used_flags(results: StudyResults) -> dict[str, str]:
    """The flags that occur, with their meaning, in alphabetical order."""
    rows: list[VisitResponse | BestResponse] = [*results.responses, *results.best]
    codes = sorted({flag_code(flag) for row in rows for flag in row.flags})
    return {code: MEANING.get(code, "no meaning recorded") for code in codes}


def used_categories(results: StudyResults) -> tuple[Response, ...]:
    """The categories that occur, in the order of the enumeration."""
    seen: set[Response | None] = set()
    for row in results.responses:
        seen |= {row.target, row.non_target, row.overall}
    for best in results.best:
        seen |= {best.best_unconfirmed, best.best_confirmed}
    return tuple(category for category in Response if category in seen)


def _counts(results: StudyResults, subjects: tuple[SubjectView, ...]) -> Counts:
    rows: list[Measurement | VisitResponse] = [*results.measurements, *results.responses]
    dates = sorted({row.date for row in rows if row.date is not None})
    visits = {(row.subject, row.timepoint) for row in rows}
    return Counts(
        subjects=len(subjects),
        readers=len({read.reader for subject in subjects for read in subject.reads}),
        visits=len(visits),
        dates=f"{dates[0]} to {dates[-1]}" if dates else "no dates",
    )


def _panels(results: StudyResults) -> tuple[Panel, ...]:
    changes = changes_by_criterion(results)
    most_bars, most_lines = highest(changes)
    days = longest_follow_up(changes)
    panels = []
    for index, one in enumerate(changes):
        waterfall = themed(waterfall_svg(one, highest=most_bars), f"w{index}") if one.bars else None
        spider = themed(spider_svg(one, highest=most_lines, days=days), f"s{index}") if one.lines else None
        wide = len(one.bars) > (PANEL_WIDTH_IN - 1.3) / 0.3
        panels.append(Panel(title=one.title, waterfall=waterfall, spider=spider, not_drawn=one.not_drawn, wide=wide))
    return tuple(panels)
