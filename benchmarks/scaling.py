"""What one more costs as the work grows: slices, lesions, subjects; memory; and what a second process saves.

Run ``python benchmarks/scaling.py [--quick]``. It makes its data. Cost per unit stays level where nothing is gone through again
and again: the last column is the cost per unit over that of the smallest size. Subjects are whole processes (``mrecist assess``,
``mrecist score`` on one subject of the sample study multiplied), with the largest memory of any process of theirs.
Parallel efficiency is what one process takes over N times what N take; where other work keeps the processors busy it says nothing
of mrecist, so the processor time stands beside it.
"""

from __future__ import annotations

import argparse
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path

import numpy as np
from assess import write_table
from loading import make, phantom
from measure import PIXEL, STEP, geometry_of, ten_lesions
from turns import Row, figure, keep, machine, processors, rows_option

import mrecist

sys.path.insert(0, str(Path(__file__).parents[1] / "tests" / "score"))

TURNS = 3
# VmHWM is of the program itself; ru_maxrss would also count what this script held when it was forked off.
WITH_MEMORY = """
import re, resource, sys
from mrecist.cli import main
code = main(sys.argv[1:])
own = int(re.search(r"VmHWM:\\s+(\\d+)", open("/proc/self/status").read())[1])
print(max(own, resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss), file=sys.stderr)
sys.exit(code)
"""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="small sizes: shows that it runs")
    rows_option(parser)
    options = parser.parse_args()
    few = options.quick
    print(machine(("mrecist", "numpy", "pydicom")))
    with tempfile.TemporaryDirectory(prefix="scaling-") as name:
        folder = Path(name)
        rows = slices(folder, (10, 20) if few else (50, 100, 200, 400))
        rows += lesions((1, 10) if few else (1, 2, 5, 10, 20, 40))
        rows += assessed(folder, (20, 100) if few else (100, 1000, 10_000))
        rows += scored(folder, (2, 4) if few else (8, 32, 128))
        keep(options.rows, rows)


def level(workload: str, unit: str, seconds: Mapping[int, float], more: Mapping[int, str] | None = None) -> list[Row]:
    """Print cost per unit; rows are of each size beside the smallest."""
    first = min(seconds)
    title = " memory |" if more else ""
    print(f"\n{workload}\n| {unit} | seconds | ms each | times the smallest |{title}\n|{'---|' * (5 if more else 4)}")
    rows = []
    for count, taken in seconds.items():
        ratio = (taken / count) / (seconds[first] / first)
        said = f" {more[count]} |" if more else ""
        print(f"| {count} | {figure(taken)} | {figure(1e3 * taken / count)} | {figure(ratio)} |{said}")
        if count == first:
            continue
        rows.append(
            Row(
                workload=f"{workload}, cost of one",
                contender=f"mrecist, {count} {unit}",
                seconds=taken / count,
                reference=f"{first} {unit}",
                ratio=ratio,
            )
        )
    return rows


def median_of(run: Callable[[], object]) -> float:
    """Processor seconds of this process, the median of some runs after a first."""
    run()
    taken = []
    for _ in range(TURNS):
        began = time.process_time()
        run()
        taken.append(time.process_time() - began)
    return statistics.median(taken)


def slices(folder: Path, counts: tuple[int, ...]) -> list[Row]:
    scans, loads = {}, {}
    stored = phantom(max(counts))
    for count in counts:
        place = folder / f"slices{count}"
        make(place, "plain", stored[:count])
        scans[count] = median_of(partial(mrecist.scan_folder, place))
        (series,) = mrecist.scan_folder(place).series
        loads[count] = median_of(partial(mrecist.load_volume, series))
    return level("scan a series", "slices", scans) + level("load a series", "slices", loads)


def lesions(counts: tuple[int, ...]) -> list[Row]:
    """Copies of one lesion of 23 mm, side by side in 200 slices of 512 x 512."""
    drawn = ten_lesions()
    z, y, x = (slice(found.min(), found.max() + 1) for found in np.nonzero(drawn == 2))
    one = drawn[z, y, x] == 2
    geometry = geometry_of(drawn.shape, PIXEL, STEP)
    taken = {}
    for count in counts:
        labels = np.zeros_like(drawn)
        for number in range(count):
            row, column = divmod(number, 8)
            corner = (10 + 20 * (row % 5), 10 + 60 * row, 10 + 60 * column)
            place = tuple(slice(start, start + size) for start, size in zip(corner, one.shape, strict=True))
            labels[place][one] = number + 1
        taken[count] = median_of(partial(mrecist.measure, labels, geometry))
    empty = np.zeros_like(drawn)
    print(f"\na volume without a lesion: {figure(1e3 * median_of(partial(mrecist.measure, empty, geometry)))} ms")
    return level("measure the lesions of a volume", "lesions", taken)


def assessed(folder: Path, counts: tuple[int, ...]) -> list[Row]:
    taken, memory = {}, {}
    for count in counts:
        table = folder / f"assess{count}.csv"
        write_table(table, count)
        taken[count], _, memory[count] = alone("assess", table, folder / f"assess{count}", "--workers", "1")
    return level("assess, a process", "subjects", taken, memory)


def scored(folder: Path, counts: tuple[int, ...]) -> list[Row]:
    from archive_made import make_archive

    taken, memory = {}, {}
    for count in counts:
        study = folder / f"study{count}"
        make_archive(study, count, broken=0)
        taken[count], cpu, memory[count] = alone("score", study, folder / f"score{count}", "--workers", "1")
    rows = level("score, a process", "subjects", taken, memory)
    count, workers = max(counts), processors()
    wall, busy, most = alone("score", folder / f"study{count}", folder / "score-parallel", "--workers", str(workers))
    efficiency = taken[count] / (workers * wall)
    print(
        f"\n{count} subjects by {workers} processes: {figure(wall)} s, efficiency {figure(efficiency)}, "
        f"processor time {figure(busy)} s (one process: {figure(cpu)} s), largest process {most}"
    )
    rows.append(
        Row(
            workload=f"score, {count} subjects",
            contender=f"mrecist, {workers} processes",
            seconds=wall,
            reference="one process",
            ratio=wall / taken[count],
        )
    )
    return rows


def alone(command: str, given: Path, out: Path, *more: str) -> tuple[float, float, str]:
    """Seconds, processor seconds and the largest memory of a process of ``mrecist`` and of its own processes."""
    before, began = resource.getrusage(resource.RUSAGE_CHILDREN), time.perf_counter()
    called = [sys.executable, "-c", WITH_MEMORY, command, str(given), "--out", str(out), *more]
    done = subprocess.run(called, capture_output=True, text=True, check=False)
    wall, after = time.perf_counter() - began, resource.getrusage(resource.RUSAGE_CHILDREN)
    if done.returncode:
        raise SystemExit(f"mrecist {command} {given} ended with {done.returncode}:\n{done.stderr}")
    cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return wall, cpu, f"{int(done.stderr.split()[-1]) / 1024:.0f} MiB"


if __name__ == "__main__":
    main()
