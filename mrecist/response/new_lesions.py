"""New lesions of a read, visit by visit: as read there and then, and in hindsight (back-dating).

Eisenhauer 2009, 4.3.5: a finding that is equivocal is followed; when it is proven later, progression dates back to the first
sight of it.
"""

from __future__ import annotations

from dataclasses import dataclass

from mrecist.criteria._organs import organ_of
from mrecist.criteria._rule import NewLesionView
from mrecist.criteria._said import VESSELS, named
from mrecist.model import NewLesion
from mrecist.protocol import CriterionSetting
from mrecist.response.read import Read


@dataclass(frozen=True, slots=True, kw_only=True)
class NewAtVisit:
    """New lesions at one visit.

    ``counted_as_read`` count on what was known then; ``counted`` adds those that a later visit proved, which
    ``proven_later`` names with that visit. ``spared`` are there and no progression by ``new_lesion_is_pd = false``.
    """

    as_read: NewLesion
    counted_as_read: tuple[str, ...]
    counted: tuple[str, ...]
    proven_later: dict[str, int]
    words: str
    flags: tuple[str, ...]
    spared: tuple[str, ...] = ()


_NONE = NewAtVisit(
    as_read=NewLesion.NO, counted_as_read=(), counted=(), proven_later={}, words="no new lesion", flags=()
)


def new_lesions_by_visit(read: Read, setting: CriterionSetting) -> dict[int, NewAtVisit]:
    """What the new lesions mean at every follow-up of a read, by the rules of one criterion."""
    if not read.new_lesions():
        return dict.fromkeys([visit.timepoint for visit in read.visits[1:]], _NONE)
    views = {
        lesion: setting.criterion.new_lesion(read.history(lesion), setting.thresholds) for lesion in read.new_lesions()
    }
    spared, unplaced = _spared(read, setting)
    return {visit.timepoint: _at(visit.timepoint, views, spared, unplaced) for visit in read.visits[1:]}


def _spared(read: Read, setting: CriterionSetting) -> tuple[frozenset[str], frozenset[str]]:
    """Where new lesions in the liver are no progression: those that lie there, and those whose place nobody recorded.

    One that any row has elsewhere, or names a thrombus or vascular invasion, is not spared, whatever the region of a vessel is.
    """
    if setting.thresholds.new_lesion_is_pd:
        return frozenset(), frozenset()
    spared, unplaced = set(), set()
    for lesion in read.new_lesions():
        rows = read.history(lesion).values()
        organs = {organ_of(row) for row in rows} - {""}
        if organs == {"liver"} and not any(named(row, VESSELS) for row in rows):
            spared.add(lesion)
        elif not organs:
            unplaced.add(lesion)
    return frozenset(spared), frozenset(unplaced)


def _at(
    timepoint: int,
    views: dict[str, dict[int, NewLesionView]],
    spared: frozenset[str],
    unplaced: frozenset[str],
) -> NewAtVisit:
    as_read: dict[str, NewLesion] = {}
    proven: dict[str, int] = {}
    words: list[str] = []
    flags: list[str] = []
    for lesion, history in views.items():
        view = history.get(timepoint) or _persisting(lesion, timepoint, history)
        if view is None:
            continue
        as_read[lesion] = view.status
        words.append(view.words)
        flags += view.flags
        if lesion in spared and view.status is not NewLesion.NO:
            words.append("in the liver, so no progression (new_lesion_is_pd)")
            flags.append(f"NEW_LESION_NOT_PD:{lesion}")
        if lesion in spared:
            continue
        if lesion in unplaced and view.status is not NewLesion.NO:
            flags.append(f"NEW_LESION_UNPLACED:{lesion}")
        later = _proven_at(timepoint, history)
        if view.status is NewLesion.EQUIVOCAL and later is not None:
            proven[lesion] = later
            words.append(f"proven at time point {later}, so dated back to here")
    seen = tuple(lesion for lesion, status in as_read.items() if status is NewLesion.YES)
    counted_as_read = tuple(lesion for lesion in seen if lesion not in spared)
    return NewAtVisit(
        as_read=_summary(as_read),
        counted_as_read=counted_as_read,
        counted=(*counted_as_read, *proven),
        proven_later=proven,
        words=f"new lesion: {', '.join(words)}" if words else "no new lesion",
        flags=tuple(flags),
        spared=tuple(lesion for lesion in seen if lesion in spared),
    )


def _persisting(lesion: str, timepoint: int, history: dict[int, NewLesionView]) -> NewLesionView | None:
    """A new lesion without a row here stays what it was last, unless it was absent or not yet seen."""
    earlier = [t for t in history if t < timepoint]
    if not earlier:
        return None
    last = history[max(earlier)]
    if last.status is NewLesion.NO:
        return None
    words = f"{lesion} without a row here, {last.status} at time point {max(earlier)}"
    return NewLesionView(status=last.status, words=words, flags=(f"NEW_LESION_PERSISTS:{lesion}",))


def _proven_at(timepoint: int, history: dict[int, NewLesionView]) -> int | None:
    """The first later time point that proves the lesion, unless it was absent in between (A29)."""
    for later in sorted(t for t in history if t > timepoint):
        if history[later].status is NewLesion.YES:
            return later
        if history[later].status is NewLesion.NO:
            return None
    return None


def _summary(as_read: dict[str, NewLesion]) -> NewLesion:
    for status in (NewLesion.YES, NewLesion.EQUIVOCAL):
        if status in as_read.values():
            return status
    return NewLesion.NO
