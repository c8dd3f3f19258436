"""What a response waits for, the sums below a matrix, measuring apart, and lesions that split."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path

import pytest
from session_reading import STUDY, Opened, read_visit

from mrecist.model import Role, State
from mrecist.response.assess import assess_read
from mrecist.response.margins import margins
from mrecist.response.read import build_read
from mrecist.session.actions import AddLesion, AnswerNewLesions, Erase, SetState
from mrecist.session.checklist import live, open_points, unread
from mrecist.session.room import Room, open_room
from mrecist.session.rows import Rows
from mrecist.session.state import Provenance
from mrecist.session.sums import sum_rows
from mrecist.units import show


@pytest.fixture
def room(tmp_path: Path) -> Iterator[Room]:
    """The images of SAMPLE-01, opened by reader R2."""
    study = tmp_path / "study"
    shutil.copytree(STUDY / "images" / "SAMPLE-01", study / "images" / "SAMPLE-01")
    opened = open_room(study, "SAMPLE-01", "R2")
    yield opened
    opened.close()


def read_all(opened: Opened) -> Rows:
    for visit in opened.case.visits:
        read_visit(opened.session, opened.case, visit.timepoint, sign=False)
    return Rows("R1", opened.session.masks)


def test_a_response_waits_for_every_lesion_and_question_up_to_its_visit(opened: Opened) -> None:
    read_all(opened)
    session, case = opened.session, opened.case
    assert [unread(session.state, case, t).points for t in (0, 1, 2)] == [(), (), ()]
    session.do(AnswerNewLesions(timepoint=1, answer=None))
    assert unread(session.state, case, 0).points == ()
    for timepoint in (1, 2):
        waits = unread(session.state, case, timepoint)
        assert (waits.target, waits.non_target, waits.new_lesion) == (False, False, True)
    assert "(time point 1)" in unread(session.state, case, 2).points[0].what
    session.undo()
    session.do(Erase(timepoint=0, lesion="T01"))
    waits = unread(session.state, case, 2)
    # mRECIST follows a target that does not enhance as a non-target, so both wait.
    assert (waits.target, waits.non_target, waits.new_lesion) == (True, True, False)
    assert [(p.lesion, p.timepoint) for p in waits.points] == [("T01", 0)]


def test_a_new_lesion_after_the_answer_no_is_an_open_point(opened: Opened) -> None:
    rows = read_all(opened)
    session = opened.session
    session.do(AnswerNewLesions(timepoint=1, answer=False))
    session.do(AddLesion(lesion="NEW01", role=Role.NEW, organ="lung", tracking_uid="2.25.903"))
    session.do(SetState(timepoint=1, lesion="NEW01", state=State.UNEQUIVOCAL))
    points = open_points(session.state, session.case, 1, rows)
    assert [(p.lesion, p.what.split(";")[0]) for p in points] == [
        ("NEW01", "no new lesion was answered but NEW01 is marked")
    ]
    assert unread(session.state, session.case, 1).new_lesion
    session.do(AnswerNewLesions(timepoint=1, answer=True))
    assert open_points(session.state, session.case, 1, rows) == ()


def test_a_lesion_that_split_is_in_its_parts(opened: Opened) -> None:
    rows = read_all(opened)
    session = opened.session
    for timepoint in (1, 2):
        session.do(Erase(timepoint=timepoint, lesion="T01"))
    for number, size in ((1, "10"), (2, "6")):
        part = f"T01{'ab'[number - 1]}"
        session.do(AddLesion(lesion=part, role=Role.TARGET, organ="liver", tracking_uid=f"2.25.90{number}"))
        for timepoint in (1, 2):
            session.do(
                SetState(
                    timepoint=timepoint,
                    lesion=part,
                    state=State.TOO_SMALL,
                    part_of="T01",
                    sizes={"longest_mm": Decimal(size), "viable_mm": Decimal(size)},
                )
            )
    for timepoint in (0, 1, 2):
        assert open_points(session.state, session.case, timepoint, rows) == ()
    now = live(session.state, session.case, rows)
    # Eisenhauer 2009, 4.3.2: the parts are added.
    other = now.row(1, "T02")
    assert other is not None
    assert other.longest_mm is not None
    assert now.response("recist11", 1).sum == other.longest_mm + 16  # type: ignore[union-attr]
    session.do(Erase(timepoint=2, lesion="T01b"))
    assert [p.lesion for p in open_points(session.state, session.case, 2, rows) if p.lesion] == ["T01b"]


def test_sums_and_changes_are_those_of_the_rows(opened: Opened) -> None:
    rows = read_all(opened)
    state, case = opened.session.state, opened.session.case
    now = live(state, case, rows)
    lines = {(line.criteria[0], line.measure): line for line in sum_rows(now, state, case, 2)}
    for criterion, size in (("recist11", "longest_mm"), ("mrecist", "viable_mm")):
        sums = [
            sum(getattr(r, size) for r in now.rows if r.timepoint == t and r.role is Role.TARGET) for t in (0, 1, 2)
        ]
        shown = lines[criterion, "sum"].cells
        assert [shown[t].text for t in (0, 1, 2)] == [show(one) for one in sums]
        smallest = min(range(2), key=lambda t: sums[t])
        assert [t for t in shown if shown[t].nadir] == [smallest]
        percent = 100 * (sums[2] - sums[0]) / sums[0]
        said = lines[criterion, "baseline"].cells[2].text.replace("−", "-").removesuffix(" %")
        assert float(said) == pytest.approx(float(percent), abs=0.05)
        change = lines[criterion, "nadir"].cells[2].text.splitlines()[1].replace("−", "-")
        assert Decimal(change) == sums[2] - sums[smallest]
        assert 0 not in lines[criterion, "baseline"].cells
    assert {t: c.text for t, c in lines["mrecist", "overall"].cells.items()} == {1: "PR", 2: "PR"}


def test_a_sum_with_a_gap_is_open(opened: Opened) -> None:
    rows = read_all(opened)
    opened.session.do(Erase(timepoint=1, lesion="T01"))
    state, case = opened.session.state, opened.session.case
    lines = {(line.criteria[0], line.measure): line for line in sum_rows(live(state, case, rows), state, case, 2)}
    for measure in ("sum", "overall"):
        cell = lines["recist11", measure].cells[1]
        assert (cell.text, cell.open) == ("open", True)
        assert cell.why == "T01 has neither a measurement nor a state"
    # No later sum has a change that could be trusted either, so the row of changes is not there.
    assert ("recist11", "baseline") not in lines
    assert lines["recist11", "overall"].cells[2].open


def test_margins_on_demand_are_those_of_every_visit(opened: Opened) -> None:
    rows = read_all(opened)
    now = live(opened.session.state, opened.session.case, rows)
    protocol = opened.case.protocol
    for setting in protocol.criteria:
        for one in assess_read(build_read(now.rows), setting, protocol.response):
            assert now.margins(setting.name, one.response.timepoint) == margins(one)
    assert now.margins("recist11", 0) is None


def test_masks_are_measured_apart_and_once(room: Room) -> None:
    from test_session_room import true_lines

    _, whole, viable = true_lines()[0, "T01"]
    room.draw(whole, viable, room.series, Provenance(method="test"))
    assert room.unmeasured() == ((0, "T01"),)
    work = room.measuring()
    room.add_lesion(Role.NON_TARGET)
    work()
    assert room.unmeasured() == ()
    known = room.drawn(0, "T01")
    assert room.drawn(0, "T01") is known


def test_the_meaning_of_a_signature_is_kept(room: Room) -> None:
    from mrecist.session.actions import AnswerAdequate

    room.add_lesion(Role.NON_TARGET)
    room.do(SetState(timepoint=0, lesion="NT01", state=State.PRESENT))
    room.do(AnswerAdequate(timepoint=0, answer=True))
    assert room.sign("A. Reader", "adjudicated", write=False) == ()
    assert room.state.visit(0).signature.meaning == "adjudicated"  # type: ignore[union-attr]
    assert not list(room.study.root.glob("reads/read_*"))
    assert len(room.write()) == 2
