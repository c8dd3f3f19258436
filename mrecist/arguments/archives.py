"""PACS."""

from __future__ import annotations

import argparse
from pathlib import Path

from mrecist.arguments import kinds

Group = argparse._ActionsContainer


def server(parser: Group) -> None:
    """Which archive."""
    parser.add_argument("--config", type=Path, metavar="FILE", help="names the servers (default mrecist-pacs.toml)")
    parser.add_argument("--server", metavar="NAME", help="which of them; needed when there are several")


def query(parser: Group) -> None:
    """What is asked of it."""
    parser.add_argument(
        "--patient", action="append", metavar="ID", help="PatientID, exactly; may be given several times"
    )
    parser.add_argument("--subjects", type=Path, metavar="FILE.csv", help="PatientIDs: column patient_id, else subject")
    parser.add_argument("--from", dest="first", type=kinds.day, metavar="YYYY-MM-DD", help="first study date")
    parser.add_argument("--to", dest="last", type=kinds.day, metavar="YYYY-MM-DD", help="last study date")
    parser.add_argument("--study-uid", action="append", metavar="UID", help="may be given several times")
    parser.add_argument("--modality", action="append", metavar="CT", help="may be given several times; default: all")
    parser.add_argument(
        "--description", action="append", metavar="TEXT", help="series description; * and ? stand for any"
    )


def _json(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--json", action="store_true", help="for a program to read")


def fetch(parser: argparse.ArgumentParser) -> None:
    """Arguments of ``mrecist fetch``."""
    server(parser)
    _json(parser)
    query(parser)
    parser.add_argument("--list", action="store_true", help="only show what would be fetched")
    parser.add_argument("--out", type=Path, metavar="STUDY", help="the study folder; images go to STUDY/images")
    parser.add_argument(
        "--listen",
        type=kinds.listener,
        metavar="[ADDRESS:]PORT",
        help="use C-MOVE, and listen there for the data (default address 127.0.0.1); without it nothing listens",
    )


def send(parser: argparse.ArgumentParser) -> None:
    """Arguments of ``mrecist send``."""
    server(parser)
    _json(parser)
    parser.add_argument("paths", type=Path, nargs="+", metavar="PATH", help="DICOM files, or folders of them")
    parser.add_argument("--dry-run", action="store_true", help="only show what would be sent; nothing is connected to")
