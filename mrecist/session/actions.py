"""What a reader can do, one small value each: ``state after = action.apply(state before)``.

Actions are what is saved, so each is plain data that a JSON line holds (:func:`to_json`, :func:`from_json`). An action that
cannot be is refused with :class:`ReadError` and changes nothing; a signed visit takes none but :class:`Reopen`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from decimal import Decimal
from typing import Any, Protocol

from mrecist.errors import ReadError
from mrecist.model import STATES_OF, Kind, Role, State
from mrecist.session.state import (
    DrawnMask,
    LesionFacts,
    ManualLine,
    Mark,
    ReadState,
    Signature,
    VisitState,
    put,
)
from mrecist.tables import WORD_COLUMNS

_LINES = ("longest_mm", "short_mm", "viable_mm", "viable_short_mm")


class Action(Protocol):
    """Something a reader does."""

    def apply(self, state: ReadState) -> ReadState:
        """The state after it; raises :class:`ReadError` where it cannot be."""

    def words(self) -> str:
        """What was done, for a person (undo menu, audit)."""


def _open_visit(state: ReadState, timepoint: int) -> VisitState:
    visit = state.visit(timepoint)
    if visit.signature is not None:
        raise ReadError(
            f"time point {timepoint} was signed by {visit.signature.name} at {visit.signature.at}; "
            f"re-open it with a reason to change it"
        )
    return visit


def _facts(state: ReadState, lesion: str) -> LesionFacts:
    if lesion not in state.lesions:
        raise ReadError(f"lesion {lesion} is not there; add it first (known: {', '.join(state.lesions) or 'none'})")
    return state.lesions[lesion]


def _with_visit(state: ReadState, timepoint: int, visit: VisitState) -> ReadState:
    return replace(state, visits=put(state.visits, timepoint, visit))


def _with_mark(state: ReadState, timepoint: int, lesion: str, mark: Mark | None) -> ReadState:
    _facts(state, lesion)
    visit = _open_visit(state, timepoint)
    return _with_visit(state, timepoint, replace(visit, marks=put(visit.marks, lesion, mark)))


def _mark(state: ReadState, timepoint: int, lesion: str) -> Mark:
    mark = state.mark(timepoint, lesion)
    if mark is None:
        raise ReadError(f"lesion {lesion} has nothing at time point {timepoint} yet; measure it or state what it is")
    return mark


@dataclass(frozen=True, slots=True, kw_only=True)
class AddLesion:
    """A lesion to follow. Its id must be new, and so must a tracking UID."""

    lesion: str
    role: Role
    tracking_uid: str
    kind: Kind = Kind.LESION
    organ: str = ""
    station: str = ""

    def apply(self, state: ReadState) -> ReadState:
        if not self.lesion.strip():
            raise ReadError("a lesion needs a name, for example T01")
        if self.lesion in state.lesions:
            raise ReadError(f"lesion {self.lesion} is there already; take another name")
        if self.tracking_uid in {facts.tracking_uid for facts in state.lesions.values()}:
            raise ReadError(f"lesion {self.lesion}: tracking UID {self.tracking_uid} belongs to another lesion")
        facts = LesionFacts(
            role=self.role, kind=self.kind, organ=self.organ, station=self.station, tracking_uid=self.tracking_uid
        )
        return replace(state, lesions=put(state.lesions, self.lesion, facts))

    def words(self) -> str:
        return f"add {self.role} lesion {self.lesion}"


@dataclass(frozen=True, slots=True, kw_only=True)
class ChangeLesion:
    """Other facts of a lesion. Once a visit with it is signed its role, kind and organ are fixed."""

    lesion: str
    role: Role
    kind: Kind
    organ: str = ""
    station: str = ""

    def apply(self, state: ReadState) -> ReadState:
        facts = _facts(state, self.lesion)
        for timepoint, mark in state.history(self.lesion).items():
            _open_visit(state, timepoint)
            if mark.state not in STATES_OF[self.role]:
                raise ReadError(
                    f"lesion {self.lesion} is '{mark.state}' at time point {timepoint}, which a {self.role} lesion "
                    f"cannot be; change that first"
                )
        changed = replace(facts, role=self.role, kind=self.kind, organ=self.organ, station=self.station)
        return replace(state, lesions=put(state.lesions, self.lesion, changed))

    def words(self) -> str:
        return f"lesion {self.lesion}: {self.role}, {self.kind}, {self.organ or 'no organ'}"


@dataclass(frozen=True, slots=True, kw_only=True)
class RenameLesion:
    """Another id for a lesion, which keeps its place, its tracking UID and all that is said of it.

    The id stands in what a signed visit wrote, so it is fixed once a visit that names the lesion is signed.
    """

    lesion: str
    name: str

    def apply(self, state: ReadState) -> ReadState:
        _facts(state, self.lesion)
        if not self.name.strip() or self.name != self.name.strip():
            raise ReadError(f"lesion {self.lesion}: '{self.name}' is no name; give one as T01, without space around it")
        if self.name in state.lesions:
            raise ReadError(f"lesion {self.name} is there already; take another name")
        renamed = replace(state, lesions={self._new(name): facts for name, facts in state.lesions.items()})
        for timepoint, visit in state.visits.items():
            if self.lesion in visit.marks or any(mark.part_of == self.lesion for mark in visit.marks.values()):
                _open_visit(state, timepoint)
                marks = {
                    self._new(name): replace(mark, part_of=self._new(mark.part_of))
                    for name, mark in visit.marks.items()
                }
                renamed = _with_visit(renamed, timepoint, replace(visit, marks=marks))
        return renamed

    def _new(self, name: str) -> str:
        return self.name if name == self.lesion else name

    def words(self) -> str:
        return f"rename lesion {self.lesion} to {self.name}"


@dataclass(frozen=True, slots=True, kw_only=True)
class RemoveLesion:
    """A lesion that was a mistake, with all that is said of it; not once a visit with it is signed."""

    lesion: str

    def apply(self, state: ReadState) -> ReadState:
        _facts(state, self.lesion)
        for timepoint in state.history(self.lesion):
            state = _with_mark(state, timepoint, self.lesion, None)
        return replace(state, lesions=put(state.lesions, self.lesion, None))

    def words(self) -> str:
        return f"remove lesion {self.lesion}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Draw:
    """A mask that the reader accepted. It takes the place of what was drawn; lines set by hand go with the old mask."""

    timepoint: int
    lesion: str
    mask: DrawnMask

    def apply(self, state: ReadState) -> ReadState:
        role = _facts(state, self.lesion).role
        before = state.mark(self.timepoint, self.lesion)
        seen = {Role.TARGET: State.MEASURED, Role.NON_TARGET: State.PRESENT, Role.NEW: State.UNEQUIVOCAL}[role]
        gone = (State.ABSENT, State.NOT_EVALUABLE, State.MERGED)
        if before is None or before.state in gone:
            mark = Mark(state=seen, mask=self.mask)
        else:
            mark = replace(before, mask=self.mask, lines={}, sizes={})
        return _with_mark(state, self.timepoint, self.lesion, mark)

    def words(self) -> str:
        return f"draw {self.lesion} at time point {self.timepoint} ({self.mask.provenance.method})"


@dataclass(frozen=True, slots=True, kw_only=True)
class SetLine:
    """A diameter whose ends the reader set by hand; ``line`` None goes back to the measured one."""

    timepoint: int
    lesion: str
    size: str
    line: ManualLine | None

    def apply(self, state: ReadState) -> ReadState:
        if self.size not in _LINES:
            raise ReadError(f"{self.size} is no diameter; it is one of {', '.join(_LINES)}")
        mark = _mark(state, self.timepoint, self.lesion)
        if mark.mask is None:
            raise ReadError(f"lesion {self.lesion} has no mask at time point {self.timepoint}; draw it first")
        return _with_mark(
            state, self.timepoint, self.lesion, replace(mark, lines=put(mark.lines, self.size, self.line))
        )

    def words(self) -> str:
        how = "by hand" if self.line is not None else "as measured"
        return f"{self.lesion} at time point {self.timepoint}: {self.size.removesuffix('_mm')} {how}"


@dataclass(frozen=True, slots=True, kw_only=True)
class SetState:
    """What a lesion is at a visit without being measured: absent, too small, not evaluable, merged, present, progressed, ...

    States in which nothing can be measured drop the mask. ``sizes`` are numbers that were typed (too small with a number).
    """

    timepoint: int
    lesion: str
    state: State
    part_of: str = ""
    sizes: Mapping[str, Decimal] = field(default_factory=dict)

    def apply(self, state: ReadState) -> ReadState:
        role = _facts(state, self.lesion).role
        if self.state not in STATES_OF[role]:
            raise ReadError(
                f"a {role} lesion cannot be '{self.state}'; {self.lesion} is one of {', '.join(STATES_OF[role])}"
            )
        if self.state is State.MERGED and not self.part_of:
            raise ReadError(f"lesion {self.lesion}: name the lesion that it merged into")
        if self.part_of == self.lesion or (self.part_of and self.part_of not in state.lesions):
            raise ReadError(f"lesion {self.lesion}: '{self.part_of}' is no other lesion of this read")
        before = state.mark(self.timepoint, self.lesion) or Mark(state=self.state)
        keeps = self.state not in (State.ABSENT, State.NOT_EVALUABLE, State.MERGED, State.TOO_SMALL)
        mark = replace(before, state=self.state, part_of=self.part_of, sizes=self.sizes)
        if not keeps:
            mark = replace(mark, mask=None, lines={})
        if self.state is State.MEASURED and mark.mask is None:
            raise ReadError(
                f"lesion {self.lesion} is 'measured' but has no mask at time point {self.timepoint}; draw it"
            )
        return _with_mark(state, self.timepoint, self.lesion, mark)

    def words(self) -> str:
        into = f" into {self.part_of}" if self.part_of else ""
        return f"{self.lesion} at time point {self.timepoint}: {self.state}{into}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Erase:
    """Nothing is said of the lesion at the visit any more: not assessed, which is never 0 mm."""

    timepoint: int
    lesion: str

    def apply(self, state: ReadState) -> ReadState:
        _mark(state, self.timepoint, self.lesion)
        return _with_mark(state, self.timepoint, self.lesion, None)

    def words(self) -> str:
        return f"take back {self.lesion} at time point {self.timepoint}"


@dataclass(frozen=True, slots=True, kw_only=True)
class SetWords:
    """Words of a lesion at a visit (columns of measurements.csv); an empty word is taken back."""

    timepoint: int
    lesion: str
    values: Mapping[str, str]

    def apply(self, state: ReadState) -> ReadState:
        mark = _mark(state, self.timepoint, self.lesion)
        said = dict(mark.words)
        for name, word in self.values.items():
            allowed = list(WORD_COLUMNS.get(name, ()))
            if not allowed:
                raise ReadError(f"{name} is no word of a lesion; it is one of {', '.join(WORD_COLUMNS)}")
            if word and word not in allowed:
                raise ReadError(f"{name} is '{word}', not one of: {', '.join(allowed)}")
            said = put(said, name, word or None)
        return _with_mark(state, self.timepoint, self.lesion, replace(mark, words=said))

    def words(self) -> str:
        said = ", ".join(f"{name} {word or '-'}" for name, word in self.values.items())
        return f"{self.lesion} at time point {self.timepoint}: {said}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Comment:
    """A remark on a lesion at a visit, or on the visit (no lesion)."""

    timepoint: int
    text: str
    lesion: str = ""

    def apply(self, state: ReadState) -> ReadState:
        if self.lesion:
            mark = _mark(state, self.timepoint, self.lesion)
            return _with_mark(state, self.timepoint, self.lesion, replace(mark, comment=self.text))
        return _with_visit(state, self.timepoint, replace(_open_visit(state, self.timepoint), comment=self.text))

    def words(self) -> str:
        return f"comment on {self.lesion or 'the visit'} at time point {self.timepoint}"


@dataclass(frozen=True, slots=True, kw_only=True)
class AnswerNewLesions:
    """Whether there is a new lesion. "No" is refused while one is marked; "yes" needs one before the visit can be signed."""

    timepoint: int
    answer: bool | None

    def apply(self, state: ReadState) -> ReadState:
        visit = _open_visit(state, self.timepoint)
        marked = [
            lesion
            for lesion, mark in visit.marks.items()
            if state.lesions[lesion].role is Role.NEW and mark.state is not State.ABSENT
        ]
        if self.answer is False and marked:
            raise ReadError(f"time point {self.timepoint} has the new lesion {marked[0]}; remove it or answer yes")
        return _with_visit(state, self.timepoint, replace(visit, new_lesions=self.answer))

    def words(self) -> str:
        said = {True: "yes", False: "no", None: "not answered"}[self.answer]
        return f"new lesion at time point {self.timepoint}: {said}"


@dataclass(frozen=True, slots=True, kw_only=True)
class AnswerAdequate:
    """Whether the images of a visit can be read (phase, coverage, artefacts)."""

    timepoint: int
    answer: bool | None

    def apply(self, state: ReadState) -> ReadState:
        visit = _open_visit(state, self.timepoint)
        return _with_visit(state, self.timepoint, replace(visit, adequate=self.answer))

    def words(self) -> str:
        said = {True: "yes", False: "no", None: "not answered"}[self.answer]
        return f"images adequate at time point {self.timepoint}: {said}"


@dataclass(frozen=True, slots=True, kw_only=True)
class StatePhase:
    """The contrast phase of a series by the reader's eye; it overrules the headers. An empty phase takes that back."""

    series_uid: str
    phase: str

    def apply(self, state: ReadState) -> ReadState:
        for timepoint, visit in state.visits.items():
            if visit.signature and any(m.mask and m.mask.series_uid == self.series_uid for m in visit.marks.values()):
                _open_visit(state, timepoint)
        return replace(state, phases=put(state.phases, self.series_uid, self.phase or None))

    def words(self) -> str:
        return f"phase of series ...{self.series_uid[-8:]}: {self.phase or 'as the headers say'}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Sign:
    """The visit is finished. Whether it may be is :func:`mrecist.session.checklist.open_points`."""

    timepoint: int
    name: str
    at: str
    meaning: str = "read completed"

    def apply(self, state: ReadState) -> ReadState:
        visit = _open_visit(state, self.timepoint)
        if not self.name.strip():
            raise ReadError("a signature needs the reader's name")
        signature = Signature(name=self.name, at=self.at, meaning=self.meaning)
        return _with_visit(state, self.timepoint, replace(visit, signature=signature))

    def words(self) -> str:
        return f"sign time point {self.timepoint}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Reopen:
    """A signed visit is opened again, for a reason that is kept."""

    timepoint: int
    name: str
    at: str
    reason: str

    def apply(self, state: ReadState) -> ReadState:
        visit = state.visit(self.timepoint)
        if visit.signature is None:
            raise ReadError(f"time point {self.timepoint} is not signed; there is nothing to re-open")
        if not self.reason.strip():
            raise ReadError(f"time point {self.timepoint}: re-opening a signed visit needs a reason")
        return _with_visit(state, self.timepoint, replace(visit, signature=None))

    def words(self) -> str:
        return f"re-open time point {self.timepoint}: {self.reason}"


ACTIONS: Mapping[str, Callable[..., Any]] = {
    kind.__name__: kind
    for kind in (
        *(AddLesion, ChangeLesion, RenameLesion, RemoveLesion, Draw, SetLine, SetState, Erase, SetWords, Comment),
        *(AnswerNewLesions, AnswerAdequate, StatePhase, Sign, Reopen),
    )
}
