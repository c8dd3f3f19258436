"""Window and level: presets, and what a series begins with. No Qt."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np


@dataclass(frozen=True, slots=True)
class Window:
    """A grey window in HU (or stored values for MR)."""

    level: float
    width: float
    name: str = ""

    @property
    def limits(self) -> tuple[float, float]:
        """Black and white."""
        return self.level - self.width / 2, self.level + self.width / 2

    @property
    def text(self) -> str:
        """``W250 L80``."""
        return f"W{self.width:.0f} L{self.level:.0f}"

    def dragged(self, right: float, down: float) -> Window:
        """After a drag by so many screen pixels: to the right wider, downwards brighter tissue is needed for white."""
        return Window(level=self.level + down * self._step, width=max(self.width + right * self._step, 1.0))

    @property
    def _step(self) -> float:
        return max(self.width / 250, 0.2)


PRESETS = (
    Window(level=80, width=250, name="liver"),
    Window(level=60, width=400, name="abdomen"),
    Window(level=100, width=150, name="narrow"),
    Window(level=-600, width=1500, name="lung"),
    Window(level=400, width=1800, name="bone"),
)


def next_preset(now: Window) -> Window:
    """The preset after the one that is used; the first when a drag has left them."""
    names = [preset.name for preset in PRESETS]
    return PRESETS[(names.index(now.name) + 1) % len(PRESETS)] if now.name in names else PRESETS[0]


def default_window(modality: str, voxels: Any, chosen: Window = PRESETS[0]) -> Window:
    """The reader's window for CT (liver); for anything else the middle 98 % of the values."""
    if modality == "CT":
        return chosen
    low, high = np.nanpercentile(voxels[:: max(len(voxels) // 8, 1)], [1, 99])
    return Window(level=float(low + high) / 2, width=max(float(high - low), 1e-3), name="values")
