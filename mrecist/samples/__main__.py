"""``python -m mrecist.samples --out DIR`` builds the sample data; ``--check`` compares a fresh build with the shipped one."""

from __future__ import annotations

import argparse
from pathlib import Path

from mrecist.samples.build import build_sample_data, check_sample_data, sample_data_path


def main() -> int:
    """Build or check; exit code 1 when something differs."""
    parser = argparse.ArgumentParser(prog="python -m mrecist.samples", description=__doc__)
    group = parser.add_mutually_exclusive_group(required=True)
    group.add_argument("--out", type=Path, metavar="DIR", help="folder to build in")
    group.add_argument("--check", action="store_true", help="compare the shipped sample data with a fresh build")
    options = parser.parse_args()
    if options.out is not None:
        build_sample_data(options.out)
        print(f"built: {options.out}")
        return 0
    differences = check_sample_data(sample_data_path())
    print("\n".join(differences) or "the shipped sample data equals a fresh build, byte for byte")
    return 1 if differences else 0


raise SystemExit(main())
