"""Each cell of the results to its place in the database, by the map. Nothing is left out without being named."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import NamedTuple

from mrecist.errors import InputError
from mrecist.exporting.odm.oid_map import ItemLine, MissingKeyError, OidMap, Template
from mrecist.exporting.results_fields import field_of, plain_value
from mrecist.exporting.results_rows import LESION_NUMBER, RESPONSE_NUMBER, TABLES, Cells, ResultRows
from mrecist.model import Problem

# What XML 1.0 cannot hold, not even escaped (section 2.2, Char).
NOT_XML = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
# The subject is in the key of SubjectData; the numbers are made for the keys.
_IN_KEYS = ("subject", LESION_NUMBER, RESPONSE_NUMBER)


class Place(NamedTuple):
    """Where a value stands; a repeat key that is "" is not written."""

    subject: str
    event: str
    event_repeat: str
    form: str
    form_repeat: str
    group: str
    group_repeat: str
    item: str


@dataclass(frozen=True, slots=True)
class Placed:
    """A value, and where it came from."""

    text: str
    line: ItemLine
    source: str


@dataclass(slots=True)
class Placements:
    """Values by place, in the order in which they are written, and what has no place."""

    values: dict[Place, Placed] = field(default_factory=dict)
    # subject of ours -> its key, its site and its name in the database
    subjects: dict[str, dict[str, str]] = field(default_factory=dict)
    problems: list[Problem] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)


def place(rows: ResultRows, by: OidMap) -> Placements:
    """Every cell of ``rows`` at its place.

    Raises :class:`InputError` when two subjects get one key, or two different values one place: the map then loses data.
    """
    found = Placements()
    people = {cells["subject"]: cells for cells in rows.subjects}
    taken: dict[str, str] = {}
    for name in rows.subject_names():
        _subject(name, people.get(name, {"subject": name}), by, taken, found)
    for table in TABLES:
        _place_table(table, rows.table(table), by, found)
    return found


def _subject(name: str, cells: Cells, by: OidMap, taken: dict[str, str], found: Placements) -> None:
    told = {}
    try:
        for setting in ("subject_key", "site_oid", "study_subject_id"):
            told[setting] = _key(Template(by.settings[setting]), cells, by)
    except MissingKeyError as error:
        message = f"subject {name}: {error}; the subject is not exported"
        found.problems.append(Problem(subject=name, reader="", message=message))
        return
    other = taken.setdefault(told["subject_key"], name)
    if other != name:
        raise InputError(
            f"{by.path}: subjects {other} and {name} get the same key '{told['subject_key']}'; mend subject_key or its keys"
        )
    found.subjects[name] = told


def _key(template: Template, cells: Mapping[str, str], by: OidMap) -> str:
    text = template.fill(cells, by.keys)
    if NOT_XML.search(text):
        raise MissingKeyError(f"'{text}' holds a control character, which XML cannot hold")
    return text


def _place_table(table: str, rows: tuple[Cells, ...], by: OidMap, found: Placements) -> None:
    lines = by.of_table(table)
    unmapped: dict[str, list[str]] = {}
    left_out: dict[str, int] = {}
    for cells in rows:
        if cells["subject"] not in found.subjects:
            continue
        for column, text in cells.items():
            if not text:
                continue
            meant = [line for line in lines.get(column, ()) if line.matches(cells)]
            if not meant and column not in _IN_KEYS:
                unmapped.setdefault(column, []).append(_source(table, cells))
            for line in meant:
                if line.left_out:
                    left_out[column] = left_out.get(column, 0) + 1
                else:
                    _place_cell(table, cells, line, text, by, found)
    for column, sources in unmapped.items():
        message = f"{table} {column}: {len(sources)} values have no line in {by.path.name} and are not exported, the first of {sources[0]}"
        found.problems.append(Problem(subject="", reader="", message=message))
    for column, count in left_out.items():
        found.notes.append(f"{table} {column}: {count} values are not exported, as {by.path.name} says")


def _source(table: str, cells: Cells) -> str:
    names = [name for name in ("reader", "criterion", "timepoint", "lesion") if cells.get(name)]
    return ", ".join([f"{table}: subject {cells['subject']}", *(f"{name} {cells[name]}" for name in names)])


def _place_cell(table: str, cells: Cells, line: ItemLine, text: str, by: OidMap, found: Placements) -> None:
    source = _source(table, cells)
    try:
        where = Place(
            found.subjects[cells["subject"]]["subject_key"],
            *(
                _key(template, cells, by)
                for template in (
                    *(line.study_event, line.study_event_repeat, line.form, line.form_repeat),
                    *(line.item_group, line.item_group_repeat, line.oid),
                )
            ),
        )
        value = _coded(line, text)
    except ValueError as error:
        message = f"{source}: {line.column}: {error}; the value is not exported"
        found.problems.append(Problem(subject=cells["subject"], reader=cells.get("reader", ""), message=message))
        return
    there = found.values.setdefault(where, Placed(value, line, source))
    if there.text != value:
        raise InputError(
            f"{by.path}: line {line.line}: {line.column} of {source} is '{value}' and that of {there.source} is '{there.text}', "
            f"and both go to {where.group} {where.item}; give a repeat key or other OIDs"
        )


def _coded(line: ItemLine, text: str) -> str:
    """The value as the database takes it; raises ``ValueError``."""
    if NOT_XML.search(text):
        raise ValueError("holds a control character, which XML cannot hold; mend the cell")
    if line.codes:
        if text not in line.codes:
            raise ValueError(f"'{text}' has no code in line {line.line} of the map")
        return line.codes[text]
    return plain_value(field_of(line.table, line.column), text)
