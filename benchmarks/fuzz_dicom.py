"""A long run of damaged DICOM files through scan, load_volume and read_segmentation.

Run ``python benchmarks/fuzz_dicom.py [--minutes M] [--start N] [--kinds ct,binary,...] [--keep DIR]``. The seeds and the
damage are those of tests/imaging/fuzzing.py, which the test suite runs for some hundred cases. Anything but a result or a
MrecistError is a finding: it is printed with its kind and number (the same pair gives the same bytes again), its file is kept
and the run goes on. A hang prints where it hangs and ends the run after two minutes; a crash of the interpreter leaves the
file of its case behind. Memory is limited to 4 GiB.
"""

from __future__ import annotations

import argparse
import faulthandler
import resource
import sys
import tempfile
import time
import traceback
import warnings
from collections import Counter
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1] / "tests" / "imaging"))

from fuzzing import KINDS, build_seeds, damaged, run_case


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--minutes", type=float, default=15.0)
    parser.add_argument("--start", type=int, default=0, help="number of the first case of each kind")
    parser.add_argument("--kinds", default=",".join(KINDS))
    parser.add_argument("--keep", type=Path, default=Path("fuzz-findings"), help="folder for files that failed")
    options = parser.parse_args()
    warnings.simplefilter("ignore")
    resource.setrlimit(resource.RLIMIT_AS, (4 * 2**30, 4 * 2**30))
    kinds = options.kinds.split(",")
    words: dict[str, Counter[str]] = {kind: Counter() for kind in kinds}
    findings, slowest, number, began = 0, 0.0, options.start, time.monotonic()
    with tempfile.TemporaryDirectory() as name:
        seeds = build_seeds(Path(name) / "seeds")
        while time.monotonic() - began < 60 * options.minutes:
            for kind in kinds:
                faulthandler.dump_traceback_later(120, exit=True)
                start = time.perf_counter()
                try:
                    words[kind][run_case(seeds, kind, number, Path(name) / "case")] += 1
                except Exception:  # noqa: BLE001 - this is what is looked for
                    findings += 1
                    options.keep.mkdir(parents=True, exist_ok=True)
                    (options.keep / f"{kind}-{number}.dcm").write_bytes(damaged(seeds, kind, number))
                    print(f"finding: {kind} {number}\n{traceback.format_exc()}", flush=True)
                slowest = max(slowest, time.perf_counter() - start)
            number += 1
        faulthandler.cancel_dump_traceback_later()
    cases = (number - options.start) * len(kinds)
    print(
        f"{cases} cases in {(time.monotonic() - began) / 60:.1f} minutes, {findings} findings, slowest {slowest:.2f} s"
    )
    for kind, counted in words.items():
        print(f"{kind}: " + ", ".join(f"{word} {count}" for word, count in counted.most_common()))
    return 1 if findings else 0


if __name__ == "__main__":
    raise SystemExit(main())
