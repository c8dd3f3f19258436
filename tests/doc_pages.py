"""Markdown pages of docs/ as the tests read them: sections, tables, names between back-ticks."""

from __future__ import annotations

import re
from pathlib import Path

ROOT = Path(__file__).parents[1]
Row = dict[str, str]
Table = list[Row]


def page(name: str) -> str:
    return (ROOT / "docs" / name).read_text(encoding="utf-8")


def section(text: str, heading: str) -> str:
    """The lines below a heading, up to the next heading of any level; the heading must be there once."""
    parts = re.split(r"^#{1,6} +(.+)$", text, flags=re.MULTILINE)
    found = [body for title, body in zip(parts[1::2], parts[2::2], strict=True) if title.strip() == heading]
    assert len(found) == 1, f"{len(found)} headings '{heading}'"
    return found[0]


def tables_of(text: str) -> list[Table]:
    """Every Markdown table as rows of header -> cell."""
    found: list[Table] = []
    for block in re.findall(r"(?:^\|.*\n?)+", text, flags=re.MULTILINE):
        lines = [[cell.strip() for cell in line.strip().strip("|").split("|")] for line in block.strip().splitlines()]
        header, _, *rows = lines
        assert all(len(row) == len(header) for row in rows), f"a row of the table {header} has another length"
        found.append([dict(zip(header, row, strict=True)) for row in rows])
    return found


def table(text: str, first_column: str) -> Table:
    """The one table of a text whose first column has that name."""
    (found,) = (rows for rows in tables_of(text) if rows and next(iter(rows[0])) == first_column)
    return found


def words(cell: str) -> list[str]:
    """What stands between back-ticks."""
    return re.findall(r"`([^`]*)`", cell)


def names(rows: Table) -> list[str]:
    """All names in the first column, in order."""
    return [word for row in rows for word in words(next(iter(row.values())))]


def cell(rows: Table, name: str, column: str) -> str:
    """The cell of the row that names ``name`` in its first column."""
    (found,) = (row[column] for row in rows if name in words(next(iter(row.values()))))
    return found
