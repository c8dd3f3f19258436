"""What a command says to a person: lines and progress on stderr, and the exit code that follows."""

from __future__ import annotations

import json
import os
import signal
import sys
import threading
import time
from collections.abc import Callable, Iterable, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from mrecist.errors import printable
from mrecist.model import Problem

if TYPE_CHECKING:
    from collections.abc import Iterator

    from rich.progress import TaskID

    from mrecist.batch import Progress

DONE, SOME_FAILED, NOTHING_USABLE = 0, 1, 2
_INTERRUPTED = 130
_SECONDS_A_LINE = 30.0  # between lines of progress where no terminal shows bars


def say(line: str) -> None:
    """One line for a person, on stderr."""
    print(printable(line), file=sys.stderr)


def show(line: str) -> None:
    """One line of a result, on stdout."""
    print(printable(line))


def show_table(rows: Sequence[Sequence[str]]) -> None:
    """Rows of a table on stdout, the header first; each column as wide as its longest cell."""
    lines = [[printable(cell) for cell in row] for row in rows]
    widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
    for line in lines:
        print("  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip())


def show_json(value: Any) -> None:
    """A result for a program to read, on stdout; safe on a terminal too."""
    for line in json.dumps(value, indent=1, ensure_ascii=False).split("\n"):
        print(printable(line))


def outcome(problems: Iterable[Problem]) -> int:
    """Say each problem on a line of its own; the exit code that follows."""
    messages = [problem.message for problem in problems]
    for message in messages:
        say(f"mrecist: {message}")
    return SOME_FAILED if messages else DONE


@contextmanager
def progress() -> Iterator[Progress]:
    """Progress on stderr: bars, one a stage, with rate and remaining time; where stderr is no terminal, a line now and then."""
    from rich.console import Console

    console = Console(stderr=True)
    if not console.is_terminal:
        yield Lines(say)
        return
    from rich.progress import BarColumn, MofNCompleteColumn, TextColumn, TimeRemainingColumn
    from rich.progress import Progress as Bars

    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TextColumn("{task.fields[pace]}"),
        TimeRemainingColumn(),
        TextColumn("[red]{task.fields[failed]}"),
    )
    with Bars(*columns, console=console) as bars:
        tasks: dict[str, TaskID] = {}

        def report(what: str, done: int, of: int, failed: int = 0) -> None:
            if what not in tasks:
                tasks[what] = bars.add_task(what, total=of, pace="", failed="")
            speed = next((task.speed for task in bars.tasks if task.id == tasks[what]), None)
            shown = f"{failed} failed" if failed else ""
            bars.update(
                tasks[what], completed=done, total=of, pace="" if speed is None else f"{speed:.1f}/s", failed=shown
            )

        yield report


class Lines:
    """Progress as lines, for a log: one every half minute and one at the end of a stage that took as long."""

    def __init__(self, tell: Callable[[str], None], clock: Callable[[], float] = time.monotonic) -> None:
        self._tell, self._clock = tell, clock
        self._began: dict[str, tuple[float, int]] = {}
        self._told: dict[str, float] = {}

    def __call__(self, what: str, done: int, of: int, failed: int = 0) -> None:
        now = self._clock()
        began, before = self._began.setdefault(what, (now, done))
        told = self._told.setdefault(what, now)
        if now - told < _SECONDS_A_LINE and not (done == of and now - began >= _SECONDS_A_LINE):
            return
        self._told[what] = now
        rate = (done - before) / (now - began) if now > began else 0.0
        left = f", {(of - done) / rate:.0f} s left" if rate and done < of else ""
        bad = f", {failed} failed" if failed else ""
        self._tell(f"{what}: {done} of {of}, {rate:.1f}/s{left}{bad}")


@contextmanager
def stoppable() -> Iterator[None]:
    """An interrupt or SIGTERM ends a run in order: workers ended, nothing half-written. A second one ends it at once."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    numbers = (signal.SIGINT, signal.SIGTERM)

    def end(_number: int, _frame: object) -> None:
        os.write(2, b"mrecist: stopped at once; run the same command again to go on\n")
        os._exit(_INTERRUPTED)  # workers end with this process, and every file is whole or not there

    def stop(_number: int, _frame: object) -> None:
        for number in numbers:
            signal.signal(number, end)
        raise KeyboardInterrupt

    before = [signal.signal(number, stop) for number in numbers]
    try:
        yield
    finally:
        for number, handler in zip(numbers, before, strict=True):
            signal.signal(number, handler)
