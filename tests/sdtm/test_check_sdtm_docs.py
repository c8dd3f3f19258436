"""docs/check-sdtm.md says what the code does."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from mrecist.checklist import Severity
from mrecist.sdtm.checks.codelists import CODELISTS, OURS, TERMINOLOGY
from mrecist.sdtm.checks.datasets import DOMAINS
from mrecist.sdtm.checks.rule import FINDING_COLUMNS
from mrecist.sdtm.checks.run import GROUPS, RULES

PAGE = (Path(__file__).parents[2] / "docs" / "check-sdtm.md").read_text(encoding="utf-8")


def section(heading: str) -> str:
    (found,) = re.findall(rf"^## {re.escape(heading)}\n(.*?)(?=^## |\Z)", PAGE, flags=re.MULTILINE | re.DOTALL)
    return str(found)


def cells(text: str) -> list[list[str]]:
    """Rows of the tables of a text without their headers."""
    tables = re.findall(r"^\|.*\n\|[-|]+\|\n((?:^\|.*\n?)+)", text, flags=re.MULTILINE)
    return [[cell.strip() for cell in line[1:-1].split("|")] for one in tables for line in one.strip().split("\n")]


@pytest.mark.parametrize("heading", GROUPS)
def test_every_rule_is_documented_as_it_is(heading: str) -> None:
    assert cells(section(heading)) == [
        [f"`{r.name}`", str(r.severity), r.looks_at, r.source, r.what_to_do, "yes" if r.stops else ""]
        for r in GROUPS[heading]
    ]


def test_no_rule_has_the_name_of_another() -> None:
    assert len(RULES) == sum(len(rules) for rules in GROUPS.values())


def test_columns_and_severities() -> None:
    assert [name for row in cells(section("Findings")) for name in re.findall(r"`(\w+)`", row[0])] == list(
        FINDING_COLUMNS
    )
    assert [row[0] for row in cells(PAGE.split("## ")[0])] == [f"`{severity}`" for severity in Severity]


def test_codelists() -> None:
    text = section("Codelists")
    assert f"Terminology {TERMINOLOGY}" in text
    assert cells(text) == [
        [f"`{one.name}`", one.code, "yes" if one.extensible else "no", str(len(one.terms))] for one in CODELISTS
    ]
    assert all(f"`{term}`" in text for terms in OURS.values() for term in terms)


def test_datasets_that_are_read() -> None:
    assert sorted(re.findall(r"`([a-z]+)\.\*`", section("What is read"))) == sorted(name.lower() for name in DOMAINS)
