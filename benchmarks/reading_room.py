"""How long a reader waits in the reading room, beside a bare napari viewer that shows the same voxels on the same screen.

Run ``python benchmarks/reading_room.py [--quick]`` on a screen, or under ``xvfb-run -s "-screen 0 1920x1200x24"``. It prints the table
of docs/reading-room.md: medians in milliseconds, and how many times the bare viewer's, where napari alone does the same. Two
cases: the first subject of the sample study, and a made one of 512 x 512 x 120 voxels with two visits of three phases.
"""

from __future__ import annotations

import argparse
import shutil
import statistics
import sys
import tempfile
import time
import warnings
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import date, timedelta
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pydicom
from pydicom.uid import ExplicitVRLittleEndian

ROOT = Path(__file__).parents[1]
sys.path[:0] = [str(ROOT), str(ROOT / "plugins")]

from mrecist.imaging.volume import load_volume  # noqa: E402
from mrecist.samples.build import sample_study_path  # noqa: E402
from mrecist.segment.prompt import Line  # noqa: E402
from mrecist.session.actions import AnswerAdequate  # noqa: E402
from mrecist.session.room import open_room  # noqa: E402

SIZE = (1200, 800)
SHAPE, STEP_MM, PIXEL_MM = (120, 512, 512), 2.5, 0.75
BALL_MM = 36.0
PHASES = {"NATIVE": ("095930", 50, 55), "ARTERIAL": ("100032", 70, 135), "PORTAL VENOUS": ("100110", 110, 90)}


@dataclass
class Timed:
    """Seconds of each step, as often as it was done."""

    seconds: dict[str, list[float]] = field(default_factory=dict)

    def add(self, step: str, act: Callable[[], Any], settled: Callable[[], None]) -> None:
        """Do something, and wait until the screen shows it."""
        settled()
        start = time.perf_counter()
        act()
        settled()
        self.seconds.setdefault(step, []).append(time.perf_counter() - start)

    def median(self, step: str) -> float | None:
        """In milliseconds."""
        return statistics.median(self.seconds[step]) * 1000 if step in self.seconds else None


STEPS = (
    "open, first image",
    "open, all series",
    "scroll one slice",
    "phase",
    "window",
    "proposal",
    "proposal on screen",
    "accept, on screen",
    "undo, on screen",
    "answer a question",
    "sign, written",
)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="the sample study only, three times each")
    options = parser.parse_args()
    warnings.simplefilter("ignore")
    times = 3 if options.quick else 9
    with tempfile.TemporaryDirectory() as folder:
        cases = [("sample", sample_case(Path(folder) / "sample"))]
        if not options.quick:
            cases.append(("512x512x120", made_case(Path(folder) / "made")))
        found = [(name, *measure_case(*case, times)) for name, case in cases]
    heads = " | ".join(f"{name}, ms | x napari" for name, _, _ in found)
    print(f"| Step | {heads} |\n| --- |{' ---: | ---: |' * len(found)}")
    for step in STEPS:
        cells = [cell for _, ours, bare in found for cell in (_ms(ours.median(step)), _ratio(ours, bare, step))]
        print(f"| {step} | {' | '.join(cells)} |")


def _ms(value: float | None) -> str:
    return "" if value is None else f"{value:.0f}"


def _ratio(ours: Timed, bare: Timed, step: str) -> str:
    one, other = ours.median(step), bare.median(step)
    return "" if one is None or not other else f"{one / other:.1f}"


# --- cases ---------------------------------------------------------------------------------------------------------


def sample_case(study: Path) -> tuple[Path, str, Line]:
    """Study folder, subject and the long axis of a lesion of its baseline."""
    shutil.copytree(sample_study_path() / "images" / "SAMPLE-01", study / "images" / "SAMPLE-01")
    return study, "SAMPLE-01", Line(start=(5.0, 75.0, 36.0), end=(5.0, 75.0, 72.0))


def made_case(study: Path) -> tuple[Path, str, Line]:
    """Noise with a ball that enhances, under the headers of the sample's slices."""
    z, y, x = (np.arange(n) * mm for n, mm in zip(SHAPE, (STEP_MM, PIXEL_MM, PIXEL_MM), strict=True))
    middle = z[60], y[256], x[200]
    far = (z[:, None, None] - middle[0]) ** 2 + (y[:, None] - middle[1]) ** 2 + (x - middle[2]) ** 2
    ball = far <= (BALL_MM / 2) ** 2
    chance = np.random.default_rng(1)
    head = pydicom.dcmread(next((sample_study_path() / "images" / "SAMPLE-01" / "0").rglob("*.dcm")))
    for visit in (0, 1):
        for phase, (acquired, liver, lesion) in PHASES.items():
            hu = chance.normal(np.where(ball, lesion, liver), 10.0).astype(np.int16)
            _write_series(study / "images" / "MADE" / str(visit) / phase, head, visit, phase, acquired, hu)
    half = BALL_MM / 2 / PIXEL_MM
    return study, "MADE", Line(start=(60.0, 256.0, 200 - half), end=(60.0, 256.0, 200 + half))


