"""How fast lesions are measured, beside one pass over the bytes and beside the programs that give the same numbers.

Run ``python benchmarks/measure.py [--turns N] [--slow]``. It makes its data (seeded), checks first that all contenders agree
within their own convention, then lets them take turns in one process and prints medians of the ratios within each turn.
Processor time is taken, so that other work on the machine disturbs little. Contenders that are not installed are named and
left out: OpenCV (``opencv-python-headless``), SimpleITK, scikit-image, SciPy, PyRadiomics (``--slow``, once), and for the
viable diameter Cornerstone3D (``--cornerstone FOLDER``, with Node and npm's ``@cornerstonejs/tools`` and ``core``).

1. Ten lesions of 10 to 130 mm in 200 slices of 512 x 512 (uint8, 0.75 mm pixels, 2.5 mm steps). mrecist gives the longest
   diameter, the short axis and the volume of all; the others the longest diameter alone.
2. One slice of 512 x 512, as after a stroke of a brush.
3. The viable diameter of single slices with 0.7 mm pixels: ragged rims, holes, thresholded noise.
4. Memory beside the volume, and the first call of a new process.
"""

from __future__ import annotations

import argparse
import importlib.util
import json
import pathlib
import shutil
import statistics
import subprocess
import sys
import time
import tracemalloc
from collections.abc import Callable
from typing import Any

import numpy as np
import numpy.typing as npt
from peers import (
    Mask,
    OfSlice,
    Sizes,
    per_slice,
    with_find_contours,
    with_hull,
    with_opencv,
    with_pyradiomics,
    with_regionprops,
    with_simpleitk,
)
from turns import Row, Taken, keep, machine, rows_of, rows_option, table, take_turns

import mrecist
from mrecist.imaging.geometry import Geometry
from mrecist.measure.conventions import Convention, longest_inside
from mrecist.measure.viable import corner_points

SEED = 20240607
PACKAGES = ("mrecist", "numpy", "scipy", "scikit-image", "SimpleITK", "opencv-python-headless", "pyradiomics")
PIXEL, STEP = 0.75, 2.5
SPACING = (0.7, 0.7)  # of the viable segments
CORNERS = 3_000
CORNERSTONE = "node_modules/@cornerstonejs/tools"
FIRST_CALL = """
import time; began = time.process_time()
import numpy as np, mrecist
from mrecist.imaging.geometry import Geometry
loaded = time.process_time()
y, x = np.mgrid[:200, :200] - 100
rim = ((np.hypot(x, y) < 71) & (np.hypot(x, y) > 54))[None]
shape = Geometry(shape=(1, 200, 200), origins_lps=((0.0, 0.0, 0.0),), row_direction=(1.0, 0.0, 0.0),
                 column_direction=(0.0, 1.0, 0.0), row_spacing_mm=0.7, column_spacing_mm=0.7, slice_step_mm=1.0)
mrecist.measure(rim, shape{viable})
print(time.process_time() - began)
"""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--turns", type=int, default=9)
    parser.add_argument("--slow", action="store_true", help="also the contenders that take minutes, once")
    parser.add_argument("--cornerstone", help="a folder into which npm installed @cornerstonejs/tools and core")
    rows_option(parser)
    options = parser.parse_args()
    if options.cornerstone is not None and not (needed := pathlib.Path(options.cornerstone, CORNERSTONE)).is_dir():
        parser.error(
            f"--cornerstone: there is no {needed}; run npm install @cornerstonejs/tools @cornerstonejs/core there"
        )
    print(machine(PACKAGES))
    labels = ten_lesions()
    geometry = geometry_of(labels.shape, PIXEL, STEP)
    contenders = installed(labels, geometry, slow=options.slow)
    agree(labels, contenders)
    print("\n1. ten lesions in 200 x 512 x 512")
    limit = "limit: np.count_nonzero"
    runs: dict[str, Callable[[], object]] = {limit: lambda: np.count_nonzero(labels)}
    for convention in (Convention.CALIBRATED, Convention.EXTENT, Convention.CENTRE):
        runs[f"mrecist, long + short, {convention}"] = lambda c=convention: mrecist.measure(
            labels, geometry, convention=c
        )
    runs |= {name: run for name, (_, run) in contenders.items()}
    own = f"mrecist, long + short, {Convention.CALIBRATED}"
    taken = take_turns(runs, options.turns, time.process_time)
    print(table(taken, {"times the limit": limit, "times mrecist": own}))
    keep(options.rows, rows_of("longest diameter of ten lesions", taken, (limit, own)))
    print("\n2. one slice of 512 x 512 with a lesion of 100 mm")
    whole = np.zeros((1, 512, 512), np.uint8)
    whole[0, 100:356, 100:356] = ragged_rim(100, 12)[0]
    flat = geometry_of(whole.shape, 0.7, STEP)
    one_slice: dict[str, Callable[[], object]] = {
        "limit: np.count_nonzero": lambda: np.count_nonzero(whole),
        "mrecist, long + short": lambda: mrecist.measure(whole, flat),
    }
    taken = take_turns(one_slice, 3 * options.turns, time.process_time)
    print(table(taken, {"times the limit": "limit: np.count_nonzero"}))
    keep(options.rows, rows_of("one slice after a stroke", taken, ("limit: np.count_nonzero",)))
    keep(options.rows, viable_segments(options.turns, options.cornerstone))
    memory(labels, geometry)
    for name, viable in (("whole lesion", ""), ("with its viable part", ", rim")):
        done = [first_call(viable) for _ in range(3)]
        print(f"new process, import and first call, {name}: {statistics.median(done):.2f} s of processor time")


