"""RT Structure Sets become masks by pixel centres: closed forms, rational arithmetic and matplotlib say which are inside."""

from __future__ import annotations

import math
from fractions import Fraction
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest
from build_series import axial, enhanced, write
from build_structure_set import Region, write_structure_set
from matplotlib.path import Path as Outline
from pydicom import dcmread

from mrecist.cli import main
from mrecist.errors import MaskError
from mrecist.imaging.contours import rasterise, read_masks, read_structure_set
from mrecist.imaging.masks import LesionMask, SegmentationMasks
from mrecist.imaging.scan import scan_folder
from mrecist.imaging.series import Series
from mrecist.measure.lesion import measure_lesion
from mrecist.tables import read_measurements

ROWS, COLUMNS = 60, 70
SPACING = (0.8, 0.7)
ORIGIN = (-50.0, -60.0)
CENTRE = (-26.1, -36.3)
"""(x, y) in LPS mm; no pixel centre, no symmetry with the lattice."""


@pytest.fixture
def images(tmp_path: Path) -> list[Path]:
    return write(tmp_path / "ct", axial(5, Rows=ROWS, Columns=COLUMNS))


def series_in(folder: Path) -> tuple[Series, ...]:
    return scan_folder(folder / "ct").series


def circle(radius: float, z: float, count: int = 720, centre: tuple[float, float] = CENTRE) -> npt.NDArray[np.float64]:
    angle = np.linspace(0, 2 * np.pi, count, endpoint=False)
    return np.stack([centre[0] + radius * np.cos(angle), centre[1] + radius * np.sin(angle), np.full(count, z)], axis=1)


def distances() -> npt.NDArray[np.float64]:
    """mm from CENTRE of every pixel centre (Y, X)."""
    y = ORIGIN[1] + SPACING[0] * np.arange(ROWS)[:, None] - CENTRE[1]
    x = ORIGIN[0] + SPACING[1] * np.arange(COLUMNS)[None, :] - CENTRE[0]
    return np.hypot(x, y)


def only(found: SegmentationMasks) -> LesionMask:
    (mask,) = found.masks
    return mask


def test_a_disc_and_a_ring_on_their_slices(images: list[Path], tmp_path: Path) -> None:
    """720 corners: the outline is nowhere more than 15 (1 - cos 0.25 deg) = 0.00014 mm inside the circle."""
    regions = [
        Region("T01", [(images[1], circle(15, 103)), (images[2], circle(15, 106)), (images[3], circle(15, 109))]),
        Region("T01 viable", [(images[2], circle(15, 106)), (images[2], circle(8, 106))]),
    ]
    found = read_masks(write_structure_set(tmp_path / "rt.dcm", images, regions), series_in(tmp_path))
    mask = only(found)
    disc, hole = distances() <= 15, distances() <= 8
    assert np.abs(distances() - 15).min() > 2e-4
    assert np.abs(distances() - 8).min() > 2e-4
    expected = np.zeros((5, ROWS, COLUMNS), dtype=bool)
    expected[1:4] = disc
    assert np.array_equal(mask.whole, expected)
    assert mask.viable is not None
    assert np.array_equal(mask.viable[2], disc & ~hole)
    assert not mask.viable[[0, 1, 3, 4]].any()
    (series,) = series_in(tmp_path)
    assert (mask.lesion, mask.reader, mask.series_uid) == ("T01", "READER^O", series.uid)
    assert found.notes == ("segment 1 'T01': its type says only 'nothing'; taken as a lesion by its name",)


def test_a_keyhole_is_a_ring(images: list[Path], tmp_path: Path) -> None:
    """One contour: round the outside, along a channel of no width to the hole, round it the other way, and back."""
    outer, inner = circle(15, 106), circle(8, 106)[::-1]
    keyhole = np.concatenate([outer, outer[:1], inner[-1:], inner, outer[:1]])
    regions = [Region("T01", [(images[2], keyhole)])]
    mask = only(read_masks(write_structure_set(tmp_path / "rt.dcm", images, regions), series_in(tmp_path)))
    assert np.array_equal(mask.whole[2], (distances() <= 15) & (distances() > 8))


