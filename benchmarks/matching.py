"""How well lesions are matched between two reads whose truth is known: made livers that move, and two readers of one scan.

Run ``python benchmarks/matching.py [--pairs N] [--first N] [--workers N]``. It prints the table of docs/matching.md. Everything is
simulated and seeds are fixed: made livers flatter every method, and the figure that is named beside them (precision 0.86, recall 0.90;
SimU-Net 2023) is of patients' scans.

A pair of visits: a body with a liver, vessels, and 3 to 12 lesions of 5 to 80 mm, some of which touch; "crowded" are 12 of 5 to 20 mm in
one part of it. The second visit has another frame of reference; the liver is pressed and breathes by a smooth field of up to so many mm;
lesions shrink, grow, vanish and appear; both masks have borders of their own; names say nothing.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from typing import Any

import numpy as np

from mrecist.agreement.matching import target_sets
from mrecist.agreement.reads import Track
from mrecist.errors import MaskError
from mrecist.imaging.geometry import Geometry
from mrecist.matching.across import carry
from mrecist.matching.assign import READERS_RATIO, VISITS_RATIO, match_bodies
from mrecist.matching.lesions import Lesion, lesion_of
from mrecist.matching.overlap import Body, body_of, fits
from mrecist.model import Measurement, Role, State
from mrecist.segment.register import scan_of

Array = Any
MAGNITUDES_MM = (0, 5, 10, 15, 20)
PUBLISHED = 0.86, 0.90
READERS, CROWDED = "two readers, one scan", "visits, crowded, up to 10 mm"
_CELL_MM, _FINE_MM = 2.5, 1.0
_SHAPE = (88, 96, 124)
_LIVER_MM = np.array([80.0, 70.0, 78.0])  # x, y, z
_LIVER_AT = np.array([-25.0, 0.0, 0.0])
_BLOCK = 400_000


# --- a made patient --------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Blob:
    """A round lesion with bumps; two drawings of it have other bumps. ``number`` is who it is."""

    number: int
    middle: Array
    radii: Array
    delta_hu: float
    bumps: tuple[tuple[Array, float], ...]

    def depth(self, points: Array) -> Array:
        """0 in the middle, 1 at the border."""
        own = (points - self.middle) / self.radii
        radius = np.linalg.norm(own, axis=-1)
        unit = own / np.maximum(radius, 1e-6)[..., None]
        swell = np.ones_like(radius)
        for way, height in self.bumps:
            swell += height * np.exp(4 * (unit @ way - 1))
        return radius / swell


def bumps(chance: np.random.Generator, radius: float) -> tuple[tuple[Array, float], ...]:
    """A border of its own: off by about 8 % of the radius and half a millimetre, here and there."""
    found = []
    for _ in range(6):
        way = chance.normal(size=3)
        found.append((way / np.linalg.norm(way), float(chance.normal() * (0.08 + 0.5 / radius))))
    return tuple(found)


def blob(number: int, middle: Array, radius: float, delta: float, chance: np.random.Generator) -> Blob:
    radii = radius * np.array([1.0, chance.uniform(0.75, 1.0), chance.uniform(0.75, 1.0)])
    return Blob(number, middle, chance.permutation(radii), delta, bumps(chance, radius))


def placed(
    chance: np.random.Generator, others: Sequence[Blob], radius: float, within: tuple[Array, float] | None = None
) -> Array | None:
    """A middle in the liver beside the others, in one of three cases touching one of them; None where there is no room.

    ``within`` : a point and how far from it (mm).
    """
    touch = others and chance.random() < 0.33
    for _ in range(500):
        if touch:
            beside = others[int(chance.integers(len(others)))]
            way = chance.normal(size=3)
            at = beside.middle + way / np.linalg.norm(way) * (beside.radii.max() + radius + 0.5)
        else:
            at = _LIVER_AT + chance.uniform(-1, 1, 3) * _LIVER_MM
        inside = bool(np.linalg.norm((at - _LIVER_AT) / (_LIVER_MM - min(radius, 35) * 0.8)) < 1)
        inside = inside and (within is None or bool(np.linalg.norm(at - within[0]) < within[1]))
        if inside and all(np.linalg.norm(at - o.middle) > o.radii.max() + radius for o in others):
            return at
    return None


def lesions_before(chance: np.random.Generator, crowded: bool = False) -> list[Blob]:
    found: list[Blob] = []
    within = (_LIVER_AT + chance.uniform(-30, 30, 3), 40.0) if crowded else None
    most = 20 if crowded else 80
    for number in range(12 if crowded else int(chance.integers(3, 13))):
        radius = float(np.exp(chance.uniform(np.log(5), np.log(most)))) / 2
        at = placed(chance, found, radius, within)
        if at is not None:
            found.append(blob(number, at, radius, float(-chance.uniform(25, 60)), chance))
    return found


def lesions_after(chance: np.random.Generator, before: Sequence[Blob]) -> list[Blob]:
    """15 % vanish, the others have 0.4 to 1.7 times their diameter; new ones appear outside of all."""
    found = []
    for one in before:
        if chance.random() < 0.15:
            continue
        radii = one.radii * float(np.clip(np.exp(chance.normal(-0.1, 0.35)), 0.4, 1.7))
        radii = radii * max(1.0, 2.0 / radii.max())
        drift = chance.normal(size=3) * 0.06 * radii.max()
        weaker = one.delta_hu * chance.uniform(0.6, 1.2)
        found.append(Blob(one.number, one.middle + drift, radii, weaker, bumps(chance, float(radii.max()))))
    for number in range(int(chance.poisson(0.8))):
        radius = float(np.exp(chance.uniform(np.log(5), np.log(25)))) / 2
        at = placed(chance, [*before, *found], radius)
        if at is not None:
            found.append(blob(100 + number, at, radius, float(-chance.uniform(25, 60)), chance))
    return found


class Motion:
    """Where a point of the second visit was at the first: turned and moved back, then by a smooth field that ends at the liver."""

    def __init__(self, chance: np.random.Generator, most_mm: float, frame: bool = True) -> None:
        from scipy.ndimage import gaussian_filter

        angles = chance.normal(size=3) * 0.05 * frame
        cosines, sines = np.cos(angles), np.sin(angles)
        about_x = np.array([[1, 0, 0], [0, cosines[0], -sines[0]], [0, sines[0], cosines[0]]])
        about_z = np.array([[cosines[2], -sines[2], 0], [sines[2], cosines[2], 0], [0, 0, 1]])
        self.turn, self.shift = about_z @ about_x, chance.uniform(-200, 200, 3) * frame
        size = (40, 40, 48)  # cells of 8 mm
        waves = [gaussian_filter(chance.normal(size=size), 45 / 8) for _ in range(3)]
        field = np.stack([w / w.std() for w in waves], axis=-1) * (0.5, 0.5, 0.7)
        # Breathing: most of it along the body, and most near the diaphragm.
        z = (np.arange(size[0]) - 20) * 8.0
        field[..., 2] += chance.choice([-1, 1]) * (0.8 + z / 200)[:, None, None]
        x, y, zz = np.meshgrid(*[(np.arange(n) - n // 2) * 8.0 for n in size[::-1]], indexing="ij")
        deep = np.linalg.norm((np.stack([x, y, zz], axis=-1) - _LIVER_AT) / (_LIVER_MM + 20), axis=-1).transpose(
            2, 1, 0
        )
        field *= np.clip(2.2 - 1.5 * deep, 0, 1)[..., None]
        inside = np.linalg.norm(field[deep < 0.8], axis=-1)
        self.field = field * (most_mm / inside.max())
        self.size = size

    def back(self, points: Array) -> Array:
        """Points (N, 3) of the second visit at the first."""
        from scipy.ndimage import map_coordinates

        own = (points - self.shift) @ self.turn
        at = own[:, ::-1].T / 8.0 + np.array([n // 2 for n in self.size])[:, None]
        by = [map_coordinates(self.field[..., axis], at, order=1, mode="nearest") for axis in range(3)]
        return own + np.stack(by, axis=-1)

    def there(self, point: Array) -> Array:
        """A point of the first visit at the second."""
        own = point.copy()
        for _ in range(30):
            own = own - 0.8 * (self.back((self.turn @ own + self.shift)[None])[0] - point)
        return self.turn @ own + self.shift


def grid(origin: Array, shape: Sequence[int], step: float) -> Geometry:
    return Geometry(
        shape=(shape[0], shape[1], shape[2]),
        origins_lps=tuple((float(origin[0]), float(origin[1]), float(origin[2] + k * step)) for k in range(shape[0])),
        row_direction=(1.0, 0.0, 0.0),
        column_direction=(0.0, 1.0, 0.0),
        row_spacing_mm=step,
        column_spacing_mm=step,
        slice_step_mm=step,
    )


def points_of(geometry: Geometry) -> Array:
    step = geometry.row_spacing_mm
    z, y, x = (np.arange(n) * step for n in geometry.shape)
    zz, yy, xx = np.meshgrid(z, y, x, indexing="ij")
    return np.stack([xx, yy, zz], axis=-1).reshape(-1, 3) + np.array(geometry.origins_lps[0])


def vessels(chance: np.random.Generator) -> list[tuple[Array, Array, float]]:
    found = []
    for _ in range(14):
        way = chance.normal(size=3)
        middle = _LIVER_AT + chance.uniform(-0.8, 0.8, 3) * _LIVER_MM
        found.append((middle, way / np.linalg.norm(way), float(chance.uniform(2.5, 5.0))))
    return found


def picture(
    geometry: Geometry, back: Callable[[Array], Array], blobs: Sequence[Blob], tree: Any, chance: np.random.Generator
) -> Array:
    """HU of a visit: each voxel shows what was at its place at the first visit."""
    values = []
    points = points_of(geometry)
    for start in range(0, len(points), _BLOCK):
        own = back(points[start : start + _BLOCK])
        hu = around(own)
        depth = np.linalg.norm((own - _LIVER_AT) / _LIVER_MM, axis=1)
        hu[depth < 1] = 105
        near = np.flatnonzero(depth < 1)
        for middle, way, radius in tree:
            off = own[near] - middle
            along = off @ way
            across = np.einsum("ij,ij->i", off, off) - along**2
            hu[near[(across < radius**2) & (abs(along) < 40)]] = 160
        near = np.flatnonzero(depth < 1.6)
        for one in blobs:
            off = own[near] - one.middle
            here = near[np.einsum("ij,ij->i", off, off) < (1.6 * one.radii.max() + 3) ** 2]
            share = np.clip((1 - one.depth(own[here])) * one.radii.min() / 2.0 + 0.5, 0, 1)
            hu[here] = hu[here] * (1 - share) + (105 + one.delta_hu) * share
        values.append(hu)
    made = np.concatenate(values).reshape(geometry.shape)
    return (made + chance.normal(size=made.shape) * 12).astype(np.float32)


def around(own: Array) -> Array:
    """HU of a body without its liver: fat, muscle, lungs, spine, ribs, kidneys, spleen; no two heights look alike."""
    x, y, z = own.T
    hu = np.full(len(own), -150.0)
    wide = 1 + 0.08 * np.sin(z / 50)
    inner = (x / 122 / wide) ** 2 + (y / 90 / wide) ** 2
    hu[(x / 140 / wide) ** 2 + (y / 105 / wide) ** 2 < 1] = -90
    hu[inner < 1] = 50
    hu[(inner < 0.85) & (z > 20 + 0.004 * ((x + 25) ** 2 + y**2))] = -150
    hu[(inner < 0.95) & (inner > 0.88) & (np.sin((z + 0.4 * y) / 4.5) > 0.4) & (z > -30)] = 220
    hu[(inner < 0.7) & (z < -40) & (np.sin(x / 17 + 2) * np.sin(z / 13) * np.sin(y / 15) > 0.35)] = -100
    hu[np.hypot(x - 5, y - 72) < 17 + 2 * np.cos(z / 4.8)] = 200
    hu[np.hypot(x + 10, y - 45) < 9] = 150
    for middle, radii, value in (
        ((75, 25, 20), (28, 40, 45), 125.0),
        ((62, 45, -55), (22, 25, 45), 160.0),
        ((-55, 55, -62), (22, 25, 42), 160.0),
    ):
        hu[np.linalg.norm((own - middle) / radii, axis=1) < 1] = value
    return hu


def drawn(blobs: Sequence[Blob], back: Callable[[Array], Array], middle_of: Callable[[Array], Array]) -> list[Lesion]:
    """Masks in cells of 1 mm; a cell between two lesions is of the one in which it lies deeper. Very small ones keep a cell."""
    found = []
    for one in blobs:
        at = middle_of(one.middle)
        half = int(np.ceil((one.radii.max() * 1.4 + 6) / _FINE_MM))
        geometry = grid(at - half * _FINE_MM, (2 * half + 1,) * 3, _FINE_MM)
        own = back(points_of(geometry))
        depth = one.depth(own)
        mask = depth <= 1
        for other in blobs:
            if other is not one and np.linalg.norm(other.middle - one.middle) < 1.5 * (
                other.radii.max() + one.radii.max()
            ):
                mask &= depth <= other.depth(own)
        if mask.any():
            found.append(lesion_of(str(one.number), mask.reshape(geometry.shape), geometry))
    return found


# --- ways of matching ------------------------------------------------------------------------------------------------

Named = set[tuple[str, str]]


@dataclass(slots=True)
class Case:
    """Two lists of lesions in one frame, which of them are the same, the limit of radii, and what refused.

    ``off`` : how far each carried lesion is off (mm), how far it was told to be, and what placed it.
    """

    ones: list[Body]
    others: list[Body]
    truth: Named
    ratio: float
    refused: str = ""
    off: list[tuple[float, float, str]] = field(default_factory=list)


def shipped(case: Case) -> Named:
    if case.refused:
        return set()
    done = match_bodies(case.ones, case.others, case.ratio)
    return {(case.ones[p.one].lesion.name, case.others[p.other].lesion.name) for p in done.pairs}


def nearest(case: Case) -> Named:
    """The nearest middles, the closest pair first, up to 25 mm."""
    if case.refused:
        return set()
    every = sorted(
        (float(np.linalg.norm(a.middle - b.middle)), i, j)
        for i, a in enumerate(case.ones)
        for j, b in enumerate(case.others)
    )
    return _greedy(case, [(i, j) for away, i, j in every if away <= 25])


def overlapping(case: Case) -> Named:
    """The largest Dice first, as long as masks overlap."""
    if case.refused:
        return set()
    found = fits(case.ones, case.others)
    every = sorted((-one.dice, i, j) for i, row in enumerate(found) for j, one in enumerate(row) if one.dice > 0)
    return _greedy(case, [(i, j) for _, i, j in every])


def _greedy(case: Case, order: Sequence[tuple[int, int]]) -> Named:
    taken: list[tuple[int, int]] = []
    for i, j in order:
        if all(i != a and j != b for a, b in taken):
            taken.append((i, j))
    return {(case.ones[i].lesion.name, case.others[j].lesion.name) for i, j in taken}


def by_size(case: Case) -> Named:
    """What ``agree`` does without places: organ and size; names are each reader's own."""
    tracks = [Track(visits={}, best=None, rows=_rows(side)) for side in (case.ones, case.others)]
    of_row = [
        {row.lesion: body.lesion.name for row, body in zip(track.rows, side, strict=True)}
        for track, side in zip(tracks, (case.ones, case.others), strict=True)
    ]
    return {(of_row[0][m.one.lesion], of_row[1][m.other.lesion]) for m in target_sets(*tracks).both}


