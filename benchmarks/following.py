"""How far off carried lesions are: real CT moved by a known transform, with and without lesions, and made blocks.

Run ``python benchmarks/following.py FOLDER``. FOLDER is a case of 3D-IRCADb-01 unpacked: ``PATIENT_DICOM`` and
``MASKS_DICOM/liver`` below it. Round lesions are put into the liver of the prior copy and into the moved copy, where every other
one is left out. It prints the tables of docs/segmentation.md. The truth is the transform; seeds are fixed.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import SimpleITK as sitk  # noqa: N813 - the name its documentation uses

from mrecist import measure_lesion
from mrecist.errors import MaskError
from mrecist.imaging.geometry import Geometry
from mrecist.samples.liver_blocks import PLANS, make_block
from mrecist.segment.follow import Followed, follow, index_of
from mrecist.segment.prompt import Line

RADII_MM = (6.0, 8.0, 10.0, 12.0, 15.0, 9.0)
DELTA_HU = (-40.0, -30.0, -50.0, -25.0, -40.0, 50.0)
Array = Any


@dataclass(frozen=True, slots=True, kw_only=True)
class Motion:
    """How the second copy differs: turned (radians) and moved (mm, x y z), pressed (mm), on another grid, of another phase."""

    name: str
    angles: tuple[float, float, float] = (0.0, 0.0, 0.0)
    shift: tuple[float, float, float] = (0.0, 0.0, 0.0)
    pressed: float = 0.0
    grid: tuple[tuple[int, int, int], tuple[float, float, float], tuple[float, float, float]] | None = None
    coronal: bool = False
    contrast: float = 1.0


MOTIONS = (
    Motion(name="moved 12/9/17 mm", shift=(12, -9, 17)),
    Motion(name="turned 3/2/5 degrees", angles=(0.05, -0.04, 0.08), shift=(6, 8, -10)),
    Motion(name="turned 20 degrees", angles=(0, 0, 0.35), shift=(5, -6, 9)),
    Motion(
        name="5 mm slices, other matrix and frame",
        angles=(0.03, 0.02, -0.06),
        shift=(300, -220, 1400),
        grid=((48, 400, 400), (5.0, 0.9, 0.9), (290, -210, 1360)),
    ),
    Motion(
        name="upper two thirds, other frame",
        angles=(0.02, -0.03, 0.05),
        shift=(-180, -190, -900),
        grid=((50, 512, 512), (2.5, 0.743, 0.743), (-190, -190, -840)),
    ),
    Motion(name="pressed by up to 8 mm", angles=(0.02, 0.02, 0.04), shift=(4, 6, 12), pressed=8),
    Motion(name="contrasts 30 % weaker", angles=(0.03, -0.02, 0.05), shift=(5, -6, 9), contrast=0.7),
    Motion(
        name="coronal",
        angles=(0.03, -0.02, 0.05),
        shift=(5, -6, 9),
        grid=((90, 200, 400), (3.0, 0.95, 0.95), (0, 50, 190)),
        coronal=True,
    ),
)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path, help="a case of 3D-IRCADb-01, unpacked")
    folder = parser.parse_args().folder
    voxels, geometry = stack(folder / "PATIENT_DICOM")
    liver = stack(folder / "MASKS_DICOM" / "liver")[0] > 0
    print("| Real CT, second copy | Off, mm (most) | Told, mm (least to most) | Stands out: there / left out | CPU s |")
    print("| --- | --- | --- | --- | --- |")
    for motion in MOTIONS:
        print(real(motion, voxels, geometry, liver))
    print("\n| Made block, moved 6/-5/5 mm | Off, mm | By | CPU s |\n| --- | --- | --- | --- |")
    for plan in PLANS[:4]:
        print(block(plan))


def stack(folder: Path) -> tuple[Array, Geometry]:
    import pydicom

    parts = sorted((pydicom.dcmread(p, force=True) for p in folder.iterdir()), key=lambda d: d.ImagePositionPatient[2])
    heights = [float(part.ImagePositionPatient[2]) for part in parts]
    row, column = (float(v) for v in parts[0].PixelSpacing)
    scale = float(getattr(parts[0], "RescaleSlope", 1)), float(getattr(parts[0], "RescaleIntercept", 0))
    voxels = np.stack([part.pixel_array for part in parts]).astype(np.float32) * scale[0] + scale[1]
    return voxels, on_grid(voxels.shape, ((heights[-1] - heights[0]) / (len(heights) - 1), row, column), (0, 0, 0))


def on_grid(shape: Any, spacing: tuple[float, float, float], origin: Any, *, coronal: bool = False) -> Geometry:
    along, down = (1.0, 0.0, 0.0), (0.0, 0.0, -1.0) if coronal else (0.0, 1.0, 0.0)
    normal = np.cross(along, down)
    return Geometry(
        shape=tuple(shape),
        origins_lps=tuple(tuple(np.array(origin) + k * spacing[0] * normal) for k in range(shape[0])),
        row_direction=along,
        column_direction=down,
        row_spacing_mm=spacing[1],
        column_spacing_mm=spacing[2],
        slice_step_mm=spacing[0],
    )


def scale_of(geometry: Geometry) -> Array:
    return np.array([geometry.slice_step_mm, geometry.row_spacing_mm, geometry.column_spacing_mm])


def image_of(voxels: Array, geometry: Geometry) -> Any:
    image = sitk.GetImageFromArray(voxels)
    image.SetSpacing(scale_of(geometry)[::-1].tolist())
    image.SetOrigin(list(geometry.origins_lps[0]))
    axes = np.stack([geometry.row_direction, geometry.column_direction, geometry.normal], axis=1)
    image.SetDirection(axes.ravel().tolist())
    return image


def real(motion: Motion, voxels: Array, geometry: Geometry, liver: Array) -> str:
    """One row of the table."""
    middles = chosen(liver, geometry)
    there = [number % 2 == 0 for number in range(len(middles))]
    everything = list(zip(middles, RADII_MM, DELTA_HU, strict=False))
    chance = np.random.default_rng(3)
    prior = with_lesions(voxels, geometry, everything)
    prior += (chance.normal(size=prior.shape) * 12).astype(np.float32)
    grid = on_grid(*motion.grid, coronal=motion.coronal) if motion.grid else geometry
    kept = [one for one, k in zip(everything, there, strict=True) if k]
    current, carry = moved(with_lesions(voxels, geometry, kept), geometry, motion, grid)
    current += (chance.normal(size=current.shape) * 15).astype(np.float32)
    lines = [across(middle, radius, geometry) for middle, radius, _ in everything]
    start = time.process_time()
    try:
        found = follow(prior, geometry, current, grid, lines)
    except MaskError as error:
        return f"| {motion.name} | {error} | | | {time.process_time() - start:.1f} |"
    seconds = time.process_time() - start
    off = [
        np.linalg.norm((np.array(one.middle) - index_of(carry(point(m, geometry)), grid)) * scale_of(grid))
        for one, m in zip(found, middles, strict=True)
    ]
    told = [one.off_mm for one in found]
    shown = [sum(one.stands_out for one, k in zip(found, there, strict=True) if k is kind) for kind in (True, False)]
    return (
        f"| {motion.name} | {np.mean(off):.1f} ({max(off):.1f}) | {min(told):.0f} to {max(told):.0f} | "
        f"{shown[0]} of {sum(there)} / {shown[1]} of {len(there) - sum(there)} | {seconds:.1f} |"
    )


def chosen(liver: Array, geometry: Geometry) -> list[Array]:
    """Voxels at least 18 mm inside the liver and 45 mm apart."""
    from scipy.ndimage import distance_transform_edt

    deep = distance_transform_edt(liver[::2, ::4, ::4], sampling=scale_of(geometry) * (2, 4, 4)) > 18
    places = np.argwhere(deep) * (2, 4, 4)
    found: list[Array] = []
    for place in np.random.default_rng(1).permutation(places):
        if all(np.linalg.norm((place - other) * scale_of(geometry)) > 45 for other in found):
            found.append(place)
        if len(found) == len(RADII_MM):
            break
    return found


def with_lesions(voxels: Array, geometry: Geometry, lesions: list[tuple[Array, float, float]]) -> Array:
    changed = voxels.copy()
    scale = scale_of(geometry)
    for middle, radius, delta in lesions:
        box = tuple(
            slice(max(int(m - radius / s) - 3, 0), int(m + radius / s) + 4) for m, s in zip(middle, scale, strict=True)
        )
        grid = np.ogrid[box]
        away = np.sqrt(sum(((g - m) * s) ** 2 for g, m, s in zip(grid, middle, scale, strict=True)))
        changed[box] += delta * np.clip((radius + 0.7 - away) / 1.4, 0, 1).astype(np.float32)
    return changed


def point(index: Array, geometry: Geometry) -> Array:
    return np.array(geometry.to_lps(int(index[0]), float(index[1]), float(index[2])))


def across(middle: Array, radius: float, geometry: Geometry) -> Line:
    z, y, x = (float(m) for m in middle)
    half = radius / geometry.column_spacing_mm
    return Line(start=(z, y, x - half), end=(z, y, x + half))


def moved(voxels: Array, geometry: Geometry, motion: Motion, grid: Geometry) -> tuple[Array, Callable[[Array], Array]]:
    """The copy on its grid, and where a point of the first one lies on it."""
    rigid = sitk.Euler3DTransform()
    rigid.SetCenter([190.0, 190.0, 95.0])
    rigid.SetRotation(*motion.angles)
    rigid.SetTranslation(motion.shift)
    # A point q of the pressed body shows what was at q - press(q).
    step, size, first = 8.0, (60, 60, 40), np.array([-50.0, -50.0, -60.0])
    z, y, x = np.meshgrid(*[np.arange(n) * step for n in size[::-1]], indexing="ij")
    field = sitk.GetImageFromArray(-press(np.stack([x, y, z], axis=-1) + first, motion.pressed), isVector=True)
    field.SetSpacing([step] * 3)
    field.SetOrigin(first.tolist())
    back = sitk.DisplacementFieldTransform(sitk.Cast(field, sitk.sitkVectorFloat64))
    there = sitk.CompositeTransform([back, rigid.GetInverse()])
    blank = image_of(np.zeros(grid.shape, np.float32), grid)
    copy = sitk.Resample(image_of(voxels, geometry), blank, there, sitk.sitkLinear, -1000.0)

    def carry(at: Array) -> Array:
        pressed = at.copy()
        for _ in range(20):
            pressed = at + press(pressed, motion.pressed)
        return np.array(rigid.TransformPoint(pressed.tolist()))

    values = sitk.GetArrayFromImage(copy)
    soft = (values > 40) & (values < 250)
    return np.where(soft, 100 + (values - 100) * motion.contrast, values).astype(np.float32), carry


def press(points: Array, most: float) -> Array:
    x, y, z = np.moveaxis(points, -1, 0)
    waves = np.stack([0.3 * np.sin(x / 70 + 1), 0.5 * np.sin(y / 60 + 2), np.cos(z / 80)], axis=-1)
    return np.asarray(most * waves)


def block(plan: Any) -> str:
    """A made block that is moved: nothing but the lesion tells how."""
    from scipy.ndimage import shift

    made = make_block(replace(plan, noise=0))
    longest = measure_lesion(made.whole, made.geometry).longest
    z = float(longest.slice_index)
    one, other = (tuple(map(float, end)) for end in longest.ends_index)
    way = np.array([5.0, -5.0, 6.0]) / scale_of(made.geometry)
    chance = np.random.default_rng(2)
    prior = made.arterial + chance.normal(size=made.arterial.shape).astype(np.float32) * 12
    current = shift(made.arterial, way, order=1, mode="nearest")
    current += chance.normal(size=current.shape).astype(np.float32) * 12
    start = time.process_time()
    try:
        found: Followed = follow(
            prior, made.geometry, current, made.geometry, [Line(start=(z, *one), end=(z, *other))]
        )[0]
    except MaskError as error:
        return f"| {plan.name} | {error} | | {time.process_time() - start:.1f} |"
    true = np.array([z, *np.mean([one, other], axis=0)]) + way
    off = np.linalg.norm((np.array(found.middle) - true) * scale_of(made.geometry))
    return f"| {plan.name} | {off:.1f} | {found.by}, told {found.off_mm:.0f} | {time.process_time() - start:.1f} |"


if __name__ == "__main__":
    main()
