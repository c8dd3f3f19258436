"""The reading room without its walls: one subject opened for one reader, what is looked at, proposals, and every thing a reader does.

Screens show it and call it; a script can do the same. Nothing here knows a screen.
"""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from mrecist.errors import MrecistError, ReadError
from mrecist.imaging.phase import PhaseName
from mrecist.imaging.series import Series
from mrecist.imaging.volume import Volume, load_volume
from mrecist.model import Role
from mrecist.objects.identity import UUID_ROOT, make_uid
from mrecist.segment.prompt import Line, Scribbles
from mrecist.session.actions import Action, AddLesion, Draw
from mrecist.session.case import Case, CaseVisit, open_case
from mrecist.session.checklist import Live, OpenPoint, Unread, live, open_points, points_depend_on, unread
from mrecist.session.proposing import Asked, Proposal, propose, with_cutoff
from mrecist.session.rows import Drawn, Rows, default_kind, next_name
from mrecist.session.session import Session, open_session
from mrecist.session.signed import MEANING, reopen, sign, write_signed
from mrecist.session.state import DrawnMask, Provenance, ReadState
from mrecist.study import Study, open_study
from mrecist.tables import safe_name

KEPT = "reads/.sessions"
_VOLUMES = 8


class Volumes:
    """Voxels of the series of a case, loaded when they are first asked for; the last few are kept. For any thread."""

    def __init__(self, loader: Callable[[Series], Volume] = load_volume, most: int = _VOLUMES) -> None:
        self._loader = loader
        self._most = most
        self._held: OrderedDict[tuple[str, int], Volume] = OrderedDict()
        self._lock = threading.Lock()

    def get(self, series: Series) -> Volume:
        """The voxels of a series; raises :class:`SeriesError` when they cannot be loaded."""
        key = (series.uid, series.stack)
        with self._lock:
            if key in self._held:
                self._held.move_to_end(key)
                return self._held[key]
        volume = self._loader(series)
        with self._lock:
            self._held[key] = volume
            while len(self._held) > self._most:
                self._held.popitem(last=False)
        return volume

    def has(self, series: Series) -> bool:
        """Whether the voxels are there already."""
        return (series.uid, series.stack) in self._held


