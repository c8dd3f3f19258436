"""``matches.csv``: which lesion of one read is which of another (docs/matching.md)."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from enum import StrEnum
from pathlib import Path
from typing import TypeVar

from mrecist import __version__
from mrecist.errors import InputError
from mrecist.tables.files import csv_text, read_rows


class Compared(StrEnum):
    """Two readers at one visit, or two visits of one reader."""

    READERS = "readers"
    VISITS = "visits"


class Relation(StrEnum):
    """What two lesions are to each other.

    SAME: one lesion. MERGED: the first is one of several that the second covers. SPLIT: the second is one of several that the first
    covers. AMBIGUOUS: more than one matching fits. ONLY_1, ONLY_2: no lesion of the other read lies there. NOT_COMPARED: the two could
    not be brought into one frame.
    """

    SAME = "same"
    MERGED = "merged"
    SPLIT = "split"
    AMBIGUOUS = "ambiguous"
    ONLY_1 = "only_1"
    ONLY_2 = "only_2"
    NOT_COMPARED = "not-compared"


class Finding(StrEnum):
    """Where the names of one reader and the places contradict each other.

    SWAPPED: two names have changed places. MOVED: a name lies where another one was. NEW_IS_OLD: a name that was not there before
    lies where an old lesion was, which has no mask now. ELSEWHERE: a name lies where none of its time before was.
    """

    SWAPPED = "NAMES_SWAPPED"
    MOVED = "NAME_MOVED"
    NEW_IS_OLD = "NEW_IS_OLD"
    ELSEWHERE = "NAME_ELSEWHERE"


@dataclass(frozen=True, slots=True, kw_only=True)
class MatchRow:
    """A row of the table; numbers are None where they are not known, ``lesion_1`` or ``lesion_2`` "" where there is none.

    Parameters
    ----------
    sure : ``high`` or ``low``; "" where nothing is said to be the same.
    overlap : Dice of the masks in one frame.
    contained : share of the smaller mask in the larger one.
    apart_mm : from middle to middle.
    placed_by : ``frame`` (positions of one frame of reference), else what carried the first lesion over.
    off_mm : how far that may be off.
    detail : one sentence.
    """

    subject: str
    compared: Compared
    reader_1: str
    timepoint_1: int
    lesion_1: str
    reader_2: str
    timepoint_2: int
    lesion_2: str
    relation: Relation
    sure: str = ""
    overlap: float | None = None
    contained: float | None = None
    apart_mm: float | None = None
    placed_by: str = ""
    off_mm: float | None = None
    finding: Finding | None = None
    detail: str = ""


def turned(row: MatchRow) -> MatchRow:
    """The same row with the second read first."""
    other_way = {
        Relation.MERGED: Relation.SPLIT,
        Relation.SPLIT: Relation.MERGED,
        Relation.ONLY_1: Relation.ONLY_2,
        Relation.ONLY_2: Relation.ONLY_1,
    }
    return replace(
        row,
        reader_1=row.reader_2,
        timepoint_1=row.timepoint_2,
        lesion_1=row.lesion_2,
        reader_2=row.reader_1,
        timepoint_2=row.timepoint_1,
        lesion_2=row.lesion_1,
        relation=other_way.get(row.relation, row.relation),
    )


MATCH_COLUMNS = (
    *("subject", "compared", "reader_1", "timepoint_1", "lesion_1", "reader_2", "timepoint_2", "lesion_2"),
    *("relation", "sure", "overlap", "contained", "apart_mm", "placed_by", "off_mm", "finding", "detail", "version"),
)
_DECIMALS = {"overlap": 3, "contained": 3, "apart_mm": 1, "off_mm": 0}
_Word = TypeVar("_Word", bound=StrEnum)


def matches_csv(rows: Iterable[MatchRow]) -> str:
    """``matches.csv`` as text, in the order of the rows."""
    return csv_text(MATCH_COLUMNS, ({name: _cell(row, name) for name in MATCH_COLUMNS} for row in rows))


def _cell(row: MatchRow, name: str) -> object:
    if name == "version":
        return __version__
    value = getattr(row, name)
    return f"{value:.{_DECIMALS[name]}f}" if name in _DECIMALS and value is not None else value


def read_matches(path: Path) -> tuple[MatchRow, ...]:
    """Read ``matches.csv``; ``finding`` is not read.

    Raises :class:`InputError` when it is no such table, or a word or number cannot be read.
    """
    _, lines = read_rows(path, MATCH_COLUMNS[:9])
    return tuple(_row(f"{path}: line {number}", cells) for number, cells in lines)


def _row(where: str, cells: dict[str, str]) -> MatchRow:
    return MatchRow(
        subject=cells["subject"],
        compared=_word(Compared, cells["compared"], f"{where}: compared"),
        reader_1=cells["reader_1"],
        timepoint_1=_whole(cells["timepoint_1"], f"{where}: timepoint_1"),
        lesion_1=cells["lesion_1"],
        reader_2=cells["reader_2"],
        timepoint_2=_whole(cells["timepoint_2"], f"{where}: timepoint_2"),
        lesion_2=cells["lesion_2"],
        relation=_word(Relation, cells["relation"], f"{where}: relation"),
        sure=cells.get("sure", ""),
        overlap=_number(cells.get("overlap", ""), f"{where}: overlap"),
        apart_mm=_number(cells.get("apart_mm", ""), f"{where}: apart_mm"),
        placed_by=cells.get("placed_by", ""),
        detail=cells.get("detail", ""),
    )


def _word(words: type[_Word], text: str, where: str) -> _Word:
    try:
        return words(text)
    except ValueError:
        raise InputError(f"{where} is '{text}', not one of: {', '.join(words)}") from None


def _whole(text: str, where: str) -> int:
    if not text.isdecimal():
        raise InputError(f"{where} is '{text}'; it is a whole number, 0 = baseline")
    return int(text)


def _number(text: str, where: str) -> float | None:
    try:
        return float(text) if text else None
    except ValueError:
        raise InputError(f"{where} is '{text}'; it is a number, or empty") from None
