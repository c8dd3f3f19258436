"""The conformance cases as typed values, and the comparison of an engine's answers with the expected ones.

A set is a folder of CSV tables: ``cases.csv`` (what each case shows and its source), ``measurements.csv`` or ``overall.csv``
(the input; the subject is the case), ``expected.csv`` (the answers) and ``protocols/NAME.toml``. An expected value without a
time point is a column of ``best_responses.csv``, one with a time point a column of ``responses.csv``; an empty value is an
empty cell. Two columns stand for one code of ``flags``: ``flag`` must be there, ``no_flag`` must not.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from pathlib import Path

from mrecist import tables
from mrecist.errors import InputError
from mrecist.model import BestResponse, Measurement
from mrecist.protocol import Protocol, load_protocol
from mrecist.response.best import Assessment, best_response
from mrecist.response.derive import derive

VERSIONS = ("v1",)
NOT_THERE = "no such row"
Row = Mapping[str, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Expected:
    """One value that a case asks for; without ``timepoint`` it is about the best response."""

    case: str
    criterion: str
    timepoint: int | None
    column: str
    expected: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Difference:
    """An expected value that was not found."""

    case: str
    criterion: str
    timepoint: int | None
    column: str
    expected: str
    found: str

    def __str__(self) -> str:
        where = "best response" if self.timepoint is None else f"time point {self.timepoint}"
        return f"{self.case} {self.criterion} {where}: {self.column} is '{self.found}', expected '{self.expected}'"


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """One case: what it shows, its input (measurements, or reported responses), and the expected values."""

    case: str
    title: str
    source: str
    protocol: str
    why: str
    measurements: tuple[Measurement, ...]
    reported: tables.ReportedResponses | None
    expected: tuple[Expected, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class CaseSet:
    """A version of the cases with its protocols by name; the name "" is the default protocol."""

    version: str
    cases: tuple[Case, ...]
    protocols: Mapping[str, Protocol]


# --- loading ---------------------------------------------------------------------------------------------------------


def load_cases(folder: Path | None = None) -> CaseSet:
    """Load a set of cases; None loads the newest one of this package.

    Raises :class:`InputError` when the tables cannot be read or do not fit together.
    """
    folder = folder or Path(__file__).parent / "cases" / VERSIONS[-1]
    measurements = tables.read_measurements(folder / "measurements.csv")
    reported, problems = tables.read_overall(folder / "overall.csv")
    for problem in (*measurements.problems, *problems):
        raise InputError(f"{folder}: {problem.message}")
    rows_of: dict[str, list[Measurement]] = {}
    for row in measurements.rows:
        rows_of.setdefault(row.subject, []).append(row)
    reported_of = {r.subject: r for r in reported}
    expected_of = _expected(folder / "expected.csv")
    cases = tuple(
        Case(
            **cells,
            measurements=tuple(rows_of.pop(cells["case"], ())),
            reported=reported_of.pop(cells["case"], None),
            expected=tuple(expected_of.pop(cells["case"], ())),
        )
        for cells in _table(folder / "cases.csv", ("case", "title", "source", "protocol", "why"))
    )
    strays = sorted({*rows_of, *reported_of, *expected_of})
    if strays:
        raise InputError(f"{folder}: {', '.join(strays)} has rows and is not in cases.csv, or is there twice; add it")
    names = sorted({case.protocol for case in cases} - {""})
    protocols = {name: load_protocol(folder / "protocols" / f"{name}.toml") for name in names}
    return CaseSet(version=folder.name, cases=cases, protocols={"": load_protocol(), **protocols})


def _table(path: Path, columns: tuple[str, ...]) -> list[dict[str, str]]:
    _, lines = tables.read_rows(path, columns)
    return [{name: cells[name] for name in columns} for _, cells in lines]


def _expected(path: Path) -> dict[str, list[Expected]]:
    found: dict[str, list[Expected]] = {}
    for cells in _table(path, ("case", "criterion", "timepoint", "column", "expected")):
        timepoint = int(cells["timepoint"]) if cells["timepoint"] else None
        found.setdefault(cells["case"], []).append(
            Expected(
                case=cells["case"],
                criterion=cells["criterion"],
                timepoint=timepoint,
                column=cells["column"],
                expected=cells["expected"],
            )
        )
    return found


# --- this engine -----------------------------------------------------------------------------------------------------


def differences(cases: CaseSet, change: Callable[[Protocol], Protocol] | None = None) -> list[Difference]:
    """Run this package's engine on every case and compare; ``change`` alters each protocol first (to test the cases)."""
    found: list[Difference] = []
    for name, protocol in cases.protocols.items():
        group = [case for case in cases.cases if case.protocol == name]
        found += _differences_of(group, change(protocol) if change else protocol)
    return found


