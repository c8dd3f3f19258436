"""Which visit stands beside the one that is read: the one before, an earlier one, or that of the smallest sum (nadir)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mrecist.model import VisitResponse
from mrecist.protocol import CriterionSetting
from mrecist.session.room import Room
from mrecist.session.sums import by_enhancement

if TYPE_CHECKING:
    from mrecist_napari.reading_window import ReadingWindow


class Priors:
    """The choice of the visit beside."""

    def __init__(self, window: ReadingWindow) -> None:
        self._window = window
        self._room = window.room

    def earlier(self) -> None:
        """The visit before the one that is beside; from baseline on to the visit before the one that is read."""
        before = [v.timepoint for v in self._room.case.visits if v.timepoint < self._room.looking.timepoint]
        if not before:
            self._window.message("there is no visit before this one")
        elif len(before) == 1:
            self._window.message("there is one visit before this one only")
        else:
            now = self._room.looking.prior
            at = before.index(now) if now in before else 0
            self._room.look_beside(before[at - 1])

    def nadir(self) -> None:
        """The visit with the smallest sum by mRECIST before this one; measures first what is not measured yet."""
        if self._room.unmeasured():
            self._window.background.later(self._room.measuring(), lambda _done: self._show_nadir(), "measuring")
        else:
            self._show_nadir()

    def _show_nadir(self) -> None:
        found, why = nadir_of(self._room, self._room.looking.timepoint)
        if found is None:
            self._window.message(f"the nadir is not known: {why}")
            return
        self._window.message(why)
        if found != self._room.looking.prior:
            self._room.look_beside(found)

    def word(self, timepoint: int) -> str:
        """``BASELINE``, ``NADIR``, ``BASELINE = NADIR`` or ``PRIOR``; the nadir only once every mask is measured."""
        known = None if self._room.unmeasured() else nadir_of(self._room, self._room.looking.timepoint)[0]
        words = ["BASELINE"] if timepoint == 0 else []
        words += ["NADIR"] if timepoint == known else []
        return " = ".join(words) or "PRIOR"


def nadir_of(room: Room, timepoint: int) -> tuple[int | None, str]:
    """The visit of the smallest sum before a time point by the protocol's criterion of enhancement, and why.

    The engine's own nadir where the visit has a response; before it has one, the earliest of the smallest sums, and only when every
    visit before it has one.
    """
    setting = next((s for s in room.case.protocol.criteria if by_enhancement(s)), None)
    if setting is None:
        return None, "the protocol has no criterion that follows the viable part"
    before = [v.timepoint for v in room.case.visits if v.timepoint < timepoint]
    if not before:
        return None, "there is no visit before this one"
    responses = {r.timepoint: r for r in room.live().responses if r.criterion == setting.name}
    own = responses.get(timepoint)
    if own is not None and own.nadir is not None:
        return (
            own.nadir.timepoint,
            f"nadir by {setting.title}: {own.nadir.sum} {own.unit} at time point {own.nadir.timepoint}",
        )
    return _smallest(setting, [(t, responses.get(t)) for t in before])


def _smallest(setting: CriterionSetting, before: list[tuple[int, VisitResponse | None]]) -> tuple[int | None, str]:
    sums = []
    for timepoint, response in before:
        if response is None or response.sum is None:
            return None, f"time point {timepoint} has no {setting.title} sum"
        sums.append((response.sum, timepoint, response.unit))
    smallest, timepoint, unit = min(sums)
    return timepoint, f"nadir by {setting.title}: {smallest} {unit} at time point {timepoint}"
