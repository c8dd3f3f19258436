"""The reading room."""

from __future__ import annotations

import argparse
from pathlib import Path


def read(parser: argparse.ArgumentParser) -> None:
    """Arguments of ``mrecist read``."""
    parser.add_argument("study", nargs="?", type=Path, metavar="STUDY", help="the study folder (docs/files.md)")
    parser.add_argument("subject", nargs="?", metavar="SUBJECT", help="default: a list of all subjects to choose from")
    parser.add_argument("--reader", default="R1", metavar="NAME", help="who reads (default R1)")
    parser.add_argument(
        "--store",
        nargs="?",
        const="",
        metavar="STORE",
        help="read the cases of a store, blinded (docs/core-lab.md): study folder, SQLite file or postgresql:// URL; "
        "without STORE the store.sqlite of STUDY",
    )
    parser.add_argument(
        "--files",
        type=Path,
        metavar="DIR",
        help="with --store: folder of the kept files (default: beside the SQLite file)",
    )
    parser.add_argument("--protocol", type=Path, metavar="FILE", help="protocol file (docs/protocol.md)")
    parser.add_argument("--segmenter", default="", metavar="NAME", help="who proposes masks (mrecist info lists them)")
    parser.add_argument(
        "--sample", action="store_true", help="a copy of the sample study in STUDY (default mrecist-sample)"
    )
    parser.add_argument("--status", action="store_true", help="open no window; print how far the read is")
    parser.add_argument("--json", action="store_true", help="with --status: for a program to read")
