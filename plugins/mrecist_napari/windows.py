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
        """``W250 L80``; small values with decimals: ``W0.85 L0.4``."""
        if self.width >= 20:
            return f"W{self.width:.0f} L{self.level:.0f}"
        return f"W{self.width:.3g} L{self.level:.3g}"

    def dragged(self, right: float, down: float) -> Window:
        """After a drag by so many screen pixels: to the right wider, downwards brighter tissue is needed for white.

        A pixel is 1/250 of the width, so that a drag does the same to a window of any unit.
        """
        step = self.width / 250
        return Window(level=self.level + down * step, width=max(self.width + right * step, self.width / 50))


PRESETS = (
    Window(level=80, width=250, name="liver"),
    Window(level=60, width=400, name="abdomen"),
    Window(level=100, width=150, name="narrow"),
    Window(level=-600, width=1500, name="lung"),
    Window(level=400, width=1800, name="bone"),
)
"""The presets of CT, in HU."""

# Percentiles that are black and white. MR values have no unit, so their presets can only follow the values of the series.
_OF_VALUES = {"values": (1.0, 99.0), "bright": (50.0, 99.8), "dark": (1.0, 75.0), "all": (0.0, 100.0)}
# Uptake: black is none; white at so much of the 99.9 % percentile.
_OF_UPTAKE = {"uptake": 1.0, "half": 0.5, "quarter": 0.25}
_UPTAKE = ("PT", "NM")
_MOST_SEEN = 2_000_000  # voxels that percentiles are taken from


def presets_of(modality: str, voxels: Any) -> tuple[Window, ...]:
    """The presets of a series: in HU for CT, from its own values for anything else."""
    if modality == "CT":
        return PRESETS
    every = max(int(np.ceil(voxels.size / _MOST_SEEN)), 1)
    seen = voxels.reshape(-1)[::every]
    seen = seen[np.isfinite(seen)]
    if not seen.size:
        return (Window(level=0, width=1, name="values"),)
    if modality in _UPTAKE:
        top = float(np.percentile(seen, 99.9))
        return tuple(_between(name, 0.0, part * top) for name, part in _OF_UPTAKE.items())
    return tuple(_between(name, *np.percentile(seen, ends)) for name, ends in _OF_VALUES.items())


def first_window(modality: str, presets: tuple[Window, ...], chosen: Window = PRESETS[0]) -> Window:
    """The reader's window for CT; for anything else the first of its presets."""
    return chosen if modality == "CT" else presets[0]


def next_preset(now: Window, presets: tuple[Window, ...] = PRESETS) -> Window:
    """The preset after the one that is used; the first when a drag has left them."""
    names = [preset.name for preset in presets]
    return presets[(names.index(now.name) + 1) % len(presets)] if now.name in names else presets[0]


def _between(name: str, low: float, high: float) -> Window:
    low, high = float(low), float(high)
    return Window(level=(low + high) / 2, width=max(high - low, 1e-3), name=name)
