"""Lesions of the visit before on the visit that is looked at: ghosts, which the reader turns into proposals one by one.

Nothing here is part of the read. What was found is kept for each pair of visits, so that coming back does not register again.
"""

from __future__ import annotations

from collections.abc import Generator, Mapping
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

import numpy as np

from mrecist.errors import MaskError, MrecistError, ReadError
from mrecist.imaging.series import Series
from mrecist.segment.follow import Followed, LpsLine, adapted, check, laid_on, lps_of, place, registered
from mrecist.segment.prompt import Line
from mrecist.segment.register import Registered, Scan, scan_of
from mrecist.session.case import Case, CaseVisit
from mrecist.session.proposing import Proposal
from mrecist.session.rows import Drawn
from mrecist.session.state import ReadState

if TYPE_CHECKING:
    from mrecist.session.room import Room
    from mrecist.session.waiting import Pending

Pair = tuple[int, int]


@dataclass(frozen=True, slots=True, kw_only=True)
class Ghost:
    """A lesion of the visit before at its carried place.

    Parameters
    ----------
    lesion : its name.
    mm : its longest diameter before.
    series : the series of this visit on which it was placed.
    before : its line before (LPS mm of that visit).
    followed : where it is now, and how sure that is.
    mask : the mask before that it goes by.
    """

    lesion: str
    mm: float
    series: Series
    before: LpsLine
    followed: Followed
    mask: str

    def line_on(self, series: Series) -> Line | None:
        """Its line on a series of the visit; None where that is of another frame of reference or does not reach there."""
        if (series.uid, series.stack) == (self.series.uid, self.series.stack):
            return self.followed.line
        geometry = series.geometry
        if geometry is None or geometry.slice_step_mm is None:
            return None
        if not series.frame_of_reference_uid or series.frame_of_reference_uid != self.series.frame_of_reference_uid:
            return None
        return laid_on(self.followed.ends, self.mm, geometry)


@dataclass(frozen=True, slots=True, kw_only=True)
class Carried:
    """What came of carrying the lesions of one visit to another.

    ``problem`` is one sentence where nothing could be registered; ``left`` are lesions that could not be carried, with the reason.
    """

    pair: Pair
    ghosts: tuple[Ghost, ...] = ()
    problem: str = ""
    left: tuple[str, ...] = ()
    ground: _Ground | None = None


@dataclass(frozen=True, slots=True)
class _Ground:
    """Two visits registered, by the series that was taken of each."""

    series: tuple[tuple[str, int], tuple[str, int]]
    prior: Scan
    current: Scan
    found: Registered


@dataclass(frozen=True, slots=True)
class _Task:
    """What was to be carried when the work began; the read may go on meanwhile."""

    pair: Pair
    state: ReadState
    case: Case
    lesions: tuple[str, ...]
    known: Carried | None = field(default=None)


