"""The map from our columns to the OIDs of a study's database: a CSV file that a person edits (docs/edc.md)."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from mrecist.errors import InputError
from mrecist.exporting.results_rows import TABLES
from mrecist.tables import read_rows

MAP_COLUMNS = (
    *("table", "column", "where", "study_event", "study_event_repeat", "form", "form_repeat"),
    *("item_group", "item_group_repeat", "oid", "codes", "unit"),
)
_REQUIRED = ("table", "column", "study_event", "form", "item_group", "oid")
# The rows of table "study": what stands once in a file.
SETTINGS = {
    "style": "odm",
    "study_oid": "",
    "metadata_version_oid": "",
    "study_name": "",
    "subject_key": "{subject}",
    "site_oid": "",
    "study_subject_id": "",
    "form_layout": "",
    "form_status": "",
}
STYLES = ("odm", "openclinica", "rave")
NOT_EXPORTED = "-"
_PLACEHOLDER = re.compile(r"\{(\w+)\}")
_OPENCLINICA_ONLY = ("study_subject_id", "form_layout", "form_status")


class MissingKeyError(ValueError):
    """A placeholder names a cell that is empty in this row, or a word without a code."""


@dataclass(frozen=True, slots=True)
class Template:
    """A text with ``{column}`` in it; ``""`` is none."""

    text: str

    @property
    def columns(self) -> tuple[str, ...]:
        """The columns that it names."""
        return tuple(_PLACEHOLDER.findall(self.text))

    def fill(self, cells: Mapping[str, str], keys: Mapping[str, Mapping[str, str]]) -> str:
        """The text of one row; raises :class:`MissingKeyError`."""

        def value(found: re.Match[str]) -> str:
            column = found[1]
            word = cells.get(column, "")
            if not word:
                raise MissingKeyError(f"'{self.text}' names {column}, which is empty")
            codes = keys.get(column)
            if codes is None:
                return word
            if word not in codes:
                raise MissingKeyError(f"{column} '{word}' has no code among the keys of the map")
            return codes[word]

        return _PLACEHOLDER.sub(value, self.text)


@dataclass(frozen=True, slots=True, kw_only=True)
class ItemLine:
    """One line of the map: where the cells of a column go, for the rows that ``where`` says yes to."""

    line: int
    table: str
    column: str
    where: tuple[tuple[str, bool, str], ...]
    study_event: Template
    study_event_repeat: Template
    form: Template
    form_repeat: Template
    item_group: Template
    item_group_repeat: Template
    oid: Template
    codes: Mapping[str, str]
    unit: str

    @property
    def left_out(self) -> bool:
        """Whether the map says that the column is not exported."""
        return self.oid.text == NOT_EXPORTED

    def matches(self, cells: Mapping[str, str]) -> bool:
        """Whether a row is meant."""
        return all((cells.get(column, "") == value) is equal for column, equal, value in self.where)


@dataclass(frozen=True, slots=True, kw_only=True)
class OidMap:
    """The whole map."""

    path: Path
    settings: Mapping[str, str]
    keys: Mapping[str, Mapping[str, str]]
    lines: tuple[ItemLine, ...]

    def of_table(self, table: str) -> dict[str, list[ItemLine]]:
        """Column -> the lines about it."""
        found: dict[str, list[ItemLine]] = {}
        for line in self.lines:
            if line.table == table:
                found.setdefault(line.column, []).append(line)
        return found


def read_map(path: Path) -> OidMap:
    """Read a map.

    Raises :class:`InputError` for an unknown table, column, setting or placeholder, a code twice, or a missing OID.
    """
    _, rows = read_rows(path, _REQUIRED)
    settings = dict(SETTINGS)
    keys: dict[str, dict[str, str]] = {}
    lines: list[ItemLine] = []
    for number, cells in rows:
        try:
            if cells["table"] == "study":
                settings |= _setting(cells)
            elif cells["table"] == "keys":
                keys[cells["column"]] = _codes(cells.get("codes", ""))
            else:
                lines.append(_line(number, cells))
        except ValueError as error:
            raise InputError(f"{path}: line {number}: {error}") from None
    for name in ("study_oid", "metadata_version_oid"):
        if not settings[name]:
            raise InputError(f"{path}: no row 'study,{name}' with an oid; the database gives it")
    _check_style(path, settings)
    return OidMap(path=path, settings=settings, keys=keys, lines=tuple(lines))


def _check_style(path: Path, settings: Mapping[str, str]) -> None:
    if settings["style"] not in STYLES:
        raise InputError(f"{path}: style is '{settings['style']}', not one of: {', '.join(STYLES)}")
    given = [name for name in _OPENCLINICA_ONLY if settings[name]]
    if given and settings["style"] != "openclinica":
        raise InputError(f"{path}: {given[0]} goes with the style openclinica, and the style is {settings['style']}")


def _setting(cells: Mapping[str, str]) -> dict[str, str]:
    name = cells["column"]
    if name not in SETTINGS:
        raise ValueError(f"study has no setting '{name}'; it has: {', '.join(SETTINGS)}")
    return {name: cells["oid"]}


def _line(number: int, cells: Mapping[str, str]) -> ItemLine:
    table, column = cells["table"], cells["column"]
    if table not in TABLES:
        raise ValueError(f"table is '{table}', not one of: study, keys, {', '.join(TABLES)}")
    if TABLES[table]:
        _known(column, table)
    levels = ("study_event", "form", "item_group", "oid")
    empty = [name for name in levels if not cells[name]]
    if empty and cells["oid"] != NOT_EXPORTED:
        raise ValueError(f"{empty[0]} of {table} {column} is empty; give its OID, or - as oid to leave the column out")
    templates = {name: Template(cells.get(name, "")) for name in MAP_COLUMNS[3:10]}
    for template in templates.values() if TABLES[table] else ():
        for named in template.columns:
            _known(named, table)
    return ItemLine(
        line=number,
        table=table,
        column=column,
        where=_where(cells.get("where", ""), table),
        **templates,
        codes=_codes(cells.get("codes", "")),
        unit=cells.get("unit", ""),
    )


def _known(column: str, table: str) -> None:
    if column not in TABLES[table]:
        raise ValueError(f"{table} has no column '{column}'; it has: {', '.join(TABLES[table])}")


def _where(text: str, table: str) -> tuple[tuple[str, bool, str], ...]:
    """``timepoint!=0;reader=R1``."""
    found = []
    for part in _parts(text):
        column, equals, value = part.partition("=")
        if not equals:
            raise ValueError(f"where is '{part}'; it is COLUMN=VALUE or COLUMN!=VALUE, with ; between several")
        equal = not column.endswith("!")
        column = column.removesuffix("!").strip()
        if TABLES[table]:
            _known(column, table)
        found.append((column, equal, value.strip()))
    return tuple(found)


def _codes(text: str) -> dict[str, str]:
    """``CR=1;PR=2``."""
    found: dict[str, str] = {}
    for part in _parts(text):
        word, equals, code = part.rpartition("=")
        if not equals or not word.strip() or not code.strip():
            raise ValueError(f"codes: '{part}' is not WORD=CODE; write them as CR=1;PR=2")
        if word.strip() in found:
            raise ValueError(f"codes: '{word.strip()}' has two codes; keep one")
        found[word.strip()] = code.strip()
    twice = [code for code in found.values() if list(found.values()).count(code) > 1]
    if twice:
        raise ValueError(f"codes: {twice[0]} is the code of two words; they could not be told apart when read back")
    return found


def _parts(text: str) -> list[str]:
    return [part.strip() for part in text.split(";") if part.strip()]
