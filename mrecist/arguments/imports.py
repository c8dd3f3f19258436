"""DICOM objects and annotations in."""

from __future__ import annotations

import argparse
from pathlib import Path

from mrecist.arguments import kinds


def import_rows(parser: argparse.ArgumentParser) -> None:
    """Arguments of ``mrecist import``."""
    sources = parser.add_subparsers(title="sources", metavar="SOURCE", dest="source", required=True)
    for name, about in (
        ("sr", "DICOM structured reports (TID 1500)"),
        ("aim", "AIM 4 XML, such as of ePAD"),
        ("list", "measurement lists: CSV of OHIF, markups JSON of 3D Slicer"),
    ):
        source = sources.add_parser(name, help=about, description=about)
        source.add_argument("files", type=Path, nargs="+", metavar="FILE", help="files, or folders of them")
        source.add_argument(
            "--images", type=Path, metavar="DIR", help="for dates, and to compare sizes with their lines"
        )
        source.add_argument("--timepoints", type=Path, metavar="FILE.csv", help="which visit is which time point")
        source.add_argument("--manifest", type=Path, metavar="FILE.csv", help="series.csv of a study folder")
        source.add_argument("--timepoint", type=kinds.timepoint, metavar="N", help="of all files")
        source.add_argument("--subject", metavar="TEXT", help="of all files; default: as they say")
        source.add_argument("--date", metavar="YYYY-MM-DD", help="of all files; default: that of the images")
        source.add_argument("--reader", metavar="TEXT", help="of all files; default: as they say, else R1")
        source.add_argument("--role", metavar="ROLE", help="target, non-target or new, where nothing says it")
        source.add_argument("--out", type=Path, required=True, metavar="FILE.csv")