class Following:
    """The ghosts of one room."""

    def __init__(self, room: Room) -> None:
        self._room = room
        self._kept: dict[Pair, Carried] = {}

    @property
    def pair(self) -> Pair | None:
        """The visit beside the one that is looked at, and that one; None without an earlier visit beside it."""
        looking = self._room.looking
        return (
            None if looking.prior is None or looking.prior >= looking.timepoint else (looking.prior, looking.timepoint)
        )

    @property
    def carried(self) -> Carried | None:
        """What is known of the pair that is looked at."""
        return None if self.pair is None else self._kept.get(self.pair)

    def waiting(self) -> tuple[str, ...]:
        """Lesions drawn at the visit beside, of which nothing is said at this one."""
        if self.pair is None:
            return ()
        state, (prior, current) = self._room.state, self.pair
        if state.visit(current).signature is not None:
            return ()
        here, before = state.visit(current).marks, state.visit(prior).marks
        return tuple(n for n in state.lesions if n in before and before[n].mask is not None and n not in here)

    def wanted(self) -> tuple[str, ...]:
        """Those of them that are not carried yet, or whose mask before has changed since."""
        known = self.carried
        if self.pair is None or (known is not None and known.problem):
            return ()
        placed = {} if known is None else {ghost.lesion: ghost.mask for ghost in known.ghosts}
        left = set() if known is None else {one.split(":", 1)[0] for one in known.left}
        marks = self._room.state.visit(self.pair[0]).marks
        return tuple(n for n in self.waiting() if n not in left and placed.get(n) != _mask_key(marks[n].mask))

    def ghosts(self) -> tuple[Ghost, ...]:
        """The carried lesions of which nothing is said at this visit yet."""
        known, waiting = self.carried, self.waiting()
        return () if known is None else tuple(ghost for ghost in known.ghosts if ghost.lesion in waiting)

    def ghost(self, lesion: str) -> Ghost | None:
        """The ghost of a lesion."""
        return next((one for one in self.ghosts() if one.lesion == lesion), None)

    def series(self) -> tuple[Series, Series] | None:
        """The series that would be registered: the one of the visit beside on which most was drawn, and one of its phase."""
        if self.pair is None or not self.waiting():
            return None
        return _series(self._room.state, self._room.case, self.pair, self.waiting())

    def carrying(self) -> Generator[str, None, Carried]:
        """Work that carries what is wanted; long, so for another thread. It can be left between any two steps.

        Each step is said before it is done; the value that it returns is for :meth:`keep`. Nothing is raised: a problem is told in
        the result.
        """
        assert self.pair is not None
        task = _Task(self.pair, self._room.state, self._room.case, self.wanted(), self.carried)
        return self._carry(task)

    def keep(self, carried: Carried) -> bool:
        """Keep what was found for its pair of visits; whether that is the pair that is looked at."""
        self._kept[carried.pair] = carried
        return carried.pair == self.pair

    def forget(self) -> None:
        """Nothing is known of the pair that is looked at: it is registered again when asked."""
        if self.pair is not None:
            self._kept.pop(self.pair, None)

    def propose(self, lesion: str) -> Pending:
        """A proposal from the ghost of a lesion, its line fitted to what lies there now; as long as :meth:`Room.ask`.

        Raises
        ------
        ReadError : the lesion has no ghost on the series that is looked at.
        MaskError : nothing there differs from its surroundings, or no lesion comes out of it.
        """
        ghost, series = self.ghost(lesion), self._room.series
        line = None if ghost is None else ghost.line_on(series)
        if ghost is None or line is None:
            why = "has no ghosted line on this series" if lesion else "choose a lesion with a ghosted line first"
            raise ReadError(f"{lesion} {why}; draw it (U)" if lesion else why)
        geometry = series.geometry
        assert geometry is not None
        spacing = (geometry.slice_step_mm or 1.0, geometry.row_spacing_mm, geometry.column_spacing_mm)
        pair = self.pair
        try:
            fitted = adapted(line, self._room.volumes.get(series).voxels, spacing, ghost.followed.off_mm)
        except MaskError as error:
            raise MaskError(
                f"{lesion}: nothing at the carried place differs from its surroundings; look, then draw it (U) or say what "
                f"it is (1 to 5)"
            ) from error
        pending = self._room.ask(fitted, lesion=lesion)
        return replace(pending, proposal=_told(pending.proposal, ghost, pair, fitted != line))

    def _carry(self, task: _Task) -> Generator[str, None, Carried]:
        ghosts = {g.lesion: g for g in task.known.ghosts} if task.known else {}
        left = list(task.known.left) if task.known else []
        try:
            yield "reading the visit before"
            own, other = _series(task.state, task.case, task.pair, task.lesions)
            lines = self._lines(task, own, left)
            if not lines:
                return Carried(pair=task.pair, left=tuple(left))
            ground = task.known.ground if task.known else None
            if ground is None or ground.series != (_key(own), _key(other)):
                ground = yield from self._registered(own, other, [line for line, _, _ in lines.values()])
            assert other.geometry is not None
            fresh = []
            for lesion, (line, mm, mask) in lines.items():
                yield f"looking for {lesion}"
                followed = place(
                    ground.prior, ground.current, ground.found, line, other.geometry, hounsfield=_hounsfield(other)
                )
                fresh.append(followed)
                ghosts[lesion] = Ghost(lesion=lesion, mm=mm, series=other, before=line, followed=followed, mask=mask)
                if followed.line is None:
                    left.append(f"{lesion}: {followed.note}")
                    del ghosts[lesion]
            check(fresh)
        except MrecistError as error:
            return Carried(pair=task.pair, problem=str(error))
        return Carried(pair=task.pair, ghosts=tuple(ghosts.values()), left=tuple(left), ground=ground)

    def _registered(self, own: Series, other: Series, lines: list[LpsLine]) -> Generator[str, None, _Ground]:
        if own.modality != other.modality:
            raise MaskError(
                f"the visit before is {own.modality} and this one {other.modality}: lesions are not carried over; draw them (U)"
            )
        assert own.geometry is not None
        assert other.geometry is not None
        scans = []
        for series in (own, other):
            volume = self._room.volumes.get(series)
            yield "making the volumes small"
            assert series.geometry is not None
            scans.append(scan_of(volume.voxels, series.geometry, hounsfield=_hounsfield(series)))
        yield "registering the visits"
        return _Ground((_key(own), _key(other)), scans[0], scans[1], registered(scans[0], scans[1], lines))

    def _lines(self, task: _Task, own: Series, left: list[str]) -> dict[str, tuple[LpsLine, float, str]]:
        """Lesion -> its line (LPS mm), its length and the mask it comes from; those of another frame of reference are left."""
        found = {}
        for lesion in task.lesions:
            mark = task.state.visit(task.pair[0]).marks[lesion]
            drawn = self._room.rows.drawn(task.state, task.case, task.pair[0], lesion)
            if drawn is None or mark.mask is None:
                continue
            series = task.case.series(mark.mask.series_uid, mark.mask.stack)
            if _key(series) != _key(own) and series.frame_of_reference_uid != own.frame_of_reference_uid:
                left.append(f"{lesion}: drawn on a series of another frame of reference; draw it (U)")
                continue
            line = lps_of(_longest(drawn), drawn.mask.geometry)
            found[lesion] = line, float(np.linalg.norm(line[1] - line[0])), _mask_key(mark.mask)
        return found


