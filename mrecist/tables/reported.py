"""``overall.csv``: responses that were reported elsewhere (docs/files.md)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from pathlib import Path

from mrecist.dates import PartialDate, parse_clinical_date
from mrecist.errors import InputError
from mrecist.model import (
    Problem,
    Response,
)
from mrecist.tables.files import not_empty, read_rows

REGIONS = ("intrahepatic", "extrahepatic")
OVERALL_REQUIRED = ("subject", "date", "overall", "baseline_date")


@dataclass(frozen=True, slots=True, kw_only=True)
class ReportedResponses:
    """The reported responses of one subject by one reader (and one criterion, where the table names them), from ``overall.csv``."""

    subject: str
    reader: str
    baseline_date: date
    responses: tuple[tuple[date, Response], ...]
    criterion: str = ""


def read_overall(
    path: Path, partial: PartialDate = PartialDate.REFUSE, region: str = ""
) -> tuple[list[ReportedResponses], list[Problem]]:
    """Read ``overall.csv``; a subject whose rows cannot be read or contradict each other becomes a problem.

    ``region`` : the rows of that region only; without it those of none, which are of the whole subject.
    """
    _not_by_another_name(path)
    _, lines = read_rows(path, (*OVERALL_REQUIRED, "region") if region else OVERALL_REQUIRED)
    if not lines:
        raise InputError(f"{path}: has a header and no rows; nothing to derive")
    _criterion_everywhere(path, lines)
    cases: dict[tuple[str, str, str], list[tuple[int, dict[str, str]]]] = {}
    for number, cells in lines:
        if cells.get("region", "") not in ("", *REGIONS):
            raise InputError(
                f"{path}: line {number}: region is '{cells['region']}', not one of: {', '.join(REGIONS)}, or empty"
            )
        if cells.get("region", "") != region:
            continue
        key = cells["subject"], cells.get("reader") or "R1", cells.get("criterion", "")
        cases.setdefault(key, []).append((number, cells))
    reported: list[ReportedResponses] = []
    problems: list[Problem] = []
    for (subject, reader, criterion), rows in sorted(cases.items()):
        try:
            reported.append(_reported(subject, reader, criterion, rows, partial))
        except ValueError as error:
            message = f"{path.name}, subject {subject or '?'}, reader {reader}: {error}"
            problems.append(Problem(subject=subject, reader=reader, message=message))
    return reported, problems


_OTHER_NAMES = ("response", "overall_response", "overallresponse", "ovrlresp", "rsstresc", "rsorres", "avalc")


def _not_by_another_name(path: Path) -> None:
    """Raises :class:`InputError` for a table whose responses stand in a column of another name."""
    header, _ = read_rows(path, ())
    other = next((name for name in header if name.casefold().replace(" ", "_") in _OTHER_NAMES), None)
    if other is not None and "overall" not in header:
        raise InputError(
            f"{path}: no column 'overall'; if '{other}' is the overall response of each visit, call it overall "
            f"(the header is: {', '.join(header)})"
        )


def _criterion_everywhere(path: Path, lines: list[tuple[int, dict[str, str]]]) -> None:
    """Raises :class:`InputError` where some responses name their criterion and others do not."""
    named = [bool(cells.get("criterion")) for _, cells in lines if cells["overall"]]
    if any(named) and not all(named):
        number = next(number for number, cells in lines if cells["overall"] and not cells.get("criterion"))
        raise InputError(f"{path}: line {number} names no criterion and other lines do; fill the column everywhere")


def _reported(
    subject: str, reader: str, criterion: str, rows: list[tuple[int, dict[str, str]]], partial: PartialDate
) -> ReportedResponses:
    not_empty("subject", subject)
    baselines = sorted(
        {parse_clinical_date(cells["baseline_date"], partial) for _, cells in rows if cells["baseline_date"]}
    )
    if len(baselines) != 1:
        found = ", ".join(str(b) for b in baselines) or "missing"
        raise ValueError(f"baseline_date is {found}; give exactly one date")
    responses: dict[date, Response] = {}
    for number, cells in rows:
        if not cells["date"] and not cells["overall"]:
            continue
        day = parse_clinical_date(not_empty("date", cells["date"]), partial)
        if day == baselines[0] and not cells["overall"]:
            continue  # The baseline itself, which has no response.
        if day <= baselines[0]:
            raise ValueError(f"line {number} is dated {day}, not after the baseline of {baselines[0]}; correct one")
        if cells["overall"].casefold() == Response.MISSING.casefold():
            continue  # A visit that was not made, as if there were no row.
        if day in responses:
            raise ValueError(f"line {number} is a second response of {day}; keep one")
        responses[day] = _category(cells["overall"])
    _one_vocabulary(responses)
    return ReportedResponses(
        subject=subject,
        reader=reader,
        baseline_date=baselines[0],
        responses=tuple(sorted(responses.items())),
        criterion=criterion,
    )


_CATEGORIES = {r.casefold(): r for r in Response if r is not Response.MISSING}
_IMMUNE_ONLY = frozenset(r for r in Response if r.startswith("i") or "-i" in r)


def _category(text: str) -> Response:
    if text.casefold() not in _CATEGORIES:
        raise ValueError(
            f"overall is '{text}', not one of: {', '.join(_CATEGORIES.values())}, or MISSING for a visit not made"
        )
    return _CATEGORIES[text.casefold()]


def _one_vocabulary(responses: dict[date, Response]) -> None:
    """iRECIST and the other criteria do not mix in one series."""
    immune = [r for r in responses.values() if r in _IMMUNE_ONLY]
    plain = [r for r in responses.values() if r not in _IMMUNE_ONLY and r not in (Response.NE, Response.NA)]
    if immune and plain:
        raise ValueError(f"overall is both '{immune[0]}' and '{plain[0]}'; iRECIST has iCR, iPR, iSD, iUPD, iCPD only")
