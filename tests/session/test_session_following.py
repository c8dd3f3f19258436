"""Lesions of the sample study carried from visit to visit; where they must lie is known from its true masks."""

from __future__ import annotations

import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from session_reading import STUDY
from test_session_room import true_lines

from mrecist.errors import MaskError, ReadError
from mrecist.imaging.series import Series
from mrecist.imaging.volume import Volume, load_volume
from mrecist.model import Role, State
from mrecist.segment.whole import dice
from mrecist.session.actions import Erase, SetState
from mrecist.session.case import best_series
from mrecist.session.following import Carried, Following, offset_mm
from mrecist.session.room import Room, open_room
from mrecist.session.state import Provenance
from mrecist.session.volumes import Volumes

LESIONS = ("T01", "T02")


def draw(room: Room, timepoint: int, lesions: tuple[str, ...] = LESIONS) -> None:
    """The true masks of a visit into the read."""
    room.look_at(timepoint)
    for lesion in lesions:
        _, whole, viable = true_lines()[timepoint, lesion]
        known = lesion if lesion in room.state.lesions else ""
        assert room.draw(whole, viable, best_series(room.visit), Provenance(method="truth"), lesion=known) == lesion


def carry(following: Following) -> Carried:
    """The work done to its end, and kept."""
    carried, _ = finished(following)
    following.keep(carried)
    return carried


def finished(following: Following) -> tuple[Carried, list[str]]:
    """The work done to its end, with the steps that it said."""
    work, steps = following.carrying(), []
    while True:
        try:
            steps.append(next(work))
        except StopIteration as done:
            return done.value, steps


def test_lines_lie_within_3_mm_of_the_true_lesions_and_no_further_off_than_told(room: Room) -> None:
    draw(room, 0)
    for timepoint in (1, 2):
        room.look_at(timepoint)
        assert carry(room.following).problem == ""
        ghosts = {one.lesion: one for one in room.following.ghosts()}
        assert tuple(ghosts) == LESIONS
        for lesion, ghost in ghosts.items():
            geometry = ghost.series.geometry
            assert geometry is not None
            truth = np.argwhere(true_lines()[timepoint, lesion][1]).mean(axis=0)
            scale = (geometry.slice_step_mm or 0, geometry.row_spacing_mm, geometry.column_spacing_mm)
            off = float(np.linalg.norm((np.array(ghost.followed.middle) - truth) * scale))
            assert off < 3
            assert off <= ghost.followed.off_mm
            line = ghost.line_on(ghost.series)
            assert line is not None
            assert np.linalg.norm((np.array(line.end) - line.start) * scale) == pytest.approx(ghost.mm, abs=0.01)
            assert "look" in ghost.followed.note
        draw(room, timepoint)
        assert room.following.ghosts() == ()


def test_only_what_was_drawn_before_and_has_nothing_yet_is_ghosted(room: Room) -> None:
    draw(room, 0)
    room.add_lesion(Role.NON_TARGET)
    assert room.following.pair is None
    assert room.following.wanted() == ()
    room.look_at(1)
    room.add_lesion(Role.NEW)
    room.do(SetState(timepoint=1, lesion="T02", state=State.ABSENT))
    assert room.following.wanted() == ("T01",)
    carry(room.following)
    assert [one.lesion for one in room.following.ghosts()] == ["T01"]
    room.do(SetState(timepoint=1, lesion="T01", state=State.NOT_EVALUABLE))
    assert room.following.ghosts() == ()
    # What is said of T02 taken back: it is carried too, without registering again.
    before = room.following.carried
    room.do(Erase(timepoint=1, lesion="T02"))
    assert room.following.wanted() == ("T02",)
    after = carry(room.following)
    assert before is not None
    assert after.ground is before.ground
    assert [one.lesion for one in room.following.ghosts()] == ["T02"]


def test_nothing_of_it_is_in_the_read_until_the_reader_accepts(room: Room) -> None:
    draw(room, 0)
    room.look_at(1)
    log = room.session.log
    carry(room.following)
    pending = room.following.propose("T01")
    assert room.session.log == log
    assert room.state.mark(1, "T01") is None
    assert pending.lesion == "T01"
    assert dice(pending.proposal.whole, true_lines()[1, "T01"][1]) > 0.9
    assert pending.proposal.notes[0].startswith("T01 from time point 0: placed by its surroundings")
    assert pending.proposal.provenance.prompts[0]["followed"]["from"] == 0
    room.offer(pending)
    assert room.accept() == "T01"
    mark = room.state.mark(1, "T01")
    assert mark is not None
    assert mark.mask is not None
    assert "followed" in mark.mask.provenance.prompts[0]


def test_a_lesion_without_a_ghost_is_refused_in_one_line(room: Room) -> None:
    draw(room, 0, ("T01",))
    room.look_at(1)
    with pytest.raises(ReadError, match="T01 has no ghosted line"):
        room.following.propose("T01")
    with pytest.raises(ReadError, match="choose a lesion"):
        room.following.propose("")


def test_work_that_is_left_keeps_nothing_and_a_late_answer_is_not_shown(room: Room) -> None:
    draw(room, 0)
    room.look_at(1)
    work = room.following.carrying()
    assert next(work) == "reading the visit before"
    work.close()
    assert room.following.carried is None
    late, steps = finished(room.following)
    room.look_at(2)  # the reader has moved on
    assert not room.following.keep(late)
    assert "registering the visits" in steps
    assert room.following.ghosts() == ()
    # Back at the visit it is there: nothing is registered twice.
    room.look_at(1)
    assert len(room.following.ghosts()) == 2
    assert room.following.wanted() == ()


def test_where_registration_fails_one_line_says_so_and_there_is_no_ghost(tmp_path: Path) -> None:
    def noise(series: Series) -> Volume:
        volume = load_volume(series)
        if series.date == first:
            return volume
        chance = np.random.default_rng(1)
        return replace(volume, voxels=chance.normal(0, 60, volume.voxels.shape).astype(np.float32))

    study = tmp_path / "study"
    shutil.copytree(STUDY / "images" / "SAMPLE-01", study / "images" / "SAMPLE-01")
    opened = open_room(study, "SAMPLE-01", "R2")
    first = best_series(opened.visit).date
    opened.volumes = Volumes(noise)
    try:
        draw(opened, 0)
        opened.look_at(1)
        carried = carry(opened.following)
        assert carried.problem.startswith("the two visits could not be registered")
        assert "\n" not in carried.problem
        assert opened.following.ghosts() == ()
        assert opened.following.wanted() == ()  # not tried for ever
        opened.following.forget()
        assert opened.following.wanted() == LESIONS
    finally:
        opened.close()


def test_a_vanished_lesion_gives_no_proposal(room: Room, monkeypatch: pytest.MonkeyPatch) -> None:
    draw(room, 0)
    room.look_at(1)
    carry(room.following)

    def nothing(*_: object) -> None:
        raise MaskError("nothing at the click differs from its surroundings; draw the long axis of the lesion")

    monkeypatch.setattr("mrecist.session.following.adapted", nothing)
    with pytest.raises(MaskError, match="T01: nothing at the carried place differs"):
        room.following.propose("T01")


def test_the_offset_of_the_slices_comes_from_the_lesions(room: Room) -> None:
    """The sample's patient lies the same at every visit."""
    draw(room, 0)
    room.look_at(1)
    carry(room.following)
    prior = best_series(room.case.visit(0))
    slid = offset_mm(room.following.ghosts(), prior, room.series)
    assert slid is not None
    assert abs(slid) < 1.5
    assert offset_mm((), prior, room.series) is None
