"""A whole table of measurements to responses and best responses, on one processor or on several: the same bytes either way."""

from __future__ import annotations

import os
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from mrecist import tables
from mrecist.model import Problem
from mrecist.protocol import load_protocol
from mrecist.response.derive import derive

# Below this many bytes a table is done before other processes have started.
WORTH_SHARING = 2_000_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """What is assessed, and how: files as the user named them, so that every process reads them for itself."""

    measurements: Path
    protocol: Path | None
    criteria: tuple[str, ...]
    subjects: Path | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Done:
    """``responses.csv`` and ``best_responses.csv`` as text, how many rows they have, and the reads that could not be done."""

    responses: str
    best: str
    time_points: int
    reads: int
    problems: tuple[Problem, ...]


def assess_table(job: Job, workers: int | None = None) -> Done:
    """Assess every read of a table; ``workers`` processes, by default one a processor when the table is large.

    Raises :class:`InputError` when a file cannot be read.
    """
    workers = workers or _default_workers(job.measurements)
    if workers == 1:
        return _assess(job, None)
    subjects = sorted(set(tables.read_column(job.measurements, "subject")))
    shares = _shares(subjects, workers)
    if len(shares) < 2:
        return _assess(job, None)
    with ProcessPoolExecutor(max_workers=len(shares)) as pool:
        return _joined(list(pool.map(_assess, [job] * len(shares), shares)))


def _default_workers(path: Path) -> int:
    large = path.is_file() and path.stat().st_size >= WORTH_SHARING
    return (os.cpu_count() or 1) if large else 1


def _shares(subjects: Sequence[str], workers: int) -> list[tuple[str, str]]:
    """First and last subject of each share, in the order of the tables."""
    size = -(-len(subjects) // workers) or 1
    return [(subjects[i], subjects[min(i + size, len(subjects)) - 1]) for i in range(0, len(subjects), size)]


def _assess(job: Job, share: tuple[str, str] | None) -> Done:
    protocol = load_protocol(job.protocol)
    dates = tables.read_subject_dates(job.subjects, protocol)
    measurements = tables.read_measurements(
        job.measurements,
        protocol.partial_date,
        only=None if share is None else lambda subject: share[0] <= subject <= share[1],
    )
    derived = derive(measurements.reads(), protocol, protocol.select(list(job.criteria)), dates)
    problems = (*measurements.problems, *derived.problems)
    return Done(
        responses=tables.responses_csv(derived.responses, protocol.sha256),
        best=tables.best_responses_csv(derived.best, protocol.sha256),
        time_points=len(derived.responses),
        reads=len(derived.best),
        problems=tuple(sorted(problems, key=lambda problem: problem.subject)),
    )


def _joined(parts: list[Done]) -> Done:
    return Done(
        responses=_one_header([part.responses for part in parts]),
        best=_one_header([part.best for part in parts]),
        time_points=sum(part.time_points for part in parts),
        reads=sum(part.reads for part in parts),
        problems=tuple(problem for part in parts for problem in part.problems),
    )


def _one_header(texts: list[str]) -> str:
    return texts[0] + "".join(text.partition("\n")[2] for text in texts[1:])
