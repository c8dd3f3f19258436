"""What images and masks are looked at."""

from __future__ import annotations

import argparse
from pathlib import Path

from mrecist.arguments import kinds


def scan(parser: argparse.ArgumentParser) -> None:
    """Arguments of ``mrecist scan``."""
    parser.add_argument("folder", type=Path, metavar="DIR", help="any folder with DICOM files")
    parser.add_argument("--json", action="store_true", help="for a program to read")
    parser.add_argument("--workers", type=kinds.workers, metavar="N", help="processes (default: one a processor)")


def measure(parser: argparse.ArgumentParser) -> None:
    """Arguments of ``mrecist measure``."""
    source = parser.add_mutually_exclusive_group(required=True)
    source.add_argument(
        "--lesions",
        type=Path,
        nargs="+",
        metavar="L.nii.gz",
        help="label masks, or a folder of them: value k is lesion k",
    )
    source.add_argument(
        "--seg", type=Path, nargs="+", metavar="SEG.dcm", help="DICOM segmentations or RT structure sets"
    )
    parser.add_argument(
        "--viable", type=Path, nargs="+", metavar="V.nii.gz", help="with --lesions, one for each: non-zero where viable"
    )
    parser.add_argument("--images", type=Path, metavar="DIR", help="with --seg: folder with the series referred to")
    parser.add_argument("--out", type=Path, required=True, metavar="FILE.csv")
    parser.add_argument("--json", type=Path, metavar="FILE", help="slice and end points in LPS mm, unrounded")
    parser.add_argument("--plot", type=Path, metavar="DIR", help="a picture (PNG) of each lesion with its diameters")
    parser.add_argument("--convention", metavar="NAME", help="extent, edge, centre, or the default (docs/measuring.md)")
    parser.add_argument(
        "--max-gap-mm", type=kinds.not_negative, default=0.0, metavar="MM", help="bridge thin septa (default 0)"
    )
    parser.add_argument("--round-mm", type=kinds.step, default="0.1", metavar="MM", help="step of recorded sizes (0.1)")
    parser.add_argument(
        "--dense-hu",
        type=kinds.dense_hu,
        default=0.0,
        metavar="HU",
        help="with --seg: take denser parts off the viable one (off)",
    )
    parser.add_argument(
        "--resample", action="store_true", help="with --seg: volumes of irregular or tilted series too, resampled (off)"
    )
    parser.add_argument(
        "--phase-confidence",
        choices=("low", "medium", "high"),
        default="medium",
        help="with --seg: how sure headers must be of a phase (medium)",
    )
    parser.add_argument("--subject", metavar="TEXT", help="with --lesions: default is the file's name")
    parser.add_argument("--timepoint", type=kinds.timepoint, metavar="N", help="default: from the images, else 0")
    parser.add_argument("--date", metavar="YYYY-MM-DD", help="with --lesions: NIfTI files hold no date")
    parser.add_argument("--reader", metavar="TEXT", help="default: from the segmentation, else R1")
    parser.add_argument("--spread", type=Path, metavar="FILE", help="draw every outline again; how each size varies")
    parser.add_argument("--repeat", type=kinds.repeats, metavar="N", help="with --spread: how often (default 20)")
    parser.add_argument("--repeat-seed", type=kinds.timepoint, metavar="N", help="with --spread: seed (default 0)")
    parser.add_argument(
        "--repeat-percent", type=kinds.percent, metavar="PCT", help="with --spread: sd of a longest diameter (8.6)"
    )
    parser.add_argument(
        "--repeat-viable-percent", type=kinds.percent, metavar="PCT", help="with --spread: sd of a viable diameter"
    )
