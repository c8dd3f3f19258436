"""Every key, drags and clicks in random order, whatever the window is doing: nothing raises, and nothing is lost."""

from __future__ import annotations

import random
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from plugin_mouse import canvas, drag, key_of
from sample_truth import true_axes
from settled import settle

from mrecist.model import Role, State
from mrecist.samples.build import sample_study_path
from mrecist.session.actions import AnswerAdequate, SetState
from mrecist.session.room import Room, open_room
from mrecist_napari.keys import KEYS

pytestmark = pytest.mark.filterwarnings("default")
SEED, STEPS = 20, 180


@pytest.fixture
def room(tmp_path: Path) -> Room:
    """SAMPLE-01 with a baseline that is signed: a visit that takes nothing, one without a prior, and two that are open."""
    study = tmp_path / "study"
    shutil.copytree(sample_study_path() / "images" / "SAMPLE-01", study / "images" / "SAMPLE-01")
    opened = open_room(study, "SAMPLE-01", "R2")
    opened.add_lesion(Role.NON_TARGET)
    opened.do(SetState(timepoint=0, lesion="NT01", state=State.PRESENT))
    opened.do(AnswerAdequate(timepoint=0, answer=True))
    opened.sign("R2")
    return opened


class AnyHand:
    """Does something, chosen by chance, and waits only sometimes."""

    def __init__(self, window: Any, chance: random.Random) -> None:
        self.window, self.chance = window, chance
        self.held: list[Any] = []

    def act(self) -> str:
        """One thing; its name."""
        kinds: list[tuple[Callable[[], str], float]] = [
            (self._key, 0.6),
            (self._lesion, 0.14),
            (self._wild_drag, 0.06),
            (self._hold, 0.05),
            (self._click, 0.15),
        ]
        done = self.chance.choices([kind for kind, _ in kinds], [weight for _, weight in kinds])[0]()
        if self.chance.random() < 0.2:
            settle(self.window)
        return done

    def let_go(self) -> None:
        """Release what is held."""
        from qtpy.QtTest import QTest

        while self.held:
            QTest.keyRelease(canvas(self.window), self.held.pop())

    def _key(self) -> str:
        one = self.chance.choice([key for key in KEYS if not key.held])
        self._press(one.shown)
        return one.shown

    def _press(self, keys: str) -> None:
        from qtpy.QtTest import QTest

        QTest.keyClick(canvas(self.window), *key_of(keys))

    def _lesion(self) -> str:
        """A lesion as a reader draws it, in a hurry or not."""
        self._press(self.chance.choice(["N", "U", "Shift+N"]))
        said = self._true_drag()
        if self.chance.random() < 0.7:
            settle(self.window)
        self._press("Return")
        return said

    def _hold(self) -> str:
        from qtpy.QtCore import Qt
        from qtpy.QtTest import QTest

        if self.held:
            self.let_go()
            return "let go"
        key = self.chance.choice([Qt.Key.Key_Q, Qt.Key.Key_H])
        self.held.append(key)
        QTest.keyPress(canvas(self.window), key)
        return "hold"

    def _true_drag(self) -> str:
        (_, lesion), axis = self.chance.choice(list(true_axes("SAMPLE-01").items()))
        self._drag(*axis, "left")
        return f"drag {lesion}"

    def _wild_drag(self) -> str:
        start, end = ((5.0, self.chance.uniform(-20, 180), self.chance.uniform(-20, 240)) for _ in range(2))
        self._drag(start, end, self.chance.choice(["left", "right"]))
        return "wild drag"

    def _drag(self, start: Any, end: Any, button: str) -> None:
        if self.window.current.series is not None:
            drag(self.window, start, end, button, steps=2, wait=False)

    def _click(self) -> str:
        from qtpy.QtCore import Qt
        from qtpy.QtTest import QTest
        from qtpy.QtWidgets import QPushButton

        names = ("visit_0", "visit_1", "visit_2", "add_target", "add_new", "state_absent", "undo", "redo", "erase")
        name = self.chance.choice(names)
        found = [b for b in self.window.panel.findChildren(QPushButton, name) if b.isVisible() and b.isEnabled()]
        if found:
            QTest.mouseClick(found[0], Qt.MouseButton.LeftButton)
        return name if found else f"({name})"


def test_any_key_at_any_time(room: Room, qtbot: Any, caplog: pytest.LogCaptureFixture) -> None:
    from mrecist_napari.reading_window import ReadingWindow

    chance = random.Random(SEED)
    window = ReadingWindow(room)
    window.viewer.window.resize(900, 600)
    done, begun = [], len(room.session.log)
    try:
        with qtbot.capture_exceptions() as raised:
            hand = AnyHand(window, chance)
            for _ in range(STEPS):  # the first of them while the visit is still loading
                done.append(hand.act())
                assert not raised, (done[-6:], raised)
            hand.let_go()
            settle(window)
        assert not raised, done[-6:]
        assert [r.message for r in caplog.records if r.levelname == "ERROR"] == []
        assert room.state.visit(0).signature is not None
        assert room.session.unsaved == 0
        assert {name for name in done if name.startswith("drag")} != set()
        assert len(room.session.log) > begun  # whether a mask is among it is a matter of time
        before, log = room.state, room.session.log
    finally:
        window.room.offer(None)
        window.close()
        window.viewer.close()
    again = open_room(room.study.root, "SAMPLE-01", "R2")
    try:
        assert again.state == before
        assert again.session.log == log
    finally:
        again.close()
