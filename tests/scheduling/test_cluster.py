"""Items on a Dask cluster: the same outcomes as in one process, whatever is lost on the way."""

from __future__ import annotations

import shutil
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from dask_cluster import DaskCluster, within
from items_that_fail import kill_the_worker, note_process, slow_square, square_or
from test_processes import ENDS_ITS_PROCESS, LIMITS, RAISES, processes_in, wait_until_gone

from mrecist import __version__
from mrecist.cli import main
from mrecist.errors import InputError
from mrecist.samples.build import sample_study_path
from mrecist.scheduling import Cause, ClusterError, Failure, Scheduler, open_scheduler
from mrecist.scheduling import cluster as on_cluster

OF_EACH_PROCESS = Path("/proc/self/cwd")
"""Another folder for every process: what a path is on machines that share no storage."""


@pytest.fixture(scope="module")
def dask(tmp_path_factory: pytest.TempPathFactory) -> Iterator[DaskCluster]:
    cluster = DaskCluster(tmp_path_factory.mktemp("dask"))
    try:
        yield cluster
    finally:
        cluster.stop()


@pytest.fixture
def scheduler(dask: DaskCluster, tmp_path: Path) -> Iterator[Scheduler]:
    with open_scheduler(address=dask.address, limits=LIMITS, folders=[tmp_path]) as opened:
        yield opened


def test_outcomes_are_those_of_processes_of_this_machine(scheduler: Scheduler) -> None:
    ends = {word: ENDS_ITS_PROCESS[word] for word in ("kill", "loop 60", "eat 3000")}
    expected: dict[int | str, object] = {**ends, **RAISES, **{number: number**2 for number in range(20)}}
    items = [0, 1, 2, *ends, *RAISES, *range(3, 20)]
    assert {items[index]: outcome for index, outcome in scheduler.run(square_or, items)} == expected


def small_study(folder: Path) -> Path:
    """Two subjects of the sample study, one of whom has a segmentation that is cut off."""
    sample = sample_study_path()
    for subject in ("SAMPLE-01", "SAMPLE-02"):
        shutil.copytree(sample / "images" / subject, folder / "images" / subject)
        for mask in (sample / "masks").glob(f"{subject}_*.dcm"):
            (folder / "masks").mkdir(exist_ok=True)
            shutil.copy(mask, folder / "masks")
    (folder / "images" / "cut.dcm").write_bytes(next((sample / "masks").glob("SAMPLE-03_*.dcm")).read_bytes()[:3000])
    return folder


def results_in(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.iterdir() if path.is_file()}


def test_score_gives_the_same_bytes_on_a_cluster(dask: DaskCluster, tmp_path: Path) -> None:
    study = small_study(tmp_path / "study")
    codes = [
        main(["score", str(study), "--out", str(tmp_path / name), *how])
        for name, how in (("local", []), ("cluster", ["--scheduler", dask.address]))
    ]
    assert codes == [1, 1]  # the file that is cut off is named
    local = results_in(tmp_path / "local")
    assert {"responses.csv", "measurements.json", "report.html", "cases.csv"} <= local.keys()
    assert results_in(tmp_path / "cluster") == local


