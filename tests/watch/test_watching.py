"""The watch: what it takes, when, and that it takes it once. Time is a number here, and scoring a function that keeps a list."""

from __future__ import annotations

import errno
import json
import os
import signal
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from mrecist.cli import main
from mrecist.commands.watch import _Stop
from mrecist.errors import InputError, MrecistError
from mrecist.watching.arrivals import is_study, studies_in
from mrecist.watching.holding import HOLDER, held
from mrecist.watching.watch import Look, Watch, watch


class Scene:
    """A watched folder with a clock, what was scored, what was told, and what scoring raises."""

    def __init__(self, root: Path, settle: float = 10.0) -> None:
        self.folder, self.out, self.settle = root / "in", root / "out", settle
        self.folder.mkdir(exist_ok=True)
        self.now = 0.0
        self.scored: list[str] = []
        self.told: list[str] = []
        self.raises: list[BaseException | None] = []
        self.started()

    def started(self, settings: str = "") -> None:
        """As after a restart."""
        self.watch = Watch(
            self.folder,
            self.out,
            self.score,
            settings=settings,
            settle=self.settle,
            tell=self.told.append,
            clock=lambda: self.now,
        )

    def score(self, study: Path, out: Path) -> tuple[str, bool]:
        error = self.raises.pop(0) if self.raises else None
        if error is not None:
            raise error
        out.mkdir(parents=True, exist_ok=True)
        (out / "responses.csv").write_text("new", encoding="utf-8")
        self.scored.append(study.name)
        return "2 cases: 2 done", False

    def look_at(self, now: float) -> Look:
        self.now = now
        return self.watch.look()

    def add(self, name: str, content: str = "x") -> Path:
        path = self.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(content, encoding="utf-8")
        return path


@pytest.fixture
def scene(tmp_path: Path) -> Scene:
    return Scene(tmp_path)


def test_a_study_is_taken_when_it_has_not_changed_for_the_settle_time(scene: Scene) -> None:
    scene.add("images/1.dcm")
    assert scene.look_at(0) == Look(waiting=True)
    scene.look_at(9)
    scene.add("images/1.dcm", "more of it")  # still being copied
    scene.look_at(11)
    scene.add("images/.2.dcm.part")  # as rsync does
    scene.look_at(20)
    assert scene.look_at(29.9) == Look(waiting=True)
    assert scene.scored == []
    assert scene.look_at(30) == Look()
    assert scene.scored == ["in"]
    assert scene.told == [f"{scene.folder}: 2 cases: 2 done; results in {scene.out}"]


def test_what_did_not_change_is_not_scored_again_also_after_a_restart(scene: Scene) -> None:
    scene.add("images/1.dcm")
    for now in (0, 10, 20, 30):
        scene.look_at(now)
    (scene.out / "responses.csv").write_text("kept", encoding="utf-8")
    scene.started()
    for now in (40, 50, 60):
        assert scene.look_at(now) == Look()
    assert scene.scored == ["in"]
    assert (scene.out / "responses.csv").read_text(encoding="utf-8") == "kept"


@pytest.mark.parametrize("name", ["masks/new.dcm", "reads/R1.csv", "subjects.csv", "protocol.toml", "images/a/b/c"])
def test_what_arrives_later_is_scored(name: str, scene: Scene) -> None:
    scene.add("images/1.dcm")
    for now in (0, 10):
        scene.look_at(now)
    scene.add(name)
    for now in (20, 30, 40):
        scene.look_at(now)
    assert scene.scored == ["in", "in"]


def test_what_score_does_not_read_changes_nothing(scene: Scene) -> None:
    scene.add("images/1.dcm")
    for now in (0, 10):
        scene.look_at(now)
    scene.add("notes.txt")
    scene.add(".fetched/1.json")
    assert scene.look_at(30) == Look()


