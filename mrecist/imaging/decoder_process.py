"""The program of a decoder process: one compressed frame in, its stored values out, until the input ends.

Started by :mod:`mrecist.imaging.decoder_pool` as ``python -m mrecist.imaging.decoder_process MODULE MEMORY_MIB SECONDS FOLDER``.
Input: a JSON header (length first) and the frame (length first). Output: status, shape and dtype, and the bytes. What comes
back is never unpickled or evaluated: a decoder that was taken over by a hostile frame can only hand back wrong numbers.
"""

from __future__ import annotations

import importlib
import json
import os
import shutil
import signal
import struct
import sys
from pathlib import Path
from typing import BinaryIO

REQUEST = struct.Struct("<IQ")
"""Length of the JSON header, length of the frame."""
REPLY = struct.Struct("<B4sIIQ")
"""Status, dtype, rows, columns, length of what follows: the values, or a line of text."""
READY = b"ready"
"""Sent once, when the libraries are loaded and the limits are set."""
DONE, FAILED, OUT_OF_MEMORY = 0, 1, 2


def main(arguments: list[str]) -> None:
    module, memory_mib, seconds, folder = arguments
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the parent decides what an interrupt ends
    # Libraries in C may print: their output must not mix with the values.
    output = os.fdopen(os.dup(1), "wb")
    os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
    limit_memory(float(memory_mib))
    codecs = importlib.import_module(module)
    output.write(READY)
    output.flush()
    source = sys.stdin.buffer
    while len(head := source.read(REQUEST.size)) == REQUEST.size:
        header_length, data_length = REQUEST.unpack(head)
        fields = json.loads(source.read(header_length))
        data = source.read(data_length)
        _limit_processor_time(float(seconds))
        _answer(output, codecs, fields, data, Path(folder))
    shutil.rmtree(folder, ignore_errors=True)  # a parent that was killed cannot


def _answer(output: BinaryIO, codecs: object, fields: dict[str, object], data: bytes, folder: Path) -> None:
    import numpy as np

    try:
        array = codecs.decode(codecs.FrameFormat(**fields), data, folder)  # type: ignore[attr-defined]
        if array.ndim != 2:
            raise ValueError(f"decoded to {array.shape}, which is no single-sample frame")
        values = np.ascontiguousarray(array)
        if values.dtype.byteorder == ">":
            values = values.astype(values.dtype.newbyteorder("<"))
        status, kind, shape = DONE, values.dtype.str[1:].encode(), values.shape
        content = values.reshape(-1).view(np.uint8).data
    except MemoryError:
        status, kind, shape, content = OUT_OF_MEMORY, b"", (0, 0), memoryview(b"")
    except BaseException as failure:  # noqa: BLE001 - a panic of a Rust decoder is no Exception
        detail = " ".join(str(failure).split())[:200] or "no further detail"
        status, kind, shape = FAILED, b"", (0, 0)
        content = memoryview(f"{type(failure).__name__}: {detail}".encode())
    output.write(REPLY.pack(status, kind, *shape, content.nbytes))
    output.write(content)
    output.flush()


def limit_memory(mib: float) -> None:
    """Address space, so that an allocation beyond it fails; where the system has no such limit, none is set."""
    try:
        import resource

        _, hard = resource.getrlimit(resource.RLIMIT_AS)
        wanted = int(mib * 2**20)
        resource.setrlimit(resource.RLIMIT_AS, (wanted if hard == resource.RLIM_INFINITY else min(wanted, hard), hard))
        resource.setrlimit(resource.RLIMIT_CORE, (0, resource.getrlimit(resource.RLIMIT_CORE)[1]))
    except (ImportError, ValueError, OSError):
        return


def _limit_processor_time(seconds: float) -> None:
    """A second guard should the parent be gone, which holds the clock: no process loops for ever."""
    try:
        import resource

        used = resource.getrusage(resource.RUSAGE_SELF)
        _, hard = resource.getrlimit(resource.RLIMIT_CPU)
        soft = int(used.ru_utime + used.ru_stime + 2 * seconds) + 2
        resource.setrlimit(resource.RLIMIT_CPU, (soft if hard == resource.RLIM_INFINITY else min(soft, hard), hard))
    except (ImportError, ValueError, OSError):
        return


if __name__ == "__main__":
    main(sys.argv[1:])
