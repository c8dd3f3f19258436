"""What a segmenter is given and what it returns, checked: a mask is used as it is or not at all."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import numpy.typing as npt

from mrecist.errors import MaskError
from mrecist.segment.click import line_of_click
from mrecist.segment.crop import BoolArray, Spacing
from mrecist.segment.prompt import Index3, Line
from mrecist.segmenters.interface import Images, Prompt, PromptKind, Ranges, Segmented


def check_prompt(prompt: Prompt, images: Images) -> None:
    """Raises :class:`MaskError` where a line or a click leaves the volume."""
    shape = images.voxels.shape
    ends = (prompt.line.start, prompt.line.end) if prompt.line is not None else ()
    for what, point in (*(("end", end) for end in ends), ("click", prompt.click)):
        if point is not None and not all(-0.5 <= p <= n - 0.5 for p, n in zip(point, shape, strict=True)):
            of = " of the line" if what == "end" else ""
            raise MaskError(f"the {what} {tuple(round(p, 1) for p in point)}{of} lies outside the volume {shape}")


def fitted(prompt: Prompt, kinds: frozenset[str], images: Images, name: str) -> Prompt:
    """The prompt in a kind that the segmenter takes: a line as it is, else a square box around it, else a click on its middle.

    Raises
    ------
    MaskError : it takes no marks and there are some, or it takes none of the kinds.
    """
    scribbles = prompt.scribbles
    if scribbles is not None and PromptKind.SCRIBBLES not in kinds:
        raise MaskError(f"segmenter {name} takes no marks")
    if prompt.click is not None and PromptKind.CLICK in kinds:
        return Prompt(click=prompt.click, scribbles=scribbles)
    line = prompt.line
    if line is None:
        assert prompt.click is not None
        line = line_of_click([images.voxels], images.spacing_mm, prompt.click)
    if PromptKind.LINE in kinds:
        return Prompt(line=line, scribbles=scribbles)
    if PromptKind.BOX in kinds:
        return Prompt(box=box_of_line(line, images.voxels.shape, images.spacing_mm), scribbles=scribbles)
    if PromptKind.CLICK in kinds:
        return Prompt(click=middle_of(line), scribbles=scribbles)
    raise MaskError(
        f"segmenter {name} takes neither a line, a box nor a click, only: {', '.join(sorted(kinds)) or 'nothing'}"
    )


def box_of_line(line: Line, shape: tuple[int, ...], spacing_mm: Spacing) -> Ranges:
    """The square on the line's slice whose middle is that of the line and whose side is as long (MedSAM2's prompt for RECIST lines)."""
    half = float(np.linalg.norm((np.array(line.end) - np.array(line.start)) * np.array(spacing_mm))) / 2
    z, *middle = middle_of(line)
    ranges = [(round(z), round(z) + 1)]
    for axis, at in enumerate(middle, start=1):
        reach = half / spacing_mm[axis]
        ranges.append((max(round(at - reach), 0), min(round(at + reach) + 1, shape[axis])))
    return ranges[0], ranges[1], ranges[2]


def middle_of(line: Line) -> Index3:
    """The middle of a line."""
    z, y, x = (np.array(line.start) + np.array(line.end)) / 2
    return float(z), float(y), float(x)


def checked_masks(result: Any, prompt: Prompt, images: Images, name: str) -> tuple[BoolArray, BoolArray | None]:
    """The whole and the viable mask of what a segmenter returned.

    Raises
    ------
    MaskError : it is not a :class:`Segmented`, or a mask is of another grid or type, empty, or away from the prompt, or the provenance is
        no plain text and JSON.
    """
    who = f"segmenter {name}"
    if not isinstance(result, Segmented):
        raise MaskError(f"{who} returned {type(result).__name__}, not a Segmented")
    whole = _mask(result.whole, images, f"{who}: the mask")
    if not whole.any():
        raise MaskError(f"{who} found nothing there")
    _near(whole, prompt, who)
    viable = None
    if result.viable is not None:
        viable = _mask(result.viable, images, f"{who}: the viable mask")
        outside = int((viable & ~whole).sum())
        if outside:
            raise MaskError(f"{who}: {outside} voxels of the viable mask lie outside the whole one")
    _check_words(result, who)
    return whole, viable


def marks_missed(whole: BoolArray, prompt: Prompt) -> tuple[str, ...]:
    """A note where marks of the reader were not followed."""
    if prompt.scribbles is None:
        return ()
    marks = [(at, True) for at in prompt.scribbles.add] + [(at, False) for at in prompt.scribbles.remove]
    given = [(at, wanted) for at, wanted in marks if all(0 <= i < n for i, n in zip(at, whole.shape, strict=True))]
    missed = sum(bool(whole[at]) is not wanted for at, wanted in given)
    return (f"{missed} of {len(given)} marked voxels were not followed",) if missed else ()


def _mask(array: Any, images: Images, what: str) -> BoolArray:
    if not isinstance(array, np.ndarray):
        raise MaskError(f"{what} is {type(array).__name__}, not a numpy array")
    if array.shape != images.voxels.shape:
        raise MaskError(f"{what} has the grid {array.shape}, the series {images.voxels.shape}")
    if array.dtype != np.bool_ and not np.issubdtype(array.dtype, np.integer):
        raise MaskError(f"{what} has the type {array.dtype}; bool, or integers 0 and 1, are masks")
    if array.dtype != np.bool_ and array.size and not (array.min() >= 0 and array.max() <= 1):
        raise MaskError(f"{what} has values from {array.min()} to {array.max()}; 0 and 1 are a mask")
    mask: BoolArray = array.astype(np.bool_)
    return mask


def _near(whole: BoolArray, prompt: Prompt, who: str) -> None:
    """A mask on another grid, or of another lesion, does not lie where the reader pointed."""
    if not any(whole[_around(at)].any() for at in _places(prompt)):
        raise MaskError(
            f"{who}: the mask does not touch the place that was pointed at; it is of another grid or lesion"
        )


def _places(prompt: Prompt) -> npt.NDArray[np.float64]:
    if prompt.line is not None:
        ends = np.array([prompt.line.start, prompt.line.end])
        steps = int(np.abs(ends[1] - ends[0]).max()) + 2
        return np.asarray(np.linspace(ends[0], ends[1], steps), dtype=np.float64)
    if prompt.click is not None:
        return np.array([prompt.click])
    assert prompt.box is not None
    inside = np.stack(np.meshgrid(*(np.arange(low, high) for low, high in prompt.box), indexing="ij"), axis=-1)
    return inside.reshape(-1, 3).astype(np.float64)


def _around(at: npt.NDArray[np.float64]) -> tuple[slice, ...]:
    return tuple(slice(max(round(float(p)) - 1, 0), max(round(float(p)) + 2, 0)) for p in at)


def _check_words(result: Segmented, who: str) -> None:
    for what in ("method", "version", "weights_licence"):
        words = getattr(result, what)
        if not isinstance(words, str) or not words.isprintable() or not (words.strip() or what == "weights_licence"):
            raise MaskError(f"{who}: its {what} is {words!r:.80}; the provenance needs one line of text")
    try:
        json.dumps(dict(result.parameters), allow_nan=False)
        notes = all(isinstance(note, str) for note in result.notes)
    except (TypeError, ValueError) as error:
        raise MaskError(f"{who}: its parameters are no plain JSON: {error}") from None
    if not notes:
        raise MaskError(f"{who}: its notes are no texts")