def test_what_changed_while_it_was_scored_is_scored_again(scene: Scene) -> None:
    scene.add("images/1.dcm")
    scene.look_at(0)
    score, scene.score = scene.score, lambda study, out: (scene.add("images/2.dcm"), score(study, out))[1]  # type: ignore[method-assign]
    scene.started()
    scene.look_at(0)
    scene.look_at(10)
    scene.score = score  # type: ignore[method-assign]
    scene.started()
    assert scene.look_at(20) == Look(waiting=True)


def test_other_settings_are_scored_again(scene: Scene) -> None:
    scene.add("images/1.dcm")
    for now in (0, 10):
        scene.look_at(now)
    scene.started(settings="--criterion irecist")
    for now in (20, 30):
        scene.look_at(now)
    assert scene.scored == ["in", "in"]


def test_a_folder_of_studies_has_a_folder_of_results_for_each(scene: Scene) -> None:
    for name in ("B/images/1.dcm", "A/masks/1.dcm", ".hidden/images/1.dcm", "other/1.dcm"):
        scene.add(name)
    scene.look_at(0)
    scene.add("C/reads/R1.csv")
    scene.look_at(10)
    scene.look_at(20)
    assert scene.scored == ["A", "B", "C"]
    assert sorted(path.name for path in scene.out.iterdir()) == ["A", "B", "C"]
    assert [is_study(scene.folder), is_study(scene.folder / "A")] == [False, True]
    assert [path.name for path in studies_in(scene.folder)] == ["A", "B", "C"]


def test_an_empty_folder_is_said_once_and_waited_for(scene: Scene) -> None:
    for now in (0, 10):
        scene.look_at(now)
    assert scene.told == [f"{scene.folder}: no study yet (a folder with images/, masks/ or reads/)"]
    scene.add("images/1.dcm")
    for now in (20, 30):
        scene.look_at(now)
    assert scene.scored == ["in"]


@pytest.mark.parametrize(
    "error",
    [
        OSError(errno.ENOSPC, "No space left on device", "out/measurements.csv"),
        MrecistError("out/.checkpoints: cannot be written: No space left on device"),
    ],
)
def test_a_full_disk_is_said_once_and_waited_for(error: Exception, scene: Scene) -> None:
    scene.raises = [error, error, None]
    scene.add("images/1.dcm")
    scene.look_at(0)
    assert [scene.look_at(now).failed for now in (10, 20, 30, 40)] == [True, True, False, False]
    assert len(scene.told) == 2
    assert scene.told[0].startswith(f"{scene.folder}: waits: out/")
    assert "No space left on device" in scene.told[0]
    assert scene.scored == ["in"]


@pytest.mark.parametrize("error", [InputError("protocol.toml: unknown key"), ZeroDivisionError("a fault of ours")])
def test_a_study_that_cannot_be_scored_stops_no_other_and_is_tried_when_it_changes(
    error: Exception, scene: Scene
) -> None:
    for name in ("A/images/1.dcm", "B/images/1.dcm"):
        scene.add(name)
    scene.raises = [error]
    looks = [scene.look_at(now) for now in (0, 10, 20)]
    assert looks == [Look(waiting=True), Look(failed=True), Look(failed=True)]
    assert scene.scored == ["B"]
    assert [line for line in scene.told if line.startswith(f"{scene.folder / 'A'}: not scored: ")] == scene.told[:1]
    scene.add("A/protocol.toml")
    for now in (30, 40):
        scene.look_at(now)
    assert scene.scored == ["B", "A"]


