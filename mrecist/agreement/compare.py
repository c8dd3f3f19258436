"""A whole comparison of readers: the tables that ``mrecist agree`` writes."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from mrecist import tables
from mrecist.agreement.adjudication import Said, adjudicated_on, adjudication_list
from mrecist.agreement.concordance import concordance_rows
from mrecist.agreement.consequences import adjudication_rows, swap_rows
from mrecist.agreement.crosstabs import cross_tables
from mrecist.agreement.disagreement import (
    Verdicts,
    accepted_file,
    index_rows,
    told,
    verdicts_of_accepted,
    verdicts_of_reads,
)
from mrecist.agreement.discordances import Discordance, discordances
from mrecist.agreement.reads import Reads
from mrecist.agreement.resampling import Interval, interval
from mrecist.agreement.rows import (
    Row,
    adjudication_csv,
    agreement_csv,
    concordance_csv,
    crosstabs_csv,
    discordances_csv,
    swaps_csv,
)
from mrecist.agreement.sources import of_readers, reads_of_measurements, reads_of_results, with_matches
from mrecist.agreement.summary import agreement_rows
from mrecist.agreement.sums import is_table_of_sums, reads_of_sums
from mrecist.agreement.swaps import crossed, swaps_of
from mrecist.agreement.tracks import FILE, by_accepted, by_names, has_both
from mrecist.agreement.variables import known_variables
from mrecist.agreement.weights import IDENTITY, ORDINAL
from mrecist.errors import InputError
from mrecist.model import Problem, SubjectDates
from mrecist.protocol import load_protocol

_HEADLINES = (("discordance", ""), ("fleiss_kappa", IDENTITY), ("gwet_ac1", IDENTITY), ("gwet_ac2", ORDINAL))


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """What is compared and how; the options of ``mrecist agree``.

    ``tracks``: the two tracks of ``accepted.csv`` are the readers; ``central`` and ``investigator``: these two readers are.
    ``accepted``: that table, where it is not in or beside ``reads``.
    """

    reads: Path
    shared_names: bool = False
    matches: Path | None = None
    protocol: Path | None = None
    criteria: tuple[str, ...] = ()
    subjects: Path | None = None
    by: tuple[str, ...] = ()
    readers: tuple[str, ...] = ()
    adjudicator: str = ""
    accepted: Path | None = None
    tracks: bool = False
    central: str = ""
    investigator: str = ""
    adjudicate_on: tuple[str, ...] = ()
    date_tolerance: int = 0
    resamples: int = 2000
    seed: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Compared:
    """The tables by file name, what they hold in numbers, and what could not be compared."""

    reads: Reads
    tables: Mapping[str, str]
    headlines: tuple[tuple[str, ...], ...]
    readers: tuple[str, ...]
    subjects: int
    discordances: tuple[Discordance, ...]
    adjudicated: int
    adjudicated_on: tuple[str, ...]
    problems: tuple[Problem, ...]
    notes: tuple[str, ...]


def compare(job: Job) -> Compared:
    """Compare the readers. Raises :class:`InputError` when a file cannot be used or there are not two readers."""
    found = _of_tracks(job, _reads(job))
    everybody = with_matches(replace(found, shared_names=found.shared_names or job.shared_names), job.matches)
    reads, adjudicator = of_readers(everybody, job.readers, job.adjudicator)
    on_protocol = known_variables(reads.protocol.readers.adjudicate_on, "[readers] adjudicate_on")
    asked = known_variables(job.adjudicate_on, "--adjudicate-on") or on_protocol
    variables = adjudicated_on(reads, asked)
    groups = _groups(job, reads)
    every = {(s, c): crossed(reads, s, c) for c in reads.criteria for s in reads.subjects if len(reads.of(s, c)) > 1}
    swaps = [swap for one in every.values() for swap in swaps_of(reads, one)]
    differences = discordances(reads, every, job.date_tolerance)
    said = adjudication_list(reads, differences, variables)
    rows = [
        *agreement_rows(reads, groups, job.date_tolerance),
        *swap_rows(reads, every.values(), swaps, groups),
        *adjudication_rows(reads, said, variables),
    ]
    verdicts = _verdicts(job, everybody, adjudicator, said)
    if verdicts is not None:
        rows += index_rows(reads, verdicts, variables, job.date_tolerance)
    estimated = [(row, interval(row.of, job.resamples, job.seed)) for row in rows]
    sha256 = reads.protocol.sha256
    concordance = {}
    if _two_tracks(job):
        concordance["concordance.csv"] = concordance_csv(concordance_rows(reads, groups, job.date_tolerance), sha256)
    return Compared(
        reads=reads,
        tables={
            "agreement.csv": agreement_csv(estimated, job.resamples, job.seed, sha256),
            "discordances.csv": discordances_csv(differences, sha256, dated=reads.dated),
            "crosstabs.csv": crosstabs_csv(cross_tables(reads), sha256),
            "swaps.csv": swaps_csv(swaps, sha256),
            "adjudication.csv": adjudication_csv(said, sha256),
            **concordance,
            "problems.csv": tables.problems_csv(reads.problems),
        },
        headlines=tuple(_headlines(estimated, reads.readers)),
        readers=reads.readers,
        subjects=len(reads.subjects),
        discordances=tuple(differences),
        adjudicated=len({(one.subject, one.criterion) for one in said}),
        adjudicated_on=variables,
        problems=reads.problems,
        notes=(
            *reads.notes,
            *_notes(job, reads, asked, variables),
            *(() if verdicts is None else told(reads, verdicts, said)),
        ),
    )


def _headlines(estimated: list[tuple[Row, Interval]], readers: tuple[str, ...]) -> Iterator[tuple[str, ...]]:
    """The table that the command prints: how all readers agree on what is compared, everybody together."""
    yield "criterion", "variable", "scale", "statistic", "weights", "n", "value", "95 % interval"
    for row, found in estimated:
        about, value = row.about, row.of.value
        if (
            (row.statistic, row.weights) in _HEADLINES
            and not about.group
            and about.readers == readers
            and value is not None
        ):
            between = "" if found.low is None or found.high is None else f"{found.low:.3f} to {found.high:.3f}"
            named = (about.criterion, about.variable, row.form, row.statistic, row.weights)
            yield (*named, str(row.of.units), f"{value:.3f}", between)


def _reads(job: Job) -> Reads:
    if job.reads.is_dir():
        found = reads_of_results(job.reads, job.criteria, job.protocol)
        return replace(found, subject_dates=_subject_dates(job, found))
    protocol = load_protocol(job.protocol)
    if is_table_of_sums(job.reads):
        return reads_of_sums(job.reads, protocol, list(job.criteria))
    return reads_of_measurements(job.reads, protocol, list(job.criteria), job.subjects)


def _subject_dates(job: Job, reads: Reads) -> SubjectDates | None:
    """The dates that the protocol asks for; None where the table was given for its groups and has none of them."""
    try:
        return tables.read_subject_dates(job.subjects, reads.protocol)
    except InputError:
        return None


def _two_tracks(job: Job) -> bool:
    return job.tracks or bool(job.central)


def _accepted(job: Job) -> Path | None:
    """The table of the reads that count: as asked for, else in or beside the reads, where it is there."""
    return accepted_file(job.accepted, _beside(job))


def _beside(job: Job) -> Path:
    return (job.reads if job.reads.is_dir() else job.reads.parent) / FILE


def _verdicts(job: Job, everybody: Reads, adjudicator: Reads, said: Sequence[Said]) -> Verdicts | None:
    """What the adjudicator accepted: by the table of the reads that count, else by the adjudicator's own reads."""
    if _two_tracks(job):
        return None
    path = _accepted(job)
    found = None if path is None else verdicts_of_accepted(everybody, path)
    return found or verdicts_of_reads(adjudicator, said)


