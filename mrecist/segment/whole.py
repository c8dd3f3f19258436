"""A whole lesion from its long axis: a graph cut over one or two phases.

What the tissue along the line looks like (a joint histogram of the phases) is told from what lies well around the lesion;
neighbouring voxels that look alike are kept together; an ellipsoid around the line, fitted to what is seen, decides where values
do not. The costs are those of interactive graph cuts (Boykov & Jolly 2001), with
the line as the only stroke; the histograms are learnt once more from the first result (as GrabCut: Rother, TOG 2004).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from mrecist.errors import MaskError
from mrecist.segment.crop import BoolArray, Crop, FloatArray, Spacing, crop_around, enlarge, shrink
from mrecist.segment.cut import minimum_cut
from mrecist.segment.place import Ellipsoid, Place, fit_ellipsoid, place_of
from mrecist.segment.prompt import Line, Scribbles

_SMALLEST_MM = 3.0
# Where the ball around the line cuts the lesion off, balls this much wider are tried.
_WIDER = (1.3, 1.7)
_HELD_BACK = 0.4
_FAT_HU = -20.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """Numbers of the cut; the defaults were chosen on made blocks and two real tumours (docs/segmentation.md).

    margin : half of the box as a multiple of half the line, and ``margin_mm`` more.
    shell : nothing is lesion beyond this multiple of half the line, and ``shell_mm`` more, from its middle.
    learn, learn_mm : the background is learnt from there outwards; farther than the shell, as a line may be too short.
    tube_mm : the lesion is learnt within this distance of the line.
    window : values are told apart as far as this beyond those along the line (HU); what lies farther off is one value.
    other_lesion : how much of a lesion is of any other value than seen so far, ``like_liver`` as the background is, and
        ``other_liver`` how much of the background is of any other value: a lesion is less of a kind than what lies around.
    smooth : cost of a border between voxels that look the same.
    radial : weight of the place (inside or outside the fitted ellipsoid), and ``doubt`` more the less the values of lesion and
        background differ (by the square of the Bhattacharyya coefficient of their histograms).
    ball, steep, most_in, most_out : where the place turns from lesion to background (1 is the surface), how fast, and how far.
    again : the background is learnt again beyond this multiple of the ellipsoid.
    opening_mm : thinner outgrowths are taken off.
    """

    margin: float = 1.35
    margin_mm: float = 6.0
    shell: float = 1.22
    shell_mm: float = 2.0
    learn: float = 1.5
    learn_mm: float = 4.0
    tube_mm: float = 2.0
    window: float = 100.0
    bin_hu: float = 4.0
    blur_hu: float = 7.0
    other_lesion: float = 0.3
    like_liver: float = 0.02
    other_liver: float = 0.02
    most_cost: float = 6.0
    smooth: float = 2.0
    radial: float = 0.3
    doubt: float = 3.0
    ball: float = 1.0
    steep: float = 3.0
    most_in: float = 1.0
    most_out: float = 2.0
    again: float = 1.5
    opening_mm: float = 1.2
    rounds: int = 2


def segment_line(
    phases: Sequence[FloatArray],
    spacing_mm: Spacing,
    line: Line,
    scribbles: Scribbles | None = None,
    settings: Settings | None = None,
) -> BoolArray:
    """The lesion whose long axis was drawn.

    Parameters
    ----------
    phases : volumes (Z, Y, X) on one grid, already aligned; the arterial one first.
    spacing_mm : distance of voxels (z, y, x).
    line : the long axis.
    scribbles : voxels that the reader marked since.

    Returns
    -------
    (Z, Y, X) bool on the grid of the volumes.

    Raises
    ------
    MaskError : the line is shorter than 3 mm or leaves the volume, or the volumes have different shapes.
    """
    settings = settings or Settings()
    shape = _checked(phases, spacing_mm, line)
    half = _length_mm(line, spacing_mm) / 2
    for reach in (1.0, *_WIDER):
        whole, held_back = _within(phases, spacing_mm, shape, line, scribbles, settings, half * reach)
        if not held_back:
            break
    return whole


def _within(
    phases: Sequence[FloatArray],
    spacing_mm: Spacing,
    shape: tuple[int, int, int],
    line: Line,
    scribbles: Scribbles | None,
    settings: Settings,
    half: float,
) -> tuple[BoolArray, bool]:
    """The lesion inside a ball of ``half`` mm and a little, and whether the ball held it back: the line was too short."""
    crop = crop_around(
        line, shape, spacing_mm, settings.margin * half + settings.margin_mm, settings.shell * half + settings.shell_mm
    )
    pictures = [crop.of(phase) for phase in phases]
    small = [_denoised(shrink(picture, crop.factor), crop.cell_mm) for picture in pictures]
    mask, held_back, ellipsoid = _cut(small, crop, line, scribbles, settings, half)
    mask = enlarge(mask, crop.factor, crop.shape)
    if crop.factor != (1, 1, 1):
        mask = _refined(mask, pictures, crop, line, settings, ellipsoid)
    mask = _tidy(mask, crop, line, scribbles, settings)
    whole = np.zeros(shape, dtype=np.bool_)
    whole[crop.box] = mask
    return whole, held_back


def _checked(phases: Sequence[FloatArray], spacing_mm: Spacing, line: Line) -> tuple[int, int, int]:
    shapes = {phase.shape for phase in phases}
    if len(shapes) != 1:
        raise MaskError(f"the phases have different grids {sorted(shapes)}; align them first")
    shape = shapes.pop()
    length = _length_mm(line, spacing_mm)
    if length < _SMALLEST_MM:
        raise MaskError(
            f"the line is {length:.1f} mm long; draw the long axis of the lesion, at least {_SMALLEST_MM:g} mm"
        )
    for point in (line.start, line.end):
        if not all(-0.5 <= p <= n - 0.5 for p, n in zip(point, shape, strict=True)):
            raise MaskError(f"the end {tuple(round(p, 1) for p in point)} of the line lies outside the volume {shape}")
    return shape[0], shape[1], shape[2]


def _length_mm(line: Line, spacing_mm: Spacing) -> float:
    return float(np.linalg.norm((np.array(line.end) - np.array(line.start)) * np.array(spacing_mm)))


def _denoised(picture: FloatArray, spacing_mm: Spacing) -> FloatArray:
    """Less noise with edges kept (curvature flow: Sethian 1996, SimpleITK)."""
    import SimpleITK as sitk  # noqa: N813 - the name its documentation uses

    image = sitk.GetImageFromArray(picture)
    image.SetSpacing([float(s) for s in reversed(spacing_mm)])
    flow = sitk.CurvatureFlow(image, timeStep=0.0625 * min(spacing_mm) ** 2, numberOfIterations=6)
    return np.asarray(sitk.GetArrayFromImage(flow), dtype=np.float32)


def _cut(
    pictures: list[FloatArray], crop: Crop, line: Line, scribbles: Scribbles | None, settings: Settings, half: float
) -> tuple[BoolArray, bool, Ellipsoid]:
    shape = pictures[0].shape
    cell = crop.cell_mm
    place = place_of(shape, cell, crop.cell(line.start), crop.cell(line.end))
    near = max(min(settings.tube_mm, 0.35 * half), 0.75 * min(cell))
    lesion_seed = place.from_line(0.7) <= max(0.75 * min(cell), 0.1 * half)
    middle = place.from_middle()
    outside = middle > settings.shell * half + settings.shell_mm
    must_not = outside
    if scribbles is not None:
        added = _cells(scribbles.add, crop, shape)
        lesion_seed = lesion_seed | added
        outside = outside & ~added
        must_not = outside | _cells(scribbles.remove, crop, shape)
    tube = place.from_line(0.88) <= near
    must_not = must_not | (_lean(pictures, tube) & ~lesion_seed)
    lesion_seed &= ~must_not
    links = _links(pictures, cell, settings)
    inside: BoolArray = tube
    sure = middle > settings.learn * half + settings.learn_mm
    if not sure.any():
        sure = outside
    mask = inside
    free = ~outside
    held = Place(place.along[free], place.across[free], place.through[free], place.half)
    for _ in range(settings.rounds):
        lesion_cost, background_cost, alike = _unary(pictures, inside, sure, settings)
        weight = settings.radial + settings.doubt * alike**2
        gain = (background_cost - lesion_cost)[free]
        ellipsoid = fit_ellipsoid(held, gain, half)
        pull, push = _prior(ellipsoid.depth(place), settings)
        mask = minimum_cut(lesion_cost + weight * pull, background_cost + weight * push, links, lesion_seed, must_not)
        grown = mask & (middle <= 1.1 * half)
        inside = grown | tube
        sure = ~mask & (ellipsoid.depth(place) > settings.again)
    return mask, _held_back(mask, outside), ellipsoid


def _prior(depth: FloatArray, settings: Settings) -> tuple[FloatArray, FloatArray]:
    """Costs of lesion and of background from the place alone: they decide where the pictures do not."""
    outwards = np.clip((depth - settings.ball) * settings.steep, -settings.most_in, settings.most_out)
    return np.maximum(outwards, 0), np.maximum(-outwards, 0)


def _lean(pictures: list[FloatArray], tube: BoolArray) -> BoolArray:
    """Fat and air, unless the line itself passes through as little."""
    low = np.zeros(tube.shape, dtype=np.bool_)
    for picture in pictures:
        low |= picture < min(_FAT_HU, float(np.percentile(picture[tube], 5)) - 20)
    return low


def _held_back(mask: BoolArray, outside: BoolArray) -> bool:
    """A good part of the border of the mask is the border of what was allowed."""
    from scipy.ndimage import binary_dilation

    rim = binary_dilation(mask) & ~mask
    return int((rim & outside).sum()) > _HELD_BACK * int(rim.sum())


def _cells(points: tuple[tuple[int, int, int], ...], crop: Crop, shape: tuple[int, ...]) -> BoolArray:
    held = np.zeros(shape, dtype=np.bool_)
    for point in points:
        cell = tuple(round(float(v)) for v in crop.cell(point))
        if all(0 <= c < n for c, n in zip(cell, shape, strict=True)):
            held[cell] = True
    return held


def _unary(
    pictures: list[FloatArray], lesion: BoolArray, background: BoolArray, settings: Settings
) -> tuple[FloatArray, FloatArray, float]:
    """Minus the log likelihood of each cell's values in the lesion and in the background, and how alike the two are (0 to 1)."""
    from scipy.ndimage import gaussian_filter

    bins, edges = [], []
    for picture in pictures:
        held = picture[lesion]
        low, high = np.percentile(held, [2, 98]) + np.array([-settings.window, settings.window])
        number = int(np.clip((high - low) / settings.bin_hu, 4, 80))
        edges.append(number)
        bins.append(np.clip((picture - low) / max(high - low, 1e-3) * number, 0, number - 1).astype(np.intp))
    flat = np.ravel_multi_index(bins, edges)
    costs, shares = [], []
    for region in (lesion, background):
        counts = np.bincount(flat[region], minlength=int(np.prod(edges))).reshape(edges).astype(np.float64)
        counts = gaussian_filter(counts, settings.blur_hu / settings.bin_hu, mode="constant")
        shares.append(counts / max(counts.sum(), 1e-9))
    even = 1 / float(np.prod(edges))
    a, b, c = settings.other_lesion, settings.like_liver, settings.other_liver
    mixed = [shares[0] * (1 - a - b) + b * shares[1] + a * even + 1e-7, shares[1] * (1 - c) + c * even + 1e-7]
    costs = [-np.log(m).ravel()[flat].astype(np.float32) for m in mixed]
    lowest = np.minimum(costs[0], costs[1])
    alike = float(np.sqrt(shares[0] * shares[1]).sum())
    return np.minimum(costs[0] - lowest, settings.most_cost), np.minimum(costs[1] - lowest, settings.most_cost), alike


