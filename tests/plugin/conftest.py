"""The plugin from the checkout, and a reading window on a screen."""

from __future__ import annotations

import os
import shutil
import sys
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from settled import settle

ROOT = Path(__file__).parents[2]
sys.path.insert(0, str(ROOT / "plugins"))
sys.path.append(str(ROOT / "tests" / "imaging"))
sys.path.append(str(ROOT / "tests" / "session"))
os.environ["NAPARI_CONFIG"] = ""  # no settings of whoever runs the tests are read or written

with warnings.catch_warnings():
    warnings.simplefilter("ignore")  # napari's own dependencies warn of each other when they are imported
    import napari.viewer  # noqa: F401


@pytest.fixture(scope="module")
def window(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    """The reading window on a copy of the first sample subject, at its baseline."""
    from qtpy.QtWidgets import QApplication

    from mrecist.session.room import open_room
    from mrecist_napari.reading_window import ReadingWindow

    QApplication.instance() or QApplication([])
    study = tmp_path_factory.mktemp("study")
    shutil.copytree(ROOT / "sample_data/study/images/SAMPLE-01", study / "images/SAMPLE-01")
    opened = ReadingWindow(open_room(study, "SAMPLE-01", "R2"))
    opened.viewer.window.resize(1200, 800)
    settle(opened)
    yield opened
    opened.closing.ask = lambda _what: True  # a test that failed in between must not leave a question on the screen
    opened.room.offer(None)
    opened.close()
    opened.viewer.close()
