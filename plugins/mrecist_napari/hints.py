"""First steps at the foot of the picture: what to try next, until it was done once. No Qt."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from mrecist_napari.settings import hint_done, settings

if TYPE_CHECKING:
    from mrecist.session.room import Room

LINE, ACCEPT, KEYS = "line", "accept", "keys"
HINTS = {
    LINE: "N, then drag the long axis of a lesion",
    ACCEPT: "Return accepts a proposal, Esc rejects it",
    KEYS: "? shows all keys",
}


class Hints:
    """The hints of one reading window.

    Parameters
    ----------
    room : what is read; a line that was drawn and a proposal that was accepted are seen in it.
    tell : shows a text at the foot of the picture.
    """

    def __init__(self, room: Room, tell: Callable[[str], None]) -> None:
        self._room = room
        self._tell = tell
        self._left = [name for name in HINTS if name in settings().hints]
        self._offered = False
        self._said = ""
        self.stop = room.watch(self._changed)

    @property
    def text(self) -> str:
        """The hints that are left, a line each."""
        return "\n".join(HINTS[name] for name in self._left)

    def tell(self, words: str) -> None:
        """Show a line at the foot; an empty one leaves what is still to be tried."""
        self._said = words
        self._tell(words or self.text)

    def did(self, name: str) -> None:
        """It was done once; the hint does not come again."""
        if name in self._left:
            self._left.remove(name)
            hint_done(name)
            self.tell(self._said)

    def _changed(self, what: str) -> None:
        if self._room.pending is not None:
            self._offered = True
            self.did(LINE)
        elif what == "state" and self._offered:
            self.did(ACCEPT)
        else:
            self._offered = False
