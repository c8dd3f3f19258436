"""How long a server is waited for: bounded retries with a wait that doubles."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeVar

from mrecist.errors import InputError, MrecistError

_LONGEST_WAIT_S = 30.0
T = TypeVar("T")


class ConnectionLostError(MrecistError):
    """The server did not answer, or the connection broke: worth another try."""


class RefusedError(InputError):
    """The server answered, and the answer is no: another try would get the same."""


class NotOfferedError(RefusedError):
    """The server does not answer questions of this kind; another service of it may still be there."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Patience:
    """Retries after a lost connection.

    Parameters
    ----------
    retries : tries after the first one that may bring nothing; a try that brings something starts the count again.
    wait_s : seconds before the first retry, then twice as long each time, at most 30.
    """

    retries: int = 4
    wait_s: float = 1.0

    def wait(self, lost: int) -> None:
        """Wait before retry number ``lost`` (1, 2, ...)."""
        time.sleep(min(self.wait_s * 2 ** (lost - 1), _LONGEST_WAIT_S))

    def insist(self, ask: Callable[[], T]) -> T:
        """Ask until there is an answer; raises the last :class:`ConnectionLostError` when the retries are used up."""
        lost = 0
        while True:
            try:
                return ask()
            except ConnectionLostError:
                lost += 1
                if lost > self.retries:
                    raise
                self.wait(lost)
