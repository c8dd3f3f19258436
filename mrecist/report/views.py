"""The contents of the report in the order in which they are read, as plain data for the template."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from datetime import date
from typing import Any

from mrecist.criteria.irecist import PLAIN
from mrecist.model import BestResponse, Kind, Measurement, Problem, Response, Role, VisitResponse, VisitStability
from mrecist.report import cells
from mrecist.report.cells import Cell
from mrecist.report.look import natural, plain
from mrecist.report.pictures import Card, cards_for
from mrecist.results import CriterionText, FindingText, KeyImage, StudyResults

# Wider tables fit neither a page nor a mind; more visits continue in a second table.
VISITS_A_TABLE = 8


@dataclass(frozen=True, slots=True, kw_only=True)
class Head:
    """A column of the table: one visit."""

    timepoint: int
    name: str
    date: str
    day: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """A row of the table."""

    name: str
    note: str
    cells: tuple[Cell, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Group:
    """Rows under a common heading: targets, non-targets, new lesions, a criterion."""

    title: str
    note: str
    rows: tuple[Row, ...]
    css: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Table:
    """Some visits of a read."""

    heads: tuple[Head, ...]
    groups: tuple[Group, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Reason:
    """Why a visit has its category."""

    visit: str
    category: str
    # The sentence in pieces; every second one is a source in brackets.
    words: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class CriterionView:
    """One criterion of a read: its best response and the reasons, visit by visit."""

    text: CriterionText
    best: BestResponse | None
    reasons: tuple[Reason, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Lesion:
    """The key images of one lesion."""

    name: str
    note: str
    cards: tuple[Card, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class ReadView:
    """One subject as one reader saw it."""

    subject: str
    reader: str
    tables: tuple[Table, ...]
    criteria: tuple[CriterionView, ...]
    lesions: tuple[Lesion, ...]
    gaps: str
    differences: tuple[str, ...]
    problems: tuple[str, ...]
    # Errors and warnings of the checks, then notes: (severity, words).
    findings: tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class SubjectView:
    """One subject; ``anchor`` is its id in the page, ``name`` its name as the tables have it."""

    name: str
    subject: str
    anchor: str
    arm: str
    reads: tuple[ReadView, ...]
    differences: tuple[str, ...]
    problems: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class _Given:
    """All that belongs to one read."""

    rows: list[Measurement]
    visits: dict[str, list[VisitResponse]]
    best: dict[str, BestResponse]
    images: list[KeyImage]
    problems: list[str]
    # Criterion -> time point -> how firmly its response stands.
    stability: dict[str, dict[int, VisitStability]]
    findings: list[FindingText]


def subject_views(results: StudyResults) -> tuple[SubjectView, ...]:
    """All subjects in the order of their names, those without a result among them."""
    reads = _by_read(results)
    general: dict[str, list[str]] = {}
    subjects: dict[str, dict[str, _Given]] = {}
    for problem in results.problems:
        if problem.subject and not problem.reader:
            subjects.setdefault(problem.subject, {})
            general.setdefault(problem.subject, []).append(plain(problem.message))
    for (subject, reader), given in reads.items():
        subjects.setdefault(subject, {})[reader] = given
    ordered = sorted(subjects, key=natural)
    return tuple(
        _subject_view(name, f"subject-{index}", subjects[name], general.get(name, []), results)
        for index, name in enumerate(ordered, start=1)
    )


def outline(view: SubjectView) -> SubjectView:
    """What the table of all subjects shows of one."""
    reads = tuple(
        replace(
            read,
            tables=(),
            lesions=(),
            findings=(),
            criteria=tuple(replace(criterion, reasons=()) for criterion in read.criteria),
        )
        for read in view.reads
    )
    return replace(view, reads=reads)


def by_subject(results: StudyResults) -> Iterator[tuple[str, StudyResults]]:
    """The results of each subject, in the order of their names; its notes are those that begin with its name."""
    parts: dict[str, dict[str, list[Any]]] = {}
    for name in ("measurements", "responses", "best", "problems", "findings", "stability", "key_images"):
        for row in getattr(results, name):
            if row.subject:
                parts.setdefault(row.subject, {}).setdefault(name, []).append(row)
    for note in results.notes:
        if (subject := subject_of_note(note)) in parts:
            parts[subject].setdefault("notes", []).append(note)
    empty = replace(
        results, measurements=(), responses=(), best=(), problems=(), findings=(), stability=(), key_images=(), notes=()
    )
    for subject in sorted(parts, key=natural):
        of_subject: dict[str, Any] = {name: tuple(rows) for name, rows in parts[subject].items()}
        yield subject, replace(empty, **of_subject)


def subject_of_note(note: str) -> str:
    """Whose note it is: a note of a subject begins with its name."""
    return note.partition(":")[0].partition(",")[0]


def general_problems(problems: Iterable[Problem]) -> tuple[str, ...]:
    """Problems of no particular subject."""
    return tuple(plain(problem.message) for problem in problems if not problem.subject)


def _by_read(results: StudyResults) -> dict[tuple[str, str], _Given]:
    reads: dict[tuple[str, str], _Given] = {}

    def of(subject: str, reader: str) -> _Given:
        return reads.setdefault((subject, reader), _Given([], {}, {}, [], [], {}, []))

    for row in results.measurements:
        of(row.subject, row.reader).rows.append(row)
    for visit in results.responses:
        of(visit.subject, visit.reader).visits.setdefault(visit.criterion, []).append(visit)
    for best in results.best:
        of(best.subject, best.reader).best[best.criterion] = best
    for one in results.stability:
        of(one.subject, one.reader).stability.setdefault(one.criterion, {})[one.timepoint] = one
    for image in results.key_images:
        of(image.subject, image.reader).images.append(image)
    # What concerns no single read stands elsewhere on the page.
    for problem in (p for p in results.problems if p.subject and p.reader):
        of(problem.subject, problem.reader).problems.append(plain(problem.message))
    for finding in (f for f in results.findings if f.subject):
        of(finding.subject, finding.reader).findings.append(finding)
    return reads


def _subject_view(
    subject: str, anchor: str, reads: dict[str, _Given], problems: list[str], results: StudyResults
) -> SubjectView:
    ordered = {reader: reads[reader] for reader in sorted(reads, key=natural)}
    everyone = {t for given in ordered.values() for t in _timepoints(given)}
    return SubjectView(
        name=subject,
        subject=plain(subject),
        anchor=anchor,
        arm=plain(results.arms.get(subject, "")),
        reads=tuple(_read_view(subject, reader, given, everyone, results) for reader, given in ordered.items()),
        differences=_between_readers(ordered, results.criteria),
        problems=tuple(problems),
    )


def _timepoints(given: _Given) -> set[int]:
    """The visits of a read."""
    return {row.timepoint for row in given.rows} | {v.timepoint for visits in given.visits.values() for v in visits}


def _read_view(subject: str, reader: str, given: _Given, everyone: set[int], results: StudyResults) -> ReadView:
    heads = _heads(given)
    groups = (*_lesion_groups(given, heads), *_criterion_groups(given, heads, results.criteria))
    return ReadView(
        subject=plain(subject),
        reader=plain(reader),
        tables=tuple(_part(heads, groups, start) for start in range(0, len(heads), VISITS_A_TABLE)),
        criteria=tuple(_criterion_view(text, given) for text in results.criteria),
        lesions=_lesions(given, _baseline_date(given)),
        gaps=_gaps(_timepoints(given), everyone),
        differences=_between_criteria(given, results.criteria),
        problems=tuple(given.problems),
        findings=tuple(_findings(given)),
    )


def _findings(given: _Given) -> Iterator[tuple[str, str]]:
    """Errors first, each as one sentence with its visit and what to do."""
    order = ("error", "warning", "note")
    for finding in sorted(given.findings, key=lambda one: (order.index(one.severity), one.timepoint or 0)):
        visit = "" if finding.timepoint is None else f"{visit_name(finding.timepoint)}: "
        yield finding.severity, plain(f"{visit}{finding.what}. {finding.what_to_do}")


def _part(heads: tuple[Head, ...], groups: tuple[Group, ...], start: int) -> Table:
    end = start + VISITS_A_TABLE

    def cut(group: Group) -> Group:
        rows = tuple(Row(name=row.name, note=row.note, cells=row.cells[start:end]) for row in group.rows)
        return Group(title=group.title, note=group.note, rows=rows, css=group.css)

    return Table(heads=heads[start:end], groups=tuple(cut(group) for group in groups))


# --- columns ---------------------------------------------------------------------------------------------------------


def visit_name(timepoint: int) -> str:
    """How a visit is called in a column: the reasons call it time point."""
    return "Baseline" if timepoint == 0 else f"TP {timepoint}"


def _dates(given: _Given) -> dict[int, date]:
    """The date of each visit: that of the responses, else the latest of its rows."""
    dates: dict[int, date] = {}
    for row in given.rows:
        if row.date is not None:
            dates[row.timepoint] = max(row.date, dates.get(row.timepoint, row.date))
    for visits in given.visits.values():
        dates.update({visit.timepoint: visit.date for visit in visits})
    return dates


def _baseline_date(given: _Given) -> date | None:
    return _dates(given).get(0)


def _heads(given: _Given) -> tuple[Head, ...]:
    dates = _dates(given)
    start = dates.get(0)
    heads = []
    for timepoint in sorted(_timepoints(given)):
        day = dates.get(timepoint)
        days = f"day {(day - start).days}" if day is not None and start is not None else ""
        shown = day.isoformat() if day is not None else "no date"
        heads.append(Head(timepoint=timepoint, name=visit_name(timepoint), date=shown, day=days))
    return tuple(heads)


def _gaps(own: set[int], everyone: set[int]) -> str:
    """The time points without any row, in words: those that another reader read and those that the numbering leaves out."""
    if not own:
        return ""
    left_out = {t for t in range(min(own), max(own)) if t not in own} if max(own) < 4 * len(own) + 8 else set()
    missing = sorted((everyone - own) | left_out)
    if not missing:
        return ""
    word = "time point" if len(missing) == 1 else "time points"
    return f"No row at {word} {', '.join(str(t) for t in missing)}: nothing was evaluated there."


# --- lesions ---------------------------------------------------------------------------------------------------------

_GROUPS = {Role.TARGET: "Targets", Role.NON_TARGET: "Non-targets", Role.NEW: "New lesions"}


def _lesion_groups(given: _Given, heads: tuple[Head, ...]) -> list[Group]:
    history: dict[str, dict[int, Measurement]] = {}
    parts: dict[tuple[str, int], list[str]] = {}
    for row in sorted(given.rows, key=lambda row: row.timepoint):
        history.setdefault(row.lesion, {})[row.timepoint] = row
        if row.part_of:
            parts.setdefault((row.part_of, row.timepoint), []).append(row.lesion)
    groups = []
    for role, title in _GROUPS.items():
        of_role = [rows for rows in history.values() if next(iter(rows.values())).role is role]
        rows = tuple(_lesion_row(rows, parts, heads) for rows in of_role)
        if rows:
            groups.append(Group(title=title, note="", rows=rows, css="lesions"))
    return groups


def _lesion_row(rows: dict[int, Measurement], parts: dict[tuple[str, int], list[str]], heads: tuple[Head, ...]) -> Row:
    first = next(iter(rows.values()))
    found = []
    earlier: Measurement | None = None
    for head in heads:
        row = rows.get(head.timepoint)
        in_parts = tuple(parts.get((first.lesion, head.timepoint), ()))
        found.append(cells.lesion_cell(row) if row else cells.empty_cell(first, head.timepoint, earlier, in_parts))
        earlier = row or earlier
    return Row(name=plain(first.lesion), note=_place(first), cells=tuple(found))


def _place(row: Measurement) -> str:
    """Role, kind and place of a lesion."""
    kind = "lymph node" if row.kind is Kind.NODE else "lesion"
    place = ", ".join(part for part in (plain(row.organ), plain(row.station)) if part)
    if row.kind is Kind.NODE and place.casefold().startswith("lymph node"):
        kind, place = "lymph node", place[len("lymph node") :].lstrip(", ")
    return " · ".join(part for part in (f"{row.role} {kind}", place) if part)


def _lesions(given: _Given, baseline: date | None) -> tuple[Lesion, ...]:
    places = {row.lesion: _place(row) for row in reversed(given.rows)}
    by_lesion: dict[str, list[KeyImage]] = {}
    for image in given.images:
        by_lesion.setdefault(image.lesion, []).append(image)
    return tuple(
        Lesion(name=plain(name), note=places.get(name, ""), cards=cards_for(by_lesion[name], baseline))
        for name in sorted(by_lesion, key=natural)
    )


# --- criteria --------------------------------------------------------------------------------------------------------


def _criterion_groups(given: _Given, heads: tuple[Head, ...], criteria: tuple[CriterionText, ...]) -> list[Group]:
    has_targets = any(row.role is Role.TARGET for row in given.rows)
    groups = []
    for text in criteria:
        if text.name not in given.visits:
            continue
        at = {visit.timepoint: visit for visit in given.visits[text.name]}
        left_out = [] if any(visit.flags for visit in at.values()) else ["Flags"]
        left_out += [] if text.name in given.stability else ["Stability"]
        rows = tuple(
            Row(
                name=name,
                note="if measured again" if name == "Stability" else "",
                cells=tuple(make(at[h.timepoint]) if h.timepoint in at else cells.NONE for h in heads),
            )
            for name, make in (
                ("Sum", lambda visit: cells.sum_cell(visit, has_targets=has_targets)),
                ("From baseline", cells.baseline_cell),
                ("From nadir", cells.nadir_cell),
                ("Target", lambda visit: cells.category_cell(visit.target)),
                ("Non-target", lambda visit: cells.category_cell(visit.non_target)),
                ("New lesion", cells.new_lesion_cell),
                ("Overall", lambda visit: cells.category_cell(visit.overall)),
                ("Stability", _stability_of(given, text)),
                ("Flags", cells.flags_cell),
            )
            if name not in left_out
        )
        groups.append(Group(title=text.title, note=text.quantity, rows=rows, css="criterion"))
    return groups


def _stability_of(given: _Given, text: CriterionText) -> Callable[[VisitResponse], Cell]:
    found = given.stability.get(text.name, {})
    return lambda visit: cells.stability_cell(found.get(visit.timepoint))


def _criterion_view(text: CriterionText, given: _Given) -> CriterionView:
    visits = sorted(given.visits.get(text.name, []), key=lambda visit: visit.timepoint)
    reasons = tuple(
        Reason(
            visit=visit_name(visit.timepoint),
            category="" if visit.overall is None else str(visit.overall),
            words=_reason(visit),
        )
        for visit in visits
    )
    return CriterionView(text=text, best=given.best.get(text.name), reasons=reasons)


def _reason(visit: VisitResponse) -> tuple[str, ...]:
    """The reason without the category or "Baseline:" that stands before it already, its sources apart."""
    words = plain(visit.reason)
    for start in (f"{visit.overall}: ", "Baseline: "):
        words = words.removeprefix(start)
    return tuple(re.split(r"(\[[^\[\]]*\])", words))


# --- differences -----------------------------------------------------------------------------------------------------


# Of iRECIST -> the category of the others that says the same; a confirmed progression is one too.
_ALIKE = {str(immune): str(plain) for immune, plain in {**PLAIN, Response.ICPD: Response.PD}.items()}


def _between_criteria(given: _Given, criteria: tuple[CriterionText, ...]) -> tuple[str, ...]:
    """Where the criteria give different categories: best response first, then visit by visit."""
    found = []
    best = [(text.title, str(given.best[text.name].best_unconfirmed)) for text in criteria if text.name in given.best]
    if len({_ALIKE.get(category, category) for _, category in best}) > 1:
        found.append(f"Best response differs: {_pairs(best)}")
    at: dict[int, list[tuple[str, str]]] = {}
    for text in criteria:
        for visit in given.visits.get(text.name, []):
            if visit.overall is not None:
                at.setdefault(visit.timepoint, []).append((text.title, str(visit.overall)))
    alike: dict[str, list[str]] = {}
    for timepoint in sorted(at):
        if len({_ALIKE.get(category, category) for _, category in at[timepoint]}) > 1:
            alike.setdefault(_pairs(at[timepoint]), []).append(visit_name(timepoint))
    if alike:
        visits = (f"{', '.join(names)} ({pairs})" for pairs, names in alike.items())
        found.append(f"Overall response differs at {'; '.join(visits)}")
    return tuple(found)


def _between_readers(reads: dict[str, _Given], criteria: tuple[CriterionText, ...]) -> tuple[str, ...]:
    found = []
    for text in criteria:
        best = [(r, str(g.best[text.name].best_unconfirmed)) for r, g in reads.items() if text.name in g.best]
        if len({category for _, category in best}) > 1:
            found.append(f"Readers differ by {text.title}: {_pairs((plain(r), c) for r, c in best)}")
    return tuple(found)


def _pairs(pairs: Iterable[tuple[str, str]]) -> str:
    """Who says what; of more than three, the names are gathered by category."""
    pairs = list(pairs)
    if len(pairs) <= 3:
        return ", ".join(f"{name} {category}" for name, category in pairs)
    names: dict[str, list[str]] = {}
    said: dict[str, list[str]] = {}
    for name, category in pairs:
        alike = _ALIKE.get(category, category)
        names.setdefault(alike, []).append(name)
        said.setdefault(alike, []).append(category)
    return "; ".join(f"{'/'.join(dict.fromkeys(said[one]))} by {', '.join(those)}" for one, those in names.items())
