"""The conformance cases as typed values.

A set is a folder of CSV tables: ``cases.csv`` (what each case shows and its source), ``measurements.csv`` and ``overall.csv``
(the input; the subject is the case), ``subjects.csv`` (optional: dates of the subjects), ``expected.csv`` (the answers) and
``protocols/NAME.toml``. The format is in docs/conformance.md.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from mrecist import tables
from mrecist.errors import InputError
from mrecist.model import Measurement
from mrecist.protocol import Protocol, load_protocol

VERSIONS = ("v1",)
CASE_COLUMNS = ("case", "title", "source", "protocol", "why")
EXPECTED_COLUMNS = ("case", "criterion", "timepoint", "column", "expected")


@dataclass(frozen=True, slots=True, kw_only=True)
class Expected:
    """One value that a case asks for; without ``timepoint`` it is about the best response."""

    case: str
    criterion: str
    timepoint: int | None
    column: str
    expected: str


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

    @property
    def group(self) -> str:
        """The topic: the name without its last part."""
        return self.case.rpartition("-")[0] or self.case

    @property
    def criteria(self) -> tuple[str, ...]:
        """The criteria that the case asks about, in the order of the table."""
        return tuple(dict.fromkeys(e.criterion for e in self.expected))


@dataclass(frozen=True, slots=True, kw_only=True)
class CaseSet:
    """A version of the cases with its protocols by name; the name "" is the default protocol."""

    version: str
    folder: Path
    cases: tuple[Case, ...]
    protocols: Mapping[str, Protocol]

    @property
    def subjects(self) -> Path | None:
        """The table of dates, where the set has one."""
        path = self.folder / "subjects.csv"
        return path if path.exists() else None

    def groups(self) -> list[tuple[str, Protocol, list[Case]]]:
        """The cases by protocol: name, protocol, cases."""
        return [
            (name, protocol, [case for case in self.cases if case.protocol == name])
            for name, protocol in self.protocols.items()
        ]


def load_cases(folder: Path | None = None) -> CaseSet:
    """Load a set of cases; None loads the newest one of this package.

    Raises :class:`InputError` when the tables cannot be read or do not fit together.
    """
    folder = folder or Path(__file__).parent / "cases" / VERSIONS[-1]
    if not folder.is_dir():
        raise InputError(
            f"{folder}: is not a folder; give a folder with cases.csv and expected.csv (docs/conformance.md)"
        )
    rows_of = _measurements(folder / "measurements.csv")
    reported_of = _reported(folder / "overall.csv")
    expected_of = _expected(folder / "expected.csv")
    cases = tuple(
        Case(
            **cells,
            measurements=tuple(rows_of.pop(cells["case"], ())),
            reported=reported_of.pop(cells["case"], None),
            expected=tuple(expected_of.pop(cells["case"], ())),
        )
        for cells in _table(folder / "cases.csv", CASE_COLUMNS)
    )
    strays = sorted({*rows_of, *reported_of, *expected_of})
    if strays:
        raise InputError(f"{folder}: {', '.join(strays)} has rows and is not in cases.csv, or is there twice; add it")
    for case in cases:
        if not case.expected or bool(case.measurements) == (case.reported is not None):
            raise InputError(
                f"{folder}: case {case.case} needs rows in expected.csv, and in one of measurements.csv and overall.csv"
            )
    names = sorted({case.protocol for case in cases} - {""})
    protocols = {name: load_protocol(folder / "protocols" / f"{name}.toml") for name in names}
    return CaseSet(version=folder.name, folder=folder, cases=cases, protocols={"": load_protocol(), **protocols})


def _measurements(path: Path) -> dict[str, list[Measurement]]:
    rows_of: dict[str, list[Measurement]] = {}
    if path.exists():
        found = tables.read_measurements(path)
        for problem in found.problems:
            raise InputError(problem.message)
        for row in found.rows:
            rows_of.setdefault(row.subject, []).append(row)
    return rows_of


def _reported(path: Path) -> dict[str, tables.ReportedResponses]:
    if not path.exists():
        return {}
    reported, problems = tables.read_overall(path)
    for problem in problems:
        raise InputError(problem.message)
    return {r.subject: r for r in reported}


def _table(path: Path, columns: tuple[str, ...]) -> list[dict[str, str]]:
    _, lines = tables.read_rows(path, columns)
    return [{name: cells[name] for name in columns} for _, cells in lines]


def _expected(path: Path) -> dict[str, list[Expected]]:
    found: dict[str, list[Expected]] = {}
    for cells in _table(path, EXPECTED_COLUMNS):
        if cells["timepoint"] and not cells["timepoint"].isdecimal():
            raise InputError(
                f"{path}: case {cells['case']} has timepoint '{cells['timepoint']}'; it is 0, 1, 2, ... or empty for the "
                f"best response"
            )
        found.setdefault(cells["case"], []).append(
            Expected(
                case=cells["case"],
                criterion=cells["criterion"],
                timepoint=int(cells["timepoint"]) if cells["timepoint"] else None,
                column=cells["column"],
                expected=cells["expected"],
            )
        )
    return found
