"""A table of the page as plain texts: what one macro of the template draws."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

Rows = Sequence[Mapping[str, str]]
"""The rows of a CSV file, each cell by the name of its column."""


@dataclass(frozen=True, slots=True)
class Cell:
    """``main``, and in small letters below it ``more``."""

    main: str = ""
    more: str = ""


@dataclass(frozen=True, slots=True)
class Line:
    """One row: the first ``heads`` cells are its name. A line with ``group`` only is a heading over those that follow."""

    cells: tuple[Cell, ...] = ()
    heads: int = 1
    group: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Table:
    """``head`` names the columns, ``over`` (text, columns) stands above them. ``notes`` stand below; ``source`` is the CSV file."""

    caption: str
    head: tuple[str, ...]
    lines: tuple[Line, ...]
    source: str
    over: tuple[tuple[str, int], ...] = ()
    notes: tuple[str, ...] = ()


def line(*cells: Cell | str, heads: int = 1) -> Line:
    """A row of texts and cells."""
    return Line(tuple(Cell(one) if isinstance(one, str) else one for one in cells), heads)


def those(rows: Rows, **cells: str) -> list[Mapping[str, str]]:
    """The rows with these values."""
    return [row for row in rows if all(row[name] == value for name, value in cells.items())]


def values(rows: Iterable[Mapping[str, str]], *columns: str) -> list[tuple[str, ...]]:
    """The different values of some columns, in the order in which they come; a column that is not there is empty."""
    return list(dict.fromkeys(tuple(row.get(name, "") for name in columns) for row in rows))


def arm_name(arm: str) -> str:
    """The empty arm is all of them."""
    return arm or "all"
