"""The watch."""

from __future__ import annotations

import argparse
from pathlib import Path

from mrecist.arguments import kinds
from mrecist.arguments.archives import query, server
from mrecist.arguments.rules import rules
from mrecist.arguments.studies import running


def watch(parser: argparse.ArgumentParser) -> None:
    """Arguments of ``mrecist watch``."""
    parser.add_argument("folder", type=Path, metavar="FOLDER", help="a study folder, or a folder of study folders")
    parser.add_argument("--out", type=Path, required=True, metavar="DIR")
    parser.add_argument(
        "--every", type=kinds.seconds, default=60.0, metavar="SECONDS", help="between two looks (default 60)"
    )
    parser.add_argument(
        "--settle",
        type=kinds.settle,
        default=120.0,
        metavar="SECONDS",
        help="a study is taken when it has not changed for so long (default 120)",
    )
    parser.add_argument("--once", action="store_true", help="end when nothing waits any more")
    rules(parser)
    running(parser)
    pacs = parser.add_argument_group(
        "PACS", "fetch into FOLDER, a study folder, what arrives at a server (docs/pacs.md)"
    )
    server(pacs)
    query(pacs)
