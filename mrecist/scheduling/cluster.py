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
from secrets import token_hex
from typing import Any

from mrecist import __version__
from mrecist.errors import InputError, printable
from mrecist.scheduling.interface import Cause, ClusterError, Failure, Item, Limits, Value
from mrecist.scheduling.isolated import packed
from mrecist.scheduling.on_worker import Seen, Ticket, Unfit, end_run, run_there, seen, unfit

_CONNECT_SECONDS = 10
_CHECK_SECONDS = 120.0
"""For all workers to look at the folders."""
_END_SECONDS = 10.0
"""For all workers to end their processes; a worker that is just lost does not answer."""
_LOOK_SECONDS = 5.0
"""How often the number of workers is asked for."""
_LEAST_AHEAD = 16
"""Items at the scheduler, however few workers there are: a cluster that adapts starts workers for what waits."""
_AHEAD = 2
"""Items at the scheduler for each thread of a worker."""
_GATHER_SECONDS = 60.0
"""For a result that is there to come here."""


@dataclass(frozen=True, slots=True)
class _Dropped:
    """An item that gave nothing because of what befell its workers, not, as far as anybody knows, because of itself."""

    reason: str


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
        self._looked, self._places = -_LOOK_SECONDS, _LEAST_AHEAD

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
                run=token_hex(16),
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
            _in_time(_END_SECONDS, lambda: self._client.run(end_run, self._ticket.run, on_error="ignore"))

    def _check_workers(self) -> None:
        try:
            answers = _in_time(_CHECK_SECONDS, lambda: self._client.run(unfit, self._ticket, on_error="return"))
        except TimeoutError:
            raise ClusterError(
                f"--scheduler {self._address}: not every worker answers within {_CHECK_SECONDS:g} s; "
                f"look which of them hangs, or waits for its storage"
            ) from None
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
            if isinstance(outcome, _Dropped):
                suspects.append((index, data))
            else:
                yield index, outcome
        # One at a time: Dask blames every item that a lost worker held, and only one of them may have ended it.
        for index, _, outcome in self._outcomes(payload, iter(suspects), lambda: 1):
            yield index, Failure(outcome.reason, Cause.DIED) if isinstance(outcome, _Dropped) else outcome

    def _outcomes(
        self, function: bytes, items: Iterator[tuple[int, bytes | Failure]], room: Callable[[], int]
    ) -> Iterator[tuple[int, bytes, Any | Failure | _Dropped]]:
        """(Index, item, outcome) of all items; at most ``room()`` on their way."""
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
                        yield one[0], b"", one[1]
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
            run_there, self._ticket, function, self._limits, item, pure=False, key=f"mrecist-{token_hex(16)}"
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

    def _outcome(self, future: Any) -> Any | Failure | _Dropped:
        from distributed import KilledWorker

        if future.status == "cancelled":
            raise self._lost()
        if future.status == "lost":
            return _Dropped("the workers of the cluster that held its result ended")
        try:
            outcome = future.result(timeout=_GATHER_SECONDS)
        except KilledWorker:
            return _Dropped("the workers of the cluster that ran it ended, the last ones with nothing else to do")
        except ModuleNotFoundError as error:
            raise ClusterError(f"a worker cannot import {error.name}; install mrecist {__version__} there") from None
        except Exception as error:  # noqa: BLE001 - what the cluster itself raises, whose tree is not ours
            if self._client.status != "running" or future.status == "cancelled":
                raise self._lost() from None
            said = " ".join(f"{type(error).__name__}: {error}".split())
            return _Dropped(f"the cluster could not run it ({said})")
        if isinstance(outcome, Unfit):
            raise _unfit(outcome.worker, outcome, "")
        return outcome

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
        if now > self._looked + _LOOK_SECONDS:
            self._looked, self._places = now, max(_LEAST_AHEAD, _AHEAD * self._threads())
        return self._places


def _connect(address: str) -> Any:
    from distributed import Client

    where: dict[str, Any] = {"address": address}
    if "://" not in address and Path(address).is_file():
        where = {"scheduler_file": address}
    client: Any = Client.__new__(Client)  # at hand when its constructor fails, which leaves it half open
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # other versions of its libraries; ours is compared for each worker
            # Dask itself waits for ever for something that listens there and says nothing
            options = {**where, "timeout": _CONNECT_SECONDS, "set_as_default": False, "name": "mrecist"}
            _in_time(_CONNECT_SECONDS + 1, lambda: client.__init__(**options))
    except (OSError, ValueError, TypeError, RuntimeError) as error:
        client.status = "closed"
        said = printable(" ".join(str(error).split()), most=160)
        raise ClusterError(
            f"--scheduler {address}: no Dask scheduler answers there ({said}); give the address that it said when it started, "
            f"such as tcp://HOST:8786, or its scheduler file"
        ) from None
    return client


def _in_time(seconds: float, call: Callable[[], Value]) -> Value:
    """What a call gives; raises TimeoutError when it takes longer, and leaves it behind."""
    answer: queue.SimpleQueue[Value] = queue.SimpleQueue()
    wrong: list[BaseException] = []
    over = threading.Event()

    def run() -> None:
        try:
            answer.put(call())
        except BaseException as error:  # noqa: BLE001 - raised below
            wrong.append(error)
        over.set()

    threading.Thread(target=run, daemon=True).start()
    if not over.wait(seconds):
        raise TimeoutError(f"no answer within {seconds:g} s")
    if wrong:
        raise wrong[0]
    return answer.get()


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
    marker = folder / f"seen-by-{token_hex(16)}"
    marker.write_text(marker.name, encoding="utf-8")
    try:
        yield seen(folder)
    finally:
        marker.unlink(missing_ok=True)
