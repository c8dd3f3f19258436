"""``mrecist export sdtm``: results to datasets, and datasets to files."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path

from mrecist.datasets.model import Dataset, Row, Standard, Variable, text_of, without_empty
from mrecist.datasets.write import write_datasets
from mrecist.errors import InputError
from mrecist.exporting.naming import Exported
from mrecist.exporting.results import Cells, Results, read_best, read_results
from mrecist.exporting.sdtm import variables
from mrecist.exporting.sdtm.findings import measured
from mrecist.exporting.sdtm.places import place_of
from mrecist.exporting.sdtm.qualifiers import Record, numbered, supplement
from mrecist.exporting.sdtm.readers import Evaluator, evaluators
from mrecist.exporting.sdtm.reads import Read, subject_id
from mrecist.exporting.sdtm.responses import best_responses, categories, visit_responses
from mrecist.exporting.sdtm.settings import ASSESSOR, SdtmSettings
from mrecist.exporting.sdtm.subjects import demographics, procedures, visits
from mrecist.exporting.sdtm.sums import sums
from mrecist.exporting.sdtm.timing import Reference, VisitName, read_visit_names, reference_of
from mrecist.exporting.sdtm.tumours import identifications
from mrecist.model import Problem
from mrecist.tables import read_rows
from mrecist.tables.trial import read_trial
from mrecist.trial import Procedure, Trial

MAY_BE = ("DM", "PR", "SUPPPR", "SV", "TU", "SUPPTU", "TR", "SUPPTR", "RS", "SUPPRS", "RELREC")
_LONG = {"TU": ("TUSPID",), "TR": ("TRREASND",), "RS": (), "PR": ("PRTRT",)}
_KEYS = {
    "TU": ("STUDYID", "USUBJID", "TUEVAL", "TUEVALID", "TULNKID", "TUTESTCD", "VISITNUM"),
    "TR": ("STUDYID", "USUBJID", "TREVAL", "TREVALID", "VISITNUM", "TRLNKID", "TRTESTCD"),
    "RS": ("STUDYID", "USUBJID", "RSEVAL", "RSEVALID", "RSCAT", "RSSCAT", "VISITNUM", "RSTESTCD"),
    "PR": ("STUDYID", "USUBJID", "PRSTDTC", "PRTRT", "PRSEQ"),
}
_LABELS = {
    "TU": ("Tumor/Lesion Identification", "FINDINGS", "One record per identified tumor or lesion per assessor"),
    "TR": ("Tumor/Lesion Results", "FINDINGS", "One record per result per tumor or lesion per visit per assessor"),
    "RS": ("Disease Response and Clin Classification", "FINDINGS", "One record per response per visit per assessor"),
    "PR": ("Procedures", "INTERVENTIONS", "One record per recorded procedure per occurrence per subject"),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Sdtm:
    """The datasets of an export with all their metadata, what could not be taken in, and what the reader should know."""

    standard: Standard
    datasets: tuple[Dataset, ...]
    problems: tuple[Problem, ...]
    notes: tuple[str, ...]


def export_sdtm(
    folder: Path,
    out: Path,
    settings: SdtmSettings,
    *,
    subjects: Path | None,
    procedures: Path | None,
    visits: Path | None,
) -> Exported:
    """Write what ``assess`` or ``score`` wrote as SDTM (docs/sdtm.md).

    Parameters
    ----------
    folder : the results.
    out : folder for the datasets.
    subjects, procedures, visits : tables of the study; ``procedures`` goes with ``subjects``.

    Raises
    ------
    InputError : what was given cannot be used, or cannot be written in a format; nothing is written then.
    """
    built = build_sdtm(folder, settings, subjects=subjects, procedures_table=procedures, visits_table=visits)
    if not any(one.rows for one in built.datasets):
        raise InputError(f"{folder}: holds no read that can be exported")
    files = write_datasets(built.datasets, out, settings.formats, built.standard, MAY_BE)
    return Exported(files=files, problems=built.problems, notes=built.notes)


def build_sdtm(
    folder: Path,
    settings: SdtmSettings,
    *,
    subjects: Path | None = None,
    procedures_table: Path | None = None,
    visits_table: Path | None = None,
) -> Sdtm:
    """The datasets that :func:`export_sdtm` writes; raises :class:`InputError`."""
    results, best = read_results(folder), read_best(folder)
    protocol = results.protocol
    study = settings.study or protocol.design.id
    if not study:
        raise InputError("the protocol has no [study] id, and SDTM needs STUDYID; add it, or give --study ID")
    tables = None
    if subjects is not None:
        files = {"procedures": procedures_table} if procedures_table is not None else {}
        tables = read_trial(subjects, files, protocol.date_columns, protocol.partial_date)
    elif procedures_table is not None:
        raise InputError("--procedures goes with --subjects; give both")
    trial = tables.trial if tables is not None else None
    references = _references(results, trial)
    notes = list(tables.notes) if tables is not None else []
    reads = _reads(results, study, settings, references, read_visit_names(visits_table))
    notes += _notes(reads, trial)
    domains = _tumour_domains(reads, best, settings, notes)
    if trial is not None:
        rows = tuple(demographics(study, trial.subjects.values(), references, protocol))
        domains = [_demographics(rows), *_procedures(study, trial, references, settings), *domains]
        notes += _incomplete(rows)
    if visits_table is not None:
        domains.insert(1 if trial is not None else 0, _visits(reads, settings))
    _check_subjects(study, references)
    problems = (*_not_assessed(folder), *results.problems, *(tables.problems if tables is not None else ()))
    return Sdtm(
        standard=Standard(study=study, name="SDTMIG", version=settings.guide, terminology=settings.terminology),
        datasets=tuple(domains),
        problems=tuple(dict.fromkeys(problems)),
        notes=tuple(dict.fromkeys(notes)),
    )


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
    study: str,
    settings: SdtmSettings,
    references: Mapping[str, Reference],
    names: Mapping[int, VisitName],
) -> list[Read]:
    who = evaluators(sorted({key[1] for key in results.rows}), settings.readers, results.protocol.readers)
    visits_of: dict[tuple[str, str], list[int]] = {}
    for key in results.rows:
        visits_of.setdefault(key[:2], []).append(key[2])
    reads = []
    for (subject, reader), timepoints in sorted(visits_of.items()):
        shared = _shared(results, who, subject, timepoints)
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
                accepted=shared if _decides(who[reader], results) else frozenset(),
                shared=shared if who[reader].independent else frozenset(),
            )
        )
    return reads


def _shared(results: Results, who: Mapping[str, Evaluator], subject: str, timepoints: Iterable[int]) -> frozenset[int]:
    """The time points that several independent readers assessed."""
    independent = [reader for reader, one in who.items() if one.independent]
    return frozenset(n for n in timepoints if sum((subject, reader, n) in results.rows for reader in independent) > 1)


def _decides(evaluator: Evaluator, results: Results) -> bool:
    """Whether the records of this reader are the accepted ones: the adjudicator's, unless the protocol names somebody else."""
    return evaluator.adjudicates and results.protocol.readers.accepted in ("", evaluator.reader)


