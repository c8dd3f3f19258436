"""``mrecist assess`` from CSV to CSV against pandas doing the arithmetic alone, and against a pandas loop over subjects.

Run ``python benchmarks/assess.py [--subjects N] [--repeats N]`` (needs pandas, which the ``test`` extra installs). Every contender
is a process of its own that reads the same table of N subjects x 8 visits x 5 lesions (3 targets, 2 non-targets) and writes CSV;
they take turns, and the median of the ratios within a turn is printed. What each does:

* limit: reads the table with Python's csv module and writes it back, nothing else.
* pandas: sums of targets, baseline, smallest earlier sum, CR / PR / SD / PD of the targets by RECIST 1.1 and by mRECIST, in
  binary floats; no states, no non-targets, no new lesions, no reasons, no flags, no best response.
* pandas, one subject at a time: the same arithmetic in ``groupby(...).apply``.
* mrecist, one process; mrecist, all processors.
"""

from __future__ import annotations

import argparse
import csv
import random
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from datetime import date, timedelta
from pathlib import Path
from typing import Any

from turns import Row, figure, keep, machine, processors, ratio, rows_of, rows_option

SEED = 20240607
LIMIT, PANDAS = "limit: CSV in, CSV out", "pandas, arithmetic alone"
VISITS, TARGETS, NON_TARGETS = 8, 3, 2
COLUMNS = (
    "subject",
    "timepoint",
    "date",
    "reader",
    "lesion",
    "role",
    "kind",
    "organ",
    "state",
    "longest_mm",
    "viable_mm",
)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--subjects", type=int, default=10_000)
    parser.add_argument("--repeats", type=int, default=3, help="turns (default 3)")
    parser.add_argument("--alone", nargs=3, metavar=("NAME", "TABLE", "OUT"), help=argparse.SUPPRESS)
    rows_option(parser)
    options = parser.parse_args()
    if options.alone:
        name, table, out = options.alone
        ALONE[name](Path(table), Path(out))
        return
    with tempfile.TemporaryDirectory() as folder:
        table = Path(folder) / "measurements.csv"
        rows = write_table(table, options.subjects)
        print(f"{options.subjects} subjects, {rows} rows, {table.stat().st_size / 1e6:.1f} MB, seed {SEED}")
        print(f"{machine(('mrecist', 'pandas'))}\n")
        keep(options.rows, report(take_turns(table, Path(folder), options.repeats), options.subjects))


# --- data ------------------------------------------------------------------------------------------------------------


def write_table(path: Path, subjects: int) -> int:
    """Random but reproducible courses; one subject in ten loses all targets, so CR occurs."""
    rng = random.Random(SEED)
    rows = 0
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(COLUMNS)
        for number in range(subjects):
            sizes = [rng.uniform(15, 80) for _ in range(TARGETS)]
            vanishes = VISITS // 2 if number % 10 == 0 else VISITS
            for visit in range(VISITS):
                start = (f"S{number:06d}", visit, date(2020, 1, 1) + timedelta(days=56 * visit), "R1")
                for target in range(TARGETS):
                    sizes[target] *= rng.uniform(0.75, 1.2) if visit else 1
                    state = "measured" if visit < vanishes else "absent"
                    size = [round(sizes[target], 1), round(sizes[target] * 0.8, 1)] if state == "measured" else ["", ""]
                    organ = "liver" if target < 2 else "lung"
                    writer.writerow([*start, f"T{target}", "target", "lesion", organ, state, *size])
                for lesion in range(NON_TARGETS):
                    writer.writerow([*start, f"NT{lesion}", "non-target", "lesion", "liver", "present", "", ""])
                rows += TARGETS + NON_TARGETS
    return rows


# --- contenders, each in a process of its own ------------------------------------------------------------------------


def limit(table: Path, out: Path) -> None:
    """Reading and writing the table, nothing else."""
    with table.open(encoding="utf-8", newline="") as source, out.open("w", encoding="utf-8", newline="") as target:
        csv.writer(target).writerows(csv.reader(source))


def _targets(table: Path) -> Any:
    import pandas as pd

    rows = pd.read_csv(table)
    rows = rows[rows["role"] == "target"]
    sizes = rows[["longest_mm", "viable_mm"]].fillna(0.0)
    return rows[["subject", "timepoint"]].assign(recist11=sizes["longest_mm"], mrecist=sizes["viable_mm"])


