"""The rows of a REDCap import: one for each record, visit and instance of a form."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from mrecist.errors import InputError
from mrecist.exporting.redcap.dictionary import RECORD_ID, Instrument, choices, code_of
from mrecist.exporting.results_fields import Field, FieldKind, plain_value
from mrecist.exporting.results_rows import Cells, ResultRows
from mrecist.model import Problem
from mrecist.tables import read_rows
from mrecist.tables.files import is_formula

EVENT, REPEAT_INSTRUMENT, REPEAT_INSTANCE = "redcap_event_name", "redcap_repeat_instrument", "redcap_repeat_instance"
# REDCap keeps no control characters but these in a text.
_CONTROL = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\ud800-\udfff]")
_MOST_LETTERS_OF_A_RECORD = 100


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One filled form. ``instance`` is 0 where the form does not repeat; ``event`` is "" where visits are no events."""

    record: str
    form: Instrument
    event: str
    values: Mapping[str, str]
    instance: int = 0

    @property
    def identity(self) -> tuple[str, ...]:
        """What tells the instances of its form apart."""
        return tuple(self.values.get(name, "") for name in self.form.identity)

    @property
    def place(self) -> tuple[str, str, str]:
        """Where instances are counted."""
        return self.record, self.event, self.form.name

    @property
    def name(self) -> str:
        """For a person."""
        told = [f"record {self.record}", self.event, self.form.name, " ".join(self.identity)]
        return ", ".join(part for part in told if part)

    def row(self, longitudinal: bool) -> dict[str, str]:
        """As REDCap's flat records have it."""
        event = {EVENT: self.event} if longitudinal else {}
        repeats = self.form.repeats
        return {
            RECORD_ID: self.record,
            **event,
            REPEAT_INSTRUMENT: self.form.name if repeats else "",
            REPEAT_INSTANCE: str(self.instance) if repeats else "",
            **self.values,
        }


@dataclass(slots=True)
class Entries:
    """Every filled form in order, and what could not be filled."""

    entries: list[Entry] = field(default_factory=list)
    problems: list[Problem] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)


def read_events(path: Path | None) -> dict[str, str]:
    """Time point -> unique event name; "" is that of the forms without a time point. Empty without a file.

    Raises :class:`InputError` for a file without both columns, or a time point twice.
    """
    found: dict[str, str] = {}
    for number, cells in read_rows(path, ("timepoint", "event"))[1] if path is not None else ():
        if cells["timepoint"] in found or not cells["event"]:
            raise InputError(f"{path}: line {number}: time point '{cells['timepoint']}' needs exactly one event")
        found[cells["timepoint"]] = cells["event"]
    if path is not None and not found:
        raise InputError(f"{path}: names no event; give a row for each time point, and one without for the other forms")
    return found


def entries_of(rows: ResultRows, forms: Sequence[Instrument], events: Mapping[str, str], complete: str) -> Entries:
    """The results as filled forms, with instances counted from 1; ``complete`` is 0, 1 or 2."""
    found = Entries()
    usable = {name for name in rows.subject_names() if _usable(name, found)}
    for form in forms:
        for cells in rows.table(form.table):
            if cells["subject"] in usable:
                _fill(form, cells, events, complete, found)
    named = {entry.record for entry in found.entries if entry.form is forms[0]}
    for name in sorted(usable - named) if not events or "" in events else ():
        # Of whom nothing is known but measurements: the first form makes the record
        values = {forms[0].complete: complete}
        found.entries.append(Entry(record=name, form=forms[0], event=events.get("", ""), values=values))
    found.entries = number(sorted(found.entries, key=lambda entry: entry.record), {})
    return found


def _usable(name: str, found: Entries) -> bool:
    if len(name) <= _MOST_LETTERS_OF_A_RECORD and name.isprintable():
        return True
    message = f"subject {name[:40]}: is no record name that REDCap takes (at most 100 printable characters); it is not exported"
    found.problems.append(Problem(subject=name, reader="", message=message))
    return False


def _fill(form: Instrument, cells: Cells, events: Mapping[str, str], complete: str, found: Entries) -> None:
    timepoint = cells.get("timepoint", "")
    where = f"{form.table}: subject {cells['subject']}" + (f", time point {timepoint}" if timepoint else "")
    if events and timepoint not in events:
        message = f"{where}: the events name none for time point '{timepoint}'; the row is not exported"
        found.problems.append(Problem(subject=cells["subject"], reader=cells.get("reader", ""), message=message))
        return
    values: dict[str, str] = {}
    for name, one in form.fields.items():
        text = cells.get(one.column, "")
        try:
            value = _value(one, text) if text else ""
        except ValueError as error:
            message = f"{where}: {one.column}: {error}; the value is not exported"
            found.problems.append(Problem(subject=cells["subject"], reader=cells.get("reader", ""), message=message))
            value = ""
        if value:
            values[name] = value
    if values:
        values[form.complete] = complete
        event = events.get(timepoint, "")
        found.entries.append(Entry(record=cells["subject"], form=form, event=event, values=values))


def _value(one: Field, text: str) -> str:
    if _CONTROL.search(text):
        raise ValueError("holds a control character; mend the cell")
    if one.kind is FieldKind.CHOICE:
        code = code_of(text)
        if choices(one).get(code) != text:
            raise ValueError(f"'{text}' is not one of: {', '.join(one.words)}")
        return code
    return plain_value(one, text)


def number(
    entries: Iterable[Entry], taken: Mapping[tuple[str, str, str], Mapping[tuple[str, ...], int]]
) -> list[Entry]:
    """Entries with their instances: that of ``taken`` where the same one is there, else the next free number of its form."""
    known = {place: dict(instances) for place, instances in taken.items()}
    found = []
    for entry in entries:
        if not entry.form.repeats:
            found.append(entry)
            continue
        here = known.setdefault(entry.place, {})
        instance = here.setdefault(entry.identity, max(here.values(), default=0) + 1)
        found.append(replace(entry, instance=instance))
    return found


def joined(rows: Iterable[dict[str, str]]) -> list[dict[str, str]]:
    """Forms that do not repeat share the row of their record and event: REDCap takes no row twice."""
    found: dict[tuple[str, ...], dict[str, str]] = {}
    for row in rows:
        key = tuple(row.get(name, "") for name in (RECORD_ID, EVENT, REPEAT_INSTRUMENT, REPEAT_INSTANCE))
        found[key] = found.get(key, {}) | row
    return list(found.values())


def import_csv(entries: Iterable[Entry], forms: Sequence[Instrument], longitudinal: bool) -> str:
    """The import file. Its cells are raw: REDCap would keep an apostrophe that tames a formula as part of the value."""
    fields = [name for form in forms for name in (*form.fields, form.complete)]
    event = [EVENT] if longitudinal else []
    buffer = io.StringIO(newline="")
    writer = csv.DictWriter(
        buffer, [RECORD_ID, *event, REPEAT_INSTRUMENT, REPEAT_INSTANCE, *fields], restval="", lineterminator="\n"
    )
    writer.writeheader()
    writer.writerows(joined(entry.row(longitudinal) for entry in entries))
    return buffer.getvalue()


def formula_cells(entries: Iterable[Entry]) -> list[str]:
    """Where the import file holds a cell that a spreadsheet would run."""
    return [
        f"{entry.name}: {name}"
        for entry in entries
        for name, text in ((RECORD_ID, entry.record), *entry.values.items())
        if is_formula(text)
    ]
