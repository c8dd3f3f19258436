"""``mrecist measure`` as a user runs it: label masks and segmentations in, rows and drawings out, one line per fault."""

from __future__ import annotations

import csv
import gzip
import itertools
import json
import math
import shutil
import struct
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
import SimpleITK as sitk  # noqa: N813 - the name its documentation uses

from mrecist.cli import main
from mrecist.imaging.scan import scan_folder
from mrecist.samples.build import sample_data_path, sample_study_path
from mrecist.tables import read_measurements

Array = npt.NDArray[Any]
Steps = tuple[float, float, float]

# Columns, rows, slices. All are short binary fractions, so that a NIfTI header, which holds float32, holds them exactly.
SPACING: Steps = (0.75, 1.25, 3.0)
WIDE, HIGH = 8, 6  # pixels: 6 x 7.5 mm
IDENTITY = np.eye(3)


def block(columns: int = WIDE, rows: int = HIGH, value: int = 1) -> Array:
    """A box on slices 1 to 3 of 5, away from the border, first pixel at row 2 and column 4."""
    voxels = np.zeros((5, rows + 5, columns + 7), dtype=np.uint8)
    voxels[1:4, 2 : 2 + rows, 4 : 4 + columns] = value
    return voxels


def nifti(
    path: Path,
    voxels: Array,
    spacing: Steps = SPACING,
    direction: Array = IDENTITY,
    origin: Steps = (-50.0, 20.0, 100.0),
) -> Path:
    image = sitk.GetImageFromArray(voxels)
    image.SetSpacing(spacing)
    image.SetDirection(direction.ravel().tolist())
    image.SetOrigin(origin)
    sitk.WriteImage(image, str(path))
    return path


def measure(folder: Path, *arguments: str | Path) -> tuple[list[dict[str, str]], list[dict[str, Any]]]:
    """Rows and drawings of a run that must succeed."""
    out, drawings = folder / "sizes.csv", folder / "sizes.json"
    assert main(["measure", *map(str, arguments), "--out", str(out), "--json", str(drawings)]) == 0
    with out.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file)), json.loads(drawings.read_text(encoding="utf-8"))


def one(folder: Path, *arguments: str | Path) -> tuple[dict[str, str], dict[str, Any]]:
    (row,), (drawing,) = measure(folder, *arguments)
    return row, drawing


def distance(ends: Sequence[Sequence[float]]) -> float:
    return math.dist(*ends)


# --- closed forms ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("spacing", [SPACING, (1.25, 0.75, 3.0), (0.5, 0.5, 5.0), (0.703125, 0.8125, 2.5)])
@pytest.mark.parametrize(("columns", "rows"), [(8, 6), (3, 11), (1, 1), (1, 7)])
def test_the_diagonal_of_a_box(tmp_path: Path, spacing: Steps, columns: int, rows: int) -> None:
    mask = nifti(tmp_path / "l.nii.gz", block(columns, rows), spacing)
    x, y, z = spacing
    expected = {
        "extent": math.hypot(columns * x, rows * y),
        "centre": math.hypot((columns - 1) * x, (rows - 1) * y),
        # The middles between a border pixel and its neighbour outside lie half a pixel out in one direction, not in both.
        "edge": max(math.hypot(columns * x, (rows - 1) * y), math.hypot((columns - 1) * x, rows * y)),
    }
    for convention, mm in expected.items():
        _, drawing = one(tmp_path, "--lesions", mask, "--convention", convention)
        assert drawing["longest"]["mm"] == pytest.approx(mm, abs=1e-9)
        assert drawing["convention"] == convention
    assert drawing["volume_mm3"] == pytest.approx(3 * columns * rows * x * y * z, rel=1e-12)


def test_the_default_lies_between_centre_and_extent(tmp_path: Path) -> None:
    """docs/measuring.md: centres, lengthened by min(0.6, n^(-1/3)) pixels in all, n the length in pixels."""
    _, drawing = one(tmp_path, "--lesions", nifti(tmp_path / "l.nii.gz", block()))
    centres, pixel = math.hypot((WIDE - 1) * 0.75, (HIGH - 1) * 1.25), math.sqrt(0.75 * 1.25)
    expected = centres + pixel * min(0.6, (centres / pixel) ** (-1 / 3))
    assert drawing["convention"] == "calibrated"
    assert drawing["longest"]["mm"] == pytest.approx(expected, abs=1e-9)


