"""What is open before a visit can be signed, and what the numbers say while one reads."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal

from mrecist.checklist import Severity
from mrecist.checks.finding import Finding
from mrecist.checks.run import check_read
from mrecist.errors import MrecistError
from mrecist.imaging.phase import PhaseName
from mrecist.model import BestResponse, Margins, Measurement, Role, State, VisitResponse
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

    ``problem`` is why no response could be derived; the rest is then what could be. ``assessed`` is by criterion.
    """

    rows: tuple[Measurement, ...]
    responses: tuple[VisitResponse, ...]
    best: tuple[BestResponse, ...]
    findings: tuple[Finding, ...]
    assessed: Mapping[str, tuple[Assessed, ...]]
    problem: str

    def response(self, criterion: str, timepoint: int) -> VisitResponse | None:
        """The response of a visit by a criterion."""
        return next((r for r in self.responses if (r.criterion, r.timepoint) == (criterion, timepoint)), None)

    def margins(self, criterion: str, timepoint: int) -> Margins | None:
        """What would change the response of a visit by a criterion, reckoned when it is asked for; None where nothing can."""
        visits = self.assessed.get(criterion, ())
        visit = next((one for one in visits if one.response.timepoint == timepoint), None)
        return None if visit is None else margins(visit)

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
        return Live(rows=(), responses=(), best=(), findings=(), assessed={}, problem=str(error))
    if not found:
        return Live(rows=(), responses=(), best=(), findings=(), assessed={}, problem="nothing is measured yet")
    findings = check_read(found, case.protocol, dates=case.dates)
    reads = {(found[0].subject, found[0].reader): found}
    derived = derive(reads, case.protocol, case.protocol.criteria, case.dates)
    problem = derived.problems[0].message if derived.problems else ""
    return Live(
        rows=found,
        responses=derived.responses,
        best=derived.best,
        findings=findings,
        assessed={} if problem else _assessed(found, case),
        problem=problem,
    )


def _assessed(rows: tuple[Measurement, ...], case: Case) -> dict[str, tuple[Assessed, ...]]:
    read = build_read(rows)
    return {setting.name: assess_read(read, setting, case.protocol.response)[1:] for setting in case.protocol.criteria}


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenPoint:
    """Something that stands between a visit and its signature, or its response. ``lesion`` is empty where the visit is meant.

    ``timepoint`` is None where it is the visit that was asked about.
    """

    what: str
    lesion: str = ""
    timepoint: int | None = None


def open_points(
    state: ReadState, case: Case, timepoint: int, rows: Rows, now: Live | None = None
) -> tuple[OpenPoint, ...]:
    """Everything that must be done or answered before the visit is signed; empty when it may be.

    ``now`` is what follows from the read up to this visit, where it is known already.
    """
    points = [*_questions(state, timepoint), *_lesions(state, timepoint), *_phases(state, case, timepoint)]
    now = now or live(state, case, rows, until=timepoint)
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
    if state.visit(timepoint).adequate is None:
        yield OpenPoint(what="say whether the images are adequate")
    if timepoint > 0:
        yield from _new_lesions(state, timepoint)
    elif not state.lesions:
        yield OpenPoint(what="the baseline has no lesion; mark the targets and non-targets")


def _new_lesions(state: ReadState, timepoint: int) -> Iterator[OpenPoint]:
    visit = state.visit(timepoint)
    new = [
        lesion
        for lesion, mark in visit.marks.items()
        if state.lesions[lesion].role is Role.NEW and mark.state is not State.ABSENT
    ]
    if visit.new_lesions is None:
        yield OpenPoint(what="answer the question: is there a new lesion?")
    elif visit.new_lesions and not new:
        yield OpenPoint(what="a new lesion was answered but none is marked; mark it or answer no")
    elif visit.new_lesions is False and new:
        yield OpenPoint(
            what=f"no new lesion was answered but {new[0]} is marked; answer yes or take it back", lesion=new[0]
        )


def _lesions(state: ReadState, timepoint: int) -> Iterator[OpenPoint]:
    for lesion, facts in state.lesions.items():
        history = state.history(lesion)
        if timepoint in history or _in_parts(state, timepoint, lesion):
            continue
        appears_later = facts.role is Role.NEW or any(_is_part(mark) for mark in history.values())
        if not appears_later or any(t < timepoint for t in history):
            yield OpenPoint(what=f"{lesion} has neither a measurement nor a state", lesion=lesion)


def points_depend_on(state: ReadState, timepoint: int) -> tuple[object, ...]:
    """What the open points of a visit follow from, beside the images; cheap to compare, as states share what is the same."""
    visits = [(t, visit) for t, visit in sorted(state.visits.items()) if t <= timepoint]
    parts = {name for visit in state.visits.values() for name, mark in visit.marks.items() if _is_part(mark)}
    return state.lesions, state.phases, parts, visits


def _is_part(mark: Mark) -> bool:
    """The lesion split from another one (of a merged lesion ``part_of`` says where it went)."""
    return bool(mark.part_of) and mark.state is not State.MERGED


def _in_parts(state: ReadState, timepoint: int, lesion: str) -> bool:
    """The lesion has split: its parts have the rows from then on."""
    return any(
        _is_part(mark) and mark.part_of == lesion
        for t, visit in state.visits.items()
        if t <= timepoint
        for mark in visit.marks.values()
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Unread:
    """What is not said yet and could change a response: no category is final while anything stands here.

    ``target``, ``non_target`` and ``new_lesion`` say whether that part of the response waits for something.
    """

    points: tuple[OpenPoint, ...]
    target: bool
    non_target: bool
    new_lesion: bool


def unread(state: ReadState, case: Case, timepoint: int) -> Unread:
    """What a response at a time point waits for: lesions without a word and unanswered questions, there or at visits before."""
    points: list[OpenPoint] = []
    roles: set[Role] = set()
    for visit in case.visits:
        if visit.timepoint > timepoint:
            continue
        where = "" if visit.timepoint == timepoint else f" (time point {visit.timepoint})"
        for point in _lesions(state, visit.timepoint):
            points.append(OpenPoint(what=point.what + where, lesion=point.lesion, timepoint=visit.timepoint))
            roles.add(state.lesions[point.lesion].role)
        if visit.timepoint > 0:
            for point in _new_lesions(state, visit.timepoint):
                points.append(OpenPoint(what=point.what + where, lesion=point.lesion, timepoint=visit.timepoint))
                roles.add(Role.NEW)
    target = Role.TARGET in roles
    # A criterion may follow a target as a non-target, so a target that is open leaves both open.
    non_target = target or Role.NON_TARGET in roles
    return Unread(points=tuple(points), target=target, non_target=non_target, new_lesion=Role.NEW in roles)


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