def _write_series(folder: Path, head: Any, visit: int, phase: str, acquired: str, hu: Any) -> None:
    folder.mkdir(parents=True)
    number = 10 * visit + list(PHASES).index(phase) + 1
    day = (date(2024, 1, 9) + timedelta(days=56 * visit)).strftime("%Y%m%d")
    for name in ("StudyDate", "SeriesDate", "AcquisitionDate", "ContentDate"):
        setattr(head, name, day)
    head.PatientName = head.PatientID = head.ClinicalTrialSubjectID = "MADE"
    head.ClinicalTrialTimePointID = str(visit)
    head.StudyInstanceUID, head.SeriesInstanceUID = f"2.25.9{visit}", f"2.25.91{number}"
    head.FrameOfReferenceUID = f"2.25.92{visit}"
    head.SeriesDescription, head.SeriesNumber = f"LIVER {phase}", number
    head.SeriesTime = head.AcquisitionTime = head.ContentTime = acquired
    if phase == "NATIVE":
        head.ContrastBolusAgent = ""
    else:
        head.ContrastBolusAgent = "iodinated contrast"
    head.Rows, head.Columns = hu.shape[1:]
    head.PixelSpacing, head.SliceThickness = [PIXEL_MM, PIXEL_MM], STEP_MM
    head.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    for index, plane in enumerate(hu):
        head.SOPInstanceUID = head.file_meta.MediaStorageSOPInstanceUID = f"2.25.93{number:02d}{index:04d}"
        head.InstanceNumber, head.ImagePositionPatient = index + 1, [-192, -192, index * STEP_MM]
        stored = np.clip((plane + 1024) // 4, 0, 4095).astype("<u2")
        head.PixelData = stored.tobytes()
        head["PixelData"].VR = "OW"
        head.save_as(folder / f"{index:04d}.dcm", enforce_file_format=True)


# --- the reading room, and napari alone ------------------------------------------------------------------------------


def measure_case(study: Path, subject: str, axis: Line, times: int) -> tuple[Timed, Timed]:
    """Every step in the reading room, and those that a bare viewer knows in one."""
    from qtpy.QtWidgets import QApplication

    application = QApplication.instance() or QApplication([])
    room = open_room(study, subject, "R2")
    ours, voxels = Timed(), [load_volume(one).voxels for one in room.visit.series]
    _bare(voxels[:1], 1, application)  # the first viewer of a process loads napari
    bare = _bare(voxels, times, application)
    window = _open(room, ours, application)
    settled = _settled(application, lambda: window.busy)
    _look_around(window, ours, settled, times)
    _read(window, axis, ours, settled, times)
    window.close()
    window.viewer.close()
    return ours, bare


def _settled(application: Any, busy: Callable[[], bool]) -> Callable[[], None]:
    def settled() -> None:
        while True:
            for _ in range(4):
                application.processEvents()
            if not busy():
                return
            time.sleep(0.002)

    return settled


def _open(room: Any, ours: Timed, application: Any) -> Any:
    from mrecist_napari.reading_window import ReadingWindow

    start = time.perf_counter()
    window = ReadingWindow(room)
    window.viewer.window.resize(*SIZE)
    while window.current.series is None:
        application.processEvents()
        time.sleep(0.002)  # the thread that loads needs its turns
    application.processEvents()
    ours.seconds["open, first image"] = [time.perf_counter() - start]
    _settled(application, lambda: window.busy)()
    ours.seconds["open, all series"] = [time.perf_counter() - start]
    return window


def _look_around(window: Any, ours: Timed, settled: Callable[[], None], times: int) -> None:
    for number in range(times):
        ours.add("scroll one slice", lambda: window.step(1), settled)
        phase = "PORTAL VENOUS" if number % 2 == 0 else "ARTERIAL"
        ours.add("phase", partial(window.show_phase, phase), settled)
        ours.add("window", window.next_window, settled)
    window.show_phase("ARTERIAL")
    settled()


def _read(window: Any, axis: Line, ours: Timed, settled: Callable[[], None], times: int) -> None:
    room = window.room
    for _ in range(min(times, 3)):
        settled()
        start = time.perf_counter()
        found = room.ask(axis)
        ours.seconds.setdefault("proposal", []).append(time.perf_counter() - start)
        ours.add("proposal on screen", partial(room.offer, found), settled)
        ours.add("accept, on screen", room.accept, settled)
        ours.add("undo, on screen", room.session.undo, settled)
        room.session.undo()
        settled()
    room.offer(room.ask(axis))
    room.accept()
    ours.add("answer a question", lambda: room.do(AnswerAdequate(timepoint=0, answer=True)), settled)
    ours.add("sign, written", lambda: room.sign("R2"), settled)


def _bare(volumes: list[Any], times: int, application: Any) -> Timed:
    """napari alone: a viewer, the first volume, all of them, a slice, another volume visible, other limits."""
    import napari

    bare, settled = Timed(), _settled(application, lambda: False)
    start = time.perf_counter()
    viewer = napari.Viewer(show=True)
    viewer.window.resize(*SIZE)
    limits = {"contrast_limits": (-45, 205), "colormap": "gray", "interpolation2d": "linear"}
    layers = [viewer.add_image(volumes[0], **limits)]
    settled()
    bare.seconds["open, first image"] = [time.perf_counter() - start]
    layers += [viewer.add_image(one, visible=False, **limits) for one in volumes[1:]]
    settled()
    bare.seconds["open, all series"] = [time.perf_counter() - start]

    def show(shown: Any) -> None:
        for layer in layers:
            layer.visible = layer is shown

    def window(number: int) -> None:
        for layer in layers:
            layer.contrast_limits = (-45 - 5 * number, 205)

    for number in range(times):
        bare.add("scroll one slice", lambda: viewer.dims.set_current_step(0, viewer.dims.current_step[0] + 1), settled)
        bare.add("phase", lambda number=number: show(layers[(number + 1) % min(len(layers), 2)]), settled)
        bare.add("window", lambda number=number: window(number), settled)
    viewer.close()
    return bare


if __name__ == "__main__":
    main()