def test_an_island_in_a_hole(images: list[Path], tmp_path: Path) -> None:
    rings = [(images[2], circle(r, 106)) for r in (15, 8, 3)]
    path = write_structure_set(tmp_path / "rt.dcm", images, [Region("T01", rings)])
    mask = only(read_masks(path, series_in(tmp_path)))
    expected = ((distances() <= 15) & (distances() > 8)) | (distances() <= 3)
    assert np.array_equal(mask.whole[2], expected)


def rational_inside(points: npt.NDArray[np.float64], row: int, column: int) -> bool:
    """Crossings of a ray to the right, in exact arithmetic; no lattice point lies on these outlines."""
    inside = False
    corners = [(Fraction(float(r)), Fraction(float(c))) for r, c in points]
    for (r1, c1), (r2, c2) in zip(corners, [*corners[1:], corners[0]], strict=True):
        if (r1 > row) != (r2 > row) and column < c1 + (row - r1) * (c2 - c1) / (r2 - r1):
            inside = not inside
    return inside


@pytest.mark.parametrize("seed", range(12))
def test_random_outlines_against_rational_arithmetic_and_matplotlib(seed: int) -> None:
    """Stars with 5 to 20 corners, concave and often crossing themselves; even-odd, as matplotlib does for one closed path."""
    rng = np.random.default_rng(seed)
    count = int(rng.integers(5, 21))
    points = rng.uniform(1, 22, size=(count, 2)) + rng.uniform(0.001, 0.009)
    mask = rasterise([(0, points)], (1, 24, 24))[0]
    exact = np.array([[rational_inside(points, r, c) for c in range(24)] for r in range(24)])
    assert np.array_equal(mask, exact)
    if not crosses_itself(points):
        lattice = np.array([[r, c] for r in range(24) for c in range(24)])
        assert np.array_equal(mask, Outline(points).contains_points(lattice).reshape(24, 24))
    assert mask.any()


def crosses_itself(points: npt.NDArray[np.float64]) -> bool:
    def turn(a: npt.NDArray[np.float64], b: npt.NDArray[np.float64], c: npt.NDArray[np.float64]) -> bool:
        return bool((b[0] - a[0]) * (c[1] - a[1]) - (b[1] - a[1]) * (c[0] - a[0]) > 0)

    edges = [(points[i], points[(i + 1) % len(points)]) for i in range(len(points))]
    return any(
        turn(a, b, c) != turn(a, b, d) and turn(c, d, a) != turn(c, d, b)
        for i, (a, b) in enumerate(edges)
        for c, d in edges[i + 2 : len(edges) - (i == 0)]
    )


def test_an_outline_through_pixel_centres_contains_them() -> None:
    """Writers that trace masks run through the centres of the outermost pixels: the mask comes back whole."""
    square = np.array([[2.0, 3.0], [2.0, 7.0], [5.0, 7.0], [5.0, 3.0]])
    expected = np.zeros((1, 9, 9), dtype=bool)
    expected[0, 2:6, 3:8] = True
    assert np.array_equal(rasterise([(0, square)], (1, 9, 9)), expected)


@pytest.mark.parametrize("radius", [5.0, 8.3, 12.7, 15.0])
def test_the_error_of_a_diameter_is_below_a_pixel(radius: float, images: list[Path], tmp_path: Path) -> None:
    """docs/imaging.md: a pixel is in or out, so a diameter is within one pixel diagonal of that of the outline."""
    path = write_structure_set(tmp_path / "rt.dcm", images, [Region("T01", [(images[2], circle(radius, 106))])])
    mask = only(read_masks(path, series_in(tmp_path)))
    measured = measure_lesion(mask.whole, mask.geometry)
    assert measured.longest is not None
    assert abs(measured.longest.mm - 2 * radius) < math.hypot(*SPACING)
    area = mask.whole.sum() * SPACING[0] * SPACING[1]
    assert area == pytest.approx(math.pi * radius**2, rel=0.025)


def test_contours_without_images_are_placed_by_position(images: list[Path], tmp_path: Path) -> None:
    path = write_structure_set(tmp_path / "rt.dcm", images, [Region("T01", [(None, circle(9, 106))])], named=False)
    found = read_masks(path, series_in(tmp_path))
    assert np.array_equal(only(found).whole[2], distances() <= 9)
    assert any("names no images; placed on series" in note for note in found.notes)


