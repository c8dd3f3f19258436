"""What a large archive would take: measured costs of one, multiplied, beside what storage and a scheduler give.

Run ``python benchmarks/projection.py ROWS [--series 100000] [--slices 150] ...``. ROWS is the ``rows.jsonl`` of a reference run of
``run.py`` on an idle machine. Processor times come from there; sizes are those of the formats; speeds of storage and prices are
assumptions that options change, and the table says which is which. Every resource is taken alone, as if the others cost nothing: the
largest is a lower bound of the time, and the one that saturates first.

The archive: subjects with ``--visits`` visits of ``--phases`` series each, one segmentation a visit with ``--lesions`` lesions. Headers of
all slices are read, in shares on the workers; of pixels, the slices under a lesion alone, once.
"""

from __future__ import annotations

import argparse
from dataclasses import dataclass
from pathlib import Path

from run import BENCHMARKS
from turns import figure, kept

WORKERS = (2, 16, 64, 256)
HEADER_BYTES = 8192  # two pages: what opening a file and reading its header moves
SLICES_OF_A_LESION = 12  # 30 mm in slices of 2.5 mm


@dataclass(frozen=True, slots=True, kw_only=True)
class Costs:
    """Measured: seconds of one processor for one of each. ``case`` is what ``score`` takes for a small one, ``alone`` the part of
    that which more workers do not shorten (tables, pages, pictures).
    """

    header: float
    segmentation: float
    lesion: float
    frame: float
    case: float
    alone: float


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("rows", type=Path, metavar="ROWS")
    parser.add_argument("--series", type=int, default=100_000)
    parser.add_argument("--slices", type=int, default=150, help="of a series")
    parser.add_argument("--visits", type=int, default=4)
    parser.add_argument("--phases", type=int, default=3, help="series of a visit")
    parser.add_argument("--lesions", type=int, default=4)
    parser.add_argument("--frame-bytes", type=int, default=200_000, help="a slice of 512 x 512 in JPEG-LS")
    parser.add_argument("--opens", type=float, default=5000, help="files that the storage opens a second")
    parser.add_argument("--megabytes", type=float, default=1000, help="what the storage reads a second")
    parser.add_argument("--dispatch-ms", type=float, default=5, help="what the scheduler takes for a task")
    parser.add_argument("--price", type=float, default=0.05, help="of a processor for an hour")
    parser.add_argument("--price-terabyte", type=float, default=20, help="of a terabyte for a month")
    options = parser.parse_args()
    print(report(options, costs_of(options.rows)))


def costs_of(path: Path) -> Costs:
    """The costs of one out of the rows of a reference run. Raises :class:`SystemExit` where one is missing."""
    rows = kept(path)

    def seconds(workload: str, contender: str = "") -> float:
        found = [row for row in rows if row.workload == workload and row.contender.startswith(contender or "mrecist")]
        if not found:
            raise SystemExit(f"{path}: has no row of '{workload}'; run benchmarks/run.py in full")
        return found[-1].seconds

    case = seconds("score, a process, cost of one")
    both = [
        row for row in rows if row.workload.startswith("score, ") and row.contender.startswith("mrecist, 2 processes")
    ]
    if not both:
        raise SystemExit(f"{path}: has no row of 'score' by 2 processes; run benchmarks/scaling.py where there are two")
    # T1 = alone + rest and T2 = alone + rest / 2, so alone = 2 T2 - T1, here as a share of T1 (Amdahl).
    alone = case * max(0.0, 2 * both[-1].ratio - 1)
    loaded = BENCHMARKS["loading-compressed"].full
    ten = seconds("longest diameter of ten lesions", "mrecist, long + short, calibrated")
    return Costs(
        header=seconds("scan a series, cost of one"),
        segmentation=seconds("read a SEG", "mrecist"),
        lesion=ten / 10,
        frame=seconds("load a series, jpeg-ls", "mrecist") / int(loaded[loaded.index("--slices") + 1]),
        case=case,
        alone=alone,
    )


def report(options: argparse.Namespace, cost: Costs) -> str:
    """Markdown: the archive, and hours of each resource for several numbers of workers."""
    visits = options.series // options.phases
    subjects = visits // options.visits
    files = options.series * options.slices
    lesions = visits * options.lesions
    frames = lesions * SLICES_OF_A_LESION
    processor = {
        "headers": files * cost.header,
        "segmentations": visits * cost.segmentation,
        "diameters": lesions * cost.lesion,
        "decoding": frames * cost.frame,
        "the rest of a case": subjects * (cost.case - cost.alone),
    }
    client = subjects * cost.alone
    opened = files / options.opens
    moved = (files * HEADER_BYTES + frames * options.frame_bytes) / (options.megabytes * 1e6)
    dispatched = (subjects + files / 500) * options.dispatch_ms / 1e3
    stored = files * options.frame_bytes / 1e12
    total = sum(processor.values())
    lines = [
        f"{options.series} series of {options.slices} slices: {subjects} subjects, {files / 1e6:.0f} million files, "
        f"{stored:.1f} TB, {visits} segmentations, {lesions} lesions",
        "",
        f"processor time: {total / 3600:.1f} hours, of it "
        + ", ".join(f"{name} {100 * one / total:.0f} %" for name, one in processor.items()),
        "",
        "| workers | processors, h | storage opens, h | storage reads, h | scheduler, h | one process alone, h | saturates first | price |",
        "|---|---|---|---|---|---|---|---|",
    ]
    for workers in WORKERS:
        hours = {
            "processors": total / workers / 3600,
            "storage opens": opened / 3600,
            "storage reads": moved / 3600,
            "scheduler": dispatched / 3600,
            "one process alone": client / 3600,
        }
        first = max(hours, key=lambda name: hours[name])
        price = workers * options.price * max(hours.values())
        lines.append(f"| {workers} | {' | '.join(figure(one) for one in hours.values())} | {first} | {figure(price)} |")
    lines += ["", f"to keep the archive: {figure(stored * options.price_terabyte)} a month"]
    return "\n".join(lines)


if __name__ == "__main__":
    main()
