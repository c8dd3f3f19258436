"""How well a drawn line or a click gives the lesion: made blocks with known masks, stress cases, and real CT where there is some.

Run ``python benchmarks/segmentation.py [--quick] [--ircad FOLDER]``. Seeds are fixed. It prints the tables of docs/segmentation.md.
FOLDER is a case of 3D-IRCADb-01 unpacked: ``PATIENT_DICOM`` and ``MASKS_DICOM/livertumor*`` below it. Made livers flatter every
method: their figures are for telling whether a change helps, not accuracy in patients.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from mrecist import measure_lesion
from mrecist.errors import MaskError
from mrecist.imaging.geometry import Geometry
from mrecist.samples.liver_blocks import PLANS, Block, BlockPlan, make_block
from mrecist.segment.align import align
from mrecist.segment.click import line_of_click
from mrecist.segment.prompt import Line
from mrecist.segment.viable import split_viable
from mrecist.segment.whole import dice, segment_line

JITTER_MM = 1.0
HELD_OUT = 50


@dataclass(frozen=True, slots=True, kw_only=True)
class Drawn:
    """How the line differs from the true long axis, and what is done with the portal phase: ``aligned``, ``left`` or ``none``."""

    scale: float = 1.0
    slices_off: int = 0
    short_axis: bool = False
    click: bool = False
    portal: str = "aligned"


EIGHT = PLANS[:8]
CASES: dict[str, tuple[str, Sequence[BlockPlan], Drawn]] = {
    "held-out": ("12 lesions, other seeds", [replace(p, seed=p.seed + HELD_OUT) for p in PLANS], Drawn()),
    "short": ("line 15 % short", EIGHT, Drawn(scale=0.85)),
    "long": ("line 15 % long", EIGHT, Drawn(scale=1.15)),
    "shorter": ("line 30 % short", EIGHT, Drawn(scale=0.7)),
    "axis": ("short axis drawn", EIGHT, Drawn(short_axis=True)),
    "z": ("5 mm off in z", EIGHT, Drawn(slices_off=2)),
    "uneven": ("uneven liver, sd 12 HU", [replace(p, blobs=12) for p in EIGHT], Drawn()),
    "arterial": ("arterial phase alone", PLANS, Drawn(portal="none")),
    "shift": ("portal phase 2.5/3/3 mm off", [replace(p, portal_shift_mm=(2.5, 3, 3)) for p in EIGHT], Drawn()),
    "shift-left": (
        "the same, not aligned",
        [replace(p, portal_shift_mm=(2.5, 3, 3)) for p in EIGHT],
        Drawn(portal="left"),
    ),
    "far": ("portal phase 5/6/6 mm off", [replace(p, portal_shift_mm=(5, 6, 6)) for p in EIGHT], Drawn()),
    "far-left": ("the same, not aligned", [replace(p, portal_shift_mm=(5, 6, 6)) for p in EIGHT], Drawn(portal="left")),
    "large": ("80 mm", [replace(PLANS[0], diameter_mm=80)], Drawn()),
    "click": ("one click", PLANS, Drawn(click=True)),
    "click-uneven": ("one click, uneven liver", [replace(p, blobs=12) for p in PLANS], Drawn(click=True)),
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="the 12 lesions only")
    parser.add_argument("--only", nargs="+", choices=["lesions", *CASES, "real"], help="these parts only")
    parser.add_argument("--ircad", type=Path, help="a case of 3D-IRCADb-01, unpacked")
    options = parser.parse_args()
    parts = options.only or ["lesions", *(() if options.quick else CASES), "real"]
    rows = lesions() if "lesions" in parts else []
    if cases := [name for name in CASES if name in parts]:
        stress(cases, rows)
    if options.ircad and "real" in parts:
        real(options.ircad)


def lesions() -> list[list[float]]:
    print(
        "| Made lesion | Whole | Viable | Long axis, mm off | Viable, mm off | s |\n| --- | --- | --- | --- | --- | --- |"
    )
    rows = []
    for plan in PLANS:
        row = one(plan, Drawn())
        rows.append(row)
        print(
            f"| {plan.name} | {row[0]:.3f} | {row[1]:.3f} | {row[2]:+.1f} | {row[3]:+.1f} | {row[4]:.2f} |", flush=True
        )
    return rows


def stress(names: Sequence[str], rows: list[list[float]]) -> None:
    print(
        "\n| Case | Whole (min) | Viable (min) | Long axis, mm | Viable, mm | s, median |"
        "\n| --- | --- | --- | --- | --- | --- |"
    )
    if rows:
        summary("12 lesions", rows)
    for name in names:
        title, plans, drawn = CASES[name]
        summary(title, [progress(title, plan, drawn) for plan in plans])


def progress(title: str, plan: BlockPlan, drawn: Drawn) -> list[float]:
    print(f"{title}: {plan.name}", file=sys.stderr, flush=True)
    return one(plan, drawn)


def summary(name: str, rows: list[list[float]]) -> None:
    a = np.array(rows)
    print(
        f"| {name} | {a[:, 0].mean():.3f} ({a[:, 0].min():.2f}) | {a[:, 1].mean():.3f} ({a[:, 1].min():.2f}) "
        f"| {abs(a[:, 2]).mean():.2f} | {abs(a[:, 3]).mean():.2f} | {np.median(a[:, 4]):.2f} |",
        flush=True,
    )


def one(plan: BlockPlan, drawn: Drawn) -> list[float]:
    """Dice of whole and viable, errors of both diameters (mm), seconds; a click that finds nothing counts as an empty mask."""
    block = make_block(plan)
    g = block.geometry
    assert g.slice_step_mm is not None
    spacing = (g.slice_step_mm, g.row_spacing_mm, g.column_spacing_mm)
    began = time.perf_counter()
    try:
        line = line_of(block, drawn, spacing)
        whole = segment_line(phases_of(block, drawn, spacing), spacing, line)
    except MaskError:
        whole = np.zeros_like(block.whole)
    viable = split_viable(whole, block.arterial, spacing).mask
    took = time.perf_counter() - began
    true, viable_true = diameters(block.whole, block.viable, g)
    found, viable_found = diameters(whole, viable, g)
    return [dice(whole, block.whole), dice(viable, block.viable), found - true, viable_found - viable_true, took]


def phases_of(block: Block, drawn: Drawn, spacing: tuple[float, float, float]) -> list[np.ndarray]:
    if drawn.portal == "none":
        return [block.arterial]
    if drawn.portal == "left":
        return [block.arterial, block.portal]
    moved = align(block.arterial, block.portal, spacing)
    return [block.arterial, moved.picture] if moved.agrees else [block.arterial]


def diameters(whole: np.ndarray, viable: np.ndarray, geometry: Geometry) -> tuple[float, float]:
    if not whole.any():
        return 0.0, 0.0
    measured = measure_lesion(whole, geometry, viable)
    return float(measured.longest.mm), float(measured.viable.mm) if measured.viable else 0.0


def line_of(block: Block, drawn: Drawn, spacing: tuple[float, float, float]) -> Line:
    chance = np.random.default_rng(100 + block.plan.seed)
    longest = measure_lesion(block.whole, block.geometry).longest
    ends = np.array(longest.ends_index, dtype=np.float64)
    middle = ends.mean(axis=0)
    z = longest.slice_index + drawn.slices_off
    if drawn.click:
        inside = np.argwhere(block.whole[z])
        near = inside[np.hypot(*(inside - middle).T) * spacing[1] < 0.3 * longest.mm]
        row, column = near[chance.integers(len(near))]
        return line_of_click([block.arterial], spacing, (float(z), float(row), float(column)))
    if drawn.short_axis:
        way = (ends[1] - ends[0])[::-1] * (1, -1)
        steps = middle + np.linspace(-0.5, 0.5, 201)[:, None] * way
        held = block.whole[z][tuple(np.rint(steps).astype(int).T)]
        ends = steps[held][[0, -1]]
    ends = middle + (ends - middle) * drawn.scale + chance.normal(size=(2, 2)) * JITTER_MM / spacing[1]
    return Line(start=(z, *ends[0]), end=(z, *ends[1]))


def real(folder: Path) -> None:
    """Dice and diameter beside the masks of the case, from the true long axis with 1 mm of jitter, three times."""
    import pydicom

    from mrecist import load_volume, scan_folder

    series = max(scan_folder(folder / "PATIENT_DICOM").series, key=lambda one: len(one.slices))
    volume, g = load_volume(series), series.geometry
    assert g is not None
    assert g.slice_step_mm is not None
    spacing = (g.slice_step_mm, g.row_spacing_mm, g.column_spacing_mm)
    print("\n| Real CT, one phase | Whole | Long axis, mm | Found, mm | s |\n| --- | --- | --- | --- | --- |")
    for masks in sorted((folder / "MASKS_DICOM").glob("livertumor*")):
        planes = {path.name: pydicom.dcmread(path).pixel_array > 0 for path in masks.iterdir()}
        truth = np.stack([planes[one.path.name] for one in series.slices])
        longest = measure_lesion(truth, g).longest
        for seed in (1, 2, 3):
            chance = np.random.default_rng(seed)
            ends = np.array(longest.ends_index) + chance.normal(size=(2, 2)) * JITTER_MM / spacing[1]
            line = Line(start=(longest.slice_index, *ends[0]), end=(longest.slice_index, *ends[1]))
            began = time.perf_counter()
            found = segment_line([volume.voxels], spacing, line)
            took = time.perf_counter() - began
            size = measure_lesion(found, g).longest.mm
            print(
                f"| {masks.name}, line {seed} | {dice(found, truth):.3f} | {longest.mm:.1f} | {size:.1f} | {took:.2f} |"
            )


if __name__ == "__main__":
    main()
