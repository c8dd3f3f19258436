"""Agreement of readers."""

from __future__ import annotations

import argparse
from pathlib import Path

from mrecist.arguments import kinds
from mrecist.arguments.rules import rules


def agree(parser: argparse.ArgumentParser) -> None:
    """Arguments of ``mrecist agree``."""
    parser.add_argument(
        "reads",
        type=Path,
        metavar="READS",
        help="the folder that assess or score wrote; or measurements.csv; or a table of sums",
    )
    rules(parser)
    parser.add_argument("--subjects", type=Path, metavar="FILE", help="subjects.csv: dates, and columns for --by")
    parser.add_argument("--by", action="append", default=[], metavar="COLUMN", help="every statistic also by subgroup")
    parser.add_argument("--readers", nargs="+", default=[], metavar="READER", help="who is compared (default: all)")
    parser.add_argument("--adjudicator", default="", metavar="READER", help="is not compared; readers are, with them")
    parser.add_argument(
        "--accepted", type=Path, metavar="FILE", help="accepted.csv, where it is not in or beside the reads"
    )
    parser.add_argument("--tracks", action="store_true", help="compare the two tracks of accepted.csv")
    parser.add_argument(
        "--central", default="", metavar="READER", help="the central reader, where no accepted.csv says so"
    )
    parser.add_argument("--investigator", default="", metavar="READER", help="the investigator, with --central")
    parser.add_argument("--shared-names", action="store_true", help="a lesion has the same name in all reads")
    parser.add_argument("--matches", type=Path, metavar="FILE", help="matches.csv: which lesion of whom is which")
    parser.add_argument(
        "--adjudicate-on", nargs="+", default=[], metavar="VARIABLE", help="in place of the protocol's adjudicate_on"
    )
    parser.add_argument("--date-tolerance", type=kinds.days, default=0, metavar="DAYS", help="dates that still agree")
    parser.add_argument("--resamples", type=kinds.resamples, default=2000, metavar="N", help="for intervals; 0: none")
    parser.add_argument("--seed", type=kinds.seed, default=0, metavar="N", help="start of the random numbers")
    parser.add_argument(
        "--figures", action="store_true", help="also Bland-Altman figures of every two readers and visit"
    )
    parser.add_argument("--out", type=Path, required=True, metavar="DIR")
