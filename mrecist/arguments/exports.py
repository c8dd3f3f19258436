"""DICOM objects and datasets out."""

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
    _sdtm(targets.add_parser("sdtm", help="what assess or score wrote as SDTM: TU, TR, RS and what belongs to them"))
    for target in (seg, sr):
        target.add_argument("--out", type=Path, required=True, metavar="DIR")
        target.add_argument("--uid-root", default="2.25", metavar="ROOT", help="root of new UIDs (default 2.25)")


def _sdtm(sdtm: argparse.ArgumentParser) -> None:
    """Arguments of ``mrecist export sdtm``. What is not given is as [export] of the protocol or the defaults say."""
    sdtm.add_argument("results", type=Path, metavar="RESULTS", help="where assess or score wrote")
    sdtm.add_argument("--out", type=Path, required=True, metavar="DIR")
    sdtm.add_argument("--subjects", type=Path, metavar="FILE", help="subjects.csv: DM, study days, epochs")
    sdtm.add_argument("--procedures", type=Path, metavar="FILE", help="procedures.csv: PR")
    sdtm.add_argument("--visits", type=Path, metavar="FILE", help="visits.csv: the names of the visits, and SV")
    sdtm.add_argument("--occurrences", type=Path, metavar="FILE", help="occurrences.csv: symptomatic deterioration")
    sdtm.add_argument("--images", type=Path, metavar="DIR", help="the study folder, or its images: segmentation UIDs")
    sdtm.add_argument("--study", default="", metavar="ID", help="STUDYID (default: [study] id of the protocol)")
    sdtm.add_argument("--ig", metavar="VERSION", help="SDTMIG 3.4 (default) or 3.3")
    sdtm.add_argument("--ct", metavar="DATE", help="release of the controlled terms (default 2022-09-30)")
    sdtm.add_argument(
        "--derived", metavar="BY", help="who derives sums and best responses: assessor (default), sponsor"
    )
    sdtm.add_argument(
        "--format",
        action="append",
        metavar="FORMAT",
        help="xpt5 (default), dataset-json, csv; may be given several times",
    )
    sdtm.add_argument(
        "--reader",
        action="append",
        default=[],
        metavar="NAME=TERM",
        help="who a reader is: INVESTIGATOR, READER 1, ...",
    )
    sdtm.add_argument(
        "--qnam", action="append", default=[], metavar="NAME=QNAM", help="another name of a supplemental qualifier"
    )
