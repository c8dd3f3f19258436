"""``mrecist export sdtm``: results to datasets, and datasets to files."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path

from mrecist.datasets.model import Dataset, Row, Standard, Variable, text_of, without_empty
from mrecist.datasets.write import write_datasets
from mrecist.errors import InputError
from mrecist.exporting.naming import Exported
from mrecist.exporting.sdtm import variables
from mrecist.exporting.sdtm.findings import measured
from mrecist.exporting.sdtm.inputs import Given, Inputs, read_inputs
from mrecist.exporting.sdtm.qualifiers import Record, numbered, supplement
from mrecist.exporting.sdtm.reads import Read
from mrecist.exporting.sdtm.responses import best_responses, categories, symptomatic, visit_responses
from mrecist.exporting.sdtm.settings import ASSESSOR, SdtmSettings
from mrecist.exporting.sdtm.subjects import demographics, procedures, visits
from mrecist.exporting.sdtm.sums import sums
from mrecist.exporting.sdtm.tumours import identifications
from mrecist.model import Problem
from mrecist.trial import Trial

MAY_BE = ("DM", "PR", "SUPPPR", "SV", "TU", "SUPPTU", "TR", "SUPPTR", "RS", "SUPPRS", "RELREC")
_LONG = {"TU": ("TUSPID",), "TR": ("TRSPID",), "RS": (), "PR": ("PRTRT",)}
_KEYS = {
    "TU": ("STUDYID", "USUBJID", "TUEVAL", "TUEVALID", "TULNKID", "TUTESTCD", "VISITNUM"),
    "TR": ("STUDYID", "USUBJID", "TREVAL", "TREVALID", "VISITNUM", "TRLNKID", "TRTESTCD"),
    "RS": ("STUDYID", "USUBJID", "RSEVAL", "RSEVALID", "RSCAT", "RSSCAT", "VISITNUM", "RSDTC", "RSTESTCD"),
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


def export_sdtm(folder: Path, out: Path, settings: SdtmSettings, given: Given) -> Exported:
    """Write what ``assess`` or ``score`` wrote to ``folder`` as SDTM (docs/sdtm.md).

    Raises :class:`InputError` for what cannot be used, or cannot be written in a format; nothing is written then.
    """
    built = build_sdtm(folder, settings, given)
    if not any(one.rows for one in built.datasets):
        raise InputError(f"{folder}: holds no read that can be exported")
    files = write_datasets(built.datasets, out, settings.formats, built.standard, MAY_BE)
    return Exported(files=files, problems=built.problems, notes=built.notes)


def build_sdtm(folder: Path, settings: SdtmSettings, given: Given) -> Sdtm:
    """The datasets that :func:`export_sdtm` writes; raises :class:`InputError`."""
    inputs = read_inputs(folder, settings, given)
    notes = list(inputs.notes)
    domains = _tumour_domains(inputs, settings, notes)
    if given.visits is not None:
        domains.insert(0, _visits(inputs.reads, settings))
    if inputs.trial is not None:
        rows = tuple(
            demographics(inputs.study, inputs.trial.subjects.values(), inputs.references, inputs.results.protocol)
        )
        domains = [_demographics(rows), *_procedures(inputs, inputs.trial, settings), *domains]
        notes += _incomplete(rows)
    return Sdtm(
        standard=Standard(study=inputs.study, name="SDTMIG", version=settings.guide, terminology=settings.terminology),
        datasets=tuple(domains),
        problems=inputs.problems,
        notes=tuple(dict.fromkeys(notes)),
    )


def _tumour_domains(inputs: Inputs, settings: SdtmSettings, notes: list[str]) -> list[Dataset]:
    known = categories(inputs.results.settings.values())
    found: dict[str, list[Record]] = {"TU": [], "TR": [], "RS": []}
    for read in inputs.reads:
        found["TU"] += identifications(read)
        for timepoint in read.rows:
            found["TR"] += measured(read, timepoint)
            if settings.derived == ASSESSOR:
                found["TR"] += sums(read, timepoint, notes)
            found["RS"] += visit_responses(read, timepoint, known)
        if settings.derived == ASSESSOR:
            found["RS"] += best_responses(read, inputs.best.get((read.subject, read.evaluator.reader), []), known)
    if inputs.trial is not None:
        found["RS"] += symptomatic(inputs.study, inputs.trial.occurrences or (), inputs.references)
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


def _procedures(inputs: Inputs, trial: Trial, settings: SdtmSettings) -> Iterator[Dataset]:
    if trial.procedures:
        records = procedures(inputs.study, trial.procedures, inputs.references)
        yield from _domain("PR", variables.PR, records, settings)


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


def _incomplete(rows: Iterable[Row]) -> Iterator[str]:
    rows = list(rows)
    for name in ("SITEID", "SEX", "COUNTRY"):
        if not all(row.get(name) for row in rows):
            yield f"DM: {name} is required and not in subjects.csv for every subject; complete DM from the trial's database"
