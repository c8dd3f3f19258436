"""The plot of a lesion: where its lines end, how long they are, what stands at the edges. Expected places are worked out by hand."""

from __future__ import annotations

import runpy
from dataclasses import replace
from decimal import Decimal
from math import hypot
from pathlib import Path
from typing import Any

import matplotlib as mpl
import numpy as np
import pytest
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

import mrecist
from mrecist.errors import InputError, MaskError
from mrecist.imaging.geometry import Geometry
from mrecist.measure.conventions import Convention
from mrecist.measure.measured import LesionMeasurement
from mrecist.pictures.slices import direction_letters, edge_letters, lesion_lines

mpl.use("Agg")
AXIAL = ((1.0, 0.0, 0.0), (0.0, 1.0, 0.0))


def geometry(
    shape: tuple[int, int, int] = (4, 120, 150),
    rows: float = 1.4,
    columns: float = 0.6,
    directions: tuple[tuple[float, float, float], tuple[float, float, float]] = AXIAL,
) -> Geometry:
    step = np.cross(*directions)
    return Geometry(
        shape=shape,
        origins_lps=tuple((float(x), float(y), float(z)) for x, y, z in (3 * k * step for k in range(shape[0]))),
        row_direction=directions[0],
        column_direction=directions[1],
        row_spacing_mm=rows,
        column_spacing_mm=columns,
        slice_step_mm=3.0,
    )


def box_lesion() -> tuple[np.ndarray, np.ndarray]:
    """Slice 2: 11 rows (40 to 50) of 31 columns (60 to 90), of which the left 16 columns are viable on slice 1 only."""
    whole = np.zeros((4, 120, 150), bool)
    whole[1, 42:49, 60:86] = True
    whole[2, 40:51, 60:91] = True
    viable = np.zeros_like(whole)
    viable[1, 42:49, 60:76] = True
    return whole, viable


def measured(whole: np.ndarray, where: Geometry, viable: np.ndarray | None = None) -> LesionMeasurement:
    return mrecist.measure_lesion(whole, where, viable, convention=Convention.CENTRE)


def drawn(ax: Any, role: str) -> dict[str, list[tuple[float, float]]]:
    """Data points of the lines of one role by name."""
    found = {str(line.get_gid()): line.get_xydata().tolist() for line in ax.lines}
    return {gid.removeprefix(f"{role}-"): points for gid, points in found.items() if gid.startswith(f"{role}-")}


def words(ax: Any, role: str) -> dict[str, Any]:
    return {t.get_gid().removeprefix(f"{role}-"): t for t in ax.texts if str(t.get_gid()).startswith(f"{role}-")}


def new_axes() -> Any:
    figure = Figure(figsize=(5, 5))
    FigureCanvasAgg(figure)
    return figure.subplots()


@pytest.mark.parametrize(("rows", "columns"), [(1.4, 0.6), (0.7, 0.7), (0.5, 1.5)])
def test_lines_end_at_their_pixels_and_are_as_long_as_their_mm(rows: float, columns: float) -> None:
    where = geometry(rows=rows, columns=columns)
    whole, viable = box_lesion()
    found = measured(whole, where, viable)
    ax = mrecist.plot_lesion(whole, where, found, viable, ax=new_axes())
    lines = drawn(ax, "diameter")
    # Corner to corner between pixel centres: rows 40 and 50, columns 60 and 90; the direction is one of the two diagonals.
    ends = sorted(lines["longest"])
    assert [x for x, _ in ends] == pytest.approx([60 * columns, 90 * columns])
    assert sorted(y for _, y in ends) == pytest.approx([40 * rows, 50 * rows])
    assert hypot(30 * columns, 10 * rows) == pytest.approx(found.longest.mm)
    for name, ((x1, y1), (x2, y2)) in lines.items():
        assert hypot(x2 - x1, y2 - y1) == pytest.approx(getattr(found, name).mm, abs=1e-9)
    assert ax.get_aspect() == 1


