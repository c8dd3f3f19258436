"""The command line: parse, call, print, exit code. 0 done; 1 done, but some cases failed; 2 wrong use or unreadable input."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Callable, Sequence
from importlib import import_module
from pathlib import Path

from mrecist import __version__
from mrecist.errors import MrecistError

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


# Which module of mrecist.commands holds a command.
_HOME_OF = {
    **dict.fromkeys(("scan", "measure"), "images"),
    **dict.fromkeys(("assess", "check", "best", "explain", "conformance"), "responses"),
    **dict.fromkeys(("score", "demo", "info"), "studies"),
    "export": "exports",
    "read": "rooms",
}


def _command(name: str) -> Handler:
    """The function of that name in mrecist.commands, imported when the command runs: ``--help`` stays fast."""

    def handler(options: argparse.Namespace) -> int:
        run: Handler = getattr(import_module(f"mrecist.commands.{_HOME_OF[name]}"), name)
        return run(options)

    return handler


def _say(line: str) -> None:
    print(line, file=sys.stderr)


# --- the parser ------------------------------------------------------------------------------------------------------


def _workers(text: str) -> int:
    if not text.isdecimal() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"'{text}' is not a number of processes (1 or more)")
    return int(text)


def _timepoint(text: str) -> int:
    if not text.isdecimal():
        raise argparse.ArgumentTypeError(f"'{text}' is not a time point (0 = baseline, 1, 2, ...)")
    return int(text)


def _not_negative(text: str) -> float:
    try:
        value = float(text)
    except ValueError:
        value = -1.0
    if not 0 <= value < float("inf"):
        raise argparse.ArgumentTypeError(f"'{text}' is not a number of millimetres (0 or more)")
    return value


def _repeats(text: str) -> int:
    if not text.isdecimal() or not 5 <= int(text) <= 1000:
        raise argparse.ArgumentTypeError(f"'{text}' is not a number of repeats (5 to 1000)")
    return int(text)


def _percent(text: str) -> str:
    try:
        fine = 0 <= float(text) <= 100
    except ValueError:
        fine = False
    if not fine:
        raise argparse.ArgumentTypeError(f"'{text}' is not a standard deviation in % (0 to 100)")
    return text


def _dense(text: str) -> float:
    try:
        value = float(text)
    except ValueError:
        value = -1.0
    if value != 0 and not 150 <= value <= 3000:
        raise argparse.ArgumentTypeError(f"'{text}' is not 0 or a density in HU (150 to 3000)")
    return value


def _seconds(text: str) -> float:
    try:
        value = float(text)
    except ValueError:
        value = 0.0
    if not 0 < value < float("inf"):
        raise argparse.ArgumentTypeError(f"'{text}' is not a number of seconds above 0")
    return value


def _step(text: str) -> str:
    if _not_negative(text) == 0:
        raise argparse.ArgumentTypeError(f"'{text}' is not a step above 0 mm")
    return text


def build_parser() -> argparse.ArgumentParser:
    """The parser of all commands; docs/commands.md documents every option, and a test compares the two."""
    parser = argparse.ArgumentParser(
        prog="mrecist",
        description="From contrast CT/MRI of liver tumours to a response category that a trial can defend.",
        epilog="Exit codes: 0 done; 1 done, but some cases failed (they are listed); 2 wrong use or unreadable input.",
    )
    parser.add_argument("--version", action="version", version=f"mrecist {__version__}")
    commands = parser.add_subparsers(title="commands", metavar="COMMAND", required=True)

    def command(name: str, about: str) -> argparse.ArgumentParser:
        one = commands.add_parser(name, help=about, description=about)
        one.set_defaults(handler=_command(name))
        return one

    demo = command("demo", "score the shipped sample study, end to end, and compare with its known truth")
    demo.add_argument("--out", type=Path, default=Path("mrecist-demo"), metavar="DIR", help="default: mrecist-demo")

    scan = command("scan", "what DICOM is there: subjects, series, phase with its evidence, geometry, problems")
    scan.add_argument("folder", type=Path, metavar="DIR", help="any folder with DICOM files")
    scan.add_argument("--json", action="store_true", help="for a program to read")

    _add_measure(command("measure", "masks to measurement rows"))

    assess = command("assess", "measurements to time-point responses and best responses")
    assess.add_argument(
        "measurements",
        type=Path,
        nargs="+",
        metavar="MEASUREMENTS",
        help="measurements.csv, or SDTM: a folder with tu.* and tr.*, or their files (XPT, Dataset-JSON, CSV)",
    )
    assess.add_argument("--compare", type=Path, metavar="RS", help="with SDTM: reported responses to check (RS)")
    _add_rules(assess)
    assess.add_argument("--stability", action="store_true", help="also how firmly each response stands")
    assess.add_argument("--spread", type=Path, metavar="FILE", help="with the standard deviation of single sizes")
    assess.add_argument("--subjects", type=Path, metavar="FILE", help="subjects.csv with the dates the protocol needs")
    assess.add_argument("--out", type=Path, required=True, metavar="DIR")
    assess.add_argument("--workers", type=_workers, metavar="N", help="processes (default: by the size of the table)")

    check = command("check", "conformance of a read: measurability, choice of targets, technique, plausibility")
    check.add_argument("measurements", type=Path, metavar="MEASUREMENTS.csv")
    _add_rules(check)
    check.add_argument("--subjects", type=Path, metavar="FILE", help="subjects.csv with the dates the protocol needs")
    check.add_argument("--out", type=Path, metavar="FILE.csv", help="default: the table goes to standard output")
    check.add_argument("--json", action="store_true", help="print the findings for a program to read")

    best = command("best", "best response from reported time-point responses")
    best.add_argument("overall", type=Path, metavar="OVERALL.csv")
    best.add_argument("--criterion", metavar="NAME", default="recist11", help="name for the output (default recist11)")
    best.add_argument("--protocol", type=Path, metavar="FILE", help="protocol file (docs/protocol.md)")
    best.add_argument("--subjects", type=Path, metavar="FILE", help="subjects.csv with the dates the protocol needs")
    best.add_argument("--out", type=Path, required=True, metavar="FILE.csv")

    explain = command("explain", "the derivation of a subject's responses in words")
    explain.add_argument("folder", type=Path, metavar="DIR", help="where assess or score wrote")
    explain.add_argument("subject", metavar="SUBJECT")
    explain.add_argument("timepoint", type=int, nargs="?", metavar="TIMEPOINT")
    explain.add_argument("--criterion", metavar="NAME")

    score = command("score", "a study folder, from DICOM and segmentations to responses and a report")
    score.add_argument("study", type=Path, metavar="STUDY", help="the study folder (docs/files.md)")
    score.add_argument("--out", type=Path, required=True, metavar="DIR")
    _add_rules(score)
    score.add_argument("--workers", type=_workers, default=1, metavar="N", help="processes (default 1)")
    score.add_argument("--repeat", type=_repeats, metavar="N", help="draw every outline N times again: spread.csv")

    _add_read(command("read", "read the images of a study: the reading room, or what a read stands at"))

    _add_export(command("export", "DICOM segmentations and structured reports, from a study and its results"))

    _add_conformance(command("conformance", "run an engine over the public conformance cases and print its scorecard"))

    info = command("info", "versions for a bug report")
    info.add_argument("--json", action="store_true", help="for a program to read")
    return parser


def _add_rules(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--criterion", action="append", metavar="NAME", help="may be given several times; default: all")
    parser.add_argument("--protocol", type=Path, metavar="FILE", help="protocol file (docs/protocol.md)")


def _add_read(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("study", type=Path, metavar="STUDY", help="the study folder (docs/files.md)")
    parser.add_argument("subject", nargs="?", metavar="SUBJECT", help="default: the first that is not signed")
    parser.add_argument("--reader", default="R1", metavar="NAME", help="who reads (default R1)")
    parser.add_argument("--protocol", type=Path, metavar="FILE", help="protocol file (docs/protocol.md)")
    parser.add_argument(
        "--status", action="store_true", help="print visits, signatures, open points, responses; no window"
    )
    parser.add_argument("--json", action="store_true", help="with --status: for a program to read")


def _add_conformance(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--engine", metavar="CMD", help="another engine (docs/conformance.md); default: this package")
    parser.add_argument("--best-engine", metavar="CMD", help="its command for reported responses, where it differs")
    parser.add_argument("--time-limit", type=_seconds, default=600.0, metavar="S", help="for each run (default 600)")
    parser.add_argument("--cases", type=Path, metavar="DIR", help="a set of cases; default: the newest of this package")
    parser.add_argument("--out", type=Path, metavar="FILE.csv", help="also write one row per case and criterion")


def _add_export(parser: argparse.ArgumentParser) -> None:
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


def _add_measure(parser: argparse.ArgumentParser) -> None:
    source = parser.add_mutually_exclusive_group(required=True)
    source.add_argument(
        "--lesions",
        type=Path,
        nargs="+",
        metavar="L.nii.gz",
        help="label masks, or a folder of them: value k is lesion k",
    )
    source.add_argument("--seg", type=Path, nargs="+", metavar="SEG.dcm", help="DICOM segmentations")
    parser.add_argument(
        "--viable", type=Path, nargs="+", metavar="V.nii.gz", help="with --lesions, one for each: non-zero where viable"
    )
    parser.add_argument("--images", type=Path, metavar="DIR", help="with --seg: folder with the series referred to")
    parser.add_argument("--out", type=Path, required=True, metavar="FILE.csv")
    parser.add_argument("--json", type=Path, metavar="FILE", help="slice and end points in LPS mm, unrounded")
    parser.add_argument("--convention", metavar="NAME", help="extent, edge, centre, or the default (docs/measuring.md)")
    parser.add_argument(
        "--max-gap-mm", type=_not_negative, default=0.0, metavar="MM", help="bridge thin septa (default 0)"
    )
    parser.add_argument("--round-mm", type=_step, default="0.1", metavar="MM", help="step of recorded sizes (0.1)")
    parser.add_argument(
        "--dense-hu",
        type=_dense,
        default=0.0,
        metavar="HU",
        help="with --seg: take denser parts off the viable one (off)",
    )
    parser.add_argument("--subject", metavar="TEXT", help="with --lesions: default is the file's name")
    parser.add_argument("--timepoint", type=_timepoint, metavar="N", help="default: from the images, else 0")
    parser.add_argument("--date", metavar="YYYY-MM-DD", help="with --lesions: NIfTI files hold no date")
    parser.add_argument("--reader", metavar="TEXT", help="default: from the segmentation, else R1")
    parser.add_argument("--spread", type=Path, metavar="FILE", help="draw every outline again; how each size varies")
    parser.add_argument("--repeat", type=_repeats, metavar="N", help="with --spread: how often (default 20)")
    parser.add_argument("--repeat-seed", type=_timepoint, metavar="N", help="with --spread: seed (default 0)")
    parser.add_argument(
        "--repeat-percent", type=_percent, metavar="PCT", help="with --spread: sd of a longest diameter (8.6)"
    )
    parser.add_argument(
        "--repeat-viable-percent", type=_percent, metavar="PCT", help="with --spread: sd of a viable diameter"
    )


if __name__ == "__main__":
    raise SystemExit(main())
