"""The reader's session: every accepted action is saved at once, and can be undone until its visit is signed.

::

    session = open_session(case, reader, folder)     # goes on where the last one stopped
    session.do(Draw(...)); session.undo(); session.redo()
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from mrecist.errors import ReadError
from mrecist.plain import from_plain, to_plain
from mrecist.session.actions import ACTIONS, Action, Reopen, Sign
from mrecist.session.case import Case
from mrecist.session.journal import Entry, Journal
from mrecist.session.kept_masks import KeptMasks
from mrecist.session.state import ReadState, until

UNDO, REDO = "undo", "redo"
# What was signed cannot be undone, only re-opened with a reason.
_FINAL = (Sign, Reopen)


def utc_now() -> str:
    """The time now, ISO 8601 to the second, UTC."""
    return datetime.now(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")


@dataclass(frozen=True, slots=True)
class _Done:
    action: Action
    before: ReadState
    after: ReadState


class Session:
    """One reader's read of one case. Not for several threads at once.

    Parameters
    ----------
    case : the subject as it was opened; :attr:`case` carries the phases that the reader stated.
    reader : the reader's name in the tables.
    journal, masks : where the work is kept.
    release : gives the lock on the folder back.
    now : the clock, for tests.

    ``until`` is the last visit that may be seen; what was said of later ones stays and is not shown. None: all of them.
    """

    def __init__(
        self,
        case: Case,
        reader: str,
        journal: Journal,
        masks: KeptMasks,
        release: Callable[[], Any],
        now: Callable[[], str] = utc_now,
    ) -> None:
        self._case = case
        self.reader = reader
        self.masks = masks
        self._journal = journal
        self.folder = journal.path.parent
        self._release = release
        self._now = now
        self._done: list[_Done] = []
        self._undone: list[_Done] = []
        self._state = ReadState()
        self._unsaved: list[tuple[str, str, Any]] = []
        self._watchers: list[Callable[[], None]] = []
        self.until: int | None = None
        self._seen: tuple[ReadState, int, ReadState] | None = None
        self.trouble = ""
        self.note = journal.note
        for entry in journal.entries:
            self._repeat(entry)

    # --- what there is ---------------------------------------------------------------------------------------------

    @property
    def state(self) -> ReadState:
        """What the reader has said so far of the visits that may be seen."""
        if self.until is None:
            return self._state
        if self._seen is None or self._seen[0] is not self._state or self._seen[1] != self.until:
            self._seen = self._state, self.until, until(self._state, self.until)
        return self._seen[2]

    @property
    def whole_state(self) -> ReadState:
        """The same of every visit."""
        return self._state

    @property
    def case(self) -> Case:
        """The case with the phases that the reader stated."""
        return self._case.with_phases(self._state.phases, self.reader)

    @property
    def unsaved(self) -> int:
        """Number of actions that are not on disk; 0 unless saving failed (:attr:`trouble` says why)."""
        return len(self._unsaved)

    @property
    def can_undo(self) -> str:
        """What undo would take back; empty when there is nothing."""
        return self._done[-1].action.words() if self._done else ""

    @property
    def can_redo(self) -> str:
        """What redo would do again; empty when there is nothing."""
        return self._undone[-1].action.words() if self._undone else ""

    @property
    def log(self) -> tuple[Entry, ...]:
        """Every action since the read began, undo and redo among them."""
        return self._journal.entries

    def watch(self, changed: Callable[[], None]) -> Callable[[], None]:
        """Call ``changed`` after every change; the result ends that."""
        self._watchers.append(changed)
        return lambda: self._watchers.remove(changed)

    # --- what can be done ------------------------------------------------------------------------------------------

    def do(self, action: Action) -> None:
        """Do and save one action; raises :class:`ReadError` where it cannot be, and changes nothing then."""
        self._apply(action)
        self._save(type(action).__name__, to_plain(action))

    def undo(self) -> None:
        """Take the last action back; a signature is no action that can be taken back."""
        self._take_back()
        self._save(UNDO, None)

    def redo(self) -> None:
        """Do again what was undone last."""
        self._do_again()
        self._save(REDO, None)

    def save(self) -> bool:
        """Try again to save what could not be saved; True when everything is on disk."""
        if self._unsaved:
            self._write()
        return not self._unsaved

    def close(self) -> None:
        """Give the read free for another window. Nothing is left to save, unless :attr:`unsaved` says so."""
        self._release()

    # --- how -------------------------------------------------------------------------------------------------------

    def _apply(self, action: Action) -> None:
        after = action.apply(self._state)
        if isinstance(action, _FINAL):
            self._done.clear()
        else:
            self._done.append(_Done(action, self._state, after))
        self._undone.clear()
        self._state = after

    def _take_back(self) -> None:
        if not self._done:
            raise ReadError("there is nothing to undo; a signed visit is re-opened with a reason")
        last = self._done.pop()
        self._undone.append(last)
        self._state = last.before

    def _do_again(self) -> None:
        if not self._undone:
            raise ReadError("there is nothing to redo")
        last = self._undone.pop()
        self._done.append(last)
        self._state = last.after

    def _repeat(self, entry: Entry) -> None:
        try:
            if entry.do == UNDO:
                self._take_back()
            elif entry.do == REDO:
                self._do_again()
            elif entry.do in ACTIONS:
                action: Any = from_plain(entry.given, ACTIONS[entry.do])  # type: ignore[arg-type]
                self._apply(action)
            else:
                raise ValueError(f"'{entry.do}' is not known to this version")
        except (ValueError, ReadError) as error:
            raise ReadError(
                f"{self._journal.path}: action {entry.n} ({entry.do}) cannot be repeated: {error}; restore the file from a copy"
            ) from None

    def _save(self, do: str, given: Any) -> None:
        self._unsaved.append((self._now(), do, given))
        self._write()
        for changed in tuple(self._watchers):
            changed()

    def _write(self) -> None:
        try:
            self.masks.save()  # a line of the journal never names a mask that is not there
            self._journal.append(self._unsaved)
        except OSError as error:
            self.trouble = f"{self._journal.path}: not saved ({error.strerror or error}); free space, then save again"
        else:
            self._unsaved.clear()
            self.trouble = ""


def open_session(case: Case, reader: str, folder: Path, now: Callable[[], str] = utc_now) -> Session:
    """The session of a reader with a case, going on from what ``folder`` holds.

    Raises :class:`ReadError` when the read is open in another window, or the journal is damaged in its middle, or was written
    by a version that knows more.
    """
    from filelock import FileLock, Timeout

    folder.mkdir(parents=True, exist_ok=True)
    lock = FileLock(folder / "lock", timeout=0)
    try:
        lock.acquire()
    except Timeout:
        raise ReadError(
            f"the read of {case.subject} by {reader} is open in another window; close it there first ({folder})"
        ) from None
    try:
        return Session(case, reader, Journal(folder), KeptMasks(folder / "masks"), lock.release, now)
    except BaseException:
        lock.release()
        raise
