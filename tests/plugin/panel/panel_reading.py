"""The true masks of the sample's first subject, as if the reader had drawn them."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Any

from mrecist.imaging.masks import read_segmentation
from mrecist.imaging.phase import PhaseName
from mrecist.model import Role, State
from mrecist.pieces import series_of
from mrecist.session.actions import AnswerAdequate, AnswerNewLesions, SetState
from mrecist.session.room import Room
from mrecist.session.state import Provenance
from mrecist.study import open_study

STUDY = Path(__file__).parents[3] / "sample_data" / "study"


@cache
def true_masks() -> dict[tuple[int, str], tuple[Any, Any]]:
    """(time point, lesion) -> whole and viable, from the sample's segmentations."""
    subject = next(s for s in open_study(STUDY).subjects if s.subject == "SAMPLE-01")
    return {
        (subject.timepoints[series_of(mask, subject.series).uid], mask.lesion): (mask.whole, mask.viable)
        for segmentation in subject.segmentations
        for mask in read_segmentation(segmentation.path, subject.series).masks
    }


def put(room: Room, timepoint: int, lesion: str) -> None:
    """A true mask into the read, on the arterial series of its visit."""
    series = next(s for s in room.case.visit(timepoint).series if s.phase.name == PhaseName.ARTERIAL)
    whole, viable = true_masks()[timepoint, lesion]
    known = lesion if lesion in room.state.lesions else ""
    room.draw(whole, viable, series, Provenance(method="true mask"), lesion=known, timepoint=timepoint)


def put_visit(room: Room, timepoint: int) -> None:
    """A whole visit without the panel: both targets, the non-target present, the questions answered; not signed."""
    for lesion in ("T01", "T02"):
        put(room, timepoint, lesion)
    if timepoint == 0:
        room.add_lesion(Role.NON_TARGET)
    room.do(SetState(timepoint=timepoint, lesion="NT01", state=State.PRESENT))
    room.do(AnswerAdequate(timepoint=timepoint, answer=True))
    if timepoint:
        room.do(AnswerNewLesions(timepoint=timepoint, answer=False))