def test_a_part_that_cannot_be_listed_is_not_taken_for_an_empty_one(
    scene: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    scene.add("A/images/visit1/1.dcm")
    scene.add("A/images/visit2/1.dcm")
    scene.add("B/images/1.dcm")
    scandir = os.scandir

    def refuse(path: str | Path) -> object:
        if str(path).endswith("visit2"):
            raise PermissionError(errno.EACCES, "Permission denied", str(path))
        return scandir(path)

    monkeypatch.setattr(os, "scandir", refuse)
    for now in (0, 10, 20):
        scene.look_at(now)
    assert scene.scored == ["B"]
    where = scene.folder / "A"
    said = f"{where}: {where / 'images' / 'visit2'} cannot be read (Permission denied); looked at again"
    assert [line for line in scene.told if line.startswith(str(where))] == [said]
    monkeypatch.undo()
    for now in (30, 40):
        scene.look_at(now)
    assert scene.scored == ["B", "A"]


def test_a_file_that_goes_while_it_is_looked_at_is_a_change(scene: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    """As the hidden file of a copy that is finished."""
    scene.add("images/1.dcm")
    part = scene.add("images/.2.dcm.part")
    scene.look_at(0)
    listed = os.walk

    def walk(*arguments: object, **options: object) -> object:
        found = list(listed(*arguments, **options))  # type: ignore[call-overload]
        part.unlink(missing_ok=True)
        return found

    monkeypatch.setattr(os, "walk", walk)
    assert [scene.look_at(now) for now in (9, 18, 28)] == [Look(waiting=True)] * 2 + [Look()]
    assert scene.told == [f"{scene.folder}: 2 cases: 2 done; results in {scene.out}"]


def test_a_folder_that_went_away_is_waited_for(scene: Scene) -> None:
    scene.add("A/images/1.dcm")
    away = scene.folder.rename(scene.folder.with_name("away"))
    assert scene.look_at(0) == Look(failed=True)
    assert scene.told == [f"{scene.folder}: cannot be read (No such file or directory); looked at again"]
    away.rename(scene.folder)
    for now in (10, 20):
        scene.look_at(now)
    assert scene.scored == ["A"]


def test_once_ends_when_nothing_waits(scene: Scene) -> None:
    scene.add("images/1.dcm")

    def wait(seconds: float) -> None:
        scene.now += seconds

    assert watch(scene.watch, every=4, settle=10, once=True, wait=wait) == Look()
    assert (scene.scored, scene.now) == (["in"], 12)


# --- one watch for a folder ------------------------------------------------------------------------------------------

HOLD = """
import sys, time
from pathlib import Path
from mrecist.watching.holding import held
with held(Path(sys.argv[1])):
    print("held", flush=True)
    time.sleep(60)
"""


def test_two_do_not_watch_for_one_folder_and_a_dead_one_holds_nothing(tmp_path: Path) -> None:
    environment = os.environ | {"PYTHONPATH": os.pathsep.join(sys.path)}
    other = subprocess.Popen(
        [sys.executable, "-c", HOLD, str(tmp_path)], env=environment, stdout=subprocess.PIPE, text=True
    )
    try:
        assert other.stdout is not None
        assert other.stdout.readline() == "held\n"
        about = json.loads((tmp_path / HOLDER).read_text(encoding="utf-8"))
        assert (about["pid"], about["host"]) == (other.pid, socket.gethostname())
        said = f"process {other.pid} on {socket.gethostname()} \\(since .*\\) watches and writes here"
        with pytest.raises(InputError, match=said), held(tmp_path):
            pass
    finally:
        other.kill()
        other.communicate()
    assert (tmp_path / HOLDER).exists()
    with pytest.raises(ZeroDivisionError, match=str(os.getpid())), held(tmp_path):
        raise ZeroDivisionError((tmp_path / HOLDER).read_text(encoding="utf-8"))
    assert not (tmp_path / HOLDER).exists()


# --- stopping --------------------------------------------------------------------------------------------------------


def test_an_interrupt_drops_what_is_measured_at_once() -> None:
    stop = _Stop()
    stop.progress("measuring subjects", 1, 3)
    with stop.heard(), pytest.raises(KeyboardInterrupt):
        signal.raise_signal(signal.SIGTERM)


def test_an_interrupt_lets_results_be_written_to_the_end() -> None:
    stop = _Stop()
    with stop.heard():
        stop.progress("writing the report", 0, 1)
        signal.raise_signal(signal.SIGINT)
        stop.progress("writing the report", 1, 1)
        with pytest.raises(KeyboardInterrupt):
            stop.wait(60)


def test_a_second_interrupt_ends_that_too() -> None:
    stop = _Stop()
    with stop.heard():
        stop.progress("writing the report", 0, 1)
        signal.raise_signal(signal.SIGINT)
        with pytest.raises(KeyboardInterrupt):
            signal.raise_signal(signal.SIGINT)


# --- the command -----------------------------------------------------------------------------------------------------


def reads_only(folder: Path) -> Path:
    """A study without images: rows that a reader measured elsewhere."""
    (folder / "reads").mkdir(parents=True)
    rows = "subject,timepoint,date,lesion,role,state,long_axis_mm,reader\n"
    rows += "S1,0,2024-01-02,T01,TARGET,MEASURED,40,R1\nS1,1,2024-03-02,T01,TARGET,MEASURED,20,R1\n"
    (folder / "reads" / "R1.csv").write_text(rows, encoding="utf-8")
    return folder


def state_of(folder: Path) -> dict[str, tuple[bytes, int]]:
    return {path.name: (path.read_bytes(), path.stat().st_mtime_ns) for path in folder.iterdir() if path.is_file()}


def test_the_command_once(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    study, out = reads_only(tmp_path / "study"), tmp_path / "out"
    command = ["watch", str(study), "--out", str(out), "--settle", "0", "--once"]
    assert main(command) == 0
    assert capsys.readouterr().err.splitlines()[0].split(" ", 1)[1].startswith(f"{study}: 1 cases: ")
    assert (out / "responses.csv").read_text(encoding="utf-8").count("\nS1,") >= 1
    before = state_of(out)
    assert main(command) == 0
    assert capsys.readouterr().err == ""
    after = state_of(out)
    assert {name: after[name] for name in before if name != ".watch.lock"} == {
        name: before[name] for name in before if name != ".watch.lock"
    }


@pytest.mark.parametrize("word", ["SIGINT", "SIGTERM"])
def test_the_command_ends_in_order_when_asked(word: str, tmp_path: Path) -> None:
    study, out = reads_only(tmp_path / "study"), tmp_path / "out"
    command = [sys.executable, "-m", "mrecist", "watch", str(study), "--out", str(out)]
    running = subprocess.Popen(
        [*command, "--settle", "0", "--every", "30"],
        env=os.environ | {"PYTHONPATH": os.pathsep.join(sys.path)},
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        assert running.stderr is not None
        said = [running.stderr.readline(), running.stderr.readline()]  # it watches; the study is scored
        running.send_signal(signal.Signals[word])
        said += running.communicate(timeout=20)[1].splitlines()
    finally:
        running.kill()
        running.communicate()
    assert running.returncode == 0
    assert [line.split(" ")[1] for line in said] == ["watching", f"{study}:", "stopped;"]


def test_an_interrupt_that_is_lost_in_a_clean_up_ends_it_all_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    """Python swallows what is raised inside ``__del__``: the wait must end by what was asked, long before its time."""
    from mrecist.commands.watch import _Stop

    swallowed: list[type[BaseException] | None] = []
    monkeypatch.setattr(sys, "unraisablehook", lambda one: swallowed.append(one.exc_type))

    class Cleaned:
        def __del__(self) -> None:
            os.kill(os.getpid(), signal.SIGTERM)

    stop = _Stop()
    with stop.heard():
        one = Cleaned()
        del one
        assert swallowed == [KeyboardInterrupt]
        with pytest.raises(KeyboardInterrupt):
            stop.wait(30)


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["nothing-there", "--out", "OUT"], "nothing-there: is not a folder"),
        (["IN", "--out", "OUT", "--patient", "P1"], "what to fetch goes with --server, or --config"),
        (["IN", "--out", "OUT", "--config", "nowhere.toml"], "nowhere.toml: no such file"),
    ],
)
def test_wrong_use_is_one_line(
    arguments: list[str],
    said: str,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "IN").mkdir()
    assert main(["watch", *arguments]) == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert said in line
