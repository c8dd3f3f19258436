"""Identity of lesions."""

from __future__ import annotations

import argparse
from pathlib import Path

from mrecist.arguments import kinds


def match(parser: argparse.ArgumentParser) -> None:
    """Arguments of ``mrecist match``."""
    parser.add_argument("study", type=Path, metavar="STUDY", help="the study folder (docs/files.md)")
    which = parser.add_mutually_exclusive_group()
    which.add_argument("--readers", action="store_true", help="only readers with each other, visit by visit")
    which.add_argument("--visits", action="store_true", help="only the visits of each reader with each other")
    parser.add_argument("--workers", type=kinds.workers, default=1, metavar="N", help="processes (default 1)")
    parser.add_argument("--out", type=Path, required=True, metavar="FILE.csv")
