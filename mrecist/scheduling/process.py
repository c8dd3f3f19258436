"""The program of a worker process: a function, then one item after another, until the one who started it is gone.

Started by :mod:`mrecist.scheduling.isolated` as ``python -m mrecist.scheduling.process MEMORY_MIB`` (0: no limit). On its input a
pickle of the pickled function, then of each pickled item; on its output one pickled reply for each.
"""

from __future__ import annotations

import os
import pickle
import queue
import signal
import sys
import threading
from collections.abc import Callable
from typing import Any, BinaryIO

from mrecist.imaging.decoder_process import limit_memory

READY, VALUE, FAILURE, NO_START = "ready", "value", "failure", "no start"


def main(arguments: list[str]) -> None:
    """Serve until the input ends."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the one who started it decides what an interrupt ends
    # What a library prints must not mix with the replies.
    output = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)
    if float(arguments[0]):
        limit_memory(float(arguments[0]))
    given: queue.SimpleQueue[bytes] = queue.SimpleQueue()
    threading.Thread(target=_listen, args=(given,), daemon=True).start()
    try:
        function = pickle.loads(given.get())
    except Exception as error:  # noqa: BLE001 - said to the one who asked
        _reply(output, NO_START, f"{type(error).__name__}: {error}")
        return
    _reply(output, READY, None)
    while True:
        _answer(output, function, given.get())


def _listen(given: queue.SimpleQueue[bytes]) -> None:
    """Hand on what comes in. The end of the input is the end of the parent, and at once of this process, busy or not."""
    try:
        while True:
            given.put(pickle.load(sys.stdin.buffer))
    except BaseException:  # noqa: BLE001 - cut off in the middle is the end too
        os._exit(0)


def _answer(output: BinaryIO, function: Callable[[Any], Any], data: bytes) -> None:
    from mrecist.scheduling.interface import failure_of

    try:
        value = pickle.dumps(function(pickle.loads(data)))
    except BaseException as error:  # noqa: BLE001 - whatever one item does must not stop the others
        failure = failure_of(error)
        _reply(output, FAILURE, (str(failure.cause), failure.reason))
    else:
        _reply(output, VALUE, value)


def _reply(output: BinaryIO, kind: str, content: Any) -> None:
    pickle.dump((kind, content), output)
    output.flush()


if __name__ == "__main__":
    main(sys.argv[1:])
