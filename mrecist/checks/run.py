"""All checks of one read, and of a table of reads. A read that cannot be assessed stops no other."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import TypeVar

from mrecist.checklist import CHECKLIST, CHECKS, CONTRADICTIONS, Severity
from mrecist.checks.finding import CriterionCase, Finding, Found, LesionCase, ReadCase, RowCase
from mrecist.checks.lesions import LESION_CHECKS
from mrecist.checks.responses import RESPONSE_CHECKS, quantity_missing
from mrecist.checks.rows import ROW_CHECKS
from mrecist.checks.schedule import SCHEDULE_CHECKS
from mrecist.checks.selection import SELECTION_CHECKS, no_target
from mrecist.checks.visits import ACQUISITION, READ_CHECKS, acquisition_not_recorded, is_stated
from mrecist.contradictions import Contradiction, contradictions_of_row
from mrecist.model import Measurement, Problem, SubjectDates
from mrecist.protocol import CriterionSetting, Protocol
from mrecist.response.assess import assess_read
from mrecist.response.read import Read, examine_read
from mrecist.response.targets import targets_of
from mrecist.tables import Measurements

# Check -> what it found; of a criterion when it depends on one.
_Said = tuple[str, Found, str]
_ORDER = {check.name: place for place, check in enumerate(CHECKLIST)}
_REFUSED = frozenset(check.name for check in CONTRADICTIONS)
Case = TypeVar("Case")


@dataclass(frozen=True, slots=True, kw_only=True)
class Checked:
    """What the checks of a table found. ``partly`` are reads that only their rows and lesions could be checked of."""

    findings: tuple[Finding, ...]
    reads: int
    partly: tuple[Problem, ...]

    def count(self, severity: Severity) -> int:
        """How many findings are of that severity."""
        return sum(finding.severity is severity for finding in self.findings)


def check_read(
    rows: Iterable[Measurement],
    protocol: Protocol,
    criteria: Sequence[CriterionSetting] | None = None,
    dates: SubjectDates | None = None,
) -> tuple[Finding, ...]:
    """Every finding in the rows of one subject by one reader, in any order; nothing without a row.

    Where the rows contradict each other, each contradiction is a finding of severity error, and only rows and single lesions
    are looked at further. Nothing is raised and nothing is written.

    Parameters
    ----------
    rows : measurements; rows that contradict themselves may be among them.
    protocol : its ``[checks]`` and ``[schedule]``, and the thresholds of the criteria.
    criteria : those to check by; all of the protocol by default.
    dates : the subject's origin among others, for the window of the baseline and of the visits.
    """
    rows = sorted(rows, key=lambda row: (row.timepoint, row.lesion))
    if not rows:
        return ()
    said = _all_said(rows, protocol, criteria or protocol.criteria, dates or SubjectDates(), frozenset())
    return _findings(rows[0].subject, rows[0].reader, said, protocol)


def check_table(
    measurements: Measurements,
    protocol: Protocol,
    criteria: Sequence[CriterionSetting],
    dates: SubjectDates | None = None,
) -> Checked:
    """Every finding of a table, read by read; ``measurements`` keep the rows that contradict themselves."""
    reads: dict[tuple[str, str], list[Measurement]] = {}
    for row in measurements.rows:
        reads.setdefault((row.subject, row.reader), []).append(row)
    unreadable: dict[tuple[str, str], list[Problem]] = {}
    for problem in measurements.problems:
        unreadable.setdefault((problem.subject, problem.reader), []).append(problem)
    keys = sorted({*reads, *unreadable})
    unstated = _unstated(measurements.rows) if len(keys) > 1 else frozenset()
    findings = list(_of_table(unstated, len(keys), protocol))
    partly: list[Problem] = []
    for subject, reader in keys:
        rows = sorted(reads.get((subject, reader), ()), key=lambda row: (row.timepoint, row.lesion))
        problems = unreadable.get((subject, reader), [])
        if problems:
            said = [("unreadable_row", Found(what=problem.message), "") for problem in problems]
            said += _of_parts(rows, protocol)
        else:
            said = _all_said(rows, protocol, criteria, dates or SubjectDates(), unstated)
        found = _findings(subject, reader, said, protocol)
        findings += found
        refused = sum(finding.check in _REFUSED for finding in found)
        if refused:
            where = f"subject {subject or '?'}, reader {reader}"
            message = f"{where}: checked row by row only, contradictions: {refused}; correct them and check again"
            partly.append(Problem(subject=subject, reader=reader, message=message))
    whole = set(keys) - {(problem.subject, problem.reader) for problem in partly}
    told = _quantity_said_once(findings, whole, criteria)
    return Checked(findings=told, reads=len(keys), partly=tuple(partly))


def _quantity_said_once(
    findings: Sequence[Finding], reads: set[tuple[str, str]], criteria: Sequence[CriterionSetting]
) -> tuple[Finding, ...]:
    """What no read holds that a criterion adds (viable sizes in a table of whole ones) is told once, not in every read.

    ``reads`` are those that were checked by the criteria.
    """
    for setting in criteria:
        of = [
            f
            for f in findings
            if f.check == quantity_missing.__name__ and f.timepoint is None and f.criterion == (setting.name,)
        ]
        without_target = {
            (f.subject, f.reader) for f in findings if f.check == no_target.__name__ and setting.name in f.criterion
        }
        if len(of) > 1 and {(f.subject, f.reader) for f in of} == reads - without_target:
            what = f"no row of {len(of)} reads holds what {setting.name} adds: {setting.criterion.quantity}"
            whole = replace(of[0], subject="", reader="", lesion=(), what=what)
            findings = [whole, *(f for f in findings if f not in of)]
    return tuple(findings)


def _unstated(rows: Iterable[Measurement]) -> frozenset[str]:
    """How the images were taken, as far as no row of the table says."""
    rows = tuple(rows)
    return frozenset(name for name in ACQUISITION if not any(is_stated(row, name) for row in rows))


def _of_table(unstated: frozenset[str], reads: int, protocol: Protocol) -> tuple[Finding, ...]:
    """What holds for every read alike is said once."""
    names = ", ".join(name for name in ACQUISITION if name in unstated)
    said = Found(what=f"not recorded in any row of {reads} reads: {names}")
    return _findings("", "", [(acquisition_not_recorded.__name__, said, "")] if names else [], protocol)


# --- what is looked at -----------------------------------------------------------------------------------------------


def _all_said(
    rows: Sequence[Measurement],
    protocol: Protocol,
    settings: Sequence[CriterionSetting],
    dates: SubjectDates,
    unstated: frozenset[str],
) -> list[_Said]:
    read, contradictions = examine_read(rows)
    said = [_contradiction(one) for one in contradictions] + list(_of_parts(rows, protocol))
    if not any(name in _REFUSED for name, *_ in said):
        said += _of_read(read, protocol, dates, unstated)
        for setting in settings:
            said += _of_criterion(read, protocol, setting)
    return said


def _contradiction(one: Contradiction) -> _Said:
    lesions = (one.lesion,) if one.lesion else ()
    return one.kind, Found(what=one.words, timepoint=one.timepoint, lesions=lesions), ""


def _of_parts(rows: Sequence[Measurement], protocol: Protocol) -> Iterator[_Said]:
    """What needs no whole read: contradictions inside a row, and the checks of rows and of lesions."""
    lesions: dict[str, list[Measurement]] = {}
    for row in rows:
        for one in contradictions_of_row(row):
            name, found, _ = _contradiction(one)
            yield name, Found(what=f"{row.lesion}: {found.what}", timepoint=one.timepoint, lesions=found.lesions), ""
        yield from _run(ROW_CHECKS, RowCase(row=row, limits=protocol.checking))
        lesions.setdefault(row.lesion, []).append(row)
    for history in lesions.values():
        yield from _run(LESION_CHECKS, LesionCase(rows=tuple(history), last=rows[-1].timepoint))


def _of_read(read: Read, protocol: Protocol, dates: SubjectDates, unstated: frozenset[str]) -> Iterator[_Said]:
    case = ReadCase(
        read=read,
        limits=protocol.checking,
        schedule=protocol.schedule,
        origin_event="" if dates.origins is None else protocol.origin.event,
        origin=None if dates.origins is None else dates.origins.get(read.subject),
        unstated=unstated,
    )
    yield from _run(READ_CHECKS, case)
    yield from _run(SCHEDULE_CHECKS, case)


def _of_criterion(read: Read, protocol: Protocol, setting: CriterionSetting) -> Iterator[_Said]:
    case = CriterionCase(
        read=read,
        limits=protocol.limits_of(setting),
        setting=setting,
        targets=targets_of(read, setting),
        assessed=assess_read(read, setting, protocol.response),
    )
    for checks in (SELECTION_CHECKS, RESPONSE_CHECKS):
        for name, found, _ in _run(checks, case):
            yield name, found, setting.name


def _run(checks: dict[str, Callable[[Case], Iterable[Found]]], case: Case) -> Iterator[_Said]:
    for name, check in checks.items():
        for found in check(case):
            yield name, found, ""


# --- what is told ----------------------------------------------------------------------------------------------------


def _findings(subject: str, reader: str, said: Iterable[_Said], protocol: Protocol) -> tuple[Finding, ...]:
    """Findings in order of time point, lesion and check; the same finding under several criteria is one."""
    criteria: dict[tuple[str, Found], list[str]] = {}
    for name, found, criterion in said:
        criteria.setdefault((name, found), []).append(criterion)
    findings = []
    for (name, found), names in criteria.items():
        check = CHECKS[name]
        severity = protocol.checking.severity_of(check)
        if severity is not None:
            finding = Finding(
                subject=subject,
                reader=reader,
                timepoint=found.timepoint,
                lesion=found.lesions,
                criterion=tuple(dict.fromkeys(one for one in names if one)),
                check=name,
                severity=severity,
                what=found.what,
                why=check.source,
                what_to_do=check.what_to_do,
            )
            findings.append(finding)
    return tuple(sorted(findings, key=_place))


def _place(finding: Finding) -> tuple[int, tuple[str, ...], int]:
    timepoint = -1 if finding.timepoint is None else finding.timepoint
    return timepoint, finding.lesion, _ORDER[finding.check]
