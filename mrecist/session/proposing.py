"""A proposal for a lesion from its long axis: whole and viable part, both diameters, and how they came to be."""

from __future__ import annotations

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
from mrecist.segment.align import align
from mrecist.segment.click import line_of_click
from mrecist.segment.crop import Crop, FloatArray, crop_around
from mrecist.segment.prompt import Index3, Line, Scribbles
from mrecist.segment.regrid import Box, seen_on
from mrecist.segment.viable import ViablePart, split_viable
from mrecist.segment.whole import Settings, segment_line
from mrecist.session.case import CaseVisit
from mrecist.session.state import Provenance

BoolArray = npt.NDArray[np.bool_]
Loader = Callable[[Series], Volume]
METHOD = "graph cut from the long axis"
CLICK_METHOD = "graph cut from a click"


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


def propose(asked: Asked, visit: CaseVisit, load: Loader, measuring: Measuring) -> Proposal:
    """Masks for a line.

    Parameters
    ----------
    asked : what was drawn.
    visit : the other phases of the same visit are looked at too.
    load : gives the voxels of a series; it may keep them.
    measuring : the protocol's ``[measurement]``.

    Raises
    ------
    MaskError : no lesion comes out of it; the sentence says what to do.
    """
    series, line = asked.series, asked.line
    volume = load(series)
    spacing = _spacing(series)
    half = float(np.linalg.norm((np.array(line.end) - np.array(line.start)) * spacing)) / 2
    crop = crop_around(line, volume.voxels.shape, spacing, 2.4 * half + 8)
    own = crop.of(volume.voxels)
    others, notes = _other_phases(asked, visit, load, crop, own)
    phases = [own, *(picture for name, picture in others.items() if name is not PhaseName.NATIVE)]
    local = Line(start=_tuple(crop.local(line.start)), end=_tuple(crop.local(line.end)))
    scribbles = _local(asked.scribbles, crop)
    whole = segment_line(phases, spacing, local, scribbles)
    if not whole.any():
        raise MaskError("nothing was found along the line; draw it again, or paint the lesion")
    part = _viable(series, whole, own, spacing, others.get(PhaseName.NATIVE), asked.cutoff, measuring)
    viable = None
    if part is not None:
        notes.append(part.why)
        viable = _back(part.mask, crop, volume.voxels.shape)
    mask = _back(whole, crop, volume.voxels.shape)
    assert series.geometry is not None
    return Proposal(
        series=series,
        whole=mask,
        viable=viable,
        cutoff=part.cutoff if part is not None else None,
        measurement=measure_lesion(mask, series.geometry, viable, max_gap_mm=measuring.max_gap_mm),
        provenance=_provenance(asked, others, part),
        notes=tuple(notes),
        native=(crop.box, others[PhaseName.NATIVE]) if PhaseName.NATIVE in others else None,
    )


def propose_click(series: Series, click: Index3, visit: CaseVisit, load: Loader, measuring: Measuring) -> Proposal:
    """Masks for one click, through a long axis that is guessed from the series clicked on.

    The guessed line follows the click in the prompts of the provenance, for the reader to drag; dragging it means :func:`propose` again.

    Parameters
    ----------
    series, click : the series, and the voxel (z, y, x) of it.

    Raises
    ------
    MaskError : nothing at the click differs from its surroundings, or no lesion comes out of it.
    """
    line = line_of_click([load(series).voxels], _spacing(series), click)
    found = propose(Asked(series=series, line=line), visit, load, measuring)
    prompts = ({"click": list(click)}, *found.provenance.prompts)
    return replace(
        found,
        provenance=replace(found.provenance, method=CLICK_METHOD, prompts=prompts),
        notes=("the long axis was guessed from a click: check both ends, and drag them", *found.notes),
    )


