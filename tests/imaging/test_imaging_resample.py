"""A tilted, irregular or displaced stack has no volume until it is resampled on request; then it is right, and said so.

Truth: the volume of an ellipsoid in closed form, and a linear function of space, which linear interpolation reproduces.
"""

from __future__ import annotations

import csv
import json
import math
from dataclasses import replace
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest
from build_seg import ENHANCING, Part, write_seg
from build_series import Image, write

from mrecist.cli import main
from mrecist.errors import SeriesError
from mrecist.imaging.geometry import Geometry
from mrecist.imaging.resampling import regular_grid, resample_regular
from mrecist.imaging.scan import scan_folder
from mrecist.imaging.series import Series, Verdict
from mrecist.imaging.volume import Volume, load_volume

ROWS, COLUMNS = 90, 100
SPACING = (0.8, 0.7)
RADII = np.array([22.0, 20.0, 25.0])
CENTRE = np.array([1.3, -0.6, 0.8])
TRUE_MM3 = 4 / 3 * math.pi * float(RADII.prod())
IRREGULAR = np.cumsum([0, *[3] * 11, *[5] * 8]) - 36.0
ALTERNATING = np.cumsum([0, *[3, 5] * 9]) - 36.0


def stack(places: npt.NDArray[np.float64], degrees: float = 0.0, moved: float = 0.0) -> Geometry:
    """Slices at these z, the column direction turned by ``degrees``; every third slice displaced by ``moved`` mm in x."""
    angle = math.radians(degrees)
    return Geometry(
        shape=(len(places), ROWS, COLUMNS),
        origins_lps=tuple((-34.0 + moved * (i % 3 == 1), -36.0, float(z)) for i, z in enumerate(places)),
        row_direction=(1.0, 0.0, 0.0),
        column_direction=(0.0, math.cos(angle), -math.sin(angle)),
        row_spacing_mm=SPACING[0],
        column_spacing_mm=SPACING[1],
        slice_step_mm=None,
    )


STACKS: dict[str, tuple[Geometry, str]] = {
    "TILT": (stack(np.arange(25) * 3.0 - 36.0, 15.0), "sheared by 15.0 degrees"),
    "IRREGULAR_STEP": (stack(IRREGULAR), "from 3.00 to 5.00 mm"),
    "IRREGULAR_STEP alternating": (stack(ALTERNATING), "from 3.00 to 5.00 mm"),
    "IRREGULAR_STEP and tilted": (stack(IRREGULAR, 15.0), "the step varies"),
    "SHIFTED": (stack(np.arange(25) * 3.0 - 36.0, moved=4.3), "displaced within their plane"),
}


def points(geometry: Geometry) -> npt.NDArray[np.float64]:
    """LPS of every voxel, (Z, Y, X, 3)."""
    down = np.arange(geometry.shape[1])[:, None, None] * geometry.row_spacing_mm * np.array(geometry.column_direction)
    right = np.arange(geometry.shape[2])[None, :, None] * geometry.column_spacing_mm * np.array(geometry.row_direction)
    return np.array(geometry.origins_lps)[:, None, None, :] + (down + right)[None]


def ellipsoid(geometry: Geometry, scale: float = 1.0) -> npt.NDArray[np.bool_]:
    return np.asarray((((points(geometry) - CENTRE) / (scale * RADII)) ** 2).sum(axis=-1) <= 1.0)


@pytest.mark.parametrize("name", STACKS)
def test_volume_and_place_of_an_ellipsoid(name: str) -> None:
    geometry, words = STACKS[name]
    grid = regular_grid(geometry, 3.0)
    assert grid.code == name.split()[0]
    assert words in grid.text
    mask = grid.mask(ellipsoid(geometry))
    assert mask.shape == grid.geometry.shape
    # Slices up to 5 mm apart on a half axis of 24 mm: (5 / 48)^2 is 1 %, and both causes together are allowed twice that.
    allowed = 0.02 if "and" in name else 0.01
    assert np.count_nonzero(mask) * (grid.geometry.voxel_volume_mm3 or 0) == pytest.approx(TRUE_MM3, rel=allowed)
    assert points(grid.geometry)[mask].mean(axis=0) == pytest.approx(CENTRE, abs=0.3)