def test_the_short_axis_of_a_box(tmp_path: Path) -> None:
    """The chord at right angles to the diagonal of a x b (b the shorter) that spans b: b * diagonal / a."""
    _, drawing = one(tmp_path, "--lesions", nifti(tmp_path / "l.nii.gz", block()), "--convention", "extent")
    a, b = HIGH * 1.25, WIDE * 0.75
    assert drawing["short"]["mm"] == pytest.approx(b * math.hypot(a, b) / a, abs=1e-9)
    long, short = (np.subtract(*drawing[name]["ends_lps"]) for name in ("longest", "short"))
    assert float(long @ short) == pytest.approx(0, abs=1e-9)


def test_the_largest_slice_is_taken(tmp_path: Path) -> None:
    voxels = block()
    voxels[2, 1, 4] = 1
    _, drawing = one(tmp_path, "--lesions", nifti(tmp_path / "l.nii.gz", voxels), "--convention", "extent")
    assert drawing["longest"]["slice"] == drawing["short"]["slice"] == 2
    assert drawing["longest"]["mm"] == pytest.approx(math.hypot(WIDE * 0.75, (HIGH + 1) * 1.25), abs=1e-9)
    assert [end[2] for end in drawing["longest"]["ends_lps"]] == [106.0, 106.0]


# --- patient coordinates ---------------------------------------------------------------------------------------------


def turned() -> Array:
    """A right-handed oblique frame: 0.5 about z, then 0.3 about x. Columns are the directions of x, y and z index."""
    (a, b), (c, d) = (math.cos(0.5), math.sin(0.5)), (math.cos(0.3), math.sin(0.3))
    return np.array([[1, 0, 0], [0, c, -d], [0, d, c]]) @ np.array([[a, -b, 0], [b, a, 0], [0, 0, 1]])


@pytest.mark.parametrize(
    "direction",
    [IDENTITY, np.diag([-1.0, -1, 1]), np.diag([1.0, -1, -1]), np.diag([1.0, 1, -1]), IDENTITY[:, [2, 0, 1]], turned()],
    ids=["lps", "ras", "flipped y z", "mirrored", "sagittal", "oblique"],
)
def test_the_ends_are_corners_of_the_box_in_patient_coordinates(tmp_path: Path, direction: Array) -> None:
    origin = (-50.0, 20.0, 100.0)
    mask = nifti(tmp_path / "l.nii.gz", block(), direction=direction, origin=origin)
    _, drawing = one(tmp_path, "--lesions", mask, "--convention", "extent")
    longest = drawing["longest"]
    assert longest["mm"] == pytest.approx(math.hypot(WIDE * 0.75, HIGH * 1.25), abs=1e-9)
    for name in ("longest", "short"):
        assert distance(drawing[name]["ends_lps"]) == pytest.approx(drawing[name]["mm"], abs=1e-5)

    def corner(column: float, row: float) -> Array:
        index = np.array([column, row, longest["slice"]])
        return np.array(origin) + direction @ (index * SPACING)

    left, right, top, bottom = 3.5, 3.5 + WIDE, 1.5, 1.5 + HIGH
    diagonals = [[corner(left, top), corner(right, bottom)], [corner(left, bottom), corner(right, top)]]
    candidates = [pair for diagonal in diagonals for pair in (diagonal, diagonal[::-1])]
    # NIfTI holds directions as float32.
    assert any(np.allclose(longest["ends_lps"], pair, atol=1e-4) for pair in candidates)


# --- rows and JSON ---------------------------------------------------------------------------------------------------


def test_the_json_has_the_keys_that_others_build_on(tmp_path: Path) -> None:
    voxels, viable = block(), block()
    viable[:, 4:] = 0
    lesions, drawn = nifti(tmp_path / "l.nii.gz", voxels), nifti(tmp_path / "v.nii.gz", viable)
    _, drawing = one(tmp_path, "--lesions", lesions, "--viable", drawn, "--convention", "extent")
    wanted = {"lesion", "longest", "short", "viable", "viable_short", "volume_mm3", "viable_volume_mm3"}
    assert wanted <= drawing.keys()
    assert drawing["lesion"] == "1"
    for name in ("longest", "short", "viable", "viable_short"):
        assert {"mm", "slice", "ends_lps"} <= drawing[name].keys()
        assert type(drawing[name]["slice"]) is int
        assert [len(end) for end in drawing[name]["ends_lps"]] == [3, 3]
    assert drawing["viable"]["mm"] == pytest.approx(math.hypot(WIDE * 0.75, 2 * 1.25), abs=1e-9)
    assert drawing["viable_volume_mm3"] == pytest.approx(drawing["volume_mm3"] / 3, rel=1e-12)


