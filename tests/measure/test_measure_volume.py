"""All lesions of a volume at once: the rows of each label, every type of number, overlap, and the same numbers as alone."""

from __future__ import annotations

import itertools
import math
import subprocess
import sys

import measure_brute as brute
import numpy as np
import pytest

import mrecist
from mrecist.errors import MaskError
from mrecist.measure.conventions import Convention, lengthening
from mrecist.measure.lesion import measure_lesion
from mrecist.measure.runs import label_rows

TYPES = (bool, "u1", "i1", "u2", ">i2", "i4", "u8", "i8", ">i8")


def rows_by_looking(volume):
    """Label -> (voxels, [(slice * Y + row, first column, last column)])."""
    found = {}
    for label in np.unique(volume[volume != 0]).tolist():
        here = volume == label
        rows = []
        for z, y in np.argwhere(here.any(axis=2)).tolist():
            columns = np.flatnonzero(here[z, y])
            rows.append((z * volume.shape[1] + y, int(columns[0]), int(columns[-1])))
        found[int(label)] = (int(here.sum()), rows)
    return found


@pytest.mark.parametrize("number", TYPES)
def test_rows_of_labels_equal_those_found_by_looking(number):
    """Rows that are no whole words, runs that go on into the next row, words of a pattern, Fortran order, views."""
    rng = np.random.default_rng(11)
    kind = np.dtype(number).kind
    values = np.array({"b": [0, 1], "u": [0, 1, 2, 100, 201]}.get(kind, [0, 1, 2, 100, -5]), np.dtype(number))
    for turn in range(60):
        shape = tuple(rng.integers(1, [4, 6, 30]))
        volume = rng.choice(values, shape)
        if turn % 3 == 1:
            volume = np.repeat(volume, 9, axis=2)
        elif turn % 3 == 2:
            volume = np.where(rng.random(shape) < 0.8, values[1], volume)
        if turn % 4 == 3:
            volume = np.asfortranarray(volume)[:, ::-1]
        rows, expected = label_rows(volume), rows_by_looking(volume)
        assert list(rows.labels) == sorted(expected)
        for k, label in enumerate(rows.labels):
            part = slice(rows.starts[k], rows.starts[k + 1])
            assert rows.counts[k] == expected[label][0]
            assert (
                list(zip(*(a[part].tolist() for a in (rows.place, rows.first, rows.last)), strict=True))
                == (expected[label][1])
            )


def random_volume(rng, shape=(3, 14, 17)):
    """Blobs, rings, noise and single voxels with labels that are neither small nor consecutive."""
    volume = np.zeros(shape, np.int64)
    for label in (3, 2**40 + 1, -7, 255):
        for z in range(shape[0]):
            mask = brute.random_mask(rng, 9)
            y, x = (int(rng.integers(0, n - m + 1)) for n, m in zip(shape[1:], mask.shape, strict=True))
            volume[z, y : y + mask.shape[0], x : x + mask.shape[1]][mask] = label
    return volume


def test_every_label_measures_as_it_does_alone():
    rng = np.random.default_rng(12)
    for _ in range(6):
        volume, spacing = random_volume(rng), brute.random_spacing(rng)
        viable = rng.random(volume.shape) < 0.8
        viable &= volume != 0
        geometry = brute.geometry_of(volume.shape, spacing)
        for convention in Convention:
            found = mrecist.measure(
                volume, geometry, viable.astype(np.uint8) * 7, convention=convention, max_gap_mm=1.0
            )
            assert list(found) == sorted(set(np.unique(volume).tolist()) - {0})
            for label, one in found.items():
                here = volume == label
                alone = measure_lesion(here, geometry, viable & here, convention=convention, max_gap_mm=1.0)
                assert one == alone


def test_longest_over_all_slices_equals_brute_force_over_all_pixels():
    """Largest distance of pixel centres (and corners) over every slice, by all pairs."""
    rng = np.random.default_rng(13)
    for _ in range(30):
        volume, spacing = random_volume(rng), brute.random_spacing(rng)
        geometry = brute.geometry_of(volume.shape, spacing)
        found = {c: mrecist.measure(volume, geometry, convention=c) for c in ("centre", "calibrated", "extent")}
        for label in found["centre"]:
            centres, corners = 0.0, 0.0
            for one in volume == label:
                for points, corner in ((np.argwhere(one), False), (np.array(brute.pixel_corners(one)), True)):
                    if len(points):
                        step = (points[:, None] - points) * spacing
                        far = float(np.hypot(step[..., 0], step[..., 1]).max())
                        centres, corners = (centres, max(corners, far)) if corner else (max(centres, far), corners)
            assert found["centre"][label].longest.mm == pytest.approx(centres, abs=1e-9)
            assert found["extent"][label].longest.mm == pytest.approx(corners, abs=1e-9)
            expected = centres + lengthening(centres, spacing)
            assert found["calibrated"][label].longest.mm == pytest.approx(expected, abs=1e-9)


@pytest.mark.parametrize("number", ["u1", "i2", "u2", "i4", "u8", ">i8"])
def test_the_type_of_number_changes_nothing(number):
    volume = np.zeros((2, 9, 13), np.dtype(number))
    volume[0, 1:5, 2:9], volume[1, 3:8, 0:4], volume[:, 8, 12] = 1, 90, 120
    geometry = brute.geometry_of(volume.shape, (0.7, 0.9))
    expected = mrecist.measure(volume.astype(np.int64), geometry, volume == 90)
    assert mrecist.measure(volume, geometry, volume == 90) == expected
    assert mrecist.measure(np.asfortranarray(volume), geometry, volume == 90) == expected


