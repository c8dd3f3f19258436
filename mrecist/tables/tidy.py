"""Tidy tables of a study: one row a fact, known columns, each cell read by its column; a bad row is a problem of its subject."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from pathlib import Path
from typing import Any, Generic, TypeVar

from mrecist.model import Problem
from mrecist.tables.files import not_empty, read_rows

Row = TypeVar("Row")
Cell = Callable[[str], Any]


@dataclass(frozen=True, slots=True)
class Tidy(Generic[Row]):
    """The rows that can be used, a problem for each that cannot, and notes on columns that look misspelled."""

    rows: tuple[Row, ...]
    problems: tuple[Problem, ...]
    notes: tuple[str, ...] = ()


def read_tidy(
    path: Path,
    make: Callable[..., Row],
    columns: Mapping[str, Cell],
    required: Sequence[str],
    check: Callable[[Row], None] | None = None,
    once: Sequence[str] = (),
) -> Tidy[Row]:
    """Read a tidy table.

    Parameters
    ----------
    path : the CSV file; a header without rows is an empty table: nobody had such a thing.
    make : builds a row from its filled cells by column name.
    columns : column -> what reads a cell that is not empty; raises ``ValueError`` with the reason.
    required : columns that are there and filled.
    check : raises ``ValueError`` for a row whose cells contradict each other.
    once : columns that name a fact: a second row of it that says something else is a problem. A row that is there twice is noted.

    Raises :class:`InputError` when the file is no table with the required columns.
    """
    header, lines = read_rows(path, required)
    rows: list[Row] = []
    problems: list[Problem] = []
    seen: dict[tuple[Any, ...], tuple[int, Row]] = {}
    repeated: list[int] = []
    for number, cells in lines:
        subject = cells.get("subject", "")
        try:
            for name in required:
                not_empty(name, cells[name])
            row = make(**{name: _read(name, cells[name], read) for name, read in columns.items() if cells.get(name)})
            if check is not None:
                check(row)
            first, same = seen.setdefault(tuple(getattr(row, name) for name in once) if once else (row,), (number, row))
            if row != same:
                what = ", ".join(cells[name] for name in once if name != "subject")
                raise ValueError(f"says something else of {what} than line {first}; keep one")
            if number != first:
                repeated.append(number)
        except ValueError as error:
            where = f"{path.name} line {number}, subject {subject or '?'}"
            problems.append(Problem(subject=subject, reader="", message=f"{where}: {error}"))
        else:
            rows.append(row)
    notes = misspelled(path, header, tuple(columns))
    if repeated:
        lines_of = ", ".join(str(number) for number in repeated[:5]) + (", ..." if len(repeated) > 5 else "")
        notes = (*notes, f"{path.name}: {len(repeated)} rows repeat an earlier one word for word (line {lines_of})")
    return Tidy(tuple(rows), tuple(problems), notes)


def _read(name: str, text: str, read: Cell) -> Any:
    try:
        return read(text)
    except ValueError as error:
        raise ValueError(f"{name}: {error}") from None


def misspelled(
    path: Path, header: Sequence[str], known: Sequence[str], synonyms: Mapping[str, str] | None = None
) -> tuple[str, ...]:
    """A note for each column that is not known and is nearly, or by another word, the name of one that is missing."""
    found = []
    for name in header:
        if name not in known:
            word = name.casefold().strip().replace(" ", "_").replace("-", "_")
            meant = (synonyms or {}).get(word)
            near = [meant] if meant else get_close_matches(word, [one for one in known if one not in header], 1, 0.7)
            if near and near[0] not in header:
                found.append(f"{path.name}: column '{name}' is not known and was ignored; did you mean '{near[0]}'?")
    return tuple(found)