def test_the_row_holds_what_a_label_mask_knows(tmp_path: Path) -> None:
    row, _ = one(tmp_path, "--lesions", nifti(tmp_path / "ANNA.nii.gz", block()), "--convention", "extent")
    given = {name: cell for name, cell in row.items() if cell}
    assert given == {
        "subject": "ANNA",
        "timepoint": "0",
        "reader": "R1",
        "lesion": "1",
        "role": "target",
        "kind": "lesion",
        "state": "measured",
        "longest_mm": "9.6",  # hypot(6, 7.5) = 9.6047
        "short_mm": "7.7",  # 6 / 7.5 of it = 7.6838
        "volume_mm3": "405",
    }


def test_what_the_user_says_goes_into_the_row_and_the_row_can_be_assessed(tmp_path: Path) -> None:
    said = ["--subject", "S7", "--timepoint", "0", "--date", "2024-02-29", "--reader", "R2"]
    row, _ = one(tmp_path, "--lesions", nifti(tmp_path / "l.nii.gz", block()), *said)
    assert [row[name] for name in ("subject", "timepoint", "date", "reader")] == ["S7", "0", "2024-02-29", "R2"]
    assert main(["assess", str(tmp_path / "sizes.csv"), "--out", str(tmp_path / "out")]) == 0


def test_a_row_without_a_date_can_be_read_back(tmp_path: Path) -> None:
    measure(tmp_path, "--lesions", nifti(tmp_path / "l.nii.gz", block()))
    (row,) = read_measurements(tmp_path / "sizes.csv").rows
    assert (row.subject, row.date, row.lesion) == ("l", None, "1")


@pytest.mark.parametrize("dtype", [np.uint8, np.int16, np.float32])
def test_every_label_is_a_lesion(tmp_path: Path, dtype: type) -> None:
    voxels = np.zeros((3, 20, 30), dtype=dtype)
    voxels[0, 2:4, 2:4], voxels[1, 10:14, 2:8], voxels[2, 5, 20:29] = 12, 2, 1
    rows, drawings = measure(tmp_path, "--lesions", nifti(tmp_path / "l.nii.gz", voxels), "--convention", "extent")
    assert [row["lesion"] for row in rows] == [drawing["lesion"] for drawing in drawings] == ["1", "2", "12"]
    assert [drawing["longest"]["slice"] for drawing in drawings] == [2, 1, 0]
    expected = [math.hypot(9 * 0.75, 1.25), math.hypot(6 * 0.75, 4 * 1.25), math.hypot(2 * 0.75, 2 * 1.25)]
    assert [drawing["longest"]["mm"] for drawing in drawings] == pytest.approx(expected, abs=1e-9)


def test_nothing_viable_is_zero_and_no_viable_mask_is_empty(tmp_path: Path) -> None:
    """A lesion without a viable voxel in a mask that was given has 0 mm; without a mask nobody has looked."""
    voxels = block()
    voxels[0, 0, 0] = 2
    lesions = nifti(tmp_path / "l.nii.gz", voxels)
    viable = nifti(tmp_path / "v.nii.gz", (voxels == 2).astype(np.uint8) * 7)
    names = ("viable_mm", "viable_short_mm", "viable_volume_mm3")
    rows, drawings = measure(tmp_path, "--lesions", lesions, "--viable", viable, "--convention", "extent")
    assert [rows[0][name] for name in names] == ["0", "0", "0"]
    assert [drawings[0][name] for name in ("viable", "viable_short", "viable_volume_mm3")] == [None, None, 0]
    assert drawings[0]["viable_is_empty"] is True
    assert rows[1]["viable_mm"] == rows[1]["longest_mm"] == "1.5"  # hypot(0.75, 1.25) = 1.4577
    rows, drawings = measure(tmp_path, "--lesions", lesions)
    assert [row[name] for row in rows for name in names] == [""] * 6
    assert [d[name] for d in drawings for name in ("viable", "viable_short", "viable_volume_mm3")] == [None] * 6
    assert [d["viable_is_empty"] for d in drawings] == [False, False]


