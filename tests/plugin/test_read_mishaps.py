"""A read in a window that is killed, or whose disk is full: nothing that was accepted is lost, and the reader is told."""

from __future__ import annotations

import errno
import os
import shutil
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from plugin_mouse import press
from sample_truth import true_axes
from settled import settle

from mrecist.samples.build import sample_study_path
from mrecist.session.room import open_room

pytestmark = pytest.mark.filterwarnings("default")
HERE = Path(__file__).parent

# Reads in a window of its own, tells each accepted lesion, and goes on until it is killed in the middle of the visit.
_READER = """
import sys, warnings
warnings.simplefilter("ignore")
sys.path[:0] = {paths!r}
from pathlib import Path
from mrecist.session.room import open_room
from mrecist_napari.reading_window import ReadingWindow
from reader_hand import ReaderHand
from sample_truth import true_axes
from settled import settle
window = ReadingWindow(open_room(Path({study!r}), "SAMPLE-01", "R2"))
window.viewer.window.resize(1000, 700)
settle(window)
hand = ReaderHand(window)
for (timepoint, lesion), axis in true_axes("SAMPLE-01").items():
    if timepoint == 0:
        hand.draw("N", *axis)
        hand.key("Return")
        print("accepted", lesion, window.room.rows.drawn(window.room.state, window.room.case, 0, lesion).measurement.longest.mm, flush=True)
hand.click("adequate_yes")
print("answered", flush=True)
hand.draw("N", *true_axes("SAMPLE-01")[0, "T01"])
print("waiting" if window.room.pending else "nothing", flush=True)
while True:
    settle(window)
"""


@pytest.mark.skipif(os.name != "posix", reason="SIGKILL is POSIX")
def test_what_was_accepted_before_a_kill_is_there(tmp_path: Path) -> None:
    study = tmp_path / "study"
    shutil.copytree(sample_study_path() / "images" / "SAMPLE-01", study / "images" / "SAMPLE-01")
    paths = [str(HERE), str(HERE.parents[1] / "plugins"), str(HERE.parents[1])]
    command = [sys.executable, "-c", _READER.format(paths=paths, study=str(study))]
    told: list[list[str]] = []
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as reader:
        assert reader.stdout is not None
        for line in reader.stdout:
            told.append(line.split())
            if told[-1][0] in ("waiting", "nothing"):
                break
        reader.send_signal(signal.SIGKILL)
    assert [words[0] for words in told] == ["accepted", "accepted", "answered", "waiting"]
    room = open_room(study, "SAMPLE-01", "R2")
    try:
        assert list(room.state.lesions) == ["T01", "T02"]
        for _, lesion, mm in told[:2]:
            drawn = room.drawn(0, lesion)
            assert drawn is not None
            assert drawn.measurement.longest.mm == float(mm)
        assert room.state.visit(0).adequate is True
        # What was only proposed was never part of the read; it waits as it did.
        assert room.pending is not None
        assert room.pending.lesion == ""
        assert room.session.note == ""
    finally:
        room.close()


def test_a_full_disk_is_told_and_the_read_goes_on(window: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """As when half of what is written goes to disk; the mask of the lesion cannot be written either."""
    from reader_hand import ReaderHand

    room, hand = window.room, ReaderHand(window)
    axes = true_axes("SAMPLE-01")
    real = os.fsync

    def full(_handle: int) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(os, "fsync", full)
    hand.draw("N", *axes[0, "T01"])
    hand.key("Return")
    told = window.viewer.canvas.overlays["told"]
    assert list(room.state.lesions) == ["T01"]
    assert told.text.startswith("NOT SAVED")
    assert "F8" in told.text
    assert "No space left on device" in " ".join(hand.find("trouble").text().split())
    hand.click("adequate_yes")
    assert room.state.visit(0).adequate is True
    assert window.would_be_lost() != ""
    assert f"{room.session.unsaved} actions are not saved" in window.would_be_lost()
    hand.key("F8")
    assert room.session.unsaved
    assert told.text.startswith("NOT SAVED")
    monkeypatch.setattr(os, "fsync", real)
    hand.key("F8")
    assert told.text == "everything is saved"
    assert (room.session.unsaved, window.would_be_lost()) == (0, "")
    before = room.state
    room.close()
    again = open_room(room.study.root, "SAMPLE-01", "R2")
    try:
        assert again.state == before
        assert again.drawn(0, "T01") is not None
    finally:
        again.close()
        settle(window)
        press(window, "Escape")
