"""``subjects.csv``: the dates of each subject that a protocol asks for (docs/files.md)."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from pathlib import Path

from mrecist.dates import PartialDate, parse_date
from mrecist.errors import InputError
from mrecist.model import (
    SubjectDates,
)
from mrecist.protocol import Protocol
from mrecist.tables.files import read_rows

ALIASES = {"randomization": "randomisation", "enrollment": "enrolment", "last_contact": "last_alive"}
"""Columns of subjects.csv by other names that mean nothing else."""


def read_people(path: Path, required: Sequence[str] = ()) -> tuple[list[str], list[tuple[int, dict[str, str]]]]:
    """Header and (line number, cells) of ``subjects.csv`` by our names of its columns.

    Raises :class:`InputError` when it lacks one of ``required``, or has a column by both of its names.
    """
    header, lines = read_rows(path, ("subject",))
    for alias, name in ALIASES.items():
        if alias in header and name in header:
            raise InputError(f"{path}: columns '{alias}' and '{name}' are the same; keep one")
    named = [ALIASES.get(name, name) for name in header]
    if not set(required) <= set(named):
        read_rows(path, required)  # Says which column is missing, and what is there.
    if named == header:
        return header, lines
    return named, [(number, {ALIASES.get(name, name): cell for name, cell in cells.items()}) for number, cells in lines]


def read_dates(path: Path, column: str, partial: PartialDate = PartialDate.REFUSE) -> dict[str, date]:
    """Subject -> date of one column of ``subjects.csv``; subjects without that date are left out."""
    _, lines = read_people(path, ("subject", column))
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

    Without the table they are missing for everybody, and flagged so. ``origin`` is False where another table starts the clock: the
    origin then says, where there is one, which therapy came before day 1.
    """
    event = protocol.origin.event if origin and protocol.origin.event != "baseline" else ""
    if path is None:
        return SubjectDates(origins={} if event else None)
    if not origin and protocol.origin.event not in ("", "baseline") and protocol.origin.event in read_people(path)[0]:
        event = protocol.origin.event
    therapy = "new_anticancer_therapy"
    return SubjectDates(
        origins=read_dates(path, event, protocol.partial_date) if event else None,
        new_therapy=read_dates(path, therapy, protocol.partial_date) if therapy in protocol.response.cut else None,
    )
