"""Whether slice positions make a lattice: regular, missing slices, irregular, tilted. Pure arithmetic on positions.

The step comes from ImagePositionPatient alone: SpacingBetweenSlices may be negative or wrong, SliceThickness often exceeds
the step, and SliceLocation is optional and scanner-relative (PS3.3 C.7.6.2.1.1).
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

FloatArray = npt.NDArray[np.float64]

SAME_POSITION_MM = 0.01
"""Two slices nearer than this along the normal are at one position; jitter in exported headers is up to 4 µm."""
LATTICE_MM = 0.051
"""Largest distance from the regular lattice: positions that are written to one decimal are up to 0.05 mm off."""
LATTICE_PART = 0.1
"""... and never more than this part of the step, for thin slices."""
MULTIPLE_PART = 0.1
"""A gap within this part of the step from a whole multiple of it is a gap of missing slices."""
LATERAL_MM = 0.1
LATERAL_PER_MM = 1e-3
"""In-plane displacement that direction cosines of three to four decimals explain; beyond it the stack is sheared."""
SPARSE_FACTOR = 2.0
"""Slices at least this many thicknesses apart leave half of the tissue unseen."""

CROWDED_FACTOR = 8.0
"""Reconstructions overlap by up to seven eighths of the thickness; beyond it positions and thickness contradict each other."""
RETAKEN_PART = 0.25
"""Slices nearer than this part of the usual step are no step of their own."""
OVERLAP_PART = 0.75
"""Slices nearer than this part of their thickness overlap, which neighbours of one volume with an uneven step do not."""
_APART = "export each volume as its own series"


@dataclass(frozen=True, slots=True, kw_only=True)
class StepVerdict:
    """``code`` is "" for a regular stack; ``refused`` tells MISSING_SLICES and DUPLICATE_POSITIONS from the in-plane codes."""

    code: str
    text: str
    step_mm: float | None
    refused: bool = False


def unit_normal(orientation: Sequence[float]) -> FloatArray:
    """Unit vector (LPS) of row direction x column direction."""
    normal = np.cross(np.array(orientation[:3], dtype=float), np.array(orientation[3:], dtype=float))
    return np.asarray(normal / np.linalg.norm(normal))


def check_steps(origins: FloatArray, normal: FloatArray, thickness_mm: float | None) -> StepVerdict:
    """Judge a stack.

    Parameters
    ----------
    origins : (Z, 3) LPS mm, in ascending order along ``normal``, no two at one position.
    normal : (3,) unit vector.
    thickness_mm : SliceThickness, or None.
    """
    if len(origins) == 1:
        return StepVerdict(code="SINGLE_SLICE", text="one slice: a diameter can be measured, no volume", step_mm=None)
    positions = origins @ normal
    step = lattice_step(positions)
    if step is None:
        return _uneven(positions, thickness_mm)
    sheared = _sheared(origins, normal)
    if sheared is not None:
        return sheared
    if thickness_mm and thickness_mm > 0 and step >= SPARSE_FACTOR * thickness_mm - SAME_POSITION_MM:
        text = f"slices {thickness_mm:g} mm thick lie {step:.2f} mm apart: too much is unseen for a volume"
        return StepVerdict(code="SPARSE", text=text, step_mm=None)
    if thickness_mm and thickness_mm > CROWDED_FACTOR * step + SAME_POSITION_MM:
        text = (
            f"slices {thickness_mm:g} mm thick lie {step:.2f} mm apart by ImagePositionPatient: one of the two is wrong "
            f"(positions that are no mm?), and with it the volume"
        )
        return StepVerdict(code="CROWDED", text=text, step_mm=None)
    return StepVerdict(code="", text="", step_mm=step)


def lattice_step(positions: FloatArray) -> float | None:
    """The step of the regular lattice that all positions lie on, or None.

    First the lattice through both ends, which is exact for exact positions; then the best fit, because rounded ends tilt it.
    """
    index = np.arange(len(positions), dtype=float)
    ends = float(positions[-1] - positions[0]) / (len(positions) - 1)
    centred = index - index.mean()
    fitted = float(centred @ positions / (centred @ centred))
    for step, start in ((ends, positions[0]), (fitted, positions.mean() - fitted * index.mean())):
        tolerance = max(SAME_POSITION_MM, min(LATTICE_MM, LATTICE_PART * step))
        if float(np.abs(positions - start - step * index).max()) <= tolerance:
            return step
    return None


def _uneven(positions: FloatArray, thickness_mm: float | None) -> StepVerdict:
    steps = np.diff(positions)
    smallest = float(steps.min())
    base = float(np.median(steps[steps <= smallest * 1.25]))
    multiples = np.rint(steps / base)
    if np.all(np.abs(steps - multiples * base) <= max(LATTICE_MM, MULTIPLE_PART * base)) and multiples.max() >= 2:
        if thickness_mm and base <= RETAKEN_PART * float(np.median(steps)) and thickness_mm >= 2 * base:
            return _retaken(positions, float(np.median(steps)))
        return _missing(positions, multiples.astype(int), base)
    if thickness_mm and thickness_mm > 0 and (mixed := _mixed(positions, thickness_mm)):
        return StepVerdict(code="DUPLICATE_POSITIONS", text=mixed, step_mm=None, refused=True)
    text = f"the step varies from {smallest:.2f} to {steps.max():.2f} mm over {len(positions)} slices"
    return StepVerdict(code="IRREGULAR_STEP", text=text, step_mm=None)


def _retaken(positions: FloatArray, usual: float) -> StepVerdict:
    nearest = int(np.argmin(np.diff(positions)))
    low, high = float(positions[nearest]), float(positions[nearest + 1])
    text = (
        f"slices at {low:.2f} and {high:.2f} mm lie {high - low:.2f} mm apart where the usual step is {usual:.2f} mm: a slice "
        f"taken again, or one of another volume; {_APART}"
    )
    return StepVerdict(code="DUPLICATE_POSITIONS", text=text, step_mm=None, refused=True)


def _mixed(positions: FloatArray, thickness_mm: float) -> str:
    """Why slices of an uneven step are those of several volumes that lie between one another, or ""."""
    steps = np.diff(positions)
    for count in (2, 3, 4):
        parts = [positions[i::count] for i in range(count)]
        if len(parts[-1]) < 3:
            break
        lattices = [lattice_step(p) for p in parts]
        step = lattices[0]
        if step is None or thickness_mm < OVERLAP_PART * step:
            continue
        if all(s is not None and abs(s - step) <= SAME_POSITION_MM for s in lattices):
            return f"{count} volumes with a step of {step:.2f} mm lie between one another, and no tag tells them apart; {_APART}"
    # Where two volumes overlap in a part only, their steps alternate there: 1.2, 1.8, 1.2, 1.8 for two with a step of 3 mm.
    for i in range(len(steps) - 3):
        one, other = steps[i : i + 4 : 2], steps[i + 1 : i + 4 : 2]
        alternate = max(np.ptp(one), np.ptp(other)) <= LATTICE_MM and abs(one[0] - other[0]) > 2 * LATTICE_MM
        if alternate and thickness_mm >= OVERLAP_PART * (one[0] + other[0]):
            return (
                f"two volumes with a step of {one[0] + other[0]:.2f} mm lie between one another in a part of the stack, and no tag "
                f"tells them apart; {_APART}"
            )
    return ""


def _missing(positions: FloatArray, multiples: npt.NDArray[np.int_], base: float) -> StepVerdict:
    count = int((multiples - 1).sum())
    gaps = [f"{positions[i]:.2f} and {positions[i + 1]:.2f}" for i in np.flatnonzero(multiples > 1)]
    where = ", ".join(gaps[:3]) + (f" and {len(gaps) - 3} more gaps" if len(gaps) > 3 else "")
    noun = "slice" if count == 1 else "slices"
    text = f"{count} {noun} missing between {where} mm (step {base:.2f} mm); re-export the series"
    return StepVerdict(code="MISSING_SLICES", text=text, step_mm=None, refused=True)


def _sheared(origins: FloatArray, normal: FloatArray) -> StepVerdict | None:
    offsets = origins - origins[0]
    along = offsets @ normal
    lateral = offsets - np.outer(along, normal)
    if np.all(np.linalg.norm(lateral, axis=1) <= LATERAL_MM + LATERAL_PER_MM * along):
        return None
    shear = lateral.T @ along / float(along @ along)
    rest = np.linalg.norm(lateral - np.outer(along, shear), axis=1)
    if np.all(rest <= LATERAL_MM + LATERAL_PER_MM * along):
        angle = math.degrees(math.atan(float(np.linalg.norm(shear))))
        text = f"the stack is sheared by {angle:.1f} degrees (gantry tilt): volumes need resampling"
        return StepVerdict(code="TILT", text=text, step_mm=None)
    text = f"slices are displaced within their plane by up to {np.linalg.norm(lateral, axis=1).max():.1f} mm"
    return StepVerdict(code="SHIFTED", text=text, step_mm=None)
