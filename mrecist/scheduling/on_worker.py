"""What runs inside a worker of a Dask cluster: is it fit for the run, and one item in a process of its own.

The item does not run in the Dask worker itself: limits of time and memory hold as they do on one machine, a crash of a library ends
that process only, and a worker of several threads runs as many items at a time without sharing anything.
"""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any

from mrecist import __version__
from mrecist.errors import MrecistError
from mrecist.scheduling.interface import Failure, Limits
from mrecist.scheduling.isolated import Isolated
from mrecist.scheduling.processes import AGAIN, second_try

_FILES_LOOKED_AT = 8
_BYTES_LOOKED_AT = 65536


@dataclass(frozen=True, slots=True)
class Seen:
    """A folder as one machine sees it: some of its files (relative path, size in bytes, SHA-256 of the beginning)."""

    folder: str
    files: tuple[tuple[str, int, str], ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Ticket:
    """One run: its name, the version that started it, and the folders as they are seen there."""

    run: str
    version: str
    folders: tuple[Seen, ...]


@dataclass(frozen=True, slots=True)
class Unfit:
    """Why this worker must not take part in a run; ``worker`` : its address, where an item found out."""

    reason: str
    worker: str = ""


class _Run:
    """The processes of a run in this worker."""

    def __init__(self, function: bytes, limits: Limits) -> None:
        self.function, self.limits = function, limits
        self.idle: list[Isolated] = []
        self.every: set[Isolated] = set()


_RUNS: dict[tuple[str, bytes], _Run] = {}
_FIT: set[str] = set()
_OVER: set[str] = set()
_LOCK = threading.Lock()


def seen(folder: Path) -> Seen:
    """Some files of a folder, the same ones at every call while nothing changes; hidden ones are left out."""
    files = tuple(_mark(folder, path) for path in islice(_files(folder), _FILES_LOOKED_AT))
    return Seen(str(folder), files)


def _files(folder: Path) -> Iterator[Path]:
    for path in sorted(folder.iterdir()):
        if path.name.startswith("."):
            continue
        if path.is_dir():
            yield from _files(path)
        elif path.is_file():
            yield path


def _mark(folder: Path, path: Path) -> tuple[str, int, str]:
    with path.open("rb") as file:
        begins = hashlib.sha256(file.read(_BYTES_LOOKED_AT)).hexdigest()
    return path.relative_to(folder).as_posix(), path.stat().st_size, begins


def unfit(ticket: Ticket) -> Unfit | None:
    """Why this process cannot take part in the run, or None."""
    if ticket.run in _FIT:
        return None
    if ticket.version != __version__:
        return Unfit(f"has mrecist {__version__} and this machine {ticket.version}; install the same on both")
    for one in ticket.folders:
        folder = Path(one.folder)
        if not folder.is_dir():
            return Unfit(f"does not see the folder {folder}; put it on storage that all machines have at the same path")
        for name, size, begins in one.files:
            try:
                same = _mark(folder, folder / name) == (name, size, begins)
            except OSError as error:
                return Unfit(f"cannot read {folder / name} ({error.strerror}), which is there on this machine")
            if not same:
                return Unfit(f"sees another {folder / name} than this machine; is {folder} the same storage on both?")
    _FIT.add(ticket.run)
    return None


def run_there(ticket: Ticket, function: bytes, limits: Limits, item: bytes) -> Any:
    """The outcome of an item, or :class:`Unfit`; both function and item are pickled."""
    found = unfit(ticket)
    if found is not None:
        return Unfit(found.reason, _address())
    process = _take(ticket, function, limits)
    try:
        outcome = process.run(item)
    except MrecistError as error:
        return Unfit(f"has a fault: {error}", _address())
    finally:
        _give_back(ticket, function, process)
    if isinstance(outcome, Failure) and outcome.cause in AGAIN and ticket.run not in _OVER:
        return second_try(function, limits, item)
    return outcome


def _address() -> str:
    from distributed import get_worker

    return str(get_worker().address)


def _take(ticket: Ticket, function: bytes, limits: Limits) -> Isolated:
    with _LOCK:
        run = _RUNS.setdefault((ticket.run, function), _Run(function, limits))
        process = run.idle.pop() if run.idle else Isolated(function, limits)
        run.every.add(process)
        return process


def _give_back(ticket: Ticket, function: bytes, process: Isolated) -> None:
    with _LOCK:
        run = _RUNS.get((ticket.run, function))
        if run is not None and process.fit:
            run.idle.append(process)
            return
        if run is not None:
            run.every.discard(process)
    process.close()


def end_run(name: str) -> None:
    """End the processes of a run, whatever they do."""
    with _LOCK:
        _OVER.add(name)
        over = [_RUNS.pop(key) for key in list(_RUNS) if key[0] == name]
    for run in over:
        for process in run.every:
            process.close()