def _tumour_domains(
    reads: Sequence[Read], best: Mapping[tuple[str, str], list[Cells]], settings: SdtmSettings, notes: list[str]
) -> list[Dataset]:
    known = categories(reads[0].results.settings.values()) if reads else {}
    found: dict[str, list[Record]] = {"TU": [], "TR": [], "RS": []}
    for read in reads:
        found["TU"] += identifications(read)
        for timepoint in read.rows:
            found["TR"] += measured(read, timepoint)
            if settings.derived == ASSESSOR:
                found["TR"] += sums(read, timepoint, notes)
            found["RS"] += visit_responses(read, timepoint, known)
        if settings.derived == ASSESSOR:
            found["RS"] += best_responses(read, best.get((read.subject, read.evaluator.reader), []), known)
    domains: list[Dataset] = []
    for domain, records in found.items():
        domains += _domain(domain, getattr(variables, domain), records, settings)
    return [*domains, _relations(domains)]


def _place(row: Row, keys: Iterable[str]) -> tuple[tuple[int, Decimal, str], ...]:
    """Where a record comes by its keys: nothing before something, numbers by size, texts by their letters."""
    found = []
    for name in keys:
        value = row.get(name)
        number = Decimal(value) if isinstance(value, int | Decimal) else Decimal(0)
        found.append((0 if value in (None, "") else 1, number, text_of(value)))
    return tuple(found)


