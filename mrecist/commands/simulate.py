"""``simulate``."""

from __future__ import annotations

from argparse import ArgumentParser, Namespace
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from mrecist import tables
from mrecist.arguments import responses as of_responses
from mrecist.arguments import trials as of_trials
from mrecist.commands import responses, trials
from mrecist.commands._terminal import DONE, say, show, show_table
from mrecist.errors import InputError

if TYPE_CHECKING:
    from mrecist.samples.cohort.build import Cohort


def simulate(options: Namespace) -> int:
    """``mrecist simulate``."""
    from mrecist.samples.cohort import build
    from mrecist.samples.cohort.parameters import study_named

    study = study_named(options.study)
    if options.outlier and not options.core_lab:
        raise InputError("simulate: --outlier is a reader of --core-lab; give that too, or leave it out")
    if options.out.is_dir() and any(options.out.iterdir()):
        # Simulated tables never take the place of real ones of the same names.
        raise InputError(f"{options.out}: is not empty; name a new folder, or empty this one")
    cohort = build.simulate(study, options.seed, options.subjects)
    if options.core_lab:
        worst = _core_lab(cohort, options)
    else:
        for name, text in cohort.files.items():
            tables.write_whole(options.out / name, text)
        worst = DONE
    say(f"{len(cohort.subjects)} simulated subjects of {study.name} (seed {options.seed}): {options.out}")
    if not options.endpoints:
        return worst
    return max(worst, DONE if options.core_lab else _assess(options.out), _endpoints(options.out))


def _core_lab(cohort: Cohort, options: Namespace) -> int:
    """The cohort read in a store of its own, assessed, compared, and held against the truth."""
    from mrecist.rehearsal.figures import best_of, figures, figures_csv
    from mrecist.rehearsal.lab import TRUTH, lab_of
    from mrecist.rehearsal.tracks import compare_reads
    from mrecist.rehearsal.work import ACCEPTED, work

    out: Path = options.out
    lab = lab_of(cohort, out, options.seed, outlier=options.outlier)
    done = work(lab, say)
    worst = max(_assess(out, "--accepted", str(out / ACCEPTED)), _assess(out, rows=TRUTH, results="truth/results"))
    for name, text in compare_reads(lab):
        tables.write_whole(out / name, text)
    found = figures(done, best_of(out / "results", cohort.protocol), best_of(out / "truth/results", cohort.protocol))
    tables.write_whole(out / "core_lab.csv", figures_csv(found))
    lines = [("figure", "criterion", "", "cases", "of", "%")]
    lines += [
        (o.figure, o.criterion, o.group, str(o.count), str(o.of), f"{100 * o.count / o.of:.1f}" if o.of else "")
        for o in found
    ]
    show_table(lines)
    show("the audit trail, every row and every file are as they were written")
    show(f"anchor {done.anchor}")
    return worst


def _assess(folder: Path, *more: str, rows: str = "measurements.csv", results: str = "results") -> int:
    """What `mrecist assess` makes of a table of the folder."""
    return responses.assess(
        _parsed(of_responses.assess, [str(folder / rows), *_rules(folder), *more, "--out", str(folder / results)])
    )


def _endpoints(folder: Path) -> int:
    """What `mrecist endpoints` makes of the folder."""
    from mrecist.tables.trial import TABLES

    given = [part for name in TABLES for part in (f"--{name.replace('_', '-')}", str(folder / f"{name}.csv"))]
    where = [str(folder / "results"), *_rules(folder), *given, "--out", str(folder / "endpoints")]
    return trials.endpoints(_parsed(of_trials.endpoints, where))


def _rules(folder: Path) -> list[str]:
    return ["--protocol", str(folder / "protocol.toml"), "--subjects", str(folder / "subjects.csv")]


def _parsed(arguments: Callable[[ArgumentParser], None], words: Sequence[str]) -> Namespace:
    """Options as the command line has them, with every default."""
    parser = ArgumentParser()
    arguments(parser)
    return parser.parse_args(words)