# --- data ------------------------------------------------------------------------------------------------------------


def geometry_of(shape: tuple[int, ...], pixel: float, step: float) -> Geometry:
    return Geometry(
        shape=(shape[0], shape[1], shape[2]),
        origins_lps=tuple((0.0, 0.0, step * k) for k in range(shape[0])),
        row_direction=(1.0, 0.0, 0.0),
        column_direction=(0.0, 1.0, 0.0),
        row_spacing_mm=pixel,
        column_spacing_mm=pixel,
        slice_step_mm=step,
    )


def ten_lesions() -> npt.NDArray[np.uint8]:
    """Lobed ellipsoids of 10 to 130 mm, largest first, none touching another; label k is the k-th smallest."""
    rng = np.random.default_rng(SEED)
    shape, steps = (200, 512, 512), np.array([STEP, PIXEL, PIXEL])
    labels = np.zeros(shape, np.uint8)
    placed: list[tuple[npt.NDArray[np.float64], float]] = []
    for label, size in zip(range(10, 0, -1), np.linspace(130, 10, 10), strict=True):
        radius = size / 2
        while True:
            centre = rng.uniform(1.2 * radius, np.array(shape) * steps - 1.2 * radius)
            if all(np.linalg.norm(centre - other) > 1.2 * (radius + far) + 3 for other, far in placed):
                break
        placed.append((centre, radius))
        low = np.maximum(0, ((centre - 1.2 * radius) / steps).astype(int))
        high = np.minimum(shape, ((centre + 1.2 * radius) / steps).astype(int) + 2)
        z, y, x = (np.arange(a, b) * step - middle for a, b, step, middle in zip(low, high, steps, centre, strict=True))
        turn = rng.uniform(0, np.pi)
        along = x * np.cos(turn) + y[:, None] * np.sin(turn)
        across = y[:, None] * np.cos(turn) - x * np.sin(turn)
        lobes = 1 + 0.04 * np.cos(5 * np.arctan2(across, along)) + 0.02 * np.cos(11 * np.arctan2(across, along))
        inside = (along**2 + (across / 0.75) ** 2) / lobes**2 + (z[:, None, None] / 0.8) ** 2 <= radius**2
        box = tuple(slice(a, b) for a, b in zip(low, high, strict=True))
        labels[box][inside] = label
    return labels


