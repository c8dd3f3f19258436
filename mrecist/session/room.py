"""The reading room without its walls: one subject opened for one reader, what is looked at, proposals, and every thing a reader does.

Screens show it and call it; a script can do the same. Nothing here knows a screen.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path

from mrecist.errors import MrecistError, ReadError
from mrecist.imaging.series import Series
from mrecist.model import Role
from mrecist.objects.identity import UUID_ROOT, make_uid
from mrecist.segment.prompt import Index3, Line, Scribbles
from mrecist.segmenters.bench import Bench
from mrecist.session.actions import Action, AddLesion, Draw, RenameLesion
from mrecist.session.case import Case, CaseVisit, best_series, open_case, refuse_masks_of
from mrecist.session.checklist import Live, OpenPoint, Unread, live, open_points, points_depend_on, unread
from mrecist.session.following import Following, still_followed
from mrecist.session.mending import Mending
from mrecist.session.proposing import Asked, Proposal, middle_value, propose, propose_click, with_cutoff
from mrecist.session.rows import Drawn, Rows, default_kind, next_name
from mrecist.session.session import Session, open_session
from mrecist.session.signed import MEANING, StudyFiles, reopen, sign
from mrecist.session.state import DrawnMask, Provenance, ReadState, refuse_signed
from mrecist.session.volumes import Volumes
from mrecist.session.waiting import Pending
from mrecist.study import Study, open_study


@dataclass(slots=True)
class Looking:
    """What is looked at: the visit, the visit beside it, the lesion, the series."""

    timepoint: int
    prior: int | None
    lesion: str = ""
    series: tuple[str, int] | None = None


@dataclass(slots=True)
class _Known:
    """What follows from a state, kept until the state changes."""

    state: ReadState | None = None
    live: Live | None = None


class Room:
    """One subject, one reader.

    Parameters
    ----------
    study : the opened study.
    subject : who is read.
    reader : the name in the tables.
    volumes : where voxels come from.
    bench : who segments; what is installed unless given.
    keeping : where signed visits go; the study folder unless given.
    """

    def __init__(
        self,
        study: Study,
        subject: str,
        reader: str,
        volumes: Volumes | None = None,
        bench: Bench | None = None,
        keeping: StudyFiles | None = None,
    ) -> None:
        case = open_case(study, subject)
        refuse_masks_of(reader, case, study)
        self.study = study
        self.reader = reader
        self.keeping = keeping or StudyFiles(study.root, reader, subject)
        self.session: Session = open_session(case, reader, self.keeping.folder)
        self.session.until = self.keeping.until
        self.rows = Rows(reader, self.session.masks)
        self.volumes = volumes or Volumes()
        self.bench = bench or Bench()
        self.pending: Pending | None = None
        self.mending = Mending(self)
        self.following = Following(self)
        self.unwritten = ""
        """Why the files of the signed visits are not up to date since the read was opened; empty when they are."""
        self.looking = Looking(timepoint=case.visits[0].timepoint, prior=None)
        self._watchers: list[Callable[[str], None]] = []
        self._known = _Known()
        # Time point -> what its open points followed from, and they.
        self._points: dict[int, tuple[tuple[object, ...], tuple[OpenPoint, ...]]] = {}
        self.session.watch(lambda: self._tell("state"))
        self.look_at(self.first_open)

    # --- what there is ---------------------------------------------------------------------------------------------

    @property
    def case(self) -> Case:
        """The case, with the phases that the reader stated."""
        return self.session.case

    @property
    def state(self) -> ReadState:
        """What the reader has said."""
        return self.session.state

    @property
    def visit(self) -> CaseVisit:
        """The visit that is looked at."""
        return self.case.visit(self.looking.timepoint)

    @property
    def series(self) -> Series:
        """The series that is looked at: the one chosen, else the arterial one, else the first."""
        if self.looking.series is not None:
            return self.case.series(*self.looking.series)
        return best_series(self.visit)

    @property
    def first_open(self) -> int:
        """The first visit that is not signed, else the last."""
        signed = {v.timepoint for v in self.case.visits if self.state.visit(v.timepoint).signature is not None}
        return next(
            (v.timepoint for v in self.case.visits if v.timepoint not in signed), self.case.visits[-1].timepoint
        )

    def live(self) -> Live:
        """Sums, responses, margins and findings as the read stands."""
        known = self._fresh()
        if known.live is None:
            known.live = live(self.state, self.case, self.rows)
        return known.live

    def open_points(self, timepoint: int) -> tuple[OpenPoint, ...]:
        """What stands between a visit and its signature."""
        needs = points_depend_on(self.state, timepoint)
        before, points = self._points.get(timepoint, ((), ()))
        if needs != before:
            latest = timepoint >= max(self.state.visits, default=0)
            points = open_points(self.state, self.case, timepoint, self.rows, self.live() if latest else None)
            self._points[timepoint] = needs, points
        return points

    def drawn(self, timepoint: int, lesion: str) -> Drawn | None:
        """The mask of a lesion at a visit with its lines."""
        return self.rows.drawn(self.state, self.case, timepoint, lesion)

    def unread(self, timepoint: int) -> Unread:
        """What the responses of a visit wait for."""
        return unread(self.state, self.case, timepoint)

    def unmeasured(self) -> tuple[tuple[int, str], ...]:
        """(time point, lesion) of masks that :meth:`live` would have to measure first."""
        return self.rows.unmeasured(self.state, self.case)

    def measuring(self) -> Callable[[], None]:
        """Work that measures what is not measured yet; as long as reading the voxels takes, so for another thread.

        It is of the read as it stands now, and does not raise: what cannot be measured is told by :meth:`live`.
        """
        state, case, wanted = self.state, self.case, self.unmeasured()

        def measure() -> None:
            for timepoint, lesion in wanted:
                with suppress(MrecistError):
                    self.rows.drawn(state, case, timepoint, lesion)

        return measure

    def watch(self, changed: Callable[[str], None]) -> Callable[[], None]:
        """Call ``changed(what)`` after every change of ``state``, ``looking`` or ``pending``; the result ends that."""
        self._watchers.append(changed)
        return lambda: self._watchers.remove(changed)

    # --- looking ---------------------------------------------------------------------------------------------------

    def look_at(self, timepoint: int, prior: int | None = None) -> None:
        """Open a visit; beside it the one before, unless another is named."""
        self.case.visit(timepoint)
        before = [v.timepoint for v in self.case.visits if v.timepoint < timepoint]
        self.looking = Looking(
            timepoint=timepoint,
            prior=prior if prior is not None else (before[-1] if before else None),
            lesion=self.looking.lesion,
        )
        if self.pending is None or self.pending.timepoint != timepoint:
            self.pending = self.mending.left_at(timepoint)
        self._tell("looking")

    def look_beside(self, prior: int) -> None:
        """Show another visit beside the one that is read; a proposal that waits stays."""
        self.case.visit(prior)
        self.looking.prior = prior
        self._tell("looking")

    def look_at_lesion(self, lesion: str) -> None:
        """Choose a lesion."""
        if lesion and lesion not in self.state.lesions:
            raise ReadError(f"lesion {lesion} is not there")
        self.looking.lesion = lesion
        self._tell("looking")

    def look_at_series(self, series: Series) -> None:
        """Choose a series of the visit."""
        self.looking.series = (series.uid, series.stack)
        self._tell("looking")

    def next_lesion(self, step: int = 1) -> str:
        """Choose the next lesion (or the one before), round and round; its name."""
        names = list(self.state.lesions)
        if not names:
            return ""
        at = names.index(self.looking.lesion) if self.looking.lesion in names else (-1 if step > 0 else 0)
        self.look_at_lesion(names[(at + step) % len(names)])
        return self.looking.lesion

    # --- doing -----------------------------------------------------------------------------------------------------

    def do(self, action: Action) -> None:
        """Do and save an action; raises :class:`ReadError` where it cannot be."""
        self.session.do(action)

    def ask(self, line: Line, *, lesion: str = "", role: Role | None = None, organ: str = "liver") -> Pending:
        """The proposal of :meth:`asking`, here and now."""
        return self.asking(line, lesion=lesion, role=role, organ=organ)()

    def asking(
        self,
        line: Line,
        *,
        lesion: str = "",
        role: Role | None = None,
        organ: str = "liver",
        series: Series | None = None,
    ) -> Callable[[], Pending]:
        """Work that gives a proposal for a line on a series of the visit; long, so not for the thread of a screen.

        ``series`` is the one that is looked at unless it is named. ``lesion`` is one that is there, or empty for a new one of
        ``role`` (targets at baseline, new lesions later). What is looked at is taken now: whatever the reader turns to while it
        works changes nothing of it. Nothing changes: :meth:`offer` shows it.

        Raises :class:`ReadError` for a lesion that is not there and a visit that is signed.
        """
        refuse_signed(self.state, self.looking.timepoint)
        if lesion:
            facts = self.state.lesions.get(lesion)
            if facts is None:
                raise ReadError(f"lesion {lesion} is not there")
            role, organ = facts.role, facts.organ
        role = role or self.default_role()
        asked = Asked(series=series or self.series, line=line)
        case, visit = self.case, self.visit

        def find() -> Pending:
            proposal = propose(asked, visit, self.volumes.get, case.protocol.measuring, self.bench)
            self._expect(case, proposal)
            return Pending(
                lesion=lesion, role=role, organ=organ, timepoint=visit.timepoint, asked=asked, proposal=proposal
            )

        return find

    def default_role(self) -> Role:
        """What a lesion that is drawn now is unless it is named: a target at baseline, a new lesion later."""
        return Role.TARGET if self.looking.timepoint == 0 else Role.NEW

    def asking_click(self, click: Index3, series: Series | None = None) -> Callable[[], Pending]:
        """Work that gives a proposal for a new lesion at a click (z, y, x), through a long axis that is guessed; as :meth:`asking`."""
        refuse_signed(self.state, self.looking.timepoint)
        case, visit, role, series = self.case, self.visit, self.default_role(), series or self.series

        def find() -> Pending:
            proposal = propose_click(series, click, visit, self.volumes.get, case.protocol.measuring, self.bench)
            self._expect(case, proposal)
            line = next(prompt["line"] for prompt in proposal.provenance.prompts if "line" in prompt)
            asked = Asked(series=series, line=Line(start=tuple(line[0]), end=tuple(line[1])))
            return Pending(
                lesion="", role=role, organ="liver", timepoint=visit.timepoint, asked=asked, proposal=proposal
            )

        return find

    def again(self, pending: Pending, scribbles: Scribbles | None, line: Line | None = None) -> Pending:
        """The proposal again with marks of the reader, or another long axis; as long as :meth:`ask`.

        What was drawn by hand since stays on top of what is found.
        """
        if pending.asked is None:
            raise ReadError(
                "this mask was not found along a line, so it cannot be cut again; brush (B) and eraser (E) mend it"
            )
        asked = Asked(series=pending.asked.series, line=line or pending.asked.line, scribbles=scribbles)
        case = self.case
        visit = case.visit(pending.timepoint)
        proposal = propose(asked, visit, self.volumes.get, case.protocol.measuring, self.bench)
        found = self.mending.found_again(pending, still_followed(pending.proposal, proposal))
        self._expect(case, found)
        return replace(pending, asked=asked, proposal=found)

    @property
    def segmenter(self) -> str:
        """The segmenter that is asked first; ``bench.names`` are those that are installed."""
        return self.bench.chosen

    def choose_segmenter(self, name: str, agreed: str = "") -> None:
        """Ask another segmenter from now on; a proposal that is waited for comes from the built-in one then.

        ``agreed`` is its ``bench.notice(name)`` (long, so not for the thread of a screen), which the reader has accepted.
        """
        self.bench.choose(name, agreed)
        self._tell("segmenter")

    def nudged(self, pending: Pending, by: float) -> Pending:
        """The proposal with the viable cut-off moved by so many HU."""
        if pending.proposal.viable is None:
            raise ReadError("the viable part is judged on the arterial phase; choose it first")
        if pending.asked is None:
            raise ReadError("the viable cut-off of this mask cannot be moved any more; draw its long axis again (U)")
        now = pending.proposal.cutoff
        start = now if now is not None else middle_value(pending.proposal, self.volumes.get)
        proposal = with_cutoff(pending.proposal, start + by, self.volumes.get, self.case.protocol.measuring)
        return replace(pending, proposal=self.mending.with_viable(pending, proposal))

    def offer(self, pending: Pending | None) -> None:
        """Show a proposal, or take it away."""
        before, self.pending = self.pending, pending
        self.mending.offered(before, pending)
        self._tell("pending")

    @property
    def can_undo(self) -> str:
        """What :meth:`undo` would take back; empty when there is nothing."""
        return self.mending.can_move(back=True) or self.session.can_undo

    @property
    def can_redo(self) -> str:
        """What :meth:`redo` would bring back; empty when there is nothing."""
        return self.mending.can_move(back=False) or self.session.can_redo

    def undo(self) -> None:
        """Take back the last step of the proposal that waits; where none is left, the last action of the read."""
        self._moved(self.mending.undo(), self.session.undo, back=1)

    def redo(self) -> None:
        """Bring back what :meth:`undo` took last."""
        self._moved(self.mending.redo(), self.session.redo, back=-1)

    def _moved(self, step: Pending | None, action: Callable[[], None], *, back: int) -> None:
        if step is None:
            action()
            self.mending.actions_back = max(self.mending.actions_back + back, 0)
            return
        self.pending = step
        self._tell("pending")

    def accept(self) -> str:
        """Make the proposal part of the read; the lesion's name."""
        if self.pending is None:
            raise ReadError("there is no proposal to accept; draw the long axis of a lesion first")
        pending = self.pending
        found = pending.proposal
        name = self.draw(
            found.whole,
            found.viable,
            found.series,
            found.provenance,
            lesion=pending.lesion,
            role=pending.role,
            organ=pending.organ,
            timepoint=pending.timepoint,
        )
        self.pending = None
        self.mending.offered(pending, None)
        if (pending.timepoint, name) not in self.unmeasured():
            self.drawn(pending.timepoint, name)  # measured with the proposal: known before the next one comes
        self._tell("pending")
        return name

    def draw(
        self,
        whole: object,
        viable: object,
        series: Series,
        provenance: Provenance,
        *,
        lesion: str = "",
        role: Role = Role.TARGET,
        organ: str = "liver",
        timepoint: int | None = None,
    ) -> str:
        """Masks (Z, Y, X) on a series into the read; a new lesion where none is named. The lesion's name.

        Raises :class:`ReadError` where it cannot be, and adds no lesion then.
        """
        import numpy as np

        timepoint = self.looking.timepoint if timepoint is None else timepoint
        refuse_signed(self.state, timepoint)
        mask = DrawnMask(
            series_uid=series.uid,
            stack=series.stack,
            whole=self.session.masks.keep(np.asarray(whole)),
            viable=None if viable is None else self.session.masks.keep(np.asarray(viable)),
            provenance=provenance,
        )
        name = lesion or self.add_lesion(role, organ)
        self.do(Draw(timepoint=timepoint, lesion=name, mask=mask))
        self.look_at_lesion(name)
        return name

    def add_lesion(self, role: Role, organ: str = "liver", name: str = "") -> str:
        """A new lesion; its name, the next free one unless given."""
        name = name or next_name(self.session.whole_state, role)
        uid = make_uid(
            UUID_ROOT, "lesion", self.study.root.name, self.case.subject, self.reader, name, len(self.session.log)
        )
        self.do(AddLesion(lesion=name, role=role, organ=organ, kind=default_kind(organ), tracking_uid=uid))
        return name

    def rename_lesion(self, lesion: str, name: str) -> None:
        """Another id for a lesion, and for a proposal that waits for it."""
        self.do(RenameLesion(lesion=lesion, name=name))
        if self.pending is not None and self.pending.lesion == lesion:
            self.pending = replace(self.pending, lesion=name)
        self.look_at_lesion(name)

    def sign(self, name: str, meaning: str = MEANING, *, write: bool = True) -> tuple[Path, ...]:
        """Sign the visit that is looked at and write it to the study; ``write`` False leaves that to :meth:`write`.

        Raises :class:`ReadError` while something is open or a proposal waits for its answer.
        """
        if self.pending is not None:
            raise ReadError("a proposal waits: accept or reject it before the visit is signed")
        sign(self.session, self.rows, self.looking.timepoint, name, meaning)
        return self.write() if write else ()

    def reopen(self, name: str, reason: str, *, write: bool = True) -> tuple[Path, ...]:
        """Open the signed visit again; its files leave the study. Raises :class:`ReadError` where it must stay closed."""
        why = self.keeping.why_closed(self.looking.timepoint)
        if why:
            raise ReadError(why)
        reopen(self.session, self.looking.timepoint, name, reason)
        return self.write() if write else ()

    def write(self) -> tuple[Path, ...]:
        """Bring the files in the study to what is signed now; long for large volumes, and for any thread, one at a time."""
        return self.keeping.write(self.session, self.rows)

    def tell_written(self) -> None:
        """Tell those who watch that :meth:`write` came to its end; on their thread."""
        self._tell("written")

    def catch_up(self) -> None:
        """Write what was signed and could not be written before; what stops that again is :attr:`unwritten`."""
        self.unwritten = ""
        if not self.keeping.is_written(self.session):
            try:
                self.write()
            except (MrecistError, OSError) as error:
                self.unwritten = str(error)

    def close(self) -> None:
        """Leave; everything is on disk unless ``session.unsaved`` says otherwise."""
        self.bench.close()
        self.session.close()

    # --- how -------------------------------------------------------------------------------------------------------

    def _expect(self, case: Case, proposal: Proposal) -> None:
        self.rows.expect(case, proposal.series, proposal.whole, proposal.viable, proposal.measurement)

    def _fresh(self) -> _Known:
        if self._known.state is not self.state:
            self._known = _Known(state=self.state)
        return self._known

    def _tell(self, what: str) -> None:
        for changed in tuple(self._watchers):
            changed(what)


def open_room(study: Path, subject: str, reader: str, protocol: Path | None = None) -> Room:
    """Open a study folder and :func:`enter` one of its subjects; raises :class:`InputError` for the study too."""
    return enter(open_study(study, protocol), subject, reader)


def enter(study: Study, subject: str, reader: str) -> Room:
    """A subject of an opened study, to be read.

    A signature whose files could not be written (a full disk) is written now; what stops that again is :attr:`Room.unwritten`.
    Raises :class:`ReadError` for the subject or the read.
    """
    room = Room(study, subject, reader)
    room.catch_up()
    return room
