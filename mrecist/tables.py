"""The CSV files of the boundary: UTF-8, comma, header row, ISO 8601 dates, empty cell = not given (docs/files.md).

Reading is strict and loses nothing: what cannot be read becomes a :class:`Problem` of its subject, and the subject's other rows
are not used in part. Writing is whole or not at all.
"""

from __future__ import annotations

import csv
import io
import os
import tempfile
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import date
from decimal import Decimal, InvalidOperation
from difflib import get_close_matches
from enum import StrEnum
from functools import lru_cache, partial
from pathlib import Path
from typing import Any

from mrecist import __version__
from mrecist.contradictions import contradictions_of_row
from mrecist.dates import PartialDate, parse_date
from mrecist.errors import InputError
from mrecist.model import (
    STATES_OF,
    Basis,
    BestResponse,
    Change,
    Cytology,
    Kind,
    LiradsResponse,
    LiradsVersion,
    LocalTherapy,
    Measurement,
    Pattern,
    Problem,
    Response,
    Role,
    State,
    SubjectDates,
    VisitResponse,
    YesNo,
)
from mrecist.protocol import Protocol
from mrecist.units import difference, parse_size, percent_change, show

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
    *(*SIZE_COLUMNS, "mean_hu", "viable_foci_mm", "basis", "part_of", "pattern", "change", "intratumoral_nodule"),
    *("local_therapy", "progressed_since", "imaged_at_baseline", "lipiodol", "cytology", "lirads_tr", "lirads_version"),
    *("modality", "phase", "slice_thickness_mm", "comment"),
)
REQUIRED_COLUMNS = ("subject", "timepoint", "date", "lesion", "role", "state")
RESPONSE_COLUMNS = (
    *("subject", "reader", "criterion", "timepoint", "date", "sum", "unit", "baseline_sum", "nadir_sum"),
    *("nadir_timepoint", "pct_from_baseline", "pct_from_nadir", "abs_from_nadir", "target", "non_target"),
    *("new_lesion", "overall", "flags", "reason", "protocol_sha256", "version"),
)
BEST_COLUMNS = (
    *("subject", "reader", "criterion", "best_unconfirmed", "best_confirmed", "first_response_date"),
    *("confirmed_response_date", "progression_date", "last_assessment_date", "flags", "reason"),
    *("protocol_sha256", "version"),
)
PROBLEM_COLUMNS = ("subject", "reader", "message")
OVERALL_REQUIRED = ("subject", "date", "overall", "baseline_date")

# Cells repeat: a cell that was read once is not read again. What raises is not kept.
cache_cells = lru_cache(maxsize=100_000)


@dataclass(frozen=True, slots=True, kw_only=True)
class Measurements:
    """What ``measurements.csv`` holds: rows that can be used, and one problem for each row that cannot."""

    rows: tuple[Measurement, ...]
    problems: tuple[Problem, ...]

    def reads(self) -> dict[tuple[str, str], list[Measurement]]:
        """(subject, reader) -> rows, without the reads that have a problem, in order of subject and reader."""
        bad = {(p.subject, p.reader) for p in self.problems}
        reads: dict[tuple[str, str], list[Measurement]] = {}
        for row in self.rows:
            if (row.subject, row.reader) not in bad:
                reads.setdefault((row.subject, row.reader), []).append(row)
        return dict(sorted(reads.items()))


# --- reading ---------------------------------------------------------------------------------------------------------


def read_rows(path: Path, required: Sequence[str]) -> tuple[list[str], list[tuple[int, dict[str, str]]]]:
    """Header and (line number, cells) of a CSV file; raises :class:`InputError` when it is no table with those columns."""
    reader, header = _open_table(path, required)
    try:
        return header, list(_cells(path, header, reader))
    except csv.Error as error:
        raise _not_csv(path, reader, error) from None


