"""The CSV files of the boundary: UTF-8, comma, header row, ISO 8601 dates, empty cell = not given (docs/files.md).

Reading is strict and loses nothing: what cannot be read becomes a :class:`Problem` of its subject, and the subject's other rows
are not used in part. Writing is whole or not at all.
"""

from __future__ import annotations

import csv
import io
import os
import tempfile
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import date
from decimal import Decimal, InvalidOperation
from difflib import get_close_matches
from enum import StrEnum
from pathlib import Path
from typing import Any, TypeVar

from mrecist import __version__
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

Word = TypeVar("Word", bound=StrEnum)


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
    try:
        text = path.read_text(encoding="utf-8-sig")
    except OSError as error:
        raise InputError(f"{path}: cannot be read ({error.strerror}); check the path") from None
    except UnicodeDecodeError as error:
        raise InputError(f"{path}: byte {error.start} is not UTF-8; save the table as CSV UTF-8") from None
    reader = csv.reader(io.StringIO(text, newline=""), strict=True)
    try:
        header = [name.strip() for name in next(reader, [])]
        if not header:
            raise InputError(f"{path}: is empty; a header row with {', '.join(required)} is needed")
        _check_header(path, header, required)
        return header, list(_cells(path, header, reader))
    except csv.Error as error:
        raise InputError(f"{path}: line {reader.line_num} is not valid CSV ({error}); mend the quotes") from None


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
        if not any(value.strip() for value in values):
            continue
        if len(values) != len(header):
            raise InputError(
                f"{path}: line {reader.line_num} has {len(values)} cells and the header {len(header)}; mend that line"
            )
        yield reader.line_num, {name: value.strip() for name, value in zip(header, values, strict=True)}


def read_measurements(path: Path, partial: PartialDate = PartialDate.REFUSE) -> Measurements:
    """Read ``measurements.csv`` (docs/files.md).

    Raises :class:`InputError` when the file is no such table; a row that cannot be read is a problem of its subject.
    Columns that the tool does not know are ignored.
    """
    _, lines = read_rows(path, REQUIRED_COLUMNS)
    if not lines:
        raise InputError(f"{path}: has a header and no rows; nothing to assess")
    rows: list[Measurement] = []
    without_kind: list[int] = []
    problems: list[Problem] = []
    for number, cells in lines:
        try:
            row = _measurement(cells, partial)
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


def _measurement(cells: Mapping[str, str], partial: PartialDate) -> Measurement:
    for name in ("subject", "lesion"):
        if not cells[name]:
            raise ValueError(f"{name} is empty; every row names its {name}")
    role = _word(Role, "role", cells["role"])
    state = _word(State, "state", cells["state"])
    if state not in STATES_OF[role]:
        allowed = ", ".join(STATES_OF[role])
        raise ValueError(f"state is '{state}', which a {role} lesion cannot have; use one of: {allowed}")
    given: dict[str, Any] = {name: _size(name, cells) for name in SIZE_COLUMNS if cells.get(name)}
    given |= {name: _word(words, name, cells[name]) for name, words in WORD_COLUMNS.items() if cells.get(name)}
    row = Measurement(
        subject=cells["subject"],
        timepoint=_timepoint(cells["timepoint"]),
        date=parse_date(cells["date"], partial) if cells["date"] else None,
        reader=cells.get("reader") or "R1",
        lesion=cells["lesion"],
        role=role,
        kind=_optional(Kind, "kind", cells) or Kind.LESION,
        organ=cells.get("organ", ""),
        station=cells.get("station", ""),
        state=state,
        part_of=cells.get("part_of", ""),
        viable_foci_mm=_foci(cells.get("viable_foci_mm", "")),
        modality=cells.get("modality", ""),
        phase=cells.get("phase", ""),
        slice_thickness_mm=_size("slice_thickness_mm", cells),
        mean_hu=_signed("mean_hu", cells),
        comment=cells.get("comment", ""),
        **given,
    )
    check_sizes(row)
    _check_lirads(row)
    return row


