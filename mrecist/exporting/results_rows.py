"""The rows of a results folder as recorded: what an export to a trial database starts from."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from mrecist.accepted import Accepted, accepted_of_results, faults_of
from mrecist.derivation import other_rules, problems_told, rows_path, unchanged_rows_path
from mrecist.errors import InputError
from mrecist.model import Problem, Role
from mrecist.protocol import Protocol, load_protocol
from mrecist.tables import (
    BEST_COLUMNS,
    MEASUREMENT_COLUMNS,
    RESPONSE_COLUMNS,
    WORD_COLUMNS,
    read_measurements,
    read_rows,
)

Cells = Mapping[str, str]
# Numbers that stay the same when later visits are added: what repeats in a database is told apart by them.
LESION_NUMBER, RESPONSE_NUMBER = "lesion_number", "response_number"
# The track of the review in which the read of a response is the accepted one.
ACCEPTED_TRACK, NOT_ACCEPTED = "accepted", "no"
_ROLES = [str(role) for role in Role]
_WORDS = ("role", "kind", "state", *WORD_COLUMNS)


@dataclass(frozen=True, slots=True, kw_only=True)
class ResultRows:
    """Rows by column name, each cell the text that was recorded, with the readers R1 and so on filled in.

    Measurements also hold ``lesion_number`` (1, 2, ... within the subject: by first visit, reader, role and name), responses and
    best responses ``response_number`` (1, 2, ... for each reader and criterion of the folder) and ``accepted``, the track in which
    their read is the accepted one, or no. Words are in small letters. ``subjects`` is empty without its table.
    """

    subjects: tuple[Cells, ...]
    measurements: tuple[Cells, ...]
    responses: tuple[Cells, ...]
    best_responses: tuple[Cells, ...]
    protocol: Protocol
    problems: tuple[Problem, ...]
    notes: tuple[str, ...]
    accepted: Accepted = field(default_factory=Accepted)

    def table(self, name: str) -> tuple[Cells, ...]:
        """The rows of ``subjects``, ``measurements``, ``responses`` or ``best_responses``."""
        found: tuple[Cells, ...] = getattr(self, name)
        return found

    def subject_names(self) -> list[str]:
        """Every subject of any table, in order."""
        every = (self.subjects, self.measurements, self.responses, self.best_responses)
        return sorted({cells["subject"] for rows in every for cells in rows})


# Table -> its columns; of subjects.csv the columns that are there.
TABLES: dict[str, tuple[str, ...]] = {
    "subjects": (),
    "measurements": (*MEASUREMENT_COLUMNS, LESION_NUMBER),
    "responses": (*RESPONSE_COLUMNS, RESPONSE_NUMBER, ACCEPTED_TRACK),
    "best_responses": (*BEST_COLUMNS, RESPONSE_NUMBER, ACCEPTED_TRACK),
}


def read_results(folder: Path, subjects: Path | None = None, protocol: Path | None = None) -> ResultRows:
    """What ``assess`` or ``score`` wrote in ``folder``, and ``subjects.csv``.

    Raises :class:`InputError` when the folder holds no results, tables that do not belong together, or a protocol that is not the
    one the responses were derived by. A read that has a problem is left out and told.
    """
    kept = folder / "derivation" / "protocol.toml"
    rules = load_protocol(protocol or (kept if kept.is_file() else None))
    path = _measurements_path(folder)
    checked = read_measurements(path, rules.partial_date)
    bad = {(problem.subject, problem.reader) for problem in checked.problems}
    measured = [cells for cells in _rows(path, MEASUREMENT_COLUMNS, required=("lesion",)) if _read(cells) not in bad]
    responses = list(_rows(folder / "responses.csv", RESPONSE_COLUMNS, required=RESPONSE_COLUMNS))
    odd = next((cells for cells in responses if not cells["timepoint"].isdecimal()), None)
    if odd is not None:
        where = f"{folder / 'responses.csv'}: subject {odd['subject']}"
        raise InputError(f"{where}: timepoint is '{odd['timepoint']}'; run assess or score again")
    best = list(_rows(folder / "best_responses.csv", BEST_COLUMNS, required=BEST_COLUMNS))
    derived = {_read(cells) for cells in best}
    notes = list(other_rules(folder, rules))
    unassessed = sorted({_read(cells) for cells in measured} - derived)
    problems = [
        Problem(
            subject=s, reader=r, message=f"subject {s}, reader {r}: is measured and has no response; it is left out"
        )
        for s, r in unassessed
    ]
    people = _subjects(subjects) if subjects is not None else []
    if subjects is not None:
        unknown = sorted({cells["subject"] for cells in (*measured, *best)} - {cells["subject"] for cells in people})
        notes.extend(f"subject {name}: is not in {subjects}" for name in unknown)
    accepted = accepted_of_results(folder, {cells["criterion"] for cells in best})
    told = (*problems_told(folder), *checked.problems, *problems)
    keys = {(*_read(cells), cells["criterion"]) for cells in best}
    without = faults_of(accepted, keys, {(one.subject, one.reader) for one in told}).values()
    return ResultRows(
        subjects=tuple(people),
        measurements=tuple(_number_lesions(cells for cells in measured if _read(cells) in derived)),
        responses=tuple(_number_responses(_with_track(responses, accepted))),
        best_responses=tuple(_number_responses(_with_track(best, accepted))),
        protocol=rules,
        problems=(*told, *without),
        notes=tuple(notes),
        accepted=accepted,
    )


def _measurements_path(folder: Path) -> Path:
    assessed, shown = rows_path(folder), folder / "measurements.csv"
    if not assessed.is_file():
        if not shown.is_file():
            raise InputError(f"{folder}: holds no measurements.csv; give the folder that assess or score wrote")
        return shown
    return unchanged_rows_path(folder)


def _rows(path: Path, columns: Sequence[str], required: Sequence[str]) -> Iterator[dict[str, str]]:
    """Each row with every column; one that the file lacks is empty."""
    _, lines = read_rows(path, required)
    for _, cells in lines:
        row = {name: cells.get(name, "") for name in columns}
        row["reader"] = row["reader"] or "R1"
        if row.get("timepoint", "").lstrip("+").isdecimal():
            row["timepoint"] = str(int(row["timepoint"]))  # 01 is 1
        yield row | {name: row[name].casefold() for name in _WORDS if row.get(name)}


def _read(cells: Cells) -> tuple[str, str]:
    return cells["subject"], cells["reader"]


def _subjects(path: Path) -> list[dict[str, str]]:
    _, lines = read_rows(path, ("subject",))
    found: dict[str, dict[str, str]] = {}
    for number, cells in lines:
        if not cells["subject"]:
            raise InputError(f"{path}: line {number}: subject is empty; every row names its subject")
        if cells["subject"] in found:
            raise InputError(f"{path}: line {number} is a second row of subject {cells['subject']}; keep one")
        found[cells["subject"]] = cells
    return [found[name] for name in sorted(found)]


def natural(text: str) -> tuple[tuple[int, int, str], ...]:
    """A key that puts T2 before T10."""
    parts = re.findall(r"[0-9]+|[^0-9]+", text)
    return tuple((0, int(part), part) if part.isascii() and part.isdigit() else (1, 0, part) for part in parts)


def _number_lesions(rows: Iterable[Mapping[str, str]]) -> Iterator[Cells]:
    """Rows by subject, visit and lesion number."""
    first: dict[tuple[str, str, str], tuple[object, ...]] = {}
    kept = list(rows)
    for cells in kept:
        key = (cells["subject"], cells["reader"], cells["lesion"])
        rank = (int(cells["timepoint"]), key[1], _ROLES.index(cells["role"]), natural(key[2]), key[2])
        first[key] = min(first.get(key, rank), rank)
    numbers: dict[tuple[str, str, str], int] = {}
    counts: dict[str, int] = {}
    for key in sorted(first, key=lambda one: (one[0], *first[one])):
        counts[key[0]] = numbers[key] = counts.get(key[0], 0) + 1
    numbered = [
        {**cells, LESION_NUMBER: str(numbers[cells["subject"], cells["reader"], cells["lesion"]])} for cells in kept
    ]
    yield from sorted(numbered, key=lambda one: (one["subject"], int(one["timepoint"]), int(one[LESION_NUMBER])))


def _with_track(rows: Iterable[Mapping[str, str]], accepted: Accepted) -> list[dict[str, str]]:
    """Rows with the track in which their read is the accepted one.

    "no" where another read is, or none: a database would keep what it was told before. "" where the table does not decide.
    """
    return [{**cells, ACCEPTED_TRACK: _track(cells, accepted)} for cells in rows]


def _track(cells: Mapping[str, str], accepted: Accepted) -> str:
    track, criterion = accepted.track(cells["reader"]), cells["criterion"]
    if not accepted.decides(criterion, track):
        return ""
    return str(track) if accepted.reader(cells["subject"], criterion, track) == cells["reader"] else NOT_ACCEPTED


def _number_responses(rows: Sequence[Mapping[str, str]]) -> Iterator[Cells]:
    """Rows by subject, visit and response number."""
    pairs = sorted({(cells["reader"], cells["criterion"]) for cells in rows}, key=lambda one: (natural(one[0]), one))
    number = {pair: str(place) for place, pair in enumerate(pairs, start=1)}
    numbered = [{**cells, RESPONSE_NUMBER: number[cells["reader"], cells["criterion"]]} for cells in rows]
    yield from sorted(
        numbered, key=lambda one: (one["subject"], int(one.get("timepoint") or 0), int(one[RESPONSE_NUMBER]))
    )
