"""``mrecist scan`` and ``info`` as a user runs them, ``--version``, and the program without a command."""

from __future__ import annotations

import json
import platform
import shutil
from importlib import metadata
from pathlib import Path
from typing import Any

import pytest

import mrecist
from mrecist.cli import main
from mrecist.samples.build import sample_study_path
from mrecist.samples.plan import all_subjects

Captured = pytest.CaptureFixture[str]


def scan(capsys: Captured, *arguments: str | Path, code: int = 0) -> tuple[str, str]:
    """What ``mrecist scan`` prints on stdout and on stderr."""
    capsys.readouterr()
    assert main(["scan", *map(str, arguments)]) == code
    captured = capsys.readouterr()
    return captured.out, captured.err


def scan_json(capsys: Captured, *arguments: str | Path, code: int = 0) -> dict[str, Any]:
    found = json.loads(scan(capsys, *arguments, "--json", code=code)[0])
    assert isinstance(found, dict)
    return found


# --- the sample ------------------------------------------------------------------------------------------------------


def test_one_visit_in_words(capsys: Captured) -> None:
    """Every line of the printed form, on the two phases of one visit."""
    printed, said = scan(capsys, sample_study_path() / "images" / "SAMPLE-02" / "0")
    assert said == ""
    lines = printed.splitlines()
    assert lines[0] == "subject SAMPLE-02"
    assert lines[-1] == (
        "1 subjects, 2 series, 0 segmentations, 0 other DICOM objects, 0 unreadable, 0 files that are not DICOM"
    )
    body = lines[1:-1]
    assert len(body) == 16
    assert max(map(len, body)) <= 100
    series = {tuple(body[:8]), tuple(body[8:])}
    phases = {"ARTERIAL": ("32.0 s", "arterial"), "PORTAL VENOUS": ("72.0 s", "portal venous")}
    for phase, (delay, word) in phases.items():
        (found,) = (one for one in series if one[0] == f"  2024-01-23  CT  LIVER {phase} 5.0")
        assert found[1:4] == (
            f"    phase {phase}, confidence high",
            f"      AcquisitionTime is {delay} after ContrastBolusStartTime: {phase}",
            f"      SeriesDescription 'LIVER {phase} 5.0' says '{word}': {phase}",
        )
        assert found[6] == "    11 slices of 172 x 206, pixels 1.4 x 1.6 mm, step 5 mm"
        assert found[7] == "    geometry ok"


def test_the_whole_sample_for_a_program(capsys: Captured) -> None:
    study = sample_study_path()
    found = scan_json(capsys, study)
    assert found.keys() == {"root", "series", "segmentations", "others", "problems", "ignored"}
    series, segmentations = found["series"], found["segmentations"]
    names = {subject.name for subject in all_subjects()}
    assert {s["subject"] for s in series} == {s["subject"] for s in segmentations} == names
    # Every visit has two phases and a segmentation, but one of SAMPLE-06 that lacks the arterial phase.
    assert (len(series), len(segmentations)) == (33, 17)
    phases = [s["phase"]["name"] for s in series]
    assert (phases.count("ARTERIAL"), phases.count("PORTAL VENOUS")) == (16, 17)
    assert {s["phase"]["confidence"] for s in series} == {"high"}
    assert all(s["phase"]["evidence"] for s in series)
    assert {(s["verdict"], s["verdict_code"], s["modality"], s["slices"]) for s in series} == {("ok", "", "CT", 11)}
    assert {s["geometry"]["slice_step_mm"] for s in series} == {5.0}
    assert len({s["uid"] for s in series}) == 33
    assert {s["referenced_series_uid"] for s in segmentations} <= {s["uid"] for s in series}
    assert (found["others"], found["problems"]) == ([], [])
    listed = [path for s in series for path in s["files"]] + [s["path"] for s in segmentations]
    assert sorted(map(Path, listed)) == sorted(study.rglob("*.dcm"))
    assert found["ignored"] == sum(path.is_file() and path.suffix != ".dcm" for path in study.rglob("*"))


def test_segmentations_are_listed_with_their_series(tmp_path: Path, capsys: Captured) -> None:
    study = sample_study_path()
    shutil.copytree(study / "images" / "SAMPLE-01" / "0" / "arterial", tmp_path / "ct")
    for visit in (0, 1):
        shutil.copy(study / "masks" / f"SAMPLE-01_{visit}.dcm", tmp_path)
    references = {
        Path(s["path"]).name: s["referenced_series_uid"] for s in scan_json(capsys, tmp_path)["segmentations"]
    }
    printed, _ = scan(capsys, tmp_path)
    assert "  segmentation SAMPLE-01_0.dcm on 2024-01-09  CT  LIVER ARTERIAL 5.0\n" in printed
    other = references["SAMPLE-01_1.dcm"]
    assert f"  segmentation SAMPLE-01_1.dcm on series {other}, which is not here\n" in printed


