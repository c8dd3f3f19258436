"""A whole subject read by lines alone, from the first drag to the signed study folder, as a screen would drive it."""

from __future__ import annotations

import shutil
from functools import cache
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest
from session_reading import STUDY

from mrecist.batch import score_study
from mrecist.errors import MaskError, ReadError
from mrecist.imaging.masks import read_segmentation
from mrecist.imaging.phase import PhaseName
from mrecist.measure.lesion import measure_lesion
from mrecist.model import Role, State
from mrecist.pieces import series_of
from mrecist.segment.prompt import Line, Scribbles
from mrecist.segment.whole import dice
from mrecist.session.actions import AnswerAdequate, AnswerNewLesions, SetState
from mrecist.session.room import Room, open_room
from mrecist.study import open_study


@cache
def true_lines() -> dict[tuple[int, str], tuple[Line, npt.NDArray[np.bool_], npt.NDArray[np.bool_] | None]]:
    """(time point, lesion) -> its long axis and its true masks, from the sample's segmentations."""
    subject = next(s for s in open_study(STUDY).subjects if s.subject == "SAMPLE-01")
    found = {}
    for segmentation in subject.segmentations:
        for mask in read_segmentation(segmentation.path, subject.series).masks:
            timepoint = subject.timepoints[series_of(mask, subject.series).uid]
            longest = measure_lesion(mask.whole, mask.geometry).longest
            ends = [(longest.slice_index, *end) for end in longest.ends_index]
            found[timepoint, mask.lesion] = Line(start=ends[0], end=ends[1]), mask.whole, mask.viable
    return found


def read_visit(room: Room, timepoint: int) -> None:
    """Lines on both targets, the non-target stated, the questions answered."""
    room.look_at(timepoint)
    for (visit, lesion), (line, _, _) in true_lines().items():
        if visit == timepoint:
            known = lesion if lesion in room.state.lesions else ""
            room.offer(room.ask(line, lesion=known))
            assert room.accept() == lesion
    if timepoint == 0:
        room.add_lesion(Role.NON_TARGET)
    room.do(SetState(timepoint=timepoint, lesion="NT01", state=State.PRESENT))
    room.do(AnswerAdequate(timepoint=timepoint, answer=True))
    if timepoint:
        room.do(AnswerNewLesions(timepoint=timepoint, answer=False))


def test_a_subject_from_the_first_line_to_the_scored_study(room: Room, tmp_path: Path) -> None:
    for timepoint in (0, 1, 2):
        assert room.open_points(timepoint) != ()
        read_visit(room, timepoint)
        assert room.open_points(timepoint) == ()
        room.sign("R2")
    scored = score_study(room.study.root, tmp_path / "out")
    assert scored.results.problems == ()
    assert scored.results.responses == room.live().responses
    # The truth of the sample (docs/sample-data.md): SD, SD by RECIST 1.1; PR, PR by mRECIST.
    overall = {(r.criterion, r.timepoint): str(r.overall) for r in room.live().responses if r.timepoint}
    assert overall == {
        ("recist11", 1): "SD",
        ("recist11", 2): "SD",
        ("mrecist", 1): "PR",
        ("mrecist", 2): "PR",
    }


def test_proposals_are_near_the_true_masks(room: Room) -> None:
    """The made lesions are ellipsoids with sharp edges; 0.95 is the worst of the made lesions of docs/segmentation.md from 15 mm on."""
    for (timepoint, _), (line, whole, viable) in true_lines().items():
        room.look_at(timepoint)
        proposal = room.ask(line, role=Role.TARGET).proposal
        assert dice(proposal.whole, whole) > 0.95
        assert viable is not None
        assert proposal.viable is not None
        assert dice(proposal.viable, viable) > 0.9
        assert not (proposal.viable & ~proposal.whole).any()


def test_a_refused_line_and_a_rejected_proposal_leave_nothing(room: Room) -> None:
    line = true_lines()[0, "T01"][0]
    with pytest.raises(MaskError, match="at least 3 mm"):
        room.ask(Line(start=line.start, end=line.start))
    with pytest.raises(MaskError, match="outside the volume"):
        room.ask(Line(start=(0, 0, 0), end=(0, 0, 4000)))
    room.offer(room.ask(line))
    room.offer(None)
    with pytest.raises(ReadError, match="no proposal to accept"):
        room.accept()
    assert room.session.log == ()


def test_the_cutoff_is_nudged_and_marks_mend(room: Room) -> None:
    line, _, viable = true_lines()[1, "T01"]
    assert viable is not None
    room.look_at(1)
    pending = room.ask(line, role=Role.TARGET)
    sizes = [int(pending.proposal.viable.sum())]  # type: ignore[union-attr]
    for _ in range(3):
        pending = room.nudged(pending, 5)
        sizes.append(int(pending.proposal.viable.sum()))  # type: ignore[union-attr]
    assert sizes == sorted(sizes, reverse=True)
    assert sizes[-1] < sizes[0]
    removed = tuple(int(v) for v in np.argwhere(pending.proposal.whole)[0])
    mended = room.again(pending, Scribbles(remove=(removed,)))  # type: ignore[arg-type]
    assert not mended.proposal.whole[removed]


def test_viable_is_never_proposed_on_the_portal_phase(room: Room) -> None:
    portal = next(s for s in room.visit.series if s.phase.name == PhaseName.PORTAL_VENOUS)
    room.look_at_series(portal)
    assert room.ask(true_lines()[0, "T01"][0]).proposal.viable is None


def test_masks_of_the_same_reader_elsewhere_are_refused() -> None:
    with pytest.raises(ReadError, match="masks of SAMPLE-01 by reader R1 are there already"):
        open_room(STUDY, "SAMPLE-01", "R1")


def test_watchers_hear_what_changed(room: Room) -> None:
    heard: list[str] = []
    stop = room.watch(heard.append)
    room.add_lesion(Role.TARGET)
    room.look_at(1)
    stop()
    room.look_at(0)
    assert heard == ["state", "looking"]


def test_a_proposal_is_measured_by_the_protocols_convention(tmp_path: Path) -> None:
    """The number beside a proposal is that of the row it becomes; by pixel centres a lesion is a pixel smaller than by extent."""
    study = tmp_path / "study"
    shutil.copytree(STUDY / "images" / "SAMPLE-01", study / "images" / "SAMPLE-01")
    found = {}
    for convention in ("centre", "extent"):
        text = f'format = "mrecist-protocol/1"\n[measurement]\nconvention = "{convention}"\n'
        (study / "protocol.toml").write_text(text, encoding="utf-8")
        room = open_room(study, "SAMPLE-01", convention)
        try:
            pending = room.ask(true_lines()[0, "T01"][0])
            room.offer(pending)
            name = room.accept()
            drawn = room.drawn(0, name)
            assert drawn is not None
            assert drawn.measurement == pending.proposal.measurement
            found[convention] = drawn.measurement.longest.mm
        finally:
            room.close()
    assert 0.5 < found["extent"] - found["centre"] < 3  # pixels of 1.5 mm
