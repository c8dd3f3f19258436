"""Where the lesions of a prior visit lie on the current one: a proposal that the reader confirms.

One rigid registration around the lesions (:mod:`mrecist.segment.register`), then the surroundings of each lesion and the lesion are
looked for near where that expects them: livers are pressed and breathe. The place is what most of these cubes agree on, so that a
lesion that has vanished is placed by its surroundings.

A place is never an answer to whether the lesion is still there. Correlation cannot tell it (vessels around a vanished lesion gave
0.97); what is told is how much the place stands out from its surroundings now and before.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from mrecist.errors import MaskError
from mrecist.imaging.geometry import Geometry
from mrecist.segment.click import line_of_click
from mrecist.segment.crop import FloatArray, Spacing
from mrecist.segment.patches import Match, cube, find
from mrecist.segment.prompt import Index3, Line
from mrecist.segment.register import FINE_MM, Point, Registered, Scan, register, scan_of

# A cube is found from this correlation on.
FOUND = 0.5
_HALF_MM, _BESIDE_MM = 15.0, 25.0
_LEAST_FOUND = 3
_LEAST_SHARE = 0.3
# How far off a place may be where nothing around the lesion confirms it, and where its own look alone does.
_UNCONFIRMED_MM, _ALONE_MM = 10.0, 5.0
_LEAST_OFF_MM = 3.0
# A lesion stands out as before between these ratios of its contrast (HU); vanished ones had at most 0.4.
_AS_BEFORE = (0.5, 2.0)
_LEAST_CONTRAST = 10.0
# Values at the very ends are fat, air and bone (of CT), which lie around a lesion but not in it.
_INSIDE = 20.0
# A line found on the current visit is that of the lesion when it is neither far off nor of quite another size.
_SIZES = (0.3, 2.2)
LpsLine = tuple[Point, Point]


@dataclass(frozen=True, slots=True, kw_only=True)
class Followed:
    """Where one lesion of the prior visit is to be looked for.

    Parameters
    ----------
    middle : voxel (z, y, x) of the current volume, not rounded.
    line : the prior line there, turned and moved, flat on the nearest slice; None where that lies outside the volume.
    ends : the carried ends in LPS mm of the current visit, before they were laid on a slice.
    by : ``surroundings``, ``own look`` (nothing around it could be compared) or ``rigid``.
    off_mm : how far the place may be off.
    stands_out : the place stands out from its surroundings as it did before.
    contrast : median inside less median around (HU; of MR on a scale of its own), before and now.
    found, compared : how many cubes were found again, of how many that could be compared.
    note : one sentence for the reader.
    """

    middle: Index3
    line: Line | None
    ends: LpsLine
    by: str
    off_mm: float
    stands_out: bool
    contrast: tuple[float, float]
    found: int
    compared: int
    note: str


def follow(
    prior: FloatArray,
    prior_geometry: Geometry,
    current: FloatArray,
    current_geometry: Geometry,
    lines: Sequence[Line],
    *,
    hounsfield: bool = True,
) -> tuple[Followed, ...]:
    """The lines of a prior visit on the current one.

    Parameters
    ----------
    prior, current : volumes (Z, Y, X) and where their voxels lie.
    lines : long axes of the lesions, in voxels of ``prior``.
    hounsfield : values are HU.

    Raises
    ------
    MaskError : a volume has slices at uneven steps or too few of them, or the two cannot be registered.
    """
    if not lines:
        return ()
    old = scan_of(prior, prior_geometry, hounsfield=hounsfield)
    new = scan_of(current, current_geometry, hounsfield=hounsfield)
    carried = [lps_of(line, prior_geometry) for line in lines]
    found = registered(old, new, carried)
    places = tuple(place(old, new, found, line, current_geometry, hounsfield=hounsfield) for line in carried)
    check(places)
    return places


def lps_of(line: Line, geometry: Geometry) -> LpsLine:
    """The ends of a line on a whole slice in LPS mm."""
    one, other = (np.array(geometry.to_lps(round(z), y, x)) for z, y, x in (line.start, line.end))
    return one, other


def registered(prior: Scan, current: Scan, lines: Sequence[LpsLine]) -> Registered:
    """The two visits registered around lines of the prior one (LPS mm); raises :class:`MaskError` where they cannot be."""
    points = [np.asarray((one + other) / 2) for one, other in lines]
    return register(prior, current, points, [float(np.linalg.norm(other - one)) / 2 for one, other in lines])


def place(
    prior: Scan, current: Scan, found: Registered, line: LpsLine, geometry: Geometry, *, hounsfield: bool = True
) -> Followed:
    """One line (LPS mm of the prior visit) on the current visit, whose voxels lie as ``geometry`` says."""
    middle = (line[0] + line[1]) / 2
    length = float(np.linalg.norm(line[1] - line[0]))
    radius = max(length / 2, FINE_MM)
    own, around = _matches(prior, current, found, middle, radius)
    good = [m for m in (own, *around) if m is not None and m.inside and m.peak >= FOUND]
    compared = sum(m is not None for m in (own, *around))
    shift, off, by = _agreed(good, own)
    contrast = _contrast(prior, None, middle, radius), _contrast(current, found, middle + shift, radius)
    stands_out = _stands_out(contrast, current, found, middle + shift, radius)
    if by == "own look" and not stands_out:
        shift, off, by = np.zeros(3), _UNCONFIRMED_MM, "rigid"
    ends = found.carry(line[0] + shift), found.carry(line[1] + shift)
    laid, at, turned = _laid(ends, length, geometry)
    note = _note(by, off, stands_out, contrast, hounsfield=hounsfield)
    if laid is None:
        note = "its place lies outside the current series"
    elif turned:
        note += "; the slices lie in another plane, only the middle of the line is meant"
    return Followed(
        middle=at,
        line=laid,
        ends=ends,
        by=by,
        off_mm=off,
        stands_out=stands_out,
        contrast=contrast,
        found=len(good),
        compared=compared,
        note=note,
    )


def check(places: Sequence[Followed]) -> None:
    """Raises :class:`MaskError` where nothing could be compared, or hardly anything was found again: the two were not registered."""
    found, compared = sum(p.found for p in places), sum(p.compared for p in places)
    if places and compared == 0:
        raise MaskError(
            "the two visits could not be registered (nothing around the lesions could be compared on the current series); "
            "find the lesions by hand"
        )
    if compared >= 2 * _LEAST_FOUND and found < _LEAST_SHARE * compared:
        raise MaskError(
            f"the two visits could not be registered ({found} of {compared} places around the lesions were found again); "
            f"find the lesions by hand"
        )


def adapted(line: Line, voxels: FloatArray, spacing_mm: Spacing, off_mm: float) -> Line:
    """A carried line fitted to what lies there now, which may have shrunk or grown.

    Parameters
    ----------
    line : the carried line, in voxels of ``voxels`` (Z, Y, X).
    off_mm : how far the place may be off.

    Raises
    ------
    MaskError : nothing there differs from its surroundings.
    """
    start, end, scale = np.array(line.start), np.array(line.end), np.array(spacing_mm)
    middle = (start + end) / 2
    length = float(np.linalg.norm((end - start) * scale))
    fitted = line_of_click([voxels], spacing_mm, (float(middle[0]), float(middle[1]), float(middle[2])))
    one, other = np.array(fitted.start), np.array(fitted.end)
    size = float(np.linalg.norm((other - one) * scale)) / length
    away = float(np.linalg.norm(((one + other) / 2 - middle) * scale))
    return fitted if _SIZES[0] <= size <= _SIZES[1] and away <= max(length / 2, off_mm) else line


def index_of(point: Point, geometry: Geometry) -> Index3:
    """The voxel (z, y, x; not rounded) at a point (LPS mm) of a stack with even steps."""
    away = point - np.array(geometry.origins_lps[0])
    return (
        float(away @ geometry.normal) / (geometry.slice_step_mm or 1.0),
        float(away @ np.array(geometry.column_direction)) / geometry.row_spacing_mm,
        float(away @ np.array(geometry.row_direction)) / geometry.column_spacing_mm,
    )


def laid_on(ends: LpsLine, length_mm: float, geometry: Geometry) -> Line | None:
    """A line in space (LPS mm) on the nearest slice of a stack, in its full length; None where that lies outside."""
    return _laid(ends, length_mm, geometry)[0]


def _matches(
    prior: Scan, current: Scan, found: Registered, middle: Point, radius: float
) -> tuple[Match | None, list[Match | None]]:
    """The lesion with a rim, and cubes beside it on all sides, looked for on the current visit."""
    own = find(prior, current, found.transform, middle, float(np.clip(radius + 5, 10, 20)))
    away = max(_BESIDE_MM, radius + _HALF_MM)
    steps = [sign * away * np.eye(3)[axis] for axis in range(3) for sign in (1, -1)]
    return own, [find(prior, current, found.transform, middle + step, _HALF_MM) for step in steps]


def _agreed(good: Sequence[Match], own: Match | None) -> tuple[Point, float, str]:
    """The shift (mm) that most cubes agree on, how far off it may be, and what it goes by."""
    if len(good) >= _LEAST_FOUND:
        shifts = np.array([m.shift for m in good])
        shift = np.median(shifts, axis=0)
        spread = float(np.median(np.linalg.norm(shifts - shift, axis=1)))
        return shift, float(np.ceil(max(_LEAST_OFF_MM, 2 * spread))), "surroundings"
    if own is not None and any(m is own for m in good):
        return own.shift, _ALONE_MM, "own look"
    return np.zeros(3), _UNCONFIRMED_MM, "rigid"


def _contrast(scan: Scan, found: Registered | None, middle: Point, radius: float) -> float:
    """Median of the core of a ball less the median of the soft tissue around it; NaN where too little is there."""
    reach = int(np.ceil((1.9 * radius + 3) / FINE_MM))
    values = cube(scan, None if found is None else found.transform, middle, reach)
    z, y, x = np.meshgrid(*[(np.arange(2 * reach + 1) - reach) * FINE_MM] * 3, indexing="ij", sparse=True)
    away = np.sqrt(z**2 + y**2 + x**2)
    core = _known(values[away <= max(0.6 * radius, 1.05 * FINE_MM)])
    ring = _known(values[(away > 1.25 * radius + 1.5) & (away <= 1.9 * radius + 3)])
    ring = ring[(ring > scan.soft[0] + _INSIDE) & (ring < scan.soft[1] - _INSIDE)]
    if core.size < 3 or ring.size < 20:
        return float("nan")
    return float(np.median(core) - np.median(ring))


def _known(values: FloatArray) -> npt.NDArray[np.float32]:
    return values[np.isfinite(values)]


def _stands_out(contrast: tuple[float, float], current: Scan, found: Registered, middle: Point, radius: float) -> bool:
    """The contrast is about that of before, and well above what the places beside it have by chance."""
    before, now = contrast
    if not (np.isfinite(before) and np.isfinite(now)) or abs(before) < _LEAST_CONTRAST or abs(now) < _LEAST_CONTRAST:
        return False
    if not _AS_BEFORE[0] <= now / before <= _AS_BEFORE[1]:
        return False
    away = 2.2 * radius + 8
    ways = [np.array(way, dtype=float) for way in np.ndindex(3, 3, 3) if way.count(1) in (0, 2)]
    ways = [(way - 1) / np.linalg.norm(way - 1) for way in ways]
    beside = np.array([_contrast(current, found, middle + away * way, radius) for way in ways])
    beside = beside[np.isfinite(beside)]
    return bool(beside.size == 0 or abs(now) >= 2 * float(np.median(np.abs(beside))))


def _laid(ends: LpsLine, length_mm: float, geometry: Geometry) -> tuple[Line | None, Index3, bool]:
    """A line on the nearest slice, its middle, and whether the slices lie across it."""
    middle = (ends[0] + ends[1]) / 2
    at = index_of(middle, geometry)
    along, down = np.array(geometry.row_direction), np.array(geometry.column_direction)
    way = ends[1] - ends[0]
    flat = np.array([way @ down, way @ along])
    seen = float(np.linalg.norm(flat))
    turned = seen < 0.5 * length_mm
    flat = np.array([0.0, length_mm]) if turned else flat * (length_mm / seen)
    half = flat / 2 / (geometry.row_spacing_mm, geometry.column_spacing_mm)
    z = float(round(at[0]))
    start, end = (z, at[1] - half[0], at[2] - half[1]), (z, at[1] + half[0], at[2] + half[1])
    if not all(0 <= p <= n - 1 for one in (start, end) for p, n in zip(one, geometry.shape, strict=True)):
        return None, at, turned
    return Line(start=_index3(start), end=_index3(end)), at, turned


def _index3(point: Sequence[float]) -> Index3:
    z, y, x = (float(p) for p in point)
    return z, y, x


def _note(by: str, off: float, stands_out: bool, contrast: tuple[float, float], *, hounsfield: bool) -> str:
    where = {
        "surroundings": f"placed by its surroundings, within about {off:.0f} mm",
        "own look": f"placed by its own look alone, within about {off:.0f} mm",
        "rigid": f"placed by the whole liver alone, may be {off:.0f} mm off or more",
    }[by]
    before, now = contrast
    both = np.isfinite(before) and np.isfinite(now)
    sizes = f" ({before:+.0f} HU, now {now:+.0f} HU)" if hounsfield and both else ""
    if stands_out:
        return f"{where}; something stands out there as before{sizes}: look"
    return f"{where}; place only, look: it does not stand out as before{sizes}"