def _rows(side: Sequence[Body]) -> tuple[Measurement, ...]:
    return tuple(
        Measurement(
            subject="S",
            timepoint=0,
            date=date(2026, 1, 1),
            reader="R",
            lesion=f"T{number:02}",
            role=Role.TARGET,
            organ="liver",
            state=State.MEASURED,
            longest_mm=Decimal(round(2 * body.radius_mm, 1)),
        )
        for number, body in enumerate(side, 1)
    )


WAYS = {
    "shipped": shipped,
    "nearest middle": nearest,
    "overlap": overlapping,
    "organ and size": by_size,
}


# --- cases -----------------------------------------------------------------------------------------------------------


def visits(seed: int, most_mm: float, crowded: bool) -> Case:
    """Two visits, registered by their images as the project does it."""
    chance = np.random.default_rng([seed, int(most_mm), crowded])
    before = lesions_before(chance, crowded)
    after = lesions_after(chance, before)
    tree, motion = vessels(chance), Motion(chance, most_mm)
    still: Callable[[Array], Array] = np.asarray
    first = grid(np.array([-155.0, -120.0, -110.0]), _SHAPE, _CELL_MM)
    corner = motion.turn @ np.zeros(3) + motion.shift + np.array([-155.0, -120.0, -110.0]) + chance.uniform(-8, 8, 3)
    second = grid(corner, _SHAPE, _CELL_MM)
    old = scan_of(picture(first, still, before, tree, chance), first)
    new = scan_of(picture(second, motion.back, after, tree, chance), second)
    ones = drawn(before, still, still)
    others = drawn(after, motion.back, motion.there)
    ones, others = ([side[k] for k in chance.permutation(len(side))] for side in (ones, others))
    truth = {(a.name, b.name) for a in ones for b in others if a.name == b.name}
    case = Case([body_of(one) for one in ones], [body_of(other) for other in others], truth, VISITS_RATIO)
    try:
        across = carry(old, new, ones, second)
    except MaskError as error:
        case.refused = str(error)
        return case
    case.ones = [body_of(one.lesion) for one in across.carried]
    middles = {str(one.number): motion.there(one.middle) for one in before}
    case.off = [
        (float(np.linalg.norm(b.middle - middles[b.lesion.name])), one.lesion.off_mm, one.by)
        for b, one in zip(case.ones, across.carried, strict=True)
    ]
    return case


