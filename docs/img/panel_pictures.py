"""The pictures of docs/reading-room-panel.md, from the running panel over the sample study with its own masks.

::

    QT_QPA_PLATFORM=offscreen PYTHONPATH=plugins python docs/img/panel_pictures.py [--light] [OUT]
"""

from __future__ import annotations

import shutil
import sys
import tempfile
from pathlib import Path

from qtpy.QtGui import QColor, QPalette
from qtpy.QtWidgets import QApplication

from mrecist.imaging.masks import read_segmentation
from mrecist.model import Role, State
from mrecist.score import series_of
from mrecist.session.actions import AnswerAdequate, AnswerNewLesions, Comment, SetState
from mrecist.session.room import Room, open_room
from mrecist.session.state import Provenance
from mrecist.study import open_study
from mrecist_napari.panel import ReadingPanel

ROOT = Path(__file__).parents[2]
STUDY = ROOT / "sample_data" / "study"
# The colours of napari's dark theme.
DARK = {
    "Window": "#262930",
    "Base": "#2d3139",
    "Button": "#414851",
    "Text": "#f0f1f2",
    "WindowText": "#f0f1f2",
    "ButtonText": "#f0f1f2",
    "ToolTipBase": "#262930",
    "ToolTipText": "#f0f1f2",
    "PlaceholderText": "#8a909a",
}


def draw(room: Room) -> None:
    """Every true mask of the subject but the last one."""
    subject = next(s for s in open_study(STUDY).subjects if s.subject == room.case.subject)
    found = {}
    for segmentation in subject.segmentations:
        for mask in read_segmentation(segmentation.path, subject.series).masks:
            found[subject.timepoints[series_of(mask, subject.series).uid], mask.lesion] = mask
    for timepoint, lesion in sorted(found)[:-1]:
        mask = found[timepoint, lesion]
        series = series_of(mask, room.case.given.series)
        known = lesion if lesion in room.state.lesions else ""
        made = Provenance(method="true mask of the sample")
        room.draw(mask.whole, mask.viable, series, made, lesion=known, timepoint=timepoint)


def read(room: Room) -> None:
    """Baseline signed, the first follow-up ready, the second begun."""
    draw(room)
    room.add_lesion(Role.NON_TARGET, "portal vein")
    for timepoint in (0, 1):
        room.do(SetState(timepoint=timepoint, lesion="NT01", state=State.PRESENT))
        room.do(AnswerAdequate(timepoint=timepoint, answer=True))
    room.do(AnswerNewLesions(timepoint=1, answer=False))
    room.do(Comment(timepoint=1, lesion="T01", text="necrotic core"))
    room.look_at(0)
    room.sign("R. Reader")
    room.look_at_lesion("T01")


def picture(panel: ReadingPanel, timepoint: int, path: Path) -> None:
    """The whole panel at a visit, without scrolling."""
    panel.room.look_at(timepoint)
    for _ in range(5):
        QApplication.processEvents()
    view = panel.scroll.viewport()
    layout = panel.scroll.widget().layout()
    panel.resize(420, panel.height() - view.height() + layout.totalHeightForWidth(view.width()) + 4)
    for _ in range(5):
        QApplication.processEvents()
    panel.grab().save(str(path))


def main() -> None:
    """Write the pictures."""
    words = [word for word in sys.argv[1:] if word != "--light"]
    out = Path(words[0]) if words else Path(__file__).parent
    app = QApplication([])
    app.setStyle("Fusion")
    if "--light" not in sys.argv:
        palette = QPalette()
        for role, name in DARK.items():
            palette.setColor(getattr(QPalette.ColorRole, role), QColor(name))
        app.setPalette(palette)
    with tempfile.TemporaryDirectory() as folder:
        study = Path(folder) / "study"
        shutil.copytree(STUDY / "images" / "SAMPLE-01", study / "images" / "SAMPLE-01")
        room = open_room(study, "SAMPLE-01", "R2")
        read(room)
        panel = ReadingPanel(room)
        panel.resize(420, 900)
        panel.show()
        picture(panel, 1, out / "panel-ready.png")
        picture(panel, 2, out / "panel-open.png")
        panel.stop()
        room.close()


if __name__ == "__main__":
    main()
