"""Items on the workers of a Dask cluster (https://distributed.dask.org).

Paths go out and small results come back: the folders are on storage that all machines share, which is looked at before anything
runs. Dask itself gives the items of a lost worker to another one, until more workers were lost with them than
``distributed.scheduler.allowed-failures`` (3); those items are tried once more at the end, one at a time.
"""

from __future__ import annotations

import logging
import pickle
import queue
import threading
import time
import warnings
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from importlib import util
from pathlib import Path
from typing import Any
from uuid import uuid4

from mrecist import __version__
from mrecist.errors import InputError, printable
from mrecist.scheduling.interface import Cause, ClusterError, Failure, Item, Limits, Value
from mrecist.scheduling.isolated import packed
from mrecist.scheduling.on_worker import Seen, Ticket, Unfit, end_run, run_there, seen, unfit

_CONNECT_SECONDS = 10
_LOOK_SECONDS = 5.0
"""How often the number of workers is asked for."""
_LEAST_AHEAD = 16
"""Items at the scheduler, however few workers there are: a cluster that adapts starts workers for what waits."""
_AHEAD = 2
"""Items at the scheduler for each thread of a worker."""


_WORKERS_ENDED = Failure(
    "the workers of the cluster that ran it ended, the last ones with nothing else to do", Cause.DIED
)


@dataclass(frozen=True, slots=True)
class _Outcome:
    """The value or failure of an item, where its workers did not end."""

    value: Any


class Cluster:
    """The scheduler of many machines; a context manager.

    Parameters
    ----------
    address : of the Dask scheduler, or the scheduler file that it wrote.
    limits : what one item may take.
    folders : what every worker must see as this machine does; made when they are not there.
    notice : told, in one line, what a person should know while it runs.

    Raises
    ------
    InputError : on entering: Dask is not installed.
    ClusterError : on entering: nothing answers at the address, or a worker is not fit.
    """

    def __init__(
        self,
        address: str,
        limits: Limits | None = None,
        folders: Sequence[Path] = (),
        notice: Callable[[str], None] | None = None,
    ) -> None:
        self._address, self._limits = address, limits or Limits()
        self._folders = [folder.absolute() for folder in folders]
        self._notice = notice or (lambda _line: None)
        self._stack = ExitStack()

    def __enter__(self) -> Cluster:
        if util.find_spec("distributed") is None:
            raise InputError(
                "distributed is not installed; --scheduler needs the extra: pip install 'mrecist[cluster]'"
            )
        with ExitStack() as stack:
            stack.enter_context(_quiet())
            self._client = _connect(self._address)
            stack.callback(self._client.close)
            self._ticket = Ticket(
                run=uuid4().hex,
                version=__version__,
                folders=tuple(stack.enter_context(_marked(folder)) for folder in self._folders),
            )
            stack.callback(self._end_run)
            self._check_workers()
            self._stack = stack.pop_all()
        return self

    def __exit__(self, *_error: object) -> None:
        self._stack.close()

    def _end_run(self) -> None:
        if self._client.status != "running":
            return
        with suppress(Exception):  # a worker may be gone: then there is nothing to end
            self._client.run(end_run, self._ticket.run, on_error="ignore")

    def _check_workers(self) -> None:
        answers = self._client.run(unfit, self._ticket, on_error="return")
        wrong = []
        for worker, answer in sorted(answers.items()):
            if isinstance(answer, ModuleNotFoundError):
                answer = Unfit(f"cannot import {answer.name}; install mrecist {__version__} there")
            elif isinstance(answer, BaseException):
                answer = Unfit(f"cannot be asked ({type(answer).__name__}: {answer})")
            if isinstance(answer, Unfit):
                wrong.append((worker, answer))
        if wrong:
            more = f" (so do {len(wrong) - 1} more of {len(answers)} workers)" if len(wrong) > 1 else ""
            raise _unfit(*wrong[0], more)
        if not answers:
            self._notice("the cluster has no worker yet; waiting for one")

    def run(self, function: Callable[[Item], Value], items: Iterable[Item]) -> Iterator[tuple[int, Value | Failure]]:
        """See :class:`mrecist.scheduling.interface.Scheduler`.

        Raises
        ------
        ClusterError : the scheduler was lost, or a worker that joined later is not fit.
        """
        payload = pickle.dumps(function)
        suspects: list[tuple[int, bytes]] = []
        for index, data, outcome in self._outcomes(payload, packed(items), self._room):
            if outcome is None:
                suspects.append((index, data))
            else:
                yield index, outcome.value
        # One at a time: Dask blames every item that a lost worker held, and only one of them may have ended it.
        for index, _, outcome in self._outcomes(payload, iter(suspects), lambda: 1):
            yield index, _WORKERS_ENDED if outcome is None else outcome.value

    def _outcomes(
        self, function: bytes, items: Iterator[tuple[int, bytes | Failure]], room: Callable[[], int]
    ) -> Iterator[tuple[int, bytes, _Outcome | None]]:
        """(Index, item, outcome) of all items, None where the workers that held it ended; at most ``room()`` on their way."""
        waiting: dict[str, tuple[int, bytes, Any]] = {}
        done: queue.SimpleQueue[str] = queue.SimpleQueue()
        left = True
        try:
            while left or waiting:
                while left and len(waiting) < room():
                    one = next(items, None)
                    if one is None:
                        left = False
                    elif isinstance(one[1], Failure):
                        yield one[0], b"", _Outcome(one[1])
                    else:
                        future = self._submit(function, one[1])
                        waiting[future.key] = (one[0], one[1], future)
                        future.add_done_callback(lambda ended: done.put(ended.key))
                if waiting:
                    index, data, future = waiting[self._next(done)]
                    outcome = self._outcome(future)
                    del waiting[future.key]
                    yield index, data, outcome
        finally:
            if waiting:
                with suppress(Exception):  # the scheduler may be gone
                    self._client.cancel([future for *_, future in waiting.values()], force=True)

    def _submit(self, function: bytes, item: bytes) -> Any:
        # the same item twice is two items, so that each has an outcome of its own
        return self._client.submit(
            run_there, self._ticket, function, self._limits, item, pure=False, key=f"mrecist-{uuid4().hex}"
        )

    def _next(self, done: queue.SimpleQueue[str]) -> str:
        """The key of a future that ended; says so when there is nobody to work."""
        told = False
        while True:
            try:
                return done.get(timeout=_LOOK_SECONDS)
            except queue.Empty:
                if self._client.status not in ("running", "connecting"):
                    raise self._lost() from None
                if not told and not self._threads():
                    self._notice("the cluster has no worker at the moment; waiting for one")
                    told = True

    def _outcome(self, future: Any) -> _Outcome | None:
        from distributed import KilledWorker

        if future.status in ("cancelled", "lost"):
            raise self._lost()
        try:
            outcome = future.result()
        except KilledWorker:
            return None
        except ModuleNotFoundError as error:
            raise ClusterError(f"a worker cannot import {error.name}; install mrecist {__version__} there") from None
        except Exception as error:  # noqa: BLE001 - what the cluster itself raises, whose tree is not ours
            if self._client.status != "running" or future.status in ("cancelled", "lost"):
                raise self._lost() from None
            said = " ".join(f"{type(error).__name__}: {error}".split())
            return _Outcome(Failure(f"the cluster could not run it ({said})", Cause.DIED))
        if isinstance(outcome, Unfit):
            raise _unfit(outcome.worker, outcome, "")
        return _Outcome(outcome)

    def _lost(self) -> ClusterError:
        return ClusterError(
            f"the scheduler {self._address} is gone or dropped the work; what was finished is kept, run the same command again"
        )

    def _threads(self) -> int:
        try:
            return sum(self._client.nthreads().values())
        except Exception:  # noqa: BLE001 - the connection is looked at elsewhere
            return 0

    def _room(self) -> int:
        now = time.monotonic()
        if now > getattr(self, "_looked", 0.0) + _LOOK_SECONDS:
            self._looked, self._places = now, max(_LEAST_AHEAD, _AHEAD * self._threads())
        return self._places


