"""``measurements.csv``: one row a subject, reader, time point and lesion (docs/files.md)."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from decimal import Decimal
from difflib import get_close_matches
from enum import StrEnum
from functools import lru_cache, partial
from pathlib import Path
from typing import Any

from mrecist.contradictions import contradictions_of_row
from mrecist.dates import PartialDate, parse_date
from mrecist.errors import InputError
from mrecist.model import (
    STATES_OF,
    Basis,
    Change,
    Cytology,
    Kind,
    LiradsResponse,
    LiradsVersion,
    LocalTherapy,
    Measurement,
    Pattern,
    Problem,
    Role,
    State,
    YesNo,
)
from mrecist.tables.files import cell_text, csv_text, not_empty, stream_rows
from mrecist.units import parse_number, parse_size

SIZE_COLUMNS = ("longest_mm", "short_mm", "viable_mm", "viable_short_mm", "volume_mm3", "viable_volume_mm3")
# Columns with a fixed list of words -> the words.
WORD_COLUMNS: dict[str, type[StrEnum]] = {
    "basis": Basis,
    "pattern": Pattern,
    "change": Change,
    "intratumoral_nodule": Change,
    "local_therapy": LocalTherapy,
    "progressed_since": YesNo,
    "imaged_at_baseline": YesNo,
    "lipiodol": YesNo,
    "cytology": Cytology,
    "lirads_tr": LiradsResponse,
    "lirads_version": LiradsVersion,
}
MEASUREMENT_COLUMNS = (
    *("subject", "timepoint", "date", "reader", "lesion", "role", "kind", "organ", "station", "state"),
    *(
        *SIZE_COLUMNS,
        "mean_hu",
        "dense_percent",
        "viable_foci_mm",
        "manual",
        "basis",
        "part_of",
        "pattern",
        "change",
        "intratumoral_nodule",
    ),
    *("local_therapy", "progressed_since", "imaged_at_baseline", "lipiodol", "cytology", "lirads_tr", "lirads_version"),
    *("modality", "phase", "slice_thickness_mm", "comment"),
)
REQUIRED_COLUMNS = ("subject", "timepoint", "date", "lesion", "role", "state")


# Cells repeat: a cell that was read once is not read again. What raises is not kept.
cache_cells = lru_cache(maxsize=100_000)


@dataclass(frozen=True, slots=True, kw_only=True)
class Measurements:
    """What ``measurements.csv`` holds: rows that can be used, and one problem for each row that cannot."""

    rows: tuple[Measurement, ...]
    problems: tuple[Problem, ...]
    # Columns that are not known and look like misspellings of known ones.
    notes: tuple[str, ...] = ()

    def reads(self) -> dict[tuple[str, str], list[Measurement]]:
        """(subject, reader) -> rows, without the reads that have a problem, in order of subject and reader."""
        bad = {(p.subject, p.reader) for p in self.problems}
        reads: dict[tuple[str, str], list[Measurement]] = {}
        for row in self.rows:
            if (row.subject, row.reader) not in bad:
                reads.setdefault((row.subject, row.reader), []).append(row)
        return dict(sorted(reads.items()))


def read_measurements(
    path: Path,
    partial: PartialDate = PartialDate.REFUSE,
    *,
    only: Callable[[str], bool] | None = None,
    keep_contradicting: bool = False,
) -> Measurements:
    """Read ``measurements.csv`` (docs/files.md), all of it or the subjects that ``only`` says yes to.

    Raises :class:`InputError` when the file is no such table; a row that cannot be read is a problem of its subject, and so
    is a row that contradicts itself unless ``keep_contradicting`` (a check lists what is wrong with it; no response follows).
    Columns that the tool does not know are ignored.
    """
    header, lines = stream_rows(path, REQUIRED_COLUMNS)
    readers = {name: read for name, read in _READERS.items() if name in header}
    rows: list[Measurement] = []
    without_kind: list[int] = []
    problems: list[Problem] = []
    number = 0
    for number, cells in lines:
        if only is not None and not only(cells["subject"]):
            continue
        try:
            row = _measurement(cells, readers, partial)
            if not keep_contradicting:
                for found in contradictions_of_row(row):
                    raise ValueError(str(found))
            if not cells.get("kind"):
                without_kind.append(len(rows))
            rows.append(row)
        except ValueError as error:
            name = cells["lesion"] or "?"
            where = f"{path.name} line {number}, subject {cells['subject'] or '?'}, lesion {name}"
            problem = Problem(subject=cells["subject"], reader=cells.get("reader") or "R1", message=f"{where}: {error}")
            problems.append(problem)
    if number == 0:
        raise InputError(f"{path}: has a header and no rows; nothing to assess")
    _fill_kinds(rows, without_kind)
    return Measurements(rows=tuple(rows), problems=tuple(problems), notes=tuple(_misspelled(path, header)))


def _misspelled(path: Path, header: list[str]) -> Iterator[str]:
    """Columns that are not known are ignored; one that is nearly a known column which is not there is told."""
    for name in header:
        if name not in MEASUREMENT_COLUMNS:
            missing = [known for known in MEASUREMENT_COLUMNS if known not in header]
            near = get_close_matches(name.casefold(), missing, n=1, cutoff=0.7)
            if near:
                yield f"{path.name}: column '{name}' is not known and was ignored; did you mean '{near[0]}'?"


def _fill_kinds(rows: list[Measurement], without_kind: list[int]) -> None:
    """A row that leaves the kind empty has the kind that another row of the lesion states."""
    if not without_kind or all(row.kind is Kind.LESION for row in rows):
        return
    empty = set(without_kind)
    stated: dict[tuple[str, str, str], Kind] = {}
    for index, row in enumerate(rows):
        if index not in empty:
            stated.setdefault((row.subject, row.reader, row.lesion), row.kind)
    for index in without_kind:
        row = rows[index]
        rows[index] = replace(row, kind=stated.get((row.subject, row.reader, row.lesion), row.kind))


def _measurement(
    cells: Mapping[str, str], readers: Mapping[str, Callable[[str], Any]], partial_date: PartialDate
) -> Measurement:
    for name in ("subject", "lesion"):
        if not cells[name]:
            raise ValueError(f"{name} is empty; every row names its {name}")
    role: Role = _word(Role, "role", cells["role"])
    state: State = _word(State, "state", cells["state"])
    if state not in STATES_OF[role]:
        allowed = ", ".join(STATES_OF[role])
        raise ValueError(f"state is '{state}', which a {role} lesion cannot have; use one of: {allowed}")
    # An empty cell is "not given": the field keeps its default.
    given = {name: read(text) for name, read in readers.items() if (text := cells[name])}
    return Measurement(
        role=role,
        state=state,
        timepoint=_timepoint(cells["timepoint"]),
        date=parse_date(cells["date"], partial_date) if cells["date"] else None,
        **given,
    )


def measurement_of(cells: Mapping[str, str], partial: PartialDate = PartialDate.REFUSE) -> Measurement:
    """A row out of the texts of its cells; a column that is absent or empty is not given.

    Raises ``ValueError`` with the reason when a cell cannot be read or the row contradicts itself.
    """
    given = {**dict.fromkeys(MEASUREMENT_COLUMNS, ""), **cells}
    row = _measurement(given, _READERS, partial)
    for found in contradictions_of_row(row):
        raise ValueError(str(found))
    return row


def _foci(text: str) -> tuple[Decimal, ...]:
    """``12.5;8`` or ``12.5+8``."""
    try:
        return tuple(parse_size(part) for part in text.replace("+", ";").split(";") if part.strip())
    except ValueError as error:
        raise ValueError(f"viable_foci_mm: {error}; it is sizes in mm with ; between them") from None


def _manual(text: str) -> tuple[str, ...]:
    """``longest_mm;viable_mm``."""
    names = tuple(part.strip() for part in text.split(";") if part.strip())
    unknown = [name for name in names if name not in SIZE_COLUMNS]
    if unknown:
        raise ValueError(f"manual is '{text}': {unknown[0]} is no size; it names columns of {', '.join(SIZE_COLUMNS)}")
    return names


@cache_cells
def _timepoint(text: str) -> int:
    try:
        timepoint = int(not_empty("timepoint", text).replace("_", "?"))
    except ValueError:
        raise ValueError(f"timepoint is '{text}'; it is a whole number, 0 = baseline") from None
    if timepoint < 0:
        raise ValueError(f"timepoint is {timepoint}, before the baseline; baseline is 0 and follow-ups are 1, 2, ...")
    return timepoint


@cache_cells
def _word(kind: type[StrEnum], name: str, text: str) -> Any:
    try:
        return kind(not_empty(name, text).casefold())
    except ValueError:
        allowed = ", ".join(kind)
        near = get_close_matches(text.casefold(), list(kind), n=1)
        hint = f"; did you mean '{near[0]}'?" if near else ""
        raise ValueError(f"{name} is '{text}', not one of: {allowed}{hint}") from None


@cache_cells
def _size(name: str, text: str) -> Decimal:
    try:
        return parse_size(text)
    except ValueError as error:
        raise ValueError(f"{name}: {error}; a size is a number of 0 or more") from None


@cache_cells
def _signed(name: str, text: str) -> Decimal:
    try:
        return parse_number(text)
    except ValueError as error:
        raise ValueError(f"{name}: {error}") from None


# Column -> what reads a cell of it that is not empty. The other columns are required and read by name.
_READERS: dict[str, Callable[[str], Any]] = {
    **dict.fromkeys(("subject", "reader", "lesion", "organ", "station", "part_of", "modality", "phase"), str),
    "kind": partial(_word, Kind, "kind"),
    **{name: partial(_size, name) for name in (*SIZE_COLUMNS, "slice_thickness_mm", "dense_percent")},
    "mean_hu": partial(_signed, "mean_hu"),
    "viable_foci_mm": _foci,
    "manual": _manual,
    **{name: partial(_word, words, name) for name, words in WORD_COLUMNS.items()},
    "comment": str,
}


def measurement_cells(row: Measurement) -> dict[str, str]:
    """The texts of the cells of a row; :func:`measurement_of` reads them back."""
    return {name: cell_text(getattr(row, name)) for name in MEASUREMENT_COLUMNS}


def measurements_csv(rows: Iterable[Measurement]) -> str:
    """``measurements.csv`` as text."""
    return csv_text(MEASUREMENT_COLUMNS, ({name: getattr(row, name) for name in MEASUREMENT_COLUMNS} for row in rows))
