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
from mrecist.measure.repeat import LENGTH, Jitter, jitter_of, repeat_lesion

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
    parser.add_argument("--patients", type=int, default=100, help="simulated patients (default 100)")
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
    print(f"| size, mm | longest sd / outline sd | short sd / outline sd | longest, mean error % |\n|{'---|' * 4}")
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
    print(f"| all | {longest:.2f} | {short:.2f} | |\n")
    agreement(rng, 10 * repeats)
    viable_parts(rng, 2 * repeats)


def agreement(rng: Rng, repeats: int) -> None:
    """Two simulated readers of single lesions: 95 % limits of agreement of the longest diameter, in % of their mean."""
    found = []
    for number in range(repeats):
        one = lesion(rng, "enhancing throughout", SIZES[number % len(SIZES)])
        jitter = jitter_of(one.measured, percent=LONGEST_PERCENT, viable_percent=0)
        first, second = drawn(one, jitter, 2, "agreement", number)["longest"]
        found.append(200 * (second - first) / (second + first))
    low, high = np.mean(found) + 1.96 * np.std(found, ddof=1) * np.array([-1, 1])
    print(
        f"limits of agreement of two readers, {repeats} lesions: {low:.1f} to {high:.1f} %; published -22.1 to 25.4 %\n"
    )


def viable_parts(rng: Rng, repeats: int) -> None:
    """The coefficient of variation of the viable diameter that the model gives for the one it is asked for."""
    kinds = ("rim", "crescent", "foci")
    print(f"| asked for, CV % | {' | '.join(kinds)} | all | lost % |\n|{'---|' * (len(kinds) + 3)}")
    lesions = {kind: [lesion(rng, kind, SIZES[n % len(SIZES)]) for n in range(repeats)] for kind in kinds}
    for percent in (LONGEST_PERCENT, *MANUAL.values()):
        means, lost = [], []
        for kind, several in lesions.items():
            found = []
            for number, one in enumerate(several):
                jitter = jitter_of(one.measured, percent=LONGEST_PERCENT, viable_percent=percent)
                values = drawn(one, jitter, 15, kind, number)["viable"]
                found.append(100 * values.std(ddof=1) / max(values.mean(), 1e-9))
                lost.append((values == 0).mean())
            means.append(float(np.mean(found)))
        cells = " | ".join(f"{mean:.1f}" for mean in means)
        print(f"| {percent} | {cells} | {np.mean(means):.1f} | {100 * np.mean(lost):.1f} |", flush=True)


# --- the study -------------------------------------------------------------------------------------------------------

# Share of lesions of each kind; nothing published, chosen so that follow-ups after treatment hold more dead tissue.
MIX = {
    "baseline": {"enhancing throughout": 0.5, "rim": 0.3, "crescent": 0.1, "foci": 0.1},
    "follow-up": {"enhancing throughout": 0.1, "rim": 0.4, "crescent": 0.25, "foci": 0.25},
}
# How far the border of the viable part moves, as a multiple of what the outline moves.
BORDERS = (1.0, 2.0)


def study(patients: int) -> None:
    """Within-patient CV of the sums of three simulated readers who share the choice of lesions."""
    print("SIMULATION: digitised lesions, displaced outlines, automatic diameters; no reader, no image.\n")
    print("| visit | sum of | border of the viable part | mean CV % | median | published, manual |")
    print("|---|---|---|---|---|---|")
    for visit, mix in MIX.items():
        found: dict[tuple[str, float], list[float]] = {}
        for patient in range(patients):
            rng = np.random.default_rng([SEED, patient])
            lesions = _lesions(rng, mix, shrink=visit == "follow-up")
            for border in BORDERS:
                sums = _sums(lesions, border, visit, patient)
                for name, values in sums.items():
                    if name == "viable" or border == BORDERS[0]:
                        found.setdefault((name, border), []).append(100 * values.std(ddof=1) / values.mean())
        for (name, border), values in found.items():
            border_words = "-" if name == "longest" else f"{border:g} x the outline's"
            published = f"{MANUAL[visit]} %" if name == "viable" else "-"
            cells = f"{np.mean(values):.1f} | {np.median(values):.1f} | {published}"
            print(f"| {visit} | {name} diameters | {border_words} | {cells} |", flush=True)


def _lesions(rng: Rng, mix: dict[str, float], *, shrink: bool) -> list[Lesion]:
    """One to three lesions of 15 to 80 mm at baseline, the small ones as frequent as the large on a log scale."""
    sizes = np.exp(rng.uniform(np.log(15), np.log(80), rng.integers(1, 4)))
    scale = rng.uniform(0.7, 1.1, len(sizes)) if shrink else np.ones(len(sizes))
    kinds = rng.choice(list(mix), size=len(sizes), p=list(mix.values()))
    return [lesion(rng, str(kind), float(size)) for kind, size in zip(kinds, sizes * scale, strict=True)]


def _sums(lesions: list[Lesion], border: float, visit: str, patient: int) -> dict[str, npt.NDArray[np.float64]]:
    """Sum of the longest and of the viable diameters of each reader."""
    sums = {name: np.zeros(READERS) for name in ("longest", "viable")}
    for number, one in enumerate(lesions):
        outline = jitter_of(one.measured, percent=LONGEST_PERCENT, viable_percent=0)
        jitter = replace(outline, viable_sd_mm=border * outline.sd_mm, viable_length_mm=outline.length_mm)
        values = drawn(one, jitter, READERS, visit, patient, number)
        for name, total in sums.items():
            total += values[name]
    return sums


if __name__ == "__main__":
    main()
