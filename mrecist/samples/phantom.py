"""The upper abdomen around the lesions: a drawn body in HU for the arterial and the portal venous phase.

Only operations that give the same bits on every machine are used: + - * / on float64, comparisons, integer filters, and
noise from SHAKE-256.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from mrecist.samples.plan import Drawn
from mrecist.samples.shapes import BoolArray, Ellipsoid, Grid

IntArray = npt.NDArray[np.int32]
AIR = -1000
SLICES = 11
STEP_MM = 5.0
FIELD_MM = (240.0, 330.0)
NOISE_HU = 6


@dataclass(frozen=True, slots=True, kw_only=True)
class Organ:
    """An ellipse that shrinks away from the middle slice: at distance z its axes are scaled by 1 - taper * (z / 30)^2."""

    name: str
    centre: tuple[float, float]
    half: tuple[float, float]
    arterial: int
    portal: int
    taper: float = 0.0

    def inside(self, grid: Grid) -> BoolArray:
        """(Z, Y, X) of the organ."""
        z, y, x = grid.axes()
        scale = 1.0 - self.taper * (z / 30.0) * (z / 30.0)
        u, v = (x - self.centre[0]) / (self.half[0] * scale), (y - self.centre[1]) / (self.half[1] * scale)
        return np.asarray(u * u + v * v <= 1.0)


# Later entries lie over earlier ones. x: patient right is negative; y: front is negative.
_BODY = (
    Organ(name="skin", centre=(0, 0), half=(156, 111), arterial=40, portal=45),
    Organ(name="subcutaneous fat", centre=(0, 0), half=(154, 109), arterial=-102, portal=-100),
    Organ(name="wall", centre=(0, 1), half=(140, 96), arterial=52, portal=58),
    Organ(name="back muscle", centre=(-38, 78), half=(32, 20), arterial=54, portal=60),
    Organ(name="back muscle", centre=(38, 78), half=(32, 20), arterial=54, portal=60),
    Organ(name="peritoneal fat", centre=(0, -8), half=(131, 82), arterial=-95, portal=-93),
    Organ(name="spleen", centre=(92, 30), half=(34, 43), arterial=135, portal=122, taper=0.25),
    Organ(name="left kidney", centre=(58, 58), half=(21, 25), arterial=175, portal=165, taper=0.10),
    Organ(name="left kidney medulla", centre=(55, 57), half=(9, 13), arterial=70, portal=130, taper=0.10),
    Organ(name="bowel", centre=(40, 0), half=(24, 13), arterial=62, portal=75),
    Organ(name="stomach", centre=(74, -38), half=(42, 31), arterial=70, portal=80, taper=0.20),
    Organ(name="stomach content", centre=(74, -38), half=(37, 26), arterial=18, portal=18, taper=0.20),
    Organ(name="gas", centre=(72, -54), half=(24, 9), arterial=-940, portal=-940, taper=0.20),
    Organ(name="right kidney", centre=(-50, 62), half=(18, 21), arterial=175, portal=165, taper=0.30),
    Organ(name="right kidney medulla", centre=(-47, 61), half=(8, 11), arterial=70, portal=130, taper=0.30),
    Organ(name="pancreas", centre=(16, 2), half=(30, 9), arterial=98, portal=95),
)
_SPINE = (
    Organ(name="vertebra", centre=(0, 58), half=(23, 19), arterial=290, portal=290),
    Organ(name="spongy bone", centre=(0, 58), half=(19, 15), arterial=165, portal=170),
    Organ(name="arch", centre=(0, 86), half=(17, 12), arterial=320, portal=320),
    Organ(name="canal", centre=(0, 80), half=(9, 7), arterial=28, portal=28),
    Organ(name="spine process", centre=(0, 98), half=(4, 10), arterial=280, portal=280),
)
_VESSELS = (
    Organ(name="aorta", centre=(13, 27), half=(11, 11), arterial=335, portal=152),
    Organ(name="inferior vena cava", centre=(-22, 28), half=(13, 10), arterial=88, portal=138),
)
_RIBS = (
    (-137, -22),
    (-140, 22),
    (-118, 58),
    (-84, 84),
    (137, -22),
    (140, 22),
    (118, 58),
    (84, 84),
    (-112, -56),
    (112, -56),
)
_LIVER = (
    Organ(name="right lobe", centre=(-68, -4), half=(61, 70), arterial=78, portal=116, taper=0.08),
    Organ(name="left lobe", centre=(-4, -48), half=(56, 27), arterial=78, portal=116, taper=0.15),
)
_LIVER_VESSELS = (
    Organ(name="portal vein", centre=(-34, -8), half=(15, 7), arterial=104, portal=178),
    Organ(name="right portal branch", centre=(-58, -14), half=(16, 3), arterial=104, portal=178),
    Organ(name="posterior branch", centre=(-62, 26), half=(3, 15), arterial=100, portal=172, taper=0.5),
    Organ(name="left portal branch", centre=(-18, -40), half=(3, 17), arterial=100, portal=172, taper=0.4),
    Organ(name="middle hepatic vein", centre=(-48, -24), half=(9, 3), arterial=82, portal=166, taper=0.6),
    Organ(name="right hepatic vein", centre=(-66, 8), half=(12, 3), arterial=82, portal=164, taper=0.6),
    Organ(name="hepatic artery", centre=(-14, -12), half=(3, 3), arterial=290, portal=140),
)
# Part -> HU in the arterial and the portal venous phase; viable tumour washes out.
_TISSUE = {"viable": (148, 96), "necrosis": (28, 30), "node": (92, 104)}


def grid_for(spacing_mm: tuple[float, float]) -> Grid:
    """The stack of a visit: 11 slices of 5 mm, a field of view of 240 x 330 mm."""
    rows, columns = (2 * round(field / spacing / 2) for field, spacing in zip(FIELD_MM, spacing_mm, strict=True))
    return Grid(
        shape=(SLICES, rows, columns),
        origin=(-(columns - 1) / 2 * spacing_mm[1], -(rows - 1) / 2 * spacing_mm[0], -(SLICES - 1) / 2 * STEP_MM),
        row_spacing_mm=spacing_mm[0],
        column_spacing_mm=spacing_mm[1],
        slice_step_mm=STEP_MM,
    )


def body_hu(grid: Grid, drawn: tuple[Drawn, ...], *, arterial: bool, seed: str) -> IntArray:
    """(Z, Y, X) int32 HU of one phase of one visit."""
    hu = np.full(grid.shape, AIR, dtype=np.int32)
    for organ in (*_BODY, *_SPINE):
        hu[organ.inside(grid)] = _of(organ, arterial)
    for x, y in _RIBS:
        rib = Ellipsoid(centre=(x, y, 0), longest_mm=19.0, short_mm=9.0, height_mm=1e6, along=_tangent(x, y))
        marrow = Ellipsoid(centre=(x, y, 0), longest_mm=14.0, short_mm=4.0, height_mm=1e6, along=_tangent(x, y))
        hu[rib.inside(grid)] = 420
        hu[marrow.inside(grid)] = 190
    wall = _inner_wall().inside(grid)
    for organ in (*_LIVER, *_LIVER_VESSELS):
        hu[organ.inside(grid) & wall] = _of(organ, arterial)
    for organ in _VESSELS:
        hu[organ.inside(grid)] = _of(organ, arterial)
    for one in drawn:
        _draw(hu, one, grid, arterial)
    inside = _BODY[0].inside(grid)
    blurred = _smooth(hu)
    return np.where(inside, blurred + _noise(grid, seed), blurred).astype(np.int32)


def _of(organ: Organ, arterial: bool) -> int:
    return organ.arterial if arterial else organ.portal


def _inner_wall() -> Organ:
    return Organ(name="inner wall", centre=(0, -6), half=(133, 84), arterial=0, portal=0)


def _tangent(x: float, y: float) -> tuple[float, float]:
    """A rib lies along the wall; three exact directions are enough."""
    if abs(x) > 130:
        return (0.0, 1.0)
    return (0.6, 0.8) if x * y < 0 else (0.6, -0.8)


def _draw(hu: IntArray, one: Drawn, grid: Grid, arterial: bool) -> None:
    phase = 0 if arterial else 1
    if one.node:
        hu[one.lesion.whole(grid)] = _TISSUE["node"][phase]
        return
    hu[one.lesion.whole(grid)] = _TISSUE["necrosis"][phase]
    hu[one.lesion.viable(grid)] = _TISSUE["viable"][phase]


def _smooth(values: IntArray) -> IntArray:
    """The scanner's blur: [1 2 1] / 4 along rows and columns, in integers."""
    padded = np.pad(values, ((0, 0), (1, 1), (1, 1)), mode="edge").astype(np.int64)
    rows = padded[:, :-2] + 2 * padded[:, 1:-1] + padded[:, 2:]
    both = rows[:, :, :-2] + 2 * rows[:, :, 1:-1] + rows[:, :, 2:]
    blurred: IntArray = ((both + 8) // 16).astype(np.int32)
    return blurred


def _noise(grid: Grid, seed: str) -> IntArray:
    """Noise with the grain of a reconstructed slice, about NOISE_HU of standard deviation."""
    count = grid.shape[0] * grid.shape[1] * grid.shape[2]
    raw = np.frombuffer(hashlib.shake_256(seed.encode("ascii")).digest(4 * count), dtype=np.uint8)
    # Four bytes added: nearly Gaussian, standard deviation 148.
    white = (raw.reshape(4, *grid.shape).astype(np.int64).sum(axis=0) - 510).astype(np.int32)
    # The blur leaves 3/8 of the deviation.
    noise: IntArray = (_smooth(white) * (NOISE_HU * 8) // (148 * 3)).astype(np.int32)
    return noise
