"""What is run, within which limits, and what comes back."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol, TypeVar

from mrecist.errors import MrecistError

Item = TypeVar("Item")
Value = TypeVar("Value")


class ClusterError(MrecistError):
    """A cluster that cannot be used now: unreachable, gone, another version, a worker that does not see a folder."""


class Cause(StrEnum):
    """Why an item failed."""

    RAISED = "raised"
    MEMORY = "memory"
    TIME = "time"
    DIED = "died"


@dataclass(frozen=True, slots=True)
class Failure:
    """An item that gave no value; ``reason`` is half a line for a person, which names neither the item nor the worker."""

    reason: str
    cause: Cause


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """What one item may take; None: no limit.

    Parameters
    ----------
    seconds : wall clock of one item, from the moment its process begins with it.
    memory_mib : address space of the process that runs it, in MiB, with its libraries (about 1 GiB of their own).
    """

    seconds: float | None = None
    memory_mib: float | None = None

    @property
    def none(self) -> bool:
        """Whether nothing is limited."""
        return self.seconds is None and self.memory_mib is None


class Scheduler(Protocol):
    """Runs a function over items."""

    def run(self, function: Callable[[Item], Value], items: Iterable[Item]) -> Iterator[tuple[int, Value | Failure]]:
        """(Index of the item, its value or why there is none), as they finish; items are taken as places become free."""


def failure_of(error: BaseException) -> Failure:
    """What an exception of an item says: our own refusals as they are, anything else as a fault of ours."""
    if isinstance(error, MrecistError):
        return Failure(str(error), Cause.RAISED)
    if isinstance(error, MemoryError):
        return Failure("it needs more memory than there is", Cause.MEMORY)
    said = " ".join(str(error).split())
    return Failure(f"unexpected {type(error).__name__}{': ' if said else ''}{said}; please report this", Cause.RAISED)
