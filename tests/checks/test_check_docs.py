"""docs/check.md and the ``[checks]`` section of docs/protocol.md say what the code does."""

from __future__ import annotations

import re
import tomllib
from dataclasses import fields
from decimal import Decimal
from pathlib import Path

import pytest

from mrecist import checklist, protocol
from mrecist.checks.finding import FINDING_COLUMNS
from mrecist.errors import ProtocolError
from mrecist.protocol import keys

DOCS = Path(__file__).parents[2] / "docs"
GROUPS = {
    "Contradictions": checklist.CONTRADICTIONS,
    "Choice of targets": checklist.SELECTION,
    "Completeness": checklist.COMPLETENESS,
    "Technique": checklist.TECHNIQUE,
    "Sizes": checklist.SIZES,
    "Non-targets and new lesions": checklist.FINDINGS,
    "Dates": checklist.DATES,
}


def section(page: str, heading: str) -> str:
    text = (DOCS / page).read_text(encoding="utf-8")
    (found,) = re.findall(rf"^## {re.escape(heading)}\n(.*?)(?=^## |\Z)", text, flags=re.MULTILINE | re.DOTALL)
    return str(found)


def cells(text: str) -> list[list[str]]:
    """Rows of all tables of a text without their headers."""
    tables = re.findall(r"^\|.*\n\|[-|]+\|\n((?:^\|.*\n?)+)", text, flags=re.MULTILINE)
    return [[cell.strip() for cell in line.strip("|").split("|")] for one in tables for line in one.strip().split("\n")]


@pytest.mark.parametrize("heading", GROUPS)
def test_every_check_is_documented_as_it_is(heading: str) -> None:
    assert cells(section("check.md", heading)) == [
        [f"`{c.name}`", str(c.severity), c.looks_at, c.source, c.what_to_do] for c in GROUPS[heading]
    ]


def test_the_groups_are_all_checks() -> None:
    assert tuple(check for group in GROUPS.values() for check in group) == checklist.CHECKLIST


def test_every_column_of_the_findings() -> None:
    rows = cells(section("check.md", "`findings.csv`"))
    assert [name for row in rows for name in re.findall(r"`(\w+)`", row[0])] == list(FINDING_COLUMNS)


def test_every_severity() -> None:
    rows = cells((DOCS / "check.md").read_text(encoding="utf-8").split("## ")[0])
    assert [row[0] for row in rows] == [f"`{severity}`" for severity in checklist.Severity]


def test_keys_and_defaults_of_the_protocol() -> None:
    rows = cells(section("protocol.md", "`[checks]`"))
    numbers = {row[0].strip("`"): row[2].strip("`") for row in rows if len(row) == 4}
    unset = checklist.Checking()
    assert {name: Decimal(text) for name, text in numbers.items()} == {
        f.name: Decimal(getattr(unset, f.name)) for f in fields(unset) if f.name != "severities"
    }
    windows = [row for row in rows if len(row) == 5]
    assert [(row[0], row[1].strip("`")) for row in windows] == [
        *(("`[schedule]`", name) for name in keys.VISITS),
        *(("`[origin]`", name) for name in keys.BASELINE_WINDOW),
    ]
    nothing_set = protocol.Schedule()
    assert nothing_set.visits == ()
    assert [row[3] for row in windows[1:]] == [f"`{nothing_set.window_days}`", f"`{nothing_set.baseline_window_days}`"]


def test_what_the_numbers_take() -> None:
    for row in (row for row in cells(section("protocol.md", "`[checks]`")) if len(row) == 4):
        content = {"format": protocol.FORMAT, "checks": {row[0].strip("`"): "ten"}}
        with pytest.raises(ProtocolError, match=f"it takes a {row[1]}"):
            protocol.parse_protocol(content, where="protocol.toml")


def test_the_example_is_a_protocol() -> None:
    (toml,) = re.findall(r"^```toml\n(.*?)^```", section("protocol.md", "`[checks]`"), flags=re.MULTILINE | re.DOTALL)
    rules = protocol.parse_protocol(tomllib.loads(toml), where="docs/protocol.md")
    assert rules.checking.severities == {"larger_not_chosen": "off", "quantity_missing": "error"}
    assert rules.checking.min_target_mm == 15
    assert [(one.every_weeks, one.until_week) for one in rules.schedule.visits] == [(8, 48), (12, None)]
