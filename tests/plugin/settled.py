"""Waiting for a window."""

from __future__ import annotations

import time
from typing import Any


def settle(window: Any, seconds: float = 120) -> None:
    """Let Qt work until nothing is being loaded or cut."""
    from qtpy.QtWidgets import QApplication

    end = time.monotonic() + seconds
    while True:
        for _ in range(5):
            QApplication.processEvents()
        if not window.busy:
            return
        assert time.monotonic() < end, "still busy"
        time.sleep(0.01)
