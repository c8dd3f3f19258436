"""The built-in segmenter: a graph cut from the long axis, over the arterial and the portal venous phase (docs/segmentation.md)."""

from __future__ import annotations

import numpy as np

from mrecist import __version__
from mrecist.errors import MaskError
from mrecist.imaging.phase import PhaseName
from mrecist.segment.click import line_of_click
from mrecist.segment.crop import Crop, Spacing, crop_around
from mrecist.segment.prompt import Line, Scribbles
from mrecist.segment.whole import Settings, segment_line
from mrecist.segmenters.interface import Images, Prompt, PromptKind, Segmented

BUILT_IN = "graph-cut"
METHOD = "graph cut from the long axis"
CLICK_METHOD = "graph cut from a click"


class GraphCut:
    """A :class:`mrecist.segmenters.interface.Segmenter` that is always there."""

    prompts = frozenset({PromptKind.LINE, PromptKind.CLICK, PromptKind.SCRIBBLES})

    def __init__(self) -> None:
        self._images: Images | None = None

    def available(self) -> tuple[bool, str]:
        """Always."""
        return True, ""

    def notice(self) -> str:
        """Nothing leaves this program, and there are no weights."""
        return ""

    def start(self, images: Images) -> None:
        """The images of the next prompt."""
        self._images = images

    def segment(self, prompt: Prompt) -> Segmented:
        """The lesion; raises :class:`MaskError` where no lesion comes out of it."""
        images = self._images
        if images is None:
            raise MaskError("there are no images to cut; start comes first")
        notes: tuple[str, ...] = ()
        line = prompt.line
        if line is None:
            if prompt.click is None:
                raise MaskError("the graph cut takes a line or a click")
            line = line_of_click([images.voxels], images.spacing_mm, prompt.click)
            notes = ("the long axis was guessed from a click: check both ends, and drag them",)
        crop = crop_of_line(line, images.voxels.shape, images.spacing_mm)
        phases = [crop.of(images.voxels)]
        portal = images.other(PhaseName.PORTAL_VENOUS, crop.box)
        if portal is not None:
            phases.append(portal)
        local = Line(start=_local(line.start, crop), end=_local(line.end, crop))
        cut = segment_line(phases, images.spacing_mm, local, _local_marks(prompt.scribbles, crop))
        whole = np.zeros(images.voxels.shape, dtype=np.bool_)
        whole[crop.box] = cut
        return Segmented(
            whole=whole,
            method=METHOD if prompt.line is not None else CLICK_METHOD,
            version=__version__,
            parameters={name: getattr(Settings(), name) for name in Settings.__slots__},
            line=line,
            notes=notes,
        )

    def close(self) -> None:
        """Forget the images."""
        self._images = None


def crop_of_line(line: Line, shape: tuple[int, ...], spacing_mm: Spacing) -> Crop:
    """The box around a lesion in which the cut looks for it, and in which the phases are laid over each other."""
    half = float(np.linalg.norm((np.array(line.end) - np.array(line.start)) * spacing_mm)) / 2
    return crop_around(line, (shape[0], shape[1], shape[2]), spacing_mm, 2.4 * half + 8)


def _local(point: tuple[float, float, float], crop: Crop) -> tuple[float, float, float]:
    z, y, x = crop.local(point)
    return float(z), float(y), float(x)


def _local_marks(scribbles: Scribbles | None, crop: Crop) -> Scribbles | None:
    if scribbles is None:
        return None

    def moved(points: tuple[tuple[int, int, int], ...]) -> tuple[tuple[int, int, int], ...]:
        local = (crop.local(point).astype(int) for point in points)
        return tuple((int(z), int(y), int(x)) for z, y, x in local)

    return Scribbles(add=moved(scribbles.add), remove=moved(scribbles.remove))