@pytest.mark.parametrize("name", STACKS)
def test_the_lattice_is_regular_and_orthogonal(name: str) -> None:
    geometry = regular_grid(STACKS[name][0], 3.0).geometry
    steps = np.diff(np.array(geometry.origins_lps), axis=0)
    assert geometry.slice_step_mm is not None
    assert np.allclose(steps, geometry.slice_step_mm * geometry.normal, atol=1e-9)


@pytest.mark.parametrize("name", STACKS)
def test_a_linear_function_of_space_is_kept(name: str) -> None:
    geometry, _ = STACKS[name]
    grid = regular_grid(geometry, 3.0)
    law = np.array([1.5, -2.0, 0.7])
    found = grid.voxels((points(geometry) @ law).astype(np.float32))
    known = np.isfinite(found)
    assert known.mean() > 0.5
    assert np.abs(found - points(grid.geometry) @ law)[known].max() < 1e-3


def test_a_viable_part_stays_within_its_lesion() -> None:
    for geometry, _ in STACKS.values():
        grid = regular_grid(geometry, 3.0)
        whole, viable = grid.mask(ellipsoid(geometry)), grid.mask(ellipsoid(geometry, 0.6))
        assert viable.any()
        assert not (viable & ~whole).any()


def test_a_finer_step_on_request() -> None:
    grid = regular_grid(STACKS["TILT"][0], 3.0, step_mm=1.0)
    assert grid.geometry.slice_step_mm == pytest.approx(72 * math.cos(math.radians(15)) / 70)
    with pytest.raises(SeriesError, match="step_mm is 0"):
        regular_grid(STACKS["TILT"][0], 3.0, step_mm=0.0)


@pytest.mark.parametrize(
    ("geometry", "thickness", "text"),
    [
        (stack(np.arange(9) * 3.0), 3.0, "the stack is regular, there is nothing to resample"),
        (stack(np.array([0.0])), 3.0, "SINGLE_SLICE: cannot be resampled"),
        (stack(np.array([0.0, 3, 6, 12, 15])), 3.0, "MISSING_SLICES: cannot be resampled"),
        (stack(np.arange(9) * 6.0), 3.0, "SPARSE: cannot be resampled"),
        (stack(np.array([0.0, 3, 6, 14, 18])), 3.0, "lie 8.00 mm apart, too much is unseen"),
    ],
)
def test_what_no_resampling_brings_back(geometry: Geometry, thickness: float, text: str) -> None:
    with pytest.raises(SeriesError, match=text):
        regular_grid(geometry, thickness)


# From files -------------------------------------------------------------------------------------------------------------


def written(folder: Path, geometry: Geometry) -> Series:
    """The stack as CT files with -100 HU outside and 60 HU inside the ellipsoid."""
    inside = ellipsoid(geometry)
    cosines = [*geometry.row_direction, *geometry.column_direction]
    images = []
    for i, origin in enumerate(geometry.origins_lps):

        def fill(ds: object, plane: npt.NDArray[np.bool_] = inside[i]) -> None:
            ds.PixelData = np.where(plane, 1084, 924).astype(np.uint16).tobytes()  # type: ignore[attr-defined]

        tags = {"ImageOrientationPatient": cosines, "Rows": ROWS, "Columns": COLUMNS, "PixelSpacing": list(SPACING)}
        tags |= {"ClinicalTrialTimePointID": "0", "SeriesDescription": "arterial"}
        images.append(Image(origin, i, i + 1, tags, change=fill))
    write(folder, images)
    (series,) = scan_folder(folder).series
    return series


def test_a_loaded_series(tmp_path: Path) -> None:
    series = written(tmp_path, STACKS["TILT"][0])
    assert series.verdict is Verdict.IN_PLANE
    volume = load_volume(series)
    regular = resample_regular(volume)
    voxel = regular.grid.geometry.voxel_volume_mm3 or 0
    assert np.count_nonzero(regular.voxels > -20) * voxel == pytest.approx(TRUE_MM3, rel=0.01)
    assert np.isnan(regular.voxels).any()  # the corners that no slice reaches
    flat = replace(series, geometry=stack(np.arange(25) * 3.0))
    with pytest.raises(SeriesError, match=r"series .*: the stack is regular"):
        resample_regular(Volume(series=flat, voxels=volume.voxels))


