"""The tables of a study beside its responses (docs/files.md): subjects, procedures, therapies, markers, liver function,
occurrences, adverse events.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from functools import partial
from pathlib import Path
from typing import Any

from mrecist.dates import PartialDate, parse_clinical_date
from mrecist.errors import InputError
from mrecist.model import Problem
from mrecist.tables.files import read_rows
from mrecist.tables.subjects import ALIASES, read_people
from mrecist.tables.tidy import Cell, Tidy, misspelled, read_tidy
from mrecist.trial import (
    NOT_RECORDED,
    OUTCOMES,
    PROCEDURES,
    AdverseEvent,
    Fault,
    LiverFunction,
    Marker,
    Occurrence,
    Procedure,
    Subject,
    Therapy,
    Trial,
    child_pugh_of,
)
from mrecist.units import parse_number, parse_size

DATE_COLUMNS = (
    *("consent", "enrolment", "randomisation", "first_dose", "first_procedure", "new_anticancer_therapy"),
    *("withdrawal", "lost_to_follow_up", "death", "last_alive"),
)
"""Columns of subjects.csv that are dates; a protocol may name others (``date:COLUMN``)."""
SYNONYMS = {
    **dict.fromkeys(("death_date", "date_of_death", "dthdt", "dthdtc", "dod", "died", "deceased"), "death"),
    **dict.fromkeys(("lstalvdt", "last_known_alive", "last_seen", "lastcontact", "last_contact_date"), "last_alive"),
    **dict.fromkeys(("date_of_last_contact", "last_follow_up", "last_followup"), "last_alive"),
    **dict.fromkeys(("randdt", "rand_date", "randomisation_date", "randomization_date"), "randomisation"),
    **dict.fromkeys(("first_treatment", "treatment_start", "start_of_treatment", "trtsdt", "rfxstdtc"), "first_dose"),
    **dict.fromkeys(("new_therapy", "subsequent_therapy", "next_therapy", "salvage_therapy"), "new_anticancer_therapy"),
    **dict.fromkeys(("informed_consent", "rficdt", "rficdtc", "icfdt"), "consent"),
    **dict.fromkeys(("withdrawal_date", "withdrawn", "withdrew"), "withdrawal"),
    **dict.fromkeys(("ltfu", "lost", "lost_to_followup"), "lost_to_follow_up"),
    **dict.fromkeys(("data_cutoff", "data_cut_off", "cutoff", "cut_off"), "data_cutoff of [response] in the protocol"),
}
"""What others call the columns of subjects.csv: a note says our name, and nothing is taken for it."""
CLAVIEN_DINDO = ("none", "I", "II", "IIIa", "IIIb", "IVa", "IVb", "V")
TABLES = ("procedures", "therapies", "markers", "liver", "occurrences", "adverse_events")


@dataclass(frozen=True, slots=True, kw_only=True)
class TrialTables:
    """What the tables hold. ``problems`` are of rows that name no subject; those of a subject are the faults of the trial."""

    trial: Trial
    problems: tuple[Problem, ...]
    notes: tuple[str, ...]


def read_trial(
    subjects: Path, files: dict[str, Path], extra_dates: Sequence[str], partial_date: PartialDate
) -> TrialTables:
    """Read subjects.csv and the tables named in ``files`` (keys of :data:`TABLES`).

    Parameters
    ----------
    extra_dates : columns of subjects.csv that the protocol takes dates from, beside :data:`DATE_COLUMNS`.

    Raises
    ------
    InputError : a file is no such table, or has rows of a subject that subjects.csv does not name.
    """
    people = read_subjects(subjects, extra_dates, partial_date)
    problems, notes, faults = list(people.problems), list(people.notes), list(people.faults)
    known = {one.subject for one in people.rows}
    found: dict[str, tuple[Any, ...]] = {}
    for name, path in files.items():
        table = _READ[name](path, partial_date)
        for row in table.rows:
            if row.subject not in known:
                raise InputError(
                    f"{path}: subject {row.subject} is not in {subjects}; add the subject or mend the name"
                )
        faults += [Fault(subject=p.subject, fact=name, message=p.message) for p in table.problems if p.subject in known]
        problems += [p for p in table.problems if p.subject not in known]
        notes += table.notes
        bad = {p.subject for p in table.problems}
        found[name] = tuple(row for row in table.rows if row.subject not in bad)
    trial = Trial(subjects={one.subject: one for one in people.rows}, faults=tuple(dict.fromkeys(faults)), **found)
    return TrialTables(trial=trial, problems=tuple(problems), notes=tuple(notes))


@dataclass(frozen=True, slots=True)
class People:
    """The rows of subjects.csv, with what is at fault in them, problems of rows that name nobody, and notes."""

    rows: tuple[Subject, ...]
    faults: tuple[Fault, ...]
    problems: tuple[Problem, ...]
    notes: tuple[str, ...]


def read_subjects(path: Path, extra_dates: Sequence[str], partial_date: PartialDate) -> People:
    """Read subjects.csv: known date columns, and all others as words. A second row of a subject is refused.

    A date that cannot be read is a fault of its subject, whose other cells stand.
    """
    dates = tuple(dict.fromkeys((*DATE_COLUMNS, *extra_dates)))
    header, lines = read_people(path)
    extra_dates = [ALIASES.get(name, name) for name in extra_dates]
    for name in extra_dates:
        if name not in header:
            raise InputError(f"{path}: has no column '{name}', which the protocol takes a date from; add it")
    rows: dict[str, Subject] = {}
    faults: list[Fault] = []
    problems: list[Problem] = []
    for number, cells in lines:
        subject = cells["subject"]
        if subject in rows:
            raise InputError(f"{path}: line {number} is a second row of subject {subject}; keep one")
        where = f"{path.name} line {number}, subject {subject or '?'}"
        if not subject:
            message = f"{where}: subject is empty; every row names its subject"
            problems.append(Problem(subject="", reader="", message=message))
            continue
        given = {name: cells[name] for name in header if cells.get(name)}
        days: dict[str, date] = {}
        for name in (name for name in dates if name in given):
            try:
                days[name] = parse_clinical_date(given[name], partial_date)
            except ValueError as error:
                faults.append(Fault(subject=subject, fact=f"subjects.{name}", message=f"{where}: {name}: {error}"))
        words = {name: text for name, text in given.items() if name not in (*dates, "subject", "arm")}
        rows[subject] = Subject(subject=subject, arm=given.get("arm", ""), dates=days, words=words)
    if not lines:
        raise InputError(f"{path}: has a header and no rows; an endpoint needs subjects")
    noted = misspelled(path, header, ("subject", "arm", *dates), SYNONYMS)
    if "last_contact" in read_rows(path, ())[0]:
        noted = (*noted, f"{path.name}: column 'last_contact' is read as last_alive, the last day known to be alive")
    return People(tuple(rows.values()), tuple(faults), tuple(problems), noted)


def _columns(partial_date: PartialDate, *dates: str, **others: Cell) -> dict[str, Cell]:
    return {"subject": str, **{name: partial(parse_clinical_date, partial=partial_date) for name in dates}, **others}


def _upper(text: str) -> str:
    return text.strip().upper()


def _word(*allowed: str) -> Cell:
    by_name = {one.casefold(): one for one in allowed}

    def read(text: str) -> str:
        if text.casefold() not in by_name:
            raise ValueError(f"'{text}' is not one of: {', '.join(allowed)}")
        return by_name[text.casefold()]

    return read


def _within(low: int, high: int) -> Cell:
    def read(text: str) -> int:
        if not text.isdecimal() or not low <= int(text) <= high:
            raise ValueError(f"'{text}' is no whole number from {low} to {high}")
        return int(text)

    return read


def _procedures(path: Path, partial_date: PartialDate) -> Tidy[Procedure]:
    columns = _columns(
        partial_date,
        *("date", "complication"),
        procedure=_upper,
        outcome=_outcome,
        clavien_dindo=_word(*CLAVIEN_DINDO),
        comment=str,
    )
    table = read_tidy(path, Procedure, columns, ("subject", "date", "procedure"), _complicated)
    return Tidy(table.rows, table.problems, (*table.notes, *_odd_outcomes(path, table.rows)))


def _outcome(text: str) -> str:
    """As the protocol writes it (``r0`` is R0), any other text as it is."""
    known = {word.casefold(): word for words in OUTCOMES.values() for word in words}
    return known.get(text.casefold(), text)


def _odd_outcomes(path: Path, rows: Sequence[Procedure]) -> Iterator[str]:
    """A note for each outcome of a resection or an ablation that is none of the words: a slip (RO), or a word of one's own."""
    for kind, words in OUTCOMES.items():
        odd = [row.outcome for row in rows if row.procedure in PROCEDURES[kind] and row.outcome not in words]
        for text in sorted({text for text in odd if text.casefold() not in NOT_RECORDED}):
            yield (
                f"{path.name}: outcome '{text}' of {odd.count(text)} rows is none of {', '.join(words)}; where the protocol asks "
                f"for the outcome of a {kind}, it is not recorded"
            )


