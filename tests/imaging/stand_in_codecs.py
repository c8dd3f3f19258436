"""A decoder that does what damaged frames make real decoders do; the first word of the frame says what.

Loaded by decoder processes in place of ``mrecist.imaging.codecs``.
"""

from __future__ import annotations

import ctypes
import os
import sys
from pathlib import Path

import numpy as np

from mrecist.imaging.codecs import FrameFormat as FrameFormat

_used: list[bytes] = []


class PanicException(BaseException):  # noqa: N818 - its name in pyo3
    """As Rust extensions raise it: no Exception."""


def decode(form: FrameFormat, data: bytes, folder: Path) -> np.ndarray:
    word, _, value = data.rstrip(b"\0").partition(b" ")
    before = len(_used)
    _used.append(word)
    if word == b"abort":
        os.abort()
    if word == b"fault":
        ctypes.string_at(0)
    if word == b"exit":
        os._exit(3)
    if word == b"loop":
        while True:
            pass
    if word == b"allocate":
        held = []
        while True:
            held.append(bytearray(2**26))
    if word == b"panic":
        raise PanicException("index out of bounds: the len is 4")
    if word == b"print":
        os.write(1, b"a library that prints to the standard output\n" * 10)
    if word == b"noise":
        sys.stderr.write("x" * 10**6)
    if word == b"spoilt" and before:
        os.abort()  # only when an earlier frame came first
    if word == b"wide":
        return np.zeros((form.rows, form.columns + 1), dtype=np.uint16)
    if word == b"floats":
        return np.zeros((form.rows, form.columns), dtype=np.float64)
    if word == b"files":
        return np.full((form.rows, form.columns), len(list(folder.iterdir())), dtype=np.uint16)
    return np.full((form.rows, form.columns), int(value or b"7"), dtype=np.uint16)
