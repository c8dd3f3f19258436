"""One watch for a folder of results: who holds it, and a hold that ends with its process."""

from __future__ import annotations

import json
import os
import socket
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from pathlib import Path

from mrecist.errors import InputError
from mrecist.tables import write_whole

LOCK, HOLDER = ".watch.lock", ".watch.holder.json"


@contextmanager
def held(out: Path) -> Iterator[None]:
    """Hold the folder. The system gives the lock free when its process ends, however it ends; nobody has to clear it away.

    Who holds it stands beside the lock: on network file systems the lock is lost when its own file is opened and closed again.

    Raises
    ------
    InputError : another watch holds it; says which process of which machine, and since when.
    """
    from filelock import FileLock, Timeout

    out.mkdir(parents=True, exist_ok=True)
    lock = FileLock(out / LOCK, timeout=0)
    try:
        lock.acquire()
    except Timeout:
        raise InputError(
            f"{out}: {_holder(out / HOLDER)} watches and writes here; stop it, or give another --out"
        ) from None
    try:
        about = {
            "pid": os.getpid(),
            "host": socket.gethostname(),
            "since": datetime.now(UTC).isoformat(timespec="seconds"),
        }
        write_whole(out / HOLDER, json.dumps(about) + "\n")
        yield
    finally:
        with suppress(OSError):  # what stands there is not believed without the lock
            (out / HOLDER).unlink(missing_ok=True)
        lock.release()


def _holder(path: Path) -> str:
    try:
        about = json.loads(path.read_text(encoding="utf-8"))
        return f"process {about['pid']} on {about['host']} (since {about['since']})"
    except (OSError, ValueError, KeyError, TypeError):
        return "another process"