@pytest.mark.parametrize(
    ("step", "longest"), [("0.1", "12.5"), ("0.01", "12.5"), ("1", "13"), ("5", "15"), ("10", "10")]
)
def test_sizes_are_rounded_once_half_away_from_zero(tmp_path: Path, step: str, longest: str) -> None:
    """10 x 8 pixels of 0.75 x 1.25 mm: 7.5 x 10 mm with a diagonal of exactly 12.5 mm. The JSON is not rounded."""
    mask = nifti(tmp_path / "l.nii.gz", block(10, 8)[1:3])
    row, drawing = one(tmp_path, "--lesions", mask, "--convention", "extent", "--round-mm", step)
    assert (row["longest_mm"], row["volume_mm3"]) == (longest, "450")
    assert drawing["longest"]["mm"] == pytest.approx(12.5, abs=1e-9)


def test_a_septum_is_bridged_only_when_asked(tmp_path: Path) -> None:
    """One dead column of 0.5 mm splits 21 x 3 pixels into 10 and 10: 5 mm each, 10.5 mm over both; 1 mm bridges it."""
    voxels = np.zeros((1, 10, 30), dtype=np.uint8)
    voxels[0, 3:6, 4:25] = 1
    dead = voxels.copy()
    dead[0, :, 14] = 0
    square = (0.5, 0.5, 5.0)
    files = [
        "--lesions",
        nifti(tmp_path / "l.nii", voxels, square),
        "--viable",
        nifti(tmp_path / "v.nii", dead, square),
    ]
    half, full = math.hypot(5, 1.5), math.hypot(10.5, 1.5)
    for gap, expected in (("0", half), ("0.9", half), ("1.1", full)):
        row, drawing = one(tmp_path, *files, "--convention", "extent", "--max-gap-mm", gap)
        assert drawing["viable"]["mm"] == pytest.approx(expected, abs=1e-9)
        assert row["viable_mm"] == f"{expected:.1f}"
        assert drawing["viable_raw"]["mm"] == pytest.approx(half, abs=1e-9)
        assert drawing["longest"]["mm"] == pytest.approx(full, abs=1e-9)
        assert row["viable_volume_mm3"] == "75"  # 60 voxels of 1.25 mm3: a gap is never filled
        assert drawing["max_gap_mm"] == float(gap)


def test_a_file_beside_it_does_not_change_a_measurement(tmp_path: Path) -> None:
    """SimpleITK alone would take the header of l.nii.gz and the voxels of an older l.nii beside it."""
    nifti(tmp_path / "l.nii", np.where(block() > 0, 0, 9).astype(np.uint8))
    mask = nifti(tmp_path / "l.nii.gz", block())
    row, _ = one(tmp_path, "--lesions", mask, "--convention", "extent")
    assert (row["lesion"], row["longest_mm"]) == ("1", "9.6")


