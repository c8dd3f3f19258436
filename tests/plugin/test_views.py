"""Where a slice is, which way up a cut is, what a window begins with, which visit is the nadir: without a window."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from odd_series import BALL, odd_study, value

from mrecist.imaging.scan import scan_folder
from mrecist.imaging.series import Series
from mrecist.imaging.volume import load_volume
from mrecist.model import Nadir
from mrecist.study import open_study
from mrecist_napari.cuts import cuts_of, lattice_of
from mrecist_napari.grid import apart_deg, beyond_mm, nearest_index, sides, warnings_of
from mrecist_napari.pane import Pane, picture_of
from mrecist_napari.priors import nadir_of
from mrecist_napari.windows import Window, next_preset, presets_of

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def series(tmp_path_factory: pytest.TempPathFactory) -> dict[int, Series]:
    """The series of the odd study by their number."""
    folder = odd_study(tmp_path_factory.mktemp("odd"))
    return {int(one.uid.rpartition(".")[2]): one for one in scan_folder(folder).series}


def test_uneven_slices_are_found_by_their_own_heights(series: dict[int, Series]) -> None:
    """Slices at -20 -17 -14 -11 -6 -1 4 9 14 19 24 29 34: the one nearest to 20 mm is the tenth, at 19."""
    geometry = series[5].geometry
    assert geometry is not None
    assert nearest_index(geometry, BALL)[0] == 9
    assert beyond_mm(geometry, (0, 0, 36)) == 0
    assert beyond_mm(geometry, (0, 0, 44)) == pytest.approx(10)
    assert beyond_mm(geometry, (0, 0, -30)) == pytest.approx(10)


def test_letters_are_those_of_the_patient(series: dict[int, Series]) -> None:
    """DICOM's axes (PS3.3 C.7.6.2.1.1): x to the left, y to the back, z to the head. As radiologists hang them: right at the left
    edge, front at the left edge of a sagittal cut, head up."""
    expected = {1: ("R", "L", "A", "P"), 6: ("A", "P", "S", "I"), 3: ("R", "L", "S", "I"), 4: ("R", "L", "A", "P")}
    assert {n: sides(series[n].geometry) for n in expected} == expected
    cuts = {n: [(c.name, c.letters) for c in cuts_of(series[n].geometry)] for n in (1, 6, 3)}
    coronal, sagittal = ("coronal", ("R", "L", "S", "I")), ("sagittal", ("A", "P", "S", "I"))
    axial = ("axial", ("R", "L", "A", "P"))
    assert cuts == {1: [coronal, sagittal], 6: [axial, coronal], 3: [axial, sagittal]}


def test_what_is_not_axial_or_not_regular_is_said(series: dict[int, Series]) -> None:
    assert warnings_of(series[1]) == ()
    assert warnings_of(series[4]) == ("axial, oblique by 15°", "gantry tilt: slices as acquired")
    assert warnings_of(series[5]) == ("uneven steps: slices as acquired",)
    assert warnings_of(series[6]) == ("sagittal",)
    assert apart_deg(series[1].geometry, series[6].geometry) == pytest.approx(90)
    assert apart_deg(series[1].geometry, series[4].geometry) == pytest.approx(15)


def test_a_regular_series_is_cut_from_its_own_voxels(series: dict[int, Series]) -> None:
    voxels = load_volume(series[6]).voxels
    lattice = lattice_of(series[6], voxels)
    assert lattice.voxels is voxels
    assert lattice.text == ""


@pytest.mark.parametrize("number", [4, 5, 6])
def test_a_reformat_shows_at_every_place_what_is_there(series: dict[int, Series], number: int) -> None:
    """The phantom is linear within the body, so linear resampling gives its closed form there; within rounding, 1 HU."""
    lattice = lattice_of(series[number], load_volume(series[number]).voxels)
    points = np.array([(x, y, z) for x in (0, 25, 50) for y in (-20, 5, 20) for z in (0, 14, 28)], dtype=float)
    seen = 0
    for point in points:
        index = np.array(lattice.index(tuple(point)))
        at = np.rint(index).astype(int)
        if (at < 1).any() or (at >= np.array(lattice.voxels.shape) - 1).any():
            continue
        there = np.array(lattice.to_lps(tuple(at.astype(float))))
        assert np.linalg.norm(there - point) < 4
        assert lattice.voxels[tuple(at)] == pytest.approx(value(there), abs=1.5)
        seen += 1
    assert seen >= 18


def test_a_mask_on_a_tilted_lattice_lies_on_its_lesion(series: dict[int, Series]) -> None:
    voxels = load_volume(series[4]).voxels
    lattice = lattice_of(series[4], voxels)
    mask = lattice.mask((voxels == 250).astype(np.uint8))
    middle = lattice.to_lps(tuple(np.argwhere(mask).mean(axis=0)))
    assert np.allclose(middle, BALL, atol=1)


def test_a_phase_is_shown_at_the_same_place_and_says_where_it_does_not_reach(series: dict[int, Series]) -> None:
    from napari.components import ViewerModel

    pane = Pane(ViewerModel())
    for number in (1, 2, 3):
        pane.add(series[number], picture_of(series[number], load_volume(series[number])))
    pane.show(series[1])
    pane.go_to_slice(30)  # 55 mm; the thick slices end at 16, the coronal ones reach it
    pane.show(series[2])
    assert (pane.slice_index, pane.beyond_mm) == (9, pytest.approx(39))
    pane.show(series[3])
    assert pane.beyond_mm == 0
    pane.show(series[1])
    assert (pane.slice_index, pane.beyond_mm) == (30, 0)
    pane.show(series[2])
    pane.go_to_slice(8)
    assert pane.beyond_mm == 0
    pane.show(series[1])
    assert pane.slice_index == round((-20 + 8 * 4 + 20) / 2.5)


def test_eight_hundred_slices() -> None:
    """One step a slice, and the last is reached."""
    from napari.components import ViewerModel

    from mrecist.imaging.geometry import Geometry

    geometry = Geometry(
        shape=(800, 4, 4),
        origins_lps=tuple((0.0, 0.0, -312.5 + 0.7 * n) for n in range(800)),
        row_direction=(1, 0, 0),
        column_direction=(0, 1, 0),
        row_spacing_mm=0.7,
        column_spacing_mm=0.7,
        slice_step_mm=0.7,
    )
    one: Any = SimpleNamespace(
        uid="1", stack=1, modality="CT", geometry=geometry, phase=SimpleNamespace(name="ARTERIAL"), slices=range(800)
    )
    voxels = np.broadcast_to(np.arange(800, dtype=np.float32)[:, None, None], (800, 4, 4))
    pane = Pane(ViewerModel())
    pane.add(one, picture_of(one, SimpleNamespace(voxels=voxels)))  # type: ignore[arg-type]
    pane.show(one)
    assert pane.viewer.dims.nsteps[0] == 800
    pane.viewer.dims.set_current_step(0, 799)
    assert pane.slice_index == 799
    assert pane.image().get_value((pane.viewer.dims.point[0], 0, 0), world=True) == 799


def test_windows_of_mr_and_pt_follow_the_values() -> None:
    """0 to 1000 in equal parts: percentiles are known."""
    voxels = np.linspace(0, 1000, 100_001, dtype=np.float32).reshape(1, 1, -1)
    assert presets_of("CT", voxels)[0] == Window(level=80, width=250, name="liver")
    mr = {p.name: p.limits for p in presets_of("MR", voxels)}
    assert mr["values"] == pytest.approx((10, 990), abs=0.1)
    assert mr["bright"] == pytest.approx((500, 998), abs=0.1)
    pt = {p.name: p.limits for p in presets_of("PT", voxels)}
    assert pt == {
        "uptake": pytest.approx((0, 999), abs=0.1),
        "half": pytest.approx((0, 499.5), abs=0.1),
        "quarter": pytest.approx((0, 249.75), abs=0.1),
    }
    presets = presets_of("MR", voxels)
    assert next_preset(presets[-1], presets) == presets[0]
    assert next_preset(presets[0].dragged(10, 0), presets) == presets[0]
    assert presets_of("MR", np.full((1, 2, 2), np.nan))[0].name == "values"


def room_with(sums: dict[int, str | None], nadir: Nadir | None = None) -> Any:
    """A room whose mRECIST sums are these; the last visit is read, and the engine's nadir there is given."""
    protocol = open_study(ROOT / "sample_data/study").protocol
    name = next(s.name for s in protocol.criteria if "viable_phases" in s.criterion.options)
    last = max(sums)
    responses = [
        SimpleNamespace(
            criterion=name,
            timepoint=t,
            sum=None if s is None else Decimal(s),
            unit="mm",
            nadir=nadir if t == last else None,
        )
        for t, s in sums.items()
    ]
    case = SimpleNamespace(protocol=protocol, visits=[SimpleNamespace(timepoint=t) for t in sums])
    return SimpleNamespace(case=case, live=lambda: SimpleNamespace(responses=responses))


def test_the_nadir_is_the_smallest_sum_before_and_nothing_is_guessed() -> None:
    assert nadir_of(room_with({0: "88.8", 1: "50.0", 2: "60.0", 3: None}), 3)[0] == 1
    assert nadir_of(room_with({0: "50.0", 1: "50.0", 2: None}), 2)[0] == 0
    assert nadir_of(room_with({0: "88.8", 1: None, 2: None}), 2) == (None, "time point 1 has no mRECIST (HCC) sum")
    assert nadir_of(room_with({0: "88.8"}), 0)[0] is None
    own = Nadir(sum=Decimal("70.0"), timepoint=0)
    assert nadir_of(room_with({0: "70.0", 1: None, 2: "80.0"}, own), 2)[0] == 0
