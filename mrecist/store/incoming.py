"""What comes into a store from files: the visits of cases, one visit's rows, and what the reading room signed."""

from __future__ import annotations

import json
from pathlib import Path

from mrecist.dates import PartialDate, parse_date
from mrecist.errors import InputError, NotSigned, StoreError
from mrecist.model import Measurement
from mrecist.store.visits import Span
from mrecist.tables import read_measurements, read_rows, safe_name

VISIT_COLUMNS = ("subject", "timepoint", "date")
LAST_DATE = "last_date"
"""The column of ``visits.csv`` for visits of several days; it may be absent or empty."""
INVESTIGATOR_COLUMNS = ("subject", "reader")


def read_visits(path: Path) -> dict[str, dict[int, Span]]:
    """Subject -> time point -> days, from a table with these columns (a measurements.csv has them).

    Raises :class:`InputError` for a row that cannot be read, a last day before the first, or other days of the same visit.
    """
    found: dict[str, dict[int, Span]] = {}
    for number, cells in read_rows(path, VISIT_COLUMNS)[1]:
        where = f"{path}: line {number}"
        try:
            timepoint, first = int(cells["timepoint"]), parse_date(cells["date"])
            span = Span(first, parse_date(cells[LAST_DATE]) if cells.get(LAST_DATE) else first)
        except ValueError as error:
            raise InputError(f"{where}: {error}; a visit has a time point (0, 1, 2, ...) and a date") from None
        if not cells["subject"] or timepoint < 0:
            raise InputError(f"{where}: names no subject, or a time point before the baseline")
        if span.last < span.first:
            raise InputError(f"{where}: the last day {span.last} of the visit is before its first, {span.first}")
        known = found.setdefault(cells["subject"], {}).setdefault(timepoint, span)
        if known != span:
            raise InputError(
                f"{where}: {cells['subject']} time point {timepoint} is of {span} here and of {known} above; "
                f"a visit of several days is one row with its last day in the column {LAST_DATE}"
            )
    if not found:
        raise InputError(f"{path}: has a header and no rows; no visit to add")
    return found


def read_investigators(path: Path) -> dict[str, str]:
    """Subject -> investigator, from a table with the columns subject and reader.

    Raises :class:`InputError` for a row without one of them, or two investigators of one subject.
    """
    found: dict[str, str] = {}
    for number, cells in read_rows(path, INVESTIGATOR_COLUMNS)[1]:
        subject, reader = cells["subject"], cells["reader"]
        if not subject or not reader:
            raise InputError(f"{path}: line {number}: names no subject, or no reader")
        if found.setdefault(subject, reader) != reader:
            raise InputError(
                f"{path}: line {number}: {subject} has the investigator {reader} here and {found[subject]} above; keep one"
            )
    return found


def rows_of_visit(path: Path, subjects: tuple[str, ...], reader: str, timepoint: int) -> list[Measurement]:
    """The rows of one reader's visit in a measurements.csv; ``subjects`` are the names of the one subject,
    first the one that the reader knows.

    Raises :class:`StoreError` when there is none, or a row of the read has a problem: nothing of it is taken then.
    """
    table = read_measurements(path, PartialDate.REFUSE, only=lambda name: name in subjects)
    for problem in table.problems:
        if problem.reader == reader:
            raise StoreError(f"{problem.message}; nothing of this read was written")
    rows = [row for row in table.rows if row.timepoint == timepoint and row.reader == reader]
    if not rows:
        raise StoreError(f"{path}: has no row of {subjects[0]}, reader {reader}, time point {timepoint}")
    return rows


def from_reading_room(study: Path, reader: str, subject: str, timepoint: int) -> tuple[list[Path], str]:
    """The files that the reading room wrote when a visit was signed, and by whom in words.

    Raises :class:`NotSigned` when the visit is not signed there.
    """
    stem = f"read_{safe_name(reader)}_{safe_name(subject)}"
    marks = study / "reads" / f"{stem}.json"
    try:
        visits = json.loads(marks.read_text(encoding="utf-8"))["visits"]
        signed = next((one["signature"] for one in visits if one["timepoint"] == timepoint), None)
        said = f"reading room, signed by {signed['name']} at {signed['at']}: {signed['meaning']}" if signed else ""
    except FileNotFoundError:
        said = ""
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise StoreError(f"{marks}: is no signed read ({error})") from None
    if not said:
        raise NotSigned(f"{marks}: time point {timepoint} is not signed in the reading room; sign it there first")
    masks = sorted((study / "masks" / stem).glob(f"{timepoint}_*.dcm"))
    return [*masks, marks, study / "reads" / f"{stem}.csv"], said