def test_an_empty_mask_is_no_lesion(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    """A visit at which nothing was drawn: no rows, and it is said."""
    rows, drawings = measure(tmp_path, "--lesions", nifti(tmp_path / "l.nii.gz", block(value=0)))
    assert (rows, drawings) == ([], [])
    assert "holds no lesion (every voxel is 0)" in capfd.readouterr().err


# --- segmentations ---------------------------------------------------------------------------------------------------


def test_segmentations_of_the_sample_give_its_true_sizes(tmp_path: Path) -> None:
    study = sample_study_path()
    files = [study / "masks" / f"SAMPLE-05_{visit}.dcm" for visit in (0, 2)]
    rows, drawings = measure(tmp_path, "--seg", *files, "--images", study / "images" / "SAMPLE-05")
    with (sample_data_path() / "truth" / "sizes.csv").open(encoding="utf-8", newline="") as file:
        truth = {(t["timepoint"], t["lesion"]): t for t in csv.DictReader(file) if t["subject"] == "SAMPLE-05"}
    assert {(row["timepoint"], row["lesion"]) for row in rows} == truth.keys()
    for row in rows:
        true = truth[row["timepoint"], row["lesion"]]
        for name in ("longest_mm", "short_mm", "viable_mm"):
            assert float(row[name]) == pytest.approx(float(true[name]), abs=float(true["pixel_mm"]) / 2)
        assert (row["subject"], row["reader"], row["organ"]) == ("SAMPLE-05", "R1", "liver")
        assert (row["modality"], row["phase"], row["slice_thickness_mm"]) == ("CT", "ARTERIAL", "5")
    found = {(row["timepoint"], row["lesion"]): (row["date"], row["role"], row["state"]) for row in rows}
    assert found == {
        ("0", "T01"): ("2024-03-05", "target", "measured"),
        ("2", "T01"): ("2024-06-26", "target", "measured"),
        ("2", "NEW01"): ("2024-06-26", "new", "equivocal"),
    }
    for drawing, name in itertools.product(drawings, ("longest", "short", "viable", "viable_short")):
        assert distance(drawing[name]["ends_lps"]) == pytest.approx(drawing[name]["mm"], abs=1e-6)
        assert drawing[name]["sop_instance_uid"]


def test_a_bad_segmentation_stops_no_other(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    study, out = sample_study_path(), tmp_path / "sizes.csv"
    files = [tmp_path / "absent.dcm", study / "masks" / "SAMPLE-01_0.dcm"]
    images = study / "images" / "SAMPLE-01" / "0"
    assert main(["measure", "--seg", *map(str, files), "--images", str(images), "--out", str(out)]) == 1
    said = capfd.readouterr().err.splitlines()
    assert said == [f"lesions measured: 2, in {out}", f"mrecist: {files[0]}: no such file; check the path"]
    assert [row.lesion for row in read_measurements(out).rows] == ["T01", "T02"]


def test_when_no_segmentation_can_be_read_nothing_is_written(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    out, absent = tmp_path / "sizes.csv", tmp_path / "absent.dcm"
    assert main(["measure", "--seg", str(absent), "--images", str(tmp_path), "--out", str(out)]) == 2
    assert capfd.readouterr().err.splitlines() == [f"mrecist: {absent}: no such file; check the path"]
    assert not out.exists()


# --- faults ----------------------------------------------------------------------------------------------------------


def header(offset: int, form: str, *values: float) -> Callable[[Path], Path]:
    """A good uncompressed NIfTI file with some values of its header replaced."""

    def make(folder: Path) -> Path:
        path = nifti(folder / "bad.nii", block())
        content = bytearray(path.read_bytes())
        struct.pack_into(f"<{form}", content, offset, *values)
        path.write_bytes(content)
        return path

    return make


def cut_inside(folder: Path) -> Path:
    """The unpacked file is cut, then compressed whole: nothing is wrong with the compression."""
    good = nifti(folder / "good.nii.gz", block())
    path = folder / "bad.nii.gz"
    path.write_bytes(gzip.compress(gzip.decompress(good.read_bytes())[:-100]))
    return path


def cut_outside(folder: Path) -> Path:
    """Half of a compressed file, long enough that SimpleITK alone would read it and take zeros for the rest."""
    labels = np.random.default_rng(1).integers(0, 5, (20, 100, 100), dtype=np.uint8)
    path = nifti(folder / "bad.nii.gz", labels)
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    return path


def flipped(folder: Path) -> Path:
    path = nifti(folder / "bad.nii.gz", block())
    content = bytearray(path.read_bytes())
    content[-6] ^= 255  # in the checksum
    path.write_bytes(content)
    return path


def content(data: bytes, name: str = "bad.nii.gz") -> Callable[[Path], Path]:
    def make(folder: Path) -> Path:
        (folder / name).write_bytes(data)
        return folder / name

    return make


def pixels(voxels: Array, is_vector: bool = False) -> Callable[[Path], Path]:
    def make(folder: Path) -> Path:
        sitk.WriteImage(sitk.GetImageFromArray(voxels, isVector=is_vector), str(folder / "bad.nii.gz"))
        return folder / "bad.nii.gz"

    return make


def as_nrrd(folder: Path) -> Path:
    sitk.WriteImage(sitk.GetImageFromArray(block().astype(np.complex64)), str(folder / "bad.nrrd"))
    return folder / "bad.nrrd"


def segmentation(folder: Path) -> Path:
    return Path(shutil.copy(sample_study_path() / "masks" / "SAMPLE-01_0.dcm", folder / "bad.nii"))


UNREADABLE = [
    pytest.param(lambda folder: folder / "bad.nii.gz", "no such file", id="absent"),
    pytest.param(lambda folder: folder, "no such file", id="a folder"),
    pytest.param(content(b""), "is empty", id="empty file"),
    pytest.param(content(b"lesion,size\n1,20\n"), "cannot be read as an image", id="text"),
    pytest.param(content(b"lesion,size\n1,20\n", "bad.csv"), "cannot be read as an image", id="a table"),
    pytest.param(content(gzip.compress(b"lesion,size\n")), "cannot be read as an image", id="compressed text"),
    pytest.param(cut_inside, "truncated: 1077 bytes where 1177 are needed", id="truncated"),
    pytest.param(cut_outside, "truncated or damaged", id="truncated gzip"),
    pytest.param(flipped, "truncated or damaged", id="damaged gzip"),
    pytest.param(segmentation, "is DICOM, not a label mask", id="DICOM SEG"),
    pytest.param(header(70, "h", 9999), "NIfTI data type 9999", id="unknown data type"),
    pytest.param(header(80, "f", 0.0), "voxel size is 0 x 1.25 x 3", id="no spacing"),
    pytest.param(header(84, "f", math.nan), "voxel size is 0.75 x nan x 3", id="NaN spacing"),
    pytest.param(header(280, "f", -1.5), "0.75 x 1.25 x 3 by pixdim and 1.5 x 1.25 x 3 by its affine", id="two sizes"),
    pytest.param(pixels(block()[1]), "has 2 dimensions (15 x 11)", id="2-D"),
    pytest.param(pixels(np.stack([block()] * 2)), "has 4 dimensions (15 x 11 x 5 x 2)", id="4-D"),
    pytest.param(pixels(np.stack([block()] * 2, -1), True), "2 values in every voxel", id="vectors"),
    pytest.param(pixels(block().astype(np.complex64)), "NIfTI data type 32", id="complex"),
    pytest.param(as_nrrd, "holds complex64 values", id="complex NRRD"),
    pytest.param(pixels(block() * np.float32(1.5)), "holds the value 1.5", id="fractions"),
    pytest.param(pixels(block() * 0.99999995), "holds the value 0.9999999", id="almost"),
    pytest.param(pixels(-block().astype(np.int16)), "holds the value -1", id="negative"),
    pytest.param(pixels(np.where(block() == 1, np.nan, 2.0)), "no numbers (NaN)", id="NaN"),
    pytest.param(pixels(np.where(block() == 1, np.float32(np.inf), 0)), "no numbers (NaN)", id="infinite"),
]


def assert_refused(capfd: pytest.CaptureFixture[str], folder: Path, words: str, *arguments: str | Path) -> str:
    """Exit code 2, one line without any library's words, nothing written. ``capfd``: libraries write past Python."""
    out = folder / "out"
    capfd.readouterr()
    code = main(["measure", *map(str, arguments), "--out", str(out / "sizes.csv"), "--json", str(out / "sizes.json")])
    captured = capfd.readouterr()
    assert captured.out == ""
    assert code == 2
    (line,) = captured.err.splitlines()
    assert line.startswith("mrecist: ")
    assert words in line
    for foreign in ("Traceback", "Error", "ITK", "Exception", ".cxx", "/src/"):
        assert foreign not in line.replace(str(folder), "")
    assert not out.exists()
    return line


@pytest.mark.parametrize(("make", "words"), UNREADABLE)
def test_a_mask_that_cannot_be_measured_is_refused(
    tmp_path: Path, capfd: pytest.CaptureFixture[str], make: Callable[[Path], Path], words: str
) -> None:
    path = make(tmp_path)
    line = assert_refused(capfd, tmp_path, words, "--lesions", path)
    assert str(path) in line
    assert ";" in line  # what is wrong; what to do


@pytest.mark.parametrize(
    ("make", "words"), [case for case in UNREADABLE if case.id not in ("fractions", "almost", "negative")]
)
def test_so_is_a_viable_mask(
    tmp_path: Path, capfd: pytest.CaptureFixture[str], make: Callable[[Path], Path], words: str
) -> None:
    lesions = nifti(tmp_path / "lesions.nii.gz", block())
    assert str(path := make(tmp_path)) in assert_refused(capfd, tmp_path, words, "--lesions", lesions, "--viable", path)


@pytest.mark.parametrize(
    ("viable", "words"),
    [
        (lambda path: nifti(path, block()[:4]), "shape (z, y, x)"),
        (lambda path: nifti(path, block(), (0.75, 1.25, 2.5)), "spacing (mm)"),
        (lambda path: nifti(path, block(), origin=(-50.0, 20.0, 101.0)), "origin (LPS mm)"),
        (lambda path: nifti(path, block(), direction=np.diag([-1.0, -1, 1])), "row direction"),
        (lambda path: nifti(path, np.roll(block(), 1, axis=2)), "18 viable voxels lie in no lesion"),
    ],
    ids=["shape", "spacing", "origin", "direction", "outside"],
)
def test_lesions_and_viable_on_different_grids(
    tmp_path: Path, capfd: pytest.CaptureFixture[str], viable: Callable[[Path], Path], words: str
) -> None:
    lesions, other = nifti(tmp_path / "l.nii.gz", block()), viable(tmp_path / "v.nii.gz")
    line = assert_refused(capfd, tmp_path, words, "--lesions", lesions, "--viable", other)
    assert str(lesions) in line
    assert str(other) in line


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--seg", "a.dcm"], "--images goes with --seg"),
        (["--lesions", "MASK", "--images", "."], "--images goes with --seg"),
        (["--seg", "a.dcm", "--images", ".", "--viable", "v.nii"], "--viable goes with --lesions"),
        (["--seg", "a.dcm", "--images", "nowhere"], "nowhere: is not a folder"),
        (["--lesions", "MASK", "--convention", "pixel"], "'pixel', not one of: calibrated, extent, edge, centre"),
        (["--lesions", "MASK", "--date", "3.1.2024"], "--date: '3.1.2024' is not an ISO 8601 date"),
    ],
)
def test_options_that_do_not_go_together(
    tmp_path: Path, capfd: pytest.CaptureFixture[str], arguments: list[str], words: str
) -> None:
    mask = str(nifti(tmp_path / "l.nii.gz", block()))
    assert_refused(capfd, tmp_path, words, *(mask if word == "MASK" else word for word in arguments))


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ([], "one of the arguments --lesions --seg is required"),
        (["--lesions", "l.nii", "--seg", "a.dcm"], "not allowed with argument"),
        (["--lesions", "l.nii", "--round-mm", "0"], "'0' is not a step above 0 mm"),
        (["--lesions", "l.nii", "--max-gap-mm", "-1"], "'-1' is not a number of millimetres"),
        (["--lesions", "l.nii", "--max-gap-mm", "1,5"], "'1,5' is not a number of millimetres"),
        (["--lesions", "l.nii", "--timepoint", "first"], "'first' is not a time point"),
    ],
)
def test_wrong_use_exits_2(capfd: pytest.CaptureFixture[str], arguments: list[str], words: str) -> None:
    with pytest.raises(SystemExit) as stop:
        main(["measure", *arguments, "--out", "never.csv"])
    assert stop.value.code == 2
    assert words in capfd.readouterr().err.splitlines()[-1]


