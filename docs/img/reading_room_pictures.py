"""The pictures of docs/tour.md, from the running reading room: a copy of the sample study is read by clicks, drags and keys.

::

    xvfb-run -a -s "-screen 0 1920x1200x24" env PYTHONPATH=.:plugins python docs/img/reading_room_pictures.py [OUT]
"""

from __future__ import annotations

import os
import sys
import tempfile
from io import BytesIO
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[2]
os.environ["NAPARI_CONFIG"] = ""  # nobody's own settings are in the pictures
sys.path.insert(0, str(ROOT / "tests" / "plugin"))

from plugin_mouse import drag, press  # noqa: E402
from qtpy.QtCore import QBuffer, Qt  # noqa: E402
from qtpy.QtTest import QTest  # noqa: E402
from qtpy.QtWidgets import QApplication, QLineEdit, QPushButton, QWidget  # noqa: E402
from settled import settle  # noqa: E402

from mrecist.commands.rooms import copy_sample  # noqa: E402
from mrecist.imaging.contours import read_masks  # noqa: E402
from mrecist.measure.lesion import measure_lesion  # noqa: E402
from mrecist.study import open_study  # noqa: E402

SUBJECT, SIZE = "SAMPLE-01", (1560, 940)
_COLOURS = 200  # of a picture on disk
Axis = tuple[tuple[float, float, float], tuple[float, float, float]]


def true_axes() -> dict[tuple[int, str], Axis]:
    """(time point, lesion) -> the long axis, from the sample's segmentations: what a reader would see and drag."""
    subject = next(s for s in open_study(ROOT / "sample_data" / "study").subjects if s.subject == SUBJECT)
    found = {}
    for segmentation in subject.segmentations:
        for mask in read_masks(segmentation.path, subject.series).masks:
            longest = measure_lesion(mask.whole, mask.geometry).longest
            one, other = longest.ends_index
            at = subject.timepoints[str(mask.series_uid)], mask.lesion
            found[at] = (longest.slice_index, *one), (longest.slice_index, *other)
    return found


def save(widget: QWidget, path: Path) -> None:
    """A widget as a small PNG."""
    from PIL import Image

    buffer = QBuffer()
    buffer.open(QBuffer.OpenModeFlag.ReadWrite)
    widget.grab().save(buffer, "PNG")
    with Image.open(BytesIO(bytes(buffer.data()))) as picture:
        picture.convert("RGB").quantize(_COLOURS, dither=Image.Dither.NONE).save(path, optimize=True)
    sys.stdout.write(f"{path.name}: {path.stat().st_size // 1024} KB\n")


class Tour:
    """One read with its pictures."""

    def __init__(self, study: Path, out: Path) -> None:
        from mrecist.session.worklist import StudyReads
        from mrecist_napari.opening import Start
        from mrecist_napari.readings import Readings

        self.out, self.axes = out, true_axes()
        self.start = Start(Readings(StudyReads(open_study(study), "R1")))

    @property
    def window(self) -> Any:
        """The reading window."""
        return self.start.readings.window

    def picture(self, name: str) -> None:
        """The whole window."""
        self.wait()
        save(self.window.prior.main, self.out / f"{name}.png")

    def wait(self) -> None:
        """Until nothing moves any more."""
        settle(self.window)
        for _ in range(20):
            QApplication.processEvents()
            QTest.qWait(20)
        settle(self.window)

    def click(self, name: str) -> None:
        """A button of the panel, scrolled to where it can be seen."""
        button = self.window.panel.findChild(QPushButton, name)
        self.window.panel.scroll.ensureWidgetVisible(button)
        QTest.mouseClick(button, Qt.MouseButton.LeftButton)
        self.wait()

    def draw(self, timepoint: int, lesion: str, key: str, picture: str = "") -> None:
        """The long axis of a lesion, and Return."""
        start, end = self.axes[timepoint, lesion]
        self.window.current.centre_on(start)
        self.window.viewer.scene.camera.zoom = 4.4
        self.wait()
        press(self.window, key)
        drag(self.window, start, end)
        if picture:
            self.picture(picture)
        press(self.window, "Return")
        self.wait()

    def sign(self, name: str = "R. Reader") -> None:
        """The signature of the visit."""
        self.click("start_signing")
        box = self.window.panel.findChild(QLineEdit, "signer")
        box.setFocus()
        QTest.keyClicks(box, name)
        self.click("confirm_signing")

    def run(self) -> None:
        """The whole tour."""
        self.start.show()
        QTest.qWait(200)
        save(self.start.box, self.out / "tour-1-subjects.png")
        self.start.box.choose(SUBJECT)
        self.start.box.read.click()
        self.window.viewer.window.resize(*SIZE)
        self.picture("tour-2-baseline")
        self.draw(0, "T01", "N", "tour-3-proposal")
        self.draw(0, "T02", "N")
        self.click("adequate_yes")
        self.window.panel.scroll.verticalScrollBar().setValue(0)
        self.picture("tour-4-ready")
        self.sign()
        self.click("visit_1")
        for lesion in ("T01", "T02"):
            self.window.room.look_at_lesion(lesion)
            self.wait()
            self.draw(1, lesion, "U")
        for answer in ("adequate_yes", "new_lesion_no"):
            self.click(answer)
        self.window.room.look_at_lesion("T01")
        self.window.panel.scroll.ensureWidgetVisible(self.window.panel.criteria, 0, 0)
        self.picture("tour-5-response")
        self.window.prior.main.activateWindow()
        QTest.qWaitForWindowActive(self.window.prior.main)
        press(self.window, "?")
        self.picture("tour-6-keys")
        self.start.readings.leave()


def main() -> None:
    """Write the pictures."""
    from napari.qt import get_qapp

    out = Path(sys.argv[1] if len(sys.argv) > 1 else Path(__file__).parent).resolve()
    out.mkdir(parents=True, exist_ok=True)
    get_qapp()
    with tempfile.TemporaryDirectory() as folder:
        os.chdir(folder)
        Tour(copy_sample(Path("mrecist-sample")), out).run()
        os.chdir(ROOT)


if __name__ == "__main__":
    main()
