"""A proposal for a lesion from its long axis: whole and viable part, both diameters, and how they came to be."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import numpy.typing as npt

from mrecist import __version__
from mrecist.errors import MaskError, MrecistError
from mrecist.imaging.dense import DENSE_HU
from mrecist.imaging.phase import PhaseName
from mrecist.imaging.series import Series
from mrecist.imaging.volume import Volume
from mrecist.measure.lesion import LesionMeasurement, measure_lesion
from mrecist.protocol import Measuring
from mrecist.reading import convention_of
from mrecist.segment.align import align
from mrecist.segment.crop import Crop, FloatArray
from mrecist.segment.prompt import Index3, Line, Scribbles
from mrecist.segment.regrid import Box, seen_on
from mrecist.segment.viable import ViablePart, split_viable
from mrecist.segmenters.bench import Answer, Bench
from mrecist.segmenters.built_in import crop_of_line
from mrecist.segmenters.interface import Images, Prompt
from mrecist.session.case import CaseVisit
from mrecist.session.state import Provenance

BoolArray = npt.NDArray[np.bool_]
Loader = Callable[[Series], Volume]
# Around a mask that reaches beyond the box of its line.
_MARGIN = 4
# The filters of the registration need this many voxels each way.
_THINNEST = 4


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """What the reader drew: on which series, the long axis, marks since, and an own cut-off of the viable part."""

    series: Series
    line: Line
    scribbles: Scribbles | None = None
    cutoff: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Proposal:
    """Masks on the grid of the series that was drawn on.

    ``viable`` is None where the series is known to be of another phase than the arterial one: nothing can be said there.
    ``notes`` are sentences for the reader. ``native`` is the unenhanced phase moved onto this grid (its box and values), None
    without one: another cut-off is judged against the same values as the first.
    """

    series: Series
    whole: BoolArray
    viable: BoolArray | None
    cutoff: float | None
    measurement: LesionMeasurement
    provenance: Provenance
    notes: tuple[str, ...]
    native: tuple[Box, FloatArray] | None = None


def propose(asked: Asked, visit: CaseVisit, load: Loader, measuring: Measuring, bench: Bench | None = None) -> Proposal:
    """Masks for a line.

    Parameters
    ----------
    asked : what was drawn.
    visit : the other phases of the same visit are looked at too.
    load : gives the voxels of a series; it may keep them.
    measuring : the protocol's ``[measurement]``.
    bench : who segments; the built-in segmenter unless given.

    Raises
    ------
    MaskError : no lesion comes out of it; the sentence says what to do.
    """
    prompt = Prompt(line=asked.line, scribbles=asked.scribbles)
    return _proposed(asked.series, prompt, asked.cutoff, visit, load, measuring, bench or Bench({}))


def propose_click(
    series: Series, click: Index3, visit: CaseVisit, load: Loader, measuring: Measuring, bench: Bench | None = None
) -> Proposal:
    """Masks for one click; most segmenters guess a long axis from it first.

    The guessed line follows the click in the prompts of the provenance, for the reader to drag; dragging it means :func:`propose` again.

    Parameters
    ----------
    series, click : the series, and the voxel (z, y, x) of it.

    Raises
    ------
    MaskError : nothing at the click differs from its surroundings, or no lesion comes out of it.
    """
    return _proposed(series, Prompt(click=click), None, visit, load, measuring, bench or Bench({}))


def _proposed(
    series: Series,
    prompt: Prompt,
    cutoff: float | None,
    visit: CaseVisit,
    load: Loader,
    measuring: Measuring,
    bench: Bench,
) -> Proposal:
    volume = load(series)
    assert series.geometry is not None
    # Each segmenter that is asked sees the other phases for itself: what it used is told with its mask.
    seen: list[_OtherPhases] = []

    def images() -> Images:
        seen.append(_OtherPhases(series, visit, load))
        voxels = volume.voxels.view()
        voxels.flags.writeable = False
        return Images(voxels=voxels, spacing_mm=_spacing(series), phase=str(series.phase.name), other=seen[-1].on)

    answer = bench.segment(images, prompt)
    phases = seen[-1]
    crop = _crop(answer, prompt, series)
    viable, part, native, notes = _viable_part(answer, series, volume.voxels, crop, phases, cutoff, measuring)
    return Proposal(
        series=series,
        whole=answer.whole,
        viable=viable,
        cutoff=part.cutoff if part is not None else None,
        measurement=measure_lesion(
            answer.whole, series.geometry, viable, convention=convention_of(measuring), max_gap_mm=measuring.max_gap_mm
        ),
        provenance=_provenance(answer, prompt, (str(series.phase.name), *phases.used), part),
        notes=(*answer.notes, *phases.notes, *notes),
        native=None if native is None else (crop.box, native),
    )


def _viable_part(
    answer: Answer,
    series: Series,
    voxels: FloatArray,
    crop: Crop,
    phases: _OtherPhases,
    cutoff: float | None,
    measuring: Measuring,
) -> tuple[BoolArray | None, ViablePart | None, FloatArray | None, tuple[str, ...]]:
    """The viable mask, how it was told, the native phase that it was judged against, and notes."""
    if series.phase.name not in (PhaseName.ARTERIAL, PhaseName.UNKNOWN):
        if answer.viable is None:
            return None, None, None, ()
        phase = str(series.phase.name).lower()
        return None, None, None, (f"{answer.name} gave a viable part on the {phase} phase; it was left out",)
    if answer.viable is not None and cutoff is None:
        return answer.viable, None, None, (f"the viable part is by {answer.name}",)
    native = phases.on(PhaseName.NATIVE, crop.box)
    part = _split(answer.whole[crop.box], crop.of(voxels), crop.spacing_mm, native, cutoff, measuring)
    viable = np.zeros(answer.whole.shape, dtype=np.bool_)
    viable[crop.box] = part.mask
    return viable, part, native, (part.why,)


def middle_value(proposal: Proposal, load: Loader) -> float:
    """Where a cut-off begins that nobody has set: the median inside the lesion."""
    return float(np.median(load(proposal.series).voxels[proposal.whole]))


def with_cutoff(proposal: Proposal, cutoff: float, load: Loader, measuring: Measuring) -> Proposal:
    """The same lesion with another cut-off of the viable part: what the reader nudges."""
    voxels = load(proposal.series).voxels
    native = None
    if proposal.native is not None:
        native = np.zeros_like(voxels)
        native[proposal.native[0]] = proposal.native[1]
    if proposal.series.phase.name not in (PhaseName.ARTERIAL, PhaseName.UNKNOWN):
        raise MaskError(f"the viable part is judged on the arterial phase; this is the {proposal.series.phase.name}")
    part = _split(proposal.whole, voxels, _spacing(proposal.series), native, cutoff, measuring)
    parameters = {**proposal.provenance.parameters, **_of_part(part)}
    assert proposal.series.geometry is not None
    return replace(
        proposal,
        viable=part.mask,
        cutoff=cutoff,
        measurement=measure_lesion(
            proposal.whole,
            proposal.series.geometry,
            part.mask,
            convention=convention_of(measuring),
            max_gap_mm=measuring.max_gap_mm,
        ),
        provenance=replace(proposal.provenance, parameters=parameters),
        notes=(part.why,),
    )


def _spacing(series: Series) -> tuple[float, float, float]:
    geometry = series.geometry
    assert geometry is not None
    step = geometry.slice_step_mm
    if step is None:
        heights = np.array(geometry.origins_lps) @ geometry.normal
        step = float(np.median(np.diff(heights))) if len(heights) > 1 else 1.0
    return float(step), geometry.row_spacing_mm, geometry.column_spacing_mm


class _OtherPhases:
    """The other phases of a visit as seen on boxes of one series, each moved onto it; those that do not fit are told."""

    def __init__(self, series: Series, visit: CaseVisit, load: Loader) -> None:
        self._series, self._visit, self._load = series, visit, load
        self._seen: dict[tuple[str, str], FloatArray | None] = {}
        # A segmenter may ask from a thread of its own.
        self._turn = threading.Lock()
        self.notes: list[str] = []
        self.used: list[str] = []

    def on(self, phase: str, box: Box) -> FloatArray | None:
        """The values of a phase (Z, Y, X) on a box; None where there is none, or none that fits."""
        key = (str(phase), str(box))
        with self._turn:
            if key not in self._seen:
                self._seen[key] = self._find(PhaseName(phase), box)
                if self._seen[key] is not None and key[0] not in self.used:
                    self.used.append(key[0])
            return self._seen[key]

    def _find(self, phase: PhaseName, box: Box) -> FloatArray | None:
        for series in self._visit.series:
            if series.phase.name != phase or series == self._series:
                continue
            if series.frame_of_reference_uid != self._series.frame_of_reference_uid:
                self.notes.append(f"the {phase.lower()} phase is of another frame of reference and was not used")
                continue
            found = self._moved(series, phase, box)
            if found is not None:
                return found
        return None

    def _moved(self, series: Series, phase: PhaseName, box: Box) -> FloatArray | None:
        assert series.geometry is not None
        assert self._series.geometry is not None
        crop = Crop(box=box, spacing_mm=_spacing(self._series), factor=(1, 1, 1))
        try:
            seen = seen_on(self._load(series).voxels, series.geometry, self._series.geometry, box)
        except MrecistError as error:
            self.notes.append(f"the {phase.lower()} phase was not used: {error}")
            return None
        if min(seen.shape) < _THINNEST:
            self.notes.append(
                f"the {phase.lower()} phase was not used: {min(seen.shape)} slices are too few to lay it over"
            )
            return None
        known = np.isfinite(seen)
        if known.mean() < 0.9:
            self.notes.append(f"the {phase.lower()} phase does not cover the lesion and was not used")
            return None
        seen = np.where(known, seen, np.median(seen[known]))
        moved = align(crop.of(self._load(self._series).voxels), seen, crop.spacing_mm)
        if not moved.agrees:
            self.notes.append(
                f"the {phase.lower()} phase does not show the same as this one, even moved, and was not used"
            )
            return None
        shift = float(np.linalg.norm(moved.moved_mm))
        if shift >= 1:
            self.notes.append(f"the {phase.lower()} phase was moved by {shift:.0f} mm onto this one")
        return moved.picture


def _crop(answer: Answer, prompt: Prompt, series: Series) -> Crop:
    """The box on which the phases are laid over each other: around the line, and around all of the mask."""
    shape, spacing = answer.whole.shape, _spacing(series)
    line = prompt.line or answer.segmented.line or answer.asked.line
    where = [np.flatnonzero(answer.whole.any(axis=tuple({0, 1, 2} - {axis}))) for axis in range(3)]
    box = [
        slice(max(int(w[0]) - _MARGIN, 0), min(int(w[-1]) + 1 + _MARGIN, n)) for w, n in zip(where, shape, strict=True)
    ]
    if line is None:
        at = (box[0].start + box[0].stop - 1) / 2
        line = Line(start=(at, box[1].start, box[2].start), end=(at, box[1].stop - 1, box[2].stop - 1))
    around = crop_of_line(line, shape, spacing)
    z, y, x = (slice(min(a.start, b.start), max(a.stop, b.stop)) for a, b in zip(around.box, box, strict=True))
    return replace(around, box=(z, y, x), factor=(1, 1, 1))


def _split(
    whole: BoolArray,
    own: FloatArray,
    spacing: tuple[float, float, float],
    native: FloatArray | None,
    cutoff: float | None,
    measuring: Measuring,
) -> ViablePart:
    dense = measuring.dense_hu or DENSE_HU
    return split_viable(whole, own, spacing, native=native, cutoff=cutoff, dense_hu=float(dense))


def _of_part(part: ViablePart) -> dict[str, Any]:
    return {"cutoff": part.cutoff, "cutoff_by": part.by, "viable": part.why}


def _provenance(answer: Answer, prompt: Prompt, phases: tuple[str, ...], part: ViablePart | None) -> Provenance:
    segmented = answer.segmented
    parameters: dict[str, Any] = {
        "version": __version__,
        "segmenter": answer.name,
        "segmenter_version": segmented.version,
        "settings": dict(segmented.parameters),
        "phases": list(phases),
    }
    if segmented.weights_licence:
        parameters["weights_licence"] = segmented.weights_licence
    if part is not None:
        parameters |= _of_part(part)
    elif answer.viable is not None:
        parameters["viable"] = f"by {answer.name}"
    return Provenance(method=segmented.method, prompts=_prompts(answer, prompt), parameters=parameters)


def _prompts(answer: Answer, prompt: Prompt) -> tuple[Mapping[str, Any], ...]:
    """What the reader gave, then what was made of it, then the marks."""
    asked = answer.asked
    told: list[Mapping[str, Any]] = []
    for click in (prompt.click, asked.click):
        if click is not None:
            told.append({"click": list(click)})
    for line in (prompt.line, asked.line, answer.segmented.line):
        if line is not None:
            told.append({"line": [list(line.start), list(line.end)]})
    if asked.box is not None:
        told.append({"box": [list(ends) for ends in asked.box]})
    if prompt.scribbles is not None:
        told.append(
            {"add": [list(p) for p in prompt.scribbles.add], "remove": [list(p) for p in prompt.scribbles.remove]}
        )
    return tuple(one for at, one in enumerate(told) if one not in told[:at])