def offset_mm(ghosts: tuple[Ghost, ...], prior: Series, current: Series) -> float | None:
    """How far along the slices the visit before lies from this one, from the lesions carried; None without one."""
    if not ghosts or prior.geometry is None or current.geometry is None:
        return None
    there = [float((g.before[0] + g.before[1]) / 2 @ prior.geometry.normal) for g in ghosts]
    here = [float((g.followed.ends[0] + g.followed.ends[1]) / 2 @ current.geometry.normal) for g in ghosts]
    return float(np.median(np.subtract(there, here)))


def still_followed(before: Proposal, after: Proposal) -> Proposal:
    """A mended proposal keeps the word that its line was carried over."""
    kept = tuple(prompt for prompt in before.provenance.prompts if "followed" in prompt)
    return replace(after, provenance=replace(after.provenance, prompts=(*kept, *after.provenance.prompts)))


def _told(proposal: Proposal, ghost: Ghost, pair: Pair | None, fitted: bool) -> Proposal:
    assert pair is not None
    found = ghost.followed
    note = f"{ghost.lesion} from time point {pair[0]}: {found.note}"
    if fitted:
        note += "; the line was fitted to what lies there, check both ends"
    prompt: Mapping[str, object] = {
        "followed": {"from": pair[0], "by": found.by, "off_mm": found.off_mm, "stands_out": found.stands_out}
    }
    provenance = replace(proposal.provenance, prompts=(prompt, *proposal.provenance.prompts))
    return replace(proposal, provenance=provenance, notes=(note, *proposal.notes))


def _longest(drawn: Drawn) -> Line:
    longest = drawn.measurement.longest
    (y, x), (row, column) = longest.ends_index
    z = float(longest.slice_index)
    return Line(start=(z, float(y), float(x)), end=(z, float(row), float(column)))


def _series(state: ReadState, case: Case, pair: Pair, lesions: tuple[str, ...]) -> tuple[Series, Series]:
    marks = state.visit(pair[0]).marks
    masks = [m for n in lesions if (m := marks[n].mask) is not None]
    keys = [(mask.series_uid, mask.stack) for mask in masks]
    own = case.series(*max(dict.fromkeys(keys), key=keys.count))
    return own, _like(own, case.visit(pair[1]))


def _like(own: Series, visit: CaseVisit) -> Series:
    """The series of a visit to be compared: of the same phase, else the first that has one, else the first."""
    same = [one for one in visit.series if one.phase.name == own.phase.name]
    return (same or [one for one in visit.series if one.modality == own.modality] or list(visit.series))[0]


def _key(series: Series) -> tuple[str, int]:
    return series.uid, series.stack


def _mask_key(mask: object) -> str:
    return str(getattr(mask, "whole", ""))


def _hounsfield(series: Series) -> bool:
    return series.modality == "CT"
