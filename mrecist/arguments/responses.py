"""From measurements to responses."""

from __future__ import annotations

import argparse
from pathlib import Path

from mrecist.arguments import kinds
from mrecist.arguments.rules import rules


def assess(parser: argparse.ArgumentParser) -> None:
    """Arguments of ``mrecist assess``."""
    parser.add_argument(
        "measurements",
        type=Path,
        nargs="+",
        metavar="MEASUREMENTS",
        help="measurements.csv, or SDTM: a folder with tu.* and tr.*, or their files (XPT, Dataset-JSON, CSV)",
    )
    parser.add_argument("--compare", type=Path, metavar="RS", help="with SDTM: reported responses to check (RS)")
    rules(parser)
    parser.add_argument("--stability", action="store_true", help="also how firmly each response stands")
    parser.add_argument("--spread", type=Path, metavar="FILE", help="with the standard deviation of single sizes")
    parser.add_argument("--subjects", type=Path, metavar="FILE", help="subjects.csv with the dates the protocol needs")
    parser.add_argument("--accepted", type=Path, metavar="FILE", help="accepted.csv: whose read of a subject counts")
    parser.add_argument("--out", type=Path, required=True, metavar="DIR")
    parser.add_argument(
        "--workers", type=kinds.workers, metavar="N", help="processes (default: by the size of the table)"
    )


def check(parser: argparse.ArgumentParser) -> None:
    """Arguments of ``mrecist check``."""
    parser.add_argument("measurements", type=Path, metavar="MEASUREMENTS.csv")
    rules(parser)
    parser.add_argument("--subjects", type=Path, metavar="FILE", help="subjects.csv with the dates the protocol needs")
    parser.add_argument("--out", type=Path, metavar="FILE.csv", help="default: the table goes to standard output")
    parser.add_argument("--json", action="store_true", help="print the findings for a program to read")


def best(parser: argparse.ArgumentParser) -> None:
    """Arguments of ``mrecist best``."""
    parser.add_argument("overall", type=Path, metavar="OVERALL.csv")
    parser.add_argument(
        "--criterion", metavar="NAME", default="recist11", help="name for the output (default recist11)"
    )
    parser.add_argument("--protocol", type=Path, metavar="FILE", help="protocol file (docs/protocol.md)")
    parser.add_argument("--subjects", type=Path, metavar="FILE", help="subjects.csv with the dates the protocol needs")
    parser.add_argument("--out", type=Path, required=True, metavar="FILE.csv")


def explain(parser: argparse.ArgumentParser) -> None:
    """Arguments of ``mrecist explain``."""
    parser.add_argument("folder", type=Path, metavar="DIR", help="where assess or score wrote")
    parser.add_argument("subject", metavar="SUBJECT")
    parser.add_argument("timepoint", type=int, nargs="?", metavar="TIMEPOINT")
    parser.add_argument("--criterion", metavar="NAME")


def conformance(parser: argparse.ArgumentParser) -> None:
    """Arguments of ``mrecist conformance``."""
    parser.add_argument("--engine", metavar="CMD", help="another engine (docs/conformance.md); default: this package")
    parser.add_argument("--best-engine", metavar="CMD", help="its command for reported responses, where it differs")
    parser.add_argument(
        "--time-limit", type=kinds.seconds, default=600.0, metavar="S", help="for each run (default 600)"
    )
    parser.add_argument("--cases", type=Path, metavar="DIR", help="a set of cases; default: the newest of this package")
    parser.add_argument("--out", type=Path, metavar="FILE.csv", help="also write one row per case and criterion")
