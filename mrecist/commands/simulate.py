"""``simulate``."""

from __future__ import annotations

from argparse import ArgumentParser, Namespace
from collections.abc import Callable, Sequence
from pathlib import Path

from mrecist import tables
from mrecist.arguments import responses as of_responses
from mrecist.arguments import trials as of_trials
from mrecist.commands import responses, trials
from mrecist.commands._terminal import DONE, say
from mrecist.errors import InputError


def simulate(options: Namespace) -> int:
    """``mrecist simulate``."""
    from mrecist.samples.cohort import build
    from mrecist.samples.cohort.parameters import study_named

    study = study_named(options.study)
    if options.out.is_dir() and any(options.out.iterdir()):
        # Simulated tables never take the place of real ones of the same names.
        raise InputError(f"{options.out}: is not empty; name a new folder, or empty this one")
    cohort = build.simulate(study, options.seed, options.subjects)
    for name, text in cohort.files.items():
        tables.write_whole(options.out / name, text)
    say(f"{len(cohort.subjects)} simulated subjects of {study.name} (seed {options.seed}): {options.out}")
    return _on_to_endpoints(options.out) if options.endpoints else DONE


def _on_to_endpoints(folder: Path) -> int:
    """What `mrecist assess` and `mrecist endpoints` make of the folder; the exit code is the worse of the two."""
    from mrecist.tables.trial import TABLES

    whose = ["--protocol", str(folder / "protocol.toml"), "--subjects", str(folder / "subjects.csv")]
    results, out = str(folder / "results"), str(folder / "endpoints")
    given = [part for name in TABLES for part in (f"--{name.replace('_', '-')}", str(folder / f"{name}.csv"))]
    assessed = responses.assess(
        _parsed(of_responses.assess, [str(folder / "measurements.csv"), *whose, "--out", results])
    )
    derived = trials.endpoints(_parsed(of_trials.endpoints, [results, *whose, *given, "--out", out]))
    return max(assessed, derived)


def _parsed(arguments: Callable[[ArgumentParser], None], words: Sequence[str]) -> Namespace:
    """Options as the command line has them, with every default."""
    parser = ArgumentParser()
    arguments(parser)
    return parser.parse_args(words)