def readers(seed: int) -> Case:
    """Two readers of one scan: borders of their own, middles a little off, and each draws 85 % of the lesions."""
    chance = np.random.default_rng([seed, 99])
    before = lesions_before(chance)
    sides = []
    for _ in range(2):
        kept = [one for one in before if chance.random() < 0.85]
        other = [
            Blob(
                one.number,
                one.middle + chance.normal(size=3) * (0.5 + 0.04 * one.radii.max()),
                one.radii * np.clip(1 + 0.1 * chance.normal(), 0.7, 1.3),
                one.delta_hu,
                bumps(chance, float(one.radii.max())),
            )
            for one in kept
        ]
        lesions = drawn(other, np.asarray, np.asarray)
        sides.append([body_of(lesions[k]) for k in chance.permutation(len(lesions))])
    truth = {(a.lesion.name, b.lesion.name) for a in sides[0] for b in sides[1] if a.lesion.name == b.lesion.name}
    return Case(sides[0], sides[1], truth, READERS_RATIO)


# --- the table -------------------------------------------------------------------------------------------------------


@dataclass(slots=True)
class Counted:
    """Of one case: pairs told, pairs told that are true, true pairs; by way of matching."""

    cases: str
    told: dict[str, tuple[int, int, int]]
    refused: bool
    ambiguous: int
    seconds: float


