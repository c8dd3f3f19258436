"""DICOM objects out, datasets, and files for the database of a trial."""

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
    odm(targets.add_parser("odm", help="results as CDISC ODM for an EDC system, by a map of its OIDs"))
    redcap(targets.add_parser("redcap", help="results as a REDCap dictionary and records, and their upload"))


def odm(parser: argparse.ArgumentParser) -> None:
    """Arguments of ``mrecist export odm``."""
    _results(parser, nargs="?")
    parser.add_argument("--out", type=Path, metavar="DIR", help="folder for the file")
    parser.add_argument("--map", type=Path, metavar="FILE", help="the map of columns to OIDs (default: the protocol's)")
    parser.add_argument("--map-template", type=Path, metavar="FILE", help="write a map to edit, and nothing else")
    parser.add_argument(
        "--style",
        choices=("odm", "openclinica", "rave"),
        default="openclinica",
        help="of that map (default openclinica)",
    )
    parser.add_argument(
        "--odm-version", choices=("1.3.2", "2.0"), default="", help="default: the protocol's, else 1.3.2"
    )
    parser.add_argument(
        "--transaction",
        choices=("Insert", "Update", "Upsert"),
        default="Upsert",
        help="TransactionType (default Upsert)",
    )
    parser.add_argument("--metadata", action="store_true", help="the forms of the map without any subject")
    parser.add_argument("--created", default="", metavar="TIME", help="CreationDateTime, or now (default: latest date)")
    parser.add_argument("--file-oid", default="", metavar="OID", help="FileOID (default: from the content)")


def redcap(parser: argparse.ArgumentParser) -> None:
    """Arguments of ``mrecist export redcap``."""
    _results(parser)
    parser.add_argument("--out", type=Path, required=True, metavar="DIR", help="folder for the files")
    parser.add_argument("--events", type=Path, metavar="FILE", help="timepoint,event of a longitudinal project")
    parser.add_argument("--no-dictionary", action="store_true", help="records only")
    parser.add_argument(
        "--repeat-instrument", default="", metavar="NAME", help="form of the responses (default tumor_response)"
    )
    parser.add_argument("--complete", choices=("0", "1", "2"), default="2", help="status of the forms (default 2)")
    parser.add_argument("--upload", default="", metavar="URL", help="API to send to; token in MRECIST_REDCAP_TOKEN")
    parser.add_argument("--replace", action="store_true", help="write over what differs on the server")


def _results(parser: argparse.ArgumentParser, nargs: str | None = None) -> None:
    parser.add_argument("results", type=Path, nargs=nargs, metavar="RESULTS", help="where assess or score wrote")
    parser.add_argument("--subjects", type=Path, metavar="FILE", help="subjects.csv")
    parser.add_argument("--protocol", type=Path, metavar="FILE", help="default: the one kept with the results")


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
