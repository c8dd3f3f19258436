"""The core lab: a store of reads and its audit trail."""

from __future__ import annotations

import argparse
from collections.abc import Callable
from pathlib import Path

from mrecist.arguments import kinds

_ROLES = ("reader", "investigator", "adjudicator", "manager", "auditor")
Step = Callable[[str, str], argparse.ArgumentParser]
_STORE = "study folder (its store.sqlite), an SQLite file, or postgresql://USER@HOST/DATABASE"


def reads(parser: argparse.ArgumentParser) -> None:
    """Arguments of ``mrecist reads``."""
    steps = parser.add_subparsers(title="steps", metavar="STEP", dest="step", required=True)

    def step(name: str, about: str) -> argparse.ArgumentParser:
        return _stored(steps.add_parser(name, help=about, description=about))

    _for_managers(step)
    _for_readers(step)
    _adjudication(step)
    _whole(step)


def audit(parser: argparse.ArgumentParser) -> None:
    """Arguments of ``mrecist audit``."""
    steps = parser.add_subparsers(title="steps", metavar="STEP", dest="step", required=True)
    about = "prove that a store, or an exported trail, is as it was written; name the first break"
    verify = _stored(steps.add_parser("verify", help=about, description=about), ", or a trail that export wrote")
    verify.add_argument("--anchor", metavar="COUNT:HASH", help="what the trail once was, as verify and export print it")
    verify.add_argument("--no-files", action="store_true", help="leave the kept files out")
    about = "write the trail as a table (FILE.csv) or JSON lines"
    export = _stored(steps.add_parser("export", help=about, description=about))
    export.add_argument("--out", type=Path, required=True, metavar="FILE")


def _stored(parser: argparse.ArgumentParser, more: str = "") -> argparse.ArgumentParser:
    parser.add_argument("store", metavar="STORE", help=_STORE + more)
    parser.add_argument(
        "--files", type=Path, metavar="DIR", help="folder of the kept files (default: beside the SQLite file)"
    )
    return parser


def _for_managers(step: Step) -> None:
    init = step("init", "begin a store: protocol, readers, roles")
    init.add_argument("--by", required=True, metavar="NAME", help="who begins it, and becomes a manager")
    init.add_argument("--protocol", type=Path, metavar="FILE", help="default: protocol.toml of the study folder")
    for name in _ROLES:
        init.add_argument(f"--{name}", action="append", default=[], metavar="NAME", help="may be given several times")
    protocol = step("protocol", "another protocol from now on")
    protocol.add_argument("protocol", type=Path, metavar="FILE")
    role = step("role", "give or take a role")
    role.add_argument("person", metavar="PERSON")
    role.add_argument("role", choices=_ROLES)
    role.add_argument("--withdraw", action="store_true", help="take the role away")
    assign = step("assign", "visits of cases, and readers for them by a seeded randomisation")
    assign.add_argument("--seed", required=True, metavar="TEXT", help="start of the randomisation; recorded")
    assign.add_argument(
        "--visits", type=Path, metavar="FILE", help="subject,timepoint,date (default: the study's images)"
    )
    assign.add_argument("--pseudonyms", action="store_true", help="readers see CASE-0001 in place of the subject")
    assign.add_argument("--readers-per-case", type=kinds.workers, default=2, metavar="N", help="default 2")
    assign.add_argument(
        "--investigators",
        type=Path,
        metavar="FILE",
        help="subject,reader: whose read of the site is a track of its own",
    )
    reassign = step("reassign", "a case of one reader to another one; what was read stays")
    reassign.add_argument("subject", metavar="SUBJECT")
    reassign.add_argument("--from", dest="reader", required=True, metavar="NAME", help="who has the case")
    reassign.add_argument("--to", required=True, metavar="NAME", help="who gets it; of the same role")
    unlock = _visit(step("unlock", "open a locked visit again"))
    unlock.add_argument("--role", required=True, help="the role in which it is opened: manager")
    for each in (protocol, role, unlock, reassign):
        each.add_argument("--reason", required=True, metavar="TEXT")
    for each in (protocol, role, assign, reassign, unlock):
        each.add_argument("--by", required=True, metavar="NAME", help="who does it")
    status = step("status", "how far every read is, and whether its signatures hold; for those who run the study")
    status.add_argument("--json", action="store_true", help="for a program to read")


