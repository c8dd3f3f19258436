"""From responses to the endpoints of a trial."""

from __future__ import annotations

import argparse
from pathlib import Path


def endpoints(parser: argparse.ArgumentParser) -> None:
    """Arguments of ``mrecist endpoints``."""
    parser.add_argument("results", type=Path, nargs="?", metavar="RESULTS_DIR", help="where assess or score wrote")
    parser.add_argument("--overall", type=Path, metavar="FILE", help="instead: responses that were reported elsewhere")
    parser.add_argument("--subjects", type=Path, required=True, metavar="FILE", help="subjects.csv: arms and dates")
    parser.add_argument("--protocol", type=Path, required=True, metavar="FILE", help="with [[endpoint]] sections")
    for name, what in _TABLES.items():
        parser.add_argument(f"--{name}", type=Path, metavar="FILE", help=what)
    parser.add_argument("--out", type=Path, required=True, metavar="DIR")
    parser.add_argument("--no-figures", action="store_true", help="tables and report.html only; drawing takes longest")


def protocol(parser: argparse.ArgumentParser) -> None:
    """Arguments of ``mrecist protocol``."""
    kinds = parser.add_subparsers(title="what", metavar="WHAT", dest="what", required=True)
    check = kinds.add_parser("check", help="say in plain words what a protocol file means")
    check.add_argument("file", type=Path, metavar="FILE")


_TABLES = {
    "procedures": "procedures.csv: TACE, HAIC, ablation, resection, transplant, with outcome",
    "therapies": "therapies.csv: new anticancer therapies",
    "markers": "markers.csv: tumour markers",
    "liver": "liver.csv: Child-Pugh, ALBI",
    "occurrences": "occurrences.csv: what the investigator documented (vascular invasion, ...)",
    "adverse-events": "adverse_events.csv: terms and CTCAE grades",
}
