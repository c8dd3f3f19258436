"""The lesions of a whole study folder matched, subject by subject, by several processes."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from pathlib import Path

from mrecist.matching.subject import SubjectMatches, match_subject
from mrecist.matching.table import Compared
from mrecist.model import Problem
from mrecist.study import SubjectInput, open_study

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
    study = open_study(root, None, lambda done, of: report("reading headers", done, of), workers)
    found: dict[str, SubjectMatches] = {}
    total = len(study.subjects)
    for one in _run(study.subjects, wanted, workers):
        found[one.subject] = one
        report("matching lesions", len(found), total)
    return tuple(found[name] for name in sorted(found)), study.problems


def _run(todo: Sequence[SubjectInput], wanted: Sequence[Compared], workers: int) -> Iterator[SubjectMatches]:
    if workers <= 1 or len(todo) <= 1:
        yield from (_safely(given, wanted) for given in todo)
        return
    with ProcessPoolExecutor(max_workers=min(workers, len(todo))) as pool:
        futures = [pool.submit(_safely, given, wanted) for given in todo]
        try:
            for future in as_completed(futures):
                yield future.result()
        except BaseException:
            pool.shutdown(wait=False, cancel_futures=True)
            raise


def _safely(given: SubjectInput, wanted: Sequence[Compared]) -> SubjectMatches:
    """Match one subject; a fault of ours is reported as one line too, and the others go on."""
    try:
        return match_subject(given, wanted)
    except Exception as error:  # noqa: BLE001 - whatever goes wrong with one subject must not stop the others
        message = f"subject {given.subject}: unexpected {type(error).__name__}: {error}; please report this"
        problem = Problem(subject=given.subject, message=" ".join(message.split()))
        return SubjectMatches(subject=given.subject, rows=(), problems=(problem,))
