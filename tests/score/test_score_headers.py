"""Headers that were read are kept beside the results: what was written to since is read again, and nothing else."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from archive_made import make_archive

from mrecist import kept_headers
from mrecist.cli import main
from mrecist.imaging import scan as scanning
from mrecist.imaging.scan import Found, files_below, look_at_all
from mrecist.kept_headers import look_at_changed
from mrecist.samples.build import sample_study_path

LONG_AGO = -(10**12)
"""As if every file had been written long before it was read."""
Look = Callable[[], tuple[Found, list[str]]]


@pytest.fixture
def opened(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Names of the files whose headers are read in this process."""
    names: list[str] = []
    read = scanning.header_if_dicom

    def noted(path: Path) -> Any:
        names.append(path.name)
        return read(path)

    monkeypatch.setattr(scanning, "header_if_dicom", noted)
    return names


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A series, its segmentation, a text, and a slice that is cut off: all that a scan can find but other objects."""
    folder, sample = tmp_path / "in", sample_study_path()
    shutil.copytree(sample / "images" / "SAMPLE-05" / "0" / "arterial", folder)
    shutil.copy(sample / "masks" / "SAMPLE-05_0.dcm", folder / "seg.dcm")
    (folder / "notes.txt").write_text("see the other disc", encoding="utf-8")
    (folder / "cut.dcm").write_bytes((folder / "0003.dcm").read_bytes()[:400])
    return folder


@pytest.fixture
def look(folder: Path, tmp_path: Path, opened: list[str], monkeypatch: pytest.MonkeyPatch) -> Look:
    """What a look with the index finds, and what it opened for that; it must be what a look without one finds."""
    monkeypatch.setattr("mrecist.stamps.RACY_NS", LONG_AGO)

    def once() -> tuple[Found, list[str]]:
        pieces, _ = files_below(folder)
        expected = look_at_all(pieces)
        opened.clear()
        found = look_at_changed(pieces, index=tmp_path / "index")
        assert found == expected
        return found, sorted(opened)

    return once


def files_of(index: Path) -> list[Path]:
    return [path for path in index.rglob("*") if path.is_file()]


def test_only_what_was_written_to_is_read_again(folder: Path, look: Look) -> None:
    names = sorted(path.name for path in folder.iterdir())
    found, read = look()
    assert read == names
    assert (len(found.records), len(found.segmentations), len(found.problems), found.ignored) == (
        len(names) - 3,
        1,
        1,
        1,
    )
    assert look()[1] == ["cut.dcm"]  # what could not be read is tried again
    one = folder / "0004.dcm"
    before = one.stat()
    one.write_bytes(one.read_bytes().replace(b"SAMPLE-05", b"SAMPLE-06"))  # of the same length
    os.utime(one, ns=(before.st_atime_ns, before.st_mtime_ns))
    assert one.stat().st_mtime_ns == before.st_mtime_ns
    found, read = look()
    assert read == ["0004.dcm", "cut.dcm"]
    assert [record.patient_id for record in found.records if record.path == one] == ["SAMPLE-06"]
    (folder / "0001.dcm").rename(folder / "0001b.dcm")
    (folder / "0002.dcm").unlink()
    assert look()[1] == ["0001b.dcm", "cut.dcm"]
    os.replace(folder / "0005.dcm", folder / "0006.dcm")  # another file in its place
    assert look()[1] == ["0006.dcm", "cut.dcm"]
    assert look()[1] == ["cut.dcm"]


def test_a_file_that_was_just_written_is_not_remembered(
    folder: Path, look: Look, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("mrecist.stamps.RACY_NS", 10**12)
    assert len(look()[1]) == len(look()[1]) == len(list(folder.iterdir()))


@pytest.mark.parametrize(
    "wrong",
    [
        lambda place: place.write_bytes(place.read_bytes()[:-20]),
        lambda place: place.write_bytes(b""),
        lambda place: place.write_bytes(b"\0" + place.read_bytes()),
        lambda place: kept_headers._write(place, []),  # type: ignore[arg-type]
        lambda place: kept_headers._write(place, dict.fromkeys(("0000.dcm", "0001.dcm"), 3)),
        lambda place: kept_headers._write(
            place, {n: [e[0], {"of": "another"}] for n, e in kept_headers._read(place).items()}
        ),
    ],
    ids=["cut", "empty", "shifted", "a list", "numbers", "another layout"],
)
def test_a_damaged_or_foreign_index_is_not_used(
    wrong: Callable[[Path], Any], folder: Path, tmp_path: Path, look: Look
) -> None:
    look()
    for place in files_of(tmp_path / "index"):
        wrong(place)
    assert len(look()[1]) == len(list(folder.iterdir()))
    assert look()[1] == ["cut.dcm"]


def test_another_version_reads_again(folder: Path, look: Look, monkeypatch: pytest.MonkeyPatch) -> None:
    look()
    monkeypatch.setattr(kept_headers, "_versions", lambda: ("headers/1", "9.8.7", "3.0"))
    assert len(look()[1]) == len(list(folder.iterdir()))


def test_an_index_that_cannot_be_written_costs_time_only(folder: Path, tmp_path: Path, look: Look) -> None:
    (tmp_path / "index").write_text("a file where the folder should be", encoding="utf-8")
    assert len(look()[1]) == len(look()[1]) == len(list(folder.iterdir()))


def test_a_second_run_opens_no_header_for_its_scan(
    tmp_path: Path, opened: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("mrecist.stamps.RACY_NS", LONG_AGO)
    monkeypatch.setattr("mrecist.report.html._panels", lambda _results: ())
    study, out = tmp_path / "study", tmp_path / "out"
    make_archive(study, 1, 0)
    run = partial(main, ["score", str(study), "--out", str(out)])
    results = []
    for more, files in ((run, 24), (run, 0), (partial(main, [*run.args[0], "--fresh"]), 24)):
        opened.clear()
        assert more() == 0
        assert len(opened) == files  # 22 slices and two segmentations
        results.append({path.name: path.read_bytes() for path in out.iterdir() if path.is_file()})
    assert results[0] == results[1] == results[2]