def _connect(address: str) -> Any:
    from distributed import Client

    where: dict[str, Any] = {"address": address}
    if "://" not in address and Path(address).is_file():
        where = {"scheduler_file": address}
    client: Any = Client.__new__(Client)  # at hand when its constructor fails, which leaves it half open
    answer: queue.SimpleQueue[BaseException | None] = queue.SimpleQueue()

    def construct() -> None:
        try:
            client.__init__(**where, timeout=_CONNECT_SECONDS, set_as_default=False, name="mrecist")
        except BaseException as error:  # noqa: BLE001 - raised below
            answer.put(error)
        else:
            answer.put(None)

    # in a thread, because Dask waits for ever for something that listens there and says nothing
    threading.Thread(target=construct, daemon=True).start()
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # other versions of its libraries; ours is compared for each worker
            error = answer.get(timeout=_CONNECT_SECONDS + 1)
    except queue.Empty:
        error = TimeoutError("what listens there says nothing")
    if error is None:
        return client
    client.status = "closed"
    if not isinstance(error, OSError | ValueError | TypeError | RuntimeError):
        raise error
    said = printable(" ".join(str(error).split()), most=160)
    raise ClusterError(
        f"--scheduler {address}: no Dask scheduler answers there ({said}); give the address that it said when it started, "
        f"such as tcp://HOST:8786, or its scheduler file"
    )


def _unfit(worker: str, why: Unfit, more: str) -> ClusterError:
    return ClusterError(f"worker {worker} {why.reason}{more}")


@contextmanager
def _quiet() -> Iterator[None]:
    """Dask says in its log, with tracebacks, what is said here in one line."""
    import distributed  # noqa: F401 - gives its loggers their levels

    names = [name for name in logging.root.manager.loggerDict if name.split(".")[0] in ("distributed", "tornado")]
    before = {name: logging.getLogger(name).level for name in names}
    for name in names:
        logging.getLogger(name).setLevel(logging.CRITICAL + 1)
    try:
        yield
    finally:
        for name, level in before.items():
            logging.getLogger(name).setLevel(level)


@contextmanager
def _marked(folder: Path) -> Iterator[Seen]:
    """The folder as it is seen here; one without any file gets a marker as long as the run lasts."""
    folder.mkdir(parents=True, exist_ok=True)
    found = seen(folder)
    if found.files:
        yield found
        return
    marker = folder / f"seen-by-{uuid4().hex}"
    marker.write_text(marker.name, encoding="utf-8")
    try:
        yield seen(folder)
    finally:
        marker.unlink(missing_ok=True)
