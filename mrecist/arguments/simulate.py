"""Simulated cohorts of studies."""

from __future__ import annotations

import argparse
from pathlib import Path

from mrecist.arguments import kinds


def simulate(parser: argparse.ArgumentParser) -> None:
    """Arguments of ``mrecist simulate``."""
    parser.add_argument("study", metavar="STUDY", help="its name (docs/studies.md); another one names them all")
    parser.add_argument("--out", type=Path, required=True, metavar="DIR", help="an empty or new folder")
    parser.add_argument(
        "--seed", type=kinds.seed, default=0, metavar="N", help="start of the random numbers (default 0)"
    )
    parser.add_argument(
        "--subjects", type=kinds.subjects, default=0, metavar="N", help="default: as many as the study has"
    )
    parser.add_argument(
        "--endpoints", action="store_true", help="also assess it and derive its endpoints: DIR/results, DIR/endpoints"
    )
    parser.add_argument(
        "--core-lab",
        action="store_true",
        help="also have it read by simulated readers in a store of its own, adjudicated, assessed and held against the truth",
    )
    parser.add_argument("--outlier", action="store_true", help="with --core-lab: one reader errs more than the others")
