"""The subjects of a study, read one after the other in one viewer."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

from qtpy.QtCore import QObject, QTimer, Signal
from qtpy.QtWidgets import QApplication, QMessageBox

from mrecist.session.room import enter
from mrecist.session.signed import is_written
from mrecist.session.worklist import Work, worklist
from mrecist.study import Study
from mrecist_napari.reading_window import ReadingWindow
from mrecist_napari.untouched import Untouched

_LAST_WORK_SECONDS = 120
_AGAIN_MS = 200


class Readings(QObject):
    """Opens one subject at a time and leaves it again.

    Parameters
    ----------
    study : an opened study.
    reader : who reads.
    viewer : a napari Viewer; without one the first subject makes it.
    segmenter : who proposes masks; the built-in one unless named.
    """

    finished = Signal(str)
    """The last visit of this subject was signed, and its files are written."""

    def __init__(self, study: Study, reader: str, viewer: Any = None, segmenter: str = "") -> None:
        super().__init__()
        self.study = study
        self.reader = reader
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
        return worklist(self.study, self.reader)

    def open(self, subject: str) -> bool:
        """Read a subject in place of the one that is open; False when the reader would rather not.

        Raises :class:`mrecist.errors.MrecistError` when the subject cannot be opened; the one before stays open then.
        """
        lost = self._would_be_lost()
        if lost and not self.ask(lost):
            return False
        room = enter(self.study, subject, self.reader)
        self.leave()
        if self._viewer is None:
            import napari

            self._viewer = napari.Viewer(title="mrecist", show=True)
            self._viewer.window.resize(1800, 1000)
        self._untouched = Untouched(self._viewer)
        self.window = ReadingWindow(room, self._viewer)
        if self._segmenter:
            self.window.panel.segmenter.pick(self._segmenter)
        self._viewer.title = f"mrecist: {subject}, reader {self.reader}"
        self.window.prior.main.destroyed.connect(self._closed)
        room.watch(self._signed)
        return True

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
        if what == "state" and self.window is not None:
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
        if is_written(room.session) and all(room.state.visit(v.timepoint).signature for v in room.case.visits):
            self.finished.emit(self.subject)


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