def test_a_line_is_drawn_on_its_own_slice_only_and_the_other_is_said() -> None:
    where = geometry()
    whole, viable = box_lesion()
    found = measured(whole, where, viable)
    ax = mrecist.plot_lesion(whole, where, found, viable, ax=new_axes())
    assert set(drawn(ax, "diameter")) == {"longest", "short"}
    assert ax.get_title() == "slice 3 of 4 · mask only"
    # 15 columns of 0.6 mm and 6 rows of 1.4 mm: hypot(9, 8.4) = 12.31.
    assert ax.get_xlabel().splitlines()[0] == "viable 12.3 mm: on slice 2"
    ax = mrecist.plot_lesion(whole, where, found, viable, diameter="viable", short_axes=False, ax=new_axes())
    assert set(drawn(ax, "diameter")) == {"viable"}
    assert ax.get_title() == "slice 2 of 4 · mask only"
    # 30 columns of 0.6 mm and 10 rows of 1.4 mm: hypot(18, 14) = 22.80.
    assert ax.get_xlabel() == "longest 22.8 mm: on slice 3"


def test_caps_stand_across_the_line_at_its_ends() -> None:
    where = geometry()
    whole, _ = box_lesion()
    ax = mrecist.plot_lesion(whole, where, measured(whole, where), ax=new_axes())
    start, end = (np.array(point) for point in drawn(ax, "diameter")["longest"])
    caps = [np.array(line.get_xydata()) for line in ax.lines if line.get_gid() == "cap-longest"]
    assert sorted(cap.mean(axis=0).tolist() for cap in caps) == [
        pytest.approx(point) for point in sorted((start.tolist(), end.tolist()))
    ]
    for cap in caps:
        assert (cap[1] - cap[0]) @ (end - start) == pytest.approx(0, abs=1e-9)


def test_the_image_lies_below_the_lines() -> None:
    """The bright pixel of the image covers the data coordinates around (column * spacing, row * spacing)."""
    where = geometry()
    whole, _ = box_lesion()
    voxels = np.zeros(where.shape)
    voxels[2, 45, 75] = 1000
    for given in (voxels, voxels[2]):
        ax = mrecist.plot_lesion(whole, where, measured(whole, where), voxels=given, modality="CT", ax=new_axes())
        (image,) = ax.images
        left, right, bottom, top = image.get_extent()
        grey = np.asarray(image.get_array())
        row, column = np.argwhere(grey == grey.max())[0]
        x = left + (column + 0.5) * (right - left) / grey.shape[1]
        y = top + (row + 0.5) * (bottom - top) / grey.shape[0]
        assert (x, y) == pytest.approx((75 * 0.6, 45 * 1.4))
        assert ax.get_title() == "slice 3 of 4 · C 70 W 350"


def test_windows() -> None:
    where = geometry()
    whole, _ = box_lesion()
    voxels = np.broadcast_to(np.linspace(0, 100, 120 * 150).reshape(120, 150), where.shape)
    found = measured(whole, where)
    # The 2nd and 99th percentile of 0 to 100 in even steps are 2 and 99.
    assert "C 50 W 97" in mrecist.plot_lesion(whole, where, found, voxels=voxels, ax=new_axes()).get_title()
    ax = mrecist.plot_lesion(whole, where, found, voxels=voxels, modality="CT", window=(40, 400), ax=new_axes())
    assert ax.get_title().endswith("C 40 W 400")
    nothing = np.full(where.shape, np.nan)
    mrecist.plot_lesion(whole, where, found, voxels=nothing, ax=new_axes())