def _open_table(path: Path, required: Sequence[str]) -> tuple[Any, list[str]]:
    """A reader of the rows below the header, and the header."""
    try:
        text = path.read_text(encoding="utf-8-sig")
    except OSError as error:
        raise InputError(f"{path}: cannot be read ({error.strerror}); check the path") from None
    except UnicodeDecodeError as error:
        raise InputError(f"{path}: byte {error.start} is not UTF-8; save the table as CSV UTF-8") from None
    reader = csv.reader(io.StringIO(text, newline=""), strict=True)
    try:
        header = [name.strip() for name in next(reader, [])]
    except csv.Error as error:
        raise _not_csv(path, reader, error) from None
    if not header:
        raise InputError(f"{path}: is empty; a header row with {', '.join(required)} is needed")
    _check_header(path, header, required)
    return reader, header


def _not_csv(path: Path, reader: Any, error: csv.Error) -> InputError:
    return InputError(f"{path}: line {reader.line_num} is not valid CSV ({error}); mend the quotes")


def read_column(path: Path, name: str) -> list[str]:
    """One column of a CSV file, faster than all of it; raises as :func:`read_rows`."""
    reader, header = _open_table(path, (name,))
    place = header.index(name)
    try:
        return [cells[place].strip() for cells in reader if len(cells) > place]
    except csv.Error as error:
        raise _not_csv(path, reader, error) from None


def _check_header(path: Path, header: list[str], required: Sequence[str]) -> None:
    missing = [name for name in required if name not in header]
    if missing:
        hints = []
        for name in missing:
            near = get_close_matches(name, [h.casefold() for h in header], n=1)
            hints.append(f"'{name}'" + (f" (there is '{near[0]}')" if near else ""))
        raise InputError(f"{path}: no column {', '.join(hints)}; the header is: {', '.join(header)}")
    twice = sorted({name for name in header if name and header.count(name) > 1})
    if twice:
        raise InputError(f"{path}: column {', '.join(twice)} appears twice; keep one")


def _cells(path: Path, header: list[str], reader: Any) -> Iterable[tuple[int, dict[str, str]]]:
    for values in reader:
        if not "".join(values).strip():
            continue
        if len(values) != len(header):
            raise InputError(
                f"{path}: line {reader.line_num} has {len(values)} cells and the header {len(header)}; mend that line"
            )
        yield reader.line_num, dict(zip(header, map(str.strip, values), strict=True))


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
    header, lines = read_rows(path, REQUIRED_COLUMNS)
    if not lines:
        raise InputError(f"{path}: has a header and no rows; nothing to assess")
    readers = {name: read for name, read in _READERS.items() if name in header}
    rows: list[Measurement] = []
    without_kind: list[int] = []
    problems: list[Problem] = []
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
    _fill_kinds(rows, without_kind)
    return Measurements(rows=tuple(rows), problems=tuple(problems))


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


def _foci(text: str) -> tuple[Decimal, ...]:
    """``12.5;8`` or ``12.5+8``."""
    try:
        return tuple(parse_size(part) for part in text.replace("+", ";").split(";") if part.strip())
    except ValueError as error:
        raise ValueError(f"viable_foci_mm: {error}; it is sizes in mm with ; between them") from None


def _given(name: str, text: str) -> str:
    if not text:
        raise ValueError(f"{name} is empty; it is required")
    return text


@cache_cells
def _timepoint(text: str) -> int:
    try:
        timepoint = int(_given("timepoint", text))
    except ValueError:
        raise ValueError(f"timepoint is '{text}'; it is a whole number, 0 = baseline") from None
    if timepoint < 0:
        raise ValueError(f"timepoint is {timepoint}, before the baseline; baseline is 0 and follow-ups are 1, 2, ...")
    return timepoint


@cache_cells
def _word(kind: type[StrEnum], name: str, text: str) -> Any:
    try:
        return kind(_given(name, text).casefold())
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
    with suppress(InvalidOperation):
        value = Decimal(text)
        if value.is_finite():
            return value
    raise ValueError(f"{name}: '{text}' is not a number")


