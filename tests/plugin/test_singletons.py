"""A day of reading does not end in "deallocating None" (PySide6 6.12.0 on Python 3.11)."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]
_A_DAY = """
import sys
sys.path[:0] = {paths!r}
import mrecist_napari
from qtpy.QtWidgets import QApplication, QWidget
application = QApplication([])
widget = QWidget()
for _ in range(300_000):
    widget.update()
    widget.isEnabled()
    widget.isHidden()
print("still there")
"""


def test_many_calls_do_not_end_the_process() -> None:
    """Without :mod:`mrecist_napari.singletons` this process is aborted on Python 3.11."""
    paths = [str(ROOT), str(ROOT / "plugins")]
    done = subprocess.run(
        [sys.executable, "-c", _A_DAY.format(paths=paths)],
        env={**os.environ, "QT_QPA_PLATFORM": "offscreen"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.stdout == "still there\n", done.stderr[-400:]