def test_score_says_in_one_line_that_nothing_answers(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(on_cluster, "_CONNECT_SECONDS", 0.5)
    study = tmp_path / "study"
    shutil.copytree(sample_study_path() / "reads", study / "reads")
    assert main(["score", str(study), "--out", str(tmp_path / "out"), "--scheduler", "tcp://127.0.0.1:1"]) == 2
    assert capsys.readouterr().err.splitlines()[-1].startswith("mrecist: --scheduler tcp://127.0.0.1:1: no Dask")


def test_workers_and_scheduler_exclude_each_other(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main(["score", "STUDY", "--out", "OUT", "--workers", "2", "--scheduler", "tcp://127.0.0.1:1"])
    assert "--scheduler: not allowed with argument --workers" in capsys.readouterr().err


def test_the_marker_of_an_empty_folder_goes_with_the_run(dask: DaskCluster, tmp_path: Path) -> None:
    with open_scheduler(address=dask.address, folders=[tmp_path / "new"]):
        assert len(list((tmp_path / "new").iterdir())) == 1
    assert list((tmp_path / "new").iterdir()) == []


@pytest.mark.skipif(not OF_EACH_PROCESS.exists(), reason="needs /proc/self/cwd, a path that differs by process")
@pytest.mark.parametrize(
    ("there", "said"),
    [
        ({}, "does not see the folder /proc/self/cwd/seen; put it on storage that all machines have at the same path"),
        (
            {"other": "1"},
            "cannot read /proc/self/cwd/seen/a (No such file or directory), which is there on this machine",
        ),
        ({"a": "two"}, "sees another /proc/self/cwd/seen/a than this machine; is /proc/self/cwd/seen the same storage"),
    ],
)
def test_a_worker_that_sees_another_folder_is_named(
    there: dict[str, str], said: str, dask: DaskCluster, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for place, files in ((tmp_path, {"a": "one"}), (dask.folder, there)):
        (place / "seen").mkdir(exist_ok=True)
        for name, content in files.items():
            (place / "seen" / name).write_text(content, encoding="utf-8")
    if not there:
        (dask.folder / "seen").rmdir()
    monkeypatch.chdir(tmp_path)
    with (
        pytest.raises(ClusterError) as refused,
        open_scheduler(address=dask.address, folders=[OF_EACH_PROCESS / "seen"]),
    ):
        pass
    assert str(refused.value).startswith("worker tcp://127.0.0.1:")
    assert said in str(refused.value)
    assert str(refused.value).endswith("(so do 1 more of 2 workers)")


def test_another_version_is_refused_with_both(dask: DaskCluster, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(on_cluster, "__version__", "9.8.7")
    both = f"has mrecist {__version__} and this machine 9.8.7; install the same on both"
    with pytest.raises(ClusterError, match=both), open_scheduler(address=dask.address):
        pass


def test_a_module_that_workers_lack_is_named(
    scheduler: Scheduler, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "only_here.py").write_text("def double(number):\n    return 2 * number\n", encoding="utf-8")
    monkeypatch.setattr(sys, "path", [str(tmp_path), *sys.path])
    from only_here import double  # type: ignore[import-not-found]

    with pytest.raises(ClusterError, match=r"worker tcp://127.0.0.1:\d+ .*No module named 'only_here'"):
        list(scheduler.run(double, [1]))


def test_leaving_ends_what_runs_on_the_workers(dask: DaskCluster, tmp_path: Path) -> None:
    with open_scheduler(address=dask.address) as scheduler:
        for _ in scheduler.run(note_or_square, [1, *[str(tmp_path)] * 8]):
            workers = processes_in(tmp_path, 1)
            break
    wait_until_gone(workers)


def note_or_square(item: int | str) -> object:
    return item if isinstance(item, int) else note_process(item)


def test_lost_workers_change_nothing_but_for_the_item_that_ends_them(dask: DaskCluster, scheduler: Scheduler) -> None:
    items = [*range(10), "worker", *range(10, 40)]
    outcomes = []
    for outcome in scheduler.run(kill_or_square, items):
        outcomes.append(outcome)
        if len(outcomes) == 15:
            dask.lose_worker()
    died = "the workers of the cluster that ran it ended, the last ones with nothing else to do"
    assert dict(outcomes).pop(10) == Failure(died, Cause.DIED)
    with open_scheduler(workers=1) as here:
        alone = list(here.run(slow_square, range(40)))
    squares = [square for index, square in sorted(outcomes) if index != 10]
    assert squares == [square for _, square in alone] == [number**2 for number in range(40)]


def kill_or_square(item: int | str) -> object:
    return slow_square(item) if isinstance(item, int) else kill_the_worker(item)


def test_a_scheduler_that_is_lost_is_said_at_once(dask: DaskCluster) -> None:
    with open_scheduler(address=dask.address) as scheduler:
        outcomes = scheduler.run(slow_square, range(1000))
        next(outcomes)
        dask.lose_scheduler()
        with within(5), pytest.raises(ClusterError, match="is gone or dropped the work; what was finished is kept"):
            list(outcomes)


def test_nothing_answers(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(on_cluster, "_CONNECT_SECONDS", 0.5)
    begin = time.monotonic()
    for address in ("tcp://127.0.0.1:1", "nowhere", "http://127.0.0.1:1"):
        said = f"--scheduler {address}: no Dask scheduler answers there"
        with pytest.raises(ClusterError, match=said), open_scheduler(address=address):
            pass
    assert time.monotonic() - begin < 5


def test_without_dask_the_extra_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(on_cluster.util, "find_spec", lambda _: None)
    with (
        pytest.raises(InputError, match=r"needs the extra: pip install 'mrecist\[cluster\]'"),
        open_scheduler(address="x"),
    ):
        pass
