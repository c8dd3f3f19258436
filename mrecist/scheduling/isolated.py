"""One worker process that runs items one after another, seen from the one who started it.

A new process and not a fork: a fork of a program with threads (BLAS, a screen, Dask) may hang for ever, and a fork shares
its open files. It is started by :mod:`subprocess` and not by :mod:`multiprocessing`, so the caller's own script is not imported
again, and it can be started inside the daemon processes of Dask. It ends when its input ends, which the system sees to
when the parent is killed.
"""

from __future__ import annotations

import pickle
import signal
import subprocess
import sys
import threading
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from typing import Any

from mrecist.errors import MrecistError
from mrecist.imaging.decoder_pool import cause_of_end, environment
from mrecist.scheduling.interface import Cause, Failure, Limits
from mrecist.scheduling.process import READY, VALUE

_START_SECONDS = 120.0
"""Before its first item a process loads its libraries, which a busy disk or a network file system may hold up."""
_STARTS = 2


class Isolated:
    """A process and its pipes, started with the first item.

    Parameters
    ----------
    function : the pickled function.
    limits : what an item may take.
    """

    def __init__(self, function: bytes, limits: Limits) -> None:
        self._function, self._limits = function, limits
        self._process: subprocess.Popen[bytes] | None = None
        self._closed = self._over = False

    @property
    def fit(self) -> bool:
        """Whether it can take another item."""
        return not (self._closed or self._over)

    def run(self, item: bytes) -> Any | Failure:
        """The value of a pickled item, or why there is none; after anything but an exception the process is not ``fit``.

        Raises
        ------
        MrecistError : processes do not start here at all.
        """
        if self._process is None:
            self._start()
        with self._clock(self._limits.seconds) as late:
            try:
                kind, content = self._exchange(item)
            except (OSError, EOFError, pickle.UnpicklingError):
                self._end()
                return self._ended(late)
        if kind == VALUE:
            return pickle.loads(content)
        failure = Failure(content[1], Cause(content[0]))
        if failure.cause is Cause.MEMORY:
            self._end()
            if self._limits.memory_mib is not None:
                failure = Failure(f"it needs more than the limit of {self._limits.memory_mib:g} MiB", Cause.MEMORY)
        return failure

    def close(self) -> None:
        """End the process. Another thread may do this while an item runs, which then fails."""
        self._closed = True
        self._end()

    def _end(self) -> None:
        self._over = True
        process = self._process
        if process is None:
            return
        process.kill()
        process.wait()
        for pipe in (process.stdin, process.stdout):
            if pipe is not None:
                with suppress(OSError):  # unsent bytes to a process that is gone
                    pipe.close()

    def _start(self) -> None:
        said = ""
        for _ in range(_STARTS):
            try:
                self._process = self._popen()
            except OSError as error:  # no memory for another process, or no more of them allowed
                said = error.strerror or str(error)
                continue
            if self._closed:  # by another thread, which did not see this process yet
                self._end()
                return
            with self._clock(_START_SECONDS) as late:
                try:
                    kind, content = self._exchange(self._function)
                except (OSError, EOFError, pickle.UnpicklingError):
                    kind, content = "", ""
            if kind == READY:
                return
            self._end()
            said = str(content) or (
                f"not ready after {_START_SECONDS:g} s" if late.is_set() else cause_of_end(self._process.returncode)
            )
            if self._closed:
                return
        raise MrecistError(f"worker processes do not start here: {said}; check the installation and the free memory")

    def _popen(self) -> subprocess.Popen[bytes]:
        memory = 0 if self._limits.memory_mib is None else self._limits.memory_mib
        with _without_interrupts():
            return subprocess.Popen(
                [sys.executable, "-P", "-m", "mrecist.scheduling.process", str(memory)],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                env=environment(worker=True),
            )

    def _exchange(self, data: bytes) -> tuple[str, Any]:
        process = self._process
        if process is None or process.stdin is None or process.stdout is None:
            raise EOFError
        try:
            pickle.dump(data, process.stdin)
            process.stdin.flush()
            kind, content = pickle.load(process.stdout)
        except ValueError:  # closed by another thread
            raise EOFError from None
        return kind, content

    def _ended(self, late: threading.Event) -> Failure:
        if late.is_set():
            return Failure(f"it takes longer than the limit of {self._limits.seconds:g} s", Cause.TIME)
        code = -1 if self._process is None else self._process.returncode
        hint = ", as the system does when memory runs out" if code == -9 else ""
        return Failure(f"its process ended with {cause_of_end(code)}{hint}", Cause.DIED)

    @contextmanager
    def _clock(self, seconds: float | None) -> Iterator[threading.Event]:
        """Kill the process when it takes longer than ``seconds``."""
        late = threading.Event()
        process = self._process

        def end() -> None:
            late.set()
            if process is not None:
                process.kill()

        clock = None if seconds is None else threading.Timer(seconds, end)
        if clock is not None:
            clock.daemon = True
            clock.start()
        try:
            yield late
        finally:
            if clock is not None:
                clock.cancel()


@contextmanager
def _without_interrupts() -> Iterator[None]:
    """A process that is started here never sees Ctrl-C: the mask of blocked signals is handed down."""
    if not hasattr(signal, "pthread_sigmask"):  # Windows
        yield
        return
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def packed(items: Iterable[object]) -> Iterator[tuple[int, bytes | Failure]]:
    """Items as they are handed over, each with its index."""
    return ((index, _bytes_of(item)) for index, item in enumerate(items))


def _bytes_of(item: object) -> bytes | Failure:
    try:
        return pickle.dumps(item)
    except Exception as error:  # noqa: BLE001 - pickle raises what it likes
        return Failure(f"it cannot be handed to a process ({type(error).__name__}: {error})", Cause.RAISED)
