"""What a reader does by hand to the proposal that waits: strokes, outlines, the slices between, and each of them back again."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from mrecist.errors import ReadError
from mrecist.imaging.series import Series
from mrecist.model import Role
from mrecist.session.editing import (
    METHOD,
    Painted,
    Part,
    Stroke,
    as_proposal,
    between,
    by_hand,
    painted,
    replayed,
    viable_again,
)
from mrecist.session.proposing import Proposal
from mrecist.session.state import Mark
from mrecist.session.waiting import History, OnDisk, Pending

if TYPE_CHECKING:
    from mrecist.session.room import Room

_ACCEPTED_BEFORE = "mends what was accepted; that stays as it is until Return accepts this"
_LINES_GO = "the ends set by hand go when Return accepts: the diameters are measured again"


class Mending:
    """The hand work of one room. A stroke is never in the read by itself: it changes or makes a proposal, which waits."""

    def __init__(self, room: Room) -> None:
        self._room = room
        self.disk = OnDisk(room.session.folder)
        self._history: dict[int, History] = {}
        # Actions of the read that were taken back after the last step: they come again first.
        self.actions_back = 0

    # --- what is mended --------------------------------------------------------------------------------------------

    def where(self, lesion: str | None = None) -> Series | None:
        """The series on which the next stroke belongs: that of the proposal, or of the mask that was accepted; None for neither.

        ``lesion`` None is the proposal that waits, or else the lesion that is chosen.

        Raises
        ------
        ReadError : the visit is signed.
        """
        self._refuse_signed()
        if lesion is None and self._room.pending is not None:
            return self._room.pending.proposal.series
        mark = self._mark(lesion)
        drawn = None if mark is None else mark.mask
        return None if drawn is None else self._room.case.series(drawn.series_uid, drawn.stack)

    def _mark(self, lesion: str | None) -> Mark | None:
        name = self._room.looking.lesion if lesion is None else lesion
        return self._room.state.mark(self._room.looking.timepoint, name) if name else None

    def paint(self, stroke: Stroke, lesion: str | None = None, role: Role | None = None) -> str:
        """Paint on the proposal, the accepted mask, or nothing yet; what the reader is told.

        Parameters
        ----------
        stroke : what was drawn, on the series of :meth:`where`, or on the one looked at when that is None.
        lesion : None as for :meth:`where`; empty for a new lesion of ``role``.

        Raises
        ------
        ReadError : the visit is signed, or no lesion is chosen.
        MaskError : see :func:`mrecist.session.editing.painted`.
        """
        pending = self._begun(lesion)
        measuring = self._room.case.protocol.measuring
        if pending is None:
            pending, done = self._new(stroke, lesion, role)
        else:
            done = painted(pending.proposal, stroke, measuring)
        self._room.offer(replace(pending, proposal=done.proposal, strokes=(*pending.strokes, stroke)))
        return done.said

    def interpolate(self, part: Part) -> str:
        """Fill the empty slices between the drawn ones; which they were, slices counted from 1."""
        pending = self._begun(None)
        if pending is None:
            raise ReadError("there is nothing to interpolate: outline the lesion on two slices first (Shift+C)")
        stroke, gaps = between(pending.proposal, part)
        said = self.paint(stroke)
        left = f"; {slices_in_words(gaps)} stay empty: the outlines lie too far from one another" if gaps else ""
        return f"filled {slices_in_words(stroke.patch.slices)}{left}" + (f"; {said}" if said else "")

    def _begun(self, lesion: str | None) -> Pending | None:
        """What the next stroke changes; None where it would be the first."""
        room = self._room
        self._refuse_signed()
        if lesion is None and room.pending is not None:
            return room.pending
        name = room.looking.lesion if lesion is None else lesion
        mark = self._mark(lesion)
        if mark is None or mark.mask is None:
            return None
        facts = room.state.lesions[name]
        drawn, masks = mark.mask, room.session.masks
        proposal = as_proposal(
            room.case.series(drawn.series_uid, drawn.stack),
            masks.get(drawn.whole),
            None if drawn.viable is None else masks.get(drawn.viable),
            drawn.provenance,
            room.case.protocol.measuring,
            (_ACCEPTED_BEFORE, *((_LINES_GO,) if mark.lines else ())),
        )
        return Pending(
            lesion=name,
            role=facts.role,
            organ=facts.organ,
            timepoint=room.looking.timepoint,
            asked=None,
            proposal=proposal,
        )

    def _new(self, stroke: Stroke, lesion: str | None, role: Role | None) -> tuple[Pending, Painted]:
        room = self._room
        name = room.looking.lesion if lesion is None else lesion
        if lesion is None and not name:
            raise ReadError("no lesion is chosen: choose one in the table, or press Shift+C to outline a new one")
        facts = room.state.lesions.get(name)
        done = by_hand(room.series, stroke, room.case.protocol.measuring)
        given = (facts.role, facts.organ) if facts is not None else (role or room.default_role(), "liver")
        pending = Pending(
            lesion=name,
            role=given[0],
            organ=given[1],
            timepoint=room.looking.timepoint,
            asked=None,
            proposal=done.proposal,
        )
        return pending, done

    def _refuse_signed(self) -> None:
        timepoint = self._room.looking.timepoint
        signature = self._room.state.visit(timepoint).signature
        if signature is not None:
            raise ReadError(
                f"time point {timepoint} was signed by {signature.name}; re-open it with a reason to change it"
            )

    # --- what the room asks ----------------------------------------------------------------------------------------

    def found_again(self, pending: Pending, proposal: Proposal) -> Proposal:
        """What a method found again, with the strokes since on it: the hand has the last word. A click before stays told."""
        found = proposal.provenance
        clicked = tuple(prompt for prompt in pending.proposal.provenance.prompts if "click" in prompt)
        proposal = replace(proposal, provenance=replace(found, prompts=(*clicked, *found.prompts)))
        return replayed(proposal, pending.strokes, self._room.case.protocol.measuring)

    def with_viable(self, pending: Pending, proposal: Proposal) -> Proposal:
        """Another cut-off, with the strokes on the viable part on it."""
        return viable_again(proposal, pending.strokes, self._room.case.protocol.measuring)

    def left_at(self, timepoint: int) -> Pending | None:
        """What waits at a visit that is opened: left there when the reader went to another, or when the window was killed."""
        return self.disk.read(timepoint, self._room.case, self._room.state)

    def offered(self, before: Pending | None, after: Pending | None) -> None:
        """A proposal took the place of another, or was taken away."""
        self.actions_back = 0
        if after is not None:
            if before is not None and before.timepoint == after.timepoint:
                self._history.setdefault(after.timepoint, History()).went_on(before, after)
            self.disk.keep(after)
        elif before is not None:
            self._history.pop(before.timepoint, None)
            self.disk.forget(before.timepoint)

    def undo(self) -> Pending | None:
        """The proposal before the last step, which then waits; None when there is no such step."""
        return self._moved(back=True)

    def redo(self) -> Pending | None:
        """The step that was taken back last; None when there is none."""
        return self._moved(back=False)

    def can_move(self, *, back: bool) -> str:
        """Which step would be taken back, or come again; empty when none."""
        now = self._room.pending
        history = None if now is None else self._history.get(now.timepoint)
        steps = 0 if history is None else history.steps_back if back else history.steps_again
        return "the last step of the proposal" if steps and (back or not self.actions_back) else ""

    def _moved(self, *, back: bool) -> Pending | None:
        now = self._room.pending
        if now is None or not self.can_move(back=back):
            return None
        history = self._history[now.timepoint]
        found = history.undo(now) if back else history.redo(now)
        self.disk.keep(found)
        return found


def is_by_hand(pending: Pending) -> bool:
    """The reader has drawn on it, or it was drawn by hand from the beginning."""
    return bool(pending.strokes) or pending.proposal.provenance.method == METHOD


def slices_in_words(slices: Sequence[int]) -> str:
    """``slice 4``, ``slices 4 to 6 and 9``, counted from 1."""
    runs: list[list[int]] = []
    for z in sorted(slices):
        if runs and z == runs[-1][1] + 1:
            runs[-1][1] = z
        else:
            runs.append([z, z])
    parts = [f"{a + 1}" if a == b else f"{a + 1} to {b + 1}" for a, b in runs]
    said = parts[0] if len(parts) == 1 else f"{', '.join(parts[:-1])} and {parts[-1]}"
    return f"slice {said}" if len(slices) == 1 else f"slices {said}"