def _complicated(row: Procedure) -> None:
    """A complication has a grade and does not come before its procedure."""
    if row.complication is not None and row.clavien_dindo in ("", "none"):
        raise ValueError(f"complication is {row.complication} and clavien_dindo is '{row.clavien_dindo}'; correct one")
    if row.complication is not None and row.complication < row.date:
        raise ValueError(f"complication is {row.complication}, before the procedure on {row.date}; correct one")


def _therapies(path: Path, partial_date: PartialDate) -> Tidy[Therapy]:
    return read_tidy(path, Therapy, _columns(partial_date, "date", therapy=str, comment=str), ("subject", "date"))


def _markers(path: Path, partial_date: PartialDate) -> Tidy[Marker]:
    columns = _columns(partial_date, "date", test=_upper, value=str, unit=str)
    required = ("subject", "date", "test", "value", "unit")
    return read_tidy(path, _marker, columns, required, once=("subject", "date", "test"))


def _marker(value: str, **cells: Any) -> Marker:
    below, above = value.startswith("<"), value.startswith(">")
    try:
        number = parse_size(value.lstrip("<>").strip())
    except ValueError as error:
        raise ValueError(f"value: {error}; it is a number of 0 or more, or a limit such as <2") from None
    return Marker(value=number, below=below, above=above, **cells)


