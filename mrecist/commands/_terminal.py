"""What a command says to a person: lines and progress on stderr, and the exit code that follows."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterable, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from mrecist.errors import printable
from mrecist.model import Problem

if TYPE_CHECKING:
    from collections.abc import Iterator

    from mrecist.batch import Progress

DONE, SOME_FAILED = 0, 1


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
    """Progress bars on stderr, one a stage; plain silence where stderr is no terminal."""
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, TextColumn, TimeRemainingColumn
    from rich.progress import Progress as Bars

    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    console = Console(stderr=True)
    with Bars(*columns, console=console, disable=not console.is_terminal) as bars:
        tasks = {}

        def report(what: str, done: int, of: int) -> None:
            if what not in tasks:
                tasks[what] = bars.add_task(what, total=of)
            bars.update(tasks[what], completed=done, total=of)

        yield report