@pytest.mark.parametrize("seed", range(12))
def test_labels_stand_outside_the_lesion_and_apart(seed: int) -> None:
    rng = np.random.default_rng(seed)
    where = geometry(shape=(1, 200, 200), rows=0.8, columns=0.8)
    y, x = np.mgrid[:200, :200]
    angle = np.arctan2(y - 100, x - 100)
    radius = rng.uniform(8, 50) * (1 + 0.2 * np.cos(rng.integers(2, 5) * angle + rng.uniform(0, 6)))
    whole = (np.hypot(y - 100, x - 100) < radius)[None]
    viable = whole & (np.hypot(y - 100, x - 110) > 0.4 * radius)[None]
    ax = mrecist.plot_lesion(whole, where, mrecist.measure_lesion(whole, where, viable), viable, ax=new_axes())
    figure = ax.figure
    figure.canvas.draw()
    renderer = figure.canvas.get_renderer()
    boxes = []
    texts = [*words(ax, "label").values(), *words(ax, "letter").values(), *words(ax, "scale").values()]
    assert set(words(ax, "label")) == {"longest", "short", "viable", "viable_short"}
    for text in texts:
        boxes.append(text.get_window_extent(renderer).transformed(ax.transData.inverted()))
    for text, box in zip(texts, boxes, strict=True):
        left, right = sorted((box.x0, box.x1))
        low, high = sorted((box.y0, box.y1))
        rows, columns = np.nonzero(whole[0])
        covers = (columns * 0.8 > left) & (columns * 0.8 < right) & (rows * 0.8 > low) & (rows * 0.8 < high)
        assert not covers.any(), text.get_text()
    for one, box in enumerate(boxes):
        assert not any(box.overlaps(other) for other in boxes[one + 1 :])


def test_labels_of_a_lesion_that_fills_the_picture_stay_in_it_and_apart() -> None:
    where = geometry(shape=(1, 40, 40), rows=1.0, columns=1.0)
    whole = np.ones((1, 40, 40), bool)
    ax = mrecist.plot_lesion(whole, where, measured(whole, where, whole), whole, ax=new_axes())
    ax.figure.canvas.draw()
    boxes = [text.get_window_extent() for text in words(ax, "label").values()]
    frame = ax.get_window_extent()
    assert len(boxes) == 4
    for one, box in enumerate(boxes):
        assert frame.x0 <= box.x0
        assert box.x1 <= frame.x1
        assert frame.y0 <= box.y0
        assert box.y1 <= frame.y1
        assert not any(box.overlaps(other) for other in boxes[one + 1 :])


def test_the_scale_bar_is_as_long_as_it_says() -> None:
    where = geometry()
    whole, _ = box_lesion()
    ax = mrecist.plot_lesion(whole, where, measured(whole, where), ax=new_axes())
    x = [point[0] for point in drawn(ax, "scale")["scale"]]
    assert max(x) - min(x) == pytest.approx(20)
    assert words(ax, "scale")["scale"].get_text() == "20 mm"


@pytest.mark.parametrize(
    ("directions", "letters"),
    [
        # DICOM PS3.3 C.7.6.2: LPS, so columns that run along +x end at the left side of the patient.
        (((1, 0, 0), (0, 1, 0)), ("R", "L", "A", "P")),
        (((-1, 0, 0), (0, -1, 0)), ("L", "R", "P", "A")),
        (((1, 0, 0), (0, 0, -1)), ("R", "L", "H", "F")),  # coronal
        (((0, 1, 0), (0, 0, -1)), ("A", "P", "H", "F")),  # sagittal
        (((0.8, -0.6, 0), (0.6, 0.8, 0)), ("RP", "LA", "AR", "PL")),  # turned by 37 degrees
        (((0.995, 0.0998, 0), (-0.0998, 0.995, 0)), ("R", "L", "A", "P")),  # by 6 degrees
    ],
)
def test_letters_of_the_edges(directions: Any, letters: tuple[str, str, str, str]) -> None:
    floats = tuple(tuple(float(part) for part in one) for one in directions)
    assert edge_letters(geometry(directions=floats)) == letters  # type: ignore[arg-type]


def test_three_letters_where_a_direction_leans_on_all_axes() -> None:
    assert direction_letters(np.array((0.6, -0.64, 0.48))) == "ALH"


