"""Items in processes of this machine: what one does to its process is its own failure, and everything ends with the program."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from items_that_fail import decoders, note_process, once_bad, slow, square_or

from mrecist.errors import MrecistError
from mrecist.scheduling import Cause, Failure, Limits, open_scheduler
from mrecist.scheduling.processes import Processes

LIMITS = Limits(seconds=1.0, memory_mib=1500)
ENDS_ITS_PROCESS = {
    "end 7": Failure("its process ended with exit code 7; tried twice", Cause.DIED),
    "kill": Failure(
        "its process ended with signal SIGKILL, as the system does when memory runs out; tried twice", Cause.DIED
    ),
    "crash": Failure("its process ended with signal SIGSEGV; tried twice", Cause.DIED),
    "loop 60": Failure("it takes longer than the limit of 1 s", Cause.TIME),
    "eat 3000": Failure("it needs more than the limit of 1500 MiB; tried twice", Cause.MEMORY),
}
RAISES = {
    "refuse scan.dcm": Failure("scan.dcm: no DICOM", Cause.RAISED),
    "bug x": Failure("unexpected KeyError: 'x'; please report this", Cause.RAISED),
    "exit 3": Failure("unexpected SystemExit: 3; please report this", Cause.RAISED),
}


def test_no_item_stops_another_and_each_failure_is_named() -> None:
    expected: dict[int | str, object] = {**ENDS_ITS_PROCESS, **RAISES, **{number: number**2 for number in range(20)}}
    items = [0, 1, 2, *ENDS_ITS_PROCESS, *RAISES, *range(3, 20)]
    with open_scheduler(workers=2, limits=LIMITS) as scheduler:
        outcomes = dict(scheduler.run(square_or, items))
    assert {items[index]: outcome for index, outcome in outcomes.items()} == expected


def test_what_cannot_be_handed_over_is_a_failure_of_that_item() -> None:
    items: list[object] = [2, "local", lambda: None, 3]
    with open_scheduler(workers=2) as scheduler:
        outcomes = dict(scheduler.run(square_or, items))  # type: ignore[arg-type]
    failed = [outcomes.pop(1), outcomes.pop(2)]
    assert outcomes == {0: 4, 3: 9}
    assert [isinstance(one, Failure) and "pickle" in one.reason for one in failed] == [True, True]


def test_one_process_gives_the_same_for_what_raises() -> None:
    items = [1, *RAISES, 2]
    with open_scheduler(workers=1) as scheduler:
        assert list(scheduler.run(square_or, items)) == list(enumerate([1, *RAISES.values(), 4]))


def test_an_item_that_fails_once_is_tried_again_after_all_others(tmp_path: Path) -> None:
    """Its neighbours may have taken the memory."""
    places = [tmp_path / str(number) for number in range(6)]
    for place in places[1:]:
        place.touch()
    outcomes = list(Processes(2).run(once_bad, map(str, places)))
    assert sorted(outcomes) == [(number, "well") for number in range(6)]
    assert outcomes[-1] == (0, "well")


def test_processes_are_kept_and_no_more_than_asked() -> None:
    ran_by = {pid for _, pid in Processes(2).run(slow, [0.002] * 40)}
    assert len(ran_by) == 2
    assert os.getpid() not in ran_by


def test_a_process_decodes_with_one_decoder() -> None:
    """The processes are the parallelism: as many decoders as processors in each would take the memory of a machine."""
    assert list(Processes(2).run(decoders, [0])) == [(0, 1)]


def test_items_are_taken_as_places_become_free() -> None:
    taken: list[int] = []

    def items() -> Iterator[float]:
        for number in range(1000):
            taken.append(number)
            yield 0.0

    with open_scheduler(workers=2) as scheduler:
        running = scheduler.run(slow, items())
        for _ in range(10):
            next(running)
        assert len(taken) <= 10 + 2 * 2
        running.close()  # type: ignore[attr-defined]


def processes_in(folder: Path, count: int) -> list[int]:
    until = time.monotonic() + 20
    while len(list(folder.iterdir())) < count:
        assert time.monotonic() < until
        time.sleep(0.02)
    return [int(path.name) for path in folder.iterdir()]


def gone(pid: int) -> bool:
    """Whether the process has ended (or only waits to be buried)."""
    try:
        return Path(f"/proc/{pid}/stat").read_text(encoding="ascii").rsplit(")", 1)[1].split()[0] == "Z"
    except OSError:
        return True


def wait_until_gone(pids: list[int]) -> None:
    until = time.monotonic() + 10
    while not all(map(gone, pids)):
        assert time.monotonic() < until
        time.sleep(0.02)


PROGRAM = """
import sys
from items_that_fail import note_process
from mrecist.scheduling import open_scheduler
with open_scheduler(workers=2) as scheduler:
    try:
        for _ in scheduler.run(note_process, [sys.argv[1]] * 4):
            pass
    except KeyboardInterrupt:
        print("stopped", flush=True)
"""


@pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="needs /proc to see whether a process has ended")
@pytest.mark.parametrize("word", ["SIGINT", "SIGTERM", "SIGKILL"])
def test_the_processes_end_with_the_program(word: str, tmp_path: Path) -> None:
    """An interrupt goes to all processes of a terminal: the program stops in order, and its workers say nothing."""
    environment = os.environ | {"PYTHONPATH": os.pathsep.join([*sys.path])}
    program = subprocess.Popen(
        [sys.executable, "-c", PROGRAM, str(tmp_path)],
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    try:
        workers = processes_in(tmp_path, 2)
        assert not any(map(gone, workers))
        if word == "SIGINT":
            os.killpg(program.pid, signal.SIGINT)
        else:
            program.send_signal(signal.Signals[word])
        said = program.communicate(timeout=20)
        wait_until_gone(workers)
        assert said == ("stopped\n" if word == "SIGINT" else "", "")
        assert program.returncode == (0 if word == "SIGINT" else -signal.Signals[word])
    finally:
        program.kill()
        program.communicate()


def test_leaving_the_loop_ends_what_runs(tmp_path: Path) -> None:
    items = [str(tmp_path)] * 4
    running = Processes(2).run(note_process, items)
    with pytest.raises(ZeroDivisionError):
        next_until_two_run(running, tmp_path)
    wait_until_gone([int(path.name) for path in tmp_path.iterdir()])


def next_until_two_run(running: Iterator[object], folder: Path) -> None:
    """Wait for outcomes until two items run, then fail."""

    def fail(_signal: int, _frame: object) -> None:
        if len(list(folder.iterdir())) == 2:
            raise ZeroDivisionError
        signal.setitimer(signal.ITIMER_REAL, 0.05)

    before = signal.signal(signal.SIGALRM, fail)
    signal.setitimer(signal.ITIMER_REAL, 0.05)
    try:
        next(running)
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)


def test_processes_that_do_not_start_are_said_in_one_line(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "executable", "/bin/false")
    with pytest.raises(MrecistError, match="worker processes do not start here: exit code 1; check the installation"):
        list(Processes(2).run(slow, [0.0]))
