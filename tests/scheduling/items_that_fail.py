"""What an item may do to the process that runs it. Imported by worker processes, so it stays light."""

from __future__ import annotations

import ctypes
import os
import signal
import sys
import time
from collections.abc import Callable
from pathlib import Path

from mrecist.errors import InputError


def refuse(word: str) -> int:
    raise InputError(f"{word}: no DICOM")


def bug(word: str) -> int:
    raise KeyError(word)


def kill(_: str) -> int:
    os.kill(os.getpid(), signal.SIGKILL)
    return 0


def loop(word: str) -> int:
    time.sleep(float(word))
    return 0


WORDS: dict[str, Callable[[str], object]] = {
    "refuse": refuse,
    "bug": bug,
    "exit": sys.exit,
    "end": lambda code: os._exit(int(code)),
    "kill": kill,
    "crash": lambda _: ctypes.string_at(0),
    "loop": loop,
    "eat": lambda mib: len(bytearray(int(mib) * 2**20)),
    "local": lambda _: lambda: None,
}


def square_or(word: int | str) -> object:
    """The square of a number; what a word says instead."""
    if isinstance(word, int):
        return word * word
    what, _, rest = word.partition(" ")
    return WORDS[what](rest)


def once_bad(path: str) -> str:
    """Kills its process the first time, as the neighbours' memory may; then says how many ran beside it."""
    place = Path(path)
    if not place.exists():
        place.touch()
        os.kill(os.getpid(), signal.SIGKILL)
    return "well"


def slow(seconds: float) -> int:
    """The process that ran it."""
    time.sleep(seconds)
    return os.getpid()


def note_process(folder: str) -> None:
    """Writes its process id, then goes on for a minute."""
    (Path(folder) / str(os.getpid())).touch()
    time.sleep(60)


def slow_square(number: int) -> int:
    """The square, after a moment."""
    time.sleep(0.05)
    return number * number


def kill_the_worker(_: object) -> None:
    """Kills the process that started this one: on a cluster the Dask worker."""
    os.kill(os.getppid(), signal.SIGKILL)
    time.sleep(60)


def decoders(_: object) -> int:
    """How many decoder processes this process would use."""
    from mrecist.imaging.decoder_pool import processors

    return processors()