def pandas_vectorised(table: Path, out: Path) -> None:
    """Sums and target responses of all subjects at once."""
    import numpy as np

    sums = _targets(table).groupby(["subject", "timepoint"], sort=True).sum().reset_index()
    subjects = sums.groupby("subject")
    for name, absolute in (("recist11", 5.0), ("mrecist", 0.0)):
        value = sums[name]
        baseline = subjects[name].transform("first")
        nadir = subjects[name].cummin().groupby(sums["subject"]).shift()
        progression = (value >= 1.2 * nadir) & (value - nadir >= absolute) & (value > nadir)
        choices = [sums["timepoint"] == 0, value == 0, progression, value <= 0.7 * baseline]
        sums[f"{name}_target"] = np.select(choices, ["", "CR", "PD", "PR"], "SD")
    sums.to_csv(out, index=False)


def pandas_by_subject(table: Path, out: Path) -> None:
    """The same, one subject after the other."""

    def course(visits: Any) -> Any:
        visits = visits.groupby("timepoint")[["recist11", "mrecist"]].sum()
        for name, absolute in (("recist11", 5.0), ("mrecist", 0.0)):
            value = visits[name]
            nadir = value.cummin().shift()
            visits[f"{name}_target"] = "SD"
            visits.loc[value <= 0.7 * value.iloc[0], f"{name}_target"] = "PR"
            rise = (value >= 1.2 * nadir) & (value - nadir >= absolute) & (value > nadir)
            visits.loc[rise, f"{name}_target"] = "PD"
            visits.loc[value == 0, f"{name}_target"] = "CR"
            visits.loc[visits.index == 0, f"{name}_target"] = ""
        return visits

    _targets(table).groupby("subject").apply(course).reset_index().to_csv(out, index=False)


ALONE: dict[str, Callable[[Path, Path], None]] = {
    "limit": limit,
    "pandas": pandas_vectorised,
    "pandas-by-subject": pandas_by_subject,
}


def commands(table: Path, folder: Path) -> dict[str, list[str]]:
    """Name -> the command of its process."""
    own = [sys.executable, "-m", "mrecist", "assess", str(table), "--out", str(folder / "results")]
    alone = {
        name: [sys.executable, __file__, "--alone", name, str(table), str(folder / f"{name}.csv")] for name in ALONE
    }
    return {
        LIMIT: alone["limit"],
        PANDAS: alone["pandas"],
        "pandas, one subject at a time": alone["pandas-by-subject"],
        "mrecist, one process": [*own, "--workers", "1"],
        "mrecist, all processors": [*own, "--workers", str(processors())],
    }


# --- timing ----------------------------------------------------------------------------------------------------------


def take_turns(table: Path, folder: Path, repeats: int) -> dict[str, list[tuple[float, float]]]:
    """Name -> (seconds, processor seconds) of each turn."""
    taken: dict[str, list[tuple[float, float]]] = {}
    for _ in range(repeats):
        for name, command in commands(table, folder).items():
            before, began = resource.getrusage(resource.RUSAGE_CHILDREN), time.perf_counter()
            subprocess.run(command, check=True, stderr=subprocess.DEVNULL)
            seconds, after = time.perf_counter() - began, resource.getrusage(resource.RUSAGE_CHILDREN)
            cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
            taken.setdefault(name, []).append((seconds, cpu))
    return taken


def report(taken: dict[str, list[tuple[float, float]]], subjects: int) -> list[Row]:
    """Ratios of seconds to pandas and to the limit within each turn, by their median."""
    print("| contender | seconds | processor s | times pandas | times the limit |\n|---|---|---|---|---|")
    seconds = {name: [one for one, _ in turns] for name, turns in taken.items()}
    for name, turns in taken.items():
        cpu = statistics.median(one for _, one in turns)
        ratios = " | ".join(figure(ratio(seconds, name, reference)) for reference in (PANDAS, LIMIT))
        print(f"| {name} | {figure(statistics.median(seconds[name]))} | {figure(cpu)} | {ratios} |")
    return rows_of(f"assess, {subjects} subjects", seconds, (PANDAS, LIMIT))


if __name__ == "__main__":
    main()
