"""One visit of the sample read by a hand on the window, from its first picture to its signature; the truth says what is drawn and said."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import Any

from reader_hand import ReaderHand
from sample_truth import said, true_axes

from mrecist.model import Measurement, Role, State

SIGNER = "R. Reader"


@dataclass
class Took:
    """What a visit took: for each lesion that was drawn, and for the questions and the signature."""

    drawn: list[Counter[str]] = field(default_factory=list)
    rest: Counter[str] = field(default_factory=Counter)

    def with_targets(self, number: int) -> Counter[str]:
        """The same for so many targets: each takes what the last one took. The wheel is as the images need it."""
        one = self.drawn[-1]
        total = Counter({name: number * count for name, count in one.items()}) + self.rest
        return Counter({name: count for name, count in total.items() if name != "notches"})


def read_visit(hand: ReaderHand, subject: str, timepoint: int) -> Took:
    """Open, read and sign a visit."""
    room = hand.window.room
    rows = said(subject, timepoint)
    took = Took()
    hand.take_counts()
    if room.looking.timepoint != timepoint:
        hand.click(f"visit_{timepoint}")
    took.rest += hand.take_counts()
    for (visit, lesion), axis in true_axes(subject).items():
        if visit == timepoint:
            _draw(hand, lesion, axis)
            took.drawn.append(hand.take_counts())
    for row in rows:
        if (timepoint, row.lesion) not in true_axes(subject):
            _state(hand, row)
    hand.take_counts()
    hand.click("adequate_yes")
    if timepoint:
        assert not hand.find("start_signing").isEnabled()
        took.rest += hand.take_counts()
        hand.key("Ctrl+Return")
        hand.take_counts()  # what is refused is no part of a read
        assert room.state.visit(timepoint).signature is None
        assert "is there a new lesion?" in hand.find("told").text()
        new = [row for row in rows if row.role is Role.NEW]
        hand.click("new_lesion_yes" if new else "new_lesion_no")
    _sign(hand, timepoint)
    took.rest += hand.take_counts()
    return took


def _draw(hand: ReaderHand, lesion: str, axis: Any) -> None:
    """Its long axis: of one that is there by U, of a new one by N."""
    room = hand.window.room
    known = lesion in room.state.lesions
    if known and room.looking.lesion != lesion:
        hand.key("End")
        assert room.looking.lesion == lesion, "the table does not lead to it"
    hand.draw("U" if known else "N", *axis)
    assert room.pending is not None
    hand.key("Return")
    assert room.pending is None
    assert room.state.mark(room.looking.timepoint, lesion).state in (State.MEASURED, State.UNEQUIVOCAL)


def _state(hand: ReaderHand, row: Measurement) -> None:
    """A lesion without a mask: its status, and why it cannot be evaluated."""
    room = hand.window.room
    if row.lesion not in room.state.lesions:
        hand.click(f"add_{row.role}")
    if room.looking.lesion != row.lesion:
        hand.choose_lesion(row.lesion)
    hand.click(f"state_{row.state}")
    if row.comment:
        hand.type("comment", row.comment)
        hand.key("Return")
    mark = room.state.mark(row.timepoint, row.lesion)
    assert (mark.state, mark.comment) == (row.state, row.comment)


def _sign(hand: ReaderHand, timepoint: int) -> None:
    """By keys alone; the name is typed once and kept."""
    room = hand.window.room
    hand.key("Ctrl+Return")
    if not hand.find("signer").text():
        assert not hand.find("confirm_signing").isEnabled()
        hand.type("signer", SIGNER)
    hand.key("Ctrl+Return")
    signature = room.state.visit(timepoint).signature
    assert signature is not None
    assert signature.name == SIGNER
