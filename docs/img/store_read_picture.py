"""The picture of a case of a store in docs/reading-room.md, from the running reading room over a copy of the sample study.

::

    xvfb-run -a -s "-screen 0 1920x1200x24" env PYTHONPATH=.:plugins python docs/img/store_read_picture.py [OUT]
"""

from __future__ import annotations

import os
import sys
import tempfile
from pathlib import Path

from qtpy.QtTest import QTest
from reading_room_pictures import ROOT, SIZE, SUBJECT, Tour, save, true_axes

from mrecist.commands.rooms import copy_sample
from mrecist.session.case import open_case
from mrecist.session.store_reads import StoreReads
from mrecist.store.assigning import assign
from mrecist.store.people import begin
from mrecist.store.store import new_store
from mrecist.study import open_study

READER = "Adams"


class StoreTour(Tour):
    """The baseline signed, the follow-up measured."""

    def __init__(self, study: Path, out: Path) -> None:
        from mrecist_napari.opening import Start
        from mrecist_napari.readings import Readings

        self.out, self.axes = out, true_axes()
        self.reads = StoreReads(open_study(study), str(study), READER)
        self.start = Start(Readings(self.reads))

    def run(self) -> None:
        """From the list to the follow-up."""
        self.start.show()
        QTest.qWait(200)
        save(self.start.box, Path(tempfile.gettempdir()) / "store-list.png")
        with self.reads.opened() as store, store.reading() as read:
            (case,) = (row["subject_key"] for row in read.rows("assignment", subject=SUBJECT, reader=READER))
        self.start.box.choose(case)
        self.start.box.read.click()
        self.window.viewer.window.resize(*SIZE)
        self.wait()
        for lesion in ("T01", "T02"):
            self.draw(0, lesion, "N")
        self.click("adequate_yes")
        self.sign("Dr Jane Adams")
        while self.window is None or len(self.window.room.case.visits) < 2:
            QTest.qWait(50)
        self.window.viewer.window.resize(*SIZE)
        self.wait()
        for lesion in ("T01", "T02"):
            self.window.room.look_at_lesion(lesion)
            self.wait()
            self.draw(1, lesion, "U")
        self.window.room.look_at_lesion("T01")
        self.window.panel.scroll.verticalScrollBar().setValue(0)
        self.picture("store-read")
        self.start.readings.leave()


def main() -> None:
    """Write the picture."""
    from napari.qt import get_qapp

    out = Path(sys.argv[1] if len(sys.argv) > 1 else Path(__file__).parent).resolve()
    out.mkdir(parents=True, exist_ok=True)
    get_qapp()
    with tempfile.TemporaryDirectory() as folder:
        os.chdir(folder)
        root = copy_sample(Path("mrecist-sample")).resolve()
        study = open_study(root)
        visits = {
            one.subject: {v.timepoint: v.date for v in open_case(study, one.subject).visits} for one in study.subjects
        }
        with new_store(str(root)) as store:
            begin(store, study.protocol, {"reader": (READER, "Baker")}, "Manager")
            assign(store, visits, "2026-01", "Manager", pseudonyms=True)
        StoreTour(root, out).run()
        os.chdir(ROOT)


if __name__ == "__main__":
    main()
