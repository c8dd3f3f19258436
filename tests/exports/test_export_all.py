"""``export all``: the shipped sample study to every format with one command, and what stops one export stops no other."""

from __future__ import annotations

import hashlib
import shutil
from pathlib import Path

import pytest

from mrecist.arguments.exports import export
from mrecist.cli import main
from mrecist.exporting.every import TARGETS

SAMPLE = Path(__file__).parents[2] / "sample_data" / "study"
ONE = "SAMPLE-01"


@pytest.fixture(scope="module")
def study(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The first two visits of one subject of the shipped study with their images, scored; the whole study takes long."""
    folder = tmp_path_factory.mktemp("sample")
    (folder / "study" / "masks").mkdir(parents=True)
    for visit in ("0", "1"):
        shutil.copytree(SAMPLE / "images" / ONE / visit, folder / "study" / "images" / ONE / visit)
        shutil.copy(SAMPLE / "masks" / f"{ONE}_{visit}.dcm", folder / "study" / "masks")
    shutil.copy(SAMPLE / "protocol.toml", folder / "study")
    for name in ("subjects.csv", "reads/R1.csv"):
        header, *lines = (SAMPLE / name).read_text(encoding="utf-8").splitlines()
        path = folder / "study" / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(
            "\n".join([header, *(x for x in lines if x.startswith(ONE) and ",2024-05" not in x)]) + "\n",
            encoding="utf-8",
        )
    assert main(["score", str(folder / "study"), "--out", str(folder / "results")]) == 0
    return folder


def command(study: Path, out: Path, *options: str) -> list[str]:
    return ["export", "all", str(study / "results"), "--out", str(out), *options]


def hashes(folder: Path, *names: str) -> dict[str, str]:
    files = (path for name in names for path in (folder / name).rglob("*") if path.is_file())
    return {path.relative_to(folder).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest() for path in files}


def test_the_sample_study_to_every_format(study: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    images = ["--images", str(study / "study"), "--subjects", str(study / "study" / "subjects.csv")]
    assert main(command(study, tmp_path / "one", *images)) == 0
    said = capsys.readouterr()
    for name in ("sdtm/dm.xpt", "sdtm/tr.xpt", "sdtm/rs.xpt", "sdtm/define.xml", "sdtm/define.html"):
        assert (tmp_path / "one" / name).is_file()
    for name in ("odm/clinical_data.xml", "redcap/dictionary.csv", "redcap/records.csv"):
        assert (tmp_path / "one" / name).is_file()
    for name in ("seg", "sr"):
        assert [path.name for path in sorted((tmp_path / "one" / name / ONE).iterdir())] == [
            f"{name}_R1_{timepoint}.dcm" for timepoint in range(2)
        ]
    listed = {Path(line) for line in said.out.splitlines()}
    assert listed == {path for path in (tmp_path / "one").rglob("*") if path.is_file()}
    assert [line.split(": ")[1] for line in said.err.splitlines()[-len(TARGETS) :]] == [one.name for one in TARGETS]


def test_the_same_bytes_again(study: Path, tmp_path: Path) -> None:
    for out in ("one", "two"):
        assert main(command(study, tmp_path / out)) == 0
    first = hashes(tmp_path / "one", "sdtm", "odm", "redcap")
    assert len(first) > 8
    assert hashes(tmp_path / "two", "sdtm", "odm", "redcap") == first
    assert main(command(study, tmp_path / "two")) == 0
    assert hashes(tmp_path / "two", "sdtm", "odm", "redcap") == first


def test_without_images_seg_and_sr_are_left_out(
    study: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(command(study, tmp_path / "out")) == 0
    said = capsys.readouterr().err
    assert "seg: left out: no --images" in said
    assert "sr: left out: no --images" in said


def test_what_fails_stops_nothing_else(study: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A DM of another export in the folder is refused by SDTM, and Define-XML stands on SDTM."""
    (tmp_path / "sdtm").mkdir()
    (tmp_path / "sdtm" / "dm.xpt").write_bytes(b"")
    assert main(command(study, tmp_path)) == 1
    said = capsys.readouterr().err
    assert "mrecist: sdtm: not written: " in said
    assert "mrecist: define sdtm: left out: sdtm was not written" in said
    assert "mrecist: odm: 2 files" in said
    assert not (tmp_path / "sdtm" / "tr.xpt").exists()
    assert (tmp_path / "redcap" / "records.csv").is_file()


def test_nothing_at_all_is_wrong_use(tmp_path: Path, study: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["export", "all", str(tmp_path), "--out", str(tmp_path / "out")]) == 2
    assert main(command(study, tmp_path / "out", "--subjects", str(tmp_path / "absent.csv"))) == 2
    said = capsys.readouterr().err
    assert "Traceback" not in said
    assert "nothing could be exported" in said


def test_every_export_is_one_of_all() -> None:
    """What ``mrecist export`` has is in the table, all itself left out."""
    import argparse

    parser = argparse.ArgumentParser()
    export(parser)
    targets = next(a for a in parser._actions if isinstance(a, argparse._SubParsersAction))
    assert {*targets.choices} - {"all"} == {one.name.split()[0] for one in TARGETS}
