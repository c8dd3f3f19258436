"""None, True and False are never freed, on Python 3.11 too.

PySide6 6.12.0 is built for a Python in which these objects are immortal (3.12 and later, PEP 683): each of its functions that
returns one of them takes a reference that it does not own. On Python 3.11, which the wheel admits, the count of None falls by one
at every such call, and the process is aborted ("deallocating None") after some ten thousand of them: minutes of reading.
"""

from __future__ import annotations

import ctypes
import sys

_PLENTY = 1 << 48


def keep_singletons() -> None:
    """Give the objects more references than can ever be taken; nothing to do where they are immortal."""
    if sys.version_info >= (3, 12) or sys.implementation.name != "cpython":
        return
    for one in (None, True, False, NotImplemented, Ellipsis):
        # The reference count is the first word of every object of CPython 3.11.
        count = ctypes.c_ssize_t.from_address(id(one))
        if count.value < _PLENTY:
            count.value += _PLENTY
