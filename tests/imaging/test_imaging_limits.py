"""Sizes are checked before anything is allocated; a load takes the memory of its volume; headers make no file names."""

from __future__ import annotations

import ast
import os
import re
import tracemalloc
from dataclasses import replace
from pathlib import Path

import numpy as np
import pydicom
import pytest
from build_series import Image, axial, dataset_of, set_raw, write
from pydicom.encaps import encapsulate
from pydicom.uid import ExplicitVRLittleEndian, JPEG2000Lossless

from mrecist.errors import InputError, SeriesError
from mrecist.imaging import volume
from mrecist.imaging.limits import DEFAULTS, check_size, decoder_limits
from mrecist.imaging.pixels import open_pixels
from mrecist.imaging.scan import scan_folder
from mrecist.imaging.volume import load_slice, load_volume

PACKAGE = Path(__file__).parents[2] / "mrecist"


def huge(folder: Path, count: int, size: int) -> None:
    """Slices that claim size x size pixels and hold a codestream of a few bytes."""
    folder.mkdir(exist_ok=True)
    for index, image in enumerate(axial(count, Rows=size, Columns=size)):
        small = Image(image.position, image.stamp, image.number, {**image.tags, "Rows": 6, "Columns": 8})
        ds = dataset_of(small, index)
        ds.Rows = ds.Columns = size
        ds.file_meta.TransferSyntaxUID = JPEG2000Lossless
        ds.PixelData = encapsulate([b"\xff\x4f\xff\x51" + b"\0" * 40])
        ds["PixelData"].VR = "OB"
        ds.save_as(folder / f"{index}.dcm", enforce_file_format=True)


def test_headers_that_claim_38_gib_allocate_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """40 x 16000 x 16000 x 4 bytes = 38.1 GiB; one slice is 0.95 GiB."""
    huge(tmp_path, 40, 16000)
    (series,) = scan_folder(tmp_path).series
    tracemalloc.start()
    with pytest.raises(SeriesError, match=r"40 x 16000 x 16000 voxels need 38\.1 GiB, more than the limit of 8 GiB"):
        load_volume(series)
    monkeypatch.setenv("MRECIST_MAX_SERIES_GIB", "0.9")
    with pytest.raises(SeriesError, match=r"16000 x 16000 voxels need 1\.0 GiB"):
        load_slice(series, 0)
    assert tracemalloc.get_traced_memory()[1] < 2**20
    tracemalloc.stop()


def test_a_frame_that_no_scanner_makes_is_refused_by_the_scan(tmp_path: Path) -> None:
    huge(tmp_path, 3, 65535)
    found = scan_folder(tmp_path)
    assert found.series == ()
    assert len(found.problems) == 3
    assert all("4294836225 x 1 pixels; that is no CT or MR image" in problem.reason for problem in found.problems)


