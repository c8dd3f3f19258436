"""DICOM objects out."""

from __future__ import annotations

import argparse
from pathlib import Path


def export(parser: argparse.ArgumentParser) -> None:
    """Arguments of ``mrecist export``."""
    targets = parser.add_subparsers(title="targets", metavar="TARGET", dest="target", required=True)
    seg = targets.add_parser("seg", help="masks of a study folder as DICOM segmentations")
    seg.add_argument("study", type=Path, metavar="STUDY", help="the study folder (docs/files.md)")
    seg.add_argument("--labelmap", action="store_true", help="LABELMAP in place of BINARY segmentations")
    sr = targets.add_parser("sr", help="what score wrote as DICOM structured reports")
    sr.add_argument("results", type=Path, metavar="RESULTS", help="where score wrote")
    sr.add_argument("--images", type=Path, required=True, metavar="DIR", help="the study folder, or its images")
    sr.add_argument("--seg", type=Path, metavar="DIR", help="segmentations to refer to, such as those of export seg")
    sr.add_argument("--previous", type=Path, metavar="DIR", help="reports that these replace (default: those in --out)")
    for target in (seg, sr):
        target.add_argument("--out", type=Path, required=True, metavar="DIR")
        target.add_argument("--uid-root", default="2.25", metavar="ROOT", help="root of new UIDs (default 2.25)")
