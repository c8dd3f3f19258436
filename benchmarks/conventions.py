"""How far each convention is from the true size: digitised shapes of known diameter, at random places and angles.

Run ``python benchmarks/conventions.py [--repeats N]``; it prints the tables of docs/measuring.md. Errors are in pixels
(for anisotropic pixels: sides of a square of the same area). Solid shapes: the longest diameter and the short axis of the
whole lesion. Rims and crescents: the viable diameter, the longest segment inside.

True values: a disc and an ellipse by their axes; the longest chord of a disc of radius R that stays outside a hole of
radius r whose centre is e away is 2 sqrt(R^2 - d^2) with d = max(0, r - e), passing the hole where it is farthest from
the middle; a crescent is a disc less a larger disc that covers its centre, whose longest chord is found on the analytic
outline with steps of 1/2000 of its length.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from mrecist.imaging.geometry import Geometry
from mrecist.measure.lesion import Convention, measure_lesion

SEED = 20240607
SIZES = (10.0, 15.0, 20.0, 30.0, 50.0, 70.0, 100.0)
BoolArray = npt.NDArray[np.bool_]


@dataclass(frozen=True)
class Case:
    """One digitised shape with its true values in mm; None where a value is not known or not asked for."""

    shape: str
    size: float
    whole: BoolArray
    viable: BoolArray | None
    spacing: tuple[float, float]
    longest: float | None = None
    short: float | None = None
    inside: float | None = None


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--repeats", type=int, default=24, help="shapes per shape and size (default 24)")
    repeats = parser.parse_args().repeats
    rng = np.random.default_rng(SEED)
    began = time.perf_counter()
    errors: dict[tuple[str, str, float, Convention], list[float]] = {}
    for case in cases(rng, repeats):
        for convention in Convention:
            for quantity, error in measured(case, convention):
                errors.setdefault((quantity, case.shape, case.size, convention), []).append(error)
    table(errors)
    by_size(errors)
    print(f"\n{repeats} shapes a cell, seed {SEED}, {time.perf_counter() - began:.0f} s")


def measured(case: Case, convention: Convention) -> Iterator[tuple[str, float]]:
    """(quantity, error in pixels) of one case."""
    rows, columns = case.whole.shape
    geometry = Geometry(
        shape=(1, rows, columns),
        origins_lps=((0.0, 0.0, 0.0),),
        row_direction=(1.0, 0.0, 0.0),
        column_direction=(0.0, 1.0, 0.0),
        row_spacing_mm=case.spacing[0],
        column_spacing_mm=case.spacing[1],
        slice_step_mm=1.0,
    )
    viable = None if case.viable is None else case.viable[None]
    found = measure_lesion(case.whole[None], geometry, viable, convention=convention)
    pixel = float(np.sqrt(case.spacing[0] * case.spacing[1]))
    if case.longest is not None:
        yield "longest", (found.longest.mm - case.longest) / pixel
    if case.short is not None:
        yield "short", (found.short.mm - case.short) / pixel
    if case.inside is not None and found.viable is not None:
        yield "viable", (found.viable.mm - case.inside) / pixel


def cases(rng: np.random.Generator, repeats: int) -> Iterator[Case]:
    for size in SIZES:
        for number in range(repeats):
            pixel = rng.uniform(0.6, 1.5 if number % 2 else 1.0)
            yield solid(rng, "disc", size, 1.0, (pixel, pixel))
            yield solid(rng, "ellipse", size, rng.uniform(0.5, 0.95), (pixel, pixel))
            yield solid(rng, "ellipse, axes along pixels", size, rng.uniform(0.5, 0.95), (pixel, pixel), angle=0.0)
            flat = (pixel, pixel * rng.uniform(0.6, 1.6))
            yield solid(rng, "ellipse, anisotropic pixels", size, rng.uniform(0.5, 1.0), flat)
            radius = size / 2
            hole = radius * rng.uniform(0.2, 0.7)
            if radius - hole < 2.5 * pixel:
                continue
            yield rim(rng, "rim", size, hole, 0.0, pixel)
            yield rim(rng, "eccentric rim", size, hole, rng.uniform(0.2, 0.9) * (radius - hole), pixel)
            yield crescent(rng, size, pixel)


def lattice(rng: np.random.Generator, size: float, spacing: tuple[float, float]) -> tuple[npt.NDArray[np.float64], ...]:
    """Pixel centres (y, x) in mm around a shape whose centre lies anywhere within a pixel."""
    axes = []
    for step in spacing:
        half = int(size / 2 / step) + 3
        axes.append((np.arange(-half, half + 1) + rng.uniform(-0.5, 0.5)) * step)
    y, x = np.meshgrid(axes[0], axes[1], indexing="ij")
    return y, x


def solid(
    rng: np.random.Generator,
    shape: str,
    size: float,
    ratio: float,
    spacing: tuple[float, float],
    angle: float | None = None,
) -> Case:
    y, x = lattice(rng, size, spacing)
    angle = rng.uniform(0, np.pi) if angle is None else angle
    along, across = x * np.cos(angle) + y * np.sin(angle), y * np.cos(angle) - x * np.sin(angle)
    mask = (along / (size / 2)) ** 2 + (across / (size / 2 * ratio)) ** 2 <= 1
    return Case(shape, size, mask, None, spacing, longest=size, short=size * ratio)


def rim(rng: np.random.Generator, shape: str, size: float, hole: float, away: float, pixel: float) -> Case:
    y, x = lattice(rng, size, (pixel, pixel))
    angle = rng.uniform(0, 2 * np.pi)
    whole = y**2 + x**2 <= (size / 2) ** 2
    dead = (y - away * np.sin(angle)) ** 2 + (x - away * np.cos(angle)) ** 2 <= hole**2
    true = 2 * float(np.sqrt((size / 2) ** 2 - max(0.0, hole - away) ** 2))
    return Case(shape, size, whole, whole & ~dead, (pixel, pixel), inside=true)


def crescent(rng: np.random.Generator, size: float, pixel: float) -> Case:
    """A disc of radius R less a disc of radius 1.0 to 1.6 R that leaves 35 to 70 % of R at the thickest place."""
    y, x = lattice(rng, size, (pixel, pixel))
    radius = size / 2
    bite, thick, angle = radius * rng.uniform(1.0, 1.6), radius * rng.uniform(0.35, 0.7), rng.uniform(0, 2 * np.pi)
    away = bite - radius + thick  # distance between the centres; the bite ends `thick` before the outline
    whole = y**2 + x**2 <= radius**2
    dead = (y + away * np.sin(angle)) ** 2 + (x + away * np.cos(angle)) ** 2 <= bite**2
    return Case("crescent", size, whole, whole & ~dead, (pixel, pixel), inside=crescent_chord(radius, bite, away))


def crescent_chord(radius: float, bite: float, away: float) -> float:
    """The longest chord of the disc at 0 that stays out of the disc of radius ``bite`` at (-away, 0).

    Some longest chord touches the bite (or is the diameter, which crosses it here), so the tangents are tried, and on
    each the part within the disc.
    """
    angle = np.linspace(-np.pi, np.pi, 200_001)
    offset = bite - away * np.cos(angle)  # distance of the tangent with this normal from the disc's centre
    return float(2 * np.sqrt(np.clip(radius**2 - offset**2, 0, None)).max())


def table(errors: dict[tuple[str, str, float, Convention], list[float]]) -> None:
    print("\n| quantity | shape | " + " | ".join(f"`{c.value}`" for c in Convention) + " |")
    print("|---|---|" + "---|" * len(Convention))
    for quantity, shape in sorted({key[:2] for key in errors}):
        cells = [
            summary([e for key, es in errors.items() if key[:2] == (quantity, shape) and key[3] is c for e in es])
            for c in Convention
        ]
        print(f"| {quantity} | {shape} | " + " | ".join(cells) + " |")


def by_size(errors: dict[tuple[str, str, float, Convention], list[float]]) -> None:
    rows = {
        "longest, discs and ellipses": ("longest", ("disc", "ellipse")),
        "longest, all solid shapes": ("longest", ()),
        "short, all solid shapes": ("short", ()),
        "viable, rims and crescents": ("viable", ()),
    }
    chosen = Convention.CALIBRATED
    print(f"\n`{chosen.value}` by size\n\n| quantity | " + " | ".join(f"{size:.0f} mm" for size in SIZES) + " |")
    print("|---|" + "---|" * len(SIZES))
    for title, (quantity, shapes) in rows.items():
        cells = []
        for size in SIZES:
            pooled = [
                e
                for (q, shape, s, c), es in errors.items()
                if (q, s, c) == (quantity, size, chosen) and (not shapes or shape in shapes)
                for e in es
            ]
            within = f"{100 * np.mean(np.abs(pooled) <= 0.4):.0f} %, {100 * np.mean(np.abs(pooled) <= 0.5):.0f} %"
            cells.append(f"{summary(pooled)}; {within}")
        print(f"| {title} | " + " | ".join(cells) + " |")


def summary(values: list[float]) -> str:
    low, middle, high = np.percentile(values, [5, 50, 95])
    return f"{middle:+.2f} ({low:+.2f} to {high:+.2f})"


if __name__ == "__main__":
    main()