def _differences_of(cases: list[Case], protocol: Protocol) -> list[Difference]:
    reads = {(case.case, "R1"): case.measurements for case in cases if case.measurements}
    derived = derive(reads, protocol, protocol.criteria)
    best = [*derived.best, *(row for case in cases for row in _best_of_reported(case, protocol))]
    refused = {problem.subject: f"refused: {problem.message}" for problem in derived.problems}
    return compare(
        cases,
        _rows(tables.responses_csv(derived.responses, protocol.sha256)),
        _rows(tables.best_responses_csv(best, protocol.sha256)),
        refused,
    )


def _best_of_reported(case: Case, protocol: Protocol) -> list[BestResponse]:
    if case.reported is None:
        return []
    return [
        best_response(
            [Assessment(date=day, overall=overall) for day, overall in case.reported.responses],
            start=case.reported.baseline_date,
            rules=protocol.response,
            subject=case.case,
            reader=case.reported.reader,
            criterion=criterion,
        )
        for criterion in sorted({e.criterion for e in case.expected})
    ]


def _rows(text: str) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(text, newline="")))


# --- comparing -------------------------------------------------------------------------------------------------------


def compare(
    cases: Iterable[Case], responses: Iterable[Row], best: Iterable[Row], refused: Mapping[str, str] | None = None
) -> list[Difference]:
    """Compare an engine's answers with the expected ones.

    Parameters
    ----------
    cases : the cases that were run.
    responses : rows of its ``responses.csv`` (subject, criterion, timepoint and the columns asked for).
    best : rows of its ``best_responses.csv``.
    refused : case -> words, for cases that the engine would not answer.
    """
    by_key: dict[tuple[str, str, int | None], Row] = {}
    by_key |= {(row["subject"], row["criterion"], int(row["timepoint"])): row for row in responses}
    by_key |= {(row["subject"], row["criterion"], None): row for row in best}
    found: list[Difference] = []
    for case in cases:
        for wanted in case.expected:
            row = by_key.get((wanted.case, wanted.criterion, wanted.timepoint))
            value = (refused or {}).get(wanted.case, NOT_THERE) if row is None else _value(row, wanted.column)
            if row is None or not _meets(value, wanted):
                found.append(_difference(wanted, value))
    return found


def _value(row: Row, column: str) -> str:
    return row["flags" if column in ("flag", "no_flag") else column]


def _meets(found: str, wanted: Expected) -> bool:
    codes = [flag.partition(":")[0] for flag in found.split(";")]
    if wanted.column == "flag":
        return wanted.expected in codes
    if wanted.column == "no_flag":
        return wanted.expected not in codes
    return found == wanted.expected or _number(found) == _number(wanted.expected) is not None


def _number(text: str) -> Decimal | None:
    try:
        return Decimal(text)
    except InvalidOperation:
        return None


def _difference(wanted: Expected, found: str) -> Difference:
    return Difference(
        case=wanted.case,
        criterion=wanted.criterion,
        timepoint=wanted.timepoint,
        column=wanted.column,
        expected=wanted.expected,
        found=found,
    )
