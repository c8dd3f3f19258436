"""First steps at the foot of the picture, and the page of keys by its groups. No screen is needed."""

from __future__ import annotations

from typing import Any

import pytest

from mrecist_napari import hints as module
from mrecist_napari.hints import ACCEPT, HINTS, KEYS, LINE, Hints
from mrecist_napari.keys import KEYS as ALL_KEYS
from mrecist_napari.keys import Group, Key, grouped
from mrecist_napari.settings import Settings


class RoomOfHints:
    """A room as the hints see it: a proposal that waits or not, and whoever watches."""

    def __init__(self) -> None:
        self.pending: object = None
        self.watchers: list[Any] = []

    def watch(self, changed: Any) -> Any:
        self.watchers.append(changed)
        return lambda: self.watchers.remove(changed)

    def happens(self, what: str, pending: object = None) -> None:
        self.pending = pending
        for changed in self.watchers:
            changed(what)


@pytest.fixture
def done(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """A reader who has done nothing yet; the names of what was done since."""
    names: list[str] = []
    monkeypatch.setattr(module, "hint_done", names.append)
    monkeypatch.setattr(module, "settings", lambda: Settings(hints=frozenset(HINTS) - set(names)))
    return names


def test_each_hint_stands_there_until_it_was_done_once(done: list[str]) -> None:
    room, told = RoomOfHints(), [""]
    hints = Hints(room, told.append)  # type: ignore[arg-type]
    hints.tell("")
    assert told[-1].splitlines() == [HINTS[LINE], HINTS[ACCEPT], HINTS[KEYS]]
    hints.tell("drag the long axis")
    assert told[-1] == "drag the long axis"
    room.happens("pending", pending="one")
    room.happens("pending")  # rejected: nothing was accepted
    room.happens("state")
    assert done == [LINE]
    room.happens("pending", pending="another")
    room.happens("state")  # accepted: it is in the read and waits no more
    room.happens("pending")
    assert done == [LINE, ACCEPT]
    hints.tell("")
    assert told[-1] == HINTS[KEYS]
    hints.did(KEYS)
    hints.did(KEYS)
    assert (done, told[-1]) == ([LINE, ACCEPT, KEYS], "")
    hints.stop()
    assert room.watchers == []
    again = Hints(RoomOfHints(), told.append)  # type: ignore[arg-type]
    assert again.text == ""


def test_every_key_stands_once_on_the_page_in_a_group() -> None:
    groups = grouped()
    assert sorted(key.key for keys in groups.values() for key in keys) == sorted(key.key for key in ALL_KEYS)
    assert list(groups) == [group for group in Group if group in groups]
    assert {Group.LOOK, Group.LESIONS, Group.MEND, Group.VISIT} <= set(groups)


def test_a_key_without_a_group_stands_below_the_key_above_it() -> None:
    def key(name: str, group: Group | None = None) -> Key:
        return Key(name, name, name, lambda _window: None, group=group)

    keys = (key("a"), key("b", Group.VISIT), key("c"), key("d", Group.LOOK), key("e"))
    assert {group: [one.key for one in held] for group, held in grouped(keys).items()} == {
        Group.LOOK: ["a", "d", "e"],
        Group.VISIT: ["b", "c"],
    }
