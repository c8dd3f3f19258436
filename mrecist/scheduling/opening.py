"""Which scheduler a command asks for."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from mrecist.scheduling.here import Here
from mrecist.scheduling.interface import Limits, Scheduler


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