def with_cutoff(proposal: Proposal, cutoff: float, load: Loader, measuring: Measuring) -> Proposal:
    """The same lesion with another cut-off of the viable part: what the reader nudges."""
    voxels = load(proposal.series).voxels
    native = None
    if proposal.native is not None:
        native = np.zeros_like(voxels)
        native[proposal.native[0]] = proposal.native[1]
    part = _viable(
        proposal.series, proposal.whole, voxels, _spacing(proposal.series), native, cutoff=cutoff, measuring=measuring
    )
    if part is None:
        raise MaskError(f"the viable part is judged on the arterial phase; this is the {proposal.series.phase.name}")
    parameters = {**proposal.provenance.parameters, "cutoff": cutoff}
    assert proposal.series.geometry is not None
    return replace(
        proposal,
        viable=part.mask,
        cutoff=cutoff,
        measurement=measure_lesion(
            proposal.whole, proposal.series.geometry, part.mask, max_gap_mm=measuring.max_gap_mm
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


def _other_phases(
    asked: Asked, visit: CaseVisit, load: Loader, crop: Crop, own: FloatArray
) -> tuple[dict[PhaseName, FloatArray], list[str]]:
    """The portal venous and the native phase of the visit on the crop, moved onto it; those that do not fit are told."""
    found: dict[PhaseName, FloatArray] = {}
    notes: list[str] = []
    for series in visit.series:
        name = PhaseName(series.phase.name)
        if name not in (PhaseName.PORTAL_VENOUS, PhaseName.NATIVE) or name in found or series == asked.series:
            continue
        if series.frame_of_reference_uid != asked.series.frame_of_reference_uid:
            notes.append(f"the {name.lower()} phase is of another frame of reference and was not used")
            continue
        assert series.geometry is not None
        assert asked.series.geometry is not None
        try:
            seen = seen_on(load(series).voxels, series.geometry, asked.series.geometry, crop.box)
        except MrecistError as error:
            notes.append(f"the {name.lower()} phase was not used: {error}")
            continue
        known = np.isfinite(seen)
        if known.mean() < 0.9:
            notes.append(f"the {name.lower()} phase does not cover the lesion and was not used")
            continue
        seen = np.where(known, seen, np.median(seen[known]))
        moved = align(own, seen, crop.spacing_mm)
        if not moved.agrees:
            notes.append(f"the {name.lower()} phase does not show the same as this one, even moved, and was not used")
            continue
        shift = float(np.linalg.norm(moved.moved_mm))
        if shift >= 1:
            notes.append(f"the {name.lower()} phase was moved by {shift:.0f} mm onto this one")
        found[name] = moved.picture
    return found, notes


def _viable(
    series: Series,
    whole: BoolArray,
    own: FloatArray,
    spacing: tuple[float, float, float],
    native: FloatArray | None,
    cutoff: float | None,
    measuring: Measuring,
) -> ViablePart | None:
    if series.phase.name not in (PhaseName.ARTERIAL, PhaseName.UNKNOWN):
        return None
    dense = measuring.dense_hu or DENSE_HU
    return split_viable(whole, own, spacing, native=native, cutoff=cutoff, dense_hu=float(dense))


def _back(mask: BoolArray, crop: Crop, shape: tuple[int, ...]) -> BoolArray:
    full = np.zeros(shape, dtype=np.bool_)
    full[crop.box] = mask
    return full


def _local(scribbles: Scribbles | None, crop: Crop) -> Scribbles | None:
    if scribbles is None:
        return None

    def moved(points: tuple[tuple[int, int, int], ...]) -> tuple[tuple[int, int, int], ...]:
        local = (crop.local(point).astype(int) for point in points)
        return tuple((int(z), int(y), int(x)) for z, y, x in local)

    return Scribbles(add=moved(scribbles.add), remove=moved(scribbles.remove))


def _tuple(point: npt.NDArray[np.float64]) -> tuple[float, float, float]:
    return float(point[0]), float(point[1]), float(point[2])


def _provenance(asked: Asked, others: Mapping[PhaseName, FloatArray], part: ViablePart | None) -> Provenance:
    prompts: list[Mapping[str, Any]] = [{"line": [list(asked.line.start), list(asked.line.end)]}]
    if asked.scribbles is not None:
        prompts.append(
            {"add": [list(p) for p in asked.scribbles.add], "remove": [list(p) for p in asked.scribbles.remove]}
        )
    parameters: dict[str, Any] = {
        "version": __version__,
        "settings": {name: getattr(Settings(), name) for name in Settings.__slots__},
        "phases": [str(asked.series.phase.name), *(str(name) for name in others)],
    }
    if part is not None:
        parameters |= {"cutoff": part.cutoff, "cutoff_by": part.by, "viable": part.why}
    return Provenance(method=METHOD, prompts=tuple(prompts), parameters=parameters)
