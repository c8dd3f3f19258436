"""A process that writes reads is killed with SIGKILL at random moments; is anything lost, or half there?

Run ``python benchmarks/store_kills.py [--kills N] [--seed N] [--store URL]``. Each process adds reads of one visit to a store,
every one with two measurements and a mask, and reports each that was acknowledged. It is killed up to 0.04 s after none to three
reads. After every kill the store is opened again: every acknowledged read must be there with all its rows and its mask, no other
may be there in part, and the audit trail, every row and every file must verify. The script stops at the first that does not hold.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1] / "tests" / "store"))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--kills", type=int, default=200)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--store", metavar="URL", help="an empty PostgreSQL database (default: SQLite)")
    options = parser.parse_args()
    from store_kills import kill_and_look

    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "study").mkdir()
        began = time.perf_counter()
        found = kill_and_look(options.store or str(folder / "study"), folder / "kept", options.kills, options.seed)
        seconds = time.perf_counter() - began
    print(
        "| kills | in the middle of a write | reads acknowledged | reads in the store | lost | half there | files no row names |"
    )
    print("|---|---|---|---|---|---|---|")
    print(f"| {found.kills} | {found.hot} | {found.acknowledged} | {found.written} | 0 | 0 | {found.orphans} |")
    print(f"{seconds:.0f} s")


if __name__ == "__main__":
    main()
