"""What a second run of ``mrecist score`` measures again, and what it takes from the first: always the bytes of a first run."""

from __future__ import annotations

import errno
import os
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pydicom
import pytest

from mrecist.cli import main
from mrecist.fingerprints import Fingerprints

MakeStudy = Callable[..., Path]
TABLES = ("measurements.csv", "measurements.json", "responses.csv", "best_responses.csv", "cases.csv", "report.html")


class Seen:
    """Which mask files and how many slices were read."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        from mrecist import pieces
        from mrecist.imaging import volume

        self.masks: list[str] = []
        self.slices = 0
        read_masks, opened = pieces.read_masks, volume._sources

        def read(path: Path, series: Any) -> Any:
            self.masks.append(path.name)
            return read_masks(path, series)

        def sources(series: Any, slices: Any) -> Any:
            self.slices += len(slices)
            return opened(series, slices)

        monkeypatch.setattr(pieces, "read_masks", read)
        monkeypatch.setattr(volume, "_sources", sources)

    def take(self) -> tuple[list[str], int]:
        found = sorted(self.masks), self.slices
        self.masks, self.slices = [], 0
        return found


@pytest.fixture
def seen(monkeypatch: pytest.MonkeyPatch) -> Seen:
    monkeypatch.setattr(
        "mrecist.report.html._panels", lambda _results: ()
    )  # plots take longest and depend on the tables
    return Seen(monkeypatch)


ALL = ["SAMPLE-05_0.dcm", "SAMPLE-05_2.dcm"]


def run(study: Path, *more: str, out: str = "out") -> dict[str, bytes]:
    folder = study.parent / out
    assert main(["score", str(study), "--out", str(folder), *more]) == 0
    return {name: (folder / name).read_bytes() for name in TABLES}


def as_first(study: Path, *more: str) -> dict[str, bytes]:
    """What a run gives that knows of no other."""
    shutil.rmtree(study.parent / "first", ignore_errors=True)
    return run(study, *more, out="first")


def test_other_criteria_read_no_mask_and_no_slice(make_study: MakeStudy, seen: Seen) -> None:
    study = make_study("SAMPLE-05")
    run(study)
    masks, slices = seen.take()
    assert masks == ALL
    assert slices > 0
    protocol = study.parent / "other.toml"
    protocol.write_text('format = "mrecist-protocol/1"\n[criteria.mrecist]\npd_absolute_mm = 5\n', encoding="utf-8")
    again = run(study, "--protocol", str(protocol))
    assert seen.take() == ([], 0)
    assert again == as_first(study, "--protocol", str(protocol))


def test_other_rows_of_a_reader_read_no_mask(make_study: MakeStudy, seen: Seen) -> None:
    study = make_study("SAMPLE-05")
    run(study)
    seen.take()
    reads = study / "reads" / "R1.csv"
    reads.write_text(reads.read_text(encoding="utf-8").replace("unequivocal", "equivocal"), encoding="utf-8")
    again = run(study)
    assert seen.take() == ([], 0)
    assert again == as_first(study)


def test_one_changed_mask_is_measured_again_and_no_other(make_study: MakeStudy, seen: Seen) -> None:
    study = make_study("SAMPLE-05")
    run(study)
    seen.take()
    path = study / "masks" / "SAMPLE-05_2.dcm"
    dataset = pydicom.dcmread(path)
    dataset.ContentCreatorName = "R1"
    dataset.SeriesDescription = "drawn again"
    dataset.save_as(path)
    again = run(study)
    assert seen.take()[0] == ["SAMPLE-05_2.dcm"]
    assert again == as_first(study)


def test_a_slice_under_a_lesion_counts_and_another_does_not(make_study: MakeStudy, seen: Seen) -> None:
    """The lesions of the sample end before the first slice of the stack."""
    study = make_study("SAMPLE-05")
    run(study)
    seen.take()
    folder = study / "images" / "SAMPLE-05" / "0" / "arterial"
    for name, expected in (("0001.dcm", []), ("0006.dcm", ["SAMPLE-05_0.dcm"])):
        dataset = pydicom.dcmread(folder / name)
        dataset.decompress(generate_instance_uid=False)
        values = dataset.pixel_array.copy()
        values += 1
        dataset.PixelData = values.tobytes()
        dataset.save_as(folder / name)
        again = run(study)
        assert seen.take()[0] == expected
    assert again == as_first(study)


def test_other_settings_or_another_version_measure_everything_again(
    make_study: MakeStudy, seen: Seen, monkeypatch: pytest.MonkeyPatch
) -> None:
    study = make_study("SAMPLE-05")
    run(study)
    seen.take()
    (study / "protocol.toml").write_text(
        'format = "mrecist-protocol/1"\n[measurement]\nround_mm = 1\n[criteria.mrecist]\n', encoding="utf-8"
    )
    run(study)
    assert seen.take()[0] == ALL
    run(study)
    assert seen.take()[0] == []
    monkeypatch.setattr("mrecist.checkpoint.__version__", "99.0")
    run(study)
    assert seen.take()[0] == ALL
    run(study, "--fresh")
    assert seen.take()[0] == ALL


def test_a_study_that_was_copied_moved_and_touched_is_known(make_study: MakeStudy, seen: Seen) -> None:
    study = make_study("SAMPLE-05")
    before = run(study)
    seen.take()
    moved = study.parent / "elsewhere" / "study"
    shutil.copytree(study, moved, copy_function=shutil.copyfile)
    shutil.rmtree(study)
    folder = study.parent / "out"
    assert main(["score", str(moved), "--out", str(folder)]) == 0
    assert seen.take() == ([], 0)
    assert {name: (folder / name).read_bytes() for name in TABLES} == before


def test_what_was_damaged_is_measured_again(make_study: MakeStudy, seen: Seen) -> None:
    study = make_study("SAMPLE-05")
    before = run(study)
    seen.take()
    one, other = sorted((study.parent / "out" / ".checkpoints" / "measured").rglob("*.json"))
    text = one.read_text(encoding="utf-8")
    one.write_text(text.replace("1", "2", 1) if "1" in text else text + " ", encoding="utf-8")
    other.write_bytes(other.read_bytes()[:100])
    index = study.parent / "out" / ".checkpoints" / "files" / "x.json"
    index.parent.mkdir(exist_ok=True)
    index.write_text("[]", encoding="utf-8")
    assert Fingerprints(index).sha256(one)
    assert run(study) == before
    assert seen.take()[0] == ALL


def test_drawn_outlines_are_kept_too(make_study: MakeStudy, seen: Seen) -> None:
    study = make_study("SAMPLE-05")
    before = run(study, "--repeat", "5")
    spread = (study.parent / "out" / "spread.csv").read_bytes()
    seen.take()
    assert run(study, "--repeat", "5") == before
    assert seen.take() == ([], 0)
    assert (study.parent / "out" / "spread.csv").read_bytes() == spread
    run(study, "--repeat", "6")
    assert seen.take()[0] == ALL


def test_a_full_disk_is_one_line(
    make_study: MakeStudy, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def full(path: Path, _content: object) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), str(path))

    study = make_study("SAMPLE-05")
    monkeypatch.setattr("mrecist.checkpoint.write_whole", full)
    assert main(["score", str(study), "--out", str(study.parent / "out")]) == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert "No space left on device" in line
    assert "run the same command again" in line


def test_a_file_that_was_just_written_is_read_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A write in the same tick of the clock leaves size and times as they were (Git: racy entries of the index)."""
    path, index = tmp_path / "file", tmp_path / "index"
    path.write_bytes(b"one")
    fresh = Fingerprints(index)
    assert fresh.sha256(path) == "7692c3ad3540bb803c020b3aee66cd8887123234ea0c6e7143c0add73ff431ed"  # sha256sum
    fresh.keep()
    assert not index.exists()
    monkeypatch.setattr("mrecist.fingerprints.RACY_NS", -(10**12))  # as if it had been written long before
    settled = Fingerprints(index)
    settled.sha256(path)
    settled.keep()
    monkeypatch.setattr("hashlib.file_digest", None)  # to read it again would fail
    assert Fingerprints(index).sha256(path) == fresh.sha256(path)
    path.write_bytes(b"three")
    with pytest.raises(TypeError):
        Fingerprints(index).sha256(path)
