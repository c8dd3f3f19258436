"""What is open before a visit can be signed, and what the numbers say while one reads."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal

from mrecist.checklist import Severity
from mrecist.checks.finding import Finding
from mrecist.checks.run import check_read
from mrecist.errors import MrecistError
from mrecist.imaging.phase import PhaseName
from mrecist.model import BestResponse, Margins, Measurement, Role, State, VisitResponse
from mrecist.protocol import CriterionSetting
from mrecist.reading import row_phase
from mrecist.response.assess import Assessed, assess_read
from mrecist.response.derive import derive
from mrecist.response.margins import margins
from mrecist.response.read import build_read
from mrecist.session.case import Case
from mrecist.session.rows import Rows
from mrecist.session.state import Mark, ReadState


@dataclass(frozen=True, slots=True, kw_only=True)
class Live:
    """What follows from the read as it stands.

    ``problem`` is why no response could be derived; the rest is then what could be. ``margins`` is by (criterion, time point).
    """

    rows: tuple[Measurement, ...]
    responses: tuple[VisitResponse, ...]
    best: tuple[BestResponse, ...]
    findings: tuple[Finding, ...]
    margins: dict[tuple[str, int], Margins]
    problem: str

    def response(self, criterion: str, timepoint: int) -> VisitResponse | None:
        """The response of a visit by a criterion."""
        return next((r for r in self.responses if (r.criterion, r.timepoint) == (criterion, timepoint)), None)

    def row(self, timepoint: int, lesion: str) -> Measurement | None:
        """The row of a lesion at a visit."""
        return next((r for r in self.rows if (r.timepoint, r.lesion) == (timepoint, lesion)), None)


def live(state: ReadState, case: Case, rows: Rows, until: int | None = None) -> Live:
    """Sums, responses, margins and findings of the read as it stands; never raises for what a reader may do.

    ``until`` leaves out later visits: a visit is judged by what was known at it.
    """
    try:
        found = tuple(row for row in rows.of(state, case) if until is None or row.timepoint <= until)
    except MrecistError as error:
        return Live(rows=(), responses=(), best=(), findings=(), margins={}, problem=str(error))
    if not found:
        return Live(rows=(), responses=(), best=(), findings=(), margins={}, problem="nothing is measured yet")
    findings = check_read(found, case.protocol, dates=case.dates)
    reads = {(found[0].subject, found[0].reader): found}
    derived = derive(reads, case.protocol, case.protocol.criteria, case.dates)
    problem = derived.problems[0].message if derived.problems else ""
    return Live(
        rows=found,
        responses=derived.responses,
        best=derived.best,
        findings=findings,
        margins={} if problem else _margins(found, case),
        problem=problem,
    )


def _margins(rows: tuple[Measurement, ...], case: Case) -> dict[tuple[str, int], Margins]:
    read = build_read(rows)
    found: dict[tuple[str, int], Margins] = {}
    for setting in case.protocol.criteria:
        for visit in _assessed(read, setting, case):
            change = margins(visit)
            if change is not None:
                found[setting.name, visit.response.timepoint] = change
    return found


def _assessed(read: object, setting: CriterionSetting, case: Case) -> tuple[Assessed, ...]:
    return assess_read(read, setting, case.protocol.response)[1:]  # type: ignore[arg-type]


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenPoint:
    """Something that stands between a visit and its signature. ``lesion`` is empty where the visit is meant."""

    what: str
    lesion: str = ""


def open_points(state: ReadState, case: Case, timepoint: int, rows: Rows) -> tuple[OpenPoint, ...]:
    """Everything that must be done or answered before the visit is signed; empty when it may be."""
    points = [*_questions(state, timepoint), *_lesions(state, timepoint), *_phases(state, case, timepoint)]
    now = live(state, case, rows, until=timepoint)
    if now.problem and not points:
        points.append(OpenPoint(what=now.problem))
    for finding in now.findings:
        if finding.severity is Severity.ERROR and finding.timepoint in (None, timepoint):
            points.append(
                OpenPoint(
                    what=f"{finding.what}; {finding.what_to_do}", lesion=finding.lesion[0] if finding.lesion else ""
                )
            )
    return tuple(points)


def _questions(state: ReadState, timepoint: int) -> Iterator[OpenPoint]:
    visit = state.visit(timepoint)
    if visit.adequate is None:
        yield OpenPoint(what="say whether the images are adequate")
    if timepoint > 0:
        new = [
            lesion
            for lesion, mark in visit.marks.items()
            if state.lesions[lesion].role is Role.NEW and mark.state is not State.ABSENT
        ]
        if visit.new_lesions is None:
            yield OpenPoint(what="answer the question: is there a new lesion?")
        elif visit.new_lesions and not new:
            yield OpenPoint(what="a new lesion was answered but none is marked; mark it or answer no")
    elif not state.lesions:
        yield OpenPoint(what="the baseline has no lesion; mark the targets and non-targets")


def _lesions(state: ReadState, timepoint: int) -> Iterator[OpenPoint]:
    for lesion, facts in state.lesions.items():
        history = state.history(lesion)
        if timepoint in history:
            continue
        if facts.role is not Role.NEW or any(t < timepoint for t in history):
            yield OpenPoint(what=f"{lesion} has neither a measurement nor a state", lesion=lesion)


def _phases(state: ReadState, case: Case, timepoint: int) -> Iterator[OpenPoint]:
    """A viable part is judged by arterial enhancement: the phase of its series must be known, by the headers or the reader."""
    for lesion, mark in state.visit(timepoint).marks.items():
        if mark.mask is None or mark.mask.viable is None:
            continue
        series = case.series(mark.mask.series_uid, mark.mask.stack)
        if row_phase(series, case.protocol.measuring) == PhaseName.UNKNOWN:
            yield OpenPoint(
                what=f"{lesion}: the phase of '{series.description or series.uid}' is not known; state it",
                lesion=lesion,
            )


@dataclass(frozen=True, slots=True, kw_only=True)
class Cell:
    """A lesion at a visit for the matrix. ``text`` is ``viable/whole`` in mm, or the state."""

    text: str
    state: State | None
    manual: bool


def cell(mark: Mark | None, row: Measurement | None) -> Cell:
    """What the matrix shows of a lesion at a visit; nothing said is an empty cell, which is not 0."""
    if mark is None or row is None:
        return Cell(text="", state=None, manual=False)
    sizes = [row.short_mm] if row.kind == "node" else [row.viable_mm, row.longest_mm]
    shown = [_mm(size) for size in sizes]
    text = "/".join(shown) if mark.state in (State.MEASURED, State.TOO_SMALL) and any(sizes) else str(mark.state)
    if mark.mask is not None and mark.state is State.PRESENT:
        text = f"present ({shown[-1]})"
    return Cell(text=text, state=mark.state, manual=bool(mark.lines))


def _mm(size: Decimal | None) -> str:
    return "–" if size is None else f"{size:f}"
