"""Where the names that one reader gave at two visits contradict the places."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from mrecist.matching.table import Finding, MatchRow, Relation


def with_findings(rows: Sequence[MatchRow]) -> list[MatchRow]:
    """The rows of two visits of one reader, each with what its names contradict and what to do.

    Only lesions that are the same by place, or that have no place beside any other, contradict a name: ambiguous ones, parts of others
    and those that were not compared say nothing.
    """
    before = {row.lesion_1 for row in rows if row.lesion_1}
    now = {row.lesion_2 for row in rows if row.lesion_2}
    became = {row.lesion_1: row.lesion_2 for row in rows if row.relation is Relation.SAME}
    return [_with(row, before, now, became) for row in rows]


def _with(row: MatchRow, before: set[str], now: set[str], became: dict[str, str]) -> MatchRow:
    one, other = row.lesion_1, row.lesion_2
    if row.relation is Relation.SAME and one != other:
        if became.get(other) == one:
            return _found(row, Finding.SWAPPED, f"{other} lies where {one} was and {one} where {other} was")
        if other not in before and one not in now:
            return _found(row, Finding.NEW_IS_OLD, f"{other}, a name of no lesion before, lies where {one} was")
        return _found(row, Finding.MOVED, f"{other} lies where {one} was")
    if row.relation is Relation.ONLY_1 and one in now and one not in became.values():
        return _found(row, Finding.ELSEWHERE, f"{one} is drawn at both visits and is not at one place")
    return row


def _found(row: MatchRow, finding: Finding, words: str) -> MatchRow:
    return replace(
        row, finding=finding, detail=f"{words} ({row.detail}); look at both, and correct the names or say why"
    )