@pytest.mark.parametrize("flip", [(1, 1), (-1, 1), (1, -1), (-1, -1)])
def test_the_patient_is_shown_the_same_way_however_the_file_is_stored(flip: tuple[int, int]) -> None:
    """The patient's right on the left of the picture, the front at its top, for rows and columns stored either way."""
    where = geometry(directions=((float(flip[0]), 0.0, 0.0), (0.0, float(flip[1]), 0.0)))
    whole, _ = box_lesion()
    ax = mrecist.plot_lesion(whole, where, measured(whole, where), ax=new_axes())
    ax.figure.canvas.draw()
    at = {text.get_text(): ax.transData.transform(text.get_position()) for text in words(ax, "letter").values()}
    assert at["R"][0] < at["L"][0]
    assert at["A"][1] > at["P"][1]
    (bar,) = (line.get_xydata().mean(axis=0) for line in ax.lines if line.get_gid() == "scale-scale")
    left, low = ax.transAxes.inverted().transform(ax.transData.transform(bar))
    assert left < 0.5
    assert low < 0.1


def test_sizes_are_those_recorded_or_rounded_half_away_from_zero() -> None:
    where = geometry()
    whole, _ = box_lesion()
    found = measured(whole, where)
    found = replace(found, longest=replace(found.longest, mm=22.25))
    assert {line.name: line.text for line in lesion_lines(found, where)}["longest"] == "longest 22.3 mm"
    (line,) = lesion_lines(found, where, {"longest": Decimal("22"), "short": None})
    assert (line.text, line.slice_index) == ("longest 22 mm", 2)
    (row_a, column_a), (row_b, column_b) = line.ends_index
    assert line.ends_mm == ((column_a * 0.6, row_a * 1.4), (column_b * 0.6, row_b * 1.4))
    assert line.ends_lps == found.longest.ends_lps


def test_only_the_viable_part_of_this_lesion_is_drawn() -> None:
    """The viable mask of a whole volume, as numbers: another lesion in the picture keeps its own to itself."""
    where = geometry()
    whole, _ = box_lesion()
    viable = np.zeros(where.shape, np.uint8)
    viable[2, 42:45, 62:70] = viable[2, 60:64, 70:80] = 3
    ax = mrecist.plot_lesion(whole, where, measured(whole, where), viable, ax=new_axes())
    outline = np.array([line.get_xydata() for line in ax.lines if line.get_gid() == "outline-viable"])
    assert len(outline) == 1
    # Half a pixel around the centres of rows 42 to 44 and columns 62 to 69.
    assert outline[0].min(axis=0) == pytest.approx((61.5 * 0.6, 41.5 * 1.4))
    assert outline[0].max(axis=0) == pytest.approx((69.5 * 0.6, 44.5 * 1.4))


def test_a_new_figure_without_axes() -> None:
    from matplotlib import pyplot

    where = geometry()
    whole, _ = box_lesion()
    ax = mrecist.plot_lesion(whole, where, measured(whole, where))
    assert ax.figure.number in pyplot.get_fignums()  # type: ignore[union-attr]
    pyplot.close("all")


def test_what_does_not_fit_is_refused() -> None:
    where = geometry()
    whole, viable = box_lesion()
    found = measured(whole, where)
    with pytest.raises(MaskError, match=r"holds int64, not bool: choose one lesion"):
        mrecist.plot_lesion(whole.astype(np.int64), where, found)  # type: ignore[arg-type]
    with pytest.raises(MaskError, match=r"viable mask has shape \(4, 120, 149\)"):
        mrecist.plot_lesion(whole, where, found, viable[:, :, 1:])
    with pytest.raises(InputError, match=r"voxels have shape \(3, 120, 150\)"):
        mrecist.plot_lesion(whole, where, found, voxels=np.zeros((3, 120, 150)))
    with pytest.raises(InputError, match="no viable diameter"):
        mrecist.plot_lesion(whole, where, found, diameter="viable")
    with pytest.raises(MaskError, match="empty on slice 2"):
        mrecist.plot_lesion(np.roll(whole, 2, axis=0), where, found)


def test_the_picture_of_the_page_is_made_from_the_sample(tmp_path: Path) -> None:
    script = Path(__file__).parents[2] / "docs" / "img" / "lesion.py"
    runpy.run_path(str(script))["main"](tmp_path / "lesion.png")
    assert (tmp_path / "lesion.png").read_bytes()[:8] == b"\x89PNG\r\n\x1a\n"
