"""What every part of the panel works with: the room, a place for messages, and long work away from the screen."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from mrecist.errors import MrecistError
from mrecist.session.actions import Action
from mrecist.session.room import Room

Later = Callable[[Callable[[], Any], Callable[[Any], None], str], None]


def at_once(work: Callable[[], Any], then: Callable[[Any], None], _what: str) -> None:
    """Long work done here and now, where nobody offers another thread."""
    then(work())


class Desk:
    """The room as the parts of the panel use it.

    Parameters
    ----------
    room : what is shown and called.
    later : ``later(work, then, what)`` does long work elsewhere and goes on with its result on this thread.
    message : tells the reader one line; an empty one takes it away.
    """

    def __init__(self, room: Room, later: Later, message: Callable[[str], None]) -> None:
        self.room = room
        self.later = later
        self.message = message

    @property
    def timepoint(self) -> int:
        """The visit that is looked at."""
        return self.room.looking.timepoint

    @property
    def signed(self) -> bool:
        """The visit is signed: nothing in it changes until it is opened again."""
        return self.room.state.visit(self.timepoint).signature is not None

    def do(self, action: Action) -> bool:
        """Do an action; what refuses it is told, and nothing has changed then."""
        return self.call(lambda: self.room.do(action))

    def call(self, work: Callable[[], object]) -> bool:
        """The same for anything that the room does."""
        try:
            work()
        except (MrecistError, OSError) as error:
            self.message(str(error))
            return False
        self.message("")
        return True