# --- pictures --------------------------------------------------------------------------------------------------------


def png_size(path: Path) -> tuple[int, int]:
    data = path.read_bytes()
    assert data[:8] == b"\x89PNG\r\n\x1a\n"
    width, height = struct.unpack(">2I", data[16:24])
    return width, height


def test_a_picture_of_each_lesion(tmp_path: Path) -> None:
    both = block(8)
    both[1:4, 2:4, 4:6] = 7
    mask = nifti(tmp_path / "P 1.nii.gz", both)
    plots = tmp_path / "plots"
    rows, _ = measure(tmp_path, "--lesions", mask, "--plot", plots, "--timepoint", "2", "--reader", "R/2")
    assert [row["lesion"] for row in rows] == ["1", "7"]
    assert sorted(path.name for path in plots.iterdir()) == ["P-1_R-2_2_1.png", "P-1_R-2_2_7.png"]
    assert len({path.read_bytes() for path in plots.iterdir()}) == 2


def test_a_viable_diameter_on_another_slice_has_a_picture_beside_the_first(tmp_path: Path) -> None:
    whole, same, other = block(), block(), block()
    whole[3] = 0
    whole[3, 2 : 2 + HIGH, 3 : 4 + WIDE] = 1  # the longest diameter lies on the last slice
    same[:3] = other[2:] = 0
    mask, plots = nifti(tmp_path / "l.nii.gz", whole), tmp_path / "plots"
    sizes = []
    for viable in (same, other):
        measure(tmp_path, "--lesions", mask, "--viable", nifti(tmp_path / "v.nii.gz", viable), "--plot", plots)
        sizes.append(png_size(plots / "l_R1_0_1.png"))
    assert sizes[1] == (2 * sizes[0][0], sizes[0][1])


