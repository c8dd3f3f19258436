"""Whether there is a screen for the reading room. Without one Qt ends the program instead of saying so."""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping

from mrecist.errors import InputError

_DRAWS_NOTHING = ("offscreen", "minimal")


def check_screen(environ: Mapping[str, str] = os.environ, system: str = sys.platform) -> None:
    """Raises :class:`InputError` where napari could not draw."""
    chosen = environ.get("QT_QPA_PLATFORM", "").partition(":")[0]
    if chosen in _DRAWS_NOTHING:
        raise InputError(
            f"the reading room needs a screen, and QT_QPA_PLATFORM is {chosen}, on which nothing can be drawn; unset it"
        )
    if system == "linux" and not chosen and not (environ.get("DISPLAY") or environ.get("WAYLAND_DISPLAY")):
        raise InputError(
            "the reading room needs a screen, and neither DISPLAY nor WAYLAND_DISPLAY is set; read at a desktop, through ssh -X, or "
            "under xvfb-run (mrecist read --status needs no screen)"
        )
