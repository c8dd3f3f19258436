"""HU are stored x slope + intercept of the slice itself, whatever the stored type; padding is NaN."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from build_series import Image, axial, write
from pydicom.dataset import Dataset
from pydicom.uid import MRImageStorage

from mrecist.errors import SeriesError
from mrecist.imaging.scan import scan_folder
from mrecist.imaging.series import Series
from mrecist.imaging.volume import load_slice, load_volume

STORED = np.array([[0, 1, 1000, 1098], [1124, 2000, 4000, 30000]], dtype=np.int64)


def series_with(folder: Path, stored: np.ndarray = STORED, **tags: Any) -> Series:
    """Two slices of 2 x 4 with known stored values."""
    signed = tags.get("PixelRepresentation", 0) == 1

    def fill(ds: Dataset) -> None:
        ds.PixelData = stored.astype(np.int16 if signed else np.uint16).tobytes()

    images = [replace(im, change=fill) for im in axial(2, Rows=2, Columns=4, **tags)]
    write(folder, images)
    return scan_folder(folder).series[0]


@pytest.mark.parametrize("interpretation", ["MONOCHROME1", "MONOCHROME2"])
def test_unsigned_with_intercept(interpretation: str, tmp_path: Path) -> None:
    series = series_with(tmp_path, PhotometricInterpretation=interpretation)
    volume = load_volume(series)
    assert volume.voxels.dtype == np.float32
    assert volume.voxels.shape == (2, 2, 4)
    assert np.array_equal(volume.voxels[1], STORED - 1024)
    assert np.array_equal(load_slice(series, 0), STORED - 1024)


def test_signed_values(tmp_path: Path) -> None:
    stored = np.array([[-2000, -1024, -1, 0], [74, 1000, 32767, -32768]])
    series = series_with(tmp_path, stored, PixelRepresentation=1, RescaleIntercept=0)
    assert np.array_equal(load_volume(series).voxels[0], stored)


def test_each_slice_has_its_own_rescale(tmp_path: Path) -> None:
    images = axial(4)
    for i, image in enumerate(images):
        image.tags |= {"RescaleSlope": 0.5 * (i + 1), "RescaleIntercept": -100 * i}
    write(tmp_path, images)
    volume = load_volume(scan_folder(tmp_path).series[0])
    assert volume.voxels[:, 0, 0].tolist() == [(1024 + i) * 0.5 * (i + 1) - 100 * i for i in range(4)]


@pytest.mark.parametrize(
    ("tags", "stored_padding"),
    [
        ({"PixelPaddingValue": 0}, [0]),
        ({"PixelPaddingValue": 0, "PixelPaddingRangeLimit": 1}, [0, 1]),
        ({"PixelPaddingValue": 1, "PixelPaddingRangeLimit": 0}, [0, 1]),
    ],
)
def test_padding_is_nan(tags: dict[str, int], stored_padding: list[int], tmp_path: Path) -> None:
    voxels = load_volume(series_with(tmp_path, **tags)).voxels[0]
    assert np.array_equal(np.isnan(voxels), np.isin(STORED, stored_padding))


def test_padding_written_unsigned_for_signed_pixels(tmp_path: Path) -> None:
    """63536 as US is -2000 as SS; real headers hold it so."""
    stored = np.array([[-2000, -1999, 0, 1], [2, 3, 4, 5]])

    def fill(ds: Dataset) -> None:
        ds.PixelData = stored.astype(np.int16).tobytes()
        ds.add_new(0x00280120, "US", 63536)

    write(tmp_path, [replace(im, change=fill) for im in axial(2, Rows=2, Columns=4, PixelRepresentation=1)])
    voxels = load_slice(scan_folder(tmp_path).series[0], 0)
    assert np.isnan(voxels).tolist() == [[True, False, False, False], [False] * 4]


def test_mr_keeps_stored_values(tmp_path: Path) -> None:
    tags = {"SOPClassUID": MRImageStorage, "RescaleSlope": None, "RescaleIntercept": None}
    assert np.array_equal(load_volume(series_with(tmp_path, **tags)).voxels[0], STORED)


def test_a_real_world_value_map_is_not_applied(tmp_path: Path) -> None:
    item = Dataset()
    item.RealWorldValueIntercept, item.RealWorldValueSlope = 0.0, 100.0
    item.RealWorldValueFirstValueMapped, item.RealWorldValueLastValueMapped = 0, 65535
    assert np.array_equal(load_slice(series_with(tmp_path, RealWorldValueMappingSequence=[item]), 0), STORED - 1024)


@pytest.mark.parametrize(
    ("tags", "text"),
    [
        ({"RescaleIntercept": None}, "no RescaleSlope .* or RescaleIntercept"),
        ({"RescaleSlope": 0}, "RescaleSlope .* is 0"),
    ],
)
def test_ct_without_a_rescale_has_no_hu(tags: dict[str, Any], text: str, tmp_path: Path) -> None:
    series = series_with(tmp_path, **tags)
    with pytest.raises(SeriesError, match=text):
        load_volume(series)


def test_refused_series_are_not_loaded(tmp_path: Path) -> None:
    write(tmp_path, [im for i, im in enumerate(axial(5)) if i != 2])
    (series,) = scan_folder(tmp_path).series
    for load in (load_volume, lambda s: load_slice(s, 0)):
        with pytest.raises(SeriesError, match="MISSING_SLICES: 1 slice missing"):
            load(series)


def test_a_file_that_changed_after_the_scan(tmp_path: Path) -> None:
    paths = write(tmp_path, axial(2))
    (series,) = scan_folder(tmp_path).series
    write(tmp_path / "other", [Image((0.0, 0.0, 0.0), 7, 1)])[0].replace(paths[0])
    with pytest.raises(SeriesError, match="changed since the scan"):
        load_volume(series)