def count(job: tuple[str, int, float]) -> Counted:
    name, seed, most_mm = job
    start = time.process_time()
    case = readers(seed) if name == READERS else visits(seed, most_mm, name == CROWDED)
    seconds = time.process_time() - start
    told = {}
    for way, of in WAYS.items():
        pairs = of(case)
        told[way] = len(pairs), len(pairs & case.truth), len(case.truth)
    ambiguous = 0 if case.refused else len(match_bodies(case.ones, case.others, case.ratio).ambiguous)
    return Counted(name, told, bool(case.refused), ambiguous, seconds)


def interval(done: Sequence[Counted], way: str, among: int) -> tuple[float, float, float]:
    """A share and its 95 % interval: cases are drawn with replacement 2000 times (percentiles)."""
    numbers = np.array([one.told[way] for one in done])
    chance = np.random.default_rng(0)
    picks = chance.integers(len(done), size=(2000, len(done)))
    sums = numbers[picks].sum(axis=1)
    with np.errstate(invalid="ignore"):
        low, high = np.nanpercentile(sums[:, 1] / sums[:, among], [2.5, 97.5])
    total = numbers.sum(axis=0)
    return float(total[1] / total[among]) if total[among] else float("nan"), float(low), float(high)


def shown(share: tuple[float, float, float]) -> str:
    return "none" if np.isnan(share[0]) else f"{share[0]:.2f} ({share[1]:.2f} to {share[2]:.2f})"


