"""All benchmarks that stand beside a peer or a limit, one after the other, and one table of ratios.

Run ``python benchmarks/run.py --out FOLDER [--quick] [--only NAME ...] [--cornerstone FOLDER]``. Every benchmark is a process of
its own that makes its data, checks that all contenders give the same result, and lets them take turns; what it prints goes to
``FOLDER/NAME.txt``, its figures to ``FOLDER/rows.jsonl``, and the ratios of mrecist to its peers to ``FOLDER/ratios.md``, with
the machine and the versions. ``--quick`` takes small data and few turns: it shows that all runs, and its ratios say little. A
benchmark that fails is named, the others go on, and the exit code is 1.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path

from turns import Row, figure, kept, machine

HERE = Path(__file__).parent
PACKAGES = (
    *(
        "mrecist",
        "numpy",
        "pydicom",
        "SimpleITK",
        "highdicom",
        "scikit-image",
        "pandas",
        "dcmqi",
        "imagecodecs",
        "dicomsdl",
    ),
    *("dcm2niix", "dicom2nifti", "opencv-python-headless", "pyradiomics"),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Benchmark:
    """A script with its options for the reference run, and for a quick one."""

    script: str
    full: tuple[str, ...] = ()
    quick: tuple[str, ...] = ()


BENCHMARKS = {
    "scanning": Benchmark(script="scanning.py", full=("--turns", "5"), quick=("--turns", "1", "--files", "200")),
    "loading": Benchmark(
        script="loading.py",
        full=("--slices", "300", "--turns", "5", "--kinds", "plain"),
        quick=("--slices", "20", "--turns", "1", "--kinds", "plain"),
    ),
    "loading-compressed": Benchmark(
        script="loading.py",
        full=("--slices", "100", "--turns", "3", "--kinds", "jpeg-ls", "jpeg-2000", "rle", "jpeg-lossless"),
        quick=("--slices", "6", "--turns", "1", "--kinds", "jpeg-ls"),
    ),
    "measuring": Benchmark(script="measure.py", full=("--turns", "7"), quick=("--turns", "1")),
    "seg": Benchmark(script="seg.py", full=("--turns", "5"), quick=("--turns", "1")),
    "assess": Benchmark(
        script="assess.py",
        full=("--subjects", "10000", "--repeats", "3"),
        quick=("--subjects", "200", "--repeats", "1"),
    ),
    "end-to-end": Benchmark(script="end_to_end.py", full=("--turns", "5"), quick=("--turns", "1", "--slices", "200")),
    "end-to-end-compressed": Benchmark(
        script="end_to_end.py", full=("--turns", "3", "--kind", "jpeg-ls"), quick=("--turns", "1", "--kind", "jpeg-ls")
    ),
    "scaling": Benchmark(script="scaling.py", quick=("--quick",)),
}


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=Path, required=True, metavar="FOLDER")
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--only", nargs="+", choices=[*BENCHMARKS], default=[*BENCHMARKS], metavar="NAME")
    parser.add_argument("--cornerstone", metavar="FOLDER", help="as benchmarks/measure.py takes it")
    options = parser.parse_args()
    options.out.mkdir(parents=True, exist_ok=True)
    rows = options.out / "rows.jsonl"
    rows.unlink(missing_ok=True)
    failed = [name for name in options.only if not ran(name, options, rows)]
    (options.out / "ratios.md").write_text(report(kept(rows)), encoding="utf-8")
    print(f"\n{(options.out / 'ratios.md').read_text(encoding='utf-8')}")
    for name in failed:
        print(f"FAILED: {name}, see {options.out / name}.txt", file=sys.stderr)
    return 1 if failed else 0


def ran(name: str, options: argparse.Namespace, rows: Path) -> bool:
    """Run one; whether it ended well."""
    one = BENCHMARKS[name]
    given = [*(one.quick if options.quick else one.full)]
    if one.script == "measure.py" and options.cornerstone:
        given += ["--cornerstone", options.cornerstone]
    began = time.monotonic()
    print(f"{name} ...", end="", flush=True)
    with (options.out / f"{name}.txt").open("w", encoding="utf-8") as log:
        command = [sys.executable, str(HERE / one.script), *given, "--rows", str(rows)]
        done = subprocess.run(command, stdout=log, stderr=subprocess.STDOUT, check=False)
    print(f" {'done' if done.returncode == 0 else 'FAILED'}, {time.monotonic() - began:.0f} s")
    return done.returncode == 0


def report(rows: list[Row]) -> str:
    """Markdown: for every workload, what mrecist takes and how many times that is of each reference."""
    lines = [machine(PACKAGES), "", "| workload | contender | ms | times |", "|---|---|---|---|"]
    own = [row for row in rows if row.contender.startswith("mrecist") and row.contender != row.reference]
    for workload, contender in dict.fromkeys((row.workload, row.contender) for row in own):
        here = [row for row in own if (row.workload, row.contender) == (workload, contender)]
        times = ", ".join(f"{figure(row.ratio)} x {row.reference}" for row in here)
        lines.append(f"| {workload} | {contender} | {figure(1e3 * here[0].seconds)} | {times} |")
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    sys.exit(main())
