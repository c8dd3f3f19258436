"""Blocks of made liver with one lesion whose masks are known, for trying segmentation: nobody's anatomy.

Each block has an arterial and a portal venous phase on one grid of 2.5 x 0.78 x 0.78 mm (z, y, x). The lesion is an ellipsoid
with bumps; values are typical of contrast CT (HU), blurred and noisy. Made livers flatter every method: figures measured on them
say whether a change helps, not how well patients' lesions are found.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from mrecist.imaging.geometry import Geometry

FloatArray = npt.NDArray[np.float32]
BoolArray = npt.NDArray[np.bool_]

_STEP_MM, _PIXEL_MM = 2.5, 0.78125
_BLUR_MM = (1.0, 0.7, 0.7)


@dataclass(frozen=True, slots=True, kw_only=True)
class Tissue:
    """HU in the arterial and in the portal venous phase."""

    arterial: float
    portal: float


LIVER = Tissue(arterial=68, portal=112)
VIABLE = Tissue(arterial=118, portal=96)
NECROSIS = Tissue(arterial=32, portal=34)
VESSEL = Tissue(arterial=95, portal=165)
FAT = Tissue(arterial=-95, portal=-90)


@dataclass(frozen=True, slots=True, kw_only=True)
class BlockPlan:
    """One made lesion.

    Parameters
    ----------
    diameter_mm : of the ellipsoid before its bumps.
    core : size of the dead core as a share of the lesion; 0 none, 1 all of it is dead.
    shift : the core is moved off the middle by this share of the radius, which leaves a crescent.
    viable : tissue of the living part.
    vessel, capsule : a vessel touches the lesion; it lies at the edge of the liver.
    noise : standard deviation in HU.
    blobs : standard deviation of an uneven liver, in HU (8 mm blobs).
    portal_shift_mm : how far the portal phase is displaced (z, y, x).
    """

    name: str
    diameter_mm: float
    core: float = 0.0
    shift: float = 0.0
    viable: Tissue = VIABLE
    vessel: bool = False
    capsule: bool = False
    noise: float = 12.0
    blobs: float = 0.0
    portal_shift_mm: tuple[float, float, float] = (0.0, 0.0, 0.0)
    seed: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Block:
    """A made block: ``arterial`` and ``portal`` (Z, Y, X) in HU with their geometry, and the true masks."""

    plan: BlockPlan
    arterial: FloatArray
    portal: FloatArray
    geometry: Geometry
    whole: BoolArray
    viable: BoolArray


PLANS: tuple[BlockPlan, ...] = tuple(
    replace(plan, seed=seed)
    for seed, plan in enumerate(
        (
            BlockPlan(name="rim 25 mm (nominal)", diameter_mm=25, core=0.55),
            BlockPlan(name="rim 12 mm", diameter_mm=12, core=0.5),
            BlockPlan(name="rim 40 mm", diameter_mm=40, core=0.7),
            BlockPlan(name="thin rim 30 mm", diameter_mm=30, core=0.8),
            BlockPlan(name="solid 15 mm", diameter_mm=15),
            BlockPlan(name="solid 32 mm", diameter_mm=32),
            BlockPlan(name="crescent 28 mm", diameter_mm=28, core=0.7, shift=0.28),
            BlockPlan(name="nothing viable 26 mm", diameter_mm=26, core=1.0),
            BlockPlan(name="at a vessel 22 mm", diameter_mm=22, core=0.5, vessel=True),
            BlockPlan(name="at the capsule 24 mm", diameter_mm=24, core=0.5, capsule=True),
            BlockPlan(name="low contrast 24 mm", diameter_mm=24, viable=Tissue(arterial=92, portal=98)),
            BlockPlan(name="noise 20 HU, rim 25 mm", diameter_mm=25, core=0.55, noise=20),
        ),
        start=1,
    )
)


@dataclass(frozen=True, slots=True)
class _Shape:
    """An ellipsoid with bumps: ``depth`` is 0 in the middle and 1 at the edge."""

    radii_mm: tuple[float, float, float]
    turn: FloatArray
    bumps: tuple[tuple[FloatArray, float], ...]

    def depth(self, where: list[FloatArray]) -> FloatArray:
        point = np.stack([axis.ravel() for axis in where]).astype(np.float32)
        own = self.turn @ point / np.array(self.radii_mm, dtype=np.float32)[:, None]
        radius = np.linalg.norm(own, axis=0)
        unit = own / np.maximum(radius, 1e-6)
        swell = np.ones_like(radius)
        for direction, height in self.bumps:
            swell += height * np.exp(4 * (direction @ unit - 1))
        found: FloatArray = (radius / swell).reshape(where[0].shape)
        return found


def make_block(plan: BlockPlan) -> Block:
    """Build a block; the same plan gives the same voxels."""
    chance = np.random.default_rng(plan.seed)
    half = plan.diameter_mm * 0.85 + 26
    steps = (_STEP_MM, _PIXEL_MM, _PIXEL_MM)
    shape = (2 * round(half / steps[0]) + 1, 2 * round(half / steps[1]) + 1, 2 * round(half / steps[2]) + 1)
    middle = chance.uniform(-0.5, 0.5, 3) * np.array(steps)
    axes = [(np.arange(n) - n // 2) * s - m for n, s, m in zip(shape, steps, middle, strict=True)]
    where = [axis.astype(np.float32) for axis in np.meshgrid(*axes, indexing="ij")]
    lesion = _shape(plan, chance)
    whole = lesion.depth(where) <= 1
    off = chance.normal(size=3)
    off *= plan.shift * plan.diameter_mm / 2 / np.linalg.norm(off)
    dead = np.zeros(shape, dtype=np.bool_)
    if plan.core:
        dead = lesion.depth([axis - np.float32(o) for axis, o in zip(where, off, strict=True)]) <= plan.core
    viable = whole & ~dead
    blobs = _blobs(plan, chance, shape, steps)
    phases = {name: _phase(plan, chance, name, where, whole, viable, blobs) for name in ("arterial", "portal")}
    return Block(
        plan=plan,
        arterial=phases["arterial"],
        portal=phases["portal"],
        geometry=_geometry(shape),
        whole=whole,
        viable=viable,
    )


def _shape(plan: BlockPlan, chance: np.random.Generator) -> _Shape:
    turn, _ = np.linalg.qr(chance.normal(size=(3, 3)))
    radii = plan.diameter_mm / 2 * np.array([1.0, chance.uniform(0.8, 0.95), chance.uniform(0.75, 0.95)])
    bumps = []
    for _ in range(5):
        direction = chance.normal(size=3)
        bumps.append(((direction / np.linalg.norm(direction)).astype(np.float32), float(chance.uniform(-0.12, 0.12))))
    radii_mm = (float(radii[0]), float(radii[1]), float(radii[2]))
    return _Shape(radii_mm, turn.astype(np.float32), tuple(bumps))


def _blobs(
    plan: BlockPlan, chance: np.random.Generator, shape: tuple[int, int, int], steps: tuple[float, float, float]
) -> FloatArray:
    from scipy.ndimage import gaussian_filter

    if not plan.blobs:
        return np.zeros(shape, dtype=np.float32)
    rough = gaussian_filter(chance.normal(size=shape), [4.0 / step for step in steps])
    return np.asarray(rough / rough.std() * plan.blobs, dtype=np.float32)


def _phase(
    plan: BlockPlan,
    chance: np.random.Generator,
    name: str,
    where: list[FloatArray],
    whole: BoolArray,
    viable: BoolArray,
    blobs: FloatArray,
) -> FloatArray:
    """One phase: tissues, blur of the scanner, displacement of the portal phase, noise."""
    from scipy.ndimage import gaussian_filter, shift

    values = {tissue: getattr(tissue, name) for tissue in (LIVER, NECROSIS, VESSEL, FAT, plan.viable)}
    picture = values[LIVER] + blobs
    radius = plan.diameter_mm / 2
    if plan.vessel:
        picture[np.hypot(where[1] - 0.85 * radius - 3, where[2] + 0.2 * where[0]) <= 3.5] = values[VESSEL]
    if plan.capsule:
        picture[where[2] > 1.02 * radius] = values[FAT]
    picture[whole] = values[NECROSIS]
    picture[viable] = values[plan.viable]
    steps = (_STEP_MM, _PIXEL_MM, _PIXEL_MM)
    picture = gaussian_filter(picture, [b / s for b, s in zip(_BLUR_MM, steps, strict=True)])
    if name == "portal" and any(plan.portal_shift_mm):
        moved = [d / s for d, s in zip(plan.portal_shift_mm, steps, strict=True)]
        picture = shift(picture, moved, order=1, mode="nearest")
    grain = gaussian_filter(chance.normal(size=picture.shape), (0.3, 0.6, 0.6))
    return np.asarray(picture + plan.noise * grain / grain.std(), dtype=np.float32)


def _geometry(shape: tuple[int, int, int]) -> Geometry:
    return Geometry(
        shape=shape,
        origins_lps=tuple((0.0, 0.0, k * _STEP_MM) for k in range(shape[0])),
        row_direction=(1.0, 0.0, 0.0),
        column_direction=(0.0, 1.0, 0.0),
        row_spacing_mm=_PIXEL_MM,
        column_spacing_mm=_PIXEL_MM,
        slice_step_mm=_STEP_MM,
    )
