"""``simulate``."""

from __future__ import annotations

from argparse import Namespace

from mrecist import tables
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
    return DONE