def table(done: Sequence[Counted]) -> Iterator[str]:
    yield "| Simulated pairs of reads | True pairs | Not registered | Ambiguous | Matching | Precision | Recall |"
    yield "|---|---|---|---|---|---|---|"
    names = list(dict.fromkeys(one.cases for one in done))
    moved = [name for name in names if name != names[0]]
    for name, group in [*((n, [d for d in done if d.cases == n]) for n in names), ("all visits", [])]:
        chosen = group or [d for d in done if d.cases in moved]
        about = (
            f"{name}, {len(chosen)}",
            sum(one.told["shipped"][2] for one in chosen),
            sum(one.refused for one in chosen),
            sum(one.ambiguous for one in chosen),
        )
        for way in WAYS:
            cells = about if way == "shipped" else ("", "", "", "")
            found = [interval(chosen, way, among) for among in (0, 2)]
            yield f"| {' | '.join(map(str, cells))} | {way} | {shown(found[0])} | {shown(found[1])} |"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--pairs", type=int, default=30, metavar="N", help="pairs of reads for each row (default 30)")
    parser.add_argument("--first", type=int, default=0, metavar="N", help="the first seed (default 0)")
    parser.add_argument("--workers", type=int, default=1, metavar="N", help="processes (default 1)")
    options = parser.parse_args()
    if options.pairs < 1 or options.workers < 1 or options.first < 0:
        parser.error("--pairs and --workers are whole numbers from 1, --first from 0")
    seeds = range(options.first, options.first + options.pairs)
    jobs = [(READERS, seed, 0.0) for seed in seeds]
    jobs += [(f"visits, up to {mm} mm", seed, float(mm)) for mm in MAGNITUDES_MM for seed in seeds]
    jobs += [(CROWDED, seed, 10.0) for seed in seeds]
    with ProcessPoolExecutor(options.workers) as pool:
        done = list(pool.map(count, jobs))
    for line in table(done):
        print(line, flush=True)
    visits_done = [one for one in done if one.cases.startswith("visits")]
    print(
        f"\n{np.mean([one.seconds for one in visits_done]):.1f} CPU s a pair of visits, with making them. Published on patients' "
        f"scans, not these: precision {PUBLISHED[0]}, recall {PUBLISHED[1]} (SimU-Net 2023)."
    )


if __name__ == "__main__":
    main()
