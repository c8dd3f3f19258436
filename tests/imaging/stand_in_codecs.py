"""A decoder that does what damaged frames make real decoders do; the first word of the frame says what.

Loaded by decoder processes in place of ``mrecist.imaging.codecs``.
"""

from __future__ import annotations

import ctypes
import os
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np

from mrecist.imaging.codecs import FrameFormat as FrameFormat

_used: list[bytes] = []


class PanicException(BaseException):
    """As Rust extensions raise it: no Exception."""


def decode(form: FrameFormat, data: bytes, folder: Path) -> np.ndarray:
    word, _, value = data.rstrip(b"\0").partition(b" ")
    first = not _used
    _used.append(word)
    if word == b"spoilt" and not first:
        os.abort()  # only when an earlier frame came before
    if word in HOSTILE:
        HOSTILE[word]()
    shape = (form.rows, form.columns)
    if word == b"wide":
        return np.zeros((form.rows, form.columns + 1), dtype=np.uint16)
    if word == b"floats":
        return np.zeros(shape, dtype=np.float64)
    if word == b"files":
        return np.full(shape, len(list(folder.iterdir())), dtype=np.uint16)
    return np.full(shape, int(value or b"7"), dtype=np.uint16)


def _loop() -> None:
    while True:
        pass


def _allocate() -> None:
    held = []
    while True:
        held.append(bytearray(2**26))


def _panic() -> None:
    raise PanicException("index out of bounds: the len is 4")


HOSTILE: dict[bytes, Callable[[], object]] = {
    b"abort": os.abort,
    b"fault": lambda: ctypes.string_at(0),
    b"exit": lambda: os._exit(3),
    b"loop": _loop,
    b"allocate": _allocate,
    b"panic": _panic,
    b"print": lambda: os.write(1, b"a library that prints to the standard output\n" * 10),
    b"noise": lambda: sys.stderr.write("x" * 10**6),
}
