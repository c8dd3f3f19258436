"""A pool of processes that decode untrusted frames, each with a limit of memory and of time.

Decoders in C and Rust abort, loop or take gigabytes on damaged or hostile frames. Here such a frame ends one small process
and is one line for a person; the next frame gets the next process. Processes are new ones, not forks, and are kept: starting
one takes some tenths of a second, handing a frame over some tenths of a millisecond.

A file is blamed only by a process that did nothing before: what fails in a used one is tried once more in a new one, since
an earlier frame may have damaged it.
"""

from __future__ import annotations

import atexit
import json
import multiprocessing
import os
import queue
import signal
import subprocess
import sys
import tempfile
import threading
from collections.abc import Callable
from dataclasses import asdict
from functools import cache
from typing import Any, TypeVar

import numpy as np
import numpy.typing as npt

from mrecist.imaging.codecs import FrameFormat
from mrecist.imaging.decoder_process import DONE, OUT_OF_MEMORY, READY, REPLY, REQUEST
from mrecist.imaging.limits import DECODER_MEMORY_MIB, DECODER_SECONDS, DecoderLimits, decoder_limits

_T = TypeVar("_T")
CODECS = "mrecist.imaging.codecs"
_DTYPES = frozenset({"u1", "i1", "u2", "i2", "u4", "i4"})
_WORKER = "MRECIST_WORKER"
"""Set in the environment of a worker of a batch."""
_PIPE_BYTES = 2**20
"""A frame of 512 x 512 passes whole, where the system lets pipes grow (Linux); 64 KiB at a time elsewhere."""
_START_SECONDS = 60.0
"""Before its first frame a process loads its libraries, which a busy disk may hold up."""


class DecodeError(Exception):
    """One frame that cannot be decoded; ``str(error)`` says why in half a sentence."""


class _TimeOutError(DecodeError):
    """Decoding was ended by the clock."""


class DecoderPool:
    """At most ``size`` decoder processes, started when needed.

    Parameters
    ----------
    size : number of processes.
    limits : memory and time of each.
    codecs : module whose ``decode`` does the work.
    """

    def __init__(self, size: int, limits: DecoderLimits, codecs: str = CODECS) -> None:
        self.size = size
        self._limits, self._codecs = limits, codecs
        self._owner = os.getpid()
        self._places: queue.LifoQueue[_Decoder | None] = (
            queue.LifoQueue()
        )  # last in, first out: live ones are used first
        for _ in range(size):
            self._places.put(None)

    def decode(self, form: FrameFormat, data: bytes) -> npt.NDArray[Any]:
        """Stored values (rows, columns) of one frame; waits for a free process. Threads may call it at the same time.

        Raises
        ------
        DecodeError
            The frame is damaged, or it takes more than the limits allow.
        """
        decoder = self._places.get()
        try:
            if decoder is not None:
                try:
                    return decoder.run(form, data)
                except _TimeOutError:
                    raise
                except DecodeError:
                    decoder.close()
            decoder = _Decoder(self._limits, self._codecs)
            return decoder.run(form, data)
        except BaseException:  # also an interrupt half-way, after which its answer would be taken for the next frame's
            if decoder is not None:
                decoder.close()
            decoder = None
            raise
        finally:
            self._places.put(decoder)

    def close(self) -> None:
        """End the processes that are idle; a fork leaves those of its parent alone."""
        if os.getpid() != self._owner:
            return
        for _ in range(self.size):
            try:
                decoder = self._places.get_nowait()
            except queue.Empty:
                return
            if decoder is not None:
                decoder.close()


