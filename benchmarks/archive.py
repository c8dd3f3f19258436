"""An archive of many small cases, 2 % of them broken, scored from end to end: time, memory, and who is quarantined.

Run ``python benchmarks/archive.py [--cases N ...] [--workers N] [--broken PERCENT] [--kills N]``. The archive is made from one
subject of the sample study (two visits, 22 slices of 150 x 228 in JPEG-LS, two segmentations, three lesions), each case with UIDs
and a name of its own; the broken ones in ten ways (tests/score/archive_made.py). Each size is scored three times: first, again with
nothing changed, and again by other criteria. Memory is the most that a process had resident (VmHWM), sampled ten times a second;
``parent`` is the command itself, ``worker`` the largest process below it. With ``--kills`` the first run is killed so many times at
random moments first, and its results must be those of a run that was not. The script stops where the quarantined cases are not
exactly the broken ones.
"""

from __future__ import annotations

import argparse
import csv
import random
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1] / "tests" / "score"))

PROTOCOL = 'format = "mrecist-protocol/1"\n[criteria.recist11]\n[criteria.mrecist]\npd_absolute_mm = 5\n'


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--cases", type=int, nargs="+", default=[250, 500, 1000])
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--broken", type=float, default=2.0, metavar="PERCENT")
    parser.add_argument("--kills", type=int, default=0)
    parser.add_argument("--folder", type=Path, help="where the archive is made (default: a temporary folder)")
    options = parser.parse_args()
    from archive_made import make_archive, size_of

    print("| cases | files, MB | run | s | cases a second | parent, MiB | worker, MiB | quarantined | results, MB |")
    print("|---|---|---|---|---|---|---|---|---|")
    for cases in options.cases:
        with tempfile.TemporaryDirectory(dir=options.folder) as name:
            study, out = Path(name) / "study", Path(name) / "out"
            broken = make_archive(study, cases, round(cases * options.broken / 100))
            files, size = size_of(study)
            protocol = Path(name) / "other.toml"
            protocol.write_text(PROTOCOL, encoding="utf-8")
            if options.kills:
                kill(study, Path(name) / "killed", options.workers, options.kills)
            for run, more in (("first", []), ("again", []), ("other criteria", ["--protocol", str(protocol)])):
                seconds, parent, worker = measured(study, out, options.workers, more)
                check(out, broken)
                if run == "first" and options.kills:
                    compare(out, Path(name) / "killed")
                _, written = size_of(out)
                print(
                    f"| {cases} | {files}, {size / 1e6:.0f} | {run} | {seconds:.0f} | {cases / seconds:.1f} | {parent:.0f} "
                    f"| {worker:.0f} | {len(broken)} | {written / 1e6:.0f} |",
                    flush=True,
                )


def command(study: Path, out: Path, workers: int, more: list[str]) -> list[str]:
    return [sys.executable, "-m", "mrecist", "score", str(study), "--out", str(out), "--workers", str(workers), *more]


def measured(study: Path, out: Path, workers: int, more: list[str]) -> tuple[float, float, float]:
    """Seconds, and the most resident memory of the command and of any process below it."""
    began = time.perf_counter()
    running = subprocess.Popen(command(study, out, workers, more), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    parent = worker = 0.0
    while running.poll() is None:
        parent = max(parent, peak_mib(running.pid))
        worker = max([worker, *(peak_mib(pid) for pid in below(running.pid))])
        time.sleep(0.1)
    seconds = time.perf_counter() - began
    if running.returncode not in (0, 1):
        raise SystemExit(f"score ended with exit code {running.returncode}")
    return seconds, parent, worker


def peak_mib(pid: int) -> float:
    """VmHWM of a process; 0 when it is gone. A process that was only just forked still counts as its parent."""
    try:
        for line in Path(f"/proc/{pid}/status").read_text(encoding="utf-8").splitlines():
            if line.startswith("VmHWM:"):
                return int(line.split()[1]) / 1024
    except OSError:
        pass
    return 0.0


def below(pid: int) -> list[int]:
    """The processes below a process."""
    found = []
    try:
        for task in Path(f"/proc/{pid}/task").glob("*/children"):
            for child in map(int, task.read_text(encoding="ascii").split()):
                found += [child, *below(child)]
    except OSError:
        pass
    return found


def check(out: Path, broken: dict[str, str]) -> None:
    """Stop unless exactly the broken cases are quarantined."""
    with (out / "cases.csv").open(encoding="utf-8", newline="") as file:
        found = {row["subject"] for row in csv.DictReader(file) if row["verdict"] == "quarantined"}
    if found != set(broken):
        raise SystemExit(f"not quarantined: {sorted(set(broken) - found)}; quarantined: {sorted(found - set(broken))}")


def kill(study: Path, out: Path, workers: int, kills: int) -> None:
    """Begin a run and kill it so many times at random moments, then let it end."""
    rng = random.Random(1)
    for _ in range(kills):
        running = subprocess.Popen(
            command(study, out, workers, []), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )
        time.sleep(rng.uniform(0.5, 12))
        running.kill()
        running.wait()
    measured(study, out, workers, [])


def compare(one: Path, other: Path) -> None:
    """Stop unless two results hold the same files with the same bytes."""
    names = [
        {str(path.relative_to(out)) for path in out.rglob("*") if path.is_file() and ".checkpoints" not in path.parts}
        for out in (one, other)
    ]
    if names[0] != names[1]:
        raise SystemExit(f"other files after the kills: {sorted(names[0] ^ names[1])}")
    for name in sorted(names[0]):
        if (one / name).read_bytes() != (other / name).read_bytes():
            raise SystemExit(f"{name}: other bytes after the kills")
    shutil.rmtree(other)


if __name__ == "__main__":
    main()
