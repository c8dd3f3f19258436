"""Values of a region: closed forms on made-up voxels, on the grid of a series of the sample."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from session_reading import STUDY

from mrecist.errors import SeriesError
from mrecist.imaging.series import Series
from mrecist.imaging.volume import Volume
from mrecist.session.case import CaseVisit, open_case
from mrecist.session.regions import Region, same_grid, values_by_phase, values_in
from mrecist.study import open_study


@pytest.fixture(scope="module")
def visit() -> CaseVisit:
    return open_case(open_study(STUDY), "SAMPLE-01").visits[0]


def on_grid(series: Series, rows: int, columns: int, spacing: tuple[float, float] = (1.5, 1.5)) -> Series:
    """The series with slices of another size."""
    assert series.geometry is not None
    shape = (series.geometry.shape[0], rows, columns)
    geometry = replace(series.geometry, shape=shape, row_spacing_mm=spacing[0], column_spacing_mm=spacing[1])
    return replace(series, geometry=geometry)


def volume(series: Series, plane: np.ndarray) -> Volume:
    assert series.geometry is not None
    return Volume(series=series, voxels=np.repeat(plane[None].astype(np.float32), series.geometry.shape[0], axis=0))


def test_a_gradient_has_the_value_of_the_middle_and_the_closed_form_of_an_ellipse(visit: CaseVisit) -> None:
    """value = column: the mean is the middle column, the SD half the half axis, the area pi a b; pixels of 0.8 by 0.5 mm."""
    series = on_grid(visit.series[0], 400, 500, (0.8, 0.5))
    plane = np.tile(np.arange(500.0), (400, 1))
    found = values_in(Region(slice_index=3, corners=((80, 60), (320, 440))), volume(series, plane))
    assert found.mean == pytest.approx(250, abs=1e-9)
    assert found.sd == pytest.approx(190 / 2, rel=1e-3)
    assert (found.low, found.high) == (60, 440)
    assert found.area_mm2 == pytest.approx(np.pi * (120 * 0.8) * (190 * 0.5), rel=1e-3)
    assert found.unit == "HU"


def test_the_values_are_those_of_the_pixels_counted_one_by_one(visit: CaseVisit) -> None:
    """Brute force, corners in any order and fractional, reaching beyond the image."""
    series = on_grid(visit.series[0], 40, 50)
    plane = np.random.default_rng(4).normal(100, 20, (40, 50)).astype(np.float32)
    region = Region(slice_index=0, corners=((25.5, 60.25), (8.25, 30.75)))
    inside = [
        plane[y, x]
        for y in range(40)
        for x in range(50)
        if ((y - 16.875) / 8.625) ** 2 + ((x - 45.5) / 14.75) ** 2 <= 1
    ]
    found = values_in(region, volume(series, plane))
    assert found.pixels == len(inside) > 100
    given = np.array(inside, dtype=np.float64)
    assert (found.mean, found.sd) == (pytest.approx(np.mean(given)), pytest.approx(np.std(given)))
    assert (found.low, found.high) == (given.min(), given.max())


def test_padding_is_left_out_and_counted(visit: CaseVisit) -> None:
    """Half of the slice is padding: the mean is that of the rest, not drawn towards anything."""
    series = on_grid(visit.series[0], 40, 50)
    plane = np.full((40, 50), 70.0)
    plane[:, :25] = np.nan
    plane[20, 30] = np.inf
    found = values_in(Region(slice_index=0, corners=((10, 15), (30, 34))), volume(series, plane))
    assert (found.mean, found.sd, found.low, found.high) == (70, 0, 70, 70)
    assert found.left_out > 100
    whole = values_in(Region(slice_index=0, corners=((10, 15), (30, 34))), volume(series, np.zeros((40, 50))))
    assert found.left_out + found.pixels == whole.pixels
    assert found.area_mm2 == whole.area_mm2


def test_a_region_without_a_value_has_none_and_not_zero(visit: CaseVisit) -> None:
    series = on_grid(visit.series[0], 40, 50)
    padding = values_in(Region(slice_index=0, corners=((10, 10), (20, 20))), volume(series, np.full((40, 50), np.nan)))
    outside = values_in(Region(slice_index=0, corners=((-20, 10), (-5, 20))), volume(series, np.zeros((40, 50))))
    flat = values_in(Region(slice_index=0, corners=((10, 10), (10, 20))), volume(series, np.zeros((40, 50))))
    for found in (padding, outside, flat):
        assert (found.mean, found.sd, found.low, found.high, found.pixels) == (None, None, None, None, 0)
    assert padding.left_out > 0
    assert outside.left_out == flat.left_out == 0


def test_values_of_mr_have_no_unit(visit: CaseVisit) -> None:
    series = replace(on_grid(visit.series[0], 40, 50), modality="MR")
    assert values_in(Region(slice_index=0, corners=((1, 1), (9, 9))), volume(series, np.zeros((40, 50)))).unit == ""


def test_every_phase_of_the_same_grid_is_told_and_the_others_are_named(visit: CaseVisit) -> None:
    one, other = visit.series[:2]
    moved = on_grid(other, 40, 50, (1.5, 1.4))
    one, other = on_grid(one, 40, 50), on_grid(other, 40, 50)
    broken = replace(other, uid="1.2.3")
    planes = {one.uid: 10.0, other.uid: 20.0}

    def load(series: Series) -> Volume:
        if series.uid == "1.2.3":
            raise SeriesError("a file is gone")
        return volume(series, np.full((40, 50), planes[series.uid]))

    region = Region(slice_index=1, corners=((10, 10), (20, 20)))
    found = values_by_phase(region, one, replace(visit, series=(other, one, broken)), load)
    assert [(f.series.uid, f.values and f.values.mean, f.why) for f in found] == [
        (one.uid, 10, ""),
        (other.uid, 20, ""),
        ("1.2.3", None, "a file is gone"),
    ]
    found = values_by_phase(region, one, replace(visit, series=(one, moved)), load)
    assert [f.why for f in found] == ["", "other grid"]


def test_grids_that_differ_in_anything_are_other_grids(visit: CaseVisit) -> None:
    one, other = visit.series[:2]
    assert one.geometry is not None
    assert same_grid(one, other)
    assert not same_grid(one, replace(other, frame_of_reference_uid="1.2"))
    origins = tuple((x, y, z + 0.1) for x, y, z in one.geometry.origins_lps)
    assert not same_grid(one, replace(other, geometry=replace(one.geometry, origins_lps=origins)))
    tilted = replace(one.geometry, row_direction=(np.cos(0.01), np.sin(0.01), 0.0))
    assert not same_grid(one, replace(other, geometry=tilted))
    assert not same_grid(one, replace(other, geometry=None))
