"""The subjects of a study, read one after the other in one viewer."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from qtpy.QtCore import QObject, QTimer, Signal
from qtpy.QtWidgets import QApplication, QMessageBox

from mrecist.errors import MrecistError
from mrecist.session.worklist import StudyReads, Work
from mrecist_napari.reading_window import ReadingWindow
from mrecist_napari.untouched import Untouched

if TYPE_CHECKING:
    from mrecist.session.room import Room
    from mrecist.session.store_reads import StoreReads

    Reads = StudyReads | StoreReads
else:
    Reads = Any  # the store's libraries are loaded where a store is read

_LAST_WORK_SECONDS = 120
_AGAIN_MS = 200


class Readings(QObject):
    """Opens one subject at a time and leaves it again.

    Parameters
    ----------
    reads : the subjects of a study, or the cases of a store, of one reader.
    viewer : a napari Viewer; without one the first subject makes it.
    segmenter : who proposes masks; the built-in one unless named.
    """

    finished = Signal(str)
    """The last visit of this subject was signed, and its files are written."""

    stopped = Signal(str, str)
    """The next visit of this subject could not be opened, and why; the window is empty."""

    def __init__(self, reads: Reads, viewer: Any = None, segmenter: str = "") -> None:
        super().__init__()
        self.reads = reads
        self.window: ReadingWindow | None = None
        self.ask: Callable[[str], bool] = _box
        self._viewer = viewer
        self._segmenter = segmenter
        self._untouched: Untouched | None = None

    @property
    def subject(self) -> str:
        """Who is read now; empty when nobody is."""
        return self.window.room.case.subject if self.window is not None else ""

    def works(self) -> tuple[Work, ...]:
        """All subjects with what is done."""
        return self.reads.works()

    def open(self, subject: str) -> bool:
        """Read a subject in place of the one that is open; False when the reader would rather not.

        Raises :class:`mrecist.errors.MrecistError` when the subject cannot be opened; the one before stays open then.
        """
        lost = self._would_be_lost()
        if lost and not self.ask(lost):
            return False
        room = self.reads.enter(subject)
        self.leave()
        self._show(room)
        return True

    def _show(self, room: Room) -> None:
        if self._viewer is None:
            import napari

            self._viewer = napari.Viewer(title="mrecist", show=True)
            self._viewer.window.resize(1800, 1000)
        self._untouched = Untouched(self._viewer)
        self.window = ReadingWindow(room, self._viewer)
        if self._segmenter:
            self.window.panel.segmenter.pick(self._segmenter)
        self._viewer.title = f"mrecist: {room.case.subject}, reader {room.reader}"
        self.window.prior.main.destroyed.connect(self._closed)
        room.watch(self._signed)

    def leave(self) -> None:
        """End the read: what is still being written is waited for, the viewer is as it was before, the lock is free."""
        window, self.window = self.window, None
        if window is None:
            return
        window.background.quit()
        end = time.monotonic() + _LAST_WORK_SECONDS
        while window.busy and time.monotonic() < end:
            QApplication.processEvents()
            time.sleep(0.01)
        window.close()
        if self._untouched is not None and _is_there(window.prior.main):
            self._untouched.restore(window.prior.main)
        self._untouched = None

    def _would_be_lost(self) -> str:
        if self.window is not None:
            return self.window.would_be_lost()
        if self._viewer is not None and self._viewer.layers:
            return f"{len(self._viewer.layers)} layers that are open here are closed."
        return ""

    def _closed(self) -> None:
        """The viewer's window was closed: the lock is free, and the next subject gets a viewer of its own."""
        self.leave()
        self._viewer = None

    def _signed(self, what: str) -> None:
        if what == "written":
            QTimer.singleShot(0, self._tell_finished)
        elif what == "state" and self.window is not None:
            last = self.window.room.session.log[-1:]
            if last and last[0].do == "Sign":
                QTimer.singleShot(0, self._tell_finished)

    def _tell_finished(self) -> None:
        """Once the files of the last signature are written; what stops them is told in the panel."""
        if self.window is None:
            return
        if self.window.busy:
            QTimer.singleShot(_AGAIN_MS, self._tell_finished)
            return
        room = self.window.room
        written = room.keeping.is_written(room.session)
        if written and room.keeping.has_more:
            self._go_on(room)
        elif written and all(room.state.visit(v.timepoint).signature for v in room.case.visits):
            self.finished.emit(self.subject)

    def _go_on(self, before: Room) -> None:
        """The same case with the visit that may be read now."""
        subject = before.case.subject
        self.leave()
        try:
            self._show(self.reads.enter(subject))
        except (MrecistError, OSError) as error:
            self.stopped.emit(subject, self.reads.words(str(error)))


def _is_there(widget: QObject) -> bool:
    """A window that was closed may be gone already."""
    try:
        widget.objectName()
    except RuntimeError:
        return False
    return True


def _box(what: str) -> bool:
    answer = QMessageBox.question(None, "Open another subject?", f"{what}\n\nGo on all the same?")
    return bool(answer == QMessageBox.StandardButton.Yes)
