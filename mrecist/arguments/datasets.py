"""SDTM datasets."""

from __future__ import annotations

import argparse
from pathlib import Path

from mrecist.arguments.rules import rules


def check_sdtm(parser: argparse.ArgumentParser) -> None:
    """Arguments of ``mrecist check-sdtm``."""
    parser.add_argument(
        "datasets",
        type=Path,
        nargs="+",
        metavar="DIR",
        help="folder with tu.*, tr.*, rs.* and what belongs to them, or the files (XPT, Dataset-JSON, CSV)",
    )
    rules(parser)
    parser.add_argument(
        "--subjects",
        type=Path,
        metavar="FILE",
        help="subjects.csv with the dates the protocol needs; its subjects are USUBJID",
    )
    parser.add_argument(
        "--term", action="append", metavar="CODELIST=TERM", help="a term by which the study extends a codelist"
    )
    parser.add_argument(
        "--severity", action="append", metavar="RULE=SEVERITY", help="off, note, warning or error for a rule"
    )
    parser.add_argument("--out", type=Path, metavar="FILE.csv", help="default: the table goes to standard output")
    parser.add_argument("--json", action="store_true", help="print the findings for a program to read")