class _Decoder:
    """One process and its pipes."""

    def __init__(self, limits: DecoderLimits, codecs: str) -> None:
        self._limits = limits
        self._ready = False
        self._folder = tempfile.TemporaryDirectory(prefix="mrecist-")
        module = "mrecist.imaging.decoder_process"
        options = [codecs, str(limits.memory_mib), str(limits.seconds), self._folder.name]
        self._process = subprocess.Popen(
            [sys.executable, "-P", "-m", module, *options],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            env=environment(),
        )
        for pipe in (self._process.stdin, self._process.stdout):
            _widen(pipe)

    def run(self, form: FrameFormat, data: bytes) -> npt.NDArray[Any]:
        if not self._ready:
            self._within(_START_SECONDS, "the decoder process does not start", self._wait_until_ready)
            self._ready = True
        return self._within(self._limits.seconds, "", lambda: self._exchange(form, data))

    def _within(self, seconds: float, failure: str, step: Callable[[], _T]) -> _T:
        """Run a step of the conversation; the process is ended when it takes longer than ``seconds``."""
        late = threading.Event()

        def end() -> None:
            late.set()
            self._process.kill()

        clock = threading.Timer(seconds, end)
        clock.daemon = True
        clock.start()
        try:
            return step()
        except (OSError, EOFError):
            self._process.kill()
            code = self._process.wait()
            if late.is_set():
                limit = f"decoding takes longer than the limit of {seconds:g} s ({DECODER_SECONDS})"
                raise _TimeOutError(failure or limit) from None
            cause = f"the decoder ended with {cause_of_end(code)}; the file is damaged"
            raise DecodeError(f"{failure} ({cause_of_end(code)})" if failure else cause) from None
        finally:
            clock.cancel()

    def _wait_until_ready(self) -> None:
        if self._process.stdout is None or bytes(_read(self._process.stdout, len(READY))) != READY:
            raise EOFError

    def _exchange(self, form: FrameFormat, data: bytes) -> npt.NDArray[Any]:
        source, target = self._process.stdin, self._process.stdout
        if source is None or target is None:
            raise EOFError
        header = json.dumps(asdict(form)).encode()
        source.write(REQUEST.pack(len(header), len(data)) + header)
        source.write(data)
        source.flush()
        status, kind, rows, columns, length = REPLY.unpack(_read(target, REPLY.size))
        if status == OUT_OF_MEMORY:
            raise DecodeError(
                f"decoding needs more than the limit of {self._limits.memory_mib:g} MiB ({DECODER_MEMORY_MIB})"
            )
        if status != DONE:
            raise DecodeError(bytes(_read(target, min(length, 4096))).decode("utf-8", "replace"))
        dtype = kind.rstrip(b"\0").decode("ascii", "replace")
        if dtype not in _DTYPES or (rows, columns) != (form.rows, form.columns):
            needed = f"Rows x Columns are {(form.rows, form.columns)}"
            raise DecodeError(f"decoded to {(rows, columns)} of type '{dtype}' where {needed}")
        values = np.empty((rows, columns), dtype=f"<{dtype}")
        if values.nbytes != length:
            raise DecodeError(f"decoded to {length} bytes where {values.nbytes} are needed")
        _fill(target, values.reshape(-1).view(np.uint8).data)
        return values

    def close(self) -> None:
        """End the process and remove its folder."""
        self._process.kill()
        self._process.wait()
        for pipe in (self._process.stdin, self._process.stdout):
            if pipe is not None:
                try:
                    pipe.close()
                except OSError:  # unsent bytes to a process that is gone
                    continue
        self._folder.cleanup()


def _widen(pipe: Any) -> None:
    try:
        import fcntl

        fcntl.fcntl(pipe, fcntl.F_SETPIPE_SZ, _PIPE_BYTES)
    except (ImportError, AttributeError, OSError):  # another system, or the user's share of pipe buffers is used up
        return


def _read(source: Any, size: int) -> bytearray:
    data = bytearray(size)
    _fill(source, memoryview(data))
    return data


def _fill(source: Any, view: memoryview) -> None:
    done = 0
    while done < len(view):
        count = source.readinto(view[done:])
        if not count:
            raise EOFError
        done += count


def cause_of_end(code: int) -> str:
    """What the exit code of a process says, in words."""
    if code >= 0:
        return f"exit code {code}"
    try:
        return f"signal {signal.Signals(-code).name}"
    except ValueError:
        return f"signal {-code}"


def environment(*, worker: bool = False) -> dict[str, str]:
    """That of this process, with the same modules, and one thread a library: the processes are the parallelism.

    ``worker`` : the process is one of several of a batch, and decodes with one process of its own.
    """
    single = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "ITK_GLOBAL_DEFAULT_NUMBER_OF_THREADS")
    places = [place or os.getcwd() for place in sys.path]
    fixed = dict.fromkeys(single, "1") | {"MALLOC_ARENA_MAX": "1", "PYTHONPATH": os.pathsep.join(places)}
    return {**os.environ, **fixed, **({_WORKER: "1"} if worker else {})}


def processors() -> int:
    """Processors that this process may use; 1 inside a worker of a batch, which shares them with its siblings."""
    if multiprocessing.parent_process() is not None or _WORKER in os.environ:
        return 1
    try:
        return len(os.sched_getaffinity(0))
    except AttributeError:  # not on Windows or macOS
        return os.cpu_count() or 1


@cache
def _shared(_process: int, limits: DecoderLimits) -> DecoderPool:
    pool = DecoderPool(processors(), limits)
    atexit.register(pool.close)
    return pool


def shared_pool() -> DecoderPool:
    """The pool of this process with the limits of its environment; a fork does not share its parent's."""
    return _shared(os.getpid(), decoder_limits())
