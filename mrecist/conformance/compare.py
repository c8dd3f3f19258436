"""An engine's answers against the expected values of the cases.

An expected value without a time point is a column of ``best_responses.csv``, one with a time point a column of
``responses.csv``; an empty value is an empty cell. Three columns are not of those tables: a ``flag`` must be among ``flags``, a
``no_flag`` must not (a code, or a code with the beginning of its detail), and ``row`` is ``absent`` where nothing may be answered.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from decimal import Decimal, InvalidOperation

from mrecist.conformance.cases import Case, Expected

NOT_THERE = "no such row"
NO_COLUMN = "no such column"
TWICE = "two rows"
NOT_ASKED = "not asked"
Row = Mapping[str, str]
Key = tuple[str, str, int | None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Answers:
    """What an engine wrote for a group of cases.

    ``refused`` has words for the cases that it would not answer. ``no_responses`` and ``no_best`` say why a table is not there at
    all.
    """

    responses: tuple[Row, ...] = ()
    best: tuple[Row, ...] = ()
    refused: Mapping[str, str] = field(default_factory=dict)
    no_responses: str = ""
    no_best: str = ""

    @property
    def criteria(self) -> frozenset[str]:
        """The criteria that any row is about."""
        return frozenset(row["criterion"] for row in (*self.responses, *self.best))

    @property
    def broken(self) -> bool:
        """The run failed, so that what is missing says nothing of what the engine knows."""
        return any(why not in ("", NOT_ASKED) for why in (self.no_responses, self.no_best))


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
        return f"{self.case} {self.criterion} {self.in_words()}"

    def in_words(self) -> str:
        """The difference without its case."""
        where = "best response" if self.timepoint is None else f"time point {self.timepoint}"
        return f"{where}: {self.column} is '{self.found}', expected '{self.expected}'"


def compare(cases: Iterable[Case], answers: Answers) -> list[Difference]:
    """Every expected value of the cases that the answers do not meet."""
    rows = _by_key(answers)
    found: list[Difference] = []
    for case in cases:
        for wanted in case.expected:
            value = _difference_from(rows, wanted, answers)
            if value is not None:
                found.append(_difference(wanted, value))
    return found


def _by_key(answers: Answers) -> dict[Key, Row | None]:
    """Rows by case, criterion and time point; None where there are two."""
    rows: dict[Key, Row | None] = {}
    for row in answers.responses:
        if row["timepoint"].isdecimal():
            key = (row["subject"], row["criterion"], int(row["timepoint"]))
            rows[key] = None if key in rows else row
    for row in answers.best:
        best = (row["subject"], row["criterion"], None)
        rows[best] = None if best in rows else row
    return rows


def _difference_from(rows: Mapping[Key, Row | None], wanted: Expected, answers: Answers) -> str | None:
    """What was found in place of the expected value; None when it is met."""
    missing = answers.no_best if wanted.timepoint is None else answers.no_responses
    if missing:
        return missing
    key = (wanted.case, wanted.criterion, wanted.timepoint)
    if wanted.column == "row":
        there = key in rows
        return None if there == (wanted.expected != "absent") else ("there" if there else NOT_THERE)
    row = rows.get(key)
    if row is None:
        return TWICE if key in rows else answers.refused.get(wanted.case, NOT_THERE)
    column = "flags" if wanted.column in ("flag", "no_flag") else wanted.column
    if column not in row:
        return NO_COLUMN
    return None if _meets(row[column], wanted) else row[column]


def _meets(found: str, wanted: Expected) -> bool:
    if wanted.column in ("flag", "no_flag"):
        there = any(_names(flag, wanted.expected) for flag in found.split(";"))
        return there == (wanted.column == "flag")
    return found == wanted.expected or _number(found) == _number(wanted.expected) is not None


def _names(flag: str, wanted: str) -> bool:
    return flag.startswith(wanted) if ":" in wanted else flag.partition(":")[0] == wanted


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