def seg_for(series: Series, geometry: Geometry, path: Path) -> Path:
    parts = [
        Part(mask=ellipsoid(geometry), label="T01"),
        Part(mask=ellipsoid(geometry, 0.6), label="T01 viable", kind=ENHANCING),
    ]
    return write_seg(path, [s.path for s in series.slices], parts)


@pytest.mark.parametrize("name", ["TILT", "IRREGULAR_STEP"])
def test_measure_tells_volumes_only_when_asked(name: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    geometry, words = STACKS[name]
    series = written(tmp_path / "images", geometry)
    seg = seg_for(series, geometry, tmp_path / "seg.dcm")

    def run(*options: str) -> tuple[dict[str, str], dict[str, object], str]:
        out, drawn = tmp_path / "out.csv", tmp_path / "out.json"
        given = ["measure", "--seg", str(seg), "--images", str(tmp_path / "images"), "--out", str(out)]
        assert main([*given, "--json", str(drawn), *options]) == 0
        with out.open(encoding="utf-8", newline="") as file:
            (row,) = csv.DictReader(file)
        return row, json.loads(drawn.read_text(encoding="utf-8"))[0], capsys.readouterr().err

    plain, plain_json, said = run()
    assert (plain["volume_mm3"], plain["viable_volume_mm3"]) == ("", "")
    assert plain_json["volume_resampled"] is None
    assert "resampled" not in said
    asked, asked_json, said = run("--resample")
    assert float(asked["volume_mm3"]) == pytest.approx(TRUE_MM3, rel=0.01)
    assert float(asked["viable_volume_mm3"]) == pytest.approx(0.216 * TRUE_MM3, rel=0.02)
    assert f"T01: volume {asked['volume_mm3']} mm3: resampled from {name}" in said
    assert words in said
    how = asked_json["volume_resampled"]
    assert isinstance(how, dict)
    assert how["verdict"] == name
    assert {k: v for k, v in plain.items() if "volume" not in k} == {
        k: v for k, v in asked.items() if "volume" not in k
    }
    assert plain_json["longest"] == asked_json["longest"]
    # The longest diameter of the section through the middle; its plane is turned about x, so 2 x 22 mm lie in it.
    assert float(plain["longest_mm"]) >= 2 * RADII[0] - 1


def test_a_lesion_at_the_end_of_its_stack_is_noted(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    geometry = stack(np.arange(8) * 3.0 - 36.0)  # ends at -15 mm, within the ellipsoid
    series = written(tmp_path / "images", geometry)
    seg = seg_for(series, geometry, tmp_path / "seg.dcm")
    assert (
        main(["measure", "--seg", str(seg), "--images", str(tmp_path / "images"), "--out", str(tmp_path / "o.csv")])
        == 0
    )
    assert "T01: reaches the last slice of its stack: it may go on outside" in capsys.readouterr().err


def test_score_by_the_protocol(tmp_path: Path) -> None:
    geometry, _ = STACKS["TILT"]
    study = tmp_path / "study"
    series = written(study / "images", geometry)
    (study / "masks").mkdir()
    seg_for(series, geometry, study / "masks" / "seg.dcm")

    def volume(text: str, name: str) -> str:
        (study / "protocol.toml").write_text(f'format = "mrecist-protocol/1"\n{text}', encoding="utf-8")
        assert main(["score", str(study), "--out", str(tmp_path / name)]) == 0
        with (tmp_path / name / "measurements.csv").open(encoding="utf-8", newline="") as file:
            (row,) = csv.DictReader(file)
        return row["volume_mm3"]

    assert volume("", "without") == ""
    assert float(volume("[measurement]\nresample = true\n", "with")) == pytest.approx(TRUE_MM3, rel=0.01)


def test_resampling_of_label_files_is_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    given = ["measure", "--lesions", str(tmp_path / "a.nii"), "--out", str(tmp_path / "o.csv"), "--resample"]
    assert main(given) == 2
    assert "--resample goes with --seg" in capsys.readouterr().err
