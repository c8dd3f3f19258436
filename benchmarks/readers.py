"""A SIMULATED reader study: how much sums of diameters differ when only the outlines that readers draw differ.

Run ``python benchmarks/readers.py [--patients N]``; it prints the tables of docs/repeatability.md. ``--calibrate`` prints the
ratios that mrecist/measure/repeat.py uses, the standard deviation of a diameter over that of its outline.

Digitised lesions on one slice (the shapes of benchmarks/conventions.py, and two or three separate foci) stand for what was
drawn. Each reader's drawing is the lesion with its outlines displaced (mrecist.measure.repeat), and is measured automatically.
No reader, no image and no choice of lesions is in it: what is compared with published figures of people is one part of what
makes people differ.
"""

from __future__ import annotations

import argparse
import platform
import time
from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt
from conventions import Case, crescent, lattice, rim, solid

from mrecist import __version__
from mrecist.imaging.geometry import Geometry
from mrecist.measure.lesion import LesionMeasurement, measure_lesion
from mrecist.measure.repeat import LENGTH, Jitter, repeat_lesion

SEED = 20240608
SIZES = (10.0, 20.0, 30.0, 50.0, 70.0, 100.0)
# Published, docs/stability.md: Yoon 2016, standard deviation of one longest diameter; HCC-TACE-Seg, within-patient CV of sums.
LONGEST_PERCENT = 8.6
MANUAL = {"baseline": 14.3, "follow-up": 25.8}
READERS = 3
Rng = np.random.Generator
BoolArray = npt.NDArray[np.bool_]


@dataclass(frozen=True)
class Lesion:
    """A digitised lesion with room around it, and its measurement as it is."""

    whole: BoolArray
    viable: BoolArray
    geometry: Geometry
    measured: LesionMeasurement


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--patients", type=int, default=200, help="simulated patients (default 200)")
    parser.add_argument("--calibrate", action="store_true", help="print the ratios of diameter to outline instead")
    options = parser.parse_args()
    began = time.perf_counter()
    if options.calibrate:
        calibrate(np.random.default_rng(SEED))
    else:
        study(options.patients)
    made_by = f"mrecist {__version__}, Python {platform.python_version()}, numpy {np.__version__}"
    print(f"\nseed {SEED}, {made_by}, {time.perf_counter() - began:.0f} s")


# --- lesions ---------------------------------------------------------------------------------------------------------


def foci(rng: Rng, size: float, pixel: float) -> Case:
    """A round lesion with two or three round viable foci, dead between them."""
    y, x = lattice(rng, size, (pixel, pixel))
    whole = y**2 + x**2 <= (size / 2) ** 2
    viable = np.zeros_like(whole)
    count, turn = int(rng.integers(2, 4)), rng.uniform(0, 2 * np.pi)
    for number in range(count):
        angle, radius = turn + 2 * np.pi * number / count, size * rng.uniform(0.12, 0.2)
        away = size * 0.29
        viable |= (y - away * np.sin(angle)) ** 2 + (x - away * np.cos(angle)) ** 2 <= radius**2
    return Case("foci", size, whole, whole & viable, (pixel, pixel))


def enhancing(rng: Rng, size: float, pixel: float) -> Case:
    """An ellipse that enhances throughout."""
    case = solid(rng, "enhancing throughout", size, rng.uniform(0.6, 1.0), (pixel, pixel))
    return replace(case, viable=case.whole)


def rims(rng: Rng, size: float, pixel: float) -> Case:
    """A rim, concentric or not, with a hole of 0.3 to 0.7 of the outer radius."""
    hole = size / 2 * rng.uniform(0.3, 0.7)
    return rim(rng, "rim", size, hole, rng.uniform(0, 0.9) * (size / 2 - hole), pixel)


KINDS: dict[str, Callable[[Rng, float, float], Case]] = {
    "enhancing throughout": enhancing,
    "rim": rims,
    "crescent": crescent,
    "foci": foci,
}


