"""Lesions of the visit before on a real window: dashed lines, a proposal from one of them, and statuses by keys on the images.

The tests share the window and go on where the one before stopped.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from plugin_mouse import press
from settled import settle

from mrecist.imaging.masks import read_segmentation
from mrecist.model import State
from mrecist.samples.build import sample_study_path
from mrecist.session.case import best_series
from mrecist.session.state import Provenance
from mrecist.study import open_study

pytestmark = pytest.mark.filterwarnings("default")
sys.path.insert(0, str(Path(__file__).parents[2] / "plugins"))


def true_masks(timepoint: int) -> dict[str, Any]:
    """Lesion -> its true mask at a visit, from the sample's segmentations."""
    subject = next(s for s in open_study(sample_study_path()).subjects if s.subject == "SAMPLE-01")
    found = {}
    for segmentation in subject.segmentations:
        for mask in read_segmentation(segmentation.path, subject.series).masks:
            if subject.timepoints[mask.series_uid] == timepoint:
                found[mask.lesion] = mask
    return found


def ghosts(window: Any) -> list[str]:
    """The names that are written at dashed lines."""
    layers = window.viewer.layers
    return list(layers["names of ghosts"].features["label"]) if "names of ghosts" in layers else []


def told(window: Any) -> str:
    return str(window.viewer.canvas.overlays["told"].text).replace("\n", " ")


def test_opening_a_follow_up_visit_shows_the_lesions_of_the_visit_before(window: Any) -> None:
    room = window.room
    for mask in true_masks(0).values():
        room.draw(mask.whole, mask.viable, best_series(room.visit), Provenance(method="truth"))
    room.look_at(1)
    settle(window)
    assert [name.split()[0] for name in ghosts(window)] == ["T01", "T02"]
    assert all("was" in name and "place ±" in name for name in ghosts(window))
    assert window.viewer.layers.selection == set()
    assert dict(room.state.visit(1).marks) == {}


def test_p_tells_what_is_known_and_end_goes_to_the_ghost(window: Any) -> None:
    press(window, "P")
    assert "HU" in told(window) or "dashed lines" in told(window)
    window.room.look_at_lesion("T01")
    settle(window)
    ghost = window.room.following.ghost("T01")
    assert window.current.slice_index == round(ghost.followed.line.start[0])
    assert told(window).startswith("T01: placed by")
    lines = window.viewer.layers["ghosts"]
    at = window.current.slice_index
    on_slice = [one for one in lines.data if round(one[0][0]) == at]
    truth = np.argwhere(true_masks(1)["T01"].whole).mean(axis=0)
    assert on_slice
    assert np.abs(np.mean([one.mean(axis=0) for one in on_slice if one[0][0] == at], axis=0)[1:] - truth[1:]).max() < 12


def test_a_ghost_becomes_a_proposal_that_the_reader_accepts(window: Any) -> None:
    window.room.look_at_lesion("T01")
    press(window, "Shift+P")
    settle(window)
    pending = window.room.pending
    assert pending is not None
    assert pending.lesion == "T01"
    assert window.room.state.mark(1, "T01") is None
    assert [name.split()[0] for name in ghosts(window)] == ["T02"]
    press(window, "Return")
    mark = window.room.state.mark(1, "T01")
    assert mark is not None
    assert mark.state is State.MEASURED
    assert [name.split()[0] for name in ghosts(window)] == ["T02"]


def test_a_digit_on_the_images_says_the_status_of_the_chosen_lesion(window: Any) -> None:
    window.room.look_at_lesion("T02")
    settle(window)
    press(window, "3")
    mark = window.room.state.mark(1, "T02")
    assert mark is not None
    assert mark.state is State.NOT_EVALUABLE
    assert ghosts(window) == []
    press(window, "Shift+P")
    settle(window)
    assert "T02 has no ghosted line" in told(window)


def test_a_digit_without_a_lesion_and_work_that_is_stopped_are_told(window: Any) -> None:
    window.room.look_at_lesion("")
    settle(window)
    press(window, "3")
    assert "choose a lesion first" in told(window)
    window.room.session.undo()
    window.room.following.forget()
    window.following.ask()
    window.following.ask()
    assert told(window).startswith("stopped")
    settle(window)
    assert window.room.following.carried is None
    press(window, "P")
    settle(window)
    assert [name.split()[0] for name in ghosts(window)] == ["T02"]


def test_the_readers_own_link_holds_and_comes_back_with_the_visit(window: Any) -> None:
    press(window, ".")
    own = window.prior.offset_mm
    assert own != 0
    window.room.look_at(0)
    settle(window)
    window.room.look_at(1)
    settle(window)
    assert window.prior.offset_mm == own
