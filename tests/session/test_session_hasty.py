"""A reader in a hurry, and a full disk: what is refused changes nothing, what was drawn is kept, nothing is measured twice."""

from __future__ import annotations

import errno
import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from session_reading import STUDY
from test_session_room import true_lines

from mrecist.errors import ReadError
from mrecist.imaging.phase import PhaseName
from mrecist.model import Role, State
from mrecist.session.actions import AnswerAdequate, SetState
from mrecist.session.room import Room, open_room
from mrecist.session.rows import Rows


@pytest.fixture
def room(tmp_path: Path) -> Iterator[Room]:
    """The images of SAMPLE-01, opened by reader R2."""
    study = tmp_path / "study"
    shutil.copytree(STUDY / "images" / "SAMPLE-01", study / "images" / "SAMPLE-01")
    opened = open_room(study, "SAMPLE-01", "R2")
    yield opened
    opened.close()


def ready_baseline(room: Room) -> None:
    room.add_lesion(Role.NON_TARGET)
    room.do(SetState(timepoint=0, lesion="NT01", state=State.PRESENT))
    room.do(AnswerAdequate(timepoint=0, answer=True))


def test_a_signed_visit_takes_no_lesion(room: Room) -> None:
    line = true_lines()[0, "T01"][0]
    pending = room.ask(line)
    ready_baseline(room)
    room.sign("R2")
    before = room.state
    with pytest.raises(ReadError, match="was signed by R2"):
        room.ask(line)
    room.offer(pending)  # it was being found while the visit was signed
    with pytest.raises(ReadError, match="was signed by R2"):
        room.accept()
    assert room.state == before
    assert room.pending is pending


def test_a_visit_is_not_signed_over_a_proposal(room: Room) -> None:
    ready_baseline(room)
    room.offer(room.ask(true_lines()[0, "T01"][0]))
    with pytest.raises(ReadError, match="accept or reject it"):
        room.sign("R2")
    room.offer(None)
    room.sign("R2")


def test_a_proposal_is_of_what_was_looked_at_when_it_was_asked(room: Room) -> None:
    work = room.asking(true_lines()[0, "T01"][0])
    portal = next(s for s in room.visit.series if s.phase.name == PhaseName.PORTAL_VENOUS)
    room.look_at_series(portal)
    room.look_at(1)
    found = work()
    assert (found.timepoint, found.proposal.series.phase.name) == (0, PhaseName.ARTERIAL)


def test_an_accepted_proposal_is_measured_already_and_to_the_same_number(room: Room) -> None:
    for lesion in ("T01", "T02"):
        room.offer(room.ask(true_lines()[0, lesion][0]))
        room.accept()
        assert room.unmeasured() == ()
    fresh = Rows("R2", room.session.masks)
    for lesion in ("T01", "T02"):
        mine, other = room.drawn(0, lesion), fresh.drawn(room.state, room.case, 0, lesion)
        assert mine is not None
        assert other is not None
        assert mine.measurement == other.measurement
        assert mine.looked.mean_hu == other.looked.mean_hu
        assert (mine.mask.lesion, mine.mask.tracking_uid) == (other.mask.lesion, other.mask.tracking_uid)
        assert np.array_equal(mine.mask.whole, other.mask.whole)
    assert room.rows.of(room.state, room.case) == fresh.of(room.state, room.case)


def test_masks_wait_for_a_full_disk(room: Room, monkeypatch: pytest.MonkeyPatch) -> None:
    real = os.fsync

    def full(_handle: int) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(os, "fsync", full)
    room.offer(room.ask(true_lines()[0, "T01"][0]))
    room.accept()
    drawn = room.drawn(0, "T01")
    assert drawn is not None
    assert "No space left on device" in room.session.trouble
    assert not room.session.save()
    assert list(room.session.masks.folder.glob("*.mask")) == []
    monkeypatch.setattr(os, "fsync", real)
    assert room.session.save()
    state, root = room.state, room.study.root
    room.close()
    again = open_room(root, "SAMPLE-01", "R2")
    try:
        assert again.state == state
        kept = again.drawn(0, "T01")
        assert kept is not None
        assert np.array_equal(kept.mask.whole, drawn.mask.whole)
    finally:
        again.close()