def _of_tracks(job: Job, reads: Reads) -> Reads:
    """The reads with the two tracks as readers where that is asked for."""
    if not _two_tracks(job) and not job.investigator:
        return reads
    if bool(job.central) is not bool(job.investigator):
        raise InputError("agree: --central and --investigator name the two readers of two tracks; give both")
    if job.tracks and job.central:
        raise InputError(
            "agree: --tracks takes the two tracks from accepted.csv; leave out --central and --investigator"
        )
    if job.readers or job.adjudicator:
        raise InputError("agree: two tracks are compared; leave out --readers and --adjudicator")
    return (
        by_accepted(reads, _accepted(job) or _beside(job))
        if job.tracks
        else by_names(reads, job.central, job.investigator)
    )


def _groups(job: Job, reads: Reads) -> dict[str, dict[str, str]]:
    """Column -> subject -> value, for --by and the protocol's subgroups; a subject without a row is in no group."""
    if job.subjects is None:
        if job.by:
            raise InputError("agree: --by takes columns of subjects.csv; give it with --subjects")
        return {}
    columns = dict.fromkeys((*job.by, *reads.protocol.design.subgroups))
    _, lines = tables.read_rows(job.subjects, ("subject", *columns))
    there = set(reads.subjects)
    return {name: {c["subject"]: c[name] for _, c in lines if c["subject"] in there} for name in columns}


def _notes(job: Job, reads: Reads, asked: tuple[str, ...], variables: tuple[str, ...]) -> Iterator[str]:
    accepted = _accepted(job)
    if not _two_tracks(job) and accepted is not None and has_both(accepted):
        yield f"{FILE} has reads of both tracks; --tracks compares investigator and central review"
    if _two_tracks(job) and not reads.dated:
        yield "without dates the two tracks are compared by progression yes or no alone"
    left_out = [name for name in asked if name not in variables]
    if left_out:
        yield f"without dates nothing can be adjudicated on {', '.join(left_out)}"
    for criterion in reads.criteria:
        alone = [subject for subject in reads.subjects if len(reads.of(subject, criterion)) == 1]
        if alone:
            named = ", ".join(alone[:5]) + (f" and {len(alone) - 5} more" if len(alone) > 5 else "")
            yield f"{criterion}: one reader's read alone of {len(alone)} of {len(reads.subjects)} subjects, not compared: {named}"
