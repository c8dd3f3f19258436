"""One item after another in this process: no limits, and a crash of a library is a crash of the program."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator

from mrecist.scheduling.interface import Failure, Item, Value, failure_of


class Here:
    """The scheduler of one process."""

    def run(self, function: Callable[[Item], Value], items: Iterable[Item]) -> Iterator[tuple[int, Value | Failure]]:
        """See :class:`mrecist.scheduling.interface.Scheduler`."""
        for index, item in enumerate(items):
            outcome: Value | Failure
            try:
                outcome = function(item)
            except (KeyboardInterrupt, GeneratorExit):
                raise
            except BaseException as error:  # noqa: BLE001 - whatever one item does must not stop the others
                outcome = failure_of(error)
            yield index, outcome
