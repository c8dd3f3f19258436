"""One visit of the sample read by a hand on the window, from its first picture to its signature; the truth says what is drawn and said."""

from __future__ import annotations

from collections import Counter
from typing import Any

from reader_hand import ReaderHand
from sample_truth import said, true_axes

from mrecist.model import Measurement, Role, State

SIGNER = "R. Reader"


def read_visit(hand: ReaderHand, subject: str, timepoint: int) -> Counter[str]:
    """Read and sign a visit that is on the screen; what it took, the signature included."""
    room = hand.window.room
    rows = said(subject, timepoint)
    for (visit, lesion), axis in true_axes(subject).items():
        if visit == timepoint:
            _draw(hand, lesion, axis)
    for row in rows:
        if (timepoint, row.lesion) not in true_axes(subject):
            _state(hand, row)
    hand.click("adequate_yes")
    if timepoint:
        assert not hand.find("start_signing").isEnabled()
        hand.key("Ctrl+Return")
        assert room.state.visit(timepoint).signature is None
        assert "is there a new lesion?" in hand.find("told").text()
        new = [row for row in rows if row.role is Role.NEW]
        hand.click("new_lesion_yes" if new else "new_lesion_no")
    _sign(hand, timepoint)
    return hand.take_counts()


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