def ragged_rim(size: float, thick: float, pixel: float = 0.7, side: int = 256) -> tuple[Mask, Mask]:
    """A lesion of ``size`` mm and its viable rim, both outlines ragged."""
    rng = np.random.default_rng(SEED)
    y, x = (np.mgrid[:side, :side] - (side - 1) / 2) * pixel
    angle, far = np.arctan2(y, x), np.hypot(y, x)

    def outline(radius: float) -> npt.NDArray[np.float64]:
        waves = np.full_like(angle, radius)
        for k in range(2, 24):
            waves += size / 100 / np.sqrt(k) * rng.normal() * np.cos(k * angle + rng.uniform(0, 2 * np.pi))
        return waves

    whole = far <= outline(size / 2)
    return whole, whole & (far > outline(size / 2 - thick))


def noisy(dead: float) -> Mask:
    """A lesion of 100 mm less the lowest part of a noise that was smoothed over 3 x 3 pixels."""
    whole = ragged_rim(100, 12)[0]
    noise = np.random.default_rng(SEED).random(np.array(whole.shape) + 2)
    smooth = sum(noise[a : a + whole.shape[0], b : b + whole.shape[1]] for a in range(3) for b in range(3))
    return whole & (smooth >= np.quantile(smooth, dead))


# --- contenders ------------------------------------------------------------------------------------------------------


Contenders = dict[str, tuple[Convention | None, Callable[[], Sizes]]]


def installed(labels: npt.NDArray[Any], geometry: Geometry, *, slow: bool) -> Contenders:
    """Name -> the convention whose numbers it gives (None = none of ours) and its run."""
    by_slice: dict[str, tuple[str, Convention | None, OfSlice]] = {
        "OpenCV findContours + convexHull": ("cv2", Convention.CENTRE, with_opencv),
        "SimpleITK LabelShapeStatistics, per slice": ("SimpleITK", Convention.CENTRE, with_simpleitk),
        "scikit-image find_contours + pdist": ("skimage", Convention.EDGE, with_find_contours),
        "SciPy ConvexHull + pdist": ("scipy", Convention.CENTRE, with_hull),
        "scikit-image regionprops, per slice": ("skimage", None, with_regionprops),
    }
    found: Contenders = {}
    for name, (module, convention, run) in by_slice.items():
        if importlib.util.find_spec(module) is None:
            print(f"not installed, left out: {name}")
            continue
        found[name] = (convention, lambda run=run: per_slice(labels, PIXEL, run))
    if slow and importlib.util.find_spec("radiomics") is not None:
        began = time.process_time()
        sizes = with_pyradiomics(labels, PIXEL, STEP)
        taken = time.process_time() - began
        own = mrecist.measure(labels, geometry, convention=Convention.EDGE)
        worst = max(abs(own[label].longest.mm - mm) for label, mm in sizes.items())
        print(f"PyRadiomics Maximum2DDiameterSlice, once: {taken:.1f} s, within {worst:.4f} mm of `edge`")
    return found


def agree(labels: npt.NDArray[Any], contenders: Contenders) -> None:
    """Stop when a contender of a convention gives other numbers than mrecist in that convention."""
    geometry = geometry_of(labels.shape, PIXEL, STEP)
    own = {c: {k: m.longest.mm for k, m in mrecist.measure(labels, geometry, convention=c).items()} for c in Convention}
    for name, (convention, run) in contenders.items():
        sizes = run()
        nearest = convention or Convention.EDGE
        worst = max(abs(sizes[label] - mm) for label, mm in own[nearest].items())
        print(f"{name}: {nearest}, largest difference {worst:.2g} mm{'' if convention else ' (another outline)'}")
        if convention is not None and worst > 1e-3:
            raise SystemExit(f"{name} does not agree with mrecist; nothing is timed")


# --- timing ----------------------------------------------------------------------------------------------------------


