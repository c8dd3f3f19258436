"""How long a stroke of the brush takes in the reading window, beside a dab of napari's own brush, on a made volume.

Needs a screen (or xvfb-run)::

    python benchmarks/painting.py --slices 120 --repeats 12
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np

ROOT = Path(__file__).parents[1]
SPACING = (2.5, 0.8, 0.8)


def made_series(folder: Path, slices: int, size: int) -> None:
    """An arterial series of even tissue with a bright ball of 40 mm, from the headers of a slice of the sample."""
    import pydicom

    from mrecist.samples.build import sample_study_path

    headers = (pydicom.dcmread(path) for path in sorted((sample_study_path() / "images/SAMPLE-01").rglob("*.dcm")))
    model = next(header for header in headers if "ARTERIAL" in header.SeriesDescription)
    model.file_meta.TransferSyntaxUID = pydicom.uid.ExplicitVRLittleEndian
    model.SeriesInstanceUID = pydicom.uid.generate_uid()
    y, x = np.mgrid[:size, :size]
    for z in range(slices):
        away = np.hypot(
            np.hypot((y - size / 2) * SPACING[1], (x - size / 2) * SPACING[2]), (z - slices / 2) * SPACING[0]
        )
        hu = np.where(away <= 20, 140, 80)
        model.Rows = model.Columns = size
        model.PixelSpacing = list(SPACING[1:])
        model.InstanceNumber = z + 1
        model.ImagePositionPatient = [-size / 2 * SPACING[2], -size / 2 * SPACING[1], z * SPACING[0]]
        model.SOPInstanceUID = model.file_meta.MediaStorageSOPInstanceUID = pydicom.uid.generate_uid()
        model.PixelData = ((hu - model.RescaleIntercept) / model.RescaleSlope).astype(np.int16).tobytes()
        model.save_as(folder / f"{z:04d}.dcm")


def timed(act: Any, repeats: int, pump: Any) -> float:
    """Median time in ms of ``act(n)`` until it is on the screen."""
    took = []
    for n in range(repeats):
        start = time.perf_counter()
        act(n)
        pump()
        took.append(time.perf_counter() - start)
    return float(np.median(took)) * 1000


def main() -> int:
    """Print rows: what, ms."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--slices", type=int, default=120)
    parser.add_argument("--size", type=int, default=512)
    parser.add_argument("--repeats", type=int, default=12)
    given = parser.parse_args()
    sys.path[:0] = [str(ROOT), str(ROOT / "plugins")]
    from qtpy.QtWidgets import QApplication

    from mrecist.segment.prompt import Line
    from mrecist.session.room import open_room
    from mrecist_napari.reading_window import ReadingWindow

    application = QApplication.instance() or QApplication([])
    with tempfile.TemporaryDirectory() as name:
        study = Path(name)
        (study / "images" / "B").mkdir(parents=True)
        made_series(study / "images" / "B", given.slices, given.size)
        room = open_room(study, "SAMPLE-01", "R1")
        window = ReadingWindow(room)

        def pump() -> None:
            for _ in range(3):
                application.processEvents()

        while window.busy:
            pump()
        z, y, x = given.slices // 2, given.size / 2, given.size / 2
        window.current.centre_on((z, y, x))
        room.offer(room.ask(Line(start=(z, y - 24, x), end=(z, y + 24, x))))
        painting = window.painting
        painting.start("brush")
        pump()

        class Held:
            modifiers: tuple[str, ...] = ()

        def move(n: int) -> None:
            painting.goes((z, y - 30, x - 30 + n))

        def stroke(n: int) -> None:
            painting.begin((z, y - 30, x - 30 + 4 * n), Held)
            painting.ended((z, y - 28, x - 30 + 4 * n))

        painting.begin((z, y - 30, x - 30), Held)
        rows = [("a move of the brush", timed(move, given.repeats, pump))]
        painting.ended((z, y - 30, x - 20))
        rows.append(("a stroke: mask, diameters, copy on disk, picture", timed(stroke, given.repeats, pump)))
        rows.append(("undo of a stroke", timed(lambda _n: room.undo(), given.repeats // 2, pump)))
        layer = window.viewer.add_labels(
            np.zeros(window.current.series.geometry.shape, dtype=np.uint8),
            **window.current.place(window.current.series),
        )
        layer.brush_size = 12
        rows.append(
            (
                "a dab of napari's brush (for comparison)",
                timed(lambda n: layer.paint((z, y + 40, x - 30 + 4 * n), 1), given.repeats, pump),
            )
        )
        rows.append(("nothing", timed(lambda _n: None, given.repeats, pump)))
        for what, ms in rows:
            print(f"| {what} | {ms:.0f} |")
        window.close()
        window.viewer.close()
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