# Column -> what reads a cell of it that is not empty. The other columns are required and read by name.
_READERS: dict[str, Callable[[str], Any]] = {
    **dict.fromkeys(("subject", "reader", "lesion", "organ", "station", "part_of", "modality", "phase"), str),
    "kind": partial(_word, Kind, "kind"),
    **{name: partial(_size, name) for name in (*SIZE_COLUMNS, "slice_thickness_mm")},
    "mean_hu": partial(_signed, "mean_hu"),
    "viable_foci_mm": _foci,
    **{name: partial(_word, words, name) for name, words in WORD_COLUMNS.items()},
    "comment": str,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class ReportedResponses:
    """The reported responses of one subject by one reader, from ``overall.csv``."""

    subject: str
    reader: str
    baseline_date: date
    responses: tuple[tuple[date, Response], ...]


def read_overall(
    path: Path, partial: PartialDate = PartialDate.REFUSE
) -> tuple[list[ReportedResponses], list[Problem]]:
    """Read ``overall.csv``; a subject whose rows cannot be read or contradict each other becomes a problem."""
    _, lines = read_rows(path, OVERALL_REQUIRED)
    if not lines:
        raise InputError(f"{path}: has a header and no rows; nothing to derive")
    cases: dict[tuple[str, str], list[tuple[int, dict[str, str]]]] = {}
    for number, cells in lines:
        cases.setdefault((cells["subject"], cells.get("reader") or "R1"), []).append((number, cells))
    reported: list[ReportedResponses] = []
    problems: list[Problem] = []
    for (subject, reader), rows in sorted(cases.items()):
        try:
            reported.append(_reported(subject, reader, rows, partial))
        except ValueError as error:
            message = f"{path.name}, subject {subject or '?'}, reader {reader}: {error}"
            problems.append(Problem(subject=subject, reader=reader, message=message))
    return reported, problems


def _reported(
    subject: str, reader: str, rows: list[tuple[int, dict[str, str]]], partial: PartialDate
) -> ReportedResponses:
    _given("subject", subject)
    baselines = sorted({parse_date(cells["baseline_date"], partial) for _, cells in rows if cells["baseline_date"]})
    if len(baselines) != 1:
        found = ", ".join(str(b) for b in baselines) or "none"
        raise ValueError(f"baseline_date is {found}; give exactly one date")
    responses: dict[date, Response] = {}
    for number, cells in rows:
        if not cells["date"] and not cells["overall"]:
            continue
        day = parse_date(_given("date", cells["date"]), partial)
        if day <= baselines[0]:
            raise ValueError(f"line {number} is dated {day}, not after the baseline of {baselines[0]}; correct one")
        if day in responses:
            raise ValueError(f"line {number} is a second response of {day}; keep one")
        responses[day] = _category(cells["overall"])
    _one_vocabulary(responses)
    return ReportedResponses(
        subject=subject, reader=reader, baseline_date=baselines[0], responses=tuple(sorted(responses.items()))
    )


_CATEGORIES = {r.casefold(): r for r in Response if r is not Response.MISSING}
_IMMUNE_ONLY = frozenset(r for r in Response if r.startswith("i") or "-i" in r)


def _category(text: str) -> Response:
    if text.casefold() not in _CATEGORIES:
        raise ValueError(f"overall is '{text}', not one of: {', '.join(_CATEGORIES.values())}")
    return _CATEGORIES[text.casefold()]


def _one_vocabulary(responses: dict[date, Response]) -> None:
    """iRECIST and the other criteria do not mix in one series."""
    immune = [r for r in responses.values() if r in _IMMUNE_ONLY]
    plain = [r for r in responses.values() if r not in _IMMUNE_ONLY and r not in (Response.NE, Response.NA)]
    if immune and plain:
        raise ValueError(f"overall is both '{immune[0]}' and '{plain[0]}'; iRECIST has iCR, iPR, iSD, iUPD, iCPD only")


def read_dates(path: Path, column: str, partial: PartialDate = PartialDate.REFUSE) -> dict[str, date]:
    """Subject -> date of one column of ``subjects.csv``; subjects without that date are left out."""
    _, lines = read_rows(path, ("subject", column))
    dates: dict[str, date] = {}
    for number, cells in lines:
        if cells["subject"] in dates:
            raise InputError(f"{path}: line {number} is a second row of subject {cells['subject']}; keep one")
        if cells[column]:
            try:
                dates[cells["subject"]] = parse_date(cells[column], partial)
            except ValueError as error:
                raise InputError(f"{path}: line {number}, {column}: {error}") from None
    return dates


def read_subject_dates(path: Path | None, protocol: Protocol, *, origin: bool = True) -> SubjectDates:
    """The dates of ``subjects.csv`` that the protocol asks for: its origin event, and new anticancer therapy.

    Without the table they are missing for everybody, and flagged so. ``origin`` is False where another table starts the clock.
    """
    event = protocol.origin_event if origin and protocol.origin_event != "baseline" else ""
    if path is None:
        return SubjectDates(origins={} if event else None)
    therapy = "new_anticancer_therapy"
    return SubjectDates(
        origins=read_dates(path, event, protocol.partial_date) if event else None,
        new_therapy=read_dates(path, therapy, protocol.partial_date) if therapy in protocol.response.cut else None,
    )


# --- writing ---------------------------------------------------------------------------------------------------------


def write_whole(path: Path, content: str | bytes) -> None:
    """Write a file whole or not at all: a temporary file beside it takes its place only when complete."""
    path.parent.mkdir(parents=True, exist_ok=True)
    data = content.encode("utf-8") if isinstance(content, str) else content
    handle, name = tempfile.mkstemp(prefix=f".{path.name}.", suffix=".part", dir=path.parent)
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        umask = os.umask(0)
        os.umask(umask)
        os.chmod(name, 0o666 & ~umask)
        os.replace(name, path)
    except BaseException:
        with suppress(OSError):
            os.unlink(name)
        raise


def csv_text(columns: Sequence[str], rows: Iterable[Mapping[str, Any]]) -> str:
    """A CSV table as text; None is an empty cell, tuples are joined by semicolons, decimals are plain."""
    buffer = io.StringIO(newline="")
    writer = csv.writer(buffer, lineterminator="\n")
    writer.writerow(columns)
    writer.writerows([_cell(row.get(name)) for name in columns] for row in rows)
    return buffer.getvalue()


def _cell(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, Decimal):
        return show(value)
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, tuple):
        # A lesion id may hold a semicolon; in a list it would look like two items.
        return ";".join([show(item) if isinstance(item, Decimal) else str(item).replace(";", ",") for item in value])
    return str(value)