def _liver(path: Path, partial_date: PartialDate) -> Tidy[LiverFunction]:
    columns = _columns(partial_date, "date", child_pugh=_word("A", "B", "C"), points=_within(5, 15), albi=parse_number)
    return read_tidy(path, LiverFunction, columns, ("subject", "date"), _same_class, once=("subject", "date"))


def _same_class(row: LiverFunction) -> None:
    """Child-Pugh A is 5 or 6 points, B 7 to 9, C 10 to 15 (Pugh 1973)."""
    if row.points is None:
        return
    by_points = child_pugh_of(row.points)
    if row.child_pugh not in ("", by_points):
        raise ValueError(
            f"child_pugh is {row.child_pugh} and points are {row.points}, which is {by_points}; correct one"
        )


def _occurrences(path: Path, partial_date: PartialDate) -> Tidy[Occurrence]:
    columns = _columns(partial_date, "date", event=lambda text: text.strip().casefold().replace(" ", "_"), comment=str)
    return read_tidy(path, Occurrence, columns, ("subject", "date", "event"))


def _adverse_events(path: Path, partial_date: PartialDate) -> Tidy[AdverseEvent]:
    columns = _columns(
        partial_date,
        *("start", "end"),
        term=str,
        grade=_within(1, 5),
        ctcae_version=str,
        soc=str,
        related=_word("yes", "no"),
        serious=_word("yes", "no"),
        comment=str,
    )
    return read_tidy(path, AdverseEvent, columns, ("subject", "term", "grade"), _in_order)


def _in_order(row: AdverseEvent) -> None:
    if row.start is not None and row.end is not None and row.end < row.start:
        raise ValueError(f"end is {row.end}, before start {row.start}; correct one")


_READ: dict[str, Callable[[Path, PartialDate], Tidy[Any]]] = {
    "procedures": _procedures,
    "therapies": _therapies,
    "markers": _markers,
    "liver": _liver,
    "occurrences": _occurrences,
    "adverse_events": _adverse_events,
}
