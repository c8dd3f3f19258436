"""The sample study scored and exported once, and a small study whose masks are NIfTI files."""

from __future__ import annotations

import shutil
import sys
from pathlib import Path

import pytest
from command_line import run

from mrecist.imaging.scan import scan_folder
from mrecist.imaging.series import Series
from mrecist.samples.build import sample_study_path

# Series with known geometry are built by the tests of the images.
sys.path.append(str(Path(__file__).parents[1] / "imaging"))


@pytest.fixture(scope="session")
def sample() -> Path:
    return sample_study_path()


@pytest.fixture(scope="session")
def series(sample: Path) -> tuple[Series, ...]:
    return scan_folder(sample / "images").series


@pytest.fixture(scope="session")
def scored(sample: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("scored")
    assert run("score", sample, "--out", out) == 0
    return out


@pytest.fixture(scope="session")
def binary(sample: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("binary")
    assert run("export", "seg", sample, "--out", out) == 0
    return out


@pytest.fixture(scope="session")
def labelmap(sample: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("labelmap")
    assert run("export", "seg", sample, "--labelmap", "--out", out) == 0
    return out


@pytest.fixture(scope="session")
def reports(sample: Path, scored: Path, binary: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("reports")
    assert run("export", "sr", scored, "--images", sample, "--seg", binary, "--out", out) == 0
    return out


@pytest.fixture
def one_subject(tmp_path: Path, sample: Path) -> Path:
    """SAMPLE-01 in a study folder of its own, to be changed."""
    study = tmp_path / "study"
    shutil.copytree(sample / "images" / "SAMPLE-01", study / "images" / "SAMPLE-01")
    (study / "masks").mkdir()
    for path in (sample / "masks").glob("SAMPLE-01_*.dcm"):
        shutil.copy(path, study / "masks")
    (study / "reads").mkdir()
    lines = (sample / "reads" / "R1.csv").read_text(encoding="utf-8").splitlines()
    kept = [line for line in lines if line.startswith(("subject", "SAMPLE-01"))]
    (study / "reads" / "R1.csv").write_text("\n".join(kept) + "\n", encoding="utf-8")
    return study