def test_the_largest_unsigned_label_is_a_label():
    volume = np.zeros((1, 2, 3), np.uint64)
    volume[0, 0] = 2**64 - 1
    assert list(mrecist.measure(volume, brute.geometry_of(volume.shape))) == [2**64 - 1]


def test_lesions_that_overlap_come_as_masks():
    masks = {n: np.zeros((1, 8, 8), bool) for n in (4, 9)}
    masks[4][0, 1:5, 1:5] = masks[9][0, 3:7, 3:8] = True
    geometry = brute.geometry_of((1, 8, 8), (0.8, 0.8))
    found = mrecist.measure(masks, geometry, {9: masks[9] & masks[4]})
    assert found == {
        4: measure_lesion(masks[4], geometry),
        9: measure_lesion(masks[9], geometry, masks[9] & masks[4]),
    }


def test_a_viable_part_that_is_empty_in_one_lesion():
    labels = np.zeros((1, 5, 9), np.uint8)
    labels[0, :, :3], labels[0, :, 5:] = 1, 2
    found = mrecist.measure(labels, brute.geometry_of(labels.shape), labels == 2)
    assert (found[1].viable_is_empty, found[1].viable, found[1].viable_volume_mm3) == (True, None, 0.0)
    assert (found[2].viable_is_empty, found[2].viable_volume_mm3) == (False, 40.0)


def test_nothing_labelled_gives_nothing():
    assert mrecist.measure(np.zeros((2, 3, 4), np.uint8), brute.geometry_of((2, 3, 4))) == {}
    assert mrecist.measure(np.zeros((0, 3, 4), np.uint8), brute.geometry_of((0, 3, 4))) == {}


def test_refusals():
    labels = np.zeros((1, 4, 4), np.uint8)
    labels[0, 1:3, 1:3] = 2
    geometry = brute.geometry_of(labels.shape)
    with pytest.raises(MaskError, match=r"\(1, 4, 4\).*\(1, 4, 5\)"):
        mrecist.measure(labels, brute.geometry_of((1, 4, 5)))
    with pytest.raises(MaskError, match=r"float64.*whole numbers"):
        mrecist.measure(labels.astype(float), geometry)
    with pytest.raises(MaskError, match="12 of 16 viable voxels lie outside"):
        mrecist.measure(labels, geometry, np.ones_like(labels))
    with pytest.raises(MaskError, match="lesion 1: its mask has no voxel"):
        mrecist.measure({1: labels == 9}, geometry)
    with pytest.raises(MaskError, match=r"lesions \[3\]"):
        mrecist.measure({2: labels == 2}, geometry, {3: labels == 2})
    with pytest.raises(TypeError, match="mapping"):
        mrecist.measure({2: labels == 2}, geometry, labels == 2)
    with pytest.raises(ValueError, match="pixel"):
        mrecist.measure(labels, geometry, convention="pixel")


@pytest.mark.parametrize("first", ["", "import mrecist.measure.lesion;", "from mrecist import measure;"])
def test_the_name_can_be_called_whatever_was_imported_before(first):
    """``mrecist.measure`` is a package and a function: importing a part of the package hides nothing."""
    code = f"""{first}
import numpy as np, mrecist
from mrecist.imaging.geometry import Geometry
shape = Geometry(shape=(1, 1, 4), origins_lps=((0.0, 0.0, 0.0),), row_direction=(1.0, 0.0, 0.0),
                 column_direction=(0.0, 1.0, 0.0), row_spacing_mm=1.0, column_spacing_mm=1.0, slice_step_mm=1.0)
print(mrecist.measure(np.ones((1, 1, 4), int), shape, convention="centre")[1].longest.mm, mrecist.measure.__name__)
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["3.0", "mrecist.measure"]


def test_ten_lesions_need_a_small_part_of_the_volumes_memory():
    import tracemalloc

    labels = np.zeros((40, 256, 256), np.uint8)
    z, y, x = np.ogrid[:40, :256, :256]
    for k in range(10):
        labels[(z - 20) ** 2 * 9 + (y - 25 - 22 * k) ** 2 + (x - 128) ** 2 <= (3 + k) ** 2] = k + 1
    geometry = brute.geometry_of(labels.shape, (0.7, 0.7))
    mrecist.measure(labels, geometry, labels)
    tracemalloc.start()
    mrecist.measure(labels, geometry, labels)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < labels.nbytes


def test_a_stack_of_equal_slices_is_settled_by_the_lowest():
    labels = np.zeros((6, 20, 20), np.uint8)
    labels[1:5, 3:9, 4:16] = 5
    found = mrecist.measure(labels, brute.geometry_of(labels.shape), labels, convention="extent")[5]
    assert found.longest.slice_index == found.viable.slice_index == 1
    assert found.longest.mm == found.viable.mm == pytest.approx(math.hypot(6, 12))
    assert list(itertools.chain(*found.longest.ends_index)) == pytest.approx([2.5, 3.5, 8.5, 15.5])
