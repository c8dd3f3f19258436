"""The lesions of a whole study folder matched, subject by subject, by several processes."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path

from mrecist.matching.subject import SubjectMatches, match_subject
from mrecist.matching.table import Compared
from mrecist.model import Problem
from mrecist.scheduling import Failure, open_scheduler
from mrecist.study import open_study

Progress = Callable[[str, int, int], None]


def match_study(
    root: Path, wanted: Sequence[Compared], workers: int, report: Progress
) -> tuple[tuple[SubjectMatches, ...], tuple[Problem, ...]]:
    """Match what was drawn in a study folder: the subjects by name, and problems that belong to none.

    Parameters
    ----------
    wanted : readers with readers, visits with visits, or both.
    workers : number of processes; the result is the same for any number.
    report : called with what is done, how much is finished and out of how much.

    Raises
    ------
    InputError : the folder is no study, or one of its tables cannot be read.
    """
    found: dict[str, SubjectMatches] = {}
    with open_scheduler(workers=workers) as scheduler:
        study = open_study(root, None, lambda done, of: report("reading headers", done, of), run=scheduler.run)
        for index, outcome in scheduler.run(partial(match_subject, wanted=wanted), study.subjects):
            name = study.subjects[index].subject
            found[name] = _lost(name, outcome.reason) if isinstance(outcome, Failure) else outcome
            report("matching lesions", len(found), len(study.subjects))
    return tuple(found[name] for name in sorted(found)), study.problems


def _lost(subject: str, reason: str) -> SubjectMatches:
    problem = Problem(subject=subject, message=" ".join(f"subject {subject}: {reason}".split()))
    return SubjectMatches(subject=subject, rows=(), problems=(problem,))
