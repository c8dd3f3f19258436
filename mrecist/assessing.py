"""A whole table of measurements to responses and best responses, on one processor or on several: the same bytes either way."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from mrecist import derivation, tables
from mrecist.accepted import FILE as ACCEPTED
from mrecist.accepted import Accepted, accepted_in
from mrecist.errors import InputError
from mrecist.model import Measurement, Problem, VisitResponse
from mrecist.protocol import CriterionSetting, Protocol, load_protocol
from mrecist.response.derive import derive

# Below this many bytes a table is done before other processes have started.
WORTH_SHARING = 2_000_000
COMPARISON, PROBLEMS = "comparison.csv", "problems.csv"
# Written only when asked for: one of an earlier run must not stay beside the tables of a run without it.
OPTIONAL_FILES = ("stability.csv", "stability_lesions.csv", COMPARISON, ACCEPTED)


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """What is assessed, and how: files as the user named them, so that every process reads them for itself."""

    measurements: Path
    protocol: Path | None
    criteria: tuple[str, ...]
    subjects: Path | None
    # The stability of every response too, and a table of standard deviations for it.
    stability: bool = False
    spread: Path | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Done:
    """The tables by file name, how many rows they have, and the reads that could not be done."""

    tables: dict[str, str]
    time_points: int
    reads: int
    # Subject, reader and criterion of the responses.
    derived: frozenset[tuple[str, str, str]]
    problems: tuple[Problem, ...]
    notes: tuple[str, ...] = ()


def accepted_asked(path: Path | None, out: Path, settings: Sequence[CriterionSetting]) -> Accepted:
    """The accepted reads that a run into ``out`` was given; empty without a table.

    Raises :class:`InputError` when the table cannot be used, or none is given and ``out`` holds one that no run wrote: a later command
    would take it as that of this run, and it may be somebody's only copy.
    """
    if path is not None:
        return accepted_in(path, [setting.name for setting in settings])
    there = out / ACCEPTED
    if there.exists() and not derivation.wrote_accepted(out, there):
        raise InputError(f"{there}: was not written by assess; give it with --accepted, or move it away")
    return Accepted()


def write_results(out: Path, contents: Mapping[str, str], measurements: str | bytes) -> None:
    """Write the tables of a run by name, and take away what an earlier run into the folder wrote and this one does not.

    What could not be read of an earlier table (``problems.csv``) goes with that table: beside the same rows it still holds.
    """
    stale = [name for name in OPTIONAL_FILES if name not in contents]
    kept = derivation.rows_path(out)
    data = measurements.encode("utf-8", "backslashreplace") if isinstance(measurements, str) else measurements
    if PROBLEMS not in contents and kept.is_file() and kept.read_bytes() != data:
        stale.append(PROBLEMS)
    for name in stale:
        (out / name).unlink(missing_ok=True)
    for name, content in contents.items():
        tables.write_whole(out / name, content)


def assess_table(job: Job, workers: int | None = None) -> Done:
    """Assess every read of a table; ``workers`` processes, by default one a processor when the table is large.

    Raises :class:`InputError` when a file cannot be read.
    """
    workers = workers or _default_workers(job)
    if workers == 1 or job.spread is not None:
        return _assess(job, None)
    subjects = sorted(set(tables.read_column(job.measurements, "subject")))
    shares = _shares(subjects, workers)
    if len(shares) < 2:
        return _assess(job, None)
    with ProcessPoolExecutor(max_workers=len(shares)) as pool:
        return _joined(list(pool.map(_assess, [job] * len(shares), shares)))


def _default_workers(job: Job) -> int:
    size = job.measurements.stat().st_size if job.measurements.is_file() else 0
    # Drawing sizes again takes some hundred times longer than one assessment.
    large = size >= (WORTH_SHARING // 100 if job.stability else WORTH_SHARING)
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
    reads, settings = measurements.reads(), protocol.select(list(job.criteria))
    derived = derive(reads, protocol, settings, dates)
    responses: tuple[VisitResponse, ...] = derived.responses
    contents: dict[str, str] = {}
    if job.stability:
        responses, contents = _with_stability(job, protocol, settings, measurements, reads, responses)
    contents["responses.csv"] = tables.responses_csv(responses, protocol.sha256)
    contents["best_responses.csv"] = tables.best_responses_csv(derived.best, protocol.sha256)
    problems = (*measurements.problems, *derived.problems)
    return Done(
        tables=contents,
        time_points=len(responses),
        reads=len(derived.best),
        derived=frozenset((row.subject, row.reader, row.criterion) for row in derived.best),
        problems=tuple(sorted(problems, key=lambda problem: problem.subject)),
        notes=measurements.notes,
    )


def _with_stability(
    job: Job,
    protocol: Protocol,
    settings: tuple[CriterionSetting, ...],
    measurements: tables.Measurements,
    reads: Mapping[tuple[str, str], list[Measurement]],
    responses: tuple[VisitResponse, ...],
) -> tuple[tuple[VisitResponse, ...], dict[str, str]]:
    """The responses with the flags of their stability, and its tables. Imports numpy, which nothing else here needs."""
    from mrecist.stability.derive import stabilities, with_flags
    from mrecist.stability.table import read_spread, stability_tables

    own = {} if job.spread is None else read_spread(job.spread, measurements)
    found = stabilities(reads, protocol, settings, responses, own)
    return with_flags(responses, found), stability_tables(found, protocol)


def _joined(parts: list[Done]) -> Done:
    return Done(
        tables={name: _one_header([part.tables[name] for part in parts]) for name in parts[0].tables},
        time_points=sum(part.time_points for part in parts),
        reads=sum(part.reads for part in parts),
        derived=frozenset().union(*(part.derived for part in parts)),
        problems=tuple(problem for part in parts for problem in part.problems),
        notes=parts[0].notes,
    )


def _one_header(texts: list[str]) -> str:
    return texts[0] + "".join(text.partition("\n")[2] for text in texts[1:])
