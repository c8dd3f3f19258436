"""A read through the session gives the rows and responses that ``mrecist score`` gives of the same masks and words."""

from __future__ import annotations

from pathlib import Path

import pytest
from session_reading import clock, read_visit

from mrecist.protocol import Measuring
from mrecist.score import score_subject
from mrecist.session.case import open_case
from mrecist.session.checklist import live, open_points
from mrecist.session.rows import Rows
from mrecist.session.session import open_session
from mrecist.study import Study

SUBJECTS = tuple(f"SAMPLE-{n:02d}" for n in range(1, 7))


@pytest.mark.parametrize("subject", SUBJECTS)
def test_the_rows_are_those_of_the_command_line(subject: str, sample_study: Study, tmp_path: Path) -> None:
    case = open_case(sample_study, subject)
    session = open_session(case, "R1", tmp_path, clock())
    rows = Rows("R1", session.masks)
    try:
        for visit in case.visits:
            read_visit(session, case, visit.timepoint, sign=False)
            assert [p.what for p in open_points(session.state, session.case, visit.timepoint, rows)] == []
        mine = rows.of(session.state, session.case)
    finally:
        session.close()
    scored = score_subject(case.given, Measuring())
    order = lambda row: (row.timepoint, row.lesion)  # noqa: E731
    assert sorted(mine, key=order) == sorted(scored.rows, key=order)
    now = live(session.state, session.case, rows)
    assert now.problem == ""
    assert len(now.responses) == len(case.visits) * len(case.protocol.criteria)
