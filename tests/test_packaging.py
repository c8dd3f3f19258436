"""An installed package holds what a checkout holds: templates, type marker, sample data.

A wheel is built and looked into, and the build configuration is checked against what the package looks for when it runs.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tomllib
import zipfile
from importlib.metadata import distributions
from pathlib import Path
from typing import Any

import pathspec
import pytest

import mrecist
from mrecist.samples.build import sample_data_path, sample_study_path

ROOT = Path(__file__).parents[1]
PACKAGE = ROOT / "mrecist"
DATA = {"py.typed", "report/report.css", "report/template.html", "samples/studies/Cao2022.toml"}


def pyproject() -> dict[str, Any]:
    return tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))


def targets() -> dict[str, Any]:
    found = pyproject()["tool"]["hatch"]["build"]["targets"]
    assert isinstance(found, dict)
    return found


def files_of_the_package() -> set[str]:
    found = (path for path in PACKAGE.rglob("*") if path.is_file() and "__pycache__" not in path.parts)
    return {path.relative_to(PACKAGE).as_posix() for path in found}


def sample_found_from(folder: Path) -> Path:
    """Where a Python with ``folder`` first on its path finds the sample study."""
    code = "from mrecist.samples.build import sample_study_path; print(sample_study_path())"
    done = subprocess.run(
        [sys.executable, "-P", "-c", code],
        env=os.environ | {"PYTHONPATH": os.pathsep.join([str(folder), os.environ.get("PYTHONPATH", "")])},
        cwd=folder,
        capture_output=True,
        text=True,
        check=True,
    )
    return Path(done.stdout.strip())


def test_a_checkout_finds_its_sample() -> None:
    assert sample_data_path() == ROOT / "sample_data"
    assert sample_study_path() == ROOT / "sample_data" / "study"
    assert {path.name for path in sample_study_path().iterdir()} >= {"images", "masks", "protocol.toml"}


def test_data_files_of_the_package_go_into_the_wheel() -> None:
    """Hatch takes every file below ``packages`` that neither the target nor .gitignore leaves out."""
    wheel = targets()["wheel"]
    assert wheel["packages"] == ["mrecist", "plugins/mrecist_napari"]
    assert wheel.keys() == {"packages", "force-include"}  # nothing that leaves files out
    assert targets().keys() == {"wheel", "sdist"}
    ignored = pathspec.GitIgnoreSpec.from_lines((ROOT / ".gitignore").read_text(encoding="utf-8").splitlines())
    assert files_of_the_package() >= DATA
    assert [name for name in files_of_the_package() if ignored.match_file(f"mrecist/{name}")] == []


def test_the_wheel_puts_the_sample_where_the_package_looks(tmp_path: Path) -> None:
    """The layout that the configuration describes, without a build: the package, and each forced folder at its target."""
    shutil.copytree(PACKAGE, tmp_path / "mrecist", ignore=shutil.ignore_patterns("__pycache__"))
    forced = targets()["wheel"]["force-include"]
    assert forced.keys() == {"sample_data"}
    for source, target in forced.items():
        shutil.copytree(ROOT / source, tmp_path / target, ignore=shutil.ignore_patterns("*.dcm"))
    assert sample_found_from(tmp_path) == tmp_path / forced["sample_data"] / "study"


def test_a_package_without_the_sample_says_how_to_get_it(tmp_path: Path) -> None:
    shutil.copytree(PACKAGE, tmp_path / "mrecist", ignore=shutil.ignore_patterns("__pycache__"))
    with pytest.raises(subprocess.CalledProcessError) as failed:
        sample_found_from(tmp_path)
    last = failed.value.stderr.strip().splitlines()[-1]
    assert "the sample data is not installed; build it with: python -m mrecist.samples --out DIR" in last


def test_a_source_distribution_can_build_the_wheel_and_run_the_tests() -> None:
    included = targets()["sdist"]["include"]
    assert [name for name in included if not (ROOT / name).exists()] == []
    project = pyproject()["project"]
    packages = {name.split("/")[0] for name in targets()["wheel"]["packages"]}
    wanted = {*packages, *targets()["wheel"]["force-include"], "tests", "docs", ".ci"}
    assert wanted | {project["readme"], *project["license-files"]} <= set(included)


def test_the_version_stands_in_two_places_and_is_the_same() -> None:
    assert pyproject()["project"]["version"] == mrecist.__version__


def test_a_wheel_holds_everything(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "pip", "wheel", "--quiet", "--no-index", "--no-deps", "--no-build-isolation"]
    subprocess.run([*command, "--wheel-dir", str(tmp_path), str(ROOT)], check=True)
    (wheel,) = tmp_path.glob("*.whl")
    with zipfile.ZipFile(wheel) as archive:
        held = set(archive.namelist())
        archive.extractall(tmp_path / "installed")
    sample = ROOT / "sample_data"
    plugin = ROOT / "plugins" / "mrecist_napari"
    assert {name for name in held if name.startswith("mrecist_napari/")} == {
        path.relative_to(plugin.parent).as_posix()
        for path in plugin.rglob("*")
        if path.is_file() and "__pycache__" not in path.parts
    }
    assert "mrecist_napari/napari.yaml" in held
    theirs = {f"_sample_data/{path.relative_to(sample).as_posix()}" for path in sample.rglob("*") if path.is_file()}
    assert {
        name.removeprefix("mrecist/") for name in held if name.startswith("mrecist/")
    } == files_of_the_package() | theirs
    assert sample_found_from(tmp_path / "installed") == tmp_path / "installed" / "mrecist" / "_sample_data" / "study"
    assert entry_points_of(tmp_path / "installed") == {
        ("console_scripts", "mrecist"): "mrecist.cli:main",
        ("napari.manifest", "mrecist"): "mrecist_napari:napari.yaml",
        ("mrecist.segmenters", "nninteractive"): "mrecist.segmenters.nninteractive:NNInteractive",
    }


def entry_points_of(folder: Path) -> dict[tuple[str, str], str]:
    """(group, name) -> value of every entry point of the one distribution that was unpacked in ``folder``."""
    (found,) = distributions(name="mrecist", path=[str(folder)])
    return {(point.group, point.name): point.value for point in found.entry_points}