def test_pictures_of_segmentations_show_their_images(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from mrecist.imaging.volume import load_slice
    from mrecist.pictures import files

    drawn = []

    def kept(*arguments: Any, **more: Any) -> Any:
        drawn.append((arguments[4], more["pixels"], more["modality"]))
        return draw(*arguments, **more)

    draw = files.draw_lesion
    monkeypatch.setattr(files, "draw_lesion", kept)
    study, plots = sample_study_path(), tmp_path / "plots"
    seg = ("--seg", study / "masks" / "SAMPLE-01_0.dcm", "--images", study / "images" / "SAMPLE-01")
    _, drawings = measure(tmp_path, *seg, "--plot", plots)
    assert sorted(p.name for p in plots.iterdir()) == ["SAMPLE-01_R1_0_T01.png", "SAMPLE-01_R1_0_T02.png"]
    series = {s.uid: s for s in scan_folder(study / "images" / "SAMPLE-01").series}
    for (index, pixels, modality), drawing in zip(drawn, drawings, strict=True):
        assert (index, modality) == (drawing["longest"]["slice"], "CT")
        assert np.array_equal(pixels, load_slice(series[drawing["series_uid"]], index))


def test_pictures_do_not_take_the_place_of_a_file(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    mask = nifti(tmp_path / "l.nii.gz", block())
    assert_refused(capfd, tmp_path, "which is a file; give a folder", "--lesions", mask, "--plot", mask)


def two_masks(folder: Path) -> tuple[Path, Path]:
    folder.mkdir()
    return nifti(folder / "P1.nii.gz", block(8)), nifti(folder / "P2.nii.gz", block(5, value=3))


def test_many_files_and_a_folder_give_the_rows_of_each_alone(tmp_path: Path) -> None:
    masks = two_masks(tmp_path / "masks")
    alone = [measure(tmp_path, "--lesions", mask, "--viable", mask) for mask in masks]
    together = measure(tmp_path, "--lesions", *masks, "--viable", *masks)
    assert together == ([*alone[0][0], *alone[1][0]], [*alone[0][1], *alone[1][1]])
    assert [(row["subject"], row["lesion"]) for row in together[0]] == [("P1", "1"), ("P2", "3")]
    assert [drawing["subject"] for drawing in together[1]] == ["P1", "P2"]
    assert measure(tmp_path, "--lesions", tmp_path / "masks", "--viable", tmp_path / "masks") == together


def test_one_bad_file_stops_no_other(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    first, second = two_masks(tmp_path / "masks")
    (tmp_path / "masks" / "bad.nii.gz").write_bytes(b"no mask")
    viable = tmp_path / "viable"
    viable.mkdir()
    shutil.copy(first, viable / first.name)
    out = tmp_path / "sizes.csv"
    assert main(["measure", "--lesions", str(tmp_path / "masks"), "--viable", str(viable), "--out", str(out)]) == 1
    with out.open(encoding="utf-8", newline="") as file:
        assert [row["subject"] for row in csv.DictReader(file)] == ["P1"]
    said = capfd.readouterr().err
    assert "bad.nii.gz: cannot be read as an image" in said
    assert f"{viable / second.name}: no such file" in said


def test_files_of_one_subject_are_not_mixed(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    first, second = two_masks(tmp_path / "masks")
    other = nifti(tmp_path / "P1.nii", block())
    out = str(tmp_path / "sizes.csv")
    assert main(["measure", "--lesions", str(first), str(other), "--out", out]) == 1
    assert "subject 'P1' was measured from" in capfd.readouterr().err
    assert main(["measure", "--lesions", str(first), str(second), "--subject", "P", "--out", out]) == 2
    assert "--subject is 'P' for 2 files" in capfd.readouterr().err
    assert main(["measure", "--lesions", str(first), str(second), "--viable", str(first), "--out", out]) == 2
    assert "2 files of --lesions and 1 of --viable" in capfd.readouterr().err


def test_an_earlier_file_survives_a_failure(tmp_path: Path) -> None:
    out = tmp_path / "sizes.csv"
    out.write_text("of yesterday\n", encoding="utf-8")
    assert main(["measure", "--lesions", str(tmp_path / "absent.nii"), "--out", str(out)]) == 2
    assert out.read_text(encoding="utf-8") == "of yesterday\n"
    assert [path.name for path in tmp_path.iterdir()] == ["sizes.csv"]