def test_the_limit_can_be_set(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write(tmp_path, axial(4))
    (series,) = scan_folder(tmp_path).series
    monkeypatch.setenv("MRECIST_MAX_SERIES_GIB", "1e-7")
    with pytest.raises(SeriesError, match="raise MRECIST_MAX_SERIES_GIB"):
        load_volume(series)
    monkeypatch.setenv("MRECIST_MAX_SERIES_GIB", "1")
    assert load_volume(series).voxels.shape == (4, 6, 8)


@pytest.mark.parametrize("text", ["0", "-1", "nan", "lots", "inf"])
def test_a_limit_that_is_no_number(text: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MRECIST_DECODER_SECONDS", text)
    with pytest.raises(InputError, match=f"MRECIST_DECODER_SECONDS is '{text}'; it must be a positive number"):
        decoder_limits()


def test_the_documentation_names_every_limit_with_its_default() -> None:
    text = (PACKAGE.parent / "docs" / "imaging.md").read_text(encoding="utf-8")
    for name, default in DEFAULTS.items():
        assert f"| `{name}` | {default:g} |" in text


def test_at_the_limit_is_within_it() -> None:
    check_size("x", (1024, 1024, 1024), 8)
    with pytest.raises(SeriesError, match=r"x: 1025 x 1024 x 1024 voxels need 8\.0 GiB"):
        check_size("x", (1025, 1024, 1024), 8)


def test_frames_of_a_file_count_together(tmp_path: Path) -> None:
    (path,) = write(tmp_path, axial(1))
    ds = pydicom.dcmread(path)
    ds.NumberOfFrames = 2_000_000_000
    ds.save_as(path)
    with pytest.raises(SeriesError, match="truncated"):
        open_pixels(path)


def test_memory_is_the_volume_and_a_few_slices(tmp_path: Path) -> None:
    """40 slices of 256 x 256: 10 MiB as float32; a slice is 0.25 MiB, its file 0.13 MiB."""
    write(tmp_path, axial(40, Rows=256, Columns=256))
    for path in tmp_path.iterdir():
        ds = pydicom.dcmread(path)
        ds.PixelData = np.full((256, 256), 1024, np.uint16).tobytes()
        ds.save_as(path)
    (series,) = scan_folder(tmp_path).series
    load_volume(series)
    tracemalloc.start()
    voxels = load_volume(series).voxels
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert voxels.nbytes == 40 * 256 * 256 * 4
    assert peak < voxels.nbytes + 8 * 256 * 256 * 4


def test_the_header_of_an_unchanged_file_is_not_read_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write(tmp_path, axial(3))
    (series,) = scan_folder(tmp_path).series
    monkeypatch.setattr(volume, "open_pixels", lambda *_: pytest.fail("read again"))
    assert load_volume(series).voxels[:, 0, 0].tolist() == [0, 1, 2]


def test_the_header_of_a_touched_file_is(tmp_path: Path) -> None:
    """A copy with the same UID and another intercept, longer by a private element: the values follow the file on the disk."""
    paths = write(tmp_path, axial(3))
    (series,) = scan_folder(tmp_path).series
    ds = pydicom.dcmread(paths[1])
    ds.RescaleIntercept = -1000
    ds.add_new(0x00091001, "LO", "something that moves the pixel data")
    ds.save_as(paths[1])
    assert load_volume(series).voxels[:, 0, 0].tolist() == [0, 25, 2]
    os.utime(paths[2], (0, 0))
    assert load_slice(series, 2)[0, 0] == 2


@pytest.mark.parametrize("change", ["gone", "shorter"])
def test_a_file_that_went_after_the_scan_is_one_line(change: str, tmp_path: Path) -> None:
    paths = write(tmp_path, axial(3))
    (series,) = scan_folder(tmp_path).series
    if change == "gone":
        paths[1].unlink()
    else:
        os.truncate(paths[1], paths[1].stat().st_size - 10)
    with pytest.raises(SeriesError, match=re.escape(str(paths[1])) + ": (cannot be read|truncated)") as caught:
        load_volume(series)
    assert "\n" not in str(caught.value)


def test_several_bad_slices_always_name_the_first(tmp_path: Path) -> None:
    images = axial(12)
    for index in (4, 9, 11):
        images[index] = replace(images[index], tags={"RescaleSlope": 0})
    paths = write(tmp_path, images)
    (series,) = scan_folder(tmp_path).series
    for _ in range(5):
        with pytest.raises(SeriesError, match=re.escape(str(paths[4]))):
            load_volume(series)


# Names ------------------------------------------------------------------------------------------------------------------


HEADER_WORDS = re.compile(r"uid|patient|description|accession|label|\bds\b|dataset|header|modality", re.IGNORECASE)


def joins_of(source: str) -> list[str]:
    """``folder / x`` and ``joinpath(x)`` where x speaks of a header and is neither hashed nor made safe."""
    found = []
    safe = ("sha256", "name_of(", "safe_name(")
    for node in ast.walk(ast.parse(source)):
        parts: list[ast.expr] = []
        if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Div) and isinstance(node.right, ast.JoinedStr):
            parts = [node.right]
        elif isinstance(node, ast.Call) and ast.unparse(node.func).endswith(("joinpath", "Path", "path.join")):
            parts = list(node.args)
        found += [t for p in parts if HEADER_WORDS.search(t := ast.unparse(p)) and not any(word in t for word in safe)]
    return found


def test_no_path_is_made_of_header_text() -> None:
    """A UID is text from a file: ``../../x`` is one that people have sent."""
    found = {str(p.relative_to(PACKAGE)): j for p in PACKAGE.rglob("*.py") if (j := joins_of(p.read_text("utf-8")))}
    assert found == {}


@pytest.mark.parametrize("source", ['out / f"{ds.SOPInstanceUID}.dcm"', "out.joinpath(series_uid)", "Path(patient_id)"])
def test_a_planted_path_of_header_text_is_found(source: str) -> None:
    assert len(joins_of(source)) == 1


@pytest.mark.filterwarnings("ignore:.*Invalid value for VR UI")  # of the writing side, which is made to write it
def test_header_text_with_dots_and_slashes_stays_text(tmp_path: Path) -> None:
    inside, out = tmp_path / "in", tmp_path / "in" / "deep"
    images = axial(3, PatientID="../../evil", SeriesDescription="../../../evil")
    out.mkdir(parents=True)
    for index, image in enumerate(images):
        ds = dataset_of(image, index)
        set_raw(0x00080018, "UI", f"../../../evil{index} ".encode())(ds)
        ds.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
        ds.save_as(out / f"{index}.dcm")
    before = sorted(tmp_path.rglob("*"))
    (series,) = scan_folder(inside).series
    assert load_volume(series).voxels.shape == (3, 6, 8)
    assert series.subject == "../../evil"
    assert sorted(tmp_path.rglob("*")) == before
