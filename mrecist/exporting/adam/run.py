"""``mrecist export adam``: results and the tables of a study to datasets, and datasets to files."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from decimal import Decimal
from pathlib import Path

from mrecist.datasets.model import Dataset, Row, Standard, Value, Variable, text_of, without_empty
from mrecist.datasets.write import write_datasets
from mrecist.errors import InputError
from mrecist.exporting.adam import variables
from mrecist.exporting.adam.inputs import Material, StudyFiles, read_material
from mrecist.exporting.adam.lesions import lesion_rows, sum_rows
from mrecist.exporting.adam.responses import death_rows, region_rows, response_rows, unassessed_rows
from mrecist.exporting.adam.subjects import population_variables, shared, subject_rows
from mrecist.exporting.adam.times import notes_of, outcome_rows, time_rows
from mrecist.exporting.naming import Exported
from mrecist.exporting.sdtm.settings import SdtmSettings
from mrecist.model import Problem
from mrecist.protocol import Protocol

GUIDE = "1.3"
MAY_BE = ("ADSL", "ADTR", "ADRS", "ADTTE")
_BY_PARAMETER = ("STUDYID", "USUBJID", "PARCAT1", "PARCAT2", "PARCAT3", "PARCAT4", "PARAMCD", "AVISITN")
_BDS = "BASIC DATA STRUCTURE"
_LABELS = {
    "ADTR": ("Tumor Results Analysis Dataset", "One record per subject per parameter per visit"),
    "ADRS": ("Response Analysis Dataset", "One record per subject per parameter per visit"),
    "ADTTE": ("Time-to-Event Analysis Dataset", "One record per subject per parameter"),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Adam:
    """The datasets of an export with all their metadata, what could not be taken in, and what the reader should know."""

    standard: Standard
    datasets: tuple[Dataset, ...]
    problems: tuple[Problem, ...]
    notes: tuple[str, ...]


def export_adam(folder: Path, out: Path, protocol: Protocol, settings: SdtmSettings, files: StudyFiles) -> Exported:
    """Write what ``assess`` or ``score`` wrote to ``folder``, and the endpoints of ``protocol``, as ADaM (docs/adam.md).

    Raises :class:`InputError` for what cannot be used, or cannot be written in a format; nothing is written then.
    """
    built = build_adam(folder, protocol, settings, files)
    if not built.datasets[0].rows:
        raise InputError(f"{files.subjects}: has no subject that can be exported")
    written = write_datasets(built.datasets, out, settings.formats, built.standard, MAY_BE)
    return Exported(files=written, problems=built.problems, notes=built.notes)


def build_adam(folder: Path, protocol: Protocol, settings: SdtmSettings, files: StudyFiles) -> Adam:
    """The datasets that :func:`export_adam` writes; raises :class:`InputError`."""
    material = read_material(folder, protocol, settings, files)
    people = dict(subject_rows(material))
    made = {
        "ADTR": (*lesion_rows(material), *sum_rows(material)),
        "ADRS": (
            *response_rows(material),
            *region_rows(material, folder),
            *unassessed_rows(material),
            *death_rows(material),
            *outcome_rows(material),
        ),
        "ADTTE": tuple(time_rows(material)),
    }
    return Adam(
        standard=Standard(study=material.inputs.study, name="ADaMIG", version=GUIDE, terminology=settings.terminology),
        datasets=(
            _subjects(material, tuple(people.values())),
            *(_parameters(name, rows, people) for name, rows in made.items()),
        ),
        problems=material.problems,
        notes=tuple(dict.fromkeys((*material.notes, *notes_of(material)))),
    )


def _subjects(material: Material, rows: tuple[Row, ...]) -> Dataset:
    *first, last = variables.ADSL
    kept = without_empty((*first, *population_variables(material), last), rows)
    return Dataset(
        name="ADSL",
        label="Subject-Level Analysis Dataset",
        variables=kept,
        rows=tuple(_only(row, kept) for row in rows),
        keys=("STUDYID", "USUBJID"),
        structure="One record per subject",
        kind="SUBJECT LEVEL ANALYSIS DATASET",
    )


def _parameters(name: str, made: Iterable[tuple[str, Row]], people: Mapping[str, Row]) -> Dataset:
    """A dataset of the basic data structure: rows in order of the keys, numbered for each subject."""
    rows = sorted(({**shared(people[subject]), **row} for subject, row in made if subject in people), key=_place)
    numbers: dict[Value, int] = {}
    for row in rows:
        numbers[row["USUBJID"]] = row["ASEQ"] = numbers.get(row["USUBJID"], 0) + 1
    kept = without_empty(getattr(variables, name), tuple(rows))
    label, structure = _LABELS[name]
    dataset = Dataset(
        name=name,
        label=label,
        variables=kept,
        rows=tuple(_only(row, kept) for row in rows),
        structure=structure,
        kind=_BDS,
    )
    there = {one.name for one in kept}
    return replace(dataset, keys=tuple(key for key in _BY_PARAMETER if key in there))


def _place(row: Row) -> tuple[tuple[int, Decimal, str], ...]:
    """Where a row comes by its keys: nothing before something, numbers by size, texts by their letters."""
    found = []
    for name in _BY_PARAMETER:
        value = row.get(name)
        number = Decimal(value) if isinstance(value, int | Decimal) else Decimal(0)
        found.append((0 if value in (None, "") else 1, number, text_of(value)))
    return tuple(found)


def _only(row: Row, kept: tuple[Variable, ...]) -> Row:
    return {one.name: row.get(one.name) for one in kept}
