"""Segmenters that a test plugs in, sound and broken ones, and a read to plug them into."""

from __future__ import annotations

import shutil
import threading
from collections.abc import Callable, Collection
from pathlib import Path
from typing import Any

import numpy as np
from session_reading import STUDY

from mrecist.segmenters.bench import Bench
from mrecist.segmenters.found import Found
from mrecist.segmenters.interface import Images, Prompt, Segmented
from mrecist.session.room import Room
from mrecist.session.volumes import Volumes
from mrecist.study import open_study


def grey(shape: tuple[int, int, int] = (12, 60, 64), spacing: tuple[float, float, float] = (2.0, 1.0, 1.0)) -> Images:
    """Noise, always the same."""
    voxels = np.random.default_rng(7).normal(60, 12, shape).astype(np.float32)
    return Images(voxels=voxels, spacing_mm=spacing, phase="ARTERIAL")


def found(**makers: Callable[[], Any]) -> dict[str, Found]:
    """Name -> segmenter, as if installed."""
    return {name: Found(name=name, package="test 1.0", make=make) for name, make in makers.items()}


def sample_room(folder: Path, bench: Bench) -> Room:
    """The images of SAMPLE-01, opened by reader R2."""
    study = folder / "study"
    shutil.copytree(STUDY / "images" / "SAMPLE-01", study / "images" / "SAMPLE-01")
    shutil.copy(STUDY / "protocol.toml", study)
    return Room(open_study(study), "SAMPLE-01", "R2", Volumes(), bench)


class Brick:
    """Everything within so many voxels of the middle of what it is given. It keeps what it was asked."""

    def __init__(
        self,
        prompts: Collection[str] = ("line", "click", "box", "scribbles"),
        notice: str = "",
        result: Callable[[Images], Any] | None = None,
        *,
        viable: bool = False,
    ) -> None:
        self.prompts = prompts
        self.says = notice
        self.result = result
        self.viable = viable
        self.asked: list[Prompt] = []
        self.started: list[Images] = []
        self.closed = threading.Event()

    def available(self) -> tuple[bool, str]:
        """Always."""
        return True, ""

    def notice(self) -> str:
        """What it was made with."""
        return self.says

    def start(self, images: Images) -> None:
        """Kept."""
        self.started.append(images)

    def segment(self, prompt: Prompt) -> Any:
        """The brick, or what it was made to return."""
        self.asked.append(prompt)
        images = self.started[-1]
        if self.result is not None:
            return self.result(images)
        whole = np.zeros(images.voxels.shape, dtype=bool)
        whole[around(prompt)] = True
        inner = np.zeros_like(whole)
        inner[around(prompt, 2)] = True
        return Segmented(
            whole=whole,
            viable=inner if self.viable else None,
            method="brick",
            version="1.0",
            parameters={"half": 4},
            weights_licence="CC0-1.0",
        )

    def close(self) -> None:
        """Known."""
        self.closed.set()


def around(prompt: Prompt, half: int = 4) -> tuple[slice, ...]:
    """The brick's box."""
    if prompt.line is not None:
        middle = (np.array(prompt.line.start) + np.array(prompt.line.end)) / 2
    elif prompt.click is not None:
        middle = np.array(prompt.click)
    else:
        assert prompt.box is not None
        middle = np.array([(a + b - 1) / 2 for a, b in prompt.box])
    z, y, x = (round(float(m)) for m in middle)
    return slice(max(z - 1, 0), z + 2), slice(y - half, y + half + 1), slice(x - half, x + half + 1)
