"""A scan whose shares run elsewhere: the same whatever the order, and a share that is lost costs the file that was the cause."""

from __future__ import annotations

import pickle
import random
import shutil
from collections.abc import Callable, Iterable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from items_that_fail import look_or_be_killed

from mrecist.imaging import sharing
from mrecist.imaging.archive import ScannedParts, scan_in_parts
from mrecist.imaging.assemble import order_of
from mrecist.imaging.scan import Problem, Scan, Segmentation, scan_folder
from mrecist.imaging.series import Series
from mrecist.samples.build import sample_study_path
from mrecist.scheduling import Cause, Failure, open_scheduler

Outcomes = Iterator[tuple[int, Any]]
LOST = "0006.dcm"


@pytest.fixture(autouse=True)
def shared_however_few(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sharing, "WORTH_SHARING", 1)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two subjects, a copy of a series of one in another place (whose slices are told apart by their order), a damaged slice."""
    folder = tmp_path_factory.mktemp("scan")
    sample = sample_study_path()
    for subject in ("SAMPLE-01", "SAMPLE-05"):
        shutil.copytree(sample / "images" / subject, folder / subject)
        for mask in (sample / "masks").glob(f"{subject}_*.dcm"):
            shutil.copy(mask, folder)
    shutil.copytree(folder / "SAMPLE-05" / "0" / "arterial", folder / "copy")
    damaged = sorted((folder / "SAMPLE-01" / "0").rglob("*.dcm"))[3]
    damaged.write_bytes(damaged.read_bytes()[:400])
    return folder


@pytest.fixture(scope="module")
def whole(folder: Path) -> Scan:
    return scan_folder(folder)


def shuffled(function: Callable[[Any], Any], items: Iterable[Any]) -> Outcomes:
    """As a scheduler of other machines: pickled both ways, in any order."""
    every = list(enumerate(items))
    random.Random(3).shuffle(every)
    for index, item in every:
        yield index, pickle.loads(pickle.dumps(function(item)))


def failing(function: Callable[[Any], Any], items: Iterable[Any]) -> Outcomes:
    """Every share with a slice of that name gives nothing."""
    for index, item in enumerate(items):
        lost = any(LOST in piece.names for piece in item)
        yield index, Failure("its process ended with signal SIGKILL", Cause.DIED) if lost else function(item)


def contents(parts: ScannedParts) -> tuple[list[Series], list[Segmentation], tuple[Problem, ...]]:
    return list(parts.series), list(parts.segmentations), parts.problems


def test_any_order_gives_the_same(folder: Path, whole: Scan, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    one_after_another = contents(scan_in_parts(folder, tmp_path))
    for files in (50, 7):
        monkeypatch.setattr(sharing, "FILES_A_SHARE", files)
        assert scan_folder(folder, run=shuffled) == whole
        assert contents(scan_in_parts(folder, tmp_path, run=shuffled)) == one_after_another
    assert sorted(one_after_another[0], key=order_of) == list(whole.series)


def test_a_lost_share_costs_only_the_file_that_was_the_cause(folder: Path, whole: Scan, tmp_path: Path) -> None:
    scan = scan_folder(folder, run=failing)
    lost = sorted(path for path in folder.rglob(LOST))
    told = {problem.path: problem.reason for problem in scan.problems}
    assert set(told) == {problem.path for problem in whole.problems} | set(map(str, lost))
    assert {told[str(path)] for path in lost} == {"header not read: its process ended with signal SIGKILL"}
    slices = [sum(len(one.slices) for one in scanned.series) for scanned in (whole, scan)]
    assert slices[0] - slices[1] == len(lost) - 1  # the copy of a slice counts once
    hurt = {path.parent for path in lost}
    for one in scan.series:  # a stack that lacks a slice is not measured as if it were whole
        assert not hurt & {piece.path.parent for piece in one.slices} or one.verdict != "ok"
    parts = scan_in_parts(folder, tmp_path, run=failing)
    assert parts.problems == scan.problems
    assert sorted(parts.series, key=order_of) == list(scan.series)


def test_a_process_that_is_killed_by_a_file(folder: Path, whole: Scan) -> None:
    """The processes that measure read the headers too; one file ends each that looks at it."""
    (victim,) = folder.glob("SAMPLE-05_0*.dcm")

    with open_scheduler(workers=2) as scheduler:

        def run(function: Callable[[Any], Any], items: Iterable[Any]) -> Outcomes:
            return scheduler.run(partial(look_or_be_killed, look=function, name=victim.name), items)

        scan = scan_folder(folder, run=run)
    (told,) = set(scan.problems) - set(whole.problems)
    assert told.path == str(victim)
    assert told.reason.startswith("header not read: its process ended with signal SIGKILL")
    assert len(scan.segmentations) == len(whole.segmentations) - 1
    assert [one.slices for one in scan.series] == [one.slices for one in whole.series]


def test_few_files_are_read_by_this_process(folder: Path, whole: Scan, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sharing, "WORTH_SHARING", 20)
    assert scan_folder(folder, run=failing) == whole


def test_shares_are_taken_as_places_become_free() -> None:
    """Nothing runs ahead of who reads: no more shares are handed out than are asked for."""
    taken: list[int] = []

    def lazy(function: Callable[[Any], Any], items: Iterable[Any]) -> Outcomes:
        for index, item in enumerate(items):
            taken.append(len(taken))
            yield index, function(item)

    pieces = [piece for number in range(4) for piece in sharing.pieces_of(f"f{number}", ["a"] * 40)]
    counts = []
    for _, count, found in sharing.in_shares(len, pieces, lambda *_: 0, lazy):
        counts.append((count, found))
        assert len(taken) == len(counts)
    assert counts == [(40, 1)] * 4
