"""The list of segmenters in the panel: hidden, chosen from, agreed to, given up."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from panel_reading import STUDY

from mrecist.segmenters.bench import Bench
from mrecist.segmenters.found import Found
from mrecist.session.room import Room
from mrecist.session.volumes import Volumes
from mrecist.study import open_study

NOTICE = (
    "far sends the voxels around the lesion to https://example.org. Licence of the model's weights: CC BY-NC-SA 4.0."
)


class Quiet:
    """A segmenter that is never asked for a mask here."""

    prompts = ("line",)

    def __init__(self, notice: str = "", missing: str = "") -> None:
        self._notice, self._missing = notice, missing

    def available(self) -> tuple[bool, str]:
        """Unless something is missing."""
        return not self._missing, self._missing

    def notice(self) -> str:
        """What it was made with; an empty server breaks off."""
        if self._notice == "dead":
            raise ConnectionError("nobody is there")
        return self._notice

    def close(self) -> None:
        """Nothing to let go of."""


@pytest.fixture
def segmenters() -> dict[str, Callable[[], Any]]:
    """Name -> segmenter."""
    return {
        "near": Quiet,
        "far": lambda: Quiet(NOTICE),
        "dead": lambda: Quiet("dead"),
        "absent": lambda: Quiet(missing="no graphics card"),
    }


@pytest.fixture
def room(tmp_path: Path, segmenters: dict[str, Callable[[], Any]]) -> Any:
    """A read with them."""
    study = tmp_path / "study"
    shutil.copytree(STUDY / "images" / "SAMPLE-01", study / "images" / "SAMPLE-01")
    others = {name: Found(name=name, package="test 1.0", make=make) for name, make in segmenters.items()}
    opened = Room(open_study(study), "SAMPLE-01", "R2", Volumes(), Bench(others))
    yield opened
    opened.close()


def words(hand: Any) -> str:
    return str(hand.find("segmenter_notice").text()) if hand.find("segmenter_notice").isVisible() else ""


@pytest.mark.parametrize("segmenters", [{}, {"absent": lambda: Quiet(missing="no graphics card")}])
def test_it_is_hidden_while_only_the_built_in_one_can_be_used(hand: Any) -> None:
    hand.settle()
    assert not hand.find("segmenter").isVisible()


def test_those_that_can_be_used_are_listed_and_the_built_in_one_is_chosen(room: Room, hand: Any) -> None:
    box = hand.find("segmenter")
    assert [box.itemText(i) for i in range(box.count())] == ["graph-cut", "near", "far", "dead"]
    assert box.currentText() == room.segmenter == "graph-cut"
    assert words(hand) == ""
    hand.pick("segmenter", "near")
    assert room.segmenter == "near"
    assert not hand.find("segmenter_agree").isVisible()


def test_one_that_sends_images_away_is_used_after_the_reader_agreed(room: Room, hand: Any) -> None:
    hand.panel.segmenter.pick("far")
    hand.settle()
    assert words(hand) == NOTICE
    assert room.segmenter == "graph-cut"
    hand.click("segmenter_refuse")
    assert (words(hand), hand.find("segmenter").currentText()) == ("", "graph-cut")
    hand.panel.segmenter.pick("far")
    hand.settle()
    hand.click("segmenter_agree")
    assert room.segmenter == "far"
    assert words(hand) == NOTICE  # it stays to be read
    assert not hand.find("segmenter_agree").isVisible()
    hand.panel.segmenter.pick("graph-cut")
    hand.settle()
    assert (words(hand), room.segmenter) == ("", "graph-cut")


def test_one_that_fails_when_it_is_chosen_is_told_and_not_used(room: Room, hand: Any) -> None:
    hand.panel.segmenter.pick("dead")
    hand.settle()
    assert room.segmenter == hand.find("segmenter").currentText() == "graph-cut"
    assert hand.find("told").text() == "segmenter dead failed: ConnectionError: nobody is there"


def test_a_choice_elsewhere_is_shown(room: Room, hand: Any) -> None:
    room.choose_segmenter("near")
    hand.settle()
    assert hand.find("segmenter").currentText() == "near"
