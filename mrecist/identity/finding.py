"""One finding of the check, its table, and how a value is hinted at without being shown."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from mrecist.tables import csv_text

COLUMNS = ("severity", "code", "file", "files", "tag", "inside", "hint", "what", "what_to_do")


class Severity(StrEnum):
    """How much a finding matters, worst first."""

    HIGH = "high"
    """Identifies a person, or makes intervals wrong."""
    MEDIUM = "medium"
    """Identifies a place, a device or an examination, or text that somebody has to read."""
    LOW = "low"
    """Helps to identify together with other things."""
    NOTE = "note"
    """Worth knowing; does not change the exit code."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """``files`` objects have it, ``file`` is the first of them, relative to the folder that was checked.

    Parameters
    ----------
    tag : keyword and number, or empty for findings about files and dates.
    inside : keywords of the sequences that hold it, outermost first.
    hint : length and kind of characters of the value, or a difference in days or seconds; never the value.
    """

    severity: Severity
    code: str
    file: str
    files: int
    tag: str
    inside: str
    hint: str
    what: str
    what_to_do: str


def hint(text: str) -> str:
    """Length and kinds of characters.

    >>> hint("DOE^JOHN")
    '8 characters: letters, signs'
    """
    kinds = [
        name
        for name, found in (
            ("letters", any(c.isalpha() for c in text)),
            ("digits", any(c.isdigit() for c in text)),
            ("spaces", any(c.isspace() for c in text)),
            ("signs", any(not (c.isalnum() or c.isspace()) for c in text)),
        )
        if found
    ]
    return f"{len(text)} character{'s' * (len(text) != 1)}: {', '.join(kinds) or 'none'}"


def identity_csv(findings: Iterable[Finding]) -> str:
    """The findings as a CSV table."""
    return csv_text(COLUMNS, identity_json(findings))


def identity_json(findings: Iterable[Finding]) -> list[dict[str, Any]]:
    """The findings as plain values."""
    return [
        {name: getattr(f, name) if name == "files" else str(getattr(f, name)) for name in COLUMNS} for f in findings
    ]
