"""Dates, study days, visits, and which record is the baseline."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from datetime import date

from mrecist.dates import days_between
from mrecist.sdtm.checks.datasets import Study, Table
from mrecist.sdtm.checks.rule import Rule, Said, error, warning
from mrecist.sdtm.datasets import Record
from mrecist.sdtm.read import reader_in

RULES: tuple[Rule, ...] = (
    error(
        "date_form",
        "--DTC that is no ISO 8601 date",
        "SDTMIG 3.4, 4.4.1",
        "Write YYYY-MM-DD, with THH:MM:SS where the time is known.",
        stops=True,
    ),
    warning(
        "date_missing",
        "a record of TU or TR without --DTC",
        "SDTMIG 3.4, 6.3.12, core Exp",
        "Give the date of the image.",
    ),
    error(
        "day_zero", "--DY 0: there is no day 0", "SDTMIG 3.4, 4.4.4", "The day of RFSTDTC is 1, the day before it -1."
    ),
    error(
        "day_differs",
        "--DY that is not the days from RFSTDTC of DM to --DTC",
        "SDTMIG 3.4, 4.4.4",
        "Derive --DY again, or correct the date.",
    ),
    error(
        "visit_differs",
        "a VISITNUM with another VISIT than elsewhere, or the reverse",
        "SDTMIG 3.4, 4.4.5",
        "Give one name to each number.",
        stops=True,
    ),
    error("visit_not_a_number", "VISITNUM that is no number", "SDTMIG 3.4, 4.4.5", "Write the number of the visit."),
    error(
        "baseline_flag_repeated",
        "--LOBXFL = Y on two records of one test of one lesion or criterion by one reader",
        "SDTMIG 3.4, 4.5.9",
        "Keep it on the last record before treatment.",
        stops=True,
    ),
    error(
        "baseline_after_treatment",
        "--LOBXFL = Y on a record dated after the first treatment (RFXSTDTC of DM)",
        "SDTMIG 3.4, 4.5.9",
        "Remove the flag, or correct the dates.",
    ),
)
# 2024, 2024-01, 2024-01-31, with a time; a missing part is a hyphen (4.4.2).
_DTC = re.compile(r"(\d{4}|-)(-(\d{2}|-)(-(\d{2}|-)(T(\d{2}|-)(:(\d{2}|-)(:\d{2}(\.\d+)?)?)?(Z|[+-]\d{2}:\d{2})?)?)?)?")
_NUMBER = re.compile(r"-?\d+(\.\d+)?")


def look(study: Study) -> Iterator[Said]:
    """Everything that is found in TU, TR and RS."""
    usual = _visits(study)
    starts = {record["USUBJID"]: day_in(record["RFSTDTC"]) for record in study.records("DM")}
    treated = {record["USUBJID"]: day_in(record["RFXSTDTC"]) for record in study.records("DM")}
    for table in study.tumour():
        for record in table.records:
            yield from _date(table, record, starts.get(record["USUBJID"]), treated.get(record["USUBJID"]))
            yield from _visit(table, record, usual)
        yield from _baselines(table)


def day_in(text: str) -> date | None:
    """The day of a date that has one; None otherwise."""
    try:
        return date.fromisoformat(text[:10]) if len(text) >= 10 else None
    except ValueError:
        return None


def _is_date(text: str) -> bool:
    if not _DTC.fullmatch(text):
        return False
    parts = text.split("T")
    day, time = parts[0], re.split(r"[Z+]|-\d", parts[1])[0].split(":") if len(parts) > 1 else []
    limits = zip(time, (23, 59, 59), strict=False)
    month = re.fullmatch(r"\d{4}-(\d{2})", day)
    if month is not None and not 1 <= int(month[1]) <= 12:
        return False
    if any(part[:2].isdigit() and int(part[:2]) > limit for part, limit in limits):
        return False
    return day_in(day) is not None if re.fullmatch(r"\d{4}-\d{2}-\d{2}", day) else True


def _said(rule: str, table: Table, record: Record, variable: str, message: str) -> Said:
    reader = reader_in(record, table.domain)
    return Said(rule=rule, domain=table.domain, record=record, variable=variable, message=message, reader=reader)


def _date(table: Table, record: Record, start: date | None, treated: date | None) -> Iterator[Said]:
    dated, numbered, flag = f"{table.domain}DTC", f"{table.domain}DY", f"{table.domain}LOBXFL"
    text = record[dated]
    if not text:
        if table.domain != "RS" and table.has(dated):
            yield _said("date_missing", table, record, dated, f"{dated} is empty")
        return
    if not _is_date(text):
        yield _said("date_form", table, record, dated, f"{dated} is '{text}', no ISO 8601 date")
        return
    day, given = day_in(text), record[numbered]
    if given and given.split(".")[0] in ("0", "-0"):
        yield _said("day_zero", table, record, numbered, f"{numbered} is 0; there is no day 0")
    elif given and day is not None and start is not None:
        between = days_between(start, day)
        expected = between + 1 if between >= 0 else between
        if given not in (str(expected), f"{expected}.0"):
            message = f"{numbered} is {given}; from RFSTDTC {start} to {dated} {day} it is {expected}"
            yield _said("day_differs", table, record, numbered, message)
    if record[flag] == "Y" and day is not None and treated is not None and day > treated:
        message = f"{flag} is Y on {day}, and the first treatment was on {treated}"
        yield _said("baseline_after_treatment", table, record, flag, message)


def _visits(study: Study) -> tuple[dict[str, str], dict[str, str]]:
    """VISITNUM -> the VISIT that most records have with it, and the reverse."""
    pairs: Counter[tuple[str, str]] = Counter()
    for table in study.tumour():
        pairs.update((record["VISITNUM"], record["VISIT"]) for record in table.records)
    names: dict[str, str] = {}
    numbers: dict[str, str] = {}
    for (number, name), _ in pairs.most_common():
        if number and name:
            names.setdefault(number, name)
            numbers.setdefault(name, number)
    return names, numbers


def _visit(table: Table, record: Record, usual: tuple[dict[str, str], dict[str, str]]) -> Iterator[Said]:
    number, name = record["VISITNUM"], record["VISIT"]
    if number and not _NUMBER.fullmatch(number):
        yield _said("visit_not_a_number", table, record, "VISITNUM", f"VISITNUM is '{number}'")
    if not number or not name:
        return
    if usual[0][number] != name:
        message = f"VISITNUM {number} is '{name}' here and '{usual[0][number]}' elsewhere"
        yield _said("visit_differs", table, record, "VISIT", message)
    elif usual[1][name] != number:
        message = f"'{name}' is VISITNUM {number} here and {usual[1][name]} elsewhere"
        yield _said("visit_differs", table, record, "VISITNUM", message)


_OF = {"TU": ("TULNKID",), "TR": ("TRLNKID", "TRGRPID"), "RS": ("RSCAT", "RSSCAT")}


def _baselines(table: Table) -> Iterator[Said]:
    domain = table.domain
    keys = ("USUBJID", f"{domain}EVAL", f"{domain}EVALID", f"{domain}TESTCD", *_OF[domain])
    for flag in (f"{domain}LOBXFL", f"{domain}BLFL"):
        first: dict[tuple[str, ...], Record] = {}
        for record in table.records:
            if record[flag] != "Y":
                continue
            before = first.setdefault(tuple(record[name] for name in keys), record)
            if before is not record:
                message = f"{flag} is Y here and in {before.where}, for the same {record[f'{domain}TESTCD']}"
                yield _said("baseline_flag_repeated", table, record, flag, message)