def _domain(
    domain: str, of_guide: tuple[Variable, ...], records: Iterable[Record], settings: SdtmSettings
) -> Iterator[Dataset]:
    """A domain, and its supplemental qualifiers where it has any."""
    ready = numbered(domain, sorted(records, key=lambda one: _place(one.values, _KEYS[domain])), _LONG[domain])
    rows: tuple[Row, ...] = tuple(record.values for record in ready)
    label, kind, structure = _LABELS[domain]
    kept = without_empty(of_guide, rows)
    yield Dataset(
        name=domain,
        label=label,
        variables=kept,
        rows=tuple(_only(row, kept) for row in rows),
        keys=tuple(name for name in _KEYS[domain] if name in {one.name for one in kept}),
        structure=structure,
        kind=kind,
    )
    labels = {one.name: one.label for one in of_guide}
    yield supplement(domain, f"Supplemental Qualifiers for {domain}", ready, settings.qnams, labels)


def _only(row: Row, kept: tuple[Variable, ...]) -> Row:
    return {one.name: row.get(one.name) for one in kept}


def _relations(domains: Sequence[Dataset]) -> Dataset:
    """RELREC between datasets: TU to TR by lesion, TR to RS by time point."""
    of = {one.name: one for one in domains}
    rows = []
    for relation, links in (
        ("TUTR", (("TU", "TULNKID"), ("TR", "TRLNKID"))),
        ("TRRS", (("TR", "TRLNKGRP"), ("RS", "RSLNKGRP"))),
    ):
        for domain, name in links:
            if not of[domain].rows:
                continue
            keys = [(row["USUBJID"], row[name]) for row in of[domain].rows if row.get(name)]
            rows.append(
                {
                    "STUDYID": of[domain].rows[0]["STUDYID"],
                    "RDOMAIN": domain,
                    "IDVAR": name,
                    "RELTYPE": "ONE" if len(set(keys)) == len(keys) else "MANY",
                    "RELID": relation,
                }
            )
    return Dataset(
        name="RELREC",
        label="Related Records",
        variables=variables.RELREC,
        rows=tuple(rows),
        keys=("STUDYID", "RDOMAIN", "IDVAR", "RELID"),
        structure="One record per related dataset",
        kind="RELATIONSHIP",
    )


def _demographics(rows: tuple[Row, ...]) -> Dataset:
    kept = without_empty(variables.DM, rows)
    return Dataset(
        name="DM",
        label="Demographics",
        variables=kept,
        rows=rows,
        keys=("STUDYID", "USUBJID"),
        structure="One record per subject",
        kind="SPECIAL PURPOSE",
    )


def _procedures(
    study: str, trial: Trial, references: Mapping[str, Reference], settings: SdtmSettings
) -> Iterator[Dataset]:
    if trial.procedures:
        yield from _domain("PR", variables.PR, procedures(study, trial.procedures, references), settings)


def _visits(reads: Sequence[Read], settings: SdtmSettings) -> Dataset:
    absent = variables.NOT_IN_33["SV"] if settings.guide == "3.3" else ()
    rows = tuple(visits(reads, settings.guide))
    kept = without_empty((one for one in variables.SV if one.name not in absent), rows)
    return Dataset(
        name="SV",
        label="Subject Visits",
        variables=kept,
        rows=tuple(_only(row, kept) for row in rows),
        keys=("STUDYID", "USUBJID", "VISITNUM"),
        structure="One record per actual visit per subject",
        kind="SPECIAL PURPOSE",
    )


# --- what the user should know ---------------------------------------------------------------------------------------


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


def _incomplete(rows: Iterable[Row]) -> Iterator[str]:
    rows = list(rows)
    for name in ("SITEID", "SEX", "COUNTRY"):
        if not all(row.get(name) for row in rows):
            yield f"DM: {name} is required and not in subjects.csv for every subject; complete DM from the trial's database"


def _not_assessed(folder: Path) -> Iterator[Problem]:
    """Reads that ``score`` or ``assess`` has told to be left out."""
    path = folder / "problems.csv"
    for _, cells in read_rows(path, ("subject", "reader", "message"))[1] if path.is_file() else ():
        message = f"{path}: {cells['message']}"
        yield Problem(subject=cells["subject"], reader=cells["reader"], message=message)
