"""What a segmenter is: the one protocol that the built-in graph cut and every plug-in keep (docs/segmenters.md).

A plug-in is an entry point of the group ``mrecist.segmenters``: a name, and a callable without arguments that gives a :class:`Segmenter`.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt

from mrecist.segment.crop import FloatArray, Spacing
from mrecist.segment.prompt import Index3, Line, Scribbles
from mrecist.segment.regrid import Box

GROUP = "mrecist.segmenters"

# Half-open voxel ranges of z, y and x.
Ranges = tuple[tuple[int, int], tuple[int, int], tuple[int, int]]


class PromptKind(StrEnum):
    """What a reader may give."""

    LINE = "line"
    CLICK = "click"
    SCRIBBLES = "scribbles"
    BOX = "box"


@dataclass(frozen=True, slots=True, kw_only=True)
class Prompt:
    """What the mask is asked for with; one of line, click and box is there, and scribbles beside it where the reader marked some.

    Parameters
    ----------
    line : the long axis of the lesion.
    click : one voxel of it (z, y, x).
    box : voxel ranges around it.
    scribbles : voxels that belong to it, and voxels that do not.
    """

    line: Line | None = None
    click: Index3 | None = None
    box: Ranges | None = None
    scribbles: Scribbles | None = None


def no_other(_phase: str, _box: Box) -> FloatArray | None:
    """There is no other phase."""
    return None


@dataclass(frozen=True, slots=True, kw_only=True)
class Images:
    """What a segmenter looks at. It holds voxels and distances, nothing of the patient.

    Parameters
    ----------
    voxels : (Z, Y, X) float32 of the series that was drawn on, HU for CT, NaN where the scanner wrote padding; read-only.
    spacing_mm : distance of voxels (z, y, x).
    phase : a :class:`mrecist.imaging.phase.PhaseName`.
    other : ``other(phase, box)`` gives another phase of the visit on a box of this grid (slices of z, y and x), moved onto it;
        None without one. It takes a second or so.
    """

    voxels: FloatArray
    spacing_mm: Spacing
    phase: str = "UNKNOWN"
    other: Callable[[str, Box], FloatArray | None] = no_other


@dataclass(frozen=True, slots=True, kw_only=True)
class Segmented:
    """A mask, and how it came to be.

    Parameters
    ----------
    whole : (Z, Y, X) on the grid of ``Images.voxels``; bool, or integers that are 0 or 1.
    viable : the same for the viable part, inside ``whole``; None to have it told by the arterial values, as for the built-in one.
    method : in a few words what was done, for the provenance of the mask.
    version : of the segmenter.
    parameters : what the mask depends on beside images and prompt; plain JSON values.
    weights_licence : licence of the model's weights; empty where there are none.
    line : the long axis that was worked with, where another prompt was given.
    notes : sentences for the reader.
    """

    whole: npt.NDArray[Any]
    method: str
    version: str
    viable: npt.NDArray[Any] | None = None
    parameters: Mapping[str, Any] = field(default_factory=dict)
    weights_licence: str = ""
    line: Line | None = None
    notes: tuple[str, ...] = ()


class Segmenter(Protocol):
    """What a plug-in gives. Its methods are called one at a time, but not always from the same thread.

    A segmenter that raises :class:`mrecist.errors.MaskError` says in one line what is wrong and what to do. Anything else that it raises is
    told with its type. In both cases, and where what it returns does not fit, the reader goes on with the built-in one.
    """

    @property
    def prompts(self) -> Collection[str]:
        """Which of :class:`PromptKind` it takes. Without ``line`` it gets a box around the line, or a click on its middle."""

    def available(self) -> tuple[bool, str]:
        """Whether it can work here, and if not what is missing. Quick: no network, no model."""

    def notice(self) -> str:
        """What the reader must agree to before first use: where images are sent, the licence of the weights. Empty without such.

        It is asked again whenever the segmenter is made anew; where it then says something else, it is not used.
        """

    def start(self, images: Images) -> None:
        """The images of the next prompt; called before every :meth:`segment`, often with the same images."""

    def segment(self, prompt: Prompt) -> Segmented:
        """The lesion. All the prompt says counts: marks of an earlier prompt that are not in it are gone."""

    def close(self) -> None:
        """Let go of everything; also called before any :meth:`start`, after an error, and while another call still hangs."""


def filled(voxels: FloatArray) -> FloatArray:
    """Voxels without a value (padding) take the lowest value that there is; for models that cannot work with NaN."""
    bad = ~np.isfinite(voxels)
    if not bad.any():
        return voxels
    return np.where(bad, voxels[~bad].min() if not bad.all() else np.float32(0), voxels)