def lesion(rng: Rng, kind: str, size: float) -> Lesion:
    case = KINDS[kind](rng, size, rng.uniform(0.6, 0.9))
    # Room for an outline that moves out.
    pad = int(0.3 * size / case.spacing[0]) + 3
    assert case.viable is not None
    whole, viable = np.pad(case.whole, pad)[None], np.pad(case.viable, pad)[None]
    geometry = Geometry(
        shape=(1, whole.shape[1], whole.shape[2]),
        origins_lps=((0.0, 0.0, 0.0),),
        row_direction=(1.0, 0.0, 0.0),
        column_direction=(0.0, 1.0, 0.0),
        row_spacing_mm=case.spacing[0],
        column_spacing_mm=case.spacing[1],
        slice_step_mm=5.0,
    )
    return Lesion(whole, viable, geometry, measure_lesion(whole, geometry, viable))


def drawn(one: Lesion, jitter: Jitter, draws: int, *name: object) -> dict[str, npt.NDArray[np.float64]]:
    return repeat_lesion(one.whole, one.geometry, one.viable, jitter, draws=draws, name=(SEED, *name))


# --- calibration -----------------------------------------------------------------------------------------------------


def calibrate(rng: Rng, repeats: int = 12, draws: int = 40) -> None:
    """How a displacement of the outline shows in the diameters; lesions of 10 to 100 mm, correlation length by LENGTH."""
    print(f"| size, mm | longest sd / outline sd | short sd / outline sd | longest, bias % |\n|{'---|' * 4}")
    pooled: list[tuple[float, float]] = []
    for size in SIZES:
        ratios, biases = [], []
        for number in range(repeats):
            one = lesion(rng, "enhancing throughout", size)
            jitter = Jitter(sd_mm=0.053 * size, length_mm=LENGTH * size)
            values = drawn(one, jitter, draws, "longest", size, number)
            ratios.append([values[name].std(ddof=1) / jitter.sd_mm for name in ("longest", "short")])
            biases.append(100 * (values["longest"].mean() / one.measured.longest.mm - 1))
        mean = np.sqrt(np.mean(np.square(ratios), axis=0))
        pooled.append((mean[0], mean[1]))
        print(f"| {size:.0f} | {mean[0]:.2f} | {mean[1]:.2f} | {np.mean(biases):+.1f} |", flush=True)
    longest, short = np.sqrt(np.mean(np.square(pooled), axis=0))
    print(f"| all | {longest:.2f} | {short:.2f} | |")
    print(f"\n| border sd, % of the viable diameter | viable CV %, by shape | all | lost % |\n|{'---|' * 4}")
    for percent in (0, 4, 8.8, 13, 18.7):
        cells, lost = {}, []
        for kind in ("rim", "crescent", "foci"):
            found = []
            for number in range(repeats):
                size = SIZES[number % len(SIZES)]
                one = lesion(rng, kind, size)
                assert one.measured.viable is not None
                viable = one.measured.viable.mm
                jitter = Jitter(
                    sd_mm=LONGEST_PERCENT / 100 * size / longest,
                    length_mm=LENGTH * size,
                    viable_sd_mm=percent / 100 * viable,
                    viable_length_mm=LENGTH * viable,
                )
                values = drawn(one, jitter, 15, "viable", kind, number)["viable"]
                found.append(values.std(ddof=1) / max(values.mean(), 1e-9))
                lost.append((values == 0).mean())
            cells[kind] = 100 * float(np.mean(found))
        shapes = ", ".join(f"{kind} {value:.1f}" for kind, value in cells.items())
        print(f"| {percent} | {shapes} | {np.mean(list(cells.values())):.1f} | {100 * np.mean(lost):.1f} |", flush=True)


def study(patients: int) -> None:
    pass


if __name__ == "__main__":
    main()
