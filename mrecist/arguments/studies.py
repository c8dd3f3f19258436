"""Whole studies."""

from __future__ import annotations

import argparse
from pathlib import Path

from mrecist.arguments import kinds
from mrecist.arguments.rules import rules


def demo(parser: argparse.ArgumentParser) -> None:
    """Arguments of ``mrecist demo``."""
    parser.add_argument("--out", type=Path, default=Path("mrecist-demo"), metavar="DIR", help="default: mrecist-demo")


def score(parser: argparse.ArgumentParser) -> None:
    """Arguments of ``mrecist score``."""
    parser.add_argument("study", type=Path, metavar="STUDY", help="the study folder (docs/files.md)")
    parser.add_argument("--out", type=Path, required=True, metavar="DIR")
    rules(parser)
    running(parser)
    parser.add_argument("--fresh", action="store_true", help="measure everything again, whatever earlier runs kept")


def running(parser: argparse.ArgumentParser) -> None:
    """Where subjects are scored, and for how long."""
    where = parser.add_mutually_exclusive_group()
    where.add_argument("--workers", type=kinds.workers, default=1, metavar="N", help="processes (default 1)")
    where.add_argument("--scheduler", metavar="ADDRESS", help="a Dask cluster in place of processes of this machine")
    parser.add_argument(
        "--case-timeout",
        type=kinds.seconds,
        metavar="SECONDS",
        help="a subject that takes longer is quarantined (default 3600; none with one worker)",
    )
    parser.add_argument(
        "--repeat", type=kinds.repeats, metavar="N", help="draw every outline N times again: spread.csv"
    )


def info(parser: argparse.ArgumentParser) -> None:
    """Arguments of ``mrecist info``."""
    parser.add_argument("--json", action="store_true", help="for a program to read")