def _links(pictures: list[FloatArray], cell: Spacing, settings: Settings) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Cost of a border between neighbours: high where they look alike, in proportion to the area of the shared face."""
    mean = float(np.prod(cell)) ** (1 / 3)
    links = []
    for axis in range(3):
        contrast = np.zeros([n - (a == axis) for a, n in enumerate(pictures[0].shape)], dtype=np.float32)
        for picture in pictures:
            change = np.diff(picture, axis=axis)
            contrast += (change / _noise(picture)) ** 2 / len(pictures)
        area = float(np.prod([c for a, c in enumerate(cell) if a != axis])) / mean**2
        links.append(np.asarray(settings.smooth * area * (np.exp(-contrast / 2) + 0.05), dtype=np.float32))
    return links[0], links[1], links[2]


def _noise(picture: FloatArray) -> float:
    """What is left of the noise after smoothing, from the differences of neighbours."""
    change = np.abs(np.diff(picture, axis=2))
    return max(float(np.median(change)) / 0.6745, 1e-3) * 2


def _refined(
    mask: BoolArray, pictures: list[FloatArray], crop: Crop, line: Line, settings: Settings, ellipsoid: Ellipsoid
) -> BoolArray:
    """The border of a coarse result again at full resolution, in a band of one coarse cell on either side."""
    from scipy.ndimage import binary_dilation, binary_erosion, find_objects

    block = np.ones((3, 3, 3) if crop.factor[0] > 1 else (1, 3, 3), dtype=np.bool_)
    times = max(crop.factor)
    (near,) = find_objects(binary_dilation(mask, iterations=times + 8).astype(np.int8))
    part = mask[near]
    small = [_denoised(picture[near], crop.spacing_mm) for picture in pictures]
    sure = binary_erosion(part, block, iterations=times)
    never = ~binary_dilation(part, block, iterations=times)
    begin = [n.start for n in near]
    ends = [crop.local(point) - begin for point in (line.start, line.end)]
    depth = ellipsoid.depth(place_of(part.shape, crop.spacing_mm, *ends))
    lesion_cost, background_cost, alike = _unary(small, part, ~part & (depth > 1.1), settings)
    weight = settings.radial + settings.doubt * alike**2
    pull, push = _prior(depth, settings)
    links = _links(small, crop.spacing_mm, settings)
    refined = np.zeros_like(mask)
    refined[near] = minimum_cut(lesion_cost + weight * pull, background_cost + weight * push, links, sure, never)
    return refined


def _tidy(mask: BoolArray, crop: Crop, line: Line, scribbles: Scribbles | None, settings: Settings) -> BoolArray:
    """The one piece at the line, without holes and thin outgrowths, with what the reader marked."""
    from scipy.ndimage import binary_fill_holes, label

    opened = _opened(mask, crop.spacing_mm, settings.opening_mm)
    shape = np.array(mask.shape)
    start, end = crop.local(line.start), crop.local(line.end)
    samples = np.rint(start + np.linspace(0.1, 0.9, 41)[:, None] * (end - start)).astype(int)
    samples = np.clip(samples, 0, shape - 1)
    for candidate in (opened, mask):
        pieces, _ = label(candidate, np.ones((3, 3, 3)))
        held = np.bincount(pieces[tuple(samples.T)])
        held[:1] = 0
        if held.any():
            chosen = pieces == int(held.argmax())
            break
    else:
        chosen = mask
    filled = np.stack([binary_fill_holes(one) for one in chosen]) if chosen.any() else chosen
    if scribbles is not None:
        for points, value in ((scribbles.add, True), (scribbles.remove, False)):
            for point in points:
                where = crop.local(point).astype(int)
                if all(0 <= w < n for w, n in zip(where, shape, strict=True)):
                    filled[tuple(where)] = value
    return np.asarray(filled, dtype=np.bool_)


def _opened(mask: BoolArray, spacing_mm: Spacing, radius_mm: float) -> BoolArray:
    """Morphological opening by a disc in each slice, through distances, so that any radius is exact."""
    from scipy.ndimage import distance_transform_edt

    result = np.zeros_like(mask)
    for z in np.flatnonzero(mask.any(axis=(1, 2))):
        core = distance_transform_edt(np.pad(mask[z], 1), sampling=spacing_mm[1:]) > radius_mm
        result[z] = (distance_transform_edt(~core, sampling=spacing_mm[1:]) <= radius_mm)[1:-1, 1:-1] & mask[z]
    return result


def dice(one: npt.NDArray[np.bool_], other: npt.NDArray[np.bool_]) -> float:
    """Overlap of two masks, 1 when both are empty."""
    total = int(one.sum()) + int(other.sum())
    return 1.0 if total == 0 else 2 * int((one & other).sum()) / total
