"""Whether a file is still the one that was read, told by its size and times instead of its content.

A write within the resolution of a file system's clock leaves the times as they were, so, as Git does with its index ("racy Git"), a
file that was written to less than two seconds before it was read is not remembered: it is read again next time.
"""

from __future__ import annotations

import os

RACY_NS = 2_000_000_000
"""FAT keeps times to 2 s; every other file system is finer."""
Stamp = tuple[int, int, int, int]
"""Size, times of modification and of change in nanoseconds, and the number of the file."""


def stamp_of(status: os.stat_result) -> Stamp:
    """What tells one state of a file from another."""
    return status.st_size, status.st_mtime_ns, status.st_ctime_ns, status.st_ino


def settled(before: Stamp, after: Stamp, began_ns: int) -> bool:
    """Whether what was read between two stamps, from ``began_ns`` on, is what the file holds as long as its stamp stays."""
    return before == after and max(before[1:3]) + RACY_NS < began_ns