@dataclass(frozen=True, slots=True, kw_only=True)
class Pending:
    """A proposal that waits for the reader: accept, mend or reject."""

    lesion: str
    role: Role
    organ: str
    timepoint: int
    asked: Asked
    proposal: Proposal


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
    """

    def __init__(self, study: Study, subject: str, reader: str, volumes: Volumes | None = None) -> None:
        case = open_case(study, subject)
        _refuse_masks_of(reader, case, study)
        folder = study.root / KEPT / f"{safe_name(reader)}_{safe_name(subject)}"
        self.study = study
        self.reader = reader
        self.session: Session = open_session(case, reader, folder)
        self.rows = Rows(reader, self.session.masks)
        self.volumes = volumes or Volumes()
        self.pending: Pending | None = None
        self.looking = Looking(timepoint=case.visits[0].timepoint, prior=None)
        self._watchers: list[Callable[[str], None]] = []
        self._known = _Known()
        # Time point -> what its open points followed from, and they.
        self._points: dict[int, tuple[tuple[object, ...], tuple[OpenPoint, ...]]] = {}
        self.session.watch(lambda: self._tell("state"))
        self.look_at(self._first_open())

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
        self.pending = None
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
        """A proposal for a line on the series that is looked at; long, so not for the thread of a screen.

        ``lesion`` is one that is there, or empty for a new one of ``role`` (targets at baseline, new lesions later).
        Nothing changes: :meth:`offer` shows it.
        """
        if lesion:
            facts = self.state.lesions.get(lesion)
            if facts is None:
                raise ReadError(f"lesion {lesion} is not there")
            role, organ = facts.role, facts.organ
        role = role or (Role.TARGET if self.looking.timepoint == 0 else Role.NEW)
        asked = Asked(series=self.series, line=line)
        proposal = propose(asked, self.visit, self.volumes.get, self.case.protocol.measuring)
        return Pending(
            lesion=lesion,
            role=role,
            organ=organ,
            timepoint=self.looking.timepoint,
            asked=asked,
            proposal=proposal,
        )

    def again(self, pending: Pending, scribbles: Scribbles) -> Pending:
        """The proposal again with marks of the reader; as long as :meth:`ask`."""
        asked = Asked(series=pending.asked.series, line=pending.asked.line, scribbles=scribbles)
        proposal = propose(asked, self.case.visit(pending.timepoint), self.volumes.get, self.case.protocol.measuring)
        return _with(pending, asked, proposal)

    def nudged(self, pending: Pending, by: float) -> Pending:
        """The proposal with the viable cut-off moved by so many HU."""
        if pending.proposal.viable is None:
            raise ReadError("the viable part is judged on the arterial phase; choose it first")
        now = pending.proposal.cutoff
        start = now if now is not None else _middle(pending.proposal, self.volumes)
        proposal = with_cutoff(pending.proposal, start + by, self.volumes.get, self.case.protocol.measuring)
        return _with(pending, pending.asked, proposal)

    def offer(self, pending: Pending | None) -> None:
        """Show a proposal, or take it away."""
        self.pending = pending
        self._tell("pending")

    def accept(self) -> str:
        """Make the proposal part of the read; the lesion's name."""
        if self.pending is None:
            raise ReadError("there is no proposal to accept; draw the long axis of a lesion first")
        pending, self.pending = self.pending, None
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
        """Masks (Z, Y, X) on a series into the read; a new lesion where none is named. The lesion's name."""
        import numpy as np

        mask = DrawnMask(
            series_uid=series.uid,
            stack=series.stack,
            whole=self.session.masks.keep(np.asarray(whole)),
            viable=None if viable is None else self.session.masks.keep(np.asarray(viable)),
            provenance=provenance,
        )
        name = lesion or self.add_lesion(role, organ)
        self.do(Draw(timepoint=self.looking.timepoint if timepoint is None else timepoint, lesion=name, mask=mask))
        self.look_at_lesion(name)
        return name

    def add_lesion(self, role: Role, organ: str = "liver", name: str = "") -> str:
        """A new lesion; its name, the next free one unless given."""
        name = name or next_name(self.state, role)
        uid = make_uid(
            UUID_ROOT, "lesion", self.study.root.name, self.case.subject, self.reader, name, len(self.session.log)
        )
        self.do(AddLesion(lesion=name, role=role, organ=organ, kind=default_kind(organ), tracking_uid=uid))
        return name

    def sign(self, name: str, meaning: str = MEANING, *, write: bool = True) -> tuple[Path, ...]:
        """Sign the visit that is looked at and write it to the study; ``write`` False leaves that to :meth:`write`."""
        sign(self.session, self.rows, self.looking.timepoint, name, meaning)
        return self.write() if write else ()

    def reopen(self, name: str, reason: str, *, write: bool = True) -> tuple[Path, ...]:
        """Open the signed visit again; its files leave the study."""
        reopen(self.session, self.looking.timepoint, name, reason)
        return self.write() if write else ()

    def write(self) -> tuple[Path, ...]:
        """Bring the files in the study to what is signed now; long for large volumes, and for any thread, one at a time."""
        return write_signed(self.session, self.rows, self.study.root)

    def close(self) -> None:
        """Leave; everything is on disk unless ``session.unsaved`` says otherwise."""
        self.session.close()

    # --- how -------------------------------------------------------------------------------------------------------

    def _first_open(self) -> int:
        for visit in self.case.visits:
            if self.state.visit(visit.timepoint).signature is None:
                return visit.timepoint
        return self.case.visits[-1].timepoint

    def _fresh(self) -> _Known:
        if self._known.state is not self.state:
            self._known = _Known(state=self.state)
        return self._known

    def _tell(self, what: str) -> None:
        for changed in tuple(self._watchers):
            changed(what)


def _with(pending: Pending, asked: Asked, proposal: Proposal) -> Pending:
    return Pending(
        lesion=pending.lesion,
        role=pending.role,
        organ=pending.organ,
        timepoint=pending.timepoint,
        asked=asked,
        proposal=proposal,
    )


def _middle(proposal: Proposal, volumes: Volumes) -> float:
    """Where a cut-off begins that nobody has set: the median inside the lesion."""
    import numpy as np

    return float(np.median(volumes.get(proposal.series).voxels[proposal.whole]))


def best_series(visit: CaseVisit) -> Series:
    """The series to begin with: arterial, else portal venous, else the first."""
    for phase in (PhaseName.ARTERIAL, PhaseName.PORTAL_VENOUS):
        for one in visit.series:
            if one.phase.name == phase:
                return one
    return visit.series[0]


def open_room(study: Path, subject: str, reader: str, protocol: Path | None = None) -> Room:
    """Open a study folder and one of its subjects.

    Raises :class:`InputError` for the study and :class:`ReadError` for the subject or the read.
    """
    return Room(open_study(study, protocol), subject, reader)


def _refuse_masks_of(reader: str, case: Case, study: Study) -> None:
    """Masks of the same reader that were drawn elsewhere would be measured beside those of this read."""
    own = study.root / "masks" / f"read_{safe_name(reader)}_{safe_name(case.subject)}"
    for segmentation in case.given.segmentations:
        if (segmentation.content_creator or "R1") == reader and own not in segmentation.path.parents:
            raise ReadError(
                f"{segmentation.path}: masks of {case.subject} by reader {reader} are there already; read under another "
                f"name (--reader), or move them away"
            )
