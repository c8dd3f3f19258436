"""Open the reading room: from the command line, or from napari's own menu."""

from __future__ import annotations

from pathlib import Path

import napari
from qtpy.QtWidgets import QFileDialog, QInputDialog, QLabel, QLineEdit, QPushButton, QVBoxLayout, QWidget

from mrecist.errors import MrecistError
from mrecist.session.room import open_room
from mrecist.study import open_study
from mrecist_napari.reading_window import ReadingWindow
from mrecist_napari.screen import check_screen


def read(study: Path, subject: str, reader: str, protocol: Path | None = None, segmenter: str = "") -> None:
    """Read a subject in a window of its own, until it is closed; the panel asks what ``segmenter`` needs agreement to."""
    check_screen()
    room = open_room(study, subject, reader, protocol)
    window = ReadingWindow(room)
    if segmenter:
        window.panel.segmenter.pick(segmenter)
    window.viewer.window.resize(1800, 1000)
    try:
        napari.run()
    finally:
        window.close()


class OpenReadingRoom(QWidget):  # type: ignore[misc]
    """The widget of the menu: choose a study folder and a subject, and read it in this window."""

    def __init__(self, viewer: napari.viewer.Viewer) -> None:
        super().__init__()
        self._viewer = viewer
        self.reading: ReadingWindow | None = None
        self.reader = QLineEdit("R1")
        self.said = QLabel("")
        self.said.setWordWrap(True)
        button = QPushButton("Open a study folder...")
        button.setToolTip("a folder with images/ and, if there is one, protocol.toml")
        button.clicked.connect(self._choose)
        column = QVBoxLayout(self)
        for part in (QLabel("Reader"), self.reader, button, self.said):
            column.addWidget(part)
        column.addStretch()

    def _choose(self) -> None:
        folder = QFileDialog.getExistingDirectory(self, "Study folder")
        if not folder:
            return
        try:
            names = [one.subject for one in open_study(Path(folder)).subjects]
        except MrecistError as error:
            self.said.setText(str(error))
            return
        subject, chosen = QInputDialog.getItem(self, "Subject", "Read", names, 0, False)
        if chosen:
            self.open(Path(folder), subject)

    def open(self, study: Path, subject: str) -> None:
        """Open a subject; what cannot be opened is told in one line."""
        if self.reading is not None:
            self.reading.close()
            self.reading = None
        try:
            self.reading = ReadingWindow(open_room(study, subject, self.reader.text() or "R1"), self._viewer)
        except MrecistError as error:
            self.said.setText(str(error))
        else:
            self.said.setText(f"{subject} is open")
