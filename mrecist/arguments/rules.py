"""Arguments that several commands share."""

from __future__ import annotations

import argparse
from pathlib import Path


def rules(parser: argparse.ArgumentParser) -> None:
    """By which rules: criteria and protocol."""
    parser.add_argument("--criterion", action="append", metavar="NAME", help="may be given several times; default: all")
    parser.add_argument("--protocol", type=Path, metavar="FILE", help="protocol file (docs/protocol.md)")
