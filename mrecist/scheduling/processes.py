"""Items in processes of this machine: as many at a time as there are workers, each within its limits.

``concurrent.futures`` gives up every item when one process dies, loky (BSD) starts a new pool but fails all items that were on
their way, and neither has a limit of time; pebble has both and is LGPL. Here a thread minds each process, and a process that
ends takes nothing with it but its own item. That item is tried once more at the very end, alone in a new process: it may have
been killed because its neighbours took the memory.
"""

from __future__ import annotations

import pickle
import queue
import threading
from collections.abc import Callable, Iterable, Iterator
from typing import Any

from mrecist.errors import MrecistError
from mrecist.scheduling.interface import Cause, Failure, Item, Limits, Value
from mrecist.scheduling.isolated import Isolated, packed

AGAIN = frozenset({Cause.DIED, Cause.MEMORY})
"""What may be another item's fault."""
_AHEAD = 2
"""Items on their way for each worker: one that runs, one that waits, or a result that does."""


class Processes:
    """The scheduler of one machine.

    Parameters
    ----------
    workers : how many processes.
    limits : what one item may take.
    """

    def __init__(self, workers: int, limits: Limits | None = None) -> None:
        self._workers, self._limits = workers, limits or Limits()

    def run(self, function: Callable[[Item], Value], items: Iterable[Item]) -> Iterator[tuple[int, Value | Failure]]:
        """See :class:`mrecist.scheduling.interface.Scheduler`. Raises MrecistError when processes do not start at all."""
        payload = pickle.dumps(function)
        suspects: list[tuple[int, bytes, Failure]] = []
        crew = _Crew(payload, self._limits)
        try:
            for index, data, outcome in crew.outcomes(packed(items), self._workers):
                if isinstance(outcome, Failure) and outcome.cause in AGAIN:
                    suspects.append((index, data, outcome))
                else:
                    yield index, outcome
        finally:
            crew.close()
        for index, data, _ in suspects:
            yield index, second_try(payload, self._limits, data)


def second_try(function: bytes, limits: Limits, data: bytes) -> Any | Failure:
    """The outcome of an item in a new process of its own, after it failed in another one."""
    process = Isolated(function, limits)
    try:
        outcome = process.run(data)
    finally:
        process.close()
    if isinstance(outcome, Failure) and outcome.cause in AGAIN:
        return Failure(f"{outcome.reason}; tried twice", outcome.cause)
    return outcome


class _Crew:
    """Threads that mind one process each."""

    def __init__(self, function: bytes, limits: Limits) -> None:
        self._function, self._limits = function, limits
        self._given: queue.SimpleQueue[tuple[int, bytes] | None] = queue.SimpleQueue()
        self._done: queue.SimpleQueue[tuple[int, bytes, Any]] = queue.SimpleQueue()
        self._threads: list[threading.Thread] = []
        self._running: set[Isolated] = set()
        self._lock = threading.Lock()
        self._closed = False

    def outcomes(
        self, items: Iterator[tuple[int, bytes | Failure]], workers: int
    ) -> Iterator[tuple[int, bytes, Any | Failure]]:
        """(Index, item, outcome) of all items, each tried once; a thread is added as long as items wait."""
        on_their_way, left = 0, True
        while left or on_their_way:
            while left and on_their_way < _AHEAD * workers:
                one = next(items, None)
                if one is None:
                    left = False
                elif isinstance(one[1], Failure):
                    yield one[0], b"", one[1]
                else:
                    if len(self._threads) < workers:
                        self._add_thread()
                    self._given.put((one[0], one[1]))
                    on_their_way += 1
            if on_their_way:
                index, data, outcome = self._done.get()
                on_their_way -= 1
                if isinstance(outcome, MrecistError):
                    raise outcome
                yield index, data, outcome

    def _add_thread(self) -> None:
        thread = threading.Thread(target=self._mind, daemon=True)
        self._threads.append(thread)
        thread.start()

    def _mind(self) -> None:
        process: Isolated | None = None
        while (one := self._given.get()) is not None:
            if process is None or not process.fit:
                process = self._replace(process)
            outcome: object
            try:
                outcome = process.run(one[1])
            except Exception as error:  # noqa: BLE001 - raised where the outcomes are read
                outcome = error if isinstance(error, MrecistError) else MrecistError(f"a worker process: {error}")
            self._done.put((*one, outcome))

    def _replace(self, old: Isolated | None) -> Isolated:
        new = Isolated(self._function, self._limits)
        with self._lock:
            if old is not None:
                self._running.discard(old)
            self._running.add(new)
            if self._closed:
                new.close()
        return new

    def close(self) -> None:
        """End all processes, whatever they do, and the threads."""
        with self._lock:
            self._closed = True
            running = list(self._running)
        while not self._given.empty():
            self._given.get_nowait()
        for _ in self._threads:
            self._given.put(None)
        for process in running:
            process.close()
        for thread in self._threads:
            thread.join()