def test_oblique_and_coronal_slices(tmp_path: Path) -> None:
    cosines = [0.8, 0.6, 0.0, 0.0, 0.0, -1.0]
    normal = np.cross(cosines[:3], cosines[3:])
    stack = axial(5, Rows=ROWS, Columns=COLUMNS, ImageOrientationPatient=cosines)
    for index, image in enumerate(stack):
        image.position = tuple(float(v) for v in np.round(3 * index * normal, 6))
    images = write(tmp_path / "ct", stack)
    angle = np.linspace(0, 2 * np.pi, 720, endpoint=False)
    x, y = 20.05 + 9 * np.cos(angle), 21.07 + 9 * np.sin(angle)
    points = 6 * normal + x[:, None] * np.array(cosines[:3]) + y[:, None] * np.array(cosines[3:])
    path = write_structure_set(tmp_path / "rt.dcm", images, [Region("T01", [(images[2], points)])])
    mask = only(read_masks(path, series_in(tmp_path)))
    at = np.hypot(SPACING[1] * np.arange(COLUMNS)[None, :] - 20.05, SPACING[0] * np.arange(ROWS)[:, None] - 21.07)
    assert np.array_equal(mask.whole[mask.slice_uids.index(dcmread(images[2]).SOPInstanceUID)], at <= 9)  # type: ignore[union-attr]


def test_contours_off_the_slices_or_the_image_are_refused(images: list[Path], tmp_path: Path) -> None:
    cases = [
        (circle(9, 104.5), r"contour 1 lies on no slice of .*: its points are up to 1\.50 mm off the nearest"),
        (circle(9, 106)[:, [0, 2, 1]], "lies on no slice"),
        (circle(9, 106, centre=(-47.0, -36.3)), r"leaves the image of .* by 8\.\d pixels"),
    ]
    for points, text in cases:
        path = write_structure_set(tmp_path / "rt.dcm", images, [Region("T01", [(images[2], points)])])
        with pytest.raises(MaskError, match=text):
            read_masks(path, series_in(tmp_path))


def test_what_encloses_nothing_is_said(images: list[Path], tmp_path: Path) -> None:
    contours = [(images[1], circle(9, 103)), (images[2], circle(9, 106)[:2]), (images[3], circle(9, 109))]
    kinds = ["CLOSED_PLANAR", "CLOSED_PLANAR", "OPEN_PLANAR"]
    found = read_masks(
        write_structure_set(tmp_path / "rt.dcm", images, [Region("T01", contours, kinds=kinds)]), series_in(tmp_path)
    )
    assert found.notes[1:] == (
        "segment 1 'T01': contour 2 (CLOSED_PLANAR, 2 points) encloses nothing; not used",
        "segment 1 'T01': contour 3 (OPEN_PLANAR, 720 points) encloses nothing; not used",
    )
    assert only(found).whole.any(axis=(1, 2)).tolist() == [False, True, False, False, False]


def test_slices_left_out_are_said(images: list[Path], tmp_path: Path) -> None:
    contours = [(images[0], circle(9, 100)), (images[3], circle(9, 109))]
    found = read_masks(write_structure_set(tmp_path / "rt.dcm", images, [Region("T01", contours)]), series_in(tmp_path))
    assert "no contour on slice 1, 2 between others; nothing is interpolated" in found.notes[-1]


def test_types_codes_and_interpreters(images: list[Path], tmp_path: Path) -> None:
    ring = [(images[2], circle(9, 106))]
    regions = [
        Region("Liver", ring, "ORGAN"),
        Region("PTV_1", ring, "PTV"),
        Region("BODY", ring, "EXTERNAL"),
        Region("Spleen", ring),
        Region("lobe", ring, "GTV", interpreter="READER^B"),
        Region("NT01", ring, code=("4147007", "SCT", "Mass")),
        Region("NEW1", []),
    ]
    path = write_structure_set(tmp_path / "rt.dcm", images, regions)
    found = read_structure_set(path, series_in(tmp_path))
    assert [(m.lesion, m.reader) for m in found.masks] == [("NT01", "READER^O"), ("lobe", "READER^B")]
    assert [text.split("'")[1] for text in found.skipped] == ["Liver", "PTV_1", "BODY", "Spleen"]
    assert "segment 7 'NEW1': no closed contour; taken as not drawn" in found.notes


