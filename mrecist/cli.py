"""The command line: parse, call, print, exit code. 0 done; 1 done, but some cases failed; 2 wrong use or unreadable input."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Callable, Sequence
from importlib import import_module

from mrecist import __version__
from mrecist.errors import MrecistError, printable

DONE, SOME_FAILED, WRONG_USE, INTERRUPTED = 0, 1, 2, 130
Handler = Callable[[argparse.Namespace], int]


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command and return its exit code."""
    options = build_parser().parse_args(arguments)
    handler: Handler = options.handler
    try:
        return handler(options)
    except MrecistError as error:
        _say(f"mrecist: {error}")
        return WRONG_USE
    except BrokenPipeError:
        # The reader of our output (head, less) has left; nothing is wrong.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return DONE
    except KeyboardInterrupt:
        _say("mrecist: stopped; what was finished is kept, run the same command again to go on")
        return INTERRUPTED
    except OSError as error:
        _say(
            f"mrecist: {error.filename or 'file'}: {error.strerror or error}; check the path, its rights and the free space"
        )
        return WRONG_USE


# The commands in the order of --help: name, its module in mrecist.commands and mrecist.arguments, what it does.
COMMANDS = (
    ("demo", "studies", "score the shipped sample study, end to end, and compare with its known truth"),
    ("scan", "images", "what DICOM is there: subjects, series, phase with its evidence, geometry, problems"),
    ("check-identity", "identity", "what still identifies a patient in de-identified DICOM, and intervals it broke"),
    ("measure", "images", "masks to measurement rows"),
    ("assess", "responses", "measurements to time-point responses and best responses"),
    ("check", "responses", "conformance of a read: measurability, choice of targets, technique, plausibility"),
    ("check-sdtm", "datasets", "SDTM tumour data: terms, links, readers, results, and whether RS follows from TR"),
    ("best", "responses", "best response from reported time-point responses"),
    ("explain", "responses", "the derivation of a subject's responses in words"),
    ("score", "studies", "a study folder, from DICOM and segmentations to responses and a report"),
    ("watch", "watch", "score studies as they arrive in a folder or at a PACS"),
    ("endpoints", "trials", "from responses to a trial's endpoints: events, outcomes, estimates, figures"),
    ("agree", "agreement", "how far readers agree, why they differ, and who has to be adjudicated"),
    ("match", "matching", "which lesion of one reader or visit is which of another, by where their masks lie"),
    ("simulate", "simulate", "a simulated cohort of a shipped study: its protocol, its tables, and the truth"),
    ("protocol", "trials", "say in plain words what a protocol file means"),
    ("export", "exports", "segmentations, reports, SDTM, ADaM, ODM and REDCap, from a study and its results"),
    ("import", "imports", "structured reports and annotations of other programs to measurements.csv"),
    ("conformance", "responses", "run an engine over the public conformance cases and print its scorecard"),
    ("fetch", "archives", "series from a PACS into a study folder, by DICOMweb or DIMSE"),
    ("send", "archives", "segmentations and reports to a PACS, by DICOMweb or DIMSE"),
    ("read", "rooms", "read the images of a study: the reading room, or what a read stands at"),
    ("reads", "reads", "the core lab: a store of reads that are assigned, blinded, locked, signed and amended"),
    ("audit", "reads", "verify or export the audit trail of a store of reads"),
    ("info", "studies", "versions for a bug report"),
)


def _function(name: str) -> str:
    # "import" is no name that a function can have
    return "import_rows" if name == "import" else name.replace("-", "_")


def _command(name: str, home: str) -> Handler:
    """The function of that name in mrecist.commands, imported when the command runs: ``--help`` stays fast."""

    def handler(options: argparse.Namespace) -> int:
        run: Handler = getattr(import_module(f"mrecist.commands.{home}"), _function(name))
        return run(options)

    return handler


def _say(line: str) -> None:
    print(printable(line), file=sys.stderr)


def build_parser() -> argparse.ArgumentParser:
    """The parser of all commands; docs/commands.md documents every option, and a test compares the two."""
    parser = argparse.ArgumentParser(
        prog="mrecist",
        description="From contrast CT/MRI of liver tumours to a response category that a trial can defend.",
        epilog="Exit codes: 0 done; 1 done, but some cases failed (they are listed); 2 wrong use or unreadable input.",
    )
    parser.add_argument("--version", action="version", version=f"mrecist {__version__}")
    commands = parser.add_subparsers(title="commands", metavar="COMMAND", required=True)
    for name, home, about in COMMANDS:
        one = commands.add_parser(name, help=about, description=about)
        one.set_defaults(handler=_command(name, home))
        getattr(import_module(f"mrecist.arguments.{home}"), _function(name))(one)
    return parser


if __name__ == "__main__":
    raise SystemExit(main())