def measurements_csv(rows: Iterable[Measurement]) -> str:
    """``measurements.csv`` as text."""
    return csv_text(MEASUREMENT_COLUMNS, ({name: getattr(row, name) for name in MEASUREMENT_COLUMNS} for row in rows))


def responses_csv(rows: Iterable[VisitResponse], protocol_sha256: str) -> str:
    """``responses.csv`` as text."""
    return csv_text(RESPONSE_COLUMNS, (_response_cells(row, protocol_sha256) for row in rows))


def _response_cells(row: VisitResponse, protocol_sha256: str) -> dict[str, Any]:
    cells: dict[str, Any] = {name: getattr(row, name, None) for name in RESPONSE_COLUMNS}
    cells |= {"protocol_sha256": protocol_sha256, "version": __version__}
    if row.nadir is not None:
        cells |= {"nadir_sum": row.nadir.sum, "nadir_timepoint": row.nadir.timepoint}
    if row.sum is not None and row.timepoint > 0:
        if row.baseline_sum is not None:
            cells["pct_from_baseline"] = percent_change(row.sum, row.baseline_sum)
        if row.nadir is not None:
            cells["pct_from_nadir"] = percent_change(row.sum, row.nadir.sum)
            cells["abs_from_nadir"] = difference(row.sum, row.nadir.sum)
    return cells


def best_responses_csv(rows: Iterable[BestResponse], protocol_sha256: str) -> str:
    """``best_responses.csv`` as text."""
    extra = {"protocol_sha256": protocol_sha256, "version": __version__}
    return csv_text(BEST_COLUMNS, ({**{n: getattr(row, n, None) for n in BEST_COLUMNS}, **extra} for row in rows))


def problems_csv(problems: Iterable[Problem]) -> str:
    """``problems.csv`` as text."""
    return csv_text(PROBLEM_COLUMNS, ({n: getattr(problem, n) for n in PROBLEM_COLUMNS} for problem in problems))
