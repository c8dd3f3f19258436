"""A rule, what it says of a record, and the finding that comes of it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from mrecist import __version__
from mrecist.checklist import Severity
from mrecist.sdtm.datasets import Record
from mrecist.tables import csv_text

FINDING_COLUMNS = (
    *("rule", "severity", "domain", "record", "usubjid", "variable", "value", "message", "source", "what_to_do"),
    *("protocol_sha256", "version"),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """One rule. ``stops``: what it finds makes the measurements of that read doubtful, so they are not compared with RS."""

    name: str
    severity: Severity
    looks_at: str
    source: str
    what_to_do: str
    stops: bool = False


def error(name: str, looks_at: str, source: str, what_to_do: str, *, stops: bool = False) -> Rule:
    """A rule whose findings are errors."""
    return Rule(
        name=name, severity=Severity.ERROR, looks_at=looks_at, source=source, what_to_do=what_to_do, stops=stops
    )


def warning(name: str, looks_at: str, source: str, what_to_do: str, *, stops: bool = False) -> Rule:
    """A rule whose findings are most often mistakes."""
    return Rule(
        name=name, severity=Severity.WARNING, looks_at=looks_at, source=source, what_to_do=what_to_do, stops=stops
    )


def note(name: str, looks_at: str, source: str, what_to_do: str) -> Rule:
    """A rule whose findings may be right."""
    return Rule(name=name, severity=Severity.NOTE, looks_at=looks_at, source=source, what_to_do=what_to_do)


@dataclass(frozen=True, slots=True, kw_only=True)
class Said:
    """What a rule says: of which record of which domain, or of the whole dataset, and of which variable.

    ``subject`` and ``reader`` are those of the record where there is one.
    """

    rule: str
    domain: str
    message: str
    record: Record | None = None
    variable: str = ""
    subject: str = ""
    reader: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One row of the findings."""

    rule: str
    severity: Severity
    domain: str
    record: str
    usubjid: str
    variable: str
    value: str
    message: str
    source: str
    what_to_do: str


def finding(said: Said, rule: Rule, severity: Severity) -> Finding:
    """The finding of what a rule said; ``record`` names its --SEQ and its row in the file."""
    record = said.record
    where = ""
    if record is not None:
        sequence = f"{said.domain}SEQ"
        where = f"{sequence} {record[sequence]}, {record.where}" if record[sequence] else record.where
    return Finding(
        rule=rule.name,
        severity=severity,
        domain=said.domain,
        record=where,
        usubjid=said.subject if record is None else record["USUBJID"],
        variable=said.variable,
        value="" if record is None else record[said.variable],
        message=said.message,
        source=rule.source,
        what_to_do=rule.what_to_do,
    )


def findings_csv(findings: Iterable[Finding], protocol_sha256: str) -> str:
    """The findings as CSV (docs/check-sdtm.md)."""
    return csv_text(FINDING_COLUMNS, findings_json(findings, protocol_sha256))


def findings_json(findings: Iterable[Finding], protocol_sha256: str) -> list[dict[str, Any]]:
    """The same for a program."""
    extra = {"protocol_sha256": protocol_sha256, "version": __version__}
    own = FINDING_COLUMNS[:-2]
    return [{**{name: getattr(finding, name) for name in own}, **extra} for finding in findings]
