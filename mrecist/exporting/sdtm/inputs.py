"""What an export to SDTM is made from: results, the tables of the study, and reads with all that their records need."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from mrecist.accepted import Accepted, accepted_of_results, faults_of
from mrecist.endpoints.regions import responses_of_region
from mrecist.errors import InputError
from mrecist.exporting.results import Cells, Results, read_best, read_results
from mrecist.exporting.sdtm.acceptance import acceptance, check_investigators, notes_of
from mrecist.exporting.sdtm.places import place_of
from mrecist.exporting.sdtm.readers import Evaluator, evaluators
from mrecist.exporting.sdtm.reads import Read, subject_id
from mrecist.exporting.sdtm.responses import LIVER
from mrecist.exporting.sdtm.settings import SdtmSettings
from mrecist.exporting.sdtm.timing import Reference, VisitName, read_visit_names, reference_of
from mrecist.model import Problem
from mrecist.tables import read_rows
from mrecist.tables.trial import TrialTables, read_trial
from mrecist.trial import Procedure, Trial

Segmented = dict[tuple[str, str], dict[tuple[int, str], str]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Given:
    """The files beside the results; ``procedures`` and ``occurrences`` go with ``subjects``."""

    subjects: Path | None = None
    procedures: Path | None = None
    occurrences: Path | None = None
    visits: Path | None = None
    images: Path | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Inputs:
    """What was read. ``best`` is by (subject, reader), ``references`` by subject."""

    study: str
    results: Results
    accepted: Accepted
    best: Mapping[tuple[str, str], list[Cells]]
    trial: Trial | None
    references: Mapping[str, Reference]
    reads: tuple[Read, ...]
    problems: tuple[Problem, ...]
    notes: tuple[str, ...]


def read_inputs(folder: Path, settings: SdtmSettings, given: Given) -> Inputs:
    """Read everything; raises :class:`InputError` for what cannot be used."""
    results = read_results(folder)
    accepted = accepted_of_results(folder, results.settings)
    study = settings.study or results.protocol.design.id
    if not study:
        raise InputError("the protocol has no [study] id, and SDTM needs STUDYID; add it, or give --study ID")
    tables = _tables(given, results)
    trial = tables.trial if tables is not None else None
    references = _references(results, trial)
    _check_subjects(study, references)
    segmented, unread = _segmented(results, given.images)
    readers = sorted({key[1] for key in results.rows})
    who = evaluators(readers, settings.readers, results.protocol.readers, accepted)
    check_investigators(results, who)
    reads = _reads(
        results, accepted, study, who, references, read_visit_names(given.visits), _of_liver(folder, results), segmented
    )
    left_out = (*_not_assessed(folder), *results.problems)
    told = (
        *left_out,
        *_without_accepted(results, accepted, left_out),
        *unread,
        *(tables.problems if tables is not None else ()),
    )
    return Inputs(
        study=study,
        results=results,
        accepted=accepted,
        best=read_best(folder),
        trial=trial,
        references=references,
        reads=tuple(reads),
        problems=tuple(dict.fromkeys(told)),
        notes=(*(tables.notes if tables is not None else ()), *notes_of(results, accepted, who), *_notes(reads, trial)),
    )


def _tables(given: Given, results: Results) -> TrialTables | None:
    files = {"procedures": given.procedures, "occurrences": given.occurrences}
    named = {name: path for name, path in files.items() if path is not None}
    if given.subjects is None:
        for name in named:
            raise InputError(f"--{name} goes with --subjects; give both")
        return None
    return read_trial(given.subjects, named, results.protocol.date_columns, results.protocol.partial_date)


def _of_liver(folder: Path, results: Results) -> dict[tuple[str, str], dict[tuple[int, str], str]]:
    """(subject, reader) -> the responses of the liver, where the protocol says which organs these are."""
    found: dict[tuple[str, str], dict[tuple[int, str], str]] = {}
    for one in responses_of_region(folder, LIVER) if results.protocol.intrahepatic else ():
        if one.overall is not None:
            found.setdefault((one.subject, one.reader), {})[one.timepoint, one.criterion] = one.overall.value
    return found


def _segmented(results: Results, images: Path | None) -> tuple[Segmented, tuple[Problem, ...]]:
    """(subject, reader) -> (time point, lesion) -> UID of the segmentation that holds it."""
    if images is None:
        return {}, ()
    from mrecist.exporting.sources import open_sources

    sources, unread = open_sources(images, None)
    found: Segmented = {}
    for (subject, reader, timepoint), rows in results.rows.items():
        for row in rows if subject in sources else ():
            parts, _ = sources[subject].segments(row, rows)
            for part in parts.values():
                uid = str(part.segmentation.SOPInstanceUID)
                found.setdefault((subject, reader), {})[timepoint, row.lesion] = uid
    return found, tuple(Problem(subject="", message=line) for line in unread)


def _references(results: Results, trial: Trial | None) -> dict[str, Reference]:
    known = trial.subjects if trial is not None else {}
    performed: dict[str, list[Procedure]] = {}
    for one in (trial.procedures or ()) if trial is not None else ():
        performed.setdefault(one.subject, []).append(one)
    names = dict.fromkeys([*known, *(key[0] for key in results.rows)])
    return {name: reference_of(known.get(name), performed.get(name, ()), results.protocol) for name in names}


def _check_subjects(study: str, names: Iterable[str]) -> None:
    """USUBJID is one subject's: the study before a name is the study's own, and not added again."""
    seen: dict[str, str] = {}
    for name in names:
        own = subject_id(study, name)
        if own in seen:
            raise InputError(f"subjects {seen[own]} and {name} would both be USUBJID {study}-{own}; rename one of them")
        seen[own] = name


def _reads(
    results: Results,
    accepted: Accepted,
    study: str,
    who: Mapping[str, Evaluator],
    references: Mapping[str, Reference],
    names: Mapping[int, VisitName],
    of_liver: Mapping[tuple[str, str], Mapping[tuple[int, str], str]],
    segmented: Segmented,
) -> list[Read]:
    visits_of: dict[tuple[str, str], list[int]] = {}
    for key in results.rows:
        visits_of.setdefault(key[:2], []).append(key[2])
    reads = []
    for (subject, reader), timepoints in sorted(visits_of.items()):
        reads.append(
            Read(
                study=study,
                subject=subject,
                evaluator=who[reader],
                reference=references[subject],
                names=names,
                rows={n: results.rows[subject, reader, n] for n in sorted(timepoints)},
                responses={n: results.responses.get((subject, reader, n), []) for n in sorted(timepoints)},
                results=results,
                accepted=acceptance(results, accepted, who, subject, reader, timepoints),
                liver=of_liver.get((subject, reader), {}),
                segmented=segmented.get((subject, reader), {}),
            )
        )
    return reads


def _without_accepted(results: Results, accepted: Accepted, left_out: Iterable[Problem]) -> Iterator[Problem]:
    """The subjects of which no read counts, though the accepted reads are given."""
    there = {(*key[:2], cells["criterion"]) for key, every in results.responses.items() for cells in every}
    yield from faults_of(accepted, there, {(one.subject, one.reader) for one in left_out}).values()


def _notes(reads: Sequence[Read], trial: Trial | None) -> Iterator[str]:
    if trial is None:
        yield "no --subjects: no DM is written, and study days, epochs and the first treatment are not known"
    else:
        for read in reads:
            if read.subject not in trial.subjects:
                yield f"subject {read.subject} has a read and is not in subjects.csv; it has no record in DM"
    for read in reads:
        for row in read.first.values():
            place = place_of(row)
            if place.extended:
                yield f"TULOC '{place.location}' is no term that is known here of the codelist LOC; add it to the study's terms"


def _not_assessed(folder: Path) -> Iterator[Problem]:
    """Reads that ``score`` or ``assess`` has told to be left out."""
    path = folder / "problems.csv"
    for _, cells in read_rows(path, ("subject", "reader", "message"))[1] if path.is_file() else ():
        message = f"{path}: {cells['message']}"
        yield Problem(subject=cells["subject"], reader=cells["reader"], message=message)
