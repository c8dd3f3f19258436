"""Which scheduler a command asks for."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from mrecist.scheduling.here import Here
from mrecist.scheduling.interface import Failure, Item, Limits, Scheduler, Value

_WORTH_PROCESSES = 40


@contextmanager
def open_scheduler(
    *,
    workers: int = 1,
    address: str | None = None,
    limits: Limits | None = None,
    folders: Sequence[Path] = (),
    notice: Callable[[str], None] | None = None,
) -> Iterator[Scheduler]:
    """The scheduler for that many processes here, or for the Dask cluster at ``address``.

    Parameters
    ----------
    workers : processes of this machine. One worker without limits is this process itself.
    address : of a Dask scheduler (``tcp://HOST:8786``), or the scheduler file that it wrote; then ``workers`` is not used.
    limits : what one item may take, the same here and on a cluster.
    folders : what the workers of a cluster must see as this machine does.
    notice : told, in one line, what a person should know while it runs (a cluster without workers).

    Raises
    ------
    InputError : Dask is not installed.
    ClusterError : the cluster cannot be used: unreachable, another version, a worker that does not see a folder.
    """
    limits = limits or Limits()
    if address is not None:
        from mrecist.scheduling.cluster import Cluster

        with Cluster(address, limits, folders, notice) as cluster:
            yield cluster
    elif workers == 1 and limits.none:
        yield Here()
    else:
        from mrecist.scheduling.processes import Processes

        yield Processes(workers, limits)


def run_by_amount(function: Callable[[Item], Value], items: Iterable[Item]) -> Iterator[tuple[int, Value | Failure]]:
    """As :class:`Scheduler` runs: quick items by one process a processor where there are many, else by this process.

    Starting a process takes as long as some twenty shares of headers.
    """
    every = list(items)
    with open_scheduler(workers=(os.cpu_count() or 1) if len(every) >= _WORTH_PROCESSES else 1) as scheduler:
        yield from scheduler.run(function, every)
