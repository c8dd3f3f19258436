"""Open the reading room: from the command line, or from napari's own menus."""

from __future__ import annotations

from pathlib import Path

import napari
from qtpy.QtCore import QEvent
from qtpy.QtWidgets import QFileDialog, QLabel, QLineEdit, QPushButton, QVBoxLayout, QWidget

from mrecist.errors import MrecistError
from mrecist.session.worklist import StudyReads, next_work
from mrecist.study import open_study
from mrecist_napari.readings import Readings, Reads
from mrecist_napari.settings import settings
from mrecist_napari.worklist import Worklist, start_window

_WIDTH = 300  # pixels


def read(reads: Reads, subject: str = "", segmenter: str = "") -> None:
    """Read the subjects of a study, or the cases of a store, in a window of its own, until it is closed.

    Without a subject, and with several in the study, a list of them comes first; after the last visit of a subject was signed
    it comes again with the next one chosen. The panel asks what ``segmenter`` needs agreement to.

    Raises :class:`mrecist.errors.ReadError` when the subject cannot be opened.
    """
    from napari.qt import get_qapp

    get_qapp()
    start = Start(Readings(reads, segmenter=segmenter))
    if subject or not reads.several:
        start.readings.open(reads.name_of(subject) if subject else reads.study.subjects[0].subject)
    else:
        start.show()
    try:
        napari.run()
    finally:
        start.readings.leave()


class Start:
    """The small window with the list of subjects, and the reading window that it opens."""

    def __init__(self, readings: Readings) -> None:
        self.readings = readings
        self.box = start_window(Worklist())
        self.box.chosen.connect(self._open)
        readings.finished.connect(self._finished)
        readings.stopped.connect(lambda _subject, why: self.show(why))

    def show(self, words: str = "") -> None:
        """The list as it is now."""
        _show(self.box, self.readings, words)
        self.box.show()
        self.box.raise_()

    def _open(self, subject: str) -> None:
        _open(self.readings, self.box, subject)
        if self.readings.subject == subject:
            self.box.hide()

    def _finished(self, subject: str) -> None:
        if self.readings.reads.several:
            self.show(_next_words(self.readings, subject))


class OpenReadingRoom(QWidget):  # type: ignore[misc]
    """The widget of the menus: a study folder, its subjects, and the one that is read in this window."""

    def __init__(self, viewer: napari.viewer.Viewer) -> None:
        super().__init__()
        self._viewer = viewer
        self.readings: Readings | None = None
        self.reader = QLineEdit(settings().reader)
        self.reader.setToolTip("who reads: the name in every table and file; the usual one is set in the preferences")
        self.choose = QPushButton("Open a study folder...")
        self.choose.setToolTip("a folder with images/ and, if there is one, protocol.toml")
        self.choose.clicked.connect(self._choose)
        self.said = QLabel("")
        self.said.setWordWrap(True)
        self.list = Worklist()
        self.list.hide()
        self.list.chosen.connect(self.open)
        column = QVBoxLayout(self)
        for part in (QLabel("Reader"), self.reader, self.choose, self.said, self.list):
            column.addWidget(part)
        column.addStretch()
        self.setMinimumWidth(_WIDTH)
        self._docked = False

    def open_study(self, folder: Path) -> None:
        """Show the subjects of a study; what cannot be opened is told in one line."""
        try:
            study = open_study(folder)
        except (MrecistError, OSError) as error:
            self.said.setText(str(error))
            return
        if self.readings is not None and self.readings.window is not None:
            lost = self.readings.window.would_be_lost()
            if lost and not self.readings.ask(lost):
                return
        self.end()
        self.readings = Readings(StudyReads(study, self.reader.text().strip() or settings().reader), self._viewer)
        self.readings.finished.connect(self._finished)
        self._show()

    def open(self, subject: str) -> None:
        """Read a subject of the study; what cannot be opened is told in one line."""
        if self.readings is not None:
            _open(self.readings, self.list, subject)
            self._show(self.list.said.text())

    def end(self) -> None:
        """Leave the read; its lock is free."""
        if self.readings is not None:
            self.readings.leave()
            self.readings = None

    def _choose(self) -> None:
        folder = QFileDialog.getExistingDirectory(self, "Study folder")
        if folder:
            self.open_study(Path(folder))

    def _show(self, words: str = "") -> None:
        assert self.readings is not None
        study = self.readings.reads.study
        self.said.setText(
            "" if study.subjects else f"{study.root}: has no subject to read; put its images below images/"
        )
        self.list.setVisible(bool(study.subjects))
        _show(self.list, self.readings, words)

    def _finished(self, subject: str) -> None:
        assert self.readings is not None
        self._show(_next_words(self.readings, subject))

    def event(self, event: QEvent) -> bool:
        """napari takes the widget out of its dock when the dock is closed; the read ends then."""
        if event.type() == QEvent.Type.ParentChange:
            if self._docked and self.parent() is None:
                self.end()
            self._docked = self.parent() is not None
        return bool(super().event(event))


def _open(readings: Readings, box: Worklist, subject: str) -> None:
    try:
        opened = readings.open(subject)
    except (MrecistError, OSError) as error:
        box.say(readings.reads.words(str(error)))
    else:
        box.say("" if opened else f"{readings.subject} stays open")


def _show(box: Worklist, readings: Readings, words: str) -> None:
    """The list as it is now; a store that cannot be reached is told, and the list stays as it was."""
    try:
        works = readings.works()
    except (MrecistError, OSError) as error:
        box.say(readings.reads.words(str(error)))
        return
    box.show_works(works, here=readings.subject, title=readings.reads.title, who=readings.reads.who)
    box.say(words)


def _next_words(readings: Readings, subject: str) -> str:
    try:
        following = next_work(readings.works(), subject)
    except (MrecistError, OSError) as error:
        return readings.reads.words(str(error))
    return f"Every visit of {subject} is signed." + (
        f" Next: {following.subject}." if following else " All are signed."
    )
