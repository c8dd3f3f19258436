"""Names against places, the table, and lesions that nothing can bring into one frame."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from mrecist.matching.drawn import DrawnLesion
from mrecist.matching.frames import FRAME, OTHER_SERIES_MM, OTHER_VISIT_MM, Frames
from mrecist.matching.lesions import ball
from mrecist.matching.names import with_findings
from mrecist.matching.table import Compared, Finding, MatchRow, Relation, matches_csv, read_matches, turned

BLANK = MatchRow(
    subject="S1",
    compared=Compared.VISITS,
    reader_1="R1",
    timepoint_1=0,
    lesion_1="",
    reader_2="R1",
    timepoint_2=1,
    lesion_2="",
    relation=Relation.SAME,
)


def row(one: str, other: str, relation: Relation = Relation.SAME) -> MatchRow:
    return replace(BLANK, lesion_1=one, lesion_2=other, relation=relation)


@pytest.mark.parametrize(
    ("rows", "findings"),
    [
        ([row("T01", "T01"), row("T02", "T02")], [None, None]),
        ([row("T01", "T02"), row("T02", "T01")], [Finding.SWAPPED, Finding.SWAPPED]),
        ([row("T01", "NEW01"), row("T02", "T02")], [Finding.NEW_IS_OLD, None]),
        # Three names go round: each lies where another was.
        ([row("T01", "T02"), row("T02", "T03"), row("T03", "T01")], [Finding.MOVED] * 3),
        # T01 is drawn somewhere else, and a new name where it was.
        ([row("T01", "NEW01"), row("", "T01", Relation.ONLY_2)], [Finding.MOVED, None]),
        ([row("T01", "", Relation.ONLY_1), row("", "T01", Relation.ONLY_2)], [Finding.ELSEWHERE, None]),
        # Gone, and one that is new: no contradiction.
        ([row("T01", "", Relation.ONLY_1), row("", "NEW01", Relation.ONLY_2)], [None, None]),
        ([row("T01", "", Relation.NOT_COMPARED), row("", "T01", Relation.NOT_COMPARED)], [None, None]),
        ([row("T01", "T02", Relation.AMBIGUOUS), row("T02", "T02", Relation.AMBIGUOUS)], [None, None]),
    ],
)
def test_names_against_places(rows: list[MatchRow], findings: list[Finding | None]) -> None:
    assert [one.finding for one in with_findings(rows)] == findings


def test_the_table_reads_back_and_turns_round(tmp_path: Path) -> None:
    given = [
        replace(row("T01", "T02"), sure="high", overlap=0.5, contained=1.0, apart_mm=3.24, placed_by=FRAME, off_mm=0.0),
        row("T03", "", Relation.ONLY_1),
        row("=T1", "T02", Relation.MERGED),
    ]
    path = tmp_path / "matches.csv"
    path.write_text(matches_csv(given), encoding="utf-8")
    found = read_matches(path)
    assert [(r.lesion_1, r.lesion_2, r.relation) for r in found] == [
        (r.lesion_1, r.lesion_2, r.relation) for r in given
    ]
    assert (found[0].overlap, found[0].apart_mm, found[1].overlap) == (0.5, 3.2, None)
    assert [turned(r).relation for r in found] == [Relation.SAME, Relation.ONLY_2, Relation.SPLIT]
    assert [turned(turned(r)) for r in found] == list(found)


def drawn(name: str, frame: str, timepoint: int = 0) -> DrawnLesion:
    return DrawnLesion(reader="R1", timepoint=timepoint, lesion=ball(name, (0, 0, 0), 20), frame=frame, series=None)


def test_lesions_of_one_frame_stay_where_they_are_and_are_off_by_breathing() -> None:
    mine, theirs = Frames(()).bring([drawn("T01", "1.2")], [drawn("T01", "1.2"), drawn("T02", "1.2")])
    assert all(one.by == FRAME and one.lesion is not None and one.lesion.off_mm == 0 for one in (*mine, *theirs))
    later, _ = Frames(()).bring([drawn("T01", "1.2", 0)], [drawn("T01", "1.2", 1)])
    assert later[0].lesion is not None
    assert later[0].lesion.off_mm == OTHER_VISIT_MM > OTHER_SERIES_MM
    assert np.all(later[0].lesion.motion.shift == 0)


def test_lesions_of_another_frame_without_images_are_not_compared() -> None:
    mine, theirs = Frames(()).bring([drawn("T01", "1.2")], [drawn("T01", "1.3")])
    assert mine[0].lesion is None
    assert "another frame of reference, and its images are not in the study" in mine[0].why
    assert theirs[0].lesion is not None