def _for_readers(step: Step) -> None:
    worklist = step("worklist", "the cases of a reader, blinded: what is next, in days after the baseline")
    worklist.add_argument("--reader", required=True, metavar="NAME")
    worklist.add_argument("--json", action="store_true", help="for a program to read")
    submit = _visit(step("submit", "a read of one visit into the store"))
    submit.add_argument("--lock", action="store_true", help="and lock the visit")
    submit.add_argument("--reason", default="", metavar="TEXT", help="needed for a correction")
    amend = _visit(step("amend", "global review: another version of a locked visit, after all are locked"))
    amend.add_argument("--reason", required=True, metavar="TEXT")
    for each in (submit, amend):
        each.add_argument("measurements", type=Path, metavar="MEASUREMENTS.csv", help="with the rows of that visit")
        each.add_argument(
            "--file", type=Path, action="append", default=[], metavar="FILE", help="a mask of the read; several"
        )
        each.add_argument(
            "--study", type=Path, metavar="STUDY", help="where the reading room signed: its masks and lines"
        )
        each.add_argument("--comment", default="", metavar="TEXT")
    _visit(step("lock", "lock a visit as it was submitted"))
    sign = _visit(step("sign", "sign a visit, or a whole subject"), timepoint_needed=False)
    sign.add_argument("--name", required=True, metavar="NAME", help="printed name of who signs")
    sign.add_argument("--meaning", default="", metavar="TEXT", help='default: "read completed"')


def _adjudication(step: Step) -> None:
    adjudicate = step(
        "adjudicate", "the cases whose readers differ, and adjudicators for them by a seeded randomisation"
    )
    adjudicate.add_argument("--by", required=True, metavar="NAME", help="who does it; a manager")
    adjudicate.add_argument("--seed", required=True, metavar="TEXT", help="start of the randomisation; recorded")
    compare = step("compare", "both derivations of a case side by side, for its adjudicator; blinded")
    compare.add_argument("--reader", required=True, metavar="NAME", help="the adjudicator")
    compare.add_argument("--out", type=Path, metavar="FILE.html", help="also as a page")
    pick = step("pick", "accept a read of a case as its adjudicator")
    pick.add_argument("--by", required=True, metavar="NAME", help="the adjudicator")
    pick.add_argument(
        "--read", required=True, metavar="READ", help='"reader 1", "reader 2", or own: the adjudicator\'s'
    )
    pick.add_argument("--reason", required=True, metavar="TEXT")
    pick.add_argument(
        "--criterion", action="append", default=[], metavar="NAME", help="default: all by which the readers differ"
    )
    pick.add_argument("--seen", default="", metavar="STATE", help="refuse where the case is not as compare showed it")
    for each in (compare, pick):
        each.add_argument("subject", metavar="SUBJECT", help="the case as the worklist names it")
    accepted = step("accepted", "accepted.csv: whose read counts, by subject, criterion and track")
    accepted.add_argument("--out", type=Path, required=True, metavar="FILE")
    _as_parts(accepted)
    for each in (adjudicate, compare):
        each.add_argument("--json", action="store_true", help="for a program to read")
    for each in (adjudicate, compare, pick, accepted):
        each.add_argument(
            "--adjudicate-on",
            action="append",
            default=[],
            metavar="VARIABLE",
            help="in place of the protocol's adjudicate_on; several",
        )
        each.add_argument("--date-tolerance", type=kinds.days, default=0, metavar="DAYS", help="dates that still agree")
        each.add_argument(
            "--subjects", type=Path, metavar="FILE", help="subjects.csv, where the protocol asks for dates"
        )


def _whole(step: Step) -> None:
    rows = step("rows", "rows of measurements.csv of the reads that are signed, for assess and score")
    rows.add_argument("--reader", metavar="NAME", help="default: all")
    rows.add_argument("--unsigned", action="store_true", help="every visit that is locked")
    rows.add_argument("--out", type=Path, required=True, metavar="FILE")
    _as_parts(rows)
    export = step("export", "the whole store as a folder of JSON lines and files")
    export.add_argument("--out", type=Path, required=True, metavar="DIR")
    step("import", "an exported store into a place without one").add_argument("folder", type=Path, metavar="DIR")

    grants = step("grants", "PostgreSQL: database logins with the least rights, as SQL")
    grants.add_argument("--execute", action="store_true", help="run the statements")


def _as_parts(parser: argparse.ArgumentParser) -> None:
    about = 'call readers "reader 1", "reader 2", "adjudicator", "investigator", as which they read the case; for rows and accepted alike'
    parser.add_argument("--as-parts", action="store_true", help=about)


def _visit(parser: argparse.ArgumentParser, *, timepoint_needed: bool = True) -> argparse.ArgumentParser:
    parser.add_argument("--reader", required=True, metavar="NAME", help="whose read")
    parser.add_argument("--subject", required=True, metavar="SUBJECT", help="the case as the worklist names it")
    about = "0 = baseline" if timepoint_needed else "default: all visits of the subject"
    parser.add_argument("--timepoint", type=kinds.timepoint, required=timepoint_needed, metavar="K", help=about)
    return parser
