"""A real Dask scheduler with two workers on the loopback interface, each a process of its own that the tests stop."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


def free_port() -> int:
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return int(one.getsockname()[1])


class DaskCluster:
    """Started by its constructor; :meth:`wait` until the workers are there."""

    def __init__(self, folder: Path, workers: int = 2) -> None:
        self.folder = folder
        self.address = f"tcp://127.0.0.1:{free_port()}"
        port = self.address.rpartition(":")[2]
        self.scheduler = self._start("scheduler", "--host", "127.0.0.1", "--port", port)
        options = ("--host", "127.0.0.1", "--nthreads", "1", "--death-timeout", "60")
        self.workers = [self._start("worker", self.address, *options) for _ in range(workers)]
        self.wait(workers)

    def _start(self, which: str, *arguments: str) -> subprocess.Popen[bytes]:
        # With 0 Dask gives up every item of a lost worker at once, guilty or not: what is done then is under test.
        fixed = {
            "PYTHONPATH": os.pathsep.join(place for place in sys.path if place),
            "DASK_DISTRIBUTED__SCHEDULER__ALLOWED_FAILURES": "0",
            "DASK_TEMPORARY_DIRECTORY": str(self.folder),
        }
        with (self.folder / f"{which}.log").open("ab") as log:
            return subprocess.Popen(
                [sys.executable, "-m", f"distributed.cli.dask_{which}", *arguments, "--no-dashboard"],
                env=os.environ | fixed,
                cwd=self.folder,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )

    def wait(self, workers: int) -> None:
        """Until so many workers are there."""
        from distributed import Client

        with Client(self.address, timeout=30, set_as_default=False) as client:
            client.wait_for_workers(workers, timeout=30)

    def lose_worker(self) -> None:
        """As when its machine fails: the worker, and the nanny that would start it again."""
        kill(self.workers.pop())

    def lose_scheduler(self) -> None:
        """As when its machine fails."""
        kill(self.scheduler)

    def stop(self) -> None:
        for process in (*self.workers, self.scheduler):
            kill(process)


def kill(process: subprocess.Popen[bytes]) -> None:
    """The process and those that it started: they are a session of their own."""
    if process.poll() is None:
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()


@contextmanager
def within(seconds: float) -> Iterator[None]:
    """Fails when its body takes longer."""
    begin = time.monotonic()
    yield
    assert time.monotonic() - begin < seconds