def test_organs_alone_need_no_images(images: list[Path], tmp_path: Path) -> None:
    path = write_structure_set(tmp_path / "rt.dcm", images, [Region("Liver", [(images[2], circle(9, 106))], "ORGAN")])
    assert read_masks(path, ()).masks == ()
    path = write_structure_set(tmp_path / "rt.dcm", images, [Region("T01", [(images[2], circle(9, 106))])])
    with pytest.raises(MaskError, match="which is not among the images given; add the images"):
        read_masks(path, ())


@pytest.mark.parametrize("data", ["1\\2\\3\\4", "1\\2\\x\\4\\5\\6\\7\\8\\9"])
def test_damaged_contours(data: str, images: list[Path], tmp_path: Path) -> None:
    path = write_structure_set(tmp_path / "rt.dcm", images, [Region("T01", [(images[2], circle(9, 106))])])
    ds = dcmread(path)
    ds.ROIContourSequence[0].ContourSequence[0]["ContourData"]._value = data.split("\\")
    ds.save_as(path)
    with pytest.raises(MaskError, match=r"region T01: contour 1 holds|cannot be read"):
        read_masks(path, series_in(tmp_path))


def test_frames_of_an_enhanced_image(tmp_path: Path) -> None:
    positions = [(*ORIGIN, 100.0 + 3 * i) for i in range(5)]
    ds = enhanced(positions, [1] * 5, list(range(5)))
    (tmp_path / "ct").mkdir()
    ds.save_as(tmp_path / "ct" / "mf.dcm", enforce_file_format=True)
    square = np.array([[-48.6, -59.2, 106.0], [-46.5, -59.2, 106.0], [-46.5, -57.6, 106.0], [-48.6, -57.6, 106.0]])
    path = write_structure_set(
        tmp_path / "rt.dcm", [tmp_path / "ct" / "mf.dcm"], [Region("T01", [(tmp_path / "ct" / "mf.dcm", square)])]
    )
    mask = only(read_masks(path, series_in(tmp_path)))
    assert np.argwhere(mask.whole).tolist() == [[2, r, c] for r in (1, 2, 3) for c in (2, 3, 4, 5)]


def test_the_scan_finds_structure_sets(images: list[Path], tmp_path: Path) -> None:
    write_structure_set(tmp_path / "rt.dcm", images, [Region("T01", [(images[2], circle(9, 106))])])
    scan = scan_folder(tmp_path)
    (found,), (series,) = scan.segmentations, scan.series
    assert (found.referenced_series_uid, found.subject) == (series.uid, "P1")
    assert scan.others == ()


def test_measure_and_score_take_structure_sets(tmp_path: Path) -> None:
    """A disc of 24 mm with a viable rim of 24 mm round a hole of 10 mm: the viable line may not cross the hole."""
    study = tmp_path / "study"
    images = write(study / "images", axial(5, Rows=ROWS, Columns=COLUMNS, ClinicalTrialTimePointID="0"))
    rim = [(images[2], circle(12, 106)), (images[2], circle(5, 106))]
    regions = [Region("T01", [(images[2], circle(12, 106))], "GTV"), Region("T01 viable", rim)]
    (study / "masks").mkdir()
    path = write_structure_set(study / "masks" / "rt.dcm", images, regions)
    out = tmp_path / "m.csv"
    assert main(["measure", "--seg", str(path), "--images", str(study / "images"), "--out", str(out)]) == 0
    (row,) = read_measurements(out).rows
    assert (row.subject, row.reader, row.lesion, row.timepoint) == ("P1", "READER^O", "T01", 0)
    assert row.longest_mm is not None
    assert row.viable_mm is not None
    assert abs(float(row.longest_mm) - 24) < math.hypot(*SPACING)
    assert abs(float(row.viable_mm) - 2 * math.sqrt(12**2 - 5**2)) < 2 * math.hypot(*SPACING)  # the tangent of the hole
    assert main(["score", str(study), "--out", str(tmp_path / "out")]) == 0
    (scored,) = read_measurements(tmp_path / "out" / "measurements.csv").rows
    assert (scored.lesion, scored.longest_mm, scored.viable_mm) == ("T01", row.longest_mm, row.viable_mm)