def check_sizes(row: Measurement) -> None:
    """Raise ``ValueError`` when the sizes of a row contradict its state or each other."""
    sizes = {name: getattr(row, name) for name in ("longest_mm", "short_mm", "viable_mm", "viable_short_mm")}
    if row.state is State.ABSENT:
        # A node is never gone: a non-target node may be recorded absent with its normal short axis.
        normal_node = row.kind is Kind.NODE and row.role is not Role.TARGET
        for name, value in sizes.items():
            if value and not normal_node:
                raise ValueError(f"state is 'absent' but {name} is {show(value)}; correct one of them")
    size = row.short_mm if row.kind is Kind.NODE else row.longest_mm
    if row.role is Role.TARGET and row.state is State.MEASURED and size == 0:
        raise ValueError("state is 'measured' with 0 mm; record 'absent' when it is gone, 'too-small' when it is seen")
    for small, large in (("short_mm", "longest_mm"), ("viable_short_mm", "viable_mm")):
        if sizes[small] is not None and sizes[large] is not None and sizes[small] > sizes[large]:
            raise ValueError(f"{small} {show(sizes[small])} is above {large} {show(sizes[large])}; were they swapped?")


def _check_lirads(row: Measurement) -> None:
    """A LI-RADS treatment response means nothing without its version; Nonprogressing is of the 2024 radiation algorithm."""
    if row.lirads_tr is None:
        return
    if row.lirads_version is None:
        raise ValueError(
            f"lirads_tr is '{row.lirads_tr}' without lirads_version; use one of: {', '.join(LiradsVersion)}"
        )
    radiation = row.lirads_version is LiradsVersion.V2024_RADIATION
    if row.lirads_tr is LiradsResponse.NONPROGRESSING and not radiation:
        raise ValueError(f"lirads_tr is 'nonprogressing' in version {row.lirads_version}; only 2024-radiation has it")


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


def _timepoint(text: str) -> int:
    try:
        timepoint = int(_given("timepoint", text))
    except ValueError:
        raise ValueError(f"timepoint is '{text}'; it is a whole number, 0 = baseline") from None
    if timepoint < 0:
        raise ValueError(f"timepoint is {timepoint}, before the baseline; baseline is 0 and follow-ups are 1, 2, ...")
    return timepoint


def _word(kind: type[Word], name: str, text: str) -> Word:
    try:
        return kind(_given(name, text).casefold())
    except ValueError:
        allowed = ", ".join(kind)
        near = get_close_matches(text.casefold(), list(kind), n=1)
        hint = f"; did you mean '{near[0]}'?" if near else ""
        raise ValueError(f"{name} is '{text}', not one of: {allowed}{hint}") from None


def _optional(kind: type[Word], name: str, cells: Mapping[str, str]) -> Word | None:
    return _word(kind, name, cells[name]) if cells.get(name) else None


def _size(name: str, cells: Mapping[str, str]) -> Decimal | None:
    text = cells.get(name, "")
    if not text:
        return None
    try:
        return parse_size(text)
    except ValueError as error:
        raise ValueError(f"{name}: {error}; a size is a number of 0 or more") from None


def _signed(name: str, cells: Mapping[str, str]) -> Decimal | None:
    text = cells.get(name, "")
    if not text:
        return None
    with suppress(InvalidOperation):
        value = Decimal(text)
        if value.is_finite():
            return value
    raise ValueError(f"{name}: '{text}' is not a number")


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


def read_subject_dates(path: Path | None, protocol: Protocol) -> SubjectDates:
    """The dates of ``subjects.csv`` that the protocol asks for: its origin event, and new anticancer therapy.

    Without the table an origin that the protocol names is missing for everybody, and flagged so.
    """
    event = "" if protocol.origin_event == "baseline" else protocol.origin_event
    if path is None:
        return SubjectDates(origins={} if event else None)
    new_therapy = "new_anticancer_therapy"
    return SubjectDates(
        origins=read_dates(path, event, protocol.partial_date) if event else None,
        new_therapy=read_dates(path, new_therapy, protocol.partial_date)
        if new_therapy in protocol.response.cut
        else {},
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
