"""Identifiers in images."""

from __future__ import annotations

import argparse
from pathlib import Path


def check_identity(parser: argparse.ArgumentParser) -> None:
    """Arguments of ``mrecist check-identity``."""
    parser.add_argument("folder", type=Path, metavar="DIR", help="any folder with DICOM files")
    parser.add_argument("--json", action="store_true", help="print the findings for a program to read")
    parser.add_argument("--out", type=Path, metavar="FILE.csv", help="default: the table goes to standard output")
