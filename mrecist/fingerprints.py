"""SHA-256 of files by their content, without reading again what nobody wrote to since.

An index remembers a file's digest with its path, size, and times of modification and of change; where they are the same, the digest
is taken from there. A write within the resolution of a file system's clock leaves them as they were, so, as Git does with its index
("racy Git"), a file that was written to less than two seconds before it was read is not remembered: it is read again next time.
"""

from __future__ import annotations

import hashlib
import json
import os
import time
from pathlib import Path

from mrecist.tables import write_whole

RACY_NS = 2_000_000_000
"""FAT keeps times to 2 s; every other file system is finer."""
_Stamp = tuple[int, int, int]


class Fingerprints:
    """The digests of some files, remembered in ``index`` by :meth:`keep`."""

    def __init__(self, index: Path) -> None:
        self._index = index
        self._before = _remembered(index)
        self._now: dict[str, tuple[_Stamp, str]] = {}
        self._passing: dict[str, tuple[_Stamp, str]] = {}

    def sha256(self, path: Path) -> str:
        """The digest of a file's content; raises OSError where it cannot be read."""
        name = os.path.abspath(path)
        stamp = _stamp(os.stat(path))
        for known in (self._now, self._passing, self._before):
            if name in known and known[name][0] == stamp:
                if known is self._before:
                    self._now[name] = known[name]
                return known[name][1]
        began = time.time_ns()
        with path.open("rb") as file:
            digest = hashlib.file_digest(file, "sha256").hexdigest()
            after = _stamp(os.fstat(file.fileno()))
        settled = after == stamp and max(stamp[1:]) + RACY_NS < began
        (self._now if settled else self._passing)[name] = stamp, digest
        return digest

    def still(self, path: Path) -> bool:
        """Whether a file is the one whose digest was given."""
        name = os.path.abspath(path)
        known = self._now.get(name) or self._passing.get(name)
        try:
            return known is not None and known[0] == _stamp(os.stat(path))
        except OSError:
            return False

    def keep(self) -> None:
        """Remember the files that were asked for, and no others."""
        if self._now != self._before:
            content = {name: [*stamp, digest] for name, (stamp, digest) in sorted(self._now.items())}
            write_whole(self._index, json.dumps(content))


def _stamp(status: os.stat_result) -> _Stamp:
    return status.st_size, status.st_mtime_ns, status.st_ctime_ns


def _remembered(index: Path) -> dict[str, tuple[_Stamp, str]]:
    try:
        content = json.loads(index.read_text(encoding="utf-8"))
        return {name: ((int(a), int(b), int(c)), str(d)) for name, (a, b, c, d) in content.items()}
    except (OSError, ValueError, TypeError, AttributeError):
        return {}  # a lost index costs time, nothing else