# --- other folders ---------------------------------------------------------------------------------------------------


def test_an_empty_folder(tmp_path: Path, capsys: Captured) -> None:
    printed, said = scan(capsys, tmp_path)
    assert (printed, said) == (
        "0 subjects, 0 series, 0 segmentations, 0 other DICOM objects, 0 unreadable, 0 files that are not DICOM\n",
        "",
    )
    found = scan_json(capsys, tmp_path)
    assert [found[name] for name in ("series", "segmentations", "others", "problems", "ignored")] == [[], [], [], [], 0]


def test_a_truncated_file_is_named_and_its_series_refused(tmp_path: Path, capsys: Captured) -> None:
    folder = Path(shutil.copytree(sample_study_path() / "images" / "SAMPLE-01" / "0" / "portal", tmp_path / "ct"))
    damaged = folder / "0005.dcm"
    damaged.write_bytes(damaged.read_bytes()[:-1000])
    (folder / "notes.txt").write_text("nothing to see\n", encoding="utf-8")
    printed, said = scan(capsys, tmp_path, code=1)
    (line,) = said.splitlines()
    assert line.startswith("mrecist: ")
    assert "0005.dcm: truncated" in line
    assert "geometry refused: " in printed
    assert "1 unreadable, 1 files that are not DICOM" in printed
    found = scan_json(capsys, tmp_path, code=1)
    (series,) = found["series"]
    assert (series["verdict"], series["verdict_code"], series["slices"]) == ("refused", "DAMAGED_FILE", 10)
    (problem,) = found["problems"]
    assert Path(problem["path"]).name == "0005.dcm"
    assert problem["reason"].startswith("truncated")
    assert found["ignored"] == 1


@pytest.mark.parametrize("name", ["absent", "file.dcm"])
@pytest.mark.parametrize("form", [(), ("--json",)])
def test_a_path_that_is_no_folder(tmp_path: Path, capsys: Captured, name: str, form: tuple[str, ...]) -> None:
    (tmp_path / "file.dcm").write_bytes(b"")
    printed, said = scan(capsys, tmp_path / name, *form, code=2)
    assert printed == ""
    assert said == f"mrecist: {tmp_path / name}: is not a folder; give a folder with DICOM files\n"


# --- info and the program itself -------------------------------------------------------------------------------------


def test_info_for_a_program(capsys: Captured) -> None:
    assert main(["info", "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert found.keys() == {"mrecist", "libraries", "decoders", "extras", "segmenters"}
    assert found["mrecist"] == {
        "mrecist": mrecist.__version__,
        "python": platform.python_version(),
        "system": platform.platform(),
    }
    installed = {**found["libraries"], **found["decoders"]}
    assert {"numpy", "pydicom", "highdicom", "simpleitk", "scikit-image", "pyjpegls"} <= installed.keys()
    assert installed == {name: metadata.version(name) for name in installed}
    for extra, version in found["extras"].items():
        assert version
        assert not version.startswith("absent") or version == f"absent (pip install 'mrecist[{extra}]')"


def test_info_in_words_says_the_same(capsys: Captured) -> None:
    assert main(["info", "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert main(["info"]) == 0
    lines = capsys.readouterr().out.splitlines()
    expected = [
        words
        for section, names in found.items()
        for words in ([section], *([name, *version.split()] for name, version in names.items()))
    ]
    assert [line.split() for line in lines] == expected


def test_every_extra_that_info_names_can_be_installed() -> None:
    from mrecist.info import EXTRAS

    assert EXTRAS.keys() <= set(metadata.metadata("mrecist").get_all("Provides-Extra") or ())


def test_the_version(capsys: Captured) -> None:
    with pytest.raises(SystemExit) as stop:
        main(["--version"])
    assert stop.value.code == 0
    assert capsys.readouterr().out == f"mrecist {mrecist.__version__}\n"
    assert mrecist.__version__ == metadata.version("mrecist")


@pytest.mark.parametrize(
    ("arguments", "words"),
    [([], "required: COMMAND"), (["scann"], "invalid choice: 'scann'"), (["scan"], "required: DIR")],
)
def test_wrong_use_exits_2(capsys: Captured, arguments: list[str], words: str) -> None:
    with pytest.raises(SystemExit) as stop:
        main(arguments)
    assert stop.value.code == 2
    captured = capsys.readouterr()
    assert captured.out == ""
    assert words in captured.err.splitlines()[-1]