def viable_segments(turns: int, cornerstone: str | None) -> list[Row]:
    """Prints the table; the rows are of those that Cornerstone3D found too."""
    print("\n3. viable diameter of one slice, 0.7 mm pixels (the segment alone)")
    cases = {
        "rim of 12 mm, lesion of 100 mm": ragged_rim(100, 12)[1],
        "rim of 25 mm, lesion of 100 mm": ragged_rim(100, 25)[1],
        "rim of 6 mm, lesion of 30 mm": ragged_rim(30, 6)[1],
        "solid, 100 mm": ragged_rim(100, 12)[0],
        "noise, 5 % dead": noisy(0.05),
        "noise, 20 % dead": noisy(0.2),
    }
    for title, mask in cases.items():
        rows, columns = np.flatnonzero(mask.any(axis=1)), np.flatnonzero(mask.any(axis=0))
        cases[title] = mask[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]
    others = with_cornerstone(list(cases.values()), cornerstone)
    rows: list[Row] = []
    for (title, mask), other in zip(cases.items(), others, strict=True):
        lengths = {c: longest_inside(mask, SPACING, c)[0] for c in (Convention.CALIBRATED, Convention.EXTENT)}
        runs = {str(c): lambda c=c, mask=mask: longest_inside(mask, SPACING, c) for c in lengths}
        taken = take_turns(runs, turns, time.process_time)
        shown = ", ".join(
            f"{c} {mm:.3f} mm {1e3 * statistics.median(taken[str(c)]):.1f} ms" for c, mm in lengths.items()
        )
        said = ""
        if other is not None:
            edge = longest_inside(mask, SPACING, Convention.EDGE)[0]
            said = f"; edge {edge:.3f} mm, Cornerstone3D {other[0]:.3f} mm {1e3 * other[1]:.1f} ms"
            # Node tells its own median, so the ratio is of two medians here.
            against: Taken = {f"mrecist, {c}": [statistics.median(taken[str(c)])] for c in lengths}
            against["Cornerstone3D"] = [other[1]]
            rows += rows_of(f"viable diameter, {title}", against, ("Cornerstone3D",))
        print(f"{title:<34}{len(corner_points(mask)):>6} corners: {shown}{said}")
    return rows


def with_cornerstone(masks: list[Mask], folder: str | None) -> list[tuple[float, float] | None]:
    """mm and median seconds of Cornerstone3D's ``createBidirectionalForSlice`` on the contours at 0.5 of each mask."""
    node = shutil.which("node")
    if folder is None or node is None or importlib.util.find_spec("skimage") is None:
        print("left out: Cornerstone3D (needs --cornerstone FOLDER, node and scikit-image)")
        return [None] * len(masks)
    from skimage.measure import find_contours

    cases = []
    few = [mask for mask in masks if len(corner_points(mask)) < CORNERS]  # with more it takes minutes
    for mask in few:
        framed = np.pad(mask, 1).astype(float)
        points = np.concatenate([contour[:-1] for contour in find_contours(framed, 0.5)])[:, ::-1] * SPACING[0]
        cases.append(
            {
                "width": framed.shape[1],
                "height": framed.shape[0],
                "spacing": SPACING[0],
                "mask": framed.astype(int).ravel().tolist(),
                "points": np.pad(points, ((0, 0), (0, 1))).tolist(),
            }
        )
    runner = pathlib.Path(__file__).with_name("cornerstone.mjs")
    done = subprocess.run(
        [node, str(runner), folder], input=json.dumps(cases), capture_output=True, text=True, check=False
    )
    if done.returncode != 0:
        said = [line for line in done.stderr.splitlines() if "Error" in line] or ["node said nothing"]
        print(f"left out: Cornerstone3D in {folder} does not run: {said[0].strip()}")
        return [None] * len(masks)
    found = [(one["mm"], statistics.median(one["ms"]) / 1e3) for one in json.loads(done.stdout)]
    return [*found, *[None] * (len(masks) - len(few))]  # the masks with the most corners come last


def memory(labels: npt.NDArray[Any], geometry: Geometry) -> None:
    print("\n4. memory and first call")
    tracemalloc.start()
    mrecist.measure(labels, geometry, labels)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    print(
        f"largest extra memory, viable part included: {peak / labels.nbytes:.2f} x the volume of {labels.nbytes / 2**20:.0f} MiB"
    )


def first_call(viable: str) -> float:
    done = subprocess.run(
        [sys.executable, "-c", FIRST_CALL.replace("{viable}", viable)], capture_output=True, text=True, check=True
    )
    return float(done.stdout)


if __name__ == "__main__":
    main()
