"""What the benchmarks share: contenders that take turns, ratios within a turn, the machine that it was done on, rows for one table.

Other work on a machine slows every contender of a turn alike, so the ratio of two contenders within a turn moves less than their
seconds. ``--rows FILE`` of a benchmark adds its :class:`Row` lines to a file of JSON lines, from which ``run.py`` makes one table.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import statistics
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from importlib import metadata
from pathlib import Path

Run = Callable[[], object]
Taken = dict[str, list[float]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One contender of one workload: ``seconds``, the median of its turns, and ``ratio`` to ``reference``, the median within turns."""

    workload: str
    contender: str
    seconds: float
    reference: str
    ratio: float


def rows_option(parser: argparse.ArgumentParser) -> None:
    """``--rows FILE``."""
    parser.add_argument("--rows", type=Path, metavar="FILE", help="add the figures to this file of JSON lines")


def keep(path: Path | None, rows: Iterable[Row]) -> None:
    """Add rows to the file of ``--rows``; nothing without it."""
    if path is not None:
        with path.open("a", encoding="utf-8") as file:
            file.writelines(json.dumps(asdict(row)) + "\n" for row in rows)


def kept(path: Path) -> list[Row]:
    """The rows of such a file."""
    return [Row(**json.loads(line)) for line in path.read_text(encoding="utf-8").splitlines()] if path.exists() else []


def take_turns(
    runs: Mapping[str, Run], turns: int, clock: Callable[[], float] = time.perf_counter, *, first_call: bool = True
) -> Taken:
    """Contender -> seconds of each turn. ``first_call`` : each runs once before, untimed."""
    for run in runs.values() if first_call else ():
        run()
    taken: Taken = {name: [] for name in runs}
    for _ in range(turns):
        for name, run in runs.items():
            began = clock()
            run()
            taken[name].append(clock() - began)
    return taken


def ratio(taken: Taken, name: str, reference: str) -> float:
    """Median of the ratios within each turn."""
    return statistics.median(one / other for one, other in zip(taken[name], taken[reference], strict=True))


def rows_of(workload: str, taken: Taken, references: Sequence[str]) -> list[Row]:
    """A row for every contender and reference."""
    return [
        Row(
            workload=workload,
            contender=name,
            seconds=statistics.median(seconds),
            reference=reference,
            ratio=ratio(taken, name, reference),
        )
        for name, seconds in taken.items()
        for reference in references
    ]


def table(taken: Taken, beside: Mapping[str, str], more: Mapping[str, str] | None = None) -> str:
    """Markdown: milliseconds and ratios to the contenders of ``beside`` (title -> contender); ``more`` is a last cell by contender."""
    titles = ["contender", "ms", *beside, *(["note"] if more else [])]
    lines = [titles, ["---"] * len(titles)]
    for name, seconds in taken.items():
        ratios = [figure(ratio(taken, name, reference)) for reference in beside.values()]
        lines.append([name, figure(1e3 * statistics.median(seconds)), *ratios, *([more.get(name, "")] if more else [])])
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def figure(value: float) -> str:
    """Two significant digits, or all of a larger whole number; never an exponent."""
    return f"{value:.0f}" if abs(value) >= 100 else f"{value:.2g}" if abs(value) >= 0.001 else f"{value:.5f}"


def machine(packages: Sequence[str]) -> str:
    """The day, the machine and the versions of ``packages`` that are installed, in two lines."""
    found = [f"{name} {version}" for name in packages if (version := _version(name))]
    where = f"{processors()} processors of {_processor()}, {platform.system()}, Python {platform.python_version()}"
    return f"{time.strftime('%Y-%m-%d')}: {where}\n{', '.join(found)}"


def processors() -> int:
    """How many processors this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def _version(package: str) -> str:
    try:
        return metadata.version(package)
    except metadata.PackageNotFoundError:
        return ""


def _processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        return platform.machine()
    return next((line.split(":")[1].strip() for line in lines if line.startswith("model name")), platform.machine())
